"""Who belongs to a customer, what he keeps at other banks, and what he was given (domain.md §11)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.archive import Recorded


class Relation(Recorded):
    """Somebody close to a customer: a customer himself (`relative`), or only a name.

    Read from both sides. Of a child only name, year of birth and school are kept, and only with consent (domain.md §18).
    """

    class Kind(models.TextChoices):
        SPOUSE = "spouse", _("Spouse")
        CHILD = "child", _("Child")
        PARENT = "parent", _("Parent")
        FAMILY = "family", _("Other family")
        COLLEAGUE = "colleague", _("Colleague")
        BUSINESS = "business", _("Business partner")
        FRIEND = "friend", _("Friend")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="relations")
    kind = models.CharField(max_length=10, choices=Kind)
    relative = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="relations_of_others"
    )
    name = models.CharField(max_length=80, blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    occupation = models.CharField(max_length=40, blank=True)
    school = models.CharField(max_length=40, blank=True)
    consented = models.BooleanField(default=False, help_text=_("the parent agreed that we keep the child's data"))

    class Meta(Recorded.Meta):
        constraints = [
            models.UniqueConstraint(
                name="relation_once", fields=["customer", "relative", "kind"],
                condition=Q(ended_at=None, relative__isnull=False),
            ),
            models.CheckConstraint(
                name="relation_is_somebody", condition=Q(relative__isnull=False) | ~Q(name="")
            ),
            models.CheckConstraint(
                name="relation_not_with_itself", condition=Q(relative=None) | ~Q(relative=F("customer"))
            ),
            models.CheckConstraint(
                name="relation_child_with_consent", condition=~Q(kind="child") | Q(consented=True, occupation="")
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.customer_id} {self.kind}"


FAMILY = (Relation.Kind.SPOUSE, Relation.Kind.CHILD, Relation.Kind.PARENT, Relation.Kind.FAMILY)
"""Kinds that make a household."""


class ExternalAsset(Recorded):
    """What a customer keeps at another bank, as he told it; `amount` yuan, roughly."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("Deposit")
        WEALTH = "wealth", _("Wealth product")
        FUND = "fund", _("Fund")
        INSURANCE = "insurance", _("Insurance")
        STOCK = "stock", _("Stocks")
        OTHER = "other", pgettext_lazy("asset elsewhere", "Other")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="external_assets")
    bank = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind)
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    due_on = models.DateField(null=True, blank=True)

    class Meta(Recorded.Meta):
        constraints = [models.CheckConstraint(name="external_asset_positive", condition=Q(amount__gt=0))]

    def __str__(self):
        return f"{self.customer_id} {self.bank}"


class Gift(Recorded):
    """Something that a customer was given; `cost` yuan."""

    class Kind(models.TextChoices):
        FLOWERS = "flowers", _("Flowers")
        FRUIT = "fruit", _("Fruit basket")
        CAKE = "cake", _("Cake")
        TEA = "tea", _("Tea")
        TICKET = "ticket", _("Tickets")
        COURSE = "course", _("Course or event")
        HEALTH = "health", _("Health service")
        CRAFT = "craft", _("Handicraft")
        OTHER = "other", pgettext_lazy("gift", "Other")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="gifts")
    kind = models.CharField(max_length=10, choices=Kind)
    what = models.CharField(max_length=80)
    occasion = models.CharField(max_length=40, blank=True)
    on = models.DateField()
    cost = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    reaction = models.CharField(max_length=80, blank=True)

    class Meta(Recorded.Meta):
        constraints = [models.CheckConstraint(name="gift_cost_not_negative", condition=Q(cost__gte=0))]

    def __str__(self):
        return f"{self.customer_id} {self.what}"
