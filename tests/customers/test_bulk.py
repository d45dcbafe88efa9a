"""Actions on many customers and exports: frozen when asked, each refusal named, nothing from out of sight."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from python_calamine import CalamineWorkbook

from contacts.models import ContactTask
from customers import adjustment, bulk, export
from customers.models import AdjustmentRequest, Assignment, Customer
from staff import job_work, jobs
from staff.models import AuditEvent, Job
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def branch():
    return BranchFactory(name="滨江支行")


@pytest.fixture
def head(branch, client):
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD, name="冯嘉树", staff_no="00007")
    client.force_login(head)
    return head


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch).staff


def customers(branch, number, **values) -> list[Customer]:
    return [CustomerFactory(branch=branch, **values) for _n in range(number)]


def ask(client, action, **data) -> Job:
    answer = client.post(reverse("customers:bulk_action"), {"action": action, **data})
    assert answer.status_code == 302 and answer["Location"].startswith("/jobs/"), answer["Location"]
    return Job.objects.latest("pk")


def done(job: Job) -> Job:
    assert job_work.run(job_id=job.pk) == Job.Status.DONE, job.outcome
    job.refresh_from_db()
    return job


def test_what_is_meant_is_frozen_when_it_is_asked(client, head, branch):
    gold, later = customers(branch, 2)
    diamond = CustomerFactory(branch=branch, service_tier=3)
    Customer.objects.filter(pk=later.pk).update(service_tier=2)

    job = ask(client, "tag", everyone="1", query="tier=gold", word="沙龙")
    Customer.objects.filter(pk=later.pk).update(service_tier=1)
    Customer.objects.filter(pk=gold.pk).update(service_tier=3)
    done(job)

    assert set(Customer.objects.filter(tags__contains=["沙龙"])) == {gold}
    assert job.selection == [gold.pk] and diamond.pk not in job.selection


def test_all_of_the_list_goes_through_in_parts_and_each_refusal_is_named(client, head, branch, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    chosen = customers(branch, 5)
    Customer.objects.filter(pk=chosen[1].pk).update(tags=["沙龙"])

    job = done(ask(client, "tag", everyone="1", word="沙龙"))

    assert list(job.faults.values_list("row", "reason")) == [(chosen[1].customer_no, "已有该标签")]
    assert (job.done, job.total) == (5, 5)
    assert job.outcome == "已处理 4 位客户。另有 1 位未处理，原因见错误清单。"
    assert AuditEvent.objects.filter(action="customer.tagged").count() == 4
    again = done(ask(client, "untag", everyone="1", word="沙龙"))
    assert not again.faults.exists() and not Customer.objects.filter(tags__contains=["沙龙"]).exists()


def test_a_job_stopped_in_the_middle_goes_on_without_doing_anybody_twice(client, head, branch, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    customers(branch, 6)
    job = ask(client, "tag", everyone="1", word="x")
    kept = bulk.tags.add

    def add(*, customer, word, by):
        if customer.pk == job.selection[3]:
            Job.objects.filter(pk=job.pk).update(stop_asked=True)
        kept(customer=customer, word=word, by=by)

    monkeypatch.setattr(bulk.tags, "add", add)
    assert job_work.run(job_id=job.pk) == Job.Status.STOPPED
    monkeypatch.setattr(bulk.tags, "add", kept)
    stopped = Customer.objects.filter(tags=["x"]).count()
    jobs.again(job=job, by=head)
    done(job)

    assert 0 < stopped < 6
    assert Customer.objects.filter(tags=["x"]).count() == 6
    assert not job.faults.exists()


def test_one_chosen_out_of_sight_is_not_there_and_who_left_it_meanwhile_is_skipped(client, head, branch):
    here, far = CustomerFactory(branch=branch), CustomerFactory()
    answer = client.post(reverse("customers:bulk_action"), {"action": "tag", "word": "x", "chosen": [here.pk, far.pk]})
    assert answer.status_code == 404

    job = ask(client, "tag", word="x", chosen=[here.pk])
    Customer.objects.filter(pk=here.pk).update(branch=far.branch)
    done(job)
    assert job.faults.get().reason == "已不在可见范围内"
    assert not Customer.objects.filter(tags=["x"]).exists()


@pytest.mark.parametrize("data", [{"word": ""}, {"word": "x" * 21}, {"word": "x", "chosen": []}])
def test_what_is_missing_is_said_and_starts_nothing(client, head, branch, data):
    one = CustomerFactory(branch=branch)

    answer = client.post(
        reverse("customers:bulk_action"), {"action": "tag", "chosen": [one.pk], "query": "tier=gold"} | data
    )

    assert answer["Location"] == "/customers/?tier=gold"
    assert not Job.objects.exists()


def test_more_than_one_action_takes_is_refused(client, head, branch, monkeypatch):
    monkeypatch.setattr(bulk, "LARGEST", 2)
    monkeypatch.setitem(bulk.freeze.__kwdefaults__, "most", 2)
    customers(branch, 3)

    with pytest.raises(bulk.TooMany):
        bulk.freeze(listing_of(head), viewer=head, everyone=True)


def listing_of(viewer, query=""):
    from types import SimpleNamespace

    from django.http import QueryDict

    from customers.listing import Listing

    return Listing.read(SimpleNamespace(user=viewer), QueryDict(query))


def test_a_contact_is_planned_for_each_and_once(client, head, branch, manager):
    held = [AssignmentFactory(customer__branch=branch, staff=manager).customer for _n in range(2)]
    alone = CustomerFactory(branch=branch)
    quiet = AssignmentFactory(customer__branch=branch, customer__do_not_contact=True, staff=manager).customer
    due = TODAY + timedelta(days=5)

    job = done(ask(client, "plan", everyone="1", due_on=due.isoformat(), note="理财讲座"))

    tasks = ContactTask.objects.order_by("customer")
    assert [task.customer for task in tasks] == held
    assert {(task.due_on, task.figures["purpose"], task.source) for task in tasks} == {(due, "理财讲座", "manual")}
    assert dict(job.faults.values_list("row", "reason")) == {
        alone.customer_no: "该客户没有主办",
        quiet.customer_no: "客户要求免打扰",
    }
    client.force_login(manager)
    assert "理财讲座" in client.get("/today/").content.decode()


def test_assigning_all_goes_as_far_as_the_load_and_says_who_did_not_fit(client, head, branch, manager):
    customers(branch, 4)
    load = manager.load
    load.gold_limit = 3
    load.save()

    job = done(ask(client, "assign", everyone="1", to=manager.pk))

    assert Assignment.objects.open().filter(staff=manager).count() == 3
    assert job.faults.count() == 1 and job.outcome.startswith("已处理 3 位客户。")


def test_a_manager_asks_for_re_assignment_and_the_head_answers(client, head, branch, manager):
    customer = AssignmentFactory(customer__branch=branch, staff=manager).customer
    client.force_login(manager)
    job = ask(client, "adjust", chosen=[customer.pk], reason="客户搬到城东")
    done(job)
    again = done(ask(client, "adjust", chosen=[customer.pk], reason="客户搬到城东"))
    assert again.faults.get().reason == "已有待处理的调整申请"
    assert client.get(reverse("customers:adjustment_list")).status_code == 403

    client.force_login(head)
    wish = AdjustmentRequest.objects.get()
    assert "客户搬到城东" in client.get(reverse("customers:adjustment_list")).content.decode()
    client.post(reverse("customers:adjustment_settle", args=[wish.pk]), {"outcome": "refused"})
    wish.refresh_from_db()
    assert (wish.outcome, wish.settled_by) == ("refused", head)
    with pytest.raises(adjustment.Settled):
        adjustment.settle(wish=wish, by=head, outcome="done")


@pytest.mark.parametrize(
    ("role", "action", "code"),
    [
        (Role.AUDITOR, "tag", 403),
        (Role.RETAIL_ADMIN, "assign", 403),
        (Role.WEALTH_ADVISER, "tag", 403),
        (Role.RELATIONSHIP_MANAGER, "assign", 403),
        (Role.BRANCH_HEAD, "adjust", 403),
        (Role.BRANCH_HEAD, "drop", 404),
    ],
)
def test_an_action_that_is_not_granted_is_refused(client, branch, role, action, code):
    client.force_login(StaffFactory(role=role, branch=branch))

    assert client.post(reverse("customers:bulk_action"), {"action": action, "everyone": "1"}).status_code == code


# --- Export ---


def exported(head, selection, columns=("name", "aum", "signed", "mobile"), file_format="csv") -> Job:
    job = export.ask(
        by=head, selection=selection, columns=list(columns), file_format=file_format, purpose="季度核对", filters="x"
    )
    return done(job)


def rows_of(job: Job) -> list[list]:
    content = bytes(job.result.content)
    if job.params["format"] == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_an_export_holds_raw_numbers_iso_days_masks_units_and_who_took_it(head, branch):
    rich = CustomerFactory(
        branch=branch, name="沈雅琴", aum=Decimal("864213.50"), mobile="13800006021", mobile_masked="138 **** 6021",
        signed_on=date(2026, 3, 1),
    )  # fmt: skip
    trick = CustomerFactory(branch=branch, name="=HYPERLINK(1)", aum=5)

    for file_format in export.Format.values:
        job = exported(head, [rich.pk, trick.pk], file_format=file_format)
        first, second, third, *rest = rows_of(job)
        assert first == ["客户", "资产 (元)", "签约日", "手机号"]
        assert second[0] == "沈雅琴" and Decimal(str(second[1])) == Decimal("864213.5")
        assert "2026-03-01" in second and "138 **** 6021" in second
        assert third[0] == "'=HYPERLINK(1)"
        assert "滨江支行 · 冯嘉树 00007 · 2026-11-25 10:00 · 季度核对" in rest[-1][0]
        assert "13800006021" not in str(rows_of(job))
    asked, taken = AuditEvent.objects.filter(action__contains="export").order_by("id")[:2]
    assert (asked.action, asked.figures["number"], asked.figures["purpose"]) == ("customer.export_asked", 2, "季度核对")
    assert (taken.action, taken.figures["number"]) == ("customer.exported", 2)


def test_every_column_can_be_exported_in_both_formats(head, branch):
    from customers.columns import COLUMNS

    AssignmentFactory(customer__branch=branch, customer__tags=["a", "b"], customer__potential_reasons=["reached"])
    CustomerFactory(branch=branch, birth_date=date(1960, 2, 29), clv=Decimal("12.5"), churn_probability=0.5)
    keys = [column.key for column in COLUMNS]
    chosen = list(Customer.objects.values_list("pk", flat=True))

    written = [rows_of(exported(head, chosen, columns=keys, file_format=one)) for one in export.Format.values]

    assert [len(rows) for rows in written] == [4, 4]
    assert len(written[0][0]) == len([column for column in COLUMNS if column.exported])


def test_who_serves_nobody_exports_masked_names(branch):
    office = StaffFactory(role=Role.RETAIL_ADMIN, branch=branch)
    customer = CustomerFactory(branch=branch, name="欧阳慧敏")

    assert rows_of(exported(office, [customer.pk], columns=["name"]))[1] == ["欧阳**"]


def test_an_export_above_the_limit_is_refused_and_told_beforehand(client, head, branch, monkeypatch):
    monkeypatch.setitem(export.LIMITS, Role.BRANCH_HEAD, 2)
    customers(branch, 3)

    page = client.get(reverse("customers:customer_export")).content.decode()
    assert "一次最多导出 2 位客户" in page and "支行行长" in page or "行长" in page
    answer = client.post(
        reverse("customers:customer_export"), {"purpose": "季度核对", "file_format": "csv", "columns": ["name"]}
    )
    assert answer.status_code == 422 and not Job.objects.exists()
    with pytest.raises(export.TooManyRows):
        exported(head, list(Customer.objects.values_list("pk", flat=True)))


def test_an_export_over_the_page_is_of_the_filters_and_needs_a_purpose(client, head, branch):
    customers(branch, 2)
    diamond = CustomerFactory(branch=branch, service_tier=3)
    data = {"query": "tier=diamond", "file_format": "xlsx", "columns": ["name", "aum"]}
    url = reverse("customers:customer_export")

    assert client.post(url, data | {"purpose": "x"}).status_code == 422
    answer = client.post(url, data | {"purpose": "季度核对"})
    assert answer["Location"].startswith("/jobs/")
    assert Job.objects.get().selection == [diamond.pk]
    assert "等级 钻石" in AuditEvent.objects.get(action="customer.export_asked").figures["filters"]


@pytest.mark.parametrize("role", [Role.RELATIONSHIP_MANAGER, Role.TELLER, Role.AUDITOR, Role.WEALTH_ADVISER])
def test_below_a_head_nobody_exports(client, branch, role):
    client.force_login(StaffFactory(role=role, branch=branch))

    assert client.get(reverse("customers:customer_export")).status_code == 403
