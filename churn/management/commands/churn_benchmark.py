from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from churn import benchmark
from churn.tables import candidates_table


class Command(BaseCommand):
    help = "Run the churn estimator on a published data set by the protocol of its README and print the figures."

    def add_arguments(self, parser):
        parser.add_argument("name", choices=["berka"])
        parser.add_argument("folder", type=Path, help="the folder of the data set")

    def handle(self, *, name, folder, **options):
        if not (folder / "transactions.csv.xz").exists():
            raise CommandError(f"{folder} holds no transactions.csv.xz.")
        found = benchmark.berka(folder, track=partial(tqdm, file=self.stderr, leave=False))
        self.stdout.write(candidates_table(found["candidates"]))
        self.stdout.write("Reference (README of the data, partly on unpublished folds): PR-AUC, ROC-AUC, lift, ECE")
        for candidate, figures in benchmark.REFERENCE.items():
            shown = "  ".join("—" if figure is None else f"{figure:.3f}" for figure in figures)
            self.stdout.write(f"{candidate:<10}{shown}")
