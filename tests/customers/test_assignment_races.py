"""Real connections racing for the last places: exactly the free ones are granted, whoever asks and however."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, connections
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate

from customers import load
from customers.assignment import Line, assign, assign_many
from customers.models import Assignment, Customer, Load, QuotaRule, Tier
from staff.refusal import Refused
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

CLIENTS = 32
DIAMOND = Tier.DIAMOND

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


def at_once(jobs: list) -> list:
    """Run the jobs from as many threads at the same moment, each on a connection of its own; return what they gave."""
    gate = Barrier(len(jobs))

    def run(job):
        gate.wait(timeout=30)
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def signed_in(member) -> Client:
    client = Client(raise_request_exception=False, headers={"hx-request": "true"})
    client.force_login(member)
    return client


def assert_loads_hold():
    """Loads equal a recount of the open relations, none above its limits, managers as the relations say."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FROM customers_load AS load WHERE diamond > diamond_limit OR units > capacity OR diamond <> (
                SELECT count(*) FROM customers_assignment AS a JOIN customers_customer AS c ON c.id = a.customer_id
                WHERE a.staff_id = load.staff_id AND a."end" IS NULL AND c.service_tier = 3)
        """)
        assert cursor.fetchone() == (0,)
        cursor.execute("""
            SELECT count(*) FROM customers_customer AS c LEFT JOIN customers_assignment AS a
                ON a.customer_id = c.id AND a.role = 'primary' AND a."end" IS NULL
            WHERE c.manager_id IS DISTINCT FROM a.staff_id
        """)
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("free", [1, 5])
def test_32_clients_over_http_get_exactly_the_free_places(branch, head, free):
    receiver = LoadFactory(staff__branch=branch, diamond_limit=free).staff
    customers = CustomerFactory.create_batch(CLIENTS, branch=branch, service_tier=DIAMOND)
    url = reverse("customers:assignment_assign_to", args=[receiver.pk])
    clients = [signed_in(head) for _customer in customers]

    answers = at_once(
        [
            lambda client=client, customer=customer: client.post(url, {"customer": customer.pk})
            for client, customer in zip(clients, customers, strict=True)
        ]
    )

    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), codes.count(409)) == (free, CLIENTS - free)
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert f"Over the quota: Diamond {free}/{free}" in refused.content.decode()
    assert Load.objects.get(pk=receiver.pk).diamond == free
    assert_loads_hold()


def test_hand_overs_both_ways_never_deadlock_and_keep_every_load(branch, head):
    one, two = (LoadFactory(staff__branch=branch, diamond_limit=9).staff for _each in range(2))
    held = [
        AssignmentFactory(customer__branch=branch, customer__service_tier=DIAMOND, staff=member)
        for member in (one, two)
        for _each in range(8)
    ]

    def hand_over(row, to):
        try:
            assign(customer=row.customer, to=to, by=head, on=localdate())
        except Refused:
            return "refused"
        return "done"

    outcomes = at_once([lambda row=row: hand_over(row, two if row.staff == one else one) for row in held])

    assert set(outcomes) <= {"done", "refused"} and "done" in outcomes
    assert Customer.objects.filter(manager=None).count() == 0
    assert_loads_hold()


def test_batches_in_opposite_order_never_deadlock(branch, head):
    members = [LoadFactory(staff__branch=branch).staff for _each in range(4)]
    customers = CustomerFactory.create_batch(16, branch=branch, service_tier=DIAMOND)

    def batch(order):
        lines = [Line(customer, members[customer.pk % 4]) for customer in order]
        try:
            return len(assign_many(lines=lines, by=head, on=localdate()))
        except Refused:
            return 0

    outcomes = at_once([lambda order=order: batch(order) for order in [customers, customers[::-1]] * 8])

    assert sorted(outcomes, reverse=True)[:2] == [16, 0]
    assert_loads_hold()


def test_a_quota_lowered_meanwhile_is_never_passed(branch, head):
    receiver = LoadFactory(staff__branch=branch).staff
    customers = CustomerFactory.create_batch(CLIENTS - 1, branch=branch, service_tier=DIAMOND)
    QuotaRule.objects.create(role=Role.RELATIONSHIP_MANAGER, tier=DIAMOND, quota=10, effective_from=date(2026, 1, 1))

    def give(customer):
        try:
            assign(customer=customer, to=receiver, by=head, on=localdate())
        except Refused:
            return 0
        return 1

    jobs = [lambda customer=customer: give(customer) for customer in customers]
    *granted, _lowered = at_once([*jobs, lambda: load.refresh_limits([receiver.pk], on=localdate())])

    row = Load.objects.get(pk=receiver.pk)
    assert row.diamond_limit == 10
    assert sum(granted) == row.diamond == Assignment.objects.open().count() == max(10, 10 + row.diamond_over)
    assert row.diamond <= 30


def test_shells_that_race_are_refused_by_the_database(branch):
    receiver = LoadFactory(staff__branch=branch, diamond_limit=3).staff
    customers = CustomerFactory.create_batch(CLIENTS, branch=branch, service_tier=DIAMOND)

    def insert(customer):
        with connection.cursor() as cursor:
            try:
                cursor.execute(
                    "INSERT INTO customers_assignment (customer_id, staff_id, role, start, source, reason)"
                    " VALUES (%s, %s, 'primary', %s, 'manual', '')",
                    [customer.pk, receiver.pk, localdate()],
                )
            except IntegrityError as error:
                return error.__cause__.diag.constraint_name
        return "granted"

    outcomes = at_once([lambda customer=customer: insert(customer) for customer in customers])

    assert outcomes.count("granted") == 3
    assert outcomes.count("load_diamond_within_quota") == CLIENTS - 3
    assert_loads_hold()
