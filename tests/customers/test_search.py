"""Finding customers: characters, pinyin, initials, mixed, digits, numbers; within sight; whatever is typed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer, Tier
from customers.search import Typed, _names, _numbers, hits, marked, matching, search, sounding
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def head():
    return StaffFactory(branch=BranchFactory(), role=Role.BRANCH_HEAD, language="en")


def customer(head, name, pinyin, **values):
    return CustomerFactory(branch=head.branch, name=name, pinyin=pinyin, **values)


@pytest.mark.parametrize(
    "typed",
    ["沈雅琴", "沈", "雅琴", "琴", "shenyaqin", "shen ya qin", "SHEN", "syq", "sy", "sya", "shenyq", "syaqin", "yaqin", "yq", "qin",
     "沈yq", "沈ya", "s雅", "6021", "6200", "620000001", " 沈雅琴 "],
)  # fmt: skip
def test_a_customer_is_found_by(head, typed):
    found = customer(head, "沈雅琴", "shen ya qin", mobile_last4="6021", customer_no="620000001")

    assert search(head, typed, 8) == [found]


@pytest.mark.parametrize(
    "typed", ["henya", "hen", "aqin", "沈琴", "yqs", "602", "0001", "qinya", "沈lq", "zzz", "20000001"]
)
def test_a_customer_is_not_found_by(head, typed):
    customer(head, "沈雅琴", "shen ya qin", mobile_last4="6021", customer_no="620000001")

    assert search(head, typed, 8) == []


@pytest.mark.parametrize(
    "typed", ["%", "_", "\\", "沈%", "s.*", "(", "[a-z]", "s'", '"', "^s", "$", "沈\\", "a{1000}", "*"]
)
def test_signs_that_mean_something_to_the_database_mean_nothing_here(head, typed):
    customer(head, "沈雅琴", "shen ya qin")
    odd = customer(head, f"A{typed}B", "")

    found = search(head, typed, 8)

    assert odd in found
    assert len(found) == 1 or Typed.read(typed).letters  # letters beside the signs still count


@settings(max_examples=60, deadline=None)
@given(typed=st.text(max_size=80))
def test_whatever_is_typed_is_answered(typed):
    viewer = StaffFactory.build(role=Role.SUB_BRANCH_PRESIDENT, branch_id=1)

    list(matching(Customer.objects.visible_to(viewer), typed, viewer)[:1])


def test_what_begins_so_comes_first_then_the_money(head):
    inside = customer(head, "陈沈生", "chen shen sheng", aum=9_000_000)
    poor = customer(head, "沈一", "shen yi", aum=1)
    rich = customer(head, "沈二", "shen er", aum=2)

    assert search(head, "沈", 8) == [rich, poor, inside]
    assert search(head, "shen", 8) == [rich, poor, inside]
    assert search(head, "沈", 2) == [rich, poor]


def test_a_search_stays_within_sight(head):
    CustomerFactory(name="沈雅琴", pinyin="shen ya qin", mobile_last4="6021", customer_no="620000001")

    for typed in ("沈", "syq", "6021", "620000001"):
        assert search(head, typed, 8) == []


def test_a_manager_finds_own_customers_only():
    own = AssignmentFactory(customer__name="王芳", customer__pinyin="wang fang")
    AssignmentFactory(customer__name="王芳", customer__pinyin="wang fang", customer__branch=own.customer.branch)

    assert search(own.staff, "wf", 8) == [own.customer]


def test_who_sees_names_masked_finds_numbers_but_no_names(head):
    found = customer(head, "沈雅琴", "shen ya qin", mobile_last4="6021", customer_no="620000001")
    auditor = StaffFactory(role=Role.AUDITOR)

    assert search(auditor, "沈雅琴", 8) == search(auditor, "syq", 8) == []
    assert search(auditor, "620000001", 8) == search(auditor, "6021", 8) == [found]
    assert hits(auditor, "6021", 8)[0].name == [("沈**", False)]


@pytest.mark.parametrize(
    ("typed", "places"),
    [("sya", {0, 5, 6}), ("shenyq", {0, 1, 2, 3, 5, 8}), ("yq", {5, 8}), ("qin", {8, 9, 10}), ("x", set())],
)
def test_the_letters_typed_are_marked(typed, places):
    assert sounding("shen ya qin", Typed.read(typed)) == places


def test_marks_cut_a_text_into_parts():
    assert marked("Shen", {0, 1}) == [("Sh", True), ("en", False)]
    assert marked("", set()) == []


def test_the_palette_shows_hits_actions_and_the_way_to_the_list(client, head):
    found = customer(head, "沈雅琴", "shen ya qin", service_tier=Tier.PLATINUM, aum=864_000)
    client.force_login(head)

    page = client.get("/search/?q=sya", headers={"HX-Request": "true"}).content.decode()

    assert f'href="/customers/{found.pk}/"' in page and 'role="option"' in page
    assert "<mark>S</mark>hen <mark>Ya</mark> Qin" in page
    assert f"/customers/{found.pk}/log/" in page
    assert 'href="/customers/?q=sya"' in page
    assert "<html" not in page


def test_the_palette_offers_pages_before_anything_is_typed(client, head):
    client.force_login(head)

    page = client.get("/search/?q=", headers={"HX-Request": "true"}).content.decode()

    assert 'href="/customers/"' in page and 'href="/assignment/"' in page


def test_without_scripts_a_search_leads_to_the_list(client, head):
    client.force_login(head)

    assert client.get("/search/?q=沈&x=1").headers["Location"] == "/customers/?q=%E6%B2%88"


def test_script_in_a_search_is_only_text(client, head):
    client.force_login(head)

    page = client.get("/search/?q=<script>alert(1)</script>", headers={"HX-Request": "true"}).content.decode()

    assert "<script>alert" not in page


def test_eight_rows_at_most_and_the_total_beside_them(client, head):
    for _ in range(12):
        customer(head, "王芳", "wang fang")
    client.force_login(head)

    page = client.get("/search/?q=wangf", headers={"HX-Request": "true"}).content.decode()

    assert page.count("<mark>Wang</mark> <mark>F</mark>ang") == 8
    assert '<span class="push">12</span>' in page


# --- The index of grams ----------------------------------------------------------------------------

SYLLABLES = ["shen", "ya", "qin", "zhang", "wei", "o", "an", "lv"]
HAN = "沈雅琴张伟欧安吕"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.lists(st.integers(0, len(HAN) - 1), min_size=1, max_size=4), min_size=1, max_size=4),
    typed=st.text(alphabet="shenyaqizgwolv 沈雅琴张", min_size=1, max_size=6),
)
def test_the_index_finds_whom_a_look_at_every_name_finds(head, names, typed):
    Customer.objects.filter(branch=head.branch).delete()
    people = [customer(head, "".join(HAN[n] for n in name), " ".join(SYLLABLES[n] for n in name)) for name in names]
    read = Typed.read(typed)
    everybody = Customer.objects.filter(branch=head.branch)

    found = set(matching(everybody, typed, head))

    assert found == (set(everybody.filter(_numbers(read) | _names(read))) if read.text else set(people))


def test_the_index_follows_a_change_of_name_and_a_bulk_write(head):
    one = customer(head, "沈雅琴", "shen ya qin")
    Customer.objects.filter(pk=one.pk).update(name="欧阳慧", pinyin="ou yang hui")

    assert search(head, "沈雅", 8) == []
    assert search(head, "oyh", 8) == [one]
    (other,) = Customer.objects.bulk_create(
        [CustomerFactory.build(branch=head.branch, name="马建华", pinyin="ma jian hua")]
    )
    assert search(head, "majh", 8) == [other]


def test_a_latin_name_is_found_by_what_stands_within_it(head):
    found = customer(head, "Johnson Lee", "johnson lee")

    for typed in ("ohns", "n l", "JOHN", "jl", "lee"):
        assert search(head, typed, 8) == [found], typed


def test_digits_find_numbers_mobiles_and_names_that_hold_them(head):
    by_number = customer(head, "沈雅琴", "shen ya qin", customer_no="602199")
    by_mobile = customer(head, "马建华", "ma jian hua", mobile_last4="6021")
    by_name = customer(head, "客户6021", "ke hu")
    customer(head, "何蕴秋", "he yun qiu", customer_no="160219", mobile_last4="0216")
    elsewhere = CustomerFactory(mobile_last4="6021")

    found = search(head, "6021", 8)

    assert set(found) == {by_number, by_mobile, by_name}
    assert elsewhere not in found
    assert set(search(StaffFactory(role=Role.RETAIL_ADMIN, branch=head.branch), "6021", 8)) == {by_number, by_mobile}
