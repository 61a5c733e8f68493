"""An access ends soon: who may extend it is told by mail, without a name (SEC-22)."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from circle.todo import SOON
from coordination.accounts import mails
from habilitations import access
from habilitations.models import Habilitation
from habilitations.rubriques import Action


@transaction.atomic
def remind_last_days() -> int:
    """Queue one mail per account that may extend an access ending within fourteen days. Returns how many.

    Each last day is reminded once; moved, it is reminded again. Who the access belongs to is not asked to extend it.
    """
    today = timezone.localdate()
    told_already = Q(reminded_for=F("access_until"))
    ending = Habilitation.objects.granting().filter(access_until__range=(today, today + SOON))
    rows = list(ending.filter(Q(reminded_for=None) | ~told_already).select_for_update(of=("self",), skip_locked=True))
    able = {dossier_id: access.users_who_may(dossier_id, Action.GRANT) for dossier_id in {r.dossier_id for r in rows}}
    told = {user_id for row in rows for user_id in able[row.dossier_id] - {row.user_id}}
    for user in get_user_model().objects.filter(pk__in=told).order_by("pk"):
        mails.send(
            "circle/emails/last_days.html", to=user.email, context={"link": mails.absolute(reverse("todo"))},
            account_id=user.pk,
        )  # fmt: skip
    Habilitation.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_for=F("access_until"))
    return len(told)
