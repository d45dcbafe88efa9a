"""Who is let in, who is kept out, and for how long."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.models import AuditEvent
from staff.sign_in import StaffAdapter
from tests.factories import PASSWORD, StaffFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_limits_of_other_tests():
    cache.clear()


@pytest.fixture
def staff():
    return StaffFactory(staff_no="03127", name="林晓雯", password=PASSWORD)


def sign_in(client, number="03127", password=PASSWORD, **headers):
    return client.post(SIGN_IN, {"login": number, "password": password}, **headers)


def refusal() -> str:
    return str(StaffAdapter.error_messages["username_password_mismatch"])


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_employee_number_and_password_let_in(client, staff):
    response = sign_in(client)
    assert (response.status_code, response.url) == (302, reverse("home"))
    assert signed_in(client)
    event = AuditEvent.objects.get()
    assert (event.action, event.staff, event.ip) == ("staff.signed_in", staff, "127.0.0.1")


def test_after_sign_in_comes_the_page_first_asked_for(client, staff):
    asked = client.get("/preferences/")
    assert asked.url == f"{SIGN_IN}?next=/preferences/"
    response = client.post(asked.url, {"login": "03127", "password": PASSWORD, "next": "/preferences/"})
    assert response.url == "/preferences/"


@pytest.mark.parametrize(("number", "password"), [("03127", "wrong"), ("99999", PASSWORD)])
def test_a_wrong_number_and_a_wrong_password_read_the_same(client, staff, number, password):
    response = sign_in(client, number, password)
    assert response.status_code == 200
    assert [str(said) for said in response.context["form"].non_field_errors()] == [refusal()]
    assert not signed_in(client)


def test_a_disabled_member_is_kept_out_in_the_same_words(client, staff):
    staff.is_active = False
    staff.save()
    said = sign_in(client).context["form"].non_field_errors()
    assert [str(sentence) for sentence in said] == [refusal()]


def test_five_wrong_tries_lock_for_fifteen_minutes(client, staff):
    for _turn in range(5):
        sign_in(client, password="wrong")
    locked = sign_in(client)
    assert locked.status_code == 429
    assert locked.context["locked"] is True
    assert 'role="alert"' in locked.content.decode()
    assert not signed_in(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert sign_in(client).status_code == 302
    assert signed_in(client)


def test_a_lock_is_of_one_name_at_one_address(client, staff):
    other = StaffFactory(staff_no="03128", password=PASSWORD)
    for _turn in range(6):
        sign_in(client, password="wrong")
    assert sign_in(client, other.staff_no).status_code == 302
    client.logout()
    assert sign_in(client, REMOTE_ADDR="10.0.0.9").status_code == 302


def test_a_wrong_password_is_on_the_trail(client, staff):
    sign_in(client, password="wrong")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.staff) == ("staff.sign_in_failed", str(staff.pk), None)


def test_every_page_is_closed_unless_opened(client):
    for path in ["/", "/audit/", "/night/", "/preferences/"]:
        assert client.get(path).url == f"{SIGN_IN}?next={path}"


def test_nobody_signs_up(client):
    assert client.get("/accounts/signup/").status_code == 404


def test_a_part_of_a_page_answers_401_when_the_session_is_over(client):
    assert client.get("/preferences/", headers={"HX-Request": "true"}).status_code == 401
    boosted = client.get("/preferences/", headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert boosted.status_code == 302


def test_a_session_ends_after_ten_hours_however_busy(client, staff):
    client.force_login(staff)
    began = timezone.now()
    for minutes in range(0, 10 * 60, 15):
        with time_machine.travel(began + timedelta(minutes=minutes)):
            assert client.get("/preferences/").status_code == 200
    with time_machine.travel(began + timedelta(minutes=10 * 60 + 1)):
        assert client.get("/preferences/").status_code == 302
    assert not signed_in(client)


def test_a_session_that_is_used_lives_twenty_minutes_longer(client, staff):
    client.force_login(staff)
    response = client.get("/preferences/")
    assert response.cookies["sessionid"]["max-age"] == 20 * 60


@pytest.mark.parametrize("change", [{"role": "teller"}, {"is_active": False}])
def test_a_new_role_or_a_disabled_account_ends_the_session(client, staff, change):
    client.force_login(staff)
    assert client.get("/preferences/").status_code == 200
    for name, value in change.items():
        setattr(staff, name, value)
    staff.save()
    assert client.get("/preferences/").status_code == 302


def test_whoever_signs_in_elsewhere_leaves_the_session_before(client, staff, settings):
    settings.ONE_SESSION_PER_PERSON = True
    elsewhere = Client()
    sign_in(client)
    assert client.get("/preferences/").status_code == 200
    sign_in(elsewhere)
    assert elsewhere.get("/preferences/").status_code == 200
    assert client.get("/preferences/").status_code == 302


def test_outside_a_demonstration_the_second_factor_comes_first(client, staff, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    sign_in(client)
    assert client.get("/preferences/").url == reverse("mfa_activate_totp")
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_a_second_factor_is_set_up_and_asked_for(client, staff, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    sign_in(client)
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
    client.post(reverse("mfa_activate_totp"), {"code": code})

    stored = Authenticator.objects.get(user=staff, type="totp")
    assert secret not in str(stored.data)
    assert client.get("/preferences/").status_code == 200

    client.post(reverse("account_logout"))
    assert sign_in(client).url == reverse("mfa_authenticate")
    assert not signed_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert not signed_in(client)
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
        assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
        assert signed_in(client)


def test_pages_speak_the_language_of_the_person(client, staff):
    client.force_login(staff)
    assert client.get("/preferences/", headers={"Accept-Language": "en"}).headers["Content-Language"] == "zh-hans"
    client.post("/preferences/save/", {"language": "en"})
    assert client.get("/preferences/", headers={"Accept-Language": "zh"}).headers["Content-Language"] == "en"


def test_preferences_are_kept_one_by_one(client, staff):
    client.force_login(staff)
    response = client.post("/preferences/save/", {"theme": "dark", "next": "/preferences/"})
    assert response.url == "/preferences/"
    client.post("/preferences/save/", {"single_keys": "off"})
    staff.refresh_from_db()
    assert (staff.theme, staff.single_keys, staff.language) == ("dark", False, "zh-hans")


def test_a_preference_that_does_not_exist_is_refused(client, staff):
    client.force_login(staff)
    assert client.post("/preferences/save/", {"theme": "pink"}).status_code == 400
    staff.refresh_from_db()
    assert staff.theme == "auto"


def test_a_preference_does_not_lead_away(client, staff):
    client.force_login(staff)
    assert client.post("/preferences/save/", {"theme": "dark", "next": "https://thief.example/"}).url == "/"


def test_the_language_can_be_chosen_before_signing_in(client):
    client.post("/preferences/save/", {"language": "en"})
    assert client.get(SIGN_IN, headers={"Accept-Language": "zh"}).headers["Content-Language"] == "en"
