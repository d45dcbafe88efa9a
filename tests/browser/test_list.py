"""The customer list as a person works with it: filter, keep as a view, act on all of it, export; checked in the database."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def do_jobs(site) -> None:
    """Be the worker once: do what waits."""
    site.manage(
        "shell", "-c",
        "from staff import job_work\nfrom staff.models import Job\n"
        "for job in Job.objects.filter(status='waiting'): job_work.run(job_id=job.pk)",
    )  # fmt: skip


def test_the_head_keeps_a_view_tags_all_of_it_and_sees_the_job_end(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/customers/")
    page.locator("details.add-filter > summary").click()
    page.fill("#sheet-find", "等级")
    expect(page.locator('[data-sheet-field="等级"]')).to_be_visible()
    expect(page.locator('[data-sheet-field="性别"]')).to_be_hidden()
    page.locator('[data-sheet-field="等级"] label', has_text="金卡").click()
    page.locator(".sheet-form .btn-primary").click()
    expect(page).to_have_url(f"{site.url}/customers/?tier=gold")

    page.locator("summary", has_text="存为视图").click()
    page.fill("#view-name", "金卡客户")
    page.locator(".view-form .btn-primary").click()
    expect(page.locator("nav.side a[aria-current=page]", has_text="金卡客户")).to_be_visible()
    assert site.query("SELECT query FROM customers_savedview WHERE name = '金卡客户'") == [("tier=gold",)]

    meant = site.query(
        "SELECT count(*) FROM customers_customer c JOIN staff_staff s ON s.branch_id = c.branch_id"
        " WHERE s.staff_no = 'head' AND c.service_tier = 1 AND c.merged_into_id IS NULL"
    )[0][0]
    page.locator("[data-select]").first.check()
    page.locator("[data-select-everyone]").click()
    page.locator(".bulk summary", has_text="标签").click()
    page.fill("#bulk-word", "秋季沙龙")
    page.locator("button[name=action][value=tag]").click()
    expect(page.locator(".job")).to_contain_text("排队中")
    head.screenshot("job-waiting")

    do_jobs(site)
    expect(page.locator(".job")).to_contain_text("已完成")  # the page asked by itself
    expect(page.locator(".job")).not_to_have_attribute("hx-trigger", "every 2s")
    assert site.query("SELECT count(*) FROM customers_customer WHERE '秋季沙龙' = ANY(tags)") == [(meant,)]
    assert head.unexpected() == []


def test_the_head_exports_what_is_in_the_list_and_the_bell_tells_the_end(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/customers/?tier=diamond")
    page.locator(".actions a", has_text="导出").click()
    page.fill("#id_purpose", "季度核对")
    page.locator(".export-card .btn-primary").click()
    page.goto("/assignment/")
    do_jobs(site)
    toast = page.locator("[data-toast]", has_text="导出客户")
    expect(toast).to_be_visible()
    toast.locator("a.act").click()
    with page.expect_download() as download:
        page.locator(".job a", has_text="下载").click()

    assert download.value.suggested_filename.endswith(".xlsx")
    actions = site.query(
        "SELECT action FROM staff_auditevent WHERE action LIKE '%%export%%' OR action LIKE 'job.%%' ORDER BY id"
    )
    assert [action for (action,) in actions][-3:] == ["customer.export_asked", "customer.exported", "job.result_taken"]
    assert head.unexpected() == []


def test_a_person_chooses_columns_and_cards_and_finds_them_again(site, visit):
    manager = visit("manager")
    page = manager.page
    page.goto("/customers/")
    page.locator("details:has(> .columns-sheet) > summary").click()
    page.locator(".columns-sheet input[value=month]").check()
    page.locator(".columns-sheet input[value=spark]").uncheck()
    page.locator(".columns-sheet .btn-primary").click()
    expect(page.locator("th", has_text="月日均")).to_be_visible()
    expect(page.locator("th.col-spark")).to_have_count(0)

    page.locator("button[value=cards]").click()
    expect(page.locator("table.is-cards")).to_be_visible()
    page.goto("/today/")
    page.goto("/customers/")
    expect(page.locator("table.is-cards")).to_be_visible()
    page.locator("button[value=table]").click()
    page.locator("details:has(> .columns-sheet) > summary").click()
    page.locator(".columns-sheet button[name=usual]").click()
    expect(page.locator("th.col-spark")).to_be_visible()
    assert manager.unexpected() == []
