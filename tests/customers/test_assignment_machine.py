"""Everything that moves customers, in any order: after each step the database is as the rules want it.

Steps are refused as often as they are done; what is refused must change nothing, and what is done must leave the loads
equal to a recount, nobody above a limit but by what was pushed over, and every relation where it belongs.
"""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from customers import assignment, handover, load, merge, override, quota_rules
from customers.load import Quota
from customers.models import Assignment, AssignmentRule, Customer, Handover, Load, Override, RelationStatus, Tier
from customers.quota_rules import QuotaRules
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role
from tests.factories import BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

CUSTOMERS, MEMBERS = 12, 4
ROLES = (Role.RELATIONSHIP_MANAGER, Role.RELATIONSHIP_MANAGER, Role.WEALTH_MANAGER, Role.TELLER)
QUOTAS = st.sampled_from([1, 2, 3, 4, 6])
customers, members = st.integers(0, CUSTOMERS - 1), st.integers(0, MEMBERS - 1)
tiers = st.sampled_from([Tier.GENERAL, Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND])

LOADS_DIFFER = """
SELECT l.staff_id FROM customers_load l LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k = 0) AS potential, count(*) FILTER (WHERE k = 1) AS gold,
           count(*) FILTER (WHERE k = 2) AS platinum, count(*) FILTER (WHERE k = 3) AS diamond
      FROM (SELECT CASE WHEN c.relation_status = 'signed' THEN c.service_tier ELSE 0 END AS k
              FROM customers_assignment a JOIN customers_customer c ON c.id = a.customer_id
             WHERE a.staff_id = l.staff_id AND a."end" IS NULL AND a.role = 'primary') held) n ON true
 WHERE (l.potential, l.gold, l.platinum, l.diamond) <> (n.potential, n.gold, n.platinum, n.diamond)
"""
MANAGER_DIFFERS = """
SELECT c.id FROM customers_customer c
  LEFT JOIN customers_assignment a ON a.customer_id = c.id AND a.role = 'primary' AND a."end" IS NULL
 WHERE c.manager_id IS DISTINCT FROM a.staff_id
"""
OVER_WITHOUT_CAUSE = """
SELECT staff_id FROM customers_load
 WHERE units > capacity + units_over OR units_over > greatest(0, units - capacity)
    OR gold > gold_limit + gold_over OR gold_over > greatest(0, gold - gold_limit)
    OR platinum > platinum_limit + platinum_over OR platinum_over > greatest(0, platinum - platinum_limit)
    OR diamond > diamond_limit + diamond_over OR diamond_over > greatest(0, diamond - diamond_limit)
"""
WITH_THOSE_WHO_LEFT = """
SELECT a.id FROM customers_assignment a JOIN staff_staff s ON s.id = a.staff_id
 WHERE a."end" IS NULL AND a.role = 'primary' AND NOT s.is_active
"""
OF_RECORDS_MERGED_AWAY = """
SELECT a.id FROM customers_assignment a JOIN customers_customer c ON c.id = a.customer_id
 WHERE a."end" IS NULL AND c.merged_into_id IS NOT NULL
"""
EXPECTED_NOTHING = {
    "loads equal a recount": LOADS_DIFFER,
    "the manager is the open primary relation": MANAGER_DIFFERS,
    "nobody is over but by what was pushed": OVER_WITHOUT_CAUSE,
    "nobody who left holds customers": WITH_THOSE_WHO_LEFT,
    "a record merged away has no relation": OF_RECORDS_MERGED_AWAY,
}


