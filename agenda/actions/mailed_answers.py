"""Answers to invitations that come by mail: believed for what they prove, then given to the acts of the page.

What is asked of one: the secret of the address it comes to, the sender and the attendee both the one invited, the same
event, the last thing he was told, and nothing answered since. What becomes of each is a row, so that a dead letter is
seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from agenda import received_mail, reply_addresses
from agenda.actions import answering
from agenda.actions.common import rubric_of
from agenda.calendar_errors import AnswerIgnored, AnswerRefused
from agenda.calendar_letters import UNDONE
from agenda.ics.errors import ReplyRefused
from agenda.ics.events import Part
from agenda.ics.invitations import Method, Reply, read_reply
from agenda.models import Appointment, CalendarInvitation, Participation, ReceivedAnswer
from agenda.uids import uid_of
from coordination.accounts import mails
from coordination.common.addresses import address
from coordination.common.errors import DomainError
from coordination.dossiers import door
from habilitations.rubriques import Niveau
from habilitations.traces import BY_MAIL, Via

logger = logging.getLogger(__name__)
OUTCOME = ReceivedAnswer.Outcome
# What the journal says of where the act came from.
VIA = Via(software=BY_MAIL)
# Between the clock of his program and ours.
TOLERANCE = dt.timedelta(minutes=5)
UNREADABLE = "Ce courriel ne se lit pas comme une réponse à une invitation."
NOBODY = "L’adresse où il est envoyé n’est pas celle d’une invitation."
OTHER_SENDER = "Il ne vient pas de l’adresse invitée."
OTHER_EVENT = "Il parle d’un autre rendez-vous que celui de l’invitation."
NEVER_SAID = "Il répond à un état du rendez-vous qui n’a jamais été envoyé."
OLD = "Il répond à un état ancien du rendez-vous."
LATE = "Une réponse plus récente est connue."
CALLED_OFF = "L’invitation a été annulée."
NO_ANSWER = "Il ne dit ni oui, ni non, ni peut-être."
REFUSED = "La réponse est reconnue, et l’acte a été refusé ({code})."


def receive_answer(raw: bytes, *, recipient: str = "") -> ReceivedAnswer:
    """Process one mail as it came, once however often it is delivered; return what became of it.

    `recipient`: the address of the envelope, when the mail server tells it. Never raises for what the mail says.
    Source: issue 5 §2, REPLY processed; RFC 5546 §3.2.3, §3.2.7.
    """
    digest = hashlib.sha256(raw).hexdigest()
    known = ReceivedAnswer.objects.filter(digest=digest).first()
    if known is not None:
        return known
    found: CalendarInvitation | None = None
    try:
        found, sender, reply = _believed(raw, recipient)
        return _do(digest, found, sender, reply)
    except _AlreadyDone as done:
        return done.row
    except AnswerIgnored as why:
        outcome, sentence = OUTCOME.IGNORED, str(why)
    except (AnswerRefused, ReplyRefused) as why:
        outcome, sentence = OUTCOME.REFUSED, str(why)
        logger.warning("agenda.answer_refused")
    return _noted(digest, found, outcome, sentence)


def purge() -> int:
    """Forget what became of answers received long ago (RETENTION_DAYS); return how many."""
    kept_for = dt.timedelta(days=settings.RETENTION_DAYS["received_answers"])
    return ReceivedAnswer.objects.filter(at__lt=timezone.now() - kept_for).delete()[0]


def _noted(digest: str, invitation: CalendarInvitation | None, outcome: str, sentence: str) -> ReceivedAnswer:
    said = {"invitation": invitation, "outcome": outcome, "sentence": sentence[:300]}
    try:
        with transaction.atomic():
            return ReceivedAnswer.objects.create(digest=digest, **said)
    except IntegrityError:
        # Delivered twice at the same moment.
        return ReceivedAnswer.objects.get(digest=digest)


class _AlreadyDone(Exception):
    """The same mail was done while this one waited: nothing of this one is kept, its trace included."""

    def __init__(self, row: ReceivedAnswer) -> None:
        self.row = row


def _believed(raw: bytes, recipient: str) -> tuple[CalendarInvitation, str, Reply]:
    """Return whose answer it is, its sender and what it says. Raises AnswerRefused, AnswerIgnored."""
    try:
        letter = received_mail.read(raw)
    except ReplyRefused:
        raise AnswerRefused(UNREADABLE) from None
    tried = (recipient, *letter.recipients) if recipient else letter.recipients
    found = next(filter(None, map(reply_addresses.invitation_of, tried)), None)
    if found is None:
        raise AnswerRefused(NOBODY)
    try:
        reply = read_reply(letter.calendar(), ZoneInfo(found.zone))
    except ReplyRefused:
        raise AnswerRefused(UNREADABLE) from None
    _require_true(found, letter.sender, reply)
    return found, letter.sender, reply


def _require_true(found: CalendarInvitation, sender: str, reply: Reply) -> None:
    invited = found.email.lower()
    if sender != invited or reply.attendee != invited:
        raise AnswerRefused(OTHER_SENDER)
    if reply.uid != uid_of(found.appointment_id) or reply.recurrence_id is not None:
        raise AnswerRefused(OTHER_EVENT)
    if reply.sequence > found.sequence:
        raise AnswerRefused(NEVER_SAID)
    if reply.sequence < found.sequence:
        raise AnswerIgnored(OLD)
    if found.method == CalendarInvitation.Method.CANCEL:
        raise AnswerIgnored(CALLED_OFF)
    if reply.method is Method.REPLY and reply.part is Part.NEEDS_ACTION:
        raise AnswerIgnored(NO_ANSWER)
    if reply.stamp is not None and _is_late(found, reply.stamp):
        raise AnswerIgnored(LATE)


def _is_late(found: CalendarInvitation, stamp: dt.datetime) -> bool:
    """Say whether he has answered since: by another mail, on the same clock, or on the page, by ours.

    Source: RFC 5546 §2.1.5, of the same SEQUENCE the last DTSTAMP counts.
    """
    if found.answer_stamp is not None and stamp < found.answer_stamp:
        return True
    mine = Participation.objects.filter(appointment=found.appointment_id, user=found.user_id).first()
    if mine is None or mine.answered_at is None or mine.status == Participation.Status.NEEDS_ACTION:
        return False
    by_mail = found.answer_done_at is not None and mine.answered_at <= found.answer_done_at
    return not by_mail and stamp < mine.answered_at - TOLERANCE


def _do(digest: str, found: CalendarInvitation, sender: str, reply: Reply) -> ReceivedAnswer:
    """Give the answer to the act of the page, with its trace and its row, in one transaction.

    What it was believed for is asked again of what is locked: something may have changed since it was read.
    Raises AnswerRefused, AnswerIgnored, _AlreadyDone.
    """
    try:
        with transaction.atomic():
            entry = door.enter(
                found.user, found.dossier_id, None, action=door.WRITE, via=VIA, object_kind="appointment",
                object_id=found.appointment_id,
            )  # fmt: skip
            current = _locked(found)
            row = ReceivedAnswer.objects.filter(digest=digest).first()
            if row is not None:
                raise _AlreadyDone(row)
            _require_true(current, sender, reply)
            _answer(entry, current, reply)
            now = timezone.now()
            # A clock in advance does not make later answers old ones.
            stamp = min(reply.stamp, now) if reply.stamp else current.answer_stamp
            CalendarInvitation.objects.filter(pk=current.pk).update(answer_stamp=stamp, answer_done_at=now)
            return ReceivedAnswer.objects.create(digest=digest, invitation=current, outcome=OUTCOME.DONE, at=now)
    except (AnswerRefused, AnswerIgnored):
        raise
    except DomainError as refusal:
        rubric = rubric_of(found.appointment.kind)
        door.tell_undone(found.user, found.dossier_id, rubric, Niveau.LECTURE, via=VIA)
        _tell_undone(found)
        raise AnswerRefused(REFUSED.format(code=refusal.code)) from None


def _locked(found: CalendarInvitation) -> CalendarInvitation:
    """Return an invitation as stored now, locked after its appointment, as the acts do."""
    Appointment.objects.select_for_update(of=("self",)).get(pk=found.appointment_id)
    rows = CalendarInvitation.objects.select_for_update(of=("self",)).select_related("appointment", "user")
    return rows.get(pk=found.pk)


def _answer(entry: door.Entry, found: CalendarInvitation, reply: Reply) -> None:
    if reply.method is Method.COUNTER:
        assert reply.start is not None and reply.end is not None
        answering.propose_time(entry, found.appointment_id, starts_at=reply.start, ends_at=reply.end, by_mail=True)
        return
    act = {
        Part.ACCEPTED: answering.accept_appointment,
        Part.DECLINED: answering.decline_appointment,
        Part.TENTATIVE: answering.doubt_appointment,
    }[reply.part]
    act(entry, found.appointment_id, by_mail=True)


@transaction.atomic
def _tell_undone(found: CalendarInvitation) -> None:
    """Write to who answered: his program shows an answer that nobody has."""
    if not found.user.is_active:
        return
    link = mails.absolute(address("agenda:answer", found.dossier_id, found.appointment_id))
    mails.send(
        "agenda/emails/answer_undone.html", to=found.email, context={"link": link}, account_id=found.user_id,
        kind=UNDONE, object_id=found.appointment_id,
    )  # fmt: skip
