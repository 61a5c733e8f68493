"""cds-ihe-careteam: the circle of a person (CDS-18 to 26)."""

from __future__ import annotations

from collections.abc import Iterator

from coordination.fhir import literal
from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import CDS, Value, between, doubtful, each, needs, wrong

CANONICAL = f"{CDS}cds-ihe-careteam"
MEMBERS = ("PractitionerRole", "RelatedPerson", "Organization")


def check(circle: Value, path: str = "CareTeam") -> Iterator[Issue]:
    """Yield what the profile refuses. `meta` is the server's: it is not asked of the client (CDS-29)."""
    yield from between(circle, "identifier", path, 1, 1)
    for identifier, where in each(circle, "identifier", path):
        yield from needs(identifier, where, "value")
    yield from needs(circle, path, "status", "name", "subject", "period")
    if "period" in circle:
        yield from needs(circle["period"], f"{path}.period", "start")
    yield from _reference(circle.get("subject", {}), ("Patient",), f"{path}.subject")
    for participant, where in each(circle, "participant", path):
        yield from _participant(participant, where)


def _participant(participant: Value, path: str) -> Iterator[Issue]:
    yield from needs(participant, path, "member")
    yield from _reference(participant.get("member", {}), MEMBERS, f"{path}.member")
    if "period" in participant:
        yield from needs(participant["period"], f"{path}.period", "start")
    else:
        # 0..1 in the profile, 1..1 in the guide's mapping (contradiction 10).
        yield doubtful("Ce membre n’a pas de date d’entrée dans le cercle.", f"{path}.period")


def _reference(reference: Value, allowed: tuple[str, ...], path: str) -> Iterator[Issue]:
    named = literal.type_of(reference.get("reference")) or reference.get("type", allowed[0])
    if reference and named not in allowed:
        expected = " ou ".join(allowed)
        yield wrong("value", f"Cette référence nomme un {named} ; {expected} est attendu.", f"{path}.reference")
