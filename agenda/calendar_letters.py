"""Appointments by mail, for the calendar program of who asked for them (iTIP): one letter, one address (SEC-22).

`follow` compares what each one was last told with what is now, and writes what is missing: called at the end of every
act, in its transaction, it says once what the act did, and nothing when nothing changed for him.
"""

from __future__ import annotations

from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from agenda import reply_addresses
from agenda.ics import invitations as itip
from agenda.ics.events import Part
from agenda.keys import present
from agenda.letters import moment_of
from agenda.models import Appointment, CalendarInvitation, Participation, Schedule
from agenda.uids import uid_of
from coordination.accounts import mails
from coordination.common.addresses import address
from coordination.outbox import filling
from coordination.outbox.models import Message

KIND = "agenda.calendar"
# Sent by agenda/actions/mailed_answers.py.
UNDONE = "agenda.answer_undone"
KINDS = {KIND: "Invitation de calendrier", UNDONE: "Réponse par courriel non enregistrée"}
METHOD, STATUS, ANSWER = CalendarInvitation.Method, Appointment.Status, Participation.Status
STALE = "Le rendez-vous a changé avant l’envoi : une autre invitation l’a remplacée."
_TEMPLATES = {
    METHOD.REQUEST: "agenda/emails/calendar.html",
    METHOD.CANCEL: "agenda/emails/calendar_cancelled.html",
}


def follow(appointment: Appointment, *, knows_it: UUID | None = None) -> int:
    """Queue what each calendar must be told of an event; return how many letters. Needs an open transaction.

    `knows_it`: the account whose program has just said so by mail. Two SQL statements when nobody asked for mails.
    What repeats is not mailed one occurrence at a time: the feed tells it.
    """
    told = {one.user_id: one for one in CalendarInvitation.objects.filter(appointment=appointment.pk)}
    wanted = {} if appointment.series_id else _wanted(appointment)
    sent = 0
    for user_id in dict.fromkeys([*wanted, *told]):
        one, last = wanted.get(user_id), told.get(user_id)
        knows = user_id == knows_it
        if one is not None:
            sent += _invite(appointment, one, last, knows)
        elif last is not None and last.method == METHOD.REQUEST and last.answer != ANSWER.DECLINED:
            sent += _cancel(appointment, last, knows)
    return sent


def _wanted(appointment: Appointment) -> dict:
    """Return {account: participation} of those whose calendar holds this event now."""
    over = appointment.ends_at is None or appointment.ends_at <= timezone.now()
    if over or appointment.merged_into_id or appointment.status not in Appointment.LIVE:
        return {}
    rows = Participation.objects.filter(appointment=appointment.pk, user__is_active=True).exclude(
        status=ANSWER.DECLINED
    )
    asked = Q(user__in=Schedule.objects.filter(mails_invitations=True).values("user"))
    rows = rows.filter(asked).select_related("user").order_by("pk")
    return {one.user_id: one for one in present(rows)}


def _invite(appointment: Appointment, one: Participation, last: CalendarInvitation | None, knows: bool) -> int:
    """Tell it to a calendar that does not know it so: neither a word nor a place is in the letter, only when.

    One whose program has declined is told again what is answered since elsewhere.
    """
    assert one.user is not None
    now = {
        "email": one.user.email, "starts_at": appointment.starts_at, "ends_at": appointment.ends_at,
        "zone": appointment.zone, "all_day": appointment.all_day, "is_tentative": appointment.status != STATUS.BOOKED,
        "is_meeting": appointment.kind == Appointment.Kind.MEETING, "method": METHOD.REQUEST,
    }  # fmt: skip
    if last is not None and all(getattr(last, name) == value for name, value in now.items()):
        if knows and last.answer != one.status:
            last.answer = one.status
            last.save(update_fields=["answer"])
        if last.answer != ANSWER.DECLINED:
            return 0
    moved = (
        last is not None
        and last.method == METHOD.REQUEST
        and any(getattr(last, name) != now[name] for name in ("starts_at", "ends_at"))
    )
    row = last or CalendarInvitation(dossier_id=appointment.dossier_id, appointment=appointment, user=one.user)
    row.participation, row.answer = one, one.status
    row.is_required = one.need == Participation.Need.REQUIRED
    for name, value in now.items():
        setattr(row, name, value)
    return _send(row, appointment, moved=moved)


def _cancel(appointment: Appointment, row: CalendarInvitation, knows: bool) -> int:
    """Take it out of a calendar; who has just declined by mail has done so himself, and may still change his mind."""
    if knows:
        row.answer = ANSWER.DECLINED
        row.save(update_fields=["answer"])
        return 0
    row.method = METHOD.CANCEL
    if row.ends_at <= timezone.now():
        row.save(update_fields=["method"])
        return 0
    return _send(row, appointment)


def _send(row: CalendarInvitation, appointment: Appointment, *, moved: bool = False) -> int:
    row.sequence = max(appointment.sequence, 0 if row.sequence is None else row.sequence + 1)
    row.sent_at = timezone.now()
    row.save()
    moment = moment_of(Appointment(starts_at=row.starts_at, zone=row.zone, all_day=row.all_day))
    mails.send(
        _TEMPLATES[METHOD(row.method)], to=row.email, account_id=row.user_id, kind=KIND, object_id=row.pk,
        context={"moment": moment, "what": _word(row), "link": _link(row), "moved": moved},
        object_version=row.sequence,
    )  # fmt: skip
    return 1


def _word(row: CalendarInvitation) -> str:
    return str((itip.Kind.MEETING if row.is_meeting else itip.Kind.APPOINTMENT).value)


def _link(row: CalendarInvitation) -> str:
    return mails.absolute(address("agenda:appointment", row.dossier_id, row.appointment_id))


def enclose(message: Message) -> filling.Enclosed:
    """Return the message of iTIP that goes with a letter, when it leaves. Raises NothingToSend."""
    assert message.object_id is not None
    row = CalendarInvitation.objects.filter(pk=message.object_id).first()
    if row is None or row.sequence != message.object_version or row.email.lower() != message.to.lower():
        raise filling.NothingToSend(STALE)
    method = itip.Method(row.method)
    write = itip.request if method is itip.Method.REQUEST else itip.cancellation
    # Without the method in the media type, mail programs show a file (RFC 6047 §2.4).
    return filling.Enclosed(write(_itip(row)).decode(), f"calendar; method={method}")


def _itip(row: CalendarInvitation) -> itip.Invitation:
    answerable = reply_addresses.is_open()
    return itip.Invitation(
        uid=uid_of(row.appointment_id),
        start=row.starts_at,
        end=row.ends_at,
        zone=row.zone,
        sequence=row.sequence,
        stamp=row.sent_at,
        organizer=reply_addresses.address_of(row) if answerable else parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        attendee=row.email,
        kind=itip.Kind.MEETING if row.is_meeting else itip.Kind.APPOINTMENT,
        part=Part[row.answer.upper().replace("-", "_")],
        required=row.is_required,
        tentative=row.is_tentative,
        answerable=answerable,
        all_day=row.all_day,
        url=_link(row),
    )
