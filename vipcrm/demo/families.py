"""Families, assets elsewhere, days to remember and gifts of the demo bank's customers, as their managers noted them."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
from django.utils import timezone

from customers.models import Customer, ExternalAsset, Gift, ImportantDate, Relation
from vipcrm.demo.copying import copy_rows

RECORDED = ("customer_id", "source", "by_id", "at")
BANKS = ("建设银行", "工商银行", "招商银行", "农村信用社", "邮储银行")
CHILDREN = (("小宇", "澜江一小"), ("欣欣", "实验中学"), ("浩浩", "滨江幼儿园"), ("子涵", "澜江三中"))
PARENTS = ("父亲", "母亲", "岳父", "岳母")
GIFTS = (
    ("fruit", "果篮", "春节"),
    ("tea", "六堡茶两饼", "中秋"),
    ("flowers", "鲜花", "生日"),
    ("ticket", "音乐会门票", "客户活动"),
    ("craft", "壮锦挂画", "签约"),
)
REACTIONS = ("很喜欢", "道谢，说不必破费", "转送了家人", "")
SHARE = 0.3
"""Of customers with a manager, those whose family was noted."""


def write_families(rng: np.random.Generator) -> int:
    """Write what managers noted of the families of their customers; return how many relations."""
    now = timezone.now().replace(microsecond=0)
    people = Customer.objects.filter(manager__isnull=False, service_tier__gte=1).order_by("manager", "pk")
    relations, assets, dates, gifts = [], [], [], []
    for (pk, manager, gender), (other, others_manager, others_gender) in pairwise(
        people.values_list("pk", "manager", "gender")
    ):
        if rng.random() >= SHARE:
            continue
        at = now - timedelta(days=int(rng.integers(1, 300)))
        head = (pk, "customer", manager, at.isoformat())
        if manager == others_manager and gender != others_gender and rng.random() < 0.35:
            relations.append((*head, "spouse", other, "", None, "", "", False))
        elif rng.random() < 0.5:
            name, school = CHILDREN[int(rng.integers(len(CHILDREN)))]
            relations.append((*head, "child", None, name, int(rng.integers(2008, 2021)), "", school, True))
        else:
            parent = PARENTS[int(rng.integers(len(PARENTS)))]
            relations.append((*head, "parent", None, parent, int(rng.integers(1945, 1965)), "退休", "", False))
            day = f"{rng.integers(1, 13)}-{rng.integers(1, 30)}"
            dates.append((*head, "family_birthday", parent, day, True))
        if rng.random() < 0.3:
            dates.append((*head, "anniversary", "店庆", f"{rng.integers(1, 13):02}-{rng.integers(1, 29):02}", False))
        if rng.random() < 0.4:
            due = (now + timedelta(days=int(rng.integers(10, 400)))).date()
            kind = ("deposit", "wealth", "insurance")[int(rng.integers(3))]
            amount = int(rng.integers(5, 80)) * 10_000
            assets.append((*head, BANKS[int(rng.integers(len(BANKS)))], kind, amount, due.isoformat()))
        if rng.random() < 0.5:
            kind, what, occasion = GIFTS[int(rng.integers(len(GIFTS)))]
            on = (now - timedelta(days=int(rng.integers(20, 500)))).date()
            cost = int(rng.integers(5, 40)) * 10
            reaction = REACTIONS[int(rng.integers(len(REACTIONS)))]
            gifts.append(
                (pk, "observed", manager, at.isoformat(), kind, what, occasion, on.isoformat(), cost, reaction)
            )
    relation = ("kind", "relative_id", "name", "birth_year", "occupation", "school", "consented")
    copy_rows(Relation, (*RECORDED, *relation), relations)
    copy_rows(ExternalAsset, (*RECORDED, "bank", "kind", "amount", "due_on"), assets)
    copy_rows(ImportantDate, (*RECORDED, "kind", "name", "day", "lunar"), dates)
    copy_rows(Gift, (*RECORDED, "kind", "what", "occasion", "on", "cost", "reaction"), gifts)
    return len(relations)
