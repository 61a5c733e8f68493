"""What « Mon compte » says of acting for another: who waits for this person's answer."""

import datetime as dt

from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone

from coordination.accounts.notices import Notice, Provider
from coordination.common.french import date_fr
from coordination.common.text import person_name
from habilitations.models import ActingFor


def _waits(user):
    """Each demand that waits for this user, the oldest first."""
    return (
        ActingFor.objects.waiting()
        .filter(substitute=user)
        .annotate(
            said=JSONObject(
                order="declared_at",
                kind="kind",
                id="pk",
                family="principal__family_name",
                given="principal__given_name",
            )
        )
    )


def _told(said):
    day = timezone.localtime(dt.datetime.fromisoformat(said["order"]))
    stands_in = said["kind"] == ActingFor.Kind.STAND_IN
    asker = person_name(said["family"], said["given"])
    return Notice(
        title="On vous demande un remplacement." if stands_in else "On vous demande de tenir un secrétariat.",
        sentence=f"{asker}, le {date_fr(day)}.",
        link_label=f"Répondre à {asker}",
        link_url=reverse("acting:answer", args=[said["id"]]),
    )


PENDING_ACTING = Provider(_waits, _told)
