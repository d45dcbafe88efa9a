"""The tables of floor 4: model versions with their back-tests, scores, alerts."""

import pgtrigger
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


class AlertPolicyQuerySet(models.QuerySet):
    def in_force(self, on):
        """Return the policy of a day; the default one before the first was set."""
        return self.filter(valid_from__lte=on).order_by("-valid_from").first() or AlertPolicy(valid_from=on)


class AlertPolicy(models.Model):
    """How many alerts people are given, and whether some are only watched so that help can be measured."""

    valid_from = models.DateField(unique=True)
    weekly_capacity = models.PositiveSmallIntegerField(
        _("new alerts a manager a week"), default=10, help_text=_("Assumption; the rest wait in the list.")
    )
    holdout_percent = models.PositiveSmallIntegerField(
        _("watched without being sent, %"), default=0, help_text=_("0 = off; 10 is usual. Never the highest money.")
    )
    set_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    objects = AlertPolicyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="alert_policy_in_range",
                condition=Q(weekly_capacity__range=(1, 200)) & Q(holdout_percent__lte=50),
            ),
        ]

    def __str__(self):
        return f"{self.valid_from} {self.weekly_capacity} {self.holdout_percent}%"


class ChurnAlertQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the alerts of customers that the viewer may see; one that is only watched is seen by nobody."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer)).exclude(status=ChurnAlert.Status.WATCHED)

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
        return self.filter(status__in=ChurnAlert.OUTCOMES)

    def overdue(self, on):
        """Keep what was given to a manager, should have been begun with before a day and was not."""
        return self.to_handle().filter(due_on__lt=on, sent_on__isnull=False)


class ChurnAlert(models.Model):
    """A customer whose risk became medium or high, or rose, and the case of keeping him: open until somebody says how it ended.

    `sent_on`: the morning it was given to the manager, none while it waits for a place in his week. `lot`: the number
    drawn for the hold-out, 0–1; who draws below the policy's share is only watched. `base_avg`, `after_avg`: average
    assets of the 90 days before and of days 61–90 after, `left`: whether a 30-day average fell to the model's
    threshold, all known 90 days later (`churn.outcomes`).
    """

    class Status(models.TextChoices):
        OPEN = "open", _("To handle")
        WORKING = "working", _("Being followed up")
        RETAINED = "retained", _("Retained")
        LOST = "lost", _("Left")
        FALSE_ALARM = "false_alarm", _("False alarm")
        WATCHED = "watched", _("Only watched")

    OUTCOMES = (Status.RETAINED, Status.LOST, Status.FALSE_ALARM)

    class Verdict(models.TextChoices):
        """What the manager says of the alert itself; data for the next training, never a label."""

        TRUE = "true", _("True, and news to me")
        KNOWN = "known", _("True, but known before")
        WRONG = "wrong", _("Wrong")

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
    sent_on = models.DateField(null=True, blank=True)
    lot = models.FloatField(null=True, blank=True)
    verdict = models.CharField(max_length=5, choices=Verdict, blank=True, default="", db_default="")
    verdict_note = models.CharField(max_length=200, blank=True, default="", db_default="")
    base_avg = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    after_avg = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    left = models.BooleanField(null=True, blank=True)
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
                condition=Q(status__in=["open", "working", "watched"]) | (Q(closed_on__isnull=False) & ~Q(cause="")),
            ),
            models.CheckConstraint(
                name="churn_alert_watched_is_not_sent", condition=~Q(status="watched") | Q(sent_on__isnull=True)
            ),
            models.CheckConstraint(
                name="churn_alert_wrong_says_why", condition=~Q(verdict="wrong") | ~Q(verdict_note="")
            ),
        ]
        indexes = [
            # The alerts feed of the API, in cursor order.
            models.Index(fields=["updated_at", "id"], name="churn_alert_by_update"),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.opened_on}"


class LossReview(models.Model):
    """What the branch head finds after a diamond customer has left (流失复盘), due in 10 working days."""

    alert = models.OneToOneField(ChurnAlert, models.PROTECT, related_name="loss_review")
    due_on = models.DateField()
    findings = models.TextField(blank=True)
    lesson = models.TextField(blank=True)
    done_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    done_on = models.DateField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="loss_review_done_says_what",
                condition=Q(done_on__isnull=True) | (~Q(findings="") & ~Q(lesson="") & Q(done_by__isnull=False)),
            ),
        ]

    def __str__(self):
        return f"{self.alert_id} {self.due_on}"


class ScoreOutcome(models.Model):
    """What became of one outlet's VIP scores of a month's end, by tenths of probability: said, and left."""

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    data_date = models.DateField()
    model = models.ForeignKey(ChurnModelVersion, models.PROTECT, null=True, blank=True, related_name="+")
    tenth = models.PositiveSmallIntegerField(help_text=_("0: under 10 %, … 9: from 90 %"))
    rows = models.PositiveIntegerField()
    said = models.FloatField(help_text=_("sum of probabilities"))
    left = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="score_outcome_once", fields=["branch", "data_date", "tenth"]),
            models.CheckConstraint(name="score_outcome_in_range", condition=Q(tenth__lte=9) & Q(left__lte=F("rows"))),
        ]

    def __str__(self):
        return f"{self.branch_id} {self.data_date} {self.tenth}"


class ImpactAssessment(models.Model):
    """The record that the law on personal information asks for before automated decisions; kept, never changed."""

    model = models.ForeignKey(ChurnModelVersion, models.PROTECT, related_name="assessments")
    purpose = models.TextField(_("Purpose, and why it is needed"))
    risks = models.TextField(_("Effect on customers, and risks"))
    measures = models.TextField(_("Measures that protect them"))
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        triggers = [
            pgtrigger.Protect(name="assessment_never_changes", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.model_id} {self.at:%Y-%m-%d}"
