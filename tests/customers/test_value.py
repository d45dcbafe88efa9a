"""Value and lifetime value: the worked check, SQL equal to the rule, classes by the outlet, and what the head decides."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import BelowZero, Customer, Tier, TransactionEvent, ValueMonth
from customers.value import DecisionRefused, decide, is_value_night, lifetime, retention, value_branch
from staff.roles import Role
from tests.factories import BranchFactory, CustomerFactory, LoadFactory, ProductFactory, monthly_asset

ON = date(2026, 11, 30)
MONTH = date(2026, 11, 1)


def test_the_worked_check():
    """EV 9,600, PV 2,400, g 10 %, r 88 % → 27,068.85 + 6,767.21 + 7,908.62 = 41,744.68 (domain.md §13, S3-34)."""
    found = lifetime(ev=Decimal(9600), pv=Decimal(2400), g=Decimal("0.10"), r=Decimal("0.88"))
    assert (found.explicit, found.potential, found.growth) == (
        Decimal("27068.85"), Decimal("6767.21"), Decimal("7908.62"),
    )  # fmt: skip
    assert found.clv == Decimal("41744.68")


def test_growth_is_clipped_and_none_for_who_costs_more_than_he_brings():
    assert lifetime(ev=Decimal(100), pv=Decimal(0), g=Decimal(5), r=Decimal(1)) == lifetime(
        ev=Decimal(100), pv=Decimal(0), g=Decimal("0.3"), r=Decimal(1)
    )
    assert lifetime(ev=Decimal(-100), pv=Decimal(0), g=Decimal("0.3"), r=Decimal(1)).growth == 0


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.decimals(0, 1, places=3), st.decimals(-1, 1, places=3))
def test_who_brings_more_is_never_worth_less(less, more, r, g):
    low, high = sorted((less, more))
    values = {"pv": Decimal(500), "g": max(g, Decimal(0)), "r": r}
    assert lifetime(ev=Decimal(low), **values).clv <= lifetime(ev=Decimal(high), **values).clv


def test_the_yearly_stay_follows_from_ninety_days():
    assert retention(Decimal(0)) == 1
    assert retention(Decimal("0.1")).quantize(Decimal("0.0001")) == Decimal("0.6523")


@pytest.mark.parametrize(("on", "due"), [(ON, True), (date(2026, 11, 29), False), (date(2028, 2, 29), True)])
def test_values_are_computed_when_the_month_is_over(on, due):
    assert is_value_night(on) == due


# --- For everybody at once -------------------------------------------------------------------------


@pytest.fixture
def branch(db):
    return BranchFactory(parent=BranchFactory())


def worth(branch, *, demand=0, cost=0, p90=None, aum=0, base=None, **values):
    customer = CustomerFactory(
        branch=branch, service_cost=Decimal(cost), churn_probability=p90, aum=Decimal(aum), data_date=ON, **values
    )
    monthly_asset(customer, MONTH, Decimal(demand))
    if base is not None:
        monthly_asset(customer, date(2025, 11, 1), Decimal(base), demand=Decimal(demand))
    return customer


def of(customer):
    customer.refresh_from_db()
    return customer


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_000_000), st.integers(0, 5_000), st.integers(0, 95), st.integers(0, 3_000_000),
            st.one_of(st.none(), st.integers(1, 3_000_000)),
        ), min_size=1, max_size=4,
    )
)  # fmt: skip
def test_sql_and_the_rule_agree(branch, drawn):
    customers = [
        worth(branch, demand=demand, cost=cost, p90=p90 / 100, aum=aum, base=base)
        for demand, cost, p90, aum, base in drawn
    ]
    value_branch(branch_id=branch.pk, on=ON)
    for customer, (demand, cost, p90, aum, base) in zip(customers, drawn, strict=True):
        of(customer)
        ev = (Decimal(demand) * Decimal("0.015") - cost).quantize(Decimal("0.01"), ROUND_HALF_UP)
        g = Decimal(aum) / base - 1 if base else Decimal(0)
        rule = lifetime(ev=ev, pv=customer.pv, g=g, r=retention(Decimal(p90) / 100))
        assert customer.ev == ev
        assert abs(customer.clv - rule.clv) <= Decimal("0.02")
        assert abs(customer.gv - rule.growth) <= Decimal("0.01")
    Customer.objects.filter(branch=branch).update(branch=BranchFactory())


def test_balances_card_spend_and_costs_make_the_explicit_value(branch):
    customer = worth(branch, demand=100_000, cost=230)
    TransactionEvent.objects.create(
        customer=customer, kind="card_spend", amount=50_000, data_date=date(2026, 6, 1), external_id="x"
    )
    assert value_branch(branch_id=branch.pk, on=ON) == 1
    assert of(customer).ev == Decimal("1420.00")  # 1,500 + 150 − 230
    parts = ValueMonth.objects.get().parts["ev"]
    assert (parts["demand"], parts["card_spend"], parts["service_cost"]) == (1500, 150, -230)


def test_a_gap_counts_penetration_times_the_median_of_holders_where_it_is_suitable(branch):
    ProductFactory(category="wealth", risk_level=2)
    for amount in (100_000, 200_000):
        holder = worth(branch, product_marks="deposit wealth")
        holder.monthly_assets.update(wealth=amount)
    suited = worth(branch, product_marks="deposit", risk_grade=3, risk_assessed_on=date(2026, 1, 1))
    cautious = worth(branch, product_marks="deposit", risk_grade=1, risk_assessed_on=date(2026, 1, 1))
    expired = worth(branch, product_marks="deposit", risk_grade=3, risk_assessed_on=date(2025, 1, 1))

    value_branch(branch_id=branch.pk, on=ON)

    assert of(suited).pv == Decimal("240.00")  # 2 of 5 × the median of 400 and 800
    assert (of(cautious).pv, of(expired).pv) == (0, 0)


def test_classes_are_the_top_of_the_outlet_and_the_most_growable_of_the_rest(branch):
    customers = [worth(branch, demand=10_000 * n, aum=10_000 * n, base=10_000 * n) for n in range(1, 41)]
    value_branch(branch_id=branch.pk, on=ON)
    classes = [of(customer).value_class for customer in customers]
    assert classes.count("mvc") == 8 and classes[-8:] == ["mvc"] * 8
    assert {customer.contribution_quintile for customer in customers[-8:]} == {1}
    before = list(Customer.objects.order_by("pk").values("clv", "value_class", "updated_at"))
    value_branch(branch_id=branch.pk, on=ON)
    assert list(Customer.objects.order_by("pk").values("clv", "value_class", "updated_at")) == before


def test_a_small_outlet_is_measured_by_the_institution_above(branch):
    large = BranchFactory(parent=branch.parent)
    for n in range(1, 41):
        worth(large, demand=100_000 * n)
    best_here = worth(branch, demand=50_000)
    value_branch(branch_id=large.pk, on=ON)
    value_branch(branch_id=branch.pk, on=ON)
    assert of(best_here).value_class == "general"


# --- Below zero ------------------------------------------------------------------------------------


def test_who_is_below_zero_is_proposed_and_only_the_head_makes_it_so(branch):
    """CLV −350 → BZC proposed, head confirms (S3-4)."""
    head = LoadFactory(staff__role=Role.BRANCH_HEAD, staff__branch=branch).staff
    customer = worth(branch, demand=0, cost=350, service_tier=Tier.GOLD)
    value_branch(branch_id=branch.pk, on=ON)
    value_branch(branch_id=branch.pk, on=ON)

    assert of(customer).value_class == "general"
    proposal = BelowZero.objects.get()
    decide(proposal=proposal, confirmed=True, by=head)
    value_branch(branch_id=branch.pk, on=ON)
    assert (of(customer).value_class, customer.service_tier) == ("bzc", Tier.GOLD)
    with pytest.raises(DecisionRefused):
        decide(proposal=proposal, confirmed=False, by=head)

    Customer.objects.filter(pk=customer.pk).update(service_cost=0)
    value_branch(branch_id=branch.pk, on=ON)
    assert of(customer).value_class != "bzc"


def test_who_was_refused_is_not_asked_about_again(branch):
    head = LoadFactory(staff__role=Role.BRANCH_HEAD, staff__branch=branch).staff
    customer = worth(branch, cost=350)
    value_branch(branch_id=branch.pk, on=ON)
    decide(proposal=BelowZero.objects.get(), confirmed=False, by=head)
    value_branch(branch_id=branch.pk, on=ON)
    assert BelowZero.objects.count() == 1 and of(customer).value_class == "general"


def test_the_head_decides_on_the_page_and_the_record_shows_the_parts(client, branch):
    head = LoadFactory(staff__role=Role.BRANCH_HEAD, staff__branch=branch, staff__language="en").staff
    customer = worth(branch, demand=0, cost=350, name="赵亏")
    value_branch(branch_id=branch.pk, on=ON)
    client.force_login(head)
    assert "赵亏" in client.get("/value/below-zero/").content.decode()
    client.post(f"/value/below-zero/{BelowZero.objects.get().pk}/decide/", {"confirmed": "1"})
    assert of(customer).value_class == "bzc"
    panel = client.get(f"/customers/{customer.pk}/value/").content.decode()
    assert "Below zero" in panel and "−¥350" in panel
