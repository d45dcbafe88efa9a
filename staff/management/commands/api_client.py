from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from staff.clients import create_client
from staff.models import Branch
from staff.refusal import Refused


class Command(BaseCommand):
    help = "Make an API client of a branch and print its secret, once. The same --client-id again replaces it."

    def add_arguments(self, parser):
        parser.add_argument("--name", required=True)
        parser.add_argument("--branch", required=True, help="the branch's code; the client sees it and all beneath")
        parser.add_argument(
            "--scopes", nargs="+", default=sorted(settings.OAUTH2_PROVIDER["SCOPES"]), help="spaces between"
        )
        parser.add_argument("--client-id", default="", help="made up if not given")
        parser.add_argument("--secret", default="", help="made up if not given")

    def handle(self, *, name, branch, scopes, client_id, secret, **options):
        root = Branch.objects.filter(code=branch).first()
        if root is None:
            raise CommandError(f"There is no branch {branch}.")
        try:
            client, secret = create_client(
                name=name, branch=root, scopes=" ".join(scopes).split(), by=None, client_id=client_id, secret=secret
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"client_id {client.client_id}\nclient_secret {secret}\nscopes {client.allowed_scopes}")
