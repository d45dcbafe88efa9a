"""What a customer keeps with the bank, day by day and month by month. Partitioned by month."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

ASSET_KINDS = (
    "demand",
    "time_deposit",
    "structured",
    "wealth",
    "fund",
    "insurance",
    "bond",
    "gold",
    "trust",
    "custody_cash",
)
"""The kinds of asset that make up AUM (domain.md §3), the order of the feed and of the charts."""

ASSET_KIND_LABELS = {
    "demand": _("Demand deposits"),
    "time_deposit": _("Time deposits"),
    "structured": _("Structured deposits"),
    "wealth": _("Wealth products"),
    "fund": _("Funds"),
    "insurance": _("Insurance"),
    "bond": _("Treasury bonds"),
    "gold": _("Gold"),
    "trust": _("Trust plans"),
    "custody_cash": _("Custody cash"),
}


def money(**options):
    """Return a column of yuan with two digits."""
    return models.DecimalField(max_digits=18, decimal_places=2, **options)


class AssetQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the rows of customers that the viewer may see."""
        from customers.models.customer import Customer

        return self.filter(customer__in=Customer.objects.visible_to(viewer))


def total_of_kinds():
    expression = F(ASSET_KINDS[0])
    for kind in ASSET_KINDS[1:]:
        expression = expression + F(kind)
    return expression


class DailyAsset(models.Model):
    """End-of-day balances by kind; `total` (AUM) is what the kinds add up to, by the database.

    No foreign key in the database: the one writer, `customers.assets.merge_daily`, inserts from a
    join with customers, who are never deleted; checking a hundred million rows would say nothing new.
    """

    pk = models.CompositePrimaryKey("customer_id", "data_date")
    customer = models.ForeignKey(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="daily_assets"
    )
    data_date = models.DateField()
    demand = money(default=0, db_default=0)
    time_deposit = money(default=0, db_default=0)
    structured = money(default=0, db_default=0)
    wealth = money(default=0, db_default=0)
    fund = money(default=0, db_default=0)
    insurance = money(default=0, db_default=0)
    bond = money(default=0, db_default=0)
    gold = money(default=0, db_default=0)
    trust = money(default=0, db_default=0)
    custody_cash = money(default=0, db_default=0)
    total = models.GeneratedField(expression=total_of_kinds(), output_field=money(), db_persist=True)
    loan_balance = money(default=0, db_default=0)
    card_outstanding = money(default=0, db_default=0)
    sequence = models.BigIntegerField(default=0, db_default=0)

    objects = AssetQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.customer_id} {self.data_date}"


class MonthlyAsset(models.Model):
    """A customer's month in one row: averages (domain.md §3), balances at the end by kind, and how it moved.

    `balances` and `day_cents` make the year averages of later months exact (customers.averages).
    `last7_avg`, `lowest`, `highest`, `inflow` and `outflow` (sums of the day-to-day rises and falls of
    AUM) let churn features of any month be computed without reading its days again.
    """

    pk = models.CompositePrimaryKey("customer_id", "month")
    customer = models.ForeignKey(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="monthly_assets"
    )
    month = models.DateField(help_text=_("its first day"))
    days = models.PositiveSmallIntegerField(help_text=_("days counted so far: the divisor of the average"))
    balances = models.DecimalField(
        max_digits=20, decimal_places=2, help_text=_("sum of the end-of-day AUM of the days counted")
    )
    day_cents = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text=_("AUM of each day of a month that is over, in cents, 0 before opening"),
    )
    month_avg = money()
    year_avg = money()
    month_end = money(help_text=_("AUM of the last day counted"))
    last7_avg = money()
    lowest = money()
    highest = money()
    inflow = money()
    outflow = money()
    demand = money(default=0, db_default=0)
    time_deposit = money(default=0, db_default=0)
    structured = money(default=0, db_default=0)
    wealth = money(default=0, db_default=0)
    fund = money(default=0, db_default=0)
    insurance = money(default=0, db_default=0)
    bond = money(default=0, db_default=0)
    gold = money(default=0, db_default=0)
    trust = money(default=0, db_default=0)
    custody_cash = money(default=0, db_default=0)

    objects = AssetQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.customer_id} {self.month:%Y-%m}"


class LateBalance(models.Model):
    """A month whose averages a late balance has changed: the next night averages it again and forgets the row.

    Written by the feed where a balance of a day arrives, or is replaced, after the customer's row was brought
    past that day.
    """

    pk = models.CompositePrimaryKey("customer_id", "month")
    customer = models.ForeignKey("customers.Customer", models.DO_NOTHING, db_index=False, related_name="+")
    month = models.DateField(help_text=_("its first day"))

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.customer_id} {self.month:%Y-%m}"


class DayClose(models.Model):
    """The core system's word that a day's balances are all sent, for a branch and all beneath it, with its control totals."""

    branch = models.ForeignKey("staff.Branch", models.PROTECT, related_name="+")
    data_date = models.DateField()
    rows = models.PositiveIntegerField()
    total = money()
    closed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="day_close_once", fields=["branch", "data_date"])]

    def __str__(self):
        return f"{self.branch_id} {self.data_date}"
