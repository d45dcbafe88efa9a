"""The pages of handing over: what is open, the draft with receivers and notes, the receiver's answer, the head's approval."""

from collections import Counter
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import branch_proposal, handover, handover_watch
from customers.assignment import why_not_eligible
from customers.assignment_board import CODES, BoardForm
from customers.load import class_label, why_full
from customers.models import Customer, Handover
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS
from staff.shell import render_page

may_view = permission_required("customers.view_customer", raise_exception=True)
may_assign = permission_required("customers.assign_customer", raise_exception=True)
Status = Handover.Status


class HandoverForm(forms.Form):
    """Reads whose customers go, which of them, why and when; `handover.draft` begins it."""

    giver = forms.ModelChoiceField(Staff.objects.none(), label=gettext_lazy("Hands over"))
    tiers = forms.MultipleChoiceField(
        label=gettext_lazy("Customers"), choices=[(code, class_label(key)) for key, code in reversed(CODES.items())],
        widget=forms.CheckboxSelectMultiple, initial=[*CODES.values()],
    )  # fmt: skip
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=Handover.Reason.choices)
    effective_on = forms.DateField(
        label=gettext_lazy("In effect on"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("Cover until"), required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("Only for cover during leave: the primary manager stays, the other helps out."),
    )  # fmt: skip

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        members = Staff.objects.members_of(viewer.branch_id).filter(load__units__gt=0)
        self.fields["giver"].queryset = members.order_by("branch__code", "staff_no")


@require_GET
@may_view
def handover_list(request):
    """The hand-overs in sight: those that wait first, and what came into effect of late."""
    rows = Handover.objects.visible_to(request.user).select_related("giver", "branch").prefetch_related("lines")
    context = {
        "open": rows.open(),
        "closed": rows.exclude(pk__in=rows.open())[:30],
        "may_make": request.user.has_perm("customers.assign_customer"),
    }
    return render_page(request, "customers/handover_list.html", context)


@require_GET
@may_view
def handover_watch_page(request):
    """Customers who came by a hand-over within 90 days: a member's own, or those of an outlet."""
    form = BoardForm(request.GET, viewer=request.user)
    if not form.is_valid() and "branch" in form.errors:
        raise Http404
    branch = form.chosen_branch() if request.user.sees_many else request.user.branch
    rows = handover_watch.watch_list(viewer=request.user, branch=branch, on=localdate())
    context = {"rows": rows, "branch": branch, "board_form": form, "care": sum(row.needs_care for row in rows)}
    return render_page(request, "customers/handover_watch.html", context)


@may_assign
def handover_new(request):
    """The form of a hand-over; the draft comes with the receivers that the optimiser proposes."""
    form = HandoverForm(request.POST or None, viewer=request.user, initial={"effective_on": localdate()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        chosen = data.pop("tiers")
        tiers = [key for key, code in CODES.items() if code in chosen]
        try:
            made = handover.draft(
                customers=branch_proposal.with_manager_before(Customer.objects.assignable()).filter(waits_as__in=tiers),
                by=request.user,
                on=localdate(),
                **data,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect(made)
    return render_page(request, "customers/handover_form.html", {"form": form}, status=422 if form.errors else 200)


@dataclass(frozen=True)
class Row:
    """A line as the page shows it: why it does not fit, if so, and what goes along."""

    line: object
    trouble: str
    deals: int


@require_GET
@may_view
def handover_page(request, pk):
    """One hand-over: its steps, lines with receivers and notes, loads before and after."""
    shown = get_object_or_404(
        Handover.objects.visible_to(request.user).select_related("giver", "branch", "made_by", "approved_by"), pk=pk
    )
    lines = list(
        shown.lines.visible_to(request.user)
        .select_related("customer", "to")
        .order_by("-customer__service_tier", "-customer__aum", "pk")
    )
    is_head = request.user.role in HEADS
    if not is_head and request.user.pk != shown.giver_id:
        lines = [line for line in lines if line.to_id == request.user.pk]
    members = [one for one in branch_proposal.load_members(shown.branch_id) if one.id != shown.giver_id]
    steps = [Status.DRAFT, Status.SUBMITTED, Status.ACCEPTED, Status.APPROVED, Status.EFFECTIVE]
    at = steps.index(shown.status) if shown.status in steps else -1
    rows = _rows(shown, lines, {one.id: one for one in members})
    context = {
        "handover": shown,
        "rows": sorted(rows, key=lambda row: not row.trouble),
        "troubles": sum(bool(row.trouble) for row in rows),
        "members": members,
        "loads": _loads(shown, lines, members),
        "steps": [{"label": step.label, "done": n < at, "current": n == at} for n, step in enumerate(steps)],
        "edits": is_head and shown.status == Status.DRAFT,
        "answers": shown.status == Status.SUBMITTED and any(line.to_id == request.user.pk for line in lines),
        "approves": is_head and shown.status == Status.ACCEPTED,
        "cancels": is_head and shown.status in steps[:4],
        "reverses": is_head and shown.status == Status.EFFECTIVE and not shown.is_cover,
        "joint": sum(line.is_joint for line in lines),
    }
    return render_page(request, "customers/handover.html", context)


def _rows(shown: Handover, lines: list, members: dict) -> list[Row]:
    """Return the rows, each checked against the book of its receiver as it fills."""
    books, found = {pk: one.book for pk, one in members.items()}, []
    deals = Counter(handover.open_work(line.customer_id for line in lines))
    for line in lines:
        trouble = ""
        if shown.status not in (Status.EFFECTIVE, Status.CANCELLED) and not shown.is_cover and line.to_id in books:
            load_class, book = line.customer.load_class, books[line.to_id]
            trouble = why_not_eligible(role=members[line.to_id].role, book=book, load_class=load_class) or why_full(
                book, load_class
            )
            books[line.to_id] = book.plus(load_class)
        found.append(Row(line, trouble, deals[line.customer_id]))
    return found


def _loads(shown: Handover, lines: list, members: list) -> list[dict]:
    """Return what each receiver has now and after."""
    found = []
    for one in members:
        coming = [line.customer.load_class for line in lines if line.to_id == one.id]
        if not coming or shown.is_cover:
            continue
        after = one.book
        for load_class in coming:
            after = after.plus(load_class) if shown.status != Status.EFFECTIVE else after
        found.append({"name": one.name, "count": len(coming), "before": one.book.percent, "after": after.percent})
    return found


def _act(request, pk, verb, *, head: bool = False, **values):
    shown = get_object_or_404(Handover.objects.visible_to(request.user), pk=pk)
    if head and request.user.role not in HEADS:
        raise PermissionDenied
    try:
        return verb(handover=shown, by=request.user, **values)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return None


@require_POST
@may_assign
def handover_write(request, pk):
    """Keep receivers and notes; `submit` puts the draft before its receivers as well."""
    receivers = {
        int(key[3:]): int(value) if value.isdecimal() else None
        for key, value in request.POST.items()
        if key.startswith("to-") and key[3:].isdecimal()
    }
    notes = {
        int(key[5:]): value for key, value in request.POST.items() if key.startswith("note-") and key[5:].isdecimal()
    }
    everybody = request.POST.get("note-all", "").strip()
    if everybody:
        notes = {pk_: note.strip() or everybody for pk_, note in notes.items()}
    if _act(request, pk, handover.write, head=True, receivers=receivers, notes=notes):
        if "submit" in request.POST and _act(request, pk, handover.submit, head=True):
            messages.success(request, _("Submitted; the receivers are asked"))
        elif "submit" not in request.POST:
            messages.success(request, _("Draft saved"))
    return redirect("customers:handover", pk)


@require_POST
@may_view
def handover_answer(request, pk):
    """The receiver takes the lines chosen, or sends them back with a reason."""
    takes = request.POST.get("answer") != "back"
    lines = [int(value) for value in request.POST.getlist("line") if value.isdecimal()]
    if _act(request, pk, handover.answer, lines=lines, takes=takes, why=request.POST.get("why", "")):
        messages.success(request, _("Received") if takes else _("Sent back to the branch head"))
        if not takes:
            return redirect("customers:handover_list")
    return redirect("customers:handover", pk)


@require_POST
@may_assign
def handover_approve(request, pk):
    """The branch head lets it come into effect."""
    done = _act(request, pk, handover.approve, head=True, on=localdate())
    if done:
        messages.success(
            request,
            _("The hand-over is in effect")
            if done.status == Status.EFFECTIVE
            else _("Approved; it comes into effect on its day"),
        )
    return redirect("customers:handover", pk)


@require_POST
@may_assign
def handover_cancel(request, pk):
    """Give it up before it is in effect."""
    if _act(request, pk, handover.cancel, head=True):
        messages.success(request, _("Hand-over cancelled"))
    return redirect("customers:handover_list")


@require_POST
@may_assign
def handover_reverse(request, pk):
    """Draft the way back."""
    drafts = _act(request, pk, handover.reverse, head=True, on=localdate())
    return redirect(drafts[0]) if drafts else redirect("customers:handover", pk)
