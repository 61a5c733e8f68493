"""What is taken of a partner's circle: who is there today and never was here. Pure.

Nothing is taken away and nobody is changed: two circles of one person are kept by people who know different things.
Whoever is or was in our circle is decided here: who left does not come back because a partner was not told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from circle.relays.bundles import Known, Name, condition_of, full_url, local, name_of, renamed
from coordination.common.text import fold
from coordination.fhir.formats import Resource
from coordination.partners.errors import NothingToRelay

LIVING: Final = frozenset({"proposed", "active", "suspended"})
# What tells who somebody is: a number, or the names of who has none.
Identity = tuple[str, str, str]


@dataclass(frozen=True)
class Received:
    """A partner's circle, and the resources that came with it by their names there."""

    circle: Resource
    beside: Mapping[Name, Resource]

    @property
    def subject(self) -> Name:
        return local((self.circle.get("subject") or {}).get("reference", ""))


@dataclass
class Taken:
    """The transaction to do here, the name there of each of its entries, and whom both circles already had."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    there: list[Name] = field(default_factory=list)
    same: dict[Name, Name] = field(default_factory=dict)


def read(answer: Resource, patient: Resource) -> Received:
    """Return the one living circle of an answer. Raises NothingToRelay, also when the person is not the one asked."""
    if answer.get("resourceType") != "Bundle" or answer.get("type") != "searchset":
        raise NothingToRelay("La réponse du partenaire n’est pas celle d’une recherche.")
    entries = [one for one in answer.get("entry", []) if (one.get("resource") or {}).get("id")]
    circles = [
        one["resource"]
        for one in entries
        if one["resource"].get("resourceType") == "CareTeam" and one["resource"].get("status") in LIVING
    ]
    if not circles:
        raise NothingToRelay("Le partenaire ne montre aucun cercle en cours pour cette personne.")
    if len(circles) > 1:
        raise NothingToRelay("Le partenaire montre plusieurs cercles en cours pour cette personne.")
    received = Received(circles[0], {name_of(one["resource"]): one["resource"] for one in entries})
    subject = received.beside.get(received.subject)
    if subject is None or not same_person(subject, patient):
        raise NothingToRelay("L’identité que donne le partenaire n’est pas celle de ce dossier.")
    return received


def same_person(one: Resource, other: Resource) -> bool:
    """Say whether two Patients are one: a number in common, and the same day of birth and sex."""
    agree = all(one.get(name) == other.get(name) for name in ("birthDate", "gender"))
    return agree and bool(_numbers(one) & _numbers(other))


def taken(
    received: Received,
    here: Iterable[Resource],
    ours: Resource | None,
    *,
    patient: Name,
    called: Mapping[Name, Name],
    today: dt.date,
) -> Taken:
    """Return what to do here.

    `here`: our circle and its people as they are, whoever may see them; `ours`: our circle as the one who asked reads
    it, None when there is none: it is then created with the identifier it has there. `called`: {name there: name
    here} of what was exchanged before. Without entries, nobody comes and nothing is to be done.
    """
    arriving, same = _compared(received, _by_identity(here), called, today)
    if ours is not None and not arriving:
        return Taken(same=same)
    fresh: dict[Name, Resource] = {}
    for _, member in arriving:
        fresh |= {name_of(one): one for one in _led_to(member, received.beside) if name_of(one) not in called}

    def change(said: str) -> str | None:
        name = local(said)
        if name == received.subject:
            return patient
        if name in called:
            return called[name]
        return full_url(f"there/{name}") if name in fresh else ("" if name else None)

    participants = renamed([said for said, _ in arriving], change) if arriving else []
    circle = _circle(received.circle, ours, participants, patient)
    result = Taken([_entry(name_of(received.circle), circle, update=ours is not None)], same=same)
    for name, one in fresh.items():
        content = renamed({key: value for key, value in one.items() if key not in ("id", "meta", "text")}, change)
        result.entries.append(_entry(name, content, update=False))
    result.there = [name_of(received.circle), *fresh]
    return result


def _compared(
    received: Received, known: Mapping[Identity, Name], called: Mapping[Name, Name], today: dt.date
) -> tuple[list[tuple[Resource, Resource]], dict[Name, Name]]:
    """Return the participants who come, each with its member, and {name here: name there} of whom both had."""
    arriving, same = [], {}
    for said in received.circle.get("participant", []):
        member = received.beside.get(local((said.get("member") or {}).get("reference", "")))
        if member is None or not _stands(said, today):
            continue
        name = name_of(member)
        who = next((known[one] for one in _identities(member, received.beside) if one in known), "")
        if who.partition("/")[0] == member["resourceType"]:
            same[who] = name
        elif not who and called.get(name) not in known.values():
            arriving.append((said, member))
    return arriving, same


def names(
    received: Received, done: Taken, answer: Resource | None, *, circle: Name, patient: Name
) -> dict[Name, Known]:
    """Return what the partner calls what is here now: {Type/id here: Known}.

    `answer`: to the transaction, None when nothing was to be done; `circle`: the name of ours, "" when it was made.
    """
    entries = answer["entry"] if answer else []
    written = {there: local(entry["fullUrl"]) for there, entry in zip(done.there, entries, strict=True)}
    theirs = name_of(received.circle)
    circle = circle or written[theirs]
    pairs = done.same | {here: there for there, here in written.items()} | {circle: theirs, patient: received.subject}
    found = {here: Known(there.partition("/")[2], _version(received.beside[there])) for here, there in pairs.items()}
    found[circle] = replace(found[circle], identifier=tuple(received.circle.get("identifier", [])))
    return found


def _entry(name: Name, content: Resource, *, update: bool) -> dict[str, Any]:
    type_name = content["resourceType"]
    if update:
        request = {"method": "PUT", "url": name_of(content), "ifMatch": f'W/"{_version(content)}"'}
    else:
        request = {"method": "POST", "url": type_name}
        if type_name != "CareTeam" and (condition := condition_of(content)):
            request["ifNoneExist"] = condition
    return {"fullUrl": full_url(f"there/{name}"), "resource": content, "request": request}


def _circle(theirs: Resource, ours: Resource | None, arriving: list[Resource], patient: Name) -> Resource:
    if ours is not None:
        return ours | {"participant": [*ours.get("participant", []), *arriving]}
    kept = {name: theirs[name] for name in ("identifier", "status", "name", "period", "category") if name in theirs}
    made = {"resourceType": "CareTeam"} | kept | {"subject": {"reference": patient}}
    return made | ({"participant": arriving} if arriving else {})


def _version(resource: Resource) -> str:
    return str((resource.get("meta") or {}).get("versionId", ""))[:64]


def _stands(participant: Resource, today: dt.date) -> bool:
    """Say whether a participant is there today; a partner's dates are compared as far as they are written."""
    period, day = participant.get("period") or {}, today.isoformat()
    starts, ends = (str(period.get(name, ""))[:10] for name in ("start", "end"))
    return day[: len(starts)] >= starts and (not ends or day[: len(ends)] < ends)


