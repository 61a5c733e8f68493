"""« Revue des accès »: a grant that sleeps is closed or kept, and the review of the dossier is over."""

from __future__ import annotations

from django.db import transaction

from circle.actions.answering import NON, OUI, answer
from circle.actions.common import RIGHT, lock_circle, locked_member, trace_right
from circle.models import Member
from habilitations.acting import concerns
from habilitations.actions.sleeping import note_restored
from habilitations.errors import GrantNotAllowed, NotOpen, OwnHabilitation
from habilitations.models import AccessKept, AccessReview, Habilitation, SleepingAccess
from habilitations.rubriques import Action, Rubrique


@transaction.atomic
def close_access(entry, member) -> Member:
    """Close the grant of a member, as « non » on his sheet does; it opens again in the same place.

    Raises MemberUnknown, NotPresent, and the errors of `habilitations.actions.set_state`.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    answer(entry, member, NON)
    return member


@transaction.atomic
def restore_access(entry, member) -> Member:
    """Open again, in one click, an access that the application closed for want of use.

    It rests on what it rested on. Raises NotOpen (it was not closed so, or somebody decided of it since),
    MemberUnknown, NotPresent, and the errors of `habilitations.actions.set_state`.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    found = SleepingAccess.objects.closed().filter(dossier_id=entry.dossier.pk, habilitation=member.habilitation_id)
    closed = found.first()
    if member.habilitation.state != Habilitation.State.NON or closed is None:
        raise NotOpen("Cet accès n’est plus fermé d’office : voyez la fiche du membre.")
    answer(entry, member, OUI)
    note_restored(closed, by=entry.user)
    return member


@transaction.atomic
def keep_access(entry, member) -> AccessKept:
    """Note that a grant is kept though it sleeps; it is proposed again after as many months.

    Raises MemberUnknown, NotPresent, OwnHabilitation, GrantNotAllowed (action right "habiliter"), NotOpen.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    row = member.habilitation
    if concerns(entry.access, row.user_id, entry.user):
        raise OwnHabilitation
    if not entry.access.may(Action.GRANT, structure_id=member.own_structure_id):
        raise GrantNotAllowed
    if row.state != Habilitation.State.OUI:
        raise NotOpen
    trace_right(entry, member, "Accès gardé à la revue")
    return AccessKept.objects.create(dossier_id=entry.dossier.pk, habilitation=row, by=entry.user)


@transaction.atomic
def finish_review(entry) -> AccessReview:
    """Note that the accesses of the dossier were gone through, today. Raises GrantNotAllowed."""
    lock_circle(entry)
    if not entry.access.may(Action.GRANT):
        raise GrantNotAllowed
    entry.trace(RIGHT, rubrique=Rubrique.CERCLE, reason="Revue des accès terminée")
    return AccessReview.objects.create(dossier_id=entry.dossier.pk, by=entry.user)
