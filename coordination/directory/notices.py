"""What « Mon compte » says of the directory: the demands of structures that wait for their answer."""

from django.urls import reverse

from coordination.accounts.notices import Notice
from coordination.common.french import date_fr
from coordination.directory.models import AttachmentOffer


def pending_offers(user) -> list[Notice]:
    """Return a notice for each demand that waits for this user, the oldest first."""
    waiting = AttachmentOffer.objects.waiting().filter(user=user).select_related("structure").order_by("offered_at")
    return [
        Notice(
            title="Une structure demande à rattacher votre compte.",
            sentence=f"{offer.structure.name}, le {date_fr(offer.offered_at)}.",
            link_label="Voir la demande et répondre",
            link_url=reverse("directory:offer", args=[offer.pk]),
        )
        for offer in waiting
    ]
