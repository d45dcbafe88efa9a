"""What asks for a contact is found each night, once (domain.md §§7–9)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contacts import agenda, regime
from contacts.models import ContactTask
from customers.birthdays import lunar_names
from customers.models import Tier
from tests.factories import (
    AssignmentFactory,
    ContactLogFactory,
    ContactTaskFactory,
    CustomerFactory,
    HoldingFactory,
    OpportunityFactory,
    ProductFactory,
    daily_assets,
)

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 19)


def night(customer, on=ON):
    """Run the regime and the tasks of the customer's branch for a day; return the open tasks by reason."""
    regime.refresh_branch(branch_id=customer.branch_id, on=on)
    agenda.refresh_tasks(branch_id=customer.branch_id, on=on)
    return {task.reason: task for task in ContactTask.objects.open().filter(customer=customer)}


def managed(**values):
    return AssignmentFactory(**{f"customer__{name}": value for name, value in values.items()}).customer


def in_order(customer, on=ON):
    """Let the customer have met the month before and this quarter, so that only the reason under test is there."""
    for day in (5, 6, 7, 8):
        ContactLogFactory(customer=customer, on=date(2026, 10, day))
    return customer


def test_a_second_run_changes_nothing():
    customer = managed(service_tier=Tier.DIAMOND)
    first = night(customer)
    rows = list(ContactTask.objects.order_by("pk").values())

    night(customer)

    assert list(ContactTask.objects.order_by("pk").values()) == rows
    assert list(first) == ["missed_month"]


@pytest.mark.parametrize(
    ("tier", "on", "reason", "due_on"),
    [
        (Tier.DIAMOND, date(2026, 11, 4), None, None),
        (Tier.DIAMOND, date(2026, 11, 18), "behind_month", date(2026, 11, 20)),  # the Friday of that week
        (Tier.DIAMOND, date(2026, 11, 24), "at_risk_month", date(2026, 11, 30)),
        (Tier.PLATINUM, date(2026, 11, 18), "behind_month", date(2026, 11, 20)),
        (Tier.GOLD, date(2026, 12, 28), None, None),  # contacted this quarter
    ],
)
def test_a_rule_behind_or_at_risk_raises_a_task(tier, on, reason, due_on):
    customer = in_order(managed(service_tier=tier))

    tasks = night(customer, on=on)

    assert list(tasks) == ([reason] if reason else [])
    if reason:
        assert tasks[reason].due_on == due_on


@pytest.mark.parametrize(
    ("on", "reason"),
    [(date(2026, 10, 20), None), (date(2026, 11, 25), "behind_quarter"), (date(2026, 12, 24), "at_risk_quarter")],
)
def test_a_gold_customer_without_contact_this_quarter_is_brought_up(on, reason):
    customer = managed(service_tier=Tier.GOLD)
    ContactLogFactory(customer=customer, on=date(2026, 9, 28))

    assert list(night(customer, on=on)) == ([reason] if reason else [])


def test_a_contact_that_is_not_enough_brings_a_new_task_after_the_old_one_is_done():
    customer = in_order(managed(service_tier=Tier.DIAMOND))
    task = night(customer, on=date(2026, 11, 25))["at_risk_month"]
    ContactLogFactory(customer=customer, on=date(2026, 11, 25))
    agenda.close_tasks(keys=[task.key], on=date(2026, 11, 25))

    again = night(customer, on=date(2026, 11, 26))["at_risk_month"]

    assert again.key != task.key


def test_a_task_lapses_when_its_reason_is_gone():
    customer = in_order(managed(service_tier=Tier.DIAMOND))
    task = night(customer)["behind_month"]
    ContactLogFactory(customer=customer, on=ON, channel="office", result="met")

    assert night(customer) == {}
    task.refresh_from_db()
    assert (task.status, task.closed_on) == ("expired", ON)


def test_dismissed_stays_dismissed():
    customer = in_order(managed(service_tier=Tier.DIAMOND))
    agenda.dismiss(task=night(customer)["behind_month"], reason="出国", by=customer.manager, on=ON)

    assert night(customer) == {}


# --- maturities ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "days", "reason"),
    [
        ("deposit", 15, "deposit_due"),
        ("deposit", 16, None),
        ("wealth", 10, "wealth_due"),
        ("wealth", 11, None),
        ("insurance", 30, "insurance_due"),
        ("fund", 3, None),
    ],
)
def test_a_maturing_holding_appears_with_its_lead_days(category, days, reason):
    customer = in_order(managed())
    HoldingFactory(
        customer=customer,
        product=ProductFactory(category=category),
        amount=Decimal(300_000),
        matures_on=ON + timedelta(days=days),
    )

    tasks = night(customer)

    assert list(tasks) == ([reason] if reason else [])
    if reason:
        assert (tasks[reason].stake, tasks[reason].due_on) == (Decimal(300_000), ON + timedelta(days=days - 3))


def test_holdings_of_one_kind_and_day_are_one_event():
    customer = in_order(managed())
    product = ProductFactory(name="三年期大额存单")
    for amount in (200_000, 300_000):
        HoldingFactory(customer=customer, product=product, amount=amount, matures_on=ON + timedelta(days=6))

    task = night(customer)["deposit_due"]

    assert (task.stake, task.figures["pieces"], task.figures["product"]) == (Decimal(500_000), 2, "三年期大额存单")


