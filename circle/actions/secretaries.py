"""The person's consent to the secretary of a member: noted, withdrawn, told in the history of the circle (SEC-15)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from circle.actions.common import KIND, lock_circle, locked_member, record
from circle.models import Member
from coordination.common.text import person_name
from habilitations import actions as habilitations
from habilitations.acting_errors import NotTheirSecretary
from habilitations.models import ActingFor
from habilitations.rubriques import Niveau


@transaction.atomic
def record_secretary_consent(entry, member, acting: ActingFor, *, given_on: dt.date, collected: str) -> Member:
    """Note that the person agrees to this secretary of a member: the dossier is open to him at the next request.

    Raises MemberUnknown, NotPresent, and the errors of `habilitations.actions.record_secretary_consent`.
    """
    lock_circle(entry)
    member = _principal(entry, member, acting)
    habilitations.record_secretary_consent(
        acting, entry.dossier.pk, by=entry.user, access=entry.access, given_on=given_on, collected=collected
    )
    record(entry, member, KIND.SECRETARY, subject=_name(acting), after="oui")
    return member


@transaction.atomic
def withdraw_secretary_consent(entry, member, acting: ActingFor, *, withdrawn_on: dt.date, collected: str) -> Member:
    """Note that the person takes her consent back: closed at the next request, in whatever state the dossier is.

    Raises MemberUnknown, NotTheirSecretary, and the errors of `habilitations.actions.withdraw_secretary_consent`.
    """
    lock_circle(entry, level=Niveau.LECTURE)
    member = _principal(entry, member, acting, present=False)
    habilitations.withdraw_secretary_consent(
        acting, entry.dossier.pk, by=entry.user, access=entry.access, withdrawn_on=withdrawn_on, collected=collected
    )
    record(entry, member, KIND.SECRETARY, subject=_name(acting), before="oui")
    return member


def _principal(entry, member, acting: ActingFor, *, present: bool = True) -> Member:
    found = locked_member(entry, member, present=present)
    if found.habilitation.user_id != acting.principal_id:
        raise NotTheirSecretary
    return found


def _name(acting: ActingFor) -> str:
    return person_name(acting.substitute.family_name, acting.substitute.given_name)
