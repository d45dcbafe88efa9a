"""Values that nobody may see, and looking for them in whatever form they may have taken."""

import base64
import json
from functools import lru_cache
from html import escape
from urllib.parse import quote, quote_plus

from pypinyin import lazy_pinyin

PEOPLE = (
    {"name": "欧阳秋澜", "id_no": "330106196804127325", "mobile": "13812346021", "address": "江城市西湖区文三路4773号华星里9单元1802室"},
    {"name": "钟离月汐", "id_no": "330106197711092648", "mobile": "13967785143", "address": "江城市滨江区江陵路8826号碧云居5单元2306室"},
    {"name": "百里霜序", "id_no": "330106198209304517", "mobile": "13759904476", "address": "江城市拱墅区莫干山路6617号锦绣园3单元1409室"},
)  # fmt: skip


def sealed_values(person: dict) -> dict[str, str]:
    """Return what may be seen by a reveal only: the fields, and of the address what a mask leaves out."""
    return {
        "id_no": person["id_no"],
        "mobile": person["mobile"],
        "address": person["address"].partition("路")[2],
    }


def names(person: dict) -> dict[str, str]:
    """Return what must not be read where names are masked: the name, its given part, its sound."""
    given = person["name"][2:]
    return {"name": person["name"], "given name": given, "pinyin": " ".join(lazy_pinyin(given))}


@lru_cache(maxsize=64)
def forms_of(value: str) -> set[bytes]:
    """Return the bytes that give a value away: raw, spaced, in addresses, JSON, HTML, hexadecimal and base64."""
    texts = {
        value,
        quote(value),
        quote_plus(value),
        escape(value),
        json.dumps(value)[1:-1],
        value.title(),
        value.upper(),
    }
    if value.isdigit():
        for gap in (" ", "-", "\u00a0"):
            texts |= {
                f"{value[:3]}{gap}{value[3:7]}{gap}{value[7:]}",
                f"{value[:6]}{gap}{value[6:14]}{gap}{value[14:]}",
            }
        texts |= {value[::-1]}
    found = {text.encode() for text in texts}
    for raw in (value.encode(), value.encode("gb18030"), value.encode("utf-16-le")):
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode()}
        for shift in range(3):  # as it reads at each place within a longer base64 text
            whole = base64.b64encode(b"\0" * shift + raw)
            middle = whole[-(-shift * 8 // 6) : len(whole) // 4 * 4 - 4]
            found |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in found if len(form) >= 6}


def hits(values: dict[str, str], content: bytes) -> list[str]:
    """Return which of the values {kind: value} stand in some bytes, with the form found."""
    return [f"{kind} as {form!r}" for kind, value in values.items() for form in forms_of(value) if form in content]
