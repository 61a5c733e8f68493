"""`manage.py courriels`: the mails nobody received, those tried again and why; a new start for what was given up."""

from django.utils.timezone import localtime

from coordination.common import commands
from coordination.common.french import plural
from coordination.outbox.actions import retry_message
from coordination.outbox.models import Message

# Those that wait are many when a server is away, and say the same.
SHOWN = 5


class Command(commands.Command):
    help = "Montre les courriels en échec et ceux qu’un serveur fait attendre ; --renvoyer remet en file les premiers."

    def add_arguments(self, parser):
        parser.add_argument("--renvoyer", action="store_true", help="remettre en file tous ceux qui sont en échec")

    def handle(self, *, renvoyer, **options):
        failed = list(Message.objects.failed().order_by("created_at"))
        for message in failed:
            self._tell(message)
            if renvoyer:
                retry_message(message, by=None)
        retried = Message.objects.retried()
        if waiting := retried.count():
            self.stdout.write(
                f"{plural(waiting, 'courriel attend', 'courriels attendent')} un nouvel essai, par exemple :"
            )
            for message in retried.order_by("-created_at")[:SHOWN]:
                self._tell(message)
        end = " remis en file." if failed and renvoyer else "."
        self.stdout.write(f"{len(failed)} courriel{'s' if len(failed) > 1 else ''} en échec{end}")

    def _tell(self, message):
        # The address is a person's: the terminal tells the kind and the account.
        account = message.account_id or "sans compte"
        written = f"{localtime(message.created_at):%d/%m/%Y %H:%M}"
        self.stdout.write(f"{written}  {message.kind}  {account}  {message.last_error}")
