"""How numbers, money, dates and times read, in both languages (interface.md, "Formats"). Pure functions.

Every function takes `language`; without it the language of the request. Rounding is for display only, half
up. What is not known is "—". Words stand here beside the numbers, because a format is not a translation:
Chinese counts in 万 and 亿, English in K and M.
"""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.translation import get_language

UNKNOWN = "—"
MINUS = "−"

WAN = Decimal(10_000)
YI = Decimal(100_000_000)
BAND_EDGES = tuple(Decimal(edge) * WAN for edge in (1, 5, 10, 20, 50, 100, 300, 600, 1000))
"""Where the bands begin and end in which a teller sees amounts, yuan."""

ZH_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EN_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def chinese(language: str | None = None) -> bool:
    """Say whether to write Chinese: the language given, else that of the request."""
    return (language or get_language() or "zh-hans").startswith("zh")


def rounded(value, digits: int) -> Decimal:
    """Round half up to so many digits after the point."""
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def decimal(value, digits: int = 0) -> str:
    """Write a number with thousands separators: 1,284.6; a minus is U+2212."""
    if value is None:
        return UNKNOWN
    number = rounded(value, digits)
    return f"{MINUS if number < 0 else ''}{abs(number):,.{digits}f}"


def yuan(value) -> str:
    """Write an amount exactly: 864,213.50."""
    return decimal(value, 2)


def money(value, *, detail: bool = False, language: str | None = None) -> str:
    """Write an amount in its unit: 8,640 元, 86.4 万, 4.26 亿; in English ¥864K, ¥12.8M, ¥426M.

    Args:
        detail: with two digits and the whole unit (86.42 万元), for a record rather than a list.
    """
    if value is None:
        return UNKNOWN
    amount = abs(Decimal(value))
    text = _money_zh(amount, detail) if chinese(language) else _money_en(amount, detail)
    return MINUS + text if Decimal(value) < 0 and rounded(amount, 2) else text


def round_money(value, *, language: str | None = None) -> str:
    """Write an amount without zeros after the point, for thresholds: 50 万, ¥1M; 86.4 万 stays as it is."""
    return re.sub(r"(?<=\d)\.0+(?!\d)", "", money(value, language=language))


def _money_zh(amount: Decimal, detail: bool) -> str:
    digits, tail = (2, "元") if detail else (1, "")
    if rounded(amount, 0) < WAN:
        return f"{rounded(amount, 0):,} 元"
    if rounded(amount / WAN, digits) < WAN:
        return f"{rounded(amount / WAN, digits):,} 万{tail}"
    return f"{rounded(amount / YI, 2):,} 亿{tail}"


def _money_en(amount: Decimal, detail: bool) -> str:
    if rounded(amount, 0) < WAN:
        return f"¥{rounded(amount, 0):,}"
    for unit, letter in ((Decimal(10**3), "K"), (Decimal(10**6), "M"), (Decimal(10**9), "B")):
        scaled = amount / unit
        digits = 2 if detail else _digits_of_three(scaled)
        if rounded(scaled, digits) < 1000 or letter == "B":
            return f"¥{rounded(scaled, digits):,}{letter}"
    raise AssertionError("billions take the rest")


def _digits_of_three(scaled: Decimal) -> int:
    """Return how many digits after the point leave three in all: 1.28, 12.8, 128."""
    return 2 if rounded(scaled, 2) < 10 else 1 if rounded(scaled, 1) < 100 else 0


def money_in_column(value, *, language: str | None = None) -> str:
    """Write an amount in the one unit of its column, 万 or ¥K, which `column_unit` names in the head."""
    if value is None:
        return UNKNOWN
    return decimal(Decimal(value) / WAN, 1) if chinese(language) else decimal(Decimal(value) / 1000, 0)


def column_unit(language: str | None = None) -> str:
    """Return the unit of a money column, for its head: 万 or ¥K."""
    return "万" if chinese(language) else "¥K"


def money_band(value, *, language: str | None = None) -> str:
    """Write an amount as the band it lies in, [low, high): 50–100 万. That is all a teller sees."""
    if value is None:
        return UNKNOWN
    below = [edge for edge in BAND_EDGES if edge <= Decimal(value)]
    above = BAND_EDGES[len(below) :]
    zh = chinese(language)
    if not below:
        return "不足 1 万" if zh else "under ¥10K"
    if not above:
        return "1,000 万以上" if zh else "¥10M and above"
    if zh:
        return f"{below[-1] / WAN:.0f}–{above[0] / WAN:.0f} 万"
    return f"{_edge_en(below[-1])}–{_edge_en(above[0]).removeprefix('¥')}"


def _edge_en(edge: Decimal) -> str:
    return f"¥{edge / 1_000_000:.0f}M" if edge >= 1_000_000 else f"¥{edge / 1000:.0f}K"


def money_for(viewer, value, *, language: str | None = None) -> str:
    """Write an amount as this viewer may read it: exact for most, a band for tellers."""
    return money_band(value, language=language) if viewer.sees_bands else money(value, language=language)


