"""What the Assignment page shows: who waits, the members with their loads, and the proposal in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from urllib.parse import urlencode

from django import forms
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers import ties
from customers.assignment import why_not_eligible
from customers.branch_proposal import as_figures, propose_branch, waiting_of_branch, with_manager_before
from customers.load import ADVISERS, COLUMNS, MANAGERS, Quota, percent_of, quotas_in_force, why_full
from customers.models import Customer, RelationStatus, Tier
from customers.proposal import Line, Member, Proposal, reckon
from customers.proposal_choices import Choices, write_proof
from staff import formats
from staff.models import Branch
from staff.roles import Role

SHOWN, LEFT_SHOWN = 60, 20
"""How many who wait, and lines of the proposal, are shown at once; how many of those left over."""

REASONS = {
    "previous": _("Was the manager before, and has room"),
    "makes_room": _("From %(holder)s, so that others find a place"),
    "only_room": _("The only one with room"),
    "balance": _("Keeps loads even: %(load)s%% in the end"),
    **ties.LABELS,
    "band_lobby_manager": _("Managers full; year average %(year_avg)s: lobby manager"),
    "band_teller": _("Managers full; year average %(year_avg)s: teller"),
    "by_hand": _("Changed by you"),
    "as_shown": _("As proposed before"),
}
LEFT_OVER = {
    "no_room": _("Nobody who may hold this tier has room"),
    "no_member": _("The outlet has nobody who may hold this tier"),
}
SIDE_ROLES = {
    Role.LOBBY_MANAGER: _("gold 200–500K"),
    Role.TELLER: _("gold 100–200K"),
    Role.WEALTH_ADVISER: _("supports diamond"),
    Role.FINANCIAL_ADVISER: _("supports diamond, platinum"),
    Role.BRANCH_HEAD: _("key diamond customers"),
}
CODES = COLUMNS
"""The word for a load class in addresses and data attributes: potential, gold, platinum, diamond."""

SHORT = {
    Tier.DIAMOND: pgettext_lazy("tier in short", "Diamond"),
    Tier.PLATINUM: pgettext_lazy("tier in short", "Platinum"),
    Tier.GOLD: pgettext_lazy("tier in short", "Gold"),
    Tier.GENERAL: pgettext_lazy("tier in short", "Potential"),
}
METERS = {Tier.DIAMOND: "d", Tier.PLATINUM: "p", Tier.GOLD: "g", Tier.GENERAL: "n"}


class BoardForm(forms.Form):
    """Reads which outlet and which of those who wait; offers only outlets beneath the viewer's branch."""

    branch = forms.ModelChoiceField(Branch.objects.none(), required=False, label=_("Outlet"))
    tier = forms.ChoiceField(choices=[("", _("All")), *((code, code) for code in CODES.values())], required=False)
    q = forms.CharField(max_length=40, required=False, label=_("Name or pinyin"))
    sort = forms.ChoiceField(choices=[("", _("By tier")), ("amount", _("By amount"))], required=False, label=_("Order"))
    moving = forms.BooleanField(required=False, label=_("Move present relations"))

    def __init__(self, data, *, viewer):
        super().__init__(data)
        waiting = Customer.objects.waiting().filter(branch=OuterRef("pk")).order_by().values("branch")
        waiting = Coalesce(Subquery(waiting.values(n=Count("pk"))), 0)
        outlets = Branch.objects.under(viewer.branch_id).active().outlets()
        self.fields["branch"].queryset = self.outlets = outlets.annotate(waiting=waiting).order_by("code")
        self.viewer = viewer

    def chosen_branch(self) -> Branch:
        """Return the outlet asked for, else the viewer's own, else the one where most wait."""
        if asked := self.cleaned_data.get("branch"):
            return asked
        outlets = {outlet.pk: outlet for outlet in self.outlets}
        if self.viewer.branch_id in outlets or not outlets:
            return self.viewer.branch
        return max(outlets.values(), key=lambda outlet: outlet.waiting)


def narrowed(customers, *, tier: str, q: str, sort: str):
    """Keep those of a tier whose name or pinyin matches, in the order asked for."""
    if tier:
        customers = customers.filter(waits_as=next(key for key, code in CODES.items() if code == tier))
    if q := q.strip():
        letters = "".join(filter(str.isascii, filter(str.isalpha, q.lower())))
        spelled = Q(pinyin__iregex=r"(^| )" + "([a-z]* )?".join(letters)) if letters else Q()
        customers = customers.filter(Q(name__icontains=q) | spelled if letters else Q(name__icontains=q))
    return customers.order_by("-aum", "pk") if sort == "amount" else customers


def version_of(customer: Customer) -> str:
    """Return how a customer stands now, "manager:class", to be posted back with the decision."""
    return f"{customer.manager_id or ''}:{int(customer.load_class)}"


