"""`manage.py courriels`: the mails nobody received, and a new start for them once the cause is gone."""

from django.utils.timezone import localtime

from coordination.common import commands
from coordination.outbox.actions import retry_message
from coordination.outbox.models import Message


class Command(commands.Command):
    help = "Montre les courriels en échec ; --renvoyer les remet en file."

    def add_arguments(self, parser):
        parser.add_argument("--renvoyer", action="store_true", help="les remettre tous en file")

    def handle(self, *, renvoyer, **options):
        failed = list(Message.objects.failed().order_by("created_at"))
        for message in failed:
            # The address is a person's: the terminal tells the kind and the account.
            account = message.account_id or "sans compte"
            written = f"{localtime(message.created_at):%d/%m/%Y %H:%M}"
            self.stdout.write(f"{written}  {message.kind}  {account}  {message.last_error}")
            if renvoyer:
                retry_message(message, by=None)
        end = " remis en file." if failed and renvoyer else "."
        self.stdout.write(f"{len(failed)} courriel{'s' if len(failed) > 1 else ''} en échec{end}")
