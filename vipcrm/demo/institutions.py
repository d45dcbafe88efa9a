"""The demo bank's offices and the people who work in them."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password

from customers.load import refresh_limits
from customers.names import pinyin_of
from staff.models import Branch, Qualification, Staff
from staff.roles import Role
from vipcrm.demo.lives import SKILLS, STREETS
from vipcrm.demo.names import Names

PASSWORD = "demo-vip-2026"  # noqa: S105 (the demo's published password)
CUSTOMERS_PER_OUTLET = 1000
FIRST_SHARE = 0.28
"""Share of the first outlet among the first four: it has the most managers."""

SIGN_INS = {
    "head": "周启明", "manager": "林晓雯", "manager2": "冯嘉树", "adviser": "许静怡", "lobby": "何佳音", "teller": "蒙雨欣",
    "president": "黄国栋", "office": "唐静仪", "auditor": "郑海波", "sysadmin": "罗志鹏",
}  # fmt: skip
"""Employee numbers that people of the demo sign in with, and who they are."""

OUTLETS = (
    ("BJ01", "滨江支行", "滨江区", "江北大道 88 号"),
    ("BJ02", "石桥支行", "滨江区", "石桥路 16 号"),
    ("QH01", "学府路支行", "青湖区", "学府路 203 号"),
    ("QH02", "云岭支行", "云岭区", "云岭路 51 号"),
)
SUB_BRANCHES = (("BJ00", "江北中心支行"), ("QH00", "青湖中心支行"))


@dataclass
class Outlet:
    """An outlet with its district, its people and how many customers it serves."""

    branch: Branch
    district: str
    customers: int
    staff: list


@dataclass(frozen=True)
class Post:
    """One post to fill; without a name, one is drawn."""

    role: str
    staff_no: str = ""
    name: str = ""
    skills: str = ""
    factor: str = "1.00"


OFFICE = (
    Post(Role.RETAIL_ADMIN, "office", SIGN_INS["office"]),
    Post(Role.AUDITOR, "auditor", SIGN_INS["auditor"]),
    Post(Role.SYS_ADMIN, "sysadmin", SIGN_INS["sysadmin"]),
    Post(Role.TRAINER, "", "农慧敏"),
    Post(Role.OUTREACH_MARKETER, "", "覃文涛"),
    Post(Role.PRODUCT_SPECIALIST, "", "龙俊杰", "个人贷款 信用卡"),
)
FIRST_OUTLET = (
    Post(Role.BRANCH_HEAD, "head", SIGN_INS["head"]),
    Post(Role.RELATIONSHIP_MANAGER, "manager", SIGN_INS["manager"], SKILLS[2]),
    Post(Role.WEALTH_MANAGER, "manager2", SIGN_INS["manager2"], SKILLS[1]),
    Post(Role.RELATIONSHIP_MANAGER, "", "江一帆", SKILLS[0]),
    Post(Role.WEALTH_MANAGER, "", "莫婷婷", SKILLS[3]),
    Post(Role.RELATIONSHIP_MANAGER, "", "韩子墨", SKILLS[4], "0.70"),
    Post(Role.LOBBY_MANAGER, "lobby", SIGN_INS["lobby"]),
    Post(Role.TELLER, "teller", SIGN_INS["teller"]),
    Post(Role.WEALTH_ADVISER, "adviser", SIGN_INS["adviser"], "家族信托 资产配置"),
    Post(Role.FINANCIAL_ADVISER, "", "顾承宇", "养老规划 基金定投"),
)
LICENSED = {
    Role.BRANCH_HEAD: ("wealth", "fund", "insurance", "gold", "private", "afp"),
    Role.RELATIONSHIP_MANAGER: ("wealth", "fund", "insurance", "gold", "afp"),
    Role.WEALTH_MANAGER: ("wealth", "fund", "gold", "private", "afp", "cfp"),
    Role.WEALTH_ADVISER: ("wealth", "fund", "insurance", "private", "cfp"),
    Role.FINANCIAL_ADVISER: ("wealth", "fund", "insurance", "afp"),
    Role.LOBBY_MANAGER: ("wealth",),
}
"""What people of each post are licensed to sell; newcomers have their first qualification only."""

SMALL_OUTLETS = (
    (Post(Role.BRANCH_HEAD), Post(Role.RELATIONSHIP_MANAGER, skills=SKILLS[0]),
     Post(Role.WEALTH_MANAGER, skills=SKILLS[5]), Post(Role.LOBBY_MANAGER)),
    (Post(Role.BRANCH_HEAD), Post(Role.RELATIONSHIP_MANAGER, skills=SKILLS[4]),
     Post(Role.WEALTH_MANAGER, skills=SKILLS[2]), Post(Role.TELLER)),
    (Post(Role.BRANCH_HEAD), Post(Role.RELATIONSHIP_MANAGER, skills=SKILLS[6]),
     Post(Role.WEALTH_MANAGER, skills=SKILLS[7]), Post(Role.LOBBY_MANAGER)),
)  # fmt: skip
LARGE_OUTLET = (
    Post(Role.BRANCH_HEAD),
    *(Post(Role.RELATIONSHIP_MANAGER, skills=SKILLS[number]) for number in (0, 4, 2)),
    *(Post(Role.WEALTH_MANAGER, skills=SKILLS[number]) for number in (1, 5)),
    Post(Role.LOBBY_MANAGER),
    Post(Role.TELLER),
    Post(Role.WEALTH_ADVISER),
    Post(Role.FINANCIAL_ADVISER),
)


def outlet_sizes(customers: int) -> list[int]:
    """Return how many customers each outlet serves: four outlets at least, about a thousand in each."""
    count = max(4, round(customers / CUSTOMERS_PER_OUTLET))
    first_four = customers * 4 // count
    first = round(first_four * FIRST_SHARE)
    rest = customers - first
    return [first] + [rest // (count - 1) + (number < rest % (count - 1)) for number in range(count - 1)]


class Institutions:
    """Writes offices and staff; again with the same numbers, it only brings them up to date."""

    def __init__(self, rng, names: Names, *, today: date):
        self.rng, self.names, self.today = rng, names, today
        self.password = make_password(PASSWORD)
        self.next_number = 3101
        self.written = []
        self.branches = 0

    def write(self, customers: int) -> list[Outlet]:
        """Write the whole tree for a bank of so many customers and return its outlets."""
        office = self.office("LJ00", "澜江银行", Branch.Level.HEAD_OFFICE, None, "滨江区民族大道 1 号")
        self.root = office
        for post in OFFICE:
            self.fill(post, office)
        sizes = outlet_sizes(customers)
        sub_branches = [
            self.sub_branch(office, number) for number in range(max(len(SUB_BRANCHES), -(-len(sizes) // 20)))
        ]
        outlets = [self.outlet(sub_branches, number, size, len(sizes)) for number, size in enumerate(sizes)]
        refresh_limits([member.pk for outlet in outlets for member in outlet.staff])
        Staff.objects.exclude(pk__in=[member.pk for member in self.written]).filter(
            branch__path__startswith=office.path
        ).update(is_active=False)
        return outlets

    def office(self, code, name, level, parent, address) -> Branch:
        branch, _created = Branch.objects.update_or_create(
            code=code,
            defaults={"name": name, "level": level, "parent": parent, "address": f"澜江市{address}", "active": True},
        )
        self.branches += 1
        return branch

    def sub_branch(self, office: Branch, number: int) -> Branch:
        code, name = SUB_BRANCHES[number] if number < 2 else (f"ZX{number:02d}", f"第{number + 1}中心支行")
        branch = self.office(code, name, Branch.Level.SUB_BRANCH, office, "")
        first = Post(Role.SUB_BRANCH_PRESIDENT, "president", SIGN_INS["president"])
        self.fill(first if number == 0 else Post(Role.SUB_BRANCH_PRESIDENT), branch)
        return branch

    def outlet(self, sub_branches, number: int, size: int, count: int) -> Outlet:
        if number < len(OUTLETS):
            code, name, district, address = OUTLETS[number]
            above = sub_branches[number // 2]
            posts = FIRST_OUTLET if number == 0 else SMALL_OUTLETS[number - 1]
        else:
            district = list(STREETS)[number % len(STREETS)]
            roads = STREETS[district][1].split()
            road = roads[number // len(STREETS) % len(roads)]
            turn = number // (len(STREETS) * len(roads))
            code, name = f"WD{number:04d}", f"{road}{f'第{turn + 1}' if turn else ''}网点"
            address, above = f"{road} {number % 180 + 1} 号", sub_branches[number * len(sub_branches) // count]
            posts = LARGE_OUTLET
        branch = self.office(code, name, Branch.Level.OUTLET, above, f"{district}{address}")
        staff = [self.fill(post, branch) for post in posts]
        newcomers = [member for member in staff if member.capacity_factor < 1]
        for member in newcomers:
            member.mentor = staff[1]
            member.save(update_fields=["mentor"])
        return Outlet(branch, district, size, staff)

    def fill(self, post: Post, branch: Branch) -> Staff:
        number = post.staff_no
        if not number:
            number, self.next_number = f"{self.next_number:05d}", self.next_number + int(self.rng.integers(1, 4))
        name = post.name or str(
            self.names.draw(self.rng, self.rng.random(1) < 0.55, self.rng.integers(1972, 1996, 1))[0]
        )
        months = int(self.rng.integers(4, 10)) if Decimal(post.factor) < 1 else int(self.rng.integers(20, 160))
        member, _created = Staff.objects.update_or_create(
            staff_no=number,
            defaults={
                "name": name,
                "role": post.role,
                "branch": branch,
                "mobile": f"139{self.rng.integers(10**7, 10**8)}",
                "email": f"{pinyin_of(name).replace(' ', '')}.{number}@lanjiang-bank.example",
                "post_since": self.today - timedelta(days=30 * months),
                "capacity_factor": Decimal(post.factor),
                "skills": post.skills,
                "is_active": True,
                "password": self.password,
            },
        )
        self.written.append(member)
        self.license(member)
        return member

    def license(self, member: Staff) -> None:
        """Write the qualifications of a member of staff; some of them end within the year."""
        kinds = LICENSED.get(member.role, ())
        for place, kind in enumerate(kinds if member.capacity_factor >= 1 else kinds[:1]):
            since = self.today - timedelta(days=200 + 37 * place)
            Qualification.objects.update_or_create(
                staff=member, kind=kind, withdrawn_on=None,
                defaults={
                    "number": f"LJ{since.year}{member.staff_no[-5:].upper():0>5}{place + 1}",
                    "valid_from": since,
                    "valid_until": since + timedelta(days=365 * (1 if place == 2 else 3)),
                },
            )  # fmt: skip
