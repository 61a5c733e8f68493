"""National code lists, re-expressed as our own data files (`data/*.json`: systems, OIDs, versions, sources inside).

A file is read the first time its list is asked for, then kept. An unknown code gives None: national files
hold codes younger than our lists, and the caller then shows the label that came with the code.

    nomenclatures.label("profession", "60", feminine=True)   -> "Infirmière"
    nomenclatures.concepts("profession", active_only=True)   -> (Concept(code="10", ...), ...)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from coordination.common.text import fold, typographic

DATA = Path(__file__).parent / "data"

KINDS = frozenset({
    "categorie_etablissement", "categorie_professionnelle", "civilite", "civilite_exercice", "fonction",
    "genre_activite", "mode_exercice", "pays", "profession", "protection_juridique", "relation",
    "relation_complete", "role", "role_cercle", "savoir_faire", "secteur_activite", "sexe",
    "type_identifiant_personne", "type_savoir_faire",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class System:
    """Where a code comes from: canonical URL, OID and version of the table, repository it was read in."""

    url: str
    oid: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Concept:
    """One code. `display` is the official wording, `label` the one for screens (sentence case, accents)."""

    code: str
    display: str
    label: str
    feminine: str
    short: str
    active: bool
    # False for codes that exist but that a drop-down list should not offer first (outside JDV_J55, ...).
    common: bool
    parent: str | None
    system: System
    # The words of every wording, folded: what `search_labels` looks into.
    words: frozenset[str] = field(compare=False, repr=False)


def label(kind: str, code: str | None, *, feminine: bool = False) -> str | None:
    """Return the screen label of a code, in the feminine where French has one; None for an unknown code."""
    concept = get(kind, code)
    if concept is None:
        return None
    return concept.feminine if feminine else concept.label


def get(kind: str, code: str | None) -> Concept | None:
    """Return the concept of a code, or None."""
    return _table(kind).get(code) if code else None


def concepts(kind: str, *, active_only: bool = False, common_only: bool = False) -> tuple[Concept, ...]:
    """Return the concepts of a list in the order of its source, retired codes left out on request."""
    return tuple(c for c in _table(kind).values() if (c.active or not active_only) and (c.common or not common_only))


def choices(kind: str, *, common_only: bool = True) -> list[tuple[str, str]]:
    """Return (code, label) pairs of the active concepts in alphabetical order, for a form field.

    Two choices never read the same: where labels do, the official wordings tell them apart, else the codes.
    """
    offered = concepts(kind, active_only=True, common_only=common_only)
    said = {c.code: c.label for c in offered}
    said |= {c.code: typographic(c.display) for c in _read_the_same(offered, said)}
    said |= {c.code: f"{c.label}, code {c.code}" for c in _read_the_same(offered, said)}
    return sorted(said.items(), key=lambda pair: fold(pair[1]))


def find_profession_or_role(code: str | None) -> Concept | None:
    """Return the concept of a bare code: professions and roles share one namespace in the national files."""
    return get("profession", code) or get("role", code)


def search_labels(kind: str, text: str, *, limit: int = 10, active_only: bool = True) -> tuple[Concept, ...]:
    """Return the concepts of which every typed word begins some word of the label, nearest first.

    `text` may be folded or not. Labels that begin with the text come first, then the shortest.
    """
    typed = fold(text)
    if not typed:
        return ()
    tokens = typed.split()
    found = [c for c in concepts(kind, active_only=active_only) if _matches(c, tokens)]
    found.sort(key=lambda c: (not fold(c.label).startswith(typed), not c.common, len(c.label), c.label))
    return tuple(found[:limit])


def systems(kind: str) -> tuple[System, ...]:
    """Return the tables a list is made of, with their versions."""
    return tuple(System(s["system"], s["oid"], s["version"], s["source"]) for s in _read(kind)["systems"])


def _read_the_same(offered: Iterable[Concept], said: dict[str, str]) -> list[Concept]:
    times = Counter(fold(words) for words in said.values())
    return [concept for concept in offered if times[fold(said[concept.code])] > 1]


def _matches(concept: Concept, tokens: Iterable[str]) -> bool:
    return all(any(word.startswith(token) for word in concept.words) for token in tokens)


@cache
def _table(kind: str) -> dict[str, Concept]:
    origins = systems(kind)
    return {row["code"]: _concept(row, origins[row.get("system", 0)]) for row in _read(kind)["concepts"]}


def _concept(row: dict[str, Any], system: System) -> Concept:
    display = row["display"]
    # The national lists write straight apostrophes; screens write one kind only.
    shown = typographic(row.get("label", display))
    feminine = typographic(row.get("feminine", shown))
    short = typographic(row.get("short", shown))
    return Concept(
        code=row["code"],
        display=display,
        label=shown,
        feminine=feminine,
        short=short,
        active=not row.get("inactive", False),
        common=not row.get("rare", False),
        parent=row.get("parent"),
        system=system,
        words=frozenset(fold(f"{display} {shown} {feminine} {short}").split()),
    )


def _read(kind: str) -> dict[str, Any]:
    if kind not in KINDS:
        raise LookupError(f"no code list is called {kind!r}")
    return json.loads((DATA / f"{kind}.json").read_text(encoding="utf-8"))
