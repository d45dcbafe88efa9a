"""Duplicates: how they are found, merged field by field, and parted again as if nothing had been."""

from datetime import date
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils.timezone import localdate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import duplicates, merge
from customers.archive import completeness
from customers.identity import sealed_columns
from customers.models import Customer, CustomerMerge, Hobby, Load, ProfileValue
from customers.names import pinyin_of
from customers.search import search
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    ContactTaskFactory,
    CustomerFactory,
    HoldingFactory,
    LoadFactory,
    OpportunityFactory,
)

pytestmark = pytest.mark.django_db

ID = "110101199003071233"


@pytest.fixture
def head():
    return LoadFactory(staff__role=Role.BRANCH_HEAD, staff__language="en").staff


def person(head, *, id_no="", mobile="", address="", **values):
    customer = CustomerFactory(branch=head.branch, **values)
    columns = sealed_columns(id_no=id_no, mobile=mobile, address=address) | {"pinyin": pinyin_of(customer.name)}
    Customer.objects.filter(pk=customer.pk).update(**columns)
    customer.refresh_from_db()
    return customer


def signs(head):
    return {frozenset((pair.one.pk, pair.other.pk)): pair.signs for pair in duplicates.pairs(head)}


def test_pairs_are_found_by_identity_mobile_and_name_with_birthday(head):
    born = date(1990, 3, 7)
    one = person(head, id_no=ID, mobile="138 1234 6021", name="沈雅琴", birth_date=born)
    same = person(head, id_no=ID.lower(), mobile="+8613812346021", name="沈雅琴", birth_date=born)
    phone = person(head, mobile="13812346021", name="别人", birth_date=date(1980, 1, 1))
    person(head, id_no="1", name="沈雅琴", birth_date=date(1970, 1, 1))
    far = CustomerFactory(branch=BranchFactory())
    Customer.objects.filter(pk=far.pk).update(**sealed_columns(id_no=ID, mobile="", address=""))

    found = signs(head)

    assert len(found[frozenset((one.pk, same.pk))]) == 3
    assert len(found[frozenset((one.pk, phone.pk))]) == 1
    assert not [pair for pair in found if far.pk in pair]
    duplicates.say_not_same(one=one, other=phone, by=head)
    duplicates.say_not_same(one=phone, other=one, by=head)
    assert frozenset((one.pk, phone.pk)) not in signs(head)


def rows_of(*customers):
    """Return every row of every table that refers to these customers, but for what ends and begins anew."""
    left_out = {"customers_assignment", "customers_customermerge", "customers_searchkey", "staff_auditevent"}
    found = {}
    for relation in Customer._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and relation.related_model._meta.db_table not in left_out:
            model = relation.related_model
            rows = model._base_manager.filter(**{f"{relation.field.name}__in": customers}).order_by("pk").values()
            found[f"{model._meta.label}.{relation.field.name}"] = list(rows)
    keep = {"updated_at", "manager_id"}
    found["customers"] = [
        {name: value for name, value in row.items() if name not in keep and not isinstance(value, memoryview)}
        for row in Customer.objects.filter(pk__in=[one.pk for one in customers]).order_by("pk").values()
    ]
    return found


def live(customer, staff):
    AssignmentFactory(customer=customer, staff=staff)
    ContactLogFactory(customer=customer, staff=staff)
    OpportunityFactory(customer=customer, owner=staff, kind="cross_sell")
    ContactTaskFactory(customer=customer)
    HoldingFactory(customer=customer)


def two(head, **values):
    manager = LoadFactory(staff__branch=head.branch).staff
    kept = person(head, id_no=ID, name="沈雅琴", service_tier=2, tags=["甲"])
    dropped = person(head, id_no=ID, mobile="13812346021", name="沈雅晴", service_tier=1, tags=["乙"], **values)
    live(kept, manager), live(dropped, manager)
    completeness.refresh_customers([kept.pk, dropped.pk])
    kept.refresh_from_db(), dropped.refresh_from_db()
    return kept, dropped, manager


def test_a_merge_moves_what_may_be_once_and_leaves_what_may_not(head):
    kept, dropped, _manager = two(head)
    ProfileValue.objects.create(customer=kept, field="post", value="科长")
    ProfileValue.objects.create(customer=dropped, field="post", value="经理")
    ProfileValue.objects.create(customer=dropped, field="industry", value="制造")

    row = merge.merge(
        kept=kept, dropped=dropped, choices={"name": "kept", "mobile": "dropped"}, by=head, on=localdate()
    )

    kept.refresh_from_db(), dropped.refresh_from_db()
    assert (kept.name, kept.mobile, kept.mobile_last4, kept.tags) == ("沈雅琴", "13812346021", "6021", ["甲", "乙"])
    held = {value.field: value.value for value in kept.profile_values.filter(ended_at=None)}
    assert held == {"post": "科长", "industry": "制造"}
    assert row.stayed["customers.ProfileValue.customer"] == 1
    assert kept.contact_logs.count() == 2 and kept.holdings.count() == 2
    assert (dropped.merged_into, dropped.manager) == (kept, None)
    assert not Customer.objects.visible_to(head).filter(pk=dropped.pk).exists()


