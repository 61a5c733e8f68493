"""The person agrees that those around her see what other structures plan, or takes it back (AGD-11, AGD-12)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda.actions.common import lock_agenda
from agenda.actions.merging import part_joined
from agenda.errors import ConsentStands, NoConsentToWithdraw
from agenda.models import AgendaConsent
from coordination.common.errors import DomainError
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.rubriques import Rubrique


class DateToCome(DomainError):
    code = "date_to_come"
    message = "Cette date ne peut pas être à venir."
    field = "on"


class WithdrawnBeforeGiven(DomainError):
    code = "withdrawn_before_given"
    message = "Le retrait ne peut pas précéder l’accord."
    field = "on"


@transaction.atomic
def record_consent(entry, *, on: dt.date) -> AgendaConsent:
    """Note that the person agreed on a day: events of other structures are shown to who reads her agenda.

    Raises LevelMissing, DossierIsReadOnly, DateToCome, ConsentStands.
    """
    lock_agenda(entry, Rubrique.AGENDA)
    _require_past(on)
    if _standing(entry):
        raise ConsentStands
    return AgendaConsent.objects.create(dossier=entry.dossier, given_on=on, recorded_by=entry.user)


@transaction.atomic
def withdraw_consent(entry, *, on: dt.date, seen: UUID | None = None) -> AgendaConsent:
    """Note that the person no longer agrees: what other structures plan is hidden from the next request, and what was
    joined with it is told apart again. `seen`: the agreement that was read to stand, any by default.

    Raises LevelMissing, DossierIsReadOnly, DateToCome, NoConsentToWithdraw, ChangedMeanwhile, WithdrawnBeforeGiven.
    """
    lock_agenda(entry, Rubrique.AGENDA)
    _require_past(on)
    found = _standing(entry)
    if found is None:
        raise NoConsentToWithdraw
    if seen is not None and seen != found.pk:
        raise ChangedMeanwhile
    if on < found.given_on:
        raise WithdrawnBeforeGiven
    found.withdrawn_on, found.withdrawn_at, found.withdrawn_by = on, timezone.now(), entry.user
    found.save(update_fields=["withdrawn_on", "withdrawn_at", "withdrawn_by"])
    part_joined(entry)
    return found


def _standing(entry) -> AgendaConsent | None:
    standing = AgendaConsent.objects.in_force().filter(dossier_id=entry.dossier.pk)
    return standing.select_for_update(of=("self",)).first()


def _require_past(day: dt.date) -> None:
    if day > timezone.localdate():
        raise DateToCome
