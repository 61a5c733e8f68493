"""What one’s own agenda shows of some days: appointments of every dossier, absences, what is held, what is open.

Each appointment is told as the engine lets its dossier be read now: of a dossier that is closed to him, a reader
learns that his time is taken and nothing else. Nine SQL statements at most, however many rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from agenda import service_types, week
from agenda.actions.taking import clashes
from agenda.models import Absence, Appointment, Occupation, OpenTime, Participation, Proposal, Schedule, ServiceType
from agenda.week import Event
from agenda.zones import said
from circle.models import Period
from coordination.common.addresses import address
from coordination.dossiers.door import Entry, look_many
from coordination.dossiers.strip import HIDDEN_NAME
from habilitations import traces
from habilitations.rubriques import Rubrique

KIND, STATUS, ANSWER = Occupation.Kind, Appointment.Status, Participation.Status
ICONS = {
    Appointment.Kind.APPOINTMENT: "calendar3",
    Appointment.Kind.VISIT: "house",
    Appointment.Kind.MEETING: "people",
}
# Of what takes time without being said by an appointment: what one reads.
TAKEN = {
    KIND.APPOINTMENT: ("Rendez-vous", ""),
    KIND.IMPORTED: ("Occupé", "Agenda personnel"),
    KIND.RECEIVED: ("Occupé", "Reçu d’un autre logiciel"),
}
TAGS = {
    STATUS.PROPOSED: ("Demandé", "att"),
    STATUS.PENDING: ("En attente de réponses", "att"),
    STATUS.CANCELLED: ("Annulé", "refus"),
    STATUS.FULFILLED: ("Réalisé", "ok"),
    STATUS.NOSHOW: ("Non venu", "auc"),
}


@dataclass(frozen=True)
class OpenDay:
    """The hours when one may be asked, one day or several in a row that are alike."""

    date: dt.date
    until: dt.date
    hours: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OwnAgenda:
    schedule: Schedule
    events: list[Event]
    open_days: list[OpenDay]


def of(
    user, schedule: Schedule, first: dt.date, days: int, *, names=False, via: traces.Via = traces.NOWHERE
) -> OwnAgenda:
    """Return one’s own agenda from a day on, on its clock, and leave the trace of a list (SEC-9).

    `names`: titles name the person too, where there is room for one line only.
    """
    zone = ZoneInfo(schedule.zone)
    start = dt.datetime.combine(first, dt.time(), zone)
    end = dt.datetime.combine(first + dt.timedelta(days=days), dt.time(), zone)
    mine = _participations(user, start, end)
    taken = _occupations(schedule.key, start, end, but=[one.appointment_id for one in mine])
    proposals = _proposals(taken)
    entries = look_many(user, {one.dossier_id for one in [*mine, *proposals.values()]}, via=via)
    labels = _absences(schedule, taken)
    clock = _Clock(schedule.zone, names)
    events = [_appointment(one, entries.get(one.dossier_id), clock) for one in mine]
    events += [_taken(one, labels, proposals, entries, clock) for one in taken]
    traces.record_account(user=user, action="lecture", object_kind="agenda", count=len(mine), via=via)
    return OwnAgenda(schedule, events, _open_days(schedule, start, end, clock))


def durations_of(user) -> dict[str, int]:
    """Return {code: minutes} of the kinds of appointments that this account offers (« Réglages »)."""
    return dict(ServiceType.objects.filter(schedule__user=user).values_list("code", "minutes"))


def _participations(user, start: dt.datetime, end: dt.datetime) -> list[Participation]:
    shown = Q(appointment__merged_into=None) & ~Q(appointment__status=STATUS.ERROR) & ~Q(status=ANSWER.DECLINED)
    when = Q(appointment__starts_at__lt=end, appointment__ends_at__gt=start)
    rows = Participation.objects.filter(shown & when & still_asked(), user=user)
    rows = rows.select_related("appointment__structure")
    return list(rows.order_by("appointment__starts_at", "pk"))


def still_asked() -> Q:
    """Of who left the circle, what was over that day: the condition of a participation, as the feed's (feeds.py)."""
    stays = Period.objects.filter(member=OuterRef("member"))
    there = stays.filter(Q(ends_on=None) | Q(ended_at__gte=OuterRef("appointment__ends_at")))
    return Q(member=None) | Q(Exists(there))


def _occupations(key: UUID, start: dt.datetime, end: dt.datetime, *, but: Iterable[UUID]) -> list[Occupation]:
    rows = clashes([key], start, end).exclude(source__in=list(but))
    return list(rows.order_by("starts_at", "pk"))


def _proposals(taken: list[Occupation]) -> dict[UUID, Proposal]:
    """Return {id: proposal} of what is held."""
    held = [one.source for one in taken if one.kind == KIND.HOLD]
    return Proposal.objects.select_related("appointment").in_bulk(held) if held else {}


def _absences(schedule: Schedule, taken: list[Occupation]) -> dict[UUID, Absence]:
    sources = {one.source for one in taken if one.kind == KIND.ABSENCE}
    return Absence.objects.filter(schedule=schedule.pk).in_bulk(sources) if sources else {}


