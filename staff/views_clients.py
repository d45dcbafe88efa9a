"""The page of API clients: who may call, with what, from where, when last; a new secret is shown once."""

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.db.models import Max
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from oauth2_provider.models import get_access_token_model

from staff import clients
from staff.models import ApiClient, Branch
from staff.shell import render_page, take_step

TEMPLATE = "staff/clients.html"
may_manage = permission_required("staff.manage_client", raise_exception=True)


class ClientForm(forms.Form):
    """Reads a new client; `clients.create_client` makes it."""

    name = forms.CharField(max_length=60, label=pgettext_lazy("API client", "Name"))
    branch = forms.ModelChoiceField(
        Branch.objects.filter(active=True).order_by("path"), label=gettext_lazy("Sees this branch and all beneath")
    )
    scopes = forms.MultipleChoiceField(
        choices=[(code, code) for code in settings.OAUTH2_PROVIDER["SCOPES"]], label=gettext_lazy("May"),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["class"] = "form-control"
        self.fields["branch"].widget.attrs["class"] = "form-select"


@never_cache
@may_manage
def client_list(request):
    """Every client with its last use; the form makes another, whose secret the answer shows once."""
    form = ClientForm(request.POST or None)
    fresh = None
    if request.method == "POST" and form.is_valid():
        client, secret = clients.create_client(by=request.user, **form.cleaned_data)
        fresh, form = (client, secret), ClientForm()
    return render_page(request, TEMPLATE, _context(form, fresh), status=422 if form.errors else 200)


def _context(form: ClientForm, fresh=None) -> dict:
    """Return the clients, newest first, and the secret that has just been made: (client, secret)."""
    used = get_access_token_model().objects.values("application").annotate(at=Max("created"))
    last = {row["application"]: row["at"] for row in used}
    rows = ApiClient.objects.select_related("branch").order_by("-pk")
    return {"clients": [(row, last.get(row.pk)) for row in rows], "form": form, "fresh": fresh}


@never_cache
@require_POST
@may_manage
def client_step(request, pk):
    """Rotate the secret, restrict the addresses, stop a client or let it in again."""
    client = get_object_or_404(ApiClient, pk=pk)
    step = request.POST.get("step", "")
    if step == "rotate":
        secret = clients.rotate_secret(client=client, by=request.user)
        return render_page(request, TEMPLATE, _context(ClientForm(), (client, secret)))
    acts = {
        "restrict": lambda: clients.restrict(
            client=client, addresses=request.POST.get("addresses", ""), by=request.user
        ),
        "bind": lambda: clients.bind(client=client, certificate=request.POST.get("certificate", ""), by=request.user),
        "stop": lambda: clients.stop(client=client, by=request.user, stopped=True),
        "resume": lambda: clients.stop(client=client, by=request.user, stopped=False),
    }
    take_step(request, acts)
    return redirect("staff:client_list")
