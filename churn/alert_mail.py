"""The morning's mails: managers get their own customers, the branch head a digest (domain.md §14)."""

from collections import defaultdict
from datetime import date, timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from churn import alerts, reasons
from churn.models import ChurnAlert, Level
from staff import formats, outbox
from staff.masking import mask_name
from staff.models import Staff
from staff.roles import Role

REASONS_SHOWN = 3
LINES_IN_DIGEST = 20


def post_mails(*, branch_id: int, on: date) -> int:
    """Put the mails of a branch's night into the outbox; return how many are new. Run again it adds none.

    A manager without new alerts gets no mail, the head gets one line. Names are masked; no number of
    an identity card, account or telephone is in a mail.
    """
    fresh = alerts.news(branch_id=branch_id, on=on)
    by_manager = defaultdict(list)
    for alert in fresh:
        if alert.customer.manager is not None:
            by_manager[alert.customer.manager].append(alert)
    posted = sum(_to_manager(manager, own, on) for manager, own in by_manager.items())
    heads = Staff.objects.active().of_role(Role.BRANCH_HEAD).filter(branch=branch_id)
    return posted + sum(_to_head(head, fresh, branch_id, on) for head in heads)


def _to_manager(manager: Staff, own: list[ChurnAlert], on: date) -> bool:
    with translation.override(manager.language):
        subject = ngettext(
            "%(n)d customer may move money away", "%(n)d customers may move money away", len(own)
        ) % {"n": len(own)}
        context = {"lines": [_line(alert, on) for alert in own]}
        return _post(manager, on, subject, "manager", context)


def _to_head(head: Staff, fresh: list[ChurnAlert], branch_id: int, on: date) -> bool:
    morning = on + timedelta(days=1)
    waiting = ChurnAlert.objects.open().filter(customer__branch=branch_id)
    with translation.override(head.language):
        subject = (
            ngettext("Early warning: %(n)d new alert", "Early warning: %(n)d new alerts", len(fresh)) % {"n": len(fresh)}
            if fresh
            else _("Early warning: no new alert")
        )
        context = {
            "lines": [_line(alert, on) for alert in fresh[:LINES_IN_DIGEST]],
            "more": max(0, len(fresh) - LINES_IN_DIGEST),
            "high": sum(alert.level == Level.HIGH for alert in fresh),
            "medium": sum(alert.level == Level.MEDIUM for alert in fresh),
            "money": formats.money(sum(alert.money_at_risk for alert in fresh), language=head.language),
            "unhandled": waiting.filter(status=ChurnAlert.Status.OPEN).count(),
            "overdue": waiting.filter(status=ChurnAlert.Status.OPEN, due_on__lt=morning).count(),
        }
        return _post(head, on, subject, "head", context)


def _line(alert: ChurnAlert, on: date) -> dict:
    """Return what a mail says of one alert, in the active language."""
    language = translation.get_language()
    customer = alert.customer
    return {
        "name": mask_name(customer.name),
        "tier": customer.tier.label,
        "level": Level(alert.level).label,
        "is_high": alert.level == Level.HIGH,
        "percent": formats.percent(alert.probability),
        "money": formats.money(alert.money_at_risk, language=language),
        "reasons": [
            reasons.sentence(reason, on) for reason in alert.score.reasons if reason["points"] >= 0
        ][:REASONS_SHOWN],
        "due": formats.day(alert.due_on, today=on + timedelta(days=1), language=language),
        "manager": customer.manager.name if customer.manager else _("nobody yet"),
        "url": settings.SITE_URL + customer.get_absolute_url(),
    }


def _post(to: Staff, on: date, subject: str, template: str, context: dict) -> bool:
    if not to.email:
        return False
    context |= {
        "staff": to,
        "language": to.language,
        "subject": subject,
        "on": formats.day(on, today=on + timedelta(days=1), language=to.language),
        "brand": settings.BRAND,
        "url": settings.SITE_URL + reverse("churn:alert_list"),
    }
    return outbox.post(
        key=f"alerts:{on.isoformat()}:{to.pk}",
        to=to.email,
        subject=subject,
        text=render_to_string(f"churn/mail/{template}.txt", context),
        html=render_to_string(f"churn/mail/{template}.html", context),
        language=to.language,
    )
