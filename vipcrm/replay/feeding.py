"""Feed a real bank day by day through the API, run its nights, train on it: one function a step."""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
from django.db.models import F

from customers import assignment
from customers.models import Customer, RelationStatus, Tier
from staff.models import Branch, NightRun, NightStep, Staff
from staff.refusal import Refused
from vipcrm import night
from vipcrm.replay.berka import PREFIX, Bank, balance_row, branch_code, customer_row
from vipcrm.replay.core_bank import CoreBank

BATCH_ROWS = 9_000
PAST_STEPS = {"assets", "averages", "rating"}
"""What the nights of the past consist of; regime, scores, alerts, tasks and mails belong to the last one alone."""

FIRST_STEPS = {"assets", "averages", "rating"}
"""What of the last night comes before the model is trained; the rest follows when it is."""

PORTFOLIO = 60
"""Customers given to each region's manager, those with the most money."""


@dataclass
class Fed:
    """What was sent."""

    accounts: int = 0
    days: set = field(default_factory=set)
    rows: int = 0
    nights: int = 0


def send_customers(core: CoreBank, bank: Bank, accounts: set, *, as_of: date) -> int:
    """Send the accounts as customers of their districts' outlets."""
    rows = [customer_row(account) for account in bank.accounts.itertuples() if account.account_id in accounts]
    for start in range(0, len(rows), BATCH_ROWS):
        core.send("customers", as_of=as_of, rows=rows[start : start + BATCH_ROWS])
    return len(rows)


def batches_of(balances: pd.DataFrame) -> Iterator[tuple[date, list[dict]]]:
    """Cut (account_id, date, demand, loan) rows into batches of whole days within one month, oldest first."""
    rows, month = [], None
    for day, of_day in balances.groupby("date", sort=True):
        if rows and (month != (day.year, day.month) or len(rows) + len(of_day) > BATCH_ROWS):
            yield date.fromisoformat(rows[-1]["data_date"]), rows
            rows = []
        month = (day.year, day.month)
        rows += [balance_row(row) for row in of_day.itertuples()]
    if rows:
        yield date.fromisoformat(rows[-1]["data_date"]), rows


def feed_days(core: CoreBank, bank: Bank, balances: pd.DataFrame, *, through: date, track: Callable = iter) -> Fed:
    """Send the balances day by day; after each month's last day its night runs and new cards are reported."""
    fed = Fed(accounts=balances["account_id"].nunique())
    for as_of, rows in track(list(batches_of(balances))):
        core.send("assets", as_of=as_of, rows=rows)
        fed.days.update(row["data_date"] for row in rows)
        fed.rows += len(rows)
        if as_of.day == monthrange(as_of.year, as_of.month)[1] and as_of < through:
            run_night(on=as_of, outlets=outlets_fed(bank, balances, on=as_of), steps=PAST_STEPS)
            report_cards(core, bank, on=as_of + timedelta(days=1))
            fed.nights += 1
    return fed


def outlets_fed(bank: Bank, balances: pd.DataFrame, *, on: date) -> list[str]:
    """Return the codes of the outlets that have balances of a day."""
    accounts = balances.loc[balances["date"] == pd.Timestamp(on), "account_id"]
    districts = bank.accounts.loc[bank.accounts["account_id"].isin(accounts), "district_id"].unique()
    return [branch_code(district) for district in sorted(districts)]


def run_night(*, on: date, outlets, steps: set | None = None) -> NightRun:
    """Run the night of a past day for these outlets (codes) and these steps; what is done stays done."""
    run, _created = NightRun.objects.get_or_create(business_date=on)
    NightStep.objects.bulk_create(
        (
            NightStep(run=run, branch=outlet, step=step.code, position=position)
            for outlet in Branch.objects.filter(code__in=list(outlets)).order_by("pk")
            for position, step in enumerate(night.STEPS)
            if step.due(on) and (steps is None or step.code in steps)
        ),
        ignore_conflicts=True,
    )
    night.retry(on=on)
    return night.work(on=on)


def report_cards(core: CoreBank, bank: Bank, *, on: date) -> int:
    """Let the core report a signed card for whoever's money reached a tier: this bank had no tier cards of its own."""
    risen = Customer.objects.filter(customer_no__startswith=f"{PREFIX}-", service_tier__lt=F("asset_tier")).values_list(
        "customer_no", "asset_tier"
    )
    tiers = {int(number.removeprefix(f"{PREFIX}-")): Tier(tier).code for number, tier in risen}
    rows = [
        customer_row(account, sequence=on.toordinal())
        | {"service_tier": tiers[account.account_id], "signed_on": max(on, account.date.date()).isoformat()}
        for account in bank.accounts.itertuples()
        if account.account_id in tiers
    ]
    if rows:
        core.send("customers", as_of=on, rows=rows)
    return len(rows)


def give_portfolios(pairs: list[tuple[Staff, Staff]], *, on: date) -> int:
    """Let each region's head give the wealthiest signed customers to the region's manager, as far as there is room."""
    given = 0
    for head, manager in pairs:
        signed = Customer.objects.filter(
            branch__in=Branch.objects.under(head.branch_id), relation_status=RelationStatus.SIGNED, manager=None
        ).order_by("-aum", "pk")
        room = PORTFOLIO - manager.managed_customers.count()
        for customer in signed[: max(room, 0)]:
            try:
                assignment.assign(customer=customer, to=manager, by=head, on=on, reason="replay")
                given += 1
            except Refused:
                break
    return given


def settle(*, through: date, outlets) -> NightRun:
    """Run the whole night of the last day, with scores, alerts, tasks and mails."""
    run = run_night(on=through, outlets=outlets)
    if run.status != NightRun.Status.DONE:
        failed = run.steps.exclude(status=NightStep.Status.DONE).values_list("step", "branch__code", "error")[:5]
        raise Refused(f"The night of {through} is not complete: {list(failed)}")
    return run
