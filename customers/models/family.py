"""Who belongs to a customer, what he keeps at other banks, and what he was given (domain.md §11)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.archive import Recorded, RecordedQuerySet


class RelationQuerySet(RecordedQuerySet):
    def of(self, customer):
        """Keep what holds of a customer, whichever side it was written on."""
        return self.current().filter(Q(customer=customer) | Q(relative=customer))

    def family_of(self, customer):
        """Keep the relations that make a household."""
        return self.of(customer).filter(kind__in=FAMILY)


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

    objects = RelationQuerySet.as_manager()

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


class ImportantDate(Recorded):
    """A day that comes round every year: of the family, or one to remember (重要日期).

    `day` is MM-DD of the solar calendar, or of the lunar one as `Customer.lunar_birthday` writes it (8-15, a leap month
    with a minus). A family birthday is shown only when revealed (reliability.md §3).
    """

    class Kind(models.TextChoices):
        FAMILY_BIRTHDAY = "family_birthday", _("Birthday in the family")
        ANNIVERSARY = "anniversary", _("Anniversary")
        OTHER = "other", pgettext_lazy("important date", "Other")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="important_dates")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=40)
    day = models.CharField(max_length=6)
    lunar = models.BooleanField(default=False)

    class Meta(Recorded.Meta):
        constraints = [
            models.CheckConstraint(
                name="important_date_is_a_day",
                condition=Q(lunar=False, day__regex=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
                | Q(lunar=True, day__regex=r"^-?([1-9]|1[0-2])-([1-9]|[12]\d|30)$"),
            )
        ]

    def __str__(self):
        return f"{self.customer_id} {self.name}"
