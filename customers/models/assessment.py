"""Assessments of the risk that a customer can bear, and purchases that staff advised against (domain.md §16)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from customers.models.portfolio import Product
from staff.models import Staff


class RiskAssessment(models.Model):
    """One assessment: recorded in the branch by a member of staff, or sent by the core system under a key of its own.

    `confirmed`: a grade that differs from the one before was confirmed again by the customer.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="risk_assessments")
    grade = models.PositiveSmallIntegerField(help_text=_("1–5 for C1–C5"))
    assessed_on = models.DateField()
    confirmed = models.BooleanField(default=False, db_default=False)
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+", null=True, blank=True)
    external_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    sequence = models.BigIntegerField(default=-1, db_default=-1, help_text=_("version of the feed's row"))
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(name="risk_assessment_c1_to_c5", condition=Q(grade__range=(1, 5))),
            models.CheckConstraint(
                name="risk_assessment_by_somebody", condition=Q(by__isnull=False) | Q(external_id__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} C{self.grade}"


class AdviceAgainst(models.Model):
    """Staff advised against a purchase (劝退): a good deed of conduct, never a lost sale."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="advice_against")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    amount = models.DecimalField(_("amount, yuan"), max_digits=18, decimal_places=2, null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    on = models.DateField()
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(name="advice_amount_positive", condition=Q(amount=None) | Q(amount__gt=0)),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.product_id}"
