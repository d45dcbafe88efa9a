"""The four jobs of the product, done as a person does them, each checked in the database."""

import json
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def manager_of(site, customer):
    return site.query(
        "SELECT s.staff_no FROM customers_customer c LEFT JOIN staff_staff s ON s.id = c.manager_id WHERE c.id = %s",
        customer,
    )[0][0]


def test_the_branch_head_assigns_by_menu_and_undoes(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/assignment/")
    row = page.locator(".waiting-row").first
    customer = row.get_attribute("data-customer")
    head.screenshot("assignment")

    row.locator("a.assign-link").click()
    receiver = page.locator("#drawer button[name=to]:enabled").first
    staff_id = receiver.get_attribute("value")
    receiver.click()
    expect(page.locator("[data-toast]")).to_be_visible()
    expect(page.locator(f'.waiting-row[data-customer="{customer}"]')).to_have_count(0)
    assert site.query("SELECT manager_id FROM customers_customer WHERE id = %s", customer) == [(int(staff_id),)]

    page.keyboard.press("z")
    expect(page.locator(f'.waiting-row[data-customer="{customer}"]')).to_have_count(1)
    assert manager_of(site, customer) is None
    assert head.unexpected() == []


def test_the_branch_head_assigns_by_drag(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/assignment/")
    row = page.locator('.waiting-row[data-tier="platinum"], .waiting-row[data-tier="potential"]').first
    customer = row.get_attribute("data-customer")
    member = page.locator(".member[data-member]:not(.member--side)").first
    staff_id = member.get_attribute("data-member")

    source, target = row.bounding_box(), member.bounding_box()
    page.mouse.move(source["x"] + 120, source["y"] + 20)
    page.mouse.down()
    page.mouse.move(source["x"] + 160, source["y"] + 30, steps=6)
    page.mouse.move(target["x"] + 60, target["y"] + 30, steps=20)
    page.mouse.up()

    expect(page.locator(f'.waiting-row[data-customer="{customer}"]')).to_have_count(0)
    assert site.query("SELECT manager_id FROM customers_customer WHERE id = %s", customer) == [(int(staff_id),)]
    assert head.unexpected() == []


def test_the_branch_head_assigns_several_at_once_and_is_told_when_it_does_not_fit(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/assignment/")
    teller = site.query("SELECT id FROM staff_staff WHERE staff_no = 'teller'")[0][0]
    platinum = page.locator('.waiting-row[data-tier="platinum"], .waiting-row[data-tier="potential"]').first
    customer = platinum.get_attribute("data-customer")

    platinum.locator("input[data-select]").check()
    page.select_option("#bulk-to", str(teller))
    page.locator("#bulk-form button[type=submit]").click()
    expect(page.locator(".notice--error, [data-toast][role=alert]").first).to_be_visible()
    assert manager_of(site, customer) is None
    head.screenshot("assignment-refused")

    page.goto("/assignment/")
    rows = page.locator(".waiting-row")
    chosen = [rows.nth(number).get_attribute("data-customer") for number in (0, 1)]
    for number in (0, 1):
        rows.nth(number).locator("input[data-select]").check()
    page.locator("#bulk-form button[type=submit]").click()
    for customer in chosen:
        expect(page.locator(f'.waiting-row[data-customer="{customer}"]')).to_have_count(0)
        assert manager_of(site, customer)
    assert head.unexpected(409, 422) == []


def test_the_branch_head_applies_the_proposal(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/assignment/")
    lines = page.locator("#proposal .proposal-row input[name=line]:checked")
    proposed = [lines.nth(n).get_attribute("value") for n in range(lines.count())]
    assert proposed

    page.locator("#proposal footer .btn-primary").click()
    expect(page.locator("[data-toast]")).to_be_visible()

    without = site.query(
        "SELECT count(*) FROM customers_customer WHERE id = ANY(%s) AND manager_id IS NULL",
        [int(pk) for pk in proposed],
    )
    assert without == [(0,)]
    head.screenshot("assignment-applied")
    assert head.unexpected() == []


def test_the_manager_logs_a_contact_in_two_clicks_and_one_sentence_and_takes_it_back(site, visit):
    manager = visit("manager")
    page = manager.page
    page.goto("/today/")
    manager.screenshot("today")
    row = page.locator(".today-row").first
    customer = row.get_attribute("id").removeprefix("row-")
    logs = "SELECT count(*) FROM contacts_contactlog WHERE customer_id = %s AND voided_at IS NULL"
    (before,) = site.query(logs, customer)[0]

    row.locator(".today-do a.btn").click()  # the first click
    expect(page.locator("#drawer form.log-form")).to_be_visible()
    page.locator("#drawer textarea").fill("存单到期愿意续，先和先生商量，下周一前答复。")
    manager.screenshot("today-log-drawer")
    page.locator("#drawer button[name=save]").click()  # the second

    expect(page.locator(f"#row-{customer}")).to_have_count(0)
    assert site.query(logs, customer) == [(before + 1,)]
    assert site.query(
        "SELECT count(*) FROM contacts_contacttask WHERE customer_id = %s AND status = 'done' AND closed_by_log_id IS NOT NULL"
        " AND closed_on = (now() AT TIME ZONE 'Asia/Shanghai')::date", customer
    )[0][0] >= 1  # fmt: skip

    page.keyboard.press("z")
    expect(page.locator(f"#row-{customer}")).to_have_count(1)
    assert site.query(logs, customer) == [(before,)]
    assert manager.unexpected() == []


def test_the_manager_finds_a_customer_by_initials_and_reads_the_page(site, visit):
    name, pinyin, pk = site.query(
        "SELECT c.name, c.pinyin, c.id FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id"
        " WHERE s.staff_no = 'manager' ORDER BY c.aum DESC LIMIT 1"
    )[0]
    manager = visit("manager")
    page = manager.page
    page.goto("/customers/")
    manager.screenshot("customers")

    page.keyboard.press("Control+k")
    page.keyboard.type("".join(syllable[0] for syllable in pinyin.split()))
    expect(page.get_by_text(name).first).to_be_visible()
    page.goto(f"/customers/{pk}/")
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.locator(".skeleton")).to_have_count(0)
    manager.screenshot("customer")
    assert manager.unexpected() == []


def test_a_reveal_shows_one_field_and_is_written_down(site, visit):
    pk = site.query(
        "SELECT c.id FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id"
        " WHERE s.staff_no = 'manager' ORDER BY c.aum DESC LIMIT 1"
    )[0][0]
    manager = visit("manager")
    page = manager.page
    page.goto(f"/customers/{pk}/")
    reveals = "SELECT count(*) FROM staff_auditevent WHERE action LIKE 'customer.%%reveal%%' AND object_id = %s"
    (before,) = site.query(reveals, str(pk))[0]
    assert not page.locator("text=/\\b1[3-9]\\d{9}\\b/").count()

    field = page.locator("details:has([data-reveal])").first
    field.locator("summary").click()
    field.locator("[data-reveal]").click()
    expect(page.locator("text=/1[3-9]\\d ?\\d{4} ?\\d{4}|\\d{17}[\\dX]/").first).to_be_visible()

    assert site.query(reveals, str(pk)) == [(before + 1,)]
    assert manager.unexpected() == []


def test_the_night_has_raised_alerts_and_their_mails_are_in_the_mailbox(site, visit):
    head = visit("head")
    page = head.page
    page.goto("/churn/")
    head.screenshot("early-warning")
    (alerts,) = site.query("SELECT count(*) FROM churn_churnalert WHERE status IN ('open', 'working')")[0]
    (sent,) = site.query("SELECT count(*) FROM staff_outboxemail WHERE status = 'sent'")[0]
    assert alerts > 0
    assert sent > 0

    page.goto("/mailbox/")
    expect(page.locator(".mailbox-list li").first).to_be_visible()
    head.screenshot("mailbox")
    page.goto("/night/")
    head.screenshot("night")
    assert head.unexpected() == []


def call(site, path, body, **headers):
    request = urllib.request.Request(site.url + path, body.encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_what_the_core_bank_sends_stands_on_the_page(site, visit):
    token = call(site, "/api/v1/oauth/token/", urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_id": "core", "client_secret": "demo-core-secret"}))["access_token"]  # fmt: skip
    outlet, day = site.query(
        "SELECT b.code, max(d.data_date) FROM customers_dailyasset d JOIN customers_customer c ON c.id = d.customer_id"
        " JOIN staff_branch b ON b.id = c.branch_id JOIN staff_staff s ON s.branch_id = b.id AND s.staff_no = 'head' GROUP BY 1"
    )[0]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    row = {"row_id": "1", "customer_no": "CORE0001", "sequence": 1, "name": "苏逸凡", "branch": outlet,
           "signed_on": day.isoformat(), "service_tier": "platinum", "mobile": "13812346021"}  # fmt: skip

    answer = call(site, "/api/v1/customers:batch", json.dumps({"as_of": day.isoformat(), "rows": [row]}),
                  **headers, **{"Idempotency-Key": "browser-1"})  # fmt: skip
    assert answer["counts"]["created"] + answer["counts"]["unchanged"] == 1

    head = visit("head", language="en-GB")
    head.page.goto("/assignment/?q=suyifan")
    expect(head.page.locator(".waiting-row", has_text="苏逸凡")).to_be_visible()
    assert head.unexpected() == []
