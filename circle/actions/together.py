"""Members who come into a circle together, written by sets: as many statements for forty as for two (PERF-12).

Who comes in plainly: a structure or a professional without an account, new here, and a relative whom no circle named
yet. Whoever else comes in does so by himself (`applying`). The rules and what is recorded are the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from circle import presence, roles
from circle.actions.adding import house_of
from circle.actions.common import KIND, accounts_of, entry_kept, line_of, overtake_arrivals, record_many
from circle.actions.wanted import Change
from circle.models import Member, Period
from circle.participants import is_under_way
from coordination.directory.models import Structure
from habilitations.actions import sets
from habilitations.kin import same_structures


def houses_of(entry, structures: Sequence[Structure]) -> dict[UUID, Member]:
    """Return {structure as it was named: its member here}, of those that the circle has (`house_of`).

    Two SQL statements where it has none of them, none for no structure.
    """
    if not structures:
        return {}
    same = same_structures(*(entry_kept(structure).pk for structure in structures))
    if not Member.objects.filter(dossier_id=entry.dossier.pk, structure__in=same).exists():
        return {}
    found = {structure.pk: house_of(entry, structure)[1] for structure in structures}
    return {id: house for id, house in found.items() if house}


def plain_arrivals(entry, changes: Sequence[Change]) -> list[Change]:
    """Return, of these, those whose only stay to add is under way and who come in plainly. Four SQL statements."""
    today = timezone.localdate()
    now = [
        change
        for change in changes
        if len(change.difference.enters) == 1 and is_under_way(change.difference.enters[0], today)
    ]
    accounts = accounts_of([change.target.professional for change in now if change.target.professional])
    houses = [entry_kept(change.target.structure).pk for change in now if change.target.structure]
    # What the person opposes to a structure follows it, and is told with its arrival.
    with_houses = not sets.have_rows(entry.dossier.pk, houses)
    awaited = [change.there for change in now if change.member and change.target.kind == roles.PERSON]
    new = set(Member.objects.filter(pk__in=[one.pk for one in awaited], periods=None).values_list("pk", flat=True))

    def is_plain(change: Change) -> bool:
        if change.member:
            return change.member.pk in new
        if change.target.structure:
            return with_houses
        return change.target.professional.pk not in accounts

    return [change for change in now if is_plain(change)]


def come_in(entry, changes: Sequence[Change]) -> None:
    """Begin the stays of members who come in plainly (`plain_arrivals`), under the circle's lock.

    Each has his row of habilitation, in state "non", and his line of history. Raises what the constraints say.
    """
    if not changes:
        return
    relatives = [change.there for change in changes if change.member]
    _take_in(entry, relatives)
    _create(entry, [change for change in changes if not change.member])
    today = timezone.localdate()
    Period.objects.bulk_create(
        Period(
            dossier_id=entry.dossier.pk,
            member=change.there,
            starts_on=min(change.difference.enters[0][0], today),
            started_by=entry.user,
        )
        for change in changes
    )
    if relatives:
        overtake_arrivals(*relatives, until=today + dt.timedelta(days=1))
    record_many(line_of(entry, change.there, KIND.ADDED) for change in changes)
    presence.tell_returned(*relatives)


def _take_in(entry, relatives: Sequence[Member]) -> None:
    """Open again the rows of relatives sent before any circle named them; their sheet is of another version."""
    if not relatives:
        return
    sets.begin_again([member.habilitation for member in relatives], by=entry.user)
    mine = Member.objects.filter(dossier_id=entry.dossier.pk, pk__in=[member.pk for member in relatives])
    mine.update(version=F("version") + 1)
    for member in relatives:
        member.version += 1
        member.habilitation.ended_at = None


def _create(entry, changes: Sequence[Change]) -> None:
    """Make the rows of those who are new here, in the order in which they were named."""
    who = [
        {"structure": entry_kept(change.target.structure)}
        if change.target.structure
        else {"professional": change.target.professional}
        for change in changes
    ]
    opened = sets.open_habilitations(entry.dossier.pk, who, by=entry.user)
    members = Member.objects.bulk_create(
        Member(
            dossier_id=entry.dossier.pk,
            kind=change.target.kind,
            habilitation=row,
            created_by=entry.user,
            activity=change.target.activity,
            **whom,
        )
        for change, whom, row in zip(changes, who, opened, strict=True)
    )
    for change, member in zip(changes, members, strict=True):
        change.member = member
