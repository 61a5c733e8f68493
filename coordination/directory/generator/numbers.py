"""Identifiers that look like the real ones, keys included, in ranges nobody is given."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_key(digits: str) -> str:
    """Return the digit that makes `digits` pass Luhn's check (RPPS, SIREN, SIRET, FINESS all use it)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        total += value if position % 2 else _DOUBLED[value]
    return str(-total % 10)


def rpps(serial: int) -> str:
    """Eleven digits; the real ones begin with 100 or 101."""
    body = f"109{serial:07d}"
    return body + luhn_key(body)


def adeli(serial: int, department: str) -> str:
    """Nine characters that begin with the department, Corsica's letters included."""
    return f"{department[:2]}9{serial:06d}"


def finess(serial: int, department: str, *, legal: bool = False) -> str:
    """Nine characters; `department` is FINESS's own code on two characters (9A for Guadeloupe)."""
    body = f"{_finess_prefix(department)}{'08' if legal else '09'}{serial:04d}"
    # Corsica's letter counts for its rank in the key (common/identifiers.py).
    return body + luhn_key(body.replace("A", "1").replace("B", "2"))


def _finess_prefix(department: str) -> str:
    overseas = {"9A": "97", "9B": "97", "9C": "97", "9D": "97", "9F": "98"}
    return overseas.get(department, department)


def siren(serial: int) -> str:
    body = f"99{serial % 1_000_000:06d}"
    return body + luhn_key(body)


def siret(siren_number: str, office: int) -> str:
    body = f"{siren_number}{office:04d}"
    return body + luhn_key(body)


def phone(serial: int, *, mobile: bool = False) -> str:
    """Numbers set aside for fiction."""
    return f"{'063998' if mobile else '053649'}{serial % 10_000:04d}"
