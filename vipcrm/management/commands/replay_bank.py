"""`manage.py replay_bank FOLDER`: let the real Czech bank live through its days on the running product."""

import secrets
import time
from contextlib import nullcontext
from datetime import date
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import training
from churn.models import ChurnAlert, ChurnModelVersion
from churn.tables import figures_table
from customers.models import Customer
from staff.clients import create_client
from staff.refusal import Refused
from vipcrm.demo.institutions import PASSWORD
from vipcrm.replay import berka, feeding, offices, server
from vipcrm.replay.core_bank import CallFailed, CoreBank

SCOPES = ["customers:write", "assets:write"]


class Command(BaseCommand):
    help = "Feed the real Czech bank of PKDD'99 through the REST API day by day, run its nights, train on it."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="the folder with account.csv, transactions.csv.xz, …")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(1993, 1, 1))
        parser.add_argument("--through", type=date.fromisoformat, default=date(1997, 12, 31))
        parser.add_argument("--url", default="", help="a running server; without it the command serves itself")
        parser.add_argument(
            "--staff", choices=["regions", "none"], default="regions", help="a head and a manager a region"
        )

    def handle(self, *, folder, first, through, url, staff, **options):
        if first > through:
            raise CommandError("--from lies after --through.")
        began = time.perf_counter()
        try:
            bank = berka.read_bank(folder)
            with nullcontext(url) if url else server.serving() as address:
                self.replay(bank, address, first=first, through=through, staffed=staff == "regions")
        except (berka.FilesMissing, CallFailed, Refused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{time.perf_counter() - began:.0f} seconds.")

    def replay(self, bank, url, *, first, through, staffed):
        balances = berka.with_loans(berka.daily_balances(bank.transactions, first=first, through=through), bank.loans)
        if balances.empty:
            raise CommandError(f"Nothing is known of the days from {first} to {through}.")
        last = balances["date"].max().date()
        floors = berka.tier_floors(berka.month_averages(balances))
        root, regions = offices.write_branches(bank)
        offices.write_tier_rules(floors, first=first, through=through)
        secret = secrets.token_urlsafe(24)
        create_client(name="Replay", branch=root, scopes=SCOPES, by=None, client_id="core-cz", secret=secret)
        core = CoreBank(url, client_id="core-cz", secret=secret, run=secrets.token_hex(8))
        accounts = set(balances["account_id"])
        feeding.send_customers(core, bank, accounts, as_of=first)
        bar = lambda batches: tqdm(batches, desc="Feeding days", unit=" batches")  # noqa: E731
        fed = feeding.feed_days(core, bank, balances, through=last, track=bar)
        outlets = feeding.outlets_fed(bank, balances, on=last)
        feeding.run_night(on=last, outlets=outlets, steps=feeding.FIRST_STEPS)
        feeding.report_cards(core, bank, on=last)
        pairs = self.people(regions, on=last) if staffed else []
        self.train(core, on=last)
        feeding.settle(through=last, outlets=outlets)
        fed.nights += 1
        self.report(core, fed, floors, last=last, pairs=pairs)

    def train(self, core, *, on):
        """Train on what was fed, unless a model of these very days is there."""
        changed = core.counts["assets"]["created"] + core.counts["assets"]["updated"]
        if changed or not ChurnModelVersion.objects.filter(data_to=on).exists():
            try:
                training.train(on=on, track=partial(tqdm, desc="Back-test", unit="fold"))
            except Refused as refusal:  # too few days were asked for: the scorecard stays in force
                self.stdout.write(f"No model was trained: {refusal}")

    def people(self, regions, *, on):
        password = PASSWORD if settings.DEMO else secrets.token_urlsafe(12)
        pairs = offices.write_staff(regions, password=password)
        given = feeding.give_portfolios(pairs, on=on)
        self.stdout.write(f"{given} customers were given to {len(pairs)} managers. Sign in with {password!r} as:")
        for head, manager in pairs:
            self.stdout.write(f"  {head.staff_no:<14}{manager.staff_no:<18}{head.branch.name}")
        return pairs

    def report(self, core, fed, floors, *, last, pairs):
        self.stdout.write(
            f"Fed {fed.accounts:,} accounts, {len(fed.days):,} days up to {last}, {fed.rows:,} balances; {fed.nights} nights."
        )
        for kind, counts in core.counts.items():
            said = ", ".join(f"{counts.get(word, 0):,} {word}" for word in
                             ("created", "updated", "unchanged", "stale", "rejected"))  # fmt: skip
            self.stdout.write(f"  {kind:<10}{said}")
        for refusal in core.refusals[:5]:
            self.stdout.write(f"  refused {refusal}")
        self.stdout.write(
            "Tiers of this bank: " + ", ".join(f"{tier} from {floor:,} CZK" for tier, floor in floors.items())
        )
        model = ChurnModelVersion.objects.filter(data_to=last).order_by("-trained_at").first()
        if model:
            self.stdout.write(
                f"Model {model.name} ({model.algorithm}, {model.status}), back-test on this bank's own past:"
            )
            self.stdout.write(figures_table(model.backtest))
        if Customer.objects.exclude(customer_no__startswith=f"{berka.PREFIX}-").exists():
            self.stdout.write(
                "Another bank shares this database: its customers are scored by the newest released model too."
            )
        alerts = ChurnAlert.objects.filter(customer__customer_no__startswith=f"{berka.PREFIX}-")
        self.stdout.write(
            f"Alerts: {alerts.count():,}, of them {alerts.filter(opened_on__gte=last).count():,} of {last} or after."
        )
