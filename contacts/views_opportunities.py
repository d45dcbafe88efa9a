"""The opportunity pages: board, record, opening one, moving one along and taking the move back."""

from itertools import pairwise

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget

from contacts import board, pipeline
from contacts.forms import MoveForm, OpportunityForm
from contacts.models import MOVES, CommunicationReport, Opportunity, SalesPlan
from contacts.opportunity_sources import WORDS
from contacts.views_log import log_drawer
from contacts.views_pipeline import kept_for_many, looks
from contacts.views_today import query_behind
from customers.models import Customer
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page, wants_part

Stage = Opportunity.Stage


def _visible(request):
    return Opportunity.objects.visible_to(request.user).select_related("customer", "owner", "product")


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def opportunity_list(request):
    """The board; `mine`, `kind`, `stalled` and `order` in the address."""
    return render_page(request, "contacts/opportunity_list.html", board_context(request))


def board_context(request) -> dict:
    """Return the columns and figures of the board for the filters in the address."""
    staff, on = request.user, timezone.localdate()
    # A move answers with the board as it was filtered on the page that the move came from.
    query = request.GET if request.method == "GET" else query_behind(request)
    filters = board.filters_of(query, staff=staff)
    order = "amount" if query.get("order") == "amount" else "due"
    rows = board.visible_opportunities(staff=staff, on=on, filters=filters)
    sums = kept_for_many(staff, "board", filters, on, lambda: board.sums_of(rows, on=on))
    columns = board.columns_of(rows, sums, on=on, order=order)
    return {
        "columns": columns,
        "figures": board.figures_of(columns, sums),
        "order": order,
        "board_url": f"{reverse('contacts:opportunity_list')}?{query.urlencode()}",
        "table_query": filters.query(),
        **looks("board", filters),
        "may_move": staff.has_perm("contacts.move_opportunity"),
        "on": on,
    }


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def opportunity_detail(request, pk):
    """One opportunity: where it stands, what led there, where it may go."""
    opportunity = get_object_or_404(_visible(request), pk=pk)
    context = {
        "opportunity": opportunity,
        "card": board.card_of(opportunity, timezone.localdate()),
        "history": _history(opportunity),
        "plan": SalesPlan.objects.filter(opportunity=opportunity).select_related("changed_by").first(),
        "source": WORDS.get(opportunity.source, opportunity.source),
        "helpers": opportunity.helpers.all(),
        "colleagues": Staff.objects.active()
        .members_of(request.user.branch_id)
        .exclude(pk=opportunity.owner_id)
        .order_by("name"),
        "reports": CommunicationReport.objects.filter(log__opportunity=opportunity)
        .select_related("author")
        .order_by("-pk"),
        "logs": opportunity.contact_logs.standing().select_related("staff").order_by("-at")[:20],
        "stages": _steps(opportunity),
        "may_move": request.user.has_perm("contacts.move_opportunity"),
    }
    return render_page(request, "contacts/opportunity_detail.html", context)


def _history(opportunity: Opportunity) -> list:
    """Return the moves, the newest first, each with `days`: how long it stood in the stage that it left."""
    moves = list(opportunity.history.select_related("by").order_by("id"))
    for before, move in pairwise([moves[0], *moves]) if moves else ():
        move.days = (timezone.localdate(move.at) - timezone.localdate(before.at)).days
    return moves[::-1]


def _steps(opportunity: Opportunity) -> list[dict]:
    order = [*board.COLUMNS, Stage.WON]
    at = order.index(opportunity.stage) if opportunity.stage in order else -1
    return [{"label": stage.label, "done": n < at, "current": n == at} for n, stage in enumerate(order)]


