from datetime import date
from functools import partial

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import backtest, training
from churn.tables import figures_table
from staff.models import NightRun
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Print how every candidate would have done on the bank's own past; stores nothing."

    def add_arguments(self, parser):
        parser.add_argument("--through", type=date.fromisoformat, help="use whole months up to this day (ISO)")

    def handle(self, *, through, **options):
        try:
            months, rows = training.learnable(on=through or NightRun.objects.last_closed_day())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        proved = training.prove(rows, track=partial(tqdm, desc="Back-test", unit="fold", file=self.stderr, leave=False))
        chosen = backtest.winner(proved["candidates"])
        self.stdout.write(figures_table(training.report_of(months, rows, proved, chosen)))
