"""Hobbies, and resources that a customer needs or could offer: rows that begin and end, the words from a short list."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.archive import completeness
from customers.archive.values import ArchiveRefused
from customers.models import Customer, Hobby, Resource, Source
from staff import audit
from staff.models import Staff

HOBBIES = (
    "掼蛋",
    "手机摄影",
    "健身",
    "宠物",
    "短视频",
    "真人游戏",
    "茶",
    "书画",
    "户外",
    "高尔夫",
    "亲子",
    "音乐",
    "旅行",
    "美食",
)
RESOURCES = ("教育", "医疗", "商机人脉", "行业资讯", "法律税务", "养老", "出国", "传承")
"""The words of 004_0ca334b7bfb9fad3.txt and of practice (domain.md §12)."""


@transaction.atomic
def add_hobby(*, customer: Customer, word: str, level: int, earns: bool, source: Source, by: Staff) -> Hobby:
    """Note a hobby; a hobby that is there already is ended and written anew.

    Raises:
        ArchiveRefused: the word is not on the list.
    """
    if word not in HOBBIES:
        raise ArchiveRefused(_("“{word}” is not on the list.").format(word=word[:20]))
    Hobby.objects.current().filter(customer=customer, word=word).update(ended_at=timezone.now())
    return _kept(Hobby(customer=customer, word=word, level=level, earns=earns, source=source, by=by), "hobbies")


@transaction.atomic
def add_resource(
    *, customer: Customer, direction: str, word: str, urgency: int, note: str, source: Source, by: Staff
) -> Resource:
    """Note a resource that a customer needs or offers, as with hobbies.

    Raises:
        ArchiveRefused: the word is not on the list.
    """
    if word not in RESOURCES:
        raise ArchiveRefused(_("“{word}” is not on the list.").format(word=word[:20]))
    Resource.objects.current().filter(customer=customer, direction=direction, word=word).update(ended_at=timezone.now())
    row = Resource(customer=customer, direction=direction, word=word, urgency=urgency, note=note, source=source, by=by)
    return _kept(row, "resource_needs")


def _kept(row, field: str):
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise ArchiveRefused(_("A colleague has just noted the same.")) from None
    completeness.refresh_customer(customer_id=row.customer_id)
    audit.record("archive.changed", row.customer, by=row.by, field=field, added=row.word)
    return row


@transaction.atomic
def end(*, row: Hobby | Resource, by: Staff) -> None:
    """End a hobby or a resource; ended twice is ended once."""
    ended = type(row).objects.current().filter(pk=row.pk).update(ended_at=timezone.now())
    if ended:
        completeness.refresh_customer(customer_id=row.customer_id)
        field = "hobbies" if isinstance(row, Hobby) else "resource_needs"
        audit.record("archive.changed", row.customer, by=by, field=field, removed=row.word)
