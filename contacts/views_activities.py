"""The pages of activities: the list, the plan, inviting, the door list on a phone, and what it brought."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from contacts import activity as verbs
from contacts import activity_effect
from contacts.forms import MomentInput
from contacts.models import Activity, Invitation
from customers.effect import Effect
from customers.effect_words import effect_words
from customers.models import Customer, Segment
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS
from staff.shell import render_page, take_step

Status = Activity.Status
SHOWN, CANDIDATES = 100, 60

may_see = permission_required("customers.view_customer", raise_exception=True)
may_plan = permission_required("contacts.plan_activity", raise_exception=True)


class PlanForm(forms.ModelForm):
    """Reads a plan; `activity.plan` writes it. Offers hosts of the outlet and segments in the viewer's sight."""

    class Meta:
        model = Activity
        fields = (
            "theme", "kind", "goal", "segment", "size", "place", "starts_at", "ends_at", "budget", "host", "resource",
        )  # fmt: skip

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["segment"].queryset = Segment.objects.visible_to(viewer)
        self.fields["host"].queryset = Staff.objects.active().filter(branch=viewer.branch)
        for name in ("starts_at", "ends_at"):
            self.fields[name].widget = MomentInput()
        for field in self.fields.values():
            chooses = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if chooses else "form-control"


def _activity(request, pk: int) -> Activity:
    return get_object_or_404(
        Activity.objects.visible_to(request.user).select_related("host", "branch", "segment", "planned_by"), pk=pk
    )


@require_GET
@may_see
def activity_list(request):
    """What is planned and what was, the newest first."""
    rows = Activity.objects.visible_to(request.user).select_related("host", "branch").annotate(
        invited=Count("invitations"), came=Count("invitations", filter=Q(invitations__attended=True))
    )[:SHOWN]  # fmt: skip
    over = (Status.HELD, Status.REVIEWED, Status.CANCELLED)
    context = {
        "coming": [row for row in rows if row.status not in over],
        "past": [row for row in rows if row.status in over],
        "may_plan": request.user.has_perm("contacts.plan_activity"),
    }
    return render_page(request, "contacts/activity_list.html", context)


