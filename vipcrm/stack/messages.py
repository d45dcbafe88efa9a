"""Compiles translations (`.po` to `.mo`) without GNU gettext, which a fresh machine does not have."""

import ast
import os
import re
import struct
from pathlib import Path

MAGIC = 0x950412DE
KEYWORD = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s+(".*")$')


def read_entries(text: str) -> dict[str, str]:
    """Return the translations of a `.po` file by key, as the `.mo` format spells them.

    A key is `context\\4id`, or the id alone; plural forms are joined by NUL in key and value. Fuzzy,
    obsolete and empty entries are left out.
    """
    entries: dict[str, str] = {}
    parts: dict[str, str] = {}
    field, fuzzy = "", False
    for line in [*map(str.strip, text.splitlines()), ""]:
        found = KEYWORD.match(line)
        translated = field.startswith("msgstr")
        if translated and not line.startswith(('"', "msgstr")):
            _keep(entries, parts, fuzzy)
            parts, field, fuzzy = {}, "", False
        if line.startswith("#,"):
            fuzzy = "fuzzy" in line
        elif found:
            name, index, quoted = found.groups()
            field = name + (f"[{index}]" if index else "")
            parts[field] = ast.literal_eval(quoted)
        elif line.startswith('"') and field:
            parts[field] += ast.literal_eval(line)
    return entries


def _keep(entries: dict[str, str], parts: dict[str, str], fuzzy: bool) -> None:
    """File one entry, if it is a whole and certain one."""
    if "msgid" not in parts or (fuzzy and parts["msgid"]):
        return
    key = parts["msgid"]
    value = parts.get("msgstr", "")
    if "msgid_plural" in parts:
        key += "\0" + parts["msgid_plural"]
        forms = [parts[f"msgstr[{n}]"] for n in range(len(parts)) if f"msgstr[{n}]" in parts]
        value = "\0".join(forms) if all(forms) else ""
    if "msgctxt" in parts:
        key = parts["msgctxt"] + "\4" + key
    if value:
        entries[key] = value


def as_mo(entries: dict[str, str]) -> bytes:
    """Return the bytes of a `.mo` file: two tables of (length, offset), then the texts, sorted by key."""
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    count = len(pairs)
    offset = 28 + 16 * count
    tables: list[bytes] = []
    texts: list[bytes] = []
    for column in range(2):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), offset))
            texts.append(pair[column] + b"\0")
            offset += len(pair[column]) + 1
    head = struct.pack("<7I", MAGIC, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + b"".join(tables) + b"".join(texts)


def compile_messages(locale: Path) -> int:
    """Compile every `.po` under `locale` whose `.mo` is missing or older; return how many were written."""
    written = 0
    for source in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        draft = target.with_suffix(f".mo.{os.getpid()}")  # two commands may start at once
        draft.write_bytes(as_mo(read_entries(source.read_text(encoding="utf-8"))))
        draft.replace(target)
        written += 1
    return written
