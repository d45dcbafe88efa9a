from django.core.management.base import BaseCommand, CommandError

from staff import audit


class Command(BaseCommand):
    help = "Recompute the hash chain of the audit trail and say whether it is whole."

    def handle(self, **options):
        verdict = audit.verify()
        if verdict.broken_id is not None:
            raise CommandError(f"The chain breaks at event {verdict.broken_id}.")
        self.stdout.write(f"{verdict.checked:,} events, whole. Head: {verdict.head or 'none yet'}")
