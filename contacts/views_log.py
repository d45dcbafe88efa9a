"""Logging a contact: the drawer and the page behind it, its effects beforehand, and taking it back."""

from datetime import date, timedelta
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap, retarget

from contacts import agenda, calendar, care, contact_log
from contacts.effects import effects_of
from contacts.forms import PHRASES, PURPOSES, REACHED, ContactForm, CorrectionForm, Offer
from contacts.models import CommunicationReport, ContactLog, Opportunity
from contacts.reasons import reason_of
from contacts.views_today import answer, chosen_kind, is_behind
from customers.models import Customer
from customers.segments.strategy import scripts_for
from staff import audit, formats
from staff.refusal import Refused
from staff.shell import render_page, wants_part

MAIN_WAYS = ("phone", "office", "wechat", "sms")
"""The ways offered at first; the others stand behind one click."""

MATURITIES = ("deposit_due", "wealth_due", "insurance_due")


@permission_required("contacts.log_contact", raise_exception=True)
def log(request, pk):
    """The drawer to log a contact (to htmx), or the page with the same form."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    view = _View(request, customer)
    if request.method != "POST":
        return render_page(request, "contacts/log.html", view.context(), partial="drawer")

    form = view.form
    if form.is_valid():
        before = _order_of(request)
        try:
            written = contact_log.log_contact(
                customer=customer, by=request.user, on=timezone.localdate(), **form.keywords()
            )
        except Refused as refusal:
            form.add_error(getattr(refusal, "field", None), str(refusal))
        else:
            return _saved(request, written, before)
    status = 422 if wants_part(request) else 200
    return render_page(request, "contacts/log.html", view.context(), partial="drawer", status=status)


@require_GET
@permission_required("contacts.log_contact", raise_exception=True)
def effects(request, pk):
    """The green line: what saving the form as it stands would change."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = _View(request, customer, data=request.GET).form
    form.is_valid()
    context = {
        "effects": _effects(form, customer, request.user),
        "form": form,
        "form_data": _values(form),
        "is_change": True,
    }
    return render(request, "contacts/log.html#changes", context)


