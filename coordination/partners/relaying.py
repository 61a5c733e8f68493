"""Doing one relay: its content is made now, sent, and what was answered is applied, each in a moment of its own.

No transaction is open while a partner is waited for: the trace of an export holds the journal of its dossier, which
every page of that dossier writes. What keeps two workers from one relay is a lock of the database session: a killed
worker loses it with its connection, and the sweep takes the relay again (REL-2).
"""

from __future__ import annotations

import hashlib
import logging
import random
from dataclasses import replace
from typing import Protocol
from uuid import UUID, uuid5

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from coordination.common import away
from coordination.common.database import alone
from coordination.common.errors import DomainError
from coordination.fhir.formats import Resource
from coordination.fhir.outcomes import Refused
from coordination.outbox import attempts
from coordination.partners import client
from coordination.partners.client import Asked
from coordination.partners.errors import CallFailed, NothingToRelay
from coordination.partners.models import Partner, Relay, State

logger = logging.getLogger(__name__)
# What is waited, more or less this part of it: relays that failed together do not come back together.
JITTER = 0.2


class Kind(Protocol):
    """What a room does of one kind of relay."""

    label: str

    def prepare(self, relay: Relay) -> Asked | None:
        """Return what to ask of the partner, as it is now; None when it knows it already, and the relay is done.

        Raises NothingToRelay, and refusals of the house.

        No transaction is open: an attempt that is refused leaves its trace (SEC-13).
        """
        ...

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        """Apply what was answered, in the transaction that says the relay done; return whether to do it once more.

        Raises NothingToRelay for an answer that cannot be used, and refusals of the house.
        """
        ...


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Declare a kind of relay, in the `ready` of a room. Raises ValueError when the name is taken."""
    if _kinds.setdefault(name, kind) is not kind:
        raise ValueError(f"Two rooms for the relay kind {name!r}.")


def label_of(name: str) -> str:
    """Return what a kind is called on screens; its name, when no room declares it any more."""
    return _kinds[name].label if name in _kinds else name


def relay(relay_id: UUID) -> bool:
    """Attempt one relay if it is due and free; return whether it was done by this call. Never raises for a partner."""
    with alone.held(_lease(relay_id)) as mine:
        row = attempts.count(Relay.objects.all(), relay_id, state=State.EN_COURS) if mine else None
        return row is not None and _attempt(Relay.objects.select_related("partner", "asked_by").get(pk=row.pk))


def _attempt(row: Relay) -> bool:
    try:
        kind = _kinds[row.kind]
        asked = kind.prepare(row)
        if asked is None:
            _note_success(row, again=False)
            return True
        answer = client.call(row.partner, replace(asked, key=key_of(row, asked)))
        with transaction.atomic():
            again = kind.receive(row, asked, answer)
            _note_success(row, again)
    except CallFailed as failure:
        _note_failure(row, failure)
        _note_partner(row, failure)
    except (DomainError, Refused) as refusal:
        _note_failure(row, CallFailed(_sentence(refusal), retry=False))
    except SoftTimeLimitExceeded:
        slow = CallFailed("Le partenaire met trop longtemps à répondre.", retry=True)
        _note_failure(row, slow)
        _note_partner(row, slow)
    except Exception as error:  # our own mistake must not hold the queue: the row says so, and tries again
        away.note(error)
        logger.error("partners.relay_broken", extra={"relay_id": str(row.pk)}, exc_info=error)
        _note_failure(row, CallFailed(f"L’échange a échoué ({type(error).__name__}).", retry=True))
    else:
        return not again
    return False


def key_of(row: Relay, asked: Asked) -> str:
    """Return what names this call: the same relay with the same content, whoever sends it and however often."""
    return str(uuid5(row.idempotency_key, hashlib.sha256(asked.body).hexdigest()))


def _sentence(refusal: DomainError | Refused) -> str:
    if isinstance(refusal, NothingToRelay):
        return refusal.message
    # The sentence of another refusal may name a member: its code says which rule.
    code = refusal.code if isinstance(refusal, DomainError) else client.in_codes(refusal.issues)
    return f"Cette demande n’est pas possible ici ({code})."[:300]


def _note_success(row: Relay, again: bool) -> None:
    relays = Relay.objects.filter(pk=row.pk)
    if again:
        # An answer is no failure: what is left begins a count of its own. Called off meanwhile, it is not begun.
        relays.filter(state=State.EN_COURS).update(
            state=State.EN_ATTENTE, next_attempt_at=Now(), ring_after=Now(), attempts=0, last_error="", last_status=200
        )
    else:
        relays.update(state=State.FAIT, done_at=timezone.now(), last_error="", last_status=200)
    Partner.objects.filter(pk=row.partner_id).update(last_ok_at=timezone.now())


def _note_failure(row: Relay, failure: CallFailed) -> None:
    row.last_error, row.last_status = failure.sentence[:300], failure.status
    row.state = State.EN_ATTENTE if failure.retry and _postpone(row, failure) else State.ECHEC
    # Called off meanwhile: it stays so.
    Relay.objects.filter(pk=row.pk, state=State.EN_COURS).update(
        state=row.state, last_error=row.last_error, last_status=row.last_status,
        next_attempt_at=row.next_attempt_at, ring_after=row.ring_after,
    )  # fmt: skip
    logger.warning(
        "partners.not_relayed",
        extra={"relay_id": str(row.pk), "status": failure.status, "state": str(row.state)},
    )


def _note_partner(row: Relay, failure: CallFailed) -> None:
    Partner.objects.filter(pk=row.partner_id).update(last_error=failure.sentence[:300], last_error_at=timezone.now())


def _postpone(row: Relay, failure: CallFailed) -> bool:
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads, hides nothing
    return attempts.postpone(row, wait=lambda usual: max(usual * spread, failure.wait))


def _lease(relay_id: UUID) -> int:
    """Return the number that who does a relay holds."""
    return int.from_bytes(hashlib.blake2b(relay_id.bytes, digest_size=8, person=b"relay").digest(), signed=True)
