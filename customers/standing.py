"""The columns of Customer that rooms above keep current: how contact stands, how likely the money is to leave.

Lists filter and sort on them, so they are columns; the rooms that own the facts write them here, set
by set: `select` is SQL that gives one row a customer, and rows that say nothing new are left alone.
"""

from django.db import connection

CONTACT_COLUMNS = [
    "last_contact_on",
    "next_contact_due_on",
    "contact_latest_on",
    "contact_state",
    "contact_phones",
    "contact_meetings",
    "contact_count",
    "missed_last_window",
]
CHURN_COLUMNS = ["churn_probability", "churn_level", "money_at_risk"]


def set_contact_standing(*, select: str, params: dict) -> int:
    """Write the contact columns from a SELECT of customer_id and CONTACT_COLUMNS; return how many rows changed."""
    return _set_columns(CONTACT_COLUMNS, select, params)


def set_churn_standing(*, select: str, params: dict) -> int:
    """Write the churn columns from a SELECT of customer_id and CHURN_COLUMNS; return how many rows changed."""
    return _set_columns(CHURN_COLUMNS, select, params)


def set_service_cost(*, select: str, params: dict) -> int:
    """Write what contacts cost from a SELECT of customer_id and service_cost (yuan of 12 months); return how many changed."""
    return _set_columns(["service_cost"], select, params)


def _set_columns(columns: list[str], select: str, params: dict) -> int:
    """Update the columns, which are fixed names of this module, where they differ."""
    assignments = ", ".join(f"{column} = s.{column}" for column in columns)
    old = ", ".join(f"c.{column}" for column in columns)
    new = ", ".join(f"s.{column}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE customers_customer c SET {assignments} FROM ({select}) s "
            f"WHERE c.id = s.customer_id AND ({old}) IS DISTINCT FROM ({new})",
            params,
        )
        return cursor.rowcount
