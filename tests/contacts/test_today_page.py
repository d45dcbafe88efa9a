"""Today and the log of a contact, through the pages, as each role."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from contacts.models import ContactLog, ContactTask, Opportunity
from customers.models import Customer, Hobby, Resource, Tier
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactTaskFactory, OpportunityFactory, StaffFactory

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
    return AssignmentFactory(customer__service_tier=Tier.DIAMOND, customer__name="沈雅琴")


def signed_in(client, staff):
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    return client


def due(customer, **values):
    figures = {"last": "2026-11-30", "need_phones": 2, "need_meetings": 1}
    return ContactTaskFactory(
        **{"customer": customer, "reason": "missed_month", "figures": figures, "due_on": ON, "allowed_days": 7} | values
    )


def form(**changes):
    return {
        "channel": "phone",
        "result": "reached",
        "at": "2026-11-19T10:20",
        "purpose": "care",
        "summary": "问三年期存单利率",
        "key": "form-1",
        "save": "1",
    } | changes


def log_url(customer):
    return reverse("contacts:log", args=[customer.pk])


def test_today_shows_the_row_with_its_reason(client, own):
    due(own.customer)

    page = signed_in(client, own.staff).get("/today/").content.decode()

    assert "沈雅琴" in page
    assert f'id="row-{own.customer.pk}"' in page
    assert log_url(own.customer) in page


@pytest.mark.parametrize("kind", ["alert", "regime", "event", "opportunity", "done", "nonsense"])
def test_every_tab_answers(client, own, kind):
    due(own.customer)

    answer = signed_in(client, own.staff).get("/today/", {"kind": kind, "month": "2026-12"})

    assert answer.status_code == 200
    assert (f'id="row-{own.customer.pk}"' in answer.content.decode()) == (kind in ("regime", "nonsense"))


def test_a_bad_month_shows_this_one(client, own):
    assert signed_in(client, own.staff).get("/today/", {"month": "2026-99"}).context["month"] == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.RELATIONSHIP_MANAGER, 200),
        (Role.WEALTH_ADVISER, 200),
        (Role.LOBBY_MANAGER, 200),
        (Role.TELLER, 200),
        (Role.BRANCH_HEAD, 200),
        (Role.AUDITOR, 403),
        (Role.SYS_ADMIN, 403),
        (Role.RETAIL_ADMIN, 403),
    ],
)
def test_today_is_for_those_who_serve_customers(client, role, status):
    assert signed_in(client, StaffFactory(role=role)).get("/today/").status_code == status


def test_nobody_sees_it_without_signing_in(client):
    assert client.get("/today/").status_code == 302


def test_a_colleagues_and_another_branchs_customer_are_not_found(client, own):
    colleague = AssignmentFactory(customer__branch=own.customer.branch)
    foreign = AssignmentFactory()
    task = due(foreign.customer)
    written = ContactLog.objects.create(
        customer=foreign.customer, staff=foreign.staff, channel="phone", result="connected", at=NOW, on=ON,
        entered_on=ON, summary="甲",
    )  # fmt: skip
    signed_in(client, own.staff)

    for other in (colleague.customer, foreign.customer):
        assert client.get(log_url(other)).status_code == 404
        assert client.post(log_url(other), form()).status_code == 404
        for name in ("snooze", "snooze_undo", "note", "dial"):
            assert client.post(reverse(f"contacts:{name}", args=[other.pk])).status_code == 404
        for name in ("log_effects", "panel_timeline", "panel_opportunities"):
            assert client.get(reverse(f"contacts:{name}", args=[other.pk])).status_code == 404
    assert client.post(reverse("contacts:dismiss", args=[task.pk]), {"reason": "x"}).status_code == 404
    assert client.post(reverse("contacts:log_void", args=[written.pk])).status_code == 404
    assert ContactLog.objects.count() == 1


def test_the_head_may_log_with_a_customer_of_the_outlet(client, own):
    head = StaffFactory(role=Role.BRANCH_HEAD, branch=own.customer.branch)

    assert signed_in(client, head).post(log_url(own.customer), form()).status_code == 302
    assert ContactLog.objects.get().staff == head


# --- the drawer -----------------------------------------------------------------------------------------------


def test_the_drawer_has_everything_ticked_and_says_what_saving_changes(client, own):
    task = due(own.customer)
    opportunity = OpportunityFactory(customer=own.customer, owner=own.staff, kind="upgrade", created_at=NOW)

    page = signed_in(client, own.staff).get(log_url(own.customer), headers=HTMX).content.decode()

    assert "drawer-panel" in page and "<html" not in page
    assert f'name="closes" value="{task.pk}" checked' in page
    assert f'name="moves" value="{opportunity.pk}" checked' in page
    assert "1/2" in page  # the call that is about to be logged


def test_two_clicks_and_one_sentence_log_a_contact_and_close_the_row(client, own):
    task = due(own.customer)

    answer = signed_in(client, own.staff).post(log_url(own.customer), form(closes=[task.pk]), headers=HTMX)

    page = answer.content.decode()
    own.customer.refresh_from_db()
    assert answer.status_code == 200
    assert f'id="row-{own.customer.pk}"' not in page
    assert 'id="kpis" hx-swap-oob="true"' in page and "data-undo" in page
    assert own.customer.contact_phones == 1
    assert ContactTask.objects.get(pk=task.pk).status == "done"


def test_save_and_next_brings_the_next_customer(client, own):
    other = AssignmentFactory(staff=own.staff, customer__branch=own.customer.branch, customer__name="马建华").customer
    first, second = due(own.customer, due_on=ON - timedelta(days=7)), due(other)

    data = form(closes=[first.pk], next="1")
    page = signed_in(client, own.staff).post(log_url(own.customer), data, headers=HTMX).content.decode()

    assert "drawer-panel" in page
    assert reverse("contacts:log", args=[other.pk]) in page
    assert f'name="closes" value="{second.pk}" checked' in page


def test_an_action_keeps_the_tab_it_came_from(client, own):
    due(own.customer)
    headers = HTMX | {"HX-Current-URL": "http://testserver/today/?kind=event"}
    signed_in(client, own.staff)

    drawer = client.get(log_url(own.customer), headers=headers)
    saved = client.post(log_url(own.customer), form(kind="event"), headers=HTMX)
    put_off = client.post(reverse("contacts:snooze", args=[own.customer.pk]), {"until": "2026-11-23"}, headers=headers)

    assert 'name="kind" value="event"' in drawer.content.decode()
    assert [answer.context["kind"] for answer in (saved, put_off)] == ["event", "event"]


def test_behind_another_page_only_what_is_there_is_answered(client, own):
    due(own.customer)
    headers = HTMX | {"HX-Current-URL": f"http://testserver/customers/{own.customer.pk}/"}
    signed_in(client, own.staff)

    drawer = client.get(log_url(own.customer), headers=headers).content.decode()
    saved = client.post(log_url(own.customer), form(behind="other"), headers=HTMX)

    assert 'name="behind" value="other"' in drawer
    assert "today-list" not in saved.content.decode() and "data-undo" in saved.content.decode()
    assert saved["HX-Trigger"] == "contacts-changed"


def test_a_quick_phrase_is_sentence_enough(client, own):
    from contacts.forms import PHRASES

    phrase = str(PHRASES["manual"][0])

    signed_in(client, own.staff).post(log_url(own.customer), form(summary="", phrases=[phrase]), headers=HTMX)

    assert ContactLog.objects.get().summary == phrase


@pytest.mark.parametrize(
    "changes",
    [
        {"summary": ""},
        {"channel": "pigeon"},
        {"result": "maybe"},
        {"at": "2026-11-19T23:00"},
        {"at": "gestern"},
        {"minutes": "-5"},
        {"next_contact_on": "2026-11-01"},
        {"closes": ["999999"]},
        {"moves": ["abc"]},
    ],
)
def test_bad_input_is_answered_in_the_form_and_writes_nothing(client, own, changes):
    answer = signed_in(client, own.staff).post(log_url(own.customer), form(**changes), headers=HTMX)

    assert answer.status_code == 422
    assert ContactLog.objects.count() == 0


def test_a_task_of_another_customer_cannot_be_closed_along(client, own):
    foreign = due(AssignmentFactory(staff=own.staff, customer__branch=own.customer.branch).customer)

    answer = signed_in(client, own.staff).post(log_url(own.customer), form(closes=[foreign.pk]), headers=HTMX)

    assert answer.status_code == 422
    assert ContactTask.objects.get(pk=foreign.pk).status == "open"


def test_not_reached_needs_only_the_result_and_a_retry(client, own):
    task = due(own.customer)
    data = form(result="not_reached", summary="", closes=[task.pk], next_choice="2026-11-20")

    assert signed_in(client, own.staff).post(log_url(own.customer), data, headers=HTMX).status_code == 200

    assert ContactLog.objects.get().counts_as == "nothing"
    assert ContactTask.objects.get(pk=task.pk).status == "open"
    assert ContactTask.objects.get(reason="planned").due_on == date(2026, 11, 20)


def test_saving_twice_writes_once(client, own):
    signed_in(client, own.staff)
    for _ in range(2):
        assert client.post(log_url(own.customer), form(), headers=HTMX).status_code == 200

    assert ContactLog.objects.count() == 1


def test_undo_brings_the_row_and_the_meters_back(client, own):
    task = due(own.customer)
    signed_in(client, own.staff).post(log_url(own.customer), form(closes=[task.pk]), headers=HTMX)

    void_url = reverse("contacts:log_void", args=[ContactLog.objects.get().pk])
    page = client.post(void_url, headers=HTMX).content.decode()

    assert f'id="row-{own.customer.pk}"' in page
    assert Customer.objects.get().contact_phones == 0


def test_without_javascript_the_page_does_the_same(client, own):
    due(own.customer)
    signed_in(client, own.staff)

    page = client.get(log_url(own.customer)).content.decode()
    answer = client.post(log_url(own.customer), form())

    assert "<html" in page and "log-page" in page
    assert (answer.status_code, answer["Location"]) == (302, own.customer.get_absolute_url())


def test_the_effects_follow_the_form(client, own):
    url = reverse("contacts:log_effects", args=[own.customer.pk])
    signed_in(client, own.staff)

    met = client.get(url, form(channel="office"), headers=HTMX).content.decode()
    missed = client.get(url, form(result="not_reached"), headers=HTMX).content.decode()
    broken = client.get(url, {"channel": "pigeon"}, headers=HTMX)

    assert (met.count(" · "), missed.count(" · "), broken.status_code) == (2, 0, 200)
    assert "1/1" in met and "1/1" not in missed  # the week's one customer


def test_a_lobby_manager_logs_but_moves_no_opportunity(client, own):
    lobby = StaffFactory(role=Role.LOBBY_MANAGER, branch=own.customer.branch)
    own.end = ON
    own.save()
    customer = AssignmentFactory(customer__branch=own.customer.branch, staff=lobby).customer
    opportunity = OpportunityFactory(customer=customer, kind="upgrade", created_at=NOW)

    answer = signed_in(client, lobby).post(log_url(customer), form(moves=[opportunity.pk]), headers=HTMX)

    assert answer.status_code == 422
    assert Opportunity.objects.get().stage == "new"


def test_dialling_sends_the_number_to_the_telephone_and_leaves_a_trace(client, own):
    Customer.objects.filter(pk=own.customer.pk).update(mobile="13812346021", mobile_masked="138 **** 6021")
    signed_in(client, own.staff)

    page = client.get(log_url(own.customer), headers=HTMX).content.decode()
    answer = client.post(reverse("contacts:dial", args=[own.customer.pk]), headers=HTMX)

    assert "13812346021" not in page
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "tel:13812346021")
    assert AuditEvent.objects.filter(action="customer.dialled", staff=own.staff).count() == 1


# --- the other actions of a row --------------------------------------------------------------------------------


def test_a_row_is_put_off_and_brought_back(client, own):
    due(own.customer)
    signed_in(client, own.staff)

    gone = client.post(reverse("contacts:snooze", args=[own.customer.pk]), {"until": "2026-11-23"}, headers=HTMX)
    back = client.post(reverse("contacts:snooze_undo", args=[own.customer.pk]), headers=HTMX)

    row = f'id="row-{own.customer.pk}"'
    assert row not in gone.content.decode() and row in back.content.decode()


@pytest.mark.parametrize("until", ["", "yesterday", "2026-11-19", "2027-11-19"])
def test_a_bad_day_puts_nothing_off(client, own, until):
    task = due(own.customer)

    answer = signed_in(client, own.staff).post(
        reverse("contacts:snooze", args=[own.customer.pk]), {"until": until}, headers=HTMX
    )

    assert "toast-line--error" in answer.content.decode()
    assert ContactTask.objects.get(pk=task.pk).snoozed_until is None


def test_a_reminder_is_dismissed_with_a_reason_and_brought_back(client, own):
    task = due(own.customer)
    signed_in(client, own.staff)

    client.post(reverse("contacts:dismiss", args=[task.pk]), {"reason": ""}, headers=HTMX)
    assert ContactTask.objects.get().status == "open"
    client.post(reverse("contacts:dismiss", args=[task.pk]), {"reason": "客户出国"}, headers=HTMX)
    assert ContactTask.objects.get().status == "dismissed"
    assert "客户出国" in client.get("/today/", {"kind": "done"}).content.decode()
    client.post(reverse("contacts:dismiss_undo", args=[task.pk]), headers=HTMX)
    assert ContactTask.objects.get().status == "open"


# --- how much is read ------------------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_grow_with_the_customers(client, own):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def fill(number):
        for n in range(number):
            customer = AssignmentFactory(staff=own.staff, customer__branch=own.customer.branch).customer
            due(customer, due_on=ON + timedelta(days=n % 6))
            OpportunityFactory(customer=customer, owner=own.staff, next_action_on=ON)

    def queries(url):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    signed_in(client, own.staff)
    fill(10)
    queries("/today/")  # what is cached by the first request of all
    few = {url: queries(url) for url in ("/today/", "/opportunities/", log_url(own.customer))}
    fill(50)
    many = {url: queries(url) for url in few}

    assert many == few
    assert few["/today/"] <= 30


def test_the_week_counts_distinct_managed_customers(client, own):
    signed_in(client, own.staff)
    client.post(log_url(own.customer), form(key="a"), headers=HTMX)
    client.post(log_url(own.customer), form(key="b", channel="office"), headers=HTMX)

    week = client.get("/today/").context["strip"].week

    assert (week.done, week.today, week.required) == (1, 1, 1)


# --- several at once -------------------------------------------------------------------------------------


def test_the_ticked_are_put_off_together_and_brought_back(client, own):
    others = [AssignmentFactory(staff=own.staff, customer__branch=own.customer.branch) for _each in range(2)]
    foreign = AssignmentFactory()
    everybody = [own.customer, *(row.customer for row in others)]
    for customer in [*everybody, foreign.customer]:
        due(customer)
    signed_in(client, own.staff)
    chosen = [everybody[0].pk, everybody[1].pk, foreign.customer.pk]

    answer = client.post(reverse("contacts:snooze_many"), {"until": "2026-11-23", "customer": chosen}, headers=HTMX)

    page = answer.content.decode()
    assert [f'id="row-{customer.pk}"' in page for customer in everybody] == [False, False, True]
    assert ContactTask.objects.get(customer=foreign.customer).snoozed_until is None
    undo = f"{reverse('contacts:snooze_many_undo')}?customer={chosen[0]}&customer={chosen[1]}"
    assert undo.replace("&", "&amp;") in page
    back = client.post(undo, headers=HTMX).content.decode()
    assert all(f'id="row-{customer.pk}"' in back for customer in everybody)


@pytest.mark.parametrize("data", [{"until": "2026-11-23"}, {"customer": "1"}, {"customer": "x", "until": "2026-11-23"}])
def test_without_a_day_or_a_tick_nothing_is_put_off(client, own, data):
    due(own.customer)
    answer = signed_in(client, own.staff).post(reverse("contacts:snooze_many"), data, headers=HTMX)
    assert "toast-line--error" in answer.content.decode()


# --- what the words tell ---------------------------------------------------------------------------------


def test_words_propose_what_the_archive_lacks_and_a_tick_keeps_it(client, own):
    Hobby.objects.create(customer=own.customer, word="健身", level=1, by=own.staff)
    signed_in(client, own.staff)
    words = "周末健身，爱喝茶，想了解孩子出国"
    asked = client.get(reverse("contacts:log_effects", args=[own.customer.pk]), form(summary=words), headers=HTMX)
    page = asked.content.decode()
    assert 'value="hobby:茶"' in page
    assert 'value="need:出国"' in page
    assert "hobby:健身" not in page

    client.post(log_url(own.customer), form(summary=words, learns=["hobby:茶", "need:出国"]))

    assert set(Hobby.objects.current().values_list("word", flat=True)) == {"健身", "茶"}
    assert Resource.objects.current().get().word == "出国"


def test_nothing_is_kept_that_the_words_do_not_tell(client, own):
    signed_in(client, own.staff).post(log_url(own.customer), form(summary="一切都好", learns=["hobby:高尔夫"]))
    assert not Hobby.objects.exists()
