"""Places beyond the limits: who has them, until when and why, the customers that stand on them, and the form."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers import override
from customers.models import Assignment, Override, Tier
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page

may_assign = permission_required("customers.assign_customer", raise_exception=True)


class OverrideForm(forms.Form):
    """Reads places for a member of the branch; `override.give` gives them."""

    staff = forms.ModelChoiceField(Staff.objects.none(), label=gettext_lazy("Member of staff"))
    tier = forms.TypedChoiceField(
        label=gettext_lazy("Tier"), coerce=int,
        choices=[(int(tier), tier.label) for tier in (Tier.DIAMOND, Tier.PLATINUM, Tier.GOLD)],
    )  # fmt: skip
    places = forms.IntegerField(label=gettext_lazy("Places"), min_value=1, max_value=200)
    until = forms.DateField(
        label=gettext_lazy("Until"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("At least 10 characters: why nobody else can take them, and until when."),
    )  # fmt: skip

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        members = Staff.objects.members_of(viewer.branch_id).active().filter(load__capacity__gt=0)
        self.fields["staff"].queryset = members.order_by("branch__code", "staff_no")


@may_assign
def override_list(request):
    """What stands and what ended of late, the customers on such places, and the form that gives more."""
    on = localdate()
    asked = {name: request.GET[name] for name in ("staff", "tier", "places") if name in request.GET}
    form = OverrideForm(request.POST or None, viewer=request.user, initial=asked)
    if request.method == "POST" and form.is_valid():
        try:
            made = override.give(by=request.user, on=on, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            words = {"name": made.staff.name, "n": made.places, "tier": made.get_tier_display()}
            messages.success(request, _("{name} has {n} more places for {tier}").format(**words))
            return redirect("customers:override_list")
    rows = Override.objects.of_members(request.user.branch_id).select_related("staff", "given_by")
    standing = Assignment.objects.visible_to(request.user).open().filter(exceeds=True)
    context = {
        "form": form,
        "valid": rows.valid(on).order_by("valid_until", "pk"),
        "ended": rows.exclude(pk__in=rows.valid(on)).order_by("-valid_until", "-pk")[:20],
        "customers": standing.select_related("customer", "staff").order_by("-start", "-pk")[:200],
    }
    return render_page(request, "customers/override_list.html", context, status=422 if form.errors else 200)


@require_POST
@may_assign
def override_withdraw(request, pk):
    """Take places back before their end."""
    kept = get_object_or_404(Override.objects.of_members(request.user.branch_id), pk=pk)
    try:
        override.withdraw(override=kept, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Places taken back; who stands on them stays"))
    return redirect("customers:override_list")
