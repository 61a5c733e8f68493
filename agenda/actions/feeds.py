"""The address at which one’s own calendar program reads one’s agenda: opened, changed, renewed, closed."""

from __future__ import annotations

import secrets as chance

from django.db import transaction
from django.utils import timezone

from agenda.calendar_errors import FeedAlreadyOpen, FeedNotOpen, LevelUnknown
from agenda.models import Feed
from coordination.accounts.models import User
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import secrets
from habilitations.traces import NOWHERE, Via, record_account

KIND = "abonnement"


@transaction.atomic
def open_feed(user: User, *, level: str, via: Via = NOWHERE) -> tuple[Feed, str]:
    """Give an agenda its address; return it and its secret part, which is kept nowhere and told this once.

    Raises FeedAlreadyOpen, LevelUnknown. Source: issue 5 §2: off by default, three levels, revocable.
    """
    _require_level(level)
    token = _new()
    made, is_new = Feed.objects.get_or_create(
        user=user, defaults={"level": level, "token_digest": secrets.hashed(token)}
    )
    if not is_new:
        raise FeedAlreadyOpen
    _trace(user, "abonnement ouvert", made, via)
    return made, token


@transaction.atomic
def change_feed_level(user: User, *, level: str, seen: str | None = None, via: Via = NOWHERE) -> Feed:
    """Say otherwise what the address shows; it stays the same. `seen`: what it was read to show.

    Raises FeedNotOpen, ChangedMeanwhile, LevelUnknown.
    """
    _require_level(level)
    found = _locked(user)
    if seen is not None and seen != found.level:
        raise ChangedMeanwhile(who="Une autre session")
    if found.level != level:
        found.level = level
        found.save(update_fields=["level"])
        _trace(user, "abonnement réglé", found, via)
    return found


@transaction.atomic
def renew_feed(user: User, *, via: Via = NOWHERE) -> tuple[Feed, str]:
    """Give another address: the former one answers no more. Raises FeedNotOpen."""
    found, token = _locked(user), _new()
    found.token_digest, found.opened_at, found.fetched_at = secrets.hashed(token), timezone.now(), None
    found.save(update_fields=["token_digest", "opened_at", "fetched_at"])
    _trace(user, "abonnement changé", found, via)
    return found, token


@transaction.atomic
def close_feed(user: User, *, via: Via = NOWHERE) -> bool:
    """« Arrêter »: the address answers no more. Returns whether there was one."""
    found = Feed.objects.select_for_update(of=("self",)).filter(user=user).first()
    if found is None:
        return False
    _trace(user, "abonnement arrêté", found, via)
    found.delete()
    return True


def close_all_feeds() -> int:
    """End every address, in an installation put back from a backup; return how many.

    One that its owner changed or stopped since the backup would answer again (REL-13): each asks for another one.
    """
    return Feed.objects.all().delete()[0]


def _locked(user: User) -> Feed:
    found = Feed.objects.select_for_update(of=("self",)).filter(user=user).first()
    if found is None:
        raise FeedNotOpen
    return found


def _new() -> str:
    """256 bits that nobody guesses: one pass of SHA-256 keeps them (habilitations/secrets.py)."""
    return chance.token_urlsafe(32)


def _require_level(level: str) -> None:
    if level not in Feed.Level.values:
        raise LevelUnknown


def _trace(user: User, action: str, feed: Feed, via: Via) -> None:
    record_account(user=user, action=action, object_kind=KIND, object_id=feed.pk, via=via)
