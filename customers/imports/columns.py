"""What each kind of file holds: its columns with their names in both languages, and how a cell is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from customers.archive.fields import FIELDS, LISTS, Field, Kind
from customers.archive.values import ArchiveRefused, read_value
from customers.models import ImportKind

OLDEST = date(1900, 1, 1)


class BadCell(ValueError):
    """A cell cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Column:
    """A column of a kind. `names` are heads it is recognised by, beside its label and code; `example` stands in the template.

    `read` turns a text into the value; "" never gets there: an empty cell changes nothing.
    """

    code: str
    label: object
    read: Callable[[str], object]
    names: tuple[str, ...] = ()
    required: bool = False
    example: str = ""
    sensitive: bool = False


def text(most: int) -> Callable[[str], str]:
    def read(said: str) -> str:
        if said == "#number":
            raise BadCell(_("was kept as a number and lost digits; format the column as text and enter it again"))
        if len(said) > most or not said.isprintable():
            raise BadCell(_("at most %(most)d characters, on one line") % {"most": most})
        return said

    return read


def key(most: int) -> Callable[[str], str]:
    plain = text(most)

    def read(said: str) -> str:
        said = plain(said)
        if not re.fullmatch(r"[\x21-\x7e]+", said):
            raise BadCell(_("letters, digits and signs without spaces"))
        return said

    return read


