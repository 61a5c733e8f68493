"""Text as people type it: folding for search and sorting, names as French documents write them.

PostgreSQL's `unaccent` and collations differ between machines, so folding is done here, in Python, once.
"""

from __future__ import annotations

import re
import unicodedata

# What compatibility decomposition does not open by itself; small letters are enough, folding lowers first.
_LIGATURES = {
    "œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "þ": "th", "ħ": "h", "ŋ": "n",
}  # fmt: skip

# Unicode calls these letters; people type them for an apostrophe.
_LETTER_APOSTROPHES = frozenset("ʹʺʻʼʽʾʿˈꞌ")

PARTICLES = frozenset({
    "d", "da", "das", "de", "del", "della", "der", "des", "di", "do", "dos", "du", "el", "l", "la", "le", "les",
    "van", "vanden", "vander", "ter", "ten", "von", "zu", "y", "ben", "bin", "abd", "al", "ait", "ould",
})  # fmt: skip

_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


class _FoldTable(dict):
    """Code point -> folded text, filled as letters are met: `str.translate` then runs at C speed.

    An import folds millions of names, hence a table rather than one normalisation per call.
    """

    def __missing__(self, point: int) -> str:
        # Compatibility form: a full-width or ligatured letter pasted from a PDF is the same letter.
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", chr(point)).casefold())
        self[point] = "".join(_fold_character(c) for c in folded)
        return self[point]


def _fold_character(character: str) -> str:
    # Marks and invisible format characters (soft hyphen, zero-width space) vanish; the rest separates words.
    if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf"):
        return ""
    if character in _LETTER_APOSTROPHES or not character.isalnum():
        return " "
    return _LIGATURES.get(character, character)


_TABLE = _FoldTable()


def fold(text: str | None) -> str:
    """Return `text` ready to compare: no marks, lower case, words separated by one space.

    Hyphens, apostrophes and every other punctuation (all Unicode kinds) become a space; œ, æ, ß open into
    two letters. Idempotent. `None` and blank give "".

    >>> fold("  LE GOFF-d’Hervé  Œdipe ")
    'le goff d herve oedipe'
    """
    return " ".join(text.translate(_TABLE).split()) if text else ""


def fold_words(text: str | None) -> list[str]:
    """Return the folded words of `text`, in order."""
    return fold(text).split()


def without_particles(text: str | None) -> str:
    """Return the folded text without its particles ("de La Tour" -> "tour"); the text itself if nothing is left."""
    words = fold_words(text)
    kept = [word for word in words if word not in PARTICLES]
    return " ".join(kept or words)


def squeeze(text: str | None) -> str:
    """Return `text` with outer blanks removed and inner blanks (non-breaking ones too) collapsed."""
    return " ".join((text or "").split())


def seen(text: str | None) -> str:
    """Return what one sees of a name typed: no control nor format character (zero width, direction), blanks squeezed.

    Two names that read the same would not be the same; a mark that turns the reading round would show another.
    """
    kept = (c for c in text or "" if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return squeeze("".join(kept))


def typographic(text: str) -> str:
    """Return a French text with the apostrophes that screens write.

    >>> typographic("Lieu d'hébergement")
    'Lieu d’hébergement'
    """
    return text.replace("'", "’")


def capital_family(text: str | None) -> str:
    """Return a family name as screens and letters write it: capitals, accents kept, apostrophe straightened.

    >>> capital_family("d’Hervé-Éléonore")
    "D'HERVÉ-ÉLÉONORE"
    """
    # "ß".upper() is "SS", what a French reader expects too.
    return squeeze(text).replace("’", "'").upper()


def capital_given(text: str | None) -> str:
    """Return given names with a capital on each word, the rest small: "MARIE-CLAUDE" -> "Marie-Claude"."""
    return _WORD.sub(lambda m: m[0][0].upper() + m[0][1:].lower(), squeeze(text))


def person_name(family: str | None, given: str | None = "") -> str:
    """Return "NOM Prénom", the order of the directory and of every list."""
    return squeeze(f"{capital_family(family)} {capital_given(given)}")


def initials(*names: str | None, limit: int = 2) -> str:
    """Return the capitals shown in an avatar: first letter of each name given, particles passed over.

    >>> initials("Jean", "de La Tour")
    'JT'
    """
    letters = [without_particles(name)[:1] for name in names if fold(name)]
    return "".join(letters)[:limit].upper()


def of_name(name: str) -> str:
    """Return the name after "de", elided as French does: "de Martin", "d’Éliane", "d’Yves", "de Yann"."""
    folded = fold(name)
    # A y followed by a vowel is a consonant in French (Yann, Yasmina): no elision.
    vowel = folded[:1] in "aeiou" or (folded[:1] == "y" and folded[1:2] not in "aeiou")
    # A leading h is mute in most French names (Hélène, Henri); foreign ones are said with "de" rarely enough.
    return f"d’{name}" if folded and (vowel or folded[:1] == "h") else f"de {name}"
