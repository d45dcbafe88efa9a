"""The Czech bank's own tree of branches, two people a region who can sign in, and its thresholds."""

from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from customers.load import refresh_limits
from customers.models import Customer, Tier, TierRule
from staff.models import Branch, Staff
from staff.roles import Role
from vipcrm.replay.berka import PREFIX, Bank, branch_code

NAME = "Česká banka (PKDD'99)"


def region_code(number: int) -> str:
    return f"{PREFIX}-R{number}"


def write_branches(bank: Bank) -> tuple[Branch, list[Branch]]:
    """Write the root, a sub-branch for each region, an outlet for each district; return root and regions."""
    root = _branch(PREFIX, NAME, Branch.Level.HEAD_OFFICE, None)
    regions = {}
    for number, region in enumerate(sorted(bank.districts["region"].unique()), 1):
        regions[region] = _branch(region_code(number), region, Branch.Level.SUB_BRANCH, root)
    for district in bank.districts.itertuples():
        _branch(branch_code(district.district_id), district.name, Branch.Level.OUTLET, regions[district.region])
    return root, list(regions.values())


def _branch(code: str, name: str, level: str, parent: Branch | None) -> Branch:
    branch, _created = Branch.objects.update_or_create(
        code=code, defaults={"name": name, "level": level, "parent": parent, "active": True}
    )
    return branch


def write_staff(regions: list[Branch], *, password: str) -> list[tuple[Staff, Staff]]:
    """Write a head and a manager for each region; the manager works in its largest outlet. Again changes nothing."""
    pairs, secret = [], make_password(password)
    for region in regions:
        outlets = Branch.objects.under(region.pk).outlets()
        largest = max(outlets, key=lambda outlet: Customer.objects.filter(branch=outlet).count())
        word = region.code.lower()
        head = _member(f"{word}-head", f"{region.name} head", Role.BRANCH_HEAD, region, secret)
        manager = _member(f"{word}-manager", f"{region.name} manager", Role.RELATIONSHIP_MANAGER, largest, secret)
        pairs.append((head, manager))
    refresh_limits([member.pk for pair in pairs for member in pair])
    return pairs


def _member(staff_no: str, name: str, role: str, branch: Branch, secret: str) -> Staff:
    """Return the member, made if need be with this password; who is there keeps his own."""
    member, _created = Staff.objects.get_or_create(
        staff_no=staff_no,
        defaults={
            "name": name,
            "role": role,
            "branch": branch,
            "email": f"{staff_no}@czech-bank.example",
            "language": Staff.Language.ENGLISH,
            "password": secret,
        },
    )
    return member


def write_tier_rules(floors: dict[str, Decimal], *, first: date, through: date) -> None:
    """Set the bank's floors from its first day; a bank that was here before gets its own back the day after."""
    others = Customer.objects.exclude(branch__code__startswith=f"{PREFIX}-").exists()
    before = {rule.tier: rule.floor for rule in TierRule.objects.in_force(first - timedelta(days=1))}
    for code, floor in floors.items():
        tier = Tier.from_code(code)
        TierRule.objects.update_or_create(tier=tier, effective_from=first, defaults={"floor": floor})
        if others and tier in before:
            TierRule.objects.update_or_create(
                tier=tier, effective_from=through + timedelta(days=1), defaults={"floor": before[tier]}
            )
