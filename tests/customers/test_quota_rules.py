"""Quotas for a later day: kept, refused, withdrawn, taken up by the night; what they would do, told before."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from customers import load, override, staffing
from customers.branch_proposal import propose_branch
from customers.load import Quota
from customers.models import AssignmentRule, Load, QuotaRule, Tier
from customers.quota_rules import QuotaRules, QuotaRulesRefused, save, withdraw
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    CustomerFactory,
    HeadOfficeFactory,
    LoadFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db

TODAY, NEXT_MONTH = date(2026, 11, 30), date(2026, 12, 1)
MANAGER = Role.RELATIONSHIP_MANAGER


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-30 10:00 +0800", tick=False)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


@pytest.fixture
def office():
    return StaffFactory(branch=HeadOfficeFactory(), role=Role.RETAIL_ADMIN, language="en")


def rules(**changed) -> QuotaRules:
    """Return the rules in force with other numbers for a manager (diamond=20) or other parameters."""
    held = QuotaRules.in_force(TODAY)
    numbers = {Tier.from_code(code): changed.pop(code) for code in ("gold", "platinum", "diamond") if code in changed}
    manager = {tier: Quota(numbers.get(tier, quota.number), quota.is_limit) for tier, quota in held.of_manager.items()}
    return QuotaRules({**held.quotas, MANAGER: manager}, AssignmentRule(**changed))


def test_quotas_hold_from_their_day_and_the_night_before_writes_them(branch, office):
    member = StaffFactory(branch=branch)
    load.refresh_limits([member.pk], on=TODAY)

    save(rules=rules(diamond=20, load_limit=120), effective_from=NEXT_MONTH, by=office, on=TODAY)
    assert Load.objects.get(staff=member).diamond_limit == 30
    override.refresh_branch(branch_id=branch.pk, on=TODAY)

    row = Load.objects.get(staff=member)
    assert (row.diamond_limit, row.full_capacity, row.capacity) == (20, 200, 240), "lcm(20, 100, 200), and 120 % of it"
    assert QuotaRule.objects.filter(effective_from=NEXT_MONTH).count() == 1, "only what differs is written"
    assert AuditEvent.objects.get(action="quotas.saved").figures["changes"]["relationship_manager-diamond"] == "30 → 20"


def test_the_limit_of_300_percent_leaves_the_quotas_alone_to_decide(branch, office):
    member = StaffFactory(branch=branch)
    save(rules=rules(load_limit=300), effective_from=NEXT_MONTH, by=office, on=TODAY)
    load.refresh_limits([member.pk], on=NEXT_MONTH)

    book = load.book_of(Load.objects.get(staff=member))
    full = book.plus(Tier.DIAMOND, 30).plus(Tier.PLATINUM, 100).plus(Tier.GOLD, 199)
    assert full.has_room(Tier.GOLD) and not full.has_room(Tier.DIAMOND)


@pytest.mark.parametrize(
    ("wanted", "begins", "words"),
    [
        ({"diamond": 20}, TODAY, "after today"),
        ({}, NEXT_MONTH, "Nothing differs"),
        ({"diamond": 1999, "platinum": 1997, "gold": 1993}, NEXT_MONTH, "rounder"),
    ],
)
def test_quotas_that_may_not_be_are_refused_and_nothing_is_written(office, wanted, begins, words):
    office.language = "en"
    with pytest.raises(QuotaRulesRefused):
        save(rules=rules(**wanted), effective_from=begins, by=office, on=TODAY)
    assert not AssignmentRule.objects.exists() and not QuotaRule.objects.filter(effective_from__gte=TODAY).exists()


def test_quotas_ahead_can_be_withdrawn_once(office):
    save(rules=rules(gold=150), effective_from=NEXT_MONTH, by=office, on=TODAY)
    with pytest.raises(QuotaRulesRefused):
        withdraw(effective_from=NEXT_MONTH, by=office, on=NEXT_MONTH)
    withdraw(effective_from=NEXT_MONTH, by=office, on=TODAY)
    assert QuotaRules.in_force(NEXT_MONTH).of_manager[Tier.GOLD].number == 200
    with pytest.raises(QuotaRulesRefused):
        withdraw(effective_from=NEXT_MONTH, by=office, on=TODAY)


def test_gold_customers_go_as_the_rule_in_force_says(branch, head, office):
    manager = LoadFactory(staff__branch=branch).staff
    lobby = LoadFactory(staff__branch=branch, staff__role=Role.LOBBY_MANAGER, platinum_limit=0, diamond_limit=0).staff
    CustomerFactory(branch=branch, year_avg=Decimal(300_000))

    assert propose_branch(viewer=head, branch=branch, on=TODAY)[0].lines[0].member_id == manager.pk
    save(rules=rules(gold_routing_mode="band_first"), effective_from=NEXT_MONTH, by=office, on=TODAY)
    assert propose_branch(viewer=head, branch=branch, on=NEXT_MONTH)[0].lines[0].member_id == lobby.pk


# --- Staffing ------------------------------------------------------------------------------------------


def fill(branch, **counts):
    for code, number in counts.items():
        CustomerFactory.create_batch(number, branch=branch, service_tier=Tier.from_code(code))


def test_the_need_of_an_outlet_is_the_sum_over_the_tiers_rounded_up(branch, head):
    """domain.md §5: 45 diamond, 150 platinum, 500 gold → 1.5 + 1.5 + 2.5 = 5.5 → 6; one adviser for each tier."""
    counts = {Tier.GENERAL: 0, Tier.GOLD: 500, Tier.PLATINUM: 150, Tier.DIAMOND: 45}
    held = QuotaRules.in_force(TODAY)
    adviser = {tier: quota.number for tier, quota in held.quotas[Role.FINANCIAL_ADVISER].items()}
    numbers = {tier: quota.number for tier, quota in held.of_manager.items()}
    need = staffing.Need(branch, counts, 0, Decimal(5), quotas=numbers, adviser_quotas=adviser)

    assert (need.exact, need.needed, need.missing) == (Decimal("5.5"), 6, 1)
    assert [(row["tier"], row["needed"]) for row in need.advisers_needed] == [(Tier.DIAMOND, 1), (Tier.PLATINUM, 1)]


def test_needs_count_what_is_in_sight_and_the_people_who_are_there(branch, head, django_assert_num_queries):
    fill(branch, diamond=3, gold=4)
    AssignmentFactory(customer=CustomerFactory(branch=branch, service_tier=Tier.PLATINUM))
    StaffFactory(branch=branch, role=Role.WEALTH_MANAGER, capacity_factor=Decimal("0.5"))
    fill(BranchFactory(), diamond=9)
    held = QuotaRules.in_force(TODAY)

    with django_assert_num_queries(2):
        (need,) = staffing.needs(viewer=head, branches=[branch], rules=held)

    assert (need.counts[Tier.DIAMOND], need.counts[Tier.PLATINUM], need.counts[Tier.GOLD]) == (3, 1, 4)
    assert (need.waiting, need.managers) == (7, Decimal("1.5"))
    assert need.exact == Decimal("0.13")


def test_other_quotas_say_who_would_be_over_and_who_would_be_left(branch, head):
    member = LoadFactory(staff__branch=branch).staff
    for _each in range(3):
        AssignmentFactory(customer__branch=branch, customer__service_tier=Tier.DIAMOND, staff=member)
    fill(branch, diamond=1)
    now = QuotaRules.in_force(TODAY)

    outcome = staffing.simulate(viewer=head, branches=[branch], now=now, then=rules(diamond=2), on=TODAY)

    (full,) = outcome.full
    assert (full.name, full.over[Tier.DIAMOND], full.after) == (member.name, 1, 150)
    assert (len(outcome.now.left_over), len(outcome.then.left_over)) == (0, 1)
    assert (outcome.total("before")["needed"], outcome.total("after")["needed"]) == (1, 2)


# --- The page -------------------------------------------------------------------------------------------


def posted(**changed) -> dict:
    held = QuotaRules.in_force(TODAY)
    numbers = {
        f"{role}-{tier.code}": quota.number for role, tiers in held.quotas.items() for tier, quota in tiers.items()
    }
    numbers |= {"load_limit": 100, "gold_routing_mode": "overflow", "effective_from": "2026-12-01"}
    return numbers | changed


def test_a_head_tries_quotas_and_only_the_office_keeps_them(client, branch, head, office):
    fill(branch, diamond=31)
    LoadFactory(staff__branch=branch)
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    page = client.get(reverse("customers:planning")).content.decode()
    assert "31 customers take 1.03 full managers, so 2; 1.0 work here." in page

    tried = client.post(reverse("customers:planning_simulate"), posted(**{"relationship_manager-diamond": 10}))
    assert "Managers needed 2 → 4; missing 1.0 → 3.0." in tried.content.decode()
    assert client.post(reverse("customers:planning_save"), posted()).status_code == 403

    client.force_login(office, backend="staff.sign_in.StaffBackend")
    assert branch.name in client.get(reverse("customers:planning")).content.decode()
    answer = client.post(
        reverse("customers:planning_save"), posted(**{"relationship_manager-diamond": 25}), follow=True
    )
    assert "30 → <b>25</b>" in answer.content.decode()
    kept = AssignmentRule.objects.get()
    client.post(reverse("customers:planning_withdraw", args=[kept.pk]))
    assert not AssignmentRule.objects.exists()


@pytest.mark.parametrize(
    "bad", [{"load_limit": 99}, {"load_limit": 301}, {"teller-gold": 0}, {"gold_routing_mode": "x"}]
)
def test_numbers_out_of_range_are_refused_beside_their_field(client, office, bad):
    client.force_login(office, backend="staff.sign_in.StaffBackend")
    assert client.post(reverse("customers:planning_save"), posted(**bad)).status_code == 422
    assert not AssignmentRule.objects.exists()
