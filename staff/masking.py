"""Masks of personal data, the same on page, API, export, mail and log (reliability.md §3). Pure functions."""

import re

COMPOUND_SURNAMES = frozenset(
    """
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容
    仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐
    段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 西门 第五 南荣 东里 仲长 即墨 达奚 褚师 纳兰 归海
    """.split()  # noqa: SIM905 (read as a list of words)
)
"""Chinese surnames of two characters: a mask keeps both."""

_ROAD = re.compile(r"^(.*?(?:大道|大街|[路街道巷弄里村]|Road|Street|Avenue|Lane|Rd\.?|St\.?))", re.IGNORECASE)
_DISTRICT = re.compile(r"^(.*[区县旗市镇乡州])")


def mask_name(name: str) -> str:
    """Keep the surname, a star for each other character, two at the most: 沈雅琴 is 沈**, 欧阳修 is 欧阳*."""
    name = name.strip()
    if not name:
        return ""
    if name.isascii():
        return f"{name[0]}**"
    kept = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:kept] + "*" * min(2, len(name) - kept)


def mask_id_no(number: str) -> str:
    """Keep the first and the last character: 4***************6. A passport is masked alike."""
    return _ends(number)


def _ends(text: str) -> str:
    text = text.strip()
    if len(text) <= 2:
        return "*" * len(text)
    return text[0] + "*" * (len(text) - 2) + text[-1]


def mask_mobile(number: str) -> str:
    """Keep three digits and four of a mobile, area code and two of a landline: 138 **** 6021, 0571 **** 21."""
    digits = re.sub(r"[^\d+]", "", number)
    if re.fullmatch(r"(\+?86)?1\d{10}", digits):
        digits = digits[-11:]
        return f"{digits[:3]} **** {digits[-4:]}"
    area = re.match(r"^(0\d{2,3})[-\s]?\d", number.strip())
    if area:
        return f"{area[1]} **** {digits[-2:]}"
    return f"**** {digits[-2:]}" if len(digits) > 4 else "*" * len(digits)


def mask_card(number: str) -> str:
    """Keep the last four digits of a card or an account: **** 3392."""
    digits = re.sub(r"\s", "", number)
    return f"**** {digits[-4:]}" if len(digits) > 4 else "*" * len(digits)


def mask_address(address: str) -> str:
    """Keep an address to its road, or to its district where no road is named; the rest is ***."""
    address = address.strip()
    if not address:
        return ""
    place = _ROAD.match(address) or _DISTRICT.match(address)
    kept = re.sub(r"\d+", "", place[1]).strip() if place else address[:3]
    return f"{kept}***"


def mask_email(email: str) -> str:
    """Keep the first letter and the domain: z***@bank.example."""
    name, at, domain = email.strip().partition("@")
    return f"{name[:1]}***{at}{domain}" if name else ""


def mask_wechat(account: str) -> str:
    """Keep the first two letters: sy***."""
    account = account.strip()
    return f"{account[:2]}***" if account else ""


def name_for(viewer, name: str) -> str:
    """Return a customer's name as this viewer may read it: masked for those who serve no customer."""
    return mask_name(name) if viewer.sees_names_masked else name
