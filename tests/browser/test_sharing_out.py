"""A branch head's half: a waiting list cleared with one proposal, changed, refused, overridden, undone; then a leaver's book."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WAITING, DIAMONDS = 38, 3

SCENE = f"""
from datetime import date
from decimal import Decimal
from django.utils.timezone import localdate
from customers import load
from customers.models import Assignment, Customer
from staff.models import Staff
head = Staff.objects.get(staff_no="head")
full = Staff.objects.filter(branch=head.branch, role="relationship_manager").exclude(staff_no="manager").order_by("pk").first()
held = list(Assignment.objects.open().primary().filter(staff=full).order_by("customer__relation_status", "pk"))[::-1]
Customer.objects.filter(pk__in=[row.customer_id for row in held[:{DIAMONDS}]]).update(service_tier=3)
rest = Assignment.objects.open().primary().filter(staff__branch=head.branch).exclude(pk__in=[row.pk for row in held[:{DIAMONDS}]])
waiting = Customer.objects.waiting().filter(branch=head.branch)
for row in held[{DIAMONDS}:]:
    Assignment.objects.filter(pk=row.pk).update(end=localdate())
others = rest.filter(end=None).exclude(staff=full).order_by("-pk")
while waiting.count() < {WAITING}:
    Assignment.objects.filter(pk=others.first().pk).update(end=localdate())
Customer.objects.filter(pk__in=list(waiting.order_by("aum").values_list("pk", flat=True)[{WAITING}:])).update(relation_status="none")
Customer.objects.filter(pk=waiting.filter(relation_status="signed").order_by("-aum").first().pk).update(service_tier=3)
Staff.objects.filter(pk=full.pk).update(capacity_factor=Decimal("0.10"))
load.refresh_limits([full.pk])
print(full.pk, full.name)
"""


def waiting(site) -> int:
    sql = """SELECT count(*) FROM customers_customer c JOIN staff_staff s ON s.branch_id = c.branch_id
              WHERE s.staff_no = 'head' AND c.manager_id IS NULL AND c.merged_into_id IS NULL
                AND c.relation_status IN ('signed', 'potential')"""
    return site.query(sql)[0][0]


def held_by(site, member: str) -> int:
    return site.query("SELECT count(*) FROM customers_customer WHERE manager_id = %s", int(member))[0][0]


def test_a_waiting_list_is_cleared_with_one_proposal_and_a_leavers_book_goes_on(site, visit):
    full, name = site.manage("shell", "-v0", "-c", SCENE).split()[-2:]
    head = visit("head")
    page = head.page
    page.goto("/assignment/")
    assert waiting(site) == WAITING
    expect(page.locator("#assignment-tabs a[aria-current]")).to_contain_text(str(WAITING))
    expect(page.locator("#proposal")).to_contain_text("已证明最优")

    # An over-quota drag is refused where it is dropped, with the quota in words; nothing is written.
    diamond = page.locator(".waiting-row[data-tier=diamond]").first
    target = page.locator(f"[data-member='{full}']")
    box, there = diamond.locator(".person").bounding_box(), target.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 20, steps=4)
    page.mouse.move(there["x"] + 60, there["y"] + 30, steps=8)
    expect(target).to_have_class(re.compile("is-barred"))
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("超出管户上限")
    assert (waiting(site), held_by(site, full)) == (WAITING, DIAMONDS)

    # Two lines are changed; the loads follow at once.
    rows = page.locator(".proposal-row", has=page.locator("select"))
    for number in (1, 2):
        select = rows.nth(number).locator("select")
        now = select.input_value()
        other = select.locator("option").evaluate_all(
            "(all, [now, full]) => all.map((one) => one.value).find((one) => ![now, full, ''].includes(one))",
            [now, full],
        )
        with page.expect_response("**/assignment/propose/"):
            select.select_option(other)
    expect(page.locator("#proposal .card-head .push")).to_contain_text("2")

    # A third line goes to the full member: refused with the figures, until the head gives one more place.
    customer = diamond.get_attribute("data-customer")
    with page.expect_response("**/assignment/propose/"):
        page.locator(f"#to-{customer}").select_option(full)
    wrong = page.locator(".proposal-row.is-wrong")
    expect(wrong).to_contain_text("钻石 3/3")
    with head.context.expect_page() as opened:
        wrong.get_by_role("link").click()
    places = opened.value
    places.fill("[name=until]", (timezone.localdate() + timedelta(days=30)).isoformat())
    places.fill("[name=reason]", "原客户经理调岗，暂由其代为维护一个月")
    places.locator("main form .btn-primary").click()
    expect(places.locator("#toasts")).to_contain_text("1 个")
    places.close()
    assert site.query("SELECT tier, places FROM customers_override WHERE staff_id = %s", int(full)) == [(3, 1)]
    with page.expect_response("**/assignment/propose/"):
        page.locator(f"#to-{customer}").dispatch_event("change")
    expect(page.locator(".proposal-row.is-wrong")).to_have_count(0)
    head.screenshot("sharing-proposal")

    page.locator("#proposal-form .btn-primary").click()
    expect(page.locator("#toasts")).to_contain_text(f"已分配 {WAITING} 位")
    assert (waiting(site), held_by(site, full)) == (0, DIAMONDS + 1)
    assert site.query('SELECT count(*) FROM customers_assignment WHERE exceeds AND "end" IS NULL') == [(1,)]

    page.locator("#toasts button", has_text="撤销").click()
    expect(page.locator("#assignment-tabs a[aria-current]")).to_contain_text(str(WAITING))
    assert (waiting(site), held_by(site, full)) == (WAITING, DIAMONDS)

    # The full member leaves: his book goes to one manager, who receives it, and the head approves.
    page.goto("/handovers/new/")
    page.select_option("[name=giver]", full)
    page.select_option("[name=reason]", "leaving")
    page.locator("main form .btn-primary").click()
    page.wait_for_url(re.compile(r"/handovers/\d+/"))
    address = page.url
    (receiver,) = site.query("SELECT id::text FROM staff_staff WHERE staff_no = 'manager'")[0]
    for select in page.locator("select[name^='to-']").all():
        select.select_option(receiver)
    page.fill("#note-all", "存单十二月到期，答应先给方案；不接午间电话")
    page.locator("button[name=submit]").click()
    manager = visit("manager")
    manager.page.goto(address)
    manager.page.locator("button[name=answer][value=take]").click()
    expect(manager.page.locator("button[name=answer][value=take]")).to_have_count(0)
    page.goto(address)
    page.locator("form[action$='/approve/'] .btn-primary").click()
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("已生效")
    assert held_by(site, full) == 0
    assert site.query("SELECT count(*) FROM customers_handoverline l JOIN customers_handover h ON h.id = l.handover_id"
                      " JOIN customers_customer c ON c.id = l.customer_id WHERE h.giver_id = %s AND c.manager_id = %s",
                      int(full), int(receiver)) == [(DIAMONDS,)]  # fmt: skip
    page.goto("/handovers/watch/")
    expect(page.locator("main")).to_contain_text(name)
    assert head.unexpected(409) == [] and manager.unexpected() == []
