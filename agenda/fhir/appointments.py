"""Appointment: an event of a person’s agenda, or a time taken of a professional’s (flux 4b, 5b, 6a, 6b)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from agenda import service_types
from agenda.actions import sent_events
from agenda.actions.common import rubric_of
from agenda.actions.sent_events import Attending, Origin, Wanted
from agenda.errors import AnswersForHimself, AppointmentUnknown
from agenda.fhir import appointment_building as building
from agenda.fhir import appointment_codes as codes
from agenda.fhir import appointment_entries as entries
from agenda.fhir import appointment_parameters as parameters
from agenda.fhir import appointment_people as people
from agenda.fhir import appointment_reading as reading
from agenda.fhir import appointment_slots as slots
from agenda.fhir.received import ReceivedTimes
from agenda.models import Appointment, Participation, Reader, ServiceType
from coordination.dossiers.door import Entry
from coordination.fhir import keeping, literal
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content
from coordination.fhir.outcomes import ERROR, Conflict, Invalid, Issue, Unknown, VersionConflict
from coordination.fhir.registry import CREATE, READ, SEARCH, UPDATE, Param, Provider, Resource

STATUS = Appointment.Status
DEFAULT_MINUTES = 30


class Appointments(Provider):
    key: ClassVar[str] = "agenda.appointment"
    type: ClassVar[str] = "Appointment"
    profile: ClassVar[str] = codes.PROFILE
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE})
    conditional_update = True
    documentation = (
        "Un rendez-vous de l’agenda d’une personne, ou du temps pris d’un professionnel. « proposed » est une "
        "demande : ceux qui n’ont pas répondu sont sollicités. « booked » est pris ailleurs : il occupe le temps "
        "sans rien refuser, sauf s’il nomme un créneau libre (slot), où le premier arrivé l’emporte (409). Rien ne se "
        "supprime : un rendez-vous s’annule par son statut. "
        "PUT Appointment?identifier=système|valeur crée ou remplace."
    )
    sorts: ClassVar[dict[str, str]] = {"date": "starts_at", "start": "starts_at", "_lastUpdated": "changed_at"}
    params = parameters.of_appointment(None)

    # ---- Reading ---------------------------------------------------------------------------------------------------

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return parameters.with_moments(Appointment.objects.filter(entries.found_by(caller)))

    def params_of(self, caller: Caller) -> Mapping[str, Param]:
        return parameters.of_appointment(caller)

    def has(self, caller: Caller, id: UUID) -> bool:
        return Appointment.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        found = entries.seen(caller, ids)
        known = [appointment.pk for appointment, _ in found]
        attending, sent = building.People(known), keeping.kept(self.type, known)
        return {
            appointment.pk: building.finished(appointment, entry, attending, sent.get(appointment.pk))
            for appointment, entry in found
        }

    # ---- Writing ---------------------------------------------------------------------------------------------------

    def takes(self, resource: Resource) -> bool:
        """One about a person; without one, it is time taken of a professional (`received.ReceivedTimes`)."""
        return any(_is_a_person(one) for one in resource.get("participant", []))

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        named = people.named(caller, resource)
        _require_ours(named)
        dossier_id = _dossier_of(named)
        try:
            entry = entries.enter_to_write(caller, dossier_id, rubric=rubric_of(codes.kind_said(resource)))
        except Unknown:
            raise _person_unknown(people.patients_of(named)[0].rank) from None
        if there := _sent_already(caller, entry, resource):
            return there
        wanted = _wanted(caller, entry, resource, named)
        if _is_numbered(entry, wanted.asked.identifier):
            # By an event that he may not see: his own is found by what he sent, and nothing tells of the other.
            wanted.asked.identifier = ("", "")
        with _told(wanted):
            made = sent_events.receive_appointment(entry, wanted.asked, origin=origin_of(caller), creation_key=key)
        keeping.keep(self.type, made.pk, _kept(resource, dossier_id))
        return made.pk

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        dossier_id, kind = _place_of(id)
        invited = Participation.objects.filter(appointment=id, user=caller.user.pk).exists()
        entry = entries.enter_to_write(caller, dossier_id, invited=invited, rubric=rubric_of(kind))
        found = entries.seen(caller, [id])
        if not found:
            raise Unknown
        sent = keeping.kept(self.type, [id]).get(id)
        there = building.People([id])
        current = building.finished(*found[0], there, sent)
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        if same_content(current, resource):
            # What was read is sent back: nothing to write.
            return
        named = people.named(caller, resource)
        _require_ours(named)
        if {one.id for one in people.patients_of(named)} - {dossier_id}:
            raise Invalid("Un rendez-vous ne change pas de personne.", expression="Appointment.participant")
        attending = Participation.objects.filter(appointment=id).values_list("key", flat=True)
        wanted = _wanted(caller, entry, resource, named, current, attending)
        try:
            with _told(wanted):
                sent_events.update_received(
                    entry, id, wanted.asked, origin=origin_of(caller), changes=wanted.changed
                )  # fmt: skip
        except AppointmentUnknown:
            raise Unknown from None
        unseen = building.unseen(entry, sent, there.of.get(id, ()))
        keeping.keep(self.type, id, unseen | _kept(resource, dossier_id))


APPOINTMENTS = (Appointments(), ReceivedTimes())


def origin_of(caller: Caller) -> Origin:
    """Return which software sends, as screens name it: its name and its structure, or a person’s own program."""
    if caller.owner.startswith("partner:"):
        return Origin(caller.owner, caller.name[:200], is_elsewhere=True)
    if caller.client_id:
        return Origin(caller.owner, caller.name[:200], caller.structure_id)
    return Origin(caller.owner, "", None)


class _Asked:
    """What is asked, and which columns are said otherwise than they were read."""

    def __init__(self, asked: Wanted, changed: list[str], ranks: Mapping[int, int]) -> None:
        self.asked, self.changed, self.ranks = asked, changed, ranks


def _wanted(
    caller: Caller,
    entry: Entry,
    resource: Resource,
    named: Sequence[people.Named],
    current: Resource | None = None,
    attending: Iterable[UUID] = (),
) -> _Asked:
    """`attending`: whose time it takes already, which whoever may change it may leave taken."""
    new = [id for id in slots.named(resource) if current is None or id not in slots.named(current)]
    status, finer = codes.state_said(resource["status"])
    booked = slots.booked(caller, resource, new) if status in Appointment.LIVE else None
    if booked:
        answer = Participation.Status.ACCEPTED if status == STATUS.BOOKED else Participation.Status.NEEDS_ACTION
        named = slots.with_actors(named, booked, answer)
    attendance = people.found(caller, entry, named, booked={*attending, *(booked.keys if booked else ())})
    said = reading.words(resource)
    starts_at, ends_at = reading.times(resource, now=timezone.now(), minutes=_minutes(resource, attendance.people))
    if booked:
        starts_at, ends_at = booked.start, booked.end
        said["service_type"] = said["service_type"] or booked.service_type
    said |= {"starts_at": starts_at, "ends_at": ends_at, "place": attendance.place[:300]}
    reason, note = codes.reason_said(resource) if status == STATUS.CANCELLED else ("", "")
    declared_at = reading.instant(resource["created"], "Appointment.created") if "created" in resource else None
    asked = Wanted(
        said=said, status=status, finer=finer, people=attendance.people, cancel_reason=reason,
        cancel_note=note[: reading.NOTE], declared_at=declared_at,
        identifier=_identifier(resource), kind=codes.kind_said(resource), books=booked is not None,
    )  # fmt: skip
    ranks = {rank: attendance.ranks[one.key] for rank, one in enumerate(attendance.people)}
    if current is None:
        said["zone"] = settings.TIME_ZONE
        return _Asked(asked, [], ranks)
    before = reading.words(current)
    before |= {
        name: reading.instant_or_none(current.get(of)) for name, of in (("starts_at", "start"), ("ends_at", "end"))
    }
    before["place"] = _place_in(current)
    changed = [name for name, value in said.items() if value != before[name]]
    if starts_at is None and status in (STATUS.CANCELLED, STATUS.PROPOSED):
        # A cancellation may say nothing of the time that it had (app-3).
        changed = [name for name in changed if name not in ("starts_at", "ends_at")]
    return _Asked(asked, changed, ranks)


def _identifier(resource: Resource) -> tuple[str, str]:
    system, value = codes.identifier_said(resource)
    if max(len(system), len(value)) > 200:
        raise Invalid(Issue(ERROR, "too-long", "200 caractères au plus.", "Appointment.identifier"))
    return system, value


def _place_in(resource: Resource) -> str:
    """Return the place that a resource of ours tells in words, among its participants."""
    for one in resource.get("participant", []):
        actor = one.get("actor") or {}
        if actor.get("type") == "Location" and "reference" not in actor and "identifier" not in actor:
            return str(actor.get("display", ""))
    return ""


def _minutes(resource: Resource, attending: Sequence[Attending]) -> int:
    """Return how long such an appointment lasts: as the agenda of who attends says, else as it usually does."""
    code = codes.type_said(resource)
    if "requestedPeriod" not in resource or not code:
        return DEFAULT_MINUTES
    keys = [one.key for one in attending]
    found = ServiceType.objects.filter(code=code, schedule__key__in=keys).values_list("minutes", flat=True).first()
    return found or service_types.every()[code].minutes


def _is_a_person(participant: Resource) -> bool:
    """Say whether a person of ours may be meant: an absolute reference, whatever type it says, is to another server.

    (Those to this one were made relative before.)
    """
    actor = participant.get("actor") or {}
    reference = str(actor.get("reference", ""))
    if literal.is_address(reference):
        return False
    return "Patient" in (actor.get("type"), literal.type_of(reference))


def _require_ours(named: Sequence[people.Named]) -> None:
    """Refuse a person who is none of ours: her name and her number have no place in the agenda of another. Invalid."""
    for one in named:
        if one.type == "Patient" and one.id is None:
            raise _person_unknown(one.rank)


def _dossier_of(named: Sequence[people.Named]) -> UUID:
    found = {one.id for one in people.patients_of(named)}
    if len(found) > 1:
        what = "Un rendez-vous concerne une seule personne accompagnée."
        raise Invalid(Issue(ERROR, "business-rule", what, "Appointment.participant"))
    id = found.pop() if found else None
    if id is None:
        raise _person_unknown(0)
    return id


def _person_unknown(rank: int) -> Invalid:
    return Invalid(Issue(ERROR, "not-found", "Ce patient n’existe pas.", f"Appointment.participant[{rank}].actor"))


def _place_of(id: UUID) -> tuple[UUID, str]:
    found = Appointment.objects.filter(pk=id).values_list("dossier_id", "kind").first()
    if found is None:
        raise Unknown
    return found


def _sent_already(caller: Caller, entry: Entry, resource: Resource) -> UUID | None:
    """Return the appointment that this caller already sent under this identifier, saying the same (REL-7).

    Raises Conflict when the identifier is there, saying something else. Of those that he may see: the others are none
    that he may learn of.
    """
    system, value = codes.identifier_said(resource)
    if not value:
        return None
    seen = Appointment.objects.seen_in([Reader.of(entry)], sender=caller.owner).values("pk")
    rows = Appointment.objects.filter(Q(pk__in=seen) | Q(merged_into__in=seen), dossier_id=entry.dossier.pk)
    there = rows.filter(parameters.named(system, value)).values_list("pk", "sender").first()
    if there is None:
        return None
    kept = keeping.kept("Appointment", [there[0]]).get(there[0])
    if there[1] == caller.owner and kept and same_content(kept.content, _kept(resource, entry.dossier.pk)):
        return there[0]
    raise Conflict("Un rendez-vous porte déjà cet identifiant : PUT Appointment?identifier= le met à jour.")


def _is_numbered(entry: Entry, identifier: tuple[str, str]) -> bool:
    """Say whether an event of this dossier has this identifier. One SQL statement, none for no identifier."""
    system, value = identifier
    rows = Appointment.objects.filter(dossier_id=entry.dossier.pk, identifier_system=system, identifier_value=value)
    return bool(value) and rows.exists()


def _kept(resource: Resource, dossier_id: UUID) -> Resource:
    """Return what is kept of a resource: the person by her id here, and never by her INS."""

    def told(one: Resource) -> Resource:
        if not _is_a_person(one):
            return one
        actor = {name: value for name, value in one["actor"].items() if name in ("display",)}
        return one | {"actor": {"reference": f"Patient/{dossier_id}"} | actor}

    return resource | {"participant": [told(one) for one in resource.get("participant", [])]}


@contextmanager
def _told(wanted: _Asked):
    """Tell a refusal of an answer by the participant that it speaks of."""
    try:
        yield
    except AnswersForHimself as refusal:
        at = f"Appointment.participant[{wanted.ranks[refusal.rank]}].status"
        raise Invalid(Issue(ERROR, refusal.issue, refusal.message, at)) from None
