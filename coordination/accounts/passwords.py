"""Passwords that anybody would try first: obvious once their ornaments are gone, or already in somebody's list.

Django's own list holds some twenty thousand of the most used passwords, nearly all shorter than our twelve characters:
what people do to such a word to make it long enough is undone before it is looked for.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from coordination.common.text import fold

# What somebody would try here and nowhere else, and the words most typed in French (docs/security.md, « Words refused
# in passwords »). Alone, said twice or with figures around, they make no password; inside a sentence they do no harm.
WORDS_OF_THE_HOUSE = frozenset(
    """
    coordination coordinateur coordinatrice dossier dossiers patient patients usager cercle soin soins liaison agenda
    habilitation habilitations rubrique annuaire sante medecin infirmier infirmiere pharmacien secretaire secretariat
    cabinet clinique hopital ehpad ssiad spasad msp cpts dac cpam chu rpps adeli finess nir ins mssante psc esante
    spico    france region departement
    motdepasse mdp secret bonjour bienvenue admin administrateur administrateurs root compte utilisateur azerty
    azertyuiop qwerty jetaime doudou loulou chouchou soleil marseille paris lyon toulouse nantes lille bordeaux
    """.split()
)
_ORNAMENTS = re.compile(r"[\W\d_]+")
_LEET = str.maketrans("013457@$", "oieastas")
# A longer one that repeats itself is no longer a matter of guessing, and would be long to look into.
_LONGEST_LOOKED_INTO = 200
# SHA-1 in hexadecimal, as the lists of leaked passwords are published.
_DIGEST_LENGTH = 40


class ObviousPasswordValidator:
    """Refuse a common word, or words of the house, however often said and whatever stands around them."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for `password` when it is only that."""
        if is_obvious(password):
            raise ValidationError(
                "Ce mot de passe est trop courant, même allongé de chiffres ou répété.", code="password_too_common"
            )

    def get_help_text(self) -> str:
        return "Votre mot de passe n’est pas un mot courant, même allongé de chiffres ou répété."


class BreachedPasswordValidator:
    """Refuse what stands in a list of leaked passwords that the operator downloaded: nothing is asked of a network.

    `path`: lines of « SHA-1 in hexadecimal:count » in the order of the digests, as « Pwned Passwords » is published.
    Without a path, nothing is refused; a file that cannot be read fails the change, and the logs say so.
    """

    def __init__(self, path: str = "") -> None:
        self.path = Path(path) if path else None

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError when the list holds `password`, OSError when the list cannot be read."""
        if self.path is not None and holds(self.path, password):
            raise ValidationError(
                "Ce mot de passe figure dans une fuite connue : choisissez-en un autre.", code="password_breached"
            )

    def get_help_text(self) -> str:
        return "Votre mot de passe ne figure pas dans une fuite connue." if self.path else ""


def is_obvious(password: str) -> bool:
    """Say whether a password is a common one, or words of the house, once figures and repetitions are left out."""
    words = [word for word in _ORNAMENTS.split(_folded(password)) if word]
    # « m0tdepasse » is the word too; figures at the ends are ornaments, inside a word they stand for letters.
    bare = _ORNAMENTS.sub("", _folded(password.strip("0123456789!?.*-_ ")).translate(_LEET))
    candidates = {"".join(words), bare}
    return any(map(_is_common, candidates)) or (bool(words) and all(map(_is_of_the_house, words)))


def _folded(password: str) -> str:
    return fold(password).casefold()


def _once(word: str) -> str:
    """Return what a word repeats: "azerty" for "azertyazerty", one letter for a row of it."""
    found = re.fullmatch(r"(.+?)\1+", word) if len(word) <= _LONGEST_LOOKED_INTO else None
    return found[1] if found else word


def _is_of_the_house(word: str) -> bool:
    once = _once(word)
    return len(once) == 1 or word in WORDS_OF_THE_HOUSE or once in WORDS_OF_THE_HOUSE


def _is_common(word: str) -> bool:
    return _is_of_the_house(word) or word in _common() or _once(word) in _common()


@cache
def _common() -> frozenset[str]:
    """Django's list as we compare it: folded, and the letters of each ("trustno" of "trustno1")."""
    bare = {_ORNAMENTS.sub("", _folded(word)) for word in CommonPasswordValidator().passwords}
    return frozenset(word for word in bare if len(word) >= 4)


def holds(path: Path, password: str) -> bool:
    """Say whether a sorted list of digests holds a password, reading some forty lines of it whatever its size."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, path.stat().st_size
        while low < high:
            middle = (low + high) // 2
            file.seek(middle)
            if middle:
                file.readline()
            line = file.readline()
            digest = line[:_DIGEST_LENGTH].upper()
            if digest == wanted:
                return True
            if line and digest < wanted:
                low = middle + 1
            else:
                high = middle
    return False
