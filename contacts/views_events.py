"""The pages of entered events: what is live, entering one, whom it reaches and who is skipped."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import event
from contacts.event_catalogue import CATEGORIES, ENTERED, KINDS
from contacts.models import ContactEvent, ContactTask, EventMatch
from customers.models import Customer, Product, Segment
from staff.refusal import Refused
from staff.shell import render_page

MATCHES_SHOWN, OVER_SHOWN = 200, 30
PUBLISH = "contacts.publish_event"

may_see = permission_required("contacts.enter_event", raise_exception=True)


class EventForm(forms.Form):
    """Reads an event; `event.publish` decides whom it concerns. Of one customer it needs neither segment nor product."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    title = forms.CharField(label=gettext_lazy("What happens"), max_length=60)
    occurs_on = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Until"), required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("Empty: as usual for this kind."),
    )  # fmt: skip
    note = forms.CharField(
        label=gettext_lazy("Details"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    segment = forms.ModelChoiceField(Segment.objects.none(), label=gettext_lazy("Segment"), required=False)
    product = forms.ModelChoiceField(Product.objects.none(), label=gettext_lazy("Product"), required=False)

    def __init__(self, *args, viewer, customer=None, on, **kwargs):
        super().__init__(*args, **kwargs)
        kinds = [KINDS[code] for code in ENTERED]
        if customer is not None:
            kinds = [kind for kind in kinds if not kind.pitches]
            del self.fields["segment"], self.fields["product"]
        else:
            self.fields["segment"].queryset = Segment.objects.visible_to(viewer).active()
            self.fields["product"].queryset = Product.objects.on_sale(on).order_by("name")
        self.fields["kind"].choices = [
            (str(label), [(kind.code, str(kind.label)) for kind in kinds if kind.category == category])
            for category, (label, _icon) in CATEGORIES.items()
            if any(kind.category == category for kind in kinds)
        ]


@require_GET
@may_see
def event_list(request):
    """What was entered and is live, how many it reaches in sight, and how many events of each kind the system found."""
    on = localdate()
    reached = Q(matches__skip="", matches__customer__in=Customer.objects.visible_to(request.user))
    rows = ContactEvent.objects.visible_to(request.user).select_related("entered_by", "branch")
    rows = rows.annotate(reached=Count("matches", filter=reached))
    found = ContactTask.objects.visible_to(request.user).open().filter(source=ContactTask.Source.EVENT).order_by()
    counts = dict(found.exclude(reason__in=ENTERED).values_list("reason").annotate(Count("pk")))
    context = {
        "live": rows.live(on),
        "over": rows.exclude(pk__in=rows.live(on))[:OVER_SHOWN],
        "counts": sorted(
            ((KINDS[code].label, n) for code, n in counts.items() if code in KINDS), key=lambda row: -row[1]
        ),
        "may_publish": request.user.has_perm(PUBLISH),
    }
    return render_page(request, "contacts/event_list.html", context)


@may_see
def event_new(request):
    """The form of an event: for many customers by heads, for one customer by whoever serves them."""
    on, customer = localdate(), None
    if number := request.POST.get("customer", request.GET.get("customer")):
        found = Customer.objects.visible_to(request.user).assignable()
        customer = get_object_or_404(found, pk=number if number.isdigit() and len(number) < 19 else 0)
    elif not request.user.has_perm(PUBLISH):
        raise PermissionDenied
    form = EventForm(request.POST or None, viewer=request.user, customer=customer, on=on, initial={"occurs_on": on})
    if request.method == "POST" and form.is_valid():
        branch = customer.branch if customer else request.user.branch
        try:
            made = event.publish(by=request.user, branch=branch, on=on, customer=customer, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            reached = made.matches.filter(skip="").count()
            messages.success(request, _("Published; customers reached: {n}").format(n=reached))
            return redirect(customer or made)
    context = {"form": form, "customer": customer}
    return render_page(request, "contacts/event_form.html", context, status=422 if form.errors else 200)


@require_GET
@may_see
def event_detail(request, pk):
    """One event: whom it reaches in the viewer's sight, what was done about it, who is skipped and why."""
    shown = get_object_or_404(ContactEvent.objects.visible_to(request.user), pk=pk)
    matches = EventMatch.objects.visible_to(request.user).filter(event=shown, skip="")
    rows = list(
        matches.select_related("customer__manager").order_by("-relevance", "-customer__aum", "pk")[:MATCHES_SHOWN]
    )
    keys = [f"event:{shown.kind}:{shown.pk}:{row.customer_id}" for row in rows]
    tasks = {task.customer_id: task for task in ContactTask.objects.filter(key__in=keys)}
    context = {
        "event": shown,
        "kind": KINDS[shown.kind],
        "rows": [(row.customer, tasks.get(row.customer_id), row.relevance) for row in rows],
        "reached": matches.count(),
        "skipped": event.skipped(shown, request.user),
        "may_withdraw": shown.withdrawn_at is None and event.may_withdraw(shown, request.user),
    }
    return render_page(request, "contacts/event_detail.html", context)


@require_POST
@may_see
def event_withdraw(request, pk):
    """Take an event back."""
    shown = get_object_or_404(ContactEvent.objects.visible_to(request.user), pk=pk)
    try:
        event.withdraw(event=shown, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Withdrawn; open reminders of it are gone"))
    return redirect("contacts:event_list")
