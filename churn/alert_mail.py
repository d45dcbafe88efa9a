"""The morning's mails: a manager gets their own customers, names masked; the branch head a digest."""

from collections import defaultdict
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from churn import alerts, playbook, reasons
from churn.models import ChurnAlert, Level
from customers.models import Customer
from customers.working_days import add_working_days
from staff import formats, outbox
from staff.masking import mask_name
from staff.models import Branch, Staff
from staff.roles import Role

SHOWN_REASONS = 3
SHOWN_OVERDUE = 10
ESCALATION_DAYS = 2
"""Working days after the due day from which the sub-branch president is told (domain.md §14)."""


@transaction.atomic
def post_mails(*, branch_id: int, on: date) -> int:
    """Put the mails about a night's alerts into the outbox; return how many are new. Run again it posts none twice.

    Without new alerts managers get nothing and the head one line (domain.md §14).
    """
    fresh = alerts.news(branch_id=branch_id, on=on)
    by_manager: dict[Staff, list[ChurnAlert]] = defaultdict(list)
    for alert in fresh:
        if alert.customer.manager is not None and alert.customer.manager.is_active:
            by_manager[alert.customer.manager].append(alert)
    posted = sum(_post_to_manager(staff, own, on) for staff, own in by_manager.items())
    heads = Staff.objects.active().of_role(Role.BRANCH_HEAD).filter(branch=branch_id)
    posted += sum(_post_to_head(head, fresh, by_manager, on) for head in heads)
    return posted + _escalate(branch_id, on)


def _escalate(branch_id: int, on: date) -> int:
    """Tell the sub-branch president what has been overdue for longer than ESCALATION_DAYS; return how many mails."""
    branch = Branch.objects.get(pk=branch_id)
    morning = on + timedelta(days=1)
    overdue = ChurnAlert.objects.filter(customer__branch=branch).overdue(morning)
    late = [
        alert
        for alert in overdue.select_related("customer__manager", "score").order_by("due_on", "-money_at_risk")
        if add_working_days(alert.due_on, ESCALATION_DAYS) < morning
    ]
    above = branch.path.strip("/").split("/")
    presidents = Staff.objects.active().of_role(Role.SUB_BRANCH_PRESIDENT).filter(branch__in=above)
    return sum(_post_to_president(each, branch, late, on) for each in presidents) if late else 0


def _post_to_president(president: Staff, branch: Branch, late: list[ChurnAlert], on: date) -> bool:
    with translation.override(president.language):
        subject = ngettext(
            "Early warning: {count} alert overdue in {branch}",
            "Early warning: {count} alerts overdue in {branch}",
            len(late),
        ).format(count=len(late), branch=branch.name)
        context = _common(president, on) | {"branch": branch, "rows": [_row(alert, president) for alert in late]}
        return _post(president, on, "escalation", subject, context, about=f"{branch.pk}:")


def _post_to_manager(staff: Staff, own: list[ChurnAlert], on: date) -> bool:
    with translation.override(staff.language):
        high = sum(alert.level == Level.HIGH for alert in own)
        subject = ngettext(
            "Early warning: {count} customer, {high} high risk",
            "Early warning: {count} customers, {high} high risk",
            len(own),
        ).format(count=len(own), high=high)
        context = _common(staff, on) | {"rows": [_row(alert, staff) for alert in own]}
        return _post(staff, on, "manager", subject, context)


def _post_to_head(head: Staff, fresh: list[ChurnAlert], by_manager: dict, on: date) -> bool:
    with translation.override(head.language):
        context = _common(head, on) | digest_of(head, fresh, by_manager, on)
        if not fresh:
            return _post(head, on, "none", _("Early warning: nothing new"), context)
        subject = ngettext("Early warning: {count} new alert", "Early warning: {count} new alerts", len(fresh))
        return _post(head, on, "head", subject.format(count=len(fresh)), context)


def digest_of(head: Staff, fresh: list[ChurnAlert], by_manager: dict, on: date) -> dict:
    """Return what a head reads: counts of the night, each manager's share, what waits and what is overdue."""
    of_branch = ChurnAlert.objects.filter(customer__branch=head.branch)
    morning = on + timedelta(days=1)
    overdue = of_branch.overdue(morning)
    late = overdue.select_related("customer__manager", "score").order_by("due_on", "-money_at_risk")[:SHOWN_OVERDUE]
    without = [alert for alert in fresh if alert.customer.manager is None]
    return {
        "branch": head.branch,
        "high": sum(alert.level == Level.HIGH for alert in fresh),
        "medium": sum(alert.level == Level.MEDIUM for alert in fresh),
        "money": sum(alert.money_at_risk for alert in fresh),
        "managers": [(staff.name, len(own), sum(a.money_at_risk for a in own)) for staff, own in by_manager.items()],
        "without_manager": len(without),
        "rows": [_row(alert, head) for alert in fresh[:SHOWN_OVERDUE]],
        "waiting": of_branch.to_handle().count(),
        "overdue": overdue.count(),
        "late": [_row(alert, head) for alert in late],
    }


def _row(alert: ChurnAlert, viewer: Staff) -> dict:
    """Return an alert as this reader may see it: who reads amounts as bands gets no sentence that names one."""
    customer: Customer = alert.customer
    pushing = [reason for reason in alert.score.reasons if reason["points"] >= 0 and not viewer.sees_bands]
    return {
        "name": mask_name(customer.name),
        "tier": customer.tier.label,
        "level": alert.get_level_display(),
        "is_high": alert.level == Level.HIGH,
        "probability": alert.probability,
        "money": formats.money_for(viewer, alert.money_at_risk),
        "due_on": alert.due_on,
        "manager": customer.manager.name if customer.manager else "",
        "reasons": [reasons.sentence(reason) for reason in pushing[:SHOWN_REASONS]],
        "suggestion": playbook.suggestion(alert),
    }


def _common(staff: Staff, on: date) -> dict:
    page = "churn:alert_list" if staff.has_perm("churn.view_alert") else "contacts:today"
    return {
        "staff": staff,
        "brand": settings.BRAND,
        "on": on,
        "morning": on + timedelta(days=1),
        "url": settings.SITE_URL.rstrip("/") + reverse(page),
    }


def _post(staff: Staff, on: date, form: str, subject: str, context: dict, *, about: str = "") -> bool:
    if not staff.email:
        return False
    context |= {"subject": subject, "language": staff.language}
    return outbox.post(
        key=f"churn:{on.isoformat()}:{'head' if form == 'none' else form}:{about}{staff.pk}",
        to=staff.email,
        subject=subject,
        text=render_to_string(f"churn/mail/{form}.txt", context),
        html=render_to_string(f"churn/mail/{form}.html", context),
        language=staff.language,
    )
