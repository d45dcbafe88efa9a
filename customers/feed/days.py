"""The data date of feed rows: given by the row or by the batch, and within bounds."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.feed.rows import Outcome

OLDEST_DAY = date(1990, 1, 1)


def dated(rows: dict[int, Any], *, as_of: date) -> tuple[dict[int, Any], dict[int, Outcome]]:
    """Give rows without a data date that of the batch; return those within bounds and the refusals of the others, by position."""
    newest_day = timezone.localdate() + timedelta(days=1)
    good, refused = {}, {}
    for position, row in rows.items():
        row.data_date = row.data_date or as_of
        if OLDEST_DAY <= row.data_date <= newest_day:
            good[position] = row
        else:
            refused[position] = Outcome(
                row_id=row.row_id,
                status="rejected",
                code="date_out_of_range",
                pointer=f"/rows/{position}/data_date",
                detail=_("Row %(row)d: the data date must lie between %(first)s and %(last)s.")
                % {"row": position + 1, "first": OLDEST_DAY.isoformat(), "last": newest_day.isoformat()},
            )
    return good, refused
