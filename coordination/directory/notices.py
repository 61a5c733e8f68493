"""What « Mon compte » says of the directory: the demands of structures that wait for their answer."""

import datetime as dt

from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone

from coordination.accounts.notices import Notice, Provider
from coordination.common.french import date_fr
from coordination.directory.models import AttachmentOffer


def _waits(user):
    """Each demand that waits for this user, the oldest first."""
    return (
        AttachmentOffer.objects.waiting()
        .filter(user=user)
        .annotate(said=JSONObject(order="offered_at", structure="structure__name", id="pk"))
    )


def _told(said):
    day = timezone.localtime(dt.datetime.fromisoformat(said["order"]))
    return Notice(
        title="Une structure demande à rattacher votre compte.",
        sentence=f"{said['structure']}, le {date_fr(day)}.",
        link_label=f"Répondre à {said['structure']}",
        link_url=reverse("directory:offer", args=[said["id"]]),
    )


PENDING_OFFERS = Provider(_waits, _told)
