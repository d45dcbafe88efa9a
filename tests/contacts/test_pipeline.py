"""What may move where, and on which conditions (domain.md §9)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import translation

from contacts import pipeline
from contacts.forms import MoveForm
from contacts.models import MOVES, ContactTask, Opportunity
from contacts.pipeline import AlreadyOpen, Conflict, MoveRefused, move, open_opportunity, undo_move
from customers.suitability import Unsuitable
from staff.models import AuditEvent
from tests.factories import (
    AssignmentFactory,
    ContactLogFactory,
    OpportunityFactory,
    ProductFactory,
    QualificationFactory,
)

TODAY = date(2026, 11, 19)
Stage = Opportunity.Stage


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel("2026-11-19T10:00:00+08:00", tick=False):
        yield


@pytest.fixture
def own(db):
    return AssignmentFactory()


def at(own, stage, **values):
    """Return an opportunity that stands at a stage, with what a stage may not be without."""
    closed = {"closed_on": TODAY} if stage in ("won", "lost") else {}
    needs = {
        "agreed": {"expected_amount": Decimal(100_000), "expected_on": TODAY},
        "lost": {"lost_reason": "no_need"},
        "on_hold": {"resume_on": TODAY + timedelta(days=10)},
    }
    return OpportunityFactory(
        customer=own.customer, owner=own.staff, stage=stage, **closed | needs.get(stage, {}) | values
    )


GOOD = {
    "next_action_on": TODAY + timedelta(days=2),
    "expected_amount": Decimal(300_000),
    "expected_on": TODAY + timedelta(days=20),
    "result_amount": Decimal(300_000),
    "lost_reason": "no_need",
    "resume_on": TODAY + timedelta(days=30),
    "note": "介绍了三年期大额存单",
}


@pytest.mark.parametrize("start", list(Stage))
@pytest.mark.parametrize("to", list(Stage))
def test_an_opportunity_moves_only_where_the_pipeline_leads(own, start, to):
    ContactLogFactory(customer=own.customer, staff=own.staff, on=TODAY)
    opportunity = at(own, start)
    opportunity.history.create(from_stage="new", to_stage="contacted", at="2026-11-10T10:00:00+08:00")
    entry = {name: value for name, value in GOOD.items() if name in [*pipeline.NEEDS[to], "note"]}

    if to in MOVES[start]:
        moved = move(opportunity=opportunity, to=to, by=own.staff, on=TODAY, **entry)
        assert (moved.stage, moved.stage_since) == (to, TODAY)
        assert (moved.history.last().from_stage, moved.history.last().to_stage) == (start, to)
    else:
        with pytest.raises(MoveRefused):
            move(opportunity=opportunity, to=to, by=own.staff, on=TODAY, **entry)
        opportunity.refresh_from_db()
        assert opportunity.stage == start


def test_the_database_refuses_what_the_pipeline_does(own):
    opportunity = at(own, "new")

    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=opportunity.pk).update(stage="won", closed_on=TODAY)


@pytest.mark.parametrize(
    ("start", "to", "entry"),
    [
        ("new", "planned", {}),
        ("new", "planned", {"next_action_on": TODAY - timedelta(days=1)}),
        ("new", "contacted", {}),
        ("contacted", "proposed", {}),
        ("proposed", "agreed", {"expected_amount": Decimal(1)}),
        ("agreed", "won", {}),
        ("agreed", "won", {"result_amount": Decimal(1)}),  # never contacted
        ("new", "lost", {}),
        ("planned", "on_hold", {}),
        ("planned", "on_hold", {"resume_on": TODAY + timedelta(days=91)}),
    ],
)
def test_a_stage_asks_for_what_it_needs(own, start, to, entry):
    opportunity = at(own, start)

    with pytest.raises(MoveRefused):
        move(opportunity=opportunity, to=to, by=own.staff, on=TODAY, **entry)

    opportunity.refresh_from_db()
    assert (opportunity.stage, opportunity.history.count()) == (start, 0)


@pytest.mark.parametrize(
    ("grade", "assessed_on", "risk", "is_sold"),
    [
        (3, date(2026, 3, 1), 3, True),
        (3, date(2026, 3, 1), 4, False),
        (3, date(2025, 11, 1), 2, False),
        (None, None, 1, False),
    ],
)
def test_a_product_is_proposed_only_if_it_suits(own, grade, assessed_on, risk, is_sold):
    own.customer.risk_grade, own.customer.risk_assessed_on = grade, assessed_on
    own.customer.save(update_fields=["risk_grade", "risk_assessed_on"])
    opportunity = at(own, "contacted", product=ProductFactory(category="wealth", risk_level=risk))
    QualificationFactory(staff=own.staff, kind="wealth")

    if is_sold:
        assert move(opportunity=opportunity, to="proposed", by=own.staff, on=TODAY).stage == "proposed"
    else:
        with pytest.raises(Unsuitable):
            move(opportunity=opportunity, to="proposed", by=own.staff, on=TODAY)


def assessed(own, **product):
    """Return an opportunity in 方案推介 for a customer of C3 and a product that suits."""
    own.customer.risk_grade, own.customer.risk_assessed_on = 3, date(2026, 3, 1)
    own.customer.save(update_fields=["risk_grade", "risk_assessed_on"])
    return at(own, "proposed", product=ProductFactory(**{"category": "fund", "risk_level": 2} | product))


def test_who_lacks_the_qualification_sells_no_fund_and_the_trail_keeps_that_it_was_tried(own):
    """Staff without 基金 qualification cannot record a fund sale (S0-44); the attempt is logged (S4-54)."""
    opportunity = assessed(own)
    entry = {k: GOOD[k] for k in ("expected_amount", "expected_on")} | {"dual_record_no": "SL-1"}

    with translation.override("zh-hans"), pytest.raises(Unsuitable, match="缺少基金销售资质"):
        move(opportunity=opportunity, to="agreed", by=own.staff, on=TODAY, **entry)

    opportunity.refresh_from_db()
    assert (opportunity.stage, opportunity.dual_record_no) == ("proposed", "")
    tried = AuditEvent.objects.get(action="opportunity.unsuitable")
    assert (tried.staff, tried.object_id) == (own.staff, str(opportunity.pk))
    QualificationFactory(staff=own.staff, kind="fund")
    assert move(opportunity=opportunity, to="agreed", by=own.staff, on=TODAY, **entry).dual_record_no == "SL-1"


@pytest.mark.parametrize(
    ("product", "is_asked"),
    [({"category": "fund"}, True), ({"category": "deposit", "risk_level": 1}, False), ({"category": "deposit", "risk_level": 1, "is_agency": True}, True)],
)  # fmt: skip
def test_a_recorded_sale_is_agreed_with_the_number_of_its_recording(own, product, is_asked):
    opportunity = assessed(own, **product)
    QualificationFactory(staff=own.staff, kind="fund")
    entry = {k: GOOD[k] for k in ("expected_amount", "expected_on")}

    assert ("dual_record_no" in MoveForm(stage="agreed", opportunity=opportunity).fields) == is_asked
    if is_asked:
        with pytest.raises(MoveRefused):
            move(opportunity=opportunity, to="agreed", by=own.staff, on=TODAY, **entry)
        entry["dual_record_no"] = "SL-20261119-07"
    agreed = move(opportunity=opportunity, to="agreed", by=own.staff, on=TODAY, **entry)
    agreed.refresh_from_db()
    assert agreed.dual_record_no == ("SL-20261119-07" if is_asked else "")


def test_a_customer_has_one_open_opportunity_of_a_kind(own):
    fields = {"customer": own.customer, "kind": "upgrade", "title": "升级", "owner": own.staff, "by": own.staff}
    open_opportunity(on=TODAY, **fields)

    with pytest.raises(AlreadyOpen):
        open_opportunity(on=TODAY, **fields)

    assert Opportunity.objects.count() == 1


def test_a_new_opportunity_is_due_within_the_working_days_of_its_kind_and_stands_in_the_list(own):
    opportunity = open_opportunity(
        customer=own.customer, kind="retention", title="挽留", owner=own.staff, by=own.staff, on=TODAY
    )

    assert opportunity.next_action_on == date(2026, 11, 24)  # Thursday, three working days on
    assert ContactTask.objects.get(opportunity=opportunity).due_on == date(2026, 11, 24)


def test_who_does_not_want_to_be_a_vip_customer_is_left_in_peace_for_ninety_days(own):
    opportunity = at(own, "new")
    lost = move(opportunity=opportunity, to="lost", by=own.staff, on=TODAY, lost_reason="unwilling")

    with pytest.raises(MoveRefused):
        move(opportunity=lost, to="new", by=own.staff, on=TODAY + timedelta(days=89))
    reopened = move(opportunity=lost, to="new", by=own.staff, on=TODAY + timedelta(days=90))
    assert (reopened.stage, reopened.lost_reason, reopened.closed_on) == ("new", "", None)


def test_a_stale_version_is_refused(own):
    opportunity = at(own, "new")
    read_at = opportunity.updated_at.isoformat()
    with time_machine.travel("2026-11-19T10:05:00+08:00", tick=False):
        move(opportunity=opportunity, to="planned", by=own.staff, on=TODAY, next_action_on=TODAY)

    with pytest.raises(Conflict):
        move(opportunity=opportunity, to="lost", by=own.staff, on=TODAY, lost_reason="other", version=read_at)


def test_a_move_is_taken_back_the_same_day_and_the_history_keeps_both(own):
    opportunity = at(own, "proposed")
    move(
        opportunity=opportunity,
        to="agreed",
        by=own.staff,
        on=TODAY,
        **{k: GOOD[k] for k in ("expected_amount", "expected_on")},
    )

    back = undo_move(opportunity=opportunity, by=own.staff, on=TODAY)

    assert back.stage == "proposed"
    assert [(h.from_stage, h.to_stage) for h in back.history.all()] == [("proposed", "agreed"), ("agreed", "proposed")]


def test_yesterdays_move_stays(own):
    opportunity = at(own, "planned")
    with time_machine.travel("2026-11-18T10:00:00+08:00", tick=False):
        move(opportunity=opportunity, to="lost", by=own.staff, on=TODAY - timedelta(days=1), lost_reason="other")

    with pytest.raises(MoveRefused):
        undo_move(opportunity=opportunity, by=own.staff, on=TODAY)
