"""The history of a circle in plain French: one line, one sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Told(NamedTuple):
    """One change as it was: names ready to show, `feminine` the member's gender, `other` a former holder."""

    kind: str
    who: str
    member: str
    feminine: bool = False
    subject: str = ""
    before: str = ""
    after: str = ""
    other: str = ""


ICONS = {
    "ajout": "person-plus", "retour": "person-plus", "modification": "pencil-square", "liaison": "link-45deg",
    "role": "person-vcard", "passation": "arrow-left-right", "habilitation": "key", "demande": "key",
    "report": "arrow-left-right", "abandon": "arrow-left-right",
    "retrait": "person-dash", "annulation": "arrow-counterclockwise",
}  # fmt: skip
CREATION = "Création du dossier"
TAKEN_MEANWHILE = "rôle repris entre-temps"
PLAN_LOST = "changement prévu non rétabli"


def told_of(change) -> Told:
    """Return the facts of a Change read `with_names()`."""
    return Told(
        kind=change.kind,
        who=change.by.get_full_name(),
        member=change.member.display_name,
        feminine=change.member.is_feminine or bool(change.member.structure_id),
        subject=change.subject,
        before=change.before,
        after=change.after,
        other=change.other.display_name if change.other else "",
    )


def sentence(told: Told) -> str:
    """Return the sentence: "EXEMPLE-LARRIEU Maëlle a ajouté TESTARD Paul au cercle de soins."."""
    return _TELLERS[told.kind](told)


def _added(t: Told) -> str:
    if t.subject == CREATION:
        return f"{t.who} a créé le dossier."
    return f"{t.who} a ajouté {t.member} au cercle de soins."


def _returned(t: Told) -> str:
    return f"{t.member} est de retour dans le cercle de soins, ajouté{'e' if t.feminine else ''} par {t.who}."


def _edited(t: Told) -> str:
    if t.subject == "discret":
        shown = "discret pour" if t.after == "oui" else "visible de tous pour"
        return f"{t.who} a rendu {shown} le cercle : {t.member}."
    return f"{t.who} a modifié la fiche : {t.member}, {t.subject} {_change(t)}."


def _change(t: Told) -> str:
    if not t.before:
        return f"« {t.after} » ajouté"
    if not t.after:
        return f"« {t.before} » effacé"
    return f"« {t.before} » devient « {t.after} »"


def _linked(t: Told) -> str:
    return f"{t.who} a relié {t.before} à l'annuaire : {t.member}."


def _role(t: Told) -> str:
    if t.subject == TAKEN_MEANWHILE:
        return f"{t.member} ne retrouve pas le rôle « {t.before} », repris entre-temps."
    if t.subject == PLAN_LOST:
        return f"{t.member} ne retrouve pas le rôle « {t.before} » prévu à partir du {t.after}."
    if not t.after:
        return f"{t.who} a retiré le rôle « {t.before} » : {t.member}.{_when(t)}"
    instead = f" à la place de « {t.before} »" if t.before else ""
    return f"{t.who} a donné le rôle « {t.after} »{instead} : {t.member}.{_when(t)}"


def _handed_over(t: Told) -> str:
    return f"{t.member} prend le rôle « {t.after} » à la suite de {t.other}, par {t.who}.{_when(t)}"


def _moved(t: Told) -> str:
    after = f" à la suite de {t.other}" if t.other else ""
    days = f"du {t.before} au {t.after}"
    return f"{t.who} a déplacé {days} le changement de rôle prévu : {t.member}, « {t.subject} »{after}."


def _called_off(t: Told) -> str:
    if t.other:
        begin = f"{t.who} a annulé la passation prévue le {t.subject}"
        return f"{begin} : {t.member} ne prend pas le rôle « {t.before} » à la suite de {t.other}."
    begin = f"{t.who} a annulé le changement de rôle prévu le {t.subject}"
    kept = f"garde le rôle « {t.after} »" if t.after else f"ne prend pas le rôle « {t.before} »"
    return f"{begin} : {t.member} {kept}."


def _when(t: Told) -> str:
    return f" {t.subject[0].upper()}{t.subject[1:]}." if t.subject else ""


def _state(t: Told) -> str:
    if t.after == "oui":
        return f"{t.who} a habilité {t.member}."
    if t.after == "attente":
        return f"{t.who} a habilité {t.member} : accès en attente de son compte."
    if t.after == "refus":
        return f"{t.who} a noté le refus du patient pour {t.member} : accès fermé."
    if t.before == "refus":
        return f"{t.who} a noté le retrait du refus pour {t.member} : sans habilitation."
    return f"{t.who} a suspendu l'accès : {t.member}."


def _requested(t: Told) -> str:
    return f"{t.who} a demandé une habilitation pour {t.member}."


def _removed(t: Told) -> str:
    reason = f" {t.subject}." if t.subject else ""
    note = f" {t.after.rstrip('.')}." if t.after else ""
    return f"{t.who} a retiré {t.member} du cercle de soins.{reason}{note}"


def _restored(t: Told) -> str:
    return f"{t.who} a annulé le retrait : {t.member} est à nouveau dans le cercle de soins."


_TELLERS: dict[str, Callable[[Told], str]] = {
    "ajout": _added,
    "retour": _returned,
    "modification": _edited,
    "liaison": _linked,
    "role": _role,
    "passation": _handed_over,
    "report": _moved,
    "abandon": _called_off,
    "habilitation": _state,
    "demande": _requested,
    "retrait": _removed,
    "annulation": _restored,
}
