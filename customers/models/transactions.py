"""What a customer did with his money: pay that came in, card spend, purchases, visits (domain.md §2)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.customer import Customer


class TransactionEventQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class TransactionEvent(models.Model):
    """One event of the core banking system, written by `customers.feed` alone.

    `external_id` is the core system's key: the same one again changes nothing, a newer version of it replaces the
    earlier. `amount` is yuan, 0 for what moves no money (a visit, a login).
    """

    class Kind(models.TextChoices):
        INFLOW = "inflow", _("Money in")
        OUTFLOW = "outflow", _("Money out")
        PURCHASE = "purchase", _("Purchase of a product")
        REDEEM = "redeem", _("Redemption")
        PAYROLL = "payroll", pgettext_lazy("transaction", "Payroll")
        CARD_SPEND = "card_spend", _("Card spend")
        CARD_ISSUE = "card_issue", _("Card issued")
        CARD_CANCEL = "card_cancel", _("Card cancelled")
        LOAN_REPAY = "loan_repay", _("Loan repayment")
        COUNTER_VISIT = "counter_visit", _("Visit to the counter")
        LOGIN = "login", _("Login to mobile banking")

    class Counterparty(models.TextChoices):
        OWN_BANK = "own_bank", _("Our bank")
        OTHER_BANK = "other_bank", _("Another bank")
        CORPORATE = "corporate", _("A company")
        NONE = "", "—"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="transactions")
    data_date = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind)
    amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    counterparty_type = models.CharField(max_length=10, choices=Counterparty, blank=True, default="", db_default="")
    channel = models.CharField(max_length=20, blank=True, default="", db_default="")
    organisation = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text=_("who pays, of a payroll")
    )
    external_id = models.CharField(max_length=64, unique=True)
    sequence = models.BigIntegerField(default=0, db_default=0)

    objects = TransactionEventQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="transaction_amount_not_negative", condition=Q(amount__gte=0)),
        ]
        indexes = [
            models.Index(fields=["customer", "kind", "data_date"], include=["amount"], name="transaction_by_kind"),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.kind} {self.data_date}"
