"""Load and limits: the examples of domain.md §5, and what the database refuses by itself."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.errors import CheckViolation

from customers import load
from customers.load import Book, Quota, limits_for, managers_needed, why_full
from customers.models import Assignment, Customer, Load, QuotaRule, RelationStatus, Tier
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

DIAMOND, PLATINUM, GOLD, POTENTIAL = Tier.DIAMOND, Tier.PLATINUM, Tier.GOLD, Tier.GENERAL
MANAGER = {DIAMOND: Quota(30), PLATINUM: Quota(100), GOLD: Quota(200), POTENTIAL: Quota(200, is_limit=False)}
TODAY = date(2026, 11, 25)


def book(*, diamond=0, platinum=0, gold=0, potential=0, factor="1", quotas=MANAGER, load_limit="1"):
    limits = limits_for(quotas, factor=Decimal(factor), load_limit=Decimal(load_limit))
    counts = {DIAMOND: diamond, PLATINUM: platinum, GOLD: gold, POTENTIAL: potential}
    over = dict.fromkeys(Tier, 0)
    return Book(counts, limits.limits, limits.weights, limits.capacity, limits.full_capacity, over)


# --- The arithmetic ---------------------------------------------------------------------------


def test_with_quotas_30_100_200_a_diamond_weighs_20_a_platinum_6_a_gold_or_potential_3_of_600():
    limits = limits_for(MANAGER, factor=Decimal(1))

    assert limits.weights == {DIAMOND: 20, PLATINUM: 6, GOLD: 3, POTENTIAL: 3}
    assert limits.full_capacity == limits.capacity == 600
    assert limits.limits == {DIAMOND: 30, PLATINUM: 100, GOLD: 200, POTENTIAL: None}


def test_15_diamond_and_50_platinum_are_100_percent():
    assert book(diamond=15, platinum=50).percent == 100


def test_the_31st_diamond_is_over_the_quota_in_words():
    with translation.override("en"):
        assert why_full(book(diamond=30, load_limit="3"), DIAMOND) == "Over the quota: Diamond 30/30"


def test_a_customer_too_many_is_over_the_load_limit_in_words():
    with translation.override("en"):
        assert why_full(book(diamond=15, platinum=50), GOLD) == "Over the load limit: 100.5%/100%"


def test_a_new_member_at_70_percent_has_quotas_rounded_down_and_a_limit_of_420_units():
    limits = limits_for(MANAGER, factor=Decimal("0.70"))

    assert limits.limits == {DIAMOND: 21, PLATINUM: 70, GOLD: 140, POTENTIAL: None}
    assert (limits.capacity, limits.full_capacity) == (420, 600)
    assert limits_for({DIAMOND: Quota(30)}, factor=Decimal("0.85")).limits[DIAMOND] == 25


def test_a_bank_may_let_the_quotas_alone_decide():
    assert book(diamond=20, platinum=90, load_limit="3").has_room(PLATINUM)
    assert not book(diamond=20, platinum=100, load_limit="3").has_room(PLATINUM)


def test_a_role_without_a_rule_for_a_tier_holds_none_of_it():
    lobby = book(quotas={GOLD: Quota(200)})

    assert lobby.holds(GOLD) and not lobby.holds(PLATINUM)
    assert limits_for({}, factor=Decimal(1)).capacity == 0


def test_an_outlet_of_45_diamond_150_platinum_500_gold_needs_five_and_a_half_managers():
    assert managers_needed({DIAMOND: 45, PLATINUM: 150, GOLD: 500}, MANAGER) == Decimal("5.5")


@given(
    quotas=st.dictionaries(st.sampled_from(Tier), st.integers(1, 400).map(Quota), min_size=1),
    factor=st.decimals("0.1", "1.5", places=2),
)
def test_a_class_filled_to_its_quota_alone_is_exactly_one_full_load(quotas, factor):
    limits = limits_for(quotas, factor=factor)

    for tier, quota in quotas.items():
        assert limits.weights[tier] * quota.number == limits.full_capacity
        assert limits.limits[tier] <= quota.number * factor < limits.limits[tier] + 1
    assert limits.capacity <= limits.full_capacity * factor < limits.capacity + 1


@given(st.lists(st.sampled_from(Tier), max_size=250), st.decimals("0.1", "1.5", places=2))
def test_taking_only_while_there_is_room_never_passes_a_limit(tiers, factor):
    member = book(factor=str(factor))
    for tier in tiers:
        member = member.plus(tier) if member.has_room(tier) else member

    assert member.units <= member.capacity
    assert all(limit is None or member.counts[tier] <= limit for tier, limit in member.limits.items())


# --- The database ------------------------------------------------------------------------------


def counts(row: Load) -> tuple:
    row = Load.objects.get(pk=row.pk)
    return row.diamond, row.platinum, row.gold, row.potential


def customers(count, *, branch, tier=DIAMOND, **values):
    return CustomerFactory.create_batch(count, branch=branch, service_tier=tier, **values)


@pytest.fixture
def branch(db):
    return BranchFactory()


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch)


def hold(row: Load, held, **values):
    """Insert assignments past every verb, as a shell would."""
    return Assignment.objects.bulk_create(
        Assignment(customer=customer, staff=row.staff, start=TODAY, **values) for customer in held
    )


def test_counts_and_the_customers_manager_follow_whatever_writes_an_assignment(branch, manager):
    other = LoadFactory(staff__branch=branch)
    diamond, gold = customers(1, branch=branch)[0], customers(1, branch=branch, tier=GOLD)[0]

    rows = hold(manager, [diamond, gold])
    assert counts(manager) == (1, 0, 1, 0)
    assert Customer.objects.get(pk=diamond.pk).manager == manager.staff

    Assignment.objects.filter(pk=rows[0].pk).update(staff=other.staff)
    assert (counts(manager), counts(other)) == ((0, 0, 1, 0), (1, 0, 0, 0))
    assert Customer.objects.get(pk=diamond.pk).manager == other.staff

    Assignment.objects.filter(pk=rows[0].pk).update(end=TODAY)
    Assignment.objects.filter(pk=rows[1].pk).delete()
    assert (counts(manager), counts(other)) == ((0, 0, 0, 0), (0, 0, 0, 0))
    assert not Customer.objects.exclude(manager=None).exists()


def test_a_shell_insert_beyond_the_quota_is_refused_as_a_whole(branch, manager):
    hold(manager, customers(29, branch=branch))

    with pytest.raises(IntegrityError, match="load_diamond_within_quota"), transaction.atomic():
        hold(manager, customers(2, branch=branch))

    assert counts(manager) == (29, 0, 0, 0)
    assert Assignment.objects.count() == 29


def test_copy_beyond_the_load_limit_is_refused(branch, manager):
    hold(manager, customers(15, branch=branch))
    hold(manager, customers(50, branch=branch, tier=PLATINUM))
    one_more = customers(1, branch=branch, tier=GOLD)[0]

    row = StringIO(f'{one_more.pk},{manager.pk},primary,{TODAY},manual,""\n')
    copy = "COPY customers_assignment (customer_id, staff_id, role, start, source, reason) FROM STDIN CSV"
    refused = pytest.raises(CheckViolation, match="load_within_capacity")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert(copy, row)

    assert counts(manager) == (15, 50, 0, 0)


def test_a_shell_update_beyond_the_quota_is_refused(branch, manager):
    full = LoadFactory(staff__branch=branch)
    hold(full, customers(30, branch=branch))
    row = hold(manager, customers(1, branch=branch))[0]

    with pytest.raises(IntegrityError, match="load_diamond_within_quota"), transaction.atomic():
        Assignment.objects.filter(pk=row.pk).update(staff=full.staff)
    with pytest.raises(IntegrityError, match="load_diamond_within_quota"), transaction.atomic():
        Load.objects.filter(pk=full.pk).update(diamond=31)

    assert (counts(manager), counts(full)) == ((1, 0, 0, 0), (30, 0, 0, 0))


def test_a_member_without_a_load_row_holds_nobody(branch):
    with pytest.raises(IntegrityError, match="has no load row"), transaction.atomic():
        Assignment.objects.create(
            customer=customers(1, branch=branch)[0], staff=StaffFactory(branch=branch), start=TODAY
        )


def test_a_tier_change_over_a_full_manager_is_let_through_shown_as_over_and_makes_no_room(branch, manager):
    hold(manager, customers(30, branch=branch, tier=DIAMOND)[:10])
    held = hold(manager, customers(66, branch=branch, tier=PLATINUM))
    assert Load.objects.get(pk=manager.pk).units == 596

    Customer.objects.filter(pk=held[0].customer_id).update(service_tier=DIAMOND)
    row = Load.objects.get(pk=manager.pk)
    assert (counts(row), row.units, row.units_over) == ((11, 65, 0, 0), 610, 10)

    with pytest.raises(IntegrityError, match="load_within_capacity"), transaction.atomic():
        hold(manager, customers(1, branch=branch, tier=GOLD))
    Assignment.objects.filter(pk__in=[row.pk for row in held[1:4]]).update(end=TODAY)
    row.refresh_from_db()
    assert (row.units, row.units_over) == (592, 0)


def test_a_promotion_beyond_the_diamond_quota_shows_one_over_until_one_leaves(branch):
    manager = LoadFactory(staff__branch=branch, capacity=1800)
    diamonds = hold(manager, customers(30, branch=branch))
    Customer.objects.filter(pk=hold(manager, customers(1, branch=branch, tier=GOLD))[0].customer_id).update(
        service_tier=DIAMOND
    )
    assert Load.objects.values_list("diamond", "diamond_over").get(pk=manager.pk) == (31, 1)

    Assignment.objects.filter(pk=diamonds[0].pk).update(end=TODAY)
    assert Load.objects.values_list("diamond", "diamond_over").get(pk=manager.pk) == (30, 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        hold(manager, customers(1, branch=branch))


def test_a_closed_customer_weighs_nothing_and_a_potential_one_counts_as_potential(branch, manager):
    held = hold(manager, customers(2, branch=branch))
    Customer.objects.filter(pk=held[0].customer_id).update(relation_status=RelationStatus.CLOSED)
    Customer.objects.filter(pk=held[1].customer_id).update(relation_status=RelationStatus.POTENTIAL)
    assert counts(manager) == (0, 0, 0, 1)

    Assignment.objects.filter(pk=held[0].pk).update(end=TODAY)
    assert counts(manager) == (0, 0, 0, 1)


def test_advisers_count_and_backups_do_not(branch, manager):
    adviser = LoadFactory(staff__branch=branch, staff__role=Role.WEALTH_ADVISER)
    held = customers(1, branch=branch)
    hold(adviser, held, role=Assignment.Role.ADVISER)
    hold(manager, held, role=Assignment.Role.BACKUP)

    assert (counts(adviser), counts(manager)) == ((1, 0, 0, 0), (0, 0, 0, 0))
    assert Customer.objects.get(pk=held[0].pk).manager is None


# --- refresh_limits ----------------------------------------------------------------------------


def test_limits_are_those_of_the_rules_in_force_times_the_members_factor(branch):
    new = StaffFactory(branch=branch, capacity_factor=Decimal("0.70"))
    teller = StaffFactory(branch=branch, role=Role.TELLER)

    assert load.refresh_limits([new.pk, teller.pk], on=TODAY) == 2

    row = Load.objects.get(pk=new.pk)
    assert (row.diamond_limit, row.platinum_limit, row.gold_limit, row.potential_limit) == (21, 70, 140, None)
    assert (row.capacity, row.full_capacity, row.diamond_weight) == (420, 600, 20)
    row = Load.objects.get(pk=teller.pk)
    assert (row.diamond_limit, row.gold_limit, row.potential_limit) == (0, 200, 0)


def test_a_lowered_quota_moves_nobody_and_makes_no_room(branch, manager):
    hold(manager, customers(25, branch=branch))
    QuotaRule.objects.create(role=Role.RELATIONSHIP_MANAGER, tier=DIAMOND, quota=20, effective_from=TODAY)

    load.refresh_limits([manager.pk], on=TODAY)

    row = Load.objects.get(pk=manager.pk)
    assert (row.diamond, row.diamond_limit, row.diamond_over) == (25, 20, 5)
    assert (row.units, row.capacity, row.units_over) == (250, 200, 50)
    with pytest.raises(IntegrityError), transaction.atomic():
        hold(manager, customers(1, branch=branch))


def test_loads_agree_with_a_recount_of_the_open_assignments(branch, manager):
    AssignmentFactory(customer__branch=branch, customer__service_tier=PLATINUM)
    hold(manager, customers(3, branch=branch, tier=GOLD))

    for row in Load.objects.all():
        recount = Assignment.objects.open().filter(staff=row.staff_id).values_list("customer__service_tier", flat=True)
        assert sorted(recount) == [GOLD] * row.gold + [PLATINUM] * row.platinum + [DIAMOND] * row.diamond
