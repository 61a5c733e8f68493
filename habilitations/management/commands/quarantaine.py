"""`manage.py quarantaine`: what a restored installation keeps back, and its release by a named person (REL-13)."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from django.core.management.base import CommandError
from django.db import ProgrammingError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from psycopg.errors import InsufficientPrivilege

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.common.french import datetime_fr, plural
from coordination.outbox import quarantine as gate
from coordination.outbox.models import Quarantine
from habilitations.actions.quarantine import close_secrets, prepare_quarantine, release_quarantine
from habilitations.models import SoftwareClient

FROM_BACKUP = "sauvegarde"
# What the clocks of two machines may differ by: a backup is dated by PostgreSQL's.
SKEW = timedelta(hours=1)
KEEP, REVOKE = "garder", "revoquer"


class Command(commands.Command):
    help = (
        "Montre ce qu'une installation restaurée retient. « lever » la laisse parler de nouveau : ce qui attendait "
        "dans la sauvegarde n'est pas envoyé, sauf demande ; ce qui a été demandé depuis part."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "acte",
            nargs="?",
            default="voir",
            choices=["voir", "preparer", "lever"],
            help="voir ce qui attend (par défaut) ; preparer, après un retour de PostgreSQL à un instant ; lever",
        )
        parser.add_argument("--sauvegarde", metavar="DATE", help="preparer : moment d'où viennent les données (ISO)")
        parser.add_argument("--par", metavar="ADRESSE", help="lever : adresse de l'administrateur qui le fait")
        parser.add_argument(
            "--logiciels", choices=[KEEP, REVOKE], help="lever : ce que deviennent les logiciels connectés"
        )
        parser.add_argument(
            "--envoyer", nargs="+", default=[], metavar="ID",
            help=f"lever : envoyer malgré tout ces lignes ; « {FROM_BACKUP} » pour toutes celles de la sauvegarde",
        )  # fmt: skip
        parser.add_argument("--retenir", nargs="+", default=[], metavar="ID", help="lever : ne pas envoyer ces lignes")

    def handle(self, *, acte, **options):
        if acte == "preparer":
            return self._prepare(options["sauvegarde"])
        row = Quarantine.objects.standing().first()
        if row is None:
            self.stdout.write("Aucune quarantaine n’est en cours.")
            return None
        return self._show(row) if acte == "voir" else self._release(row, options)

    def _prepare(self, said):
        try:
            moment = parse_datetime(said or "")
        except ValueError:
            moment = None
        # A day alone reads as its midnight: what was asked that day would then count as asked since.
        if moment is None or ":" not in said:
            raise CommandError("--sauvegarde attend une date et une heure : 2026-11-29T21:00:00+00:00.")
        moment = moment if moment.tzinfo else timezone.make_aware(moment)
        if moment > timezone.now() + SKEW:
            raise CommandError(
                "--sauvegarde est dans l'avenir : rien n'a été fait. C'est le moment d'où viennent les données."
            )
        close_secrets(backup_at=moment)
        try:
            row = prepare_quarantine()
        except ProgrammingError as error:
            if not isinstance(error.__cause__, InsufficientPrivilege):
                raise
            raise CommandError(
                "Sessions et jetons sont clos et rien ne part, mais ce rôle n'écrit pas le journal : l'administrateur "
                "de PostgreSQL passe deploy/journal-role.sql, puis recommencer cette commande."
            ) from None
        self.stdout.write(f"Installation en quarantaine : sauvegarde du {datetime_fr(row.backup_at)}.")

    def _show(self, row):
        self.stdout.write(f"Quarantaine : sauvegarde du {datetime_fr(row.backup_at)}.")
        waiting = gate.waiting(row)
        groups = (
            ("Dans la sauvegarde (retenu, sauf --envoyer)", [one for one in waiting if not one.since_backup]),
            ("Depuis la restauration (part, sauf --retenir)", [one for one in waiting if one.since_backup]),
        )
        for title, rows in groups:
            self.stdout.write(f"{title} : {plural(len(rows), 'ligne')}.")
            for (queue, kind), count in sorted(Counter((one.queue, one.kind) for one in rows).items()):
                self.stdout.write(f"  {count} × {queue} {kind}")
            for one in rows:
                # Neither an address nor a dossier: the terminal tells what an operator needs.
                self.stdout.write(f"    {one.id}  {datetime_fr(one.created_at)}  {one.queue} {one.kind}")
        self._show_software()

    def _show_software(self):
        connected = SoftwareClient.objects.connected().order_by("name")
        for client in connected:
            self.stdout.write(f"Logiciel connecté : {client.name}, secret du {datetime_fr(client.secret_at)}.")

    def _release(self, row, options):
        if not options["par"]:
            raise CommandError("--par attend l'adresse de l'administrateur qui lève la quarantaine.")
        if options["logiciels"] is None and SoftwareClient.objects.connected().exists():
            self._show_software()
            raise CommandError(
                "Un logiciel révoqué depuis la sauvegarde serait de nouveau admis : --logiciels garder, ou revoquer."
            )
        send, hold = self._ids(row, options["envoyer"]), self._ids(row, options["retenir"])
        by = account(options["par"], "--par")
        try:
            done = release_quarantine(by=by, keep_software=options["logiciels"] != REVOKE, send=send, hold=hold)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Quarantaine levée. À envoyer : {plural(done.leaving, 'ligne')}. Retenu : {plural(done.held, 'ligne')}. "
            f"Logiciels révoqués : {done.revoked}."
        )

    def _ids(self, row, said):
        if said == [FROM_BACKUP]:
            return {one.id for one in gate.waiting(row) if not one.since_backup}
        try:
            return {UUID(text) for text in said}
        except ValueError:
            raise CommandError(f"Un identifiant est attendu, ou « {FROM_BACKUP} » seul.") from None
