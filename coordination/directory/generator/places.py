"""Where people work: the communes of France drawn by population, and invented streets."""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass
from itertools import accumulate

from coordination.common import communes

STREET_TYPES = (
    ("R", "Rue", 55), ("AV", "Avenue", 16), ("BD", "Boulevard", 7), ("PL", "Place", 6), ("CHE", "Chemin", 5),
    ("RTE", "Route", 6), ("ALL", "Allée", 4), ("IMP", "Impasse", 3), ("ZAC", "Zone d'aménagement concerté", 1),
)  # fmt: skip
STREETS = (
    "DES VIOLETTES FICTIVES", "DU SPECIMEN", "DE L'ESSAI", "DES TILLEULS INVENTES", "DU MOULIN IMAGINAIRE",
    "DE LA FONTAINE SUPPOSEE", "DES ECOLES MODELES", "DU PUITS D'EXEMPLE", "DE L'AUTAN", "DES LAVANDIERES",
    "DU PRE AUX OIES", "DES QUATRE SAISONS", "DE LA TUILERIE", "DES CORDELIERS", "DU CHEMIN VERT", "DES ORMEAUX",
    "DE LA GRANGE", "DU VIEUX PONT", "DES AUBEPINES", "DE LA CROIX BLANCHE",
)  # fmt: skip

# FINESS writes the overseas departments with a letter (directories.md B.1).
# Saint-Barthélemy and Saint-Martin still belong to Guadeloupe there.
FINESS_OVERSEAS = {"971": "9A", "977": "9A", "978": "9A", "972": "9B", "973": "9C", "974": "9D", "976": "9F",
                   "975": "9E"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Town:
    code: str
    name: str
    postal_code: str
    department: str

    @property
    def finess_department(self) -> str:
        return FINESS_OVERSEAS.get(self.department, self.department)

    @property
    def route_line(self) -> str:
        """The delivery line, as the post writes it."""
        return f"{self.postal_code} {self.name.upper()}"


class Places:
    def __init__(self, rng: random.Random, around: str = "") -> None:
        """`around` is a département that gets half of the draws, for a small directory that must feel local."""
        self.rng = rng
        # A commune of two hundred people has no practice; one inhabitant more is one chance more.
        known = _gathered(_inhabited(300), around)
        self.towns = [town for town, _ in known]
        self._weights = list(accumulate(population for _, population in known))
        self._types = [(code, label) for code, label, _ in STREET_TYPES]
        self._type_weights = list(accumulate(weight for _, _, weight in STREET_TYPES))

    def draw(self, count: int) -> list[Town]:
        return self.rng.choices(self.towns, cum_weights=self._weights, k=count)

    def streets(self, count: int) -> list[tuple[str, str, str, str]]:
        """Return (number, type code, type label, street)."""
        rng = self.rng
        types = rng.choices(self._types, cum_weights=self._type_weights, k=count)
        names = rng.choices(STREETS, k=count)
        numbers = rng.choices(range(1, 190), k=count)
        return [
            (str(number), code, label, name) for number, (code, label), name in zip(numbers, types, names, strict=True)
        ]


def _inhabited(minimum: int) -> list[tuple[Town, int]]:
    """Return the communes with a postal code and enough people, arrondissements in place of their city.

    The Pacific has its own registers: FINESS does not number it.
    """
    found = []
    with gzip.open(communes.DATA / "communes.tsv.gz", "rt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            insee, name, _, population, _, codes, _ = line.rstrip("\n").split("\t")
            if insee.startswith("98") or insee in ("75056", "69123", "13055"):
                continue
            if codes and int(population) >= minimum:
                town = Town(insee, name, codes.split(",")[0], communes.departement_of(insee))
                found.append((town, int(population)))
    return found


def _gathered(known: list[tuple[Town, int]], around: str) -> list[tuple[Town, int]]:
    here = sum(population for town, population in known if town.department == around)
    if not here:
        return known
    factor = sum(population for _, population in known) // here
    return [(town, population * factor if town.department == around else population) for town, population in known]
