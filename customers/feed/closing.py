"""Closing a day: the core banking system says how much it sent, and is told the difference where less has arrived."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from customers.models import DailyAsset, DayClose
from staff import audit
from staff.models import ApiClient, Branch
from staff.refusal import Refused


class DayDiffers(Refused):
    """What arrived is not what was sent; `rows` and `total` are what arrived."""

    code = "day_differs"

    def __init__(self, message: str, *, rows: int, total: Decimal):
        super().__init__(message)
        self.rows, self.total = rows, total


@transaction.atomic
def close_day(*, on: date, rows: int, total: Decimal, by: ApiClient) -> DayClose:
    """Close a day for the client's branches if rows and sum of assets are those that arrived; again changes nothing.

    A day closed before is closed anew with the totals that fit now: corrections may have come since.

    Raises:
        DayDiffers: nothing is closed.
    """
    outlets = Branch.objects.under(by.branch_id)
    # Balances that we carried forward ourselves were not sent.
    sent = DailyAsset.objects.filter(data_date=on, customer__branch__in=outlets, sequence__gte=0)
    found = sent.aggregate(rows=Count("customer"), total=Sum("total", default=Decimal(0)))
    if (found["rows"], found["total"]) != (rows, total):
        raise DayDiffers(
            _(
                "Arrived: {rows} rows, {total} yuan; announced: {said_rows} rows, {said} yuan. Send what is missing and close again."
            ).format(rows=found["rows"], total=found["total"], said_rows=rows, said=total),
            **found,
        )
    closed, _created = DayClose.objects.update_or_create(
        branch_id=by.branch_id, data_date=on, defaults={"rows": rows, "total": total}
    )
    audit.record("feed.day_closed", closed, by=by, day=on.isoformat(), rows=rows, amount=total)
    return closed
