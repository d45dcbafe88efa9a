"""The demo bank: what a bank person would believe, and what the rules of the product would have computed."""

import re
from datetime import date, timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Max, Sum
from django.utils.timezone import localdate
from lunar_python import Solar

from contacts.models import MOVES, ContactLog, Opportunity
from customers import averages
from customers.assets import ensure_partitions
from customers.models import Assignment, Customer, DailyAsset, Holding, Load, MonthlyAsset, RelationStatus
from staff.models import ApiClient, Branch, Staff
from staff.roles import Role
from tests.factories import put_back_rules
from vipcrm.demo import bank as demo
from vipcrm.demo import notes, people
from vipcrm.demo.copying import copy_numbers, written
from vipcrm.demo.institutions import PASSWORD, SIGN_INS, outlet_sizes
from vipcrm.demo.money import draw_markets, months_until, simulate
from vipcrm.demo.names import Names
from vipcrm.demo.traits import WALKS

TODAY = localdate()
LAST = TODAY - timedelta(days=1)
SIZE = 240


@pytest.fixture(scope="module")
def bank(django_db_setup, django_db_blocker):
    """A small demo bank, written once for the tests of this file and taken back afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        put_back_rules()
        counts = demo.write_bank(customers=SIZE, seed=7, today=TODAY)
        yield counts
        transaction.set_rollback(True)


# --- people and offices ---------------------------------------------------------------------------


def test_every_role_has_somebody_and_every_sign_in_opens_with_the_published_password(bank):
    assert {member.role for member in Staff.objects.all()} == set(Role)
    for number, name in SIGN_INS.items():
        member = Staff.objects.get(staff_no=number)
        assert (member.name, member.check_password(PASSWORD)) == (name, True)
    assert Staff.objects.count() == 30
    assert Staff.objects.filter(capacity_factor__lt=1, mentor__isnull=False).count() == 1


def test_the_tree_has_a_head_office_two_sub_branches_and_four_outlets(bank):
    levels = [Branch.Level.HEAD_OFFICE, Branch.Level.SUB_BRANCH, Branch.Level.OUTLET]
    assert [Branch.objects.filter(level=level).count() for level in levels] == [1, 2, 4]
    assert Staff.objects.get(staff_no="head").branch.name == "滨江支行"
    assert set(Customer.objects.values_list("branch__level", flat=True)) == {Branch.Level.OUTLET}


def test_the_core_system_has_its_client(bank):
    core = ApiClient.objects.get(client_id="core")
    assert core.branch.level == Branch.Level.HEAD_OFFICE


@pytest.mark.parametrize("customers", [1, 3, 50, 4000, 4777, 100_000, 1_000_000])
def test_outlets_share_out_exactly_the_customers_asked_for(customers):
    sizes = outlet_sizes(customers)
    assert sum(sizes) == customers
    assert len(sizes) == max(4, round(customers / 1000))


def test_identity_numbers_carry_birth_sex_and_a_right_check_digit(bank):
    for customer in Customer.objects.all()[:60]:
        number = customer.id_no
        assert number[6:14] == f"{customer.birth_date:%Y%m%d}"
        assert int(number[16]) % 2 == (customer.gender == "m")
        assert people.check_digit(number[:17]) == number[17]
        assert customer.id_no_masked == number[0] + "*" * 16 + number[17]


def test_a_known_identity_number_gets_its_known_check_digit():
    assert people.check_digit("11010519491231002") == "X"


@pytest.mark.parametrize(
    "born", [date(1950, 1, 1), date(1965, 2, 2), date(1979, 12, 31), date(1987, 8, 5), date(2001, 5, 23)]
)
def test_lunar_birthdays_are_those_of_the_calendar(born):
    lunar = Solar.fromYmd(born.year, born.month, born.day).getLunar()
    assert people.lunar_birthday(born) == f"{lunar.getMonth()}-{lunar.getDay()}"


def test_papers_lie_encrypted_in_the_table(bank):
    customer = Customer.objects.first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_no, mobile, address FROM customers_customer WHERE id = %s", [customer.pk])
        raw = [bytes(value) for value in cursor.fetchone()]
    for sealed, clear in zip(raw, (customer.id_no, customer.mobile, customer.address), strict=True):
        assert clear.encode() not in sealed
    assert re.fullmatch(r"1\d{10}", customer.mobile)
    assert customer.mobile_last4 == customer.mobile[-4:]


def test_names_are_chinese_with_pinyin_beside_them(bank):
    for customer in Customer.objects.all()[:100]:
        assert re.fullmatch(r"[\u4e00-\u9fff]{2,4}", customer.name)
        assert len(customer.pinyin.split()) == len(customer.name)


def test_names_follow_the_fashion_of_the_birth_years():
    rng = np.random.default_rng(1)
    old, young = (set(Names().draw(rng, np.ones(400, bool), np.full(400, year))) for year in (1950, 2000))
    assert len(old & young) < 4


# --- money ----------------------------------------------------------------------------------------


def test_months_are_what_the_averages_of_the_night_would_compute(bank):
    kept_days_from = LAST - timedelta(days=99)
    ends = [month - timedelta(days=1) for month in months_until(LAST) if month - timedelta(days=30) > kept_days_from]
    changed = 0
    with connection.cursor() as cursor:
        for outlet in Branch.objects.outlets():
            for day in [*ends, LAST]:
                cursor.execute(averages._MONTH, averages._values(outlet.pk, day, "last_365", None))
                changed += cursor.rowcount
    assert changed == 0


def test_the_figures_of_customers_are_what_the_night_would_write(bank):
    figures = [
        "aum",
        "aum_30d_before",
        "month_avg",
        "year_avg",
        "next_maturity_on",
        "next_maturity_amount",
        "product_marks",
    ]
    before = list(Customer.objects.order_by("pk").values_list(*figures))
    for outlet in Branch.objects.outlets():
        averages.average_branch(branch_id=outlet.pk, on=LAST)
    assert list(Customer.objects.order_by("pk").values_list(*figures)) == before


def test_there_are_thirty_months_and_a_hundred_days_up_to_yesterday(bank):
    oldest = Customer.objects.order_by("opened_on").first()
    assert MonthlyAsset.objects.filter(customer=oldest).count() == 30
    assert DailyAsset.objects.filter(customer=oldest).count() == 100
    assert DailyAsset.objects.aggregate(day=Max("data_date"))["day"] == LAST


def test_what_customers_hold_adds_up_to_what_they_have(bank):
    held = Customer.objects.filter(holdings__status=Holding.Status.ACTIVE).annotate(held=Sum("holdings__amount"))
    assert held.exclude(held=F("aum")).count() == 0
    assert held.count() > SIZE * 0.9


def test_nobody_holds_what_ran_out_before_today(bank):
    assert not Holding.objects.active().filter(matures_on__lt=TODAY).exists()
    assert Holding.objects.active().filter(matures_on__lt=TODAY + timedelta(days=30)).exists()


def test_a_fair_part_leaves_and_not_more():
    """The label of domain.md §14, on the days themselves: 3–7 % of VIP customer-quarters."""
    history = simulate(np.random.default_rng(3), 1500, last=LAST, markets=draw_markets(np.random.default_rng(1), 1400))
    totals, left, vip = history.totals, 0, 0
    sums = np.cumsum(np.vstack([np.zeros(totals.shape[1]), totals]), axis=0)
    for day in range(460, len(totals) - 90, 90):
        before = (sums[day] - sums[day - 90]) / 90
        after = ((sums[day + 30 : day + 91] - sums[day : day + 61]) / 30).min(axis=0)
        wealthy = before >= 100_000 * 100
        vip += wealthy.sum()
        left += (wealthy & (after <= 0.5 * before)).sum()
    assert 0.03 < left / vip < 0.07


def test_no_balance_is_ever_negative():
    history = simulate(np.random.default_rng(5), 300, last=LAST, markets=draw_markets(np.random.default_rng(1), 1400))
    assert history.daily.min() >= 0
    assert (history.daily.sum(axis=0) == history.totals[-100:]).all()


def test_the_same_seed_gives_the_same_money():
    def totals(seed):
        return simulate(np.random.default_rng(seed), 50, last=LAST, markets=np.zeros((1400, 2))).totals

    assert (totals(4) == totals(4)).all()
    assert (totals(4) != totals(5)).any()


# --- who looks after whom -------------------------------------------------------------------------


def test_some_wait_and_nobody_is_over_quota(bank):
    assert Customer.objects.waiting().exclude(needs="").count() == Customer.objects.waiting().count() > 0
    assert not Load.objects.filter(units__gt=F("capacity")).exists()
    held = Assignment.objects.open().primary()
    assert (
        Load.objects.aggregate(n=Sum("gold"))["n"]
        == held.filter(customer__service_tier=1).exclude(customer__relation_status=RelationStatus.POTENTIAL).count()
    )
    assert held.exclude(customer__manager=F("staff")).count() == 0


def test_tellers_hold_gold_customers_only(bank):
    tiers = Assignment.objects.open().filter(staff__role=Role.TELLER).values_list("customer__service_tier", flat=True)
    assert set(tiers) == {1}


# --- contacts and opportunities -------------------------------------------------------------------


def test_contacts_lie_in_the_past_and_say_something(bank):
    logs = ContactLog.objects.all()
    assert logs.count() > SIZE
    assert not logs.filter(on__gte=TODAY).exists()
    assert not logs.exclude(result="not_reached").filter(summary="").exists()
    assert logs.exclude(result="not_reached").values("summary").distinct().count() > 150
    assert set(logs.values_list("counts_as", flat=True)) == {"phone", "meeting", "message", "nothing"}
    assert not logs.filter(summary__contains="{").exists()


def test_there_are_many_ways_to_say_it():
    pieces = sum(len(said) for said in [*notes.SAID.values(), *notes.OF_AGE.values(), *notes.MEETING_EXTRA.values()])
    assert pieces + len(notes.NEXT_BUSINESS) + len(notes.NEXT_CARE) + len(notes.SHORT) >= 60


def test_opportunities_came_along_the_pipeline(bank):
    opportunities = Opportunity.objects.prefetch_related("history")
    assert opportunities.count() > 5
    for opportunity in opportunities:
        steps = [step.to_stage for step in opportunity.history.all()]
        assert (steps[0], steps[-1]) == ("new", opportunity.stage)
        assert all(after in MOVES[before] for before, after in zip(steps, steps[1:], strict=False))
        assert opportunity.history.all().last().at.date() <= TODAY


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_without_demo_nothing_is_written(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo", "--customers", "20", verbosity=0)
    assert not Branch.objects.exists()


@pytest.mark.django_db
def test_a_bank_that_is_there_is_replaced_only_when_asked(settings):
    settings.DEMO = True
    call_command("demo", "--customers", "20", verbosity=0)
    first = set(Customer.objects.values_list("name", flat=True))
    with pytest.raises(CommandError, match="--replace"):
        call_command("demo", "--customers", "20", verbosity=0)
    assert set(Customer.objects.values_list("name", flat=True)) == first

    before = Customer.objects.count()
    call_command("demo", "--customers", "30", "--if-empty", verbosity=0)  # what `make run` does
    assert Customer.objects.count() == before
    call_command("demo", "--customers", "30", "--seed", "9", "--replace", verbosity=0)

    assert Customer.objects.count() == 30
    assert DailyAsset.objects.exclude(customer__in=Customer.objects.all()).count() == 0


def test_a_number_of_customers_out_of_range_is_refused():
    with pytest.raises(CommandError, match="1 to 1,000,000"):
        call_command("demo", "--customers", "0")


# --- COPY -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_binary_copy_keeps_every_cent():
    ensure_partitions(date(2026, 1, 1), date(2026, 1, 31))
    cents = np.array([0, 1, 99, 100, 999_999, 1_000_000, 100_000_000, 12_345_678_901_234], np.int64)
    days = np.array([date(2026, 1, 1 + number) for number in range(len(cents))], "datetime64[D]")
    copy_numbers(DailyAsset, {"customer_id": np.full(len(cents), 5), "data_date": days, "demand": ("cents", cents)})
    stored = DailyAsset.objects.order_by("data_date").values_list("total", flat=True)
    assert [int(value * 100) for value in stored] == cents.tolist()


def test_text_copy_escapes_what_would_break_a_row():
    assert written("a\tb\\c\nd") == "a\\tb\\\\c\\nd"
    assert written(['say "hi"', "x\\y"]) == '{"say \\\\"hi\\\\"","x\\\\\\\\y"}'
    assert (written(None), written(True), written(b"\x01")) == ("\\N", "t", "\\\\x01")


def test_walks_of_life_add_up():
    assert WALKS.sum() == pytest.approx(1)
