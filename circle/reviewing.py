"""« Revue des accès »: who may enter a dossier, when he last did, and what sleeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from circle.lines import MemberRow
from circle.models import Member
from coordination.dossiers.models import Dossier
from habilitations.models import AccessKept, AccessReview, Habilitation, SleepingAccess
from habilitations.usage import last_kept, last_uses, months_before, sleeps


@dataclass(frozen=True)
class Line:
    """One grant: whose, since when, last used when, kept by whom; `sleeps`: it is proposed for closing."""

    row: MemberRow
    opened_at: dt.datetime
    used_at: dt.datetime | None
    kept: AccessKept | None
    sleeps: bool
    # The day it closes by itself, once its holder was told.
    closes_on: dt.date | None = None


def lines_of(entry, rows: Iterable[MemberRow] | None = None) -> list[Line]:
    """Return the grants open in a dossier, those proposed for closing first. Five SQL statements, however many.

    Members as this reader sees them: who may not know of a discreet member does not review his access (rule 7).
    """
    rows = [row for row in (Member.objects.rows(entry) if rows is None else rows) if row.has_access]
    told = Member.objects.filter(dossier_id=entry.dossier.pk, pk__in=[row.id for row in rows])
    granted = {pk: (row_id, at) for pk, row_id, at in told.values_list("pk", "habilitation", "habilitation__state_at")}
    ids = [row_id for row_id, _ in granted.values()]
    used, kept = last_uses(ids), last_kept(ids)
    told = SleepingAccess.objects.waiting().filter(dossier_id=entry.dossier.pk)
    closing = {row_id: (at, day) for row_id, at, day in told.values_list("habilitation_id", "told_at", "closes_on")}
    found = []
    for row in rows:
        row_id, opened_at = granted[row.id]
        last, choice = used.get(row_id), kept.get(row_id)
        asleep = sleeps(opened_at, last, choice.at if choice else None)
        told_at, closes_on = closing.get(row_id, (None, None))
        # Used or kept since its holder was told: it is spared on that day.
        spared = told_at and any(at > told_at for at in (last, choice and choice.at) if at)
        found.append(Line(row, opened_at, last, choice, asleep, None if spared else closes_on))
    return sorted(found, key=lambda line: not line.sleeps)


@dataclass(frozen=True)
class Closed:
    """One access that the application closed for want of use: whose, and when."""

    row: MemberRow
    at: dt.datetime


def closed_of(entry, rows: Iterable[MemberRow]) -> list[Closed]:
    """Return the accesses of these members closed by themselves, undecided since. One SQL statement."""
    closed = SleepingAccess.objects.closed().filter(
        dossier_id=entry.dossier.pk, habilitation__state=Habilitation.State.NON, habilitation__ended_at=None
    )
    days = dict(closed.order_by("closed_at").values_list("habilitation__members__pk", "closed_at"))
    return [Closed(row, days[row.id]) for row in rows if row.id in days]


def last_review(dossier_id) -> AccessReview | None:
    """Return the last time the accesses of a dossier were gone through."""
    return AccessReview.objects.filter(dossier_id=dossier_id).select_related("by").order_by("-at").first()


def due(dossiers: QuerySet[Dossier]) -> QuerySet[Dossier]:
    """Return those whose accesses are to be gone through again, the longest left first, with `reviewed_at`.

    ACCESS_REVIEW_MONTHS after the last time, or after the dossier was made; none when the setting is 0.
    """
    months = settings.ACCESS_REVIEW_MONTHS
    if not months:
        return dossiers.none()
    last = AccessReview.objects.filter(dossier=OuterRef("pk")).order_by().values("dossier").annotate(at=Max("at"))
    limit = timezone.make_aware(dt.datetime.combine(months_before(months), dt.time.min))
    dated = dossiers.annotate(reviewed_at=Subquery(last.values("at")))
    waiting = dated.annotate(since=Coalesce("reviewed_at", "created_at")).filter(since__lt=limit)
    return waiting.order_by("since", "pk")
