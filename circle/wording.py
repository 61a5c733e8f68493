"""Access said in words, everywhere the same way: five values, nothing else (design system, section 4). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from circle import roles
from coordination.common.french import date_fr, plural
from habilitations.grants import WHOLE
from habilitations.matrix import Matrix
from habilitations.rubriques import Niveau, Rubrique

ECRITURE, LECTURE, ATTENTE, AUCUN, REFUS = "ecriture", "lecture", "attente", "aucun", "refus"
_CLOSED = (0,) * 16


class Rests(NamedTuple):
    """The last fact on which the sharing with a member rests: a Consent.Ground ("" for none), how and when it ended.

    `is_over`: its last day is behind.
    """

    ground: str = ""
    end: str = ""
    ended_on: dt.date | None = None
    until: dt.date | None = None
    is_over: bool = False

    @property
    def missing(self) -> str:
        """Return why nothing carries a grant today, "" when something does."""
        if not self.ground:
            return "Accord de la personne à recueillir"
        if self.end == "retrait":
            return f"Accord retiré le {date_fr(self.ended_on)}"
        if self.end == "cloture":
            return f"Fin de prise en charge le {date_fr(self.ended_on)} : accord à recueillir"
        if self.end:
            return "Hors de l’équipe de soins : accord à recueillir"
        return f"Accord terminé le {date_fr(self.until)}" if self.is_over else ""


RESTED = Rests("reprise")


class Invited(NamedTuple):
    """The last invitation of a member who has no account yet, neither refused nor called off."""

    on: dt.datetime
    answered_on: dt.datetime | None = None
    is_expired: bool = False

    @property
    def waits(self) -> bool:
        """Whether its link may be answered now."""
        return self.answered_on is None and not self.is_expired


class Facts(NamedTuple):
    """What is known of one member's access. `vouched` and `declared` are (profession, fonction) pairs.

    `delegates`: one such pair per delegate of a habilitated structure, ("", "") when nobody vouched.
    """

    kind: str
    state: str
    state_on: dt.datetime | None = None
    state_before: str | None = None
    feminine: bool = False
    refused_on: dt.date | None = None
    has_account: bool = False
    account_open: bool = False
    vouched: tuple[str, str] | None = None
    declared: tuple[str, str] = ("", "")
    can_sign_in: bool = False
    delegates: Sequence[Sequence[str]] = ()
    # What is reduced for this member, as "medical=0"; the last day of the grant, and whether it is behind.
    ceilings: Sequence[str] = ()
    until: dt.date | None = None
    is_over: bool = False
    rests: Rests = Rests()
    invited: Invited | None = None


class AccessWords(NamedTuple):
    """`value` picks the pictogram; `levels` are 16 integers in the order of the matrix, grey when `pending`."""

    value: str
    phrase: str
    detail: str
    levels: tuple[int, ...] = _CLOSED
    pending: bool = False

    @property
    def is_open(self) -> bool:
        return self.value in (ECRITURE, LECTURE)


def access_in_words(facts: Facts, matrix: Matrix) -> AccessWords:
    """Return the words of one member's access."""
    if facts.state == "refus":
        noted = f"Noté le {date_fr(facts.refused_on)}, accès fermé" if facts.refused_on else "Accès fermé"
        return AccessWords(REFUS, "Refus du patient", noted)
    if WHOLE in facts.ceilings:
        return AccessWords(AUCUN, "Pas d’accès", "Dossier fermé par la personne")
    if facts.state == "oui":
        if facts.rests.missing:
            return AccessWords(AUCUN, "Pas d’accès", facts.rests.missing)
        return _lasting(_granted(facts, matrix), facts)
    if facts.state == "attente":
        would_be = _reduced(matrix.profile_of(*(facts.vouched or facts.declared)), matrix, facts.ceilings)
        why = facts.rests.missing or _why_waiting(facts)
        return AccessWords(ATTENTE, "Accès en attente", why, would_be.levels, pending=True)
    return AccessWords(AUCUN, "Pas d’accès", _why_none(facts))


def of_profile(profile: str, matrix: Matrix) -> AccessWords:
    """Return what a profile opens: "Peut lire et écrire", "15 rubriques sur 16, 11 en écriture"."""
    levels = lambda: tuple(int(level) for level in matrix.row(profile).values())  # noqa: E731 - worked out once
    return matrix.keep(("words", profile), lambda: of_levels(levels()))


def of_levels(levels: tuple[int, ...]) -> AccessWords:
    """Return what these levels open, in the order of the matrix."""
    readable = sum(level >= Niveau.LECTURE for level in levels)
    writable = sum(level >= Niveau.ECRITURE for level in levels)
    detail = f"{plural(readable, 'rubrique')} sur {len(levels)}"
    if writable:
        return AccessWords(ECRITURE, "Peut lire et écrire", f"{detail}, {writable} en écriture", levels)
    if readable:
        return AccessWords(LECTURE, "Peut lire", detail, levels)
    return AccessWords(AUCUN, "Pas d’accès", "Sa profession n’ouvre aucune rubrique", levels)


