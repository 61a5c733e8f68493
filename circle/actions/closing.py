"""The end of care, told of each member who loses his access by it (SEC-4)."""

from __future__ import annotations

from circle import history
from circle.actions.common import KIND, record
from circle.models import Member
from coordination.common.french import date_fr
from coordination.common.text import person_name
from coordination.dossiers.door import Entry
from habilitations.actions.closing import CareEnded
from habilitations.models import Habilitation

_GRANTED = (Habilitation.State.OUI, Habilitation.State.ATTENTE)


def tell_end_of_care(dossier, ended: CareEnded, *, by, access, via) -> None:
    """Write in the history and in the journal whose access ended and whose secretary's, inside the act that closes."""
    entry = Entry(dossier=dossier, access=access, user=by, via=via)
    members = {
        member.habilitation_id: member
        for member in Member.objects.filter(dossier_id=dossier.pk, habilitation__ended_at=None)
        .select_related("habilitation")
        .order_by("pk")
    }
    for consent in ended.consents:
        member = members.get(consent.habilitation_id)
        if member and member.habilitation.state in _GRANTED:
            record(entry, member, KIND.SHARING, subject=history.CARE_OVER, after=date_fr(consent.ended_on))
    principals = {member.habilitation.user_id: member for member in members.values()}
    for given in ended.secretaries:
        if member := principals.get(given.acting.principal_id):
            secretary = given.acting.substitute
            name = person_name(secretary.family_name, secretary.given_name)
            record(entry, member, KIND.SECRETARY, subject=name, before=history.CARE_OVER)
