"""Messages to customers: drafted by the night, released by people, sent within the window, once each (domain.md §7).

`recipients` is the one query that says who may be written to; the night asks it, and the sender asks it again.
"""

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.festivals import audience_of, festival_on
from contacts.mail_gateway import MailGateway
from contacts.models import ContactEvent, Feedback, MessageTemplate, OutboundMessage
from contacts.sms_gateway import Gateway, MayHaveLeft, TryLater, gateway
from contacts.sms_gateway import Refused as GatewayRefused
from customers import reach
from customers.birthdays import birthdays
from customers.models import Customer, Holding, ProfileValue
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

Status, Kind, Channel = OutboundMessage.Status, MessageTemplate.Kind, OutboundMessage.Channel

OPENS, CLOSES = time(9), time(20)
"""The bank's hours within which messages leave (domain.md §7)."""

MARKETING_CAP, CAP_DAYS = 2, 7
"""Marketing messages a customer in so many days (domain.md §7)."""

MATURITY_DAYS = 3
LEASE, MAX_ATTEMPTS, PAUSE = timedelta(minutes=5), 5, timedelta(minutes=2)

OF_ONE_DAY = (Kind.BIRTHDAY, Kind.FESTIVAL)
"""Kinds that are of no use after their day."""

PURPOSE = {
    Kind.BIRTHDAY: "care", Kind.FESTIVAL: "care", Kind.MATURITY: reach.SERVICE, Kind.PRODUCT: "marketing", Kind.YIELD: "care",
}  # fmt: skip

OF_EVENTS = {Kind.PRODUCT: "new_product", Kind.YIELD: "yield_change"}
"""Kinds that tell of an entered event, on its first morning, those whom it reaches."""

logger = logging.getLogger(__name__)


class MessageRefused(Refused):
    """This cannot be done with these messages; the message says why."""

    code = "message_refused"


# --- Who may be written to -----------------------------------------------------------------------------


def why_not(purpose: str, *, channel: str = Channel.SMS, but: int | None = None):
    """Return the expression of why a customer gets no message over a channel for a purpose; "" for who does.

    `but` is a message that does not count towards the cap: the one that is about to leave.

    What `reach` says of consent and refusal over the channel, then: nobody looks after him, no number or address, the cap.
    """
    recent = OutboundMessage.objects.filter(
        customer=OuterRef("pk"), purpose="marketing", drafted_at__gt=timezone.now() - timedelta(days=CAP_DAYS)
    ).exclude(Q(status__in=[Status.CANCELLED, Status.SKIPPED, Status.FAILED]) | Q(pk=but))
    counted = recent.order_by().values("customer").annotate(n=Count("pk")).values("n")
    whens = [
        When(manager=None, then=Value("no_manager")),
        When(~Q(Exists(_addresses())), then=Value("no_email"))
        if channel == Channel.EMAIL
        else When(mobile_masked="", then=Value("no_mobile")),
        When(~Q(reach_why=""), then="reach_why"),
    ]
    if channel == Channel.EMAIL and purpose != reach.SERVICE:
        # Who refused text messages is not followed into his mail: it is written to where he allowed it.
        whens.append(When(~Exists(reach.consenting(purpose, channel)), then=Value(reach.Skip.NO_CONSENT)))
    if purpose == "marketing":
        complaint = Feedback.objects.open_complaints().filter(customer=OuterRef("pk"))
        whens.append(When(Exists(complaint), then=Value("complaint")))
        whens.append(When(Exists(counted.filter(n__gte=MARKETING_CAP)), then=Value("cap")))
    return Case(*whens, default=Value(""), output_field=CharField())


def _addresses():
    """Return the e-mail addresses that hold in the archive of the customer around it."""
    return ProfileValue.objects.current().filter(customer=OuterRef("pk"), field="email")


def judged(customers, purpose: str, *, channel: str = Channel.SMS, but: int | None = None):
    """Give each customer `skip`: why he gets no message over a channel for a purpose; "" for who does."""
    reached = customers.alias(reach_why=reach.why_not(purpose, channel))
    return reached.annotate(skip=why_not(purpose, channel=channel, but=but))


