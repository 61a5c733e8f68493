"""Finding the dossier of an emergency, and the accesses that wait to be reviewed (SEC-8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from coordination.common.french import NBSP, plural
from coordination.common.text import fold
from coordination.dossiers.lookups import name_key
from coordination.dossiers.models import DatePrecision, Dossier, IdentityStatus
from habilitations.actions.emergency import shut_to
from habilitations.models import EmergencyAccess, EmergencyReview

# How many the officer's screen shows, the newest first; so many days are kept on it once reviewed.
MOST, SHOWN_DAYS = 100, 90


@dataclass(frozen=True, slots=True)
class Traits:
    """What is asked of who opens in an emergency: a matricule, or the traits. It identifies someone: out of `repr`."""

    matricule: str = field(default="", repr=False)
    birth_name: str = field(default="", repr=False)
    given_name: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_date: dt.date | None = field(default=None, repr=False)


def find(user, asked: Traits) -> Dossier | None:
    """Return the one dossier that answers exactly and that an emergency may open to `user`.

    None alike for no dossier, for two, for one that the person refused to him or forbade to all: three SQL
    statements, the same for all of them (SECT-4).
    """
    rows = Dossier.objects.exclude(shut_to(user))
    if asked.matricule:
        # INS-4: outside the identity page, a matricule exists only once qualified.
        found = list(rows.filter(ins_matricule=asked.matricule, identity_status=IdentityStatus.QUAL))
    else:
        same = rows.filter(
            search_birth_name=name_key(asked.birth_name), birth_date=asked.birth_date, sex=asked.sex,
            birth_date_precision=DatePrecision.DAY,
        )  # fmt: skip
        found = [row for row in same if fold(row.first_given_name) == fold(asked.given_name)]
    return found[0] if len(found) == 1 else None


def running_of(user) -> list[EmergencyAccess]:
    """Return the emergency accesses of an account that are under way, with their dossiers. One SQL statement."""
    return list(EmergencyAccess.objects.running().filter(user=user).select_related("dossier").order_by("ends_at"))


def unreviewed(*, as_officer: bool) -> QuerySet[EmergencyAccess]:
    """Return the emergency accesses that one side has not reviewed, the oldest first."""
    told = EmergencyReview.objects.filter(emergency=OuterRef("pk"), as_officer=as_officer)
    return EmergencyAccess.objects.filter(~Exists(told)).select_related("user").order_by("opened_at")


def for_officer() -> list[EmergencyAccess]:
    """Return what the officer's screen shows: all that he has not reviewed, and what is recent. Two SQL statements.

    The newest first; where there is too much, what waits for him is not what is left out.
    """
    reviews = Prefetch("reviews", EmergencyReview.objects.select_related("by").order_by("at"))
    since = timezone.now() - dt.timedelta(days=SHOWN_DAYS)
    waits = Exists(unreviewed(as_officer=True).filter(pk=OuterRef("pk")))
    rows = EmergencyAccess.objects.annotate(waits=waits).filter(Q(waits=True) | Q(opened_at__gte=since))
    kept = rows.select_related("user").prefetch_related(reviews).order_by("-waits", "-opened_at")[:MOST]
    return sorted(kept, key=lambda row: row.opened_at, reverse=True)


def lasting() -> str:
    """Return "2 heures" or "90 minutes": how long an emergency access lasts in this installation."""
    hours, rest = divmod(settings.BRIS_DE_GLACE_MINUTES, 60)
    return plural(settings.BRIS_DE_GLACE_MINUTES, "minute") if rest else plural(hours, "heure")


def time_left(ends_at: dt.datetime, *, now: dt.datetime | None = None) -> str:
    """Return "1 h 12" or "9 min": what is left, never less than a minute."""
    minutes = max(1, int((ends_at - (now or timezone.now())).total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    return f"{hours}{NBSP}h{NBSP}{rest:02d}" if hours else f"{rest}{NBSP}min"
