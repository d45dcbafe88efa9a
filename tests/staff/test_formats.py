"""Money, dates and percents read as interface.md says, in both languages."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template

from staff import formats

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (None, "—", "—"),
        (0, "0 元", "¥0"),
        (8640, "8,640 元", "¥8,640"),
        ("9999.49", "9,999 元", "¥9,999"),
        ("9999.50", "1.0 万", "¥10.0K"),
        ("864213.50", "86.4 万", "¥864K"),
        ("864500", "86.5 万", "¥865K"),
        (12_846_000, "1,284.6 万", "¥12.8M"),
        (99_996_000, "9,999.6 万", "¥100M"),
        (99_999_999, "1.00 亿", "¥100M"),
        (426_000_000, "4.26 亿", "¥426M"),
        (4_260_000_000, "42.60 亿", "¥4.26B"),
        (-41_000, "−4.1 万", "−¥41.0K"),
    ],
)
def test_money_reads_in_the_unit_of_its_size(value, zh, en):
    amount = None if value is None else Decimal(value)
    assert formats.money(amount, language="zh-hans") == zh
    assert formats.money(amount, language="en") == en


def test_a_record_shows_money_with_two_digits_and_the_whole_unit():
    assert formats.money(Decimal("864213.50"), detail=True, language="zh-hans") == "86.42 万元"
    assert formats.money(Decimal("864215.50"), detail=True, language="en") == "¥864.22K"


def test_exact_money_keeps_the_cents():
    assert formats.yuan(Decimal("864213.50")) == "864,213.50"
    assert formats.yuan(Decimal("-0.5")) == "−0.50"


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (9_999, "不足 1 万", "under ¥10K"),
        (10_000, "1–5 万", "¥10K–50K"),
        (864_213, "50–100 万", "¥500K–1M"),
        (1_000_000, "100–300 万", "¥1M–3M"),
        (10_000_000, "1,000 万以上", "¥10M and above"),
    ],
)
def test_a_teller_sees_the_band(value, zh, en):
    assert formats.money_band(Decimal(value), language="zh-hans") == zh
    assert formats.money_band(Decimal(value), language="en") == en


def test_a_column_keeps_one_unit():
    values = [Decimal(8_640), Decimal("864213.50"), Decimal(426_000_000)]
    assert [formats.money_in_column(value, language="zh-hans") for value in values] == ["0.9", "86.4", "42,600.0"]
    assert [formats.money_in_column(value, language="en") for value in values] == ["9", "864", "426,000"]
    assert (formats.column_unit("zh-hans"), formats.column_unit("en")) == ("万", "¥K")


def test_changes_carry_their_sign():
    assert formats.money_change(Decimal(41_000), language="zh-hans") == "▲ 4.1 万"
    assert formats.money_change(Decimal(-8_640), language="zh-hans") == "▼ 8,640 元"
    assert formats.money_change(Decimal(0)) == "0"
    assert formats.percent_change(0.0063) == "+0.6%"
    assert formats.percent_change(-0.0063) == "−0.6%"
    assert formats.percent_change(-0.0001) == "0.0%"
    assert formats.points_change(0.006, language="zh-hans") == "+0.6 点"
    assert formats.points_change(0.006, language="en") == "+0.6 pts"
    assert formats.signed(-3) == "−3"


def test_percents_round_half_up():
    assert formats.percent(0.425) == "43%"
    assert formats.percent(0.8625, 1) == "86.3%"
    assert formats.percent(None) == "—"


@pytest.mark.parametrize(
    ("on", "zh", "en"),
    [
        (date(2026, 11, 25), "11-25", "25 Nov"),
        (date(2027, 3, 18), "2027-03-18", "18 Mar 2027"),
        (None, "—", "—"),
    ],
)
def test_a_day_names_its_year_only_if_it_is_another(on, zh, en):
    assert formats.day(on, today=TODAY, language="zh-hans") == zh
    assert formats.day(on, today=TODAY, language="en") == en


def test_the_head_of_a_page_names_the_weekday():
    assert formats.long_day(date(2026, 11, 19), language="zh-hans") == "11月19日 星期四"
    assert formats.long_day(date(2026, 11, 19), language="en") == "Thursday 19 Nov"


@pytest.mark.parametrize(
    ("days", "past", "due"),
    [(0, "今天", "今天"), (1, "昨天", "逾期 1 天"), (7, "7 天前", "逾期 7 天"), (100, "08-17", "08-17")],
)
def test_past_days_read_by_their_distance(days, past, due):
    on = date.fromordinal(TODAY.toordinal() - days)
    assert formats.ago(on, today=TODAY, language="zh-hans") == past
    assert formats.until(on, today=TODAY, language="zh-hans") == due


@pytest.mark.parametrize(("days", "due"), [(1, "明天"), (6, "6 天后"), (7, "7 天后"), (8, "12-03")])
def test_coming_days_read_by_their_distance_within_a_week(days, due):
    on = date.fromordinal(TODAY.toordinal() + days)
    assert formats.until(on, today=TODAY, language="zh-hans") == due


@pytest.mark.parametrize(
    ("at", "zh", "en"),
    [
        (datetime(2026, 11, 25, 2, 26, tzinfo=UTC), "今天 10:26", "Today 10:26"),
        (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), "昨天 23:59", "Yesterday 23:59"),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "今天 00:00", "Today 00:00"),
        (datetime(2025, 11, 24, 2, 0, tzinfo=UTC), "2025-11-24 10:00", "24 Nov 2025 10:00"),
    ],
)
def test_a_moment_is_of_the_banks_clock(at, zh, en):
    now = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    assert formats.moment(at, now=now, language="zh-hans") == zh
    assert formats.moment(at, now=now, language="en") == en


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [(3.44, "3.4 秒", "3.4 s"), (59.97, "1 分 00 秒", "1 min 00 s"), (125, "2 分 05 秒", "2 min 05 s"),
     (4320, "1 小时 12 分", "1 h 12 min"), (None, "—", "—")],
)  # fmt: skip
def test_durations_take_the_unit_of_their_size(seconds, zh, en):
    assert formats.duration(seconds, language="zh-hans") == zh
    assert formats.duration(seconds, language="en") == en


def render(source, **context):
    return Template("{% load formats %}" + source).render(Context(context))


def test_a_date_on_a_page_is_a_time_element():
    assert render("{{ on|long_day }}", on=date(2026, 11, 19)).startswith(
        '<time datetime="2026-11-19" title="2026-11-19">'
    )
    assert render("{{ on|day }}", on=None) == "—"


@pytest.mark.parametrize(
    ("value", "name"), [(42.4, "len-42"), (114.5, "len-115"), (300, "len-115"), (-3, "len-0"), (None, "len-0")]
)
def test_a_meter_takes_a_class_for_its_length(value, name):
    assert render("{{ value|len_class }}", value=value) == name