@permission_required("contacts.move_opportunity", raise_exception=True)
def opportunity_create(request):
    """Open an opportunity, of the customer in the address or of one to choose."""
    customer = None
    if request.GET.get("customer", "").isdigit():
        customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=request.GET["customer"])
    on = timezone.localdate()
    form = OpportunityForm(
        request.POST or None, staff=request.user, customer=customer, on=on, initial={"customer": customer}
    )
    if request.method == "POST" and form.is_valid():
        try:
            opportunity = pipeline.open_opportunity(owner=request.user, by=request.user, on=on, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Opportunity “{title}” opened").format(title=opportunity.title))
            return redirect(opportunity)
    context = {"form": form, "customer": customer}
    return render_page(request, "contacts/opportunity_form.html", context, partial="drawer", status=_status(form))


@permission_required("contacts.move_opportunity", raise_exception=True)
def opportunity_move(request, pk):
    """The form that a stage asks for (`to` in the address), and the move itself."""
    opportunity = get_object_or_404(_visible(request), pk=pk)
    to = request.POST.get("stage") or request.GET.get("to", "")
    if to not in Stage.values or to not in MOVES[opportunity.stage]:
        refusal = _("An opportunity cannot go there from “{old}”.").format(old=opportunity.get_stage_display())
        return _refused(request, opportunity, refusal)
    if request.method != "POST":
        form = MoveForm(stage=to, opportunity=opportunity)
        return render_page(
            request, "contacts/opportunity_move.html", _move_context(opportunity, to, form), partial="drawer"
        )
    return _move(request, opportunity, to)


@require_POST
@permission_required("contacts.move_opportunity", raise_exception=True)
def opportunity_drop(request):
    """A card was dropped on a column: `opportunity`, `stage`, `version` in the form."""
    key = request.POST.get("opportunity", "")
    opportunity = get_object_or_404(_visible(request), pk=key if key.isdigit() else None)
    to = request.POST.get("stage", "")
    if to not in Stage.values or to not in MOVES[opportunity.stage]:
        refusal = _("An opportunity cannot go there from “{old}”.").format(old=opportunity.get_stage_display())
        return _refused(request, opportunity, refusal)
    return _move(request, opportunity, to)


@require_POST
@permission_required("contacts.move_opportunity", raise_exception=True)
def opportunity_undo(request, pk):
    """Take the newest move of today back."""
    opportunity = get_object_or_404(_visible(request), pk=pk)
    try:
        opportunity = pipeline.undo_move(opportunity=opportunity, by=request.user, on=timezone.localdate())
    except Refused as refusal:
        return _refused(request, opportunity, str(refusal))
    return _moved(request, opportunity, undo=False)


def _move(request, opportunity: Opportunity, to: str):
    form = MoveForm(request.POST, stage=to, opportunity=opportunity)
    if form.is_valid():
        try:
            moved = pipeline.move(
                opportunity=opportunity,
                to=to,
                by=request.user,
                on=timezone.localdate(),
                version=request.POST.get("version", ""),
                **form.cleaned_data,
            )
        except pipeline.Conflict as refusal:
            return _refused(request, opportunity, str(refusal), status=409)
        except Refused as refusal:
            if to == Stage.CONTACTED and wants_part(request) and isinstance(refusal, pipeline.MoveRefused):
                return log_drawer(request, opportunity.customer, reason=str(refusal))
            # A dropped card came without a form: it is asked for what it needs, not blamed.
            if "filled" in request.POST:
                form.add_error(None, str(refusal))
            else:
                form = MoveForm(stage=to, opportunity=opportunity)
        else:
            return _moved(request, moved)
    context = _move_context(opportunity, to, form)
    status = 422 if wants_part(request) else _status(form)
    response = render_page(request, "contacts/opportunity_move.html", context, partial="drawer", status=status)
    # Where a card was dropped nothing stands to be swapped: the form opens in the drawer.
    return reswap(retarget(response, "#drawer"), "innerHTML") if wants_part(request) else response


def _move_context(opportunity: Opportunity, to: str, form: MoveForm) -> dict:
    return {"opportunity": opportunity, "to": to, "to_label": Stage(to).label, "form": form}


def _moved(request, opportunity: Opportunity, *, undo: bool = True):
    message = _("“{title}” is now at {stage}").format(title=opportunity.title, stage=Stage(opportunity.stage).label)
    if not wants_part(request):
        messages.success(request, message)
        return redirect(opportunity)
    undo_url = reverse("contacts:opportunity_undo", args=[opportunity.pk]) if undo else ""
    context = board_context(request) | {"toast": message, "undo_url": undo_url, "oob": True}
    return render(request, "contacts/opportunity_parts.html", context)


def _refused(request, opportunity: Opportunity, message: str, *, status: int = 422):
    """Say why a move is refused: a toast to htmx, a message on the record otherwise."""
    if not wants_part(request):
        messages.error(request, message)
        return redirect(opportunity)
    context = board_context(request) | {"toast": message, "toast_kind": "error", "oob": True}
    response = render(request, "contacts/opportunity_parts.html", context, status=status)
    return reswap(response, "none")


def _status(form) -> int:
    return 422 if form.is_bound and form.errors else 200
