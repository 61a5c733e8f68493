"""The name of a member, wherever it is told: his structure's, else the directory's, else what was typed. Pure.

The statement of `circle.lines` says the same in SQL.
"""

from __future__ import annotations

from typing import NamedTuple

from coordination.common.text import person_name

FEMININE = frozenset({"MME", "MLLE"})


class Person(NamedTuple):
    """A name as it is written on one side; `family` None where there is nobody."""

    family: str | None
    given: str | None
    civility: str | None

    @property
    def is_feminine(self) -> bool:
        return self.civility in FEMININE


def shown_person(listed: Person, typed: Person) -> Person:
    """Return who the member is: the directory's text follows a marriage or a correction, what was typed does not."""
    return typed if listed.family is None else listed


def name_of(house: str | None, listed: Person, typed: Person) -> str:
    """Return "TESTARD Paul", or the name of the structure; "" for nobody."""
    if house is not None:
        return house
    person = shown_person(listed, typed)
    return person_name(person.family, person.given) if person.family is not None else ""
