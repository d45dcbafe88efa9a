"""Holdings of the demo bank's customers: what adds up to their balances, and what ran out before."""

from datetime import date, timedelta

import numpy as np

from vipcrm.demo.catalogue import ITEMS, PLACE
from vipcrm.demo.money import History
from vipcrm.demo.purses import TERM
from vipcrm.demo.traits import OWNER, SIDES

COLUMNS = (
    "external_id", "customer_id", "product_id", "amount", "annual_rate", "opened_on", "matures_on", "status",
)  # fmt: skip


def draw_services(rng, history: History, *, loans, cards, private) -> list[list[int]]:
    """Return for each customer the places in the catalogue of products that hold no money."""
    n = len(history.traits.anchor)
    app, pos = rng.random(n) < 0.82, rng.random(n) < 0.45
    services = []
    for place in range(n):
        held = []
        if app[place]:
            held.append(PLACE["CH-APP"])
        if history.traits.walk[place] == OWNER and pos[place]:
            held.append(PLACE["CH-POS"])
        if history.purses.pay[place] > 0:
            held.append(PLACE["PY-PAY"])
        if cards[place]:
            held.append(PLACE["CC-GREEN" if private[place] else "CC-STD"])
        if loans[place]:
            held.append(PLACE["LN-HNE" if history.traits.walk[place] == OWNER else "LN-HOME"])
        services.append(held)
    return services


class Shelves:
    """Turns the lots and balances at the end of a simulation into rows of Holding."""

    def __init__(self, history: History, *, numbers: list[str], ids, products: list[int], opened: list[date]):
        self.history, self.numbers, self.ids, self.products, self.opened = history, numbers, ids, products, opened
        self.count = [0] * len(numbers)
        self.names = [[] for _number in numbers]
        """Per customer: (amount in yuan, name, matures_on or None) of what is held now."""
        self.categories = [set() for _number in numbers]

    def rows(self, services):
        """Yield every row: term products held, open-ended ones, services, and what ended in the months kept."""
        yield from self.held_lots()
        yield from self.open_ended()
        for place, items in enumerate(services):
            for item in items:
                yield self.row(place, item, "0.00", self.opened[place], None)
        yield from self.ended_lots()

    def row(self, place: int, item: int, amount: str, opened: date, matures, status: str = "active") -> tuple:
        self.count[place] += 1
        if status == "active":
            self.categories[place].add(ITEMS[item].category)
            self.names[place].append((float(amount), ITEMS[item].name, matures))
        rate = ITEMS[item].rate
        return (
            f"{self.numbers[place]}-{self.count[place]:03d}", self.ids[place], self.products[item], amount,
            None if rate is None else f"{rate:.3f}", opened, matures, status,
        )  # fmt: skip

    def held_lots(self):
        purses = self.history.purses
        lots, who = np.nonzero(purses.item >= 0)
        for lot, place in zip(lots.tolist(), who.tolist(), strict=True):
            yield self.row(
                place,
                int(purses.item[lot, place]),
                f"{purses.amount[lot, place]:.2f}",
                self.history.day(purses.since[lot, place]),
                self.history.day(purses.until[lot, place]),
            )

    def open_ended(self):
        cents = self.history.purses.cents()
        side = np.rint(self.history.purses.side * 100).astype(np.int64)
        for place in range(len(self.numbers)):
            if cents[0, place] > 0:
                yield self.row(place, PLACE["DP-HLF"], f"{cents[0, place] / 100:.2f}", self.opened[place], None)
            for number in range(len(SIDES)):
                if side[number, place] > 0:
                    item = int(self.history.traits.shelf[number, place])
                    began = self.opened[place] + timedelta(days=place % 200)
                    began = min(began, self.history.last)
                    yield self.row(place, item, f"{side[number, place] / 100:.2f}", began, None)

    def ended_lots(self):
        oldest = (self.history.months[0] - self.history.begins).days
        for who, items, amounts, since, closed in self.history.purses.ended:
            for place, item, amount, begun, end in zip(who, items, amounts, since, closed, strict=True):
                if end >= oldest:
                    opened, matures = self.history.day(begun), self.history.day(int(begun) + int(TERM[item]))
                    yield self.row(int(place), int(item), f"{amount:.2f}", opened, matures, "ended")
