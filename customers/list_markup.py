"""The rows of the customer list as HTML, written out: as a template fifty rows took half of the page's time.

Every text is escaped where it is written (`escape`); only numbers, codes of this house and what is built here are not.
"""

from datetime import date

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customers.list_rows import Row
from staff import formats


def table_rows(rows: list[Row], *, columns, link: str, bands: bool, on: date) -> SafeString:
    """Return the `<tr>` of the rows.

    Args:
        columns: keys of the columns shown (customers.columns).
        link: query carried to the record, with its "?".
        bands: the viewer sees amounts as bands only, so no exact figure is written.
        on: today, from which days count.
    """
    shown = {key: cell for key, cell in CELLS.items() if key in columns}
    labels = {key: escape(label()) for key, label in LABELS.items()}
    query = escape(link)
    return mark_safe("".join(_row(row, shown, labels, query, bands, on) for row in rows))  # noqa: S308 (escaped above)


def _row(row: Row, shown: dict, labels: dict, query: str, bands: bool, on: date) -> str:
    name, about = escape(row.name), escape(row.about)
    small = f'<small title="{about}">{about}</small>' if about else ""
    amount = "" if bands else f' data-amount="{row.yuan}"'
    cells = "".join(cell(row, labels.get(key, ""), bands, on) for key, cell in shown.items())
    return (
        '<tr data-row><td class="check"><input class="form-check-input" type="checkbox" name="chosen"'
        f' value="{row.pk}" data-select{amount} aria-label="{name}"></td>'
        f'<th scope="row" class="who"><span class="person"><span class="face tier-{row.tier["key"]}" aria-hidden="true">'
        f'{escape(row.initial)}</span><span class="names"><a class="name" href="{row.customer.get_absolute_url()}{query}"'
        f" data-open>{name}</a>{small}</span></span></th>{cells}{''.join(map(_more, row.more))}</tr>\n"
    )


def _more(cell) -> str:
    numeric = " num" if cell["numeric"] else ""
    return f'<td class="col-more{numeric}" data-label="{escape(cell["label"])}">{escape(cell["text"])}</td>'


def _time(on: date | None, text: str) -> str:
    return (
        f'<time datetime="{on.isoformat()}" title="{on.isoformat()}">{escape(text)}</time>' if on else formats.UNKNOWN
    )


def _tier(row, label, bands, on):
    watch = f' <span class="status status--over">{escape(row.on_watch)}</span>' if row.on_watch else ""
    tier = row.tier
    return f'<td class="col-tier"><span class="tier tier-{tier["key"]}">{escape(tier["label"])}</span>{watch}</td>'


def _aum(row, label, bands, on):
    exact = "" if bands else f' title="{escape(row.exact)}"'
    return f'<td class="num strong col-aum"{exact}>{escape(row.amount)}</td>'


def _change(row, label, bands, on):
    words = escape(row.change_words)
    return f'<td class="num col-change" data-label="{label}"><span class="{row.change_class}">{words}</span></td>'


def _spark(row, label, bands, on):
    if not row.spark:
        return '<td class="col-spark"></td>'
    down = " spark--down" if row.fell else ""
    return (
        f'<td class="col-spark"><svg class="spark{down}" viewBox="0 0 64 20" preserveAspectRatio="none" role="img"'
        f' aria-label="{label}"><polyline points="{row.spark}"></polyline></svg></td>'
    )


def _marks(row, label, bands, on):
    marks = "".join(
        f'<span class="mark-1" title="{escape(mark["label"])}">{escape(mark["mark"])}</span>' for mark in row.marks
    )
    return f'<td class="col-marks">{marks}</td>'


def _regime(row, label, bands, on):
    meter = row.meter
    if not meter:
        return f'<td class="col-regime" data-label="{label}">{escape(row.regime)}</td>'
    words = escape(meter.words)
    pips = "".join('<i class="on"></i>' if is_on else "<i></i>" for is_on in row.pips)
    return (
        f'<td class="col-regime" data-label="{label}"><span class="regime regime--{meter.state}" title="{words}">'
        f'{escape(meter.label)}<span class="pips" role="img" aria-label="{words}">{pips}</span></span></td>'
    )


def _last(row, label, bands, on):
    late, day = " over-ink" if row.contact_late else "", row.customer.last_contact_on
    return f'<td class="col-last{late}" data-label="{label}">{_time(day, formats.ago(day, today=on))}</td>'


def _next(row, label, bands, on):
    if not row.next:
        return f'<td class="col-next" data-label="{label}"><span class="ink-3">—</span></td>'
    soon, day = ' class="over-ink"' if row.next["soon"] else "", row.next["on"]
    return (
        f'<td class="col-next" data-label="{label}"><span class="two-lines"><span{soon}>'
        f"{_time(day, formats.until(day, today=on))}</span><small>{escape(row.next['words'])}</small></span></td>"
    )


def _risk(row, label, bands, on):
    if not row.risk:
        return f'<td class="col-risk"><span class="ink-3" title="{label}">—</span></td>'
    return f'<td class="col-risk"><span class="band band--{row.risk["key"]}">{escape(row.risk["words"])}</span></td>'


def _manager(row, label, bands, on):
    manager = row.customer.manager
    who = escape(manager.name) if manager else f'<span class="over-ink">{escape(_("Nobody"))}</span>'
    return f'<td class="col-manager" data-label="{label}">{who}</td>'


CELLS = {
    "tier": _tier, "aum": _aum, "change": _change, "spark": _spark, "marks": _marks, "regime": _regime, "last": _last,
    "next": _next, "risk": _risk, "manager": _manager,
}  # fmt: skip
"""How each column that the page draws itself is written, in the order of the page."""

LABELS = {
    "change": lambda: pgettext("change", "30 days"),
    "spark": lambda: _("Assets of the last 8 weeks"),
    "regime": lambda: pgettext("column", "Contacts"),
    "last": lambda: _("Last contact"),
    "next": lambda: pgettext("item", "Next"),
    "risk": lambda: _("No data"),
    "manager": lambda: _("Manager"),
}
"""What a cell is called where it stands alone (narrow screens, screen readers)."""
