"""Customer 360: the ladder's arithmetic and advice, suitability, and what the page shows to whom."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.timezone import localdate

from customers import ladder, suitability
from customers.models import Assignment, Customer, Holding, ProfileValue, RelationStatus, Tier, TierChange
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    CustomerFactory,
    HoldingFactory,
    LoadFactory,
    ProductFactory,
    StaffFactory,
    daily_assets,
    monthly_asset,
)

TODAY = date(2026, 11, 19)
FLOORS = {
    Tier.GENERAL: Decimal(0),
    Tier.GOLD: Decimal(100_000),
    Tier.PLATINUM: Decimal(500_000),
    Tier.DIAMOND: Decimal(1_000_000),
}


def figures(month_avg, service_tier, maturing=0, **values):
    return ladder.Figures(
        floors=FLOORS,
        month_avg=Decimal(month_avg),
        service_tier=service_tier,
        on=TODAY,
        maturing=Decimal(maturing),
        **values,
    )


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (figures(827_000, Tier.PLATINUM, 300_000),
         "Keep ¥300K and add ¥173K to reach Diamond on 1 Jan 2027; if it leaves, only ¥27.0K is left above Platinum."),
        (figures(827_000, Tier.PLATINUM, 400_000),
         "Keep ¥400K and add ¥173K to reach Diamond on 1 Jan 2027; if it leaves, ¥73.0K is missing for Platinum."),
        (figures(827_000, Tier.PLATINUM), "¥173K more reaches Diamond on 1 Jan 2027; it takes effect on signing."),
        (figures(90_000, Tier.GENERAL, 50_000), "Keep ¥50K and add ¥10.0K to reach Gold on 1 Jan 2027."),
        (figures(90_000, Tier.GENERAL), "¥10.0K more reaches Gold on 1 Jan 2027; it takes effect on signing."),
        (figures(1_200_000, Tier.DIAMOND), "¥200K above the floor of Diamond."),
        (figures(1_200_000, Tier.DIAMOND, 300_000),
         "If ¥300K leaves when it matures, ¥100K is missing for Diamond: speak before it does."),
        (figures(1_200_000, Tier.DIAMOND, 100_000), "¥200K above the floor of Diamond."),
        (figures(1_200_000, Tier.PLATINUM), "The month average has reached Diamond; signing makes it the service tier."),
        (figures(480_000, Tier.PLATINUM),
         "¥20.0K below the floor of Platinum; a month that ends so begins the watch."),
        (figures(480_000, Tier.PLATINUM, watch_months=1),
         "¥20.0K more keeps Platinum; after 2 more months below the floor it falls."),
        (figures(480_000, Tier.PLATINUM, watch_months=3),
         "¥20.0K below the floor of Platinum; the tier falls on the next rating day."),
        (figures(900_000, Tier.DIAMOND, watch_months=3, patience=6),
         "¥100K more keeps Diamond; after 3 more months below the floor it falls."),
        (figures(520_000, Tier.PLATINUM, watch_months=1),
         "This month's average is ¥20.0K above the floor of Platinum; kept to the month's end it ends the watch."),
    ],
)  # fmt: skip
def test_the_ladder_says_what_to_do_in_one_sentence(case, words):
    with translation.override("en"):
        assert ladder.advice(case) == words


def test_the_ladder_speaks_chinese_as_the_bank_does():
    with translation.override("zh-hans"):
        said = ladder.advice(figures(827_000, Tier.PLATINUM, 300_000))

    assert said.startswith("续存 30 万并再增 17.3 万，2027-01-01 可达钻石")
    assert "门槛只剩 2.7 万" in said


@pytest.mark.parametrize(
    ("amount", "place"),
    [(0, 0), (50_000, 4.5), (100_000, 9), (300_000, 25.5), (500_000, 42), (750_000, 62.5), (1_000_000, 83),
     (1_500_000, 91.5), (2_000_000, 100), (90_000_000, 100)],
)  # fmt: skip
def test_an_amount_stands_between_the_floors(amount, place):
    assert ladder.place(Decimal(amount), FLOORS) == place


def test_the_ladder_is_drawn_with_pin_gap_and_loss():
    with translation.override("en"):
        drawing = ladder.draw(figures(750_000, Tier.PLATINUM, 250_000))

    assert (drawing.pin, drawing.loss, drawing.gap) == (62.5, 42.0, (62.5, 83.0))
    assert drawing.gap_label == "¥250K to Diamond"
    assert drawing.loss_label == "if ¥250K leaves at maturity → ¥500K"
    assert [segment["code"] for segment in drawing.segments] == ["n", "g", "p", "d"]


def test_at_the_top_there_is_no_gap():
    drawing = ladder.draw(figures(1_200_000, Tier.DIAMOND))

    assert drawing.gap is None and drawing.loss is None and drawing.gap_label == ""


@pytest.mark.parametrize(
    ("on", "rated", "reachable"),
    [
        (date(2026, 11, 19), date(2026, 12, 1), date(2027, 1, 1)),
        (date(2026, 11, 1), date(2026, 12, 1), date(2026, 12, 1)),
        (date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 1)),
    ],
)
def test_money_of_today_counts_fully_in_the_first_whole_month(on, rated, reachable):
    assert ladder.rating_day(on) == rated
    assert ladder.reachable_day(on) == reachable


@pytest.mark.parametrize(
    ("grade", "assessed_on", "state", "highest"),
    [
        (3, date(2026, 3, 2), "valid", 3),
        (5, date(2025, 12, 19), "expiring", 5),
        (3, date(2025, 11, 19), "expiring", 3),
        (3, date(2025, 11, 18), "expired", 0),
        (None, None, "missing", 0),
        (2, None, "missing", 0),
    ],
)
def test_an_assessment_holds_for_twelve_months(grade, assessed_on, state, highest):
    standing = suitability.assess(grade=grade, assessed_on=assessed_on, on=TODAY)

    assert (standing.state, standing.highest) == (state, highest)


# --- The page ------------------------------------------------------------------------------------


@pytest.fixture
def served(db, client, time_machine):
    """A customer with a manager, who is signed in and reads English."""
    time_machine.move_to("2026-11-19 10:00 +0800", tick=False)
    row = AssignmentFactory(
        customer__name="沈雅琴", customer__service_tier=Tier.PLATINUM, customer__aum=Decimal("864213.50"),
        customer__month_avg=Decimal(827_000), customer__data_date=TODAY - timedelta(days=1),
        customer__id_no="450101197405062846", customer__id_no_masked="4***************6",
        customer__mobile="13800006021", customer__mobile_masked="138 **** 6021",
        customer__birth_date=date(1974, 5, 6), customer__risk_grade=3, customer__risk_assessed_on=date(2026, 3, 2),
    )  # fmt: skip
    row.staff.language = "en"
    row.staff.save(update_fields=["language"])
    client.force_login(row.staff)
    return row


def read(client, customer, part="") -> str:
    page = client.get(f"/customers/{customer.pk}/{part}", headers={"HX-Request": "true"} if part else {})
    assert page.status_code == 200
    return page.content.decode()


def test_the_head_shows_masks_only_and_the_view_is_written(client, served):
    page = read(client, served.customer)

    assert "沈雅琴" in page and "age 52" in page and "138 **** 6021" in page and "4***************6" in page
    assert "13800006021" not in page and "450101197405062846" not in page
    assert AuditEvent.objects.about(served.customer).filter(action="customer.viewed", staff=served.staff).count() == 1


def test_the_page_names_the_panels_of_every_room(client, served):
    page = read(client, served.customer)

    for part in ("ladder", "assets", "holdings", "timeline", "opportunities", "suitability", "completeness"):
        assert f'hx-get="/customers/{served.customer.pk}/{part}/"' in page
    for tab, part in (("profile", "profile"), ("consents", "consents")):
        assert f'hx-get="/customers/{served.customer.pk}/{part}/"' in read(client, served.customer, f"?tab={tab}")
    assert f'hx-get="/churn/customers/{served.customer.pk}/reasons/"' in page


def test_the_ladder_panel_looks_at_money_that_matures_soon(client, served):
    HoldingFactory(customer=served.customer, amount=300_000, matures_on=TODAY + timedelta(days=6))
    HoldingFactory(customer=served.customer, amount=999_999, matures_on=TODAY + timedelta(days=100))

    panel = read(client, served.customer, "ladder/")

    assert "Month average ¥827K" in panel
    assert "if ¥300K leaves at maturity → ¥527K" in panel
    assert "¥173K to Diamond" in panel


def test_the_assets_panel_draws_months_by_kind_with_the_thresholds(client, served):
    for month, demand, fund in ((10, 400_000, 100_000), (11, 500_000, 0)):
        values = {"demand": demand, "fund": fund}
        monthly_asset(served.customer, date(2026, month, 1), Decimal(demand + fund), **values)

    panel = read(client, served.customer, "assets/?months=12")

    assert '"labels": ["26-10", "26-11"]' in panel
    assert '"data": [400.0, 500.0]' in panel and '"data": [100.0, 0.0]' in panel
    assert "Diamond \\u00a51M" in panel
    assert "Assets from ¥500K to ¥500K" in panel


def test_a_day_without_a_balance_stays_a_gap(client, served):
    last = TODAY - timedelta(days=1)
    daily_assets(served.customer, {last - timedelta(days=2): Decimal(1000), last: Decimal(2000)})

    assert '"data": [1.0, null, 2.0]' in read(client, served.customer, "assets/?months=3")


def test_months_that_are_not_offered_show_twelve(client, served):
    assert 'aria-current="true">12 months' in read(client, served.customer, "assets/?months=7")


def test_holdings_show_share_and_maturity(client, served):
    deposit = ProductFactory(name="三年大额存单", risk_level=1)
    HoldingFactory(customer=served.customer, product=deposit, amount=300_000, matures_on=TODAY + timedelta(days=6))
    HoldingFactory(customer=served.customer, amount=100_000)
    HoldingFactory(customer=served.customer, amount=900_000, status=Holding.Status.ENDED)

    panel = read(client, served.customer, "holdings/")

    assert "75%" in panel and "25%" in panel and "2 items" in panel
    assert "in 6 days" in panel


def test_an_expired_assessment_blocks_every_product(client, served):
    served.customer.risk_assessed_on = date(2025, 1, 1)
    served.customer.save(update_fields=["risk_assessed_on"])

    panel = read(client, served.customer, "suitability/")

    assert "Expired" in panel and "is-allowed" not in panel
    assert "no investment product may be recommended" in panel


def test_suitability_marks_what_may_be_offered(client, served):
    panel = read(client, served.customer, "suitability/")

    assert panel.count("is-allowed") == 3
    assert "R1 to R3 may be offered." in panel


def test_history_names_who_looked_and_who_looked_after(client, served):
    read(client, served.customer)

    assert "Customer viewed" in read(client, served.customer, "history/?of=views")
    assert served.staff.name in read(client, served.customer, "history/?of=people")


def test_history_tells_what_caused_a_change_of_tier_and_what_the_archive_held_before(client, served):
    TierChange.objects.create(
        customer=served.customer, on=TODAY, kind="down", from_tier=2, to_tier=1, month_avg=450_000,
        figures={"measure": "month_avg", "floor": "500000", "below": {"2026-01": "480000", "2026-02": "460000"}},
    )  # fmt: skip
    for value, ended in (("科长", timezone.now()), ("总经理", None)):
        ProfileValue.objects.create(customer=served.customer, field="post", value=value, ended_at=ended)

    assert "2026-01 ¥480K、2026-02 ¥460K" in read(client, served.customer, "history/")
    archive = read(client, served.customer, "history/?of=archive")
    assert "总经理" in archive and archive.index("科长</span> →") > 0
    assert len(re.findall("<tr>", read(client, served.customer, "history/?of=archive&rows=1"))) == 2


def test_the_team_names_who_serves_and_that_an_adviser_is_lacking(client, served):
    Customer.objects.filter(pk=served.customer.pk).update(service_tier=2)
    team = read(client, served.customer, "team/")
    assert served.staff.name in team and "there is none yet" in team


def test_a_panel_alone_is_a_whole_page(client, served):
    page = client.get(f"/customers/{served.customer.pk}/ladder/").content.decode()

    assert "<html" in page and "Month average" in page


def test_previous_and_next_follow_the_list_it_came_from(client, served):
    rich, poor = (
        AssignmentFactory(customer__branch=served.customer.branch, staff=served.staff, customer__aum=aum).customer
        for aum in (9_000_000, 1)
    )

    page = read(client, served.customer)
    assert f'href="/customers/{rich.pk}/" rel="prev"' in page and f'href="/customers/{poor.pk}/" rel="next"' in page

    page = client.get(f"/customers/{served.customer.pk}/?from=tier%3Dplatinum").content.decode()
    assert 'rel="prev"' not in page and 'rel="next"' not in page
    assert 'href="/customers/?tier=platinum"' in page


def test_a_list_address_that_cannot_be_read_does_not_break_the_record(client, served):
    page = client.get(f"/customers/{served.customer.pk}/?from=sort%3Dx%26aum_min%3Dy&tab=nonsense")

    assert page.status_code == 200


def test_an_auditor_reads_a_masked_name_everywhere(client, served):
    client.force_login(StaffFactory(role=Role.AUDITOR))

    for part in ("", "ladder/", "assets/", "holdings/", "suitability/", "profile/", "history/"):
        whole = client.get(f"/customers/{served.customer.pk}/{part}").content.decode()
        assert "雅琴" not in whole
    assert "沈**" in client.get(f"/customers/{served.customer.pk}/").content.decode()


def test_a_teller_reads_bands_everywhere(client, served):
    teller = LoadFactory(staff__branch=served.customer.branch, staff__role=Role.TELLER).staff
    served.customer.assignments.update(end=TODAY)
    row = Assignment(customer=served.customer, staff=teller, start=TODAY, role=Assignment.Role.BACKUP)
    row.save()
    monthly_asset(served.customer, date(2026, 11, 1), Decimal("864213.50"))
    HoldingFactory(customer=served.customer, amount=Decimal("345678.90"))
    client.force_login(teller)

    for part in ("", "facts/", "ladder/", "assets/", "assets/?months=3", "holdings/"):
        whole = client.get(f"/customers/{served.customer.pk}/{part}").content.decode()
        # Keys stand in addresses and are no money, whatever their digits.
        shown = re.sub(rf"(?<!\d)({served.customer.pk}|{teller.pk}|{served.customer.customer_no})(?!\d)", "", whole)
        for exact in ("864", "86.4", "82.7", "827", "345", "34.6"):
            assert exact not in shown, (part, exact)
    assert "50–100 万" in client.get(f"/customers/{served.customer.pk}/").content.decode()


def test_the_number_of_queries_does_not_grow_with_what_a_customer_has(client, served):
    parts = ("", "ladder/", "assets/?months=36", "holdings/", "suitability/", "profile/")

    def queries() -> list[int]:
        counts = []
        for part in parts:
            client.get(f"/customers/{served.customer.pk}/{part}")
            with CaptureQueriesContext(connection) as captured:
                client.get(f"/customers/{served.customer.pk}/{part}")
            counts.append(len(captured))
        return counts

    HoldingFactory(customer=served.customer, matures_on=TODAY + timedelta(days=5))
    monthly_asset(served.customer, date(2026, 10, 1), Decimal(5))
    few = queries()
    for month in range(1, 9):
        HoldingFactory(customer=served.customer, matures_on=TODAY + timedelta(days=month))
        monthly_asset(served.customer, date(2026, month, 1), Decimal(5))
        AssignmentFactory(customer__branch=served.customer.branch, staff=served.staff)

    assert queries() == few


def test_a_potential_customer_is_called_so(client, served):
    served.customer.relation_status = RelationStatus.POTENTIAL
    served.customer.save(update_fields=["relation_status"])

    assert "Potential" in read(client, served.customer)


def test_a_customer_of_another_branch_is_not_found(client, served):
    other = CustomerFactory()

    assert client.get(f"/customers/{other.pk}/").status_code == 404
    assert not AuditEvent.objects.about(other).exists()


@pytest.mark.django_db
def test_what_if_shows_the_coming_ratings_and_not_to_tellers(client):
    on = localdate()
    row = AssignmentFactory(
        staff=LoadFactory(staff__language="en").staff, customer__aum=864_000, customer__month_avg=864_000
    )
    customer = row.customer
    Customer.objects.filter(pk=customer.pk).update(data_date=on)
    monthly_asset(customer, on.replace(day=1), 864_000, days=on.day, balances=864_000 * on.day)
    client.force_login(row.staff)

    plain = client.get(f"/customers/{customer.pk}/ladder/").content.decode()
    changed = client.get(f"/customers/{customer.pk}/ladder/?change=20").content.decode()
    wrong = client.get(f"/customers/{customer.pk}/ladder/?change=much").content.decode()

    assert "What if" in plain and "with the change" not in plain
    assert "¥1.06M" in changed and "Diamond" in changed
    assert "Give an amount" in wrong
    teller = LoadFactory(staff__role=Role.TELLER, staff__branch=customer.branch).staff
    Assignment.objects.create(customer=customer, staff=teller, start=on, role=Assignment.Role.BACKUP)
    client.force_login(teller)
    assert "what-if" not in client.get(f"/customers/{customer.pk}/ladder/?change=20").content.decode()
