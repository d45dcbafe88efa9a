"""One chunk of the demo bank: some outlets with all their customers, from simulation to rows."""

from collections import Counter
from datetime import date, timedelta

import numpy as np

from contacts.models import ContactLog, Opportunity, OpportunityStageHistory
from customers.identity import sealed_columns
from customers.models import (
    ASSET_KINDS,
    Assignment,
    Customer,
    DailyAsset,
    Holding,
    Load,
    MonthlyAsset,
    TierChange,
    TierRule,
)
from customers.names import pinyin_of
from staff.roles import Role
from vipcrm.demo import deals, people, touches
from vipcrm.demo.copying import copy_numbers, copy_rows, money, reserve
from vipcrm.demo.events import write_events
from vipcrm.demo.money import DAYS, simulate
from vipcrm.demo.months import FIGURES, summarise
from vipcrm.demo.owners import Holder, share_out
from vipcrm.demo.ratings import rate
from vipcrm.demo.relations import draw_relations, opening_days
from vipcrm.demo.shelves import COLUMNS as HOLDING_COLUMNS
from vipcrm.demo.shelves import Shelves, draw_services

CUSTOMER_COLUMNS = (
    "id", "customer_no", "name", "pinyin", "gender", "birth_date", "lunar_birthday",
    "id_no", "id_no_masked", "id_no_hash", "mobile", "mobile_masked", "mobile_hash", "mobile_last4", "address", "address_masked",
    "building_hash",
    "occupation", "employer", "tags", "needs", "low_disturb",
    "special_care", "risk_grade", "risk_assessed_on", "branch_id", "relation_status", "opened_on", "signed_on",
    "source_sequence", "service_tier", "asset_tier", "tier_state", "months_below_floor", "is_private_banking", "aum",
    "aum_30d_before", "month_avg", "year_avg", "data_date", "data_gap", "next_maturity_on", "next_maturity_amount",
    "product_marks", "contact_state", "contact_phones", "contact_meetings", "contact_count", "missed_last_window",
)  # fmt: skip
FILL = (0.8, 0.93)
"""Up to which part of their capacity members are filled, drawn between these."""


