"""The pages of texts for a segment: writing one, what it would reach, approving it, what became of it."""

from django import forms
from django.contrib import messages as notices
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import message_batches, message_templates
from contacts.models import MessageBatch, OutboundMessage
from customers.effect import Effect
from customers.effect_words import effect_words
from customers.models import Segment
from staff.refusal import Refused
from staff.shell import render_page, take_step

SHOWN = 50
Status = OutboundMessage.Status

may_write = permission_required("contacts.release_message", raise_exception=True)


class BatchForm(forms.ModelForm):
    """Reads a text for a segment; `message_batches.propose` keeps it."""

    class Meta:
        model = MessageBatch
        fields = ["purpose", "body"]
        widgets = {
            "purpose": forms.RadioSelect,
            "body": forms.Textarea(attrs={"rows": 4, "class": "form-control", "autofocus": True}),
        }


@may_write
def batch_new(request, pk):
    """Write a text for the members of a segment; the page says beforehand who would get it, by purpose."""
    held = get_object_or_404(Segment.objects.visible_to(request.user).active(), pk=pk)
    form = BatchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = message_batches.propose(segment=held, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            notices.success(request, _("Kept; each member gets a draft once somebody else approves it"))
            return redirect(made)
    reached = [
        (purpose.label, message_batches.outlook(segment=held, purpose=purpose, viewer=request.user))
        for purpose in MessageBatch.Purpose
    ]
    context = {
        "segment": held,
        "form": form,
        "reached": reached,
        "places": " ".join(f"{{{name}}}" for name in message_templates.COMMON),
    }
    status = 422 if form.errors else 200
    return render_page(request, "contacts/message_batch_new.html", context, status=status)


@require_GET
def batch_list(request):
    """The texts for segments in sight, those that wait first."""
    _allow(request.user)
    rows = _visible(request).annotate(left=Count("messages", filter=Q(messages__status__in=message_batches.LEFT)))
    return render_page(request, "contacts/message_batch_list.html", {"rows": rows.order_by("-pk")[:SHOWN]})


@require_GET
def batch_detail(request, pk):
    """One text: its words, who gets it, who does not and why; its approval; what became of the drafts."""
    _allow(request.user)
    batch = get_object_or_404(_visible(request), pk=pk)
    waits = batch.status == MessageBatch.Status.WAITING
    here = {"segment": batch.segment, "purpose": batch.purpose}
    states = dict(batch.messages.order_by().values_list("status").annotate(Count("pk")))
    context = {
        "batch": batch,
        "waits": waits,
        "outlook": message_batches.outlook(**here, viewer=batch.made_by) if waits else None,
        "skipped": message_batches.in_words(batch.skipped),
        "people": message_batches.skipped_members(**here, author=batch.made_by, viewer=request.user, limit=SHOWN),
        "states": [(label, states[code]) for code, label in Status.choices if code in states],
        "effects": []
        if waits or not batch.drafted
        else [
            (days, effect_words(found, _compared(found)) if found else "")
            for days, found in message_batches.effects_of(batch, on=localdate()).items()
        ],
        "may_approve": waits
        and request.user.has_perm("contacts.edit_template")
        and batch.made_by_id != request.user.pk,
        "may_withdraw": waits and batch.made_by_id == request.user.pk,
    }
    return render_page(request, "contacts/message_batch.html", context)


@require_POST
def batch_decide(request, pk):
    """Approve a text, decline it, or take one's own back."""
    _allow(request.user)
    batch = get_object_or_404(_visible(request), pk=pk)
    acts = {
        "approve": lambda: message_batches.approve(batch=batch, by=request.user),
        "decline": lambda: message_batches.decline(batch=batch, by=request.user),
    }
    take_step(request, acts)
    return redirect(batch)


def _compared(found: Effect) -> str:
    return _("{treated} who got it, {control} customers alike").format(treated=found.treated, control=found.control)


def _visible(request):
    return MessageBatch.objects.visible_to(request.user).select_related("segment", "made_by", "decided_by")


def _allow(user) -> None:
    """Let in who writes to customers, and who approves words.

    Raises:
        PermissionDenied: neither.
    """
    if not (user.has_perm("contacts.release_message") or user.has_perm("contacts.edit_template")):
        raise PermissionDenied
