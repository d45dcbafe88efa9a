"""The part of Planning that this room knows: whether the coming month's contacts can be made."""

from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET

from contacts.feasibility import PACE_DAYS, month_of_branch
from staff.models import Branch
from staff.shell import render_page


@require_GET
@permission_required("customers.view_rules", raise_exception=True)
def planning_month(request):
    """Show the month after this one for the members of an outlet in sight."""
    number = request.GET.get("branch", "")
    outlets = Branch.objects.under(request.user.branch_id).active().outlets()
    branch = outlets.filter(pk=number).first() if number.isdigit() and len(number) < 19 else None
    if branch is None:
        raise Http404
    month = month_of_branch(viewer=request.user, branch=branch, on=localdate())
    context = {"branch": branch, "month": month, "pace_days": PACE_DAYS}
    return render_page(request, "contacts/planning_month.html", context, partial="answer")
