"""Files of the branch: read apart, matched, checked, applied whole, undone except where somebody has worked since."""

import io
import zipfile
from decimal import Decimal

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.imports import batch as batches
from customers.imports.columns import COLUMNS, guess
from customers.imports.reading import Unreadable, read
from customers.models import Customer, Holding, ImportBatch, ImportKind, ImportRow, ProfileValue
from staff import job_work
from staff.models import AuditEvent, Job
from staff.roles import Role
from tests.factories import BranchFactory, CustomerFactory, HoldingFactory, LoadFactory, ProductFactory

pytestmark = pytest.mark.django_db

HEADS = "客户号,姓名,性别,出生日期,证件号码,手机号,地址\n"
GOOD = "A1,沈雅琴,女,1974-03-07,,138 1234 6021,滨江路 8 号\nA2,何建国,男,1980/5/6,,13912340000,\n"


@pytest.fixture
def head():
    return LoadFactory(staff__role=Role.BRANCH_HEAD, staff__language="en", staff__branch__code="CZ01").staff


def receive(head, text, kind=ImportKind.CUSTOMERS, name="a.csv"):
    batch = batches.receive(kind=kind, name=name, content=text.encode(), by=head)
    return batches.match(batch=batch, mapping=batch.mapping, by=head)


def applied(head, text, kind=ImportKind.CUSTOMERS):
    batch = receive(head, text, kind)
    batches.check(batch=batch, by=head)
    batches.apply(batch=batch, by=head)
    batch.refresh_from_db()
    return batch


def faults(batch):
    return {
        row.number: [(fault["column"], fault["reason"]) for fault in row.faults]
        for row in batch.rows.exclude(faults=[])
    }


# --- Reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_of_either_encoding_is_read(encoding):
    table = read((HEADS + GOOD).encode(encoding), name="客户.csv")
    assert table.heads[:2] == ["客户号", "姓名"]
    assert table.rows[0][1] == "沈雅琴"


def workbook(*rows, far=False):
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory)
    page = book.add_worksheet()
    for number, row in enumerate(rows):
        page.write_row(number, 0, row)
    if far:
        page.write(1_048_575, 16_383, "x")
    book.close()
    return memory.getvalue()


def test_a_workbook_keeps_days_and_whole_numbers_and_tells_lost_digits():
    table = read(workbook(["客户号", "手机号", "证件号码"], ["A1", 13812346021, 450102197403071234]), name="a.xlsx")
    assert table.rows == [["A1", "13812346021", "#number"]]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"a,b\n", "a.csv"),
        (b"\xff\xfe\x00", "a.csv"),
        (b"a\n1", "a.txt"),
        (b"not a workbook", "a.xlsx"),
        (b"a" * (10 * 1024 * 1024 + 1), "a.csv"),
        (("a\n" + "1\n" * 50_001).encode(), "a.csv"),
        ((",".join("abc" * 21) + "\n" + "1," * 62 + "1").encode(), "a.csv"),
    ],
    ids=["empty", "heads", "bytes", "kind", "broken", "large", "rows", "columns"],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(content, name):
    with pytest.raises(Unreadable) as refused:
        read(content, name=name)
    assert str(refused.value)


def test_a_far_cell_and_a_bomb_kill_only_the_child():
    with pytest.raises(Unreadable):
        read(workbook(["a"], ["1"], far=True), name="a.xlsx")
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    with pytest.raises(Unreadable):
        read(memory.getvalue(), name="a.xlsx")


@pytest.mark.parametrize("kind", ImportKind.values)
def test_a_template_is_matched_by_itself_in_either_language(kind, client, head):
    client.force_login(head)
    for form in ("csv", "xlsx"):
        content = client.get(f"/imports/template/{kind}.{form}").content
        table = read(content, name=f"a.{form}")
        assert set(guess(kind, table.heads).values()) == {column.code for column in COLUMNS[kind]}


# --- Customers -------------------------------------------------------------------------------------


def test_a_check_writes_nothing_and_says_what_would_become_of_each_row(head):
    CustomerFactory(branch=head.branch, customer_no="A1", name="沈雅琴", gender="f")
    CustomerFactory(branch=BranchFactory(), customer_no="B9")
    before = set(Customer.objects.values_list("customer_no", "updated_at"))
    text = HEADS + GOOD + (
        "A2,又一个,,,,,\n"  # row 4: the number stands in row 3
        "B9,别处,,,,,\n"  # row 5: of another branch
        ",无号,,,,,\n"  # row 6
        "A3,,,,,,\n"  # row 7: new without a name
        "A4,坏日期,x,1974-13-01,110101199003071234,12,\n"  # row 8
    )  # fmt: skip
    batch = receive(head, text)

    counts = batches.check(batch=batch, by=head)

    assert counts == {"updated": 1, "created": 1, "refused": 5}
    found = faults(batch)
    assert [found[number][0][0] for number in (4, 5, 6, 7)] == ["customer_no", "customer_no", "customer_no", "name"]
    assert {column for column, _reason in found[8]} == {"gender", "birth_date", "id_no", "mobile"}
    assert set(Customer.objects.values_list("customer_no", "updated_at")) == before


