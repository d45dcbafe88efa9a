"""The Assignment page: what a branch head sees and does there, with and without JavaScript."""

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localdate

from customers.models import Assignment, Customer, Load, RelationStatus, Tier
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

DIAMOND, PLATINUM, GOLD = Tier.DIAMOND, Tier.PLATINUM, Tier.GOLD
HTMX = {"HTTP_HX_REQUEST": "true"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch():
    return BranchFactory(name="滨江支行营业部")


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch, staff__name="江一帆").staff


@pytest.fixture
def page(client, head):
    client.force_login(head)
    with translation.override("en"):
        yield client


def url(name="assignment", *args):
    return reverse(f"customers:{name}", args=args)


def waiting(branch, tier=DIAMOND, **values):
    return CustomerFactory(branch=branch, service_tier=tier, **values)


def text(response):
    return response.content.decode()


def lines(*pairs):
    """Return the proposal form as posted: ticked lines of (customer, receiver)."""
    return (
        {"line": [customer.pk for customer, _to in pairs]}
        | {f"to-{customer.pk}": to.pk for customer, to in pairs}
        | {f"seen-{customer.pk}": f":{int(customer.load_class)}" for customer, _to in pairs}
    )


# --- What is seen -----------------------------------------------------------------------------


def test_the_page_shows_who_waits_with_the_need_in_words_and_what_is_proposed(page, branch, manager):
    waiting(branch, name="郑美玲", occupation="企业主", needs="经营贷款")
    waiting(branch, GOLD, name="汤佩玲", relation_status=RelationStatus.POTENTIAL)
    former = AssignmentFactory(customer=waiting(branch, PLATINUM, name="蒋文静"), staff=manager, end=localdate())

    response = page.get(url())

    rows = {row["customer"].name: row["need"] for row in response.context["board"].waiting}
    assert rows == {"郑美玲": "New · 企业主 · 经营贷款", "蒋文静": "Formerly with 江一帆", "汤佩玲": "Potential"}
    assert list(rows) == ["郑美玲", "蒋文静", "汤佩玲"]
    proposed = {row["customer"].name: (row["member"].name, row["reason"]) for row in response.context["board"].rows}
    assert proposed["郑美玲"] == ("江一帆", "The only one with room")
    assert proposed["蒋文静"] == ("江一帆", "Was the manager before, and has room")
    assert "All 3 get a manager, nobody passes a limit, the 0 present relations stay." in text(response)
    assert former.customer.name in text(response)


def test_a_member_shows_bars_by_tier_load_and_why_he_takes_no_more(page, branch, head):
    LoadFactory(staff__branch=branch, staff__name="莫婷婷", diamond=15, platinum=50)

    response = page.get(url())

    card = response.context["board"].cards[0]
    assert [(bar["label"], bar["count"], bar["limit"]) for bar in card["quotas"]] == [
        ("Diamond", 15, 30),
        ("Platinum", 50, 100),
        ("Gold", 0, 200),
        ("Potential", 0, None),
    ]
    assert card["load"] == 100
    assert 'data-full-gold="Over the load limit: 100.5%/100%"' in text(response)


def test_only_the_own_tree_is_seen(page, branch, manager):
    own, foreign = waiting(branch, name="郑美玲"), waiting(BranchFactory(), name="外行人")

    assert "郑美玲" in text(page.get(url()))
    assert "外行人" not in text(page.get(url()))
    assert page.get(url(), {"branch": foreign.branch_id}).status_code == 404
    assert page.get(url("assignment_pick", foreign.pk)).status_code == 404
    assert page.get(url("assignment_pick", own.pk)).status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [("美", ["郑美玲"]), ("zml", ["郑美玲"]), ("zhengm", ["郑美玲"]), ("ycz", ["叶承泽"]), ("x", [])],
)
def test_those_who_wait_are_found_by_characters_pinyin_and_initials(page, branch, query, found):
    waiting(branch, name="郑美玲", pinyin="zheng mei ling")
    waiting(branch, name="叶承泽", pinyin="ye cheng ze")

    response = page.get(url(), {"q": query})

    assert [row["customer"].name for row in response.context["board"].waiting] == found


