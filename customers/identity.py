"""What is kept of an identity number, a mobile and an address: sealed, masked, and hashed to find the same person again.

The one home of these columns: the feed, the demo bank and imports write them through `sealed_columns`.
"""

import re

from staff.masking import mask_address, mask_id_no, mask_mobile
from staff.sealing import blind_index, seal


def identity_key(id_no: str) -> str:
    """Return an identity number as it is compared: without spaces, letters large."""
    return re.sub(r"\s", "", id_no).upper()


def mobile_key(mobile: str) -> str:
    """Return a mobile as it is compared: its last eleven digits; "" for what is no mobile of the country."""
    digits = re.sub(r"\D", "", mobile)
    return digits[-11:] if re.fullmatch(r"(86)?1\d{10}", digits) else ""


_TOWER = re.compile(r"^.*?(?:(?:\d+|[A-Z]|[一二三四五六七八九十]+)(?:号楼|[幢栋座])|大厦|大楼)")
_NUMBER = re.compile(r"^.*?\d+号")


def building_key(address: str) -> str:
    """Return an address as far as its building: 解放路8号3幢 of 解放路8号3幢2单元501室; "" where it names none."""
    address = re.sub(r"\s", "", address).upper()
    found = _TOWER.match(address) or _NUMBER.match(address)
    return found[0] if found else ""


def hash_of(key: str) -> str:
    """Return the keyed hash of an identity number, a mobile or a building; "" where there is none."""
    return blind_index(key) if key else ""


def sealed_columns(*, id_no: str, mobile: str, address: str) -> dict:
    """Return the columns of Customer that these three decide, sealed as COPY and the ORM both take them."""
    return {
        "id_no": seal(id_no),
        "id_no_masked": mask_id_no(id_no) if id_no else "",
        "id_no_hash": hash_of(identity_key(id_no)),
        "mobile": seal(mobile),
        "mobile_masked": mask_mobile(mobile) if mobile else "",
        "mobile_hash": hash_of(mobile_key(mobile)),
        "mobile_last4": mobile[-4:],
        "address": seal(address),
        "address_masked": mask_address(address) if address else "",
        "building_hash": hash_of(building_key(address)),
    }
