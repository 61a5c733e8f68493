"""Invitations as they leave, and the answers that mail programs send to them."""

from __future__ import annotations

import email
from email import policy
from email.message import EmailMessage

import icalendar
from django.core import mail
from django.utils import timezone

from agenda.actions.schedules import schedule_of
from agenda.calendar_letters import KIND
from agenda.models import Schedule
from coordination.outbox import delivery
from coordination.outbox.models import Message


def wants_mails(*users):
    for user in users:
        Schedule.objects.filter(pk=schedule_of(user).pk).update(mails_invitations=True)


def queued():
    """Return (address, SEQUENCE) of the invitations that wait or left, the first first."""
    rows = Message.objects.filter(kind=KIND).order_by("created_at", "id")
    return [(row.to, row.object_version) for row in rows]


def sent():
    """Send what waits; return the invitations as a mail server got them since the last time."""
    mail.outbox.clear()
    for pk in Message.objects.waiting().filter(kind=KIND).order_by("created_at").values_list("pk", flat=True):
        delivery.deliver(pk)
    return received()


def received():
    """Return the invitations that left, as a mail server got them."""
    got = [
        email.message_from_bytes(one.message().as_bytes(linesep="\r\n"), policy=policy.default) for one in mail.outbox
    ]
    return [one for one in got if any(part.get_content_type() == "text/calendar" for part in one.walk())]


def calendar_of(message):
    """Return the calendar part of a mail, and the event in it."""
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    found = icalendar.Calendar.from_ical(part.get_content())
    (event,) = found.walk("VEVENT")
    assert part.get_param("method") == found["METHOD"]
    return found, event


def answer_to(message, part="ACCEPTED", **said) -> bytes:
    """Return what a mail program answers to an invitation. `said`: what it says otherwise."""
    found, event = calendar_of(message)
    organizer = str(event["ORGANIZER"]).removeprefix("mailto:")
    attendee = str(event["ATTENDEE"]).removeprefix("mailto:")
    said = {
        "method": "REPLY", "uid": event["UID"], "sequence": event["SEQUENCE"], "attendee": attendee,
        "sender": attendee, "to": organizer, "more": "", "stamp": timezone.now(),
    } | said  # fmt: skip
    lines = (
        f"BEGIN:VCALENDAR\r\nPRODID:-//Un programme//FR\r\nVERSION:2.0\r\nMETHOD:{said['method']}\r\nBEGIN:VEVENT\r\n"
        f"ATTENDEE;PARTSTAT={part};CN=x:mailto:{said['attendee']}\r\nORGANIZER:mailto:{organizer}\r\n"
        f"UID:{said['uid']}\r\nSEQUENCE:{said['sequence']}\r\nDTSTAMP:{said['stamp']:%Y%m%dT%H%M%SZ}\r\n{said['more']}"
        "SUMMARY:Accepté : Rendez-vous\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = f"Inès <{said['sender']}>", said["to"], "Accepté : Rendez-vous"
    reply.set_content("Inès a accepté.")
    reply.add_alternative(lines, subtype="calendar", params={"method": said["method"]})
    return reply.as_bytes()
