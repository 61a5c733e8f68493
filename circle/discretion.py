"""What an e-mail never says: who the person followed is (SEC-22). Pure but for the row it reads."""

from __future__ import annotations

import re

from django.utils import timezone

from coordination.common.french import long_date
from coordination.common.text import fold, fold_words

# Initials and particles are words of every sentence.
SHORTEST = 3
BORN = frozenset({"ne", "nee", "nes", "nees", "naissance"})


def names_the_person(text: str, dossier) -> bool:
    """Say whether a free text holds a name, the birth date or the matricule of the person of a dossier."""
    said = set(fold_words(text))
    names = (
        dossier.birth_name, dossier.used_name, dossier.birth_given_names, dossier.first_given_name,
        dossier.used_given_name,
    )  # fmt: skip
    words = {word for name in names for word in fold_words(name) if len(word) >= SHORTEST}
    if words & said or _says_birth_date(text, said, dossier.birth_date):
        return True
    digits = re.sub(r"\D", "", text)
    numbers = [f"{dossier.birth_date:%d%m%Y}", re.sub(r"\D", "", dossier.ins_matricule)]
    return any(number and number in digits for number in numbers)


def _says_birth_date(text: str, said: set[str], born) -> bool:
    """Say whether a text holds the year of birth, or its day and month in letters (« 14 mars »).

    The year of an infant is the one of every appointment: only what speaks of a birth counts then.
    """
    is_recent = born.year >= timezone.localdate().year - 1
    if str(born.year) in said and (not is_recent or BORN & said):
        return True
    _, day, month, _ = fold_words(long_date(born))
    return f" {day} {month} " in f" {fold(text)} "
