"""The board, the forms that stages ask for, and the panels of Customer 360."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from contacts.models import ContactLog, Opportunity
from customers.models import TierChange
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactLogFactory, OpportunityFactory, StaffFactory

NOW = datetime(2026, 11, 19, 10, 26, tzinfo=ZoneInfo("Asia/Shanghai"))
ON = NOW.date()
HTMX = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_half_past_ten():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(db):
    return AssignmentFactory(customer__name="沈雅琴")


@pytest.fixture
def opportunity(own):
    return OpportunityFactory(
        customer=own.customer, owner=own.staff, created_at=NOW, expected_amount=Decimal(300_000), stage_since=ON
    )


def signed_in(client, staff):
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    return client


def drop(client, opportunity, stage, **more):
    data = {"opportunity": opportunity.pk, "stage": stage, "version": opportunity.updated_at.isoformat()} | more
    return client.post(reverse("contacts:opportunity_drop"), data, headers=HTMX)


def test_the_board_shows_columns_with_count_and_sum(client, own, opportunity):
    answer = signed_in(client, own.staff).get("/opportunities/")

    column = answer.context["columns"][0]
    assert (column.stage, column.number, column.money) == ("new", 1, Decimal(300_000))
    assert answer.context["figures"].weighted == Decimal(30_000)
    assert f'data-card="{opportunity.pk}"' in answer.content.decode()


def test_the_filters_narrow_the_board(client, own, opportunity):
    OpportunityFactory(customer=own.customer, owner=own.staff, kind="upgrade", last_touched_on=ON)
    signed_in(client, own.staff)

    def number(**query):
        return client.get("/opportunities/", query).context["figures"].number

    assert (number(), number(kind="upgrade"), number(stalled="1"), number(kind="nonsense")) == (2, 1, 1, 2)


def test_a_head_sees_the_outlets_opportunities_and_a_stranger_none(client, own, opportunity):
    head = StaffFactory(role=Role.BRANCH_HEAD, branch=own.customer.branch)
    stranger = AssignmentFactory().staff

    assert signed_in(client, head).get("/opportunities/").context["figures"].number == 1
    signed_in(client, stranger)
    assert client.get("/opportunities/", {"mine": "0"}).context["figures"].number == 0
    assert client.get(opportunity.get_absolute_url()).status_code == 404
    assert drop(client, opportunity, "lost", lost_reason="other").status_code == 404
    for name in ("opportunity_move", "opportunity_undo"):
        assert client.post(reverse(f"contacts:{name}", args=[opportunity.pk])).status_code == 404


def test_a_role_without_the_action_sees_the_board_and_may_not_move(client, own, opportunity):
    president = StaffFactory(role=Role.SUB_BRANCH_PRESIDENT, branch=own.customer.branch)
    signed_in(client, president)

    assert "data-board" not in client.get("/opportunities/").content.decode().split('id="board"')[1][:40]
    assert drop(client, opportunity, "lost", lost_reason="other").status_code == 403


def test_a_dropped_card_moves_and_can_be_taken_back(client, own, opportunity):
    ContactLogFactory(customer=own.customer, staff=own.staff, on=ON)
    signed_in(client, own.staff)

    moved = drop(client, opportunity, "contacted")
    opportunity.refresh_from_db()
    assert (moved.status_code, opportunity.stage) == (200, "contacted")
    assert (
        "data-undo" in moved.content.decode() and 'id="board" data-board hx-swap-oob="true"' in moved.content.decode()
    )

    client.post(reverse("contacts:opportunity_undo", args=[opportunity.pk]), headers=HTMX)
    opportunity.refresh_from_db()
    assert opportunity.stage == "new"


def test_a_stage_that_needs_something_opens_its_form_in_the_drawer(client, own, opportunity):
    answer = drop(signed_in(client, own.staff), opportunity, "lost")

    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#drawer")
    assert 'name="lost_reason"' in answer.content.decode()
    opportunity.refresh_from_db()
    assert opportunity.stage == "new"


def test_a_card_that_needs_a_contact_first_opens_the_log(client, own, opportunity):
    answer = drop(signed_in(client, own.staff), opportunity, "contacted")

    page = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#drawer")
    assert reverse("contacts:log", args=[own.customer.pk]) in page
    assert f'name="moves" value="{opportunity.pk}" checked' in page


def test_a_move_keeps_the_filters_of_the_page(client, own, opportunity):
    OpportunityFactory(customer=own.customer, owner=own.staff, kind="upgrade", last_touched_on=ON)
    signed_in(client, own.staff)
    data = {"opportunity": opportunity.pk, "stage": "planned", "next_action_on": "2026-11-23"}
    headers = HTMX | {"HX-Current-URL": "http://testserver/opportunities/?kind=retention"}

    answer = client.post(reverse("contacts:opportunity_drop"), data, headers=headers)

    assert answer.context["chosen"].kind == "retention"
    assert answer.context["figures"].number == 1


def test_a_move_the_pipeline_refuses_says_so(client, own, opportunity):
    answer = drop(signed_in(client, own.staff), opportunity, "won", result_amount="5")

    assert answer.status_code == 422
    assert "toast-line--error" in answer.content.decode()


def test_a_stale_card_is_refused_with_409(client, own, opportunity):
    version = (opportunity.updated_at - timedelta(minutes=5)).isoformat()

    answer = drop(signed_in(client, own.staff), opportunity, "lost", lost_reason="other", version=version)

    assert answer.status_code == 409


@pytest.mark.parametrize("changes", [{"opportunity": "abc"}, {"stage": "nowhere"}, {"stage": ""}])
def test_nonsense_moves_nothing(client, own, opportunity, changes):
    signed_in(client, own.staff)
    data = {"opportunity": opportunity.pk, "stage": "lost", "lost_reason": "other"} | changes

    assert client.post(reverse("contacts:opportunity_drop"), data, headers=HTMX).status_code in (404, 422)
    opportunity.refresh_from_db()
    assert opportunity.stage == "new"


def test_the_move_form_works_as_a_page(client, own, opportunity):
    url = reverse("contacts:opportunity_move", args=[opportunity.pk])
    signed_in(client, own.staff)

    assert "<html" in client.get(url, {"to": "planned"}).content.decode()
    assert client.get(url, {"to": "won"}).status_code == 302
    assert client.post(url, {"stage": "planned", "next_action_on": "2026-11-23"}).status_code == 302
    opportunity.refresh_from_db()
    assert (opportunity.stage, opportunity.next_action_on.isoformat()) == ("planned", "2026-11-23")


def test_an_opportunity_is_opened_for_a_customer_in_sight_only(client, own):
    foreign = AssignmentFactory().customer
    data = {"kind": "upgrade", "title": "升级白金", "customer": own.customer.pk}
    signed_in(client, own.staff)

    assert client.get("/opportunities/new/", {"customer": foreign.pk}).status_code == 404
    assert client.post("/opportunities/new/", data | {"customer": foreign.pk}).status_code == 422
    assert client.post("/opportunities/new/", data | {"expected_amount": "-1"}).status_code == 422
    assert client.post("/opportunities/new/", data).status_code == 302
    assert client.post("/opportunities/new/", data).status_code == 422  # one open of a kind
    assert Opportunity.objects.get().owner == own.staff


def test_the_form_of_a_new_opportunity_opens_in_the_drawer(client, own):
    signed_in(client, own.staff)

    for query in ({}, {"customer": own.customer.pk}):
        page = client.get("/opportunities/new/", query, headers=HTMX).content.decode()
        assert "drawer-panel" in page and "<html" not in page


@pytest.mark.parametrize("to", ["planned", "contacted", "lost"])
def test_the_form_of_a_move_opens_in_the_drawer(client, own, opportunity, to):
    url = reverse("contacts:opportunity_move", args=[opportunity.pk])

    assert "drawer-panel" in signed_in(client, own.staff).get(url, {"to": to}, headers=HTMX).content.decode()


def test_the_record_shows_where_it_stands_and_how_it_came_there(client, own, opportunity):
    signed_in(client, own.staff)
    drop(client, opportunity, "planned", next_action_on="2026-11-23")

    page = client.get(opportunity.get_absolute_url())

    assert page.status_code == 200
    assert [move.to_stage for move in page.context["history"]] == ["planned"]


def test_a_teller_reads_bands_on_every_page(client, own, opportunity):
    teller = StaffFactory(role=Role.TELLER, branch=own.customer.branch)
    own.end = ON
    own.save()
    AssignmentFactory(customer=own.customer, staff=teller, start=ON)
    Opportunity.objects.update(owner=teller, expected_amount=Decimal("312345.67"), next_action_on=ON)
    signed_in(client, teller)

    pages = ["/today/", "/opportunities/", opportunity.get_absolute_url()]
    pages.append(reverse("contacts:panel_opportunities", args=[own.customer.pk]))

    for page in pages:
        text = client.get(page).content.decode()
        # "312" alone may stand in a random token of the page.
        assert not any(figure in text for figure in ("31.2", "312,3", "312345")), page


# --- panels -----------------------------------------------------------------------------------------------------


def test_the_ledger_mixes_contacts_stages_and_tiers_newest_first(client, own, opportunity):
    ContactLogFactory(customer=own.customer, staff=own.staff, on=ON - timedelta(days=3), summary="问利率")
    TierChange.objects.create(
        customer=own.customer, on=ON - timedelta(days=18), kind="up", from_tier=0, to_tier=1, month_avg=1
    )
    signed_in(client, own.staff)
    drop(client, opportunity, "planned", next_action_on="2026-11-23")
    url = reverse("contacts:panel_timeline", args=[own.customer.pk])

    answer = client.get(url, headers=HTMX)

    assert [entry.icon for entry in answer.context["entries"]] == ["target-arrow", "phone", "star"]
    for kind, number in {"contacts": 1, "stages": 1, "tiers": 1, "nonsense": 3}.items():
        assert len(client.get(url, {"kind": kind}, headers=HTMX).context["entries"]) == number


def test_the_ledger_loads_on_in_pages(client, own):
    for n in range(20):
        ContactLogFactory(customer=own.customer, staff=own.staff, on=ON - timedelta(days=n + 1))
    url = reverse("contacts:panel_timeline", args=[own.customer.pk])

    first = signed_in(client, own.staff).get(url, headers=HTMX)
    rest = client.get(first.context["more_url"], headers=HTMX)

    assert (len(first.context["entries"]), len(rest.context["entries"])) == (12, 8)
    assert "<section" not in rest.content.decode()


def test_one_line_logs_a_contact(client, own):
    url = reverse("contacts:note", args=[own.customer.pk])
    signed_in(client, own.staff)

    refused = client.post(url, {"summary": " "}, headers=HTMX)
    saved = client.post(url, {"summary": "来电问利率", "channel": "phone", "key": "n1"}, headers=HTMX)
    client.post(url, {"summary": "来电问利率", "channel": "phone", "key": "n1"}, headers=HTMX)

    assert "toast-line--error" in refused.content.decode()
    assert "来电问利率" in saved.content.decode()
    assert ContactLog.objects.get().counts_as == "phone"


def test_the_opportunities_of_a_customer_are_a_panel(client, own, opportunity):
    answer = signed_in(client, own.staff).get(reverse("contacts:panel_opportunities", args=[own.customer.pk]))

    assert opportunity.title in answer.content.decode()
