"""Products and what customers hold of them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ProductQuerySet(models.QuerySet):
    def on_sale(self, on):
        """Keep what is sold on a day."""
        begun = Q(on_sale_from=None) | Q(on_sale_from__lte=on)
        return self.filter(begun, Q(on_sale_to=None) | Q(on_sale_to__gte=on))


class Product(models.Model):
    """What the bank sells (domain.md §16)."""

    class Category(models.TextChoices):
        CHANNEL = "channel", _("Channel")
        PAYROLL = "payroll", _("Payroll")
        DEPOSIT = "deposit", _("Deposit")
        CARD = "card", _("Credit card")
        LOAN = "loan", _("Loan")
        WEALTH = "wealth", _("Wealth product")
        FUND = "fund", _("Fund")
        GOLD = "gold", _("Precious metal")
        INSURANCE = "insurance", _("Insurance")
        PRIVATE = "private", _("Private banking")

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    category = models.CharField(max_length=10, choices=Category)
    ladder_rank = models.PositiveSmallIntegerField(help_text=_("1 easy (channel) … 8 private banking"))
    risk_level = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("1–5 for R1–R5"))
    term_days = models.PositiveIntegerField(null=True, blank=True)
    annual_rate = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True, help_text=_("percent"))
    min_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    is_agency = models.BooleanField(default=False)
    on_sale_from = models.DateField(null=True, blank=True)
    on_sale_to = models.DateField(null=True, blank=True)
    selling_points = models.TextField(max_length=600, blank=True, db_default="")
    sequence = models.BigIntegerField(default=-1, db_default=-1, help_text=_("version of the feed's row"))

    objects = ProductQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="product_risk_r1_to_r5", condition=Q(risk_level=None) | Q(risk_level__range=(1, 5))
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("customers:product_detail", args=[self.pk])


class ProductValue(models.Model):
    """The net value of a product at the end of a day, yuan a unit; written by `customers.feed` alone."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="values")
    data_date = models.DateField()
    value = models.DecimalField(max_digits=16, decimal_places=6)
    sequence = models.BigIntegerField(default=-1, db_default=-1)

    class Meta:
        default_permissions = ()
        ordering = ["-data_date"]
        constraints = [
            models.UniqueConstraint(name="product_value_once_a_day", fields=["product", "data_date"]),
            models.CheckConstraint(name="product_value_not_negative", condition=Q(value__gte=0)),
        ]

    def __str__(self):
        return f"{self.product_id} {self.data_date} {self.value}"


class HoldingQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the holdings of customers that the viewer may see."""
        from customers.models.customer import Customer

        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def active(self):
        """Keep what is still held."""
        return self.filter(status=Holding.Status.ACTIVE)

    def maturing(self, *, start, end):
        """Keep what falls due in [start, end)."""
        return self.active().filter(matures_on__gte=start, matures_on__lt=end)


class Holding(models.Model):
    """One product in a customer's hands, or on its way to maturity."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Held")
        ENDED = "ended", _("Ended")

    external_id = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="holdings")
    product = models.ForeignKey(Product, models.PROTECT, related_name="holdings")
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    annual_rate = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True, help_text=_("percent"))
    opened_on = models.DateField()
    matures_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    sequence = models.BigIntegerField(default=-1, db_default=-1, help_text=_("version of the feed's row"))

    objects = HoldingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="holding_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="holding_matures_after_opening",
                condition=Q(matures_on=None) | Q(matures_on__gte=models.F("opened_on")),
            ),
        ]
        indexes = [
            # Maturities of the coming days: Today, churn features.
            models.Index(fields=["matures_on", "customer"], name="holding_by_maturity", condition=Q(status="active")),
        ]

    def __str__(self):
        return f"{self.product_id} {self.amount}"
