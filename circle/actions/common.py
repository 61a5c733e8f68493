"""What every act on a circle begins and ends with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from circle.errors import AlreadyMember, MemberUnknown, NotPresent
from circle.history import CARE_OVER
from circle.models import Change, Member, PlannedStay
from coordination.accounts.models import User
from coordination.directory.models import Attachment
from coordination.dossiers.errors import DossierIsReadOnly
from coordination.dossiers.models import Dossier
from habilitations import access as habilitations
from habilitations.models import Habilitation
from habilitations.rubriques import Niveau, Rubrique

KIND = Change.Kind
# The actions of the journal: a right changed, a request for one answered.
RIGHT, ANSWERED = "habilitation", "réponse"
# Who acts when nobody does.
APPLICATION = "L’application"


def lock_circle(entry, *, level: Niveau = Niveau.ECRITURE) -> None:
    """Make other writers of this circle wait, and look again at the state of the dossier.

    `level` is reading for the one act that a read-only dossier leaves, a refusal. Raises LevelMissing (the level is
    not held on the circle), DossierIsReadOnly (closed or paused meanwhile).
    """
    habilitations.require(entry.access, Rubrique.CERCLE, level)
    # NO KEY: rows that point to the dossier (traces of readers, notes) are still inserted meanwhile.
    dossier = (
        Dossier.objects.select_for_update(of=("self",), no_key=True).only("id", "status").get(pk=entry.dossier.pk)
    )
    if dossier.cap < level:
        raise DossierIsReadOnly(state=dossier.get_status_display().lower())


def locked_member(entry, member, *, present: bool = True) -> Member:
    """Return the member as stored now, locked. Raises MemberUnknown (other dossier, or not shown), NotPresent."""
    found = (
        Member.objects.shown_to(entry.access)
        .select_for_update(of=("self",))
        .select_related("professional", "activity", "structure", "habilitation")
        .filter(dossier_id=entry.dossier.pk, pk=member.pk)
        .first()
    )
    if found is None:
        raise MemberUnknown
    if present and not found.periods.current().exists():
        raise NotPresent(name=found.display_name)
    return found


def overtake_arrivals(*members: Member, until: dt.date | None = None) -> None:
    """Close what was planned of the coming of members of one circle, now there; `until`: a new stay ends by then."""
    plans = PlannedStay.objects.waiting().arrivals().filter(dossier_id=members[0].dossier_id, member__in=members)
    if until is not None:
        plans = plans.filter(starts_on__lt=until)
    plans.update(closed_at=timezone.now(), outcome=PlannedStay.Outcome.OVERTAKEN)


def entry_kept(structure):
    """Return the entry that the directory keeps, of two found to be one: the circle holds that one."""
    while structure.merged_into:
        structure = structure.merged_into
    return structure


def name_for(entry, member: Member) -> str:
    """Return the member's name, "" when this reader may not see it (rule 7)."""
    return "" if member.discreet and not entry.access.sees_discreet_members else member.display_name


def already_there(entry, member: Member) -> AlreadyMember:
    """Return the refusal of somebody who is in the circle, which names him to who may see him only."""
    name = name_for(entry, member)
    return AlreadyMember(name=name, member_id=member.pk if name else None)


def account_of(professional):
    """Return the account of a directory person, None when there is none."""
    return accounts_of([professional]).get(professional.pk)


def accounts_of(professionals) -> dict[UUID, User]:
    """Return {directory person: his account}, of those who have one. One SQL statement, none for nobody."""
    ids = [one.pk for one in professionals]
    found = Attachment.objects.filter(professional__in=ids).select_related("user").order_by("-pk") if ids else ()
    return {one.professional_id: one.user for one in found}


def record(
    entry, member: Member, kind: str, *, subject="", before="", after="", other=None, traced: bool = False
) -> Change:
    """Write one line of the circle's history; what changes a right is traced as one too, told apart from writings.

    `traced`: the caller has written that trace, with more words.
    """
    if kind in _SAID_OF_RIGHT and not traced:
        trace_right(entry, member, _SAID_OF_RIGHT[kind](subject, before, after))
    line = line_of(entry, member, kind, subject=subject, before=before, after=after, other=other)
    line.save(force_insert=True)
    return line


def record_many(lines: Iterable[Change]) -> None:
    """Write lines of history that change no right (`line_of`), in their order. One SQL statement, none for no line."""
    told = list(lines)
    if any(line.kind in _SAID_OF_RIGHT for line in told):
        raise ValueError("what changes a right is traced: `record` tells it")
    Change.objects.bulk_create(told)


def line_of(entry, member: Member, kind: str, *, subject="", before="", after="", other=None) -> Change:
    """Return a line of the circle's history, not written yet."""
    return Change(
        dossier_id=entry.dossier.pk,
        member=member,
        by=entry.user,
        on_behalf_of_id=entry.access.on_behalf_of.id if entry.access.on_behalf_of else None,
        kind=kind,
        subject=subject[:60],
        before=before[:500],
        after=after[:500],
        other=other,
    )


def trace_right(entry, member: Member, said: str, *, action: str = RIGHT) -> None:
    """Write in the journal that what a member may do changed (SEC-9): what changed in words, never his name."""
    entry.trace(action, rubrique=Rubrique.CERCLE, object_kind="member", object_id=member.pk, reason=said)


def said_of_state(before: str, after: str) -> str:
    """Return "Non habilité → Habilité"."""
    return " → ".join(Habilitation.State(state).label for state in (before, after))


# {kind of the history: (subject, before, after) in words}
_SAID_OF_RIGHT = {
    KIND.STATE: lambda _, before, after: said_of_state(before, after),
    KIND.REDUCED: lambda subject, _, after: (
        f"{subject} : réduction à « {after} »" if after else f"{subject} : réduction levée"
    ),
    KIND.SHARING: lambda subject, until, day: f"{subject} le {day}" + (f", jusqu’au {until}" if until else ""),
    KIND.SECRETARY: lambda _, before, after: (
        f"Secrétariat : {before}"
        if before == CARE_OVER
        else f"Secrétariat : accord de la personne {'noté' if after else 'retiré'}"
    ),
    KIND.LAST_DAY: lambda _, before, after: f"Dernier jour : {before or 'aucun'} → {after or 'aucun'}",
}


def next_version(member: Member, *fields: str) -> None:
    """Save these fields and the next version of the member's sheet."""
    member.version += 1
    member.save(update_fields=[*fields, "version"])
