"""What publishing a draft would change for people and dossiers, from the rows of habilitations (house.md).

People are named, dossiers are counted, in total and per structure, never identified. Three statements, whatever the
size: which vouched professions exist, what each group of people reaches, and (for the page of details) who they are.

Who reaches a dossier is the rule of `access.to_dossier`: an own habilitation or one of a structure he is a delegate
of, that a fact carries, unless the person refused him or closed the dossier to him; each with the profile of his own
vouched profession (rule 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.db import models

from coordination.common.statements import rows as run
from habilitations.grants import CLOSED_WHOLE, GRANTING
from habilitations.matrix import Matrix
from habilitations.models import VouchedProfession
from habilitations.rubriques import Action, Niveau, Rubric, Rubrique


class Move(NamedTuple):
    """The people of one profile before and one after; the same one when only its row changes."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LevelEffect:
    """One rubric for the people of a move."""

    rubrique: Rubrique | Rubric
    before: Niveau
    after: Niveau


@dataclass(frozen=True, slots=True)
class RightEffect:
    """One action for the people of a move; a scope is "" when refused."""

    action: Action
    before: str
    after: str


class Count(NamedTuple):
    people: int
    dossiers: int


@dataclass(slots=True)
class Effect:
    """What happens to the people of a move. `accounts` counts all of them, the others those who reach a dossier."""

    move: Move
    levels: tuple[LevelEffect, ...]
    rights: tuple[RightEffect, ...]
    # The vouched professions concerned, as (profession, fonction).
    pairs: tuple[tuple[str, str], ...]
    accounts: int = 0
    total: Count = Count(0, 0)
    # Of them, those who reach a dossier that is written: in a closed one or one in pause, nobody writes.
    writing: Count = Count(0, 0)
    structures: dict[str, Count] = field(default_factory=dict)


class Person(NamedTuple):
    name: str
    structure: str
    dossiers: int


_TODAY = f"(now() AT TIME ZONE '{settings.TIME_ZONE}')::date"
_OPEN = GRANTING.format(day=_TODAY)
# The pairs of (profession, fonction) of each move come as three arrays of one length. What the person refuses to the
# account wins over every grant. {reach} is counted, or listed, by the statements below.
_REACH = f"""
WITH moved AS (
    SELECT v.user_id, v.structure_name, m.move
    FROM unnest(%s::text[], %s::text[], %s::int[]) AS m (profession, fonction, move)
    JOIN habilitations_vouchedprofession v
        ON v.profession = m.profession AND v.fonction = m.fonction AND v.ended_at IS NULL
    JOIN accounts_user u ON u.id = v.user_id AND u.is_active
), entered AS (
    SELECT p.move, p.user_id, p.structure_name, h.dossier_id
    FROM moved p
    JOIN habilitations_habilitation h ON h.user_id = p.user_id AND {_OPEN}
    UNION
    SELECT p.move, p.user_id, p.structure_name, h.dossier_id
    FROM moved p
    JOIN habilitations_delegate d ON d.user_id = p.user_id AND d.ended_at IS NULL
    JOIN habilitations_legalstructure l ON l.structure_id = d.structure_id AND l.closed_at IS NULL
    JOIN habilitations_habilitation h ON h.structure_id = d.structure_id AND {_OPEN}
), reach AS (
    SELECT h.* FROM entered h WHERE NOT {CLOSED_WHOLE.format(dossier="h.dossier_id", user="h.user_id")}
        AND NOT EXISTS (
            SELECT 1 FROM habilitations_habilitation r
            WHERE r.user_id = h.user_id AND r.dossier_id = h.dossier_id AND r.state = 'refus'
        )
)
"""  # noqa: S608 - our own names
# {dossiers}, {state}: where the dossiers, a floor above, keep the state that `cap` reads (see `register_states`).
_COUNTS = (
    _REACH
    + """
SELECT r.move, r.structure_name, count(DISTINCT r.user_id), count(DISTINCT r.dossier_id),
    count(DISTINCT r.user_id) FILTER (WHERE d.id IS NOT NULL), count(DISTINCT d.id), NULL::bigint
FROM reach r LEFT JOIN {dossiers} d ON d.id = r.dossier_id AND d.{state} <> ALL(%s)
GROUP BY GROUPING SETS ((r.move), (r.move, r.structure_name))
UNION ALL
SELECT move, NULL, NULL, NULL, NULL, NULL, count(*) FROM moved GROUP BY move
"""
)
_PEOPLE = (
    _REACH
    + """
, counted AS (
    SELECT r.move, r.user_id, u.family_name, u.given_name, r.structure_name, count(DISTINCT r.dossier_id) AS dossiers,
        row_number() OVER (PARTITION BY r.move ORDER BY u.family_name, u.given_name, r.user_id) AS rank
    FROM reach r JOIN accounts_user u ON u.id = r.user_id
    GROUP BY r.move, r.user_id, u.family_name, u.given_name, r.structure_name
)
SELECT move, family_name, given_name, structure_name, dossiers FROM counted WHERE rank <= %s ORDER BY move, rank
"""
)


