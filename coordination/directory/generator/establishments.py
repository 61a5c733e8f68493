"""Invented FINESS establishments, and the practices of the self-employed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

from coordination.directory.generator import numbers
from coordination.directory.generator.places import Places, Town

# category, aggregate, weight in the country, weight as an employer, sector of the RPPS, words of the name
KINDS = (
    ("620", "3101", 200, 6, "SA33", "PHARMACIE"),
    ("460", "4605", 85, 1, "SA41", "SERVICE AUTONOMIE"),
    ("500", "4401", 75, 30, "SA17", "EHPAD"),
    ("611", "3201", 45, 12, "SA25", "LABORATOIRE"),
    ("156", "1111", 35, 10, "SA12", "CMP"),
    ("202", "4401", 30, 1, "SA17", "RESIDENCE AUTONOMIE"),
    ("124", "2201", 28, 10, "SA05", "CENTRE DE SANTE"),
    ("603", "2205", 25, 6, "SA52", "MAISON DE SANTE"),
    ("354", "4606", 22, 9, "SA41", "SSIAD"),
    ("355", "1102", 12, 420, "SA01", "CENTRE HOSPITALIER"),
    ("365", "1109", 14, 120, "SA04", "CLINIQUE"),
    ("101", "1101", 3, 1900, "SA01", "CHU"),
    ("246", "4303", 16, 4, "SA16", "ESAT"),
    ("183", "4101", 14, 16, "SA16", "IME"),
    ("182", "4106", 15, 8, "SA16", "SESSAD"),
    ("255", "4301", 8, 14, "SA16", "MAS"),
    ("448", "4301", 9, 8, "SA16", "EAM"),
    ("446", "4305", 9, 3, "SA16", "SAVS"),
    ("445", "4305", 6, 4, "SA16", "SAMSAH"),
    ("197", "4603", 6, 6, "SA41", "CSAPA"),
    ("127", "1205", 4, 14, "SA04", "HAD"),
    ("604", "2207", 8, 1, "SA63", "CPTS"),
    ("340", "4608", 5, 1, "SA41", "SERVICE MANDATAIRE"),
    ("463", "4604", 4, 1, "SA41", "CLIC"),
    ("609", "4701", 1, 2, "SA27", "MDPH"),
    ("606", "2208", 2, 2, "SA57", "DAC"),
)
PROPER = (
    "LES ALIZES FICTIFS", "DE L'AUTAN", "LES ESSAIS", "DU SPECIMEN", "LES TILLEULS INVENTES", "DU MOULIN IMAGINAIRE",
    "LA FONTAINE SUPPOSEE", "LES VIOLETTES", "DES QUATRE SAISONS", "SAINT MODELE", "LE PRE AUX OIES", "LA TUILERIE",
    "LES CORDELIERS", "DU VIEUX PONT", "LES AUBEPINES", "LA CROIX BLANCHE", "LES ORMEAUX", "DU CHEMIN VERT",
    "L'ARBRE A PLUIE", "LES HIRONDELLES", "DU GRAND LARGE", "LE CLOS D'EXEMPLE", "LES MARRONNIERS", "BEAU SEJOUR",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Establishment:
    finess: str
    finess_ej: str
    siren: str
    siret: str
    category: str
    aggregate: str
    sector: str
    name: str
    long_name: str
    number: str
    repeat: str
    street_code: str
    street_label: str
    street: str
    mention: str
    town: Town
    cedex: bool
    phone: str
    opened_on: str
    employer_weight: int
    closed: bool = False

    @property
    def fax(self) -> str:
        last = int(self.phone[-4:])
        return numbers.phone(last + 1) if last % 3 == 0 else ""

    @property
    def addressee(self) -> str:
        return "SERVICE DES ADMISSIONS" if int(self.phone[-4:]) % 13 == 4 else ""

    @property
    def complement(self) -> str:
        """What completes the name in FINESS."""
        return "ANTENNE FICTIVE" if int(self.phone[-4:]) % 19 == 6 else ""

    @property
    def route_line(self) -> str:
        line = self.town.route_line
        return f"{line} CEDEX" if self.cedex else line


@dataclass(frozen=True, slots=True)
class LegalEntity:
    finess: str
    siren: str
    name: str
    town: Town
    establishments: tuple[Establishment, ...]


def legal_entities(rng: random.Random, places: Places, count: int) -> list[LegalEntity]:
    """Return legal entities holding `count` open establishments together, and some closed ones.

    Two establishments out of five share their entity with the one before.
    """
    makers = _Maker(rng, places, count + count // 3)
    entities: list[LegalEntity] = []
    group: list[Establishment] = []
    for index in range(count + count // 3):
        establishment = makers.make(index, closed=index >= count)
        if group and (rng.random() > 0.4 or group[0].town.department != establishment.town.department):
            entities.append(_entity(group))
            group = []
        group.append(makers.within(establishment, group))
    return [*entities, _entity(group)] if group else entities


def _entity(group: list[Establishment]) -> LegalEntity:
    first = group[0]
    return LegalEntity(first.finess_ej, first.siren, f"ASSOCIATION {first.long_name}"[:98], first.town, tuple(group))


class _Maker:
    def __init__(self, rng: random.Random, places: Places, count: int) -> None:
        self.rng = rng
        self.towns = places.draw(count)
        self.streets = places.streets(count)
        self.kinds = rng.choices(KINDS, cum_weights=list(accumulate(k[2] for k in KINDS)), k=count)
        self.names = rng.choices(PROPER, k=count)
        self._serials: dict[str, int] = {}

    def make(self, index: int, *, closed: bool) -> Establishment:
        category, aggregate, _, employer, sector, word = self.kinds[index]
        town, (number, code, label, street) = self.towns[index], self.streets[index]
        serial = self._serials.get(town.finess_department, 0)
        self._serials[town.finess_department] = serial + 1
        siren = numbers.siren(index)
        own = f'"{self.names[index]}"' if index % 41 == 7 else self.names[index]
        long_name = f"{word} {own} {town.name.upper()}" if index % 5 else f"{word} {own}"
        return Establishment(
            finess=numbers.finess(serial, town.finess_department),
            finess_ej=numbers.finess(serial, town.finess_department, legal=True),
            siren=siren,
            siret="" if index % 5 == 2 else numbers.siret(siren, 1),
            category=category,
            aggregate=aggregate,
            sector=sector,
            name=f"{word} {own}"[:38],
            long_name=long_name,
            number=number,
            repeat="B" if index % 37 == 0 else "",
            street_code=code,
            street_label=label,
            street=street,
            mention="BP 000" if index % 23 == 0 else "",
            town=town,
            cedex=index % 29 == 3,
            phone=numbers.phone(index * 7),
            opened_on=f"{1975 + index % 50}-0{1 + index % 9}-15",
            employer_weight=employer,
            closed=closed,
        )

    @staticmethod
    def within(establishment: Establishment, group: list[Establishment]) -> Establishment:
        """Give the establishment the legal entity of the group it joins."""
        if not group:
            return establishment
        first = group[0]
        changes = {name: getattr(establishment, name) for name in Establishment.__slots__}
        siret = establishment.siret and numbers.siret(first.siren, 1 + len(group))
        return Establishment(**{**changes, "finess_ej": first.finess_ej, "siren": first.siren, "siret": siret})
