"""The pages of Assignment: who waits, members, proposal; assign by drag, by menu, by bulk; undo; in charge."""

import re
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from customers import assignment, branch_proposal, proposal_record, to_reassign
from customers.assignment import ADVISER, PRIMARY, Line, LinesRefused, Seen
from customers.assignment_board import BoardForm, read_board, version_of
from customers.assignment_charge import ChargeForm, receiver_rows, relations_of_branch
from customers.load import ADVISERS
from customers.models import Customer
from customers.proposal_choices import Choices, read_proof
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page, wants_part

may_assign = permission_required("customers.assign_customer", raise_exception=True)

TEMPLATE, CHARGE = "customers/assignment.html", "customers/assignment_charge.html"


@require_GET
@may_assign
def assignment_page(request):
    if request.GET.get("tab") == "charge":
        return render_page(request, CHARGE, _charge_context(request, request.GET), partial="answer")
    return render_page(request, TEMPLATE, _context(request, request.GET), partial="answer")


@require_GET
@may_assign
def assignment_pick(request, pk):
    """Show in the drawer who could take one customer, with the load it would make, or why not."""
    customers = Customer.objects.visible_to(request.user).assignable().select_related("manager")
    customer = get_object_or_404(customers, pk=pk)
    branch, form = _branch(request, {}, customer=customer)
    context = {"branch": branch, "board_form": form, "customer": customer, "version": version_of(customer)}
    context["receivers"] = receiver_rows(customer, branch)
    context["locked"] = customer.assignments.open().primary().filter(locked=True).exists()
    if wants_part(request):
        return render_page(request, "customers/assignment_pick.html", context)
    return render_page(request, TEMPLATE, context | _context(request, {"branch": branch.pk}))


