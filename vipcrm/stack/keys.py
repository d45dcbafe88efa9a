"""The keys of a local stack: made once, kept in VAR, readable by their owner only."""

import base64
import json
import secrets
from pathlib import Path

from vipcrm.stack.places import write_private


def local_keys(var: Path) -> dict[str, str]:
    """Return SECRET_KEY and FIELD_KEYS of this VAR folder.

    They are kept because sessions are signed with the first and columns sealed with the second: data
    written with a lost FIELD_KEYS cannot be read again.
    """
    path = var / "keys.json"
    if path.exists():
        return json.loads(path.read_text())
    keys = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": "local:" + base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    write_private(path, json.dumps(keys, indent=1))
    return keys
