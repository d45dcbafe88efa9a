"""A manager's day: ten contacts by keyboard and on a phone, a report that the head reads, a birthday batch and an answer."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MORNING = """
from django.utils.timezone import localdate
from contacts import agenda
from customers.models import Customer
from staff.models import Staff
manager = Staff.objects.get(staff_no="manager")
on = localdate()
agenda.open_tasks([
    {"key": f"morning:%s:{pk}", "customer_id": pk, "source": "manual", "reason": "planned", "figures": {"purpose": "回访"},
     "opened_on": on, "due_on": on, "allowed_days": 1, "opportunity_id": None}
    for pk in Customer.objects.filter(manager=manager).order_by("pk").values_list("pk", flat=True)[:%d]
])
"""

BATCH = """
from django.utils.timezone import localdate
from contacts import messages
from contacts.models import MessageTemplate
from customers.identity import sealed_columns
from customers.models import Customer
from staff.models import Staff
manager = Staff.objects.get(staff_no="manager")
on = localdate()
MessageTemplate.objects.filter(kind="birthday").update(auto_release=False)
people = list(Customer.objects.filter(manager=manager, do_not_contact=False).order_by("pk")[:3])
for number, one in enumerate(people):
    sealed = sealed_columns(id_no="", mobile=f"1390000000{number}", address="")
    Customer.objects.filter(pk=one.pk).update(
        lunar_birthday="", birth_date=on.replace(year=1972),
        mobile=sealed["mobile"], mobile_masked=sealed["mobile_masked"], mobile_hash=sealed["mobile_hash"])
