"""The pages of segments: list, builder with its live figures, one segment with its strategy, and the cross table."""

from decimal import Decimal
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from customers.list_rows import polyline
from customers.models import Customer, Product, Segment, SegmentMember, SegmentStrategy
from customers.search import SEALED
from customers.segments import builder, membership, segment, sizes, strategy
from customers.segments.dimensions import BY_CODE
from customers.segments.rule import RuleRefused, parse
from customers.views import may_view
from staff.models import Branch, Staff
from staff.refusal import Refused
from staff.shell import render_page

may_manage = permission_required("customers.manage_segment", raise_exception=True)

SAMPLE = 8
MEMBERS = 20
BUILDER = "customers/segment_builder.html"


def _visible(request):
    return Segment.objects.visible_to(request.user).select_related("branch", "owner")


def _own(request, pk, *, active: bool = True) -> Segment:
    """Return a segment that the viewer may change: one of his branch or beneath it, not one of those above."""
    segments = _visible(request)
    held = get_object_or_404(segments.active() if active else segments, pk=pk)
    if not Branch.objects.under(request.user.branch_id).filter(pk=held.branch_id).exists():
        raise PermissionDenied
    return held


@require_GET
@may_view
def segment_list(request):
    """Every segment in sight with its size, money, and who came and went since the night before."""
    on, viewer = localdate(), request.user
    seen = Customer.objects.visible_to(viewer).values("pk")
    here = Q(members__customer__in=seen)
    segments = _visible(request).active().annotate(
        size=Count("members", filter=here & Q(members__until=None)),
        aum=Sum("members__customer__aum", filter=here & Q(members__until=None)),
        came=Count("members", filter=here & Q(members__since=on)),
        went=Count("members", filter=here & Q(members__until=on)),
    )  # fmt: skip
    context = {
        "segments": segments,
        "strategies": {
            row.segment_id: row for row in SegmentStrategy.objects.filter(ended_at=None, segment__in=segments)
        },
        "retired": _visible(request).exclude(retired_at=None).order_by("-retired_at")[:10],
        "may_manage": viewer.has_perm("customers.manage_segment"),
        "on": on,
    }
    context["rows"] = [{"segment": one, "strategy": context["strategies"].get(one.pk)} for one in segments]
    return render_page(request, "customers/segment_list.html", context)


# --- The builder -----------------------------------------------------------------------------------


@may_manage
def segment_build(request, pk=None):
    """The builder of a new segment or of one that is there; a change of shape answers with the lines again."""
    held = _own(request, pk) if pk else None
    if request.method == "POST" and "save" in request.POST:
        return _save(request, held)
    if request.method == "POST":
        draft = builder.read(request.POST)
    elif held and held.rule:
        draft = builder.draft_of(parse(held.rule))
    else:
        draft = _draft_asked(request.GET)
    context = _builder_context(request, held, draft)
    return render_page(request, BUILDER, context, partial="lines" if request.method == "POST" else None)


def _draft_asked(query: QueryDict) -> builder.Draft:
    """Return a draft of one group from `dimension=code` pairs of an address: a cell of the cross table."""
    lines = [
        builder.Line(code, "in", [value])
        for code, value in query.items()
        if code in sizes.CROSSABLE and value in BY_CODE[code].kind.codes()
    ]
    return builder.Draft([builder.Block(lines)]) if lines else builder.Draft()


def _builder_context(request, held, draft, *, fault: str = "") -> dict:
    asked = request.POST if request.method == "POST" else {}
    return {
        "segment": held,
        "draft": draft,
        "themes": builder.themes(),
        "name": asked.get("name", held.name if held else ""),
        "purpose": asked.get("purpose", held.purpose if held else ""),
        "version": asked.get("version", held.version if held else ""),
        "here": reverse("customers:segment_edit", args=[held.pk]) if held else reverse("customers:segment_new"),
        "fault": fault,
    } | _figures(request, draft)


def _figures(request, draft) -> dict:
    """Return what the rule means now: its words, size and a few customers; a fault where it cannot be read."""
    data = draft.as_json()
    if data is None:
        return {"size": None, "words": "", "sample": [], "rule_fault": ""}
    try:
        rule = parse(data)
    except RuleRefused as refusal:
        return {"size": None, "words": "", "sample": [], "rule_fault": str(refusal)}
    on, viewer = localdate(), request.user
    here = sizes.reach_of(viewer, viewer.branch_id).filter(rule.q(on))
    sample = here.select_related("manager").defer(*SEALED).order_by("-aum", "pk")[:SAMPLE]
    size = sizes.size_of(rule, viewer=viewer, branch_id=viewer.branch_id, on=on)
    return {"size": size, "words": rule.words(), "sample": sample, "rule_fault": ""}


@require_POST
@may_manage
def segment_preview(request):
    """The figures of the rule on the page, as it stands."""
    return render(request, f"{BUILDER}#figures", _figures(request, builder.read(request.POST)))


def _save(request, held):
    draft, on = builder.read(request.POST), localdate()
    said = {name: request.POST.get(name, "") for name in ("name", "purpose")}
    version = request.POST.get("version", "")
    try:
        if not draft.is_complete or draft.as_json() is None:
            raise RuleRefused(_("Complete every condition, or take it out."))
        if held:
            number = int(version) if version.isdecimal() else 0
            kept = segment.change(
                segment=held, version=number, rule=draft.as_json(), by=request.user, on=on, **said
            )  # fmt: skip
        else:
            kept = segment.make(rule=draft.as_json(), by=request.user, on=on, **said)
    except Refused as refusal:
        context = _builder_context(request, held, draft, fault=str(refusal))
        status = 409 if isinstance(refusal, segment.SegmentConflict) else 422
        return render_page(request, BUILDER, context, status=status)
    messages.success(request, _("Segment “{name}” saved").format(name=kept.name))
    return redirect(kept)


