"""What a token opens and whom it names, in one statement: read here, decided in `habilitations.clients`.

Asked by every call of the API. Nothing of it is kept from one call to the next (SECT-7).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.prepared import Prepared
from coordination.common.statements import rows
from habilitations.kin import KIN_STEP
from habilitations.models import ActingFor, EmergencyAccess, PersonalToken

# All that a call needs to know of an account; never its password.
_KNOWN = {"id", "email", "family_name", "given_name", "sort_name", "title", "is_administrator", "is_active"}
_USER = [field.attname for field in User._meta.concrete_fields if field.attname in _KNOWN]
_USER_COLUMNS = ", ".join(f'u."{User._meta.get_field(name).column}"' for name in _USER)

# The houses of a software are those of `clients.of_one_house`, asked from the few structures of the professional and
# not from the many of a hospital.
_OF_SOFTWARE = f"""
WITH RECURSIVE software AS MATERIALIZED (
    SELECT t.scopes, c.id, c.name, c.structure_id, c.last_used_at
    FROM habilitations_clienttoken t JOIN habilitations_softwareclient c ON c.id = t.client_id
    WHERE t.token_hash = %(hash)s AND t.expires_at > %(now)s AND c.revoked_at IS NULL
), kin (id) AS (
    SELECT structure_id FROM software
    UNION
    {KIN_STEP}
), entity AS MATERIALIZED (
    SELECT CASE WHEN s.kind = 'ej' THEN s.finess ELSE s.finess_ej END AS number
    FROM kin JOIN directory_structure s ON s.id = kin.id
), acting AS (
    SELECT v.user_id FROM habilitations_vouchedprofession v
    WHERE v.national_id = %(national_id)s AND v.national_id <> '' AND v.ended_at IS NULL AND EXISTS (
        SELECT 1 FROM (
            SELECT v.structure_id AS id
            UNION ALL
            SELECT a.structure_id FROM directory_attachment a WHERE a.user_id = v.user_id
            UNION ALL
            SELECT d.structure_id FROM habilitations_delegate d WHERE d.user_id = v.user_id AND d.ended_at IS NULL
            UNION ALL
            SELECT y.structure_id FROM directory_attachment a
            JOIN directory_activity y ON y.professional_id = a.professional_id AND y.ceased_at IS NULL
            WHERE a.user_id = v.user_id
        ) his JOIN directory_structure s ON s.id = his.id
        WHERE s.id IN (SELECT id FROM kin)
            OR s.finess_ej IN (SELECT number FROM entity WHERE number <> '')
            OR s.kind = 'ej' AND s.finess IN (SELECT number FROM entity WHERE number <> '')
    )
)
SELECT software.*, EXISTS (
    SELECT 1 FROM habilitations_actingfor f
    WHERE f.substitute_id = u.id AND f.ended_at IS NULL AND f.accepted_at IS NOT NULL
), EXISTS (
    SELECT 1 FROM habilitations_emergencyaccess e
    WHERE e.user_id = u.id AND e.closed_at IS NULL AND e.ends_at > now()
), {_USER_COLUMNS}{{columns}}
FROM software LEFT JOIN (acting JOIN accounts_user u ON u.id = acting.user_id AND u.is_active) ON TRUE{{beside}}
"""  # noqa: S608 - our own names
_LAST = 7 + len(_USER)
_ID = 7 + _USER.index("id")


@dataclass(frozen=True, slots=True)
class Software:
    """A software whose token is good, and the accounts that answer to the number it named: one, or it may not act."""

    scopes: list[str]
    id: UUID
    name: str
    structure_id: UUID
    last_used_at: dt.datetime | None
    people: tuple[Any, ...]
    # The lines of what was asked beside, for the one person who acts.
    beside: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A person whose token is good."""

    id: UUID
    name: str
    scopes: list[str]
    last_used_at: dt.datetime | None
    user: Any


def software(token_hash: str, national_id: str, *, beside: str = "", id: UUID | None = None) -> Software | None:
    """Return the software a token was given to, None when it opens nothing. One SQL statement.

    `people`: the open accounts confirmed under `national_id` in one of its houses; "" names nobody. `beside`: what a
    room asks of the row %(id)s for the account `u`, read in the same statement (`Provider.beside`).
    """
    said = {"hash": token_hash, "now": timezone.now(), "national_id": national_id}
    found = rows(_asked(beside), said | {"id": id} if beside else said)
    if not found:
        return None
    people = {line[_ID]: line for line in found if line[_ID] is not None}
    users = tuple(_user(line[7:_LAST], *line[5:7]) for line in people.values())
    return Software(*found[0][:5], people=users, beside=tuple(line[_LAST:] for line in found) if beside else ())


@cache
def _asked(beside: str) -> str:
    more = f"\nLEFT JOIN LATERAL ({beside}) beside ON TRUE" if beside else ""
    return _OF_SOFTWARE.format(columns=", beside.*" if beside else "", beside=more)


def _alive(*, token_hash: str, today: dt.date) -> Any:
    acting = ActingFor.objects.filter(substitute=OuterRef("user_id"), ended_at=None, accepted_at__isnull=False)
    emergency = EmergencyAccess.objects.running().filter(user=OuterRef("user_id"))
    told = PersonalToken.objects.alive(today).filter(token_hash=token_hash)
    told = told.annotate(acts=Exists(acting), runs=Exists(emergency))
    return told.values_list(
        "id", "name", "scopes", "last_used_at", "acts", "runs", *(f"user__{name}" for name in _USER)
    )


_people = Prepared(_alive, one_plan=True)


def person(token_hash: str) -> Person | None:
    """Return the person a token is of, None when it opens nothing. One SQL statement."""
    found = _people.tuples(token_hash=token_hash, today=timezone.localdate())
    if not found:
        return None
    return Person(*found[0][:4], user=_user(found[0][6:], *found[0][4:6]))


def _user(values: tuple[Any, ...], acts: bool, runs: bool) -> Any:
    """Return the account, knowing as one of a session does what need not be looked for (`access.comes_by_himself`)."""
    user = User.from_db(connection.alias, _KNOWN, values)
    user.acts_for_others, user.runs_emergency = acts, runs
    return user
