"""How many things wait in « À faire »: written down when they are read, and counted again for those at work."""

from __future__ import annotations

import datetime as dt
import time

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from circle import todo
from circle.waiting import CARRIED, TodoCount
from coordination.accounts.models import Session

# Whose page may show it: somebody asked for one within this time.
AT_WORK = dt.timedelta(minutes=10)
# A count is not made again sooner: what others ask shows that much later.
COUNTED_EVERY = dt.timedelta(minutes=5)
# A turn of the task ends there, the oldest counts first: with too many people at work they get older, nothing else.
TURN = 20.0


def note_todo_count(user, count: int) -> None:
    """Write down how many things wait for this person; the page that is drawn says it too. One SQL statement."""
    setattr(user, CARRIED, count)
    TodoCount.objects.bulk_create(
        [TodoCount(user=user, count=count)],
        update_conflicts=True, unique_fields=["user"], update_fields=["count", "counted_at"],
    )  # fmt: skip


def count_todos() -> int:
    """Count what waits for those at work whose count is old, or older than their session; return how many were."""
    until, done = time.monotonic() + TURN, 0
    for user in _due():
        if time.monotonic() > until:
            break
        note_todo_count(user, todo.waiting(user).count)
        done += 1
    return done


def _due() -> QuerySet:
    """Return who is at work and has no recent count, or none made since he signed in; the oldest count first."""
    now = timezone.now()
    sessions = Session.objects.live().filter(user=OuterRef("pk"), last_seen_at__gt=now - AT_WORK)
    counted = Subquery(TodoCount.objects.filter(pk=OuterRef("pk")).values("counted_at"))
    users = get_user_model().objects.active().filter(Exists(sessions)).annotate(counted=counted)
    is_old = Q(counted=None) | Q(counted__lt=now - COUNTED_EVERY)
    signed_in_since = Exists(sessions.filter(signed_in_at__gt=OuterRef("counted")))
    return users.filter(is_old | signed_in_since).order_by(F("counted").asc(nulls_first=True))
