"""The pages of communication reports: those to write and to read, one of them, its steps."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import report
from contacts.models import CommunicationReport
from contacts.report import WRITTEN
from customers.archive.fields import FIELDS, LISTS, Kind
from customers.archive.values import words_of
from customers.models import Product
from staff.refusal import Refused
from staff.roles import HEADS
from staff.shell import render_page

PROMISES, SHOWN = 3, 50
LEARNT = (
    "occupation_class",
    "post",
    "industry",
    "income_band",
    "goals",
    "liquidity",
    "property",
    "retirement_date",
    "likes_taboos",
)
"""Fields of the archive that a talk often fills; the others are written on the customer's page."""

may_see = permission_required("customers.view_customer", raise_exception=True)


class ReportForm(forms.ModelForm):
    """Reads a report as its author writes it; `report.write` keeps it."""

    products = forms.ModelMultipleChoiceField(
        Product.objects.none(), required=False, label=gettext_lazy("Products discussed")
    )

    class Meta:
        model = CommunicationReport
        fields = WRITTEN
        widgets = {
            name: forms.Textarea(attrs={"rows": 2})
            for name in ("preparation", "situation", "needs", "feedback", "objections", "sales_plan")
        }

    def __init__(self, *args, on, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["products"].queryset = Product.objects.on_sale(on).order_by("ladder_rank", "name")
        self.fields["products"].initial = [one["product"] for one in self.instance.products]
        self.fields["products"].widget.attrs["size"] = 5
        for number in range(PROMISES):
            kept = self.instance.promises[number] if number < len(self.instance.promises) else {}
            self.fields[f"promise-{number}"] = forms.CharField(
                max_length=60, required=False, label=_("Promise {n}").format(n=number + 1), initial=kept.get("what", "")
            )
            self.fields[f"due-{number}"] = forms.DateField(
                required=False, label=_("Kept by"), initial=kept.get("due", ""),
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            )  # fmt: skip
        for field in learnt_fields():
            self.fields[f"learn-{field.code}"] = _input_of(field, self.instance.profile.get(field.code))

    def words(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] or "" for name in WRITTEN}

    def promises(self) -> list[dict]:
        """Return what was promised, with its day as ISO text or nothing."""
        said = self.cleaned_data
        rows = [(said[f"promise-{n}"], said[f"due-{n}"]) for n in range(PROMISES)]
        return [{"what": what, "due": due.isoformat() if due else ""} for what, due in rows if what]

    def profile(self) -> dict:
        """Return {field code: value} of what was learnt."""
        said = {field.code: self.cleaned_data[f"learn-{field.code}"] for field in learnt_fields()}
        return {
            code: value.isoformat() if hasattr(value, "isoformat") else value for code, value in said.items() if value
        }

    def promise_rows(self):
        return [(self[f"promise-{n}"], self[f"due-{n}"]) for n in range(PROMISES)]

    def learnt(self):
        return [self[f"learn-{field.code}"] for field in learnt_fields()]


def learnt_fields():
    return [field for field in FIELDS if field.code in LEARNT and not field.mask and field.code not in LISTS]


def _input_of(field, value):
    usual = {"required": False, "label": field.label, "initial": value}
    if field.kind == Kind.DATE:
        return forms.DateField(**usual, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    if field.kind == Kind.CHOICE:
        return forms.ChoiceField(**usual, choices=[("", "—"), *field.choices.choices])
    if field.kind == Kind.CHOICES:
        return forms.MultipleChoiceField(**usual, choices=field.choices.choices, widget=forms.CheckboxSelectMultiple)
    return forms.CharField(**usual, max_length=field.max_length)


@require_GET
@may_see
def report_list(request):
    """Reports to write, those that wait for the head, and the latest submitted in sight."""
    seen = CommunicationReport.objects.visible_to(request.user).select_related("customer", "author", "log")
    own = seen.filter(author=request.user, status__in=["draft", "returned"]).order_by("due_on", "pk")
    waiting = seen.to_review(request.user).order_by("submitted_at") if request.user.role in HEADS else seen.none()
    context = {
        "own": own[:SHOWN],
        "waiting": waiting[:SHOWN],
        "latest": seen.exclude(status__in=["draft", "returned"]).order_by("-submitted_at")[:SHOWN],
        "on": localdate(),
    }
    return render_page(request, "contacts/report_list.html", context)


@require_GET
@may_see
def report_page(request, pk):
    """One report: a form for its author while it is open, else to read, with its addenda."""
    shown = _seen(request, pk)
    form = ReportForm(instance=shown, on=localdate()) if _writes(request, shown) else None
    return render_page(request, "contacts/report.html", _context(request, shown, form))


@require_POST
@may_see
def report_write(request, pk):
    """Keep the report, and submit it where asked."""
    shown = _seen(request, pk)
    if shown.author_id != request.user.pk:
        raise Http404
    on, form = localdate(), ReportForm(request.POST, instance=shown, on=localdate())
    if form.is_valid():
        words, promises = form.words(), form.promises()
        try:
            report.write(
                report=shown, words=words, promises=promises, profile=form.profile(),
                products=list(form.cleaned_data["products"]), by=request.user, on=on,
            )  # fmt: skip
            if "submit" in request.POST:
                report.submit(report=shown, by=request.user, on=on)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            done = _("Report submitted") if "submit" in request.POST else _("Draft kept")
            messages.success(request, done)
            return redirect(shown)
    return render_page(request, "contacts/report.html", _context(request, shown, form), status=422)


@require_POST
@may_see
def report_answer(request, pk):
    """The head's answer: read, with a comment, or sent back; or an addendum by whoever sees the report."""
    shown, comment = _seen(request, pk), request.POST.get("comment", "")
    acts = {
        "review": lambda: report.review(report=shown, by=request.user, comment=comment),
        "back": lambda: report.send_back(report=shown, by=request.user, comment=comment, on=localdate()),
        "add": lambda: report.add(report=shown, text=comment, by=request.user),
    }
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    if request.POST["act"] == "add" and not request.user.has_perm("contacts.log_contact"):
        raise PermissionDenied
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Kept with the report"))
    return redirect(shown)


def _seen(request, pk) -> CommunicationReport:
    rows = CommunicationReport.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("customer", "author", "log", "reviewed_by"), pk=pk)


def _writes(request, shown: CommunicationReport) -> bool:
    return shown.is_open and shown.author_id == request.user.pk


def _context(request, shown: CommunicationReport, form: ReportForm | None) -> dict:
    by_code = {field.code: field for field in FIELDS}
    return {
        "report": shown,
        "form": form,
        "said": [
            (shown._meta.get_field(name).verbose_name, _words(shown, name)) for name in WRITTEN if getattr(shown, name)
        ],
        "learnt": [(by_code[code].label, words_of(by_code[code], value)) for code, value in shown.profile.items()],
        "files": shown.attachments.defer("content"),
        "addenda": shown.addenda.select_related("by"),
        "reviews": shown.status == "submitted" and request.user.role in HEADS,
        "adds": not shown.is_open and request.user.has_perm("contacts.log_contact"),
        "late": shown.is_open and shown.due_on < localdate(),
        "age": (localdate() - shown.log.on) // timedelta(days=1),
    }


def _words(shown: CommunicationReport, name: str) -> str:
    return str(shown.get_attitude_display()) if name == "attitude" else getattr(shown, name)
