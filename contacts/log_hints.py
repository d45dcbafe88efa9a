"""What the words of a contact tell of a customer that his archive does not know yet: proposed, and kept when ticked."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from customers.archive import interests
from customers.models import Customer, Hobby, Resource, Source
from staff.models import Staff

MOST = 6


@dataclass(frozen=True)
class Hint:
    """One value that may be kept; `code` names it in a form: hobby:茶, need:教育."""

    code: str
    label: str


def hints_in(words: str, customer: Customer) -> list[Hint]:
    """Return what the words name of hobbies and needs and the archive lacks; no query where they name none."""
    hobbies = [word for word in interests.HOBBIES if word in words]
    needs = [word for word in interests.RESOURCES if word in words]
    if hobbies:
        known = set(Hobby.objects.current().filter(customer=customer).values_list("word", flat=True))
        hobbies = [word for word in hobbies if word not in known]
    if needs:
        held = Resource.objects.current().filter(customer=customer, direction=Resource.Direction.NEED)
        known = set(held.values_list("word", flat=True))
        needs = [word for word in needs if word not in known]
    found = [Hint(f"hobby:{word}", _("Hobby: {word}").format(word=word)) for word in hobbies]
    found += [Hint(f"need:{word}", _("Needs: {word}").format(word=word)) for word in needs]
    return found[:MOST]


def learn(*, customer: Customer, codes: Iterable[str], by: Staff) -> None:
    """Keep what was ticked in the archive, as told by the customer.

    Raises:
        ArchiveRefused: a word is not on its list.
    """
    for code in codes:
        kind, _colon, word = code.partition(":")
        if kind == "hobby":
            interests.add_hobby(
                customer=customer, word=word, level=Hobby.Level.LIKES, earns=False, source=Source.CUSTOMER, by=by
            )
        else:
            interests.add_resource(
                customer=customer, direction=Resource.Direction.NEED, word=word, urgency=Resource.Urgency.SOME_DAY, note="",
                source=Source.CUSTOMER, by=by,
            )  # fmt: skip
