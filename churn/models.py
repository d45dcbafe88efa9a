"""The tables of floor 4: model versions with their back-tests, scores, alerts."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from staff.models import Branch, Staff

Level = Customer.ChurnLevel


class ChurnModelVersion(models.Model):
    """One trained model with the back-test that was run on this bank's own past; `algorithm` is the candidate it is.

    `parameters` are plain numbers (coefficients, centres, scales, calibration), never a pickle;
    `sha256` is taken over their canonical JSON and checked before each use.
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        RELEASED = "released", _("Released")
        RETIRED = "retired", _("Retired")

    name = models.CharField(max_length=40, unique=True)
    algorithm = models.CharField(max_length=24)
    trained_at = models.DateTimeField()
    data_from = models.DateField()
    data_to = models.DateField()
    horizon_days = models.PositiveSmallIntegerField(default=90)
    drop_threshold = models.FloatField(default=0.5, help_text=_("left: average falls to this share or below"))
    parameters = models.JSONField()
    sha256 = models.CharField(max_length=64)
    backtest = models.JSONField(help_text=_("figures per candidate and fold, and how many customers they rest on"))
    passed_gate = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.CANDIDATE)
    released_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="churn_model_one_released", fields=["status"], condition=Q(status="released")),
        ]

    def __str__(self):
        return self.name

    @property
    def figures(self) -> dict:
        """Return the back-test's figures of the candidate that this version is."""
        return self.backtest["candidates"].get(self.algorithm, {})


class ChurnScoreQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the scores of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class ChurnScore(models.Model):
    """How likely a customer's money is to leave within the horizon, as of one day.

    `reasons` is a list, strongest first, of {"code", "points" (percentage points, signed), "figures"};
    `churn.reasons` makes sentences of it. No `model`: scored by the rule, before a model is released.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="churn_scores")
    data_date = models.DateField()
    model = models.ForeignKey(ChurnModelVersion, models.PROTECT, null=True, blank=True, related_name="scores")
    probability = models.FloatField(help_text=_("0–1"))
    level = models.PositiveSmallIntegerField(choices=Level)
    money_at_risk = models.DecimalField(max_digits=18, decimal_places=2)
    reasons = models.JSONField(default=list)

    objects = ChurnScoreQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="churn_score_once_a_day", fields=["customer", "data_date"]),
            models.CheckConstraint(name="churn_score_probability_in_range", condition=Q(probability__range=(0, 1))),
        ]
        indexes = [models.Index(fields=["data_date"], name="churn_score_by_day")]

    def __str__(self):
        return f"{self.customer_id} {self.data_date} {self.probability:.0%}"


class ScoringRunQuerySet(models.QuerySet):
    def newest(self, branches):
        """Keep the newest run of each of these branches."""
        return self.filter(branch__in=branches).order_by("branch_id", "-data_date").distinct("branch_id")


class ScoringRun(models.Model):
    """One branch scored as of one day: how many, by what, and how its VIP customers' features were spread.

    `bins` is {feature: [counts]} over the tenths that the model's training rows had, for the drift figures.
    """

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    data_date = models.DateField()
    model = models.ForeignKey(ChurnModelVersion, models.PROTECT, null=True, blank=True, related_name="+")
    scored_at = models.DateTimeField()
    scored = models.PositiveIntegerField()
    seconds = models.FloatField()
    bins = models.JSONField(default=dict)

    objects = ScoringRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="scoring_run_once_a_day", fields=["branch", "data_date"]),
        ]

    def __str__(self):
        return f"{self.branch_id} {self.data_date}"


class ChurnAlertQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the alerts of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        """Keep what nobody has settled."""
        return self.filter(status__in=[ChurnAlert.Status.OPEN, ChurnAlert.Status.WORKING])

    def to_handle(self):
        """Keep what nobody has begun with: no contact since it opened."""
        untouched = Q(customer__last_contact_on=None) | Q(customer__last_contact_on__lt=F("opened_on"))
        return self.filter(untouched, status=ChurnAlert.Status.OPEN)

    def in_progress(self):
        """Keep what somebody follows up: said so, or contacted the customer since it opened."""
        begun = Q(status=ChurnAlert.Status.WORKING) | Q(customer__last_contact_on__gte=F("opened_on"))
        return self.open().filter(begun)

    def settled(self):
        """Keep what has its outcome."""
        return self.exclude(status__in=[ChurnAlert.Status.OPEN, ChurnAlert.Status.WORKING])

    def overdue(self, on):
        """Keep what should have been begun with before a day and was not."""
        return self.to_handle().filter(due_on__lt=on)


class ChurnAlert(models.Model):
    """A customer whose risk became medium or high, or rose; it stays open until somebody says how it ended."""

    class Status(models.TextChoices):
        OPEN = "open", _("To handle")
        WORKING = "working", _("Being followed up")
        RETAINED = "retained", _("Retained")
        LOST = "lost", _("Left")
        FALSE_ALARM = "false_alarm", _("False alarm")

    class Cause(models.TextChoices):
        PRICE = "price", _("Yield or price")
        SERVICE = "service", _("Service")
        PITCHING = "pitching", _("Too many sales calls")
        PRODUCT = "product", _("Unsuitable product")
        OWN_USE = "own_use", _("Money for own use")
        MOVED = "moved", _("Moved or changed job")
        COMPETITOR = "competitor", _("Drawn by another bank")
        STAFF_CHANGE = "staff_change", _("Change of staff")
        OTHER = "other", _("Other")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="churn_alerts")
    score = models.ForeignKey(ChurnScore, models.PROTECT, related_name="+")
    opened_on = models.DateField()
    level = models.PositiveSmallIntegerField(choices=Level)
    probability = models.FloatField()
    money_at_risk = models.DecimalField(max_digits=18, decimal_places=2)
    due_on = models.DateField()
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    cause = models.CharField(max_length=12, choices=Cause, blank=True)
    note = models.CharField(max_length=200, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    closed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    objects = ChurnAlertQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="churn_alert_once_a_day", fields=["customer", "opened_on"]),
            models.UniqueConstraint(
                name="churn_alert_one_open", fields=["customer"], condition=Q(status__in=["open", "working"])
            ),
            models.CheckConstraint(
                name="churn_alert_settled_has_day_and_cause",
                condition=Q(status__in=["open", "working"]) | (Q(closed_on__isnull=False) & ~Q(cause="")),
            ),
        ]
        indexes = [
            # The alerts feed of the API, in cursor order.
            models.Index(fields=["updated_at", "id"], name="churn_alert_by_update"),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.opened_on}"