def test_applied_customers_are_sealed_masked_hashed_and_findable(head):
    batch = applied(head, HEADS + GOOD)

    one = Customer.objects.get(customer_no="A1")
    assert (one.name, one.gender, one.branch, one.pinyin) == ("沈雅琴", "f", head.branch, "shen ya qin")
    assert (one.mobile, one.mobile_last4) == ("13812346021", "6021")
    assert "1234" not in one.mobile_masked and len(one.mobile_hash) == 64
    assert batch.counts == {"created": 2}
    assert AuditEvent.objects.filter(action="import.applied").count() == 1
    again = applied(head, HEADS + GOOD)
    assert again.counts == {"unchanged": 2}


def test_empty_cells_change_nothing_and_only_what_differs_is_written(head):
    CustomerFactory(branch=head.branch, customer_no="A1", name="沈雅琴", employer="澜江一中", mobile="13900000000")
    applied(head, "客户号,姓名,工作单位\nA1,沈雅晴,\n")
    one = Customer.objects.get(customer_no="A1")
    assert (one.name, one.employer, one.mobile) == ("沈雅晴", "澜江一中", "13900000000")


def test_undoing_takes_everything_back_except_what_was_edited_since(head):
    CustomerFactory(branch=head.branch, customer_no="A0", name="老客户", mobile="13800000000")
    batch = applied(head, HEADS + GOOD + "A0,新名字,,,,13700001111,\n")
    Customer.objects.filter(customer_no="A2").update(employer="别的单位")

    counts = batches.undo(batch=batch, by=head)

    assert (counts["undone"], counts["kept"]) == (2, 1)
    assert not Customer.objects.filter(customer_no="A1").exists()
    assert Customer.objects.get(customer_no="A2").employer == "别的单位"
    old = Customer.objects.get(customer_no="A0")
    assert (old.name, old.mobile, old.mobile_last4) == ("老客户", "13800000000", "0000")
    assert batches.undo(batch=batch, by=head) == ImportBatch.objects.get(pk=batch.pk).counts


def test_a_new_customer_with_whom_somebody_worked_stays(head):
    batch = applied(head, HEADS + GOOD)
    HoldingFactory(customer=Customer.objects.get(customer_no="A1"))

    counts = batches.undo(batch=batch, by=head)

    assert (counts["undone"], counts["kept"]) == (1, 1)
    assert Customer.objects.filter(customer_no="A1").exists()


def test_what_changed_between_check_and_apply_is_judged_again(head):
    batch = receive(head, HEADS + GOOD)
    batches.check(batch=batch, by=head)
    CustomerFactory(branch=BranchFactory(), customer_no="A1")

    counts = batches.apply(batch=batch, by=head)

    assert counts == {"refused": 1, "created": 1}
    assert batches.apply(batch=batch, by=head) == counts
    assert Customer.objects.filter(customer_no="A2").count() == 1


def test_nothing_is_half_written_when_applying_breaks(head, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 1)
    batch = receive(head, HEADS + GOOD)
    batches.check(batch=batch, by=head)

    def breaks(rows):
        if Customer.objects.filter(customer_no="A1").exists():
            raise ConnectionError
        return iter(rows)

    with pytest.raises(ConnectionError):
        batches.apply(batch=batch, by=head, track=breaks)
    assert not Customer.objects.filter(customer_no__in=["A1", "A2"]).exists()
    assert batches.apply(batch=batch, by=head) == {"created": 2}


# --- Holdings and archives -------------------------------------------------------------------------


def test_holdings_come_in_and_go_back(head):
    customer = CustomerFactory(branch=head.branch, customer_no="A1")
    product = ProductFactory(code="D-1Y")
    kept = HoldingFactory(customer=customer, product=product, external_id="H2", amount=100)
    text = "持有编号,客户号,产品代码,金额,起息日,到期日\n" \
        "H1,A1,D-1Y,\"200,000.00\",2026-01-05,2027-01-05\n" \
        f"H2,A1,D-1Y,150.5,{kept.opened_on.isoformat()},\n" \
        "H3,A1,X,1,2026-01-05,\nH4,ZZ,D-1Y,1,2026-01-05,\nH5,A1,D-1Y,1,2026-01-05,2025-01-01\n"  # fmt: skip

    batch = applied(head, text, ImportKind.HOLDINGS)

    assert batch.counts == {"created": 1, "updated": 1, "refused": 3}
    assert Holding.objects.get(external_id="H1").amount == Decimal("200000.00")
    assert Holding.objects.get(external_id="H2").amount == Decimal("150.50")
    batches.undo(batch=batch, by=head)
    assert not Holding.objects.filter(external_id="H1").exists()
    assert Holding.objects.get(external_id="H2").amount == 100