def need_of(customer: Customer) -> str:
    """Return in words why the customer waits and what he looks for."""
    if customer.relation_status == RelationStatus.POTENTIAL:
        why = _("Potential")
    elif customer.load_class == Tier.GENERAL:
        why = _("Signed, below gold")
    elif customer.previous_name:
        why = _("Formerly with %(name)s") % {"name": customer.previous_name}
    else:
        why = pgettext_lazy("customer", "New")
    return " · ".join(str(part) for part in (why, customer.occupation, customer.needs) if part)


def waiting_rows(customers, members: Iterable[Member]) -> list[dict]:
    """Return the rows of those who wait; points are the load in percent that one costs a manager, for the drag."""
    books = [member.book for member in members if member.role in MANAGERS][:1]
    points = {tier: f"{percent_of(book.weights[tier], book.full_capacity):.4f}" for book in books for tier in Tier}
    return [
        {
            "customer": customer,
            "code": CODES[customer.load_class],
            "points": points.get(customer.load_class, ""),
            "tier": customer.load_class or "potential",
            "need": need_of(customer),
            "version": version_of(customer),
        }
        for customer in customers
    ]


def member_card(member: Member, after: Member) -> dict:
    """Return what a member's row shows: bars by tier with what the proposal adds, load before and after."""
    book, then = member.book, after.book
    return {
        "member": member,
        "quotas": [_quota_bar(book, then, tier) for tier in reversed(Tier) if book.holds(tier)],
        "load": book.percent,
        "after": then.percent,
        "added": then.units - book.units,
        "limit": book.limit_percent,
        "sub": ("、" if formats.chinese() else ", ").join(member.skills.split()) or member.role_label,
        "is_limited": book.limit_percent != 100,
        "drag_load": f"{book.percent:.4f}",
        "drag_limit": f"{book.limit_percent + Decimal('0.001'):.4f}",
        "barred": {CODES[tier]: why for tier in Tier if (why := barrier(member, tier))},
    }


def barrier(member: Member, tier: Tier) -> str:
    """Return in words why a member cannot receive a customer of a class now; empty if he can."""
    return why_not_eligible(role=member.role, book=member.book, load_class=tier) or why_full(member.book, tier)


def _quota_bar(book, then, tier: Tier) -> dict:
    limit, count = book.limits[tier], book.counts[tier]
    return {
        "label": str(SHORT[tier]),
        "kind": METERS[tier],
        "count": count,
        "added": then.counts[tier] - count,
        "after": then.counts[tier] if then.counts[tier] != count else None,
        "limit": limit,
        "is_over": limit is not None and then.counts[tier] > limit,
    }


def side_card(member: Member, after: Member) -> dict:
    """Return the one line of a member who holds few tiers: branch head, lobby manager, teller, adviser."""
    bars = [_quota_bar(member.book, after.book, tier) for tier in reversed(Tier) if member.book.limits[tier]]
    return member_card(member, after) | {
        "bars": bars,
        "task": SIDE_ROLES[member.role],
        "takes_primary": member.role not in ADVISERS,
    }


def proposal_row(line: Line, customer: Customer, members: Mapping[int, Member], options: str) -> dict:
    """Return one line of the proposal in words, with those who could take the customer instead."""
    member = members[line.member_id]
    figures = dict(line.figures)
    if "year_avg" in figures:
        figures["year_avg"] = formats.money(figures["year_avg"])
    if "load" in figures:
        figures["load"] = formats.decimal(figures["load"], 1)
    return {
        "line": line,
        "customer": customer,
        "version": version_of(customer),
        "tier": line.customer.load_class or "potential",
        "member": member,
        "proposed": line.proposed,
        "options": options,
        "reason": str(REASONS[line.reason]) % figures,
        "why_not": "" if line.fits else barrier(replace(member, book=line.book), line.customer.load_class),
        "override": "" if line.fits else override_url(member, line.customer.load_class),
    }


def override_url(member: Member, tier: Tier) -> str:
    """Return where the head gives the member one place more for a tier; empty where no places can help."""
    if not tier or not member.book.limits[tier]:
        return ""
    return reverse("customers:override_list") + "?" + urlencode({"staff": member.id, "tier": int(tier), "places": 1})


