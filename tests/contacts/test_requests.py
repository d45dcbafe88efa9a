"""Referrals, questions to experts, special products: who is asked, who may see, what is refused in words."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError, transaction

from contacts import referral, special
from contacts.models import SpecialApplication, StaffReferral
from customers.companion import CompanionRefused
from customers.models import Customer
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, StaffFactory, sign_in

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
ON = NOW.date()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_the_day():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(db):
    row = AssignmentFactory(customer__name="沈雅琴", customer__aum=Decimal(2_000_000), staff__language="en")
    row.branch = row.customer.branch
    return row


@pytest.fixture
def adviser(own):
    return StaffFactory(branch=own.branch, role=Role.WEALTH_ADVISER, language="en")


def sees(staff, customer) -> bool:
    return Customer.objects.visible_to(staff).filter(pk=customer.pk).exists()


def sent(own, to, kind="referral", **fields) -> StaffReferral:
    return referral.send(
        customer=own.customer, kind=kind, receiver=to, need="想了解家族信托", by=own.staff, on=ON, **fields
    )


# --- referrals -------------------------------------------------------------------------------------------


def test_the_receiver_sees_the_customer_until_it_is_done(own, adviser):
    assert not sees(adviser, own.customer)
    made = sent(own, adviser)
    assert made.answer_due == date(2026, 11, 26)
    assert sees(adviser, own.customer)

    made = referral.accept(referral=made, by=adviser, on=ON)
    made = referral.finish(referral=made, result="已面谈，开立信托意向", by=adviser, on=ON)

    assert made.status == "done"
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert not sees(adviser, own.customer)


def test_what_is_taken_on_is_an_opportunity_of_the_customers_manager(own, adviser):
    made = referral.accept(referral=sent(own, adviser), by=adviser, on=ON)
    deal = made.opportunity
    assert (deal.kind, deal.owner, deal.source, deal.title) == ("cross_sell", own.staff, "referral", "想了解家族信托")
    referral.give_back(referral=made, why="客户出国", by=adviser, on=ON)
    again = referral.accept(referral=sent(own, adviser), by=adviser, on=ON)
    assert again.opportunity is None  # the first is still open
    question = referral.accept(referral=sent(own, adviser, kind="question"), by=adviser, on=ON)
    assert question.opportunity is None


def test_it_comes_back_only_with_a_reason_and_only_from_who_was_asked(own, adviser):
    made = sent(own, adviser)
    with pytest.raises(referral.ReferralRefused):
        referral.give_back(referral=made, why="客户出国", by=own.staff, on=ON)
    with pytest.raises(referral.ReferralRefused):
        referral.give_back(referral=made, why=" ", by=adviser, on=ON)

    assert referral.give_back(referral=made, why="客户出国", by=adviser, on=ON).status == "returned"
    with pytest.raises(referral.ReferralRefused):
        referral.accept(referral=made, by=adviser, on=ON)


def test_nobody_passes_on_a_customer_out_of_sight_or_to_oneself_or_twice(own, adviser):
    stranger = StaffFactory(branch=own.branch, role=Role.RELATIONSHIP_MANAGER)
    with pytest.raises(CompanionRefused):
        referral.send(customer=own.customer, kind="referral", receiver=adviser, need="x", by=stranger, on=ON)
    with pytest.raises(referral.ReferralRefused):
        sent(own, own.staff)
    sent(own, adviser)
    with pytest.raises(referral.ReferralRefused):
        sent(own, adviser)
    assert StaffReferral.objects.count() == 1


def test_an_expert_is_asked_without_being_told_who_it_is(client, own):
    expert = StaffFactory(branch=own.branch, role=Role.PRODUCT_SPECIALIST, language="en")
    with pytest.raises(referral.ReferralRefused):
        sent(own, expert)

    made = sent(own, expert, kind="question")

    assert not sees(expert, own.customer)
    sign_in(client, expert)
    page = client.get("/referrals/").content.decode()
    assert "想了解家族信托" in page and "沈雅琴" not in page
    client.post(f"/referrals/{made.pk}/step/", {"step": "finish", "words": "起点一千万，需先做需求分析", "share": "1"})
    sign_in(client, StaffFactory(branch=BranchFactory(), role=Role.TELLER))
    assert "起点一千万" in client.get("/referrals/?q=信托").content.decode()
    assert "起点一千万" not in client.get("/referrals/?q=房贷").content.decode()


def test_a_referral_on_the_pages(client, own, adviser):
    sign_in(client, own.staff)
    url = f"/customers/{own.customer.pk}/refer/"
    form = {"kind": "referral", "receiver": adviser.pk, "need": "资产配置", "credit_percent": "40"}
    assert client.post(url, form | {"need": ""}).status_code == 422
    assert client.post(url, form).status_code == 302
    made = StaffReferral.objects.get()
    assert client.post(f"/referrals/{made.pk}/step/", {"step": "accept"}).status_code == 404  # not the one asked

    sign_in(client, adviser)
    assert "沈雅琴" in client.get("/referrals/").content.decode()
    client.post(f"/referrals/{made.pk}/step/", {"step": "accept"})
    made.refresh_from_db()
    assert (made.status, made.credit_percent) == ("accepted", 40)


# --- special products ------------------------------------------------------------------------------------

PRICE = {
    "product": "一年期大额存单", "amount": Decimal(800_000), "months": 12, "list_rate": Decimal("1.60"), "asked_rate": Decimal("1.95"),
    "competitor": "邻行", "competitor_rate": Decimal("1.90"), "reason": "存单到期，邻行已报价",
}  # fmt: skip


@pytest.fixture
def chain(own):
    office = BranchFactory()
    own.branch.parent = office
    own.branch.save()
    return [
        StaffFactory(branch=own.branch, role=Role.BRANCH_HEAD, language="en"),
        StaffFactory(branch=office, role=Role.SUB_BRANCH_PRESIDENT, language="en"),
        StaffFactory(branch=office, role=Role.RETAIL_ADMIN, language="en"),
    ]


def applied(own, **changes) -> SpecialApplication:
    return special.apply(customer=own.customer, by=own.staff, **(PRICE | changes))


def test_three_levels_say_yes_in_order_and_then_it_is_valid_for_30_days(own, chain):
    application = applied(own)
    with pytest.raises(special.SpecialRefused):
        special.decide(application=application, approve=True, note="", by=chain[1], on=ON)  # not his turn

    for person in chain:
        application = special.decide(application=application, approve=True, note="", by=person, on=ON)

    assert (application.status, application.valid_until) == ("approved", date(2026, 12, 25))
    assert application.decisions.count() == 3
    assert special.use(application=application, by=own.staff, on=ON).status == "used"


def test_a_no_says_why_and_ends_it(own, chain):
    application = applied(own)
    with pytest.raises(special.SpecialRefused):
        special.decide(application=application, approve=False, note="", by=chain[0], on=ON)

    special.decide(application=application, approve=False, note="额度用完", by=chain[0], on=ON)

    application.refresh_from_db()
    assert application.status == "rejected"
    applied(own)  # another may be asked for


def test_what_is_refused(own):
    with pytest.raises(special.SpecialRefused):
        applied(own, asked_rate=Decimal("1.80"))  # below the other bank
    Customer.objects.filter(pk=own.customer.pk).update(aum=900_000)
    own.customer.refresh_from_db()
    with pytest.raises(special.SpecialRefused):
        applied(own)
    Customer.objects.filter(pk=own.customer.pk).update(money_at_risk=600_000)
    own.customer.refresh_from_db()
    applied(own)  # so much at risk is enough
    with pytest.raises(special.SpecialRefused):
        applied(own)  # one at a time
    with pytest.raises(IntegrityError), transaction.atomic():
        SpecialApplication.objects.update(asked_rate=Decimal("0.5"))


def test_a_head_does_not_decide_on_the_own_application(own, chain):
    application = special.apply(customer=own.customer, by=chain[0], **PRICE)

    assert application.level == SpecialApplication.Level.PRESIDENT
    assert not special.may_decide(application, chain[0])


def test_what_is_not_used_in_time_runs_out_at_night_and_cannot_be_used(own, chain):
    application = applied(own)
    for person in chain:
        application = special.decide(application=application, approve=True, note="", by=person, on=ON)
    late = ON + timedelta(days=31)
    with pytest.raises(special.SpecialRefused):
        special.use(application=application, by=own.staff, on=late)

    assert special.refresh_branch(branch_id=own.branch.pk, on=ON + timedelta(days=30)) == 0
    assert special.refresh_branch(branch_id=own.branch.pk, on=late) == 1
    assert SpecialApplication.objects.get().status == "expired"


def test_an_application_on_the_pages(client, own, chain):
    sign_in(client, own.staff)
    form = {name: str(value) for name, value in PRICE.items()}
    assert client.post(f"/customers/{own.customer.pk}/special/", form | {"asked_rate": "1.0"}).status_code == 422
    assert client.post(f"/customers/{own.customer.pk}/special/", form).status_code == 302
    application = SpecialApplication.objects.get()
    for person in chain:
        sign_in(client, person)
        assert 'value="approve"' in client.get("/specials/").content.decode()
        client.post(f"/specials/{application.pk}/step/", {"step": "approve", "note": ""})
    sign_in(client, own.staff)
    client.post(f"/specials/{application.pk}/step/", {"step": "use"})
    application.refresh_from_db()
    assert application.status == "used"
