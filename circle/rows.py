"""The circle as lists, sheets and exports show it: one statement, plain tuples, no model instance.

A circle page with thirty members must cost little more than an empty page (quality goals, goal 8): the ORM
would spend more time building the query than the database answering it. Filtered for its reader here and
nowhere else: a discreet member is shown only to who reads the medical rubric, and some profiles get the
reduced circle (rule 7). What a line of the statement becomes is in `circle.lines`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from cachetools import LRUCache
from django.utils import timezone

from circle import roles, versions
from circle.circles import state_in_words
from circle.lines import KEPT, MemberRow, member_of
from circle.told import STATEMENT, Plan, Role, Stay, Told, gathered, to_come
from coordination.common.statements import rows as run
from coordination.common.text import fold
from habilitations.access import Access
from habilitations.rubriques import Rubrique

PRESENT, PAST, ALL = "present", "past", "all"
# Where the members of today, who is to come in and the state of the circle are kept for the rest of the visit.
READ, COMING, STATE = "circle", "circle.coming", "circle.state"


class Coming(NamedTuple):
    """Somebody who is to come in, as he will be shown; `is_kept`: the day has come, and he could not."""

    row: MemberRow
    plan_id: UUID
    day: dt.date
    is_kept: bool


class Whole(NamedTuple):
    """A circle today: its members in order, who is to come in, what a software said of its state."""

    members: tuple[MemberRow, ...]
    coming: tuple[Coming, ...]
    state: str


# The members and their versions at one moment. Read one after the other, what somebody changes in between would be
# kept under versions that may come back: a delegate named meanwhile leaves no row among them once ended.
_WITH_VERSIONS = f"""{STATEMENT}UNION ALL
SELECT 'versions', NULL::uuid, NULL::uuid, NULL::date, NULL::date, false, of_rows.said
FROM ({versions.STATEMENT}) of_rows (said)
"""  # noqa: S608 - our own names
# What the state of each member was at the end of a day: the last change written before the next one.
_STATES_THEN = """
SELECT DISTINCT ON (habilitation_id) habilitation_id, after FROM habilitations_statechange
WHERE dossier_id = %s AND at < %s ORDER BY habilitation_id, at DESC, id DESC
"""


def rows_of(
    entry, on: dt.date | None = None, *, wanted: str = PRESENT, member_id: UUID | None = None
) -> list[MemberRow]:
    """Return the members of a day (today by default) as this reader may see them.

    `wanted`: PRESENT, PAST (those who had left by then) or ALL; `member_id` keeps one of them.
    Professionals, then structures, then relatives; by name in each. One SQL statement, two for a past day, and for
    today where the circle has changed since this process read it.
    Empty when the reader may not read the circle.
    """
    access: Access = entry.access
    if not access.can_read(Rubrique.CERCLE):
        return []
    today = timezone.localdate()
    day = on or today
    if wanted == PRESENT and day == today and member_id is None:
        whole = _of_today(entry, today)
        entry.read[COMING], entry.read[STATE] = whole.coming if access.sees_whole_circle else (), whole.state
        found = list(whole.members)
        if not access.sees_whole_circle:
            found = sorted(_reduced(found, access), key=_order)
        entry.read[READ] = found
        return found
    members = _read(entry, day, today, wanted=wanted, member_id=member_id)
    return sorted(members if access.sees_whole_circle else _reduced(members, access), key=_order)


# As many as `circle.lines` keeps members of: some ten megabytes per process that it may have let go meanwhile.
_circles: LRUCache[tuple, Whole] = LRUCache(maxsize=96)


def forget() -> None:
    """Drop the circles this process keeps; for tests and measures."""
    _circles.clear()


def _of_today(entry, today: dt.date) -> Whole:
    """Return the circle as it is: the one this process has read while no row of it has changed."""
    access: Access = entry.access
    dossier_id, discreet = entry.dossier.pk, access.sees_discreet_members
    key = dossier_id, today, discreet, access.matrix.edition
    kept = _circles.get((*key, versions.read(dossier_id, today)))
    if kept is None:
        lines = run(_WITH_VERSIONS, [today, dossier_id, None, discreet, today, dossier_id])
        said = next(line[-1] for line in lines if line[0] == "versions")
        lines = [line for line in lines if line[0] != "versions"]
        present = tuple(sorted(_members(access, lines, today), key=_order))
        kept = _circles[(*key, said)] = Whole(present, _coming(access, lines), _state(lines, today))
    return kept


def _read(
    entry, day: dt.date, today: dt.date, *, wanted: str = PRESENT, member_id: UUID | None = None
) -> list[MemberRow]:
    access: Access = entry.access
    lines = run(STATEMENT, [day, entry.dossier.pk, member_id, access.sees_discreet_members])
    then = _states_then(entry.dossier.pk, day) if day < today else None
    return _members(access, lines, day, wanted=wanted, then=then)


def _members(
    access: Access, lines: Iterable[tuple], day: dt.date, *, wanted: str = PRESENT,
    then: dict[UUID, str] | None = None,
) -> list[MemberRow]:  # fmt: skip
    edition, today = access.matrix.edition, timezone.localdate()
    return [
        member_of(
            one.text,
            one.stay,
            one.role,
            one.planned,
            edition,
            _state_then(then, one.habilitation_id),
            one.ceilings,
            one.absence,
            one.leaving if day == today else None,
        )
        for one in gathered(lines)
        if wanted == ALL or (wanted == PRESENT) == _is_there(one, day, today)
    ]


def _is_there(one: Told, day: dt.date, today: dt.date) -> bool:
    """Say whether a member is in the circle on a day, which may be to come: his departure is then as it is planned."""
    ends_on = one.stay.ends_on
    if ends_on is None and one.leaving and day > today:
        ends_on = one.leaving.ends_on
    return ends_on is None or ends_on > day


def _coming(access: Access, lines: Iterable[tuple]) -> tuple[Coming, ...]:
    """Return who is to come in, shown as he will be: without an access."""
    edition = access.matrix.edition
    return tuple(
        Coming(
            member_of(text, Stay(plan.starts_on, plan.ends_on), _first_role(plan), None, edition),
            plan.id,
            plan.starts_on,
            plan.is_hindered,
        )
        for text, plan in to_come(lines)
    )


def _state(lines: Iterable[tuple], today: dt.date) -> str:
    """Return what a software said of the state of the circle (CDS-72), "" when it goes on."""
    said = next((line for line in lines if line[0] == "circle"), None)
    return state_in_words(said[-1], said[4], today) if said else ""


def _first_role(plan: Plan) -> Role | None:
    return Role(plan.role, False, plan.starts_on) if plan.role else None


def _order(row: MemberRow) -> tuple:
    return (row.kind == roles.PERSON, row.kind == roles.STRUCTURE, row.sort_name)


def _states_then(dossier_id: UUID, day: dt.date) -> dict[UUID, str]:
    tomorrow = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time.min))
    return dict(run(_STATES_THEN, [dossier_id, tomorrow]))


def _state_then(then: dict[UUID, str] | None, habilitation_id: UUID) -> str | None:
    return None if then is None else then.get(habilitation_id, "non")


def _reduced(members: Iterable[MemberRow], access: Access) -> Iterable[MemberRow]:
    """Rule 7: function and phones of the coordinator and of emergency contacts, the own structure; nothing else."""
    own = {access.hat.structure_id, access.through_structure} - {None}
    for row in members:
        of_own_structure = row.kind == roles.STRUCTURE and row.structure_id in own
        if of_own_structure or row.role_code in (roles.REFERENT, roles.ECON):
            yield reduced_row(row, row.name if of_own_structure else row.role)


@lru_cache(maxsize=KEPT)
def reduced_row(row: MemberRow, name: str) -> MemberRow:
    """Return what the reduced circle tells of a member, under that name."""
    return replace(
        row, name=name, sort_name=fold(name), family_name=name, given_name="", civility="",
        profession_code="", fonction_code="", profession="", second="", relation="",
        relation_code="", structure_name="",
        address="", postal_code="", town="", role="", role_unique=False, role_since=None, next_role="",
        next_role_on=None, email="", mss_address="", description="", access=None, state="",
        can_sign_in=False, requested=False, invited=False,
        leaves_on=None, is_kept=False, plan_id=None,
        ceased=False, seen_on=None, professional_id=None, activity_id=None, user_id=None, is_reduced=True,
        initials="", role_key="", absence="",
        phone="" if row.unlisted else row.phone, mobile="" if row.unlisted else row.mobile,
    )  # fmt: skip