def test_the_place_of_the_dropped_record_is_free_again(head):
    kept, dropped, manager = two(head)
    before = Load.objects.get(staff=manager).units
    merge.merge(kept=kept, dropped=dropped, choices={}, by=head, on=localdate())
    assert Load.objects.get(staff=manager).units < before


def test_both_numbers_lead_to_the_record_that_stayed(client, head):
    kept, dropped, _manager = two(head)
    merge.merge(kept=kept, dropped=dropped, choices={}, by=head, on=localdate())
    client.force_login(head)

    assert client.get(f"/customers/{dropped.pk}/").headers["Location"] == f"/customers/{kept.pk}/"
    assert [found.pk for found in search(head, dropped.customer_no, 8)] == [kept.pk]
    assert [found.pk for found in search(head, kept.customer_no, 8)] == [kept.pk]


def test_parting_brings_everything_back(head):
    kept, dropped, manager = two(head)
    before, units = rows_of(kept, dropped), Load.objects.get(staff=manager).units
    merged = merge.merge(
        kept=kept, dropped=dropped, choices=dict.fromkeys(merge.FIELDS, "dropped"), by=head, on=localdate()
    )
    assert rows_of(kept, dropped) != before

    merge.unmerge(merged=merged, by=head, on=localdate())

    assert rows_of(kept, dropped) == before
    dropped.refresh_from_db()
    assert (dropped.manager, Load.objects.get(staff=manager).units) == (manager, units)
    with pytest.raises(merge.MergeRefused):
        merge.unmerge(merged=merged, by=head, on=localdate())


def test_a_field_changed_since_stays_changed(head):
    kept, dropped, _manager = two(head)
    merged = merge.merge(kept=kept, dropped=dropped, choices={"name": "dropped"}, by=head, on=localdate())
    Customer.objects.filter(pk=kept.pk).update(name="沈新名")
    merge.unmerge(merged=merged, by=head, on=localdate())
    kept.refresh_from_db()
    assert kept.name == "沈新名"


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    choices=st.dictionaries(st.sampled_from(merge.FIELDS), st.sampled_from(["kept", "dropped"])),
    hobbies=st.tuples(*[st.sets(st.sampled_from(["茶", "掼蛋", "户外"]))] * 2),
    fields=st.tuples(*[st.dictionaries(st.sampled_from(["post", "industry", "car"]), st.sampled_from("甲乙"))] * 2),
)
def test_merging_and_parting_is_nothing(head, choices, hobbies, fields):
    kept, dropped, _manager = two(head)
    for customer, words, values in zip((kept, dropped), hobbies, fields, strict=True):
        for word in words:
            Hobby.objects.create(customer=customer, word=word)
        for field, value in values.items():
            ProfileValue.objects.create(customer=customer, field=field, value=value)
    completeness.refresh_customers([kept.pk, dropped.pk])
    before = rows_of(kept, dropped)
    merged = merge.merge(kept=kept, dropped=dropped, choices=choices, by=head, on=localdate())
    merge.unmerge(merged=merged, by=head, on=localdate())
    assert rows_of(kept, dropped) == before


def test_the_higher_standing_stays_and_closed_or_foreign_records_are_refused(head):
    kept, dropped, _manager = two(head)
    for one, other in ((dropped, kept), (kept, CustomerFactory(branch=BranchFactory()))):
        with pytest.raises(merge.MergeRefused):
            merge.merge(kept=one, dropped=other, choices={}, by=head, on=localdate())
    Customer.objects.filter(pk=dropped.pk).update(relation_status="closed")
    with pytest.raises(merge.MergeRefused):
        merge.merge(kept=kept, dropped=dropped, choices={}, by=head, on=localdate())


@pytest.mark.django_db(transaction=True)
def test_of_two_heads_who_merge_the_same_pair_one_does(head):
    kept, dropped, _manager = two(head)
    outcomes, together = [], Barrier(2)

    def one(first, second):
        together.wait()
        try:
            merge.merge(kept=first, dropped=second, choices={}, by=head, on=localdate())
            outcomes.append("merged")
        except merge.MergeRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=one, args=(kept, dropped)) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["merged", "refused"]
    assert CustomerMerge.objects.standing().count() == 1


def test_a_head_merges_and_parts_by_the_page(client, head):
    kept, dropped, _manager = two(head)
    client.force_login(head)
    assert "same identity number" in client.get("/duplicates/").content.decode()
    page = client.get(f"/duplicates/{kept.pk}/{dropped.pk}/").content.decode()
    assert "沈雅琴" in page and "沈雅晴" in page and "13812346021" not in page

    client.post(f"/duplicates/{kept.pk}/{dropped.pk}/", {"field-mobile": "dropped"})
    merged = CustomerMerge.objects.get()
    assert "沈雅晴" in client.get("/duplicates/").content.decode()
    client.post(f"/merges/{merged.pk}/undo/")
    dropped.refresh_from_db()
    assert dropped.merged_into is None
    client.post(f"/duplicates/{kept.pk}/{dropped.pk}/", {"not_same": "1"})
    assert "same identity number" not in client.get("/duplicates/").content.decode()
