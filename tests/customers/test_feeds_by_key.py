"""Feeds whose rows carry a key of the core system: products, values, holdings, assessments, institutions, staff."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.assignment import assign
from customers.feed import FEEDS, read_rows
from customers.feed.institutions import NOT_FED
from customers.models import Customer, Holding, Product, ProductValue, RiskAssessment, TransactionEvent
from staff.models import ApiClient, AuditEvent, Branch, Staff
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    CustomerFactory,
    HeadOfficeFactory,
    LoadFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


def client_of(branch, name="core"):
    return ApiClient.objects.create(
        name=name, client_id=name, branch=branch, client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS, allowed_scopes="customers:write",
    )  # fmt: skip


@pytest.fixture
def office():
    return HeadOfficeFactory()


@pytest.fixture
def outlet(office):
    return BranchFactory(code="CZ01", parent=office)


@pytest.fixture
def core(office):
    return client_of(office)


def send(feed, by, *rows, as_of=MONDAY):
    """Return (status, code) of each row."""
    feed = FEEDS[feed]
    good, bad = read_rows([{"row_id": str(n), "sequence": 1, **row} for n, row in enumerate(rows)], feed.row)
    outcomes = bad | feed.take(rows=good, as_of=as_of, by=by)
    return [(outcomes[n].status, outcomes[n].code) for n in range(len(rows))]


PRODUCT = {"code": "LC-1", "name": "活利丰七日", "category": "wealth", "ladder_rank": 5, "risk_level": 2}
CREATED, UNCHANGED, STALE = ("created", ""), ("unchanged", ""), ("stale", "older_sequence")


def test_products_come_from_head_office_and_keep_their_selling_points(core, outlet):
    assert send("products", core, PRODUCT) == [CREATED]
    Product.objects.update(selling_points="灵活")
    assert send("products", core, PRODUCT | {"sequence": 2, "annual_rate": "2.350"}) == [("updated", "")]
    product = Product.objects.get()
    assert (product.annual_rate, product.selling_points) == (Decimal("2.350"), "灵活")
    assert send("products", core, PRODUCT | {"name": "旧名"}) == [STALE]
    assert send("products", client_of(outlet, "branch"), PRODUCT | {"sequence": 3}) == [
        ("rejected", "head_office_only")
    ]
    late = {"on_sale_from": "2026-05-01", "on_sale_to": "2026-04-01", "code": "LC-2"}
    assert send("products", core, PRODUCT | late) == [("rejected", "dates_out_of_order")]


def test_a_product_made_by_hand_is_taken_over_by_the_first_row(core):
    Product.objects.create(code="LC-1", name="手工", category="wealth", ladder_rank=5)
    assert send("products", core, PRODUCT | {"sequence": 0}) == [("updated", "")]


def test_net_values_stand_once_a_day(core):
    send("products", core, PRODUCT)
    value = {"product": "LC-1", "value": "1.023400"}
    assert send("product-values", core, value, value | {"product": "??"}) == [CREATED, ("rejected", "unknown_product")]
    assert send("product-values", core, value | {"value": "1.03", "sequence": 2}) == [("updated", "")]
    kept = ProductValue.objects.get()
    assert (kept.data_date, kept.value) == (MONDAY, Decimal("1.03"))


def holding(**said):
    return {
        "external_id": "H1",
        "customer_no": "A1",
        "product": "LC-1",
        "amount": "50000",
        "opened_on": "2026-01-05",
    } | said


def test_holdings_belong_to_customers_in_sight_and_never_change_hands(core, outlet):
    send("products", core, PRODUCT)
    own = CustomerFactory(branch=outlet, customer_no="A1")
    CustomerFactory(branch=outlet, customer_no="A2")
    CustomerFactory(customer_no="F1")
    branch = client_of(outlet, "branch")

    assert send("holdings", branch, holding(), holding(external_id="H2", customer_no="F1")) == [
        CREATED, ("rejected", "unknown_customer"),
    ]  # fmt: skip
    assert send("holdings", branch, holding()) == [UNCHANGED]
    assert send("holdings", branch, holding(customer_no="A2", sequence=2)) == [("rejected", "key_of_another")]
    assert send("holdings", branch, holding(matures_on="2026-01-04", sequence=2)) == [
        ("rejected", "dates_out_of_order")
    ]
    assert send("holdings", branch, holding(product="nix", sequence=2)) == [("rejected", "unknown_product")]
    assert send("holdings", branch, holding(status="ended", sequence=2)) == [("updated", "")]
    assert Holding.objects.get().status == "ended" and Holding.objects.get().customer == own


def test_one_batch_may_not_give_a_key_to_two_customers(core, outlet):
    send("products", core, PRODUCT)
    CustomerFactory(branch=outlet, customer_no="A1"), CustomerFactory(branch=outlet, customer_no="A2")
    found = send("holdings", core, holding(), holding(customer_no="A2", sequence=2))
    assert ("rejected", "key_of_another") in found
    assert Holding.objects.count() <= 1


def test_the_newest_assessment_stands_on_the_customer(core, outlet):
    customer = CustomerFactory(branch=outlet, customer_no="A1", risk_grade=None)
    new = {"external_id": "R2", "customer_no": "A1", "grade": 4, "assessed_on": "2026-11-20"}
    old = {"external_id": "R1", "customer_no": "A1", "grade": 2, "assessed_on": "2025-11-20"}
    ahead = new | {"external_id": "R3", "assessed_on": (date.today() + timedelta(days=9)).isoformat()}

    assert send("risk-assessments", core, new, old, ahead) == [CREATED, CREATED, ("rejected", "date_out_of_range")]

    customer.refresh_from_db()
    assert (customer.risk_grade, customer.risk_assessed_on) == (4, date(2026, 11, 20))
    assert RiskAssessment.objects.count() == 2
    send("risk-assessments", core, new | {"grade": 3, "sequence": 2})
    customer.refresh_from_db()
    assert customer.risk_grade == 3


def test_pay_names_its_organisation(core, outlet):
    CustomerFactory(branch=outlet, customer_no="A1")
    pay = {"external_id": "T1", "customer_no": "A1", "kind": "payroll", "amount": "12000", "organisation": "市一中"}
    assert send("transactions", core, pay) == [CREATED]
    assert TransactionEvent.objects.get().organisation == "市一中"
    assert send("transactions", core, pay | {"sequence": 2, "organisation": "市二中"}) == [("updated", "")]


# --- institutions and staff ------------------------------------------------------------------------------


def place(code, level, parent, **said):
    return {"code": code, "name": code, "level": level, "parent": parent} | said


def test_a_tree_comes_in_one_batch_in_any_order(core, office):
    root = office.code
    rows = [place("O1", "outlet", "S1"), place("S1", "sub_branch", "B1"), place("B1", "branch", root)]
    assert send("outlets", core, *rows) == [CREATED] * 3
    assert Branch.objects.get(code="O1").path.startswith(office.path)
    assert send("outlets", core, place("O1", "outlet", "B1", sequence=2)) == [("updated", "")]
    assert Branch.objects.get(code="O1").parent.code == "B1"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (place("O9", "outlet", "nowhere"), "unknown_parent"),
        (place("B1", "branch", "CZ01"), "level_out_of_order"),
        (place("CZ01", "outlet", "HQ", active=False), "still_at_work"),
        (place("HQ", "branch", "HQ"), "own_root"),
    ],
)
def test_an_institution_that_does_not_fit_is_refused(core, office, outlet, row, code):
    StaffFactory(branch=outlet)
    Branch.objects.filter(pk=office.pk).update(code="HQ")
    assert send("outlets", core, row) == [("rejected", code)]


def person(**said):
    return {"staff_no": "70001", "name": "林致远", "role": "relationship_manager", "branch": "CZ01"} | said


def test_staff_come_without_a_password_and_leave_only_without_customers(core, outlet):
    assert send("staff", core, person()) == [CREATED]
    member = Staff.objects.get(staff_no="70001")
    assert not member.has_usable_password() and member.is_active
    assert AuditEvent.objects.filter(action="staff.fed", object_id=str(member.pk)).count() == 1

    AssignmentFactory(customer__branch=outlet, staff=member)
    for change in ({"active": False}, {"role": "teller"}):
        assert send("staff", core, person(sequence=2, **change)) == [("rejected", "holds_customers")]
    assert send("staff", core, person(sequence=2, name="林志远")) == [("updated", "")]


def test_a_feed_neither_makes_nor_changes_auditors_and_administrators(core, outlet):
    StaffFactory(branch=outlet, staff_no="70002", role=Role.AUDITOR)
    assert send("staff", core, person(staff_no="70002")) == [("rejected", "role_not_fed")]
    assert send("staff", core, person(role="auditor")) == [("rejected", "invalid")]
    taken = FEEDS["staff"].row.__annotations__["role"].__args__
    assert set(taken) == {str(role) for role in Role if role not in NOT_FED}


def test_somebody_of_another_branch_is_out_of_reach(core, outlet):
    StaffFactory(staff_no="70003", branch=BranchFactory())
    assert send("staff", client_of(outlet, "branch"), person(staff_no="70003")) == [("rejected", "staff_elsewhere")]


@pytest.mark.django_db(transaction=True)
def test_nobody_leaves_by_feed_while_he_is_given_a_customer():
    """The assignment is not committed yet when the feed asks whether the member holds anybody: the feed waits for it."""
    office = HeadOfficeFactory()
    outlet = BranchFactory(code="CZ01", parent=office)
    core, head = client_of(office), StaffFactory(branch=outlet, role=Role.BRANCH_HEAD)
    member = LoadFactory(staff__branch=outlet, staff__staff_no="70001").staff
    customer = CustomerFactory(branch=outlet)
    given, found = Event(), []

    def feed():
        given.wait(20)
        try:
            found.extend(send("staff", core, person(active=False)))
        finally:
            connection.close()

    other = Thread(target=feed)
    other.start()
    with transaction.atomic():
        assign(customer=customer, to=member, by=head, on=MONDAY)
        given.set()
        other.join(2)
        assert other.is_alive() and not found
    other.join(20)
    assert found == [("rejected", "holds_customers")]
    member.refresh_from_db()
    assert member.is_active


# --- any order gives the same state ----------------------------------------------------------------------

VERSIONS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["H1", "H2"]), st.sampled_from(["10", "20", "30"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_any_order_of_versions_gives_the_same_holdings(core, outlet, versions):
    """Versions of one key carry one figure each, as the core system numbers them."""
    Holding.objects.all().delete()
    send("products", core, PRODUCT)
    Customer.objects.filter(customer_no="A1").exists() or CustomerFactory(branch=outlet, customer_no="A1")
    figure = {(key, number): amount for number, key, amount in versions[0]}
    states = []
    for order in versions:
        Holding.objects.all().delete()
        for number, key, _amount in order:
            send("holdings", core, holding(external_id=key, sequence=number, amount=figure[key, number]))
        states.append(sorted(Holding.objects.values_list("external_id", "sequence", "amount")))
    assert states[0] == states[1]
