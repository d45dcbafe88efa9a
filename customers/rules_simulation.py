"""What other rules of rating would do, told before they are saved: who moves, how much money, whose book overflows.

Everybody's average of today is rated by the rules in force and by the others, in one pass over all
customers in sight.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction

from customers.models import Customer, RelationStatus, Tier
from customers.rules import Rules

NAMES = 20
"""How many of those who move are named, by money."""

BOOKS = 20


@dataclass(frozen=True)
class Move:
    """How many customers, and how much money in yuan, go from one tier of their average to another."""

    before: Tier
    after: Tier
    customers: int
    aum: Decimal


@dataclass(frozen=True)
class Book:
    """A manager whose load would pass the limit if everybody were served in the tier of the average; percent."""

    name: str
    before: Decimal
    after: Decimal
    limit: Decimal


@dataclass(frozen=True)
class Simulation:
    """The outcome; `watched` counts signed customers who would newly stand below the floor of their service tier."""

    moves: list[Move]
    watched: int
    movers: list
    books: list[Book]
    books_total: int

    def of(self, before: Tier, after: Tier) -> Move:
        """Return one cell of the matrix."""
        found = (move for move in self.moves if (move.before, move.after) == (before, after))
        return next(found, Move(before, after, 0, Decimal(0)))

    @property
    def up(self) -> int:
        return sum(move.customers for move in self.moves if move.after > move.before)

    @property
    def down(self) -> int:
        return sum(move.customers for move in self.moves if move.after < move.before)

    @property
    def moved_aum(self) -> Decimal:
        return sum((move.aum for move in self.moves if move.after != move.before), Decimal(0))


@transaction.atomic
def simulate(*, now: Rules, then: Rules, viewer) -> Simulation:
    """Compare two sets of rules on the customers that a viewer may see, by their averages of today."""
    everybody = Customer.objects.visible_to(viewer).exclude(relation_status=RelationStatus.CLOSED).values(*_COLUMNS)
    scope, parameters = everybody.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE rated_twice ON COMMIT DROP AS"
            f" SELECT c.*, {_tier(now)} AS before, {_tier(then)} AS after FROM ({scope}) c",
            parameters,
        )
        cursor.execute(_MOVES)
        moves = [Move(Tier(before), Tier(after), number, aum) for before, after, number, aum in cursor]
        cursor.execute(_WATCHED)
        watched = cursor.fetchone()[0]
        cursor.execute(_MOVERS, [NAMES])
        movers = [
            {"pk": pk, "name": name, "aum": aum, "before": Tier(before), "after": Tier(after)}
            for pk, name, aum, before, after in cursor
        ]
        cursor.execute(_BOOKS)
        books = [Book(*row) for row in cursor]
        cursor.execute("DROP TABLE rated_twice")
    return Simulation(moves, watched, movers, books[:BOOKS], len(books))


def _tier(rules: Rules) -> str:
    """Return SQL for the tier of an average; floors are decimals and the measure a fixed word, never text of a person."""
    measure = str(rules.rule.rating_measure)
    if measure not in ("month_avg", "year_avg"):
        raise ValueError(measure)
    steps = " ".join(
        f"WHEN c.{measure} >= {Decimal(rules.floors[tier]):f} THEN {int(tier)}"
        for tier in sorted(rules.floors, reverse=True)
    )
    return f"CASE {steps} ELSE 0 END"


_COLUMNS = ("id", "name", "aum", "manager_id", "service_tier", "relation_status", "month_avg", "year_avg")

_MOVES = """
SELECT before, after, count(*), sum(aum) FROM rated_twice GROUP BY before, after ORDER BY before, after
"""

_WATCHED = """
SELECT count(*) FROM rated_twice
WHERE relation_status = 'signed' AND after < service_tier AND before >= service_tier
"""

_MOVERS = """
SELECT id, name, aum, before, after FROM rated_twice WHERE before <> after ORDER BY aum DESC, id LIMIT %s
"""

_BOOKS = """
WITH loads AS (
    SELECT manager_id,
           count(*) FILTER (WHERE relation_status = 'potential') AS potential,
           count(*) FILTER (WHERE relation_status = 'signed' AND after = 1) AS gold,
           count(*) FILTER (WHERE relation_status = 'signed' AND after = 2) AS platinum,
           count(*) FILTER (WHERE relation_status = 'signed' AND after = 3) AS diamond,
           bool_or(before <> after) AS touched
    FROM rated_twice WHERE manager_id IS NOT NULL GROUP BY manager_id
), books AS (
    SELECT staff.name, load.units AS before, load.capacity, load.full_capacity,
           loads.potential * load.potential_weight + loads.gold * load.gold_weight
               + loads.platinum * load.platinum_weight + loads.diamond * load.diamond_weight AS after
    FROM loads
    JOIN customers_load load ON load.staff_id = loads.manager_id
    JOIN staff_staff staff ON staff.id = loads.manager_id
    WHERE loads.touched
)
SELECT name, round(100.0 * before / full_capacity, 1), round(100.0 * after / full_capacity, 1),
       round(100.0 * capacity / full_capacity, 1)
FROM books WHERE after > capacity ORDER BY after - capacity DESC, name
"""
