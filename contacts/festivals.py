"""The festivals on which customers are greeted, and for whom each is (domain.md §8). Pure but for the condition."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from django.db.models import Exists, OuterRef, Q
from lunar_python import Lunar

from customers.models import Relation


@dataclass(frozen=True)
class Festival:
    """One festival: its day in the solar or the lunar calendar, what is wished, and the audience ("" for everybody)."""

    name: str
    month: int
    day: int
    lunar: bool = False
    is_major: bool = False
    wish: str = "快乐"
    audience: str = ""

    def on(self, year: int) -> date:
        """Return its day in a solar year; a lunar festival is of the lunar year that begins in it."""
        if not self.lunar:
            return date(year, self.month, self.day)
        solar = Lunar.fromYmd(year, self.month, self.day).getSolar()
        return date(solar.getYear(), solar.getMonth(), solar.getDay())


FESTIVALS = (
    Festival("元旦", 1, 1),
    Festival("春节", 1, 1, lunar=True, is_major=True),
    Festival("元宵节", 1, 15, lunar=True),
    Festival("妇女节", 3, 8, audience="women"),
    Festival("劳动节", 5, 1, is_major=True),
    Festival("端午节", 5, 5, lunar=True, is_major=True, wish="安康"),
    Festival("儿童节", 6, 1, audience="parents"),
    Festival("七夕", 7, 7, lunar=True),
    Festival("中秋节", 8, 15, lunar=True, is_major=True),
    Festival("教师节", 9, 10, audience="teachers"),
    Festival("国庆节", 10, 1, is_major=True),
    Festival("重阳节", 9, 9, lunar=True, wish="安康", audience="elders"),
)
"""清明 has no greeting; 端午 and 重阳 wish health (domain.md §8)."""

MAJOR_LEAD, OTHER_LEAD, ELDER_AGE = 7, 3, 60


@cache
def festival_on(day: date) -> Festival | None:
    """Return the festival kept on a day, the major one where two fall together."""
    found = [one for one in FESTIVALS if one.on(day.year) == day]
    return max(found, key=lambda one: one.is_major, default=None)


def coming(day: date) -> list[tuple[date, Festival]]:
    """Return the festivals that stand in view from a day: major ones seven days ahead, others three."""
    ahead = ((day + timedelta(days=n), n) for n in range(MAJOR_LEAD + 1))
    found = [(on, one, n) for on, n in ahead if (one := festival_on(on))]
    return [(on, one) for on, one, n in found if n <= (MAJOR_LEAD if one.is_major else OTHER_LEAD)]


def audience_of(festival: Festival, on: date) -> Q:
    """Return whom a festival is for, as a condition on customers."""
    match festival.audience:
        case "women":
            return Q(gender="f")
        case "parents":
            return Q(Exists(Relation.objects.current().filter(customer=OuterRef("pk"), kind="child")))
        case "teachers":
            return Q(occupation__contains="教师") | Q(occupation__contains="老师")
        case "elders":
            return Q(birth_date__lte=on.replace(year=on.year - ELDER_AGE))
    return Q()