def test_archives_come_in_with_history_and_go_back(head):
    customer = CustomerFactory(branch=head.branch, customer_no="A1")
    ProfileValue.objects.create(customer=customer, field="post", value="科长")
    text = '客户号,职务,职业类别,微信号,目标\nA1,总经理,企业高管,abc123,"子女教育,养老"\nA1,重复,,,\n'
    heads = {
        "职务": "post",
        "职业类别": "occupation_class",
        "微信号": "wechat",
        "目标": "goals",
        "客户号": "customer_no",
    }
    batch = batches.receive(kind=ImportKind.ARCHIVES, name="a.csv", content=text.encode(), by=head)
    batches.match(batch=batch, mapping=heads, by=head)
    batches.check(batch=batch, by=head)
    assert list(faults(batch)) == [3], faults(batch)
    batches.apply(batch=batch, by=head)

    held = {row.field: row for row in customer.profile_values.filter(ended_at=None)}
    assert (held["post"].value, held["occupation_class"].value) == ("总经理", "executive")
    assert (held["wechat"].sealed, held["goals"].value) == ("abc123", ["education", "retirement"])
    assert "abc123" not in str(held["wechat"].value)
    customer.refresh_from_db()
    assert customer.archive_completeness > 0

    batches.undo(batch=batch, by=head)
    held = {row.field: row.value for row in customer.profile_values.filter(ended_at=None)}
    assert held == {"post": "科长"}


# --- The pages -------------------------------------------------------------------------------------


def test_a_head_brings_a_file_in_by_the_page(client, head, django_capture_on_commit_callbacks):
    client.force_login(head)
    upload = SimpleUploadedFile("名单.csv", (HEADS + GOOD + "X 1,坏,,,,,\n").encode("gb18030"))
    page = client.post("/imports/new/", {"kind": "customers", "file": upload, "encoding": ""}, follow=True)
    batch = ImportBatch.objects.get()
    assert "客户号" in page.content.decode()
    matching = {f"column-{number}": batch.mapping.get(head_, "") for number, head_ in enumerate(batch.heads)}

    client.post(f"/imports/{batch.pk}/match/", matching)
    assert job_work.run(job_id=Job.objects.latest("pk").pk) == "done"
    report = client.get(f"/imports/{batch.pk}/").content.decode()
    assert "Write 2 rows" in report and "without spaces" in report
    assert "row,outcome" in client.get(f"/imports/{batch.pk}/report/").content.decode("utf-8-sig").lower()

    client.post(f"/imports/{batch.pk}/step/", {"step": "apply"})
    job_work.run(job_id=Job.objects.latest("pk").pk)
    assert Customer.objects.filter(customer_no__in=["A1", "A2"]).count() == 2
    client.post(f"/imports/{batch.pk}/step/", {"step": "undo"})
    job_work.run(job_id=Job.objects.latest("pk").pk)
    assert not Customer.objects.filter(customer_no__in=["A1", "A2"]).exists()


@pytest.mark.parametrize(
    "mapping",
    [{}, {"姓名": "customer_no", "客户号": "customer_no"}, {"客户号": "name"}],
    ids=["none", "twice", "without"],
)
def test_columns_that_do_not_fit_are_refused(head, mapping):
    batch = batches.receive(kind="customers", name="a.csv", content=(HEADS + GOOD).encode(), by=head)
    with pytest.raises(batches.ImportRefused):
        batches.match(batch=batch, mapping=mapping, by=head)


def test_a_mapping_is_remembered_for_the_same_heads(head):
    odd = "编号,叫什么\nA1,沈雅琴\n"
    batch = batches.receive(kind="customers", name="a.csv", content=odd.encode(), by=head)
    assert batch.mapping == {}
    batches.match(batch=batch, mapping={"编号": "customer_no", "叫什么": "name"}, by=head)
    again = batches.receive(kind="customers", name="b.csv", content=odd.encode(), by=head)
    assert again.mapping == {"编号": "customer_no", "叫什么": "name"}


def test_what_a_file_says_of_people_lies_sealed(head):
    applied(head, HEADS + GOOD)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM customers_importrow r")
        (kept,) = cursor.fetchone()
    assert "13812346021" not in kept and "沈雅琴".encode().hex() not in kept
    assert ImportRow.objects.count() == 2
