"""Who the demo bank's customers are: names, births, papers, addresses, jobs, tastes. Drawn with numpy, no database."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from lunar_python import LunarYear, Solar

from vipcrm.demo import lives
from vipcrm.demo.names import Names
from vipcrm.demo.traits import FARMER, HOME, OWNER, PROFESSIONAL, RETIRED, SALARIED

AGES = {
    SALARIED: (25, 59),
    OWNER: (27, 66),
    RETIRED: (57, 86),
    PROFESSIONAL: (29, 61),
    HOME: (27, 60),
    FARMER: (30, 70),
}
MOBILES = (138, 139, 135, 136, 137, 150, 151, 158, 159, 182, 187, 188, 130, 131, 186, 133, 153, 180, 189, 177, 176, 199)
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
CARE = ("老年绿色通道", "听力不便，请慢些说", "轮椅通道", "视力不便，请大字材料")

_JOBS = {
    walk: [tuple(entry.split("|")) for entry in text.split()]
    if walk != HOME
    else [tuple(entry.split("|")) for entry in text.split(" ")]
    for walk, text in lives.JOBS.items()
}
_TRADES = [tuple(entry.split("|")) for entry in lives.TRADES.split()]
_FIRMS, _ESTATES = lives.FIRM_WORDS.split(), lives.ESTATES.split()
_HOBBIES, _PREFERENCES = lives.HOBBIES.split(), lives.PREFERENCES.split()
_STREETS = {district: (code, roads.split()) for district, (code, roads) in lives.STREETS.items()}
_DISTRICTS = list(_STREETS)


@dataclass
class Person:
    """One invented person. Papers are in clear here and sealed when written."""

    name: str
    gender: str
    birth_date: date
    lunar_birthday: str
    id_no: str
    mobile: str
    address: str
    occupation: str
    employer: str
    tags: list = field(default_factory=list)
    needs: str = ""
    low_disturb: bool = False
    special_care: str = ""
    risk_grade: int | None = None
    risk_assessed_on: date | None = None


def check_digit(number: str) -> str:
    """Return the last character of a Chinese identity number from its first 17 digits (GB 11643)."""
    return ID_CHECKS[sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=True)) % 11]


def lunar_birthday(born: date) -> str:
    """Return month-day of the lunar calendar, the month negative in a leap month."""
    begins, month = [entry for entry in _lunar_months(born.year) if entry[0] <= born.toordinal()][-1]
    return f"{month}-{born.toordinal() - begins + 1}"


@lru_cache(maxsize=256)
def _lunar_months(year: int) -> list[tuple[int, int]]:
    """Return (ordinal of the first day, month) of the lunar months that begin up to the end of a solar year."""
    months = [month for lunar in (year - 1, year) for month in LunarYear.fromYear(lunar).getMonthsInYear()]
    return [(_ordinal(Solar.fromJulianDay(month.getFirstJulianDay())), month.getMonth()) for month in months]


def _ordinal(solar: Solar) -> int:
    return date(solar.getYear(), solar.getMonth(), solar.getDay()).toordinal()


def draw_births(rng, walk, today: date) -> list[date]:
    """Return dates of birth by walk of life; some have their birthday today or in the days to come."""
    low, high = np.array([AGES[number] for number in range(6)]).T
    days = rng.integers(low[walk] * 365, high[walk] * 365)
    births = [today - timedelta(days=int(day)) for day in days]
    for place in np.nonzero(rng.random(len(walk)) < 0.03)[0]:
        coming = today + timedelta(days=int(rng.integers(0, 8)))
        births[place] = date(births[place].year, coming.month, min(coming.day, 28) if coming.month == 2 else coming.day)
    return births


def draw_people(rng, names: Names, walk, *, today: date, district: list[str]) -> list[Person]:
    """Draw one person for each walk of life.

    Args:
        walk: (n,) numbers of vipcrm.demo.traits.
        district: (n,) the district in which each lives.
    """
    n = len(walk)
    female = rng.random(n) < np.where(walk == HOME, 0.93, np.where(walk == OWNER, 0.4, 0.5))
    births = draw_births(rng, walk, today)
    full_names = names.draw(rng, female, np.array([born.year for born in births]))
    picks = rng.integers(0, 2**31, (16, n)).T.tolist()
    chances = rng.random((8, n)).T.tolist()
    assessed = rng.integers(3, 470, n).tolist()
    return [
        compose(
            full_names[place], bool(female[place]), births[place], int(walk[place]), district[place], today,
            pick=picks[place], chance=chances[place], assessed=assessed[place],
        )
        for place in range(n)
    ]  # fmt: skip


def compose(name, female, born, walk, district, today, *, pick, chance, assessed) -> Person:
    code, roads = _STREETS[district]
    number = f"{code}{born:%Y%m%d}{pick[0] % 499 * 2 + (0 if female else 1):03d}"
    occupation, employer = job(walk, name, pick)
    age = (today - born).days // 365
    return Person(
        name=name,
        gender="f" if female else "m",
        birth_date=born,
        lunar_birthday=lunar_birthday(born) if chance[0] < (0.3 if age > 50 else 0.08) else "",
        id_no=number + check_digit(number),
        mobile=f"{MOBILES[pick[1] % len(MOBILES)]}{pick[2] % 10**8:08d}",
        address=f"澜江市{district}{roads[pick[3] % len(roads)]} {pick[4] % 188 + 1} 号"
        f"{_ESTATES[pick[5] % len(_ESTATES)]} {pick[6] % 18 + 1} 栋 {pick[7] % 30 + 1:d}0{pick[8] % 4 + 1}",
        occupation=occupation,
        employer=employer,
        tags=tags(pick, chance),
        low_disturb=chance[1] < 0.045,
        special_care=CARE[pick[9] % len(CARE)] if age > 74 and chance[2] < 0.35 else "",
        risk_grade=risk_grade(walk, chance[3]),
        risk_assessed_on=today - timedelta(days=assessed) if risk_grade(walk, chance[3]) else None,
    )


def job(walk: int, name: str, pick) -> tuple[str, str]:
    """Return occupation and employer."""
    if walk == OWNER:
        trade, ending = _TRADES[pick[10] % len(_TRADES)]
        brand = name[-2:] if pick[11] % 3 == 0 and len(name) > 2 else _FIRMS[pick[11] % len(_FIRMS)]
        return trade, f"{brand}{ending}" + ("有限公司" if pick[12] % 3 == 0 else "")
    jobs = _JOBS[walk]
    return jobs[pick[10] % len(jobs)]


def tags(pick, chance) -> list[str]:
    """Return a few words on how somebody is and what he likes."""
    found = []
    if chance[4] < 0.45:
        found.append(lives.TEMPERS.split()[pick[13] % 5])
    if chance[5] < 0.6:
        found.append(_HOBBIES[pick[14] % len(_HOBBIES)])
    if chance[5] < 0.22:
        found.append(_HOBBIES[(pick[14] + 7) % len(_HOBBIES)])
    if chance[6] < 0.38:
        found.append(_PREFERENCES[pick[15] % len(_PREFERENCES)])
    return found


def risk_grade(walk: int, chance: float) -> int | None:
    """Return C1–C5 as 1–5; none for those never assessed."""
    if chance > 0.9:
        return None
    bounds = (0.22, 0.58, 0.82, 0.88) if walk in (RETIRED, FARMER, HOME) else (0.07, 0.3, 0.66, 0.84)
    return 1 + sum(chance > bound for bound in bounds)


def need_of(rng, walk: int) -> str:
    """Return what somebody looks for, in a few words."""
    wishes = lives.NEEDS[int(walk)].split("|")
    return wishes[int(rng.integers(len(wishes)))]