class States(NamedTuple):
    """Where the state of a dossier is kept, and the states in which nobody writes."""

    table: str
    column: str
    read_only: tuple[str, ...]


_states: list[States] = []


def register_states(table: str, column: str, *, read_only: Sequence[str]) -> None:
    """Say in which states a dossier is read but not written: the floors forbid habilitations to know it."""
    _states[:] = [States(table, column, tuple(read_only))]


def impact(before: Matrix, after: Matrix) -> list[Effect]:
    """Return what going from one version to another does to the people of each move that changes something.

    Two SQL statements, none when nothing changes. Moves of which nobody is concerned are kept, with counts of 0.
    """
    effects = [_effect(move, pairs, before, after) for move, pairs in _moves(before, after).items()]
    effects = [effect for effect in effects if effect.levels or effect.rights]
    if not effects:
        return []
    (states,) = _states
    counts = _COUNTS.format(dossiers=states.table, state=states.column)
    lines = run(counts, [*_arrays(effects), list(states.read_only)])
    for rank, structure, people, dossiers, writers, written, accounts in lines:
        effect = effects[rank]
        if accounts is not None:
            effect.accounts = accounts
        elif structure is None:
            effect.total, effect.writing = Count(people, dossiers), Count(writers, written)
        else:
            effect.structures[structure] = Count(people, dossiers)
    return effects


def people(effects: Sequence[Effect], *, limit: int) -> list[list[Person]]:
    """Return, for each effect, the people who reach a dossier, by name, the first `limit`. One SQL statement."""
    found: list[list[Person]] = [[] for _ in effects]
    if effects:
        for rank, family, given, structure, dossiers in run(_PEOPLE, [*_arrays(effects), limit]):
            found[rank].append(Person(f"{family} {given}".strip(), structure, dossiers))
    return found


def unmapped(matrix: Matrix) -> dict[tuple[str, str], int]:
    """Return the vouched professions that no line maps, with how many accounts hold them: they open nothing (rule 1).

    One SQL statement.
    """
    held = VouchedProfession.objects.current().filter(user__is_active=True).order_by("profession", "fonction")
    counted = held.values_list("profession", "fonction").annotate(accounts=models.Count("pk"))
    return {
        (profession, fonction): accounts
        for profession, fonction, accounts in counted
        if (profession, fonction) not in matrix.profiles and (profession, "") not in matrix.profiles
    }


def _moves(before: Matrix, after: Matrix) -> dict[Move, list[tuple[str, str]]]:
    """Return the pairs in use, grouped by the profile they had and the one they would have. One SQL statement."""
    used = VouchedProfession.objects.current().order_by("profession", "fonction")
    found: dict[Move, list[tuple[str, str]]] = {}
    for pair in used.values_list("profession", "fonction").distinct():
        found.setdefault(Move(before.profile_of(*pair), after.profile_of(*pair)), []).append(pair)
    return found


def _effect(move: Move, pairs: list[tuple[str, str]], before: Matrix, after: Matrix) -> Effect:
    levels = (
        LevelEffect(rubrique, before.level(move.before, rubrique), after.level(move.after, rubrique))
        for rubrique in after.rubrics
    )
    rights = (
        RightEffect(action, before.scope(move.before, action) or "", after.scope(move.after, action) or "")
        for action in Action
    )
    return Effect(
        move,
        tuple(effect for effect in levels if effect.before != effect.after),
        tuple(effect for effect in rights if effect.before != effect.after),
        tuple(pairs),
    )


def _arrays(effects: Sequence[Effect]) -> list[tuple]:
    lines = [(*pair, rank) for rank, effect in enumerate(effects) for pair in effect.pairs]
    return list(zip(*lines, strict=True))
