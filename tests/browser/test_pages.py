"""Every page in both themes and languages, wide and narrow: no violation of axe, no complaint, nothing out of the frame."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = [
    ("manager", "today", "/today/"),
    ("manager", "log", "/customers/{own}/log/"),
    ("manager", "customers", "/customers/"),
    ("manager", "customer", "/customers/{own}/"),
    ("manager", "archive", "/customers/{own}/?tab=profile"),
    ("manager", "consents", "/customers/{own}/?tab=consents"),
    ("manager", "opportunities", "/opportunities/"),
    ("manager", "alerts", "/churn/"),
    ("head", "assignment", "/assignment/"),
    ("head", "early-warning", "/churn/"),
    ("head", "model", "/churn/model/"),
    ("head", "night", "/night/"),
    ("head", "mailbox", "/mailbox/"),
    ("head", "list", "/customers/?tier=gold&contact=over10"),
    ("head", "filters", "/customers/filters/?tier=gold"),
    ("head", "export", "/customers/export/?query=tier%3Dgold"),
    ("head", "views", "/customers/views/"),
    ("head", "jobs", "/jobs/"),
    ("head", "adjustments", "/adjustments/"),
    ("head", "overrides", "/assignment/overrides/"),
    ("head", "to-reassign", "/assignment/to-reassign/"),
    ("head", "handover-new", "/handovers/new/"),
    ("manager", "reports", "/reports/"),
    ("manager", "calendar", "/calendar/"),
    ("manager", "feedback", "/customers/{own}/?tab=feedback"),
    ("head", "events", "/events/"),
    ("head", "event-new", "/events/new/"),
    ("head", "compliance", "/compliance/"),
    ("head", "messages", "/messages/"),
    ("head", "words", "/messages/words/"),
    ("head", "batches", "/messages/batches/"),
    ("manager", "introductions", "/introductions/"),
    ("head", "morning", "/morning/"),
    ("head", "complaints", "/feedback/"),
    ("head", "planning", "/planning/"),
    ("office", "planning-outlets", "/planning/"),
    ("head", "handover-watch", "/handovers/watch/"),
    ("head", "proposals", "/assignment/history/"),
    ("head", "qualifications", "/qualifications/"),
    ("head", "rules", "/rules/"),
    ("head", "potential", "/potential/"),
    ("head", "segments", "/segments/"),
    ("head", "segment", "/segments/3/"),
    ("head", "segment-edit", "/segments/1/edit/"),
    ("head", "named-list", "/lists/1/"),
    ("head", "import", "/imports/new/"),
    ("head", "duplicates", "/duplicates/"),
    ("office", "rules-form", "/rules/"),
    ("office", "outcomes", "/churn/outcomes/"),
    ("manager", "progress-table", "/opportunities/table/"),
    ("head", "pipeline-analysis", "/opportunities/analysis/"),
    ("head", "activities", "/activities/"),
    ("head", "activity-plan", "/activities/new/"),
    ("manager", "referrals", "/referrals/"),
    ("manager", "refer", "/customers/{own}/refer/"),
    ("manager", "special", "/customers/{own}/special/"),
    ("head", "specials", "/specials/"),
    ("head", "loss-reviews", "/churn/reviews/"),
    ("manager", "explanation", "/churn/customers/{own}/explanation/"),
    ("office", "product-edit", "/products/1/edit/"),
    ("sysadmin", "clients", "/clients/"),
    ("auditor", "audit", "/audit/"),
    ("teller", "teller-customers", "/customers/"),
]
LOOKS = [
    {"width": 1440, "height": 900, "theme": "light", "language": "zh-CN"},
    {"width": 1440, "height": 900, "theme": "dark", "language": "en-GB"},
    {"width": 390, "height": 844, "theme": "light", "language": "en-GB"},
    {"width": 390, "height": 844, "theme": "dark", "language": "zh-CN"},
]


OUT_OF_FRAME = """() => [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".table-wrap"))
    .map((element) => `${element.tagName}.${element.className}`).slice(0, 6)"""


def named(look):
    return f"{look['width']}-{look['theme']}-{look['language'][:2]}"


SHARE = 12
"""So many pages of a person are one test; the first share of the first look is in every run, the rest with the long ones."""


def _walks():
    """Yield a test for each share of a person's pages in each look."""
    for number in sorted({number for number, _name, _path in PAGES}):
        pages = [(name, path) for who, name, path in PAGES if who == number]
        for share, first in enumerate(range(0, len(pages), SHARE)):
            for look in LOOKS:
                marks = [pytest.mark.long] if share or look is not LOOKS[0] else []
                title = f"{number}-{share}-{named(look)}"
                yield pytest.param(number, pages[first : first + SHARE], look, id=title, marks=marks)


@pytest.mark.parametrize(("number", "pages", "look"), _walks())
def test_pages_are_accessible_and_in_frame(site, visit, number, pages, look):
    visitor = visit(number, **look)
    page = visitor.page
    (own,) = site.query(
        "SELECT min(c.id) FROM customers_customer c JOIN staff_staff s ON s.id = c.manager_id WHERE s.staff_no = 'manager'"
    )[0]
    faults = []
    for name, path in pages:
        answer = page.goto(path.format(own=own))
        assert answer.status == 200, path
        visitor.screenshot(f"{name}-{named(look)}")
        found = Axe().run(page)
        faults += [
            f"{path}: {rule['id']} {node['target']} {node['html'][:160]}"
            for rule in found.response["violations"]
            for node in rule["nodes"]
        ]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > look["width"] + 1:
            faults.append(f"{path}: {width} px wide on a screen of {look['width']}: {page.evaluate(OUT_OF_FRAME)}")
    assert faults + visitor.complaints == []


def test_the_sign_in_page_says_the_same_for_a_wrong_number_and_a_wrong_password(site, chromium):
    texts = set()
    for number in ("head", "nobody-at-all"):
        context = chromium.new_context(base_url=site.url, locale="en-GB")
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("#id_login", number)
        page.fill("#id_password", "certainly-not-this-one")
        page.click("form button.btn-primary")
        texts.add(page.locator("[role=alert]").inner_text())
        context.close()
    assert len(texts) == 1
