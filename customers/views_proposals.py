"""The history of the proposals of an outlet, and one of them line by line."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET

from customers import proposal_record
from customers.assignment_board import BoardForm
from customers.assignment_views import ranges_of
from customers.models import Assignment, ProposalRecord
from staff.shell import render_page

HISTORY_ROWS = 100

may_assign = permission_required("customers.assign_customer", raise_exception=True)


@require_GET
@may_assign
def assignment_history(request):
    """The proposals of an outlet that were applied, with what proved them and what of them still holds."""
    form = BoardForm(request.GET, viewer=request.user)
    if not form.is_valid() and "branch" in form.errors:
        raise Http404
    branch = form.chosen_branch()
    rows = proposal_record.history(request.user, branch)[:HISTORY_ROWS]
    return render_page(request, "customers/proposal_history.html", {"branch": branch, "board_form": form, "rows": rows})


@require_GET
@may_assign
def assignment_applied(request, pk):
    """One applied proposal, line by line; on its day it can be taken back."""
    kept = get_object_or_404(ProposalRecord.objects.visible_to(request.user).exclude(status="draft"), pk=pk)
    rows = Assignment.objects.visible_to(request.user).filter(proposal=kept)
    rows = list(rows.select_related("customer", "staff").order_by("staff__staff_no", "pk"))
    ids = [row.pk for row in rows if row.end is None and row.start == localdate()]
    context = {"kept": kept, "branch": kept.branch, "rows": rows, "undo": ranges_of(ids) if ids else ""}
    return render_page(request, "customers/proposal_applied.html", context)
