"""The record of an opportunity: its plan, who helps and what helpers see; introductions by customers; drafts of special products."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from contacts import introduction, referral, sales_plan, special
from contacts.introduction import IntroductionRefused
from contacts.models import CustomerIntroduction, Opportunity, SpecialApplication, VisitPlan
from contacts.sales_plan import PlanRefused
from contacts.special import SpecialRefused
from customers.models import Customer
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, OpportunityFactory, StaffFactory

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def own(branch):
    return AssignmentFactory(customer__branch=branch, staff__branch=branch)


@pytest.fixture
def deal(own):
    return OpportunityFactory(customer=own.customer, owner=own.staff)


def sees(staff, customer) -> bool:
    return Customer.objects.visible_to(staff).filter(pk=customer.pk).exists()


def test_a_helper_sees_the_customer_while_he_helps(own, deal, branch):
    helper = StaffFactory(branch=branch)
    assert not sees(helper, own.customer)
    sales_plan.add_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    assert sees(helper, own.customer)
    other = OpportunityFactory(customer=own.customer, owner=own.staff, kind="acquire")
    sales_plan.add_helper(opportunity=other, staff=helper, by=own.staff, on=ON)
    sales_plan.remove_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    assert sees(helper, own.customer)  # he helps with the other one
    sales_plan.remove_helper(opportunity=other, staff=helper, by=own.staff, on=ON)
    assert not sees(helper, own.customer)


def test_help_is_refused_where_it_makes_no_sense(own, deal, branch):
    with pytest.raises(PlanRefused):
        sales_plan.add_helper(opportunity=deal, staff=own.staff, by=own.staff, on=ON)
    for _n in range(3):
        sales_plan.add_helper(opportunity=deal, staff=StaffFactory(branch=branch), by=own.staff, on=ON)
    with pytest.raises(PlanRefused):
        sales_plan.add_helper(opportunity=deal, staff=StaffFactory(branch=branch), by=own.staff, on=ON)
    Opportunity.objects.filter(pk=deal.pk).update(stage="lost", lost_reason="other", closed_on=ON)
    with pytest.raises(PlanRefused):
        sales_plan.keep(opportunity=deal, by=own.staff, goal="x")


def test_the_record_shows_plan_and_helpers(client, own, deal, branch):
    helper = StaffFactory(branch=branch, name="顾明远")
    client.force_login(own.staff)
    plan = reverse("contacts:opportunity_plan", args=[deal.pk])
    assert client.get(plan).status_code == 200
    client.post(plan, {"goal": "留住到期资金", "steps": "先电话再面谈"})
    client.post(reverse("contacts:opportunity_helper", args=[deal.pk]), {"step": "add", "staff": helper.pk})
    page = client.get(deal.get_absolute_url()).text
    for words in ("留住到期资金", "先电话再面谈", "顾明远"):
        assert words in page
    assert deal.helpers.get() == helper


def bring(own, **words):
    words = {"name": "朱先生", "mobile_last4": "8812", "relation": "生意伙伴", "note": ""} | words
    return introduction.enter(introducer=own.customer, by=own.staff, on=ON, **words)


def test_an_introduction_becomes_an_opportunity_and_is_thanked_once(own, branch):
    brought = AssignmentFactory(
        customer__branch=branch, staff=own.staff, customer__service_tier=2, customer__aum=600_000
    )
    made = introduction.link(introduction=bring(own), customer=brought.customer, by=own.staff, on=ON)
    assert (made.opportunity.kind, made.opportunity.source, made.opportunity.owner) == (
        "acquire",
        "introduction",
        own.staff,
    )
    introduction.thank(introduction=made, how="茶礼一份", by=own.staff, on=ON)
    with pytest.raises(IntroductionRefused):
        introduction.thank(introduction=made, how="再谢", by=own.staff, on=ON)
    found = introduction.results_of(viewer=own.staff)
    assert (found.number, found.customers, found.vips, found.aum, found.unthanked) == (1, 1, 1, 600_000, 0)


def test_of_an_introduced_customer_out_of_sight_nothing_is_told(client, own, branch):
    colleague = AssignmentFactory(
        customer__branch=branch, staff__branch=branch, customer__service_tier=3, customer__aum=9_000_000
    )
    introduction.link(introduction=bring(own), customer=colleague.customer, by=colleague.staff, on=ON)
    found = introduction.results_of(viewer=own.staff)
    assert (found.customers, found.vips, found.aum) == (1, 0, 0)
    client.force_login(own.staff)
    page = client.get(reverse("contacts:introduction_list")).text
    assert colleague.customer.customer_no not in page
    assert "您权限范围外的客户" in page


def test_help_that_ends_leaves_a_planned_meeting_its_sight(own, deal, branch):
    helper = StaffFactory(branch=branch)
    sales_plan.add_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    meeting = VisitPlan.objects.create(
        customer=own.customer, staff=own.staff, on=ON + timedelta(days=1), at=time(10), way="office", aim="x"
    )
    meeting.companions.add(helper)
    sales_plan.remove_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    assert sees(helper, own.customer)


def test_what_makes_no_introduction_is_refused(own):
    for wrong in ({"name": " "}, {"mobile_last4": "12"}, {"mobile_last4": "12a4"}):
        with pytest.raises(IntroductionRefused):
            bring(own, **wrong)
    with pytest.raises(IntroductionRefused):
        introduction.link(introduction=bring(own), customer=own.customer, by=own.staff, on=ON)
    other = CustomerFactory(branch=own.customer.branch)
    introduction.link(introduction=bring(own), customer=other, by=own.staff, on=ON)
    with pytest.raises(IntroductionRefused):
        introduction.link(introduction=bring(own), customer=other, by=own.staff, on=ON)


def test_introductions_are_seen_with_their_introducer(client, own, branch):
    made = bring(own)
    client.force_login(own.staff)
    assert "朱先生" in client.get(reverse("contacts:introduction_list")).text
    step = reverse("contacts:introduction_step", args=[made.pk])
    unknown = client.post(step, {"step": "link", "customer_no": "NOBODY"}, follow=True)
    assert "您的权限范围内没有该客户号。" in unknown.text
    client.post(step, {"step": "thank", "words": "电话致谢"})
    assert CustomerIntroduction.objects.get().thanks == "电话致谢"
    client.force_login(StaffFactory(branch=branch))
    assert client.post(step, {"step": "thank", "words": "x"}).status_code == 404


def price(**figures):
    usual = {"product": "专属存款", "amount": 2_000_000, "months": 12, "list_rate": "1.800", "asked_rate": "2.100",
             "competitor": "邻行", "competitor_rate": "2.050", "reason": "到期资金被邻行挖转"}  # fmt: skip
    return usual | figures


def test_a_draft_is_kept_changed_and_sent(client, own):
    Customer.objects.filter(pk=own.customer.pk).update(aum=3_000_000)
    client.force_login(own.staff)
    url = reverse("contacts:special_new", args=[own.customer.pk])
    client.post(url, price(step="draft", months=6))
    assert SpecialApplication.objects.get().status == "draft"
    assert 'value="6"' in client.get(url).text
    client.post(url, price())
    sent = SpecialApplication.objects.get()
    assert (sent.status, sent.months) == ("pending", 12)
    with pytest.raises(SpecialRefused):
        special.discard(application=sent, by=own.staff)


def test_a_draft_is_its_authors_and_can_be_thrown_away(client, own, branch):
    made = special.keep_draft(customer=own.customer, by=own.staff, **price())
    head = StaffFactory(branch=branch, role="branch_head", language="en")
    client.force_login(head)
    assert "专属存款" not in client.get(reverse("contacts:special_list")).text
    with pytest.raises(SpecialRefused):
        special.discard(application=made, by=head)
    client.force_login(own.staff)
    client.post(reverse("contacts:special_step", args=[made.pk]), {"step": "discard"})
    assert not SpecialApplication.objects.exists()


def test_help_ends_by_itself(own, deal, branch):
    from customers import companion

    helper = StaffFactory(branch=branch)
    sales_plan.add_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    companion.refresh_branch(branch_id=branch.pk, on=ON + timedelta(days=sales_plan.HELP_DAYS))
    assert not sees(helper, own.customer)


def test_help_and_a_referral_keep_each_others_sight(own, deal, branch):
    helper = StaffFactory(branch=branch, role="relationship_manager")
    asked = referral.send(customer=own.customer, kind="referral", receiver=helper, need="x", by=own.staff, on=ON)
    sales_plan.add_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    sales_plan.remove_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    assert sees(helper, own.customer)  # the referral needs it
    sales_plan.add_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    referral.finish(referral=asked, result="x", by=helper, on=ON)
    assert sees(helper, own.customer)  # the help needs it
    sales_plan.remove_helper(opportunity=deal, staff=helper, by=own.staff, on=ON)
    assert not sees(helper, own.customer)


def test_what_is_no_number_names_nobody(client, own, deal):
    client.force_login(own.staff)
    url = reverse("contacts:opportunity_helper", args=[deal.pk])
    assert client.post(url, {"step": "add", "staff": "²"}).status_code == 404