@may_plan
def activity_plan(request, pk=None):
    """Write a new plan, or change one that is a draft."""
    planned = get_object_or_404(Activity.objects.run_by(request.user), pk=pk) if pk else None
    if planned and planned.status != Status.DRAFT:
        return redirect(planned)
    form = PlanForm(request.POST or None, instance=planned, viewer=request.user, initial={"host": request.user.pk})
    if request.method == "POST" and form.is_valid():
        try:
            made = verbs.plan(by=request.user, activity=planned, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("ends_at", str(refusal))
        else:
            messages.success(request, _("The plan is kept."))
            return redirect(made)
    status = 422 if form.is_bound and form.errors else 200
    return render_page(request, "contacts/activity_form.html", {"form": form, "activity": planned}, status=status)


@require_GET
@may_see
def activity_page(request, pk):
    """One activity: the plan, whom to invite with who is passed over and why, the guests, what it brought."""
    shown, on, staff = _activity(request, pk), timezone.localdate(), request.user
    may = staff.has_perm("contacts.plan_activity")
    guests = shown.invitations.visible_to(staff).select_related("customer__manager").order_by("customer__name")
    context = {
        "activity": shown,
        "guests": guests,
        "steps": _steps(shown, staff) if may and Activity.objects.run_by(staff).filter(pk=pk).exists() else [],
        "may": may,
        "on": on,
        "scores": range(1, 6),
    }
    if shown.status == Status.INVITING and may:
        asked = verbs.candidates(shown, Customer.objects.visible_to(staff).filter(service_tier__gte=1), on=on)
        context["candidates"] = list(asked.filter(skip="").select_related("manager")[:CANDIDATES])
        passed = asked.exclude(skip="").order_by().values("skip").annotate(n=Count("pk")).order_by("-n")
        context["passed"] = [(verbs.SKIPS[row["skip"]], row["n"]) for row in passed]
    if shown.status in (Status.HELD, Status.REVIEWED):
        found = activity_effect.result_of(shown, on=on)
        context["result"] = found
        context["effects"] = [
            (days, effect_words(known, _compared(known)) if known else "") for days, known in found.effects.items()
        ]
    return render_page(request, "contacts/activity.html", context)


def _compared(found: Effect) -> str:
    return _("{treated} guests, {control} customers alike").format(treated=found.treated, control=found.control)


def _steps(shown: Activity, staff: Staff) -> list[str]:
    """Return the steps that this person may take now."""
    decides = staff.role in HEADS and staff.pk != shown.planned_by_id
    return {
        Status.DRAFT: ["submit", "cancel"],
        Status.APPROVAL: (["approve", "send_back"] if decides else []) + ["cancel"],
        Status.INVITING: (["hold"] if shown.starts_at <= timezone.now() else []) + ["cancel"],
        Status.HELD: ["review"],
    }.get(Status(shown.status), [])


class ReviewForm(forms.Form):
    """Reads what an activity cost and what was learnt."""

    cost = forms.DecimalField(label=gettext_lazy("cost, yuan"), min_value=0, max_digits=12, decimal_places=2)
    review = forms.CharField(label=gettext_lazy("what was learnt"), max_length=500)


@require_POST
@may_plan
def activity_step(request, pk):
    """Take a step: submit, approve, send_back, hold, review, cancel."""
    shown = get_object_or_404(Activity.objects.run_by(request.user), pk=pk)
    acts = {
        "submit": lambda: verbs.submit(activity=shown, by=request.user),
        "approve": lambda: verbs.decide(activity=shown, approve=True, by=request.user),
        "send_back": lambda: verbs.decide(activity=shown, approve=False, by=request.user),
        "hold": lambda: verbs.hold(activity=shown, by=request.user, on=timezone.localdate()),
        "cancel": lambda: verbs.cancel(activity=shown, why=request.POST.get("why", ""), by=request.user),
    }
    if request.POST.get("step") == "review":
        form = ReviewForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Give the cost and what was learnt."))
            return redirect(shown)
        acts["review"] = lambda: verbs.review(activity=shown, by=request.user, **form.cleaned_data)
    take_step(request, acts)
    return redirect(shown)


@require_POST
@may_plan
def activity_invite(request, pk):
    """Invite the customers that were ticked; who is passed over is told with the reason."""
    shown = _activity(request, pk)
    keys = [int(key) for key in request.POST.getlist("customer") if key.isdigit()][:500]
    try:
        number, passed = verbs.invite(activity=shown, customers=keys, by=request.user, on=timezone.localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(shown)
    said = ngettext("{n} customer invited", "{n} customers invited", number).format(n=number)
    if passed:
        said += _("; passed over: {reasons}").format(
            reasons=", ".join(f"{verbs.SKIPS[code]} {n}" for code, n in passed.items())
        )
    messages.success(request, said)
    return redirect(shown)


class NoteForm(forms.Form):
    """Reads one thing about an invitation: the answer, whether the guest came, or what he thought."""

    reply = forms.ChoiceField(choices=Invitation.Reply.choices, required=False)
    attended = forms.ChoiceField(choices=[("1", ""), ("0", "")], required=False)
    satisfaction = forms.IntegerField(min_value=1, max_value=5, required=False)
    feedback = forms.CharField(max_length=200, required=False)
    next_time = forms.BooleanField(required=False)
    part = forms.CharField(max_length=60, required=False)


@require_POST
@may_plan
def invitation_note(request, pk):
    """Note the answer, the part, the coming or the opinion of one guest; back to the same place of the list."""
    guest = get_object_or_404(Invitation.objects.visible_to(request.user).select_related("activity"), pk=pk)
    form = NoteForm(request.POST)
    said = form.cleaned_data if form.is_valid() else {}
    try:
        if said.get("reply"):
            verbs.answer(invitation=guest, by=request.user, reply=said["reply"])
        elif said.get("attended"):
            verbs.check_in(invitation=guest, by=request.user, attended=said["attended"] == "1")
        elif "part" in request.POST and "part" in said:
            verbs.give_part(invitation=guest, by=request.user, part=said["part"])
        elif said.get("satisfaction") or said.get("feedback") or said.get("next_time"):
            verbs.ask_opinion(
                invitation=guest,
                by=request.user,
                satisfaction=said.get("satisfaction"),
                feedback=said.get("feedback", ""),
                next_time=said["next_time"],
            )
        else:
            messages.error(request, _("Say what is to be noted."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{guest.activity.get_absolute_url()}#guest-{guest.pk}")
