"""`{% load formats %}`: the formats of staff/formats.py as filters. Dates and times come as a `<time>`."""

from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html

from staff import formats, masking

register = template.Library()


def known(value):
    """Return the value; None for a template's empty string, and for a lazy value that turns out to be None."""
    return None if value in ("", None) else value


@register.filter
def money(value):
    return formats.money(known(value))


@register.filter
def money_detail(value):
    return formats.money(known(value), detail=True)


@register.filter
def money_for(value, viewer):
    """{{ customer.aum|money_for:request.user }}: a band for tellers."""
    return formats.money_for(viewer, known(value))


@register.filter
def money_band(value):
    return formats.money_band(known(value))


@register.filter
def wan(value):
    """An amount in the unit of its column, which {% money_unit %} names in the head."""
    return formats.money_in_column(known(value))


@register.simple_tag
def money_unit():
    return formats.column_unit()


@register.filter
def yuan(value):
    return formats.yuan(known(value))


@register.filter
def change(value):
    """How an amount moved: ▲ 4.1 万."""
    return formats.money_change(known(value))


@register.filter
def percent(ratio, digits=0):
    """A ratio 0–1 as percent."""
    return formats.percent(known(ratio), digits)


@register.filter
def percent_change(ratio, digits=1):
    return formats.percent_change(known(ratio), digits)


@register.filter
def points_change(difference, digits=1):
    return formats.points_change(known(difference), digits)


@register.filter
def signed(value, digits=0):
    return formats.signed(known(value), digits)


@register.filter
def number(value, digits=0):
    """A number with thousands separators, — where it is not known."""
    return formats.decimal(known(value), digits)


@register.filter
def day(on):
    return _date(on, formats.day(known(on), today=timezone.localdate()))


@register.filter
def day_text(on):
    """The date as bare text, for attributes and sentences."""
    return formats.day(known(on), today=timezone.localdate())


@register.filter
def long_day(on):
    return _date(on, formats.long_day(known(on)))


@register.filter
def month(first):
    return formats.month(known(first))


@register.filter
def ago(on):
    return _date(on, formats.ago(known(on), today=timezone.localdate()))


@register.filter
def until(on):
    return _date(on, formats.until(known(on), today=timezone.localdate()))


@register.filter
def moment(at):
    if not known(at):
        return formats.UNKNOWN
    local = timezone.localtime(at)
    text = formats.moment(at, now=timezone.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S"), text
    )


@register.filter
def took(seconds):
    return formats.duration(known(seconds))


def _date(on, text):
    if not known(on):
        return formats.UNKNOWN
    return format_html('<time datetime="{}" title="{}">{}</time>', on.isoformat(), on.isoformat(), text)


@register.filter
def len_class(percent_value):
    """The class that gives a meter its length: len-0 … len-115, of a percent (42.4 gives len-42)."""
    value = formats.rounded(Decimal(str(known(percent_value) or 0)), 0)
    return f"len-{min(115, max(0, int(value)))}"


@register.filter
def name_for(name, viewer):
    """{{ customer.name|name_for:request.user }}: masked for those who serve no customer."""
    return masking.name_for(viewer, name)