def test_chips_keep_one_tier_and_amounts_sort(page, branch):
    small, large = waiting(branch, GOLD, aum=200_000), waiting(branch, GOLD, aum=300_000)
    diamond = waiting(branch, aum=250_000)

    by_tier = page.get(url(), {"tier": "gold"}).context["board"].waiting
    by_amount = page.get(url(), {"sort": "amount"}).context["board"].waiting

    assert [row["customer"] for row in by_tier] == [large, small]
    assert [row["customer"] for row in by_amount] == [large, diamond, small]


def test_the_number_of_queries_does_not_grow_with_those_who_wait(page, branch, django_assert_max_num_queries):
    def queries_with(number, managers):
        CustomerFactory.create_batch(number, branch=branch)
        for _each in range(managers):
            AssignmentFactory(customer=waiting(branch))
        page.get(url())
        with django_assert_max_num_queries(40) as captured:
            assert page.get(url()).status_code == 200
        return len(captured)

    assert queries_with(10, 2) == queries_with(60, 4)


# --- What is done -----------------------------------------------------------------------------


def test_a_drop_assigns_and_offers_undo_and_undo_takes_it_back(page, branch, manager):
    customer = waiting(branch, name="雷鸣远")

    response = page.post(url("assignment_assign_to", manager.pk), {"customer": customer.pk, "version": ":3"}, **HTMX)

    row = Assignment.objects.get()
    assert (row.customer, row.staff, row.source) == (customer, manager, "manual")
    assert "雷鸣远 assigned to 江一帆" in text(response)
    undo = url("assignment_undo", str(row.pk))
    assert f'hx-post="{undo}"' in text(response)

    response = page.post(undo, {"branch": branch.pk}, **HTMX)

    assert "1 assignment undone" in text(response)
    assert 'id="assignment" data-board data-target="#assignment" hx-swap-oob="true"' in text(response)
    assert Customer.objects.get(pk=customer.pk).manager is None


def test_a_refused_drop_says_why_and_changes_nothing(page, branch):
    full = LoadFactory(staff__branch=branch, diamond=30, capacity=1800).staff
    customer = waiting(branch, name="雷鸣远")

    response = page.post(url("assignment_assign_to", full.pk), {"customer": customer.pk}, **HTMX)

    assert response.status_code == 409
    assert "雷鸣远 not assigned: Over the quota: Diamond 30/30" in text(response)
    assert not Assignment.objects.exists()


def test_without_javascript_the_same_forms_work(page, branch, manager):
    customer = waiting(branch)

    response = page.post(
        url("assignment_assign"), {"customer": customer.pk, "to": manager.pk, "branch": branch.pk}, follow=True
    )

    assert response.redirect_chain == [(f"{url()}?branch={branch.pk}", 302)]
    assert f"{customer.name} assigned to 江一帆" in text(response)


def test_the_drawer_says_what_each_receiver_would_carry_or_why_not(page, branch, manager):
    LoadFactory(staff__branch=branch, staff__name="莫婷婷", diamond=15, platinum=50)
    customer = waiting(branch)

    response = page.get(url("assignment_pick", customer.pk), **HTMX)

    assert "0.0 → 3.3%" in text(response)
    assert "Over the load limit: 103.3%/100%" in text(response)
    assert "<html" not in text(response)
    assert "<html" in text(page.get(url("assignment_pick", customer.pk)))


def test_a_bulk_goes_to_one_receiver_as_a_whole_or_not_at_all(page, branch, manager):
    fit, too_many = [waiting(branch, PLATINUM) for _n in range(2)], waiting(branch, PLATINUM, name="方若琳")
    Load.objects.filter(pk=manager.pk).update(platinum_limit=2)

    refused = page.post(
        url("assignment_assign_many"), {"chosen": [one.pk for one in [*fit, too_many]], "to": manager.pk}, **HTMX
    )
    assert refused.status_code == 409
    assert "方若琳: Over the quota: Platinum 2/2" in text(refused)
    assert not Assignment.objects.exists()

    done = page.post(url("assignment_assign_many"), {"chosen": [one.pk for one in fit], "to": manager.pk}, **HTMX)
    assert "2 customers assigned" in text(done)
    assert Load.objects.get(pk=manager.pk).platinum == 2


