"""What every page's frame shows: brand, menu with its counts, the date of the data."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from churn.models import ChurnAlert
from contacts.models import CommunicationReport, ContactTask, Opportunity, OutboundMessage, StaffReferral
from customers import list_memory
from customers.models import AdjustmentRequest, Customer, Handover
from customers.working_days import working_days_between
from staff.job_card import bell_of
from staff.models import NightRun
from staff.roles import HEADS as HEAD_ROLES
from staff.roles import Role, Scope

COUNT_CAP = 10_000
"""Counts in the menu stop here: a head office does not wait for a million rows."""

COUNTS_SECONDS = 20
"""So long the counts of the menu hold for a person who only reads; what the person changes is counted at once."""

MANAGERS = {Role.RELATIONSHIP_MANAGER, Role.WEALTH_MANAGER}
ADVISERS = {Role.WEALTH_ADVISER, Role.FINANCIAL_ADVISER}
COUNTER = {Role.LOBBY_MANAGER, Role.TELLER}
HEADS = {*HEAD_ROLES}
ABOVE = {Role.SUB_BRANCH_PRESIDENT, Role.RETAIL_ADMIN}


def _capped(queryset) -> int:
    return queryset.values("pk")[:COUNT_CAP].count()


def _tasks(staff) -> int:
    on = timezone.localdate()
    due = ContactTask.objects.of_manager(staff).due(on)
    return due.values("customer").distinct().count()


def _customers(staff) -> int:
    return _capped(Customer.objects.visible_to(staff))


def _waiting(staff) -> int:
    return _capped(Customer.objects.visible_to(staff).waiting())


def _adjustments(staff) -> int:
    return _capped(AdjustmentRequest.objects.visible_to(staff).open())


def _handovers(staff) -> int:
    return _capped(Handover.objects.visible_to(staff).open())


def _opportunities(staff) -> int:
    open_ones = Opportunity.objects.visible_to(staff).open()
    return _capped(open_ones.filter(owner=staff) if staff.role in MANAGERS else open_ones)


def _reports(staff) -> int:
    reports = CommunicationReport.objects.visible_to(staff)
    own = reports.filter(author=staff, status__in=["draft", "returned"])
    return _capped(own) + (_capped(reports.to_review(staff)) if staff.role in HEADS else 0)


def _messages(staff) -> int:
    return _capped(OutboundMessage.objects.visible_to(staff).drafted())


def _alerts(staff) -> int:
    return _capped(ChurnAlert.objects.visible_to(staff).open())


def _referrals(staff) -> int:
    return _capped(StaffReferral.objects.waiting_for(staff))


@dataclass(frozen=True)
class Item:
    """One line of the menu: who sees it, and how many wait behind it."""

    key: str
    label: str
    route: str
    icon: str
    roles: frozenset | set
    hotkey: str = ""
    count: object = None
    kind: str = "plain"
    group: str = ""


MENU = (
    Item("today", _("Today"), "contacts:today", "checklist", MANAGERS | ADVISERS | COUNTER | {Role.BRANCH_HEAD}, "t", _tasks),
    Item("assignment", _("Assignment"), "customers:assignment", "arrows-shuffle", HEADS, "a", _waiting),
    Item("handovers", _("Hand-over"), "customers:handover_list", "arrows-exchange",
         MANAGERS | COUNTER | HEADS, "", _handovers),
    Item("customers", _("Customers"), "customers:customer_list", "users",
         MANAGERS | ADVISERS | COUNTER | HEADS | ABOVE | {Role.AUDITOR}, "c", _customers),
    Item("opportunities", _("Opportunities"), "contacts:opportunity_list", "layout-kanban",
         MANAGERS | ADVISERS | HEADS, "o", _opportunities),
    Item("calendar", _("Calendar"), "contacts:calendar", "calendar", MANAGERS | ADVISERS | {Role.BRANCH_HEAD}, "d"),
    Item("morning", _("Morning meeting"), "contacts:morning", "clipboard-list", HEADS),
    Item("reports", _("Reports"), "contacts:report_list", "file-text", MANAGERS | HEADS, "r", _reports),
    Item("messages", _("Messages"), "contacts:message_list", "message", MANAGERS | HEADS, "", _messages),
    Item("activities", _("Activities"), "contacts:activity_list", "users-group", MANAGERS | HEADS, "h"),
    Item("churn", _("Early warning"), "churn:alert_list", "alert-triangle", MANAGERS | HEADS | ABOVE, "w", _alerts, "churn"),
    Item("events", pgettext_lazy("contact events", "Events"), "contacts:event_list", "calendar-event",
         MANAGERS | COUNTER | HEADS | {Role.RETAIL_ADMIN}, "", None, "", _("Reference")),
    Item("compliance", pgettext_lazy("regime", "Compliance"), "contacts:compliance", "clipboard-check",
         MANAGERS | HEADS | {Role.RETAIL_ADMIN, Role.AUDITOR}, "", None, "", _("Reference")),
    Item("feedback", _("Feedback"), "contacts:feedback_list", "heart-handshake",
         MANAGERS | COUNTER | HEADS, "", None, "", _("Reference")),
    Item("referrals", _("Referrals"), "contacts:referral_list", "arrows-exchange",
         MANAGERS | ADVISERS | COUNTER | HEADS | {Role.PRODUCT_SPECIALIST}, "", _referrals, "plain", _("Reference")),
    Item("introductions", _("Introductions"), "contacts:introduction_list", "user-star",
         MANAGERS | COUNTER | HEADS, "", None, "", _("Reference")),
    Item("specials", _("Special products"), "contacts:special_list", "certificate",
         MANAGERS | HEADS | ABOVE, "", None, "", _("Reference")),
    Item("segments", _("Segments"), "customers:segment_list", "layout-grid",
         MANAGERS | HEADS | ABOVE, "", None, "", _("Reference")),
    Item("lists", _("Named lists"), "customers:named_lists", "list-check",
         MANAGERS | COUNTER | HEADS, "", None, "", _("Reference")),
    Item("products", _("Products"), "customers:product_list", "package",
         MANAGERS | ADVISERS | HEADS | ABOVE, "", None, "", _("Reference")),
    Item("imports", pgettext_lazy("menu", "Import"), "customers:import_list", "upload", HEADS, "", None, "", _("Reference")),
    Item("below_zero", _("Customers below zero"), "customers:below_zero_list", "scale", HEADS, "", None, "", _("Manage")),
    Item("duplicates", _("Duplicates"), "customers:duplicate_list", "user-search", HEADS, "", None, "", _("Manage")),
    Item("potential", _("Potential customers"), "contacts:potential_list", "user-star",
         MANAGERS | HEADS, "", None, "", _("Reference")),
    Item("adjustments", _("Requests of managers"), "customers:adjustment_list", "arrows-exchange",
         HEADS, "", _adjustments, "plain", _("Manage")),
    Item("qualifications", _("Qualifications"), "staff:qualification_list", "certificate",
         {Role.BRANCH_HEAD, Role.RETAIL_ADMIN}, "", None, "", _("Manage")),
    Item("model", _("Churn model"), "churn:model", "chart-bar", HEADS | ABOVE | {Role.AUDITOR}, "", None, "", _("Manage")),
    Item("night", _("Nightly run"), "staff:night", "history",
         HEADS | ABOVE | {Role.SYS_ADMIN}, "n", None, "", _("Manage")),
    Item("words", _("Words of messages"), "contacts:template_list", "template", {Role.RETAIL_ADMIN}, "", None, "", _("Manage")),
    Item("planning", _("Planning"), "customers:planning", "users-group", HEADS | {Role.RETAIL_ADMIN, Role.AUDITOR}, "", None, "", _("Manage")),
    Item("rules", _("Rules of rating"), "customers:rules_page", "adjustments",
         HEADS | ABOVE | {Role.AUDITOR}, "", None, "", _("System")),
    Item("clients", _("API clients"), "staff:client_list", "certificate", {Role.SYS_ADMIN}, "", None, "", _("System")),
    Item("audit", _("Audit"), "staff:audit", "shield-check", {Role.AUDITOR}, "", None, "", _("System")),
    Item("mailbox", _("Demo mailbox"), "mailbox", "mail", frozenset(Role), "", None, "", _("Demonstration")),
)  # fmt: skip


def home_route(staff) -> str:
    """Return the name of the page a member of staff begins the day on: the first of the menu."""
    if staff.role in HEADS:
        return "customers:assignment"
    return next((item.route for item in MENU if staff.role in item.roles and _offered(item)), "staff:preferences_page")


def menu_for(request) -> list[dict]:
    """Return the menu groups of the signed-in member: [{title, items: [{label, url, icon, badge, …}]}]."""
    items = [item for item in MENU if request.user.role in item.roles and _offered(item)]
    counts = _counts(request, items)
    urls = {item.key: reverse(item.route) for item in items}
    # A page beneath two items belongs to the nearer one: the model is not early warning.
    here = max((url for url in urls.values() if request.path.startswith(url)), key=len, default=None)
    groups: dict = {}
    for item in items:
        groups.setdefault(str(item.group), []).append(
            {
                "key": item.key,
                "label": item.label,
                "url": urls[item.key],
                "icon": item.icon,
                "badge": _written(counts.get(item.key, 0)),
                "badge_kind": item.kind,
                "active": urls[item.key] == here,
                "hotkey": item.hotkey,
            }
        )
    views = _views_of(request)
    if views:
        groups[str(_("My views"))] = views
    return [{"title": title, "items": items} for title, items in groups.items()]


def _counts(request, items: list[Item]) -> dict[str, int]:
    """Return how many wait behind each item that counts: queries for every page would take longer than the page."""
    key = _counts_key(request.user)
    counts = cache.get(key) if request.method in SAFE else None
    if counts is None:
        counts = {item.key: item.count(request.user) for item in items if item.count}
        cache.set(key, counts, COUNTS_SECONDS)
    return counts


def _counts_key(staff) -> str:
    return f"menu-counts:{staff.pk}"


SAFE = ("GET", "HEAD")


class CountAgainMiddleware:
    """Lets the menu count again after a person has changed something."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if request.method not in SAFE and user is not None and user.is_authenticated:
            cache.delete(_counts_key(request.user))
        return response


