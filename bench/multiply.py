"""Make a bank many times as large inside the database: every outlet with its people and customers copied N times.

A demo bank of 20,000 takes two minutes to write, one of 1,000,000 would take hours in Python; copying rows where they
lie runs at the speed of COPY. Numbers, hashes and birth dates differ from copy to copy, so that nobody is a duplicate;
names repeat, as they do in a country. What belongs to nobody's customer (views, jobs, trail) is not copied.
"""

from django.apps import apps
from django.db import connection
from tqdm import tqdm

COPIED = (
    "staff.Branch", "staff.Staff", "customers.Customer", "customers.SearchKey", "customers.Load", "customers.Assignment",
    "customers.TierChange", "customers.ProfileValue", "customers.Hobby", "customers.Resource",
    "customers.ConsentRecord", "customers.Holding", "customers.DailyAsset", "customers.MonthlyAsset",
    "customers.TransactionEvent", "customers.ValueMonth", "contacts.Opportunity",
    "contacts.OpportunityStageHistory", "contacts.ContactLog", "contacts.ContactTask",
    "churn.ScoringRun", "churn.ChurnScore", "churn.ChurnAlert",
)  # fmt: skip
"""The models in the order in which their rows may be copied."""

QUIET = ("customers_customer", "customers_assignment", "customers_load", "contacts_opportunity")
"""Tables whose triggers keep other tables that are copied as well."""

PK_ALONE = 100
"""Numbers left free between two copies."""


def multiply(copies: int) -> None:
    """Add that many copies of the bank; it is to be called once on a demo bank, before anything else works on it."""
    models = [apps.get_model(name) for name in COPIED]
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        strides = {model: _stride(cursor, model) for model in models if model._meta.pk.name == "id"}
        _triggers(cursor, "DISABLE")
        for model in tqdm(models, desc="Copying", unit="table", disable=copies < 1):
            _copy(cursor, model, strides, copies)
        _triggers(cursor, "ENABLE")
        for model in strides:
            table = model._meta.db_table
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        cursor.execute("VACUUM (ANALYZE)")


def _stride(cursor, model) -> int:
    """Return how far the numbers of a copy lie from those of the copy before."""
    cursor.execute(f"SELECT coalesce(max(id), 0) + {PK_ALONE} FROM {model._meta.db_table}")
    return cursor.fetchone()[0]


def _triggers(cursor, what: str) -> None:
    for table in QUIET:
        cursor.execute(f"ALTER TABLE {table} {what} TRIGGER USER")


def _copy(cursor, model, strides: dict, copies: int) -> None:
    """Copy the rows of one table; a reference to what is not copied stays as it is."""
    table, columns = model._meta.db_table, [field for field in model._meta.concrete_fields if not field.generated]
    columns = [field for field in columns if field.column]
    order = "customer_id, " if any(field.column == "customer_id" for field in columns) else ""
    cursor.execute(
        f"CREATE TEMP TABLE source AS SELECT * FROM {table} t {OF_OUTLETS.get(table, '')} ORDER BY {order}1, 2"
    )
    names, values = (
        ", ".join(part)
        for part in zip(*((f'"{field.column}"', _value(field, strides)) for field in columns), strict=True)
    )
    for copy in range(1, copies + 1):
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM source t, (SELECT {copy} AS copy) AS c")
    cursor.execute("DROP TABLE source")


OF_OUTLETS = {
    "staff_branch": "WHERE EXISTS (SELECT FROM customers_customer c WHERE c.branch_id = t.id)",
    "staff_staff": "WHERE EXISTS (SELECT FROM customers_customer c WHERE c.branch_id = t.branch_id)",
}
"""Head office and the sub-branches stay alone."""

VARIED = {
    "customers_customer.birth_date": "t.birth_date - copy",
    "customers_customer.id_no_hash": "CASE WHEN t.id_no_hash = '' THEN '' ELSE md5(t.id_no_hash || copy) || md5(copy::text) END",
    "customers_customer.mobile_hash": "CASE WHEN t.mobile_hash = '' THEN '' ELSE md5(t.mobile_hash || copy) || md5(copy::text) END",
    "customers_customer.mobile_last4": "CASE WHEN t.mobile_last4 = '' THEN '' ELSE lpad(((t.mobile_last4::int + copy * 7) % 10000)::text, 4, '0') END",
    "customers_customer.customer_no": "t.customer_no || 'X' || copy",
    "staff_branch.name": "t.name || copy",
}  # fmt: skip
"""What differs from copy to copy besides numbers."""


def _value(field, strides) -> str:
    table, column = field.model._meta.db_table, field.column
    owner = field.related_model if field.is_relation else field.model if column == "id" else None
    if f"{table}.{column}" in VARIED:
        return VARIED[f"{table}.{column}"]
    if table == "staff_branch" and column == "parent_id":
        return "t.parent_id"
    if owner in strides:
        return f't."{column}" + copy * {strides[owner]}'
    if field.unique and not field.is_relation and not field.primary_key:
        return f"CASE WHEN t.{column}::text = '' THEN t.{column} ELSE t.{column} || '-' || copy END"
    return f't."{column}"'
