"""Family and relations within sight, assets elsewhere, gifts that repeat, and the marks of care."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.timezone import localdate

from customers import care
from customers.archive import family
from customers.archive.values import ArchiveRefused
from customers.models import AdjustmentRequest, Customer, ExternalAsset, Gift, Relation
from customers.value import value_branch
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, monthly_asset

pytestmark = pytest.mark.django_db


@pytest.fixture
def served():
    row = AssignmentFactory(staff=LoadFactory(staff__language="en").staff, customer__aum=1_000_000)
    return row.customer, row.staff


def relate(customer, kind, relative, by):
    return family.add_relation(customer=customer, kind=kind, relative=relative, by=by)


def test_a_household_counts_only_who_is_in_sight(served):
    customer, manager = served
    wife = AssignmentFactory(staff=manager, customer__aum=500_000, customer__branch=customer.branch).customer
    son = CustomerFactory(branch=BranchFactory(), aum=9_000_000)
    partner = AssignmentFactory(staff=manager, customer__aum=7, customer__branch=customer.branch).customer
    relate(customer, "spouse", wife, manager)
    relate(son, "parent", wife, manager)
    relate(customer, "business", partner, manager)

    found = family.household_of(customer, viewer=manager)
    assert ({one.pk for one in found.members}, found.aum, found.hidden) == ({customer.pk, wife.pk}, 1_500_000, 1)
    assert family.household_of(wife, viewer=manager).aum == 1_500_000


def test_a_relation_is_read_from_both_sides_and_noted_once(served):
    customer, manager = served
    wife = CustomerFactory(branch=customer.branch)
    relate(customer, "spouse", wife, manager)
    assert [mine for _row, _one, mine in family.relations_of(customer)] == [True]
    assert [(one, mine) for _row, one, mine in family.relations_of(wife)] == [(customer, False)]
    for one, other in ((customer, wife), (wife, customer), (customer, customer)):
        with pytest.raises(ArchiveRefused):
            relate(one, "spouse", other, manager)


def test_a_child_is_kept_only_with_consent_and_without_occupation(served):
    customer, manager = served
    child = {"kind": "child", "name": "小沈", "birth_year": 2015, "school": "澜江小学", "occupation": "x"}
    with pytest.raises(ArchiveRefused):
        family.add_relation(customer=customer, by=manager, consented=False, **child)
    assert family.add_relation(customer=customer, by=manager, consented=True, **child).occupation == ""
    with pytest.raises(IntegrityError), transaction.atomic():
        Relation.objects.create(customer=customer, by=manager, **child)
    with pytest.raises(ArchiveRefused):
        family.add_relation(customer=customer, by=manager, kind="friend")


def test_the_same_kind_of_gift_in_two_successive_years_is_told_with_three_ideas(client, served):
    """Same gift kind in 2 successive years → "方式重复,建议更换" with 3 ideas (S4-15)."""
    customer, manager = served
    on = localdate()
    Customer.objects.filter(pk=customer.pk).update(birth_date=date(1950, 1, 1))
    customer.refresh_from_db()
    Gift.objects.create(customer=customer, kind="flowers", what="花篮", on=on.replace(year=on.year - 1, day=1))
    assert family.repeated(customer.gifts.all(), "flowers", on=on)
    assert not family.repeated(customer.gifts.all(), "cake", on=on)
    assert not family.repeated(customer.gifts.all(), "flowers", on=on.replace(year=on.year + 1, day=1))
    assert len(family.ideas_for(customer, "flowers", on=on)) == 3
    client.force_login(manager)
    gift = {"kind": "flowers", "what": "花篮", "on": on.isoformat(), "cost": "200"}
    page = client.post(f"/customers/{customer.pk}/family/gift/add/", gift, follow=True).content.decode()
    assert "The same kind of gift as last year" in page and "Health service" in page


def test_assets_elsewhere_belong_to_the_potential_value(served):
    customer, manager = served
    on = date(2026, 11, 30)
    Customer.objects.filter(pk=customer.pk).update(data_date=on)
    monthly_asset(customer, on.replace(day=1), Decimal(0))
    family.add_external_asset(customer=customer, by=manager, bank="他行", kind="deposit", amount=Decimal(1_000_000))
    value_branch(branch_id=customer.branch_id, on=on)
    customer.refresh_from_db()
    assert customer.pv == Decimal("500.00")  # 1,000,000 × 10 % × 0.50 %


def test_a_manager_notes_and_ends_by_the_page_and_a_hidden_relative_has_no_name(client, served):
    customer, manager = served
    stranger = CustomerFactory(branch=BranchFactory(), name="别处人")
    client.force_login(manager)
    url = f"/customers/{customer.pk}/family/"
    client.post(f"{url}relation/add/", {"kind": "spouse", "name": "李太太", "birth_year": "1980"})
    client.post(f"{url}relation/add/", {"kind": "friend", "number": stranger.customer_no})
    client.post(f"{url}asset/add/", {"bank": "城商行", "kind": "deposit", "amount": "300000"})
    assert Relation.objects.count() == 1
    relate(customer, "friend", stranger, manager)

    panel = client.get(url).content.decode()
    assert "李太太" in panel and "城商行" in panel and "not in your sight" in panel and "别处人" not in panel

    client.post(f"{url}asset/{ExternalAsset.objects.get().pk}/end/")
    assert "城商行" not in client.get(url).content.decode()
    assert ExternalAsset.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("role", "flag", "reason", "done"),
    [
        (Role.RELATIONSHIP_MANAGER, "do_not_contact", "客户要求", True),
        (Role.RELATIONSHIP_MANAGER, "low_disturb", "喜静", False),
        (Role.RELATIONSHIP_MANAGER, "key_customer", "重点", False),
        (Role.BRANCH_HEAD, "low_disturb", "喜静", True),
        (Role.BRANCH_HEAD, "key_customer", "重点", True),
        (Role.BRANCH_HEAD, "key_customer", "  ", False),
        (Role.BRANCH_HEAD, "risk_grade", "x", False),
    ],
)
def test_who_may_set_which_mark(role, flag, reason, done):
    customer, staff = CustomerFactory(), LoadFactory(staff__role=role).staff
    if done:
        care.set_flag(customer=customer, flag=flag, value=True, reason=reason, by=staff)
        customer.refresh_from_db()
        assert getattr(customer, flag) is True
        assert AuditEvent.objects.filter(action="customer.marked").count() == 1
        care.set_flag(customer=customer, flag=flag, value=True, reason=reason, by=staff)
        assert AuditEvent.objects.filter(action="customer.marked").count() == 1
    else:
        with pytest.raises(care.CareRefused):
            care.set_flag(customer=customer, flag=flag, value=True, reason=reason, by=staff)


@pytest.mark.parametrize(
    ("day", "kept"),
    [
        ({"month": 2, "number": 29}, "02-29"),
        ({"month": 2, "number": 30}, None),
        ({"month": 0, "number": 1}, None),
        ({"month": -6, "number": 1}, None),
        ({"month": -6, "number": 1, "lunar": True}, "-6-1"),
        ({"month": 8, "number": 30, "lunar": True}, "8-30"),
        ({"month": 8, "number": 31, "lunar": True}, None),
    ],
)
def test_an_important_date_is_a_day_of_its_calendar(served, day, kept):
    customer, manager = served
    note = {"customer": customer, "kind": "anniversary", "name": "店庆", "by": manager}
    if kept is None:
        with pytest.raises(ArchiveRefused):
            family.add_important_date(**note, **day)
    else:
        assert family.add_important_date(**note, **day).day == kept


def test_a_family_birthday_is_hidden_until_revealed(client, served):
    customer, manager = served
    family.add_important_date(
        customer=customer, kind="family_birthday", name="母亲", month=8, number=15, lunar=True, by=manager
    )
    client.force_login(manager, backend="staff.sign_in.StaffBackend")

    page = client.get(reverse("customers:panel_family", args=[customer.pk])).content.decode()
    assert "母亲" in page and "8-15" not in page
    shown = client.post(
        reverse("customers:reveal", args=[customer.pk]), {"field": "family_birthdays", "purpose": "contact"},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert "母亲 lunar 8-15" in shown.content.decode()
    assert AuditEvent.objects.get(action="customer.revealed").staff == manager


def test_what_is_noted_of_the_family_counts_in_completeness_at_once_on_both_records(served):
    customer, manager = served
    wife = CustomerFactory(branch=customer.branch)
    row = relate(customer, "spouse", wife, manager)
    filled = {one.pk: Customer.objects.get(pk=one.pk).archive_completeness for one in (customer, wife)}
    family.end_row(row=row, by=manager)
    for one in (customer, wife):
        assert Customer.objects.get(pk=one.pk).archive_completeness < filled[one.pk]


def test_a_manager_asks_for_low_disturbance_and_the_head_agrees(client, served):
    """low_disturb approved → monthly rule replaced by quarterly (S4-27)."""
    customer, manager = served
    head = LoadFactory(staff__role=Role.BRANCH_HEAD, staff__branch=customer.branch).staff
    client.force_login(manager, backend="staff.sign_in.StaffBackend")
    for _twice in range(2):
        client.post(reverse("customers:care_ask", args=[customer.pk]), {"reason": "喜静，少走访"})
    wish = AdjustmentRequest.objects.get()
    assert wish.kind == "low_disturb"
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    client.post(reverse("customers:adjustment_settle", args=[wish.pk]), {"outcome": "done"})
    customer.refresh_from_db()
    assert customer.low_disturb
