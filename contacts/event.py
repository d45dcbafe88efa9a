"""The verbs of entered events: publish to whom it concerns, withdraw (domain.md §8)."""

from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import detection
from contacts.event_catalogue import ENTERED, KINDS, PITCH_DAYS
from contacts.models import ContactEvent, ContactLog, ContactTask, EventMatch, Feedback
from customers import reach
from customers.models import Customer, Holding, Product, Segment
from customers.segments import membership
from staff import audit
from staff.models import Branch, Staff
from staff.refusal import Refused

SKIPS = {
    **dict(reach.Skip.choices),
    "pitch_cap": gettext_lazy("approached about a product within 7 days"),
    "complaint": gettext_lazy("a complaint is open"),
    "no_manager": gettext_lazy("nobody looks after the customer"),
}
"""Why a customer is not approached, in words."""


class EventRefused(Refused):
    """This event cannot be published or withdrawn; the message says why."""

    code = "event_refused"


@transaction.atomic
def publish(
    *,
    kind: str,
    title: str,
    occurs_on: date,
    by,
    branch: Branch,
    on: date,
    note: str = "",
    expires_on: date | None = None,
    segment: Segment | None = None,
    product: Product | None = None,
    customer: Customer | None = None,
    source: str = ContactEvent.Source.MANUAL,
    external_id: str | None = None,
) -> ContactEvent:
    """Enter an event, decide whom it concerns, and open their tasks where it has appeared already.

    It concerns the one customer, or the members of the segment, or, of a product, its holders (a change of yield) or
    those whom it suits. `external_id` again changes nothing.

    Args:
        by: the member of staff or API client in whose sight the customers are.

    Raises:
        EventRefused: no such kind, no title, over already, or nothing says whom it concerns.
    """
    if external_id:
        _wait_for(external_id)
    if external_id and (known := ContactEvent.objects.filter(external_id=external_id).first()):
        return known
    if kind not in ENTERED:
        raise EventRefused(_("This kind of event is found by the system, not entered."))
    title = " ".join(title.split())
    if not title:
        raise EventRefused(_("Say in a few words what happens."))
    rule = KINDS[kind]
    expires_on = expires_on or occurs_on + timedelta(days=rule.lasts)
    if expires_on < on:
        raise EventRefused(_("This event is over already; choose a later day."))
    customers = _concerned(kind=kind, segment=segment, product=product, customer=customer, by=by, on=on)
    made = ContactEvent.objects.create(
        branch=branch,
        kind=kind,
        title=title[:60],
        note=note.strip()[:300],
        occurs_on=occurs_on,
        appears_on=min(occurs_on - timedelta(days=rule.lead), expires_on),
        expires_on=expires_on,
        segment=segment,
        product=product,
        source=source,
        entered_by=by if isinstance(by, Staff) else None,
        external_id=external_id,
    )
    _match(made, customers.filter(branch__in=Branch.objects.under(branch.pk)), on)
    _write_tasks(made, on)
    audit.record("event.published", made, by=by, kind=kind, number=made.matches.filter(skip="").count())
    return made


