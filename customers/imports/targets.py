"""What a row of each kind is about: finding it within the importer's scope, what it would change, writing it, taking it back.

Each target works on a part of a batch at a time. Values are plain JSON: `before` and `after` hold the columns that
change, `before` is None where the row makes something new.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from customers.archive.fields import BY_CODE
from customers.archive.values import set_many
from customers.identity import sealed_columns
from customers.models import Customer, Holding, ImportKind, Product, ProfileValue, Source
from customers.names import pinyin_of
from staff.models import Branch, Staff


@dataclass
class Judged:
    """What would become of a row: `values` of its filled cells, faults by column, the key of what it is about, the change."""

    number: int
    values: dict
    faults: list[tuple[str, str]] = field(default_factory=list)
    target: int | None = None
    customer: int | None = None
    before: dict | None = None
    after: dict = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if self.faults:
            return "refused"
        if self.before is None:
            return "created"
        return "updated" if self.after else "unchanged"

    def compare(self, now: dict) -> None:
        """Note what differs from the values of now."""
        self.after = {name: value for name, value in self.values.items() if name in now and now[name] != value}
        self.before = {name: now[name] for name in self.after}


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


class Target:
    """One kind; the three below differ in where a row goes."""

    key = "customer_no"

    def judge(self, rows: list[Judged], *, by: Staff) -> None:
        """Find what each row is about and what it would change; faults are added to the row."""
        raise NotImplementedError

    def write(self, rows: list[Judged], *, by: Staff) -> None:
        """Write rows that were judged within the same transaction; new ones get their `target`."""
        raise NotImplementedError

    def now(self, targets: list[int], names: Iterable[str]) -> dict[int, dict]:
        """Return {target: {column: value}} as it stands."""
        raise NotImplementedError

    def revert(self, changes: dict[int, dict | None], *, by: Staff) -> set[int]:
        """Write earlier values back, or remove what was new where they are None; return the targets that stay all the same."""
        raise NotImplementedError


class Customers(Target):
    """Rows of customers; sensitive columns are compared in clear and written sealed."""

    PLAIN = ("name", "gender", "birth_date", "occupation", "employer", "opened_on")
    SEALED = ("id_no", "mobile", "address")

    def judge(self, rows, *, by):
        numbers = [row.values["customer_no"] for row in rows]
        here = {one.customer_no: one for one in Customer.objects.visible_to(by).filter(customer_no__in=numbers)}
        taken = set(Customer.objects.filter(customer_no__in=numbers).values_list("customer_no", flat=True))
        outlets = dict(Branch.objects.under(by.branch_id).active().values_list("code", "pk"))
        for row in rows:
            number, code = row.values["customer_no"], row.values.get("branch")
            customer = here.get(number)
            if customer is None and number in taken:
                row.faults.append(("customer_no", _("this number is not within your branch")))
            elif code is not None and code not in outlets:
                row.faults.append(("branch", _("no such institution within your branch")))
            elif customer is None and "name" not in row.values:
                row.faults.append(("name", _("a new customer needs a name")))
            elif customer is None:
                row.values["branch_id"] = outlets.get(code) or by.branch_id
            else:
                row.target = row.customer = customer.pk
                row.compare(self._of(customer))

    def _of(self, customer: Customer) -> dict:
        return {name: _plain(getattr(customer, name)) for name in (*self.PLAIN, *self.SEALED)}

    def write(self, rows, *, by):
        new = [row for row in rows if row.outcome == "created"]
        made = Customer.objects.bulk_create(self._new(row.values) for row in new)
        for row, customer in zip(new, made, strict=True):
            row.target = row.customer = customer.pk
            row.after = {name: _plain(getattr(customer, name)) for name in self.PLAIN}
            row.after |= {name: row.values.get(name, "") for name in self.SEALED}
        self._put({row.target: row.after for row in rows if row.outcome == "updated"})

    def _new(self, values: dict) -> Customer:
        sealed = sealed_columns(**{name: values.get(name, "") for name in self.SEALED})
        plain = {name: values[name] for name in self.PLAIN if name in values}
        return Customer(
            customer_no=values["customer_no"], branch_id=values["branch_id"], pinyin=pinyin_of(values["name"]),
            **plain, **sealed,
        )  # fmt: skip

    def _put(self, changes: dict[int, dict]) -> None:
        """Write columns of customers, their masks and hashes along with them."""
        customers = list(Customer.objects.filter(pk__in=changes))
        touched: set[str] = {"updated_at"}
        for customer in customers:
            values = changes[customer.pk]
            for name in self.PLAIN:
                if name in values:
                    setattr(customer, name, values[name])
            if "name" in values:
                customer.pinyin = pinyin_of(values["name"])
                touched.add("pinyin")
            if any(name in values for name in self.SEALED):
                clear = {name: values.get(name, getattr(customer, name)) for name in self.SEALED}
                for column, value in sealed_columns(**clear).items():
                    setattr(customer, column, value)
                    touched.add(column)
            touched |= {name for name in values if name in self.PLAIN}
        if customers:
            Customer.objects.bulk_update(customers, sorted(touched), batch_size=500)

    def now(self, targets, names):
        return {customer.pk: self._of(customer) for customer in Customer.objects.filter(pk__in=targets)}

    def revert(self, changes, *, by):
        self._put({target: values for target, values in changes.items() if values is not None})
        stays = set()
        for target in [target for target, values in changes.items() if values is None]:
            try:
                with transaction.atomic():
                    Customer.objects.filter(pk=target).delete()
            except ProtectedError:
                stays.add(target)  # somebody has worked with the customer since
        return stays


class Holdings(Target):
    """Rows of holdings by their own number."""

    key = "external_id"
    PLAIN = ("amount", "opened_on", "matures_on", "status")

    def judge(self, rows, *, by):
        ids = [row.values["external_id"] for row in rows]
        numbers = [row.values["customer_no"] for row in rows]
        customers = dict(
            Customer.objects.visible_to(by).filter(customer_no__in=numbers).values_list("customer_no", "pk")
        )
        kept = {one.external_id: one for one in Holding.objects.filter(external_id__in=ids)}
        codes = {row.values["product"] for row in rows}
        products = dict(Product.objects.filter(code__in=codes).values_list("code", "pk"))
        for row in rows:
            holding = kept.get(row.values["external_id"])
            customer = customers.get(row.values["customer_no"])
            if customer is None:
                row.faults.append(("customer_no", _("no such customer within your branch; bring customers in first")))
            elif row.values["product"] not in products:
                row.faults.append(("product", _("the catalogue has no such product")))
            elif holding is not None and holding.customer_id != customer:
                row.faults.append(("external_id", _("this number belongs to another customer's holding")))
            elif row.values.get("matures_on", "9999") < row.values["opened_on"]:
                row.faults.append(("matures_on", _("the maturity lies before the beginning")))
            else:
                row.customer = customer
                row.values |= {"customer_id": customer, "product_id": products[row.values["product"]]}
                if holding is not None:
                    row.target = holding.pk
                    row.compare(self._of(holding))

    def _of(self, holding: Holding) -> dict:
        found = {name: _plain(getattr(holding, name)) for name in self.PLAIN}
        return found | {"amount": f"{holding.amount:.2f}", "product_id": holding.product_id}

    def write(self, rows, *, by):
        new = [row for row in rows if row.outcome == "created"]
        columns = (*self.PLAIN, "external_id", "customer_id", "product_id")
        made = Holding.objects.bulk_create(
            Holding(**{name: row.values[name] for name in columns if name in row.values}) for row in new
        )
        for row, holding in zip(new, made, strict=True):
            row.target, row.after = holding.pk, {name: row.values[name] for name in columns if name in row.values}
        self._put({row.target: row.after for row in rows if row.outcome == "updated"})

    def _put(self, changes: dict[int, dict]) -> None:
        for target, values in changes.items():
            Holding.objects.filter(pk=target).update(**values)

    def now(self, targets, names):
        return {holding.pk: self._of(holding) for holding in Holding.objects.filter(pk__in=targets)}

    def revert(self, changes, *, by):
        self._put({target: values for target, values in changes.items() if values is not None})
        Holding.objects.filter(pk__in=[target for target, values in changes.items() if values is None]).delete()
        return set()


class Archives(Target):
    """Rows of archives: each filled cell is a field of the customer's archive."""

    def judge(self, rows, *, by):
        numbers = [row.values["customer_no"] for row in rows]
        customers = dict(
            Customer.objects.visible_to(by).filter(customer_no__in=numbers).values_list("customer_no", "pk")
        )
        held = self.now(list(customers.values()), ())
        for row in rows:
            customer = customers.get(row.values["customer_no"])
            if customer is None:
                row.faults.append(("customer_no", _("no such customer within your branch; bring customers in first")))
                continue
            row.target = row.customer = customer
            said = {name: value for name, value in row.values.items() if name in BY_CODE}
            row.compare(dict.fromkeys(said) | held.get(customer, {}))

    def now(self, targets, names):
        found: dict[int, dict] = {target: {} for target in targets}
        for value in ProfileValue.objects.current().filter(customer__in=targets):
            found[value.customer_id][value.field] = value.sealed or value.value
        return found

    def write(self, rows, *, by):
        changes = {row.target: row.after for row in rows if row.outcome == "updated"}
        set_many(changes=changes, source=Source.SYSTEM, by=by)

    def revert(self, changes, *, by):
        set_many(changes={key: values for key, values in changes.items() if values}, source=Source.SYSTEM, by=by)
        return set()


TARGETS: dict[str, Target] = {
    ImportKind.CUSTOMERS: Customers(), ImportKind.HOLDINGS: Holdings(), ImportKind.ARCHIVES: Archives(),
}  # fmt: skip
