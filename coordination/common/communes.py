"""The communes of France, overseas included: the "ville" field and the towns of a search box.

Data: `data/communes.tsv.gz` (source and version in its first lines), read at the first question (about 0.1 s),
then searched in memory: sorted keys and bisection, ranked by population.
"""

from __future__ import annotations

import gzip
import heapq
import json
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from coordination.common.text import fold

DATA = Path(__file__).parent / "data"

# FINESS writes overseas départements with a letter (directories: FINESS legacy file, field 13).
FINESS_DEPARTEMENTS = {"9A": "971", "9B": "972", "9C": "973", "9D": "974", "9E": "975", "9F": "976", "9J": "986"}

_ABBREVIATIONS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes"}
_ARTICLES = ("la ", "le ", "les ", "l ")
_CEDEX = re.compile(r"\bcedex\b.*$")
_RANK = re.compile(r"0?([1-9]\d?)(?:er|e|eme|ieme)?")


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune or a municipal arrondissement (Paris, Lyon, Marseille).

    `postal_codes` begins with the code that was asked for, when the search gave one.
    """

    insee: str
    name: str
    population: int
    is_arrondissement: bool
    postal_codes: tuple[str, ...]

    @property
    def postal_code(self) -> str:
        """The postal code to write in an address; "" for the few communes without one."""
        return self.postal_codes[0] if self.postal_codes else ""

    @property
    def departement(self) -> str:
        return departement_of(self.insee)

    @property
    def label(self) -> str:
        """The choice shown in a list: "Carmaux (81400)"."""
        return f"{self.name} ({self.postal_code or self.departement})"


@dataclass(frozen=True, slots=True)
class Departement:
    code: str
    name: str
    region: str


def find(text: str | None, limit: int = 10) -> tuple[Commune, ...]:
    """Return the communes of which the name or the postal code begins with the text, largest first.

    "st germ", "roche sur yon", "paris 16", "814", "carmaux 81" and "81400 carmaux" are understood; a name typed in
    full comes before longer names. Nothing typed gives nothing.
    """
    name, postal = _split(text)
    if not name:
        return _by_postal_prefix(postal, limit) if postal else ()
    typed_name = normalise(text)
    indexes = _index().with_prefix(typed_name)
    if not indexes and postal:
        typed_name = name
        indexes = {i for i in _index().with_prefix(name) if _in_postal(_index().row(i), postal)}
    found = heapq.nsmallest(limit, indexes, key=lambda i: _rank(i, typed_name))
    return tuple(_asked(_index().row(i), postal) for i in found)


def by_postal(code: str | None) -> tuple[Commune, ...]:
    """Return the communes of exactly this postal code, largest first, the code asked for first in each."""
    index = _index()
    found = sorted(index.postals.get((code or "").strip(), ()), key=lambda i: -index.populations[i])
    return tuple(_asked(index.row(i), code) for i in found)


def by_insee(code: str | None) -> Commune | None:
    """Return the commune of this INSEE code (2A004, 97105...), or None."""
    index = _index()
    found = index.insees.get((code or "").strip().upper())
    return None if found is None else index.row(found)


def resolve(town: str | None, postal: str | None = None) -> tuple[Commune, ...]:
    """Return the communes a written address may mean, best first; empty when nothing fits.

    In order: same postal code and same name (official or delivery name); same postal code and close name;
    same département and same name (a CEDEX code is no commune's); the only name in France. A postal code alone
    gives its communes.
    """
    code = "".join(re.findall(r"\d", postal or ""))[:5]
    name = normalise(town)
    if not name:
        return by_postal(code)
    index = _index()
    here = by_postal(code)
    exact = [c for c in here if index.is_named(c.insee, name)]
    if exact:
        return tuple(exact)
    close = [c for c in here if _is_close(normalise(c.name), name)]
    if close:
        return tuple(sorted(close, key=lambda c: -len(set(normalise(c.name).split()) & set(name.split()))))
    named = sorted((index.row(i) for i in index.named(name)), key=lambda c: -c.population)
    return tuple(c for c in named if not code or _shares_departement(c, code))


def _shares_departement(commune: Commune, code: str) -> bool:
    # By the postal codes, not the INSEE code: Corsica is 20... in one and 2A, 2B in the other.
    size = 3 if code.startswith(("97", "98")) else 2
    return any(own.startswith(code[:size]) for own in commune.postal_codes)


def departement_of(insee: str) -> str:
    """Return the département or collectivity of an INSEE code: "81", "2A", "974", "988"."""
    return insee[:3] if insee.startswith(("97", "98")) else insee[:2]


def departement(code: str | None) -> Departement | None:
    """Return a département by its code, FINESS letters understood ("9A" is Guadeloupe), or None."""
    wanted = (code or "").upper()
    return _departements().get(FINESS_DEPARTEMENTS.get(wanted, wanted))


def departements() -> tuple[Departement, ...]:
    """Return every département and overseas collectivity, in the order of the codes."""
    return tuple(sorted(_departements().values(), key=lambda d: d.code))


def insee_from_finess(departement_code: str, commune: str) -> str:
    """Return the INSEE code from the two FINESS fields: ("9D", "411") -> "97411", ("81", "060") -> "81060"."""
    overseas = FINESS_DEPARTEMENTS.get(departement_code.upper())
    return f"{overseas[:2] if overseas else departement_code.upper()}{commune}"


def normalise(text: str | None) -> str:
    """Return a town's name ready to compare: folded, St -> saint, CEDEX dropped, "paris 01" -> "paris 1er"."""
    words = _CEDEX.sub("", fold(text)).split()
    expanded = [_ABBREVIATIONS.get(word, word) for word in words]
    for position, word in enumerate(expanded):
        if word == "s" and 0 < position < len(expanded) - 1:
            expanded[position] = "sur"  # "Neuilly s/ Seine"
    return " ".join(_arrondissement(expanded))


def _arrondissement(words: list[str]) -> list[str]:
    if len(words) >= 2 and words[0] in ("paris", "lyon", "marseille") and (rank := _RANK.fullmatch(words[1])):
        return [words[0], "1er" if rank[1] == "1" else f"{rank[1]}e", *words[2:]]
    return words


def _split(text: str | None) -> tuple[str, str]:
    """Return the words and the digits of what was typed ("carmaux 814" -> "carmaux", "814")."""
    words = normalise(text).split()
    digits = [word for word in words if re.fullmatch(r"\d[\dab]\d{0,3}|\d", word)]
    return " ".join(word for word in words if word not in digits), (digits[0].upper() if digits else "")


def _in_postal(commune: Commune, prefix: str) -> bool:
    return commune.insee.startswith(prefix) or any(code.startswith(prefix) for code in commune.postal_codes)


def _asked(commune: Commune, prefix: str | None) -> Commune:
    asked = [code for code in commune.postal_codes if prefix and code.startswith(prefix)]
    if not asked or asked[0] == commune.postal_codes[0]:
        return commune
    return replace(commune, postal_codes=(asked[0], *(c for c in commune.postal_codes if c != asked[0])))


def _by_postal_prefix(prefix: str, limit: int) -> tuple[Commune, ...]:
    index = _index()
    if prefix in ("2A", "2B"):
        inside = (i for code, i in index.insees.items() if code.startswith(prefix))
        found: Iterable[int] = heapq.nlargest(limit, inside, key=lambda i: index.populations[i])
    else:
        found = heapq.nlargest(limit, index.with_postal_prefix(prefix), key=lambda i: index.populations[i])
    return tuple(_asked(index.row(i), prefix) for i in found)


def _rank(i: int, typed: str) -> tuple[bool, int]:
    index = _index()
    return not index.is_named_at(i, typed), -index.populations[i]


def _is_close(name: str, typed: str) -> bool:
    """One name begins the other, word by word: delivery names are cut short or lengthened."""
    mine, theirs = name.split(), typed.split()
    size = min(len(mine), len(theirs))
    return mine[:size] == theirs[:size] or set(mine) <= set(theirs) or set(theirs) <= set(mine)


class _Index:
    """Parallel lists over the lines of the file; a Commune is built only for what is shown."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines: list[str] = []
        self.populations: list[int] = []
        self.insees: dict[str, int] = {}
        self.postals: dict[str, list[int]] = defaultdict(list)
        self._other_names: dict[int, tuple[str, ...]] = {}
        keys: list[tuple[str, int]] = []
        for line in lines:
            insee, _, folded, population, _, codes, others = line.split("\t")
            i = len(self.lines)
            self.lines.append(line)
            self.populations.append(int(population))
            self.insees[insee] = i
            for code in codes.split(","):
                self.postals[code].append(i)
            keys.append((folded, i))
            if others:
                self._other_names[i] = tuple(normalise(name) for name in others.split(","))
                keys.extend((name, i) for name in self._other_names[i])
            article = next((a for a in _ARTICLES if folded.startswith(a)), "")
            if article:
                keys.append((folded.removeprefix(article), i))
        self.postals.pop("", None)
        keys.sort()
        self._keys = [key for key, _ in keys]
        self._targets = [i for _, i in keys]
        self._codes = sorted(self.postals)

    def row(self, i: int) -> Commune:
        insee, name, _, population, arrondissement, codes, _ = self.lines[i].split("\t")
        return Commune(insee, name, int(population), bool(arrondissement), tuple(filter(None, codes.split(","))))

    def with_prefix(self, prefix: str) -> set[int]:
        start = bisect_left(self._keys, prefix)
        return set(self._targets[start : bisect_left(self._keys, prefix + "\uffff", start)])

    def with_postal_prefix(self, prefix: str) -> set[int]:
        start = bisect_left(self._codes, prefix)
        codes = self._codes[start : bisect_left(self._codes, prefix + "\uffff", start)]
        return {i for code in codes for i in self.postals[code]}

    def named(self, name: str) -> set[int]:
        start = bisect_left(self._keys, name)
        return set(self._targets[start : bisect_left(self._keys, name + "\0", start)])

    def is_named_at(self, i: int, name: str) -> bool:
        folded = self.lines[i].split("\t", 3)[2]
        return name == folded or name in self._other_names.get(i, ())

    def is_named(self, insee: str, name: str) -> bool:
        return self.insees[insee] in self.named(name)


@cache
def _index() -> _Index:
    with gzip.open(DATA / "communes.tsv.gz", "rt", encoding="utf-8") as file:
        return _Index(line for line in file.read().splitlines() if not line.startswith("#"))


@cache
def _departements() -> dict[str, Departement]:
    rows = json.loads((DATA / "departements.json").read_text(encoding="utf-8"))["departements"]
    return {row["code"]: Departement(row["code"], row["name"], row["region"]) for row in rows}
