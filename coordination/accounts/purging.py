"""What accounts leave behind and nobody reads any more."""

from django.utils import timezone

from coordination.accounts.models import Session, Throttle


def purge_sessions() -> int:
    """Delete the sessions that ended by themselves; return how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def purge_throttles() -> int:
    """Delete the counts of attempts whose time is over; return how many.

    The cache that writes them removes some only once it holds MAX_ENTRIES of them.
    """
    return Throttle.objects.filter(expires__lt=timezone.now()).delete()[0]
