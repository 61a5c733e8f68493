"""An access or a consent ends soon: who may extend it, or note another, is told by mail, without a name (SEC-22)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from circle.letters import LAST_DAYS
from circle.todo import SOON
from coordination.accounts import mails
from habilitations import access
from habilitations.models import Consent, Habilitation
from habilitations.rubriques import Action


@transaction.atomic
def remind_last_days() -> int:
    """Queue one mail per account that may extend an access, or note a consent, ending within fourteen days.

    Returns how many. Each last day is reminded once; moved, it is reminded again. Who the access belongs to is not
    asked to extend it.
    """
    today = timezone.localdate()
    soon = (today, today + SOON)
    rows = list(_due(Habilitation.objects.granting().filter(access_until__range=soon), "access_until"))
    consents = list(_due(Consent.objects.standing().filter(last_day__range=soon), "last_day"))
    carried = Habilitation.objects.granting().in_bulk([consent.habilitation_id for consent in consents])
    told = _able(rows, Action.GRANT) | _able(carried.values(), Action.RECORD_REFUSAL)
    for user in get_user_model().objects.filter(pk__in=told).order_by("pk"):
        mails.send(
            "circle/emails/last_days.html", to=user.email, context={"link": mails.absolute(reverse("todo"))},
            account_id=user.pk, kind=LAST_DAYS,
        )  # fmt: skip
    Habilitation.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_for=F("access_until"))
    Consent.objects.filter(pk__in=[consent.pk for consent in consents]).update(reminded_for=F("last_day"))
    return len(told)


def _due(rows: QuerySet, day: str) -> QuerySet:
    told_already = Q(reminded_for=F(day))
    return rows.filter(Q(reminded_for=None) | ~told_already).select_for_update(of=("self",), skip_locked=True)


def _able(rows: Iterable[Habilitation], action: Action) -> set[UUID]:
    dossiers = {row.dossier_id for row in rows}
    able = {dossier_id: access.users_who_may(dossier_id, action, himself=True) for dossier_id in dossiers}
    return {user_id for row in rows for user_id in able[row.dossier_id] - {row.user_id}}
