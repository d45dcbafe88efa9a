"""The examples of domain.md §7 and requirements.md S2-50…S2-57, and that SQL and arithmetic agree."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts import regime
from contacts.models import ContactLog, FrequencyRule
from contacts.regime import Contact, Rules, Subject, judge, month_of, quarter_of
from customers.models import (
    Assignment,
    Customer,
    RelationStatus,
    Segment,
    SegmentMember,
    SegmentStrategy,
    Tier,
    TierChange,
)
from tests.factories import AssignmentFactory, ContactLogFactory, CustomerFactory

RULES = Rules(weekly=10, quarterly=1, monthly={Tier.DIAMOND: (2, 1), Tier.PLATINUM: (4, 2)}, gold_idle_days=7)
LONG_AGO = date(2020, 1, 1)
LONG_HELD = {"relation_status": "signed", "low_disturb": False, "assigned_on": LONG_AGO, "tier_changed_on": None}


def phones(*days):
    return [Contact(day, "phone") for day in days]


def meetings(*days):
    return [Contact(day, "meeting") for day in days]


def november(day):
    return date(2026, 11, day)


@pytest.mark.parametrize(
    ("rule", "calls", "meets", "expected"),
    [
        ((2, 1), 1, 0, Fraction(1, 2)),
        ((2, 1), 2, 0, 1),
        ((2, 1), 0, 1, 1),
        ((4, 2), 4, 0, 1),
        ((4, 2), 0, 2, 1),
        ((4, 2), 2, 1, 1),
        ((4, 2), 3, 0, Fraction(3, 4)),
        ((4, 2), 1, 1, Fraction(3, 4)),
        ((4, 2), 3, 1, Fraction(5, 4)),
    ],
)
def test_an_either_or_rule_adds_up(rule, calls, meets, expected):
    assert regime.credit(rule, calls, meets) == expected


@pytest.mark.parametrize(
    ("tier", "contacts", "state"),
    [
        (Tier.DIAMOND, phones(november(3)), "open"),
        (Tier.DIAMOND, phones(november(3), november(9)), "met"),
        (Tier.DIAMOND, meetings(november(3)), "met"),
        (Tier.DIAMOND, [Contact(november(3), "nothing"), Contact(november(9), "nothing")], "open"),
        (Tier.DIAMOND, [Contact(november(3), "message"), Contact(november(9), "message")], "open"),
        (Tier.PLATINUM, phones(november(2), november(3), november(4)), "open"),
        (Tier.PLATINUM, phones(november(2), november(3), november(4)) + meetings(november(5)), "met"),
        (Tier.PLATINUM, phones(november(2)) + meetings(november(5)), "open"),
        (Tier.GOLD, [Contact(date(2026, 10, 2), "message")], "met"),
    ],
)
def test_a_tier_is_met_by_its_own_rule(tier, contacts, state):
    before = phones(*(date(2026, 10, day) for day in (5, 6, 7, 8)))  # October was met, by whichever rule
    subject = Subject(tier=tier, **LONG_HELD)

    assert regime.standing(subject, contacts + before, on=november(10), rules=RULES).state == state


def test_two_calls_on_one_day_count_once():
    subject = Subject(tier=Tier.DIAMOND, **LONG_HELD)
    calls = [Contact(november(3), "phone"), Contact(november(3), "phone")]

    assert regime.standing(subject, calls, on=november(10), rules=RULES).phones == 1


def test_gold_has_no_monthly_rule():
    assert regime.monthly_rule(Subject(tier=Tier.GOLD, **LONG_HELD), RULES) is None


def test_a_quiet_customer_has_the_quarterly_rule_alone():
    subject = Subject(tier=Tier.DIAMOND, **LONG_HELD | {"low_disturb": True})
    call = phones(date(2026, 10, 8))

    assert regime.standing(subject, call, on=november(20), rules=RULES).state == "met"


def test_a_customer_last_contacted_on_28_december_is_at_risk_from_24_march_and_missed_after_31_march():
    subject = Subject(tier=Tier.GOLD, **LONG_HELD)
    contacts = phones(date(2025, 12, 28))
    quarter = quarter_of(date(2026, 3, 31))

    states = {day: regime.standing(subject, contacts, on=day, rules=RULES).state for day in _days(2026, 3, 22, 31)}

    assert states[date(2026, 3, 23)] == "open"
    assert {states[day] for day in states if day >= date(2026, 3, 24)} == {"at_risk"}
    assert judge(met=False, bound=True, days_left=quarter.days_left(date(2026, 3, 31)), day_over=True) == "missed"
    assert regime.standing(subject, contacts, on=date(2026, 4, 1), rules=RULES).missed_last_window


def test_a_missed_month_is_carried_until_the_first_contact_of_the_next():
    subject = Subject(tier=Tier.DIAMOND, **LONG_HELD)

    assert regime.standing(subject, [], on=november(2), rules=RULES).state == "missed"
    after_a_call = regime.standing(subject, phones(november(2)), on=november(2), rules=RULES)
    assert (after_a_call.state, after_a_call.missed_last_window) == ("open", True)


@pytest.mark.parametrize(
    ("assigned_on", "tier_changed_on", "state"),
    [
        (november(1), None, "at_risk"),
        (november(2), None, "open"),
        (LONG_AGO, november(1), "at_risk"),
        (LONG_AGO, november(15), "open"),
    ],
)
def test_a_monthly_rule_binds_from_the_first_full_month(assigned_on, tier_changed_on, state):
    subject = Subject(
        tier=Tier.PLATINUM, **LONG_HELD | {"assigned_on": assigned_on, "tier_changed_on": tier_changed_on}
    )
    standing = regime.standing(subject, phones(november(20)), on=november(25), rules=RULES)

    assert standing.state == state
    assert standing.phones == 1  # the part month shows progress, without judgement
    assert standing.due_on == (november(30) if state == "at_risk" else date(2026, 12, 31))


@pytest.mark.parametrize(("assigned_on", "state"), [(date(2026, 3, 1), "at_risk"), (date(2026, 3, 2), "open")])
def test_the_quarterly_rule_binds_customers_held_thirty_days_at_its_end(assigned_on, state):
    subject = Subject(tier=Tier.GOLD, **LONG_HELD | {"assigned_on": assigned_on})

    assert regime.standing(subject, [], on=date(2026, 3, 30), rules=RULES).state == state


@pytest.mark.parametrize(("managed", "required"), [(6, 6), (10, 10), (91, 10)])
def test_the_weekly_requirement_is_never_above_the_portfolio(managed, required):
    assert regime.weekly_requirement(managed, 10) == required


def test_windows_are_natural_months_quarters_and_weeks_from_monday():
    assert (month_of(date(2024, 2, 10)).first, month_of(date(2024, 2, 10)).last) == (
        date(2024, 2, 1),
        date(2024, 2, 29),
    )
    assert (quarter_of(date(2026, 12, 31)).first, quarter_of(november(1)).last) == (
        date(2026, 10, 1),
        date(2026, 12, 31),
    )
    assert (regime.week_of(november(25)).first, regime.week_of(november(25)).last) == (november(23), november(29))


# --- in the database ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_rules_begin_as_the_bank_laid_them_down():
    assert regime.rules_in_force(november(25)) == RULES


@pytest.mark.django_db
def test_a_changed_rule_holds_from_its_day():
    FrequencyRule.objects.create(code="diamond_month", tier=3, phones=3, meetings=1, effective_from=date(2026, 12, 1))

    assert regime.rules_in_force(november(30)).monthly[Tier.DIAMOND] == (2, 1)
    assert regime.rules_in_force(date(2026, 12, 1)).monthly[Tier.DIAMOND] == (3, 1)


@pytest.mark.django_db
def test_a_voided_a_late_and_an_unanswered_contact_do_not_count():
    customer = AssignmentFactory(customer__service_tier=Tier.DIAMOND).customer
    ContactLogFactory(customer=customer, on=november(9), result="not_reached", summary="")
    ContactLogFactory(customer=customer, on=november(2), entered_on=november(10))  # 8 days: kept, marked late
    ContactLogFactory(customer=customer, on=november(3), voided_at="2026-11-04T08:00:00+08:00")

    regime.refresh_customer(customer=customer, on=november(10))

    assert (customer.contact_phones, customer.last_contact_on) == (0, None)


@pytest.mark.django_db
def test_an_earlier_managers_contacts_count_for_the_customer():
    customer = AssignmentFactory(customer__service_tier=Tier.DIAMOND).customer
    ContactLogFactory(customer=customer, on=november(2))
    ContactLogFactory(customer=customer, on=november(3))

    regime.refresh_customer(customer=customer, on=november(10))

    assert (customer.contact_state, customer.next_contact_due_on) == ("met", date(2026, 12, 31))


@pytest.mark.django_db
def test_refreshing_a_branch_twice_changes_nothing_the_second_time():
    branch = AssignmentFactory().customer.branch

    assert regime.refresh_branch(branch_id=branch.pk, on=november(10)) == 1
    assert regime.refresh_branch(branch_id=branch.pk, on=november(10)) == 0


ON = date(2026, 11, 26)
DAY = st.dates(date(2026, 6, 25), date(2026, 12, 3))
LOG = st.tuples(
    st.sampled_from([("phone", "connected"), ("office", "met"), ("wechat", "replied"), ("phone", "not_reached")]),
    DAY,
    st.integers(0, 9),
    st.booleans(),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tier=st.sampled_from(list(Tier)),
    status=st.sampled_from(list(RelationStatus)),
    quiet=st.booleans(),
    below_zero=st.booleans(),
    assigned_on=st.none() | DAY | st.just(LONG_AGO),
    changed_on=st.none() | DAY,
    logs=st.lists(LOG, max_size=14),
    strategies=st.lists(st.tuples(DAY, st.integers(1, 90)), max_size=2),
    on=st.sampled_from([ON, date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 31)]) | DAY,
)
def test_the_statement_for_everybody_equals_the_arithmetic(
    tier, status, quiet, below_zero, assigned_on, changed_on, logs, strategies, on
):
    customer = CustomerFactory(
        service_tier=tier, relation_status=status, low_disturb=quiet, value_class="bzc" if below_zero else ""
    )
    if assigned_on is not None:
        AssignmentFactory(customer=customer, start=assigned_on)
    if changed_on is not None:
        TierChange.objects.create(customer=customer, on=changed_on, kind="up", from_tier=0, to_tier=tier, month_avg=0)
    staff = ContactLogFactory.staff.get_factory()()
    for (channel, result), day, delay, voided in logs:
        ContactLogFactory(
            customer=customer,
            staff=staff,
            channel=channel,
            result=result,
            on=day,
            entered_on=day + timedelta(days=delay),
            voided_at="2026-12-24T08:00:00+08:00" if voided else None,
        )
    for since, every in strategies:
        _strategy(customer, staff, since=since, every=every)
    seen = [Contact(log.on, log.counts_as) for log in ContactLog.objects.filter(customer=customer)]
    subject = Subject(
        tier=tier,
        relation_status=status,
        low_disturb=quiet,
        assigned_on=assigned_on,
        tier_changed_on=changed_on if changed_on and changed_on <= on else None,
        below_zero=below_zero,
        strategies=tuple(strategies),
    )

    regime.refresh_branch(branch_id=customer.branch_id, on=on)

    assert _standing_of(customer) == regime.standing(subject, seen, on=on, rules=RULES)
    Assignment.objects.filter(customer=customer).delete()  # frees the manager's load for the next example


def _strategy(customer, staff, *, since, every):
    """Put a customer in a segment whose strategy asks for a contact every so many days."""
    segment = Segment.objects.create(name=f"{Segment.objects.count()}", branch=customer.branch, owner=staff)
    SegmentMember.objects.create(segment=segment, customer=customer, since=since)
    values = {"goal": "x", "measure": "x", "owner": staff, "made_by": staff, "review_on": date(2027, 1, 1)}
    SegmentStrategy.objects.create(segment=segment, every_days=every, **values)


@pytest.mark.django_db
def test_a_strategy_makes_the_next_contact_due_earlier_and_never_later():
    customer = AssignmentFactory(customer__service_tier=Tier.GOLD).customer
    staff = customer.manager or ContactLogFactory.staff.get_factory()()
    _strategy(customer, staff, since=november(1), every=14)
    regime.refresh_branch(branch_id=customer.branch_id, on=november(5))
    assert _standing_of(customer).due_on == november(15)

    ContactLogFactory(customer=customer, staff=staff, channel="phone", result="connected", on=november(10))
    regime.refresh_branch(branch_id=customer.branch_id, on=november(11))
    assert _standing_of(customer).due_on == november(24)


def _standing_of(customer: Customer) -> regime.Standing:
    row = Customer.objects.get(pk=customer.pk)
    return regime.Standing(
        last_contact_on=row.last_contact_on,
        phones=row.contact_phones,
        meetings=row.contact_meetings,
        count=row.contact_count,
        state=row.contact_state,
        missed_last_window=row.missed_last_window,
        due_on=row.next_contact_due_on,
        latest_on=row.contact_latest_on,
    )


def _days(year, month, first, last):
    return [date(year, month, day) for day in range(first, last + 1)]


@pytest.mark.parametrize(
    ("rule", "done", "days"),
    [
        ((2, 1), (0, 0), 1), ((2, 1), (1, 0), 1), ((4, 2), (0, 0), 2), ((4, 2), (1, 0), 1), ((4, 2), (0, 1), 1),
        ((8, 4), (0, 0), 3), ((8, 4), (3, 0), 2), (None, (0, 0), 1),
    ],
)  # fmt: skip
def test_a_call_and_a_meeting_a_day_make_up_what_is_missing(rule, done, days):
    assert regime.days_needed(rule, *done) == days


def test_the_slack_ends_where_the_missing_days_no_longer_fit():
    platinum = Subject(Tier.PLATINUM, RelationStatus.SIGNED, False, LONG_AGO, None)
    assert regime.standing(platinum, [], on=november(10), rules=RULES).latest_on == november(29)
    after_a_call = regime.standing(platinum, phones(november(3)), on=november(10), rules=RULES)
    assert after_a_call.latest_on == november(30)


@pytest.mark.parametrize(
    ("spares", "first", "spared"),
    [(True, date(2026, 2, 16), True), (False, date(2026, 2, 16), False), (True, date(2026, 11, 2), False)],
)
def test_a_week_of_holidays_is_spared_where_the_rule_says_so(spares, first, spared):
    week = regime.week_of(first)
    assert regime.is_spared(week, replace(RULES, spares_short_weeks=spares)) == spared
