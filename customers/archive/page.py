"""What the page of the archive shows: every field with its value, where it comes from, how old it is."""

from dataclasses import dataclass
from datetime import date, datetime

from customers.archive.completeness import COMPLETE_FROM, STALE_AFTER, Question, next_question
from customers.archive.fields import FIELDS, LISTS, Field, Group, fields_of
from customers.archive.values import words_of
from customers.models import Customer, Hobby, ProfileValue, Relation, Resource
from customers.suitability import GRADES
from staff.masking import name_for


@dataclass(frozen=True)
class Entry:
    """A field as a row of the page; `row` is the open ProfileValue, None where nothing is known or the core fills it."""

    field: Field
    words: str
    row: ProfileValue | None = None
    is_stale: bool = False

    @property
    def editable(self) -> bool:
        return not self.field.column

    @property
    def seen(self) -> str:
        """Return the id of the row shown, as a form carries it."""
        return str(self.row.pk) if self.row else ""


@dataclass(frozen=True)
class Archive:
    """A customer's archive on a day: entries by group, lists, and what is missing or old."""

    groups: list
    hobbies: list
    needs: list
    offers: list
    percent: int
    missing: list
    stale: list
    question: Question | None

    @property
    def is_complete(self) -> bool:
        return self.percent >= COMPLETE_FROM


def entry_of(customer: Customer, field: Field, row: ProfileValue | None, *, now: datetime, viewer) -> Entry:
    """Return one field's row as a viewer may read it."""
    if field.column:
        return Entry(field, _column_words(customer, field, viewer))
    if row is None:
        return Entry(field, "")
    return Entry(field, words_of(field, row.value), row, now - row.at > STALE_AFTER)


def _column_words(customer: Customer, field: Field, viewer) -> str:
    value = getattr(customer, field.column)
    if field.code == "name":
        return name_for(viewer, value)
    if field.code == "birth_date" and value and viewer.sees_names_masked:
        return str(value.year)
    if field.code == "gender":
        return str(customer.get_gender_display()) if value else ""
    if field.code == "risk_grade":
        return str(GRADES.get(value, ""))
    if isinstance(value, date):
        return value.isoformat()
    return str(value or "")


def archive_of(customer: Customer, *, now: datetime, viewer) -> Archive:
    """Return a customer's archive; six queries, however much is known."""
    rows = {
        row.field: row
        for row in ProfileValue.objects.current().filter(customer=customer).select_related("by").defer("sealed")
    }
    hobbies = list(Hobby.objects.current().filter(customer=customer).order_by("-level", "pk"))
    resources = list(Resource.objects.current().filter(customer=customer).order_by("-urgency", "pk"))
    lists = {
        "hobbies": bool(hobbies),
        "resource_needs": any(one.direction == Resource.Direction.NEED for one in resources),
        "consents": customer.consents.exists(),
        "family_members": Relation.objects.family_of(customer).exists(),
        "external_assets": customer.external_assets.current().exists(),
    }
    entries = {
        field.code: entry_of(customer, field, rows.get(field.code), now=now, viewer=viewer)
        for field in FIELDS
        if field.code not in LISTS
    }
    filled = {code for code, entry in entries.items() if entry.words} | {code for code, there in lists.items() if there}
    stale = [entry for entry in entries.values() if entry.is_stale]
    return Archive(
        groups=[
            (group, [entries[field.code] for field in fields_of(group) if field.code in entries]) for group in Group
        ],
        hobbies=hobbies,
        needs=[one for one in resources if one.direction == Resource.Direction.NEED],
        offers=[one for one in resources if one.direction == Resource.Direction.OFFER],
        percent=customer.archive_completeness,
        missing=[field for field in FIELDS if field.code not in filled and field.question],
        stale=stale,
        question=next_question(filled=filled, stale={entry.field.code for entry in stale}),
    )
