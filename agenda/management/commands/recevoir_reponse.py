"""`manage.py recevoir_reponse`: an answer to an invitation, given by the mail server; and those that were refused.

Postfix, for instance:  agenda unix - n n - - pipe user=coordination argv=… manage.py recevoir_reponse --a ${recipient}

Its exit status is what Postfix reads (sysexits.h): 75, to be tried again; 78, a setting is missing.
"""

import logging
import mailbox
import os
import sys

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.timezone import localtime

from agenda import mail_folder
from agenda.actions.mailed_answers import receive_answer
from agenda.models import ReceivedAnswer
from agenda.received_mail import MOST_BYTES
from coordination.common import commands

logger = logging.getLogger(__name__)


class Command(commands.Command):
    help = "Traite une réponse à une invitation (entrée standard, ou Maildir) ; --refus montre les refusées."

    def add_arguments(self, parser):
        parser.add_argument("--a", metavar="ADRESSE", default="", help="l’adresse de l’enveloppe, si elle est connue")
        parser.add_argument("--maildir", metavar="CHEMIN", help="traiter tout ce qui est dans ce Maildir")
        parser.add_argument("--refus", action="store_true", help="montrer les réponses refusées, sans en traiter")

    def handle(self, *, a, maildir, refus, **options):
        if refus:
            return self._show()
        if not settings.AGENDA_REPLY_ADDRESS:
            raise CommandError(
                "AGENDA_REPLY_ADDRESS n’est pas réglé : les invitations ne demandent pas de réponse.",
                returncode=os.EX_CONFIG,
            )
        if maildir:
            try:
                done = mail_folder.empty(maildir)
            except mailbox.NoSuchMailboxError:
                raise CommandError("Ce Maildir n’existe pas.", returncode=os.EX_CONFIG) from None
            self.stdout.write(f"{done} courriel{'s' if done > 1 else ''} traité{'s' if done > 1 else ''}.")
            return None
        try:
            row = receive_answer(sys.stdin.buffer.read(MOST_BYTES + 1), recipient=a)
        except Exception as error:
            # What a mail says raises nothing: this is the database or the disk; the server keeps the mail for later.
            # The class only: it gives back to the sender what is written here.
            logger.error("agenda.answer_not_processed", extra={"error": type(error).__name__})
            raise CommandError("Réponse non traitée, à présenter de nouveau.", returncode=os.EX_TEMPFAIL) from None
        self.stdout.write(f"{row.get_outcome_display()}. {row.sentence}".rstrip())
        return None

    def _show(self):
        rows = ReceivedAnswer.objects.filter(outcome=ReceivedAnswer.Outcome.REFUSED).order_by("at")
        for row in rows:
            self.stdout.write(f"{localtime(row.at):%d/%m/%Y %H:%M}  {row.pk}  {row.sentence}")
        if not rows:
            self.stdout.write("Aucune réponse refusée n’est gardée.")
