"""`manage.py night [--date D]`: run a night in the foreground."""

from datetime import date

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from staff import outbox
from staff.models import NightStep
from vipcrm import night


class Command(BaseCommand):
    help = "Run the night of a business date: assets, averages, rating, regime, scores, alerts, tasks, e-mail."

    def add_arguments(self, parser):
        parser.add_argument(
            "--date", type=date.fromisoformat, default=None, help="business date, yesterday if left out"
        )
        parser.add_argument("--no-mail", action="store_true", help="leave the e-mails in the outbox")

    def handle(self, *, date, no_mail, **options):
        on = date or night.business_date()
        night.start(on=on)
        night.retry(on=on)
        steps = NightStep.objects.filter(run__business_date=on)
        waiting = steps.filter(status=NightStep.Status.WAITING).count()
        run = night.work(
            on=on, track=lambda loop: tqdm(loop, total=waiting, desc=f"Night {on}", unit="step", file=self.stderr)
        )
        sent = 0 if no_mail else outbox.send_waiting()
        for step in steps.exclude(status=NightStep.Status.DONE).order_by("branch", "position"):
            self.stderr.write(f"{step.branch} {step.step}: {step.get_status_display()} {step.error}")
        rows = sum(step.rows for step in steps)
        self.stdout.write(f"Night {on}: {run.get_status_display()}, {rows:,} rows, {sent} e-mails sent.")
        if run.status == run.Status.FAILED:
            raise CommandError("The night is not complete; what is missing stands above and on the night page.")
