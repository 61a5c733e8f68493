"""What changes from one version of the matrix to another, on plain values. Pure: knows neither the ORM nor HTTP.

A version is flattened into cells: (kind, row, column) -> value, a value being a word and "" giving nothing. A
difference is the ordered list of the cells whose value differs; an edit writes one value in one cell. Rule 1 of the
default matrix holds by construction: what no edit writes gives what it gave, a new rubric or profile gives nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from habilitations.catalog import SHIPPED, Catalog, Profile
from habilitations.matrix import UNKNOWN_PROFILE, Matrix
from habilitations.rubriques import Action, Niveau, Rubric, Rubrique, Scope

# The three tables of a version, in the order in which a difference is told.
LEVEL, RIGHT, RULE = "niveau", "action", "profession"
KINDS = (LEVEL, RIGHT, RULE)

LEVEL_WORDS = {Niveau.AUCUN: "", Niveau.LECTURE: "lecture", Niveau.ECRITURE: "ecriture"}
LEVELS = {word: niveau for niveau, word in LEVEL_WORDS.items()}
SCOPES = ("", *Scope.values)

# Rules 1 and 10: nothing may be opened to whom nobody vouched for, nor to who administers.
LOCKED = frozenset({UNKNOWN_PROFILE, "admin_technique"})
# Held by being somebody for the person followed, or by administering: no profession leads there.
NOT_OF_A_PROFESSION = frozenset({"admin_technique", "aidant", "representant_legal", "personne"})


class Key(NamedTuple):
    """One cell. row: a profile, or a profession for a RULE; column: a rubric, an action, or a function."""

    kind: str
    row: str
    column: str


class Edit(NamedTuple):
    key: Key
    value: str


class Change(NamedTuple):
    """One line of a difference: the cell, what it gave, what it gives."""

    key: Key
    before: str
    after: str


class EditRefused(ValueError):
    """The value cannot be written there; the message is the reason, in French."""


def cells(matrix: Matrix) -> dict[Key, str]:
    """Return what a version gives: {cell: value}, cells that give nothing left out."""
    found = {
        Key(LEVEL, profile, rubrique): LEVEL_WORDS[niveau]
        for profile, row in matrix.levels.items()
        for rubrique, niveau in row.items()
        if niveau
    }
    found |= {
        Key(RIGHT, profile, action): Scope(scope).value
        for profile, row in matrix.actions.items()
        for action, scope in row.items()
    }
    return found | {Key(RULE, *pair): profile for pair, profile in matrix.profiles.items()}


def difference(before: Matrix, after: Matrix) -> tuple[Change, ...]:
    """Return the cells whose value differs, in the order of the matrix."""
    was, is_now = cells(before), cells(after)
    found = (Change(key, was.get(key, ""), is_now.get(key, "")) for key in was.keys() | is_now.keys())
    return _in_order((change for change in found if change.before != change.after), after.catalog)


def effective(matrix: Matrix, edits: Iterable[Edit]) -> tuple[Change, ...]:
    """Return what these edits change of a version: the last value of a cell counts, what it already gave does not."""
    given = cells(matrix)
    last = {edit.key: edit.value for edit in edits}
    found = (Change(key, given.get(key, ""), value) for key, value in last.items())
    return _in_order((change for change in found if change.before != change.after), matrix.catalog)


def applied(matrix: Matrix, edits: Iterable[Edit]) -> Matrix:
    """Return the version with these edits written, under the number 0: it is published by nobody."""
    levels = {profile: dict(row) for profile, row in matrix.levels.items()}
    actions = {profile: dict(row) for profile, row in matrix.actions.items()}
    profiles = dict(matrix.profiles)
    for (kind, row, column), value in edits:
        if kind == LEVEL:
            levels.setdefault(row, {})[column] = LEVELS[value]
        elif kind == RIGHT:
            _put(actions.setdefault(row, {}), column, Scope(value) if value else None)
            # A right belongs to a row of the matrix, even where the row reads nothing.
            levels.setdefault(row, {})
        else:
            _put(profiles, (row, column), value)
    return Matrix(number=0, levels=levels, actions=actions, profiles=profiles, catalog=matrix.catalog)


def held_by_nobody(before: Matrix, after: Matrix) -> tuple[Rubrique | Rubric | Action, ...]:
    """Return the rubrics in use and the actions that some profession leads to in a version, and none in the next one.

    One column filled too far is enough: nobody could then note a refusal, whatever the person says.
    """
    lost = _held(before) - _held(after)
    unread = (rubrique for rubrique in after.rubrics if (LEVEL, rubrique.value) in lost)
    return (*unread, *(action for action in Action if (RIGHT, action.value) in lost))


def _held(matrix: Matrix) -> set[tuple[str, str]]:
    """Return the columns that the profession table leads to, to read or to do."""
    reached, codes = set(matrix.profiles.values()), [rubrique.value for rubrique in matrix.rubrics]
    read = {(LEVEL, code) for code in codes for one in reached if matrix.level(one, code) >= Niveau.LECTURE}
    return read | {(RIGHT, str(action)) for one in reached for action in matrix.actions.get(one, {})}


def edits_of(changes: Iterable[Change]) -> tuple[Edit, ...]:
    """Return the edits that write what a difference says."""
    return tuple(Edit(change.key, change.after) for change in changes)


def known_profiles(matrix: Matrix) -> tuple[str, ...]:
    """Return the profiles a table may name: those of the catalogue, closed ones too, then those without a name."""
    named = matrix.catalog.profiles
    return (*named, *sorted(set(matrix.levels) - set(named)))


def closed_profile(edits: Iterable[Edit], catalog: Catalog) -> Profile | None:
    """Return the first closed profile that a profession is led to, None when there is none."""
    led = (catalog.profiles.get(edit.value) for edit in edits if edit.key.kind == RULE)
    return next((profile for profile in led if profile and profile.closed), None)


def check(edit: Edit, *, profiles: Collection[str], professions: Collection[str], catalog: Catalog = SHIPPED) -> None:
    """Raise EditRefused, with the reason, when an edit names what is not ours or opens what no rule allows.

    A rubric withdrawn is still written: it gives nothing until it is back. No profession leads to a closed profile.
    """
    kind, row, column = edit.key
    if kind == RULE:
        _check_rule(edit, profiles, professions, catalog)
        return
    if kind not in KINDS:
        raise EditRefused("Cette partie de la matrice n’existe pas.")
    if row not in profiles:
        raise EditRefused(f"Le profil « {row} » n’existe pas.")
    columns, values = (catalog.entries, LEVELS) if kind == LEVEL else (Action.values, SCOPES)
    if column not in columns:
        what = "La rubrique" if kind == LEVEL else "L’action"
        raise EditRefused(f"{what} « {column} » n’existe pas.")
    if edit.value not in values:
        raise EditRefused(f"« {edit.value} » n’est pas une valeur possible.")
    if edit.value and row in LOCKED:
        raise EditRefused(f"Le profil « {catalog.profile_name(row)} » n’ouvre rien, par règle.")


def _check_rule(edit: Edit, profiles: Collection[str], professions: Collection[str], catalog: Catalog) -> None:
    _, profession, fonction = edit.key
    if profession not in professions:
        raise EditRefused(f"La profession « {profession} » n’est pas dans les nomenclatures.")
    if fonction and fonction not in professions:
        raise EditRefused(f"La fonction « {fonction} » n’est pas dans les nomenclatures.")
    if edit.value and edit.value not in profiles:
        raise EditRefused(f"Le profil « {edit.value} » n’existe pas.")
    if edit.value in NOT_OF_A_PROFESSION:
        raise EditRefused(f"Aucune profession ne mène au profil « {catalog.profile_name(edit.value)} ».")
    if closed := closed_profile([edit], catalog):
        raise EditRefused(f"Le profil « {closed.label} » est fermé : aucune profession n’y mène.")


def _put(row: dict, column, value) -> None:
    if value:
        row[column] = value
    else:
        row.pop(column, None)


_ACTIONS = {name: rank for rank, name in enumerate(Action.values)}


def _in_order(changes: Iterable[Change], catalog: Catalog) -> tuple[Change, ...]:
    """Sort changes as the tables are: by table, by profile, by rubric or action."""
    profiles, columns = catalog.ranks, {code: rank for rank, code in enumerate(catalog.entries)}

    def rank(change: Change) -> tuple:
        kind, row, column = change.key
        if kind == RULE:
            return (KINDS.index(kind), len(profiles), row, column)
        place = (columns if kind == LEVEL else _ACTIONS).get(column, len(columns))
        return (KINDS.index(kind), profiles.get(row, len(profiles)), row, place, column)

    return tuple(sorted(changes, key=rank))
