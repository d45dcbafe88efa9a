"""Windows of the regime at their end: judged once, again while late entries may count, the same as the arithmetic."""

import random
from datetime import date, timedelta

import pytest
from django.urls import reverse

from contacts import compliance, regime
from contacts.models import Compliance, ContactLog, Escalation, FrequencyRule
from contacts.regime import Contact, Subject
from customers.models import Customer, Tier, TierChange
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactLogFactory, LoadFactory, StaffFactory, sign_in

pytestmark = pytest.mark.django_db
LAST = date(2026, 11, 30)


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch).staff


def customer_of(manager, tier=Tier.DIAMOND, start=date(2026, 1, 5), **values):
    values = {f"customer__{name}": value for name, value in values.items()}
    return AssignmentFactory(
        customer__branch=manager.branch, staff=manager, customer__service_tier=tier, start=start, **values
    ).customer


def judged(branch, on=LAST) -> dict:
    compliance.refresh_branch(branch_id=branch.pk, on=on)
    return {(row.rule, row.customer_id): row.state for row in Compliance.objects.filter(customer__isnull=False)}


@pytest.mark.parametrize(
    ("tier", "phones", "meetings", "start", "values", "state"),
    [
        (Tier.DIAMOND, 2, 0, date(2026, 1, 5), {}, "met"),
        (Tier.DIAMOND, 1, 0, date(2026, 1, 5), {}, "missed"),
        (Tier.DIAMOND, 0, 1, date(2026, 1, 5), {}, "met"),
        (Tier.DIAMOND, 1, 0, date(2026, 11, 2), {}, "exempt"),  # a part month is not judged
        (Tier.PLATINUM, 2, 1, date(2026, 1, 5), {}, "met"),
        (Tier.PLATINUM, 3, 0, date(2026, 1, 5), {}, "missed"),
        (Tier.DIAMOND, 0, 0, date(2026, 1, 5), {"value_class": "bzc"}, "exempt"),
        (Tier.DIAMOND, 0, 0, date(2026, 1, 5), {"low_disturb": True}, None),
        (Tier.GOLD, 0, 0, date(2026, 1, 5), {}, None),
    ],
)
def test_a_month_at_its_end(branch, manager, tier, phones, meetings, start, values, state):
    customer = customer_of(manager, tier, start, **values)
    for n in range(phones):
        ContactLogFactory(customer=customer, staff=manager, on=date(2026, 11, 3 + n))
    for n in range(meetings):
        ContactLogFactory(customer=customer, staff=manager, channel="office", result="met", on=date(2026, 11, 10 + n))
    found = {rule: value for (rule, _pk), value in judged(branch).items() if rule.endswith("month")}
    assert list(found.values()) == ([state] if state else [])


def test_a_late_entry_within_seven_days_mends_the_window_and_later_none_does(branch, manager):
    customer = customer_of(manager)
    assert judged(branch)["diamond_month", customer.pk] == "missed"
    ContactLogFactory(
        customer=customer, staff=manager, channel="office", result="met", on=LAST, entered_on=LAST + timedelta(days=7)
    )
    assert judged(branch, LAST + timedelta(days=7))["diamond_month", customer.pk] == "met"
    ContactLog.objects.all().delete()
    assert judged(branch, LAST + timedelta(days=8))["diamond_month", customer.pk] == "met", "closed for good"


def test_the_result_belongs_to_the_manager_of_the_last_day(branch, manager):
    customer = customer_of(manager)
    other = LoadFactory(staff__branch=branch).staff
    row = customer.assignments.get()
    row.end = LAST
    row.save()
    AssignmentFactory(customer=customer, staff=other, start=LAST)
    ContactLogFactory(customer=customer, staff=manager, channel="office", result="met", on=date(2026, 11, 3))
    judged(branch)
    kept = Compliance.objects.get(rule="diamond_month")
    assert (kept.staff, kept.state) == (other, "met"), "an earlier manager's contact counts for the customer"


@pytest.mark.parametrize(
    ("managed", "talks", "state"), [(12, 10, "met"), (12, 9, "missed"), (4, 4, "met"), (4, 3, "missed")]
)
def test_a_week_asks_for_ten_customers_or_all(branch, manager, managed, talks, state):
    sunday = date(2026, 11, 29)
    customers = [customer_of(manager, Tier.GOLD) for _each in range(managed)]
    for customer in customers[:talks]:
        for day in (24, 25):
            ContactLogFactory(customer=customer, staff=manager, on=date(2026, 11, day))
    stranger = customer_of(LoadFactory(staff__branch=branch, staff__role=Role.TELLER).staff, Tier.GOLD)
    ContactLogFactory(customer=stranger, staff=manager, on=date(2026, 11, 26))
    judged(branch, sunday)
    week = Compliance.objects.get(rule="weekly_10", window_last=sunday)
    assert (week.staff, week.state, week.contacts, week.required) == (manager, state, talks, min(10, managed))


def test_nothing_is_judged_on_a_day_that_ends_no_window_and_a_second_run_changes_nothing(branch, manager):
    customer_of(manager)
    assert compliance.refresh_branch(branch_id=branch.pk, on=date(2026, 11, 18)) == 1, "only the week of the 15th"
    assert compliance.refresh_branch(branch_id=branch.pk, on=date(2026, 11, 18)) == 0
    compliance.refresh_branch(branch_id=branch.pk, on=LAST)
    assert compliance.refresh_branch(branch_id=branch.pk, on=LAST) == 0


