"""`make messages`: bring locale/zh_Hans up to the source, and compile it. Needs no gettext tools."""

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.template import templatize

ROOMS = ("staff", "customers", "contacts", "churn", "vipcrm")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
FOLDER = settings.ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"


def found_in_source() -> Catalog:
    """Return a catalogue of every text of the source, with its places, without translations."""
    catalog = Catalog(
        locale="zh_Hans", project="vipcrm", header_comment="# Chinese wording; domain.md and interface.md decide.",
        fuzzy=False, copyright_holder="", msgid_bugs_address="",
    )  # fmt: skip
    for path, text in _sources():
        place = path.relative_to(settings.ROOT).as_posix()
        for line, messages, comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
            catalog.add(messages, None, [(place, line)], context=context, user_comments=comments)
    return catalog


def _sources():
    for room in ROOMS:
        for path in sorted((settings.ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()
    for path in sorted((settings.ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            # The templates' texts as calls; indentation means nothing there, and would to the tokenizer.
            yield path, re.sub(r"(?m)^[ \t]+", "", templatize(path.read_text()))


def translated(path: Path = FOLDER / "django.po") -> Catalog:
    """Return the catalogue as it stands."""
    if not path.exists():
        return Catalog(locale="zh_Hans")
    with path.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def untranslated(catalog: Catalog) -> list[str]:
    """Return the texts of the source that have no Chinese wording, or a doubtful one."""
    lacking = []
    for message in found_in_source():
        if not message.id:
            continue
        kept = catalog.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        words = kept.string if kept else ""
        if not kept or kept.fuzzy or not (all(words) if isinstance(words, tuple) else words):
            lacking.append(message.id if isinstance(message.id, str) else message.id[0])
    return lacking


class Command(BaseCommand):
    requires_system_checks = []
    help = "Bring the Chinese catalogue up to the source and compile it; name what is not translated yet."

    def add_arguments(self, parser):
        parser.add_argument(
            "--take", action="append", default=[], type=Path, help="a .po file whose wording to take in"
        )

    def handle(self, *, take, **options):
        kept, catalog = translated(), found_in_source()
        taken = [translated(path) for path in take]
        for message in catalog:
            if not message.id:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            for source in (*taken, kept):
                known = source.get(key, message.context)
                if known and known.string and any(known.string):
                    one = known.string if isinstance(known.string, str) else known.string[0]
                    message.string = one if isinstance(message.id, str) else (one,)
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / "django.po").open("wb") as file:
            write_po(file, catalog, width=120, sort_output=True, omit_header=False)
        with (FOLDER / "django.mo").open("wb") as file:
            write_mo(file, catalog)
        for text in untranslated(catalog):
            self.stderr.write(f"not translated: {text}")
        self.stdout.write(f"{len(catalog)} texts, {len(untranslated(catalog))} without Chinese wording.")
