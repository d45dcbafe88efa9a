"""The feed of the core banking system: strict rows, one merge, any order gives the same state."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.feed import (
    BalanceRow,
    CustomerRow,
    TransactionRow,
    read_rows,
    take_balances,
    take_customers,
    take_transactions,
)
from customers.models import Customer, DailyAsset, Tier, TierChange, TransactionEvent
from staff.models import ApiClient
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def client(outlet):
    return ApiClient.objects.create(
        name="core",
        branch=outlet,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        allowed_scopes="customers:write assets:write",
    )


def customer_row(**said):
    return {"row_id": "1", "customer_no": "A1", "sequence": 1, "name": "沈雅琴", "branch": "CZ01"} | said


def send_customers(client, *rows, as_of=MONDAY):
    good, bad = read_rows(list(rows), CustomerRow)
    outcomes = bad | take_customers(rows=good, as_of=as_of, by=client)
    return [outcomes[position] for position in range(len(rows))]


def send_balances(client, *rows, as_of=MONDAY):
    good, bad = read_rows(list(rows), BalanceRow)
    outcomes = bad | take_balances(rows=good, as_of=as_of, by=client)
    return [outcomes[position] for position in range(len(rows))]


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def test_a_new_customer_is_sealed_masked_and_findable_by_pinyin(client):
    outcomes = send_customers(client, customer_row(mobile="13812346021", id_no="450102197403071234"))

    customer = Customer.objects.get()
    assert statuses(outcomes) == ["created"]
    assert (customer.pinyin, customer.mobile, customer.mobile_last4) == ("shen ya qin", "13812346021", "6021")
    assert "13812346021" not in customer.mobile_masked
    assert (customer.service_tier, customer.relation_status) == (Tier.GENERAL, "none")


def test_the_same_row_again_changes_nothing_and_an_older_one_is_stale(client):
    send_customers(client, customer_row(sequence=5))

    assert statuses(send_customers(client, customer_row(sequence=5))) == ["unchanged"]
    assert statuses(send_customers(client, customer_row(sequence=6))) == ["unchanged"]
    assert statuses(send_customers(client, customer_row(sequence=4, name="别人"))) == ["stale"]
    assert statuses(send_customers(client, customer_row(sequence=7, name="沈雅晴"))) == ["updated"]
    assert Customer.objects.get().name == "沈雅晴"


def test_a_signed_card_raises_the_tier_and_is_written_down(client):
    send_customers(client, customer_row())

    send_customers(client, customer_row(sequence=2, signed_on="2026-11-20", service_tier="platinum"))

    customer = Customer.objects.get()
    assert (customer.service_tier, customer.relation_status) == (Tier.PLATINUM, "signed")
    assert TierChange.objects.get().kind == TierChange.Kind.UP


@pytest.mark.parametrize(
    ("row", "code", "pointer"),
    [
        (customer_row(branch="ELSEWHERE"), "unknown_branch", "/rows/0/branch"),
        (customer_row(colour="red"), "unknown_field", "/rows/0/colour"),
        (customer_row(sequence="1"), "invalid", "/rows/0/sequence"),
        (customer_row(birth_date="1974-02-30"), "invalid", "/rows/0/birth_date"),
        (customer_row(name="a\x00b"), "invalid", "/rows/0/name"),
        (customer_row(service_tier="gold"), "unsigned_card", "/rows/0/signed_on"),
        ({"row_id": "1"}, "invalid", "/rows/0/sequence"),
        ("not a row", "invalid", "/rows/0"),
    ],
)
def test_a_bad_customer_row_is_rejected_at_its_place(client, row, code, pointer):
    (outcome,) = send_customers(client, row)

    assert (outcome.status, outcome.code, outcome.pointer) == ("rejected", code, pointer)
    assert not Customer.objects.exists()


def test_a_customer_of_another_branch_is_neither_changed_nor_shown(client):
    foreign = CustomerFactory(customer_no="F1")

    outcomes = send_customers(client, customer_row(customer_no="F1"))
    outcomes += send_balances(client, {"row_id": "2", "customer_no": "F1", "sequence": 1, "demand": "5"})

    foreign.refresh_from_db()
    assert [outcome.code for outcome in outcomes] == ["customer_elsewhere", "unknown_customer"]
    assert foreign.name != "沈雅琴"
    assert not DailyAsset.objects.exists()


def test_balances_add_up_and_a_newer_version_replaces_them(client):
    send_customers(client, customer_row())
    row = {"row_id": "1", "customer_no": "A1", "sequence": 1, "demand": "100.50", "wealth": "9.50"}

    assert statuses(send_balances(client, row)) == ["created"]
    assert statuses(send_balances(client, row)) == ["unchanged"]
    assert statuses(send_balances(client, row | {"sequence": 2, "demand": "90"})) == ["updated"]
    assert statuses(send_balances(client, row)) == ["stale"]
    assert DailyAsset.objects.get().total == Decimal("99.50")


@pytest.mark.parametrize("amount", ["-1", "1.234", "1e5", 5, "NaN", ""])
def test_an_amount_that_is_no_plain_yuan_is_rejected(client, amount):
    send_customers(client, customer_row())

    (outcome,) = send_balances(client, {"row_id": "1", "customer_no": "A1", "sequence": 1, "demand": amount})

    assert (outcome.status, outcome.pointer) == ("rejected", "/rows/0/demand")


def test_a_day_of_the_far_future_is_rejected_and_makes_no_partition(client):
    send_customers(client, customer_row())

    (outcome,) = send_balances(
        client, {"row_id": "1", "customer_no": "A1", "sequence": 1, "data_date": "2999-01-01", "demand": "1"}
    )

    assert outcome.code == "date_out_of_range"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations([1, 2, 3, 4]), cuts=st.sets(st.integers(1, 3)))
def test_any_order_of_the_same_rows_gives_the_same_state(client, order, cuts):
    Customer.objects.all().delete()
    DailyAsset.objects.all().delete()
    send_customers(client, customer_row())
    rows = [{"row_id": str(n), "customer_no": "A1", "sequence": n, "demand": str(n * 10)} for n in order]
    edges = [0, *sorted(cuts), 4]

    for begin, end in zip(edges, edges[1:], strict=False):
        send_balances(client, *rows[begin:end])

    asset = DailyAsset.objects.get()
    assert (asset.sequence, asset.demand) == (4, Decimal(40))


# --- Transaction events ----------------------------------------------------------------------------


def event(**said):
    return {
        "row_id": "1", "customer_no": "A1", "external_id": "T1", "sequence": 1, "kind": "payroll", "amount": "12000.00",
    } | said  # fmt: skip


def send_events(client, *rows, as_of=MONDAY):
    good, bad = read_rows(list(rows), TransactionRow)
    outcomes = bad | take_transactions(rows=good, as_of=as_of, by=client)
    return [outcomes[position] for position in range(len(rows))]


def test_an_event_is_taken_once_and_a_newer_version_replaces_it(client):
    send_customers(client, customer_row())

    assert statuses(send_events(client, event())) == ["created"]
    assert statuses(send_events(client, event())) == ["unchanged"]
    assert statuses(send_events(client, event(amount="13000"))) == ["stale"]
    assert statuses(send_events(client, event(sequence=2, amount="13000"), event(sequence=3, amount="14000"))) == [
        "stale", "updated",
    ]  # fmt: skip
    kept = TransactionEvent.objects.get()
    assert (kept.amount, kept.data_date, kept.kind) == (Decimal("14000.00"), MONDAY, "payroll")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"customer_no": "B2"}, "unknown_customer"),
        ({"data_date": "1989-12-31"}, "date_out_of_range"),
        ({"kind": "gift"}, "invalid"),
        ({"amount": "-1"}, "invalid"),
        ({"colour": "red"}, "unknown_field"),
    ],
)
def test_a_bad_event_is_refused_by_name_and_leaves_the_others(client, said, code):
    send_customers(client, customer_row())

    refused, taken = send_events(client, event(**said), event(external_id="T2"))

    assert (refused.status, refused.code, taken.status) == ("rejected", code, "created")
    assert TransactionEvent.objects.count() == 1


def test_an_event_does_not_move_to_another_customer(client):
    send_customers(client, customer_row(), customer_row(row_id="2", customer_no="A2"))
    send_events(client, event())

    outcomes = send_events(client, event(customer_no="A2", sequence=9))

    assert [each.code for each in outcomes] == ["key_of_another"]
    assert TransactionEvent.objects.get().customer.customer_no == "A1"
