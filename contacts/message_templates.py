"""The words of messages: edited by one person, approved by another (domain.md §7)."""

import re

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import MessageTemplate
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

Kind, Status = MessageTemplate.Kind, MessageTemplate.Status

COMMON = ("name", "title", "manager", "branch")
PLACES = {
    Kind.BIRTHDAY: COMMON,
    Kind.FESTIVAL: (*COMMON, "festival", "wish"),
    Kind.MATURITY: (*COMMON, "product", "day"),
    Kind.PRODUCT: (*COMMON, "product", "event"),
    Kind.YIELD: (*COMMON, "product", "event"),
}
"""The placeholders that each kind knows."""

LONGEST = 300
PROMISES = ("保本", "保证收益", "无风险", "稳赚", "最高收益")
"""Words that a bank may not write (practice of consumer protection)."""


class TemplateRefused(Refused):
    """These words may not be used; the message says why."""

    code = "template_refused"


def fitting(body: str, places: tuple[str, ...]) -> str:
    """Return the words of a message, trimmed.

    Raises:
        TemplateRefused: nothing is written, it is too long, a placeholder is none of `places`, or a promise that a bank may not make.
    """
    body = body.strip()
    if not body:
        raise TemplateRefused(_("Write the words of the message."))
    if len(body) > LONGEST:
        raise TemplateRefused(_("A message has {n} characters at most.").format(n=LONGEST))
    unknown = [name for name in re.findall(r"\{([^{}]*)\}", body) if name not in places]
    if unknown or body.count("{") != body.count("}"):
        known = " ".join(f"{{{name}}}" for name in places)
        raise TemplateRefused(_("Unknown placeholder; known here are {known}.").format(known=known))
    if promised := [word for word in PROMISES if word in body]:
        raise TemplateRefused(_("A message may not promise: {words}").format(words="、".join(promised)))
    return body


@transaction.atomic
def edit(*, kind: str, body: str, auto_release: bool, by: Staff) -> MessageTemplate:
    """Keep new words for a kind of message, in place of those that waited; they are used once somebody approves them.

    Raises:
        TemplateRefused: nothing is written, a placeholder is unknown, or the words promise what a bank may not.
    """
    body = fitting(body, PLACES[Kind(kind)])
    MessageTemplate.objects.filter(kind=kind, status=Status.DRAFT).update(status=Status.RETIRED)
    made = MessageTemplate.objects.create(kind=kind, body=body, auto_release=auto_release, made_by=by)
    audit.record("template.edited", made, by=by, kind=kind)
    return made


@transaction.atomic
def approve(*, template: MessageTemplate, by: Staff) -> MessageTemplate:
    """Put words into use that somebody else wrote; those used before are kept as history.

    Raises:
        TemplateRefused: they do not wait for approval, or `by` wrote them.
    """
    template = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    if template.status != Status.DRAFT:
        raise TemplateRefused(_("These words do not wait for approval."))
    if template.made_by_id == by.pk:
        raise TemplateRefused(_("Somebody else approves what you wrote."))
    MessageTemplate.objects.filter(kind=template.kind, status=Status.APPROVED).update(status=Status.RETIRED)
    template.status, template.approved_by, template.approved_at = Status.APPROVED, by, timezone.now()
    template.save(update_fields=["status", "approved_by", "approved_at"])
    audit.record("template.approved", template, by=by, kind=template.kind)
    return template
