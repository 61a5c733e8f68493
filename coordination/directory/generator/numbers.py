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
    kind = 8 if legal else 9
    # Overseas, FINESS writes 97 and a digit for the department, a letter in its other columns.
    overseas = "ABCDEF".find(department[1]) + 1 if department[0] == "9" else 0
    start = f"97{kind}{overseas}" if overseas else f"{department}0{kind}"
    body = f"{start}{serial:04d}"
    # Corsica's letter counts for its rank in the key (common/identifiers.py).
    return body + luhn_key(body.replace("A", "1").replace("B", "2"))


def siren(serial: int) -> str:
    body = f"99{serial % 1_000_000:06d}"
    return body + luhn_key(body)


def siret(siren_number: str, office: int) -> str:
    body = f"{siren_number}{office:04d}"
    return body + luhn_key(body)


def phone(serial: int, *, mobile: bool = False) -> str:
    """Numbers set aside for fiction."""
    return f"{'063998' if mobile else '053649'}{serial % 10_000:04d}"
