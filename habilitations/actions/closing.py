"""The end of care: with the dossier closed, what the sharing rested on is over (SEC-4).

Only who may reopen the dossier goes on reading it, so that it is never closed to everybody
(docs/decisions/2026-11-29-end-of-care.md).
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from habilitations.access import Access, users_who_may
from habilitations.actions.grounds import finish
from habilitations.models import Consent, SecretaryConsent
from habilitations.rubriques import Action


class CareEnded(NamedTuple):
    """What ended with the care: on what the sharing with members rested, and the consents to secretaries."""

    consents: list[Consent]
    secretaries: list[SecretaryConsent]


def who_keeps(dossier_id: UUID, access: Access) -> Q:
    """Return, as a condition on consents, whose stay when `access` closes the dossier. One SQL statement.

    Those of the accounts that may reopen it, and the way in of who closes: his own, his structure's, or that of the
    one for whom he acts.
    """
    reopening = users_who_may(dossier_id, Action.CLOSE_DOSSIER)
    own = Q(habilitation__user__in=reopening, habilitation__ended_at=None)
    return own | Q(habilitation=access.habilitation_id)


@transaction.atomic
def end_care(dossier_id: UUID, *, by, access: Access) -> CareEnded:
    """End today what the sharing rests on, for everybody but `who_keeps`, and every consent to a secretary.

    Opened again, the dossier opens to each of them once a new fact is noted. What the person withdrew or opposes
    stays. Raises NotAllowed (action right "clore_dossier").
    """
    access.require(Action.CLOSE_DOSSIER)
    today = timezone.localdate()
    kept = Consent.objects.current().filter(who_keeps(dossier_id, access), dossier_id=dossier_id).values("pk")
    standing = Consent.objects.standing().select_for_update(of=("self",)).filter(dossier_id=dossier_id)
    over = list(standing.exclude(pk__in=kept).order_by("pk"))
    for consent in over:
        finish(consent, by=by, end=Consent.End.CARE_OVER, ended_on=max(today, consent.starts_on))
    given = SecretaryConsent.objects.standing().select_for_update(of=("self",)).filter(dossier_id=dossier_id)
    secretaries = list(given.select_related("acting__substitute").order_by("pk"))
    given.update(withdrawn_on=today, withdrawn_at=timezone.now(), withdrawn_by=by)
    return CareEnded(over, secretaries)
