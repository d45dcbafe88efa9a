"""Opportunities and the stages they pass (domain.md §9)."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Product
from customers.suitability import is_recorded
from staff.models import Branch, Staff


class OpportunityQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the opportunities of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        """Keep what is neither won nor lost."""
        return self.exclude(stage__in=[Opportunity.Stage.WON, Opportunity.Stage.LOST])

    def due_by(self, day):
        """Keep those whose next action falls on that day or before."""
        return self.filter(next_action_on__lte=day)


class CustomerIntroductionQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the introductions by customers that the viewer may see."""
        return self.filter(introducer__in=Customer.objects.visible_to(viewer))


class Opportunity(models.Model):
    """A piece of business that may come about with a customer."""

    class Kind(models.TextChoices):
        ACQUIRE = "acquire", _("Acquire")
        SIGN_UP = "sign_up", _("Sign up")
        UPGRADE = "upgrade", _("Upgrade")
        CROSS_SELL = "cross_sell", _("Cross-sell")
        RETENTION = "retention", _("Retention")
        WIN_BACK = "win_back", _("Win back")

    class Stage(models.TextChoices):
        NEW = "new", _("To follow up")
        PLANNED = "planned", _("Planned")
        CONTACTED = "contacted", _("Contacted")
        PROPOSED = "proposed", _("Proposed")
        AGREED = "agreed", _("Agreed")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")
        ON_HOLD = "on_hold", _("On hold")

    class LostReason(models.TextChoices):
        UNWILLING = "unwilling", _("Does not want to be a VIP customer")
        YIELD = "yield", _("Yield below other banks")
        OTHER_USE = "other_use", _("Money needed elsewhere")
        UNSUITABLE = "unsuitable", _("Product not suitable")
        NO_NEED = "no_need", _("No need")
        UNREACHABLE = "unreachable", _("Cannot be reached")
        ELSEWHERE = "elsewhere", _("Done at another bank")
        SERVICE = "service", _("Unhappy with the service")
        OTHER = "other", _("Other")
        LAPSED = "lapsed", _("Lapsed untouched")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="opportunities")
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=80)
    owner = models.ForeignKey(Staff, models.PROTECT, related_name="opportunities")
    helpers = models.ManyToManyField(Staff, related_name="helped_opportunities", blank=True)
    source = models.CharField(max_length=24, default="manual", help_text=_("a code of contacts.opportunity_sources"))
    source_key = models.CharField(
        max_length=80,
        null=True,
        blank=True,
        unique=True,
        help_text=_("what a source found: it opens one opportunity once"),
    )
    expires_on = models.DateField(null=True, blank=True, help_text=_("ends by itself after this day while untouched"))
    category = models.CharField(max_length=10, choices=Product.Category, blank=True)
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="+")
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.NEW)
    stage_since = models.DateField()
    expected_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    expected_on = models.DateField(null=True, blank=True)
    next_action = models.CharField(max_length=80, blank=True)
    next_action_on = models.DateField(null=True, blank=True)
    last_touched_on = models.DateField()
    resume_on = models.DateField(null=True, blank=True)
    lost_reason = models.CharField(max_length=12, choices=LostReason, blank=True)
    dual_record_no = models.CharField(max_length=40, blank=True, db_default="")
    result_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="opportunity_one_open_per_kind",
                fields=["customer", "kind", "category"],
                condition=~Q(stage__in=["won", "lost"]),
            ),
            models.CheckConstraint(
                name="opportunity_lost_has_a_reason", condition=~Q(stage="lost") | ~Q(lost_reason="")
            ),
            models.CheckConstraint(
                name="opportunity_on_hold_resumes", condition=~Q(stage="on_hold") | Q(resume_on__isnull=False)
            ),
            models.CheckConstraint(
                name="opportunity_agreed_has_amount_and_date",
                condition=~Q(stage="agreed") | Q(expected_amount__isnull=False, expected_on__isnull=False),
            ),
            models.CheckConstraint(
                name="opportunity_closed_has_a_day",
                condition=~Q(stage__in=["won", "lost"]) | Q(closed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="opportunity_amounts_not_negative",
                condition=(Q(expected_amount=None) | Q(expected_amount__gte=0))
                & (Q(result_amount=None) | Q(result_amount__gte=0)),
            ),
        ]
        indexes = [
            # The list of the API and what has changed, in cursor order.
            models.Index(fields=["updated_at", "id"], name="opportunity_by_update"),
            # The board's columns, and what was closed of late: a whole bank has mostly old ones.
            models.Index(
                fields=["stage", "next_action_on", "id"],
                name="opportunity_open_by_stage",
                condition=~Q(stage__in=["won", "lost"]),
            ),
            models.Index(fields=["closed_on"], name="opportunity_by_close", condition=Q(closed_on__isnull=False)),
            # Today and the progress table: what an owner has open, by date.
            models.Index(
                fields=["owner", "next_action_on"],
                name="opportunity_open_by_owner",
                condition=~Q(stage__in=["won", "lost"]),
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.kind} {self.title}"

    @property
    def is_recorded(self) -> bool:
        """Say whether its sale is recorded in sound and picture."""
        return self.product is not None and is_recorded(self.product.category, is_agency=self.product.is_agency)

    def get_absolute_url(self):
        return reverse("contacts:opportunity_detail", args=[self.pk])


_S = Opportunity.Stage
MOVES = {
    _S.NEW: {_S.PLANNED, _S.CONTACTED, _S.LOST},
    _S.PLANNED: {_S.CONTACTED, _S.ON_HOLD, _S.LOST},
    _S.CONTACTED: {_S.PROPOSED, _S.ON_HOLD, _S.LOST},
    _S.PROPOSED: {_S.AGREED, _S.CONTACTED, _S.ON_HOLD, _S.LOST},
    _S.AGREED: {_S.WON, _S.PROPOSED, _S.ON_HOLD, _S.LOST},
    _S.ON_HOLD: {_S.CONTACTED, _S.LOST},
    _S.LOST: {_S.NEW},
    _S.WON: set(),
}
"""Where each stage may lead (domain.md §9). Migration 0002 holds the database to the same table."""


PROBABILITY = {
    _S.NEW: 10,
    _S.PLANNED: 20,
    _S.CONTACTED: 35,
    _S.PROPOSED: 50,
    _S.AGREED: 80,
    _S.ON_HOLD: 20,
    _S.WON: 100,
    _S.LOST: 0,
}
"""Percent by which an expected amount is weighted in each stage (domain.md §9; on hold as planned, assumption)."""


class OpportunityStageHistory(models.Model):
    """One move of an opportunity: from, to, who, when."""

    opportunity = models.ForeignKey(Opportunity, models.PROTECT, related_name="history")
    from_stage = models.CharField(max_length=10, choices=Opportunity.Stage, blank=True)
    to_stage = models.CharField(max_length=10, choices=Opportunity.Stage)
    at = models.DateTimeField()
    by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    contact_log = models.ForeignKey(
        "contacts.ContactLog", models.PROTECT, null=True, blank=True, related_name="stage_moves"
    )

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]

    def __str__(self):
        return f"{self.opportunity_id} {self.from_stage} → {self.to_stage}"


