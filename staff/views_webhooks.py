"""The page of a client's webhooks: where it is told of what, the log of deliveries, and sending one again."""

from django import forms
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from staff import webhooks
from staff.models import ApiClient, WebhookDelivery, WebhookEndpoint
from staff.refusal import Refused
from staff.shell import render_page, take_step

TEMPLATE = "staff/webhooks.html"
SHOWN = 50
may_manage = permission_required("staff.manage_client", raise_exception=True)


class EndpointForm(forms.Form):
    """Reads a new endpoint; `webhooks.subscribe` makes it."""

    url = forms.URLField(max_length=300, label=gettext_lazy("Address"), assume_scheme="https")
    events = forms.MultipleChoiceField(
        choices=list(webhooks.EVENTS.items()), label=gettext_lazy("Tell of"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["url"].widget.attrs |= {"class": "form-control", "placeholder": "https://core.bank.example/hooks"}


@never_cache
@may_manage
def webhook_list(request, pk):
    """Every endpoint of a client and its last deliveries; the form makes another, whose secret the answer shows once."""
    client = get_object_or_404(ApiClient, pk=pk)
    form, fresh = EndpointForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            fresh = webhooks.subscribe(client=client, by=request.user, **form.cleaned_data)
            form = EndpointForm()
        except Refused as refusal:
            form.add_error("url", str(refusal))
    log = WebhookDelivery.objects.filter(endpoint__client=client).select_related("endpoint")
    context = {
        "client": client, "form": form, "fresh": fresh, "log": log[:SHOWN],
        "endpoints": [(one, [webhooks.EVENTS[code] for code in one.events]) for one in client.webhooks.all()],
    }  # fmt: skip
    return render_page(request, TEMPLATE, context, status=422 if form.errors else 200)


@never_cache
@require_POST
@may_manage
def webhook_step(request, pk):
    """Stop an endpoint or take it up again."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    acts = {
        "stop": lambda: webhooks.stop(endpoint=endpoint, by=request.user),
        "resume": lambda: webhooks.resume(endpoint=endpoint, by=request.user),
    }
    take_step(request, acts)
    return redirect(endpoint)


@never_cache
@require_POST
@may_manage
def webhook_resend(request, pk):
    """Post one event again."""
    delivery = get_object_or_404(WebhookDelivery.objects.select_related("endpoint"), pk=pk)
    take_step(request, {"resend": lambda: webhooks.resend(delivery=delivery, by=request.user)})
    return redirect(delivery.endpoint)
