"""Who calls the API (SEC-24): the software of a structure with the professional who acts, or a person's own program.

`authenticate` is what the engine is given by the setting FHIR_AUTHENTICATOR. Everything is read from the database at
each call: a revocation, a suspended account, a profession no longer confirmed hold at the next one (SECT-7). Sessions
are never looked at: no cookie calls the API. See docs/decisions/2026-11-29-fhir-callers.md.
"""

from __future__ import annotations

import datetime as dt
import re
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils import timezone

from coordination.common import declaring
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Forbidden, Refused, Unauthenticated
from coordination.fhir.throttling import count
from habilitations import bearers, secrets
from habilitations.kin import same_structures
from habilitations.models import Outcome, PersonalToken, SoftwareClient
from habilitations.traces import OWN_PROGRAM, Via, address_of, record_account, via_request

# The national identification of a professional (idNat_PS), as the directory and the guide name it.
NATIONAL_ID_SYSTEM = "urn:oid:1.2.250.1.71.4.2.1"
ACTING_HEADER = "Acting-Professional"
CALL = "appel"
# The mark of the last use is written at most so often.
USED_EVERY = dt.timedelta(minutes=1)
_REFUSALS = frozenset({401, 403, 404, 429})
_NATIONAL_ID = re.compile(r"[0-9A-Z/-]{8,30}")

NOBODY_CALLS = "Cet appel ne dit pas qui le fait : un jeton d’accès est attendu (Authorization: Bearer)."
OPENS_NOTHING = "Ce jeton d’accès n’ouvre rien : il est inconnu, terminé ou révoqué."
NOBODY_ACTS = (
    f"Cet appel ne dit pas pour quel professionnel il est fait : l’en-tête {ACTING_HEADER} est attendu "
    f"({NATIONAL_ID_SYSTEM}|identifiant national)."
)
# The same words for who is unknown here and for who is not of the structure.
NOT_HERE = "Ce professionnel n’agit pas par ce logiciel : pas de compte ouvert, confirmé dans cette structure."


def authenticate(request: HttpRequest, beside: str = "", id: UUID | None = None) -> Caller:
    """Return who calls. One SQL statement, and one that writes once a minute.

    `beside`: what a provider asks of a row in the same statement (`registry.Provider.beside`); what it found is in the
    memo of the call of a software, under ("beside", id).

    Raises Unauthenticated (401), Forbidden (403) and Throttled (429); each refusal is in the journal.
    """
    try:
        return _authenticate(request, beside, id)
    except Refused:
        record_account(user=None, action=CALL, outcome=Outcome.REFUSED, object_kind="api", via=via_request(request))
        raise


def record_call(caller: Caller, *, kind: str, count: int | None = None, status: int = 200) -> None:
    """Write in the journal a call that entered no dossier: what it asked about, how many were found.

    `kind`: the FHIR type. `status`: of the answer. Calls that enter dossiers leave their trace in each, by the door.
    Given to the engine by the setting FHIR_RECORDER.
    """
    record_account(
        user=caller.user,
        action=CALL,
        outcome=Outcome.OK if status < 400 else Outcome.REFUSED if status in _REFUSALS else Outcome.FAILED,
        object_kind=kind[:30],
        count=count,
        via=caller.via or Via(),
    )


def _authenticate(request: HttpRequest, beside: str, id: UUID | None) -> Caller:
    given = request.headers.get("Authorization", "")
    scheme, _, token = given.partition(" ")
    if not given or scheme.lower() != "bearer":
        raise Unauthenticated(NOBODY_CALLS)
    token = token.strip()
    # Before it is known to hold: the same statement reads the dossier that the call names.
    declaring.declare_holder("token", token)
    if secrets.looks_like(secrets.CLIENT_TOKEN, token):
        return _software(request, token, beside, id)
    if secrets.looks_like(secrets.PERSONAL_TOKEN, token):
        return _person(request, token)
    raise _unknown(request)


def _unknown(request: HttpRequest) -> Unauthenticated:
    """Count who tries tokens, and say that this one opens nothing."""
    declaring.withdraw("token")
    count(f"unknown:{address_of(request)}", settings.FHIR_CALLS_PER_MINUTE)
    return Unauthenticated(OPENS_NOTHING)


# ---- A software -------------------------------------------------------------------------------------------------


def _software(request: HttpRequest, token: str, beside: str, id: UUID | None) -> Caller:
    said = request.headers.get(ACTING_HEADER, "").strip()
    national_id = said.removeprefix(f"{NATIONAL_ID_SYSTEM}|")
    named = national_id if _NATIONAL_ID.fullmatch(national_id) else ""
    found = bearers.software(secrets.hashed(token), named, beside=beside, id=id)
    if found is None:
        raise _unknown(request)
    owner = f"client:{found.id}"
    count(owner, settings.FHIR_CALLS_PER_MINUTE)
    if not said:
        raise Unauthenticated(NOBODY_ACTS)
    if len(found.people) != 1:
        raise Forbidden(NOT_HERE)
    _mark_used(SoftwareClient, found.id, found.last_used_at)
    return Caller(
        user=found.people[0],
        owner=owner,
        scopes=frozenset(found.scopes),
        via=via_request(request, found.name),
        name=found.name,
        client_id=str(found.id),
        structure_id=found.structure_id,
        memo={("beside", id): found.beside} if beside else {},
    )


def of_one_house(structure_id: UUID) -> list[UUID]:
    """Return a structure, the entries found to be the same one, and the places of its legal entity.

    A software is often connected to the hospital (FINESS juridique) whose people practise in its places, or the other
    way round. Two SQL statements; `bearers` asks the same of one professional.
    """
    same = same_structures(structure_id)
    structures = apps.get_model("directory.Structure").objects
    numbers: set[str] = set()
    for finess, finess_ej, kind in structures.filter(pk__in=same).values_list("finess", "finess_ej", "kind"):
        numbers.add(finess if kind == "ej" else finess_ej)
    numbers.discard("")
    if not numbers:
        return same
    entity = structures.filter(Q(finess_ej__in=numbers) | Q(finess__in=numbers, kind="ej"))
    return [*same, *entity.values_list("pk", flat=True)]


# ---- A person ---------------------------------------------------------------------------------------------------


def _person(request: HttpRequest, token: str) -> Caller:
    found = bearers.person(secrets.hashed(token))
    if found is None:
        raise _unknown(request)
    owner = f"user:{found.user.pk}"
    count(owner, settings.FHIR_CALLS_PER_MINUTE)
    _mark_used(PersonalToken, found.id, found.last_used_at)
    return Caller(
        user=found.user,
        owner=owner,
        scopes=frozenset(found.scopes),
        via=via_request(request, OWN_PROGRAM),
        name=found.name,
    )


def _mark_used(model: type[Model], id: UUID, last: dt.datetime | None) -> None:
    now = timezone.now()
    if last is None or last < now - USED_EVERY:
        model._default_manager.filter(pk=id).update(last_used_at=now)
