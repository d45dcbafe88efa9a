"""The customer, with the columns that lists filter and sort on."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.tiers import Tier
from staff.models import Branch, Staff
from staff.roles import Scope
from staff.sealing import SealedField


class RelationStatus(models.TextChoices):
    NONE = "none", _("No relation")
    POTENTIAL = "potential", _("Potential")
    SIGNED = "signed", _("Signed")
    TERMINATED = "terminated", _("Terminated")
    CLOSED = "closed", _("Closed")


class TierState(models.TextChoices):
    NORMAL = "normal", _("Normal")
    WATCH = "watch", _("On watch")


class ValueClass(models.TextChoices):
    """What the customer is worth to the bank (domain.md §13)."""

    MVC = "mvc", _("Most valuable")
    MGC = "mgc", _("Most growable")
    BZC = "bzc", _("Below zero")
    GENERAL = "general", pgettext_lazy("value class", "General")


class CustomerQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the customers that this member of staff, or this API client, may see.

        Everything that belongs to customers starts here; nothing is granted unless the scope does. A record that
        another took over is in nobody's sight: its rows are found under the one that stayed.
        """
        here = self.filter(merged_into=None)
        match viewer.scope:
            case Scope.ALL:
                return here
            case Scope.BENEATH:
                return here.filter(branch__in=Branch.objects.under(viewer.branch_id))
            case Scope.OWN:
                from customers.models.assignment import Assignment

                own = Assignment.objects.open().filter(customer=OuterRef("pk"), staff=viewer)
                return here.filter(Exists(own))
        return self.none()

    def assignable(self):
        """Keep signed and potential customers: those who must have a primary manager."""
        return self.filter(relation_status__in=[RelationStatus.SIGNED, RelationStatus.POTENTIAL])

    def waiting(self):
        """Keep those who must have a primary manager and have none."""
        return self.assignable().filter(manager=None)

    def may_receive(self, purpose: str, channel: str = ""):
        """Keep those who may be approached for a purpose (customers.reach), over one channel or over any."""
        from customers.reach import why_not

        return self.alias(skip=why_not(purpose, channel)).filter(skip="")

    def vip(self):
        """Keep customers whose service tier is gold or above."""
        return self.filter(service_tier__gte=Tier.GOLD)


