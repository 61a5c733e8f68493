"""Recording who did what. Append-only: nothing here reads, changes or removes a trace.

`record` is called by the door for every page of a dossier, `record_account` for what happens outside
one. Both write in the caller's transaction, so that a trace that cannot be written makes the act fail
(SEC-13); the door itself records refusals and failures once the act has rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.common.statements import write
from habilitations.access import Access
from habilitations.models import Outcome


@dataclass(frozen=True, slots=True)
class Via:
    """Where a request came from: its id (also in the logs) and the client's address."""

    request_id: str = ""
    address: str = ""


def via_request(request) -> Via:
    """Return the origin of an HTTP request; the address is what the trusted proxy set as REMOTE_ADDR."""
    return Via(request_id=getattr(request, "id", "") or "", address=request.META.get("REMOTE_ADDR", "") or "")


NOWHERE = Via()
# How somebody came in who is not of the circle (SEC-8).
IN_EMERGENCY = "accès d’urgence"

# Every action that a line of a dossier's journal may carry: an act that is not here is refused, and each has its
# sentence and its filter in the journal (a test walks them).
ACTIONS = frozenset({
    "lecture", "écriture", "création", "recherche", "impression", "export", "habilitation", "réponse", "question",
    "aperçu", "renvoi", "relance", "lien copié", "annulation", "acceptation", "refus", "confirmation",
    "mise à l’écart", "urgence", "fin d’urgence", "revue d’urgence", "interdiction",
    "fin d’interdiction",
})  # fmt: skip

# Every page writes one of these: in SQL, it costs a third less than through the ORM (measured: 0.45 ms
# against 0.75). seq and both hashes are the database's own (migration 0002_journal).
_INSERT_TRACE = """
INSERT INTO habilitations_trace (
    id, at, dossier_id, actor_id, actor_name, actor_national_id, profession, fonction, structure_name,
    profile, habilitation_id, matrix_version, action, rubrique, outcome, object_kind, object_id, reason,
    request_id, address, on_behalf_of_id, on_behalf_of_name
) VALUES (
    %(id)s, %(at)s, %(dossier_id)s, %(actor_id)s, %(actor_name)s, %(actor_national_id)s, %(profession)s,
    %(fonction)s, %(structure_name)s, %(profile)s, %(habilitation_id)s, %(matrix_version)s, %(action)s,
    %(rubrique)s, %(outcome)s, %(object_kind)s, %(object_id)s, %(reason)s, %(request_id)s, %(address)s,
    %(on_behalf_of_id)s, %(on_behalf_of_name)s
)"""
_INSERT_ACCOUNT_TRACE = """
INSERT INTO habilitations_accounttrace (
    id, at, actor_id, actor_name, action, outcome, object_kind, object_id, count, request_id, address
) VALUES (
    %(id)s, %(at)s, %(actor_id)s, %(actor_name)s, %(action)s, %(outcome)s, %(object_kind)s, %(object_id)s,
    %(count)s, %(request_id)s, %(address)s
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
    hat, principal = access.hat, access.on_behalf_of
    write(
        _INSERT_TRACE,
        {
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
            "outcome": outcome,
            "object_kind": object_kind,
            "object_id": object_id,
            # Each line written under an emergency access says so, whoever reads it and whenever.
            "reason": (reason or (IN_EMERGENCY if access.ends_at else ""))[:300],
            "request_id": via.request_id,
            "address": via.address,
            "on_behalf_of_id": principal.id if principal else None,
            "on_behalf_of_name": principal.name[:250] if principal else "",
        },
    )


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
    write(
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
    write(
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
        },
    )


def _require_known(action: str) -> None:
    if action not in ACTIONS:
        raise ValueError(f"No sentence for the action {action!r}: add it to ACTIONS and to the words of the journal.")
