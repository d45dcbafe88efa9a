"""What a person keeps of the list: views with names, their places in the menu, columns and layout."""

from types import SimpleNamespace

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from customers import list_page
from customers.columns import BY_KEY
from customers.listing import Listing
from customers.models import ListChoice, SavedView, ViewPin
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

COUNT_CAP = 999
"""Counts in the menu stop here."""

COUNTS_LAST = 60
"""Seconds for which the menu's counts are not counted again."""


class NameTaken(Refused):
    """The person has a view of that name."""

    code = "name_taken"


class MenuFull(Refused):
    """All places of the menu are taken."""

    code = "menu_full"


class NotYours(Refused):
    """Only who made a view changes it."""

    code = "not_yours"


class ViewChanged(Refused):
    """Somebody (another window) changed the view meanwhile."""

    code = "view_changed"


@transaction.atomic
def save_view(*, by: Staff, name: str, query: str, columns=(), shared: bool = False, pin: bool = False) -> SavedView:
    """Keep a list under a name.

    Raises:
        NameTaken, MenuFull.
    """
    view = SavedView(owner=by, name=name, query=query, columns=_known(columns))
    view.shared_in_id = by.branch_id if shared else None
    _save(view)
    audit.record("view.saved", view, by=by, shared=shared)
    if pin:
        pin_view(view=view, by=by)
    _forget_counts(by)
    return view


@transaction.atomic
def update_view(*, view: SavedView, by: Staff, version: int, **changes) -> SavedView:
    """Change the name, the question, the columns or the sharing of one's own view.

    Raises:
        NotYours, NameTaken; ViewChanged if it is not at that version any more.
    """
    view = SavedView.objects.select_for_update().get(pk=view.pk)
    if view.owner_id != by.pk:
        raise NotYours(_("Only {name} can change this view.").format(name=view.owner.name))
    if view.version != version:
        raise ViewChanged(_("This view was changed meanwhile: it is “{name}” now.").format(name=view.name))
    if "shared" in changes:
        view.shared_in_id = by.branch_id if changes.pop("shared") else None
    if "columns" in changes:
        changes["columns"] = _known(changes["columns"])
    before = {name: getattr(view, name) for name in changes}
    for name, value in changes.items():
        setattr(view, name, value)
    view.version += 1
    _save(view)
    audit.record("view.changed", view, by=by, before=before.get("name", ""), shared=bool(view.shared_in_id))
    _forget_counts(by)
    return view


def _save(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        if "saved_view_name_once_an_owner" not in str(error):
            raise
        raise NameTaken(_("You have a view “{name}” already.").format(name=view.name)) from error


@transaction.atomic
def delete_view(*, view: SavedView, by: Staff) -> SavedView:
    """Put one's own view away; `restore_view` brings it back, its places in menus too."""
    if view.owner_id != by.pk:
        raise NotYours(_("Only {name} can change this view.").format(name=view.owner.name))
    view.deleted_at = timezone.now()
    view.save(update_fields=["deleted_at"])
    audit.record("view.deleted", view, by=by)
    return view


@transaction.atomic
def restore_view(*, view: SavedView, by: Staff) -> SavedView:
    """Take a deletion back.

    Raises:
        NotYours; NameTaken, where a new view took the name.
    """
    if view.owner_id != by.pk:
        raise NotYours(_("Only {name} can change this view.").format(name=view.owner.name))
    view.deleted_at = None
    _save(view)
    audit.record("view.restored", view, by=by)
    return view


@transaction.atomic
def pin_view(*, view: SavedView, by: Staff) -> None:
    """Give a view the first free place of one's menu; a view that has one keeps it.

    Raises:
        MenuFull: seven places are all there are.
    """
    Staff.objects.select_for_update(no_key=True).get(pk=by.pk)
    ViewPin.objects.filter(staff=by).exclude(view__deleted_at=None).delete()
    pins = dict(ViewPin.objects.filter(staff=by).values_list("position", "view"))
    if view.pk in pins.values():
        return
    free = [place for place in range(1, ViewPin.PLACES + 1) if place not in pins]
    if not free:
        raise MenuFull(_("The menu holds 7 views; take one out first."))
    last = max(pins, default=0) + 1
    ViewPin.objects.create(staff=by, view=view, position=last if last in free else free[0])


def unpin_view(*, view: SavedView, by: Staff) -> None:
    """Take a view out of one's menu."""
    ViewPin.objects.filter(staff=by, view=view).delete()


@transaction.atomic
def move_pin(*, view: SavedView, by: Staff, to: int) -> None:
    """Put a view of one's menu at a place, 1 to 7; those between move along."""
    pins = list(ViewPin.objects.select_for_update().filter(staff=by).order_by("position"))
    moved = next((pin for pin in pins if pin.view_id == view.pk), None)
    if moved is None:
        return
    pins.remove(moved)
    pins.insert(max(0, min(to, len(pins) + 1) - 1), moved)
    for place, pin in enumerate(pins, start=1):
        pin.position = place
    ViewPin.objects.bulk_update(pins, ["position"])


def keep_choice(*, by: Staff, columns=None, layout: str | None = None) -> None:
    """Keep how a person likes the list: only what is given."""
    values = {}
    if columns is not None:
        values["columns"] = _known(columns)
    if layout in ListChoice.Layout.values:
        values["layout"] = layout
    ListChoice.objects.update_or_create(staff=by, defaults=values)


def choice_of(staff: Staff) -> ListChoice:
    return ListChoice.objects.filter(staff=staff).first() or ListChoice(staff=staff)


def _known(keys) -> list[str]:
    return [key for key in keys if key in BY_KEY]


def views_of(staff: Staff) -> list[SavedView]:
    """Return the views a person may open: own and shared, with `place` in the menu, those in the menu first."""
    pins = dict(ViewPin.objects.filter(staff=staff).values_list("view", "position"))
    found = list(SavedView.objects.open_to(staff).select_related("owner").order_by("name", "pk"))
    for view in found:
        view.place = pins.get(view.pk)
    return sorted(found, key=lambda view: (view.place is None, view.place or 0))


def menu_views(staff: Staff) -> list[dict]:
    """Return [{pk, label, query, count}] of the views in a person's menu; counts are a minute old at most."""
    pins = ViewPin.objects.filter(staff=staff, view__in=SavedView.objects.open_to(staff))
    found = list(pins.order_by("position").values(label=F("view__name"), query=F("view__query"), pk_of=F("view_id")))
    if not found:
        return []
    key = _counts_key(staff)
    counts = cache.get(key)
    if counts is None or set(counts) != {row["pk_of"] for row in found}:
        counts = dict(zip([row["pk_of"] for row in found], _counted(staff, found), strict=True))
        cache.set(key, counts, COUNTS_LAST)
    return [row | {"count": list_page.count_words(counts[row["pk_of"]], COUNT_CAP)} for row in found]


def _counted(staff: Staff, views: list[dict]) -> list[int]:
    asked = SimpleNamespace(user=staff)
    lists = [Listing.read(asked, QueryDict(view["query"])).customers for view in views]
    return list_page.capped_counts(lists, COUNT_CAP)


def _counts_key(staff: Staff) -> str:
    return f"menu-views:{staff.pk}:{localdate()}"


def _forget_counts(staff: Staff) -> None:
    cache.delete(_counts_key(staff))
