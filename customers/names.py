"""Chinese names as they are looked for: pinyin, with surnames read as surnames."""

from functools import lru_cache

SURNAME_READINGS = {
    "曾": "zeng", "单": "shan", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou", "朴": "piao", "任": "ren",
    "乐": "yue", "盖": "ge", "覃": "qin", "华": "hua", "尹": "yin", "翟": "zhai", "冼": "xian", "缪": "miao",
    "万俟": "mo qi", "尉迟": "yu chi", "长孙": "zhang sun", "澹台": "tan tai",
}  # fmt: skip
"""Surnames whose reading differs from the everyday one (GB/T 28039)."""


@lru_cache(maxsize=20_000)
def pinyin_of(name: str) -> str:
    """Return a name's syllables without tones, a space between: 沈雅琴 → `shen ya qin`; Latin names in lower case."""
    for length in (2, 1):
        surname = SURNAME_READINGS.get(name[:length])
        if surname:
            return " ".join([surname, *_syllables(name[length:])])
    return " ".join(_syllables(name))


def _syllables(text: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # 55 MB, which most processes never need

    parts = lazy_pinyin(
        text,
        style=Style.NORMAL,
        errors=lambda other: other.lower().split(),  # type: ignore[return-value]
    )
    return [part.replace("ü", "v") for part in parts if part.strip()]
