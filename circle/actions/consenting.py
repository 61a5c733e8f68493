"""On what the sharing rests and what the person opposes: what is told of it in the history and in the journal.

An opposition to one rubric is told in the words of a reduction, and one that concerns everybody is told in the journal
alone: the history of a circle is read by who is opposed (SEC-6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from circle import history, letters
from circle.actions.answering import carry
from circle.actions.common import KIND, RIGHT, lock_circle, locked_member, record
from circle.actions.limiting import carry_oppositions, record_ceiling
from circle.models import Member
from coordination.common.french import date_fr
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import actions as habilitations
from habilitations import catalog
from habilitations.actions.consents import current, read_as
from habilitations.actions.members import locked
from habilitations.actions.twins import other_entries
from habilitations.errors import AlreadyOpposed
from habilitations.models import Consent, Habilitation, Opposition
from habilitations.rubriques import Niveau, Rubrique


@transaction.atomic
def record_consent(entry, member, *, seen: str | None = None, **rests) -> Consent:
    """Record on what the sharing with a member rests. Who enters by it from now is told by mail, without a name.

    `seen`: the fact that was read to be the last one, as `read_as` marks it. Raises MemberUnknown, NotPresent,
    ChangedMeanwhile, and the errors of `habilitations.actions.record_consent`.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    _require_read(member, seen)
    granting = Habilitation.objects.granting().filter(pk=member.habilitation_id, user__isnull=False)
    was_open = granting.exists()
    consent = carry(entry, member, member.habilitation, **rests)
    if not was_open and granting.exists():
        letters.tell_of_opened_dossier(member.habilitation.user, entry.dossier.pk)
    return consent


@transaction.atomic
def end_consent(
    entry, member, *, end: str, ended_on: dt.date, collected: str = "", seen: str | None = None
) -> Consent:  # fmt: skip
    """Note that the person withdraws her consent, or that a member leaves the équipe de soins: access stops at once.

    `seen` as `record_consent`. Raises MemberUnknown, NotPresent, ChangedMeanwhile, and the errors of
    `habilitations.actions.end_consent`.
    """
    lock_circle(entry, level=Niveau.LECTURE)
    member = locked_member(entry, member)
    _require_read(member, seen)
    consent, *twins = habilitations.end_consent(
        member.habilitation, by=entry.user, access=entry.access, end=end, ended_on=ended_on, collected=collected
    )
    said = history.WITHDRAWN if end == Consent.End.WITHDRAWN else history.OUT_OF_TEAM
    record(entry, member, KIND.SHARING, subject=said, after=date_fr(ended_on))
    for twin in Member.objects.filter(habilitation__in=[one.habilitation_id for one in twins]).order_by("pk"):
        record(entry, twin, KIND.SHARING, subject=said, after=date_fr(ended_on))
    return consent


@transaction.atomic
def record_opposition(
    entry, *, rubrique: str, member: Member | None = None, spared: Collection[UUID] = (), refused_on: dt.date,
    collected: str, comment: str = "",
) -> Opposition:  # fmt: skip
    """Record an opposition to a rubric, for a member or for everybody, or to the whole dossier. Once is enough.

    To a structure, it stands for the other entries of the directory found to be the same, those that have left too.
    Raises MemberUnknown, NotPresent, and the errors of `habilitations.actions.record_opposition`.
    """
    lock_circle(entry, level=Niveau.LECTURE)
    found = locked_member(entry, member) if member is not None else None
    row = found.habilitation if found else None
    try:
        opposition = habilitations.record_opposition(
            entry.dossier.pk, by=entry.user, access=entry.access, rubrique=rubrique, habilitation=row, spared=spared,
            refused_on=refused_on, collected=collected, comment=comment,
        )  # fmt: skip
    except AlreadyOpposed:
        # Said to nobody: who is opposed would learn it by noting it again (SEC-6).
        return Opposition.objects.standing().get(dossier_id=entry.dossier.pk, habilitation=row, rubrique=rubrique)
    _tell(entry, found, rubrique, closed=True)
    for twin in other_entries(row) if row else ():
        carry_oppositions(entry, row, Member.objects.get(habilitation=twin))
    return opposition


@transaction.atomic
def withdraw_opposition(entry, opposition: Opposition, *, withdrawn_on: dt.date, collected: str) -> Opposition:
    """Withdraw an opposition. Raises the errors of `habilitations.actions.withdraw_opposition`."""
    lock_circle(entry)
    found = None
    if opposition.habilitation_id:
        found = locked_member(entry, Member.objects.get(habilitation=opposition.habilitation_id), present=False)
    done = habilitations.withdraw_opposition(
        opposition, by=entry.user, access=entry.access, withdrawn_on=withdrawn_on, collected=collected
    )
    _tell(entry, found, done.rubrique, closed=False)
    return done


def _require_read(member: Member, seen: str | None) -> None:
    """Hold the last fact of a member as it is; raise ChangedMeanwhile when another one was read."""
    if seen is not None and seen != read_as(current(locked(member.habilitation))):
        raise ChangedMeanwhile


def _tell(entry, member: Member | None, rubrique: str, *, closed: bool) -> None:
    if member is not None:
        record_ceiling(entry, member, catalog.last().rubric_of(rubrique), Niveau.AUCUN if closed else None)
        return
    what = catalog.last().rubric_label(rubrique) if rubrique else "Tout le dossier"
    said = "opposition de la personne, pour tout le cercle" if closed else "opposition retirée, pour tout le cercle"
    entry.trace(RIGHT, rubrique=Rubrique.CERCLE, object_kind="dossier", object_id=entry.dossier.pk,
                reason=f"{what} : {said}")  # fmt: skip
