"""What a program may ask of the API, in SMART v2 scopes (« system/CareTeam.crus »), and in French. Pure.

Source: SMART App Launch 2.2, scopes for requesting clinical data; the types are those of CI-SIS « Gestion du Cercle de
Soins » and the directory. A scope never opens more than the rights of who acts: it only narrows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

TYPES = {
    "Patient": "Personnes accompagnées",
    "CareTeam": "Cercles de soins",
    "RelatedPerson": "Aidants et proches",
    "Practitioner": "Professionnels",
    "PractitionerRole": "Situations d’exercice",
    "Organization": "Structures",
    "Appointment": "Rendez-vous",
    "Schedule": "Agendas et disponibilités",
    "Slot": "Créneaux",
    "Location": "Lieux",
    "HealthcareService": "Organisations internes",
    "Device": "Équipements",
}
READ, WRITE, DELETE = "rs", "cu", "d"
KINDS = {READ: "lire et chercher", WRITE: "créer et modifier", DELETE: "supprimer ce qu’il a créé"}
# Slots are made of agendas: nobody writes them. Circles, persons, relatives and appointments are never deleted.
_NOT_OFFERED = frozenset({
    ("Slot", WRITE), ("Slot", DELETE), ("CareTeam", DELETE), ("Patient", DELETE), ("RelatedPerson", DELETE),
    ("Appointment", DELETE),
})  # fmt: skip
SYSTEM, USER = "system", "user"
EVERYTHING = "*"
_ORDER = "cruds"
_SHAPE = re.compile(r"(system|user)/(\*|[A-Z][A-Za-z]{1,40})\.(c?r?u?d?s?)")


def parse(scope: str) -> tuple[str, str, frozenset[str]] | None:
    """Return (context, type, letters) of a SMART v2 scope; None for anything else."""
    found = _SHAPE.fullmatch(scope)
    if found is None or not found.group(3):
        return None
    return found.group(1), found.group(2), frozenset(found.group(3))


def compose(context: str, kinds: Iterable[str]) -> list[str]:
    """Return the scopes of boxes ticked, each « CareTeam.rs » or « CareTeam.cu »; what is not a box is left out."""
    letters: dict[str, set[str]] = {}
    for box in kinds:
        name, _, kind = box.partition(".")
        if name in TYPES and kind in KINDS and (name, kind) not in _NOT_OFFERED:
            letters.setdefault(name, set()).update(kind)
    return [f"{context}/{name}.{_sorted(letters[name])}" for name in TYPES if name in letters]


def whole(context: str) -> list[str]:
    """Return the widest scope of each type: « system/CareTeam.crus », « system/Slot.rs »."""
    return compose(context, (box for box, _ in boxes()))


def boxes() -> list[tuple[str, str]]:
    """Return (value, words) of every box: « CareTeam.rs », « Cercles de soins : lire et chercher »."""
    return [
        (f"{name}.{kind}", f"{label} : {words}")
        for name, label in TYPES.items()
        for kind, words in KINDS.items()
        if (name, kind) not in _NOT_OFFERED
    ]


def digest_of(scopes: Iterable[str]) -> str:
    """Return what a form says of the scopes it was drawn with: the same in any order, another when one differs."""
    return hashlib.sha256(" ".join(sorted(scopes)).encode()).hexdigest()[:32]


def in_words(scopes: Iterable[str]) -> list[str]:
    """Return one line for each type: « Cercles de soins : lire et chercher, créer et modifier »."""
    said = []
    for scope in scopes:
        found = parse(scope)
        if found is None:
            continue
        _, name, letters = found
        words = [words for kind, words in KINDS.items() if set(kind) & letters]
        said.append(f"{TYPES.get(name, name)} : {', '.join(words)}")
    return said


def refused(asked: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Return the scopes asked for that go beyond those allowed, or that are no scope of this server.

    « system/*.rs » is within when every type of this server is.
    """
    held: dict[tuple[str, str], frozenset[str]] = {}
    for scope in allowed:
        if found := parse(scope):
            held[found[:2]] = held.get(found[:2], frozenset()) | found[2]
    return [scope for scope in asked if not _within(parse(scope), held)]


def _within(asked: tuple[str, str, frozenset[str]] | None, held: dict[tuple[str, str], frozenset[str]]) -> bool:
    if asked is None:
        return False
    context, name, letters = asked
    names = TYPES if name == EVERYTHING else (name,)
    return all(letters <= held.get((context, one), frozenset()) for one in names)


def _sorted(letters: Iterable[str]) -> str:
    return "".join(letter for letter in _ORDER if letter in letters)
