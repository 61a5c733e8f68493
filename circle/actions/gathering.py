"""One of several people pasted at once enters the circle: all that is asked of his line, or nothing."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from circle import arrivals, roles
from circle.actions.adding import add_manual_professional, add_professional
from circle.actions.answering import OUI
from circle.actions.common import account_of
from circle.actions.editing import invite_present
from circle.arrivals import Arrival
from circle.models import Member
from coordination.common.text import capital_family, capital_given
from coordination.directory.models import Activity
from habilitations.actions.consents import current, stands

# Kept with a member typed by hand although the directory knows namesakes: who pasted the list said so.
NONE_OF_THEM = "Aucune des personnes de ce nom proposées par l’annuaire (liste collée)."


@transaction.atomic
def bring_in(
    entry, arrival: Arrival, *, who: str, wanted: str, role: str = "", message: str = "", rests: dict | None = None,
    creation_key: UUID,
) -> Member:  # fmt: skip
    """Add the person of a line, habilitate and invite her: one act, in which each rule of the circle is asked.

    `who` is a choice of `Arrival.choices`; `wanted` "oui" or "non"; `role` "" is the usual one of the profession;
    `rests` is what an answer « oui » rests on, None while the person's consent is to be collected.
    Somebody of the directory whose account is known is let in by it, as from any other form: no second account.
    Raises as `add_professional`, `add_manual_professional` and `invite_present`.
    """
    line = arrival.line
    invitation = {"email": line.email, "message": message} if wanted == OUI else None
    carried = rests if wanted == OUI else None
    if who == arrivals.PRESENT:
        found = Member.objects.select_related("habilitation").get(pk=arrival.member_id, dossier_id=entry.dossier.pk)
        # What his access rests on already is not replaced by an answer given for all.
        own = None if stands(current(found.habilitation)) else carried
        invite_present(entry, found, email=line.email, message=message, rests=own)
        return found
    place = arrival.place(who)
    if place is None:
        fields = {
            "family_name": capital_family(line.family_name), "given_name": capital_given(line.given_name),
            "profession": line.profession, "email": line.email, "structure_name": line.structure,
        }  # fmt: skip
        return add_manual_professional(
            entry, fields=fields, role=role or roles.usual(roles.MANUAL, line.profession), wanted=wanted,
            duplicate_reason=NONE_OF_THEM if arrival.places else "", invitation=invitation, rests=carried,
            creation_key=creation_key,
        )  # fmt: skip
    activity = Activity.objects.select_related("professional").get(pk=place.id)
    return add_professional(
        entry, professional=activity.professional, activity=activity, wanted=wanted,
        role=role or roles.usual(roles.DIRECTORY, place.profession, place.fonction),
        invitation=None if account_of(activity.professional) else invitation, rests=carried,
        creation_key=creation_key,
    )  # fmt: skip
