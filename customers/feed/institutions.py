"""The bank's own people and places: institutions and staff, from its personnel system."""

from datetime import date
from typing import Annotated, Literal

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from customers.feed import keyed
from customers.feed.keyed import Column, Guard, Keyed, Reference
from customers.feed.rows import Outcome, Row, day, key, text
from customers.models import Load
from staff import audit
from staff.models import Branch, Staff
from staff.roles import Role

LEVELS = ("branch", "sub_branch", "outlet")
NOT_FED = (Role.AUDITOR, Role.SYS_ADMIN)
"""Roles that a person grants, never a feed: who audits or administers must not come from outside."""

_LEVEL = "array_position(ARRAY['head_office', 'branch', 'sub_branch', 'outlet'], {}::text)"
_OUT_OF_SIGHT = "{} IS NOT NULL AND NOT EXISTS (SELECT FROM staff_branch b WHERE b.id = {} AND b.path LIKE %(beneath)s)"
_HOLDS = 'EXISTS (SELECT FROM customers_assignment a WHERE a.staff_id = kept.id AND a."end" IS NULL)'

OUTLETS = Keyed(
    table="staff_branch",
    key=("code",),
    references=(
        Reference(
            "parent", "parent_id", "unknown_parent", _("no such institution within the client's own."),
            lambda by: Branch.objects.under(by.branch_id).order_by().values("id", "code"),
        ),
    ),
    columns=(
        Column("code", "text"), Column("name", "text"), Column("level", "text"), Column("address", "text"),
        Column("active", "boolean"),
    ),
    guards=(
        Guard("outlet_elsewhere", "code", _OUT_OF_SIGHT.format("kept.id", "kept.id"), _("this institution is not the client's.")),
        Guard("own_root", "code", "kept.id = %(branch)s", _("the client's own institution is not changed by it.")),
        Guard(
            "level_out_of_order", "level",
            f"NOT EXISTS (SELECT FROM staff_branch b WHERE b.id = s.parent_id AND {_LEVEL.format('b.level')} < {_LEVEL.format('s.level')})",
            _("the institution above it must be of a higher level."),
        ),
        Guard(
            "still_at_work", "active",
            "NOT s.active AND (EXISTS (SELECT FROM staff_staff p WHERE p.branch_id = kept.id AND p.is_active)"
            " OR EXISTS (SELECT FROM staff_branch b WHERE b.parent_id = kept.id AND b.active))",
            _("people or institutions beneath it are still at work; send those first."),
        ),
    ),
)  # fmt: skip
PEOPLE = Keyed(
    table="staff_staff",
    key=("staff_no",),
    references=(
        Reference(
            "branch", "branch_id", "unknown_branch", _("no such institution within the client's own."),
            lambda by: Branch.objects.under(by.branch_id).filter(active=True).order_by().values("id", "code"),
        ),
    ),
    columns=(
        Column("staff_no", "text"), Column("name", "text"), Column("role", "text"), Column("email", "text"),
        Column("post_since", "date"), Column("is_active", "boolean", "active"),
    ),
    guards=(
        Guard("staff_elsewhere", "staff_no", _OUT_OF_SIGHT.format("kept.branch_id", "kept.branch_id"), _("this person works outside the client's institutions.")),
        Guard("role_not_fed", "staff_no", "kept.role IN ('auditor', 'sys_admin')", _("auditors and administrators are changed by a person only.")),
        Guard(
            "holds_customers", "staff_no",
            f"{_HOLDS} AND (NOT s.is_active OR s.role <> kept.role OR s.branch_id <> kept.branch_id)",
            _("this person looks after customers; hand the book over first."),
        ),
    ),
    fixed=(("password", "'!' || md5(random()::text)"), ("mobile", "''"), ("skills", "''")),
)  # fmt: skip


class OutletRow(Row, kw_only=True):
    """One institution beneath the client's own."""

    code: key("code of the institution", most=20, example="BJ01")
    name: text(80, least=1, example="滨江支行")
    level: Literal["branch", "sub_branch", "outlet"]
    parent: key("code of the institution above", most=20, example="LJ00")
    address: text(200, example="滨江区江北大道 88 号") = ""
    active: Annotated[bool, Meta(description="false: closed")] = True


class StaffRow(Row, kw_only=True):
    """One member of staff; who is new can sign in once an administrator has given a password."""

    staff_no: key("employee number", most=20, example="10086")
    name: text(40, least=1, example="林致远")
    role: Literal[
        "branch_head", "sub_branch_president", "retail_admin", "relationship_manager", "wealth_manager",
        "wealth_adviser", "financial_adviser", "lobby_manager", "teller", "product_specialist",
        "outreach_marketer", "trainer",
    ]  # fmt: skip
    branch: key("code of the institution", most=20, example="BJ01")
    email: Annotated[
        str, Meta(max_length=254, pattern=r"^([^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+)?$", examples=["lin@bank.example"])
    ] = ""
    post_since: day("in the post since") | None = None
    active: Annotated[bool, Meta(description="false: has left; customers must have been handed over")] = True


@transaction.atomic
def take_outlets(*, rows: dict[int, OutletRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge institutions by position in the batch, the higher levels first; return what became of each."""
    outcomes: dict[int, Outcome] = {}
    for level in LEVELS:
        outcomes |= keyed.take({at: row for at, row in rows.items() if row.level == level}, into=OUTLETS, by=by)
    return outcomes


@transaction.atomic
def take_staff(*, rows: dict[int, StaffRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge members of staff by position in the batch; return what became of each. Each change stands in the trail."""
    # As assigning does: nobody receives a customer while it is judged whether he may leave.
    books = Load.objects.filter(staff__staff_no__in={row.staff_no for row in rows.values()})
    list(books.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    outcomes = keyed.take(rows, into=PEOPLE, by=by)
    changed = {rows[at].staff_no: rows[at] for at, one in outcomes.items() if one.status in ("created", "updated")}
    people = Staff.objects.in_bulk(list(changed), field_name="staff_no")
    audit.record_many(
        "staff.fed",
        ((people[no], {"role": row.role, "branch": row.branch, "active": row.active}) for no, row in changed.items()),
        by=by,
    )
    return outcomes
