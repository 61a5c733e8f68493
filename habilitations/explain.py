"""« Pourquoi je vois, pourquoi je ne vois pas »: the facts of a decision, in plain French. Pure.

Reads the decision that opened the page (`access.Access`) and invents nothing: what is said here is what was computed.
Only ever told to who is inside the dossier: an outsider, opposed or not, gets the answer of a dossier that does not
exist (SEC-6), and no line here speaks of a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone

from coordination.common.text import of_name
from habilitations import emergency
from habilitations.access import Access
from habilitations.acting import SECRETARY, STAND_IN
from habilitations.matrix import UNKNOWN_PROFILE
from habilitations.models import Consent, VouchedProfession
from habilitations.rubriques import Niveau, Rubrique

How = VouchedProfession.How
_VOUCHED = {
    How.DIRECTORY: "par l’annuaire",
    How.STRUCTURE: "par votre structure",
    How.ADMINISTRATOR: "par un administrateur",
    How.INVITER: "par la personne qui vous a invité",
}
_TEAM = " au titre de l’équipe de soins"


class Limit(StrEnum):
    """What holds a level down, the first one to undo."""

    PROFESSION = "profession"
    MATRIX = "matrice"
    OTHER = "pour_autrui"
    CEILING = "reduction"
    STATE = "etat"


@dataclass(frozen=True)
class Fact:
    """One link of the chain; `closes` says that it lowers what the links before leave."""

    text: str
    closes: bool = False


_JOURNAL_NAMES = Fact("Le journal nomme aussi les membres discrets : il demande le volet médical.", closes=True)


def limit(access: Access, rubrique: str, wanted: Niveau = Niveau.ECRITURE) -> Limit | None:
    """Return what first keeps `wanted` from being held on the rubric, None when it is held."""
    if access.level(rubrique) >= wanted:
        return None
    if access.profile == UNKNOWN_PROFILE:
        return Limit.PROFESSION
    if access.matrix.level(access.profile, rubrique) < wanted:
        return Limit.MATRIX
    if access.cell(rubrique) < wanted:
        return Limit.OTHER
    return Limit.CEILING if access.granted(rubrique) < wanted else Limit.STATE


def may_ask(access: Access, rubrique: str) -> bool:
    """Say whether asking for the rubric makes sense: it is closed, or a ceiling lowers it, for a member.

    Not for who acts for another: what he lacks is that of the other, who asks for himself. Nor in an emergency.
    """
    if access.on_behalf_of or access.ends_at:
        return False
    closed = access.level(rubrique) == Niveau.AUCUN
    return closed or access.granted(rubrique) < access.matrix.level(access.profile, rubrique)


def chain(access: Access, rubrique: str, *, profession: str, structure: str = "", state: str = "") -> list[Fact]:
    """Return the facts of one rubric, in the order in which they are judged, the outcome last.

    `profession`: the label of the vouched profession; `structure`: the name of the one he enters through, "" for
    who is habilitated himself; `state`: the state of the dossier ("en pause"). Source: issue 3 §2, rules 1 to 3.
    """
    return [
        _grant(access, structure),
        _profession(access, profession),
        *_rubric(access, rubrique),
        *_state(access, rubrique, state),
        _outcome(access, rubrique),
    ]


def refusal(access: Access, rubrique: Rubrique, wanted: Niveau, *, state: str) -> str:
    """Return the sentence of the 403 page: which rubric, and what keeps it closed."""
    found, held = limit(access, rubrique, wanted), access.level(rubrique)
    if found == Limit.STATE:
        return f"Ce dossier est {state} : il se lit, il ne se modifie pas."
    if held >= Niveau.LECTURE:
        return f"La rubrique « {rubrique.label} » vous est ouverte en lecture seulement."
    return f"La rubrique « {rubrique.label} » ne vous est pas ouverte."


def _grant(access: Access, structure: str) -> Fact:
    if access.ends_at:
        return Fact(
            f"Vous avez ouvert un accès d’urgence, en lecture, jusqu’à {timezone.localtime(access.ends_at):%H:%M}."
        )
    until = f" jusqu’au {access.until:%d/%m/%Y} inclus" if access.until else ""
    if other := access.on_behalf_of:
        if other.kind == STAND_IN:
            return Fact(f"Vous remplacez {other.name}, qui a accès à ce dossier{until}.")
        return Fact(f"Vous tenez le secrétariat {of_name(other.name)}, avec l’accord de la personne{until}.")
    express = access.ground == Consent.Ground.EXPRESS
    rests = ", avec l’accord de la personne" if express else _TEAM if access.ground else ""
    if structure:
        return Fact(f"Vous entrez comme délégué de {structure}, habilitée dans ce dossier{rests}{until}.")
    return Fact(f"Vous êtes membre du cercle de soins, votre accès est ouvert{rests}{until}.")


def _profession(access: Access, profession: str) -> Fact:
    if not access.hat.profession:
        return Fact("Votre profession n’est confirmée ni par l’annuaire ni par votre structure.", closes=True)
    by = _VOUCHED.get(How(access.hat.how)) if access.hat.how else ""
    return Fact(" ".join(filter(None, (f"Votre profession ({profession}) est confirmée", by))) + ".")


def _rubric(access: Access, rubrique: str) -> list[Fact]:
    """Say what opens the rubric or keeps it closed.

    What closes it in this dossier beyond the matrix is told in one sentence and nothing more, whether it is a ceiling,
    a consent that leaves it out or the person's opposition: who is opposed cannot tell (SEC-6).
    """
    version = f"La matrice d’habilitation, version {access.matrix.number},"
    if not access.hat.profession:
        return []
    if access.profile == UNKNOWN_PROFILE:
        return [Fact(f"{version} ne connaît pas votre profession : elle n’ouvre rien.", closes=True)]
    cell = access.matrix.level(access.profile, rubrique)
    if rubrique in access.matrix.catalog.withdrawn:
        return [Fact("Cette rubrique n’est plus utilisée : elle n’est ouverte à personne.", closes=True)]
    gathers = access.matrix.catalog.gathers(access.profile)
    whom = f" aux {gathers}" if gathers else ""
    if cell == Niveau.AUCUN and access.matrix.written(access.profile, rubrique) >= Niveau.LECTURE:
        return [_JOURNAL_NAMES]
    if cell == Niveau.AUCUN:
        return [Fact(f"{version} n’ouvre pas cette rubrique{whom}.", closes=True)]
    is_emergency_limit = access.ends_at is not None and rubrique not in emergency.RUBRICS
    if access.granted(rubrique) == Niveau.AUCUN < access.cell(rubrique) and not is_emergency_limit:
        return [Fact("Accès non autorisé à cette rubrique dans ce dossier.", closes=True)]
    said = "lecture et écriture" if cell == Niveau.ECRITURE else "lecture"
    return [
        Fact(f"{version} ouvre cette rubrique{whom} : {said}."), *_other(access, rubrique), *_here(access, rubrique),
    ]  # fmt: skip


def _other(access: Access, rubrique: str) -> list[Fact]:
    other, own = access.on_behalf_of, access.matrix.level(access.profile, rubrique)
    if other is None or access.cell(rubrique) >= own:
        return []
    if other.kind == SECRETARY and rubrique not in other.rubriques:
        return [Fact(f"{other.name} ne vous a pas confié cette rubrique.", closes=True)]
    return [
        Fact(f"{other.name} ne peut pas faire plus, vous non plus en agissant pour lui ou pour elle.", closes=True)
    ]


def _here(access: Access, rubrique: str) -> list[Fact]:
    if access.granted(rubrique) >= access.cell(rubrique):
        return []
    if access.ends_at and access.granted(rubrique) == Niveau.AUCUN:
        return [
            Fact("Un accès d’urgence n’ouvre que l’identité, le volet médical et les documents médicaux.", closes=True)
        ]
    if access.ends_at:
        return [Fact("Un accès d’urgence ne donne que la lecture.", closes=True)]
    whom = access.on_behalf_of.name if access.on_behalf_of else "vous"
    return [Fact(f"Elle a été réduite à la lecture pour {whom} dans ce dossier.", closes=True)]


def _state(access: Access, rubrique: str, state: str) -> list[Fact]:
    if access.level(rubrique) >= access.granted(rubrique):
        return []
    return [Fact(f"Ce dossier est {state} : il se lit, il ne se modifie pas.", closes=True)]


def _outcome(access: Access, rubrique: str) -> Fact:
    return {
        Niveau.ECRITURE: Fact("Vous pouvez lire et écrire."),
        Niveau.LECTURE: Fact("Vous pouvez lire."),
        Niveau.AUCUN: Fact("Vous n’y avez pas accès.", closes=True),
    }[access.level(rubrique)]
