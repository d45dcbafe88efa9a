from functools import partial

from django.core.management.base import BaseCommand
from tqdm import tqdm

from staff import rotation, sealing


class Command(BaseCommand):
    help = "Seal every encrypted value again that an older key of FIELD_KEYS sealed; safe to break off and run again."

    def handle(self, **options):
        count = rotation.rotate(track=partial(tqdm, desc="Sealing again", unit=" batches"))
        self.stdout.write(f"Sealed {count:,} values again with the key {sealing.current_key_id()}.")
