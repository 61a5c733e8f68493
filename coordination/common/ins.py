"""The INS matricule: fifteen characters, an OID that says which register it comes from, and its key.

Rules: NIR key (97 - N mod 97, Corsica 2A -> 19, 2B -> 18), OIDs of the INS reference framework.
Requirements INS-1, INS-2 and INS-6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coordination.common.identifiers import InvalidIdentifier, clean_identifier
from coordination.common.text import squeeze

OID_NIR = "1.2.250.1.213.1.4.8"
OID_NIA = "1.2.250.1.213.1.4.9"
OID_NIR_TEST = "1.2.250.1.213.1.4.10"
OID_NIR_DEMO = "1.2.250.1.213.1.4.11"

# FHIR identifier type codes of FR Core (fr-core-cs-v2-0203).
TYPE_CODES = {OID_NIR: "INS-NIR", OID_NIA: "INS-NIA", OID_NIR_TEST: "INS-NIR-TEST", OID_NIR_DEMO: "INS-NIR-DEMO"}
TEST_OIDS = frozenset({OID_NIR_TEST, OID_NIR_DEMO})

OID_LABELS = {OID_NIR: "NIR", OID_NIA: "NIA", OID_NIR_TEST: "NIR de test", OID_NIR_DEMO: "NIR de démonstration"}

# First digit: 1, 2 registered; 3, 4 being registered abroad; 7, 8 temporary (NIA). Letters only for Corsica.
_SHAPE = re.compile(r"[1-478]\d{4}(?:\d\d|2A|2B)\d{6}\d\d", re.ASCII)


class InvalidMatricule(InvalidIdentifier):
    code = "invalid_matricule"
    field = "matricule"


class UnknownOid(InvalidIdentifier):
    code = "unknown_ins_oid"
    field = "oid"
    message = "Cet OID n’est pas un de ceux de l’INS (NIR ou NIA)."


class TestOidRefused(InvalidIdentifier):
    __test__ = False  # pytest collects what begins by Test
    code = "ins_test_oid"
    field = "oid"
    message = "Une INS de test ou de démonstration n’est acceptée que dans un environnement de test."


def nir_key(body: str) -> str:
    """Return the two-digit key of the thirteen characters of a NIR or NIA. Raises InvalidMatricule (INS-1).

    >>> nir_key("2790351215189")
    '89'
    """
    raw = clean_identifier(body)
    if not _SHAPE.fullmatch(raw + "00"):
        raise InvalidMatricule("Le matricule compte 13 caractères avant la clé : des chiffres, sauf 2A ou 2B.")
    number = raw[:5] + raw[5:7].replace("2A", "19").replace("2B", "18") + raw[7:]
    return f"{97 - int(number) % 97:02d}"


@dataclass(frozen=True, slots=True)
class InsMatricule:
    """A checked matricule. `key_is_right` is false only for a test or demonstration OID.

    The value stays out of `repr`, which ends in logs and tracebacks.
    """

    value: str = field(repr=False)
    oid: str
    key_is_right: bool = True

    @classmethod
    def parse(cls, value: str | None, oid: str | None, test_allowed: bool = False) -> InsMatricule:
        """Return the matricule of fifteen characters with its OID ("urn:oid:" accepted).

        Raises UnknownOid, TestOidRefused (a test OID without `test_allowed`, INS-2) and InvalidMatricule. On test
        OIDs a wrong key is only noted: public samples often have one.
        """
        known = (oid or "").strip().removeprefix("urn:oid:")
        if known not in TYPE_CODES:
            raise UnknownOid
        if known in TEST_OIDS and not test_allowed:
            raise TestOidRefused
        raw = clean_identifier(value)
        if len(raw) != 15:
            typed = "saisi" if len(raw) < 2 else "saisis"
            raise InvalidMatricule(f"Le matricule compte 15 caractères avec la clé, {len(raw)} {typed}.")
        if not _SHAPE.fullmatch(raw):
            raise InvalidMatricule("Le matricule ne contient que des chiffres, sauf 2A ou 2B pour la Corse.")
        key_is_right = nir_key(raw[:13]) == raw[13:]
        if not key_is_right and known not in TEST_OIDS:
            raise InvalidMatricule("La clé du matricule (2 derniers chiffres) ne correspond pas : vérifiez la saisie.")
        return cls(raw, known, key_is_right)


def first_given_name(given_names: str | None) -> str:
    """Return the first given name of a list of birth given names (INS-6).

    Names are separated by commas when there is one ("Jean Pierre, Marc" -> "Jean Pierre"), else by spaces;
    a compound name keeps its hyphen ("MARIE-CLAUDE JEANNE" -> "MARIE-CLAUDE").
    """
    text = re.sub(r"\s*-\s*", "-", squeeze(given_names))
    if "," in text:
        return text.strip(", ").split(",")[0].strip()
    return text.split(" ")[0]