@dataclass(frozen=True)
class Board:
    """The whole page of one outlet; `whole` is the proposal for all who wait, of which `rows` shows the first."""

    waiting: list[dict]
    counts: dict[str, int]
    total: int
    cards: list[dict]
    side: list[dict]
    moving: bool
    whole: Proposal
    proposal: Proposal
    rows: list[dict]
    left: list[dict]
    ticked: set[int]
    quotas: Mapping[Tier, Quota]

    @property
    def quota_words(self) -> str:
        """Return a relationship manager's quotas, diamond first: 30 / 100 / 200."""
        return " / ".join(str(self.quotas[tier].number) for tier in reversed(Tier) if tier in self.quotas and tier)

    @property
    def picks(self) -> list[dict]:
        """Return the chips that keep one class, diamond first."""
        return [
            {
                "code": CODES[tier],
                "css": f"tier-{METERS[tier]}",
                "label": SHORT[tier],
                "n": self.counts.get(CODES[tier], 0),
            }
            for tier in reversed(Tier)
        ]

    @property
    def moved(self) -> int:
        """Return how many present relations the proposal moves so that others find a place."""
        return sum(line.customer.holder is not None for line in self.whole.lines)

    @property
    def proof(self) -> str:
        """Return the figures of the proposal, signed: posted with the lines, and kept in the history."""
        return write_proof(as_figures(self.whole))

    @property
    def gap_percent(self) -> float:
        """Return how far the proposal may be from the best, in percent."""
        return 100 * self.whole.gap

    @property
    def changed(self) -> int:
        return sum(row["line"].reason == "by_hand" for row in self.rows)

    @property
    def applicable(self) -> int:
        return sum(row["line"].customer.id in self.ticked for row in self.rows)

    @property
    def unlisted(self) -> int:
        """Return how many wait beyond those listed at once."""
        return max(0, self.total - SHOWN)

    @property
    def later(self) -> int:
        """Return how many lines of the proposal come once those shown are applied."""
        return max(0, len(self.whole.lines) - SHOWN)

    @property
    def left_over(self) -> int:
        """Return how many get no manager, those placed by hand not counted."""
        left = {customer.id for customer, _code in self.whole.left_over}
        return len(left.difference(row["line"].customer.id for row in self.rows))

    @property
    def placed(self) -> int:
        return self.total - self.left_over

    @property
    def misfits(self) -> int:
        return sum(not row["line"].fits and row["line"].customer.id in self.ticked for row in self.rows)

    @property
    def spread(self) -> dict:
        before, after = self.proposal.spread()
        return {"before": before, "after": after}


def read_board(*, viewer, branch: Branch, filters: Mapping, choices: Choices, on, moving: bool = False) -> Board:
    """Read the page of an outlet in a constant number of queries; `moving` lets the proposal move present relations."""
    everyone = waiting_of_branch(viewer, branch)
    quotas = quotas_in_force(on).get(Role.RELATIONSHIP_MANAGER, {})
    whole, members = propose_branch(viewer=viewer, branch=branch, on=on, moving=moving)
    everybody = [*(line.customer for line in whole.lines), *(one for one, _code in whole.left_over)]
    waiting = [one for one in everybody if one.holder is None]
    first = replace(whole, lines=whole.lines[:SHOWN], left_over=whole.left_over[:LEFT_SHOWN])
    shown = [*(line.customer.id for line in first.lines), *(one.id for one, _code in first.left_over)]
    # By number, not among those who wait: a colleague may have assigned one since the first query.
    customers = with_manager_before(Customer.objects.visible_to(viewer)).in_bulk(shown)
    listed = narrowed(everyone, **filters)[:SHOWN]
    ticked = choices.counted(shown)
    proposal = reckon(first, receivers=choices.changed, shown=choices.shown, ticked=ticked)
    pairs = [(member, proposal.after[member.id]) for member in members.values()]
    counts = Counter(one.load_class for one in waiting)
    return Board(
        waiting=waiting_rows(listed, members.values()),
        counts={CODES[tier]: n for tier, n in counts.items()},
        total=len(waiting),
        cards=[member_card(*pair) for pair in pairs if pair[0].role in MANAGERS],
        side=[side_card(*pair) for pair in sorted(pairs, key=_side_order) if pair[0].role in SIDE_ROLES],
        moving=moving,
        whole=whole,
        proposal=proposal,
        **_proposal_rows(proposal, customers, members),
        ticked=ticked,
        quotas=quotas,
    )


def _proposal_rows(proposal: Proposal, customers: Mapping[int, Customer], members: Mapping[int, Member]) -> dict:
    """Return the rows of those placed, what does not fit first, and of those left over."""
    receivers = {tier: _receivers(members.values(), tier) for tier in Tier}

    @cache
    def options(tier: Tier, chosen: int | None) -> str:
        """Return the <option>s of a receiver, written once for each choice."""
        rows = [(member.id, " selected" if member.id == chosen else "", member.name) for member in receivers[tier]]
        return format_html_join("", '<option value="{}"{}>{}</option>', rows)

    lines = sorted(proposal.lines, key=lambda line: line.fits)
    return {
        "rows": [
            proposal_row(line, customers[line.customer.id], members, options(line.customer.load_class, line.member_id))
            for line in lines
        ],
        "left": [
            {
                "customer": customers[one.id],
                "version": version_of(customers[one.id]),
                "tier": one.load_class or "potential",
                "reason": LEFT_OVER[code],
                "options": options(one.load_class, None),
            }
            for one, code in proposal.left_over
        ],
    }


def _side_order(pair: tuple[Member, Member]) -> tuple:
    roles = list(SIDE_ROLES)
    return (roles.index(pair[0].role) if pair[0].role in roles else len(roles), pair[0].staff_no)


def _receivers(members: Iterable[Member], tier: Tier) -> list[Member]:
    return [member for member in members if not why_not_eligible(role=member.role, book=member.book, load_class=tier)]