class Chunk:
    """Customers of some outlets, in the order of their keys; arrays are (size,)."""

    def __init__(self, rng, outlets, *, names, markets, products, today: date, serial: int):
        self.rng, self.outlets, self.products, self.today = rng, outlets, products, today
        self.last = today - timedelta(days=1)
        sizes = [outlet.customers for outlet in outlets]
        self.size = sum(sizes)
        self.outlet_of = np.repeat(np.arange(len(outlets)), sizes)
        self.first_id = reserve(Customer, self.size)
        self.ids = np.arange(self.first_id, self.first_id + self.size)
        self.numbers = [f"6{20_000_001 + serial + place:08d}" for place in range(self.size)]
        self.history = simulate(rng, self.size, last=self.last, markets=markets)
        self.months = summarise(self.history)
        self.floors = [rule.floor for rule in TierRule.objects.in_force(self.last).order_by("tier")]
        self.rated = rate(rng, self.months, self.floors, self.size, before=self.last)
        self.month_avg, self.year_avg = self.latest("month_avg"), self.latest("year_avg")
        self.status, self.signed_on = draw_relations(
            rng, self.history, self.rated, gold_floor=self.floors[0], month_avg=self.month_avg
        )
        self.opened_on = opening_days(rng, self.history)
        districts = [outlets[number].district for number in self.outlet_of]
        self.people = people.draw_people(rng, names, self.history.traits.walk, today=today, district=districts)
        self.loan = np.where(rng.random(self.size) < 0.13, rng.integers(8, 120, self.size) * 1_000_000, 0)
        self.card = np.where(rng.random(self.size) < 0.33, rng.integers(20, 1800, self.size) * 1_000, 0)

    def latest(self, figure: str) -> np.ndarray:
        """Return a figure of the running month, 0 where there is none."""
        values = np.zeros(self.size, np.int64)
        values[self.months[-1].who] = self.months[-1].figures[figure]
        return values

    def write(self) -> Counter:
        """Write everything; return the rows of each table."""
        written = Counter()
        shelves = Shelves(
            self.history, numbers=self.numbers, ids=self.ids.tolist(), products=self.products, opened=self.opened_on
        )
        services = draw_services(
            self.rng, self.history, loans=self.loan > 0, cards=self.card > 0, private=self.rated.private
        )
        holdings = list(shelves.rows(services))
        self.divide()
        written["customers"] = copy_rows(Customer, CUSTOMER_COLUMNS, self.customer_rows(shelves))
        written["holdings"] = copy_rows(Holding, HOLDING_COLUMNS, holdings)
        written["daily assets"] = self.write_days()
        written["monthly assets"] = self.write_months()
        written["tier changes"] = copy_rows(
            TierChange, ("customer_id", "on", "kind", "from_tier", "to_tier", "month_avg"), self.tier_changes()
        )
        written["assignments"] = copy_rows(
            Assignment,
            ("customer_id", "staff_id", "role", "start", "end", "source", "reason", "assigned_by_id"),
            self.assignment_rows(),
        )
        written["transaction events"] = write_events(
            self.rng, ids=self.ids, traits=self.history.traits, cards=self.card > 0, last=self.last
        )
        return written + self.write_business(shelves)

    # --- customers ----------------------------------------------------------------------------
    def divide(self):
        """Decide who looks after whom, since when; those who wait get their wish in words."""
        load_class = np.where(self.status == "signed", self.rated.service, np.where(self.status == "potential", 0, -1))
        self.load_class = load_class
        self.primary, self.adviser = np.zeros(self.size, int), np.zeros(self.size, int)
        for number, outlet in enumerate(self.outlets):
            where = np.nonzero(self.outlet_of == number)[0]
            loads = Load.objects.filter(staff__in=outlet.staff).select_related("staff").order_by("staff")
            holders = [Holder.of(load, float(self.rng.uniform(*FILL))) for load in loads]
            self.primary[where], self.adviser[where] = share_out(
                self.rng, holders, load_class[where], self.year_avg[where]
            )
        back = self.rng.integers(45, 1100, self.size)
        new = self.rng.random(self.size) < 0.05
        back = np.where(new, self.rng.integers(4, 40, self.size), back).tolist()
        self.since = [
            max(self.today - timedelta(days=back[place]), self.signed_on[place] or self.opened_on[place])
            for place in range(self.size)
        ]
        self.since = [min(since, self.last) for since in self.since]
        wishes = (self.primary == 0) | (self.rng.random(self.size) < 0.15)
        for place in np.nonzero(wishes)[0].tolist():
            self.people[place].needs = people.need_of(self.rng, self.history.traits.walk[place])

    def customer_rows(self, shelves: Shelves):
        totals = self.history.totals
        month_ago = totals[-31].tolist() if len(totals) > 30 else [None] * self.size
        opened_before = (self.history.opened <= len(totals) - 31).tolist()
        aum = totals[-1].tolist()
        branches = [self.outlets[number].branch.pk for number in self.outlet_of]
        for place in range(self.size):
            person = self.people[place]
            matures, due = next_maturity(shelves.names[place], self.last)
            watch = self.rated.below[place] > 0 and self.rated.service[place] > 0
            yield (
                self.ids[place], self.numbers[place], person.name, pinyin_of(person.name), person.gender,
                person.birth_date, person.lunar_birthday,
                *sealed_columns(id_no=person.id_no, mobile=person.mobile, address=person.address).values(),
                person.occupation, person.employer, person.tags, person.needs,
                person.low_disturb, person.special_care, person.risk_grade, person.risk_assessed_on, branches[place],
                self.status[place], self.opened_on[place], self.signed_on[place], 0, self.rated.service[place],
                self.rated.asset[place], "watch" if watch else "normal", self.rated.below[place],
                bool(self.rated.private[place]), money(aum[place]),
                money(month_ago[place]) if opened_before[place] else None, money(self.month_avg[place]),
                money(self.year_avg[place]), self.last, False, matures, due,
                " ".join(sorted(shelves.categories[place])), "open", 0, 0, 0, False,
            )  # fmt: skip

    def tier_changes(self):
        for customer, on, kind, before, after, average in self.rated.changes:
            yield (self.ids[customer], on, kind, before, after, money(average))

    def assignment_rows(self):
        """Yield the relations that are open, and for some customers the manager before."""
        heads = [
            next(member.pk for member in outlet.staff if member.role == Role.BRANCH_HEAD) for outlet in self.outlets
        ]
        managers = [
            [member.pk for member in outlet.staff if member.role in (Role.RELATIONSHIP_MANAGER, Role.WEALTH_MANAGER)]
            for outlet in self.outlets
        ]
        moved = self.rng.random(self.size) < 0.09
        for place in np.nonzero(self.primary)[0].tolist():
            number = self.outlet_of[place]
            staff, since = int(self.primary[place]), self.since[place]
            begun = self.signed_on[place] or self.opened_on[place]
            others = [pk for pk in managers[number] if pk != staff]
            if moved[place] and others and begun < since - timedelta(days=60):
                yield (
                    self.ids[place],
                    others[place % len(others)],
                    "primary",
                    begun,
                    since,
                    "manual",
                    "",
                    heads[number],
                )
                yield (self.ids[place], staff, "primary", since, None, "transfer", "工作量平衡", heads[number])
            else:
                yield (self.ids[place], staff, "primary", since, None, "manual", "", heads[number])
            if self.adviser[place]:
                yield (self.ids[place], int(self.adviser[place]), "adviser", since, None, "manual", "", heads[number])

    # --- money --------------------------------------------------------------------------------
    def write_days(self) -> int:
        """Write the last DAYS days by kind, a month at a time, each customer's days side by side."""
        history, written = self.history, 0
        offset = len(history.totals) - DAYS
        days = [history.day(offset + number) for number in range(DAYS)]
        for month in sorted({day.replace(day=1) for day in days}):
            chosen = np.array([number for number, day in enumerate(days) if day.replace(day=1) == month])
            who, when = np.meshgrid(np.arange(self.size), chosen, indexing="ij")
            there = history.opened[who] <= when + offset
            who, when = who[there], when[there]
            since_start = 1 - 0.00012 * (when + offset)
            columns = {
                "customer_id": self.ids[who],
                "data_date": np.array(days, "datetime64[D]")[when],
                **{kind: ("cents", history.daily[row][when, who]) for row, kind in enumerate(ASSET_KINDS)},
                "loan_balance": ("cents", (self.loan[who] * since_start).astype(np.int64)),
                "card_outstanding": ("cents", self.card[who] * (1 + (when + who) % 30) // 30),
            }
            written += copy_numbers(DailyAsset, columns)
        return written

    def write_months(self) -> int:
        written = 0
        for month in self.months:
            columns = {
                "customer_id": self.ids[month.who],
                "month": np.full(len(month.who), np.datetime64(month.month)),
                "days": month.days.astype(np.int16),
                **{name: ("cents", month.figures[name]) for name in FIGURES},
                **{kind: ("cents", month.kinds[row]) for row, kind in enumerate(ASSET_KINDS)},
            }
            if month.day_cents is not None:
                columns["day_cents"] = ("bigints", month.day_cents)
            written += copy_numbers(MonthlyAsset, columns)
        return written

    # --- contacts and opportunities -----------------------------------------------------------
    def write_business(self, shelves: Shelves) -> Counter:
        managed = [self.managed(place, shelves) for place in np.nonzero(self.primary)[0].tolist()]
        written = Counter()
        written["contact logs"] = copy_rows(
            ContactLog, touches.COLUMNS, touches.draw_logs(self.rng, managed, today=self.today)
        )
        places = np.nonzero(self.primary)[0].tolist()
        prospects = [
            deals.Prospect(each, self.prospects(place), max(2, int(self.month_avg[place] // 1_000_000)))
            for each, place in zip(managed, places, strict=True)
            if each.load_class >= 0
        ]
        first = reserve(Opportunity, len(prospects) + 1)
        rows, steps = deals.draw_deals(self.rng, prospects, today=self.today, first_id=first)
        written["opportunities"] = copy_rows(Opportunity, deals.COLUMNS, rows)
        copy_rows(OpportunityStageHistory, deals.HISTORY_COLUMNS, steps)
        return written

    def managed(self, place: int, shelves: Shelves) -> touches.Managed:
        held = [name for amount, name, _matures in shelves.names[place] if amount > 0 and name != "活利丰"]
        return touches.Managed(
            customer_id=int(self.ids[place]),
            staff_id=int(self.primary[place]),
            since=self.since[place],
            load_class=int(self.load_class[place]),
            care=float(self.history.traits.care[place]),
            hold=held[0] if held else "活利丰",
            wan=max(2, int(self.month_avg[place] // 4_000_000)),
            age=(self.today - self.people[place].birth_date).days // 365,
            walk=int(self.history.traits.walk[place]),
            leaving=bool(self.history.totals[-1, place] < 0.7 * self.year_avg[place]),
            low_disturb=self.people[place].low_disturb,
        )

    def prospects(self, place: int) -> tuple:
        """Return the kinds of business that may come about with a customer."""
        if self.load_class[place] == 0:
            return ("sign_up",) if self.status[place] == "potential" else ("win_back",)
        if self.history.totals[-1, place] < 0.7 * self.year_avg[place]:
            return ("retention", "win_back")
        service = self.rated.service[place]
        near = service < 3 and self.month_avg[place] >= self.floors[service] * 80
        return ("upgrade", "cross_sell") if near else ("cross_sell", "cross_sell", "retention")


def next_maturity(names, on: date) -> tuple:
    """Return the next day on which something held falls due after a day, and the yuan that do; None for nothing."""
    coming = [(matures, amount) for amount, _name, matures in names if matures and matures > on]
    if not coming:
        return None, None
    day = min(matures for matures, _amount in coming)
    return day, f"{sum(amount for matures, amount in coming if matures == day):.2f}"
