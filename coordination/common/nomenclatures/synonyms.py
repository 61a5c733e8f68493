"""Everyday words for professions ("kiné", "généraliste", "IDE"), read from `data/profession_synonyms.json`.

The directory's search box holds names, towns and professions in any order: `find_terms` says which
stretches of the folded words name a profession, longest stretch first, and what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from coordination.common import nomenclatures
from coordination.common.text import fold

# The profession code that says "see the role" (directories: Code profession, R291).
BY_ROLE = "99"


@dataclass(frozen=True, slots=True)
class Target:
    """Who is meant: a profession, narrowed to holders of one of the savoir-faire or of the roles when given."""

    profession: str | None
    savoir_faire: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One everyday phrase (folded) with the label to show and everyone it may mean (any of the targets)."""

    phrase: str
    label: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A term met in a list of words: it takes the words from `start` up to, not including, `end`."""

    start: int
    end: int
    term: Term


def terms() -> dict[str, Term]:
    """Return every phrase known, folded -> term: our synonyms, then the official labels, both genders."""
    return _terms()


def lookup(phrase: str) -> Term | None:
    """Return the term of exactly this phrase (folded or not), or None."""
    return _terms().get(fold(phrase))


def find_terms(words: Sequence[str]) -> tuple[Found, ...]:
    """Return the professions named in a list of folded words, without overlap, longest phrases first taken.

    >>> [f.term.label for f in find_terms(["martin", "medecin", "generaliste", "carmaux"])]
    ['Médecin généraliste']
    """
    table, longest = _terms(), _longest()
    found, start = [], 0
    while start < len(words):
        for size in range(min(longest, len(words) - start), 0, -1):
            term = table.get(" ".join(words[start : start + size]))
            if term is not None:
                found.append(Found(start, start + size, term))
                start += size
                break
        else:
            start += 1
    return tuple(found)


@cache
def _terms() -> dict[str, Term]:
    table: dict[str, Term] = {}
    data = json.loads((nomenclatures.DATA / "profession_synonyms.json").read_text(encoding="utf-8"))
    for row in data["terms"]:
        targets = tuple(target for t in row["targets"] for target in _targets(t))
        for words in row["words"]:
            table[fold(words)] = Term(fold(words), row["label"], targets)
    for concept in nomenclatures.concepts("profession", active_only=True):
        for wording in (concept.label, concept.feminine, concept.display):
            table.setdefault(fold(wording), Term(fold(wording), concept.label, (Target(concept.code),)))
    for concept in nomenclatures.concepts("role", active_only=True):
        targets = _targets({"profession": BY_ROLE, "roles": [concept.code]})
        for wording in (concept.label, concept.feminine, concept.display):
            table.setdefault(fold(wording), Term(fold(wording), concept.label, targets))
    return table


@cache
def _longest() -> int:
    return max(len(phrase.split()) for phrase in _terms())


def _targets(row: dict) -> tuple[Target, ...]:
    """Return the target of a row and, for a role, those who bear its code as a profession: both are written."""
    roles = tuple(row.get("roles", ()))
    target = Target(row.get("profession"), tuple(row.get("savoir_faire", ())), roles)
    return (target, *(Target(role) for role in roles if target.profession == BY_ROLE))