def day(said: str) -> str:
    """Read 2026-03-01, 2026/3/1, 2026年3月1日 or 20260301; return it as ISO."""
    found = re.fullmatch(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", said)
    try:
        value = date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        value = None
    if value is None or value < OLDEST:
        raise BadCell(_("write the day as 2026-03-01"))
    return value.isoformat()


def money(said: str) -> str:
    """Read yuan with or without commas; return a decimal of two digits as text."""
    try:
        value = Decimal(said.replace(",", "").replace("，", "").removesuffix("元").removeprefix("¥"))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value < 10**14 or value != round(value, 2):
        raise BadCell(_("write an amount in yuan as 12345.67"))
    return f"{value:.2f}"


def gender(said: str) -> str:
    codes = {"男": "m", "女": "f", "m": "m", "f": "f", "male": "m", "female": "f"}
    if said.lower() not in codes:
        raise BadCell(_("write 男 or 女"))
    return codes[said.lower()]


def identity(said: str) -> str:
    said = text(32)(said).replace(" ", "").upper()
    if re.fullmatch(r"\d{17}[\dX]", said):
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        rest = sum(int(digit) * weight for digit, weight in zip(said, weights, strict=False)) % 11
        if "10X98765432"[rest] != said[-1]:
            raise BadCell(_("the check digit of the identity number is wrong"))
    elif not re.fullmatch(r"[A-Z0-9()-]{5,20}", said):
        raise BadCell(_("an identity number has 18 characters, another paper 5 to 20"))
    return said


def phone(said: str) -> str:
    said = re.sub(r"[\s-]", "", text(20)(said))
    if not re.fullmatch(r"\+?\d{5,15}", said):
        raise BadCell(_("write the number in digits"))
    return said


def held(said: str) -> str:
    codes = {"持有": "active", "active": "active", "已结束": "ended", "ended": "ended", "到期": "ended"}
    if said.lower() not in codes:
        raise BadCell(_("write 持有 or 已结束"))
    return codes[said.lower()]


def _archive_reader(field: Field) -> Callable[[str], object]:
    """Return the reader of a field of the archive: labels in either language, or codes; several with commas between."""

    def code_of(word: str) -> str:
        for code, label in field.choices.choices:
            if word.strip().lower() in (code, str(label).lower()):
                return code
        words = "、".join(str(label) for _code, label in field.choices.choices)
        raise BadCell(_("choose from: %(words)s") % {"words": words})

    def read(said: str):
        if said == "#number":
            return text(1)(said)
        match field.kind:
            case Kind.CHOICE:
                return code_of(said)
            case Kind.CHOICES:
                return [code_of(word) for word in re.split(r"[,，、;；]", said) if word.strip()]
            case Kind.BOOL:
                answers = {"是": True, "否": False, "yes": True, "no": False, "1": True, "0": False}
                if said.lower() not in answers:
                    raise BadCell(_("write 是 or 否"))
                return answers[said.lower()]
            case Kind.DATE:
                return day(said)
        try:
            return read_value(field, said)
        except ArchiveRefused as refusal:
            raise BadCell(str(refusal)) from None

    return read


CUSTOMER_NO = Column(
    "customer_no", gettext_lazy("customer number"), key(32), ("客户号", "客户编号", "customer no"), True, "6228001234"
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    ImportKind.CUSTOMERS: (
        CUSTOMER_NO,
        Column("name", gettext_lazy("Name"), text(80), ("姓名", "客户姓名"), False, "沈雅琴"),
        Column("branch", gettext_lazy("Branch"), key(32), ("机构", "机构号", "网点"), False, ""),
        Column("gender", pgettext_lazy("of a person", "Gender"), gender, ("性别",), False, "女"),
        Column("birth_date", gettext_lazy("Birth date"), day, ("出生日期", "生日"), False, "1974-03-07"),
        Column("id_no", gettext_lazy("Identity number"), identity, ("证件号码", "证件号", "身份证号"), False, "", True),
        Column("mobile", gettext_lazy("Mobile"), phone, ("手机", "手机号", "手机号码"), False, "13812346021", True),
        Column("address", gettext_lazy("Address"), text(200), ("地址", "住址"), False, "", True),
        Column("occupation", gettext_lazy("Occupation"), text(60), ("职业",), False, "教师"),
        Column("employer", gettext_lazy("Employer"), text(80), ("工作单位", "单位"), False, "澜江一中"),
        Column("opened_on", pgettext_lazy("day", "Opened"), day, ("开户日期", "开户日"), False, "2020-05-06"),
    ),
    ImportKind.HOLDINGS: (
        Column("external_id", gettext_lazy("Number of the holding"), key(40), ("持有编号", "合约号", "账户序号"), True, "H-0001"),
        CUSTOMER_NO,
        Column("product", gettext_lazy("Product code"), key(24), ("产品代码", "产品编号"), True, "D-1Y"),
        Column("amount", gettext_lazy("Amount, yuan"), money, ("金额", "金额（元）", "余额"), True, "200000.00"),
        Column("opened_on", pgettext_lazy("holding", "Begun"), day, ("起息日", "开始日期", "购买日期"), True, "2026-01-05"),
        Column("matures_on", gettext_lazy("Maturity"), day, ("到期日", "到期日期"), False, "2027-01-05"),
        Column("status", gettext_lazy("Status"), held, ("状态",), False, "持有"),
    ),
    ImportKind.ARCHIVES: (
        CUSTOMER_NO,
        *(
            Column(field.code, field.label, _archive_reader(field), sensitive=bool(field.mask))
            for field in FIELDS
            if not field.column and field.code not in LISTS
        ),
    ),
}  # fmt: skip
"""The columns of each kind, in the order of its template."""


def by_code(kind: str) -> dict[str, Column]:
    return {column.code: column for column in COLUMNS[kind]}


def _plain(words: str) -> str:
    return re.sub(r"[\s_（）()*:：]", "", words).lower()


def guess(kind: str, heads: list[str]) -> dict[str, str]:
    """Return {head: code} of the heads that name a column, in either language; no column is named twice."""
    from django.utils import translation

    known: dict[str, str] = {}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for column in COLUMNS[kind]:
                for word in (column.code, str(column.label), *column.names):
                    known.setdefault(_plain(word), column.code)
    found: dict[str, str] = {}
    for head in heads:
        code = known.get(_plain(head))
        if code and code not in found.values():
            found[head] = code
    return found
