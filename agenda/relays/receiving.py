"""Asking a partner what it took of somebody’s time: his appointments (flux 4b), and when he is busy (flux 4a).

An appointment is written by the engine of the API, as if the partner had sent it, for whose agenda it is: in the
dossier of the person when he may write there, else as time taken and nothing more. What left from here is recognised
(GAP-96).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agenda.actions.received import replace_busy
from agenda.fhir import appointment_codes as codes
from agenda.models import Appointment, Schedule
from agenda.relays import leaving
from agenda.relays.senders import senders_of
from circle.relays import names
from circle.relays.bundles import Known
from coordination.common.errors import DomainError
from coordination.directory.models import Professional
from coordination.fhir import checking, conditional, references, writing
from coordination.fhir.callers import Caller
from coordination.fhir.formats import Resource
from coordination.fhir.outcomes import Refused
from coordination.partners.client import NATIONAL_ID_SYSTEM, Asked
from coordination.partners.errors import NothingToRelay
from coordination.partners.models import Partner, Relay, RelayedId
from habilitations.traces import Via

BEHIND, AHEAD = dt.timedelta(days=1), dt.timedelta(days=90)
EVERYTHING: Final = frozenset({"user/*.crus"})
DAY: Final = dt.timedelta(days=1)
PAGE: Final = "100"
# What is read of one answer: a page, and what it includes.
MOST: Final = 1000
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
# Numbers by which a person is looked for here: hers of the INS, and those that this installation gave.
_PATIENTS: Final = ("urn:oid:1.2.250.1.213.1.4.",)


class Receiving:
    label = "Demande des rendez-vous pris chez un partenaire"

    def prepare(self, relay: Relay) -> Asked:
        number = _number(relay)
        form = (
            ("actor:Practitioner.identifier", number), *_window("date"), ("_include", "Appointment:patient"),
            ("_include", "Appointment:actor"), ("_count", PAGE),
        )  # fmt: skip
        return Asked(path="Appointment/_search", form=form, acting=number.partition("|")[2])

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        found = _resources(answer)
        theirs = {name: one for name, one in found.items() if one["resourceType"] == "Appointment"}
        known = _known(relay.partner, theirs)
        number = _number(relay)
        for name, one in theirs.items():
            made, digest = known.get(name, (False, ""))
            if made or digest == leaving.digest_of(one) or not _is_readable(one) or _is_ours(one):
                continue
            whole = _at_home(relay.partner, one, found)
            # An answer about others than whom it was asked for is not his to write.
            if any(_names(said, number) for said in whole["participant"]):
                _write(relay, one, whole)
        return False


class ReceivingSlots:
    label = "Demande des créneaux pris chez un partenaire"

    def prepare(self, relay: Relay) -> Asked:
        number = _number(relay)
        form = (
            ("schedule.actor:Practitioner.identifier", number), ("status", "busy"), *_window("start"),
            ("_count", PAGE),
        )  # fmt: skip
        return Asked(path="Slot/_search", form=form, acting=number.partition("|")[2])

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        schedule = _schedule(relay)
        slots = [one for one in _resources(answer).values() if one["resourceType"] == "Slot"]
        busy = [span for one in slots if one.get("status") == "busy" and (span := _span(one))]
        replace_busy(relay.partner_id, schedule.key, busy)
        return False


def _schedule(relay: Relay) -> Schedule:
    found = Schedule.objects.filter(pk=relay.object_id, user=relay.asked_by_id).first()
    if found is None:
        raise NothingToRelay
    return found


def _number(relay: Relay) -> str:
    """Return by which number he is known everywhere. Raises NothingToRelay for who has none."""
    found = Professional.objects.filter(pk=_schedule(relay).key).values_list("national_id", flat=True).first()
    if not found:
        raise NothingToRelay("Cette personne n’a pas d’identifiant national : son agenda ne se demande pas.")
    return f"{NATIONAL_ID_SYSTEM}|{found}"


def _window(name: str) -> tuple[tuple[str, str], ...]:
    now = timezone.now().replace(microsecond=0)
    return (name, f"ge{(now - BEHIND).isoformat()}"), (name, f"le{(now + AHEAD).isoformat()}")


def _caller(relay: Relay) -> Caller:
    partner = relay.partner
    return Caller(
        user=relay.asked_by, owner=f"partner:{partner.pk}", scopes=EVERYTHING, via=Via(software=partner.name),
        name=partner.name,
    )  # fmt: skip


def _resources(answer: Resource) -> dict[str, Resource]:
    """Return {Type/id: resource} of a searchset. Raises NothingToRelay for another answer."""
    if answer.get("resourceType") != "Bundle" or answer.get("type") != "searchset":
        raise NothingToRelay("La réponse du partenaire n’est pas celle d’une recherche.")
    entries = answer.get("entry")
    found = {}
    for entry in entries[:MOST] if isinstance(entries, list) else ():
        one = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(one, dict) and isinstance(one.get("resourceType"), str) and _is_an_id(one.get("id")):
            found[f"{one['resourceType']}/{one['id']}"] = one
    return found


def _is_an_id(said: Any) -> bool:
    return isinstance(said, str) and _ID.fullmatch(said) is not None


def _span(slot: Resource) -> tuple[dt.datetime, dt.datetime] | None:
    """Return when a slot is, None for what cannot be read, says no offset, or is far from what was asked."""
    try:
        start, end = dt.datetime.fromisoformat(slot["start"]), dt.datetime.fromisoformat(slot["end"])
    except (KeyError, TypeError, ValueError):
        return None
    if start.tzinfo is None or end.tzinfo is None:
        return None
    now = timezone.now()
    near = now - BEHIND - DAY <= start < end <= now + AHEAD + DAY
    return (start, end) if near else None


def _known(partner: Partner, theirs: Mapping[str, Resource]) -> dict[str, tuple[bool, str]]:
    """Return {name there: (whether it made it from ours, what was last read of it)}. One SQL statement."""
    ids = [one["id"] for one in theirs.values()]
    rows = RelayedId.objects.filter(partner=partner, resource_type="Appointment", remote_id__in=ids)
    return {f"Appointment/{row.remote_id}": (row.made, row.digest) for row in rows}


def _is_readable(appointment: Resource) -> bool:
    """Say whether what is read here of a resource has the shape of FHIR; what else it says is checked when written."""
    people, named = _dicts(appointment.get("participant")), appointment.get("identifier", [])
    actors = [one.get("actor", {}) for one in people]
    return (
        bool(actors)
        and all(isinstance(one, dict) and isinstance(one.get("reference", ""), str) for one in actors)
        and _dicts(named) == named
        and isinstance(appointment.get("meta", {}), dict)
    )


def _dicts(said: Any) -> list[Resource]:
    """Return a list of elements, empty for anything else."""
    return said if isinstance(said, list) and all(isinstance(one, dict) for one in said) else []


def _names(participant: Resource, number: str) -> bool:
    """Say whether one who attends is the professional of this number ("system|value")."""
    said = participant.get("actor", {}).get("identifier")
    return isinstance(said, dict) and f"{said.get('system')}|{said.get('value')}" == number


def _is_ours(appointment: Resource) -> bool:
    systems = {one.get("system") for one in _dicts(appointment.get("identifier"))}
    return settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT in systems


def _write(relay: Relay, appointment: Resource, whole: Resource) -> None:
    """Write one appointment of the partner, whole or not at all; what our rules refuse of one is not of the others.

    `whole`: as it is said here. What is refused is undone, and leaves its trace (SEC-13).
    """
    partner = relay.partner
    # What is said of who is nobody here is not kept.
    attempts = [whole] if any(_may_be_ours(one) for one in whole["participant"]) else []
    for resource in (*attempts, _without_person(whole)):
        caller = _caller(relay)
        try:
            with transaction.atomic():
                checking.require_sound(resource)
                if _is_of_another(caller, partner, resource):
                    return
                key = _key(partner, appointment)
                written = writing.update_matching(caller, _condition(resource), resource, key=key)
        except (Refused, DomainError):
            # Of a person whose dossier is not open to him, it is his time and nothing more.
            for say in caller.afterwards.values():
                say()
            continue
        if isinstance(written.id, UUID):
            name = f"Appointment/{written.id}"
            version = str((appointment.get("meta") or {}).get("versionId", ""))[:64]
            told = Known(appointment["id"][:64], version, made=False, digest=leaving.digest_of(appointment))
            names.keep(partner, {name: told})
        return


def _is_of_another(caller: Caller, partner: Partner, resource: Resource) -> bool:
    """Say whether the event of this identifier was entered here, or sent by another: no partner changes it.

    Raises as a search.
    """
    there = conditional.matching(caller, "Appointment", _condition(resource))
    found = Appointment.objects.filter(pk=there[1]).values_list("sender", flat=True).first() if there else None
    return found is not None and found not in senders_of(partner)


def _key(partner: Partner, appointment: Resource) -> UUID:
    return uuid5(NAMESPACE_URL, f"{partner.pk} Appointment/{appointment['id']}")


def _condition(resource: Resource) -> str:
    system, value = codes.identifier_said(resource)
    said = "".join(f"\\{sign}" if sign in "\\|,$" else sign for sign in value)
    return urlencode([("identifier", f"{system}|{said}" if system else said)])


def _at_home(partner: Partner, appointment: Resource, beside: Mapping[str, Resource]) -> Resource:
    """Return the appointment as it is said here: original identifiers, and whom it names by his numbers (GAP-98)."""
    content = {name: value for name, value in appointment.items() if name not in ("id", "meta", "text", "slot")}
    if not codes.identifier_said(content)[1]:
        content["identifier"] = [{"system": f"{partner.base_url}/Appointment", "value": appointment["id"]}]
    content["participant"] = [_participant(partner, one, beside) for one in appointment.get("participant", [])]
    return references.rewritten(content, lambda said: _elsewhere(partner, said))


def _participant(partner: Partner, one: Resource, beside: Mapping[str, Resource]) -> Resource:
    actor = one.get("actor") or {}
    found = references.literal(actor.get("reference", ""), partner.base_url)
    if found is None:
        return one
    display = {"display": actor["display"]} if actor.get("display") else {}
    identifier = _number_of(beside.get("/".join(found), {}))
    told: dict[str, Any] = {"reference": f"{partner.base_url}/{'/'.join(found)}"}
    if identifier:
        told = {"type": found[0], "identifier": identifier}
    return one | {"actor": told | display}


def _number_of(resource: Resource) -> Resource:
    """Return the number by which a resource of the partner may be known here, {} for none."""
    identifiers = _dicts(resource.get("identifier"))
    said = [one for one in identifiers if isinstance(one.get("system"), str) and one.get("value")]
    wanted: tuple[str, ...] = {
        "Patient": (*_PATIENTS, settings.FHIR_IDENTIFIER_SYSTEM_PATIENT), "Practitioner": (NATIONAL_ID_SYSTEM,),
        "RelatedPerson": (settings.FHIR_IDENTIFIER_SYSTEM_MEMBER,),
    }.get(resource.get("resourceType", ""), ())  # fmt: skip
    for one in said:
        if wanted and one["system"].startswith(wanted):
            return {"system": one["system"], "value": one["value"]}
    return {}


def _elsewhere(partner: Partner, said: str) -> str | None:
    """An id of the partner is of its server."""
    found = references.literal(said, "")
    return f"{partner.base_url}/{'/'.join(found)}" if found else None


def _without_person(resource: Resource) -> Resource:
    """Return it without the person: she is not to be known here, and the time is his all the same."""
    kept = [one for one in resource["participant"] if not _is_a_person(one)]
    words = ("description", "comment", "reasonCode", "supportingInformation", "patientInstruction", "extension")
    return {name: value for name, value in resource.items() if name not in words} | {"participant": kept}


def _may_be_ours(one: Resource) -> bool:
    actor = one.get("actor") or {}
    return actor.get("type") == "Patient" and "identifier" in actor


def _is_a_person(one: Resource) -> bool:
    actor = one.get("actor") or {}
    return actor.get("type") in ("Patient", "RelatedPerson") or "/Patient/" in str(actor.get("reference", ""))