@require_GET
@may_assign
def why_not(request, pk, member):
    """Say what it would cost the proposal to give a customer who waits to this member."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user).waiting(), pk=pk)
    receiver = get_object_or_404(Staff.objects.members_of(customer.branch_id), pk=member)
    cost = branch_proposal.cost_of(
        viewer=request.user, branch=customer.branch, on=localdate(), customer=customer.pk, member=receiver.pk
    )
    context = {"cost": cost, "customer": customer, "receiver": receiver}
    return render_page(request, "customers/assignment_why_not.html", context, partial="answer")


@require_GET
@may_assign
def to_reassign_page(request):
    """Whom the branch head should look at: wrong post or band for the tier, nobody has talked with them for long."""
    branch, form = _branch(request, request.GET)
    found = to_reassign.cases(request.user, branch, localdate())
    return render_page(request, "customers/to_reassign.html", {"branch": branch, "board_form": form, "cases": found})


@require_POST
@may_assign
def assignment_assign(request, to=None):
    """Give one customer to a member: dropped on the row, or chosen in the drawer."""
    customer = _customer(request, request.POST.get("customer"))
    receiver = _receiver(request, to or request.POST.get("to"))
    role = ADVISER if receiver.role in ADVISERS and customer.manager_id else PRIMARY
    try:
        row = assignment.assign(
            customer=customer,
            to=receiver,
            by=request.user,
            on=localdate(),
            reason=request.POST.get("reason", "")[:200],
            seen=_seen(request.POST.get("version", "")),
            role=role,
        )
    except Refused as refusal:
        return _refused(request, _("%(customer)s not assigned: %(why)s") % {"customer": customer.name, "why": refusal})
    return _done(
        request, _("%(customer)s assigned to %(name)s") % {"customer": customer.name, "name": receiver.name}, [row]
    )


@require_POST
@may_assign
def assignment_assign_many(request):
    """Give all chosen customers to one member, or none of them."""
    customers = _customers(request, request.POST.getlist("chosen"))
    receiver = _receiver(request, request.POST.get("to"))
    lines = [Line(customer, receiver, _seen(request.POST.get(f"seen-{customer.pk}", ""))) for customer in customers]
    return _apply(request, lines, lambda: assignment.assign_many(lines=lines, by=request.user, on=localdate()))


@require_POST
@may_assign
def assignment_propose(request):
    """Show the proposal again as the person changed it: the loads follow at once."""
    return render_page(request, TEMPLATE, _context(request, request.POST), partial="answer")


@require_POST
@may_assign
def assignment_apply(request):
    """Save the ticked lines of the proposal in one transaction; what changed since is named line by line."""
    choices = Choices.read(request.POST)
    if "again" in request.POST:
        return render_page(request, TEMPLATE, _context(request, request.POST), partial="answer")
    customers = _customers(request, sorted(choices.ticked))
    receivers = {pk: _receiver(request, pk) for pk in set(choices.receivers.values())}
    lines = [
        Line(customer, receivers[choices.receivers[customer.pk]], _seen(request.POST.get(f"seen-{customer.pk}", "")))
        for customer in customers
        if customer.pk in choices.receivers
    ]
    branch, _form = _branch(request, request.POST)
    applied = {line.customer.pk for line in lines}
    kept = {
        "figures": read_proof(request.POST.get("proof", "")),
        "changed": sum(customer in applied for customer in choices.changed),
    }
    return _apply(
        request,
        lines,
        lambda: proposal_record.apply(branch=branch, lines=lines, by=request.user, on=localdate(), **kept),
    )


@require_POST
@may_assign
def assignment_draft(request):
    """Keep the proposal as the person changed it, to go on with later; `drop` gives the kept one up."""
    choices = Choices.read(request.POST)
    branch, _form = _branch(request, request.POST)
    if "drop" in request.POST:
        proposal_record.drop_draft(branch=branch, by=request.user)
        words = _("Draft given up; this is the proposal as computed")
    else:
        unticked = set(choices.receivers) - choices.ticked
        proposal_record.keep_draft(branch=branch, receivers=choices.changed, unticked=unticked, by=request.user)
        words = _("Draft kept; it is here when you come back")
    if not wants_part(request):
        messages.success(request, words)
        return redirect(_page_url(request))
    return _answer(request, {"toast": words})


def _apply(request, lines: list[Line], act):
    """Do `act`, which assigns the lines or none, and answer with the board."""
    if not lines:
        return _refused(request, _("No customer is chosen."))
    try:
        rows = act()
    except LinesRefused as refused:
        words = ngettext(
            "Nothing was saved: %(n)d customer cannot be assigned.",
            "Nothing was saved: %(n)d customers cannot be assigned.",
            len(refused.refusals),
        ) % {"n": len(refused.refusals)}
        return _refused(request, words, refusals=refused.refusals)
    except Refused as refusal:
        return _refused(request, str(refusal))
    words = ngettext("%(n)d customer assigned", "%(n)d customers assigned", len(rows)) % {"n": len(rows)}
    return _done(request, words, rows)


@require_POST
@may_assign
def assignment_undo(request, rows):
    """Take back what the toast names, while nothing depends on it; the board is renewed out of band."""
    try:
        undone = assignment.undo(assignments=ids_of(rows), by=request.user, on=localdate())
    except Refused as refusal:
        return _refused(request, _("Not undone. %(why)s") % {"why": refusal})
    if not undone:
        raise Http404
    words = ngettext("%(n)d assignment undone", "%(n)d assignments undone", len(undone)) % {"n": len(undone)}
    return _done(request, words, [])


@require_POST
@may_assign
def assignment_end(request, pk):
    """End a customer's primary relation; he waits again."""
    customer = _customer(request, pk)
    try:
        assignment.end_primary(
            customer=customer, by=request.user, on=localdate(), reason=request.POST.get("reason", "").strip()[:200]
        )
    except Refused as refusal:
        return _refused(request, str(refusal))
    return _done(request, _("%(customer)s waits for a manager again") % {"customer": customer.name}, [])


@require_POST
@may_assign
def assignment_lock(request, pk):
    """Lock a relation against being moved by a proposal, or unlock it."""
    customer, locked = _customer(request, pk), request.POST.get("locked") == "1"
    try:
        assignment.set_lock(customer=customer, locked=locked, by=request.user)
    except Refused as refusal:
        return _refused(request, str(refusal))
    words = _("{customer} stays with {name}") if locked else _("{customer} may be moved by a proposal")
    return _done(request, words.format(customer=customer.name, name=customer.manager.name), [])


# --- Reading what is posted -----------------------------------------------------------------------


def _number(text) -> int:
    """Return a posted id; anything else than digits is a bad request."""
    if not re.fullmatch(r"\d{1,18}", str(text or "")):
        raise BadRequest("an id is a number")
    return int(text)


def _customers(request, ids) -> list[Customer]:
    """Return the customers with these ids in their order; one out of sight is a 404 for all."""
    ids = list(dict.fromkeys(map(_number, ids)))
    found = Customer.objects.visible_to(request.user).in_bulk(ids)
    if len(found) < len(ids):
        raise Http404
    return [found[pk] for pk in ids]


def _customer(request, pk) -> Customer:
    return _customers(request, [pk])[0]


def _receiver(request, pk) -> Staff:
    return get_object_or_404(Staff.objects.members_of(request.user.branch_id), pk=_number(pk))


