"""Saved views, the menu and columns: kept, shared without widening anybody's sight, changed without undoing each other."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers import list_memory
from customers.columns import COLUMNS, DEFAULT
from customers.list_memory import MenuFull, NameTaken, NotYours, ViewChanged
from customers.models import SavedView, ViewPin
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

LIST = "/customers/"


@pytest.fixture(autouse=True)
def today(time_machine, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch, client):
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")
    client.force_login(head)
    return head


def save(by, name="大额", query="tier=diamond", **options):
    return list_memory.save_view(by=by, name=name, query=query, **options)


def names(client, query="") -> list[str]:
    return re.findall(r"data-open>([^<]+)</a>", client.get(f"{LIST}?{query}").content.decode())


def test_a_name_is_taken_once_a_person_and_free_again_after_deleting(head):
    view = save(head)
    with pytest.raises(NameTaken):
        save(head)
    save(StaffFactory(), name="大额")

    list_memory.delete_view(view=view, by=head)
    again = save(head)
    with pytest.raises(NameTaken):
        list_memory.restore_view(view=view, by=head)
    list_memory.delete_view(view=again, by=head)
    assert list_memory.restore_view(view=view, by=head).deleted_at is None


def test_seven_places_and_not_one_more_whoever_writes(head):
    views = [save(head, name=f"v{n}", pin=True) for n in range(7)]
    with pytest.raises(MenuFull):
        save(head, name="v7", pin=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ViewPin.objects.create(staff=head, view=save(head, name="v8"), position=8)

    list_memory.move_pin(view=views[6], by=head, to=1)
    assert [row["label"] for row in list_memory.menu_views(head)] == ["v6", "v0", "v1", "v2", "v3", "v4", "v5"]
    list_memory.unpin_view(view=views[0], by=head)
    list_memory.pin_view(view=views[0], by=head)
    assert len(list_memory.menu_views(head)) == 7


def test_only_who_made_a_view_changes_it_and_a_stale_change_shows_what_it_is_now(head, branch):
    view = save(head, shared=True)
    colleague = StaffFactory(branch=branch)
    with pytest.raises(NotYours):
        list_memory.update_view(view=view, by=colleague, version=1, name="x")
    with pytest.raises(NotYours):
        list_memory.delete_view(view=view, by=colleague)

    list_memory.update_view(view=view, by=head, version=1, name="钻石")
    with pytest.raises(ViewChanged, match="钻石"):
        list_memory.update_view(view=view, by=head, version=1, name="白金")


def test_a_shared_view_shares_the_question_and_not_the_answer(client, branch):
    own = AssignmentFactory(customer__branch=branch, customer__name="自己", customer__service_tier=2)
    CustomerFactory(branch=branch, name="别人的", service_tier=2)
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD)
    view = save(head, query=f"tier=platinum&manager={own.staff.pk}", shared=True)
    elsewhere = StaffFactory(branch=BranchFactory())
    assert view in SavedView.objects.open_to(own.staff)
    assert view not in SavedView.objects.open_to(elsewhere)

    client.force_login(own.staff)
    assert names(client, f"view={view.pk}&{view.query}") == ["自己"]
    client.force_login(elsewhere)
    assert names(client, f"view={view.pk}&{view.query}") == []
    assert "大额" not in client.get(f"{LIST}?view={view.pk}").content.decode()


def test_a_view_shared_above_is_open_to_those_beneath(head):
    beneath = StaffFactory(branch=BranchFactory(parent=head.branch))

    assert save(head, shared=True) in SavedView.objects.open_to(beneath)
    assert save(beneath, shared=True) not in SavedView.objects.open_to(StaffFactory(branch=head.branch))


def test_saving_over_the_page_keeps_the_question_and_opens_the_view(client, head, branch):
    CustomerFactory(branch=branch, name="Diamond", service_tier=3)
    CustomerFactory(branch=branch, name="Gold")

    answer = client.post(
        reverse("customers:view_save"),
        {"name": "Big", "query": "tier=diamond&sort=contact&nonsense=1&view=9", "cols": "name,tier,month", "pin": "on"},
    )

    view = SavedView.objects.get()
    assert (view.query, view.columns) == ("tier=diamond&sort=contact", ["name", "tier", "month"])
    assert answer["Location"] == f"/customers/?view={view.pk}&tier=diamond&sort=contact"
    page = client.get(answer["Location"]).content.decode()
    assert "Diamond" in page and ">Gold<" not in page
    assert "Month average" in page and 'class="col-spark"' not in page
    assert "Update the view" not in page and "Save as a view" not in page
    assert re.search(r'aria-current="page"[^>]*>.*?Big.*?badge-n">1<', page, re.S)


def test_a_list_that_left_its_view_offers_to_update_it_and_to_go_back(client, head):
    view = save(head, name="Big")

    page = client.get(f"{LIST}?view={view.pk}&tier=diamond&tier=gold").content.decode()
    assert "Update the view" in page and "Revert" in page and "Save as a view" in page

    client.post(
        reverse("customers:view_update", args=[view.pk]), {"query": "tier=gold", "cols": "name,aum", "version": "1"}
    )
    view.refresh_from_db()
    assert (view.query, view.columns, view.version) == ("tier=gold", ["name", "aum"], 2)


def test_a_view_that_was_deleted_can_be_restored_on_the_page(client, head):
    view = save(head, pin=True)

    client.post(reverse("customers:view_delete", args=[view.pk]))
    page = client.get(reverse("customers:view_list")).content.decode()
    assert "Restore" in page and list_memory.menu_views(head) == []

    client.post(reverse("customers:view_restore", args=[view.pk]))
    assert [row["label"] for row in list_memory.menu_views(head)] == ["大额"]


def test_columns_and_layout_are_kept_for_the_person(client, head, branch):
    CustomerFactory(branch=branch, month_avg=654_321)

    client.post(
        reverse("customers:list_choice"),
        {"columns_sent": "1", "columns": ["tier", "month", "password"], "layout": "cards", "query": "tier=gold"},
    )

    assert list_memory.choice_of(head).columns == ["tier", "month"]
    page = client.get(LIST).content.decode()
    assert "¥654K" in page or "654" in page
    assert "is-cards" in page and 'class="col-risk"' not in page
    client.post(reverse("customers:list_choice"), {"columns_sent": "1", "usual": "1"})
    assert list_memory.choice_of(head).columns == []


def test_columns_chosen_in_a_view_wait_until_the_view_is_updated(client, head):
    view = save(head, name="Big", columns=["tier", "aum"])
    own = {"columns_sent": "1", "columns": ["month"], "query": f"tier=diamond&view={view.pk}"}

    answer = client.post(reverse("customers:list_choice"), own)
    page = client.get(answer["Location"]).content.decode()

    assert answer["Location"] == f"/customers/?tier=diamond&view={view.pk}&cols=month"
    assert "Update the view" in page and list_memory.choice_of(head).columns == []
    cols = re.search(r'name="cols" value="([^"]*)"', page)[1]
    client.post(
        reverse("customers:view_update", args=[view.pk]), {"query": "tier=diamond", "cols": cols, "version": "1"}
    )
    view.refresh_from_db()
    assert view.columns == ["name", "month"]


def test_every_column_can_be_shown_and_sorted_and_takes_no_query_more(client, head, branch):
    def queries() -> int:
        client.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    for _n in range(3):
        CustomerFactory(branch=branch)
    usual = queries()
    list_memory.keep_choice(by=head, columns=[column.key for column in COLUMNS])
    assert queries() == usual
    for column in COLUMNS:
        if column.sort:
            assert client.get(f"{LIST}?sort={column.sort}").status_code == 200
            assert client.get(f"{LIST}?sort=-{column.sort}&cols={column.key}").status_code == 200
    assert set(DEFAULT) < {column.key for column in COLUMNS}


def test_a_teller_reads_bands_in_every_column_and_cannot_sort_by_exact_averages(client, branch):
    teller = LoadFactory(staff__branch=branch, staff__role=Role.TELLER).staff
    AssignmentFactory(
        customer__branch=branch, customer__aum=123_456, customer__month_avg=234_567, customer__clv=345_678,
        customer__money_at_risk=98_765, staff=teller,
    )  # fmt: skip
    list_memory.keep_choice(by=teller, columns=[column.key for column in COLUMNS])
    client.force_login(teller)

    page = client.get(LIST).content.decode()

    assert re.search(r"<th[^>]*>月日均</th>", page) and "sort=month" not in page
    assert "10–20 万" in page and "20–50 万" in page and "5–10 万" in page
    for exact in ("23.5", "34.6", "12.3", "9.9", "234", "345", "987"):
        assert exact not in re.sub(r"C\d{8}|data-\w+=\"[^\"]*\"|<polyline[^>]*>", "", page)
    for sort in ("month", "year", "clv"):
        assert client.get(f"{LIST}?sort={sort}").status_code == 422


def test_a_record_that_was_taken_over_is_not_in_the_list(client, head, branch):
    stays = CustomerFactory(branch=branch, name="Stays")
    CustomerFactory(branch=branch, name="Merged", merged_into=stays)

    assert names(client) == ["Stays"]


def test_the_sheet_of_filters_finds_what_the_address_says_and_carries_the_rest(client, head):
    page = client.get("/customers/filters/?tier=gold&contact=last30&matures=7&sort=contact").content.decode()

    assert re.search(r'value="gold"[^>]*checked', page)
    assert re.search(r'<option value="last" selected', page)
    assert 'name="matures" value="7"' in page and 'name="sort" value="contact"' in page
