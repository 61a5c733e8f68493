"""How long a demand of a structure is kept: it names somebody who may never have heard of us."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from coordination.directory.models import AttachmentOffer


def purge_offers() -> int:
    """Delete the demands that nobody answered, and those answered, taken back or refused, after so long.

    From the day it was made, from that of its answer. What came of one stays: the account, its attachment, and the
    lines of the journal of accounts (RETENTION_DAYS).
    """
    long_ago = timezone.now() - timedelta(days=settings.RETENTION_DAYS["offers"])
    old = Q(answered_at=None, offered_at__lt=long_ago) | Q(answered_at__lt=long_ago)
    return AttachmentOffer.objects.filter(old).delete()[0]
