from datetime import date
from functools import partial

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import training
from churn.tables import figures_table
from staff.models import NightRun
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Train the churn model on the bank's own past and print its back-test."

    def add_arguments(self, parser):
        parser.add_argument(
            "--date", "--through", dest="on", type=date.fromisoformat, help="use whole months up to this day (ISO)"
        )

    def handle(self, *, on, **options):
        on = on or NightRun.objects.last_closed_day()
        track = partial(tqdm, desc="Back-test", unit="fold", file=self.stderr, leave=False)
        try:
            version = training.train(on=on, track=track)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(figures_table(version.backtest))
        gate = "passed" if version.passed_gate else "not passed"
        self.stdout.write(f"Model {version.name}: gate {gate}, {version.get_status_display()}.")
