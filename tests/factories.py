"""The smallest valid objects; a test names only the values that it is about."""

import importlib
from datetime import date
from decimal import Decimal

import factory
from django.apps import apps
from factory.django import DjangoModelFactory

from contacts.models import ContactLog, ContactTask, Opportunity
from customers.models import (
    Assignment,
    Customer,
    DailyAsset,
    Holding,
    Load,
    MonthlyAsset,
    Product,
    QuotaRule,
    RelationStatus,
    Tier,
)
from staff.models import Branch, Job, Qualification, Staff
from staff.roles import Role

PASSWORD = "correct-horse-battery"
LONG_AGO = date(2020, 1, 1)


def sign_in(client, staff) -> None:
    """Let a test client act as a member of staff, as the sign-in page would."""
    client.force_login(staff, backend="staff.sign_in.StaffBackend")


class HeadOfficeFactory(DjangoModelFactory):
    class Meta:
        model = Branch
        django_get_or_create = ("code",)

    code = "HO"
    name = "总行"
    level = Branch.Level.HEAD_OFFICE


class BranchFactory(DjangoModelFactory):
    """An outlet under head office."""

    class Meta:
        model = Branch

    code = factory.Sequence(lambda n: f"B{n:04}")
    name = factory.Sequence(lambda n: f"第{n}网点")
    level = Branch.Level.OUTLET
    parent = factory.SubFactory(HeadOfficeFactory)


class StaffFactory(DjangoModelFactory):
    """A relationship manager of an outlet."""

    class Meta:
        model = Staff
        skip_postgeneration_save = True

    staff_no = factory.Sequence(lambda n: f"{n:05}")
    name = factory.Sequence(lambda n: f"员工{n}")
    role = Role.RELATIONSHIP_MANAGER
    branch = factory.SubFactory(BranchFactory)
    email = factory.LazyAttribute(lambda staff: f"{staff.staff_no}@bank.example")

    @factory.post_generation
    def password(self, create, extracted, **kwargs):
        if extracted:
            self.set_password(extracted)
            self.save(update_fields=["password"])


class QualificationFactory(DjangoModelFactory):
    """A qualification that holds for good."""

    class Meta:
        model = Qualification

    staff = factory.SubFactory(StaffFactory)
    kind = "wealth"
    number = factory.Sequence(lambda n: f"Q{n:05}")
    valid_from = LONG_AGO


class LoadFactory(DjangoModelFactory):
    """The load of a relationship manager with the usual quotas, empty."""

    class Meta:
        model = Load

    staff = factory.SubFactory(StaffFactory)
    potential_limit = None
    gold_limit = 200
    platinum_limit = 100
    diamond_limit = 30
    potential_weight = 3
    gold_weight = 3
    platinum_weight = 6
    diamond_weight = 20
    capacity = 600
    full_capacity = 600


class CustomerFactory(DjangoModelFactory):
    """A signed gold customer without a manager."""

    class Meta:
        model = Customer

    customer_no = factory.Sequence(lambda n: f"C{n:08}")
    name = factory.Sequence(lambda n: f"客户{n}")
    pinyin = factory.Sequence(lambda n: f"ke hu {n}")
    branch = factory.SubFactory(BranchFactory)
    relation_status = RelationStatus.SIGNED
    signed_on = LONG_AGO
    opened_on = LONG_AGO
    service_tier = Tier.GOLD
    asset_tier = Tier.GOLD
    aum = Decimal(200_000)
    month_avg = Decimal(200_000)
    year_avg = Decimal(200_000)


class AssignmentFactory(DjangoModelFactory):
    """An open primary assignment within one outlet; the manager's load row is made if missing."""

    class Meta:
        model = Assignment

    customer = factory.SubFactory(CustomerFactory)
    staff = factory.LazyAttribute(lambda row: LoadFactory(staff__branch=row.customer.branch).staff)
    start = LONG_AGO

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        if not Load.objects.filter(staff=kwargs["staff"]).exists():
            LoadFactory(staff=kwargs["staff"])
        assignment = super()._create(model_class, *args, **kwargs)
        assignment.customer.refresh_from_db()  # the database set its manager
        return assignment


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product

    code = factory.Sequence(lambda n: f"P{n:03}")
    name = factory.Sequence(lambda n: f"产品{n}")
    category = Product.Category.DEPOSIT
    ladder_rank = 2
    risk_level = 1


class HoldingFactory(DjangoModelFactory):
    class Meta:
        model = Holding

    external_id = factory.Sequence(lambda n: f"H{n:06}")
    customer = factory.SubFactory(CustomerFactory)
    product = factory.SubFactory(ProductFactory)
    amount = Decimal(100_000)
    opened_on = LONG_AGO


def daily_assets(customer, days: dict) -> None:
    """Write a customer's balances: {day: yuan of demand deposits}."""
    from customers.assets import ensure_partitions

    ensure_partitions(min(days), max(days))
    DailyAsset.objects.bulk_create(
        DailyAsset(customer=customer, data_date=day, demand=amount) for day, amount in days.items()
    )


def monthly_asset(customer, month: date, month_avg, **values) -> MonthlyAsset:
    """Write one month of a customer, every figure the average unless given."""
    from customers.assets import ensure_partitions

    ensure_partitions(month, month)
    figures = dict.fromkeys(["year_avg", "month_end", "last7_avg", "lowest", "highest"], month_avg)
    return MonthlyAsset.objects.create(
        customer=customer,
        month=month,
        **{
            "days": 30,
            "balances": month_avg * 30,
            "month_avg": month_avg,
            "inflow": 0,
            "outflow": 0,
            "demand": month_avg,
        }
        | figures
        | values,
    )


class ContactLogFactory(DjangoModelFactory):
    """A phone call that was answered, entered the same day."""

    class Meta:
        model = ContactLog

    customer = factory.SubFactory(CustomerFactory)
    staff = factory.SubFactory(StaffFactory)
    channel = ContactLog.Channel.PHONE
    result = ContactLog.Result.CONNECTED
    on = date(2026, 11, 10)
    entered_on = factory.SelfAttribute("on")
    at = factory.LazyAttribute(lambda row: _noon(row.on))
    summary = "问了存单利率"


class OpportunityFactory(DjangoModelFactory):
    class Meta:
        model = Opportunity

    customer = factory.SubFactory(CustomerFactory)
    owner = factory.SubFactory(StaffFactory)
    kind = Opportunity.Kind.RETENTION
    title = "存单到期续存"
    stage_since = date(2026, 11, 1)
    last_touched_on = date(2026, 11, 1)


class ContactTaskFactory(DjangoModelFactory):
    class Meta:
        model = ContactTask

    key = factory.Sequence(lambda n: f"task:{n}")
    customer = factory.SubFactory(CustomerFactory)
    source = ContactTask.Source.REGIME
    reason = "regime_behind"
    opened_on = date(2026, 11, 1)
    due_on = date(2026, 11, 30)


def _noon(day: date):
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


def put_back_rules() -> None:
    """Write the rules a bank begins with, where a test with real transactions emptied the tables."""
    if not QuotaRule.objects.exists():
        for name in (
            "customers.migrations.0004_default_rules",
            "contacts.migrations.0003_default_frequency_rules",
            "contacts.migrations.0010_default_messages",
        ):
            importlib.import_module(name).add(apps, None)


class JobFactory(DjangoModelFactory):
    """A job that waits; its kind is one that tests register (`tests/staff/test_jobs.py`)."""

    class Meta:
        model = Job

    kind = "tests.count"
    title = "数一数"
    asked_by = factory.SubFactory(StaffFactory)
    total = 10
