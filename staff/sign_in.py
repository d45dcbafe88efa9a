"""Signing in: who is let in, what is said to those who are not, and the second factor's secrets."""

import base64

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from staff import audit, sealing, session
from staff.models import Staff
from staff.request_context import address_of


class StaffBackend(BaseBackend):
    """Lets in active members of staff by employee number and password."""

    def authenticate(self, request, username=None, password=None, **credentials):
        if not username or not password:
            return None
        staff = Staff.objects.select_related("branch").filter(staff_no=username).first()
        if staff is None:
            make_password(password)  # an unknown number takes as long as a known one
            return None
        if staff.check_password(password) and staff.is_active:
            return staff
        audit.record("staff.sign_in_failed", staff, by=None)
        return None

    def get_user(self, user_id):
        return Staff.objects.active().select_related("branch").filter(pk=user_id).first()


class StaffAdapter(DefaultAccountAdapter):
    """allauth as a bank uses it: nobody signs up, every sign-in is on the trail, pages say no more than needed."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("The employee number or the password is wrong."),
        "too_many_login_attempts": _("Too many wrong tries. Try again in 15 minutes."),
        "incorrect_password": _("The password is wrong."),
        "incorrect_code": _("The code is wrong or too old."),
    }

    def is_open_for_signup(self, request):
        return False

    def get_client_ip(self, request):
        return address_of(request) or "local"

    def add_message(self, *args, **kwargs):
        """Say nothing: the next page says it all."""

    def is_reauthentication_required(self, *, app):
        """Ask for the password again before the second factor is changed, but not when it is first set up."""
        return is_mfa_enabled(context.request.user) and super().is_reauthentication_required(app=app)

    def login(self, request, user):
        super().login(request, user)
        session.remember_newest(request, user)
        audit.record("staff.signed_in", user, by=user)

    def logout(self, request):
        if request.user.is_authenticated:
            audit.record("staff.signed_out", request.user, by=request.user)
        super().logout(request)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of second factors encrypted like every other secret of the bank."""

    def get_totp_label(self, user):
        return user.staff_no

    def encrypt(self, text):
        return base64.b64encode(sealing.seal(text)).decode()

    def decrypt(self, encrypted_text):
        return sealing.unseal(base64.b64decode(encrypted_text))


class SignInForm(LoginForm):
    """Employee number and password, in the bank's words."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Employee number")
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""


@method_decorator(never_cache, name="dispatch")
class SignInView(LoginView):
    """The door; in a demonstration it lists who may be tried."""

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"demo_signins": demo_signins()}


def demo_signins() -> list[dict]:
    """Return the demonstration's sign-ins, {number, who}; none outside one."""
    numbers = getattr(settings, "DEMO_SIGN_INS", ()) if settings.DEMO else ()
    order = {number: place for place, number in enumerate(numbers)}
    people = Staff.objects.active().filter(staff_no__in=numbers)
    return [
        {"number": person.staff_no, "who": person.get_role_display()}
        for person in sorted(people, key=lambda person: order[person.staff_no])
    ]


def tried_name(request, credentials=None) -> str:
    """Return the employee number that somebody tries, for the lock-out."""
    tried = (credentials or {}).get("username") or request.POST.get("login", "")
    return tried.strip()


def locked_out(request, original_response=None, credentials=None):
    """Answer a locked-out try with the sign-in page and the rule in words."""
    form = SignInForm(request=request, initial={"login": tried_name(request, credentials)})
    context = {"form": form, "locked": True, "demo_signins": demo_signins()}
    return render(request, "account/login.html", context, status=429)
