"""Programs that call the API: connecting a software, ending it, and the tokens a person makes for her own programs.

The secret of each is returned once by the act that draws it, and is stored nowhere (SEC-24).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from habilitations import scopes as grammar
from habilitations import secrets
from habilitations.access import may_administer
from habilitations.client_errors import (
    AlreadyConnected,
    ClientRevoked,
    ScopesMissing,
    ScopesMoved,
    TokenEndNotPossible,
    TooManyTokens,
)
from habilitations.errors import AccountNotOpen, NotAllowed
from habilitations.models import ClientToken, PersonalToken, SoftwareClient
from habilitations.models.clients import LONGEST_DAYS
from habilitations.traces import NOWHERE, Via, record_account

# Enough for who writes several programs; a page that fills by itself is somebody else's.
MOST_TOKENS = 20
SOFTWARE, TOKEN = "logiciel", "jeton"


@transaction.atomic
def register_client(
    structure, *, name: str, contact: str, scopes: Sequence[str], by, via: Via = NOWHERE
) -> tuple[SoftwareClient, str]:
    """Connect a software to a structure; return it and its secret, which nobody can read again.

    `scopes`: SMART v2, of the context « system ». `by`: a named administrator. Raises NotAllowed, ScopesMissing,
    AlreadyConnected. Source: SEC-24.
    """
    _require_administrator(by)
    _require_scopes(scopes, grammar.SYSTEM)
    secret = secrets.make(secrets.CLIENT_SECRET)
    try:
        with transaction.atomic():
            client = SoftwareClient.objects.create(
                structure=structure, name=name, contact=contact, scopes=list(scopes),
                secret_hash=secrets.hashed(secret), created_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyConnected from error
    _told(client, "connexion logiciel", by, via)
    return client, secret


@transaction.atomic
def renew_secret(client: SoftwareClient, *, by, via: Via = NOWHERE) -> str:
    """Draw another secret and return it; the former one and the tokens it gave stop at the next call.

    Raises NotAllowed, ClientRevoked.
    """
    _require_administrator(by)
    locked = _connected(client)
    secret = secrets.make(secrets.CLIENT_SECRET)
    locked.secret_hash, locked.secret_at = secrets.hashed(secret), timezone.now()
    locked.save(update_fields=["secret_hash", "secret_at"])
    ClientToken.objects.filter(client=locked).delete()
    _told(locked, "secret logiciel", by, via)
    return secret


@transaction.atomic
def change_scopes(client: SoftwareClient, *, scopes: Sequence[str], seen: str, by, via: Via = NOWHERE) -> None:
    """Say otherwise what a software may ask; its tokens stop at the next call.

    `seen`: `scopes.digest_of` those its author had read. Raises NotAllowed, ClientRevoked, ScopesMissing, ScopesMoved.
    """
    _require_administrator(by)
    _require_scopes(scopes, grammar.SYSTEM)
    locked = _connected(client)
    if grammar.digest_of(locked.scopes) != seen:
        raise ScopesMoved
    locked.scopes = list(scopes)
    locked.save(update_fields=["scopes"])
    ClientToken.objects.filter(client=locked).delete()
    _told(locked, "portée logiciel", by, via)


@transaction.atomic
def revoke_client(client: SoftwareClient, *, by, via: Via = NOWHERE) -> None:
    """End it: its secret and its tokens stop at the next call (SECT-7). Raises NotAllowed."""
    _require_administrator(by)
    rows = SoftwareClient.objects.connected().filter(pk=client.pk)
    if rows.update(revoked_at=timezone.now(), revoked_by=by):
        ClientToken.objects.filter(client=client.pk).delete()
        _told(client, "fin logiciel", by, via)


@transaction.atomic
def issue_client_token(
    client: SoftwareClient, *, token: str, scopes: Sequence[str], via: Via = NOWHERE
) -> ClientToken:
    """Keep the access token just given to a software, hashed, for the time the settings say.

    Behind the lock of the software: a token asked while it is being revoked is not born. Raises ClientRevoked.
    """
    locked = _connected(client)
    now = timezone.now()
    issued = ClientToken.objects.create(
        client=locked, token_hash=secrets.hashed(token), scopes=list(scopes),
        expires_at=now + dt.timedelta(seconds=settings.FHIR_TOKEN_SECONDS),
    )  # fmt: skip
    ClientToken.objects.filter(client=locked, expires_at__lt=now).delete()
    _told(locked, "jeton logiciel", None, via)
    return issued


def purge_tokens() -> int:
    """Delete the access tokens of software that are over, and the personal ones that ended or were withdrawn long ago
    (RETENTION_DAYS); return how many."""
    now = timezone.now()
    gone, _ = ClientToken.objects.filter(expires_at__lt=now).delete()
    long_ago = now - dt.timedelta(days=settings.RETENTION_DAYS["tokens"])
    over = Q(expires_on__lt=timezone.localdate(long_ago)) | Q(revoked_at__lt=long_ago)
    return gone + PersonalToken.objects.filter(over).delete()[0]


@transaction.atomic
def make_personal_token(
    user, *, name: str, scopes: Sequence[str], expires_on: dt.date, via: Via = NOWHERE
) -> tuple[PersonalToken, str]:
    """Make a token for the person's own programs; return it and its secret, which nobody can read again.

    `scopes`: SMART v2, of the context « user ». `user` makes his own. Raises AccountNotOpen, ScopesMissing,
    TokenEndNotPossible, TooManyTokens.
    """
    # Behind the account's own lock: a token asked while the account is being shut is not born.
    locked = type(user).objects.select_for_update(of=("self",)).filter(pk=user.pk, is_active=True).first()
    if locked is None:
        raise AccountNotOpen
    _require_scopes(scopes, grammar.USER)
    today = timezone.localdate()
    if not today <= expires_on <= today + dt.timedelta(days=LONGEST_DAYS):
        raise TokenEndNotPossible
    if PersonalToken.objects.standing().filter(user=user).count() >= MOST_TOKENS:
        raise TooManyTokens(most=MOST_TOKENS)
    secret = secrets.make(secrets.PERSONAL_TOKEN)
    made = PersonalToken.objects.create(
        user=user, name=name, scopes=list(scopes), expires_on=expires_on, created_on=today,
        token_hash=secrets.hashed(secret),
    )  # fmt: skip
    record_account(user=user, action="nouveau jeton", object_kind=TOKEN, object_id=made.pk, via=via)
    return made, secret


@transaction.atomic
def revoke_personal_token(user, token_id: UUID, *, via: Via = NOWHERE) -> bool:
    """End one of one's own tokens, at the next call; return whether there was one."""
    rows = PersonalToken.objects.filter(user=user, pk=token_id, revoked_at=None)
    if not rows.update(revoked_at=timezone.now()):
        return False
    record_account(user=user, action="fin de jeton", object_kind=TOKEN, object_id=token_id, via=via)
    return True


@transaction.atomic
def revoke_personal_tokens(user, *, via: Via = NOWHERE) -> int:
    """End all of them: somebody else may know the password. Return how many ended."""
    ended = PersonalToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    if ended:
        record_account(
            user=user, action="fin des jetons", object_kind="compte", object_id=user.pk, count=ended, via=via
        )
    return ended


def _connected(client: SoftwareClient) -> SoftwareClient:
    locked = SoftwareClient.objects.connected().select_for_update(of=("self",)).filter(pk=client.pk).first()
    if locked is None:
        raise ClientRevoked
    return locked


def _told(client: SoftwareClient, action: str, by, via: Via) -> None:
    record_account(user=by, action=action, object_kind=SOFTWARE, object_id=client.pk, via=via)


def _require_scopes(asked: Sequence[str], context: str) -> None:
    parsed = [grammar.parse(scope) for scope in asked]
    if not parsed or any(found is None or found[0] != context for found in parsed):
        raise ScopesMissing


def _require_administrator(by) -> None:
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