def _views_of(request) -> list[dict]:
    """Return the saved views of customers that the member put in the menu."""
    if not request.user.has_perm("customers.view_customer"):
        return []
    base, open_one = reverse("customers:customer_list"), request.GET.get("view", "")
    return [
        {
            "key": f"view-{view['pk_of']}",
            "label": view["label"],
            "url": f"{base}?view={view['pk_of']}" + (f"&{view['query']}" if view["query"] else ""),
            "icon": "bookmark",
            "badge": view["count"],
            "badge_kind": "plain",
            "active": request.path == base and open_one == str(view["pk_of"]),
            "hotkey": "",
        }
        for view in list_memory.menu_views(request.user)
    ]


def _written(count: int) -> str:
    return f"{count:,}" if count else ""


def _offered(item: Item) -> bool:
    return item.key != "mailbox" or settings.DEMO


def data_dates() -> tuple[date | None, bool]:
    """Return the date of the last complete night, and whether it is older than one working day."""
    last = NightRun.objects.last_complete_date()
    return last, last is None or working_days_between(last, timezone.localdate()) > 1


def page_shell(request) -> dict:
    """Give templates `brand`, `menu`, `data_date`, `data_date_stale`, `bell`, `night_url`, `demo`; queries only where shown."""
    brand = settings.BRAND | {"branch": ""}
    shell = {"brand": brand, "demo": settings.DEMO, "night_url": "", "menu": []}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return shell
    brand["branch"] = SimpleLazyObject(lambda: user.branch.name if user.branch else "")
    dates = SimpleLazyObject(data_dates)
    return shell | {
        "menu": SimpleLazyObject(lambda: menu_for(request)),
        "data_date": SimpleLazyObject(lambda: dates[0]),
        "data_date_stale": SimpleLazyObject(lambda: dates[1]),
        "bell": SimpleLazyObject(lambda: bell_of(user)),
        "night_url": reverse("staff:night") if user.has_perm("staff.view_night") else "",
        "scope_is_own": user.scope == Scope.OWN,
    }
