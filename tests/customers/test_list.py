"""The customer list: who is on it, filters and order in the address, pages by key, and how many queries it takes."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.list_page import Order, neighbours
from customers.list_rows import polyline
from customers.models import Customer, RelationStatus, Tier
from staff.models import Branch, Staff
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory, daily_assets

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)
LIST = "/customers/"


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch, client):
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")
    client.force_login(head)
    return head


def shown(client, query="", **headers) -> list[str]:
    """Return the names of the rows, in their order."""
    page = client.get(f"{LIST}?{query}", headers=headers)
    assert page.status_code == 200, page.content
    return re.findall(r"data-open>([^<]+)</a>", page.content.decode())


def test_a_manager_sees_only_the_customers_served_and_the_counts_say_so(client, branch):
    own = AssignmentFactory(customer__branch=branch, customer__name="沈雅琴")
    AssignmentFactory(customer__branch=branch, customer__name="陈国栋")
    client.force_login(own.staff)

    page = client.get(LIST).content.decode()

    assert "沈雅琴" in page and "陈国栋" not in page
    assert "1 / 1" in page or "1 of 1" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tier=diamond", ["Diamond"]),
        ("tier=diamond&tier=platinum", ["Diamond", "Platinum"]),
        ("aum_min=60", ["Diamond", "Platinum"]),
        ("aum_max=60", ["Gold"]),
        ("aum_min=60&aum_max=100", ["Platinum"]),
        ("change_max=-5", ["Platinum"]),
        ("change_min=5", ["Gold"]),
        ("contact_within=10", ["Gold"]),
        ("contact_before=30", ["Diamond", "Platinum"]),
        ("regime=missed", ["Platinum"]),
        ("churn=high&churn=medium", ["Diamond", "Platinum"]),
        ("matures=7", ["Gold"]),
        ("relation=potential", ["Gold"]),
        ("holds=wealth", ["Diamond"]),
        ("lacks=wealth", ["Platinum", "Gold"]),
        ("tag=quiet", ["Platinum"]),
        ("birthday=7", ["Diamond", "Gold"]),
        ("birthday=3", ["Diamond"]),
        ("state=watch", ["Platinum"]),
        ("near=10", ["Gold"]),
        ("manager=none", ["Platinum", "Gold"]),
        ("tier=gold&aum_min=60", []),
    ],
)
def test_each_filter_keeps_whom_it_names(client, head, branch, query, names):
    values = {"branch": branch, "name": "Diamond", "service_tier": Tier.DIAMOND, "aum": 2_000_000, "churn_level": 3}
    diamond = CustomerFactory(
        **values,
        month_avg=2_000_000,
        product_marks="deposit wealth",
        birth_date=date(1980, 11, 27),
        aum_30d_before=2_000_000,
    )
    AssignmentFactory(customer=diamond)
    CustomerFactory(
        branch=branch, name="Platinum", service_tier=Tier.PLATINUM, aum=800_000, month_avg=700_000, churn_level=2,
        aum_30d_before=1_000_000, last_contact_on=TODAY - timedelta(days=40), contact_state="missed", tags=["quiet"],
        tier_state="watch", birth_date=date(1970, 1, 31),
    )  # fmt: skip
    CustomerFactory(
        branch=branch, name="Gold", service_tier=Tier.GOLD, aum=500_000, month_avg=460_000, aum_30d_before=400_000,
        last_contact_on=TODAY - timedelta(days=5), next_maturity_on=TODAY + timedelta(days=7), churn_level=1,
        relation_status=RelationStatus.POTENTIAL, lunar_birthday="10-22",
    )  # fmt: skip

    assert shown(client, query) == names


@pytest.mark.parametrize(
    "query",
    [
        "aum_min=abc", "aum_min=-1", "aum_min=1e400", "tier=steel", "churn=9", "sort=password", "after=zzz&sort=aum",
        "after=1,2,NaN", "after=NaN,1", "after=1,99999999999999999999", "birthday=4000", "contact_within=999999999",
        "manager=0", "branch=x", "near=0", "q=" + "x" * 61, "sort=contact&after=yesterday,3", "change_min=inf",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_shows_nobody(client, head, branch, query):
    CustomerFactory(branch=branch, name="Somebody")

    for headers in ({}, {"HX-Request": "true"}):
        page = client.get(f"{LIST}?{query}", headers=headers)
        assert page.status_code == 422
        assert "The list cannot be shown as asked." in page.content.decode()
        assert "Somebody" not in page.content.decode()


@pytest.mark.parametrize("query", ["q=%00", "sort=name&after=%00,1"])
def test_an_address_with_a_nul_is_refused(client, head, query):
    assert client.get(f"{LIST}?{query}").status_code == 400


def test_a_blank_parameter_filters_nothing_and_leaves_the_address(client, head, branch):
    CustomerFactory(branch=branch, name="Somebody")

    page = client.get(f"{LIST}?aum_min=&tier=gold&q=&sort=-aum", headers={"HX-Request": "true"})

    assert page["HX-Push-Url"] == "/customers/?tier=gold"
    assert "Somebody" in page.content.decode()


def test_pages_by_key_show_everyone_once_in_every_order(client, head, branch):
    for n in range(120):
        CustomerFactory(
            branch=branch,
            aum=1000 * (n % 7),
            aum_30d_before=None if n % 5 == 0 else 1000 * (n % 3),
            service_tier=n % 4,
            churn_probability=None if n % 3 == 0 else (n % 10) / 10,
            last_contact_on=None if n % 4 == 0 else TODAY - timedelta(days=n % 11),
            next_maturity_on=None if n % 2 else TODAY + timedelta(days=n % 13),
        )
    for sort in ("aum", "-aum", "name", "-name", "tier", "-churn", "contact", "-contact", "change", "next"):
        everyone = Order.read(sort, head).arrange(Customer.objects.visible_to(head))

        seen, url = [], f"{LIST}?sort={sort}"
        while url:
            page = client.get(url, headers={"HX-Request": "true"}).content.decode()
            seen += re.findall(r"data-open>([^<]+)</a>", page)
            more = re.search(r'hx-get="([^"]*after=[^"]+)"', page)
            url = more[1].replace("&amp;", "&") if more else ""

        assert seen == [customer.name for customer in everyone], sort
        assert "120 of 120 shown" in page


def test_the_next_rows_come_as_rows_alone(client, head, branch):
    for _ in range(51):
        CustomerFactory(branch=branch)
    first = client.get(LIST).content.decode()
    url = re.search(r'hx-get="([^"]*after=[^"]+)"', first)[1].replace("&amp;", "&")

    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    whole = client.get(url).content.decode()

    assert part.strip().startswith("<tr") and part.count("data-row") == 1
    assert "<html" in whole and whole.count("<tr data-row") == 1


def test_a_place_says_who_stands_before_and_after(branch, head):
    rich, middle, poor = (CustomerFactory(branch=branch, aum=aum).pk for aum in (3, 2, 1))
    order, customers = Order.read("", head), Customer.objects.visible_to(head)

    assert neighbours(customers, order, middle) == (rich, poor, 2)
    assert neighbours(customers, order, rich) == (None, middle, 1)
    assert neighbours(customers, order, poor) == (middle, None, 3)
    assert neighbours(customers.filter(aum=1), order, rich) == (None, None, 0)


def test_the_views_are_tabs_with_counts(client, head, branch):
    CustomerFactory(branch=branch, service_tier=Tier.DIAMOND, contact_state="missed")
    CustomerFactory(branch=branch, churn_level=3)

    page = client.get(f"{LIST}?churn=high&churn=medium").content.decode()

    tabs = re.findall(
        r'<a href="/customers/\?([^"]*)"[^>]*?( aria-current="page")?>([^<]+) <span class="n">(\d+)</span>', page
    )
    assert [(label, count, bool(active)) for _url, active, label, count in tabs] == [
        ("All", "2", False),
        ("Diamond, off regime this month", "1", False),
        ("Maturing within a week", "0", False),
        ("Birthday within 30 days", "0", False),
        ("Churn risk medium or high", "1", True),
        ("Within 10% of the next tier", "0", False),
        ("Potential", "0", False),
    ]


def test_head_office_gets_the_counts_of_the_tabs_behind_the_page(client, branch):
    office = StaffFactory(role=Role.RETAIL_ADMIN, branch=branch.parent, language="en")
    CustomerFactory(branch=branch, churn_level=3)
    client.force_login(office, backend="staff.sign_in.StaffBackend")

    page = client.get(LIST).content.decode()
    later = re.search(r'class="tabs-later" hx-get="([^"]+)"', page)[1]
    assert '<span class="n">' not in page.split('id="list-tabs"')[1].split("</nav>")[0]
    counted = client.get(later, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'<span class="n">(\d+)</span>', counted)[0] == "1"
    assert "tabs-later" not in client.get(LIST).content.decode()


def test_chips_say_what_is_filtered_and_take_it_away(client, head, branch):
    page = client.get(f"{LIST}?aum_min=30&contact_before=90&tier=gold").content.decode()

    chips = re.findall(r'chip--filter"><span>([^<]+)</span> <b>([^<]+)</b><a href="([^"]+)"', page)
    assert [(label, words) for label, words, _url in chips] == [
        ("Tier", "Gold"),
        ("AUM", "≥ ¥300K"),
        ("Not contacted", "90 days or more"),
    ]
    assert chips[1][2].replace("&amp;", "&") == "?tier=gold&contact_before=90"


def test_the_sparkline_is_eight_weeks_of_balances(client, head, branch):
    customer = CustomerFactory(branch=branch, data_date=TODAY)
    daily_assets(customer, {TODAY - timedelta(weeks=8): Decimal(100), TODAY: Decimal(50)})

    page = client.get(LIST).content.decode()

    assert '<polyline points="0,2.0 64,18.0">' in page
    assert "spark--down" in page


def test_a_polyline_needs_two_points_and_is_flat_where_nothing_moved():
    assert polyline([]) == polyline([(TODAY, Decimal(5))]) == ""
    assert polyline([(TODAY - timedelta(days=7), Decimal(5)), (TODAY, Decimal(5))]) == "0,10.0 64,10.0"


def test_the_number_of_queries_does_not_grow_with_the_customers(client, head, branch):
    def queries() -> int:
        client.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    def add(number):
        for n in range(number):
            customer = AssignmentFactory(customer__branch=branch, customer__data_date=TODAY).customer
            daily_assets(customer, {TODAY: Decimal(n)})

    add(10)
    few = queries()
    add(50)

    assert queries() == few


def test_who_serves_nobody_reads_masked_names_and_cannot_sort_by_them(client, branch):
    CustomerFactory(branch=branch, name="欧阳慧敏")
    client.force_login(StaffFactory(role=Role.AUDITOR, branch=branch))

    page = client.get(LIST).content.decode()

    assert "欧阳**" in page and "慧敏" not in page
    assert client.get(f"{LIST}?sort=name").status_code == 422


def test_a_teller_reads_bands_and_cannot_ask_for_amounts(client, branch):
    customer = CustomerFactory(branch=branch, aum=Decimal("123456.78"))
    Branch.objects.filter(pk=branch.pk).update(name="滨江支行")  # numbered names could hold the digits looked for
    teller = LoadFactory(staff__branch=branch, staff__role=Role.TELLER, staff__staff_no="T1", staff__name="柜员").staff
    AssignmentFactory(customer=customer, staff=teller)
    client.force_login(Staff.objects.get(pk=teller.pk))

    page = client.get(LIST).content.decode()

    assert "10–20 万" in page
    assert not re.search(
        r"12[.,]?3[.,]?4|\b12\.3", page.replace(customer.customer_no, "").replace(f"/{customer.pk}/", "")
    ), "the amount is written nowhere, in yuan or in 万"
    assert 'name="aum_min"' not in page
    assert "客户" in client.get(f"{LIST}?aum_min=50").content.decode()  # not a filter of theirs: nothing is asked


def test_a_head_gives_chosen_customers_to_a_member_at_once(client, head, branch):
    chosen = [CustomerFactory(branch=branch) for _ in range(2)]
    manager = LoadFactory(staff__branch=branch).staff

    page = client.get(LIST).content.decode()
    assert f'<option value="{manager.pk}">' in page
    answer = client.post(
        reverse("customers:assignment_assign_many"), {"chosen": [one.pk for one in chosen], "to": manager.pk}
    )

    assert answer.status_code == 302
    assert set(Customer.objects.filter(manager=manager)) == set(chosen)


def test_a_filter_cannot_reach_into_another_branch(client, head):
    other = CustomerFactory(name="Elsewhere")
    manager = AssignmentFactory(customer=other).staff

    assert client.get(f"{LIST}?branch={other.branch_id}").status_code == 422
    assert client.get(f"{LIST}?manager={manager.pk}").status_code == 422
    assert shown(client, "q=Elsewhere") == []
