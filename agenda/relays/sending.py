"""Sending to a partner an event (flux 6a, 6b) or an agenda with its availabilities (flux 2, 3): as it is now.

With the rights of who changed it as they are when it leaves (SECT-7); a discreet member never leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists

from agenda.fhir import appointment_building as building
from agenda.models import Appointment, Participation, Reader, Schedule
from agenda.models.appointments import discreet_sources
from agenda.relays import concerned, leaving
from circle.relays import names
from circle.relays.bundles import Known
from coordination.directory.models import Professional
from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.models import Dossier, IdentityStatus
from coordination.fhir import keeping, registry
from coordination.fhir.callers import Caller
from coordination.fhir.formats import Resource
from coordination.partners.client import NATIONAL_ID_SYSTEM, Asked
from coordination.partners.errors import CallFailed, NothingToRelay
from coordination.partners.models import Partner, Relay
from habilitations.access import hat_of
from habilitations.rubriques import Rubrique
from habilitations.traces import Via, record_account

EVERYTHING = frozenset({"user/*.crus"})


class SendingAppointment:
    label = "Envoi d’un rendez-vous"

    def prepare(self, relay: Relay) -> Asked | None:
        """The partner is asked for it by its identifier, original or ours: created there, or brought up to date."""
        content, entry = self._content(relay)
        if content is None:
            return None
        digest = leaving.digest_of(content)
        name = f"Appointment/{relay.object_id}"
        before = names.known_to(relay.partner, [name]).get(name)
        if before and before.digest == digest:
            # What came from there, or was sent already (GAP-96).
            return None
        if entry is None:
            record_account(
                user=relay.asked_by, action="annulation", object_kind="appointment", object_id=relay.object_id,
                via=Via(software=relay.partner.name),
            )  # fmt: skip
        else:
            entry.trace("export", rubrique=Rubrique.AGENDA, reason=f"Envoi au partenaire {relay.partner.name}")
        return Asked(
            path="Appointment", method="PUT", query=leaving.condition(content), resource=content, whole=True,
            acting=hat_of(relay.asked_by).national_id, memo=digest,
        )  # fmt: skip

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        _keep(relay.partner, f"Appointment/{relay.object_id}", answer, asked.memo)
        # What changes from now on waits, and finds this relay done; what changed meanwhile is sent once more.
        list(Appointment.objects.select_for_update(of=("self",)).filter(pk=relay.object_id))
        content, _ = self._content(relay)
        return content is not None and leaving.digest_of(content) != asked.memo

    def _content(self, relay: Relay) -> tuple[Resource | None, Entry | None]:
        """Return the event as it may leave, and the entry of its dossier; nothing of one that is shown no more.

        For a partner that it concerns no more, what calls it off, without entering the dossier: of it nothing leaves.
        """
        there = Appointment.objects.filter(pk=relay.object_id).first()
        if there is None:
            raise NothingToRelay
        if not concerned.is_concerned(relay.partner, there):
            return _farewell(relay.partner, there), None
        place = there.dossier_id
        entry = door.look(relay.asked_by, place, via=Via(software=relay.partner.name))
        seen = Appointment.objects.seen_in([Reader.of(entry)]).filter(pk=relay.object_id)
        found = seen.exclude(pk__in=_hidden(relay.object_id)).first()
        if found is None:
            return None, None
        people = building.People([found.pk])
        people.of = {
            pk: [row for row in rows if not (row.member_id and row.member.discreet)] for pk, rows in people.of.items()
        }
        sent = keeping.kept("Appointment", [found.pk]).get(found.pk)
        resource = building.finished(found, entry, people, sent)
        known = names.known_to(relay.partner, leaving.named_in(resource))
        return leaving.leaving(resource, known, _identifiers(entry.dossier, leaving.named_in(resource))), entry


def _farewell(partner: Partner, appointment: Appointment) -> Resource | None:
    """Return what calls an event off at a partner that made it from ours, None for any other."""
    name = f"Appointment/{appointment.pk}"
    told = names.known_to(partner, [name]).get(name)
    if told is None or not told.made or not concerned.is_to_come(appointment):
        return None
    theirs = Participation.objects.filter(
        appointment=appointment,
        member__discreet=False,
        member__activity__structure__in=partner.structures.values("pk"),
    )
    numbers = theirs.exclude(member__professional__national_id="").order_by("pk")
    people = [
        {"system": NATIONAL_ID_SYSTEM, "value": one}
        for one in numbers.values_list("member__professional__national_id", flat=True)
        if one
    ]
    return leaving.farewell(building.identifier(appointment), people)


def _hidden(appointment_id: UUID) -> Any:
    """The event, when a discreet member or his structure entered it (rule 7)."""
    return Appointment.objects.filter(Exists(discreet_sources()), pk=appointment_id).values("pk")


def _identifiers(dossier: Dossier | None, named: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return by which number each may be known there. One SQL statement."""
    named = list(named)
    found = {}
    people = [name.partition("/")[2] for name in named if name.startswith("Practitioner/")]
    for pk, number in Professional.objects.filter(pk__in=people).values_list("pk", "national_id"):
        if number:
            found[f"Practitioner/{pk}"] = {"system": NATIONAL_ID_SYSTEM, "value": number}
    for name in named:
        type_name, _, id = name.partition("/")
        if type_name == "RelatedPerson":
            found[name] = {"system": settings.FHIR_IDENTIFIER_SYSTEM_MEMBER, "value": id}
    if dossier is not None:
        found[f"Patient/{dossier.pk}"] = _number_of(dossier)
    return found


