"""The pages of messages: drafts to release, what became of those that left, answers; the words and their approval."""

from django import forms
from django.contrib import messages as notices
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import message_templates, messages
from contacts.models import InboundMessage, MessageTemplate, OutboundMessage
from customers.models import Customer
from staff.refusal import Refused
from staff.shell import render_page

SHOWN = 100
Status = OutboundMessage.Status

TABS = {
    "drafted": (gettext_lazy("To release"), [Status.DRAFTED]),
    "moving": (gettext_lazy("On their way"), [Status.RELEASED, Status.SENDING]),
    "sent": (pgettext_lazy("messages", "Sent"), [Status.SENT, Status.DELIVERED]),
    "stopped": (gettext_lazy("Not sent"), [Status.FAILED, Status.UNCERTAIN, Status.SKIPPED, Status.CANCELLED]),
}

may_release = permission_required("contacts.release_message", raise_exception=True)


@require_GET
@may_release
def message_list(request):
    """The messages in sight by what became of them; drafts with a tick to release or cancel."""
    tab = request.GET.get("tab", "drafted")
    tab = tab if tab in TABS else "drafted"
    seen = OutboundMessage.objects.visible_to(request.user)
    counts = dict(seen.order_by().values_list("status").annotate(Count("pk")))
    rows = seen.filter(status__in=TABS[tab][1]).select_related("customer", "customer__manager", "released_by")
    if kind := request.GET.get("kind"):
        rows = rows.filter(kind=kind)
    context = {
        "tab": tab,
        "tabs": [(key, label, sum(counts.get(one, 0) for one in held)) for key, (label, held) in TABS.items()],
        "rows": rows.order_by("occasion_on", "pk")[:SHOWN] if tab == "drafted" else rows.order_by("-drafted_at", "-pk")[:SHOWN],
        "answers": InboundMessage.objects.filter(customer__in=Customer.objects.visible_to(request.user))
        .select_related("customer").order_by("-at", "-pk")[:20],
        "today": localdate(),
        "may_edit": request.user.has_perm("contacts.edit_template"),
    }  # fmt: skip
    return render_page(request, "contacts/message_list.html", context)


@require_POST
@may_release
def message_act(request):
    """Release or cancel the ticked messages."""
    try:
        chosen = [int(pk) for pk in request.POST.getlist("message")]
    except ValueError:
        raise BadRequest("message is a number") from None
    if not chosen:
        notices.error(request, _("No message is ticked."))
        return redirect("contacts:message_list")
    if request.POST.get("act") == "cancel":
        done = messages.cancel(messages=chosen, by=request.user)
        notices.success(request, _("Messages cancelled: {n}").format(n=done))
    else:
        done = messages.release(messages=chosen, by=request.user)
        notices.success(request, _("Messages released: {n}; they leave between 9:00 and 20:00").format(n=done))
    return redirect("contacts:message_list")


class TemplateForm(forms.Form):
    """Reads the words of one kind; `message_templates.edit` keeps them."""

    body = forms.CharField(
        label=gettext_lazy("Words"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    auto_release = forms.BooleanField(label=gettext_lazy("Leaves without being released"), required=False)


@require_GET
@permission_required("contacts.edit_template", raise_exception=True)
def template_list(request):
    """The words in use and those that wait for approval, by kind."""
    return render_page(request, "contacts/message_templates.html", _templates(request))


@require_POST
@permission_required("contacts.edit_template", raise_exception=True)
def template_edit(request, kind):
    """Keep new words for a kind; they wait for somebody else's approval."""
    if kind not in MessageTemplate.Kind.values:
        raise BadRequest("no such kind")
    form = TemplateForm(request.POST)
    if form.is_valid():
        try:
            message_templates.edit(kind=kind, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            notices.success(request, _("Kept; used once somebody else approves it"))
            return redirect("contacts:template_list")
    return render_page(request, "contacts/message_templates.html", _templates(request, kind, form), status=422)


@require_POST
@permission_required("contacts.edit_template", raise_exception=True)
def template_approve(request, pk):
    """Put words into use that somebody else wrote."""
    if not request.user.has_perm("contacts.approve_template"):
        raise PermissionDenied
    try:
        message_templates.approve(template=get_object_or_404(MessageTemplate, pk=pk), by=request.user)
    except Refused as refusal:
        notices.error(request, str(refusal))
    else:
        notices.success(request, _("In use from the next night on"))
    return redirect("contacts:template_list")


def _templates(request, failed: str = "", form: TemplateForm | None = None) -> dict:
    rows = MessageTemplate.objects.exclude(status="retired").select_related("made_by", "approved_by")
    by_kind = {(row.kind, row.status): row for row in rows}
    kinds = []
    for kind in MessageTemplate.Kind:
        held, waiting = by_kind.get((kind, "approved")), by_kind.get((kind, "draft"))
        shown = waiting or held
        initial = {"body": shown.body, "auto_release": shown.auto_release} if shown else {}
        fields = form if kind == failed and form else TemplateForm(initial=initial, auto_id=f"{kind}-%s")
        kinds.append(
            {
                "kind": kind,
                "held": held,
                "waiting": waiting,
                "form": fields,
                "places": " ".join(f"{{{name}}}" for name in message_templates.PLACES[kind]),
                "may_approve": waiting is not None
                and waiting.made_by_id != request.user.pk
                and request.user.has_perm("contacts.approve_template"),
            }
        )
    return {"kinds": kinds}
