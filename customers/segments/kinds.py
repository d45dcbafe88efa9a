"""The kinds of dimension: each says how a condition is read, written as SQL, and judged in Python, side by side.

A condition is (op, value, least). `q` and `test` give the same answer for everybody; what is not known fulfils
nothing. Days are the bank's days, money is in 10,000 yuan.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from customers.models import Hobby, ProfileValue, Resource
from customers.relative_dates import Relative, unreadable, years_before
from staff.formats import WAN

OPS = {
    "in": pgettext_lazy("condition", "is any of"),
    "from": pgettext_lazy("condition", "from"),
    "below": pgettext_lazy("condition", "below"),
    "when": pgettext_lazy("condition", "is"),
    "is": "",
}
"""How each comparison is read aloud."""


class BadValue(ValueError):
    """A condition's value cannot be read; the message says what is asked for."""


@dataclass(frozen=True)
class Choice:
    """Any of some codes. The three functions say what a customer has: SQL, Python, and the codes with their labels.

    `codes`: read at the time of use, for labels are translated then. `scale`: labels of levels, where the condition
    may ask for a least one.
    """

    codes: Callable[[], Mapping[str, str]]
    having: Callable  # (codes, least, on) -> Q
    has: Callable  # (facts, codes, least, on) -> bool
    scale: tuple = ()
    ops: tuple = ("in",)

    def read(self, op, value, least):
        known = self.codes()
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one in known for one in value):
            raise BadValue(_("choose one or more of: %(words)s") % {"words": "、".join(map(str, known.values()))})
        if least is not None and not (self.scale and isinstance(least, int) and 1 <= least <= len(self.scale)):
            raise BadValue(_("this level does not exist"))
        return [code for code in known if code in value], least

    def q(self, op, value, least, on):
        return self.having(value, least, on)

    def test(self, facts, op, value, least, on):
        return self.has(facts, value, least, on)

    def words(self, op, value, least):
        known = self.codes()
        said = "、".join(str(known.get(code, code)) for code in value)
        return f"{said}（{self.scale[least - 1]}+）" if least and least > 1 else said


@dataclass(frozen=True)
class Number:
    """A number at or above, or below, a limit; `unit` is its word, `scale` what one of it is in the column."""

    read_column: Callable  # facts -> number or None
    column: str
    unit: object = ""
    scale: int = 1
    least: int = 0
    most: int = 10**9
    ops: tuple = ("from", "below")

    def read(self, op, value, least):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and self.least <= number <= self.most and number == round(number, 2)):
            span = {"least": self.least, "most": f"{self.most:,}"}
            raise BadValue(_("give a number from %(least)s to %(most)s") % span)
        return f"{number.normalize():f}", None

    def q(self, op, value, least, on):
        limit = Decimal(value) * self.scale
        return Q(**{f"{self.column}__{'gte' if op == 'from' else 'lt'}": limit})

    def test(self, facts, op, value, least, on):
        number = self.read_column(facts)
        limit = Decimal(value) * self.scale
        return number is not None and (number >= limit if op == "from" else number < limit)

    def words(self, op, value, least):
        return f"{value} {self.unit}".strip()


@dataclass(frozen=True)
class Age(Number):
    """Whole years of age by the birth date."""

    def read(self, op, value, least):
        value, least = super().read(op, value, least)
        if "." in value:
            raise BadValue(_("give whole years"))
        return value, least

    def q(self, op, value, least, on):
        born = years_before(on, int(value))
        return Q(**{f"birth_date__{'lte' if op == 'from' else 'gt'}": born})

    def test(self, facts, op, value, least, on):
        born = facts.customer.birth_date
        if born is None:
            return False
        limit = years_before(on, int(value))
        return born <= limit if op == "from" else born > limit


@dataclass(frozen=True)
class Day:
    """A day of a column, seen from today as the filters of the list write it: last30, over90, next7, week, never."""

    column: str
    ops: tuple = ("when",)

    def read(self, op, value, least):
        try:
            return str(Relative.read(str(value))), None
        except ValueError:
            raise BadValue(unreadable()) from None

    def q(self, op, value, least, on):
        return Relative.read(value).condition(self.column, on)

    def test(self, facts, op, value, least, on):
        return Relative.read(value).covers(getattr(facts.customer, self.column), on)

    def words(self, op, value, least):
        return Relative.read(value).words


@dataclass(frozen=True)
class Flag:
    """Something that is so or not; "not so" is the condition's negation."""

    column: str
    ops: tuple = ("is",)

    def read(self, op, value, least):
        if value is not True:
            raise BadValue(_("say true, and negate the condition for the opposite"))
        return True, None

    def q(self, op, value, least, on):
        return Q(**{self.column: True})

    def test(self, facts, op, value, least, on):
        return bool(getattr(facts.customer, self.column))

    def words(self, op, value, least):
        return ""


