"""Columns 20 to 50 of the activity file: where someone practises, FINESS establishments and own practices."""

from __future__ import annotations

import random
from itertools import accumulate

from coordination.common import communes
from coordination.directory.generator import numbers
from coordination.directory.generator.establishments import Establishment, LegalEntity
from coordination.directory.generator.places import Places, Town
from coordination.directory.generator.professions import coded

# A Belgian practice: the national file holds some, with their country.
ABROAD = "99131|BELGIQUE"


class Workplaces:
    def __init__(self, rng: random.Random, places: Places, entities: list[LegalEntity]) -> None:
        self.rng = rng
        self.places = places
        self.open = [e for entity in entities for e in entity.establishments if not e.closed]
        self._weights = list(accumulate(e.employer_weight for e in self.open))
        # Hospitals often come without their address (directories.md A.3): half of these pairs.
        self._employers = [_establishment(e, with_address=i % 2 == 0) for i, e in enumerate(self.open)]
        self._pharmacies = [w for w, e in zip(self._employers, self.open, strict=True) if e.category == "620"]
        self._serial = 0
        self._recent: list[str] = []

    def employers(self, count: int) -> list[str]:
        return self.rng.choices(self._employers, cum_weights=self._weights, k=count)

    def pharmacy(self) -> str:
        return self.rng.choice(self._pharmacies or self._employers)

    def practices(self, owners: list[str]) -> list[str]:
        """Return one practice for each owner's surname; one in three joins a practice opened just before."""
        towns, streets = self.places.draw(len(owners)), self.places.streets(len(owners))
        chances = self.rng.choices(range(300), k=len(owners))
        found = []
        for owner, town, street, chance in zip(owners, towns, streets, chances, strict=True):
            if chance < 100 and self._recent:
                found.append(self._recent[chance % len(self._recent)])
                continue
            practice = self._open_practice(owner, town, street, chance)
            self._recent = [*self._recent[-39:], practice]
            found.append(practice)
        return found

    def _open_practice(self, owner: str, town: Town, street: tuple[str, str, str, str], chance: int) -> str:
        serial = self._serial
        self._serial += 1
        number, code, label, name = street
        siren = numbers.siren(500_000 + serial)
        siret = numbers.siret(siren, 1 + serial // 1_000_000) if chance < 250 else ""
        # One practice in fifty has no technical id: SIRET, else name and address, must be its key.
        technical = "" if serial % 50 == 11 else f"{'C' if serial % 17 == 0 else 'R'}109{serial:011d}"
        trade = f'"{owner}" & ASSOCIES' if serial % 53 == 5 else ""
        place = _PLACES.get(serial % 61, "")
        mention = "C\\O ACCUEIL" if serial % 997 == 3 else ("BP 000" if chance % 40 == 0 else "")
        phone, second = numbers.phone(serial), numbers.phone(serial, mobile=True) if chance % 9 == 0 else ""
        fax = numbers.phone(serial + 1) if serial % 6 == 4 else ""
        addressee = "SECRETARIAT COMMUN" if serial % 67 == 9 else ""
        mail = f"cabinet{serial}@cabinet.example" if chance % 4 == 0 else ""
        if serial % 5003 == 77:
            return (
                f"|||||CABINET {owner}||||{number}|||Rue|{name}||1000 BRUXELLES|1000||BRUXELLES|{ABROAD}"
                f"||||{mail}||||CNOM/CNOM/CNOM|{coded('secteur_activite', 'SA07')}"
            )
        # Postal label in capitals, INSEE label in small letters: both are met.
        shown = town.name if serial % 3 else town.name.upper()
        commune = "" if serial % 211 == 0 else town.code
        return (
            f"{siret}|{siren if siret and serial % 2 else ''}|||{technical}|{_NAMES[chance % 6]} {owner}|{trade}|"
            f"{addressee}|{place}|{number}||{code}|{label}|{name}|{mention}|{town.route_line}|{town.postal_code}|"
            f"{commune}|{shown}|||{phone}|{second}|{fax}|{mail}|{department_fields(town)}|"
            f"{'' if serial % 40 else f'A{serial:08d}'}|{_REGISTRARS[chance % 3]}|"
            f"{coded('secteur_activite', 'SA07' if chance > 150 else 'SA08')}"
        )


_NAMES = ("CABINET", "CABINET DU DR", "SELARL", "CABINET", "SCM", "CABINET MEDICAL")
_PLACES = {5: "BAT B", 13: "RESIDENCE LES ESSAIS", 34: "ZONE ARTISANALE"}
_REGISTRARS = ("CNOM/CNOM/CNOM", "ARS/ARS/ARS", "")


def department_fields(town: Town) -> str:
    found = communes.departement(town.department)
    return f"{town.department}|{found.name if found else ''}"


def _establishment(e: Establishment, *, with_address: bool) -> str:
    identity = f"{e.siret}||{e.finess}|{e.finess_ej}|F{e.finess}|{e.long_name}|"
    if with_address:
        address = (
            f"|{e.addressee}|{'' if e.number != '1' else 'BAT B'}|{e.number}|{e.repeat}|{e.street_code}|"
            f"{e.street_label}|{e.street}|{e.mention}|{e.route_line}|{e.town.postal_code}|{e.town.code}|{e.town.name}|||{e.phone}||{e.fax}|"
            f"|{department_fields(e.town)}|"
        )
    else:
        address = "|" * 21
    return f"{identity}{address}|ARS/ARS/ARS|{coded('secteur_activite', e.sector)}"