# --- birthdays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth_date", "lunar", "on", "day"),
    [
        (date(1966, 11, 19), "", date(2026, 11, 19), date(2026, 11, 19)),
        (date(1966, 11, 26), "", date(2026, 11, 19), date(2026, 11, 26)),
        (date(1966, 11, 27), "", date(2026, 11, 19), None),
        (date(1972, 2, 29), "", date(2027, 2, 25), date(2027, 2, 28)),
        (date(1972, 2, 29), "", date(2028, 2, 25), date(2028, 2, 29)),
        (date(1970, 1, 1), "1-1", date(2026, 2, 12), date(2026, 2, 17)),  # spring festival
        (date(1970, 1, 1), "1-1", date(2027, 2, 1), date(2027, 2, 6)),
        (date(2025, 7, 25), "-6-1", date(2026, 7, 10), date(2026, 7, 14)),  # leap month, not in 2026
        (date(1970, 1, 5), "1-1", date(2026, 1, 1), None),  # who keeps the lunar day does not keep the solar one
    ],
)
def test_a_birthday_is_kept_by_its_own_calendar(birth_date, lunar, on, day):
    customer = managed(birth_date=birth_date, lunar_birthday=lunar)
    for month in (1, 2, 7, 11):
        ContactLogFactory(customer=customer, on=date(on.year, month, 1))

    task = night(customer, on=on).get("birthday")

    assert (task.due_on if task else None) == day


def test_the_thirtieth_of_a_short_lunar_month_is_kept_on_the_twenty_ninth():
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    kept = {day: lunar_names(day) for day in days}

    for month in range(1, 13):
        assert sum(f"{month}-30" in names for names in kept.values()) in (1, 2)  # 2: a month ends in each January
    assert all(len(names) == len(set(names)) for names in kept.values())


# --- gold without business -----------------------------------------------------------------------------


def idle(customer, until, days=9, amount=200_000):
    daily_assets(customer, {until - timedelta(days=n): amount for n in range(days)})
    customer.data_date = until
    customer.save(update_fields=["data_date"])


def test_a_gold_customer_without_business_for_a_week_is_called_within_three_working_days():
    customer = in_order(managed())
    idle(customer, ON - timedelta(days=1))

    task = night(customer)["gold_inactive"]

    assert task.due_on == date(2026, 11, 24)  # Thursday and three working days
    night(customer, on=ON + timedelta(days=1))
    assert ContactTask.objects.filter(reason="gold_inactive").count() == 1


def test_a_movement_or_a_recent_contact_is_business():
    moving, contacted = in_order(managed()), managed()
    idle(moving, ON - timedelta(days=1))
    daily_assets(moving, {ON - timedelta(days=20): 1})
    moving.daily_assets.filter(data_date=ON - timedelta(days=2)).update(demand=150_000)
    idle(contacted, ON - timedelta(days=1))
    ContactLogFactory(customer=contacted, on=ON - timedelta(days=3))

    assert "gold_inactive" not in night(moving)
    assert night(contacted) == {}


def test_the_next_trigger_comes_a_week_after_the_last_at_the_earliest():
    customer = in_order(managed())
    idle(customer, ON - timedelta(days=1))
    task = night(customer)["gold_inactive"]
    agenda.dismiss(task=task, reason="出差", by=customer.manager, on=ON)
    idle_until = ON + timedelta(days=6)
    daily_assets(customer, {ON + timedelta(days=n): 200_000 for n in range(7)})
    customer.data_date = idle_until
    customer.save(update_fields=["data_date"])

    assert night(customer, on=ON + timedelta(days=6)) == {}
    assert list(night(customer, on=ON + timedelta(days=7))) == ["gold_inactive"]


# --- opportunities, and whom nobody calls -----------------------------------------------------------------


@pytest.mark.parametrize(("days", "is_there"), [(-3, True), (7, True), (8, False)])
def test_an_opportunity_due_within_a_week_is_a_task(days, is_there):
    customer = in_order(managed())
    OpportunityFactory(customer=customer, next_action_on=ON + timedelta(days=days), expected_amount=200_000)

    tasks = night(customer)

    assert list(tasks) == (["opportunity_due"] if is_there else [])


def test_what_is_at_stake_in_an_opportunity_is_its_amount_by_its_probability():
    customer = in_order(managed())
    OpportunityFactory(customer=customer, stage="proposed", next_action_on=ON, expected_amount=200_000)

    task = night(customer)["opportunity_due"]

    assert (task.stake, task.figures["amount"]) == (Decimal(100_000), 200_000)


def test_a_customer_without_a_manager_asks_nobody():
    customer = CustomerFactory(birth_date=date(1966, 11, 19))

    assert night(customer) == {}


def test_who_did_not_want_to_be_a_vip_customer_is_left_in_peace():
    customer = managed(service_tier=Tier.DIAMOND)
    OpportunityFactory(
        customer=customer, kind="sign_up", stage="lost", lost_reason="unwilling", closed_on=ON - timedelta(days=30)
    )

    assert night(customer) == {}
    assert "missed_month" in night(customer, on=date(2027, 1, 20))


def test_opening_again_refreshes_what_is_open_and_leaves_what_is_closed():
    open_one = ContactTaskFactory(key="alert:1", source="alert", reason="alert")
    closed = ContactTaskFactory(key="alert:2", source="alert", reason="alert", status="done", closed_on=ON)
    row = {"source": "alert", "reason": "alert", "opened_on": ON, "due_on": ON, "stake": Decimal("5.00")}

    written = agenda.open_tasks(
        [
            {"key": task.key, "customer_id": task.customer_id, "figures": {"level": 3}} | row
            for task in (open_one, closed)
        ]
    )

    open_one.refresh_from_db()
    closed.refresh_from_db()
    assert written == 1
    assert (open_one.stake, open_one.figures) == (Decimal("5.00"), {"level": 3})
    assert (closed.status, closed.stake) == ("done", 0)
