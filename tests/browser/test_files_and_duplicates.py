"""A file with bad rows brought in and undone, and two records merged and parted, in the browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_list import do_jobs

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FILE = "客户号,姓名,出生日期\nIMP1,导入一,1980-01-02\nIMP2,导入二,1980-13-02\n,没有号,\nIMP3,导入三,\n"


def customers(site):
    return site.query("SELECT customer_no FROM customers_customer WHERE customer_no LIKE 'IMP%%' ORDER BY 1")


def test_a_file_with_bad_rows_is_brought_in_and_undone(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/imports/new/")
    page.locator("input[type=file]").set_input_files(
        {"name": "名单.csv", "mimeType": "text/csv", "buffer": FILE.encode("gb18030")}
    )
    page.get_by_role("button", name="读取文件").click()
    page.get_by_role("button", name="检查数据").click()
    expect(page.locator(".job")).to_be_visible()
    do_jobs(site)
    expect(page.get_by_text("新增 2，更新 0，无变化 0，拒绝 2。")).to_be_visible(timeout=20_000)
    (batch,) = site.query("SELECT max(id) FROM customers_importbatch")[0]
    page.goto(f"/imports/{batch}/")
    expect(page.locator("tbody")).to_contain_text("日期请写成 2026-03-01")
    head.screenshot("import-report")
    assert customers(site) == []

    page.get_by_role("button", name="写入 2 行").click()
    expect(page.locator(".job")).to_be_visible()
    do_jobs(site)
    expect(page.locator("main")).to_contain_text("新增 2", timeout=20_000)
    assert customers(site) == [("IMP1",), ("IMP3",)]

    page.goto(f"/imports/{batch}/")
    page.get_by_role("button", name="撤销整个文件").click()
    expect(page.locator(".job")).to_be_visible()
    do_jobs(site)
    expect(page.locator("main")).to_contain_text("已撤销 2 行", timeout=20_000)
    assert customers(site) == []
    assert head.unexpected() == []


def test_two_records_are_merged_and_parted(site, visit):
    kept, dropped = (row[0] for row in site.query(
        "SELECT c.id FROM customers_customer c JOIN staff_staff s ON s.branch_id = c.branch_id WHERE s.staff_no = 'head'"
        " AND c.relation_status = 'signed' AND c.manager_id IS NOT NULL ORDER BY c.service_tier DESC, c.id LIMIT 2"
    ))  # fmt: skip
    site.write(
        "UPDATE customers_customer SET name = '重复人', birth_date = '1971-02-03' WHERE id IN (%s, %s)", kept, dropped
    )
    manager = site.query("SELECT manager_id FROM customers_customer WHERE id = %s", dropped)
    logs = "SELECT count(*) FROM contacts_contactlog WHERE customer_id = %s"
    before = [site.query(logs, pk)[0][0] for pk in (kept, dropped)]
    head = visit("head")
    page = head.page
    page.goto("/duplicates/")
    page.locator("tr", has_text="重复人").get_by_role("link", name="对比").click()
    head.screenshot("duplicate-pair")
    page.get_by_role("button", name="合并到保留的客户").click()
    expect(page.locator("h1")).to_contain_text("重复人")
    assert site.query("SELECT merged_into_id FROM customers_customer WHERE id = %s", dropped) == [(kept,)]
    assert site.query(logs, kept)[0][0] == sum(before)

    page.goto("/duplicates/")
    page.get_by_role("button", name="撤销合并").first.click()
    expect(page.get_by_text("合并已撤销")).to_be_visible()
    assert site.query("SELECT merged_into_id FROM customers_customer WHERE id = %s", dropped) == [(None,)]
    assert [site.query(logs, pk)[0][0] for pk in (kept, dropped)] == before
    assert site.query("SELECT manager_id FROM customers_customer WHERE id = %s", dropped) == manager
    assert head.unexpected() == []