@dataclass(frozen=True)
class Tags:
    """Any of some tags, which are words of the branch and not a list of ours."""

    ops: tuple = ("in",)

    def read(self, op, value, least):
        fits = isinstance(value, list) and 0 < len(value) <= 10
        if not (fits and all(isinstance(one, str) and 0 < len(one) <= 20 for one in value)):
            raise BadValue(_("give one to ten tags"))
        return sorted(set(value)), None

    def q(self, op, value, least, on):
        return Q(tags__overlap=value)

    def test(self, facts, op, value, least, on):
        return bool({*facts.customer.tags} & {*value})

    def words(self, op, value, least):
        return "、".join(value)


# --- Choices by where they are kept ----------------------------------------------------------------


def _of(choices) -> Callable[[], Mapping[str, str]]:
    pairs = getattr(choices, "choices", choices)
    return lambda: {str(code): label for code, label in pairs}


def in_column(column: str, choices, stored: Mapping | None = None) -> Choice:
    """Return a choice of a column that holds one value; `stored` maps codes to what the column keeps."""

    def kept(codes):
        return [stored[code] if stored else code for code in codes]

    return Choice(
        _of(choices),
        having=lambda codes, least, on: Q(**{f"{column}__in": kept(codes)}),
        has=lambda facts, codes, least, on: getattr(facts.customer, column) in kept(codes),
    )


def in_array(column: str, choices) -> Choice:
    """Return a choice of an array column: any of the codes."""
    return Choice(
        _of(choices),
        having=lambda codes, least, on: Q(**{f"{column}__overlap": codes}),
        has=lambda facts, codes, least, on: bool({*getattr(facts.customer, column)} & {*codes}),
    )


def in_marks(choices) -> Choice:
    """Return a choice of the categories of products held."""

    def having(codes, least, on):
        found = Q(pk__in=[])
        for code in codes:
            found |= Q(product_marks__contains=code)
        return found

    return Choice(
        _of(choices),
        having=having,
        has=lambda facts, codes, least, on: bool({*facts.customer.product_marks.split()} & {*codes}),
    )


def told(name: str, choices, *, several: bool = False) -> Choice:
    """Return a choice of a field of the archive; `several` where it keeps a list of codes."""

    def having(codes, least, on):
        rows = ProfileValue.objects.current().filter(customer=OuterRef("pk"), field=name)
        if not several:
            return Q(Exists(rows.filter(value__in=codes)))
        any_of = Q(pk__in=[])
        for code in codes:
            any_of |= Q(value__contains=[code])
        return Q(Exists(rows.filter(any_of)))

    def has(facts, codes, least, on):
        value = facts.profile.get(name)
        return bool({*(value or [])} & {*codes}) if several else value in codes

    return Choice(_of(choices), having=having, has=has)


def noted(model: type[Hobby] | type[Resource], words, scale, facts_name: str, **fixed) -> Choice:
    """Return a choice of words of hobbies or resources, with the least level (or urgency) where one is asked."""
    level = "level" if model is Hobby else "urgency"

    def having(codes, least, on):
        rows = model.objects.current().filter(customer=OuterRef("pk"), word__in=codes, **fixed)
        return Q(Exists(rows.filter(**{f"{level}__gte": least}) if least else rows))

    def has(facts, codes, least, on):
        held = getattr(facts, facts_name)
        return any(word in held and held[word] >= (least or 0) for word in codes)

    return Choice(_of([(word, word) for word in words]), having=having, has=has, scale=tuple(scale))


@dataclass(frozen=True)
class Facts:
    """What Python judges a rule by: the customer's row and what the archive holds now.

    `profile`: {field: value}; `hobbies`, `needs`, `offers`: {word: level or urgency}; `consents`: purposes granted.
    """

    customer: object
    profile: dict = field(default_factory=dict)
    hobbies: dict = field(default_factory=dict)
    needs: dict = field(default_factory=dict)
    offers: dict = field(default_factory=dict)
    consents: set = field(default_factory=set)


def wan(column: str, **limits) -> Number:
    """Return a number of a money column, in 10,000 yuan."""
    return Number(
        lambda facts: getattr(facts.customer, column), column, unit=gettext_lazy("10,000 yuan"), scale=WAN, **limits
    )


class Change(Number):
    """The change of AUM over 30 days, percent."""

    def q(self, op, value, least, on):
        edge = F("aum_30d_before") * (1 + Decimal(value) / 100)
        return Q(aum_30d_before__gt=0) & Q(**{f"aum__{'gte' if op == 'from' else 'lt'}": edge})

    def test(self, facts, op, value, least, on):
        before = facts.customer.aum_30d_before
        if not before:
            return False
        edge = before * (1 + Decimal(value) / 100)
        return facts.customer.aum >= edge if op == "from" else facts.customer.aum < edge
