"""A case beyond its outcome: what the manager says of the alert, the review of a loss, the sheet that explains it to the customer."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from churn import alert_page, alerts, features, monitoring, reasons, training
from churn.forms import JudgeForm, ReviewForm
from churn.models import ChurnAlert, ChurnScore, LossReview
from churn.views import starting_probability
from customers.models import Customer
from staff import audit
from staff.refusal import Refused
from staff.roles import HEADS
from staff.shell import render_page

may_view = permission_required("churn.view_alert", raise_exception=True)
may_handle = permission_required("churn.handle_alert", raise_exception=True)


@require_POST
@may_handle
def alert_judge(request, pk):
    """Keep whether the alert was right."""
    alert = get_object_or_404(ChurnAlert.objects.visible_to(request.user), pk=pk)
    form = JudgeForm(request.POST)
    if form.is_valid():
        try:
            alerts.judge(alert=alert, by=request.user, **form.cleaned_data)
            messages.success(request, _("Thank you; it is kept for the next training."))
        except Refused as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, _("Choose one of the three answers."))
    tab = "settled" if alert.status in ChurnAlert.OUTCOMES else ""
    return redirect(f"{reverse('churn:alert_list')}?tab={tab}&open={pk}")


def _reviews(viewer):
    reviews = LossReview.objects.filter(alert__in=ChurnAlert.objects.visible_to(viewer))
    return reviews.select_related("alert__customer__manager", "done_by")


@require_GET
@may_view
def review_list(request):
    """The reviews of lost diamond customers: those to write first, the others newest first."""
    reviews = list(_reviews(request.user).order_by("done_on", "due_on", "-pk")[:100])
    context = {
        "waiting": [review for review in reviews if not review.done_on],
        "written": sorted(
            (review for review in reviews if review.done_on), key=lambda review: review.done_on, reverse=True
        ),
        "on": localdate(),
        "form": ReviewForm(),
        "may_write": request.user.role in HEADS,
    }
    return render_page(request, "churn/reviews.html", context)


@require_http_methods(["GET", "POST"])
@may_handle
def review_write(request, pk):
    """Write a review."""
    review = get_object_or_404(_reviews(request.user), pk=pk)
    form = ReviewForm(request.POST or None)
    status = 200
    if request.method == "POST" and request.user.role in HEADS and form.is_valid():
        try:
            alerts.review_loss(review=review, by=request.user, on=localdate(), **form.cleaned_data)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The review is kept."))
        return redirect("churn:review_list")
    if request.method == "POST":
        status = 422
    context = {"review": review, "form": form, "may_write": request.user.role in HEADS}
    return render_page(request, "churn/review.html", context, status=status)


@require_GET
@may_view
def explanation(request, pk):
    """The sheet for one customer: what is computed, from which data, what it led to, who decides. Reading it is recorded."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    score = ChurnScore.objects.visible_to(request.user).filter(customer=customer).select_related("model")
    newest = score.order_by("-data_date").first()
    cases = ChurnAlert.objects.visible_to(request.user).filter(customer=customer).order_by("-opened_on")[:10]
    audit.record("customer.score_explained", customer, by=request.user)
    context = {
        "customer": customer,
        "score": newest,
        "start": starting_probability(newest) if newest else None,
        "bars": alert_page.bars_of(newest.reasons) if newest else [],
        "cases": cases,
        "groups": [
            (
                reasons.cause(code),
                [monitoring.LABELS[name] for name, owner in features.FEATURES.items() if owner == code],
            )
            for code in reasons.REASONS
        ],
        "threshold": training.THRESHOLD,
        "horizon": training.HORIZON_DAYS,
        "on": localdate(),
    }
    return render_page(request, "churn/explanation.html", context)