@permission_required("contacts.log_contact", raise_exception=True)
def correct(request, pk):
    """Give one's contact other words or facts; the page shows the earlier versions."""
    logs = ContactLog.objects.visible_to(request.user).filter(staff=request.user, voided_at=None)
    written = get_object_or_404(logs.select_related("customer"), pk=pk)
    initial = {name: getattr(written, name) for name in ("channel", "minutes", "purpose", "summary")}
    form = CorrectionForm(request.POST or None, initial=initial | {"at": timezone.localtime(written.at)})
    if request.method == "POST" and form.is_valid():
        try:
            contact_log.correct(log=written, by=request.user, on=timezone.localdate(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(getattr(refusal, "field", None), str(refusal))
        else:
            messages.success(request, _("Contact corrected; the earlier version is kept"))
            return redirect(written.customer)
    versions = written.versions.select_related("corrected_by")
    context = {"log": written, "customer": written.customer, "form": form, "versions": versions}
    return render_page(request, "contacts/log_correct.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def void(request, pk):
    """Take a contact back that the person logged: what it closed is open again."""
    written = get_object_or_404(ContactLog.objects.visible_to(request.user).filter(staff=request.user), pk=pk)
    try:
        contact_log.void(log=written, by=request.user, on=timezone.localdate())
    except Refused as refusal:
        return answer(request, str(refusal), kind="error")
    return answer(request, _("Contact taken back"))


def _order_of(request) -> list[int]:
    work = agenda.today(staff=request.user, on=timezone.localdate())
    return [row.customer.pk for row in work.rows]


def _saved(request, written: ContactLog, before: list[int]):
    """Answer a saved contact: the list without its row, the next customer if asked for, and an undo."""
    message = _("Contact with {name} logged").format(name=written.customer.name)
    if due := CommunicationReport.objects.filter(log=written).first():
        message = _("{logged}; its report is due {day}").format(
            logged=message, day=formats.day(due.due_on, today=timezone.localdate())
        )
    undo_url = reverse("contacts:log_void", args=[written.pk])
    follower = _follower(request, before, written.customer_id) if "next" in request.POST else None
    if not wants_part(request):
        messages.success(request, message)
        return redirect("contacts:log", follower.pk) if follower else redirect(written.customer)
    drawer = _View(request, follower, data=None).context() if follower else None
    return answer(request, message, undo_url=undo_url, drawer=drawer)


def _follower(request, before: list[int], done: int) -> Customer | None:
    """Return the customer after the one just done, in the order that was on the page."""
    left = _order_of(request)
    at = before.index(done) + 1 if done in before else 0
    rest = [pk for pk in before[at:] + before[:at] if pk in left and pk != done]
    return Customer.objects.visible_to(request.user).filter(pk=rest[0]).first() if rest else None


def log_drawer(request, customer: Customer, *, reason: str):
    """Answer with the drawer of a customer because something else needs a contact first, and say so."""
    context = _View(request, customer, data=None).context() | {"notice": reason}
    response = render(request, "contacts/log.html#drawer", context, status=422)
    return reswap(retarget(response, "#drawer"), "innerHTML")


class _View:
    """The form of one customer with all that the page around it shows."""

    def __init__(self, request, customer: Customer, data="post"):
        self.request, self.customer = request, customer
        self.staff, self.on = request.user, timezone.localdate()
        tasks = customer.tasks.due(self.on).select_related("customer").order_by("due_on", "pk")
        tasks = tasks.exclude(reason__in=["report_due", "complaint"])  # written, not talked away
        self.tasks = [(task, reason_of(task, on=self.on, viewer=self.staff)) for task in tasks]
        self.leads = self._leading()
        self.open_ones = list(customer.opportunities.open().order_by("next_action_on", "pk"))
        self.offers = list(self._offers())
        bound = (request.POST if request.method == "POST" else None) if data == "post" else data
        self.form = ContactForm(
            bound,
            customer=customer,
            phrases=PHRASES[self.leads],
            offers=self.offers,
            may_move=self._may_move(),
            may_learn=self.staff.has_perm("customers.edit_profile"),
            initial=self._initial(),
        )

    def _leading(self) -> str:
        sources = [task.source for task, _reason in self.tasks]
        return next((source for source in ("alert", "event", "opportunity", "regime") if source in sources), "manual")

    def _initial(self) -> dict:
        chosen = self.request.GET.get("channel", "phone")
        return {
            "channel": chosen if chosen in ContactLog.Channel.values else "phone",
            "result": REACHED,
            "at": timezone.localtime().replace(second=0, microsecond=0),
            "purpose": PURPOSES.get(self.leads, ContactLog.Purpose.CARE),
            "closes": [task.pk for task, _reason in self.tasks],
            "moves": [o.pk for o in self.open_ones if o.stage in (Opportunity.Stage.NEW, Opportunity.Stage.PLANNED)],
            "opens": [offer.code for offer in self.offers],
            "key": uuid4().hex,
        }

    def _offers(self):
        """Yield the opportunities that a maturing holding suggests, unless one like it is open."""
        if any(o.kind == Opportunity.Kind.RETENTION for o in self.open_ones):
            return
        if not self.staff.has_perm("contacts.move_opportunity"):
            return
        for task, _reason in self.tasks:
            if task.reason in MATURITIES:
                opens = contact_log.NewOpportunity(
                    kind=Opportunity.Kind.RETENTION,
                    title=_("Renew {product}").format(product=task.figures["product"])[:80],
                    expected_amount=task.stake,
                    expected_on=date.fromisoformat(task.figures["matures_on"]),
                )
                yield Offer(code=f"renew-{task.pk}", opens=opens)
                return

    def context(self) -> dict:
        form = self.form
        movable = [o for o in self.open_ones if o.stage in _MOVABLE] if self._may_move() else []
        place = _place(self.request, self.customer)
        return {
            "customer": self.customer,
            "form": form,
            "form_data": _values(form),
            "reasons": self.tasks,
            "care": care.care_of(self.customer, self.on).warnings(self.on),
            "movable": movable,
            "offers": self.offers,
            "last": self.customer.contact_logs.standing()
            .exclude(result=ContactLog.Result.NOT_REACHED)
            .order_by("-at")
            .first(),
            "main_ways": [(v, label, _WAY_ICONS[v]) for v, label in ContactLog.Channel.choices if v in MAIN_WAYS],
            "other_ways": [(v, label) for v, label in ContactLog.Channel.choices if v not in MAIN_WAYS],
            "phrases": [str(phrase) for phrase in PHRASES[self.leads]],
            "scripts": scripts_for(self.customer),
            "next_days": self._next_days(),
            "fortnight": calendar.fortnight_for(staff=self.staff, on=self.on),
            "effects": _effects(form, self.customer, self.staff),
            "place": place,
            "kind": chosen_kind(self.request),
            "behind": "today" if is_behind(self.request) else "other",
            "on": self.on,
        }

    def _may_move(self) -> bool:
        return self.staff.has_perm("contacts.move_opportunity")

    def _next_days(self) -> list[tuple[str, str]]:
        on = self.on
        days = [
            ((on + timedelta(days=1)).isoformat(), _("Tomorrow")),
            ((on + timedelta(days=3)).isoformat(), _("In 3 days")),
            ((on + timedelta(days=7 - on.weekday())).isoformat(), _("Next Monday")),
        ]
        maturing = [task.figures["matures_on"] for task, _reason in self.tasks if task.reason in MATURITIES]
        eve = date.fromisoformat(min(maturing)) - timedelta(days=1) if maturing else None
        if eve and eve > on:
            days.append((eve.isoformat(), _("Day before it matures")))
        return days


_MOVABLE = (Opportunity.Stage.NEW, Opportunity.Stage.PLANNED, Opportunity.Stage.ON_HOLD)
_WAY_ICONS = {"phone": "phone", "office": "users", "wechat": "brand-wechat", "sms": "message-2"}


def _values(form) -> dict:
    """Return the chosen values, of the bound form or of its beginning, for the boxes drawn by hand."""
    words = {name: {str(v) for v in form[name].value() or []} for name in ("phrases", "opens", "learns")}
    keys = {name: {int(v) for v in form[name].value() or [] if str(v).isdigit()} for name in ("closes", "moves")}
    return (
        words
        | keys
        | {
            "channel": form["channel"].value(),
            "result": form["result"].value(),
            "next_choice": str(form["next_choice"].value() or ""),
        }
    )


def _effects(form, customer: Customer, staff) -> list[str]:
    """Return what saving the form would change, of what it holds so far."""
    data = getattr(form, "cleaned_data", None) or form.initial
    at = data.get("at") or timezone.localtime()
    closes = data.get("closes") or []
    channel = data.get("channel") or "phone"
    return effects_of(
        customer=customer,
        staff=staff,
        on=timezone.localdate(),
        channel=channel,
        is_reached=(data.get("result") or REACHED) == REACHED,
        contact_on=timezone.localdate(at),
        closes=len(closes),
        advances=len(data.get("moves") or []) + len(data.get("opens") or []),
        next_on=data.get("next_contact_on") or data.get("next_choice"),
    )


def _place(request, customer: Customer) -> dict | None:
    """Return the customer's place in Today, if it is there: {place, total}."""
    work = agenda.today(staff=request.user, on=timezone.localdate())
    row = next((row for row in work.rows if row.customer.pk == customer.pk), None)
    return {"place": row.place, "total": len(work.rows)} if row else None


@require_POST
@permission_required(["contacts.log_contact", "customers.reveal_sensitive"], raise_exception=True)
def dial(request, pk):
    """Dial the customer's mobile: the number goes to the telephone, never onto the page, and the trail keeps who dialled."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    audit.record("customer.dialled", customer, by=request.user)
    response = HttpResponse(status=204)
    if customer.mobile:
        response["HX-Redirect"] = f"tel:{customer.mobile}"
    return response
