"""Changes of the matrix and their effect, in the words of the screens."""

from __future__ import annotations

from coordination.common import nomenclatures
from coordination.common.french import plural
from habilitations import catalog
from habilitations.differences import LEVEL, RIGHT, RULE, Change, Key
from habilitations.impact import Effect, LevelEffect, RightEffect
from habilitations.matrix import UNKNOWN_PROFILE
from habilitations.rubriques import Action, Niveau, Scope

LETTERS = {LEVEL: {"": "–", "lecture": "L", "ecriture": "É"}, RIGHT: {"": "–", "tous": "T", "sa_structure": "S"}}
WORDS = {
    LEVEL: {"": "aucun accès", "lecture": "lire", "ecriture": "lire et écrire"},
    RIGHT: {"": "refusé", "tous": "tous les membres", "sa_structure": "membres de sa structure"},
}
# Heads of the grid of actions, shortened; the full name goes to assistive technology.
SHORT = {
    Action.CREATE_DOSSIER: "Créer", Action.ADD_MEMBER: "Ajouter", Action.GRANT: "Habiliter", Action.INVITE: "Inviter",
    Action.RECORD_REFUSAL: "Noter un refus", Action.VALIDATE_PLAN: "Valider le plan", Action.CLOSE_DOSSIER: "Clore",
    Action.PRINT: "Imprimer", Action.EXPORT_DOSSIER: "Exporter", Action.READ_JOURNAL: "Lire le journal",
}  # fmt: skip


def profile_name(profile: str) -> str:
    """Return the name of a profile; a rule without profile leads to the unknown one."""
    return catalog.last().profile_name(profile or UNKNOWN_PROFILE)


def column_name(kind: str, column: str) -> str:
    """Return the full name of a rubric or of an action; its word when it is none of ours."""
    if kind == LEVEL:
        return catalog.last().rubric_label(column)
    return Action(column).label if column in Action.values else column


def short_name(kind: str, column: str) -> str:
    if kind == LEVEL:
        found = catalog.last().entries.get(column)
        return found.short if found else column
    return SHORT[Action(column)]


def trade(profession: str, fonction: str = "") -> str:
    """Return a profession and its function in words, its code when the lists do not know it."""
    known = nomenclatures.find_profession_or_role(profession)
    said = [known.label if known else f"Code {profession}"]
    if fonction:
        role = nomenclatures.label("role", fonction) or nomenclatures.label("fonction", fonction)
        said.append(role or f"fonction {fonction}")
    return ", ".join(said)


def cell_name(key: Key) -> tuple[str, str]:
    """Return whom and what a cell is about: ("Éducateur", "Volet social")."""
    if key.kind == RULE:
        return trade(key.row, key.column), "Profil de la profession"
    return profile_name(key.row), column_name(key.kind, key.column)


def value_words(kind: str, value: str) -> str:
    return profile_name(value) if kind == RULE else WORDS.get(kind, {}).get(value, value)


def letter(kind: str, value: str) -> str:
    return profile_name(value) if kind == RULE else LETTERS.get(kind, {}).get(value, value)


def change_line(change: Change) -> dict:
    """Return a change for a list: who, what, short (« L → – ») and full words.

    `withdrawn`: of a rubric out of use, so that it does nothing before the rubric is back.
    """
    who, what = cell_name(change.key)
    kind = change.key.kind
    withdrawn = kind == LEVEL and change.key.column in catalog.last().withdrawn
    return {
        "key": ":".join(change.key),
        "after": change.after,
        "who": who,
        "what": f"{what} (rubrique retirée)" if withdrawn else what,
        "withdrawn": withdrawn,
        "short": f"{letter(kind, change.before)} → {letter(kind, change.after)}",
        "words": f"{value_words(kind, change.before)} devient {value_words(kind, change.after)}",
    }


def level_sentence(effect: LevelEffect) -> str:
    """Return "la lecture de Volet social", with "l’écriture" when that is what changes."""
    low, high = sorted((effect.before, effect.after))
    parts = []
    if low < Niveau.LECTURE <= high:
        parts.append("la lecture")
    if low < Niveau.ECRITURE <= high:
        parts.append("l’écriture")
    return f"{' et '.join(parts)} de {effect.rubrique.label}"


def effect_lines(effect: Effect) -> list[dict]:
    """Return what to say of a move, a line per rubric and per action: who (how many), verb, what, where (dossiers)."""
    lines = [_level_line(one, effect) for one in effect.levels]
    accounts = plural(effect.accounts, "compte")
    lines += [{"who": f"{accounts} {_right_verb(effect.accounts, one)}", "what": _right(one), "dossiers": ""}
              for one in effect.rights]  # fmt: skip
    return lines


def _level_line(one: LevelEffect, effect: Effect) -> dict:
    # Where only writing changes, dossiers that nobody writes are not concerned.
    counted = effect.writing if min(one.before, one.after) >= Niveau.LECTURE else effect.total
    return {
        "who": f"{plural(counted.people, 'personne')} {_verb(counted.people, one.after > one.before)}",
        "what": level_sentence(one),
        "dossiers": plural(counted.dossiers, "dossier"),
    }


def _verb(count: int, gains: bool) -> str:
    if gains:
        return "gagnent" if count > 1 else "gagne"
    return "perdent" if count > 1 else "perd"


def _right_verb(count: int, effect: RightEffect) -> str:
    if effect.before and effect.after:
        return "gardent" if count > 1 else "garde"
    return _verb(count, bool(effect.after))


def _right(effect: RightEffect) -> str:
    bounded = Scope.OWN_STRUCTURE in (effect.after, effect.before)
    if effect.before and effect.after:
        return f"« {effect.action.label} », {WORDS[RIGHT][effect.after]}"
    return f"« {effect.action.label} »{f', {WORDS[RIGHT][Scope.OWN_STRUCTURE]}' if bounded else ''}"
