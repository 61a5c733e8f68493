"""Recording who did what. Append-only: nothing here reads, changes or removes a trace.

`record` is called by the door for every page of a dossier, `record_account` for what happens outside
one. Both write in the caller's transaction, so that a trace that cannot be written makes the act fail
(SEC-13); the door itself records refusals and failures once the act has rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.utils import timezone

from coordination.common import metrics
from coordination.common.ids import uuid7
from coordination.common.statements import write
from habilitations.access import Access
from habilitations.models import Outcome


@dataclass(frozen=True, slots=True)
class Via:
    """Where a request came from: its id (also in the logs), the client's address, the software that sent it.

    `software` is "" for the screens, OWN_PROGRAM or OWN_FEED for a program of the person herself.
    """

    request_id: str = ""
    address: str = ""
    software: str = ""


def via_request(request, software: str = "") -> Via:
    """Return the origin of an HTTP request."""
    return Via(request_id=getattr(request, "id", "") or "", address=address_of(request), software=software[:80])


def address_of(request) -> str:
    """Return who called, as attempts are counted too: what the last of our proxies wrote (TRUSTED_PROXIES), never what
    stands before it in X-Forwarded-For; without a proxy, the other end of the line. "" when nobody knows."""
    return get_client_ip(request) or ""


NOWHERE = Via()
# How somebody came in who is not of the circle (SEC-8).
IN_EMERGENCY = "accès d’urgence"
# A person's own program: the name she gave its token is hers, and is written nowhere.
OWN_PROGRAM = "jeton d’accès personnel"
# A person's own calendar program, which reads her agenda by itself, day and night; an answer that came by mail.
OWN_FEED, BY_MAIL = "abonnement à l’agenda", "courriel"

# Every action that a line of a dossier's journal may carry: an act that is not here is refused, and each has its
# sentence and its filter in the journal (a test walks them).
ACTIONS = frozenset({
    "lecture", "écriture", "création", "recherche", "impression", "export", "habilitation", "réponse", "question",
    "aperçu", "renvoi", "relance", "lien copié", "annulation", "acceptation", "refus", "confirmation",
    "mise à l’écart", "urgence", "fin d’urgence", "revue d’urgence", "interdiction",
    "fin d’interdiction",
})  # fmt: skip

_COLUMNS = {
    "id": "uuid", "at": "timestamptz", "dossier_id": "uuid", "actor_id": "uuid", "actor_name": "text",
    "actor_national_id": "text", "profession": "text", "fonction": "text", "structure_name": "text", "profile": "text",
    "habilitation_id": "uuid", "matrix_version": "integer", "action": "text", "rubrique": "text", "outcome": "text",
    "object_kind": "text", "object_id": "uuid", "reason": "text", "request_id": "text", "address": "text",
    "on_behalf_of_id": "uuid", "on_behalf_of_name": "text", "software": "text",
}  # fmt: skip
# Every page writes one of these: in SQL, it costs a third less than through the ORM (measured: 0.45 ms
# against 0.75). seq and both hashes are the database's own (migration 0002_journal).
_INSERT_TRACE = f"""
INSERT INTO habilitations_trace ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
"""  # noqa: S608 - our own names
_INSERT_TRACES = f"""
INSERT INTO habilitations_trace ({", ".join(_COLUMNS)})
SELECT * FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())})
"""  # noqa: S608 - our own names
_INSERT_ACCOUNT_TRACE = """
INSERT INTO habilitations_accounttrace (
    id, at, actor_id, actor_name, action, outcome, object_kind, object_id, count, request_id, address, software
) VALUES (
    %(id)s, %(at)s, %(actor_id)s, %(actor_name)s, %(action)s, %(outcome)s, %(object_kind)s, %(object_id)s,
    %(count)s, %(request_id)s, %(address)s, %(software)s
)"""


def record(
    *,
    user,
    dossier_id: UUID,
    access: Access,
    action: str,
    rubrique: str = "",
    outcome: str = Outcome.OK,
    object_kind: str = "",
    object_id: UUID | None = None,
    reason: str = "",
    via: Via = NOWHERE,
) -> None:
    """Append one trace to the chain of a dossier (SEC-9). One SQL statement; times in UTC.

    Who acts for another is named with him (SEC-15).

    `action` is one of ACTIONS, else ValueError. Names of the person followed, clinical words and search texts never
    go into a trace.
    """
    _require_known(action)
    _append(
        "dossier",
        _INSERT_TRACE,
        _line(user, dossier_id, access, action, rubrique, outcome, object_kind, object_id, reason, via),
    )


def record_many(
    *,
    user,
    accesses: Mapping[UUID, Access],
    action: str,
    rubrique: str = "",
    outcome: str = Outcome.OK,
    object_kind: str = "",
    object_id: UUID | None = None,
    reason: str = "",
    via: Via = NOWHERE,
) -> None:
    """Append one trace to the chain of each dossier of `accesses` ({dossier: access}), as `record` does to one.

    One SQL statement whatever their number, none for no dossier. Chains are moved in the order of the dossiers: two
    readers of the same ones wait for each other and never cross.
    """
    _require_known(action)
    if not accesses:
        return
    lines = [
        _line(user, dossier_id, accesses[dossier_id], action, rubrique, outcome, object_kind, object_id, reason, via)
        for dossier_id in sorted(accesses)
    ]
    if len(lines) == 1:
        # Of one dossier, which is most of them, arrays cost more than the line.
        _append("dossier", _INSERT_TRACE, lines[0])
        return
    _append("dossier", _INSERT_TRACES, {name: [line[name] for line in lines] for name in _COLUMNS})


def _line(
    user, dossier_id: UUID, access: Access, action, rubrique, outcome, object_kind, object_id, reason, via: Via
) -> dict[str, Any]:
    hat, principal = access.hat, access.on_behalf_of
    return {
        "id": uuid7(),
        "at": timezone.now(),
        "dossier_id": dossier_id,
        "actor_id": user.pk,
        "actor_name": user.get_full_name(),
        "actor_national_id": hat.national_id,
        "profession": hat.profession,
        "fonction": hat.fonction,
        "structure_name": hat.structure_name,
        "profile": access.profile,
        "habilitation_id": access.habilitation_id,
        "matrix_version": access.matrix.number,
        "action": action,
        "rubrique": rubrique,
        "outcome": str(outcome),
        "object_kind": object_kind,
        "object_id": object_id,
        # Each line written under an emergency access says so, whoever reads it and whenever.
        "reason": (reason or (IN_EMERGENCY if access.ends_at else ""))[:300],
        "request_id": via.request_id,
        "address": via.address,
        "on_behalf_of_id": principal.id if principal else None,
        "on_behalf_of_name": principal.name[:250] if principal else "",
        "software": via.software,
    }


def record_account(
    *,
    user,
    action: str,
    outcome: str = Outcome.OK,
    object_kind: str = "",
    object_id: UUID | None = None,
    count: int | None = None,
    via: Via = NOWHERE,
) -> None:
    """Append one trace of what an account did outside a dossier. `user` is None before sign-in."""
    _append(
        "compte",
        _INSERT_ACCOUNT_TRACE,
        {
            "id": uuid7(),
            "at": timezone.now(),
            "actor_id": user.pk if user else None,
            "actor_name": user.get_full_name() if user else "",
            "action": action,
            "outcome": outcome,
            "object_kind": object_kind,
            "object_id": object_id,
            "count": count,
            "request_id": via.request_id,
            "address": via.address,
            "software": via.software,
        },
    )


# Who acts by a link received, without an account (house.md, « links without an account »).
BY_LINK = "lien personnel"


def record_link(
    *,
    user,
    dossier_id: UUID | None,
    habilitation_id: UUID | None,
    action: str,
    object_kind: str,
    object_id: UUID,
    outcome: str = Outcome.OK,
    via: Via = NOWHERE,
    name: str = BY_LINK,
    reason: str = BY_LINK,
) -> None:
    """Append the trace of an act done by a personal link: in the chain of its dossier when it concerns one.

    `user` is None for the holder of the link without an account, and for what the application does by itself, under
    the `name` and for the `reason` given. One SQL statement. In a dossier, `action` is one of
    ACTIONS, else ValueError.
    """
    if dossier_id is None:
        record_account(
            user=user, action=action, outcome=outcome, object_kind=object_kind, object_id=object_id, via=via
        )
        return
    _require_known(action)
    _append(
        "dossier",
        _INSERT_TRACE,
        {
            "id": uuid7(),
            "at": timezone.now(),
            "dossier_id": dossier_id,
            "actor_id": user.pk if user else None,
            "actor_name": user.get_full_name() if user else name,
            "actor_national_id": "",
            "profession": "",
            "fonction": "",
            "structure_name": "",
            "profile": "",
            "habilitation_id": habilitation_id,
            "matrix_version": 0,
            "action": action,
            "rubrique": "",
            "outcome": outcome,
            "object_kind": object_kind,
            "object_id": object_id,
            "reason": reason[:300],
            "request_id": via.request_id,
            "address": via.address,
            "on_behalf_of_id": None,
            "on_behalf_of_name": "",
            "software": via.software,
        },
    )


def _append(chain: str, statement: str, line: Mapping[str, Any]) -> None:
    with metrics.JOURNAL_SECONDS.labels(chain).time():
        write(statement, line)


def _require_known(action: str) -> None:
    if action not in ACTIONS:
        raise ValueError(f"No sentence for the action {action!r}: add it to ACTIONS and to the words of the journal.")
