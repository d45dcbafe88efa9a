"""What happened to customers besides their balance, and what of it was known on a day. Pure numpy.

Tables are flat arrays, one row an event, days as ordinals (`date.toordinal`), NaN for none. `Facts.on` looks at
nothing that is dated after its day: neither an event that comes later, nor a contact entered later, nor
the later voiding of one.
"""

from dataclasses import dataclass, field

import numpy as np

MATURITY_DAYS = 30
CHANGE_DAYS = 180
LATE_AFTER_DAYS = 7
"""A contact entered later than this does not count (domain.md §7)."""

LONG_SILENCE = 90
"""Days of records from which "never contacted" says something; with less it is not known."""


def _table(*names) -> dict:
    return {name: np.zeros(0) for name in ("customer", *names)}


@dataclass
class Facts:
    """Events of the customers in `ids` (sorted keys).

    `people`: customer, opened, born; `holdings`: customer, amount, opened, matures; `contacts`: customer, on, entered,
    voided; `watches`: customer, on, begins (1 put on watch, 0 cleared or rated anew); `managers`: customer, start.
    """

    ids: np.ndarray
    people: dict = field(default_factory=lambda: _table("opened", "born"))
    holdings: dict = field(default_factory=lambda: _table("amount", "opened", "matures"))
    contacts: dict = field(default_factory=lambda: _table("on", "entered", "voided"))
    watches: dict = field(default_factory=lambda: _table("on", "begins"))
    managers: dict = field(default_factory=lambda: _table("start"))

    def on(self, day: int) -> dict:
        """Return what `features.History` wants to know as of a day, arrays (n,)."""
        opened, born = self.of_people("opened"), self.of_people("born")
        return {
            "due": self._maturing(day, after=day, until=day + MATURITY_DAYS),
            "matured": self._maturing(day, after=day - MATURITY_DAYS, until=day),
            "tenure_days": np.where(opened <= day, day - opened, np.nan),
            "age": np.where(born <= day, (day - born) / 365.25, np.nan),
            "contact_days": self._contact_days(day),
            "on_watch": self._on_watch(day),
            "manager_changes": self._manager_changes(day),
        }

    def _places(self, table: dict, rows) -> np.ndarray:
        return np.searchsorted(self.ids, table["customer"][rows])

    def of_people(self, name: str) -> np.ndarray:
        """Return a column of `people` in the order of `ids`, NaN for who is not in it: (n,)."""
        values = np.full(len(self.ids), np.nan)
        values[np.searchsorted(self.ids, self.people["customer"])] = self.people[name]
        return values

    def _maturing(self, day: int, *, after: int, until: int) -> np.ndarray:
        """Return the amounts held on a day or before that fall due in (after, until]."""
        held = self.holdings
        rows = (held["opened"] <= day) & (held["matures"] > after) & (held["matures"] <= until)
        return np.bincount(self._places(held, rows), weights=held["amount"][rows], minlength=len(self.ids))

    def _contact_days(self, day: int) -> np.ndarray:
        log = self.contacts
        rows = (log["on"] <= day) & (log["entered"] <= np.minimum(day, log["on"] + LATE_AFTER_DAYS))
        rows &= ~(log["voided"] <= day)
        last = np.full(len(self.ids), -np.inf)
        np.maximum.at(last, self._places(log, rows), log["on"][rows])
        # A customer never contacted has gone without for as long as the bank has kept records, at least.
        records = log["on"][(log["on"] <= day) & (log["entered"] <= day)]
        covered = day - records.min() if len(records) else -1
        never = covered if covered >= LONG_SILENCE else np.nan
        return np.where(np.isinf(last), never, day - last)

    def _on_watch(self, day: int) -> np.ndarray:
        steps = self.watches
        rows = np.nonzero(steps["on"] <= day)[0]
        rows = rows[np.argsort(steps["on"][rows], kind="stable")]
        watched = np.zeros(len(self.ids))
        watched[self._places(steps, rows)] = steps["begins"][rows]
        return watched

    def _manager_changes(self, day: int) -> np.ndarray:
        """Count new managers of the last 180 days; a customer's first manager is no change."""
        start = self.managers["start"]
        recent = self._count(self.managers, (start > day - CHANGE_DAYS) & (start <= day))
        before = self._count(self.managers, start <= day - CHANGE_DAYS)
        return np.where(before > 0, recent, np.maximum(recent - 1, 0))

    def _count(self, table: dict, rows) -> np.ndarray:
        return np.bincount(self._places(table, rows), minlength=len(self.ids))
