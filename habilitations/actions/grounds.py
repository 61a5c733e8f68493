"""The rows behind a consent, written for whoever is known to be entitled: the rules are in `actions.consents`."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from habilitations import information
from habilitations.models import ActingFor, Consent, Habilitation, SecretaryConsent


def declare(habilitation: Habilitation, *, by, ground: str, starts_on: dt.date, **details) -> Consent:
    """Write a fact on which the sharing rests, in place of the current one, which is kept as it was."""
    facts = Consent.objects.current().filter(dossier_id=habilitation.dossier_id)
    facts.filter(habilitation=habilitation).update(replaced_at=timezone.now())
    if habilitation.user_id:
        # What the person took back from the same account under an entry that has left, where nobody can note any more.
        gone = facts.withdrawn().filter(habilitation__user=habilitation.user_id, habilitation__ended_at__isnull=False)
        gone.update(replaced_at=timezone.now())
    return Consent.objects.create(
        dossier_id=habilitation.dossier_id,
        habilitation=habilitation,
        ground=ground,
        starts_on=starts_on,
        information_version=information.VERSION if details.get("informed_on") else "",
        recorded_by=by,
        **details,
    )


def finish(consent: Consent, *, by, end: str, ended_on: dt.date, collected: str = "") -> Consent:
    """Write the end of a fact."""
    consent.end, consent.ended_on, consent.ended_collected = end, ended_on, collected
    consent.ended_at, consent.ended_by = timezone.now(), by
    consent.save(update_fields=["end", "ended_on", "ended_collected", "ended_at", "ended_by"])
    return consent


def forget(row: Habilitation, *, by) -> None:
    """End the fact of a member who comes back, and the consents to his secretaries: his return is a new beginning.

    What the person withdrew stays so.
    """
    today = timezone.localdate()
    found = Consent.objects.current().filter(dossier_id=row.dossier_id, habilitation=row, end="").first()
    if found:
        finish(found, by=by, end=Consent.End.OVER, ended_on=max(today, found.starts_on))
    if row.user_id:
        given = SecretaryConsent.objects.standing().filter(
            dossier_id=row.dossier_id, acting__principal=row.user_id, acting__kind=ActingFor.Kind.SECRETARY
        )
        given.update(withdrawn_on=today, withdrawn_at=timezone.now(), withdrawn_by=by)
