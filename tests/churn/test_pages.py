"""The pages of early warning as each role sees them."""

import html
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from churn.models import ChurnAlert, ChurnModelVersion, ScoringRun
from customers.models import Tier
from staff.roles import Role
from tests.churn.conftest import written_model
from tests.churn.panels import write_days
from tests.churn.test_alerts import MORNING, ON, opened, scored
from tests.factories import AssignmentFactory, BranchFactory, StaffFactory

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
HTMX = {"HX-Request": "true"}
LIST = "/churn/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_the_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def branch(db):
    return BranchFactory()


@pytest.fixture
def alert(branch, model):
    return new_alert(branch)


def new_alert(branch, name="陈国栋", money="218000.00", **values) -> ChurnAlert:
    own = AssignmentFactory(customer__branch=branch, customer__name=name, customer__service_tier=Tier.DIAMOND, **values)
    scored(own.customer, money=money)
    opened(branch)
    write_days(own.customer, ON, [348_000] * 20 + [286_000] * 10)
    return ChurnAlert.objects.select_related("customer__manager").get(customer=own.customer)


def as_(client, staff):
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    return client


def of_role(role, branch=None):
    return StaffFactory(role=role, language="en", **({"branch": branch} if branch else {}))


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.BRANCH_HEAD, {"list": 200, "model": 200, "how": 200, "reasons": 200}),
        (Role.RELATIONSHIP_MANAGER, {"list": 200, "model": 403, "how": 200, "reasons": 404}),
        (Role.RETAIL_ADMIN, {"list": 200, "model": 200, "how": 200, "reasons": 404}),
        (Role.AUDITOR, {"list": 200, "model": 200, "how": 200, "reasons": 200}),
        (Role.TELLER, {"list": 403, "model": 403, "how": 403, "reasons": 403}),
        (Role.SYS_ADMIN, {"list": 403, "model": 403, "how": 403, "reasons": 403}),
    ],
)
def test_who_may_open_what(client, branch, alert, role, expected):
    as_(client, of_role(role, None if role == Role.RETAIL_ADMIN else branch))
    urls = {
        "list": LIST,
        "model": reverse("churn:model"),
        "how": reverse("churn:how"),
        "reasons": reverse("churn:panel_reasons", args=[alert.customer_id]),
    }

    assert {name: client.get(url).status_code for name, url in urls.items()} == expected


def test_a_manager_sees_the_own_alerts_and_no_model_panel(client, branch, alert):
    new_alert(branch, name="石磊")

    page = as_(client, alert.customer.manager).get(LIST).content.decode()

    assert "陈国栋" in page
    assert "石磊" not in page
    assert "panel-calibration" not in page


def test_a_head_sees_the_model_with_the_figures_of_its_back_test(client, branch, alert):
    ScoringRun.objects.create(
        branch=branch, data_date=ON, model=ChurnModelVersion.objects.get(), scored_at=NOW, scored=954, seconds=38,
        bins={"end_to_base": [30, 20, 50]},
    )  # fmt: skip

    page = as_(client, of_role(Role.BRANCH_HEAD, branch)).get(LIST).content.decode()

    for words in (
        "0.84",
        "0.071",
        "47%",
        "3,214",
        "954",
        "4.7",
        "Calibration: of those said to leave with 40%, 38% left",
    ):
        assert words in page


def test_an_auditor_reads_masked_names_and_may_settle_nothing(client, branch, alert):
    as_(client, of_role(Role.AUDITOR, branch))

    page = client.get(f"{LIST}?open={alert.pk}").content.decode()

    assert "陈**" in page
    assert "陈国栋" not in page
    assert reverse("churn:alert_settle", args=[alert.pk]) not in page
    assert client.post(reverse("churn:alert_settle", args=[alert.pk])).status_code == 403


def test_the_list_is_ordered_by_money_at_risk_and_opens_a_row_in_place(client, branch, alert):
    new_alert(branch, name="石磊", money="900000.00")
    as_(client, of_role(Role.BRANCH_HEAD, branch))

    page = client.get(f"{LIST}?open={alert.pk}").content.decode()

    assert page.index("石磊") < page.index("陈国栋")
    assert "Assets fell 34% in 30 days" in page
    assert 'data-chart="steps"' in page
    assert "¥348K → ¥286K" in page


def test_tabs_and_filters_keep_what_they_say(client, branch, alert):
    other = new_alert(branch, name="石磊")
    as_(client, of_role(Role.BRANCH_HEAD, branch))

    of_manager = client.get(f"{LIST}?manager={other.customer.manager_id}", headers=HTMX).content.decode()
    no_such_reason = client.get(f"{LIST}?reason=season", headers=HTMX).content.decode()
    working = client.get(f"{LIST}?tab=working", headers=HTMX).content.decode()

    assert "石磊" in of_manager
    assert "陈国栋" not in of_manager
    assert "No alert waits" in no_such_reason
    assert "Nobody is being followed up" in working


@pytest.mark.parametrize(
    "query", ["tab=x", "manager=abc", "reason=<b>", "open=-1", "after=x~y", "after=~", "open=999999"]
)
def test_nonsense_in_the_address_shows_the_list_all_the_same(client, branch, alert, query):
    assert as_(client, of_role(Role.BRANCH_HEAD, branch)).get(f"{LIST}?{query}").status_code == 200


def test_an_outcome_is_given_and_taken_back_from_the_page(client, branch, alert):
    as_(client, alert.customer.manager)
    url = reverse("churn:alert_settle", args=[alert.pk])

    answer = client.post(url, {"status": "retained", "cause": "price"}, headers=HTMX)

    alert.refresh_from_db()
    assert (answer.status_code, alert.status, alert.closed_on) == (200, "retained", MORNING)
    undo = reverse("churn:alert_reopen", args=[alert.pk])
    assert undo in answer.content.decode()
    client.post(undo, headers=HTMX)
    alert.refresh_from_db()
    assert alert.status == "open"


