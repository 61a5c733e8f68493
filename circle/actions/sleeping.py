"""Accesses that nobody uses close by themselves, after their holder was told (feature 22 of the study of peers).

Off unless ACCESS_CLOSE_MONTHS is set. Each grant is told, and closed, in a transaction of its own: the task may be
killed and run again at any moment.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from circle import granting, history
from circle.actions.common import APPLICATION, KIND, RIGHT, said_of_state
from circle.letters import UNUSED
from circle.models import Change, Member
from coordination.accounts import mails
from coordination.dossiers.models import Dossier
from habilitations import access, keepers
from habilitations.actions import sleeping
from habilitations.models import Habilitation, SleepingAccess
from habilitations.rubriques import Niveau
from habilitations.traces import record_link
from habilitations.usage import last_seen, months_before, unused_since

# Told in one night: an installation that turns the rule on does not write to everybody at once.
MOST = 500
State = Habilitation.State


def tell_sleeping() -> int:
    """Tell the holders of grants unused for nearly ACCESS_CLOSE_MONTHS of the day they close. Returns how many.

    ACCESS_CLOSE_NOTICE_DAYS before that day at least; each grant once.
    """
    if not _is_on():
        return 0
    notice = dt.timedelta(days=settings.ACCESS_CLOSE_NOTICE_DAYS)
    told = 0
    waiting = set(SleepingAccess.objects.waiting().values_list("habilitation_id", flat=True))
    for row_id, dossier_id in unused_since(_limit() + notice):
        if row_id not in waiting:
            told += _tell(row_id, dossier_id, closes_on=timezone.localdate() + notice)
        if told >= MOST:
            break
    return told


def close_sleeping() -> int:
    """Close the grants whose holder was told and that are still unused on their day. Returns how many.

    Used, kept, ended or changed meanwhile, or resting on nothing any more: spared. What leaves nobody to grant, or to
    withdraw an opposition to the whole dossier, waits; so does a dossier that is read-only, where nobody could open
    it again.
    """
    if not _is_on():
        return 0
    due = SleepingAccess.objects.waiting().filter(closes_on__lte=timezone.localdate())
    return sum(_close(pk, dossier_id) for pk, dossier_id in list(due.order_by("pk").values_list("pk", "dossier_id")))


def _is_on() -> bool:
    months = settings.ACCESS_CLOSE_MONTHS
    if months > settings.JOURNAL_RETENTION_MONTHS:
        # A use that the journal no longer knows would read as none.
        raise ImproperlyConfigured("ACCESS_CLOSE_MONTHS dépasse JOURNAL_RETENTION_MONTHS.")
    return months > 0


def _limit() -> dt.date:
    return months_before(settings.ACCESS_CLOSE_MONTHS)


@transaction.atomic
def _tell(row_id: UUID, dossier_id: UUID, *, closes_on: dt.date) -> bool:
    if not _is_written(dossier_id):
        return False
    rows = Habilitation.objects.granting().select_for_update(of=("self",)).select_related("user")
    row = rows.filter(pk=row_id, user__is_active=True).first()
    if row is None or SleepingAccess.objects.waiting().filter(habilitation=row).exists() or _is_needed(row):
        return False
    if access.to_dossier(row.user, dossier_id) is None:
        # Closed to him by the person: the letter would tell him of it (SEC-6).
        return False
    told = sleeping.announce_closing(row, closes_on=closes_on)
    link = mails.absolute(reverse("dossiers:home", args=[dossier_id]))
    mails.send(
        "circle/emails/access_unused.html",
        to=row.user.email,
        context={"link": link, "day": closes_on},
        kind=UNUSED,
        account_id=row.user_id,
        object_id=told.pk,
    )
    return True


@transaction.atomic
def _close(notice_id: UUID, dossier_id: UUID) -> bool:
    if not _is_written(dossier_id):
        return False
    notice = SleepingAccess.objects.waiting().select_for_update(of=("self",)).filter(pk=notice_id).first()
    if notice is None:
        return False
    rows = Habilitation.objects.granting().select_for_update(of=("self",))
    row = rows.filter(pk=notice.habilitation_id).first()
    if row is None or _was_seen(row, since=notice.told_at):
        sleeping.spare(notice)
        return False
    if _is_needed(row):
        return False
    sleeping.close_unused(notice, row)
    member = Member.objects.get(habilitation=row)
    Change.objects.create(
        dossier_id=dossier_id, member=member, by=None, kind=KIND.STATE, subject=history.UNUSED, before=State.OUI,
        after=State.NON,
    )  # fmt: skip
    record_link(
        user=None, dossier_id=dossier_id, habilitation_id=None, action=RIGHT, object_kind="member",
        object_id=member.pk, name=APPLICATION,
        reason=f"{said_of_state(State.OUI, State.NON)}, sans usage depuis {settings.ACCESS_CLOSE_MONTHS} mois",
    )  # fmt: skip
    return True


def _was_seen(row: Habilitation, *, since: dt.datetime) -> bool:
    """Say whether a grant was opened, used or kept since its holder was told, or is not old enough any more."""
    seen = last_seen(row)
    return seen > since or timezone.localdate(seen) >= _limit()


def _is_written(dossier_id: UUID) -> bool:
    """Lock the dossier as every writer of a circle does, and say whether it is written."""
    rows = Dossier.objects.select_for_update(of=("self",), no_key=True).only("id", "status")
    return rows.get(pk=dossier_id).cap >= Niveau.ECRITURE


def _is_needed(row: Habilitation) -> bool:
    """Say whether closing this grant would leave nobody to grant, or to withdraw what closes the whole dossier."""
    member = Member.objects.filter(habilitation=row).select_related("habilitation").first()
    if member is None or granting.is_last_able_to_grant(row.dossier_id, member):
        return True
    return keepers.is_last_keeper(row)
