"""What the agenda of a person tells elsewhere.

On the home page of her dossier, what comes next and what others changed; in Patients, when the reader is next asked to
be there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from agenda import history
from agenda.events import local
from agenda.models import Appointment, AppointmentChange, Participation, Reader
from agenda.own import still_asked
from agenda.service_types import label_of
from agenda.week import Event
from coordination.common.addresses import address
from coordination.common.french import near_date
from coordination.common.prepared import Prepared, each_of
from coordination.common.statements import ids_in_one
from coordination.dossiers.panels import Card, News, Summary
from habilitations.rubriques import Rubrique

CARD_SHOWN, NEWS_SHOWN = 3, 10


def url_of(dossier_id: UUID) -> str:
    return address("agenda:list", dossier_id)


def meetings_url(dossier_id: UUID) -> str:
    return address("reunions:list", dossier_id)


def card(entry) -> Card:
    """Return the card of the home page. facts: events [{day, hours, title, second}], the next first. One statement."""
    shape, values = _told(Reader.of(entry))
    rows = _next.tuples(*shape, **values, now=timezone.now())
    return Card(
        rubrique=Rubrique.AGENDA,
        title="Prochains rendez-vous" if len(rows) > 1 else "Prochain rendez-vous",
        template="agenda/_card.html",
        url=url_of(entry.dossier.pk),
        facts={"events": [_line(*row) for row in rows]},
    )


def _line(kind: str, starts_at, ends_at, zone: str, all_day: bool, title: str, service: str, place: str) -> dict:
    starts, ends = local(starts_at, zone), local(ends_at, zone)
    words = title or label_of(service) or Appointment.Kind(kind).label
    hours = Event(starts, ends, words, all_day=all_day).hours
    return {"day": near_date(starts.date()), "hours": hours, "title": words, "second": place}


def next_of_his(user, dossier_ids: Sequence[UUID], for_another: frozenset[UUID] = frozenset()) -> dict[UUID, Summary]:
    """Return when the reader is next asked to be there, in each dossier, for the file active. One statement.

    He attends: he sees it whatever the matrix says (rule 6), where he acts for another too. By its type, not by the
    title somebody typed: a list is read over a shoulder.
    """
    if not dossier_ids:
        return {}
    rows = _his_next.tuples(user_id=user.pk, now=timezone.now(), dossiers=ids_in_one(dossier_ids))
    return {dossier_id: Summary(main=_said_short(*row)) for dossier_id, *row in rows}


def _said_short(kind: str, starts_at: dt.datetime, zone: str, all_day: bool, service: str) -> str:
    """Return "jeu. 03/12 à 14:00, visite à domicile" on the clock of its place."""
    starts = local(starts_at, zone)
    day = "aujourd’hui" if starts.date() == timezone.localdate() else near_date(starts.date())
    hour = "" if all_day else f" à\u00a0{starts:%H:%M}"
    words = label_of(service) or Appointment.Kind(kind).label
    return f"{day}{hour}, {words[:1].lower()}{words[1:]}"


def news(entry, since: dt.datetime) -> list[News]:
    """Return what others changed in the events that this reader sees, since a moment. One SQL statement."""
    reader = Reader.of(entry)
    if not (reader.reads_agenda or reader.reads_meetings):
        return []
    shape, values = _told(reader)
    rows = _changes.tuples(*shape, entry.access.sees_whole_circle, **values, since=since)
    lines = [history.said(*row) for row in rows]
    return [News(at=line.at, icon=line.icon, sentence=line.sentence) for line in lines]


def _told(reader: Reader) -> tuple[tuple[bool, ...], dict[str, UUID]]:
    """Return what changes the statement for this reader, and what only changes its values."""
    values = {"dossier_id": reader.dossier_id, "user_id": reader.user_id}
    values |= {f"house_{rank}": house for rank, house in enumerate(reader.houses)}
    if reader.other_id:
        values["other_id"] = reader.other_id
    return (reader.reads_agenda, reader.reads_meetings, reader.knows_discreet), values


def _seen(shape: tuple[bool, ...], values: dict[str, UUID]) -> QuerySet:
    houses = tuple(values[name] for name in sorted(values) if name.startswith("house_"))
    reader = Reader(values["dossier_id"], values["user_id"], values.get("other_id"), houses, *shape)
    return Appointment.objects.seen_by(reader)


def _next_events(*shape: bool, now: dt.datetime, **values: UUID) -> QuerySet:
    return _seen(shape, values).upcoming(now).values_list(
        "kind", "starts_at", "ends_at", "zone", "all_day", "title", "service_type", "place"
    )[:CARD_SHOWN]  # fmt: skip


def _next_asked_to(*, user_id: UUID, now: dt.datetime, dossiers: str) -> QuerySet:
    asked = Participation.objects.filter(still_asked(), user=user_id, dossier_id__in=each_of(dossiers))
    asked = asked.exclude(status=Participation.Status.DECLINED).filter(
        appointment__merged_into=None, appointment__status__in=Appointment.LIVE, appointment__ends_at__gt=now
    )
    asked = asked.order_by("dossier_id", "appointment__starts_at", "appointment_id").distinct("dossier_id")
    return asked.values_list(
        "dossier_id", "appointment__kind", "appointment__starts_at", "appointment__zone", "appointment__all_day",
        "appointment__service_type",
    )  # fmt: skip


def _changes_by_others(*shape: bool, since: dt.datetime, **values: UUID) -> QuerySet:
    *sees, knows_circle = shape
    visible = _seen(tuple(sees), values).filter(pk=OuterRef("appointment_id"))
    changes = AppointmentChange.objects.filter(Exists(visible), dossier_id=values["dossier_id"], at__gt=since)
    changes = changes.exclude(by=values["user_id"]).order_by("-at", "-id")
    shown = history.told(changes, values["user_id"], knows_circle=knows_circle, knows_discreet=sees[-1])
    return shown[:NEWS_SHOWN]


_next = Prepared(_next_events, one_plan=True)
_his_next = Prepared(_next_asked_to)
_changes = Prepared(_changes_by_others, one_plan=True)
