"""What is done about partners and relays: by administrators, and by the rooms that have something to exchange."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from coordination.common import cipher
from coordination.outbox import doorbell, quarantine
from coordination.outbox.models import FIRST_RING, make_due
from coordination.partners import client, known, wire
from coordination.partners.errors import AddressNotAllowed, PartnerChanged, PartnerOff, RelayWaiting, SecretMissing
from coordination.partners.models import WAITING_STATES, Partner, Relay, State
from habilitations.access import may_administer
from habilitations.errors import NotAllowed
from habilitations.traces import NOWHERE, Via, record_account

PARTNER, RELAY = "partenaire", "échange"
HELD_BACK = "Rien ne part d’une installation restaurée avant la levée de la quarantaine."


@transaction.atomic
def add_partner(*, secret: str, by: Any, via: Via = NOWHERE, structures: Iterable[Any] = (), **said: Any) -> Partner:
    """Make a partner known. `said`: name, base_url, token_url, client_id, scope, acting_header, software, active.

    `structures`: those whose agendas are exchanged with it (GAP-92).

    Raises NotAllowed, SecretMissing, AddressNotAllowed.
    """
    _require_administrator(by)
    if not secret:
        raise SecretMissing
    _require_addresses(said)
    partner = Partner.objects.create(**said, secret_sealed=cipher.encrypt(secret), created_by=by)
    partner.structures.set(structures)
    transaction.on_commit(known.forget)
    record_account(user=by, action="ajout partenaire", object_kind=PARTNER, object_id=partner.pk, via=via)
    return partner


@transaction.atomic
def change_partner(
    partner: Partner, *, secret: str = "", by: Any, via: Via = NOWHERE, structures: Iterable[Any] | None = None,
    version: int | None = None, **said: Any,
) -> Partner:  # fmt: skip
    """Say otherwise how a partner is reached; an empty `secret` keeps the former one, unless the address of tokens
    changes, or the server: neither a secret nor a token is sent to a place it was not given for. `version`: the one
    that was read.

    Raises NotAllowed, PartnerChanged, SecretMissing, AddressNotAllowed.
    """
    _require_administrator(by)
    _require_addresses(said)
    locked = Partner.objects.select_for_update(of=("self",)).get(pk=partner.pk)
    if version is not None and version != locked.version:
        raise PartnerChanged
    if not secret and said.get("token_url", locked.token_url) != locked.token_url:
        raise SecretMissing("L’adresse des jetons change : donnez de nouveau le secret.")
    if not secret and _server(said.get("base_url", locked.base_url)) != _server(locked.base_url):
        raise SecretMissing("Le serveur du partenaire change : donnez de nouveau le secret.")
    for name, value in said.items():
        setattr(locked, name, value)
    locked.version += 1
    if secret:
        locked.secret_sealed = cipher.encrypt(secret)
    locked.save()
    if structures is not None:
        locked.structures.set(structures)
    client.forget(locked.pk)
    transaction.on_commit(known.forget)
    record_account(user=by, action="réglage partenaire", object_kind=PARTNER, object_id=locked.pk, via=via)
    return locked


@transaction.atomic
def ask_trial(partner: Partner, *, by: Any, via: Via = NOWHERE) -> None:
    """Have a partner asked what it is, with what it gave us to be known by, by a worker: it may take twenty seconds,
    and no page waits for so long (REL-17). What it says is kept on the partner (`trying.do`). Asked twice, done once;
    in quarantine nothing is asked of anybody, and that is what is said.

    Raises NotAllowed.
    """
    _require_administrator(by)
    record_account(user=by, action="essai partenaire", object_kind=PARTNER, object_id=partner.pk, via=via)
    if quarantine.stands():
        Partner.objects.filter(pk=partner.pk).update(trial_asked_at=None, ring_after=None, trial_said=HELD_BACK)
        return
    Partner.objects.filter(pk=partner.pk).update(trial_asked_at=Now(), ring_after=FIRST_RING, trial_said="")
    transaction.on_commit(lambda: doorbell.ring("trial", partner.pk))


@transaction.atomic
def ask_relay(partner: Partner, *, kind: str, object_id: UUID, by: Any) -> Relay:
    """Leave something to exchange with a partner, and ring for it once the transaction is committed.

    The room that calls has checked that `by` may ask it, and asks again when the content is made.
    Raises PartnerOff, RelayWaiting.
    """
    locked = Partner.objects.select_for_update(of=("self",)).filter(pk=partner.pk, active=True).first()
    if locked is None:
        raise PartnerOff
    if Relay.objects.about([kind], object_id).filter(partner=locked, state__in=WAITING_STATES).exists():
        raise RelayWaiting
    made = Relay.objects.create(partner=locked, kind=kind, object_id=object_id, asked_by=by)
    transaction.on_commit(lambda: doorbell.ring("relay", made.pk))
    return made


@transaction.atomic
def leave_relays(partners: Iterable[Partner], *, kind: str, object_id: UUID, by: Any) -> int:
    """Leave something to exchange with several partners, and ring for it; return with how many.

    As `ask_relay`, for what nobody asked by hand: what already waits is left as it is, its content is made when it
    leaves. Holds no lock: acts of every dossier call it.
    """
    rows = [Relay(partner=partner, kind=kind, object_id=object_id, asked_by=by) for partner in partners]
    Relay.objects.bulk_create(rows, ignore_conflicts=True)
    left = list(Relay.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True)) if rows else []
    for pk in left:
        transaction.on_commit(partial(doorbell.ring, "relay", pk))
    return len(left)


@transaction.atomic
def retry_relay(relay: Relay, *, by: Any, via: Via = NOWHERE) -> Relay:
    """Put a dead letter back in the queue with a fresh count of attempts; any other state is left as it is.

    `by` None: the operator, at the terminal. Raises NotAllowed, RelayWaiting when the same was asked again since.
    """
    if by is not None:
        _require_administrator(by)
    # Behind the partner's lock, as asking is: the same is not left twice.
    Partner.objects.select_for_update(of=("self",)).get(pk=relay.partner_id)
    locked = Relay.objects.select_for_update(of=("self",)).get(pk=relay.pk)
    if locked.state != State.ECHEC:
        return locked
    twins = Relay.objects.about([locked.kind], locked.object_id).filter(partner=locked.partner_id)
    if twins.filter(state__in=WAITING_STATES).exists():
        raise RelayWaiting
    locked.state, locked.attempts, locked.last_error, locked.last_status = State.EN_ATTENTE, 0, "", None
    make_due(locked)
    locked.save()
    record_account(user=by, action="reprise échange", object_kind=RELAY, object_id=locked.pk, via=via)
    transaction.on_commit(lambda: doorbell.ring("relay", locked.pk))
    return locked


@transaction.atomic
def cancel_relay(relay: Relay, *, by: Any, via: Via = NOWHERE) -> bool:
    """Call off a relay that waits or was given up; return whether it was one. What already left is not called back.

    `by` None: the operator, at the terminal. Raises NotAllowed.
    """
    if by is not None:
        _require_administrator(by)
    rows = Relay.objects.filter(pk=relay.pk, state__in=[*WAITING_STATES, State.ECHEC])
    if not rows.update(state=State.ANNULE):
        return False
    record_account(user=by, action="annulation échange", object_kind=RELAY, object_id=relay.pk, via=via)
    return True


def hold_relays(ids: list[UUID]) -> int:
    """Call off what waited in a restored backup and may have left since (REL-13); return how many."""
    return Relay.objects.unfinished().filter(pk__in=ids).update(state=State.ANNULE, last_error=quarantine.WHY)


def purge() -> int:
    """Delete what was done, called off or given up long ago (RETENTION_DAYS); return how many."""
    now, days = timezone.now(), settings.RETENTION_DAYS
    settled = Q(state__in=[State.FAIT, State.ANNULE], created_at__lt=now - dt.timedelta(days=days["relays"]))
    dead = Q(state=State.ECHEC, created_at__lt=now - dt.timedelta(days=days["dead_letters"]))
    return Relay.objects.filter(settled | dead).delete()[0]


def drop_settled(kinds: Iterable[str], *, before: dt.datetime) -> int:
    """Delete what is asked every so often, once it is behind: what failed, and what was done before this moment.

    The next asking takes its place: kept, it would be two rows more each time, for ever. Returns how many.
    """
    behind = Q(state=State.ECHEC) | Q(state__in=[State.FAIT, State.ANNULE], created_at__lt=before)
    return Relay.objects.filter(behind, kind__in=list(kinds)).delete()[0]


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _require_addresses(said: dict[str, Any]) -> None:
    for name in ("base_url", "token_url"):
        if name in said and not wire.is_allowed(said[name]):
            raise AddressNotAllowed(field=name)


def _require_administrator(by: Any) -> None:
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
