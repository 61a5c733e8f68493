"""What an e-mail never says: who the person followed is (SEC-22). Pure but for the row it reads."""

from __future__ import annotations

import re

from coordination.common.text import fold_words

# Initials and particles are words of every sentence.
SHORTEST = 3


def names_the_person(text: str, dossier) -> bool:
    """Say whether a free text holds a name, the birth date or the matricule of the person of a dossier."""
    said = set(fold_words(text))
    names = (
        dossier.birth_name, dossier.used_name, dossier.birth_given_names, dossier.first_given_name,
        dossier.used_given_name,
    )  # fmt: skip
    words = {word for name in names for word in fold_words(name) if len(word) >= SHORTEST}
    if words & said:
        return True
    digits = re.sub(r"\D", "", text)
    numbers = [f"{dossier.birth_date:%d%m%Y}", re.sub(r"\D", "", dossier.ins_matricule)]
    return any(number and number in digits for number in numbers)
