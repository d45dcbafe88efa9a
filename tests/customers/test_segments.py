"""Segments: members and their coming and going, strategies, the builder; named lists and whom they leave out."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils.timezone import localdate

from customers import named_lists
from customers.models import ConsentRecord, Customer, CustomerListMember, SegmentMember, SegmentStrategy
from customers.reach import Skip
from customers.segments import builder, membership, segment, sizes, strategy
from customers.segments.rule import parse
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

ON = date(2026, 11, 26)
RICH = {"field": "aum", "op": "from", "value": "30"}


@pytest.fixture
def head():
    return LoadFactory(staff__role=Role.BRANCH_HEAD, staff__language="en").staff


def make(head, rule=RICH, name="三十万以上", on=ON):
    return segment.make(name=name, purpose="", rule=rule, by=head, on=on)


def members(one):
    return set(SegmentMember.objects.current().filter(segment=one).values_list("customer", flat=True))


def test_the_night_takes_in_and_lets_go_and_again_changes_nothing(head):
    stays, goes, comes, elsewhere = (
        CustomerFactory(branch=branch, aum=aum)
        for branch, aum in (
            (head.branch, 400_000),
            (head.branch, 300_000),
            (head.branch, 0),
            (BranchFactory(), 900_000),
        )
    )
    one = make(head)
    assert members(one) == {stays.pk, goes.pk}
    Customer.objects.filter(pk=goes.pk).update(aum=299_999)
    Customer.objects.filter(pk=comes.pk).update(aum=300_000)
    tomorrow = ON + timedelta(days=1)

    assert membership.refresh_branch(branch_id=head.branch_id, on=tomorrow) == 2
    assert membership.refresh_branch(branch_id=head.branch_id, on=tomorrow) == 0

    assert members(one) == {stays.pk, comes.pk}
    gone = SegmentMember.objects.get(customer=goes)
    assert (gone.since, gone.until) == (ON, tomorrow)
    moves = membership.movements(one, viewer=head, on=tomorrow, days=2)
    assert [(move["members"], move["came"], move["went"]) for move in moves] == [(2, 2, 0), (2, 1, 1)]


def test_a_customer_who_returns_has_two_times_and_cannot_be_in_twice(head):
    customer = CustomerFactory(branch=head.branch, aum=400_000)
    one = make(head)
    for aum, days in ((0, 1), (400_000, 2)):
        Customer.objects.filter(pk=customer.pk).update(aum=aum)
        membership.refresh(one, on=ON + timedelta(days=days))

    assert SegmentMember.objects.filter(customer=customer).count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        SegmentMember.objects.create(segment=one, customer=customer, since=ON)


def test_a_fixed_list_keeps_its_customers_until_their_relation_ends(head):
    kept, closed = CustomerFactory(branch=head.branch), CustomerFactory(branch=head.branch)
    one = segment.make(name="固定", purpose="", customers=[kept.pk, closed.pk], by=head, on=ON)
    CustomerFactory(branch=head.branch)
    Customer.objects.filter(pk=closed.pk).update(relation_status="closed")

    membership.refresh(one, on=ON + timedelta(days=1))

    assert members(one) == {kept.pk}


def test_a_change_needs_the_version_that_was_read(head):
    one = make(head)
    segment.change(segment=one, version=1, name="新名", purpose="", rule=RICH, by=head, on=ON)
    with pytest.raises(segment.SegmentConflict):
        segment.change(segment=one, version=1, name="旧页", purpose="", rule=RICH, by=head, on=ON)


def test_a_name_is_taken_once_a_branch_and_free_again_after_retiring(head):
    one = make(head)
    with pytest.raises(segment.SegmentRefused):
        make(head)
    segment.retire(segment=one, by=head, on=ON)
    make(head)
    with pytest.raises(segment.SegmentRefused):
        segment.restore(segment=one, by=head, on=ON)
    assert membership.refresh(one, on=ON) == 0


def test_of_strategies_one_is_in_force_and_the_earlier_stays_with_its_reason(head):
    one = make(head)
    values = {"goal": "承接", "measure": "85%", "owner": head, "review_on": date(2027, 1, 1), "every_days": 30}
    first = strategy.set_strategy(segment=one, by=head, on=ON, seen=None, **values)
    second = strategy.set_strategy(
        segment=one, by=head, on=ON, seen=first.pk, **values | {"goal": "提升", "reason": SegmentStrategy.Reason.TREND}
    )

    assert strategy.in_force(one) == second
    assert list(one.strategies.exclude(ended_at=None)) == [first]
    with pytest.raises(strategy.StrategyRefused):
        strategy.set_strategy(segment=one, by=head, on=ON, seen=first.pk, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        SegmentStrategy.objects.create(segment=one, made_by=head, **values)


def test_scripts_of_the_strategies_in_force_are_for_the_members(head):
    inside, outside = (CustomerFactory(branch=head.branch) for _ in range(2))
    one = make(head)
    SegmentMember.objects.filter(segment=one).delete()
    SegmentMember.objects.create(segment=one, customer=inside, since=ON)
    values = {"goal": "承接", "measure": "85%", "owner": head, "review_on": date(2027, 1, 1), "scripts": "先问孩子留学"}
    strategy.set_strategy(segment=one, by=head, on=ON, seen=None, **values)

    assert strategy.scripts_for(inside) == [(one.name, "先问孩子留学")]
    assert strategy.scripts_for(outside) == []
    segment.retire(segment=one, by=head, on=ON)
    assert strategy.scripts_for(inside) == []


@pytest.mark.parametrize(
    "values", [{"every_days": 91}, {"every_days": 0}, {"review_on": ON}, {"products": ["moon"]}], ids=str
)
def test_a_strategy_looser_than_the_regime_or_without_a_review_is_refused(head, values):
    usual = {"goal": "x", "measure": "x", "owner": head, "review_on": date(2027, 1, 1)}
    with pytest.raises(strategy.StrategyRefused):
        strategy.set_strategy(segment=make(head), by=head, on=ON, seen=None, **usual | values)


@pytest.mark.parametrize(
    ("on", "review"),
    [
        (date(2026, 11, 26), date(2027, 1, 1)),
        (date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 6, 30), date(2026, 7, 1)),
    ],
)
def test_the_review_is_due_at_the_next_quarter(on, review):
    assert strategy.next_review(on) == review


def test_a_rule_is_counted_with_money_share_and_groups_in_one_query(head, django_assert_num_queries):
    for aum in (300_000, 500_000, 100_000, 0):
        CustomerFactory(branch=head.branch, aum=aum, key_groups=["vip"] if aum else [], birth_date=date(1985, 1, 1))
    with django_assert_num_queries(1):
        size = sizes.size_of(parse(RICH), viewer=head, branch_id=head.branch_id, on=ON)
    assert (size.customers, size.aum, size.percent) == (2, 800_000, 50)
    assert [number for _label, number in size.groups] == [2, 2]


def test_two_dimensions_are_crossed(head):
    CustomerFactory(branch=head.branch, service_tier=1, gender="f")
    CustomerFactory(branch=head.branch, service_tier=1, gender="m")
    CustomerFactory(branch=head.branch, service_tier=3, gender="f")
    table = sizes.cross("tier", "gender", viewer=head, branch_id=head.branch_id, on=ON)
    assert [(code, [number for _other, number in cells]) for code, _label, cells in table] == [
        ("general", [0, 0]), ("gold", [1, 1]), ("platinum", [0, 0]), ("diamond", [0, 1]),
    ]  # fmt: skip


# --- The builder -----------------------------------------------------------------------------------

FORM = "line=0-0&line=0-1&line=1-0&mode=all&mode-0=any&mode-1=all&not-1=1&field-0-0=group&value-0-0=merchant" \
    "&value-0-0=payroll&field-0-1=aum&op-0-1=from&value-0-1=30&field-1-0=hobby&value-1-0=茶&least-1-0=2"  # fmt: skip
RULE = {"all": [
    {"any": [{"field": "group", "op": "in", "value": ["merchant", "payroll"]}, RICH]},
    {"not": {"all": [{"field": "hobby", "op": "in", "value": ["茶"], "least": 2}]}},
]}  # fmt: skip


def test_the_form_and_the_rule_are_the_same_thing():
    draft = builder.read(QueryDict(FORM))
    written = parse(draft.as_json()).as_json()
    assert written["all"][1] == RULE["all"][1]
    assert sorted(written["all"][0]["any"][0]["value"]) == ["merchant", "payroll"]
    assert builder.draft_of(parse(RULE)).as_json() == parse(RULE).as_json()


@pytest.mark.parametrize(
    ("do", "shape"),
    [("", [2, 1]), ("add-group", [2, 1, 1]), ("add-0", [3, 1]), ("drop-0-0", [1, 1]), ("drop-1-0", [2]),
     ("drop-9-9", [2, 1]), ("add-x", [2, 1]), ("nonsense", [2, 1])],
)  # fmt: skip
def test_lines_and_groups_come_and_go(do, shape):
    draft = builder.read(QueryDict(FORM + f"&do={do}"))
    assert [len(block.lines) for block in draft.blocks] == shape


def test_a_head_builds_a_segment_and_a_manager_sees_his_part(client, head):
    manager = LoadFactory(staff__branch=head.branch, staff__language="en").staff
    mine, _other = (
        CustomerFactory(branch=head.branch, aum=500_000, name="沈雅琴"),
        CustomerFactory(branch=head.branch, aum=500_000, name="何别人"),
    )
    AssignmentFactory(customer=mine, staff=manager)
    client.force_login(head)
    preview = client.post("/segments/preview/", QueryDict(FORM).copy() | {}, headers={"HX-Request": "true"})
    assert preview.status_code == 200
    form = {"line": "0-0", "field-0-0": "aum", "op-0-0": "from", "value-0-0": "30"}
    assert client.post("/segments/new/", form | {"save": "1", "name": ""}).status_code == 422
    assert client.post("/segments/new/", form | {"save": "1", "name": "x", "value-0-0": ""}).status_code == 422

    made = client.post("/segments/new/", form | {"save": "1", "name": "三十万以上"}, follow=True)
    assert "沈雅琴" in made.content.decode() and "何别人" in made.content.decode()

    client.force_login(manager)
    (pk,) = SegmentMember.objects.values_list("segment", flat=True).distinct()
    page = client.get(f"/segments/{pk}/").content.decode()
    assert "沈雅琴" in page and "何别人" not in page
    listed = client.get(f"/customers/?segment={pk}").content.decode()
    assert "沈雅琴" in listed and "何别人" not in listed


def test_a_head_does_not_change_a_segment_of_the_office_above(client, head):
    office = StaffFactory(role=Role.RETAIL_ADMIN, branch=head.branch.parent or head.branch)
    if office.branch == head.branch:
        office.branch = BranchFactory(level="head_office")
        office.save()
        head.branch.parent = office.branch
        head.branch.save()
    one = make(office, name="总行客群")
    client.force_login(head)
    assert client.get(f"/segments/{one.pk}/").status_code == 200
    assert client.get(f"/segments/{one.pk}/edit/").status_code == 403
    assert client.post(f"/segments/{one.pk}/retire/").status_code == 403


# --- Whom a purpose leaves out; named lists --------------------------------------------------------


def granted(customer, purpose, granted=True):
    ConsentRecord.objects.create(customer=customer, purpose=purpose, channel="phone", granted=granted)


@pytest.mark.parametrize(
    ("purpose", "values", "consents", "skip"),
    [
        ("service", {"do_not_contact": True, "low_disturb": True, "value_class": "bzc"}, [], ""),
        ("service", {"relation_status": "closed"}, [], Skip.CLOSED),
        ("care", {}, [], ""),
        ("care", {}, [("care", False)], Skip.REFUSED),
        ("care", {}, [("care", False), ("care", True)], ""),
        ("care", {"do_not_contact": True}, [], Skip.DO_NOT_CONTACT),
        ("care", {"low_disturb": True, "value_class": "bzc"}, [], ""),
        ("marketing", {}, [], Skip.NO_CONSENT),
        ("marketing", {}, [("activity", True)], Skip.NO_CONSENT),
        ("marketing", {}, [("marketing", True)], ""),
        ("marketing", {}, [("marketing", True), ("marketing", False)], Skip.NO_CONSENT),
        ("marketing", {"value_class": "bzc"}, [("marketing", True)], Skip.BELOW_ZERO),
        ("marketing", {"low_disturb": True}, [("marketing", True)], Skip.LOW_DISTURB),
        ("activity", {"do_not_contact": True, "low_disturb": True}, [("activity", True)], Skip.DO_NOT_CONTACT),
    ],
)  # fmt: skip
def test_who_may_be_approached_for_a_purpose(purpose, values, consents, skip):
    customer = CustomerFactory(**values)
    for each, yes in consents:
        granted(customer, each, yes)

    draft = named_lists.draft(Customer.objects.all(), purpose=purpose, due_on=ON)

    assert draft.skipped == ([(skip, 1)] if skip else [])
    assert Customer.objects.may_receive(purpose).exists() == (not skip)


def listed(head, number=4, **values):
    for _n in range(number):
        CustomerFactory(branch=head.branch)
    usual = {"name": "承接", "purpose": "service", "task": "x", "due_on": ON, "by": head, "on": ON}
    return named_lists.make(customers=Customer.objects.visible_to(head), **usual | values)


def test_three_quarters_handled_is_75_percent(head):
    """45 of 60 handled → 75 % (S0-3)."""
    assert named_lists.percent(45, 60) == 75
    made, _draft = listed(head)
    for member, state in zip(made.members.all(), ("contacted", "done", "no_need"), strict=False):
        named_lists.set_state(member=member, state=state, note="", by=head)

    (row,) = named_lists.progress(made.members)
    assert (row["handled"], row["total"], row["percent"]) == (3, 4, 75)
    assert AuditEvent.objects.filter(action="list.worked").count() == 3


def test_a_second_list_of_the_week_tells_the_overlap_and_can_drop_it(head):
    listed(head)
    late = CustomerFactory(branch=head.branch)
    _made, draft = listed(head, 0, name="第二份", due_on=ON + timedelta(days=1))
    assert len(draft.overlapping) == 4
    with pytest.raises(named_lists.ListRefused):
        listed(head, 0, name="第三份", drop_overlap=True)
    assert CustomerListMember.objects.filter(customer=late).count() == 1


def test_a_closed_list_takes_no_more(head):
    made, _draft = listed(head, 1)
    named_lists.close(customer_list=made, by=head)
    with pytest.raises(named_lists.ListRefused):
        named_lists.set_state(member=made.members.get(), state="done", note="", by=head)
    named_lists.close(customer_list=made, by=head, open_again=True)
    named_lists.set_state(member=made.members.get(), state="done", note="", by=head)


def test_a_list_is_made_from_the_page_after_its_preview(client, head):
    CustomerFactory(branch=head.branch, name="可联络")
    quiet = CustomerFactory(branch=head.branch, low_disturb=True)
    for customer in Customer.objects.all():
        granted(customer, "marketing")
    client.force_login(head)
    form = {"name": "新品", "purpose": "marketing", "task": "介绍", "due_on": localdate().isoformat(), "query": ""}

    preview = client.post("/lists/new/", form | {"everyone": "1"}).content.decode()
    assert "1 left out: low disturbance" in preview
    page = client.post("/lists/new/", form | {"everyone": "1", "make": "1"}, follow=True).content.decode()
    assert "可联络" in page

    member = CustomerListMember.objects.get()
    assert member.customer_id != quiet.pk
    row = client.post(f"/lists/members/{member.pk}/state/", {"state": "done"}, headers={"HX-Request": "true"})
    assert row.status_code == 200
    member.refresh_from_db()
    assert (member.state, member.changed_by) == ("done", head)