def test_a_changed_receiver_shows_at_once_in_the_loads(page, branch, manager):
    other = LoadFactory(staff__branch=branch, staff__name="冯嘉树").staff
    customer = waiting(branch)

    response = page.post(url("assignment_propose"), lines((customer, other)) | {"branch": branch.pk}, **HTMX)

    cards = {card["member"].name: card["after"] for card in response.context["board"].cards}
    assert (cards["江一帆"], f"{cards['冯嘉树']:.1f}") == (0, "3.3")
    assert "1 changed by you" in text(response)
    assert not Assignment.objects.exists()


def test_applying_saves_the_ticked_lines_only(page, branch, manager):
    ticked, unticked = waiting(branch), waiting(branch)
    data = lines((ticked, manager), (unticked, manager)) | {"line": [ticked.pk], "branch": branch.pk}

    response = page.post(url("assignment_apply"), data, **HTMX)

    assert "1 customer assigned" in text(response)
    assert [(row.customer, row.source) for row in Assignment.objects.all()] == [(ticked, "auto")]


def test_applying_names_what_changed_since_and_saves_nothing(page, branch, manager):
    taken = waiting(branch, name="叶承泽")
    other, risen = waiting(branch), waiting(branch, PLATINUM, name="方若琳")
    data = lines((taken, manager), (other, manager), (risen, manager)) | {"branch": branch.pk}
    AssignmentFactory(customer=taken, staff=LoadFactory(staff__branch=branch, staff__name="冯嘉树").staff)
    Customer.objects.filter(pk=risen.pk).update(service_tier=DIAMOND)

    response = page.post(url("assignment_apply"), data, **HTMX)

    assert response.status_code == 409
    assert "叶承泽: 冯嘉树 looks after this customer now." in text(response)
    assert "方若琳: This customer counts as Diamond now." in text(response)
    assert Assignment.objects.get().customer == taken


def test_who_is_in_charge_is_listed_and_a_relation_can_end(page, branch, manager):
    row = AssignmentFactory(customer=waiting(branch, name="郑美玲"), staff=manager)
    AssignmentFactory(customer__name="外行人")

    listed = page.get(url(), {"tab": "charge"})
    assert "郑美玲" in text(listed) and "外行人" not in text(listed)

    response = page.post(
        url("assignment_end", row.customer_id), {"tab": "charge", "reason": "客户要求", "branch": branch.pk}, **HTMX
    )
    assert "郑美玲 waits for a manager again" in text(response)
    assert Customer.objects.get(pk=row.customer_id).manager is None


# --- Who may ------------------------------------------------------------------------------------


def test_a_manager_may_not_assign(client, branch, manager):
    client.force_login(manager)
    customer = waiting(branch)

    assert client.get(url()).status_code == 403
    assert client.post(url("assignment_assign"), {"customer": customer.pk, "to": manager.pk}).status_code == 403
    assert client.post(url("assignment_apply"), lines((customer, manager))).status_code == 403
    assert client.post(url("assignment_undo", "1")).status_code == 403


def test_customers_and_members_of_another_branch_are_not_found(page, branch, manager):
    own, foreign = waiting(branch), waiting(BranchFactory())
    stranger = LoadFactory(staff__branch=foreign.branch).staff

    for data in ({"customer": foreign.pk, "to": manager.pk}, {"customer": own.pk, "to": stranger.pk}):
        assert page.post(url("assignment_assign"), data).status_code == 404
    assert (
        page.post(url("assignment_assign_many"), {"chosen": [own.pk, foreign.pk], "to": manager.pk}).status_code == 404
    )
    assert page.post(url("assignment_apply"), lines((foreign, manager))).status_code == 404
    assert page.post(url("assignment_apply"), lines((own, stranger))).status_code == 404
    assert page.post(url("assignment_end", foreign.pk)).status_code == 404
    elsewhere = AssignmentFactory(customer=foreign, staff=stranger, start=localdate())
    assert page.post(url("assignment_undo", str(elsewhere.pk))).status_code == 404
    assert Assignment.objects.open().count() == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("assignment_assign", {"customer": "x", "to": "1"}),
        ("assignment_assign", {}),
        ("assignment_assign_many", {"chosen": ["1;drop"], "to": "1"}),
        ("assignment_apply", {"line": ["abc"]}),
        ("assignment_propose", {"to-1": "x"}),
    ],
)
def test_bad_ids_are_bad_requests(page, branch, name, data):
    assert page.post(url(name), data).status_code == 400


