"""What comes back from the page of a proposal: receivers and ticks as a person left them, and the proof it was shown with."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core import signing
from django.core.exceptions import BadRequest

from customers.models import ProposalRecord

PROOF = "proof of a proposal"


@dataclass(frozen=True)
class Choices:
    """What a person made of the proposal shown: receivers by customer, who differ from it, and which lines are ticked."""

    receivers: dict[int, int] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    ticked: frozenset[int] = frozenset()

    @classmethod
    def read(cls, data) -> "Choices":
        """Read the posted form: to-<customer> is a receiver, was-<customer> the one proposed, line a ticked customer."""
        try:
            receivers = {int(key[3:]): int(data[key]) for key in data if key.startswith("to-") and data[key]}
            changed = {pk: to for pk, to in receivers.items() if str(to) != data.get(f"was-{pk}")}
            return cls(receivers, changed, frozenset(map(int, data.getlist("line"))))
        except ValueError:
            raise BadRequest("to-<customer> and line are numbers") from None

    @classmethod
    def of_draft(cls, draft: ProposalRecord) -> "Choices":
        """Return what a kept draft says."""
        changed = {int(pk): to for pk, to in draft.choices.get("to", {}).items()}
        unticked = set(draft.choices.get("unticked", ()))
        return cls(dict.fromkeys(unticked, 0) | changed, changed, frozenset(changed) - unticked)

    @property
    def shown(self) -> dict[int, int]:
        """Return {customer: receiver} of the lines that nobody changed, as the page has them."""
        return {pk: to for pk, to in self.receivers.items() if pk not in self.changed}

    def counted(self, customers: Iterable[int]) -> set[int]:
        """Return whose lines count: all but those that were shown and unticked."""
        return {pk for pk in customers if pk not in self.receivers or pk in self.ticked}


def write_proof(figures: dict) -> str:
    """Sign the figures of a proposal, so that the page can post them back with its lines."""
    return signing.dumps(figures, salt=PROOF)


def read_proof(text: str) -> dict:
    """Read the figures that a page was given with its proposal; nothing where they were not written here."""
    try:
        return signing.loads(text, salt=PROOF)
    except signing.BadSignature:
        return {}
