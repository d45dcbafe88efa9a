"""Segments, a strategy and a named list of the demo's head, some lines worked off already."""

from datetime import date, timedelta

from customers import named_lists
from customers.models import Customer, CustomerList, CustomerListMember, ListPurpose, Segment, SegmentMember
from customers.segments import segment, strategy
from staff.models import Staff

SEGMENTS = (
    ("掼蛋爱好者", "跨客群的兴趣活动", {"all": [
        {"any": [{"field": "group", "op": "in", "value": ["merchant", "payroll", "custody", "elderly"]}]},
        {"any": [{"field": "hobby", "op": "in", "value": ["掼蛋"]}]},
    ]}),
    ("稳健型以上高管", "资产配置与传承", {"all": [
        {"field": "grade", "op": "in", "value": ["c3", "c4", "c5"]},
        {"field": "occupation", "op": "in", "value": ["executive", "entrepreneur"]},
    ]}),
    ("一月内到期 20 万以上", "到期资金承接", {"all": [
        {"field": "maturity", "op": "when", "value": "next30"}, {"field": "aum", "op": "from", "value": "20"},
    ]}),
    ("新生代贵宾", "线上与活动维护", {"all": [
        {"field": "group", "op": "in", "value": ["new_generation"]}, {"not": {"field": "tier", "op": "in", "value": ["general"]}},
    ]}),
)  # fmt: skip

STRATEGY = {
    "goal": "到期资金留存 85% 以上", "measure": "到期后 7 天内承接金额占比", "key_customers": "单笔到期 30 万以上的客户",
    "timing": "到期前 15 天和前 3 天", "every_days": 30, "products": ["deposit", "wealth"],
    "services": "到期提醒、资产配置建议", "scripts": "您的存款快到期了，我按您的用款时间做了两个方案，想听听您的想法。",
}  # fmt: skip


def write(*, today: date) -> dict[str, int]:
    """Write them for the sign-in "head"; again changes nothing. Return how many of each there are."""
    head = Staff.objects.filter(staff_no="head").first()
    if head is None or Segment.objects.exists():
        return {}
    made = [segment.make(name=name, purpose=words, rule=rule, by=head, on=today) for name, words, rule in SEGMENTS]
    for member in SegmentMember.objects.filter(segment__in=made):
        SegmentMember.objects.filter(pk=member.pk).update(since=today - timedelta(days=member.pk % 29))
    maturing = made[2]
    strategy.set_strategy(
        segment=maturing, by=head, on=today, seen=None, owner=head, review_on=strategy.next_review(today), **STRATEGY
    )
    customers = Customer.objects.visible_to(head).filter(segment_times__segment=maturing, segment_times__until=None)
    if customers.exists():
        customer_list, _draft = named_lists.make(
            name="到期资金承接", purpose=ListPurpose.SERVICE, task="逐户确认到期安排，登记意向",
            due_on=today + timedelta(days=21), customers=customers, by=head, on=today, segment=maturing,
        )  # fmt: skip
        states = ("done", "contacted", "open", "no_need", "open")
        for number, member in enumerate(CustomerListMember.objects.filter(customer_list=customer_list)):
            if states[number % 5] != "open" and member.customer.manager:
                named_lists.set_state(member=member, state=states[number % 5], note="", by=member.customer.manager)
    return {"segments": len(made), "named lists": CustomerList.objects.count()}
