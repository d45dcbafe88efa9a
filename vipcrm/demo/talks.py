"""What people wrote and entered of late in the demo bank: communication reports, published events, judged windows."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Q
from django.utils import timezone

from contacts import activity, compliance, event, messages, report
from contacts.models import Activity, ContactLog
from customers.models import Customer, Product, Segment
from staff.models import Branch, Staff
from staff.roles import Role

WEEKS_JUDGED = 14
OPEN_DAYS, WRITTEN_DAYS, WRITTEN = 3, 20, 12

WORDS = {
    "situation": "家中近况平稳，有一笔资金月底到期，正在比较几家银行的安排。",
    "needs": "稳健增值，半年内不用的资金约 50 万，希望先看方案。",
    "attitude": "positive",
    "sales_plan": "一周内给出存单与理财的组合方案，到期前再约一次面谈。",
}


def write(*, today: date) -> Counter:
    """Write it for all outlets by the verbs that people use; return how many of each."""
    written: Counter = Counter()
    for outlet in Branch.objects.outlets().active():
        for weeks in range(WEEKS_JUDGED, -1, -1):
            on = today - timedelta(days=1 + 7 * weeks)
            written["windows of the regime"] += compliance.refresh_branch(branch_id=outlet.pk, on=on)
        written["messages"] += messages.draft_branch(branch_id=outlet.pk, on=today)
    written["reports"] = _reports(today)
    written["events"] = _events(today)
    written["activities"] = sum(_activities(head, today) for head in Staff.objects.active().of_role(Role.BRANCH_HEAD))
    return written


PAST_DAYS, AHEAD_DAYS, GUESTS = 42, 6, 30


def _activities(head: Staff, today: date) -> int:
    """Let a head have held one activity six weeks ago, and be inviting for the next."""
    past = _planned(head, "存单到期客户答谢茶会", "salon", today - timedelta(days=PAST_DAYS), size=20)
    alike = Customer.objects.visible_to(head).filter(service_tier__gte=1)
    asked = activity.candidates(past, alike, on=today).filter(skip="").values_list("pk", flat=True)[:GUESTS]
    activity.invite(activity=past, customers=list(asked), by=head, on=today - timedelta(days=PAST_DAYS + 10))
    for place, guest in enumerate(past.invitations.order_by("pk")):
        activity.answer(invitation=guest, by=head, reply="declined" if place % 8 == 7 else "accepted")
        activity.check_in(invitation=guest, by=head, attended=place % 4 != 3)
    activity.hold(activity=past, by=head, on=today - timedelta(days=PAST_DAYS))
    for place, guest in enumerate(past.invitations.filter(attended=True).order_by("pk")):
        activity.ask_opinion(invitation=guest, by=head, satisfaction=(5, 4, 5, 3)[place % 4], feedback="")
    activity.review(activity=past, cost=Decimal(2_860), review="到场客户更愿意谈家庭安排，产品介绍应再短些。", by=head)
    _planned(head, "养老规划小沙龙", "salon", today + timedelta(days=AHEAD_DAYS), size=12)
    return 2


def _planned(head: Staff, theme: str, kind: str, on: date, *, size: int) -> Activity:
    begins = timezone.make_aware(datetime.combine(on, time(14, 30)))
    plan = activity.plan(
        by=head, theme=theme, kind=kind, goal="增进了解，约到下一次面谈", segment=None, size=size, place="二楼贵宾厅", starts_at=begins,
        ends_at=begins + timedelta(hours=2), budget=Decimal(3_000), host=head, resource="",
    )  # fmt: skip
    return activity.submit(activity=plan, by=head)


def _reports(today: date) -> int:
    """Begin the reports of the last meetings, and submit those of the demo's two managers that are older."""
    meetings = ContactLog.objects.standing().filter(counts_as="meeting").select_related("customer", "staff")
    latest = [report.begin(log=log, on=today) for log in meetings.filter(on__gte=today - timedelta(days=OPEN_DAYS))]
    older = meetings.filter(
        staff__staff_no__in=["manager", "manager2"], on__lt=today - timedelta(days=OPEN_DAYS),
        on__gte=today - timedelta(days=WRITTEN_DAYS),
    )  # fmt: skip
    done = 0
    for log in older.order_by("-on", "pk")[:WRITTEN]:
        draft = report.begin(log=log, on=log.on)
        report.write(report=draft, words=WORDS, promises=[], profile={}, products=[], by=log.staff, on=log.on)
        report.submit(report=draft, by=log.staff, on=log.on)
        done += 1
    return len(latest) + done


def _events(today: date) -> int:
    """Publish a bulletin of head office for a segment, and a change of yield for the holders of one product."""
    office = Staff.objects.of_role(Role.RETAIL_ADMIN).active().order_by("pk").first()
    segment = Segment.objects.active().order_by("pk").first()
    held = Count("holdings", filter=Q(holdings__status="active"))
    product = Product.objects.filter(category="wealth").annotate(held=held).order_by("-held", "pk").first()
    made = 0
    if office and segment:
        event.publish(
            kind="social", title="定期存款利率下调 10 个基点", note="可结合到期资金，与客户谈期限与配置。", occurs_on=today,
            segment=segment, by=office, branch=office.branch, on=today,
        )  # fmt: skip
        made += 1
    if office and product:
        event.publish(
            kind="yield_change", title=f"{product.name}近期收益下降", occurs_on=today, product=product, by=office,
            branch=office.branch, on=today,
        )  # fmt: skip
        made += 1
    return made