class Customer(models.Model):
    """A person whom the bank serves.

    The lower half are the columns that lists filter and sort on. Each is kept by the one who owns
    the fact: assets and tiers by `customers.assets` and `customers.rating`, `manager` by the
    database when an assignment opens or ends, contact columns by `contacts.regime`, churn
    columns by `churn.scoring`, the latter two through `customers.standing`.
    Money is yuan; dates are the bank's days.
    """

    class Gender(models.TextChoices):
        MALE = "m", _("Male")
        FEMALE = "f", _("Female")
        UNKNOWN = "", _("Unknown")

    class ContactState(models.TextChoices):
        MET = "met", _("On regime")
        OPEN = "open", _("In progress")
        AT_RISK = "at_risk", _("At risk")
        MISSED = "missed", _("Missed")
        EXEMPT = "exempt", _("Exempt")

    class ChurnLevel(models.IntegerChoices):
        LOW = 1, _("Low")
        MEDIUM = 2, _("Medium")
        HIGH = 3, _("High")

    customer_no = models.CharField(_("customer number"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=80)
    pinyin = models.CharField(
        max_length=200, blank=True, help_text=_("syllables without tones, a space between: shen ya qin")
    )
    gender = models.CharField(max_length=1, choices=Gender, blank=True, default="")
    birth_date = models.DateField(null=True, blank=True)
    lunar_birthday = models.CharField(
        max_length=6, blank=True, help_text=_("month-day of the lunar calendar, -6-15 in a leap month")
    )
    id_no = SealedField(blank=True)
    id_no_masked = models.CharField(max_length=32, blank=True)
    id_no_hash = models.CharField(max_length=64, blank=True, default="", db_default="", help_text=_("blind index"))
    mobile = SealedField(blank=True)
    mobile_masked = models.CharField(max_length=20, blank=True)
    mobile_hash = models.CharField(max_length=64, blank=True, default="", db_default="", help_text=_("blind index"))
    mobile_last4 = models.CharField(max_length=4, blank=True)
    address = SealedField(blank=True)
    address_masked = models.CharField(max_length=120, blank=True)
    building_hash = models.CharField(max_length=64, blank=True, default="", db_default="", help_text=_("blind index"))
    occupation = models.CharField(max_length=60, blank=True)
    employer = models.CharField(max_length=80, blank=True)
    tags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    needs = models.CharField(max_length=120, blank=True, help_text=_("what the customer looks for, in a few words"))
    low_disturb = models.BooleanField(default=False)
    special_care = models.CharField(max_length=40, blank=True)
    risk_grade = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("1–5 for C1–C5"))
    risk_assessed_on = models.DateField(null=True, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="customers")
    relation_status = models.CharField(max_length=10, choices=RelationStatus, default=RelationStatus.NONE)
    opened_on = models.DateField(null=True, blank=True)
    signed_on = models.DateField(null=True, blank=True)
    key_customer = models.BooleanField(default=False, db_default=False, help_text=_("marked by the branch head"))
    do_not_contact = models.BooleanField(default=False, db_default=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        help_text=_("the record that took this one over; both numbers lead to it"),
    )
    source_fingerprint = models.CharField(
        max_length=64, blank=True, help_text=_("keyed hash of the newest feed row: an equal one changes nothing")
    )
    source_sequence = models.BigIntegerField(default=0, help_text=_("of the newest feed row taken in"))
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    # Tiers and money: customers.assets, customers.rating.
    service_tier = models.PositiveSmallIntegerField(choices=Tier, default=Tier.GENERAL)
    asset_tier = models.PositiveSmallIntegerField(choices=Tier, default=Tier.GENERAL)
    tier_state = models.CharField(max_length=8, choices=TierState, default=TierState.NORMAL)
    months_below_floor = models.PositiveSmallIntegerField(default=0)
    is_private_banking = models.BooleanField(default=False)
    aum = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    aum_30d_before = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    month_avg = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    year_avg = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    data_date = models.DateField(null=True, blank=True)
    data_gap = models.BooleanField(default=False)
    next_maturity_on = models.DateField(null=True, blank=True)
    next_maturity_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    product_marks = models.CharField(max_length=80, blank=True, help_text=_("categories held, by code, spaces between"))

    # What the customer could become, and which key groups he is in: customers.potential.
    potential_reasons = ArrayField(
        models.CharField(max_length=16),
        default=list,
        blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=16))),
    )
    potential_since = models.DateField(null=True, blank=True)
    key_groups = ArrayField(
        models.CharField(max_length=8),
        default=list,
        blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=8))),
    )

    # What the customer is worth to the bank, yuan (domain.md §13): customers.value.
    value_class = models.CharField(max_length=8, choices=ValueClass, blank=True, default="", db_default="")
    ev = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True, help_text=_("a year"))
    pv = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True, help_text=_("a year"))
    gv = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True, help_text=_("over 5 years"))
    clv = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True, help_text=_("over 5 years"))
    contribution_quintile = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("1 for the fifth of the outlet that brings most … 5")
    )

    # What contacts of the last 12 months cost, yuan: contacts.costs, through customers.standing.
    service_cost = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)

    # How much of the archive is filled, percent: customers.archive.
    archive_completeness = models.PositiveSmallIntegerField(default=0, db_default=0)

    # Who looks after the customer: set by the database from the open primary assignment.
    manager = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="managed_customers")

    # The regime: contacts.regime.
    last_contact_on = models.DateField(null=True, blank=True)
    next_contact_due_on = models.DateField(null=True, blank=True)
    contact_latest_on = models.DateField(
        null=True, blank=True, help_text=_("last day to begin what is missing: less today, the slack")
    )
    contact_state = models.CharField(max_length=8, choices=ContactState, default=ContactState.OPEN)
    contact_phones = models.PositiveSmallIntegerField(default=0, help_text=_("in the window of the regime"))
    contact_meetings = models.PositiveSmallIntegerField(default=0, help_text=_("in the window of the regime"))
    contact_count = models.PositiveSmallIntegerField(default=0, help_text=_("valid contacts this quarter"))
    missed_last_window = models.BooleanField(default=False)

    # Churn: churn.scoring.
    churn_probability = models.FloatField(null=True, blank=True, help_text=_("0–1"))
    churn_level = models.PositiveSmallIntegerField(choices=ChurnLevel, null=True, blank=True)
    money_at_risk = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="customer_aum_not_negative", condition=Q(aum__gte=0)),
            models.CheckConstraint(
                name="customer_churn_probability_in_range",
                condition=Q(churn_probability=None) | Q(churn_probability__range=(0, 1)),
            ),
            models.CheckConstraint(
                name="customer_risk_grade_c1_to_c5", condition=Q(risk_grade=None) | Q(risk_grade__range=(1, 5))
            ),
            models.CheckConstraint(
                name="customer_tier_in_range", condition=Q(service_tier__range=(0, 3)) & Q(asset_tier__range=(0, 3))
            ),
            models.CheckConstraint(
                name="customer_archive_completeness_percent", condition=Q(archive_completeness__range=(0, 100))
            ),
            models.CheckConstraint(
                name="customer_not_merged_into_itself", condition=Q(merged_into=None) | ~Q(merged_into=models.F("pk"))
            ),
            models.CheckConstraint(
                name="customer_signed_has_a_date", condition=~Q(relation_status="signed") | Q(signed_on__isnull=False)
            ),
        ]
        indexes = [
            # What a manager has to do next, and where no time is left.
            models.Index(fields=["manager", "next_contact_due_on"], name="customer_by_contact_due"),
            models.Index(fields=["manager", "contact_latest_on"], name="customer_by_contact_latest"),
            # The list of the API and what has changed, in cursor order.
            models.Index(fields=["updated_at", "id"], name="customer_by_update"),
            # Duplicates: the same identity number, the same mobile.
            models.Index(fields=["id_no_hash"], name="customer_by_id_no", condition=~Q(id_no_hash="")),
            models.Index(fields=["mobile_hash"], name="customer_by_mobile", condition=~Q(mobile_hash="")),
            # Search by the last digits of the mobile.
            models.Index(fields=["mobile_last4"], name="customer_by_mobile_end", condition=~Q(mobile_last4="")),
            # The customer list of an outlet, by money; keyset pages.
            models.Index(fields=["branch", "-aum", "-id"], name="customer_branch_by_aum"),
            # A manager's own customers, by money.
            models.Index(fields=["manager", "-aum", "-id"], name="customer_manager_by_aum"),
            # Head office's list, by money.
            models.Index(fields=["-aum", "-id"], name="customer_by_aum"),
            # Who waits for a manager: CustomerQuerySet.waiting.
            models.Index(
                fields=["branch", "-service_tier", "-aum"],
                name="customer_waiting",
                condition=Q(manager=None, relation_status__in=["signed", "potential"]),
            ),
        ]

    def __str__(self):
        return f"{self.name} ({self.customer_no})"

    def get_absolute_url(self):
        return reverse("customers:customer_detail", args=[self.pk])

    @property
    def tier(self) -> Tier:
        """Return the service tier as the enum; the database gives a bare number."""
        return Tier(self.service_tier)

    @property
    def load_class(self) -> Tier:
        """Return the tier under which the customer weighs in a manager's load; general means potential.

        The same rule stands in SQL in `customer_load_class` (migration 0003), which is what counts.
        """
        return self.tier if self.relation_status == RelationStatus.SIGNED else Tier.GENERAL


class SearchKey(models.Model):
    """What a customer's name can be found by, in a row of its own so that nightly figures never touch its index.

    `grams` are one and two characters of the name (n:沈, n:沈雅), the initials of its syllables (i:s), and every pair
    of letters that may follow one another in what is typed (p:sh, p:sy): a syllable may be left at any letter.
    The database keeps them (migration 0011); `customers.search` asks for them and then looks exactly.
    """

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="search_key")
    grams = ArrayField(models.TextField())

    class Meta:
        default_permissions = ()
        indexes = [GinIndex(name="search_key_by_gram", fields=["grams"], fastupdate=False)]

    def __str__(self):
        return f"{self.customer_id}"
