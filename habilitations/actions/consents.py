"""On what the sharing with a member rests, recorded and ended, each a dated fact (SEC-3, SEC-4).

What opens (a new fact) needs a dossier that is written and is never done for oneself; what closes is always possible.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from habilitations import acting
from habilitations.access import Access
from habilitations.actions.grounds import declare, finish
from habilitations.actions.members import locked
from habilitations.actions.twins import is_his_house, other_entries
from habilitations.closures import closable
from habilitations.errors import (
    CollectedUnknown,
    ConsentDateNotPossible,
    GroundUnknown,
    LastDayBehind,
    NotAllowed,
    NothingRests,
    OwnHabilitation,
    RubricNotClosable,
    TeamNotPossible,
)
from habilitations.models import Collected, Consent, Habilitation

Ground = Consent.Ground


def current(habilitation: Habilitation) -> Consent | None:
    """Return the last fact of a member, standing or not; None when nothing was ever recorded. One SQL statement."""
    return (
        Consent.objects.current()
        .filter(dossier_id=habilitation.dossier_id, habilitation=habilitation)
        .select_related("recorded_by", "ended_by")
        .first()
    )


def read_as(consent: Consent | None) -> str:
    """Return the mark of the last fact of a member, which a form sends back: another once it is replaced or ended."""
    return f"{consent.pk} {consent.end}".strip() if consent else ""


def stands(consent: Consent | None, today: dt.date | None = None) -> bool:
    """Say whether a grant may rest on this fact today."""
    if consent is None or consent.end:
        return False
    return consent.last_day is None or consent.last_day >= (today or timezone.localdate())


def widens(now: Consent | None, *, rubriques: Collection[str] = (), last_day: dt.date | None = None) -> bool:
    """Say whether a new fact would give something that the one of today does not: a password is then asked again."""
    if now is None or not stands(now):
        return True
    later = (last_day or dt.date.max) > (now.last_day or dt.date.max)
    # None at all is the whole dossier, with the rubrics to come.
    within = not now.rubriques or (bool(rubriques) and set(rubriques) <= set(now.rubriques))
    return later or not within


@transaction.atomic
def record_consent(
    habilitation: Habilitation,
    *,
    by,
    access: Access,
    ground: str,
    starts_on: dt.date,
    informed_on: dt.date | None = None,
    collected: str = "",
    proof: str = "",
    rubriques: Collection[str] = (),
    last_day: dt.date | None = None,
    may_be_team: bool = True,
) -> Consent:
    """Record on what the sharing with a member rests from a day; the fact of before is replaced and kept.

    `ground` is a Consent.Ground: an équipe de soins, where the person is informed on `informed_on` and presumed to
    agree, or her express consent, which says how it was `collected`, may be limited to `rubriques` (all when empty)
    and may end after `last_day`. `may_be_team` is false for a relative. It grants nothing by itself: the state does.
    Raises NotAllowed (action right "noter_refus", on a dossier that is written), OwnHabilitation, MembershipEnded,
    GroundUnknown, TeamNotPossible, ConsentDateNotPossible, CollectedUnknown, RubricNotClosable, LastDayBehind.
    """
    if not access.may_withdraw_refusal:
        raise NotAllowed
    row = locked(habilitation)
    if acting.is_way_in(access, row, by) or is_his_house(row, by, access):
        raise OwnHabilitation
    _check_ground(ground, may_be_team=may_be_team)
    express = ground == Ground.EXPRESS
    _check_days(starts_on, informed_on, last_day if express else None)
    if express and collected not in Collected.values:
        raise CollectedUnknown
    return declare(
        row,
        by=by,
        ground=ground,
        starts_on=starts_on,
        informed_on=informed_on or (starts_on if express else None),
        collected=collected if express else "",
        proof=proof if express else "",
        rubriques=_rubrics(rubriques, access) if express else [],
        last_day=last_day if express else None,
    )


@transaction.atomic
def end_consent(
    habilitation: Habilitation, *, by, access: Access, end: str, ended_on: dt.date, collected: str = ""
) -> list[Consent]:
    """End what the sharing rests on: the person withdraws her consent, or the member leaves the équipe de soins.

    The access stops at once (SEC-4). Withdrawn, it stops however the member enters, until a new fact is recorded; from
    a structure, it is withdrawn from every entry of the directory found to be the same. Returns the fact of the
    member, then those of the other entries.
    Possible whatever the state of the dossier: it only closes. Raises NotAllowed (action right "noter_refus"),
    NothingRests, ConsentDateNotPossible, CollectedUnknown, MembershipEnded.
    """
    if not access.may_record_refusal:
        raise NotAllowed
    row = locked(habilitation)
    found = (
        Consent.objects.current()
        .select_for_update(of=("self",))
        .filter(dossier_id=row.dossier_id, habilitation=row, end="")
        .first()
    )
    if found is None:
        raise NothingRests
    if end == Consent.End.WITHDRAWN and collected not in Collected.values:
        raise CollectedUnknown
    if ended_on > timezone.localdate():
        raise ConsentDateNotPossible(field="ended_on")
    if ended_on < found.starts_on:
        raise ConsentDateNotPossible("La fin ne peut pas précéder le début.", field="ended_on")
    rows = [found, *(_of_other_entries(row) if end == Consent.End.WITHDRAWN else ())]
    return [
        finish(one, by=by, end=Consent.End(end), ended_on=max(ended_on, one.starts_on), collected=collected)
        for one in rows
    ]


def _of_other_entries(row: Habilitation) -> list[Consent]:
    """Return, locked, what the sharing with the other entries of a structure rests on.

    Those that have left too: a removal is undone, and gives back the access on the fact it rested on.
    """
    twins = [twin.pk for twin in other_entries(row)]
    facts = Consent.objects.current().select_for_update(of=("self",))
    return list(facts.filter(dossier_id=row.dossier_id, habilitation__in=twins, end="").order_by("pk"))


def take_back_too(left: Habilitation, kept: Habilitation, *, by) -> Consent | None:
    """Withdraw from an entry of a structure what the person had taken back from another one, found to be a double.

    Returns the fact that ended, None when the person took nothing back or nothing stood.
    """
    facts = Consent.objects.current().select_for_update(of=("self",)).filter(dossier_id=left.dossier_id)
    taken, found = facts.withdrawn().filter(habilitation=left).first(), facts.filter(habilitation=kept, end="").first()
    if taken is None or found is None:
        return None
    day = max(taken.ended_on, found.starts_on)
    return finish(found, by=by, end=Consent.End.WITHDRAWN, ended_on=day, collected=taken.ended_collected)


def _check_ground(ground: str, *, may_be_team: bool) -> None:
    if ground not in Ground.values or ground == Ground.TAKEN_OVER:
        raise GroundUnknown
    if ground != Ground.EXPRESS and not may_be_team:
        raise TeamNotPossible


def _check_days(starts_on: dt.date | None, informed_on: dt.date | None, last_day: dt.date | None) -> None:
    today = timezone.localdate()
    if starts_on is None or starts_on > today:
        raise ConsentDateNotPossible
    if informed_on and informed_on > today:
        raise ConsentDateNotPossible(field="informed_on")
    if last_day and last_day < today:
        raise LastDayBehind("Le dernier jour de l’accord ne peut pas être passé.", field="last_day")


def _rubrics(rubriques: Collection[str], access: Access) -> list[str]:
    wanted, offered = set(map(str, rubriques)), set(map(str, closable(access.matrix.rubrics)))
    if not wanted <= offered:
        raise RubricNotClosable(field="rubriques")
    # All of them is no limit: a rubric to come is then shared too.
    return [] if wanted == offered else sorted(wanted)
