"""Transaction events of the demo bank: pay month by month, card spend by statement, now and then a visit."""

from datetime import date, timedelta

import numpy as np

from customers.models import TransactionEvent
from vipcrm.demo.copying import copy_rows, money

MONTHS_OF_PAY, MONTHS_OF_CARD = 6, 12
COLUMNS = ("customer_id", "data_date", "kind", "amount", "counterparty_type", "channel", "external_id")


def write_events(rng, *, ids, traits, cards, last: date) -> int:
    """Write the events of a chunk; return how many.

    Args:
        ids, cards: per customer, the key and whether there is a credit card.
        traits: the chunk's Traits; pay comes on `pay_day` where there is any.
        last: the newest day of the data.
    """
    months = [_month_before(last, back) for back in range(MONTHS_OF_CARD)]
    share = rng.uniform(0.12, 0.6, len(ids))

    def rows():
        for place in np.nonzero(traits.pay > 0)[0].tolist():
            for month in months[:MONTHS_OF_PAY]:
                day = month.replace(day=int(traits.pay_day[place]))
                if day <= last:
                    amount = money(int(traits.pay[place] * 100))
                    yield ids[place], day, "payroll", amount, "corporate", "", f"D-P{ids[place]}-{day:%y%m}"
        for place in np.nonzero(cards)[0].tolist():
            monthly = traits.spend[place] * share[place]
            for month, swing in zip(months, rng.uniform(0.4, 1.8, len(months)).tolist(), strict=True):
                day = month.replace(day=26)
                if day <= last:
                    amount = money(int(monthly * swing * 100))
                    yield ids[place], day, "card_spend", amount, "", "", f"D-C{ids[place]}-{day:%y%m}"
        for place, back in zip(
            np.nonzero(rng.random(len(ids)) < 0.3)[0].tolist(), rng.integers(0, 60, len(ids)).tolist(), strict=False
        ):
            day = last - timedelta(days=back)
            yield ids[place], day, "counter_visit", "0", "", "counter", f"D-V{ids[place]}-{day:%y%m%d}"

    return copy_rows(TransactionEvent, COLUMNS, rows())


def _month_before(on: date, back: int) -> date:
    number = on.year * 12 + on.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)