def test_a_year_night_by_night_equals_a_naive_recomputation(branch, manager):
    """Random contacts, entered late and taken back, for a year: each window as the pure arithmetic judges it at the end."""
    dice, first, last = random.Random(7), date(2026, 1, 1), date(2026, 12, 31)
    people = [
        customer_of(manager, dice.choice([1, 2, 3, 3]), first + timedelta(days=dice.randint(-90, 300)))
        for _each in range(10)
    ]
    for customer in people[:4]:
        TierChange.objects.create(
            customer=customer,
            on=first + timedelta(days=dice.randint(0, 300)),
            kind="up",
            from_tier=0,
            to_tier=3,
            month_avg=0,
        )
    logs: dict[date, list[dict]] = {}
    for _each in range(500):
        on, delay = first + timedelta(days=dice.randint(0, 364)), dice.choice([0, 0, 0, 3, 7, 9])
        channel, result = dice.choice(
            [("phone", "connected"), ("office", "met"), ("wechat", "replied"), ("phone", "not_reached")]
        )
        entry = {"customer": dice.choice(people), "staff": manager, "channel": channel, "result": result, "on": on}
        logs.setdefault(on + timedelta(days=delay), []).append(entry | {"entered_on": on + timedelta(days=delay)})
    day = first
    while day <= last + timedelta(days=8):
        for entry in logs.pop(day, ()):
            ContactLogFactory(**entry)
        compliance.refresh_branch(branch_id=branch.pk, on=day)
        day += timedelta(days=1)

    rules = regime.rules_in_force(last)
    compared = 0
    for row in Compliance.objects.filter(customer__isnull=False).select_related("customer"):
        assert row.state == _naive(row, rules), (row, row.customer.service_tier)
        compared += 1
    assert compared > 80


def _naive(row: Compliance, rules) -> str:
    """Judge a window from all contacts, by the functions of the regime."""
    customer = row.customer
    held = customer.assignments.get()
    changed = max((change.on for change in customer.tier_changes.all() if change.on <= row.window_last), default=None)
    subject = Subject(Tier(customer.service_tier), "signed", False, held.start, changed)
    window = regime.Window(row.window_first, row.window_last)
    contacts = [Contact(log.on, log.counts_as) for log in ContactLog.objects.filter(customer=customer)]
    monthly = row.rule != "quarterly_1"
    if monthly:
        met = regime.is_met(subject, contacts, window, rules)
    else:
        met = regime.count_any(contacts, window) >= rules.quarterly
    if met:
        return "met"
    return "missed" if regime.is_bound(subject, window, monthly=monthly) else "exempt"


# --- Pages ----------------------------------------------------------------------------------------------


def test_the_pages_show_the_heat_the_rules_and_who_is_behind_a_figure(client, branch, head, manager, time_machine):
    time_machine.move_to("2026-12-02 10:00 +0800", tick=False)
    missed, met = customer_of(manager), customer_of(manager)
    ContactLogFactory(customer=met, staff=manager, channel="office", result="met", on=date(2026, 11, 24))
    for on in (date(2026, 11, 29), LAST):
        compliance.refresh_branch(branch_id=branch.pk, on=on)
    sign_in(client, head)
    page = client.get(reverse("contacts:compliance")).content.decode()
    assert manager.name in page and "50%" in page and "heat-" in page

    url = reverse("contacts:compliance_window", args=["diamond_month", "2026-11-01"])
    behind = client.get(url).content.decode()
    assert missed.name in behind and met.name not in behind
    assert met.name in client.get(url, {"state": "met"}).content.decode()
    for wrong in (["gold_inactive", "2026-11-01"], ["diamond_month", "x"], ["nothing", "2026-11-01"]):
        assert client.get(reverse("contacts:compliance_window", args=wrong)).status_code == 404

    sign_in(client, LoadFactory(staff__branch=branch).staff)
    assert missed.name not in client.get(url).content.decode(), "a manager sees his own windows only"
    assert Customer.objects.count() == 2


# --- escalation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "days"), [(Role.RELATIONSHIP_MANAGER, 3), (Role.BRANCH_HEAD, 5), (Role.SUB_BRANCH_PRESIDENT, 7)]
)
def test_each_step_looks_at_what_is_overdue_that_long(branch, role, days):
    viewer = StaffFactory(branch=branch, role=role)
    assert compliance.overdue(viewer=viewer, on=LAST)[0] == days


def test_head_office_sets_the_days_of_the_steps(client, branch):
    office = StaffFactory(branch=branch, role=Role.RETAIL_ADMIN, language="en")
    url = reverse("contacts:escalation")
    client.force_login(office)
    client.post(url, {"days-": "2", "days-branch_head": "4", "days-sub_branch_president": "10"})
    assert compliance.overdue(viewer=StaffFactory(branch=branch, role=Role.BRANCH_HEAD), on=LAST)[0] == 4
    for wrong in (("5", "5", "9"), ("5", "4", "9"), ("0", "4", "9"), ("1", "4", "91"), ("1", "x", "9"), ("", "4", "9")):
        names = ("days-", "days-branch_head", "days-sub_branch_president")
        answer = client.post(url, dict(zip(names, wrong, strict=True)), follow=True)
        assert "step" in answer.text
    assert [row.days for row in Escalation.objects.all()] == [2, 4, 10]


def test_a_week_of_holidays_is_not_judged_where_the_rule_spares_it(branch, manager):
    customer_of(manager, Tier.GOLD)
    short = date(2026, 2, 22)  # the Spring Festival
    for spares, state in ((False, "missed"), (True, "exempt")):
        FrequencyRule.objects.filter(code="weekly_10").update(prorate_by_workdays=spares)
        compliance.refresh_branch(branch_id=branch.pk, on=short)
        row = Compliance.objects.get(rule="weekly_10", staff=manager, window_last=short)
        assert row.state == state
