"""The other tab of Assignment: who is in whose charge, and who could take one customer instead."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.assignment import ADVISER, PRIMARY, why_not_eligible
from customers.branch_proposal import load_members
from customers.load import ADVISERS, MANAGERS, why_full
from customers.models import Assignment, Customer
from staff.models import Staff

PAGE = 50


def relations_of_branch(viewer, branch):
    """Return the open primary relations of an outlet's customers."""
    return Assignment.objects.visible_to(viewer).open().primary().filter(customer__branch=branch)


class ChargeForm(forms.Form):
    """Reads whose customers to list, a name, and after which row the next page begins."""

    member = forms.ModelChoiceField(
        Staff.objects.none(), required=False, label=_("Manager"), empty_label=_("All managers")
    )
    q = forms.CharField(max_length=40, required=False, label=_("Name or pinyin"))
    after = forms.RegexField(r"^\d+(\.\d+)?:\d+$", required=False, widget=forms.HiddenInput)

    def __init__(self, data, *, viewer, branch):
        super().__init__(data)
        self.viewer, self.branch = viewer, branch
        holders = relations_of_branch(viewer, branch).values("staff")
        self.fields["member"].queryset = Staff.objects.filter(pk__in=holders).order_by("staff_no")

    @property
    def members(self):
        """Return those who hold customers here, to choose from."""
        return self.fields["member"].queryset

    def rows(self):
        """Return the relations asked for, those with the most money first."""
        rows = relations_of_branch(self.viewer, self.branch).select_related("customer", "staff")
        if member := self.cleaned_data.get("member"):
            rows = rows.filter(staff=member)
        if q := self.cleaned_data.get("q"):
            rows = rows.filter(Q(customer__name__icontains=q) | Q(customer__pinyin__icontains=q))
        return rows.order_by("-customer__aum", "-customer_id")

    def page(self) -> dict:
        """Return one keyset page: rows, how many there are, and the key of the next page."""
        rows = self.rows()
        shown_of = rows.count()
        if after := self.cleaned_data.get("after"):
            aum, pk = after.split(":")
            rows = rows.filter(Q(customer__aum__lt=aum) | Q(customer__aum=aum, customer_id__lt=pk))
        page = list(rows[: PAGE + 1])
        last = page[PAGE - 1].customer if len(page) > PAGE else None
        return {
            "rows": page[:PAGE],
            "shown_of": shown_of,
            "total": relations_of_branch(self.viewer, self.branch).count(),
            "waiting_total": Customer.objects.visible_to(self.viewer).waiting().filter(branch=self.branch).count(),
            "next": f"{last.aum}:{last.pk}" if last else "",
        }


def receiver_rows(customer: Customer, branch) -> list[dict]:
    """Return who could take one customer: each member of the outlet, the load that it would make, or why not."""
    rows, load_class = [], customer.load_class
    for member in load_members(branch.pk):
        if member.id == customer.manager_id or not member.book.capacity:
            continue
        role = ADVISER if member.role in ADVISERS else PRIMARY
        if role == ADVISER and not customer.manager_id:
            continue
        why_not = why_not_eligible(role=member.role, book=member.book, load_class=load_class, as_role=role)
        rows.append(
            {
                "member": member,
                "as_role": role,
                "load": member.book.percent,
                "after": member.book.plus(load_class).percent,
                "limit": member.book.limit_percent,
                "why_not": why_not or why_full(member.book, load_class),
            }
        )
    return sorted(rows, key=lambda row: (bool(row["why_not"]), row["member"].role not in MANAGERS, row["after"]))
