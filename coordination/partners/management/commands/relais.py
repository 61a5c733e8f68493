"""`manage.py relais`: what waits to be exchanged with partners, and a new start for what was given up."""

from uuid import UUID

from django.core.management.base import CommandError
from django.utils.timezone import localtime

from coordination.common import commands
from coordination.partners import relaying
from coordination.partners.actions import cancel_relay, retry_relay
from coordination.partners.errors import RelayWaiting
from coordination.partners.models import WAITING_STATES, Relay, State


class Command(commands.Command):
    help = "Montre les échanges avec les partenaires qui attendent ou ont échoué ; les reprend ou les annule."

    def add_arguments(self, parser):
        parser.add_argument("--reprendre", metavar="ID", type=UUID, help="remettre en file cet échange en échec")
        parser.add_argument("--tous", action="store_true", help="remettre en file tous les échanges en échec")
        parser.add_argument("--annuler", metavar="ID", type=UUID, help="annuler cet échange")

    def handle(self, *, reprendre, tous, annuler, **options):
        if annuler:
            return self._cancel(self._found(annuler))
        if reprendre or tous:
            return self._retry([self._found(reprendre)] if reprendre else list(Relay.objects.failed()))
        shown = Relay.objects.filter(state__in=[*WAITING_STATES, State.ECHEC]).select_related("partner")
        rows = list(shown.order_by("created_at"))
        for row in rows:
            # Neither the dossier nor who asked: the terminal tells what an operator needs.
            written = f"{localtime(row.created_at):%d/%m/%Y %H:%M}"
            said = f"{row.get_state_display()} ({row.attempts})  {row.last_error}".rstrip()
            self.stdout.write(f"{row.pk}  {written}  {row.partner}  {relaying.label_of(row.kind)}  {said}")
        if not rows:
            self.stdout.write("Aucun échange n’attend ni n’a échoué.")
        return None

    def _found(self, key):
        row = Relay.objects.filter(pk=key).first()
        if row is None:
            raise CommandError("Aucun échange ne porte cet identifiant.")
        return row

    def _retry(self, rows):
        done = 0
        for row in rows:
            try:
                done += row.state == State.ECHEC and retry_relay(row, by=None).state == State.EN_ATTENTE
            except RelayWaiting as refusal:
                self.stderr.write(f"{row.pk}  {refusal}")
        self.stdout.write(f"{done} échange{'s' if done > 1 else ''} remis en file.")

    def _cancel(self, row):
        self.stdout.write("Échange annulé." if cancel_relay(row, by=None) else "Cet échange est déjà terminé.")