def judged_over_channels(customers, purpose: str):
    """Give each customer `skip`: why he gets no text message; "" for who gets one, or an e-mail instead."""
    by_mail = recipients(customers.order_by(), purpose, channel=Channel.EMAIL).values("pk")
    texts = customers.alias(reach_why=reach.why_not(purpose, Channel.SMS)).alias(no_text=why_not(purpose))
    return texts.annotate(
        skip=Case(When(pk__in=by_mail, then=Value("")), default=F("no_text"), output_field=CharField())
    )


def recipients(customers, purpose: str, *, channel: str = Channel.SMS, but: int | None = None):
    """Keep the customers who may be written to for a purpose over a channel."""
    return judged(customers, purpose, channel=channel, but=but).filter(skip="")


# --- Drafting, at night --------------------------------------------------------------------------------


@transaction.atomic
def draft_branch(*, branch_id: int, on: date) -> int:
    """Draft the messages of a day for an outlet's customers; run again it drafts nothing twice; return how many."""
    everybody = Customer.objects.filter(branch=branch_id, merged_into=None).assignable()
    drafted = 0
    for template in MessageTemplate.objects.filter(status=MessageTemplate.Status.APPROVED):
        for customers, words in _occasions(template.kind, everybody, on):
            pattern = OutboundMessage(
                kind=template.kind, purpose=PURPOSE[Kind(template.kind)], template=template, body=template.body, occasion_on=on
            )  # fmt: skip
            drafted += draft_over_channels(pattern, customers, words, is_released=template.auto_release)
    return drafted


def _occasions(kind: str, everybody, on: date) -> list[tuple]:
    """Return [(customers, {placeholder: expression or text})] of a kind on a day."""
    match kind:
        case Kind.BIRTHDAY:
            names = [(name, lunar) for name, _day, lunar in birthdays(on, on)]
            solar = [name for name, lunar in names if not lunar]
            born = Q()
            for name in solar:
                month, day = map(int, name.split("-"))
                born |= Q(birth_date__month=month, birth_date__day=day)
            lunar = Q(lunar_birthday__in=[name for name, lunar in names if lunar])
            return [(everybody.filter(Q(lunar_birthday="") & born | lunar), {})]
        case Kind.FESTIVAL:
            festival = festival_on(on)
            if festival is None:
                return []
            return [(everybody.filter(audience_of(festival, on)), {"festival": festival.name, "wish": festival.wish})]
        case Kind.MATURITY:
            due = on + timedelta(days=MATURITY_DAYS)
            held = Holding.objects.active().filter(customer=OuterRef("pk"), matures_on=due)
            product = Subquery(held.order_by("-amount").values("product__name")[:1])
            return [(everybody.filter(Exists(held)), {"product": product, "day": f"{due.month}月{due.day}日"})]
        case Kind.PRODUCT | Kind.YIELD:
            return [
                (everybody.filter(pk__in=found.matches.filter(skip="").values("customer")),
                 {"product": found.product.name, "event": found.title})
                for found in _fresh_events(OF_EVENTS[Kind(kind)], on)
            ]  # fmt: skip
    return []


def _fresh_events(kind: str, on: date):
    """Return the events of a kind that appear on a day, or were entered the day before and have appeared by then."""
    entered = Q(appears_on__lt=on, entered_at__date=on - timedelta(days=1))
    events = ContactEvent.objects.filter(Q(appears_on=on, entered_at__date__lt=on) | entered, kind=kind)
    return (
        events.filter(withdrawn_at=None, product__isnull=False, expires_on__gte=on)
        .select_related("product")
        .order_by("pk")
    )


def draft_over_channels(pattern: OutboundMessage, customers, words: dict, *, is_released: bool = False) -> int:
    """Draft a text message for who may get one, and an e-mail for who may get that alone; return how many."""
    drafted = 0
    for channel in Channel:
        pattern.channel = channel
        chosen = recipients(customers, pattern.purpose, channel=channel)
        if channel != Channel.SMS:  # who got the text message of this occasion gets nothing else
            chosen = chosen.exclude(pk__in=recipients(customers, pattern.purpose).values("pk"))
        drafted += draft(pattern, chosen, words, is_released=is_released)
    return drafted