class Assigning(RuleBasedStateMachine):
    """One small outlet with narrow quotas, so that limits are met often."""

    @initialize()
    def outlet(self):
        self.scope = transaction.atomic()
        self.scope.__enter__()
        self.day = date(2026, 11, 2)
        self.branch = BranchFactory()
        self.head = StaffFactory(branch=self.branch, role=Role.BRANCH_HEAD)
        self.office = StaffFactory(branch=self.branch, role=Role.RETAIL_ADMIN)
        self.staff = [LoadFactory(staff__branch=self.branch, staff__role=role).staff for role in ROLES]
        self.people = CustomerFactory.create_batch(CUSTOMERS, branch=self.branch)
        self.granted: list[int] = []
        self.merged = []
        self.quota(diamond=2, platinum=3, gold=4)

    def teardown(self):
        if hasattr(self, "scope"):
            transaction.set_rollback(True)
            self.scope.__exit__(None, None, None)

    def tried(self, act, *args, **values):
        """Do something that may be refused; a refusal leaves nothing behind."""
        before = self._state()
        try:
            with transaction.atomic():
                return act(*args, **values)
        except Refused:
            assert self._state() == before
            return None

    def _state(self):
        rows = Assignment.objects.order_by("pk").values_list("pk", "staff", "end")
        return list(rows), list(Load.objects.order_by("pk").values_list("units", "capacity"))

    def customer(self, which) -> Customer:
        return Customer.objects.get(pk=self.people[which].pk)

    @rule(customer=customers, to=members)
    def assign(self, customer, to):
        self.tried(assignment.assign, customer=self.customer(customer), to=self.staff[to], by=self.head, on=self.day)

    @rule(first=customers, second=customers, to=members)
    def assign_two_or_none(self, first, second, to):
        lines = [assignment.Line(self.customer(which), self.staff[to]) for which in (first, second)]
        made = self.tried(assignment.assign_many, lines=lines, by=self.head, on=self.day)
        if made:
            self.granted = [row.pk for row in made]

    @precondition(lambda self: self.granted)
    @rule()
    def undo(self):
        self.tried(assignment.undo, assignments=self.granted, by=self.head, on=self.day)
        self.granted = []

    @rule(customer=customers)
    def release(self, customer):
        self.tried(assignment.end_primary, customer=self.customer(customer), by=self.head, on=self.day)

    @rule(customer=customers, tier=tiers)
    def change_tier(self, customer, tier):
        """The rating changes tiers and moves nobody, whatever the quotas say."""
        status = RelationStatus.SIGNED if tier else RelationStatus.POTENTIAL
        holder = self.customer(customer).manager_id
        Customer.objects.filter(pk=self.people[customer].pk).update(service_tier=tier, relation_status=status)
        assert self.customer(customer).manager_id == holder

    @rule(diamond=QUOTAS, platinum=QUOTAS, gold=QUOTAS)
    def quota(self, diamond, platinum, gold):
        """Quotas of the morning after: nobody is moved."""
        numbers = {Tier.DIAMOND: diamond, Tier.PLATINUM: platinum, Tier.GOLD: gold, Tier.GENERAL: gold}
        held = QuotaRules.in_force(self.day)
        manager = {tier: Quota(number, tier != Tier.GENERAL) for tier, number in numbers.items()}
        quotas = {**held.quotas, Role.RELATIONSHIP_MANAGER: manager, Role.WEALTH_MANAGER: manager}
        wanted = QuotaRules(quotas, AssignmentRule())
        open_before = Assignment.objects.open().count()
        morning = self.day + timedelta(days=1)
        self.tried(quota_rules.save, rules=wanted, effective_from=morning, by=self.office, on=self.day)
        self.night()
        assert Assignment.objects.open().primary().count() <= open_before

    @rule()
    def night(self):
        override.refresh_branch(branch_id=self.branch.pk, on=self.day)
        handover.refresh_branch(branch_id=self.branch.pk, on=self.day)
        self.day += timedelta(days=1)

    @rule(to=members, tier=st.sampled_from([Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND]), places=st.integers(1, 3))
    def give_places(self, to, tier, places):
        self.tried(
            override.give, staff=self.staff[to], tier=tier, places=places, until=self.day + timedelta(days=3),
            reason="网点人手不足，暂由其代为维护", by=self.head, on=self.day,
        )  # fmt: skip

    @precondition(lambda self: Override.objects.exists())
    @rule()
    def take_places_back(self):
        self.tried(override.withdraw, override=Override.objects.latest("pk"), by=self.head, on=self.day)

    @rule(giver=members, to=members, reason=st.sampled_from(["leaving", "balance", "leave"]), later=st.integers(0, 2))
    def hand_over(self, giver, to, reason, later):
        """From draft to approved; on its day the whole book goes, or none of it."""
        if giver == to:
            return
        begins = self.day + timedelta(days=later)
        made = self.tried(
            handover.draft, giver=self.staff[giver], customers=Customer.objects.assignable(), reason=reason, by=self.head,
            on=self.day, effective_on=begins, until=begins + timedelta(days=2) if reason == "leave" else None,
        )  # fmt: skip
        if made is None:
            return
        lines = list(made.lines.values_list("pk", flat=True))
        receiver = self.staff[to]
        handover.write(
            handover=made, receivers=dict.fromkeys(lines, receiver.pk), notes=dict.fromkeys(lines, "存单到期，先给方案，不接午间电话"),
            by=self.head,
        )  # fmt: skip
        handover.submit(handover=made, by=self.head)
        handover.answer(handover=made, by=receiver, lines=lines, takes=True)
        if self.tried(handover.approve, handover=made, by=self.head, on=self.day) is None:
            handover.cancel(handover=Handover.objects.get(pk=made.pk), by=self.head)

    @rule(kept=customers, dropped=customers)
    def merge_two(self, kept, dropped):
        pair = self.customer(kept), self.customer(dropped)
        if kept == dropped or any(one.merged_into_id for one in pair):
            return
        done = self.tried(
            merge.merge, kept=pair[0], dropped=pair[1], choices=merge.usual_choice(*pair), by=self.head, on=self.day
        )
        if done:
            self.merged.append(done)

    @precondition(lambda self: self.merged)
    @rule()
    def unmerge(self):
        self.tried(merge.unmerge, merged=self.merged.pop(), by=self.head, on=self.day)

    @rule(who=members)
    def leave_the_bank(self, who):
        """Whoever holds customers cannot leave; who holds nobody can, and comes back for the next steps."""
        holds = Assignment.objects.open().primary().filter(staff=self.staff[who]).exists()
        try:
            with transaction.atomic():
                Staff.objects.filter(pk=self.staff[who].pk).update(is_active=False)
        except Exception as error:
            assert holds and "still looks after customers" in str(error)
        else:
            assert not holds
            Staff.objects.filter(pk=self.staff[who].pk).update(is_active=True)

    @invariant()
    def the_database_is_as_the_rules_want_it(self):
        if not hasattr(self, "scope"):
            return
        with connection.cursor() as cursor:
            for name, sql in EXPECTED_NOTHING.items():
                cursor.execute(sql)
                assert cursor.fetchall() == [], name
        for row in Load.objects.filter(staff__in=self.staff).select_related("staff"):
            book = load.book_of(row)
            assert book.percent == Decimal(100 * row.units) / row.full_capacity


def walk(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Assigning,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_assigning_in_any_order_keeps_the_rules():
    walk(8, 25)


@pytest.mark.long
def test_assigning_in_any_order_keeps_the_rules_over_many_walks():
    walk(60, 50)
