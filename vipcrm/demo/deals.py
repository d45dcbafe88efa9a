"""Opportunities of the demo bank, each with the path it took through the pipeline."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from contacts.models import Opportunity
from vipcrm.demo.touches import Managed
from vipcrm.demo.traits import OWNER

PATHS = {
    "new": ("new",),
    "planned": ("new", "planned"),
    "contacted": ("new", "planned", "contacted"),
    "proposed": ("new", "contacted", "proposed"),
    "agreed": ("new", "planned", "contacted", "proposed", "agreed"),
    "on_hold": ("new", "contacted", "on_hold"),
    "won": ("new", "contacted", "proposed", "agreed", "won"),
    "lost": ("new", "contacted", "proposed", "lost"),
}
STAGES = list(PATHS)
STAGE_SHARES = np.array([0.13, 0.11, 0.19, 0.15, 0.07, 0.05, 0.17, 0.13])

TITLES = {
    "cross_sell": (
        ("养老年金", "insurance"), ("家庭保障方案", "insurance"), ("基金定投", "fund"), ("本利丰一年期配置", "wealth"), ("信用卡", "card"),
        ("账户金定投", "gold"), ("时时付活期增值", "wealth"), ("孩子教育金保险", "insurance"), ("装修贷款", "loan"), ("经营贷款", "loan"),
        ("稳健短债配置", "fund"), ("收款设备市场通", "channel"),
    ),
    "upgrade": (("白金升钻石", ""), ("金卡升白金", ""), ("他行到期资金转入", "")),
    "sign_up": (("贵宾签约", ""), ("达标客户办卡", ""), ("代发客户签约", "")),
    "retention": (("大额存单到期续存", ""), ("定期到期承接", ""), ("专属产品留存", ""), ("大额转出挽回", "")),
    "win_back": (("他行资金转回", ""), ("降级客户挽回", "")),
    "acquire": (("同事转介绍开户", ""), ("代发单位新客", "")),
}  # fmt: skip
OF_OWNERS = {"经营贷款", "收款设备市场通"}
AGES = {"养老年金": (35, 68), "孩子教育金保险": (25, 50), "装修贷款": (25, 60), "家庭保障方案": (25, 62)}
"""Business that fits some ages only, [from, to)."""

ACTIONS = {
    "new": ("打第一个电话", "查持仓做准备", "约时间见面"),
    "planned": ("周内电话约见", "带测算表面谈", "请理财顾问一起准备"),
    "contacted": ("发方案到微信", "确认家里意见", "补充收益测算"),
    "proposed": ("跟进方案反馈", "与同业产品对比", "约夫妻一起谈"),
    "agreed": ("等到期日办理", "预约双录", "准备合同资料"),
    "on_hold": ("到恢复日再联系", "等资金回笼"),
}
SMALL = {"card": 10_000, "channel": 1_000}
"""Categories whose business is small, with their step in yuan."""

SOURCES = {
    "acquire": ("manual", "introduction", "list"),
    "sign_up": ("reached", "reached", "manual"),
    "upgrade": ("near_threshold", "reached", "manual"),
    "cross_sell": ("event", "referral", "contact", "list", "manual"),
    "retention": ("churn_alert", "contact", "watch"),
    "win_back": ("downgraded", "downgraded", "manual"),
}
LOST = ("yield", "other_use", "no_need", "elsewhere", "unsuitable", "unreachable", "unwilling", "service")
STEP_NOTES = ("", "", "电话里说清楚了需求", "面谈后推进", "客户同意看方案", "", "已发资料")

COLUMNS = (
    "id", "customer_id", "kind", "title", "owner_id", "source", "category", "stage", "stage_since", "expected_amount",
    "expected_on", "next_action", "next_action_on", "last_touched_on", "resume_on", "lost_reason", "result_amount",
    "closed_on", "created_at",
)  # fmt: skip
HISTORY_COLUMNS = ("opportunity_id", "from_stage", "to_stage", "at", "by_id", "note")


@dataclass
class Prospect:
    """A managed customer as far as business goes: which kinds may come about, and the money in 万."""

    managed: Managed
    kinds: tuple
    wan: int


def draw_deals(rng, prospects: list[Prospect], *, today: date, first_id: int) -> tuple[list, list]:
    """Return rows of Opportunity and of its history; about one in five customers has something, open or closed."""
    rows, steps = [], []
    chosen = np.nonzero(rng.random(len(prospects)) < 0.21)[0].tolist()
    for number, place in enumerate(chosen):
        prospect = prospects[place]
        kind = prospect.kinds[int(rng.integers(len(prospect.kinds)))]
        stage = STAGES[int(rng.choice(len(STAGES), p=STAGE_SHARES))]
        row, path = compose(rng, prospect, kind, stage, today=today, key=first_id + number)
        rows.append(row)
        steps += path
    return rows, steps


def stall(rng) -> int:
    """Return how many days ago an open opportunity was last moved; one in seven has stalled."""
    return int(rng.integers(15, 24) if rng.random() < 0.14 else rng.integers(1, 13))


def suits(title: str, customer: Managed) -> bool:
    """Say whether a piece of business fits the customer's age and living."""
    low, high = AGES.get(title, (0, 200))
    return low <= customer.age < high and (title not in OF_OWNERS or customer.walk == OWNER)


def compose(rng, prospect: Prospect, kind: str, stage: str, *, today: date, key: int) -> tuple[tuple, list]:
    titles = [each for each in TITLES[kind] if suits(each[0], prospect.managed)]
    title, category = titles[int(rng.integers(len(titles)))]
    path = PATHS[stage]
    closed = stage in (Opportunity.Stage.WON, Opportunity.Stage.LOST)
    last = today - timedelta(days=int(rng.integers(1, 150) if closed else stall(rng)))
    days = [last]
    for _step in path[1:]:
        days.append(days[-1] - timedelta(days=int(rng.integers(2, 12))))
    days.reverse()
    owner = prospect.managed.staff_id
    amount = max(1, round(prospect.wan * float(rng.uniform(0.15, 0.6)))) * 10_000
    if category in SMALL:
        amount = SMALL[category] * int(rng.integers(1, 6))
    action = ACTIONS.get(stage, ("",))
    row = (
        key, prospect.managed.customer_id, kind, title, owner, SOURCES[kind][int(rng.integers(len(SOURCES[kind])))], category,
        stage, last, amount, today + timedelta(days=int(rng.integers(2, 40))),
        "" if closed else action[int(rng.integers(len(action)))],
        None if closed else today + timedelta(days=int(rng.integers(-2, 19))),
        last, today + timedelta(days=int(rng.integers(5, 60))) if stage == "on_hold" else None,
        LOST[int(rng.integers(len(LOST)))] if stage == "lost" else "",
        round(amount * float(rng.uniform(0.6, 1.1)), -3) if stage == "won" else None,
        last if closed else None, f"{days[0]} 10:05:00+08",
    )  # fmt: skip
    steps = [
        (key, path[step - 1] if step else "", path[step], f"{day} {9 + step}:{10 + step * 7}:00+08", owner,
         STEP_NOTES[int(rng.integers(len(STEP_NOTES)))] if step else "")
        for step, day in enumerate(days)
    ]  # fmt: skip
    return row, steps
