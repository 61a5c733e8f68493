"""What was typed in the box, cut into identifiers, numbers and words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coordination.common.phones import phone_or_none
from coordination.common.text import fold_words

MAX_LENGTH = 200
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LONG_NUMBER = re.compile(r"(?<![\w@])(?:\+\s?)?\d(?:[ .\-]?\d){8,}(?!\w)")
# A FINESS or ADELI number of Corsica, or the second with the type of identifier before it, as the files write it.
_CORSICAN = re.compile(r"(?<!\w)(0 ?)?2[abAB][ .]?(?:\d[ .]?){6}\d(?!\w)")
# Titles say nothing that the profession does not say better; "docteur" alone stays (it means médecin), and so does
# "maître", which thousands of people are called.
_TITLES = frozenset({
    "dr", "pr", "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "rpps", "finess", "adeli",
})  # fmt: skip
# The beginning of a name (M'Barek), which cut from it would be a title.
_M_OF_A_NAME = re.compile(r"\b([mM])['’ʼ](?=\w)")


@dataclass(frozen=True, slots=True)
class Typed:
    """The text once cut: at most one kind of identifier is read from one number, all its possible meanings kept."""

    words: tuple[str, ...] = ()
    email: str = ""
    national_ids: tuple[str, ...] = ()
    finess: str = ""
    siren: str = ""
    siret: str = ""
    phones: tuple[str, ...] = ()

    @property
    def has_identifier(self) -> bool:
        return bool(self.email or self.national_ids or self.finess or self.siren or self.siret or self.phones)


def read(text: str | None) -> Typed:
    """Return the identifiers and the folded words of a search text (only its first 200 characters count).

    >>> read("Martin 10 003 456 789").national_ids
    ('810003456789',)
    """
    # PostgreSQL keeps no NUL in a text: a forged field must not fail the search.
    rest = _M_OF_A_NAME.sub(r"\1", (text or "")[:MAX_LENGTH].replace("\0", " "))
    found: dict[str, object] = {}
    if email := _EMAIL.search(rest):
        found["email"] = email[0].lower().strip(".,;<>()")
        rest = rest.replace(email[0], " ")
    if corsican := _CORSICAN.search(rest):
        code = re.sub(r"[ .]", "", corsican[0]).upper()
        found |= {"national_ids": (code,)} if corsican[1] else {"finess": code, "national_ids": (f"0{code}",)}
        rest = rest.replace(corsican[0], " ")
    elif number := _LONG_NUMBER.search(rest):
        meanings = _meanings(re.sub(r"[^\d+]", "", number[0]))
        if meanings:
            found |= meanings
            rest = rest.replace(number[0], " ")
    words = fold_words(rest)
    useful = tuple(w for w in words if w not in _TITLES)
    # A title alone is the beginning of a name ("Pr", "Dr"), unless an identifier was given.
    return Typed(words=useful if useful or found else tuple(words), **found)  # type: ignore[arg-type]


def _meanings(digits: str) -> dict[str, object]:
    """Return what a long number may be, by its length and first digit (directories: A.3, national identifiers)."""
    if digits.startswith(("+33", "0033")):
        national = "0" + digits.removeprefix("+33").removeprefix("0033").removeprefix("0")
        return _phones(national) if len(national) == 10 else {}
    size = len(digits)
    if size == 14:
        return {"siret": digits}
    if size == 12 and digits[0] == "8":
        return {"national_ids": (digits,)}
    if size == 11:
        return {"national_ids": (f"8{digits}",)}
    if size == 10 and digits[0] == "0":
        return _phones(digits) | {"national_ids": (digits,)}
    if size == 9:
        return {"finess": digits, "siren": digits, "national_ids": (f"0{digits}",)}
    return {}


def _phones(national: str) -> dict[str, object]:
    """Return the two ways a number may be kept: as the file wrote it, and in E.164 (overseas prefixes included)."""
    return {"phones": tuple(dict.fromkeys(filter(None, (national, phone_or_none(national)))))}