def _wait_for(external_id: str) -> None:
    """Let two that publish the same event come one after the other: the second finds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"event:{external_id}"])


@transaction.atomic
def withdraw(*, event: ContactEvent, by: Staff, on: date) -> None:
    """Take an event back: its open tasks lapse.

    Raises:
        EventRefused: it is of an institution above, and not `by`'s own, or it was withdrawn already.
    """
    if not may_withdraw(event, by):
        raise EventRefused(_("Whoever published this event, or the institution it comes from, withdraws it."))
    if not ContactEvent.objects.filter(pk=event.pk, withdrawn_at=None).update(withdrawn_at=Now()):
        raise EventRefused(_("This event was withdrawn already."))
    _write_tasks(event, on)
    audit.record("event.withdrawn", event, by=by, kind=event.kind)


def may_withdraw(event: ContactEvent, by: Staff) -> bool:
    """Say whether somebody may take an event back: his own, or one of his institution and beneath if he publishes."""
    if event.entered_by_id == by.pk:
        return True
    here = Branch.objects.under(by.branch_id).filter(pk=event.branch_id).exists()
    return here and by.has_perm("contacts.publish_event")


def _concerned(*, kind: str, segment, product, customer, by, on: date):
    everybody = Customer.objects.visible_to(by).assignable()
    if customer is not None:
        return everybody.filter(pk=customer.pk)
    if segment is not None:
        return everybody.filter(pk__in=membership.customers_of(segment, on=on).values("pk"))
    if product is None:
        raise EventRefused(_("Choose a segment, a product or a customer: whom does it concern?"))
    if kind == "yield_change":
        held = Holding.objects.active().filter(product=product, customer=OuterRef("pk"))
        return everybody.filter(Exists(held))
    assessed = Q(risk_assessed_on__gt=on - timedelta(days=365), risk_grade__gte=product.risk_level or 1)
    return everybody.vip().filter(assessed)


def _match(event: ContactEvent, customers, on: date) -> None:
    """Write whom an event concerns and why somebody is skipped, in one statement."""
    kind = KINDS[event.kind]
    rows = customers.annotate(why=reach.why_not(kind.purpose)).order_by()
    whens = [When(manager=None, then=Value("no_manager")), When(~Q(why=""), then=F("why"))]
    if kind.pitches:
        complaint = Feedback.objects.open_complaints().filter(customer=OuterRef("pk"))
        whens.append(When(Exists(complaint), then=Value("complaint")))
        whens.append(When(_pitched(on), then=Value("pitch_cap")))
    rows = rows.annotate(skip=Case(*whens, default=Value(""), output_field=CharField()))
    select, parameters = rows.values_list("pk", "skip").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_eventmatch (event_id, customer_id, skip, relevance)"
            f" SELECT %s, m.id, m.skip, ({_RELEVANCE}) FROM ({select}) AS m(id, skip) JOIN customers_customer c ON c.id = m.id",
            [event.pk, *_relevance_values(event), *parameters],
        )


_RELEVANCE = """
15 + 5 * c.service_tier
   + CASE WHEN EXISTS (SELECT FROM customers_holding h WHERE h.customer_id = c.id AND h.status = 'active' AND h.product_id = %s) THEN 30
          WHEN EXISTS (SELECT FROM customers_holding h JOIN customers_product p ON p.id = h.product_id
                        WHERE h.customer_id = c.id AND h.status = 'active' AND p.category = %s) THEN 20 ELSE 0 END
   + CASE WHEN EXISTS (SELECT FROM unnest(c.tags) tag WHERE position(tag IN %s) > 0) THEN 25 ELSE 0 END
   + CASE WHEN EXISTS (SELECT FROM customers_hobby y WHERE y.customer_id = c.id AND y.ended_at IS NULL AND position(y.word IN %s) > 0)
            OR EXISTS (SELECT FROM customers_resource r WHERE r.customer_id = c.id AND r.ended_at IS NULL AND position(r.word IN %s) > 0)
          THEN 15 ELSE 0 END
"""
"""How much an event concerns a customer (domain.md §8, the points are an assumption): 15 for being matched, 5 a tier, 30 for holding
its product or 20 for one of its category, 25 for a tag that its words name, 15 for a hobby or a need that they name."""


def _relevance_values(event: ContactEvent) -> list:
    words = f"{event.title} {event.note}"
    product = event.product
    return [product and product.pk, product.category if product else "", words, words, words]


def _pitched(on: date) -> Q:
    """Say that a customer was approached about a product within PITCH_DAYS: by talk, or by an event that is open."""
    since = on - timedelta(days=PITCH_DAYS)
    talk = ContactLog.objects.standing().filter(customer=OuterRef("pk"), purpose="product", on__gt=since)
    pitches = [code for code, kind in KINDS.items() if kind.pitches]
    task = ContactTask.objects.filter(customer=OuterRef("pk"), reason__in=pitches, opened_on__gt=since)
    return Q(Exists(talk)) | Q(Exists(task.exclude(status=ContactTask.Status.DISMISSED)))


def _write_tasks(event: ContactEvent, on: date) -> None:
    matched = EventMatch.objects.filter(event=event, skip="")
    for branch_id in matched.order_by().values_list("customer__branch", flat=True).distinct():
        detection.write_found(branch_id=branch_id, on=on, reasons={event.kind})


def counted(events, viewer):
    """Give each event of a queryset how many customers in the viewer's sight it concerns, and how many are skipped."""
    seen = Q(matches__customer__in=Customer.objects.visible_to(viewer))
    return events.annotate(
        concerned=Count("matches", filter=seen & Q(matches__skip="")),
        skipped=Count("matches", filter=seen & ~Q(matches__skip="")),
    )


def skipped(event: ContactEvent, viewer) -> list[tuple[str, int]]:
    """Return (why in words, how many in the viewer's sight) of those who are not approached, the most first."""
    rows = EventMatch.objects.visible_to(viewer).filter(event=event).exclude(skip="").order_by().values("skip")
    counted = rows.annotate(n=Count("pk")).values_list("skip", "n")
    return sorted(((str(SKIPS.get(code, code)), number) for code, number in counted), key=lambda row: -row[1])
