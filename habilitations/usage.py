"""When grants were last used, by what the journal says of them, and which of them sleep.

What is judged is what opens a dossier today (`Habilitation.objects.granting`): a grant that rests on nothing any more
does not sleep, it is shut.

One probe of the index of traces by habilitation per grant, whatever the length of the journal (migration
0018_emergency_and_reviews; docs/decisions/2026-11-28-access-review.md). A month purged from the journal is no longer
known: a grant last used before it reads as not used since then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from coordination.common.statements import rows
from habilitations.grants import GRANTING
from habilitations.models import AccessKept, AccountKept, Habilitation

# No day before that is asked of the journal.
_LAST = """
SELECT asked.id, used.at
FROM unnest(%(ids)s::uuid[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT line.at FROM habilitations_trace line
    WHERE line.habilitation_id = asked.id AND line.outcome = 'ok' AND line.at >= %(since)s AND line.at <= %(now)s
    ORDER BY line.at DESC LIMIT 1
) used"""


def months_before(months: int, *, today: dt.date | None = None) -> dt.date:
    """Return the same day so many months earlier, or the last day of that month.

    >>> months_before(6, today=dt.date(2026, 8, 31))
    datetime.date(2026, 2, 28)
    """
    today = today or timezone.localdate()
    count = today.year * 12 + today.month - 1 - months
    first = dt.date(count // 12, count % 12 + 1, 1)
    following = dt.date((count + 1) // 12, (count + 1) % 12 + 1, 1)
    return first.replace(day=min(today.day, (following - dt.timedelta(days=1)).day))


def known_since() -> dt.date:
    """Return the day from which the journal is asked: what the retention leaves, or longer ago if the setting asks."""
    months = max(settings.JOURNAL_RETENTION_MONTHS, settings.ACCESS_UNUSED_MONTHS, settings.ACCESS_CLOSE_MONTHS)
    return months_before(months)


def last_uses(habilitations: Iterable[UUID]) -> dict[UUID, dt.datetime]:
    """Return {habilitation: when somebody last came in by it}, absent for none known. One SQL statement at most."""
    ids = list(habilitations)
    if not ids:
        return {}
    return dict(rows(_LAST, {"ids": ids, "since": _midnight(known_since()), "now": timezone.now()}))


def last_kept(habilitations: Iterable[UUID]) -> dict[UUID, AccessKept]:
    """Return {habilitation: the last time somebody chose to keep it}. One SQL statement."""
    kept = AccessKept.objects.filter(habilitation__in=list(habilitations)).order_by("habilitation", "-at")
    return {one.habilitation_id: one for one in kept.distinct("habilitation").select_related("by")}


def sleeps(opened_at: dt.datetime, used_at: dt.datetime | None, kept_at: dt.datetime | None) -> bool:
    """Say whether a grant is to be proposed for closing: opened, used and kept longer ago than the setting. Pure."""
    months = settings.ACCESS_UNUSED_MONTHS
    if not months:
        return False
    seen = max(at for at in (opened_at, used_at, kept_at) if at)
    return timezone.localdate(seen) < months_before(months)


@dataclass(frozen=True)
class Use:
    """What one account does of its own grants: how many are open, how many sleep, when it last came in by one."""

    opened: int = 0
    asleep: int = 0
    last: dt.datetime | None = None


# Grants of these accounts that open something, each with its last use and the last time it was kept: `sleeps`, in SQL
# and by account.
_BY_ACCOUNT = f"""
SELECT h.user_id, count(*), count(*) FILTER (
    WHERE greatest(h.state_at, used.at, (
        SELECT max(k.at) FROM habilitations_accesskept k WHERE k.habilitation_id = h.id
    )) < %(limit)s
), max(used.at)
FROM habilitations_habilitation h
LEFT JOIN LATERAL (
    SELECT line.at FROM habilitations_trace line
    WHERE line.habilitation_id = h.id AND line.outcome = 'ok' AND line.at >= %(since)s AND line.at <= %(now)s
    ORDER BY line.at DESC LIMIT 1
) used ON TRUE
WHERE h.user_id = ANY(%(users)s) AND {GRANTING.format(day="%(today)s")}
GROUP BY h.user_id"""  # noqa: S608 - our own names


def uses_of(users: Iterable[UUID]) -> dict[UUID, Use]:
    """Return {account: what it does of its own grants}, absent for none. One SQL statement; no dossier is named."""
    ids = list(users)
    if not ids:
        return {}
    months = settings.ACCESS_UNUSED_MONTHS
    said = {
        "users": ids,
        "since": _midnight(known_since()),
        "now": timezone.now(),
        "today": timezone.localdate(),
        # No grant is as old as the calendar: the rule is off.
        "limit": _midnight(months_before(months)) if months else dt.datetime(1900, 1, 1, tzinfo=dt.UTC),
    }
    return {user_id: Use(opened, asleep, last) for user_id, opened, asleep, last in rows(_BY_ACCOUNT, said)}


def last_kept_accounts(users: Iterable[UUID]) -> dict[UUID, AccountKept]:
    """Return {account: the last time its structure chose to leave it as it is}. One SQL statement."""
    kept = AccountKept.objects.filter(user__in=list(users)).order_by("user", "-at")
    return {one.user_id: one for one in kept.distinct("user").select_related("by")}


def is_due(use: Use, kept_at: dt.datetime | None) -> bool:
    """Say whether an account is to be looked at: some of its grants sleep, and nobody left it lately. Pure."""
    if not use.asleep:
        return False
    return kept_at is None or timezone.localdate(kept_at) < months_before(settings.ACCESS_UNUSED_MONTHS)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


class Asleep(NamedTuple):
    """One grant that sleeps, for who answers for the protection of data: whose, in which dossier, since when."""

    dossier_id: UUID
    family_name: str
    given_name: str
    structure: str
    profession: str
    fonction: str
    opened_at: dt.datetime
    used_at: dt.datetime | None
    kept_at: dt.datetime | None


# The grants opened longest ago are judged, so many of them; the file then has at most LONGEST lines.
JUDGED, LONGEST = 20_000, 5_000
# When each of the rows `h` was last used, and last kept.
_USED_AND_KEPT = """LEFT JOIN LATERAL (
    SELECT line.at FROM habilitations_trace line
    WHERE line.habilitation_id = h.id AND line.outcome = 'ok' AND line.at >= %(since)s AND line.at <= %(now)s
    ORDER BY line.at DESC LIMIT 1
) used ON TRUE
LEFT JOIN LATERAL (SELECT max(k.at) AS at FROM habilitations_accesskept k WHERE k.habilitation_id = h.id) kept ON TRUE
WHERE h.id = ANY(%(ids)s)"""
_ASLEEP = f"""
SELECT h.dossier_id, coalesce(u.family_name, ''), coalesce(u.given_name, ''), coalesce(s.name, v.structure_name, ''),
    coalesce(v.profession, ''), coalesce(v.fonction, ''), h.state_at, used.at, kept.at
FROM habilitations_habilitation h
LEFT JOIN accounts_user u ON u.id = h.user_id
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = h.user_id AND v.ended_at IS NULL
LEFT JOIN directory_structure s ON s.id = h.structure_id
{_USED_AND_KEPT} AND greatest(h.state_at, used.at, kept.at) < %(limit)s
ORDER BY h.state_at LIMIT %(longest)s"""  # noqa: S608 - our own words


def asleep_everywhere() -> list[Asleep]:
    """Return the grants that sleep in every dossier, the oldest first, LONGEST at most; none when the rule is off.

    Not those of closed accounts, by which nobody comes in; of one that is suspended, and will be back, they are there.
    Two SQL statements. It says references of dossiers, never of whom they are.
    """
    months = settings.ACCESS_UNUSED_MONTHS
    if not months:
        return []
    limit = _midnight(months_before(months))
    someone = Q(user=None) | Q(user__closed_at=None)
    judged = Habilitation.objects.granting().filter(someone, state_at__lt=limit).order_by("state_at")
    said = {
        "ids": list(judged.values_list("pk", flat=True)[:JUDGED]), "limit": limit, "since": _midnight(known_since()),
        "now": timezone.now(), "longest": LONGEST,
    }  # fmt: skip
    return [Asleep(*line) for line in rows(_ASLEEP, said)]


# Read a few thousand at a time, by their identifiers: those that are used do not hide those that sleep.
CHUNK = 5_000
_SEEN = f"""
SELECT h.id, h.dossier_id, greatest(h.state_at, used.at, kept.at)
FROM habilitations_habilitation h
{_USED_AND_KEPT}
ORDER BY h.id"""  # noqa: S608 - our own words


def unused_since(day: dt.date) -> Iterator[tuple[UUID, UUID]]:
    """Yield (habilitation, dossier) of the grants of accounts neither opened, used nor kept since before a day.

    Every grant that opens a dossier is looked at, CHUNK at a time, two SQL statements each: for a task of the night.
    """
    grants = Habilitation.objects.granting().filter(user__isnull=False).order_by("pk").values_list("pk", flat=True)
    said = {"since": _midnight(known_since()), "now": timezone.now()}
    after = UUID(int=0)
    while ids := list(grants.filter(pk__gt=after)[:CHUNK]):
        lines = rows(_SEEN, said | {"ids": ids})
        yield from ((row_id, dossier_id) for row_id, dossier_id, seen in lines if timezone.localdate(seen) < day)
        after = ids[-1]


def last_seen(row: Habilitation) -> dt.datetime:
    """Return when a grant was last opened, used or kept. Two SQL statements."""
    used, kept = last_uses([row.pk]).get(row.pk), last_kept([row.pk]).get(row.pk)
    return max(at for at in (row.state_at, used, kept.at if kept else None) if at)
