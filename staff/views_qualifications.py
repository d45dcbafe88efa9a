"""The page of qualifications: who of the branch may sell what, and until when."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from staff import qualification
from staff.models import Qualification, Staff
from staff.refusal import Refused
from staff.roles import SELLERS
from staff.shell import render_page

may_manage = permission_required("staff.manage_qualification", raise_exception=True)

Day = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class QualificationForm(forms.Form):
    """Reads a qualification of a member of the branch; `qualification.enter` keeps it."""

    staff = forms.ModelChoiceField(Staff.objects.none(), label=gettext_lazy("Member of staff"))
    kind = forms.ChoiceField(choices=Qualification.Kind, label=pgettext_lazy("of qualification", "Kind"))
    number = forms.CharField(max_length=40, label=gettext_lazy("Certificate number"))
    valid_from = forms.DateField(label=gettext_lazy("Valid from"), widget=Day)
    valid_until = forms.DateField(label=gettext_lazy("Valid until"), widget=Day, required=False)

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["staff"].queryset = _sellers(viewer)


def _sellers(viewer):
    return Staff.objects.members_of(viewer.branch_id).active().of_role(*SELLERS)


@may_manage
def qualification_list(request):
    """The sellers of the branch with what each holds, and the form that enters another."""
    form = QualificationForm(request.POST or None, viewer=request.user, initial={"valid_from": localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            made = qualification.enter(by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            words = {"kind": made.get_kind_display(), "name": made.staff.name}
            messages.success(request, _("{kind}: entered for {name}").format(**words))
            return redirect("staff:qualification_list")
    on = localdate()
    sellers = _sellers(request.user).select_related("branch").order_by("branch__code", "staff_no")
    held: dict = {}
    for one in Qualification.objects.of_members(request.user.branch_id).standing().order_by("kind"):
        ending = one.valid_until is not None and one.valid_until <= on + timedelta(days=qualification.ENDS_SOON_DAYS)
        over = one.valid_until is not None and one.valid_until < on
        held.setdefault(one.staff_id, []).append({"row": one, "kind": "churn" if over else "over" if ending else "ok"})
    context = {"people": [(member, held.get(member.pk, [])) for member in sellers], "form": form}
    status = 422 if form.errors else 200
    return render_page(request, "staff/qualification_list.html", context, status=status)


@require_POST
@may_manage
def qualification_withdraw(request, pk):
    """Withdraw a qualification of somebody of the branch."""
    kept = get_object_or_404(Qualification.objects.of_members(request.user.branch_id), pk=pk)
    try:
        qualification.withdraw(
            qualification=kept, reason=request.POST.get("reason", ""), by=request.user, on=localdate()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Qualification withdrawn"))
    return redirect("staff:qualification_list")