# --- One segment -----------------------------------------------------------------------------------


class StrategyForm(forms.ModelForm):
    """Reads a strategy; `strategy.set_strategy` keeps it."""

    products = forms.MultipleChoiceField(
        label=SegmentStrategy._meta.get_field("products").verbose_name,
        choices=Product.Category.choices, widget=forms.CheckboxSelectMultiple, required=False,
    )  # fmt: skip

    class Meta:
        model = SegmentStrategy
        fields = [
            "goal", "measure", "key_customers", "timing", "every_days", "scripts", "products", "services", "owner",
            "review_on", "reason", "reason_words",
        ]  # fmt: skip
        widgets = {"scripts": forms.Textarea(attrs={"rows": 4}), "review_on": forms.DateInput(attrs={"type": "date"})}

    def __init__(self, *args, viewer, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = Staff.objects.members_of(viewer.branch_id).active().order_by("name")
        for name, field in self.fields.items():
            if name != "products":
                kind = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
                field.widget.attrs.setdefault("class", kind)


@require_GET
@may_view
def segment_detail(request, pk):
    """One segment: rule in words, members, how it moved, its strategy."""
    held, on, viewer = get_object_or_404(_visible(request), pk=pk), localdate(), request.user
    members = SegmentMember.objects.visible_to(viewer).current().filter(segment=held)
    figures = members.aggregate(size=Count("pk"), aum=Sum("customer__aum"))
    top = members.select_related("customer__manager").order_by("-customer__aum", "customer")[:MEMBERS]
    moves, now = membership.movements(held, viewer=viewer, on=on), strategy.in_force(held)
    context = {
        "segment": held,
        "words": parse(held.rule).words() if held.rule else "",
        "figures": figures,
        "members": top.defer(*(f"customer__{name}" for name in SEALED)),
        "moves": moves,
        "spark": polyline([(move["day"], Decimal(move["members"])) for move in moves]),
        "strategy": now,
        "products": [label for code, label in Product.Category.choices if now and code in now.products],
        "earlier": held.strategies.exclude(ended_at=None).select_related("made_by")[:10],
        "lists": held.customer_lists.visible_to(viewer).open(),
        "may_manage": viewer.has_perm("customers.manage_segment")
        and Branch.objects.under(viewer.branch_id).filter(pk=held.branch_id).exists(),
        "list_url": f"{reverse('customers:customer_list')}?{urlencode({'segment': held.pk})}",
    }
    return render_page(request, "customers/segment_detail.html", context)


@may_manage
def segment_strategy(request, pk):
    """The form of the strategy, filled with the one in force, and putting another in its place."""
    held, on = _own(request, pk), localdate()
    now = strategy.in_force(held)
    seen = request.POST.get("seen", "") if request.method == "POST" else str(now.pk if now else "")
    initial = {"owner": request.user, "review_on": strategy.next_review(on)}
    if now:
        initial = {name: getattr(now, name) for name in StrategyForm.Meta.fields if not name.startswith("reason")}
        initial |= {"review_on": max(now.review_on, strategy.next_review(on)), "reason": SegmentStrategy.Reason.REVIEW}
    form = StrategyForm(request.POST or None, viewer=request.user, initial=initial)
    if now is None:
        del form.fields["reason"], form.fields["reason_words"]
    if request.method == "POST" and form.is_valid():
        try:
            number = int(seen) if seen.isdecimal() else None
            strategy.set_strategy(segment=held, by=request.user, on=on, seen=number, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The strategy is in force"))
            return redirect(held)
    context = {"segment": held, "form": form, "seen": seen}
    status = 422 if form.errors else 200
    return render_page(request, "customers/segment_strategy.html", context, partial="drawer", status=status)


@require_POST
@may_manage
def segment_retire(request, pk):
    """Take a segment out of use, or back into it."""
    held = _own(request, pk, active=False)
    again = request.POST.get("restore") == "1"
    try:
        (segment.restore if again else segment.retire)(segment=held, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        said = _("“{name}” is in use again") if again else _("“{name}” is out of use; its history stays")
        messages.success(request, said.format(name=held.name))
    return redirect("customers:segment_list")


# --- The cross table -------------------------------------------------------------------------------


@require_GET
@may_view
def segment_cross(request):
    """Two dimensions crossed; a cell leads to a segment of both (S4-21)."""
    chosen = {
        side: request.GET.get(side) if request.GET.get(side) in sizes.CROSSABLE else usual
        for side, usual in (("row", "occupation"), ("column", "temperament"))
    }
    viewer = request.user
    table = sizes.cross(chosen["row"], chosen["column"], viewer=viewer, branch_id=viewer.branch_id, on=localdate())
    most = max((number for _code, _label, cells in table for _other, number in cells), default=0) or 1
    new = reverse("customers:segment_new")
    rows = [
        {
            "label": label,
            "cells": [
                {
                    "number": number,
                    "step": 0 if not number else 1 + min(3, 4 * number // most),
                    "url": f"{new}?{urlencode({chosen['row']: code, chosen['column']: other})}",
                }
                for other, number in cells
            ],
        }
        for code, label, cells in table
    ]
    context = {
        "chosen": chosen,
        "crossable": [BY_CODE[code] for code in sizes.CROSSABLE],
        "heads": list(BY_CODE[chosen["column"]].kind.codes().values()),
        "rows": rows,
        "may_manage": viewer.has_perm("customers.manage_segment"),
    }
    return render_page(request, "customers/segment_cross.html", context)