messages.draft_branch(branch_id=manager.branch_id, on=on)
"""

SEND = """
from datetime import time
from contacts import messages
messages.OPENS, messages.CLOSES = time(0), time(23, 59, 59)
print(messages.send_waiting())
"""

ANSWER = """
from django.utils import timezone
from contacts import message_answers
from staff.models import ApiClient
message_answers.receive(external_id="browser-1", mobile="13900000000", text="TD", at=timezone.now(), by=ApiClient.objects.get(client_id="core"))
"""


def contacts(site) -> int:
    return site.query("SELECT count(*) FROM contacts_contactlog l JOIN staff_staff s ON s.id = l.staff_id"
                      " WHERE s.staff_no = 'manager' AND l.created_at > now() - interval '1 hour'")[0][0]  # fmt: skip


def wait_for_contacts(page, site, number: int) -> None:
    """Return once so many are in the database: the answer of each save comes before its toast."""
    for _try in range(50):
        if contacts(site) >= number:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{contacts(site)} of {number} contacts were saved")


def test_ten_contacts_by_keyboard(site, visit):
    """g t, then for each: C opens, the words, Ctrl-Enter saves and shows the next: three keys beside the words."""
    site.manage("shell", "-v0", "-c", MORNING % ("keys", 11))
    manager = visit("manager")
    page, before = manager.page, contacts(site)
    page.goto("/today/")
    expect(page.locator(".today-row").nth(9)).to_be_visible()
    keys = ["j", "c"]
    for key in keys:
        page.keyboard.press(key)
    for number in range(1, 11):
        words = page.locator("#drawer textarea[name=summary]")
        expect(words).to_be_visible()
        heading = page.locator("#drawer-title").inner_text()
        expect(words).to_be_focused()
        page.keyboard.insert_text("近况都好，月底到期的存单会续")
        with page.expect_response(lambda answer: "/log/" in answer.url and answer.request.method == "POST") as saved:
            page.keyboard.press("Control+Enter")
        keys.append("Control+Enter")
        assert saved.value.status == 200, saved.value.text()[:500]
        wait_for_contacts(page, site, before + number)
        if number < 10:
            expect(page.locator("#drawer-title")).not_to_have_text(heading)
    assert len(keys) == 12, "two keys to begin, one a contact"
    assert manager.unexpected() == []


def test_contacts_on_a_phone_take_three_taps(site, visit):
    site.manage("shell", "-v0", "-c", MORNING % ("taps", 14))
    manager = visit("manager", width=390, height=844)
    page, before = manager.page, contacts(site)
    page.goto("/today/")
    taps = 0
    for number in range(1, 4):
        page.locator(".today-row").first.get_by_role("link", name="记录").click()
        page.locator("#drawer .choices label:has(input[name=phrases])").first.click()
        page.locator("#drawer button[name=save]").click()
        taps += 3
        wait_for_contacts(page, site, before + number)
        expect(page.locator("#drawer")).to_be_empty()
    assert taps == 9
    assert manager.unexpected() == []


def test_a_meeting_becomes_a_report_that_the_head_reads(site, visit):
    manager = visit("manager")
    page = manager.page
    page.goto("/customers/")
    page.locator("a[data-open]").first.click()
    page.wait_for_url(re.compile(r"/customers/\d+/"))
    page.keyboard.press("c")
    page.locator("#drawer .log-ways label.chip", has_text="面谈").first.click()
    page.fill("#drawer textarea[name=summary]", "和理财顾问一起见面，谈了拆迁款安排")
    page.locator("#drawer button[name=save]").click()
    expect(page.locator("#toasts")).to_contain_text("沟通报告")
    page.goto("/reports/")
    page.locator("section", has=page.locator("#own-title")).locator("a[data-open]").last.click()
    page.wait_for_url(re.compile(r"/reports/\d+/"))
    address = page.url
    page.fill("[name=ours]", "林晓雯、许静怡")
    page.fill("[name=needs]", "稳健增值 50 万，年底前")
    page.select_option("[name=attitude]", "positive")
    page.fill("[name=promise-0]", "送两套方案对比")
    page.fill("[name=due-0]", "2027-03-01")
    page.locator("button[name=submit]").click()
    expect(page.locator("main")).to_contain_text("许静怡")
    head = visit("head")
    head.page.goto(address)
    head.page.fill("[name=comment]", "跟进及时")
    head.page.locator("button[value=review]").click()
    expect(head.page.locator("main")).to_contain_text("已阅")
    assert (
        site.query("SELECT count(*) FROM contacts_contacttask WHERE reason = 'promise' AND status = 'open'")[0][0] >= 1
    )
    assert manager.unexpected() == [] and head.unexpected() == []


def test_a_birthday_batch_is_released_sent_and_one_answers_td(site, visit):
    site.manage("shell", "-v0", "-c", BATCH)
    drafts = site.query("SELECT count(*) FROM contacts_outboundmessage WHERE kind = 'birthday' AND status = 'drafted'")[
        0
    ][0]
    assert drafts >= 1
    manager = visit("manager")
    page = manager.page
    page.goto("/messages/")
    expect(page.locator("main")).to_contain_text("生日快乐")
    manager.screenshot("messages")
    page.locator("button[value=release]").click()
    expect(page.locator("#toasts")).to_contain_text("已放行")
    site.write("UPDATE contacts_outboundmessage SET not_before = now() WHERE status = 'released'")
    site.manage("shell", "-v0", "-c", SEND)
    page.goto("/messages/?tab=sent")
    expect(page.locator("main")).to_contain_text("已发送")
    site.manage("shell", "-v0", "-c", ANSWER)
    page.goto("/messages/")
    expect(page.locator("main")).to_contain_text("客户已撤回授权")
    assert (
        site.query(
            "SELECT count(*) FROM customers_consentrecord WHERE channel = 'sms' AND NOT granted AND strpos(evidence, 'TD') > 0"
        )[0][0]
        >= 1
    )
    assert manager.unexpected() == []


def test_what_was_written_survives_a_lost_network_and_counts_once(site, visit):
    manager = visit("manager")
    page = manager.page
    customer = site.query(
        "SELECT c.id FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id WHERE s.staff_no = 'manager'"
        " ORDER BY c.aum DESC LIMIT 1"
    )[0][0]
    before = contacts(site)
    page.goto(f"/customers/{customer}/")
    page.locator(f"a[href='/customers/{customer}/log/']").first.click()
    form = page.locator("#drawer form[data-draft]")
    form.locator("[name=summary]").fill("网络不好时写下的话")
    page.wait_for_function("() => Object.keys(sessionStorage).some((key) => key.startsWith('draft:'))")

    # The server takes it, its answer is lost on the way.
    page.route(
        "**/log/", lambda route: (route.fetch(), route.abort()) if route.request.method == "POST" else route.continue_()
    )
    form.locator("button[name=save]").click()
    expect(page.locator(".toast-line--error, .offline, [role=alert]").first).to_be_visible()
    page.unroute("**/log/")
    assert contacts(site) == before + 1

    page.reload()
    page.goto(f"/customers/{customer}/")
    page.locator(f"a[href='/customers/{customer}/log/']").first.click()
    form = page.locator("#drawer form[data-draft]")
    expect(form.locator("[name=summary]")).to_have_value("网络不好时写下的话")
    manager.screenshot("log-draft-back")
    form.locator("button[name=save]").click()
    expect(page.locator("#drawer form[data-draft]")).to_have_count(0)
    assert contacts(site) == before + 1
    assert page.evaluate("() => Object.keys(sessionStorage).filter((key) => key.startsWith('draft:')).length") == 0
