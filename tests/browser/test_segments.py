"""A segment built in the browser, with its count while it is built."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def choose(page, place: str, dimension: str) -> None:
    """Choose the dimension of a line and wait for the controls that come with it."""
    page.locator(f"#field-{place}").select_option(dimension)
    expect(page.locator(f"#not-{place}, #value-{place}").first).to_be_visible(timeout=20_000)


def test_the_head_builds_a_segment_and_watches_its_count(site, visit):
    (expected,) = site.query(
        "SELECT count(*) FROM customers_customer c JOIN staff_staff s ON s.branch_id = c.branch_id"
        " WHERE s.staff_no = 'head' AND c.service_tier >= 1 AND c.aum >= 300000 AND c.relation_status NOT IN ('closed', 'terminated')"
        " AND NOT EXISTS (SELECT FROM customers_hobby h WHERE h.customer_id = c.id AND h.word = '茶' AND h.ended_at IS NULL)"
    )[0]
    head = visit("head")
    page = head.page
    page.goto("/segments/new/")
    page.wait_for_load_state("networkidle")
    page.locator("#segment-name").fill("浏览器客群")
    choose(page, "0-0", "tier")
    for tier in ("金卡", "白金", "钻石"):
        page.locator(".rule-line").first.locator(".chip", has_text=tier).click()
    page.locator("button[value=add-0]").click()
    expect(page.locator("#field-0-1")).to_be_visible()
    choose(page, "0-1", "aum")
    page.locator("#value-0-1").fill("30")
    page.locator("button[value=add-group]").click()
    expect(page.locator("#field-1-0")).to_be_visible()
    choose(page, "1-0", "hobby")
    page.locator("#not-1").check()
    page.locator(".rule-block").nth(1).locator(".chip", has_text=re.compile("^茶$")).click()
    expect(page.locator("[data-count]")).to_have_text(f"{expected:,}")
    head.screenshot("segment-builder")

    page.locator("button[name=save]").click()

    expect(page.locator("h1")).to_contain_text("浏览器客群")
    kept = site.query(
        "SELECT count(*) FROM customers_segmentmember m JOIN customers_segment s ON s.id = m.segment_id"
        " WHERE s.name = '浏览器客群' AND m.until IS NULL"
    )
    assert kept == [(expected,)]
    assert head.unexpected() == []
