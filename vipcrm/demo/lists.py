"""What people of the demo keep of their list of customers, and some requests for re-assignment that wait."""

from customers import adjustment, list_memory
from customers.models import AdjustmentRequest, Customer, SavedView
from staff.models import Staff

VIEWS = {
    "manager": (
        ("钻石本月未达标", "tier=diamond&regime=open&regime=at_risk&regime=missed", True, False),
        ("一周内到期", "maturity=next7", True, False),
        ("30 天资产下降 3% 以上", "change_max=-3&sort=change", True, False),
    ),
    "head": (
        ("无主办的贵宾", "tier=diamond&tier=platinum&tier=gold&manager=none", True, False),
        ("高流失风险", "churn=high&sort=-aum", True, True),
        ("风险评估快到期", "grade_expires=next30", False, True),
    ),
}
"""By the sign-in: name, filters, in the menu, shared."""

REASONS = ("客户搬到城东，来网点不便", "客户希望由女经理服务", "客户办理对公业务，宜由主管户经理跟进")


def write() -> dict[str, int]:
    """Write the views and the requests; those that are there stay. Return how many of each there are."""
    people = Staff.objects.in_bulk(VIEWS, field_name="staff_no")
    for number, views in VIEWS.items():
        for name, query, pinned, shared in views:
            if not SavedView.objects.filter(owner=people[number], name=name).exists():
                list_memory.save_view(by=people[number], name=name, query=query, pin=pinned, shared=shared)
    manager = people["manager"]
    if not AdjustmentRequest.objects.exists():
        for customer, reason in zip(Customer.objects.filter(manager=manager).order_by("aum", "pk")[:3], REASONS):
            adjustment.ask(customer=customer, by=manager, reason=reason)
    return {"saved views": SavedView.objects.count(), "requests": AdjustmentRequest.objects.count()}
