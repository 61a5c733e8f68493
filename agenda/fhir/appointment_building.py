"""Appointment, as a reader may see it: what was sent of it put back where it still says the same. SQL in constant
number, whatever the number of appointments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from agenda.actions.attending import ANSWER, NEED
from agenda.fhir import appointment_codes as codes
from agenda.fhir import appointment_reading as reading
from agenda.fhir.appointment_entries import is_shown
from agenda.models import Appointment, Participation
from circle.models import Member
from coordination.common.prepared import among
from coordination.directory.models import Activity
from coordination.dossiers.door import Entry
from coordination.fhir import french, literal
from coordination.fhir.finishing import stamped, with_sent
from coordination.fhir.keeping import Sent
from coordination.fhir.references import literal as local
from coordination.fhir.search.values import uuid_of

Resource = dict[str, Any]
# What others sent that may name somebody, be it in words or by whose free time it took: for who sees the whole circle,
# and all those who attend (rule 7).
WITHHELD: Final = frozenset({"contained", "text", "extension", "modifierExtension", "reasonReference", "slot"})


class People:
    """Who attends some appointments, and where the professionals among them practise. Two SQL statements."""

    def __init__(self, ids: Iterable[UUID]) -> None:
        rows = Participation.objects.filter(appointment__in=among(list(ids)))
        self.of: dict[UUID, list[Participation]] = {}
        for row in rows.select_related("member__professional", "member__structure", "room", "user").order_by("pk"):
            self.of.setdefault(row.appointment_id, []).append(row)
        self.roles = _roles([row for rows in self.of.values() for row in rows])

    def role_of(self, row: Participation) -> UUID | None:
        """Return the id of the PractitionerRole of a professional of the directory: where he practises, else his."""
        if row.member and row.member.activity_id:
            return row.member.activity_id
        professional = professional_of(row)
        return self.roles.get(professional, professional) if professional else None


def professional_of(row: Participation) -> UUID | None:
    """Return the directory’s professional who attends, None for anybody else."""
    if row.member:
        return row.member.professional_id
    names = (uuid_of(token.removeprefix("Practitioner/")) for token in row.actor.split())
    if named := next(filter(None, names), None):
        return named
    # An account that is no member of this circle: its key is its professional, when it has one.
    return row.key if row.user_id and row.key != row.user_id else None


def _roles(rows: Sequence[Participation]) -> dict[UUID, UUID]:
    asked = {found for row in rows if (found := professional_of(row)) and not (row.member and row.member.activity_id)}
    if not asked:
        return {}
    works = Activity.objects.active().filter(professional__in=among(list(asked))).order_by("-pk")
    return dict(works.values_list("professional_id", "pk"))


def finished(appointment: Appointment, entry: Entry, people: People, kept: Sent | None) -> Resource:
    """Return the Appointment for who has entered its dossier, with its `meta`."""
    rows = people.of.get(appointment.pk, [])
    whole = entry.access.sees_whole_circle
    content = _given_back(appointment, kept, whole=_sees_all(entry, rows))
    built = _built(appointment, content)
    sent = content.pop("participant", [])
    attending = [one for row in rows if is_shown(entry, row) for one in _told(row, people, whole=whole)]
    attending += _beside(appointment, rows)
    participants, same = _as_sent(attending, sent)
    if not same:
        content.pop("text", None)
    resource = with_sent(built, content, reading.SAYS, {})
    resource = {name: value for name, value in resource.items() if name != "participant"}
    resource["participant"] = participants
    moments = [appointment.changed_at, kept.at if kept else None]
    return stamped(resource, content, profiles=[codes.PROFILE], at=moments)


def _sees_all(entry: Entry, rows: Iterable[Participation]) -> bool:
    return entry.access.sees_whole_circle and all(is_shown(entry, row) for row in rows)


def unseen(entry: Entry, kept: Sent | None, rows: Iterable[Participation]) -> Resource:
    """Return what was sent and is not told to this reader: he does not take it away either. `rows`: who attends."""
    if kept is None or _sees_all(entry, rows):
        return {}
    return {name: value for name, value in kept.content.items() if name in WITHHELD}


def _given_back(appointment: Appointment, kept: Sent | None, *, whole: bool) -> Resource:
    if kept is None:
        return {}
    content = dict(kept.content)
    if not whole:
        content = {name: value for name, value in content.items() if name not in WITHHELD}
    stands = (appointment.starts_at, appointment.ends_at) == tuple(
        reading.instant_or_none(content.get(name)) for name in ("start", "end")
    )
    if not stands and appointment.starts_at is not None and "start" in content:
        for name in reading.OF_A_TIME:
            content.pop(name, None)
    return content


def identifier(appointment: Appointment) -> Resource:
    """Return by what an event is known: the identifier that its software gave it, else ours."""
    system, value = appointment.identifier_system, appointment.identifier_value
    if value:
        return {"system": system, "value": value} if system else {"value": value}
    return {"system": settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT, "value": str(appointment.pk)}


def _built(appointment: Appointment, content: Resource) -> Resource:
    said: Resource = {
        "resourceType": "Appointment",
        "id": str(appointment.pk),
        # One sent under a number that another event has is known by it to its readers, and has it in no column.
        "identifier": [identifier(appointment)]
        if appointment.identifier_value
        else content.get("identifier") or [identifier(appointment)],
        "status": codes.state_of(appointment.status, appointment.finer_status),
    }
    if appointment.cancel_reason:
        said["cancelationReason"] = codes.reason_of(appointment.cancel_reason, appointment.cancel_note)
    said["serviceCategory"] = codes.kind_of(appointment.kind)
    if types := codes.type_of(appointment.service_type):
        said["serviceType"] = types
    if appointment.reason:
        said["reasonCode"] = [{"text": appointment.reason}]
    if appointment.title:
        said["description"] = appointment.title
    zone = ZoneInfo(appointment.zone)
    if appointment.starts_at and appointment.ends_at:
        said["start"] = appointment.starts_at.astimezone(zone).isoformat()
        said["end"] = appointment.ends_at.astimezone(zone).isoformat()
        said["minutesDuration"] = max(1, round((appointment.ends_at - appointment.starts_at).total_seconds() / 60))
    made = appointment.declared_at or appointment.created_at
    said["created"] = made.astimezone(zone).isoformat(timespec="seconds")
    if appointment.comment:
        said["comment"] = appointment.comment
    return said


def _told(row: Participation, people: People, *, whole: bool) -> list[Resource]:
    """Return the entries of one who attends: two for a professional, with the same answer (GAP-90)."""
    said = {"required": row.need, "status": row.status}
    return [{"actor": actor} | said for actor in _actors(row, people, whole=whole)]


def _actors(row: Participation, people: People, *, whole: bool) -> list[Resource]:
    if row.is_the_person:
        return [french.reference("Patient", row.dossier_id)]
    if row.room:
        # No resource of its own: a screen declares it, a screen takes it away (sent_events).
        return [{"type": "Location", "display": row.room.name}]
    display = row.member.display_name if row.member else row.label or (row.user.get_full_name() if row.user else "")
    named = {"display": display} if display else {}
    if row.member and row.member.kind == Member.Kind.AIDANT:
        return [french.reference("RelatedPerson", row.member.pk) | named]
    if row.member and not row.member.professional_id:
        return [french.reference(name, row.member.pk) | named for name in ("Practitioner", "PractitionerRole")]
    actors = [_of_token(token, whole=whole) | named for token in row.actor.split()]
    if professional := professional_of(row):
        types = {one.get("type") or literal.type_of(one.get("reference")) for one in actors}
        if "Practitioner" not in types:
            actors.insert(0, french.reference("Practitioner", professional) | named)
        if "PractitionerRole" not in types:
            actors.append(french.reference("PractitionerRole", people.role_of(row) or professional) | named)
    return actors or [{"display": display or "Participant"}]


def _of_token(token: str, *, whole: bool) -> Resource:
    if token.startswith("?"):
        type_name, system, value = (unquote(part) for part in token[1:].split("|"))
        identifier = {"system": system, "value": value} if system else {"value": value}
        return ({"type": type_name} if type_name else {}) | {"identifier": identifier}
    # What it contains is withheld from who sees a reduced circle, and then leads nowhere.
    return {} if token.startswith("#") and not whole else {"reference": token}


def _beside(appointment: Appointment, rows: Sequence[Participation]) -> list[Resource]:
    """Return who is told of without attending: the person whose agenda it is, and a place in words."""
    told: list[Resource] = []
    if not any(row.is_the_person for row in rows):
        person = french.reference("Patient", appointment.dossier_id)
        told.append({"actor": person, "required": NEED.INFORMATION.value, "status": ANSWER.ACCEPTED.value})
    if appointment.place:
        place = {"type": "Location", "display": appointment.place}
        told.append({"actor": place, "required": NEED.REQUIRED.value, "status": ANSWER.ACCEPTED.value})
    return told


def name_of(participant: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what tells participants apart: whom it names, the answer, and whether he is needed."""
    actor = participant.get("actor") or {}
    identifier = actor.get("identifier") or {}
    said = actor.get("reference", "")
    found = local(said, "")
    who = "/".join(found) if found else said
    if not who and identifier.get("value"):
        who = f"{actor.get('type', '')}|{identifier.get('system', '')}|{identifier['value']}"
    return who or f"{actor.get('display', '')}", participant.get("required", NEED.REQUIRED), participant["status"]


def _as_sent(attending: Sequence[Resource], sent: Sequence[Resource]) -> tuple[list[Resource], bool]:
    """Return who attends, each as he was sent while that still says the same; and whether all of it does."""
    known: dict[tuple[str, ...], Resource] = {name_of(one): one for one in sent}
    now = {name_of(one): one for one in attending}
    same = known.keys() <= now.keys()
    order = [*known, *(name for name in now if name not in known)] if same else list(now)
    return [known.get(name, now[name]) for name in order if name in now], same
