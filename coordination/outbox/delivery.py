"""Handing one message to the mail server, about once (REL-6)."""

import logging
import smtplib
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from coordination.common import away
from coordination.outbox import attempts, filling
from coordination.outbox.models import Message, State

logger = logging.getLogger(__name__)


class NotAccepted(Exception):
    """The delivery backend said that it took nothing."""


def deliver(message_id: UUID) -> bool:
    """Attempt one message if it is due and free; return whether it was sent by this call.

    Safe to call any number of times at once. Never raises for a failure of the mail server: the row says it.
    """
    message = attempts.count(Message.objects, message_id, is_uncertain=_was_left_in_the_middle, state=State.EN_COURS)
    return message is not None and _attempt(message)


def deliver_next() -> bool:
    """Attempt the message that waits first among those that are due and free; return whether there was one."""
    message = attempts.count_next(Message.objects, is_uncertain=_was_left_in_the_middle, state=State.EN_COURS)
    if message is not None:
        _attempt(message)
    return message is not None


def _attempt(counted: Message) -> bool:
    with transaction.atomic():
        message = attempts.hold(Message.objects, counted)
        if message is None:
            return False
        try:
            _hand_over(message)
        except Exception as error:  # a poison mail must leave the queue too, whatever it raises
            _note_failure(message, error)
            sent = False
        else:
            _note_success(message)
            sent = True
        message.save()
    return sent


def _was_left_in_the_middle(message: Message) -> bool:
    """Whether an earlier attempt may have delivered without our knowing: its worker died, or nobody answered it."""
    return message.is_uncertain or message.state == State.EN_COURS


def _hand_over(message: Message) -> None:
    # A statement that the database refuses ends here, and not the transaction in which the failure is noted.
    with transaction.atomic():
        text, html = filling.bodies(message)
        enclosed = filling.enclosed(message)
    mail = EmailMultiAlternatives(
        message.subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [message.to],
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
    )
    if html:
        mail.attach_alternative(html, "text/html")
    if enclosed:
        # The last version is the one a program prefers.
        mail.attach_alternative(enclosed.content, f"text/{enclosed.subtype}")
    server = get_connection(settings.OUTBOX_EMAIL_BACKEND)
    try:
        server.open()
        try:
            accepted = server.send_messages([mail])
        except Exception as error:
            message.is_uncertain |= is_no_answer(error)
            raise
        if not accepted:
            raise NotAccepted
    finally:
        try:
            server.close()
        except Exception:  # accepted or not, the answer has been given: a rude goodbye changes nothing
            logger.info("outbox.rude_goodbye", extra={"outbox_id": str(message.pk)})


def _note_success(message: Message) -> None:
    message.state, message.sent_at, message.last_error = State.ENVOYE, Now(), ""
    if message.sensitive:
        message.text = message.html = ""


def _note_failure(message: Message, error: Exception) -> None:
    away.note(error)
    sentence, final = explain(error)
    message.last_error = sentence
    if final or not attempts.postpone(message):
        message.state = State.ECHEC
    else:
        message.state = State.A_REESSAYER
    if isinstance(error, filling.NothingToSend):
        # Rightly not sent: no dead letter for an operator to look at.
        message.dismissed_at = timezone.now()
    # The class only: a server's answer often repeats the address.
    logger.warning(
        "outbox.not_delivered",
        extra={"outbox_id": str(message.pk), "error": type(error).__name__, "state": str(message.state)},
    )


def is_no_answer(error: Exception) -> bool:
    """Whether the dialogue began and ended without a server's answer: the mail may have left, or not (REL-6).

    A server that says a word now and then never meets the timeout of a silence: the time limit of the task ends it.
    """
    if isinstance(error, SoftTimeLimitExceeded):
        return True
    if isinstance(error, smtplib.SMTPResponseException):
        return not 200 <= error.smtp_code < 600
    return isinstance(error, smtplib.SMTPServerDisconnected) or (
        isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)
    )


def explain(error: Exception) -> tuple[str, bool]:
    """Return a French sentence for what went wrong, and whether trying again is useless."""
    if isinstance(error, filling.NothingToSend):
        return str(error), True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [answer[0] for answer in error.recipients.values()]
        # No code at all: the library found nobody to write to, and no server has refused anything for good.
        if codes and all(500 <= code < 600 for code in codes):
            return f"L’adresse est refusée par le serveur du destinataire (code {codes[0]}).", True
        return "Le serveur du destinataire demande d’attendre.", False
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "Le serveur d’envoi refuse notre identifiant : à vérifier par l’exploitant.", False
    if isinstance(error, smtplib.SMTPDataError):
        if 500 <= error.smtp_code < 600:
            return f"Le message est refusé par le serveur (code {error.smtp_code}).", True
        return "Le serveur d’envoi demande d’attendre.", False
    if isinstance(error, smtplib.SMTPException | OSError | SoftTimeLimitExceeded):
        return "Le serveur d’envoi ne répond pas correctement.", False
    if isinstance(error, NotAccepted):
        return "Le serveur d’envoi n’a pas pris le message.", False
    return "Le message n’a pas pu être préparé.", False