class _Clock:
    """The clock of the agenda: what it shows at an instant. `names`: whether titles name the person."""

    def __init__(self, zone: str, names: bool) -> None:
        self.name, self.names, self._zone = zone, names, ZoneInfo(zone)

    def wall(self, instant: dt.datetime) -> dt.datetime:
        return instant.astimezone(self._zone).replace(tzinfo=None)


def _appointment(mine: Participation, entry: Entry | None, clock: _Clock) -> Event:
    """Return an appointment of one’s own; of a dossier that is closed now, the time alone."""
    one = mine.appointment
    starts, ends = clock.wall(one.starts_at), clock.wall(one.ends_at)
    if entry is None:
        return Event(starts, ends, "Rendez-vous", week.BUSY, kind="Occupé", all_day=one.all_day)
    person = person_of(entry)
    return Event(
        starts,
        ends,
        f"{title_of(one)}, {person}" if clock.names else title_of(one),
        look_of(one),
        kind=one.get_kind_display(),
        icon=ICONS.get(one.kind, "calendar3"),
        url=address("agenda:appointment", one.dossier_id, one.pk),
        second=", ".join(filter(None, [person, one.place, elsewhere(one, clock.name)])),
        source=one.structure.name if one.structure else "",
        tags=_tags(mine),
        all_day=one.all_day,
    )


def title_of(appointment: Appointment) -> str:
    """Return the words of an appointment for who may read it."""
    return appointment.title or service_types.label_of(appointment.service_type) or appointment.get_kind_display()


def look_of(appointment: Appointment) -> str:
    """Return how it is drawn: dashed until it is confirmed, hatched once it takes no time."""
    if appointment.status in (STATUS.PROPOSED, STATUS.PENDING):
        return week.PROPOSED
    if appointment.status in (STATUS.CANCELLED, STATUS.NOSHOW):
        return week.BUSY
    return week.MEETING if appointment.kind == Appointment.Kind.MEETING else week.APPOINTMENT


def person_of(entry: Entry) -> str:
    """Return the name of the person for who may read it."""
    return entry.dossier.full_name if entry.access.can_read(Rubrique.IDENTITE) else HIDDEN_NAME


def elsewhere(appointment: Appointment, zone: str) -> str:
    """Return what the clock of the appointment shows, when it is another one; "" else."""
    if appointment.zone == zone or appointment.all_day:
        return ""
    there = appointment.starts_at.astimezone(ZoneInfo(appointment.zone))
    return f"{there:%H:%M}, {said(appointment.zone).lower()}"


def _tags(mine: Participation) -> tuple[tuple[str, str], ...]:
    one = mine.appointment
    if one.status in Appointment.LIVE and mine.status == ANSWER.NEEDS_ACTION:
        return (("Attend votre réponse", "att"),)
    return (TAGS[STATUS(one.status)],) if one.status in TAGS else ()


def _taken(
    one: Occupation,
    absences: dict[UUID, Absence],
    proposals: dict[UUID, Proposal],
    entries: dict[UUID, Entry],
    clock: _Clock,
) -> Event:
    starts, ends = clock.wall(one.starts_at), clock.wall(one.ends_at)
    if one.kind == KIND.ABSENCE:
        return _absence(starts, ends, absences.get(one.source))
    if one.kind == KIND.HOLD:
        return _hold(starts, ends, proposals.get(one.source), entries)
    title, kind = TAKEN[KIND(one.kind)]
    return Event(starts, ends, title, week.BUSY, kind=kind, icon="slash-circle")


def _absence(starts: dt.datetime, ends: dt.datetime, absence: Absence | None) -> Event:
    if absence is None:
        return Event(starts, ends, "Absence", week.BUSY, icon="slash-circle")
    url = address("mon_agenda:change_absence", absence.pk)
    return Event(
        starts, ends, absence.label or "Absence", week.BUSY, kind="Absence", icon="slash-circle", url=url,
        all_day=absence.all_day,
    )  # fmt: skip


def _hold(starts: dt.datetime, ends: dt.datetime, proposal: Proposal | None, entries: dict[UUID, Entry]) -> Event:
    entry = entries.get(proposal.dossier_id) if proposal else None
    second = f"{title_of(proposal.appointment)}, {person_of(entry)}" if proposal and entry else ""
    return Event(starts, ends, "Créneau proposé", week.PROPOSED, icon="clock", second=second)


def _open_days(schedule: Schedule, start: dt.datetime, end: dt.datetime, clock: _Clock) -> list[OpenDay]:
    """Return the days when something is open, each with its hours; those that follow and are alike told once."""
    rows = OpenTime.objects.filter(key=schedule.key, starts_at__lt=end, ends_at__gt=start).order_by("starts_at", "pk")
    days: dict[dt.date, OpenDay] = {}
    for row in rows:
        starts, ends = clock.wall(row.starts_at), clock.wall(row.ends_at)
        day = days.setdefault(starts.date(), OpenDay(starts.date(), starts.date()))
        day.hours.append(f"{starts:%H:%M} à\u00a0{ends:%H:%M}")
    told: list[OpenDay] = []
    for day in days.values():
        before = told[-1] if told else None
        if before and before.hours == day.hours and before.until + dt.timedelta(days=1) == day.date:
            told[-1] = replace(before, until=day.until)
        else:
            told.append(day)
    return told