def test_the_page_is_whole_in_chinese_too(client, branch, head, manager):
    head.language = "zh-hans"
    head.save(update_fields=["language"])
    client.force_login(head)
    waiting(branch)

    assert client.get(url()).status_code == 200


def test_the_outcome_speaks_of_all_who_wait_though_not_all_are_shown(page, branch, manager):
    Load.objects.filter(pk=manager.pk).update(capacity=420)
    CustomerFactory.create_batch(75, branch=branch, service_tier=PLATINUM)

    response = page.get(url())

    board = response.context["board"]
    assert (len(board.waiting), len(board.rows), board.later, len(board.left), board.left_over) == (60, 60, 10, 5, 5)
    assert "70 get a manager, 5 are left over." in text(response)
    assert "5 customers do not fit; about 0.05 managers are missing." in text(response)
    assert "15 more wait; search finds everyone." in text(response)


def test_loads_are_recomputed_without_javascript_too(page, branch, manager):
    other = LoadFactory(staff__branch=branch, staff__name="冯嘉树").staff
    customer = waiting(branch)
    data = lines((customer, other)) | {f"was-{customer.pk}": manager.pk, "again": "1", "branch": branch.pk}

    response = page.post(url("assignment_apply"), data)

    assert "Changed by you" in text(response)
    assert "<html" in text(response)
    assert not Assignment.objects.exists()


def test_why_not_this_manager_is_answered_with_what_it_would_cost(page, branch, manager):
    """One more of the same is free; a fuller member makes loads less even; a full one leaves the customer without a manager."""
    same = LoadFactory(staff__branch=branch).staff
    fuller = LoadFactory(staff__branch=branch, platinum=60).staff
    full = LoadFactory(staff__branch=branch, diamond=30).staff
    customer = waiting(branch)
    customer.service_tier = 3
    customer.save(update_fields=["service_tier"])

    def asked(member):
        return text(page.get(url("assignment_why_not", customer.pk, member.pk), **HTMX))

    assert "Costs nothing" in asked(same)
    assert "points" in asked(fuller)
    assert "No room" in asked(full)


def test_a_locked_relation_is_not_moved_and_says_so(client, branch, page):
    """A held gold customer could make way for a diamond; locked, he stays and the diamond is left over."""
    full = LoadFactory(staff__branch=branch, capacity=60, staff__capacity_factor="0.10").staff
    LoadFactory(staff__branch=branch, diamond_limit=0)
    held = [AssignmentFactory(customer__branch=branch, staff=full, customer__service_tier=3) for _each in range(2)]
    gold = AssignmentFactory(customer__branch=branch, staff=full)
    waiting = CustomerFactory(branch=branch, service_tier=3)
    assert len(held) == 2

    moving = client.get(reverse("customers:assignment"), {"moving": "1"}).content.decode()
    assert f'name="to-{gold.customer_id}"' in moving and f'name="to-{waiting.pk}"' in moving

    client.post(reverse("customers:assignment_lock", args=[gold.customer_id]), {"locked": "1"})
    gold.refresh_from_db()
    assert gold.locked
    locked = client.get(reverse("customers:assignment"), {"moving": "1"}).content.decode()
    assert f'name="to-{gold.customer_id}"' not in locked
    client.post(reverse("customers:assignment_lock", args=[gold.customer_id]), {"locked": "0"})
    gold.refresh_from_db()
    assert not gold.locked


def test_a_moved_relation_is_applied_with_the_one_it_makes_room_for(client, branch, page):
    full = LoadFactory(staff__branch=branch, capacity=60, staff__capacity_factor="0.10").staff
    other = LoadFactory(staff__branch=branch, diamond_limit=0).staff
    for _each in range(2):
        AssignmentFactory(customer__branch=branch, staff=full, customer__service_tier=3)
    gold = AssignmentFactory(customer__branch=branch, staff=full).customer
    diamond = CustomerFactory(branch=branch, service_tier=3)

    form = {
        "moving": "1", "line": [gold.pk, diamond.pk], f"to-{gold.pk}": other.pk, f"to-{diamond.pk}": full.pk,
        f"seen-{gold.pk}": f"{full.pk}:1", f"seen-{diamond.pk}": ":3",
    }  # fmt: skip
    client.post(reverse("customers:assignment_apply"), form)

    assert Customer.objects.get(pk=gold.pk).manager == other and Customer.objects.get(pk=diamond.pk).manager == full
