from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from contacts import propensity
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Compare the ladder rule with propensity models on the calls of a real campaign (data/bank_marketing)."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="the folder of bank_marketing")

    def handle(self, *, folder, **options):
        try:
            found = propensity.compare(folder, track=partial(tqdm, desc="Folds", file=self.stderr, leave=False))
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{found.calls:,} calls on {propensity.FOLDS} forward folds, {found.bought:.1%} bought")
        self.stdout.write(f"{'way':<15}{'bought of the first 20 %':>34}{'ROC-AUC':>10}{'PR-AUC':>9}")
        for way in found.ways:
            shown = f"{way.success:.1%} ({way.success_low:.1%} – {way.success_high:.1%})"
            self.stdout.write(f"{way.name:<15}{shown:>34}{way.roc_auc:>10.3f}{way.pr_auc:>9.3f}")
        verdict = "beats the rule" if found.is_better else "does not beat the rule"
        self.stdout.write(
            f"Best model: {found.best}; it {verdict}: {found.gain:+.1%} ({found.gain_low:+.1%} to {found.gain_high:+.1%})."
        )
