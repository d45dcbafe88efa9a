"""What saving a contact will change, said before it is saved."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts import meters, regime
from contacts.models.logs import LATE_AFTER_DAYS
from customers.models import Customer
from staff import formats
from staff.models import Staff

MEETINGS = ("office", "visit", "video")


def effects_of(
    *,
    customer: Customer,
    staff: Staff,
    on: date,
    channel: str,
    is_reached: bool,
    contact_on: date,
    closes: int,
    advances: int,
    next_on: date | None,
) -> list[str]:
    """Return the effects of a contact in words, in order of interest.

    Args:
        closes: how many reminders it closes; `advances` how many opportunities it moves or opens.
    """
    said = []
    if not is_reached:
        said.append(_("noted as not reached, does not count"))
    elif (on - contact_on).days > LATE_AFTER_DAYS:
        said.append(_("entered late, does not count"))
    else:
        said += _meters_after(customer=customer, staff=staff, on=on, channel=channel, contact_on=contact_on)
    if is_reached and closes:
        said.append(ngettext("closes {number} reminder", "closes {number} reminders", closes).format(number=closes))
    if is_reached and advances:
        said.append(
            ngettext(
                "{number} opportunity becomes contacted", "{number} opportunities become contacted", advances
            ).format(number=advances)
        )
    if next_on:
        said.append(_("next contact {day}").format(day=formats.day(next_on, today=on)))
    return said


def _meters_after(*, customer, staff, on, channel, contact_on) -> list[str]:
    rules = regime.rules_in_force(on)
    said = []
    week = meters.week_of(staff=staff, on=on, rules=rules)
    this_week = regime.week_of(on)
    if this_week.first <= contact_on <= this_week.last and customer.manager_id == staff.pk:
        known = customer.contact_logs.valid().filter(staff=staff, on__range=(this_week.first, on)).exists()
        said.append(_("this week {done}/{need} customers").format(done=week.done + (not known), need=week.required))
    meter = _meter_after(customer, rules=rules, on=on, channel=channel, contact_on=contact_on)
    if meter is not None:
        said.append(meter.label)
        if meter.state == "met":
            said.append(_("on regime"))
    return said


def _meter_after(customer, *, rules, on, channel, contact_on) -> meters.Meter | None:
    """Return the meter with this contact counted; None where it does not count for the customer's rule."""
    kind = "meeting" if channel in MEETINGS else "phone" if channel == "phone" else "message"
    same_day = customer.contact_logs.valid().filter(on=contact_on, counts_as=kind).exists()
    monthly = (
        customer.service_tier in rules.monthly and customer.relation_status == "signed" and not customer.low_disturb
    )
    window = regime.month_of(on) if monthly else regime.quarter_of(on)
    if same_day or not window.first <= contact_on <= window.last:
        return meters.meter_of(customer, rules)
    if not monthly:
        counted = Customer(**{f: getattr(customer, f) for f in ("service_tier", "relation_status", "low_disturb")})
        counted.contact_count = customer.contact_count + 1
        return meters.meter_of(counted, rules)
    if kind == "message":
        return None
    return meters.meter_of(
        customer,
        rules,
        phones=customer.contact_phones + (kind == "phone"),
        meetings=customer.contact_meetings + (kind == "meeting"),
    )
