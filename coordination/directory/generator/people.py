"""Invented professionals, as the lines of the three ANS extractions.

The lines are made of pieces that repeat (profession, employer, role), so that millions take seconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from coordination.directory.generator import numbers
from coordination.directory.generator.names import Names
from coordination.directory.generator.professions import (
    PROFESSIONS,
    SECONDS,
    SPECIALITIES,
    Profession,
    coded,
    profession_fields,
    savoir_faire_fields,
)
from coordination.directory.generator.workplaces import Workplaces

CHUNK = 10_000
# Columns 18 to 56, then the empty field behind the last bar, of somebody without activity.
NOTHING = "|" * 39


@dataclass(slots=True)
class Lines:
    """What one chunk of people gives to each file."""

    activities: list[str] = field(default_factory=list)
    savoir_faire: list[str] = field(default_factory=list)
    mailboxes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Person:
    serial: int
    head: str
    national_id: str
    family: str
    given: str
    civility: str
    profession: Profession
    chance: int


class People:
    def __init__(self, rng: random.Random, names: Names, workplaces: Workplaces, scattered: int = 0) -> None:
        """The lines of one person in `scattered` are not together: the first one in its place, the others behind."""
        self.rng = rng
        self.scattered = scattered
        self.names = names
        self.workplaces = workplaces
        self._weights = list(accumulate(p.weight for p in PROFESSIONS))
        self._specialities = {
            code: ([row[:2] for row in rows], list(accumulate(row[2] for row in rows)))
            for code, rows in SPECIALITIES.items()
        }

    def chunks(self, count: int) -> Iterator[Lines]:
        """Yield the lines of `count` people, in the order of their national identifiers."""
        for start in range(0, count, CHUNK):
            yield self._chunk(start, min(CHUNK, count - start), count)

    def _chunk(self, start: int, size: int, total: int) -> Lines:
        rng = self.rng
        professions = rng.choices(PROFESSIONS, cum_weights=self._weights, k=size)
        families, women, men = self.names.surnames(size), self.names.women(size), self.names.men(size)
        practices = iter(self.workplaces.practices(families))
        employers = iter(self.workplaces.employers(size * 2))
        chances = rng.choices(range(1000), k=size)
        lines, late = Lines(), []
        # The last ADELI numbers come first, as in the order of the identifiers: type 0 before type 8.
        leftovers = max(2, total // 4000)
        for index in range(size):
            profession, chance = professions[index], chances[index]
            woman = chance * 7 % 100 < profession.women
            given = women[index] if woman else men[index]
            civility = profession.civility
            number, kind = self._number(start + index, leftovers)
            head = f"{kind}|{number}|{kind}{number}"
            title = "M|Monsieur" if not woman else ("MLLE|Mademoiselle" if chance == 5 else "MME|Madame")
            identity = f"{head}|{coded('civilite_exercice', civility)}|{title}|{families[index]}|{given}"
            person = _Person(
                start + index, identity, f"{kind}{number}", families[index], given, civility, profession, chance
            )
            before = len(lines.activities)
            self._write(person, practices, employers, lines)
            if self.scattered and person.serial % self.scattered == 0:
                late += lines.activities[before + 1 :]
                del lines.activities[before + 1 :]
        lines.activities += late
        return lines

    @staticmethod
    def _number(serial: int, leftovers: int) -> tuple[str, str]:
        if serial < leftovers:
            return numbers.adeli(serial, "81" if serial else "2A"), "0"
        return numbers.rpps(serial), "8"

    def _write(self, person: _Person, practices: Iterator[str], employers: Iterator[str], lines: Lines) -> None:
        chance, profession = person.chance, person.profession
        category = "E" if chance >= 960 else ("M" if chance == 500 else ("F" if chance == 501 else "C"))
        savoir_faire = [] if category == "E" else self._savoir_faire(profession, chance)
        self._list_savoir_faire(person, category, savoir_faire, lines)
        known = profession_fields(profession.code, category)
        practice = next(practices)
        if category == "E" or chance < 110:
            tail = savoir_faire_fields(*(savoir_faire or [("", "")])[0])
            lines.activities.append(f"{person.head}|{known}|{tail}|{NOTHING}\n")
            return
        places = list(self._places(profession, chance, practice, employers))
        self._list_mailbox(person, savoir_faire, places[0], lines)
        for place in places:
            for kind, code in savoir_faire or [("", "")]:
                lines.activities.append(
                    f"{person.head}|{known}|{savoir_faire_fields(kind, code)}|{place}{_genre(chance)}|\n"
                )
        if chance % 200 == 150:
            # A second profession, or studies beside the first one.
            other = profession_fields("71", "C") if chance % 400 == 150 else profession_fields("60", "E")
            lines.activities.append(f"{person.head}|{other}||||||{NOTHING[1:]}\n")

    def _savoir_faire(self, profession: Profession, chance: int) -> list[tuple[str, str]]:
        drawn = self._specialities.get(profession.code)
        if drawn is None:
            return []
        first = self.rng.choices(drawn[0], cum_weights=drawn[1])[0]
        found = [first] if first[1] else []
        if profession.code == "10" and chance % 12 == 3:
            found.append(SECONDS[chance % len(SECONDS)])
        return found

    def _places(self, profession: Profession, chance: int, practice: str, employers: Iterator[str]) -> Iterator[str]:
        liberal = chance * 13 % 100 < profession.liberal
        if liberal:
            role = "FON-01" if chance % 5 else "FON-17"
            yield f"{_mode('L')}|{practice}|{_section(profession)}|{coded('fonction', role)}|"
        else:
            place = self.workplaces.pharmacy() if profession.code in ("21", "39") else next(employers)
            yield f"{_mode('S')}|{place}|{_section(profession)}|{_employed_role(profession, chance)}|"
        extra = 2 if chance % 50 == 7 else int(chance % 8 == 1)
        for _ in range(extra):
            mode = "B" if chance % 400 == 1 else "S"
            yield f"{_mode(mode)}|{next(employers)}|{_section(profession)}|{coded('fonction', 'FON-AU')}|"

    @staticmethod
    def _list_savoir_faire(person: _Person, category: str, savoir_faire: list[tuple[str, str]], lines: Lines) -> None:
        if not savoir_faire:
            return
        identifiers = person.head.split("|", 3)[:3]
        start = (
            f"{'|'.join(identifiers)}|{person.family}|{person.given}|"
            f"{profession_fields(person.profession.code, category)}|"
        )
        lines.savoir_faire.extend(f"{start}{savoir_faire_fields(kind, code)}|\n" for kind, code in savoir_faire)

    @staticmethod
    def _list_mailbox(person: _Person, savoir_faire: list[tuple[str, str]], place: str, lines: Lines) -> None:
        """One person in four has a mailbox; one of these in four has another, or has it only, at a workplace."""
        if person.chance % 4:
            return
        tied = _identifier(place, person.serial) if person.chance % 16 == 4 else ""
        kind, number = person.national_id[0], person.national_id[1:]
        code = savoir_faire[0][1] if savoir_faire else ""
        label = savoir_faire_fields(*savoir_faire[0]).split("|")[3] if savoir_faire else ""
        profession = profession_fields(person.profession.code, "C").split("|")
        known = (
            f"{person.civility}|{person.family}|{person.given}|C|{profession[3]}|{profession[0]}|{profession[1]}|"
            f"{code}|{label}|{'True' if person.chance % 8 else 'False'}|||||||||||||\n"
        )
        person_fields = f"{kind}|{number}|{person.national_id}"
        if not tied or person.serial % 3:
            lines.mailboxes.append(f"PER|p{person.serial}@medecin.mssante.example|{person_fields}||||{known}")
        if tied:
            lines.mailboxes.append(
                f"PER|p{person.serial}@etablissement.mssante.example|{person_fields}|{tied}||{known}"
            )


def _mode(code: str) -> str:
    return coded("mode_exercice", code)


def _section(profession: Profession) -> str:
    return "A|Pharmaciens titulaires d'officine" if profession.code == "21" else "|"


def _identifier(place: str, serial: int) -> str:
    """Type (TRE_G07) and number of the structure of a workplace, one or another of those it has."""
    _, _, siret, siren, finess, _, technical, _ = place.split("|", 7)
    found = [f"{kind}|{n}" for kind, n in (("1", finess), ("3", siret), ("4", technical), ("2", siren)) if n]
    return found[serial % len(found)] if found else ""


# Of those whom only their role tells apart (R291), then of some employees: R85 (3xx) and R96 (4xx).
_ROLES = ("330", "307", "350", "313", "320", "403")
_OTHER_ROLES = ("403", "407", "312")


def _employed_role(profession: Profession, chance: int) -> str:
    if profession.code == "99":
        return coded("role", _ROLES[chance % len(_ROLES)])
    if chance % 97 == 6:
        return coded("role", _OTHER_ROLES[chance % len(_OTHER_ROLES)])
    return coded("fonction", "FON-33") if chance % 3 else "|"


def _genre(chance: int) -> str:
    return coded("genre_activite", "GENR04" if chance % 90 == 8 else "GENR01")
