"""Finding customers by name characters, pinyin, initials, last digits of the mobile, or customer number.

`matching` keeps the rows, `search` ranks the few that a palette shows, `marked` says which characters of
what is shown were meant. Pinyin is `Customer.pinyin`, "shen ya qin": typed letters may stop a syllable at
any point and go on with the next, so that `sya`, `shenyq` and `shenya` all find it.
"""

import re
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_

from django.db.models import Case, IntegerField, Q, Value, When

from customers.models import Customer, SearchKey
from customers.names import pinyin_of
from staff.masking import name_for

MAX_LENGTH = 60
"""What is typed beyond is cut off."""

SEALED = ("id_no", "mobile", "address")
"""What lists never show, so that it is neither read nor decrypted."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_NEXT_SYLLABLE = "(?:[a-z]* )?"


@dataclass(frozen=True)
class Typed:
    """What somebody typed, read: `han` runs of characters, `letters` of pinyin, `digits` alone, a `number` with letters."""

    text: str
    han: tuple[str, ...]
    letters: str
    digits: str
    number: str

    @classmethod
    def read(cls, text: str) -> "Typed":
        """Read it: at most MAX_LENGTH characters; letters are what names and pinyin typed sound like."""
        text = " ".join(text.replace("\x00", "").split())[:MAX_LENGTH]
        han = tuple(_HAN.findall(text))
        sound = pinyin_of(text) if han else text.lower()
        letters = "" if re.search(r"\d", text) else re.sub(r"[^a-z]", "", sound)
        number = text.upper() if re.search(r"\d", text) else ""
        return cls(text, han, letters, number if number.isascii() and number.isdigit() else "", number)

    @property
    def is_word(self) -> bool:
        """Say whether it is a name or its sound and nothing else, for which the index of grams is asked."""
        return bool(self.han) or bool(re.fullmatch(r"[A-Za-z ]+", self.text))

    @property
    def grams(self) -> list[list[str]]:
        """Return the ways in which `SearchKey.grams` of a name that fits may hold it; an exact look follows."""
        if self.han:
            return [[gram for run in self.han for gram in _grams_of_name(run)]]
        sound = [f"i:{self.letters[0]}", *(f"p:{one}{two}" for one, two in pairwise(self.letters))]
        return [sound, _grams_of_name(self.text.lower())]

    @property
    def pattern(self) -> str:
        """Return the letters as a regular expression for `pinyin`, without its anchor; only [a-z] goes in."""
        return _NEXT_SYLLABLE.join(self.letters)


def _grams_of_name(run: str) -> list[str]:
    return [f"n:{one}{two}" for one, two in pairwise(run)] or [f"n:{run}"]


def matching(customers, text: str, viewer):
    """Keep the customers that fit what was typed; those who see names masked find numbers and digits only."""
    typed = Typed.read(text)
    if not typed.text:
        return customers
    if len(typed.digits) >= 4:
        return customers.filter(pk__in=_holding_digits(typed, names=not viewer.sees_names_masked))
    if viewer.sees_names_masked:
        return customers.filter(_numbers(typed))
    if typed.is_word:
        ways = [Q(grams__contains=way) for way in typed.grams]
        customers = customers.filter(pk__in=SearchKey.objects.filter(reduce(or_, ways)).values("pk"))
    return customers.filter(_numbers(typed) | _names(typed))


def _holding_digits(typed: Typed, *, names: bool):
    """Return the keys of those whose number begins so, whose mobile ends so, or whose name holds the digits.

    A union, because an OR over the three would read every customer in sight instead of three indexes.
    """
    ways = [Customer.objects.filter(customer_no__startswith=typed.digits)]
    if len(typed.digits) == 4:
        ways.append(Customer.objects.filter(mobile_last4=typed.digits))
    if names:
        keys = SearchKey.objects.filter(grams__contains=_grams_of_name(typed.digits)).values("pk")
        ways.append(Customer.objects.filter(pk__in=keys, name__contains=typed.digits))
    first, *rest = (way.values("pk") for way in ways)
    return first.union(*rest)


def _numbers(typed: Typed) -> Q:
    wanted = Q(customer_no__startswith=typed.number) if typed.number else Q(pk__in=[])
    if len(typed.digits) == 4:
        wanted |= Q(mobile_last4=typed.digits)
    return wanted


def _names(typed: Typed) -> Q:
    if not typed.han:
        by_sound = Q(pinyin__regex=f"(^| ){typed.pattern}") if typed.letters else Q(pk__in=[])
        return by_sound | Q(name__icontains=typed.text)
    by_name = Q(name__contains=typed.text)
    if "".join(typed.han) == typed.text.replace(" ", ""):
        return by_name
    mixed = Q(pinyin__regex=f"(^| ){typed.pattern}")
    for run in typed.han:
        mixed &= Q(name__contains=run)
    return by_name | mixed


def search(viewer, text: str, limit: int) -> list[Customer]:
    """Return the best hits among the customers the viewer may see: what begins so first, then by AUM."""
    typed = Typed.read(text)
    if not typed.text:
        return []
    begins = Q(customer_no=typed.number)
    if not viewer.sees_names_masked:
        begins |= Q(name__startswith=typed.text)
        if typed.letters and not typed.han:
            begins |= Q(pinyin__regex=f"^{typed.pattern}")
    seen = Customer.objects.visible_to(viewer)
    hits = matching(seen, text, viewer)
    if typed.number:
        # The number of a record that another took over leads to the one that stayed.
        stayed = Customer.objects.filter(customer_no=typed.number, merged_into__isnull=False).values("merged_into")
        hits = hits | seen.filter(pk__in=stayed) if stayed.exists() else hits
    place = Case(When(begins, then=Value(0)), default=Value(1), output_field=IntegerField())
    return list(hits.defer(*SEALED).order_by(place, "-aum", "-pk")[:limit])


@dataclass(frozen=True)
class Hit:
    """A customer found: the parts of the name and of what else matched, each (text, is marked)."""

    customer: Customer
    name: list[tuple[str, bool]]
    note: list[tuple[str, bool]]


def hits(viewer, text: str, limit: int) -> list[Hit]:
    """Return the best hits, each with what matched marked."""
    typed = Typed.read(text)
    return [_hit(customer, typed, viewer) for customer in search(viewer, text, limit)]


def _hit(customer: Customer, typed: Typed, viewer) -> Hit:
    name = name_for(viewer, customer.name)
    if typed.number and customer.customer_no.startswith(typed.number):
        return Hit(customer, [(name, False)], marked(customer.customer_no, range(len(typed.text))))
    if typed.digits and customer.mobile_last4 == typed.digits:
        shown = customer.mobile_masked
        return Hit(customer, [(name, False)], marked(shown, range(len(shown) - 4, len(shown))))
    places = _places(name, typed)
    note = marked(customer.pinyin.title(), sounding(customer.pinyin, typed)) if typed.letters and not places else []
    return Hit(customer, marked(name, places), note)


def _places(name: str, typed: Typed) -> set[int]:
    """Return which characters of the name were typed as such."""
    found: set[int] = set()
    for run in typed.han or (typed.text,):
        start = name.lower().find(run.lower())
        if start >= 0:
            found |= set(range(start, start + len(run)))
    return found


def sounding(pinyin: str, typed: Typed) -> set[int]:
    """Return which letters of the pinyin were typed: for `sya` the s, y and a of "shen ya qin"."""
    grouped = _NEXT_SYLLABLE.join(f"({letter})" for letter in typed.letters)
    found = re.search(f"(?:^| ){grouped}", pinyin)
    return {found.start(n) for n in range(1, len(typed.letters) + 1)} if found else set()


def marked(text: str, places) -> list[tuple[str, bool]]:
    """Cut a text into parts that are marked and parts that are not: [("Sh", True), ("en", False)]."""
    places, parts = set(places), []
    for at, character in enumerate(text):
        if parts and parts[-1][1] == (at in places):
            parts[-1] = (parts[-1][0] + character, parts[-1][1])
        else:
            parts.append((character, at in places))
    return parts
