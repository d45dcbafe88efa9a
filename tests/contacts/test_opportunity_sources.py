"""Opportunities that the night finds: once each, for the manager, in time, ended when nobody touches them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from churn.models import ChurnAlert, ChurnScore
from contacts import pipeline
from contacts.models import ContactEvent, EventMatch, Opportunity, OpportunityStageHistory
from contacts.opportunity_sources import WORDS, ListRefused, open_from_list, refresh_branch
from contacts.pipeline import first_contact_days
from customers.models import CustomerList, CustomerListMember, RelationStatus, Tier, TierChange
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, OpportunityFactory, ProductFactory, StaffFactory

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)  # a Tuesday
KINDS = Opportunity.Kind


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def own(branch):
    return AssignmentFactory(customer__branch=branch, staff__branch=branch)


def with_columns(customer, **columns):
    type(customer).objects.filter(pk=customer.pk).update(**columns)


def night(branch, on=ON) -> list[Opportunity]:
    refresh_branch(branch_id=branch.pk, on=on)
    return list(Opportunity.objects.order_by("pk"))


def found_by(branch, source) -> Opportunity:
    (one,) = night(branch)
    assert (one.source, one.stage) == (source, "new")
    assert one.history.get().by is None
    assert night(branch) == [one]
    return one


@pytest.mark.parametrize(
    ("status", "kind"), [(RelationStatus.POTENTIAL, KINDS.SIGN_UP), (RelationStatus.SIGNED, KINDS.UPGRADE)]
)
def test_who_reached_a_tier_is_to_sign_up_or_to_be_upgraded(branch, own, status, kind):
    with_columns(own.customer, relation_status=status, potential_reasons=["reached"], potential_since=ON)
    assert found_by(branch, "reached").kind == kind


def test_near_the_threshold_the_amount_is_what_is_missing(branch, own):
    with_columns(
        own.customer, relation_status="signed", service_tier=Tier.GOLD, month_avg=450_000,
        potential_reasons=["near_threshold"], potential_since=ON,
    )  # fmt: skip
    one = found_by(branch, "near_threshold")
    assert (one.kind, one.owner, one.expected_amount) == (KINDS.UPGRADE, own.staff, Decimal(50_000))
    assert one.next_action_on == date(2026, 11, 27)
    assert one.expires_on == ON + timedelta(days=30)


@pytest.mark.parametrize(
    ("step", "source", "kind"), [("watch", "watch", "retention"), ("down", "downgraded", "win_back")]
)
@pytest.mark.parametrize(("age", "number"), [(0, 1), (7, 1), (8, 0)])
def test_a_step_down_is_found_for_a_week(branch, own, step, source, kind, age, number):
    TierChange.objects.create(
        customer=own.customer,
        on=ON - timedelta(days=age),
        kind=step,
        from_tier=Tier.GOLD,
        to_tier=Tier.GENERAL,
        month_avg=0,
    )
    assert [(one.source, one.kind) for one in night(branch)] == [(source, kind)] * number


def test_a_bulletin_opens_a_cross_sale_of_its_product_for_those_not_skipped(branch, own):
    spared = AssignmentFactory(customer__branch=branch, staff__branch=branch)
    product = ProductFactory(category="fund")
    bulletin = ContactEvent.objects.create(
        branch=branch, kind="new_product", title="新发基金", occurs_on=ON, appears_on=ON, expires_on=ON + timedelta(days=9),
        product=product, entered_by=own.staff,
    )  # fmt: skip
    EventMatch.objects.create(event=bulletin, customer=own.customer)
    EventMatch.objects.create(event=bulletin, customer=spared.customer, skip="no_consent")
    bad_news = ContactEvent.objects.create(
        branch=branch, kind="yield_change", title="收益下降", occurs_on=ON, appears_on=ON, expires_on=ON,
        product=ProductFactory(category="wealth"), entered_by=own.staff,
    )  # fmt: skip
    EventMatch.objects.create(event=bad_news, customer=own.customer)
    one = found_by(branch, "event")
    assert (one.kind, one.category, one.product, one.title) == (KINDS.CROSS_SELL, "fund", product, "新发基金")
    assert one.expires_on == bulletin.expires_on


@pytest.mark.parametrize(("level", "key", "due"), [(3, False, 1), (2, False, 3), (2, True, 2), (3, True, 1)])
def test_an_alert_that_was_given_out_is_to_be_kept_the_sooner_the_higher(branch, own, level, key, due):
    with_columns(own.customer, key_customer=key)
    score = ChurnScore.objects.create(
        customer=own.customer, data_date=ON, probability=0.7, level=level, money_at_risk=90_000
    )
    alert = ChurnAlert.objects.create(
        customer=own.customer, score=score, opened_on=ON, level=level, probability=0.7, money_at_risk=90_000, due_on=ON,
    )  # fmt: skip
    assert night(branch) == []  # it waits in the list
    ChurnAlert.objects.filter(pk=alert.pk).update(sent_on=ON)
    one = found_by(branch, "churn_alert")
    assert (one.kind, one.expected_amount) == (KINDS.RETENTION, 90_000)
    assert one.next_action_on == ON + timedelta(days=due)


def reached(customer):
    with_columns(customer, relation_status="signed", potential_reasons=["reached"], potential_since=ON)


def test_what_is_open_is_not_opened_again_and_nobody_is_pressed(branch, own):
    reached(own.customer)
    OpportunityFactory(customer=own.customer, owner=own.staff, kind=KINDS.UPGRADE)
    unwilling = AssignmentFactory(customer__branch=branch, staff__branch=branch)
    reached(unwilling.customer)
    OpportunityFactory(
        customer=unwilling.customer, owner=unwilling.staff, kind=KINDS.SIGN_UP, stage="lost", lost_reason="unwilling",
        closed_on=ON - timedelta(days=89),
    )  # fmt: skip
    alone = AssignmentFactory(customer__branch=branch, staff__branch=branch)
    reached(alone.customer)
    type(alone).objects.filter(pk=alone.pk).update(end=ON)
    with_columns(alone.customer, manager=None)
    assert len(night(branch)) == 2  # the two that were there


def test_untouched_it_lapses_after_its_day_and_does_not_come_back(branch, own):
    reached(own.customer)
    (one,) = night(branch)
    assert night(branch, one.expires_on)[0].stage == "new"
    (lapsed,) = night(branch, one.expires_on + timedelta(days=1))
    assert (lapsed.stage, lapsed.lost_reason, lapsed.closed_on) == (
        "lost",
        "lapsed",
        one.expires_on + timedelta(days=1),
    )
    assert OpportunityStageHistory.objects.filter(opportunity=one, to_stage="lost", by=None).count() == 1
    assert len(night(branch, one.expires_on + timedelta(days=2))) == 1


def test_touched_it_stays(branch, own):
    reached(own.customer)
    (one,) = night(branch)
    day = one.expires_on + timedelta(days=5)
    pipeline.move(opportunity=one, to="planned", by=own.staff, on=ON, next_action_on=day)
    assert night(branch, day)[0].stage == "planned"


def test_a_list_opens_one_for_each_member_still_to_be_done(branch, own):
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD)
    done = AssignmentFactory(customer__branch=branch, staff__branch=branch)
    held = CustomerList.objects.create(
        name="到期承接", purpose="care", task="x", due_on=ON + timedelta(days=20), branch=branch, made_by=head
    )
    CustomerListMember.objects.create(customer_list=held, customer=own.customer)
    CustomerListMember.objects.create(
        customer_list=held, customer=done.customer, state="done", changed_by=head, changed_at=timezone.now()
    )
    asked = {"customer_list": held, "kind": "cross_sell", "category": "deposit", "by": head, "on": ON}
    assert open_from_list(**asked) == 1
    assert open_from_list(**asked) == 0
    one = Opportunity.objects.get()
    assert (one.customer, one.owner, one.title, one.source) == (own.customer, own.staff, "到期承接", "list")
    assert one.history.get().by == head
    for wrong in ({"category": ""}, {"kind": "retention"}):
        with pytest.raises(ListRefused):
            open_from_list(**asked | wrong)


@pytest.mark.parametrize(
    ("kind", "urgent", "key", "days"),
    [
        ("retention", True, False, 1), ("retention", False, False, 3), ("retention", False, True, 2),
        ("win_back", True, False, 3), ("sign_up", False, False, 3), ("upgrade", False, True, 2),
        ("cross_sell", False, False, 5), ("cross_sell", False, True, 3), ("acquire", False, True, 3),
        ("retention", True, True, 1),
    ],
)  # fmt: skip
def test_working_days_to_the_first_contact(kind, urgent, key, days):
    assert first_contact_days(kind, is_urgent=urgent, is_key=key) == days


def test_every_source_has_words():
    from contacts.opportunity_sources import SOURCES

    assert {source.code for source in SOURCES} <= set(WORDS)
