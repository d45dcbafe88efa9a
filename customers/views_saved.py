"""Doors of saved views: keep a list under a name, change it, put it in the menu; columns and layout."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import list_memory
from customers.columns import DEFAULT
from customers.listing import Listing
from customers.models import SavedView, ViewPin
from staff.refusal import Refused
from staff.shell import render_page

may_view = permission_required("customers.view_customer", raise_exception=True)

DELETED_SHOWN = timedelta(days=7)


class ViewForm(forms.Form):
    """Reads a view; `list_memory` keeps it."""

    name = forms.CharField(label=pgettext_lazy("of a view", "Name"), max_length=30, strip=True)
    shared = forms.BooleanField(label=gettext_lazy("Share in my branch"), required=False)
    pin = forms.BooleanField(label=gettext_lazy("Show in the menu"), required=False)


def _list_url(view: SavedView) -> str:
    query = urlencode({"view": view.pk}) + (f"&{view.query}" if view.query else "")
    return f"{reverse('customers:customer_list')}?{query}"


def _question(request) -> str:
    """Return the filters and the order that a form carries, as an address has them: what is none of them is dropped."""
    return Listing.read(request, QueryDict(request.POST.get("query", "")[:2000])).question


def _columns(request) -> list[str]:
    return request.POST.get("cols", "").split(",")


@require_POST
@may_view
def view_save(request):
    """Keep the list as it is under a name, and open it."""
    form = ViewForm(request.POST)
    question = _question(request)
    back = f"{reverse('customers:customer_list')}?{question}"
    if not form.is_valid() or len(question) > 1000:
        messages.error(request, _("Give the view a name of at most 30 characters."))
        return redirect(back)
    try:
        view = list_memory.save_view(by=request.user, query=question, columns=_columns(request), **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    messages.success(request, _("View “{name}” saved.").format(name=view.name))
    return redirect(_list_url(view))


@require_POST
@may_view
def view_update(request, pk):
    """Change one's own view: to the list as it is now, or its name and sharing."""
    view = get_object_or_404(SavedView.objects.open_to(request.user), pk=pk)
    version = request.POST.get("version", "")
    changes = {}
    if "query" in request.POST:
        changes = {"query": _question(request), "columns": _columns(request)}
    if "name" in request.POST:
        form = ViewForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Give the view a name of at most 30 characters."))
            return redirect("customers:view_list")
        changes |= {"name": form.cleaned_data["name"], "shared": form.cleaned_data["shared"]}
    number = int(version) if version.isdecimal() and len(version) < 9 else 0
    try:
        view = list_memory.update_view(view=view, by=request.user, version=number, **changes)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("View “{name}” saved.").format(name=view.name))
    return redirect(_list_url(view) if "query" in request.POST else "customers:view_list")


@require_GET
@may_view
def view_list(request):
    """One's own views and those shared: names, sharing, places in the menu, and what was deleted lately."""
    views = list_memory.views_of(request.user)
    gone = SavedView.objects.filter(owner=request.user, deleted_at__gt=timezone.now() - DELETED_SHOWN)
    context = {
        "views": [{"view": view, "url": _list_url(view), "own": view.owner_id == request.user.pk} for view in views],
        "gone": gone.order_by("-deleted_at"),
        "places": ViewPin.PLACES,
    }
    return render_page(request, "customers/view_list.html", context)


def _verb(request, verb, *, said: str = "", view: SavedView, **arguments):
    """Do one thing to a view and go back to the list of views, with what came of it."""
    try:
        verb(view=view, by=request.user, **arguments)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if said:
            messages.success(request, said.format(name=view.name))
    return redirect("customers:view_list")


@require_POST
@may_view
def view_delete(request, pk):
    """Put one's own view away; the list of views offers it again."""
    view = get_object_or_404(SavedView.objects.open_to(request.user), pk=pk)
    return _verb(
        request, list_memory.delete_view, said=_("View “{name}” deleted; it can be restored below."), view=view
    )


@require_POST
@may_view
def view_restore(request, pk):
    """Take the deletion of one's own view back."""
    view = get_object_or_404(SavedView.objects.filter(owner=request.user), pk=pk)
    return _verb(request, list_memory.restore_view, said=_("View “{name}” restored."), view=view)


@require_POST
@may_view
def view_pin(request, pk):
    """Put a view in one's menu, take it out, or move it there: `to` is the place, 0 takes it out."""
    view = get_object_or_404(SavedView.objects.open_to(request.user), pk=pk)
    to = request.POST.get("to", "")
    if to == "0":
        return _verb(request, list_memory.unpin_view, view=view)
    if to.isdecimal() and len(to) == 1:
        return _verb(request, list_memory.move_pin, view=view, to=int(to))
    return _verb(request, list_memory.pin_view, view=view)


@require_POST
@may_view
def list_choice(request):
    """Keep which columns one wants and whether rows or cards, and go back to the list."""
    columns = request.POST.getlist("columns") if "columns_sent" in request.POST else None
    if request.POST.get("usual"):
        columns = []
    listing = Listing.read(request, QueryDict(request.POST.get("query", "")[:2000]))
    if columns is not None and listing.view_id:  # a view has columns of its own: shown, and offered to be saved with it
        listing, columns = replace(listing, columns=tuple(columns or DEFAULT)), None
    list_memory.keep_choice(by=request.user, columns=columns, layout=request.POST.get("layout"))
    query = listing.url()
    return redirect(f"{reverse('customers:customer_list')}?{query}" if query else "customers:customer_list")
