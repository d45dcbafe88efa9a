"""Rules of rating: kept for a later day, tried before, withdrawn while they lie ahead."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import localdate

from customers.models import Load, RatingRule, Tier, TierRule
from customers.rating import tier_for
from customers.rules import Rules, RulesRefused, save_rules, withdraw_rules
from customers.rules_simulation import simulate
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 23)
NEXT_MONTH = date(2026, 12, 1)


@pytest.fixture
def office():
    return StaffFactory(role=Role.RETAIL_ADMIN, branch=BranchFactory(code="HO2", level="branch"), language="en")


def rules(gold=100_000, platinum=500_000, diamond=1_000_000, **parameters) -> Rules:
    floors = {Tier.GOLD: Decimal(gold), Tier.PLATINUM: Decimal(platinum), Tier.DIAMOND: Decimal(diamond)}
    return Rules(floors, RatingRule(**parameters))


def test_rules_saved_for_a_later_day_hold_from_that_day_on(office):
    save_rules(rules=rules(platinum=600_000, near_percent=90), effective_from=NEXT_MONTH, by=office, on=TODAY)

    assert Rules.in_force(NEXT_MONTH - timedelta(days=1)).floors[Tier.PLATINUM] == 500_000
    held = Rules.in_force(NEXT_MONTH)
    assert (held.floors[Tier.GOLD], held.floors[Tier.PLATINUM], held.rule.near_percent) == (100_000, 600_000, 90)
    assert TierRule.objects.filter(effective_from=NEXT_MONTH).count() == 1
    assert AuditEvent.objects.get(action="rules.saved").figures["changes"]["platinum"] == "500000.00 → 600000"


@pytest.mark.parametrize(
    ("wanted", "begins"),
    [
        (rules(platinum=600_000), TODAY),
        (rules(platinum=90_000), NEXT_MONTH),
        (rules(diamond=7_000_000), NEXT_MONTH),
        (rules(), NEXT_MONTH),
    ],
)
def test_rules_that_may_not_be_are_refused_and_nothing_is_written(office, wanted, begins):
    before = TierRule.objects.count(), RatingRule.objects.count()

    with pytest.raises(RulesRefused):
        save_rules(rules=wanted, effective_from=begins, by=office, on=TODAY)

    assert (TierRule.objects.count(), RatingRule.objects.count()) == before


def test_one_day_begins_one_set_of_rules(office):
    save_rules(rules=rules(platinum=600_000), effective_from=NEXT_MONTH, by=office, on=TODAY)

    with pytest.raises(RulesRefused):
        save_rules(rules=rules(platinum=700_000), effective_from=NEXT_MONTH, by=office, on=TODAY)


def test_rules_ahead_can_be_withdrawn_and_those_in_force_cannot(office):
    save_rules(rules=rules(gold=120_000), effective_from=NEXT_MONTH, by=office, on=TODAY)

    with pytest.raises(RulesRefused):
        withdraw_rules(effective_from=NEXT_MONTH, by=office, on=NEXT_MONTH)
    withdraw_rules(effective_from=NEXT_MONTH, by=office, on=TODAY)

    assert Rules.in_force(NEXT_MONTH).floors[Tier.GOLD] == 100_000
    assert not TierRule.objects.filter(effective_from=NEXT_MONTH).exists()


# --- Simulation ------------------------------------------------------------------------------------


def test_a_simulation_counts_who_moves_and_whose_book_overflows(office):
    branch = BranchFactory(parent=office.branch)
    manager = LoadFactory(staff__branch=branch, staff__name="林晓雯", platinum_limit=10).staff
    for average in (450_000, 480_000, 90_000):
        AssignmentFactory(customer__branch=branch, customer__month_avg=average, customer__aum=average, staff=manager)
    Load.objects.filter(staff=manager).update(capacity=10)
    elsewhere = CustomerFactory(month_avg=450_000)

    outcome = simulate(now=rules(), then=rules(gold=80_000, platinum=400_000), viewer=office)

    assert (outcome.up, outcome.down, outcome.moved_aum) == (3, 0, Decimal(1_020_000))
    assert outcome.of(Tier.GOLD, Tier.PLATINUM).customers == 2
    assert [mover["aum"] for mover in outcome.movers] == [480_000, 450_000, 90_000]
    assert elsewhere.pk not in [mover["pk"] for mover in outcome.movers]
    assert [(book.name, book.after) for book in outcome.books] == [("林晓雯", Decimal("2.5"))]  # 2 × 6 + 1 × 3 of 600


def test_a_simulation_counts_who_would_newly_stand_below_the_floor(office):
    branch = BranchFactory(parent=office.branch)
    CustomerFactory(branch=branch, service_tier=Tier.PLATINUM, month_avg=550_000)
    CustomerFactory(branch=branch, service_tier=Tier.PLATINUM, month_avg=450_000)

    outcome = simulate(now=rules(), then=rules(platinum=600_000), viewer=office)

    assert (outcome.watched, outcome.down) == (1, 1)


def test_a_simulation_rates_as_rating_does(office):
    branch = BranchFactory(parent=office.branch)
    averages = [0, 99_999, 100_000, 300_000, 499_999, 500_000, 999_999, 1_000_000, 8_000_000]
    for average in averages:
        CustomerFactory(branch=branch, month_avg=average)
    then = rules(gold=300_000, platinum=500_000, diamond=1_000_000)

    outcome = simulate(now=rules(), then=then, viewer=office)

    floors = then.floors | {Tier.GENERAL: Decimal(0)}
    for tier in Tier:
        expected = sum(tier_for(Decimal(average), floors) == tier for average in averages)
        assert sum(move.customers for move in outcome.moves if move.after == tier) == expected


# --- The page --------------------------------------------------------------------------------------


def filled(**changes):
    values = {
        "gold": "100000", "platinum": "500000", "diamond": "1000000", "private_floor": "6000000",
        "rating_measure": "month_avg", "year_avg_basis": "last_365", "months_until_down": "3",
        "months_until_down_private": "6", "near_percent": "80", "loan_floor": "300000", "custody_floor": "10000",
        "card_floor": "50000", "payroll_floor": "10000",
        "effective_from": (localdate() + timedelta(days=40)).isoformat(),
    }  # fmt: skip
    return values | changes


def test_office_tries_rules_then_saves_and_withdraws_them(client, office):
    CustomerFactory(branch=BranchFactory(parent=office.branch), month_avg=450_000, aum=450_000, name="沈雅琴")
    client.force_login(office)

    tried = client.post("/rules/simulate/", filled(platinum="400000")).content.decode()
    assert "1 would rise, 0 would fall" in tried
    assert "沈**" in tried and "沈雅琴" not in tried
    assert not RatingRule.objects.exists()

    assert client.post("/rules/save/", filled(platinum="400000")).status_code == 302
    rule = RatingRule.objects.get()
    assert "Withdraw these rules" in client.get("/rules/").content.decode()
    client.post(f"/rules/{rule.pk}/withdraw/")
    assert not RatingRule.objects.exists()


def test_what_cannot_be_is_said_on_the_page(client, office):
    client.force_login(office)

    answer = client.post("/rules/save/", filled(platinum="90000"))

    assert answer.status_code == 422
    assert "The thresholds have to rise" in answer.content.decode()


def test_a_head_reads_the_rules_and_cannot_try_others(client):
    client.force_login(StaffFactory(role=Role.BRANCH_HEAD, language="en"))

    page = client.get("/rules/").content.decode()

    assert "In force now" in page and "Simulate" not in page


def test_a_simulation_asks_the_same_number_of_queries_for_many_customers(client, office, django_assert_max_num_queries):
    branch = BranchFactory(parent=office.branch)
    for average in range(0, 1_200_000, 50_000):
        CustomerFactory(branch=branch, month_avg=average)
    client.force_login(office)

    with django_assert_max_num_queries(30):
        client.post("/rules/simulate/", filled(platinum="400000"))
