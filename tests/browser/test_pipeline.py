"""Opportunities, referrals and activities from their beginning to their end, done as people do them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def customer_of(site, number: str, without: str, *, rested: bool = False) -> tuple[int, str]:
    """Return key and name of a customer of a manager who has nothing open of a kind; `rested`: nor any contact of late."""
    return site.query(
        "SELECT c.id, c.name FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id"
        " WHERE s.staff_no = %s AND NOT c.do_not_contact AND NOT c.low_disturb"
        ' AND NOT (%s AND EXISTS (SELECT FROM contacts_contactlog l WHERE l.customer_id = c.id AND l."on" >= current_date - 1))'
        " AND NOT EXISTS (SELECT FROM contacts_opportunity o WHERE o.customer_id = c.id AND o.kind = %s)"
        " ORDER BY c.aum DESC, c.id LIMIT 1",
        number, rested, without,
    )[0]  # fmt: skip


def opened(page, customer: int, kind: str, title: str) -> str:
    """Open an opportunity by its form; return its address."""
    page.goto(f"/opportunities/new/?customer={customer}")
    page.select_option("main [name=kind]", kind)
    page.fill("main [name=title]", title)
    page.locator("main form button.btn-primary").click()
    page.wait_for_url(re.compile(r"/opportunities/\d+/$"))
    return page.url


def moved(page, to: str, **fields) -> None:
    """Move the opportunity of the page by the form of a stage."""
    page.locator(f"a.btn[href$='to={to}']").click()
    form = page.locator("main form.log-page")
    for name, value in fields.items():
        field = form.locator(f"[name={name}]")
        field.select_option(value) if field.evaluate("f => f.tagName") == "SELECT" else field.fill(value)
    form.locator("button.btn-primary").click()


def stage_of(site, address: str) -> str:
    return site.query(
        "SELECT stage FROM contacts_opportunity WHERE id = %s", int(address.rstrip("/").rsplit("/", 1)[1])
    )[0][0]


def test_a_card_goes_through_every_stage_on_its_conditions(site, visit):
    manager = visit("manager")
    page, today = manager.page, timezone.localdate()
    customer, _name = customer_of(site, "manager", "win_back", rested=True)
    address = opened(page, customer, "win_back", "全程推进的商机")
    key = address.rstrip("/").rsplit("/", 1)[1]

    # The first move by dragging the card over the board: the day of its next step is known.
    page.goto("/opportunities/?mine=1&kind=win_back")
    card, column = page.locator(f"#deal-{key}"), page.locator("section[data-stage=planned]")
    card.scroll_into_view_if_needed()
    source, target = card.bounding_box(), column.bounding_box()
    page.mouse.move(source["x"] + 30, source["y"] + 12)
    page.mouse.down()
    page.mouse.move(source["x"] + 60, source["y"] + 24, steps=6)
    page.mouse.move(target["x"] + 60, target["y"] + 60, steps=20)
    page.mouse.up()
    expect(page.locator(f"section[data-stage=planned] #deal-{key}")).to_be_visible()
    expect(page.locator("[data-toast]").first).to_be_visible()
    assert stage_of(site, address) == "planned"

    # "Contacted" asks for a contact first.
    page.goto(address)
    moved(page, "contacted")
    expect(page.locator(".notice--error, .fault, [role=alert]").first).to_be_visible()
    assert stage_of(site, address) == "planned"
    page.goto(f"/customers/{customer}/log/")
    page.locator("main [name=summary]").fill("客户愿意把资金转回")
    page.locator("main form button.btn-primary").last.click()
    page.wait_for_url(lambda url: "/log/" not in url)
    page.goto(address)
    if stage_of(site, address) == "planned":
        moved(page, "contacted")
        page.wait_for_url(address)
    assert stage_of(site, address) == "contacted"

    for to, fields in (
        ("proposed", {"note": "介绍了专属存款方案"}),
        ("agreed", {"expected_amount": "300000", "expected_on": str(today + timedelta(days=9))}),
        ("won", {"result_amount": "280000"}),
    ):
        page.goto(address)
        moved(page, to, **fields)
        page.wait_for_url(address)
        assert stage_of(site, address) == to
    manager.screenshot("opportunity-won")
    path = site.query(
        "SELECT to_stage FROM contacts_opportunitystagehistory WHERE opportunity_id = %s ORDER BY id", int(key)
    )
    assert [stage for (stage,) in path] == ["new", "planned", "contacted", "proposed", "agreed", "won"]
    assert manager.unexpected(422) == []


def test_a_lost_one_is_reopened_after_its_cooling(site, visit):
    manager = visit("manager")
    page = manager.page
    customer, _name = customer_of(site, "manager", "acquire")
    address = opened(page, customer, "acquire", "先失败后重开")
    moved(page, "lost")
    expect(page.locator("[role=alert], .fault").first).to_be_visible()  # no reason, no end
    page.goto(address)
    moved(page, "lost", lost_reason="unwilling")
    page.wait_for_url(address)
    assert stage_of(site, address) == "lost"

    moved(page, "new")
    expect(page.locator("[role=alert]").first).to_contain_text("起才能重新跟进")
    assert stage_of(site, address) == "lost"  # the customer is left in peace
    key = int(address.rstrip("/").rsplit("/", 1)[1])
    site.write("UPDATE contacts_opportunity SET closed_on = closed_on - 91 WHERE id = %s", key)
    page.goto(address)
    moved(page, "new")
    page.wait_for_url(address)
    assert stage_of(site, address) == "new"
    assert manager.unexpected(422) == []


def test_a_customer_is_referred_to_a_specialist_and_back(site, visit):
    manager, adviser = visit("manager"), visit("adviser")
    customer, name = customer_of(site, "manager", "no_such_kind")
    receiver = site.query("SELECT id FROM staff_staff WHERE staff_no = 'adviser'")[0][0]
    page = manager.page
    page.goto(f"/customers/{customer}/refer/")
    page.select_option("main [name=receiver]", str(receiver))
    page.fill("main [name=need]", "需要一份家庭资产配置建议")
    page.locator("main form button.btn-primary").click()
    page.wait_for_load_state("networkidle")

    other = adviser.page
    other.goto("/referrals/")
    row = other.locator("li", has_text="需要一份家庭资产配置建议").first
    expect(row).to_contain_text(name)
    row.locator("button[value=accept]").click()
    expect(row.locator("button[value=accept]")).to_have_count(0)
    row = other.locator("li", has_text="需要一份家庭资产配置建议").first
    row.locator("textarea").fill("已面谈，建议四成固收")
    row.locator("button[value=finish]").click()
    other.wait_for_load_state("networkidle")

    page.goto("/referrals/")
    expect(page.locator("li", has_text="已面谈，建议四成固收").first).to_be_visible()
    assert site.query("SELECT status FROM contacts_staffreferral WHERE customer_id = %s", customer)[0][0] == "done"
    assert manager.unexpected() == []
    assert adviser.unexpected() == []


def test_an_activity_runs_from_its_plan_to_its_effect(site, visit):
    head = visit("head")
    page, day = head.page, timezone.localdate() + timedelta(days=3)
    page.goto("/activities/")
    page.locator("a[href='/activities/new/']").first.click()
    fields = {"theme": "冬日茶会", "goal": "加深联系", "size": "6", "place": "网点二楼", "starts_at": f"{day}T15:00",
              "ends_at": f"{day}T17:00", "budget": "1800"}  # fmt: skip
    for name, value in fields.items():
        page.fill(f"main [name={name}]", value)
    page.select_option("main [name=kind]", "salon")
    page.locator("main form button.btn-primary").click()
    page.wait_for_url(re.compile(r"/activities/\d+/$"))
    address, key = page.url, int(page.url.rstrip("/").rsplit("/", 1)[1])

    page.locator("button[value=submit]").click()
    boxes = page.locator("input[name=customer]")
    expect(boxes.first).to_be_visible()
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.locator("form[action$='/invite/'] button.btn-primary").click()
    guests = page.locator("[id^=guest-]")
    expect(guests).to_have_count(2)
    guests.nth(0).locator("button[value=accepted]").click()

    # On its day, at the door, on a phone.
    site.write(
        "UPDATE contacts_activity SET starts_at = now() - interval '3 hours', ends_at = now() - interval '1 hour' WHERE id = %s",
        key,
    )
    phone = visit("head", width=390)
    door = phone.page
    door.goto(address)
    door.locator("[id^=guest-]").nth(0).locator("button[name=attended]").click()
    door.wait_for_load_state("networkidle")
    phone.screenshot("activity-door-390")
    page.goto(address)
    page.locator("button[value=hold]").click()
    came = page.locator("[id^=guest-]", has=page.locator("select[name=satisfaction]")).first
    came.locator("select[name=satisfaction]").select_option("5")
    came.locator("input[name=next_time]").check()
    came.locator("form", has=page.locator("select[name=satisfaction]")).locator("button").click()
    page.wait_for_load_state("networkidle")
    page.fill("#id_cost", "1650")
    page.fill("#id_review", "茶友互相介绍，下次在社区办")
    page.locator("button[value=review]").click()
    page.wait_for_load_state("networkidle")

    # Two months later the effect is honest about two guests.
    site.write(
        "UPDATE contacts_activity SET starts_at = starts_at - interval '62 days', ends_at = ends_at - interval '62 days' WHERE id = %s",
        key,
    )
    page.goto(address)
    expect(page.locator("#effect-title")).to_be_visible()
    expect(page.locator("section", has=page.locator("#effect-title"))).to_contain_text("样本过少")
    head.screenshot("activity-effect")
    row = site.query("SELECT status, cost FROM contacts_activity WHERE id = %s", key)[0]
    assert (row[0], int(row[1])) == ("reviewed", 1650)
    assert site.query("SELECT count(*) FROM contacts_invitation WHERE activity_id = %s AND next_time", key) == [(1,)]
    assert head.unexpected() == []
    assert phone.unexpected() == []
