"""Names, searches and addresses meant to break pages: shown as they are, refused or found, never run and never a 500."""

import random
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.urls import reverse

from customers.models import Customer
from staff.roles import Role
from tests.proofs.scene import Api, addresses, row_of, set_scene, signed_in

pytestmark = pytest.mark.django_db

NAMES = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{7*7}}{% debug %}${7*7}",
    "%s%(name)s%n{0}{name}",
    "' OR 1=1 --",
    "\\'; DROP TABLE staff_staff; --",
    "\u202e张三\u202c\u200b\u2066伟",
    "</script><!--",
]
SEARCHES = [
    "%", "_", "\\", "(", "[", "*", "+", "?", "a(b", "^$", "{1,}", "\\d", "'", '"', ";--", "' OR 1=1 --", "\x00", "a\x00b",
    "张" * 500, "a" * 500, "😀", "👨‍👩‍👧", "\u202e", "\ufeff", "%s", "{{7*7}}", "<b>", "١٢٣٤", "1234", "\n\t",
]  # fmt: skip
VALUES = [
    "", "abc", "zzz", "-1", "0", "99999999999999999999", "-99999999999999999999,1", "1e999", "1e400,1", "NaN,1", "NaN",
    "\x00", "\x00,1", "0001-01", "9999-12", "0001-01-01", "9999-12-31", "0001-01-01,1", "2026-13-45", "é", "x" * 500,
    "../../etc", "[]", "1,99999999999999999999", "1,2", ",", ";drop", "null", "١,١", "1_0,1_0",
]  # fmt: skip
NOBODY = type("Nobody", (), {"code": ""})


class Text(HTMLParser):
    """What a person reads of a page, and every tag and attribute that a browser would make of it."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.words, self.tags = [], []
        self.feed(page)

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def api():
    return Api()


def walk(client, urls):
    for url in urls:
        page = client.get(url)
        yield url, page
        if page.status_code == 200:
            yield url, client.get(url, headers={"HX-Request": "true"})


def assert_harmless(url, answer, name):
    """No part of the name became a tag, an attribute or a template's result."""
    assert answer.status_code < 500, f"{url}: {answer.status_code}"
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return 0
    page = answer.content.decode()
    text = Text(page)
    for tag, attributes in text.tags:
        assert not [key for key in attributes if key.startswith("on")], f"{url}: <{tag} {attributes}>"
        assert attributes.get("src") != "x", url
    assert "<script>alert" not in page and "</script><!--" not in page, url
    if "{{7*7}}" in name:
        assert "4949" not in "".join(text.words), url
    return name in "".join(text.words)


# The first two in every run, the others with the long ones, so that a run stays short.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (place > 1)) for place, name in enumerate(NAMES)]
)
def test_a_hostile_name_is_shown_as_it_is(name, api):
    rows = [row_of(f"H{number}", NOBODY, name=name, occupation=name[:60], employer=name) for number in range(3)]
    scene = set_scene(Role.RELATIONSHIP_MANAGER, api, rows)
    customer = Customer.objects.get(pk=scene.own.pk)
    assert customer.name == name
    scene.own.opportunities.update(title=name, next_action=name)
    scene.own.contact_logs.update(summary=name)
    shown = {}

    client = signed_in(scene.viewer)
    urls = addresses(None) + addresses(scene.own)
    for url, answer in walk(client, urls):
        shown[url] = assert_harmless(url, answer, name) or shown.get(url)
    for route in ("customers:customer_list", "contacts:today", "contacts:opportunity_list", "churn:alert_list"):
        assert shown[reverse(route)], f"{route} does not show the name"
    for route in ("customers:customer_detail", "contacts:log", "contacts:panel_timeline"):
        assert shown[reverse(route, args=[customer.pk])], f"{route} does not show the name"
    done = client.post(f"/customers/{customer.pk}/snooze/", {"until": "x"}, headers={"HX-Request": "true"})
    assert_harmless("snooze", done, name)
    until = {"until": str(customer.tasks.first().due_on.replace(day=28))}
    for path in ("snooze/", "snooze/undo/"):
        answer = client.post(f"/customers/{customer.pk}/{path}", until, headers={"HX-Request": "true"})
        assert_harmless(path, answer, name)


