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


def hash_of(key: str) -> str:
    """Return the keyed hash of an identity number or mobile; "" where there is none."""
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
    }
