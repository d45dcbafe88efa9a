"""The personal archives of the demo bank: what managers wrote down of their customers, more of some than of others."""

import json
from datetime import timedelta

import numpy as np
from django.utils import timezone

from customers.archive import completeness
from customers.archive.fields import (
    Education,
    Experience,
    Goal,
    GoodTime,
    Horizon,
    IncomeBand,
    MaritalStatus,
    Occupation,
    Orientation,
    Temperament,
    Way,
)
from customers.archive.interests import HOBBIES, RESOURCES
from customers.models import ConsentRecord, Customer, Hobby, ProfileValue, Resource, Source
from vipcrm.demo.copying import copy_rows

RECORDED = ("customer_id", "source", "by_id", "at")
CHOICES = {
    "occupation_class": (Occupation, 0.75), "temperament": (Temperament, 0.6), "orientation": (Orientation, 0.5),
    "education": (Education, 0.4), "marital_status": (MaritalStatus, 0.55), "income_band": (IncomeBand, 0.3),
    "experience": (Experience, 0.5), "horizon": (Horizon, 0.45), "payment_ability": (IncomeBand, 0.2),
}  # fmt: skip
SEVERAL = {"goals": (Goal, 0.4), "contact_ways": (Way, 0.6), "good_times": (GoodTime, 0.5)}
TEXTS = {
    "post": (("总经理", "财务主管", "工程师", "教师", "店主", "科长"), 0.35),
    "industry": (("建材", "物流", "服装", "教育", "医疗", "制造", "餐饮"), 0.35),
    "native_place": (("南宁", "柳州", "桂林", "玉林", "广州", "长沙"), 0.3),
    "likes_taboos": (("爱喝六堡茶", "不接午间电话", "不喜欢推销", "讲究排场", "忌烟酒"), 0.25),
    "car": (("自有轿车一辆", "两辆商务车"), 0.15),
}
GRANTED = 0.85


def write_archives(rng: np.random.Generator) -> int:
    """Write archives of those who have a manager, and consents of everybody; return how many values."""
    now = timezone.now().replace(microsecond=0)
    people = list(Customer.objects.order_by("pk").values_list("pk", "manager_id"))
    diligence = rng.beta(2, 1.6, len(people)).tolist()
    values, hobbies, resources, consents = [], [], [], []
    for (pk, manager), care in zip(people, diligence, strict=True):
        at = now - timedelta(days=int(rng.integers(1, 400)))
        consents += _consents(rng, pk, manager, at)
        if manager is None:
            continue
        head = (pk, _source(rng), manager, at.isoformat())
        values += [(*head, code, json.dumps(value, ensure_ascii=False), b"") for code, value in _values(rng, care)]
        if rng.random() < care:
            for word in rng.choice(HOBBIES, rng.integers(1, 4), replace=False).tolist():
                hobbies.append((*head, word, int(rng.integers(1, 4)), bool(rng.random() < 0.06)))
        if rng.random() < care * 0.6:
            word = str(rng.choice(RESOURCES))
            resources.append((*head, "need" if rng.random() < 0.75 else "offer", word, int(rng.integers(1, 4)), ""))
    copy_rows(ProfileValue, (*RECORDED, "field", "value", "sealed"), values)
    copy_rows(Hobby, (*RECORDED, "word", "level", "earns"), hobbies)
    copy_rows(Resource, (*RECORDED, "direction", "word", "urgency", "note"), resources)
    copy_rows(ConsentRecord, ("customer_id", "by_id", "at", "purpose", "channel", "granted", "evidence"), consents)
    for branch in Customer.objects.order_by().values_list("branch", flat=True).distinct():
        completeness.refresh_branch(branch_id=branch, on=now.date())
    return len(values)


def _source(rng) -> str:
    return Source.CUSTOMER.value if rng.random() < 0.8 else Source.OBSERVED.value


def _values(rng, care: float):
    """Yield (field, value) of one archive; `care`, 0–1, is how much its manager writes down."""
    for code, (choices, share) in CHOICES.items():
        if rng.random() < share * care * 1.6:
            yield code, str(rng.choice(choices.values))
    for code, (choices, share) in SEVERAL.items():
        if rng.random() < share * care * 1.6:
            chosen = set(rng.choice(choices.values, rng.integers(1, 3), replace=False).tolist())
            yield code, [value for value in choices.values if value in chosen]
    for code, (words, share) in TEXTS.items():
        if rng.random() < share * care * 1.6:
            yield code, str(rng.choice(words))


def _consents(rng, pk: int, manager, at):
    for purpose, channels in (
        ("care", ("phone", "sms")),
        ("marketing", ("phone", "sms", "wechat")),
        ("activity", ("wechat",)),
    ):
        granted = bool(rng.random() < GRANTED)
        if rng.random() < 0.9:
            for channel in channels:
                yield pk, manager, at.isoformat(), purpose, channel, granted, "签约表" if granted else ""
