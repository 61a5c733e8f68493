"""Under which names what comes from a partner is kept here, and which busy time came from who asks for it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from agenda.models import Appointment, Occupation, ReceivedTime
from coordination.fhir.callers import Caller
from coordination.partners import known
from coordination.partners.models import Partner

_MEMO = "agenda.heard_from"


def senders_of(partner: Partner) -> frozenset[str]:
    """Return under which names what comes from a partner is here: what it calls with, and what is asked of it."""
    return frozenset({f"partner:{partner.pk}", f"client:{partner.software_id}"})


def heard_from(caller: Caller) -> Q | None:
    """Return the condition, on Occupation, of busy time that this caller told us; None for who is no partner.

    Told again to who said it, it would be busy there because it is busy here, and here because it is there, for ever
    (GAP-96). Only time that is taken elsewhere: what it booked here is told to it as to anybody. One SQL statement
    when there is a partner, none otherwise.
    """
    if not known.any_active():
        return None
    if _MEMO not in caller.memo:
        caller.memo[_MEMO] = _heard_from(caller)
    found: Q | None = caller.memo[_MEMO]
    return found


def _heard_from(caller: Caller) -> Q | None:
    partners = [one for one in Partner.objects.active() if caller.owner in senders_of(one)]
    if not partners:
        return None
    names = {name for one in partners for name in senders_of(one)}
    said = Q(source__in=[one.pk for one in partners])
    for model in (ReceivedTime, Appointment):
        said |= Exists(model.objects.filter(pk=OuterRef("source"), sender__in=names))
    return Q(said, kind=Occupation.Kind.RECEIVED)
