"""One ranked list of the day: order, groups, several reasons of one customer, putting off and dismissing."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contacts import agenda, ranking, reasons
from contacts.agenda import BadDate, TaskClosed
from customers.models import Tier
from staff.refusal import Refused
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactLogFactory, ContactTaskFactory, StaffFactory

ON = date(2026, 11, 19)


@pytest.fixture
def own(db):
    return AssignmentFactory(customer__service_tier=Tier.PLATINUM)


def of_same_manager(own, **values):
    return AssignmentFactory(
        staff=own.staff, customer__branch=own.customer.branch, **{f"customer__{k}": v for k, v in values.items()}
    ).customer


def task(customer, *, reason="behind_quarter", due=0, stake=0, allowed=7, **values):
    source = {"alert": "alert", "deposit_due": "event", "planned": "manual"}.get(reason, "regime")
    figures = {
        "alert": {"level": 2, "reasons": []},
        "deposit_due": {"product": "大额存单", "matures_on": (ON + timedelta(days=due + 3)).isoformat(), "pieces": 1},
    }.get(reason, {"last": "2026-12-31", "need_phones": 4, "need_meetings": 2})
    return ContactTaskFactory(
        customer=customer,
        source=source,
        reason=reason,
        figures=values.pop("figures", figures),
        due_on=ON + timedelta(days=due),
        stake=stake,
        allowed_days=allowed,
        **values,
    )


@pytest.mark.parametrize(("stake", "share"), [(0, 0), (90_000, 0.333), (990_000, 0.667), (9_990_000, 1), (10**9, 1)])
def test_money_counts_by_its_order_of_magnitude(stake, share):
    assert ranking.money_share(Decimal(stake)) == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(
    ("due", "allowed", "expected"),
    [(7, 7, 1 / 8), (0, 7, 1), (1, 1, 1 / 2), (-2, 7, 1.25), (-70, 7, 1.5), (30, 7, 0)],
)
def test_urgency_is_the_share_of_the_period_that_is_used_up(due, allowed, expected):
    assert ranking.urgency(ON + timedelta(days=due), allowed, ON) == expected


def test_the_points_of_a_row_are_those_of_the_documented_formula():
    rank = ranking.rank(stake=Decimal(990_000), due_on=ON, allowed_days=7, tier=2, on=ON)

    assert (rank.money, rank.urgency, rank.tier) == (pytest.approx(50 * 2 / 3), 35, 10)


def test_more_money_later_deadline_and_lower_tier_give_their_order(own):
    rich, poor = of_same_manager(own), of_same_manager(own)
    task(rich, stake=2_000_000, due=3)
    task(poor, stake=10_000, due=3)
    task(own.customer, stake=10_000, due=-7)

    work = agenda.today(staff=own.staff, on=ON)

    assert [row.customer for row in work.rows] == [own.customer, rich, poor]
    assert [(row.group, row.place) for row in work.rows] == [("first", 1), ("week", 2), ("week", 3)]


def test_the_strongest_reason_leads_and_the_others_stand_behind_it(own):
    task(own.customer, stake=0, due=5)
    strongest = task(own.customer, reason="deposit_due", stake=300_000, due=0)

    (row,) = agenda.today(staff=own.staff, on=ON).rows

    assert (row.lead.task, len(row.others)) == (strongest, 1)
    assert row.sources == {"event", "regime"}


def test_only_five_rows_are_done_first(own):
    for _ in range(7):
        task(of_same_manager(own), due=0)

    work = agenda.today(staff=own.staff, on=ON)

    assert [(code, len(rows)) for code, rows in work.groups()] == [("first", 5), ("today", 2)]


def test_a_high_alert_leads_its_row_and_the_list_before_its_day(own):
    for _ in range(6):
        task(of_same_manager(own, service_tier=Tier.DIAMOND), due=-7, stake=5_000_000)
    task(own.customer, due=-7, stake=5_000_000)
    alert = task(own.customer, reason="alert", due=2, stake=50_000, figures={"level": 3, "reasons": []})

    first = agenda.today(staff=own.staff, on=ON).rows[0]

    assert (first.lead.task, first.group, len(first.others)) == (alert, "first", 1)


def test_the_tabs_count_customers_and_keep_the_places_of_the_whole_list(own):
    other = of_same_manager(own)
    task(own.customer, due=-5)
    task(other, reason="deposit_due", stake=10_000, due=4)
    task(other, due=5)

    work = agenda.today(staff=own.staff, on=ON, kind="event")

    assert work.counts == {"all": 2, "regime": 2, "event": 1, "alert": 0, "opportunity": 0, "manual": 0}
    assert [(row.customer, row.place) for row in work.shown] == [(other, 2)]


def test_the_list_holds_ones_own_customers_only(own):
    task(AssignmentFactory(customer__branch=own.customer.branch).customer)

    assert agenda.today(staff=own.staff, on=ON).rows == []


def test_an_adviser_has_the_events_of_supported_customers_but_not_the_regime(own):
    adviser = StaffFactory(role=Role.WEALTH_ADVISER, branch=own.customer.branch)
    AssignmentFactory(customer=own.customer, staff=adviser, role="adviser", start=ON)
    event = task(own.customer, reason="deposit_due", stake=1, due=1)
    task(own.customer)
    task(of_same_manager(own), reason="deposit_due", stake=1, due=1)

    (row,) = agenda.today(staff=adviser, on=ON).rows

    assert (row.lead.task, row.others) == (event, [])


def test_the_newest_words_stand_beside_a_row(own):
    for day, words, result in ((1, "旧", "connected"), (9, "问利率", "connected"), (12, "无人接听", "not_reached")):
        ContactLogFactory(customer=own.customer, on=date(2026, 11, day), summary=words, result=result)

    assert agenda.last_words_of([own.customer.pk]) == {own.customer.pk: "问利率"}


def test_a_task_follows_the_customer_to_a_new_manager(own):
    task(own.customer)
    own.end = ON
    own.save()
    new = AssignmentFactory(customer=own.customer, staff=StaffFactory(branch=own.customer.branch), start=ON)

    assert agenda.today(staff=own.staff, on=ON).rows == []
    assert len(agenda.today(staff=new.staff, on=ON).rows) == 1


def test_what_is_due_later_than_a_week_waits_except_events(own):
    task(own.customer, due=8)
    assert agenda.today(staff=own.staff, on=ON).rows == []

    task(own.customer, reason="deposit_due", due=12, stake=10_000)
    (row,) = agenda.today(staff=own.staff, on=ON).rows
    assert (row.group, row.lead.task.reason, row.others) == ("later", "deposit_due", [])


def test_the_list_takes_one_query_however_long_it_is(own, django_assert_num_queries):
    for n in range(30):
        task(of_same_manager(own) if n else own.customer, due=n % 7)

    with django_assert_num_queries(1):
        assert len(agenda.today(staff=own.staff, on=ON).rows) == 30


# --- by hand -----------------------------------------------------------------------------------------------


def test_putting_off_takes_a_customer_from_the_list_until_that_day(own):
    task(own.customer), task(own.customer, reason="deposit_due", stake=1)
    until = ON + timedelta(days=3)

    assert agenda.put_off(customer=own.customer, until=until, by=own.staff, on=ON) == 2

    assert agenda.today(staff=own.staff, on=until - timedelta(days=1)).rows == []
    assert len(agenda.today(staff=own.staff, on=until).rows) == 1
    assert agenda.bring_back(customer=own.customer, by=own.staff) == 2
    assert len(agenda.today(staff=own.staff, on=ON).rows) == 1


@pytest.mark.parametrize("days", [0, -1, 31])
def test_a_task_is_put_off_by_a_day_to_a_month(own, days):
    with pytest.raises(BadDate):
        agenda.snooze(task=task(own.customer), until=ON + timedelta(days=days), by=own.staff, on=ON)


def test_dismissing_needs_a_reason_and_can_be_undone(own):
    row = task(own.customer)
    with pytest.raises(Refused):
        agenda.dismiss(task=row, reason=" ", by=own.staff, on=ON)

    agenda.dismiss(task=row, reason="客户出国", by=own.staff, on=ON)
    assert agenda.today(staff=own.staff, on=ON).rows == []

    agenda.reopen(task=row, by=own.staff)
    assert len(agenda.today(staff=own.staff, on=ON).rows) == 1


def test_a_closed_task_cannot_be_dismissed(own):
    row = task(own.customer, status="done", closed_on=ON)

    with pytest.raises(TaskClosed):
        agenda.dismiss(task=row, reason="迟了", by=own.staff, on=ON)


# --- words -------------------------------------------------------------------------------------------------


def test_every_reason_that_is_detected_has_words_in_both_languages(own):
    from django.utils import translation

    from contacts.detection import KINDS

    for code in [*(reason for _, _, owned in KINDS for reason in owned), "alert", "planned"]:
        row = task(own.customer, reason=code, figures=FIGURES)
        for language in ("zh-hans", "en"):
            with translation.override(language):
                words = reasons.reason_of(row, on=ON, viewer=own.staff)
                assert words.chip and words.sentence and words.line, (code, language)


FIGURES = {
    "level": 3,
    "reasons": [],
    "need_phones": 4,
    "need_meetings": 2,
    "last": "2026-11-30",
    "since": "2026-11-10",
    "product": "大额存单",
    "matures_on": "2026-11-25",
    "pieces": 2,
    "from": 2,
    "to": 1,
    "day": "2026-11-20",
    "age": 60,
    "lunar": True,
    "title": "续存",
    "action": "回访",
    "stage": "planned",
    "stage_since": "2026-11-01",
}


def test_a_teller_reads_bands_not_amounts(own):
    teller = StaffFactory(role=Role.TELLER)
    row = task(own.customer, reason="deposit_due", stake=Decimal(312_345))

    assert "31.2" not in reasons.reason_of(row, on=ON, viewer=teller).sentence
    assert "31.2" in reasons.reason_of(row, on=ON, viewer=own.staff).sentence