class SalesPlan(models.Model):
    """How an opportunity is to be won (domain.md §9): goal, products, steps, what to say, when; against whom."""

    opportunity = models.OneToOneField(Opportunity, models.PROTECT, related_name="plan")
    goal = models.CharField(pgettext_lazy("sales plan", "goal"), max_length=120, blank=True)
    products = models.CharField(_("products together"), max_length=120, blank=True)
    steps = models.TextField(_("steps"), max_length=600, blank=True)
    scripts = models.TextField(_("what to say"), max_length=600, blank=True)
    timing = models.CharField(_("when"), max_length=120, blank=True)
    competitor = models.CharField(_("other bank, and its offer"), max_length=120, blank=True)
    changed_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.opportunity_id} {self.goal}"

    @property
    def said(self) -> list[tuple[str, str]]:
        """Return (label, words) of what has been planned."""
        fields = ("goal", "products", "steps", "scripts", "timing", "competitor")
        pairs = ((self._meta.get_field(name).verbose_name, getattr(self, name)) for name in fields)
        return [(label, words) for label, words in pairs if words]


class CustomerIntroduction(models.Model):
    """A customer brought another one: who, how they are related, what came of it, and that he was thanked (domain.md §19)."""

    introducer = models.ForeignKey(Customer, models.PROTECT, related_name="introductions")
    name = models.CharField(_("who was introduced"), max_length=40)
    mobile_last4 = models.CharField(_("last 4 digits of the mobile"), max_length=4, blank=True)
    relation = models.CharField(_("relation to the introducer"), max_length=40, blank=True)
    note = models.CharField(_("what is known"), max_length=200, blank=True)
    entered_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    entered_on = models.DateField()
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="introduced_by")
    opportunity = models.OneToOneField(Opportunity, models.PROTECT, null=True, blank=True, related_name="introduction")
    thanks = models.CharField(max_length=120, blank=True, default="", db_default="")
    thanked_on = models.DateField(null=True, blank=True)
    thanked_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    objects = CustomerIntroductionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-entered_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="introduction_not_of_oneself", condition=Q(customer=None) | ~Q(customer=models.F("introducer"))
            ),
            models.CheckConstraint(
                name="introduction_thanked_by_somebody",
                condition=Q(thanked_on=None, thanked_by=None, thanks="")
                | Q(thanked_on__isnull=False, thanked_by__isnull=False) & ~Q(thanks=""),
            ),
            models.UniqueConstraint(
                name="introduction_once", fields=["introducer", "customer"], condition=Q(customer__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.introducer_id} {self.name}"


class SalesTarget(models.Model):
    """What an outlet means to win in a month, in yuan; `month` is its first day."""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    month = models.DateField()
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    set_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="sales_target_once_a_month", fields=["branch", "month"]),
            models.CheckConstraint(name="sales_target_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="sales_target_of_a_month", condition=Q(month__day=1)),
        ]

    def __str__(self):
        return f"{self.branch_id} {self.month:%Y-%m} {self.amount}"
