"""Sentences of the circle that agree with a person's gender when it is known, neutral when it is not."""

from __future__ import annotations

from coordination.common.text import of_name

FEMININE = frozenset({"MME", "MLLE"})
MASCULINE = frozenset({"M"})


def gender_of(civility: str) -> bool | None:
    """Return True for a woman, False for a man, None when the record does not say."""
    if civility in FEMININE:
        return True
    return False if civility in MASCULINE else None


def was_added(name: str, feminine: bool | None) -> str:
    if feminine is None:
        return f"{name} fait maintenant partie du cercle de soins."
    return f"{name} a été ajouté{'e' if feminine else ''} au cercle de soins."


def was_removed(name: str, feminine: bool | None) -> str:
    if feminine is None:
        return f"{name} ne fait plus partie du cercle de soins."
    return f"{name} a été retiré{'e' if feminine else ''} du cercle de soins."


def is_back(name: str, feminine: bool | None, *, as_before: bool = True) -> str:
    if feminine is None or not as_before:
        return f"{name} fait à nouveau partie du cercle de soins."
    return f"{name} est de retour dans le cercle de soins, comme avant."


def answer_said(state: str, *, requested: bool = False) -> str:
    """Return what follows « X a été ajoutée au cercle de soins. »."""
    if requested:
        return "Habilitation demandée."
    said = {
        "oui": "Accès au dossier ouvert.",
        "attente": "Accès en attente : cette personne n'a pas encore de compte.",
        "refus": "Refus noté, accès fermé.",
    }
    return said.get(state, "")


def removing_access(name: str) -> str:
    return f"Retirer l'habilitation {of_name(name)} ?"