def _seen(version: str) -> Seen | None:
    """Read "manager:class", how the customer stood on the page, as `version_of` wrote it."""
    match = re.fullmatch(r"(\d{0,18}):([0-3])", version)
    return Seen(int(match[1]) if match[1] else None, int(match[2])) if match else None


def ids_of(text: str) -> list[int]:
    """Read ids written as ranges: "12-14,20" is 12, 13, 14, 20."""
    ranges = [part.split("-") for part in text.split(",")]
    pairs = [(int(part[0]), int(part[-1])) for part in ranges]
    if sum(last - first + 1 for first, last in pairs) > 10_000:
        raise BadRequest("too many rows")
    return [pk for first, last in pairs for pk in range(first, last + 1)]


def ranges_of(ids) -> str:
    """Write ids as ranges, short enough for an address."""
    runs = []
    for pk in sorted(ids):
        if runs and pk == runs[-1][1] + 1:
            runs[-1][1] = pk
        else:
            runs.append([pk, pk])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


# --- Answering ------------------------------------------------------------------------------------


def _branch(request, data, *, customer=None):
    """Return the outlet to show, and the form that read it; one out of sight is a 404."""
    form = BoardForm(data, viewer=request.user)
    if not form.is_valid() and "branch" in form.errors:
        raise Http404
    return (customer.branch if customer else form.chosen_branch()), form


def _context(request, data, *, branch=None, refusals=(), unticked=()) -> dict:
    found, form = _branch(request, data)
    branch = branch or found
    filters = {name: form.cleaned_data.get(name, "") for name in ("tier", "q", "sort")}
    draft = proposal_record.draft_of(branch=branch, by=request.user)
    choices = Choices.of_draft(draft) if draft else Choices()
    if request.method == "POST" and "drop" not in request.POST and any(key.startswith("to-") for key in data):
        choices = Choices.read(data)
    choices = replace(choices, ticked=choices.ticked - set(unticked))
    moving = bool(form.cleaned_data.get("moving"))
    board = read_board(
        viewer=request.user, branch=branch, filters=filters, choices=choices, on=localdate(), moving=moving
    )
    charge = relations_of_branch(request.user, branch).count()
    return {
        "tab": "waiting",
        "branch": branch,
        "board_form": form,
        "filters": filters,
        "board": board,
        "in_charge": charge,
        "to_reassign": to_reassign.relations(request.user, branch, localdate()).count(),
        "refusals": refusals,
        "draft": draft,
    }


def _charge_context(request, data) -> dict:
    branch, form = _branch(request, data)
    charge = ChargeForm(data, viewer=request.user, branch=branch)
    charge.is_valid()
    return {"branch": branch, "board_form": form, "tab": "charge", "charge": charge} | charge.page()


def _done(request, message, rows):
    undo_url = reverse("customers:assignment_undo", args=[ranges_of(row.pk for row in rows)]) if rows else ""
    if not wants_part(request):
        messages.success(request, message)
        return redirect(_page_url(request))
    return _answer(request, {"toast": message, "undo_url": undo_url})


def _refused(request, message, *, refusals=()):
    if not wants_part(request):
        messages.error(request, "\n".join([str(message), *(f"{line.customer.name}: {why}" for line, why in refusals)]))
        return redirect(_page_url(request))
    toast = {"toast": message, "toast_kind": "error", "refusals": refusals}
    return _answer(request, toast, status=409, unticked=[line.customer.pk for line, _why in refusals])


def _answer(request, toast: dict, *, status=200, unticked=()):
    """Answer htmx with the board, or the rows in charge, as they are now; the toast is out of band.

    A toast's undo knows nothing of the page it stands on: then the address says which, and the board is out of band too.
    """
    data, is_undo = request.POST, request.resolver_match.url_name == "assignment_undo"
    if is_undo:
        data = QueryDict(urlsplit(request.htmx.current_url or "").query)
    context = toast | {"out_of_band": is_undo}
    if data.get("tab") == "charge":
        response = render_page(
            request, CHARGE, _charge_context(request, data) | context, partial="answer", status=status
        )
    else:
        context = _context(request, data, unticked=unticked) | context
        response = render_page(request, TEMPLATE, context, partial="answer", status=status)
    return trigger_client_event(response, "drawer:close", after="swap")


def _page_url(request) -> str:
    """Return the page that a plain form goes back to, with the same outlet and filters."""
    kept = {
        name: request.POST[name]
        for name in ("tab", "branch", "tier", "q", "sort", "member", "moving")
        if request.POST.get(name)
    }
    return reverse("customers:assignment") + (f"?{urlencode(kept)}" if kept else "")