def test_without_scripts_the_same_form_works_and_leads_back_to_the_list(client, branch, alert):
    as_(client, alert.customer.manager)

    answer = client.post(reverse("churn:alert_settle", args=[alert.pk]), {"status": "lost", "cause": "competitor"})

    assert answer.status_code == 302
    assert answer.url.startswith(LIST)


def test_an_outcome_without_a_cause_keeps_the_row_open_with_the_words(client, branch, alert):
    as_(client, StaffFactory(role=Role.BRANCH_HEAD, branch=branch, language="en"))

    answer = client.post(reverse("churn:alert_settle", args=[alert.pk]), {"status": "lost"}, headers=HTMX)

    assert answer.status_code == 422
    assert "Choose the cause." in answer.content.decode()
    alert.refresh_from_db()
    assert alert.status == "open"


def test_an_alert_of_somebody_else_cannot_be_settled(client, alert):
    as_(client, of_role(Role.RELATIONSHIP_MANAGER, alert.customer.branch))

    for name in ("alert_settle", "alert_follow_up", "alert_reopen"):
        answer = client.post(reverse(f"churn:{name}", args=[alert.pk]), {"status": "lost", "cause": "price"})
        assert answer.status_code == 404


def test_following_up_moves_an_alert_to_its_tab(client, branch, alert):
    as_(client, alert.customer.manager)

    client.post(reverse("churn:alert_follow_up", args=[alert.pk]), headers=HTMX)

    assert "陈国栋" in client.get(f"{LIST}?tab=working").content.decode()


def test_the_panel_of_the_customer_page_gives_reasons_and_the_open_alert(client, branch, alert):
    as_(client, of_role(Role.BRANCH_HEAD, branch))

    panel = client.get(reverse("churn:panel_reasons", args=[alert.customer_id]), headers=HTMX).content.decode()

    assert "<html" not in panel
    assert "Of ten customers alike about 8" in panel
    assert "+40" in panel
    assert "−3" in panel
    assert f"{LIST}?open={alert.pk}" in panel


def test_the_figures_count_what_came_of_alerts(client, branch, alert):
    head = of_role(Role.BRANCH_HEAD, branch)
    for n, status in enumerate(["retained", "retained", "lost", "false_alarm"]):
        each = new_alert(branch, name=f"客户{n}", money="50000.00")
        ChurnAlert.objects.filter(pk=each.pk).update(
            status=status, cause="price", closed_on=ON, opened_on=ON - timedelta(days=3), due_on=ON
        )

    page = as_(client, head).get(LIST)

    found = page.context["figures"]
    assert (found["open"], found["retained"], found["lost"], found["false_alarm"]) == (1, 2, 1, 1)
    assert (found["hit_rate"], found["in_time_rate"]) == (0.75, 1.0)
    assert found["money"] == alert.money_at_risk
    assert found["retained_money"] == Decimal(100_000)


def test_the_model_page_compares_versions_and_releases_on_demand(client, model):
    second = written_model(name="2026-11-30", status="candidate")
    url = reverse("churn:model_release", args=[second.pk])
    head, office = of_role(Role.BRANCH_HEAD), of_role(Role.RETAIL_ADMIN)

    assert as_(client, head).post(url).status_code == 403
    page = as_(client, office).get(reverse("churn:model")).content.decode()
    assert url in page
    assert "Better on these folds: Boosted trees 0.520." in page
    client.post(url)

    model.refresh_from_db()
    second.refresh_from_db()
    assert (model.status, second.status, second.released_by) == ("retired", "released", office)


def test_without_a_model_the_pages_say_that_the_scorecard_scores(client, branch, db):
    as_(client, of_role(Role.BRANCH_HEAD, branch))

    assert "scorecard" in client.get(reverse("churn:model")).content.decode()
    assert "scorecard" in client.get(reverse("churn:how")).content.decode()
    assert "scorecard" in client.get(LIST).content.decode()


def test_the_queries_of_the_list_do_not_grow_with_the_alerts(client, branch, alert, django_assert_max_num_queries):
    as_(client, of_role(Role.BRANCH_HEAD, branch))
    url = f"{LIST}?open={alert.pk}"
    client.get(url)
    with django_assert_max_num_queries(40) as few:
        client.get(url)
    for n in range(8):
        new_alert(branch, name=f"客户{n}")

    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(url)


def test_more_than_a_page_of_alerts_is_read_on_from_its_end(client, branch, alert, monkeypatch):
    monkeypatch.setattr("churn.alert_page.SIZE", 2)
    for n in range(4):
        new_alert(branch, name=f"第{n}位", money=f"{n + 1}0000.00")
    as_(client, of_role(Role.BRANCH_HEAD, branch))

    shown, url = [], LIST
    while url:
        page = client.get(url, headers={} if url == LIST else HTMX).content.decode()
        shown += re.findall(r"data-open>([^<]+)</a>", page)
        following = re.search(r'hx-get="([^"]*after=[^"]*)"', page)
        url = html.unescape(following[1]) if following else ""

    assert shown == ["陈国栋", "第3位", "第2位", "第1位", "第0位"]


def test_today_takes_the_words_of_an_alert_from_this_room():
    from contacts.reasons import CAUSES, SENTENCES

    assert SENTENCES["fall"]({"change": -0.5}, date(2026, 11, 25))
    assert "one_day" in CAUSES