def draft(pattern: OutboundMessage, customers, words: dict, *, is_released: bool = False) -> int:
    """Write a message like `pattern` for each of the customers in one statement; who has it already gets none.

    Args:
        words: {placeholder: expression over the customer, or text}, besides name, title, manager and branch.
        is_released: it needs no person to release it.
    """
    on = pattern.occasion_on
    columns = {name: value for name, value in words.items() if not isinstance(value, str)}
    fixed = {name: value for name, value in words.items() if isinstance(value, str)}
    rows = customers.annotate(**{f"word_{name}": value for name, value in columns.items()}).order_by()
    picked = ["pk", "name", "gender", "manager__name", "branch__name", *(f"word_{name}" for name in columns)]
    select, parameters = rows.values_list(*picked).query.sql_with_params()
    body, values = "%s", [pattern.body]
    places = {
        "name": "c.name",
        "title": "CASE c.gender WHEN 'm' THEN '先生' WHEN 'f' THEN '女士' ELSE '' END",
        "manager": "c.manager",
        "branch": "c.branch",
    } | {name: f"c.word_{name}" for name in columns}
    for name, text in fixed.items():
        body, values = f"replace({body}, %s, %s)", [*values, f"{{{name}}}", text]
    for name, column in places.items():
        body, values = f"replace({body}, %s, coalesce({column}, ''))", [*values, f"{{{name}}}"]
    status = Status.RELEASED if is_released else Status.DRAFTED
    occasion = f"batch:{pattern.batch_id}:" if pattern.batch_id else f"{pattern.kind}:{on.isoformat()}:"
    names = ", ".join(["id", "name", "gender", "manager", "branch", *(f"word_{name}" for name in columns)])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_outboundmessage (key, customer_id, kind, purpose, channel, template_id, batch_id, body, occasion_on,"
            " status, released_at, not_before)"
            f" SELECT %s || c.id, c.id, %s, %s, %s, %s, %s, left({body}, 400), %s, %s, %s, %s FROM ({select}) AS c({names})"
            " ON CONFLICT (key) DO NOTHING",
            [
                occasion, pattern.kind, pattern.purpose, pattern.channel, pattern.template_id, pattern.batch_id, *values, on,
                status, timezone.now() if is_released else None, _opening(on), *parameters,
            ],
        )  # fmt: skip
        return cursor.rowcount


def _opening(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, OPENS))


# --- Releasing, by people ------------------------------------------------------------------------------


@transaction.atomic
def release(*, messages: Iterable[int], by: Staff) -> int:
    """Release drafts in the sight of `by`; return how many.

    Raises:
        MessageRefused: the role may not release messages.
    """
    if not by.has_perm("contacts.release_message"):
        raise MessageRefused(_("Messages are released by managers and the branch head."))
    drafts = OutboundMessage.objects.visible_to(by).drafted().filter(pk__in=list(messages))
    done = drafts.update(status=Status.RELEASED, released_by=by, released_at=Now())
    if done:
        audit.record("message.released", None, by=by, number=done)
    return done


@transaction.atomic
def cancel(*, messages: Iterable[int], by: Staff) -> int:
    """Cancel drafts, and what is released and has not left, in the sight of `by`; return how many."""
    if not by.has_perm("contacts.release_message"):
        raise MessageRefused(_("Messages are released by managers and the branch head."))
    waiting = OutboundMessage.objects.visible_to(by).filter(status__in=[Status.DRAFTED, Status.RELEASED])
    done = waiting.filter(pk__in=list(messages)).update(status=Status.CANCELLED)
    if done:
        audit.record("message.cancelled", None, by=by, number=done)
    return done


# --- Sending -------------------------------------------------------------------------------------------


def is_open(now: datetime) -> bool:
    """Say whether messages may leave at a moment, by the bank's clock."""
    return OPENS <= timezone.localtime(now).time() < CLOSES


