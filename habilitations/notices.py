"""What « Mon compte » says of acting for another: who waits for this person's answer."""

from django.urls import reverse

from coordination.accounts.notices import Notice
from coordination.common.french import date_fr
from coordination.common.text import person_name
from habilitations.models import ActingFor


def pending_acting(user) -> list[Notice]:
    """Return a notice for each demand that waits for this user, the oldest first. One SQL statement."""
    waiting = ActingFor.objects.waiting().filter(substitute=user).select_related("principal").order_by("declared_at")
    return [
        Notice(
            title=(
                "On vous demande un remplacement."
                if row.kind == ActingFor.Kind.STAND_IN
                else "On vous demande de tenir un secrétariat."
            ),
            sentence=f"{_name(row.principal)}, le {date_fr(row.declared_at)}.",
            link_label="Voir la demande et répondre",
            link_url=reverse("acting:answer", args=[row.pk]),
        )
        for row in waiting
    ]


def _name(user) -> str:
    return person_name(user.family_name, user.given_name)
