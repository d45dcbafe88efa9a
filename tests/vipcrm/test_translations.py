"""Every text that people read has its Chinese wording, and the compiled catalogue is the written one."""

import gettext
import re

from vipcrm.management.commands.messages import FOLDER, translated, untranslated


def test_every_text_of_the_source_has_chinese_wording():
    assert untranslated(translated()) == []


def test_no_wording_is_doubtful():
    assert [message.id for message in translated() if message.fuzzy and message.id] == []


def test_the_compiled_catalogue_says_what_the_written_one_says():
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for message in translated():
        if isinstance(message.id, str) and message.id:
            said = compiled.pgettext(message.context, message.id) if message.context else compiled.gettext(message.id)
            assert said == message.string


PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def test_a_wording_keeps_the_values_of_its_text():
    # English may say "one customer" without a number; Chinese may not add what is not given.
    for message in translated():
        if message.id:
            english = message.id if isinstance(message.id, str) else message.id[-1]
            chinese = message.string if isinstance(message.string, str) else message.string[0]
            assert set(PLACEHOLDER.findall(chinese)) <= set(PLACEHOLDER.findall(english)), english
