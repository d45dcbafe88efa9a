"""The personal archive, edited in place by keyboard, with two people at the same field."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def value_of(site, customer, field):
    rows = site.query(
        "SELECT value FROM customers_profilevalue WHERE customer_id = %s AND field = %s AND ended_at IS NULL",
        customer, field,
    )  # fmt: skip
    return rows[0][0] if rows else None


def test_a_manager_edits_the_archive_by_keyboard_and_a_second_writer_is_told(site, visit):
    (customer,) = site.query(
        "SELECT min(c.id) FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id WHERE s.staff_no = 'manager'"
    )[0]
    site.write("UPDATE customers_profilevalue SET ended_at = now() WHERE customer_id = %s AND field = 'post'", customer)
    manager, head = visit("manager"), visit("head")
    for visitor in (manager, head):
        visitor.page.goto(f"/customers/{customer}/?tab=profile")
    row = manager.page.locator("#field-post")

    row.locator("[data-archive-edit]").focus()
    manager.page.keyboard.press("F2")
    expect(row.locator("[name=said]")).to_be_focused()
    manager.page.keyboard.press("Escape")
    expect(row.locator("[name=said]")).to_have_count(0)

    head.page.locator("#field-post [data-archive-edit]").click()
    expect(head.page.locator("#field-post [name=said]")).to_be_focused()
    row.locator("[data-archive-edit]").click()
    row.locator("[name=said]").fill("总经理")
    manager.page.keyboard.press("Enter")
    expect(row.locator(".archive-value")).to_contain_text("总经理")
    assert value_of(site, customer, "post") == "总经理"

    theirs = head.page.locator("#field-post")
    theirs.locator("[name=said]").fill("科长")
    head.page.keyboard.press("Enter")
    expect(theirs.get_by_role("alert")).to_contain_text("总经理")
    head.screenshot("archive-conflict")
    assert value_of(site, customer, "post") == "总经理"
    theirs.get_by_role("button", name="用我的").click()
    expect(theirs.locator(".archive-value")).to_contain_text("科长")
    assert value_of(site, customer, "post") == "科长"

    theirs.locator("[data-archive-edit]").click()
    theirs.get_by_role("button", name="恢复").first.click()
    expect(theirs.locator(".archive-value")).to_contain_text("总经理")
    assert value_of(site, customer, "post") == "总经理"
    assert manager.unexpected() == []
    assert head.unexpected(409) == []
