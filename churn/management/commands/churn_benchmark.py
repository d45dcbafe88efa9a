from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import benchmark
from churn.tables import candidates_table
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Run the churn estimator on a published data set by the protocol of its README; print figures or score new rows."

    def add_arguments(self, parser):
        parser.add_argument("name", choices=benchmark.NAMES)
        parser.add_argument("folder", type=Path, help="the folder of the data set")
        parser.add_argument("--score", type=Path, metavar="FEATURES.csv", help="score these rows with the fitted model")
        parser.add_argument(
            "--out", type=Path, metavar="SCORES.csv", help="where the scores go: the id column and score"
        )

    def handle(self, *, name, folder, score, out, **options):
        if bool(score) != bool(out):
            raise CommandError("--score and --out go together.")
        track = partial(tqdm, desc=name, file=self.stderr, leave=False)
        try:
            if score:
                scores, chosen = benchmark.score(name, folder, score, track=track)
                scores.to_csv(out, index=False)
                self.stdout.write(f"{len(scores):,} rows scored by {chosen} into {out}.")
            else:
                self._print(name, benchmark.run(name, folder, track=track))
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _print(self, name: str, found: dict):
        self.stdout.write(candidates_table(found["candidates"]))
        self.stdout.write(f"Best by PR-AUC: {found['chosen']}.")
        self.stdout.write("Reference (README of the data, on more rows): PR-AUC, ROC-AUC, lift, ECE")
        for candidate, figures in benchmark.REFERENCE[name].items():
            shown = "  ".join("—" if figure is None else f"{figure:.3f}" for figure in figures)
            self.stdout.write(f"{candidate:<10}{shown}")
