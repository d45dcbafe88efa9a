"""Activities: planned, approved, invited to with who is passed over and why, held, reviewed, and what they brought."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import time_machine

from contacts import activity, activity_effect
from contacts.models import Activity, ContactTask, Feedback, Invitation
from customers.models import ConsentRecord, Customer, ProfileValue, Tier, ValueClass
from staff.roles import Role
from tests.churn.panels import write_days
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, StaffFactory, sign_in

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=SHANGHAI)
ON = NOW.date()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_the_day():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def branch(db):
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


@pytest.fixture
def manager(branch):
    return StaffFactory(branch=branch, role=Role.RELATIONSHIP_MANAGER, language="en")


def planned(by, *, size=12, kind="salon", begins=NOW + timedelta(days=3), **fields) -> Activity:
    values = {
        "theme": "养老规划茶会", "kind": kind, "goal": "十位客户谈养老", "segment": None, "size": size, "place": "二楼贵宾厅",
        "starts_at": begins, "ends_at": begins + timedelta(hours=2), "budget": Decimal(3_000), "host": by, "resource": "",
    }  # fmt: skip
    return activity.plan(by=by, **(values | fields))


def inviting(by, **fields) -> Activity:
    return activity.submit(activity=planned(by, **fields), by=by)


def guest(branch, *, consent=True, **values) -> Customer:
    customer = CustomerFactory(branch=branch, service_tier=Tier.GOLD, **values)
    if consent:
        ConsentRecord.objects.create(customer=customer, purpose="activity", channel="phone", granted=True)
    return customer


def skips(shown: Activity) -> dict:
    rows = activity.candidates(shown, Customer.objects.all(), on=ON)
    return {row.pk: row.skip for row in rows}


# --- the plan --------------------------------------------------------------------------------------------


def test_a_managers_plan_is_approved_by_the_head_and_nobody_approves_the_own(manager, head):
    shown = activity.submit(activity=planned(manager), by=manager)
    assert shown.status == "approval"
    with pytest.raises(activity.ActivityRefused):
        activity.decide(activity=shown, approve=True, by=manager)

    shown = activity.decide(activity=shown, approve=True, by=head)

    assert (shown.status, shown.approved_by) == ("inviting", head)
    assert inviting(head).status == "inviting"  # what a head plans is approved with it


def test_a_plan_sent_back_may_be_changed_and_an_approved_one_may_not(manager, head):
    shown = activity.submit(activity=planned(manager), by=manager)
    shown = activity.decide(activity=shown, approve=False, by=head)
    assert activity.plan(by=manager, activity=shown, size=8).size == 8

    approved = inviting(head)
    with pytest.raises(activity.ActivityRefused):
        activity.plan(by=head, activity=approved, size=80)


def test_an_activity_ends_after_it_begins(manager):
    with pytest.raises(activity.ActivityRefused):
        planned(manager, ends_at=NOW)


# --- inviting --------------------------------------------------------------------------------------------


def test_each_customer_passed_over_has_the_reason(branch, head):
    shown = inviting(head, size=50)
    wanted = {
        guest(branch).pk: "",
        guest(branch, consent=False).pk: "no_consent",
        guest(branch, value_class=ValueClass.BZC).pk: "below_zero",
        guest(branch, low_disturb=True).pk: "low_disturb",
    }
    quiet, unhappy, lately = guest(branch), guest(branch), guest(branch)
    ProfileValue.objects.create(customer=quiet, field="temperament", value="quiet")
    Feedback.objects.create(
        customer=unhappy,
        kind="complaint",
        area="software",
        text="x",
        received_on=ON,
        answer_due=ON,
        settle_due=ON,
        entered_by=head,
    )
    Invitation.objects.create(
        activity=inviting(head), customer=lately, invited_by=head, invited_on=ON - timedelta(days=20)
    )

    assert skips(shown) == wanted | {quiet.pk: "quiet", unhappy.pk: "complaint", lately.pk: "invited"}


def test_a_quiet_customer_is_welcome_in_a_small_round_and_after_30_days_again(branch, head):
    shown, customer = inviting(head, size=12), guest(branch)
    ProfileValue.objects.create(customer=customer, field="temperament", value="quiet")
    Invitation.objects.create(
        activity=inviting(head), customer=customer, invited_by=head, invited_on=ON - timedelta(days=30)
    )

    assert skips(shown) == {customer.pk: ""}


def test_who_suits_best_comes_first(branch, head):
    shown = inviting(head, kind="network")
    rich, lively = guest(branch, aum=9_000_000), guest(branch, aum=100_000)
    ProfileValue.objects.create(customer=lively, field="temperament", value="lively")

    assert [row.pk for row in activity.candidates(shown, Customer.objects.all(), on=ON)] == [lively.pk, rich.pk]


def test_inviting_checks_again_and_tells_who_was_passed_over(branch, head):
    shown, good, silent = inviting(head), guest(branch), guest(branch, consent=False)
    foreign = guest(BranchFactory())

    number, passed = activity.invite(activity=shown, customers=[good.pk, silent.pk, foreign.pk], by=head, on=ON)

    assert (number, passed) == (1, {"no_consent": 1})
    assert [each.customer for each in shown.invitations.all()] == [good]
    assert activity.invite(activity=shown, customers=[good.pk], by=head, on=ON) == (0, {})


# --- the day, and after ----------------------------------------------------------------------------------


@pytest.fixture
def held(branch, head):
    shown = inviting(head, begins=NOW + timedelta(hours=1))
    guests = [AssignmentFactory(customer=guest(branch), staff__branch=branch).customer for _ in range(3)]
    activity.invite(activity=shown, customers=[each.pk for each in guests], by=head, on=ON)
    came = shown.invitations.order_by("pk")[:2]
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        for each in came:
            activity.check_in(invitation=each, by=head, attended=True)
        activity.hold(activity=shown, by=head, on=ON)
    shown.refresh_from_db()
    return shown


def test_the_door_closes_once_it_has_begun_and_guests_are_followed_up_in_three_working_days(held, head):
    assert sorted(held.invitations.values_list("attended", flat=True)) == [False, True, True]
    tasks = ContactTask.objects.filter(reason="activity_guest")
    assert set(tasks.values_list("due_on", flat=True)) == {date(2026, 11, 30)}
    assert tasks.count() == 2

    with pytest.raises(activity.ActivityRefused):
        activity.hold(activity=inviting(head), by=head, on=ON)


def test_only_who_came_says_how_it_was(held, head):
    came, away = held.invitations.filter(attended=True).first(), held.invitations.get(attended=False)
    activity.ask_opinion(invitation=came, by=head, satisfaction=5, feedback=" 讲得清楚 ")
    with pytest.raises(activity.ActivityRefused):
        activity.ask_opinion(invitation=away, by=head, satisfaction=5, feedback="")
    came.refresh_from_db()
    assert (came.satisfaction, came.feedback) == (5, "讲得清楚")


def test_a_review_needs_what_was_learnt(held, head):
    with pytest.raises(activity.ActivityRefused):
        activity.review(activity=held, cost=Decimal(2_500), review=" ", by=head)

    shown = activity.review(activity=held, cost=Decimal(2_500), review="下次少讲产品", by=head)

    result = activity_effect.result_of(shown, on=ON)
    assert (result.invited, result.came, result.cost_each) == (3, 2, 1_250)
    assert result.effects == {30: None, 60: None, 90: None}  # those days lie ahead


def test_giving_it_up_says_why(head):
    with pytest.raises(activity.ActivityRefused):
        activity.cancel(activity=inviting(head), why="", by=head)
    assert activity.cancel(activity=inviting(head), why="讲师生病", by=head).status == "cancelled"


def test_the_effect_compares_guests_with_customers_alike(branch, head):
    rng = np.random.default_rng(5)
    begins = NOW - timedelta(days=45)
    shown = inviting(head, begins=begins)
    held_on = begins.date()
    for n in range(60):
        customer = CustomerFactory(branch=branch, service_tier=Tier.GOLD)
        came = n < 25
        grown = 30_000 if came else 0
        noise = int(rng.normal(0, 4_000))
        write_days(customer, held_on + timedelta(days=30), [200_000] * 30 + [200_000 + grown + noise] * 31)
        if came:
            Invitation.objects.create(
                activity=shown,
                customer=customer,
                invited_by=head,
                invited_on=held_on - timedelta(days=7),
                attended=True,
            )
    Activity.objects.filter(pk=shown.pk).update(status="reviewed", cost=2_000, review="x")
    shown.refresh_from_db()

    result = activity_effect.result_of(shown, on=ON)

    found = result.effects[30]
    assert (found.treated, found.control, found.verdict) == (25, 35, "helped")
    assert 26_000 < found.estimate < 34_000
    assert result.effects[60] is None
    assert result.gained_per_yuan == pytest.approx(found.total / 2_000)


# --- the pages -------------------------------------------------------------------------------------------


def test_a_head_runs_an_activity_from_plan_to_review_on_the_pages(client, branch, head):
    customer = guest(branch, name="沈雅琴")
    sign_in(client, head)
    begins = (NOW + timedelta(hours=1)).replace(tzinfo=None)
    form = {
        "theme": "养老规划茶会", "kind": "salon", "goal": "谈养老", "size": "12", "place": "贵宾厅", "starts_at": begins.isoformat(timespec="minutes"),
        "ends_at": (begins + timedelta(hours=2)).isoformat(timespec="minutes"), "budget": "3000", "host": str(head.pk), "resource": "",
    }  # fmt: skip
    assert client.post("/activities/new/", form | {"size": "0"}).status_code == 422
    url = client.post("/activities/new/", form).url
    client.post(f"{url}step/", {"step": "submit"})
    assert "沈雅琴" in client.get(url).content.decode()

    client.post(f"{url}invite/", {"customer": [str(customer.pk)]})
    invitation = Invitation.objects.get()
    client.post(f"/activities/invitations/{invitation.pk}/", {"reply": "accepted"})
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        client.post(f"/activities/invitations/{invitation.pk}/", {"attended": "1"})
        client.post(f"{url}step/", {"step": "hold"})
        client.post(f"/activities/invitations/{invitation.pk}/", {"satisfaction": "4", "feedback": "满意"})
        client.post(f"{url}step/", {"step": "review", "cost": "2500", "review": "少讲产品"})
        page = client.get(url).content.decode()

    shown = Activity.objects.get()
    assert (shown.status, shown.cost) == ("reviewed", 2_500)
    assert "Not known yet" in page and "少讲产品" in page


def test_a_manager_sees_only_the_own_guests(client, branch, head, manager):
    own = AssignmentFactory(customer=guest(branch, name="沈雅琴"), staff=manager).customer
    other = guest(branch, name="欧阳志远")
    shown = inviting(head)
    activity.invite(activity=shown, customers=[own.pk, other.pk], by=head, on=ON)
    sign_in(client, manager)

    page = client.get(f"/activities/{shown.pk}/").content.decode()

    assert "沈雅琴" in page and "欧阳志远" not in page
    foreign = shown.invitations.get(customer=other)
    assert client.post(f"/activities/invitations/{foreign.pk}/", {"reply": "accepted"}).status_code == 404


def test_another_outlets_activity_is_not_there(client, head):
    shown = inviting(StaffFactory(branch=BranchFactory(), role=Role.BRANCH_HEAD))
    sign_in(client, head)

    assert client.get(f"/activities/{shown.pk}/").status_code == 404
    assert shown.theme not in client.get("/activities/").content.decode()


def test_an_outlet_invites_for_an_activity_above_it_but_does_not_run_it(client, branch, head):
    above = BranchFactory()
    branch.parent = above
    branch.save()
    shown = inviting(StaffFactory(branch=above, role=Role.SUB_BRANCH_PRESIDENT))
    customer = guest(branch)
    sign_in(client, head)

    client.post(f"/activities/{shown.pk}/invite/", {"customer": [str(customer.pk)]})
    refused = client.post(f"/activities/{shown.pk}/step/", {"step": "cancel", "why": "不办了"})

    assert shown.invitations.count() == 1
    assert refused.status_code == 404
    assert 'value="cancel"' not in client.get(f"/activities/{shown.pk}/").content.decode()