def money_change(value, *, language: str | None = None) -> str:
    """Write how an amount moved: ▲ 4.1 万, ▼ 8,640 元; 0 where it did not."""
    if value is None:
        return UNKNOWN
    value = Decimal(value)
    if not rounded(value, 0):
        return "0"
    return f"{'▲' if value > 0 else '▼'} {money(abs(value), language=language)}"


def percent(ratio, digits: int = 0) -> str:
    """Write a ratio (0.42) as percent: 42%. Load and rates take one digit."""
    return UNKNOWN if ratio is None else f"{decimal(Decimal(str(ratio)) * 100, digits)}%"


def percent_change(ratio, digits: int = 1) -> str:
    """Write a relative change with its sign: +0.6%, −2.0%, 0.0%."""
    return UNKNOWN if ratio is None else f"{_signed(Decimal(str(ratio)) * 100, digits)}%"


def points_change(difference, digits: int = 1, *, language: str | None = None) -> str:
    """Write the difference of two ratios in percentage points: +0.6 点, in English +0.6 pts."""
    if difference is None:
        return UNKNOWN
    return f"{_signed(Decimal(str(difference)) * 100, digits)} {'点' if chinese(language) else 'pts'}"


def signed(value, digits: int = 0) -> str:
    """Write a count or a score with its sign: +3, −2, 0."""
    return UNKNOWN if value is None else _signed(Decimal(str(value)), digits)


def _signed(value: Decimal, digits: int) -> str:
    plus = "+" if rounded(value, digits) > 0 else ""
    return plus + decimal(value, digits)


def day(on: date | None, *, today: date, language: str | None = None) -> str:
    """Write a date: 11-25 of this year, 2027-03-18 of another; in English 25 Nov, 18 Mar 2027."""
    if on is None:
        return UNKNOWN
    if chinese(language):
        return on.strftime("%m-%d") if on.year == today.year else on.isoformat()
    text = f"{on.day} {EN_MONTHS[on.month - 1]}"
    return text if on.year == today.year else f"{text} {on.year}"


def long_day(on: date | None, *, language: str | None = None) -> str:
    """Write a date with its weekday, for the head of a page: 11月19日 星期四, Thursday 19 Nov."""
    if on is None:
        return UNKNOWN
    if chinese(language):
        return f"{on.month}月{on.day}日 {ZH_WEEKDAYS[on.weekday()]}"
    return f"{EN_WEEKDAYS[on.weekday()]} {on.day} {EN_MONTHS[on.month - 1]}"


def month(first: date | None, *, language: str | None = None) -> str:
    """Write a month: 2026年11月, Nov 2026."""
    if first is None:
        return UNKNOWN
    if chinese(language):
        return f"{first.year}年{first.month}月"
    return f"{EN_MONTHS[first.month - 1]} {first.year}"


def ago(on: date | None, *, today: date, language: str | None = None) -> str:
    """Write a past day by its distance: 今天, 昨天, 7 天前; beyond 99 days the date."""
    if on is None:
        return UNKNOWN
    days, zh = (today - on).days, chinese(language)
    if days in {0, 1}:
        return (("今天", "昨天") if zh else ("Today", "Yesterday"))[days]
    if 1 < days < 100:
        return f"{days} 天前" if zh else f"{days} days ago"
    return day(on, today=today, language=language)


def until(on: date | None, *, today: date, language: str | None = None) -> str:
    """Write when something is due: 今天, 明天, 6 天后 within a week, else the date; past it 逾期 3 天."""
    if on is None:
        return UNKNOWN
    days, zh = (on - today).days, chinese(language)
    if days in {0, 1}:
        return (("今天", "明天") if zh else ("Today", "Tomorrow"))[days]
    if 1 < days <= 7:
        return f"{days} 天后" if zh else f"in {days} days"
    if -100 < days < 0:
        late = "day" if days == -1 else "days"
        return f"逾期 {-days} 天" if zh else f"{-days} {late} overdue"
    return day(on, today=today, language=language)


def moment(at: datetime | None, *, now: datetime, language: str | None = None) -> str:
    """Write a time of the bank's clock: 今天 10:26, 昨天 18:03, 11-25 10:26."""
    if at is None:
        return UNKNOWN
    at, today = timezone.localtime(at), timezone.localdate(now)
    near = {today: ("今天", "Today"), today - timedelta(days=1): ("昨天", "Yesterday")}.get(at.date())
    if near:
        return f"{near[0 if chinese(language) else 1]} {at:%H:%M}"
    return f"{day(at.date(), today=today, language=language)} {at:%H:%M}"


def duration(seconds: float | None, *, language: str | None = None) -> str:
    """Write how long something took: 3.4 秒, 2 分 05 秒, 1 小时 12 分."""
    if seconds is None:
        return UNKNOWN
    zh = chinese(language)
    if rounded(seconds, 1) < 60:
        return f"{rounded(seconds, 1)} 秒" if zh else f"{rounded(seconds, 1)} s"
    minutes, left = divmod(int(rounded(seconds, 0)), 60)
    if minutes < 60:
        return f"{minutes} 分 {left:02} 秒" if zh else f"{minutes} min {left:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} 小时 {minutes:02} 分" if zh else f"{hours} h {minutes:02} min"
