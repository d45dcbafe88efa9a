"""The contacts of the last half year in the demo bank: how often, by which way, and what was written down.

Some managers keep the regime and some customers slip through, so that every state of it is seen.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from contacts.models import ContactLog
from customers.models import Tier
from vipcrm.demo import notes

MONTHS_BACK = 6
PHONE, MEETING, MESSAGE, MISSED = range(4)
PLATINUM_WAYS = ((5, 0), (2, 1), (0, 2), (3, 1), (4, 1), (5, 0))
SHORT_WAYS = ((0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (0, 1))
DIAMOND_WAYS = ((0, 1), (2, 0), (1, 1), (3, 0), (2, 1))
PURPOSES = ("care", "after_sale", "information", "wealth_check", "needs", "product", "invitation", "complaint")
PURPOSE_SHARES = np.array([0.24, 0.16, 0.15, 0.1, 0.14, 0.12, 0.06, 0.03])


@dataclass
class Managed:
    """One customer as far as contacts go. `hold` is a product held, `leaving` whether money is on its way out."""

    customer_id: int
    staff_id: int
    since: date
    load_class: int
    care: float
    hold: str
    wan: int
    age: int
    walk: int
    leaving: bool
    low_disturb: bool


def month_windows(today: date) -> list[tuple[date, date]]:
    """Return (first day, last day) of this month up to yesterday and of the months before, oldest first."""
    windows, first = [], today.replace(day=1)
    if first < today:
        windows.append((first, today - timedelta(days=1)))
    for _month in range(MONTHS_BACK):
        last = first - timedelta(days=1)
        first = last.replace(day=1)
        windows.append((first, last))
    return windows[::-1]


def plan_month(rng, load_class, care, *, share: float) -> np.ndarray:
    """Return (4, k) how many phones, meetings, messages and missed calls a month brings, `share` of it being over."""
    k = len(load_class)
    met = rng.random(k) < 0.5 + 0.5 * care
    counts = np.zeros((4, k), int)
    for tier, ways in ((Tier.PLATINUM, PLATINUM_WAYS), (Tier.DIAMOND, DIAMOND_WAYS)):
        good = np.array(ways)[rng.integers(0, len(ways), k)].T
        short = np.array(SHORT_WAYS)[rng.integers(0, 2 if tier == Tier.DIAMOND else len(SHORT_WAYS), k)].T
        counts[:2] = np.where(load_class == tier, np.where(met, good, short), counts[:2])
    others = load_class <= Tier.GOLD
    chance = np.where(load_class == Tier.GOLD, 0.22 + 0.58 * care, 0.15 + 0.5 * care)
    counts[PHONE] = np.where(others, rng.random(k) < chance, counts[PHONE])
    counts[MEETING] = np.where(others, rng.random(k) < chance * 0.22, counts[MEETING])
    counts[MESSAGE] = rng.poisson(0.12 + 0.25 * care)
    counts[MISSED] = rng.binomial(counts[PHONE] + 1, 0.12)
    if share < 0.999:
        counts = rng.binomial(counts, min(1.0, share * 1.12))
    return counts


def draw_logs(rng, managed: list[Managed], *, today: date):
    """Yield rows of ContactLog (in the order of COLUMNS) for these customers, month by month."""
    if not managed:
        return
    load_class = np.array([each.load_class for each in managed])
    care = np.array([each.care for each in managed])
    since = np.array([each.since.toordinal() for each in managed])
    for first, last in month_windows(today):
        length = (first + timedelta(days=32)).replace(day=1) - first
        counts = plan_month(rng, load_class, care, share=((last - first).days + 1) / length.days)
        who = np.concatenate([np.repeat(np.arange(len(managed)), counts[kind]) for kind in range(4)])
        kind = np.concatenate([np.full(counts[kind].sum(), kind) for kind in range(4)])
        day = rng.integers(first.toordinal(), last.toordinal() + 1, len(who))
        day = np.where((day % 7 == 0) & (day > first.toordinal()), day - 2, day)  # ordinals of Sundays divide by 7
        keep = day > since[who]
        _, unique = np.unique(np.stack([who, kind, day]), axis=1, return_index=True)
        chosen = unique[keep[unique]]
        yield from compose_all(rng, managed, who[chosen], kind[chosen], day[chosen], today)


COLUMNS = (
    "customer_id", "staff_id", "channel", "result", "at", "on", "entered_on", "minutes", "purpose", "summary", "next_contact_on",
)  # fmt: skip


def compose_all(rng, managed, who, kind, day, today: date):
    order = np.argsort(day, kind="stable")
    picks = rng.integers(0, 2**30, (len(who), 6)).tolist()
    purposes = rng.choice(len(PURPOSES), len(who), p=PURPOSE_SHARES).tolist()
    chances = rng.random((len(who), 3)).tolist()
    who, kind, day = who.tolist(), kind.tolist(), day.tolist()
    for place in order.tolist():
        yield compose(
            managed[who[place]], kind[place], date.fromordinal(day[place]), PURPOSES[purposes[place]],
            picks[place], chances[place], today,
        )  # fmt: skip


def compose(customer: Managed, kind: int, on: date, purpose: str, pick, chance, today: date) -> tuple:
    if customer.leaving and chance[0] < 0.4 and (today - on).days < 60:
        purpose = "retention"
    elif 0 <= (on - customer.since).days < 12:
        purpose = "handover"
    said = notes.SAID[purpose] + notes.OF_AGE[purpose, era_of(customer.age)]
    following = notes.NEXT_BUSINESS if purpose in notes.BUSINESS else notes.NEXT_CARE
    # Who takes money away has one cause, and comes back to it.
    turn = customer.customer_id + pick[0] % 2 if purpose == "retention" else pick[0]
    text = said[turn % len(said)].format(product=customer.hold, wan=customer.wan)
    text += following[pick[1] % len(following)]
    minute = 9 * 60 + pick[2] % (9 * 60 + 30)
    channel, result, minutes = way(kind, pick)
    if kind == MEETING:
        extra = notes.MEETING_EXTRA[channel]
        text = extra[pick[3] % len(extra)] + text
    elif kind == MESSAGE:
        text, purpose = notes.SHORT[pick[3] % len(notes.SHORT)], "information"
    elif kind == MISSED:
        text = notes.NOT_REACHED[pick[3] % len(notes.NOT_REACHED)]
    delay = 0 if chance[1] < 0.93 else pick[4] % 3 + 1 if chance[1] < 0.99 else 9 + pick[4] % 6
    entered = min(on + timedelta(days=delay), today - timedelta(days=1))
    follow = on + timedelta(days=pick[5] % 14 + 4) if chance[2] < 0.2 and kind != MISSED else None
    at = f"{on} {minute // 60:02d}:{minute % 60:02d}:00+08"
    return (customer.customer_id, customer.staff_id, channel, result, at, on, entered, minutes, purpose, text, follow)


def era_of(age: int) -> str:
    """Return which pieces fit an age: young, middle or old."""
    return "young" if age < 40 else "middle" if age < 60 else "old"


def way(kind: int, pick) -> tuple:
    """Return channel, result and minutes of a kind of contact."""
    channels, results = ContactLog.Channel, ContactLog.Result
    if kind == MEETING:
        channel = (channels.OFFICE, channels.OFFICE, channels.OFFICE, channels.VISIT, channels.VISIT, channels.VIDEO)[
            pick[5] % 6
        ]
        return channel.value, results.MET.value, 15 + pick[4] % 46
    if kind == MESSAGE:
        channel = (channels.WECHAT, channels.WECHAT, channels.WECHAT, channels.SMS)[pick[5] % 4]
        return channel.value, results.REPLIED.value, None
    if kind == MISSED:
        return channels.PHONE.value, results.NOT_REACHED.value, None
    return channels.PHONE.value, results.CONNECTED.value, 2 + pick[4] % 12
