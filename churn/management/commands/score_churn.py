import csv
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import scoring
from churn.models import ChurnScore
from staff.models import Branch, NightRun
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Score every outlet's customers as of a day, as the night does; opens no alert."

    def add_arguments(self, parser):
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="the business date (ISO); default: the last one closed"
        )
        parser.add_argument("--export", type=Path, metavar="CSV", help="write customer_no,as_of,score")

    def handle(self, *, as_of, export, **options):
        on = as_of or NightRun.objects.last_closed_day()
        outlets = Branch.objects.filter(customers__isnull=False).distinct().order_by("pk")
        try:
            bar = tqdm(outlets, desc=f"Scores {on}", unit="outlet", file=self.stderr, leave=False)
            scored = sum(scoring.score_branch(branch_id=outlet.pk, on=on) for outlet in bar)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{scored:,} customers scored as of {on}.")
        if export:
            self._export(export, on)

    def _export(self, path: Path, on: date):
        scores = ChurnScore.objects.filter(data_date=on).order_by("customer__customer_no")
        rows = scores.values_list("customer__customer_no", "data_date", "probability")
        with path.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(("customer_no", "as_of", "score"))
            for number, day, score in tqdm(rows.iterator(), desc="Export", file=self.stderr, leave=False):
                lines.writerow((number, day.isoformat(), f"{score:.6f}"))
        self.stdout.write(f"Written to {path}.")
