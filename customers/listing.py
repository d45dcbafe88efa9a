"""What an address of the list asks for: filters, order, and what was wrong with them."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.utils.timezone import localdate

from customers import list_page
from customers.filter_kinds import RelativeWidget
from customers.filters import CustomerFilter
from customers.models import Customer

KEY = re.compile(r"[a-z_]{1,20}")
"""How the key of a column is written; which there are is `customers.columns`' to say."""

ALWAYS = {"q"} | {name for _label, values in list_page.VIEWS for name in values}
"""Filters that the page needs whatever the address says: the search, and those of the tabs."""


def written(field, data, name: str) -> list[str]:
    """Return the values of a filter as an address writes them, without blanks; a span of days is one word."""
    if isinstance(field.widget, RelativeWidget):
        value = field.widget.value_from_datadict(data, {}, name)
        return [value] if value else []
    return [value for value in data.getlist(name) if value]


@dataclass(frozen=True)
class Listing:
    """What an address of the list asks for: `filters` without what is blank, the order, and what was wrong with it."""

    filters: CustomerFilter
    query: list[tuple[str, str]]
    order: list_page.Order
    faults: list[str]
    view_id: int | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, request, data, *, every: bool = False) -> "Listing":
        """Read the parameters; what cannot be read is named in `faults`, and then the list stays empty.

        Args:
            every: make every filter there is, for the sheet; else those of the address and of the tabs.
        """
        scope = Customer.objects.visible_to(request.user)
        only = None if every else ALWAYS | {name.removesuffix("_how").removesuffix("_days") for name in data}
        filters = CustomerFilter(data, queryset=scope, request=request, viewer=request.user, on=localdate(), only=only)
        form, faults = filters.form, []
        if not form.is_valid():
            faults = [f"{form.fields[name].label}: {error}" for name, errors in form.errors.items() for error in errors]
        try:
            order = list_page.Order.read(data.get("sort", ""), request.user)
        except list_page.BadAddress as bad:
            order, faults = list_page.Order.read("", request.user), [*faults, str(bad)]
        query = [(name, value) for name, field in form.fields.items() for value in written(field, data, name)]
        view = data.get("view", "")
        view_id = int(view) if view.isdecimal() and len(view) <= 18 else None
        columns = tuple(key for key in data.get("cols", "")[:400].split(",") if KEY.fullmatch(key))
        return cls(filters, query, order, faults, view_id, columns)

    @property
    def customers(self):
        return Customer.objects.none() if self.faults else self.filters.qs

    def url(self, *, without: str = "", order: list_page.Order | None = None, **more) -> str:
        """Return the query of this list, without one filter, in another order, or with more parameters."""
        query = [(name, value) for name, value in self.query if name != without]
        order = order or self.order
        sort = [] if str(order) == "-aum" else [("sort", str(order))]
        view = [("view", self.view_id)] if self.view_id else []
        columns = [("cols", ",".join(self.columns))] if self.columns and "cols" not in more else []
        return urlencode(query + sort + view + columns + list(more.items()))

    @property
    def question(self) -> str:
        """Return the filters and the order alone: what a saved view keeps."""
        return replace(self, view_id=None, columns=()).url()
