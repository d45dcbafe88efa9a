"""The page of the rules of rating: what holds, what lies ahead, what other rules would do, and saving them."""

from datetime import date

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import rules, rules_simulation
from customers.ladder import rating_day
from customers.models import RatingRule, Tier
from customers.rules import PARAMETERS, Rules, RulesRefused
from staff import formats
from staff.refusal import Refused
from staff.shell import render_page

TEMPLATE = "customers/rules.html"
HISTORY_ROWS = 20

may_view = permission_required("customers.view_rules", raise_exception=True)
may_edit = permission_required("customers.edit_rules", raise_exception=True)


class RulesForm(forms.ModelForm):
    """Reads a set of rules and the day it begins; `rules.save_rules` keeps it."""

    effective_from = forms.DateField(
        label=gettext_lazy("In force from"), widget=forms.DateInput(attrs={"type": "date", "class": "form-control"})
    )
    gold = forms.DecimalField(max_digits=18, decimal_places=2, min_value=1)
    platinum = forms.DecimalField(max_digits=18, decimal_places=2, min_value=1)
    diamond = forms.DecimalField(max_digits=18, decimal_places=2, min_value=1)

    class Meta:
        model = RatingRule
        fields = PARAMETERS

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for tier in (Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND):
            self.fields[tier.code].label = gettext_lazy("{tier} from").format(tier=tier.label)
        for name, field in self.fields.items():
            choice = name in ("rating_measure", "year_avg_basis")
            field.widget.attrs["class"] = "form-select" if choice else "form-control"
        for name in ("months_until_down", "months_until_down_private"):
            self.fields[name].min_value, self.fields[name].max_value = 1, 12
            self.fields[name].widget.attrs |= {"min": 1, "max": 12}

    @classmethod
    def showing(cls, held: Rules, begins: date) -> "RulesForm":
        """Return the form filled with a set of rules."""
        values = {name: _plain(value) for name, value in held.values().items()}
        return cls(initial=values | {"effective_from": begins.isoformat()})

    def rules(self) -> Rules:
        """Return what was read."""
        said = self.cleaned_data
        floors = {tier: said[tier.code] for tier in (Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND)}
        return Rules(floors, RatingRule(**{name: said[name] for name in PARAMETERS}))

    def groups(self):
        """Return [(title, bound fields)] in the order of the page."""
        return [
            (
                gettext_lazy("Thresholds, yuan"),
                [self["gold"], self["platinum"], self["diamond"], self["private_floor"]],
            ),
            (gettext_lazy("Averages"), [self["rating_measure"], self["year_avg_basis"]]),
            (gettext_lazy("Falling"), [self["months_until_down"], self["months_until_down_private"]]),
            (
                gettext_lazy("Potential"),
                [self[name] for name in ("near_percent", "loan_floor", "custody_floor", "card_floor", "payroll_floor")],
            ),
        ]


def _plain(value):
    """Return a decimal without zeroes behind the point, as a field shows it."""
    return f"{value:f}".rstrip("0").rstrip(".") if hasattr(value, "normalize") and "." in f"{value:f}" else value


@require_GET
@may_view
def rules_page(request):
    """Show the rules that hold and those ahead, and to those who edit them a form filled with the rules in force."""
    on = localdate()
    held = Rules.in_force(on)
    return render_page(request, TEMPLATE, _context(request, RulesForm.showing(held, rating_day(on)), held, on))


@require_POST
@may_edit
def rules_simulate(request):
    """Show what the rules of the form would do; nothing is written."""
    on, form = localdate(), RulesForm(request.POST)
    held = Rules.in_force(on)
    outcome = _outcome(form, held, request.user)
    context = _context(request, form, held, on) | {"outcome": outcome}
    return render_page(request, TEMPLATE, context, status=200 if outcome else 422)


def _outcome(form: RulesForm, held: Rules, viewer) -> dict | None:
    """Return the simulation of a form's rules for the page; None where the form can't be read."""
    if not form.is_valid():
        return None
    then = form.rules()
    try:
        rules.check(then)
    except RulesRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    simulation = rules_simulation.simulate(now=held, then=then, viewer=viewer)
    tiers = list(reversed(Tier))
    return {
        "simulation": simulation,
        "changes": _changes(held.differences(then)),
        "tiers": tiers,
        "matrix": [
            {
                "tier": before,
                "cells": [(simulation.of(before, after), _direction(before, after)) for after in tiers],
                "sum": sum(simulation.of(before, after).customers for after in tiers),
            }
            for before in tiers
        ],
    }


def _direction(before: Tier, after: Tier) -> str:
    """Return the class of a cell of the matrix: stayed, rose, fell, or left the tiers."""
    if before == after:
        return "same"
    if after > before:
        return "rose"
    return "left" if after == Tier.GENERAL else "fell"


def _changes(differences: dict) -> list[dict]:
    """Return [{label, before, after}] of what differs, in words."""
    return [
        {"label": _label(name), "before": _said(name, before), "after": _said(name, after)}
        for name, (before, after) in differences.items()
    ]


def _label(name: str) -> str:
    if name in ("gold", "platinum", "diamond"):
        return _("{tier} from").format(tier=Tier.from_code(name).label)
    return str(RatingRule._meta.get_field(name).verbose_name)


def _said(name: str, value) -> str:
    if name in ("rating_measure", "year_avg_basis"):
        return str(dict(RatingRule._meta.get_field(name).choices)[value])
    if name.endswith("floor") or name in ("gold", "platinum", "diamond"):
        return formats.money(value)
    return str(value)


def _context(request, form: RulesForm, held: Rules, on: date) -> dict:
    ahead = RatingRule.objects.ahead(on).select_related("made_by")
    past = list(
        RatingRule.objects.filter(effective_from__lte=on)
        .select_related("made_by")
        .order_by("-effective_from")[:HISTORY_ROWS]
    )
    before = held
    coming = []
    for rule in ahead:
        following = Rules.in_force(rule.effective_from)
        coming.append({"rule": rule, "changes": _changes(before.differences(following))})
        before = following
    return {
        "form": form,
        "held": [{"label": _label(name), "value": _said(name, value)} for name, value in held.values().items()],
        "since": past[0].effective_from if past else None,
        "coming": coming,
        "past": past,
        "may_edit": request.user.has_perm("customers.edit_rules"),
    }


@require_POST
@may_edit
def rules_save(request):
    """Keep the rules for the day they begin."""
    on, form = localdate(), RulesForm(request.POST)
    if form.is_valid():
        begins = form.cleaned_data["effective_from"]
        try:
            rules.save_rules(rules=form.rules(), effective_from=begins, by=request.user, on=on)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved; in force from {day}.").format(day=formats.day(begins, today=on)))
            return redirect("customers:rules_page")
    context = _context(request, form, Rules.in_force(on), on)
    return render_page(request, TEMPLATE, context, status=422)


@require_POST
@may_edit
def rules_withdraw(request, pk):
    """Take back rules that lie ahead."""
    rule = get_object_or_404(RatingRule, pk=pk)
    try:
        rules.withdraw_rules(effective_from=rule.effective_from, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The rules were withdrawn; those in force go on."))
    return redirect("customers:rules_page")