@pytest.mark.parametrize(
    "role",
    [
        Role.RELATIONSHIP_MANAGER,
        *(pytest.param(role, marks=pytest.mark.long) for role in (Role.BRANCH_HEAD, Role.AUDITOR)),
    ],
)
def test_a_search_for_anything_is_answered(role, api):
    scene = set_scene(role, api, [row_of(f"H{number}", NOBODY, name=NAMES[number]) for number in range(3)])
    client = signed_in(scene.viewer)
    for text in SEARCHES:
        for path in ("/customers/", "/search/", "/assignment/", "/assignment/?tab=charge"):
            url = f"{path}{'&' if '?' in path else '?'}{urlencode({'q': text})}"
            for _url, answer in walk(client, [url]):
                assert answer.status_code in (200, 302, 400, 403, 422), f"{url}: {answer.status_code}"
                assert_harmless(url, answer, text)


@pytest.mark.parametrize("role", [Role.BRANCH_HEAD, Role.RELATIONSHIP_MANAGER])
def test_wildcards_find_no_more_than_their_own_characters(role, api):
    scene = set_scene(role, api, [row_of(f"H{number}", NOBODY, name=f"普通人{number}") for number in range(3)])
    client = signed_in(scene.viewer)
    for text in ("%", "_", "\\", "' OR 1=1 --", "普_人"):
        answer = client.get("/customers/", {"q": text})
        assert f"/customers/{scene.own.pk}/".encode() not in answer.content, text


def read_parameters(client, url, monkeypatch) -> set[str]:
    """Return the names of the parameters that a page looks for."""
    asked = set()

    def watched(method):
        def wrapper(self, key, *args):
            asked.add(key)
            return method(self, key, *args)

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("get", "getlist", "__getitem__", "__contains__"):
            patch.setattr(QueryDict, name, watched(getattr(QueryDict, name)))
        client.get(url)
    return {name for name in asked if isinstance(name, str)}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", [Role.BRANCH_HEAD, Role.RELATIONSHIP_MANAGER, Role.AUDITOR])
def test_no_parameter_of_any_list_breaks_it(role, api, monkeypatch):
    scene = set_scene(role, api, [row_of(f"H{number}", NOBODY, name=f"某人{number}") for number in range(3)])
    client = signed_in(scene.viewer)
    broken, asked = [], 0
    for url in addresses(None) + addresses(scene.own):
        if url.startswith(("/accounts/", "/api/")) or client.get(url).status_code != 200:
            continue
        parameters = read_parameters(client, url, monkeypatch)
        asked += len(parameters)
        some = random.Random(f"{role} {url}")  # the same draw at every run; another for each page and role
        queries = [{name: value} for name in sorted(parameters) for value in some.sample(VALUES, 5)]
        if "sort" in parameters:
            sorts = ("name", "-name", "tier", "aum", "-aum", "change", "contact", "next", "churn")
            queries += [{"sort": sort, "after": value} for sort in sorts for value in some.sample(VALUES, 4)]
        queries.append({"tier": "abc", "after": "zzz", "sort": ";drop", "no-such": "1"})
        for query in queries:
            status = client.get(url, query).status_code
            if status >= 500:
                broken.append((url, query, status))
                break  # the transaction of this test is spoiled where the database complained
    assert asked > 8
    assert broken == []


def test_no_parameter_of_the_api_breaks_it(api):
    set_scene(Role.BRANCH_HEAD, api, [row_of(f"H{number}", NOBODY, name=f"某人{number}") for number in range(3)])
    for path in ("assignments/", "churn/alerts/"):
        for name in ("limit", "cursor", "customer_no", "staff_no", "open", "status", "tier", "sort"):
            for value in VALUES:
                answer = api.get(f"/api/v1/{path}?{urlencode({name: value})}")
                assert answer.status_code in (200, 400), f"{path} {name}={value!r}: {answer.status_code}"