def send_waiting(*, limit: int = 500, door: Gateway | None = None) -> dict[str, int]:
    """Send what is released, oldest first, within the hours; return how many ended in each status. Several may send at once.

    A message is claimed in a transaction of its own, handed over outside any, and marked after. A claim whose lease ran
    out may have left: it is `uncertain` and never sent again by itself.
    """
    counts: dict[str, int] = {}
    abandoned = OutboundMessage.objects.filter(status=Status.SENDING, lease_until__lt=timezone.now())
    counts[Status.UNCERTAIN] = abandoned.update(status=Status.UNCERTAIN, lease_until=None)
    door = door or gateway()
    # Without a provider of text messages e-mails leave all the same.
    channels = [channel for channel in Channel if door is not None or channel != Channel.SMS]
    for _turn in range(limit if is_open(timezone.now()) else 0):
        message = _claim(channels)
        if message is None:
            break
        status = message.status if message.status == Status.SKIPPED else _hand_over(message, door)
        counts[status] = counts.get(status, 0) + 1
    return {str(status): count for status, count in counts.items() if count}


@transaction.atomic
def _claim(channels: list) -> OutboundMessage | None:
    """Take the next message; one whose day is over, or whose customer may not be written to any more, is skipped."""
    waiting = OutboundMessage.objects.filter(
        status=Status.RELEASED, not_before__lte=timezone.now(), channel__in=channels
    )
    waiting = waiting.select_related("customer").order_by("not_before", "id")
    message = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if message is None:
        return None
    here = Customer.objects.filter(pk=message.customer_id)
    if message.kind in OF_ONE_DAY and message.occasion_on < timezone.localdate():
        message.status, message.why = Status.SKIPPED, "too_late"  # a night made good later greets nobody afterwards
    elif not recipients(here, message.purpose, channel=message.channel, but=message.pk).exists():
        message.status, message.why = Status.SKIPPED, "not_reachable"
    else:
        message.status, message.attempts = Status.SENDING, message.attempts + 1
        message.lease_until = timezone.now() + LEASE
    message.save(update_fields=["status", "why", "attempts", "lease_until"])
    return message


def _hand_over(message: OutboundMessage, door: Gateway | None) -> str:
    to = message.customer.mobile
    if message.channel == Channel.EMAIL:
        door, to = MailGateway(message.customer.branch.name), _email_of(message.customer)
    assert door is not None
    try:
        door.send(reference=message.reference, to=to, text=message.body)
    except TryLater as error:
        if message.attempts >= MAX_ATTEMPTS:
            return _mark(message, Status.FAILED, why=str(error))
        return _mark(message, Status.RELEASED, why=str(error), not_before=timezone.now() + PAUSE * 2**message.attempts)
    except GatewayRefused as error:
        return _mark(message, Status.FAILED, why=str(error))
    except MayHaveLeft as error:
        return _mark(message, Status.UNCERTAIN, why=str(error))
    return _mark(message, Status.SENT, sent_at=timezone.now())


def _email_of(customer: Customer) -> str:
    return ProfileValue.objects.current().get(customer=customer, field="email").sealed


def _mark(message: OutboundMessage, status: str, **columns) -> str:
    if columns.get("why"):
        logger.warning(
            "message not sent", extra={"message_id": message.pk, "status": str(status), "why": columns["why"]}
        )
    OutboundMessage.objects.filter(pk=message.pk).update(status=status, lease_until=None, **columns)
    return status


def delivered(*, reference: str, ok: bool, by, why: str = "") -> bool:
    """Note what the provider `by` says became of a message; say whether it is one of those in its sight."""
    number = reference.removeprefix("vip-")
    if not number.isdigit() or len(number) > 18:
        return False
    sent = OutboundMessage.objects.visible_to(by).filter(
        pk=number, status__in=[Status.SENT, Status.UNCERTAIN, Status.DELIVERED, Status.FAILED]
    )
    return bool(sent.update(status=Status.DELIVERED if ok else Status.FAILED, why=why[:120]))
