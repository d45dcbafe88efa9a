"""`manage.py demo`: write the demo bank."""

import time

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate
from tqdm import tqdm

from customers.models import Customer
from staff.refusal import Refused
from vipcrm.demo import bank
from vipcrm.demo.institutions import PASSWORD, SIGN_INS

LARGEST = 1_000_000


class Command(BaseCommand):
    help = "Write a believable invented bank, with data through yesterday."

    def add_arguments(self, parser):
        parser.add_argument("--customers", type=int, default=4000, help="1 to 1,000,000 (default 4,000)")
        parser.add_argument("--seed", type=int, default=2026, help="the same seed on the same day gives the same bank")
        parser.add_argument("--replace", action="store_true", help="empty the bank first")
        parser.add_argument("--if-empty", action="store_true", help="leave a bank that is there as it is")

    def handle(self, *, customers, seed, replace, if_empty, verbosity, **options):
        if if_empty and Customer.objects.exists():
            self.stdout.write("A bank is there already; it stays as it is.")
            return
        if not 1 <= customers <= LARGEST:
            raise CommandError(f"--customers takes 1 to {LARGEST:,}, not {customers:,}.")
        began = time.perf_counter()

        def track(groups):
            bar = tqdm(total=customers, desc="Writing customers", unit="", disable=verbosity == 0)
            for group in groups:
                yield group
                bar.update(sum(outlet.customers for outlet in group))
            bar.close()

        try:
            written = bank.write_bank(customers=customers, seed=seed, today=localdate(), replace=replace, track=track)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        if verbosity:
            for table, count in written.items():
                self.stdout.write(f"{table:<18}{count:>14,}")
            self.stdout.write(f"{'seconds':<18}{time.perf_counter() - began:>14.1f}")
            self.stdout.write(f"Sign in as {', '.join(SIGN_INS)}; the password of all is {PASSWORD}.")
