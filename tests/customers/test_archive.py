"""The personal archive: values with their history, conflicts, completeness, interests, consents."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.archive import completeness, consents, interests, values
from customers.archive.fields import BY_CODE, FIELDS, LISTS, WEIGHTS, Group, Kind, fields_of
from customers.models import ConsentRecord, Customer, ExternalAsset, Hobby, ProfileValue, Relation, Resource, Source
from customers.reveal import Field, Purpose, reveal
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def held():
    return AssignmentFactory(staff=LoadFactory(staff__language="en", staff__name="林晓雯").staff)


def write(held, code, said, *, seen=None, by=None, source=Source.CUSTOMER):
    return values.set_value(customer=held.customer, code=code, said=said, source=source, by=by or held.staff, seen=seen)


def test_a_value_keeps_its_source_author_and_the_one_before(held):
    first = write(held, "temperament", "quiet")
    second = write(held, "temperament", "lively", seen=first.pk, source=Source.OBSERVED)

    first.refresh_from_db()
    assert first.ended_at == second.at
    assert (second.source, second.by, second.value) == ("observed", held.staff, "lively")
    assert ProfileValue.objects.current().filter(field="temperament").count() == 1
    events = AuditEvent.objects.filter(action="archive.changed").order_by("pk").values_list("figures", flat=True)
    assert list(events)[1] == {"field": "temperament", "old": "quiet", "new": "lively"}


def test_who_comes_second_with_an_old_page_is_told_and_nothing_is_written(held):
    seen = write(held, "post", "店主")
    colleague = StaffFactory(name="冯嘉树")
    theirs = write(held, "post", "总经理", seen=seen.pk, by=colleague)

    with pytest.raises(values.Conflict) as told:
        write(held, "post", "科长", seen=seen.pk)

    assert told.value.current == theirs
    assert ProfileValue.objects.current().get(field="post").value == "总经理"


def test_an_earlier_value_can_be_restored_and_a_value_cleared(held):
    first = write(held, "car", "轿车")
    second = write(held, "car", "货车", seen=first.pk)

    again = values.restore(earlier=first, by=held.staff, seen=second.pk)
    assert again.value == "轿车"

    assert write(held, "car", "", seen=again.pk) is None
    assert not ProfileValue.objects.current().filter(field="car").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [("temperament", "loud"), ("goals", ["house", "moon"]), ("wedding_date", "2026-02-30"), ("post", "x" * 41),
     ("payroll_here", "maybe"), ("mobile", "13800000000"), ("hobbies", "茶"), ("nonsense", "x"), ("post", "a\x00b")],
)  # fmt: skip
def test_what_does_not_fit_a_field_is_refused(held, code, said):
    with pytest.raises(values.ArchiveRefused):
        write(held, code, said)

    assert not ProfileValue.objects.exists()


def test_a_sensitive_value_is_sealed_masked_and_revealed_on_its_own(held):
    write(held, "second_contact", "13912345678")

    row = ProfileValue.objects.get()
    assert (row.value, row.sealed) == ("139 **** 5678", "13912345678")
    assert "13912345678" not in str(list(AuditEvent.objects.values()))
    shown = reveal(
        customer=held.customer,
        field=Field.SECOND_CONTACT,
        purpose=Purpose.CONTACT,
        by=held.staff,
        on=timezone.localdate(),
    )
    assert shown == "13912345678"


# --- Completeness ----------------------------------------------------------------------------------


def test_the_weights_make_a_hundred_and_every_field_filled_is_a_hundred_percent():
    assert sum(WEIGHTS.values()) == 100
    assert completeness.completeness({field.code for field in FIELDS}) == 100
    assert completeness.completeness(set()) == 0


def test_a_group_counts_its_weight_by_the_share_that_is_filled():
    risk = [field.code for field in fields_of(Group.RISK)]

    assert completeness.completeness(risk) == 10
    assert completeness.completeness(risk[:3]) == 6  # 3 of 5 fields of 10 percent


def said_for(field):
    return {
        Kind.TEXT: "文字", Kind.DATE: "2001-02-03", Kind.BOOL: "true",
        Kind.CHOICE: field.choices and field.choices.values[0], Kind.CHOICES: field.choices and field.choices.values[:1],
    }[field.kind]  # fmt: skip


@given(filled=st.sets(st.sampled_from([field.code for field in FIELDS])))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_counts_completeness_as_the_rule_does(held, filled):
    columns = {"name": "某人", "gender": "f", "birth_date": "1980-01-01", "id_no_masked": "4*6", "mobile_masked": "138",
               "address_masked": "某路", "employer": "某厂", "risk_grade": 3, "risk_assessed_on": "2026-01-01"}  # fmt: skip
    empty = {"birth_date": None, "risk_grade": None, "risk_assessed_on": None}
    for model in (ProfileValue, Hobby, Resource, ConsentRecord):
        model.objects.filter(customer=held.customer).delete()
    Customer.objects.filter(pk=held.customer.pk).update(
        **{name: columns[name] if _code_of(name) in filled else empty.get(name, "") for name in columns}
    )
    for code in filled:
        field = BY_CODE[code]
        if not field.column and code not in LISTS:
            ProfileValue.objects.create(customer=held.customer, field=code, value=said_for(field))
    if "hobbies" in filled:
        Hobby.objects.create(customer=held.customer, word="茶")
    if "resource_needs" in filled:
        Resource.objects.create(customer=held.customer, direction="need", word="教育")
    Relation.objects.filter(customer=held.customer).delete()
    ExternalAsset.objects.filter(customer=held.customer).delete()
    if "family_members" in filled:
        Relation.objects.create(customer=held.customer, kind="spouse", name="某人")
    else:
        Relation.objects.create(customer=held.customer, kind="friend", name="某人")
    if "external_assets" in filled:
        ExternalAsset.objects.create(customer=held.customer, bank="他行", kind="deposit", amount=1)
    if "consents" in filled:
        ConsentRecord.objects.create(customer=held.customer, purpose="care", channel="sms", granted=False)

    completeness.refresh_branch(branch_id=held.customer.branch_id, on=timezone.localdate())

    held.customer.refresh_from_db(fields=["archive_completeness"])
    assert held.customer.archive_completeness == completeness.completeness(filled)


def _code_of(column):
    return next(field.code for field in FIELDS if field.column == column)


def test_the_next_question_is_what_adds_most_for_least_effort():
    everything = {field.code for field in FIELDS}

    assert completeness.next_question(filled=everything) is None
    assert completeness.next_question(filled=everything - {"income_band", "goals"}).field.code == "goals"
    old = completeness.next_question(filled=everything, stale={"occupation_class"})
    assert (old.field.code, old.is_stale) == ("occupation_class", True)


# --- Interests and consents ------------------------------------------------------------------------


def test_a_hobby_noted_again_replaces_the_one_before(held):
    about = {"customer": held.customer, "word": "掼蛋", "source": Source.CUSTOMER, "by": held.staff}
    interests.add_hobby(**about, level=1, earns=False)
    again = interests.add_hobby(**about, level=3, earns=True)

    assert list(Hobby.objects.current()) == [again]
    assert Hobby.objects.count() == 2
    interests.end(row=again, by=held.staff)
    assert not Hobby.objects.current().exists()


def test_a_word_that_is_not_on_the_list_is_refused(held):
    with pytest.raises(values.ArchiveRefused):
        interests.add_hobby(
            customer=held.customer, word="吵架", level=1, earns=False, source=Source.CUSTOMER, by=held.staff
        )


def consent(held, granted, evidence=""):
    return consents.record(
        customer=held.customer, purpose=consents.Purpose.MARKETING, channel=consents.Channel.SMS, granted=granted,
        evidence=evidence, by=held.staff,
    )  # fmt: skip


def test_the_newest_consent_holds_and_saying_it_again_writes_nothing(held):
    consent(held, True, "签约表")
    consent(held, False)
    consent(held, False)

    held_now = consents.consents_of(held.customer)[("marketing", "sms")]
    assert (held_now.granted, ConsentRecord.objects.count()) == (False, 2)


def test_a_grant_needs_evidence_and_a_withdrawal_does_not(held):
    with pytest.raises(values.ArchiveRefused):
        consent(held, True, "  ")

    assert not ConsentRecord.objects.exists()


# --- Pages -----------------------------------------------------------------------------------------


def test_a_manager_edits_a_field_in_place_and_sees_who_wrote_before(client, held):
    client.force_login(held.staff)
    first = write(held, "temperament", "quiet")
    url = f"/customers/{held.customer.pk}/profile/temperament/"

    form = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert f'value="{first.pk}"' in form
    answer = client.post(
        url, {"said": "lively", "source": "customer", "seen": first.pk}, headers={"HX-Request": "true"}
    )

    assert "Lively" in answer.content.decode() and "林晓雯" in answer.content.decode()
    assert "Quiet" in client.get(url, headers={"HX-Request": "true"}).content.decode()


def test_a_conflict_shows_the_other_value_and_lets_mine_win(client, held):
    client.force_login(held.staff)
    theirs = write(held, "post", "总经理", by=StaffFactory(name="冯嘉树"))
    url = f"/customers/{held.customer.pk}/profile/post/"

    answer = client.post(url, {"said": "科长", "source": "customer", "seen": ""}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "冯嘉树" in page and "总经理" in page and "Use mine" in page and f'value="{theirs.pk}"' in page

    client.post(url, {"said": "科长", "source": "customer", "seen": theirs.pk}, headers={"HX-Request": "true"})
    assert ProfileValue.objects.current().get().value == "科长"


def test_an_old_value_is_confirmed_with_one_click(client, held):
    client.force_login(held.staff)
    old = ProfileValue.objects.create(
        customer=held.customer, field="post", value="店主", by=held.staff, at=timezone.now() - timedelta(days=181)
    )

    panel = client.get(f"/customers/{held.customer.pk}/profile/", headers={"HX-Request": "true"}).content.decode()
    assert "to be confirmed" in panel
    client.post(f"/customers/{held.customer.pk}/profile/values/{old.pk}/confirm/", headers={"HX-Request": "true"})

    row = ProfileValue.objects.current().get()
    assert (row.value, row.at.date()) == ("店主", timezone.now().date())


def test_the_archive_asks_the_same_number_of_queries_however_much_is_known(client, held, django_assert_max_num_queries):
    client.force_login(held.staff)
    for field in FIELDS:
        if not field.column and field.code not in LISTS:
            write(held, field.code, said_for(field))

    with django_assert_max_num_queries(16):
        client.get(f"/customers/{held.customer.pk}/profile/", headers={"HX-Request": "true"})


def test_a_teller_reads_the_archive_and_does_not_write_it(client):
    held = AssignmentFactory(staff=LoadFactory(staff__role=Role.TELLER, staff__language="en").staff)
    client.force_login(held.staff)

    panel = client.get(f"/customers/{held.customer.pk}/profile/", headers={"HX-Request": "true"}).content.decode()

    assert "Edit:" not in panel
    assert client.get(f"/customers/{held.customer.pk}/profile/post/").status_code == 403
