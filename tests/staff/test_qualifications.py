"""Who may sell what: the days on which a qualification holds, entering, withdrawing, and the page."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import localdate

from customers.suitability import QUALIFICATIONS
from staff import qualification
from staff.models import Qualification
from staff.qualification import QualificationRefused
from staff.roles import Role
from tests.factories import BranchFactory, QualificationFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 19)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "holds"),
    [
        ({"valid_from": TODAY}, True),
        ({"valid_from": TODAY + DAY}, False),
        ({"valid_until": TODAY}, True),
        ({"valid_until": TODAY - DAY}, False),
        ({"withdrawn_on": TODAY}, False),
        ({"withdrawn_on": TODAY + DAY}, True),
    ],
)
def test_a_qualification_holds_from_its_first_day_to_its_last(days, holds):
    member = QualificationFactory(kind="fund", **days).staff
    assert ("fund" in qualification.held(member, TODAY)) == holds


def test_every_category_that_asks_for_a_qualification_has_one_to_enter():
    assert set(QUALIFICATIONS) <= set(Qualification.Kind.values)


def test_one_of_a_kind_is_entered_and_a_new_one_after_the_old_is_withdrawn():
    member, head = StaffFactory(), StaffFactory(role=Role.BRANCH_HEAD)
    entry = {"staff": member, "kind": "fund", "valid_from": TODAY, "valid_until": None, "by": head}
    old = qualification.enter(number="A1", **entry)
    with pytest.raises(QualificationRefused):
        qualification.enter(number="A2", **entry)
    with pytest.raises(QualificationRefused):
        qualification.withdraw(qualification=old, reason=" ", by=head, on=TODAY)
    qualification.withdraw(qualification=old, reason="换证", by=head, on=TODAY)
    with pytest.raises(QualificationRefused):
        qualification.withdraw(qualification=old, reason="换证", by=head, on=TODAY)
    qualification.enter(number="A2", **entry)
    assert list(Qualification.objects.filter(staff=member).standing().values_list("number", flat=True)) == ["A2"]


def test_the_head_enters_for_the_own_branch_only(client):
    branch = BranchFactory()
    head, member = StaffFactory(role=Role.BRANCH_HEAD, branch=branch), StaffFactory(branch=branch)
    stranger = QualificationFactory()
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    page, data = reverse("staff:qualification_list"), {"kind": "fund", "number": "F-7", "valid_from": localdate()}

    assert client.post(page, data | {"staff": stranger.staff.pk}).status_code == 422
    assert client.post(page, data | {"staff": member.pk}).status_code == 302
    entered = Qualification.objects.get(staff=member)
    shown = client.get(page).content.decode()
    assert "F-7" in shown and stranger.number not in shown
    withdraw = "staff:qualification_withdraw"
    assert client.post(reverse(withdraw, args=[stranger.pk]), {"reason": "离岗"}).status_code == 404
    client.post(reverse(withdraw, args=[entered.pk]), {"reason": "离岗"})
    entered.refresh_from_db()
    assert (entered.withdrawn_on, entered.withdrawn_because) == (localdate(), "离岗")