def _number_of(dossier: Dossier) -> dict[str, str]:
    if dossier.ins_matricule and dossier.identity_status == IdentityStatus.QUAL:
        return {"system": f"urn:oid:{dossier.ins_oid}", "value": dossier.ins_matricule}
    return {"system": settings.FHIR_IDENTIFIER_SYSTEM_PATIENT, "value": str(dossier.pk)}


def _keep(partner: Partner, name: str, answer: Resource, digest: str) -> None:
    id = str(answer.get("id", ""))[:64]
    if answer.get("resourceType") != name.partition("/")[0] or not id:
        raise CallFailed("La réponse du partenaire n’est pas la ressource envoyée.", retry=True, status=200)
    version = str((answer.get("meta") or {}).get("versionId", ""))[:64]
    before = names.known_to(partner, [name]).get(name)
    # What it had by itself stays its own, and goes on being read there.
    made = before.made if before else True
    names.keep(partner, {name: Known(id, version, made, digest)})


class SendingSchedule:
    label = "Envoi d’un agenda"

    def prepare(self, relay: Relay) -> Asked | None:
        """Created by its identifier, then replaced by the id that the partner gave: rules, never a list of slots."""
        content = self._content(relay)
        if content is None:
            return None
        name = f"Schedule/{relay.object_id}"
        there = names.known_to(relay.partner, [name]).get(name)
        digest = leaving.digest_of(content)
        acting = hat_of(relay.asked_by).national_id
        if there is None:
            return Asked(
                path="Schedule", resource=content, whole=True, if_none_exist=leaving.condition(content), acting=acting,
                memo=(digest, False),
            )  # fmt: skip
        if there.digest == digest:
            return None
        whole = {"resourceType": "Schedule", "id": there.remote_id} | content
        return Asked(
            path=f"Schedule/{there.remote_id}", method="PUT", resource=whole, whole=True, acting=acting,
            memo=(digest, True),
        )  # fmt: skip

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        digest, replaced = asked.memo
        # One found there by its identifier is not what was sent: it is still to be replaced.
        same = replaced or _says(answer, asked.resource or {})
        _keep(relay.partner, f"Schedule/{relay.object_id}", answer, digest if same else "")
        list(Schedule.objects.select_for_update(of=("self",)).filter(pk=relay.object_id))
        content = self._content(relay)
        return content is not None and (not same or leaving.digest_of(content) != digest)

    def _content(self, relay: Relay) -> Resource | None:
        caller = Caller(
            user=relay.asked_by, owner=f"partner:{relay.partner_id}", scopes=EVERYTHING,
            via=Via(software=relay.partner.name), name=relay.partner.name,
        )  # fmt: skip
        found = registry.by_key("agenda.schedule").load(caller, [relay.object_id]).get(relay.object_id)
        if found is None:
            return None
        named = leaving.named_in(found)
        return leaving.leaving(found, names.known_to(relay.partner, named), _identifiers(None, named))


def _says(answer: Resource, sent: Resource) -> bool:
    return all(answer.get(name) == sent.get(name) for name in ("extension", "planningHorizon", "active"))
