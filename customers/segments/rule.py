"""A segment's rule: and, or, not over conditions; kept as JSON, run as one SQL condition, judged in Python for one customer.

{"all": [rule, …]}   {"any": [rule, …]}   {"not": rule}
{"field": "hobby", "op": "in", "value": ["掼蛋"], "least": 2}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customers.models import ConsentRecord, Customer, Hobby, ProfileValue, Resource
from customers.segments.dimensions import BY_CODE, Dimension
from customers.segments.kinds import OPS, BadValue, Facts
from staff.refusal import Refused

DEEPEST, MOST_CONDITIONS = 5, 30


class RuleRefused(Refused):
    """The rule cannot be read; the message names the place and what is asked for."""

    code = "rule_refused"


@dataclass(frozen=True)
class Condition:
    """One condition on one dimension."""

    dimension: Dimension
    op: str
    value: object
    least: int | None = None

    def q(self, on: date) -> Q:
        return self.dimension.kind.q(self.op, self.value, self.least, on)

    def test(self, facts: Facts, on: date) -> bool:
        return bool(self.dimension.kind.test(facts, self.op, self.value, self.least, on))

    def words(self) -> str:
        said = self.dimension.kind.words(self.op, self.value, self.least)
        return " ".join(str(part) for part in (self.dimension.label, OPS[self.op], said) if part)

    def as_json(self) -> dict:
        written = {"field": self.dimension.code, "op": self.op, "value": self.value}
        return written | ({"least": self.least} if self.least else {})


@dataclass(frozen=True)
class Not:
    part: "Rule"

    def q(self, on: date) -> Q:
        return ~self.part.q(on)

    def test(self, facts: Facts, on: date) -> bool:
        return not self.part.test(facts, on)

    def words(self) -> str:
        return pgettext("rule", "not ({words})").format(words=self.part.words())

    def as_json(self) -> dict:
        return {"not": self.part.as_json()}


@dataclass(frozen=True)
class Several:
    """All of some rules, or any of them; `every` says which."""

    every: bool
    parts: tuple["Rule", ...]

    def q(self, on: date) -> Q:
        found = self.parts[0].q(on)
        for part in self.parts[1:]:
            found = found & part.q(on) if self.every else found | part.q(on)
        return found

    def test(self, facts: Facts, on: date) -> bool:
        judge = all if self.every else any
        return judge(part.test(facts, on) for part in self.parts)

    def words(self) -> str:
        if len(self.parts) == 1:
            return self.parts[0].words()
        joint = pgettext("rule", " and ") if self.every else pgettext("rule", " or ")
        said = (part.words() for part in self.parts)
        return joint.join(f"({words})" if _joins(part) else words for part, words in zip(self.parts, said, strict=True))

    def as_json(self) -> dict:
        return {"all" if self.every else "any": [part.as_json() for part in self.parts]}


def _joins(rule) -> bool:
    return isinstance(rule, Several) and len(rule.parts) > 1


Rule = Condition | Not | Several


def parse(data) -> Rule:
    """Return the rule that JSON holds.

    Raises:
        RuleRefused: the place and the fault, in words.
    """
    rule = _parse(data, "rule", 1)
    if sum(1 for _condition in conditions(rule)) > MOST_CONDITIONS:
        raise RuleRefused(_("A rule has at most %(most)d conditions.") % {"most": MOST_CONDITIONS})
    return rule


def _parse(data, place: str, depth: int) -> Rule:
    if depth > DEEPEST:
        raise _refused(place, _("rules nest at most %(most)d deep") % {"most": DEEPEST})
    if not isinstance(data, dict):
        raise _refused(place, _("a condition or a group is missing"))
    for word in ("all", "any"):
        if data.keys() == {word}:
            parts = data[word]
            if not isinstance(parts, list) or not parts:
                raise _refused(f"{place}.{word}", _("the group has no condition"))
            read = (_parse(part, f"{place}.{word}[{number}]", depth + 1) for number, part in enumerate(parts))
            return Several(word == "all", tuple(read))
    if data.keys() == {"not"}:
        return Not(_parse(data["not"], f"{place}.not", depth + 1))
    return _condition(data, place)


def _condition(data: dict, place: str) -> Condition:
    unknown = data.keys() - {"field", "op", "value", "least"}
    if unknown or "field" not in data:
        raise _refused(place, _("a condition has field, op and value"))
    code = data["field"]
    dimension = BY_CODE.get(code) if isinstance(code, str) else None
    if dimension is None:
        raise _refused(f"{place}.field", _("there is no dimension “%(code)s”") % {"code": str(code)[:40]})
    op = data.get("op")
    if op not in dimension.kind.ops:
        raise _refused(f"{place}.op", _("“%(label)s” is compared by: %(ops)s") % {
            "label": dimension.label, "ops": ", ".join(dimension.kind.ops),
        })  # fmt: skip
    try:
        value, least = dimension.kind.read(op, data.get("value"), data.get("least"))
    except BadValue as fault:
        raise _refused(f"{place}.value", f"{dimension.label}: {fault}") from None
    return Condition(dimension, op, value, least)


def _refused(place: str, fault: str) -> RuleRefused:
    return RuleRefused(_("%(fault)s (at %(place)s)") % {"place": place, "fault": fault})


def conditions(rule: Rule) -> Iterator[Condition]:
    """Yield the conditions of a rule, in its order."""
    if isinstance(rule, Condition):
        yield rule
    elif isinstance(rule, Not):
        yield from conditions(rule.part)
    else:
        for part in rule.parts:
            yield from conditions(part)


def facts_of(customers: list[Customer]) -> dict[int, Facts]:
    """Return {pk: Facts} of some customers, in five queries."""
    pks = [customer.pk for customer in customers]
    found = {customer.pk: Facts(customer) for customer in customers}
    for row in ProfileValue.objects.current().filter(customer__in=pks):
        found[row.customer_id].profile[row.field] = row.value
    for hobby in Hobby.objects.current().filter(customer__in=pks):
        found[hobby.customer_id].hobbies[hobby.word] = hobby.level
    for row in Resource.objects.current().filter(customer__in=pks):
        side = found[row.customer_id].needs if row.direction == "need" else found[row.customer_id].offers
        side[row.word] = row.urgency
    newest = ConsentRecord.objects.filter(customer__in=pks).order_by("customer", "purpose", "channel", "-at", "-id")
    for consent in newest.distinct("customer", "purpose", "channel"):
        if consent.granted:
            found[consent.customer_id].consents.add(consent.purpose)
    return found
