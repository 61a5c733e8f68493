"""The events of a person’s agenda as one reader sees them, ready to be drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from agenda import naming, week, zones
from agenda.actions.merging import told_of
from agenda.doubles import pairs
from agenda.models import AgendaConsent, Appointment, KeptApart, Participation
from agenda.own import title_of
from agenda.week import Event
from coordination.common.addresses import address
from coordination.common.french import long_date

KIND, STATUS = Appointment.Kind, Appointment.Status
LOOKS = {
    KIND.APPOINTMENT: week.APPOINTMENT, KIND.VISIT: week.APPOINTMENT, KIND.MEETING: week.MEETING,
    KIND.ABSENCE: week.BUSY, KIND.HOSPITAL: week.BUSY,
}  # fmt: skip
ICONS = {
    KIND.APPOINTMENT: "calendar3", KIND.VISIT: "house-heart", KIND.MEETING: "people", KIND.ABSENCE: "slash-circle",
    KIND.HOSPITAL: "building",
}  # fmt: skip
TAGS = {
    STATUS.PROPOSED: "att", STATUS.PENDING: "att", STATUS.CANCELLED: "auc", STATUS.FULFILLED: "ok",
    STATUS.NOSHOW: "refus",
}  # fmt: skip
LEGEND = [
    (week.APPOINTMENT, "calendar3", "Rendez-vous, intervention"),
    (week.MEETING, "people", "Réunion"),
    (week.BUSY, "slash-circle", "Absence, hospitalisation"),
    (week.PROPOSED, "clock", "À confirmer"),
]


def with_people(entry, appointments: QuerySet) -> QuerySet:
    """Return events of this dossier with what their rows are drawn from: two SQL statements in all."""
    # The dossier too: which server (SCALE-4).
    people = Participation.objects.filter(dossier=entry.dossier).select_related("room").order_by("pk")
    return appointments.select_related("structure", "created_by", "series", "room").prefetch_related(
        Prefetch("participations", queryset=people)
    )


def shown(entry, appointments: Iterable[Appointment]) -> list[Event]:
    """Return these events, read `with_people`, as this reader sees them. One SQL statement for the names."""
    appointments = list(appointments)
    everyone = [one for appointment in appointments for one in appointment.participations.all()]
    names = naming.names_of(entry, everyone)
    return [event_of(entry, appointment, names) for appointment in appointments]


def event_of(entry, appointment: Appointment, names: dict[UUID, str]) -> Event:
    """Return one event on the clock of its place."""
    starts, ends = local(appointment.starts_at, appointment.zone), local(appointment.ends_at, appointment.zone)
    waits = appointment.status in (STATUS.PROPOSED, STATUS.PENDING)
    return Event(
        starts=starts,
        ends=ends,
        title=title_of(appointment),
        look=week.PROPOSED if waits else LOOKS[appointment.kind],
        kind=appointment.get_kind_display(),
        icon=ICONS[appointment.kind],
        url=address("agenda:appointment", appointment.dossier_id, appointment.pk),
        second=" · ".join(filter(None, _facts(appointment, names))),
        source=source_of(entry, appointment),
        tags=_tags(appointment),
        all_day=appointment.all_day,
    )


def hours_of(appointment: Appointment) -> str:
    """Return "mardi 8 décembre 2026, 10:00 à 11:00" on the clock of its place; "" without a time."""
    if appointment.starts_at is None:
        return ""
    starts, ends = local(appointment.starts_at, appointment.zone), local(appointment.ends_at, appointment.zone)
    return f"{long_date(starts)}, {Event(starts, ends, '', all_day=appointment.all_day).hours}"


def local(instant: dt.datetime, zone: str) -> dt.datetime:
    """Return what the clock of a place shows, without zone."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _facts(appointment: Appointment, names: dict[UUID, str]) -> Iterable[str]:
    yield naming.in_words(appointment.participations.all(), names)
    yield appointment.get_modality_display()
    yield appointment.room.name if appointment.room else ""
    yield appointment.place
    yield "se répète" if appointment.series_id and not appointment.detached else ""


def source_of(entry, appointment: Appointment) -> str:
    """Return who says so: « SSIAD Exemple », « Saisi par X », « Reçu de Y » (AGD-1)."""
    author = "vous" if appointment.created_by_id == entry.user.pk else _author(entry, appointment)
    if appointment.on_behalf:
        return f"Saisi par {author} au nom de la personne"
    if appointment.received_from:
        # « Reçu de Agenda en ligne (SSIAD Exemple) »
        return f"Reçu de {appointment.received_from}"
    return appointment.structure.name if appointment.structure_id else f"Saisi par {author}"


def _author(entry, appointment: Appointment) -> str:
    """Return who entered it; who sees a reduced circle knows the name of who invites him and no other (rule 7)."""
    if entry.access.sees_whole_circle or any(one.user_id == entry.user.pk for one in appointment.participations.all()):
        return appointment.created_by.get_full_name()
    return "un membre du cercle"


def _tags(appointment: Appointment) -> tuple[tuple[str, str], ...]:
    tags = []
    if appointment.status in TAGS:
        tags.append((appointment.get_status_display(), TAGS[appointment.status]))
    if appointment.zone != settings.TIME_ZONE:
        tags.append((zones.said(appointment.zone), "plain"))
    return tuple(tags)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two events that look like one: joined, the first is kept."""

    kept_id: UUID
    other_id: UUID
    kept: Event
    other: Event


def doubles(entry, appointments: Sequence[Appointment], events: Sequence[Event]) -> list[Pair]:
    """Return those of a page that may be the same event told twice. One SQL statement when there are any."""
    live = [one for one in appointments if one.status in Appointment.LIVE and one.starts_at]
    told = [told_of(one, one.participations.all()) for one in live]
    if not pairs(told):
        return []
    apart = KeptApart.objects.filter(dossier_id=entry.dossier.pk).values_list("first_id", "second_id")
    by_id = {one.pk: event for one, event in zip(appointments, events, strict=True)}
    return [Pair(one, other, by_id[one], by_id[other]) for one, other in pairs(told, apart)]


def consent_of(entry) -> AgendaConsent | None:
    """Return the agreement that stands, None when events of other structures are hidden. One SQL statement."""
    return AgendaConsent.objects.in_force().filter(dossier_id=entry.dossier.pk).first()