def _granted(facts: Facts, matrix: Matrix) -> AccessWords:
    if facts.kind == roles.STRUCTURE:
        return _structure(facts, matrix)
    if not facts.account_open:
        return AccessWords(AUCUN, "Pas d’accès", "Compte fermé")
    if facts.vouched is None:
        return AccessWords(AUCUN, "Pas d’accès", "Profession à confirmer")
    return _reduced(matrix.profile_of(*facts.vouched), matrix, facts.ceilings)


def _lasting(words: AccessWords, facts: Facts) -> AccessWords:
    """Say until when the access is open, or since when it no longer is."""
    if not words.is_open:
        return words
    if facts.is_over:
        return AccessWords(AUCUN, "Pas d’accès", f"Accès terminé le {date_fr(facts.until)}")
    until = min(filter(None, (facts.until, facts.rests.until)), default=None)
    return words._replace(detail=f"{words.detail}, fin d’accès le {date_fr(until)}") if until else words


def _reduced(profile: str, matrix: Matrix, ceilings: Sequence[str]) -> AccessWords:
    """Return what a profile opens, lowered to what is reduced for this member in this dossier."""
    words = of_profile(profile, matrix)
    if not ceilings or not words.levels:
        return words
    most: dict[str, int] = {}
    for rubrique, niveau in (line.split("=") for line in ceilings):
        most[rubrique] = min(int(niveau), most.get(rubrique, int(niveau)))
    lowered = {r: min(level, most.get(r, level)) for r, level in zip(matrix.rubrics, words.levels, strict=True)}
    # Who has the medical rubric closed here loses its journal, as `Access.granted` decides.
    if lowered[Rubrique.MEDICAL] < Niveau.LECTURE:
        lowered[Rubrique.JOURNAL] = Niveau.AUCUN
    levels = tuple(int(level) for level in lowered.values())
    if levels == words.levels:
        return words
    said = of_levels(levels)
    return said._replace(detail=f"{said.detail}, accès réduit")


def _structure(facts: Facts, matrix: Matrix) -> AccessWords:
    if not facts.can_sign_in:
        return AccessWords(AUCUN, "Pas d’accès", "Ne peut plus se connecter")
    if not facts.delegates:
        return AccessWords(AUCUN, "Habilitée, aucun délégué", "Personne ne peut entrer en son nom")
    each = [_reduced(matrix.profile_of(*pair), matrix, facts.ceilings) for pair in facts.delegates]
    # The comb of a structure: the most that one of its delegates may do, rubric by rubric.
    most = tuple(max(levels) for levels in zip(*(words.levels for words in each), strict=True))
    phrase = f"Habilitée, {plural(len(each), 'délégué')}"
    return AccessWords(of_levels(most).value, phrase, "Chacun selon sa profession", most)


def _why_waiting(facts: Facts) -> str:
    if facts.has_account:
        return "Profession à confirmer"
    return _invited(facts.invited, facts.feminine) if facts.invited else "N’a pas encore de compte"


def _invited(invited: Invited, feminine: bool) -> str:
    e = "e" if feminine else ""
    if invited.answered_on:
        return f"Venu{e} le {date_fr(invited.answered_on)}, à confirmer"
    sent = f"Invité{e} le {date_fr(invited.on)}"
    return f"{sent}, invitation expirée" if invited.is_expired else f"{sent}, pas encore venu{e}"


def _why_none(facts: Facts) -> str:
    if facts.kind == roles.PERSON:
        return "Espace aidant non ouvert"
    if facts.invited:
        return _invited(facts.invited, facts.feminine)
    if facts.kind == roles.MANUAL or (facts.kind == roles.STRUCTURE and not facts.can_sign_in):
        return "Ne peut pas se connecter"
    if facts.state_before in ("oui", "attente"):
        return f"Accès suspendu le {date_fr(facts.state_on)}"
    feminine = facts.feminine or facts.kind == roles.STRUCTURE
    return "Ajoutée sans habilitation" if feminine else "Ajouté sans habilitation"


_KIN = {
    "DAU": "sa fille", "DAUC": "sa fille", "SON": "son fils", "SONC": "son fils", "MTH": "sa mère", "FTH": "son père",
    "BRO": "son frère", "SIS": "sa sœur", "HUSB": "son époux", "WIFE": "son épouse", "GRMTH": "sa grand-mère",
    "GRFTH": "son grand-père", "GRNDDAU": "sa petite-fille", "GRNDSO": "son petit-fils", "UNCLE": "son oncle",
    "AUNT": "sa tante", "NEPHEW": "son neveu", "NIECE": "sa nièce",
}  # fmt: skip


def kinship(code: str, label: str) -> str:
    """Return the link in a sentence: "sa fille"; the label in small letters for those that take no possessive."""
    return _KIN.get(code) or (f"{label[0].lower()}{label[1:]}" if label else "")