# ---- Who is who ----------------------------------------------------------------------------------------------------


def _by_identity(here: Iterable[Resource]) -> dict[Identity, Name]:
    """Return {who: the member here}, of everybody who is or was in our circle."""
    every = {name_of(one): one for one in here}
    circle: Resource = next((one for one in every.values() if one["resourceType"] == "CareTeam"), {})
    found: dict[Identity, Name] = {}
    for said in circle.get("participant", []):
        member = every.get(local((said.get("member") or {}).get("reference", "")))
        if member is not None:
            found |= {one: name_of(member) for one in _identities(member, every)}
    return found


def _identities(member: Resource, beside: Mapping[Name, Resource]) -> set[Identity]:
    person = member
    if member["resourceType"] == "PractitionerRole":
        person = beside.get(local((member.get("practitioner") or {}).get("reference", "")), {})
    kind = person.get("resourceType", "")
    by_number = {(kind, system, value) for system, value in _numbers(person)}
    if kind == "Practitioner" and by_number or kind not in ("Practitioner", "RelatedPerson"):
        return by_number
    # Typed by hand, each side with a number of its own: the names tell.
    return by_number | {(kind, fold(str(one.get("family", ""))), _given(one)) for one in person.get("name", [])}


def _given(name: Resource) -> str:
    return fold(" ".join(str(one) for one in name.get("given", [])))


def _numbers(resource: Resource) -> set[tuple[str, str]]:
    found = resource.get("identifier", [])
    return {(one["system"], one["value"]) for one in found if one.get("system") and one.get("value")}


def _led_to(member: Resource, beside: Mapping[Name, Resource]) -> Iterator[Resource]:
    """Yield a member and what he needs: the person and the structure of a situation d'exercice, the legal entity."""
    yield member
    for element in ("practitioner", "organization", "partOf"):
        said = member.get(element)
        one = beside.get(local(said.get("reference", ""))) if isinstance(said, dict) else None
        if one is not None and one is not member:
            yield from _led_to(one, beside)
