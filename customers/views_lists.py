"""The pages of named lists: all of them, making one, one list with its lines, and how far each line is."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import named_lists
from customers.listing import Listing
from customers.models import Customer, CustomerList, CustomerListMember, ListPurpose, Segment
from customers.search import SEALED
from customers.views import may_view
from customers.views_bulk import chosen_ids
from staff.refusal import Refused
from staff.shell import render_page, wants_part

may_manage = permission_required("customers.manage_segment", raise_exception=True)
may_work = permission_required("contacts.log_contact", raise_exception=True)

State = CustomerListMember.State
SIZE = 200
"""Lines of a list on one page; the filters narrow it further."""


@require_GET
@may_view
def named_lists_page(request):
    """The lists that are open, the next due first, with their completion; and those closed lately."""
    seen = Q(members__customer__in=Customer.objects.visible_to(request.user).values("pk"))
    lists = CustomerList.objects.visible_to(request.user).select_related("made_by", "branch", "segment")
    lists = lists.annotate(
        total=Count("members", filter=seen), handled=Count("members", filter=seen & ~Q(members__state=State.OPEN))
    )
    context = {
        "rows": [{"list": one, "percent": named_lists.percent(one.handled, one.total)} for one in lists.open()[:100]],
        "closed": lists.exclude(closed_at=None).order_by("-closed_at")[:10],
        "may_manage": request.user.has_perm("customers.manage_segment"),
        "on": localdate(),
    }
    return render_page(request, "customers/named_lists.html", context)


class ListForm(forms.Form):
    """Reads what a list is for and until when."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"), choices=ListPurpose.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
        help_text=gettext_lazy("Decides who is left out: marketing asks for consent, service notices for none."),
    )  # fmt: skip
    task = forms.CharField(
        label=gettext_lazy("What is to be done"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    due_on = forms.DateField(
        label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"class": "form-control", "type": "date"})
    )
    drop_overlap = forms.BooleanField(
        label=gettext_lazy("Leave out those on another list due the same week"), required=False
    )


@require_http_methods(["GET", "POST"])
@may_manage
def named_list_new(request):
    """Say what for and until when, see who is left out and what overlaps, then make the list."""
    asked = request.POST if request.method == "POST" else request.GET
    segment = _segment(request, asked)
    chosen = chosen_ids(asked)
    listing = Listing.read(request, QueryDict(asked.get("query", "")[:2000]))
    if segment:
        times = {"segment_times__segment": segment, "segment_times__until": None}
        customers = Customer.objects.visible_to(request.user).filter(**times)
    elif chosen and asked.get("everyone") != "1":
        customers = Customer.objects.visible_to(request.user).filter(pk__in=chosen)
    else:
        customers = Customer.objects.visible_to(request.user).filter(pk__in=listing.customers.values("pk"))
    begun = "name" in request.POST
    initial = {"name": segment.name if segment else "", "purpose": ListPurpose.SERVICE}
    form = ListForm(request.POST if begun else None, initial=initial)
    draft, refusal = None, ""
    try:
        if begun and form.is_valid():
            said = form.cleaned_data
            if "make" in request.POST:
                made, _found = named_lists.make(
                    customers=customers, by=request.user, on=localdate(), segment=segment, **said
                )
                messages.success(request, _("List “{name}” made").format(name=made.name))
                return redirect(made)
            draft = named_lists.draft(customers, purpose=said["purpose"], due_on=said["due_on"])
    except Refused as fault:
        refusal = str(fault)
    context = {
        "form": form, "segment": segment, "draft": draft, "refusal": refusal, "number": customers.count(),
        "query": listing.url(), "chosen": chosen, "everyone": asked.get("everyone", ""),
    }  # fmt: skip
    status = 422 if refusal or (begun and form.errors) else 200
    return render_page(request, "customers/named_list_new.html", context, status=status)


def _segment(request, asked) -> Segment | None:
    pk = asked.get("segment", "")
    if not pk:
        return None
    segments = Segment.objects.visible_to(request.user).active()
    return get_object_or_404(segments, pk=pk if pk.isdecimal() and len(pk) <= 18 else None)


@require_GET
@may_view
def named_list(request, pk):
    """One list: completion by owner, and its lines; `state` narrows them, `mine` to one's own customers."""
    held = get_object_or_404(CustomerList.objects.visible_to(request.user).select_related("segment", "made_by"), pk=pk)
    everybody = CustomerListMember.objects.visible_to(request.user).filter(customer_list=held)
    state = request.GET.get("state", "")
    state = state if state in State.values else ""
    members = everybody.filter(state=state) if state else everybody
    members = members.select_related("customer__manager", "changed_by").order_by("-customer__aum", "customer")
    counts = dict(everybody.values_list("state").annotate(Count("pk")).order_by())
    total = sum(counts.values())
    here = held.get_absolute_url()
    context = {
        "list": held,
        "members": members.defer(*(f"customer__{name}" for name in SEALED))[:SIZE],
        "shown": SIZE,
        "tabs": [{"label": _("All"), "count": total, "url": here, "active": not state}]
        + [
            {"label": label, "count": counts.get(code, 0), "url": f"{here}?state={code}", "active": code == state}
            for code, label in State.choices
        ],
        "total": total,
        "handled": total - counts.get(State.OPEN, 0),
        "percent": named_lists.percent(total - counts.get(State.OPEN, 0), total),
        "progress": named_lists.progress(everybody),
        "states": State.choices,
        "may_manage": request.user.has_perm("customers.manage_segment"),
        "may_work": request.user.has_perm("contacts.log_contact") and held.closed_at is None,
        "on": localdate(),
    }
    return render_page(request, "customers/named_list.html", context)


@require_POST
@may_work
def list_member_state(request, pk):
    """Say how far one line is; htmx gets the row again."""
    members = CustomerListMember.objects.visible_to(request.user)
    member = get_object_or_404(members.select_related("customer_list"), pk=pk)
    fault = ""
    try:
        member = named_lists.set_state(
            member=member, state=request.POST.get("state", ""), note=request.POST.get("note", ""), by=request.user
        )
    except Refused as refusal:
        fault = str(refusal)
    if not wants_part(request):
        if fault:
            messages.error(request, fault)
        return redirect(member.customer_list)
    row = members.select_related("customer__manager", "changed_by", "customer_list").get(pk=pk)
    context = {"member": row, "states": State.choices, "may_work": True, "fault": fault}
    return render(request, "customers/named_list.html#row", context, status=422 if fault else 200)


@require_POST
@may_manage
def named_list_close(request, pk):
    """Close a list, or open it again."""
    held = get_object_or_404(CustomerList.objects.visible_to(request.user), pk=pk)
    named_lists.close(customer_list=held, by=request.user, open_again=request.POST.get("open") == "1")
    return redirect(held)
