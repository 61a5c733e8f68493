"""Time, in two families: what a person's dossier holds, and what a professional's own agenda holds.

The first (appointments, those who attend, proposed times, consent) carries its dossier. The second (openings,
absences, what takes somebody's time) knows no dossier: it is found by the key of who is busy, so that free time is
read without entering any dossier (agenda.md §7.2, SCALE-5).
"""

from agenda.models.appointments import Appointment, AppointmentChange, Participation, Reader, Series
from agenda.models.calendars import CalendarInvitation, Feed, OwnCalendar, ReceivedAnswer
from agenda.models.consents import AgendaConsent, KeptApart
from agenda.models.meetings import Answer, Proposal
from agenda.models.received import ReceivedTime
from agenda.models.schedules import (
    Absence,
    LeftOutside,
    Occupation,
    Opening,
    OpenTime,
    Room,
    Schedule,
    ScheduleActor,
    ServiceType,
)

__all__ = [
    "Absence",
    "AgendaConsent",
    "Answer",
    "Appointment",
    "AppointmentChange",
    "CalendarInvitation",
    "Feed",
    "KeptApart",
    "LeftOutside",
    "Occupation",
    "OpenTime",
    "Opening",
    "OwnCalendar",
    "Participation",
    "Proposal",
    "Reader",
    "ReceivedAnswer",
    "ReceivedTime",
    "Room",
    "Schedule",
    "ScheduleActor",
    "Series",
    "ServiceType",
]
