"""Where an invitation stands, in the words of « Invitations suivies ». Pure: rows in, words out."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import timezone

from coordination.common.french import date_fr, datetime_fr
from coordination.directory.search import profession_label
from coordination.outbox.models import State

# The acts of a row, in the order of the screen.
REMIND, COPY, REVOKE, RESEND, CORRECT, CONFIRM = "relancer", "lien", "annuler", "renvoyer", "corriger", "confirmer"
DECLINE = "écarter"
WAITING_ACTS = (REMIND, COPY, RESEND, REVOKE)
EVERY_ACT = frozenset((*WAITING_ACTS, CORRECT, CONFIRM, DECLINE))


class Told(NamedTuple):
    """`kind` is that of a tag; `acts` what may be done from there by who follows the invitation."""

    label: str
    kind: str
    detail: str
    acts: tuple[str, ...] = ()


def tell(invitation, *, may=EVERY_ACT, reads_reason: bool = True) -> Told:
    """Return the state of an invitation read `with_delivery()` and `with_names()`.

    `may`: the acts that the reader has the right to. `reads_reason`: the reason of a refusal is for who invited and
    for who may habilitate.
    """
    told = _open(invitation) if invitation.is_open else _closed(invitation, CONFIRM in may, reads_reason)
    return told._replace(acts=tuple(act for act in told.acts if act in may))


def _open(invitation) -> Told:
    sent = f"Envoyée le {date_fr(invitation.sent_at)}"
    asked = f" Nouveau lien demandé le {date_fr(invitation.asked_at)}." if invitation.asked_at else ""
    if not invitation.is_valid:
        detail = f"{sent}. Un nouveau lien est possible sans nouvelle saisie.{asked}"
        if asked:
            return Told("Demande un nouveau lien", "att", detail, (RESEND, REVOKE))
        return Told("Expirée", "auc", detail, (RESEND, REVOKE))
    until = f"{sent}, valable jusqu’au {datetime_fr(invitation.expires_at)}."
    if invitation.reminded_at:
        until += f" Relancée le {date_fr(invitation.reminded_at)}."
    acts = WAITING_ACTS
    if (again := invitation.remindable_at) > timezone.now():
        until += f" Relance possible à partir du {datetime_fr(again)}."
        acts = tuple(act for act in acts if act != REMIND)
    if invitation.opened_at:
        return Told(f"Ouverte le {date_fr(invitation.opened_at)}", "att", until + asked, acts)
    return _on_its_way(invitation, until + asked, acts)


def _on_its_way(invitation, until: str, acts: tuple[str, ...]) -> Told:
    state = invitation.delivery_state
    if state == State.ECHEC:
        return Told("Non remise", "refus", invitation.delivery_error, (CORRECT, COPY, REVOKE))
    if state == State.RETENU:
        return Told("Retenue", "att", f"{invitation.delivery_error} {until}", acts)
    if invitation.delivery_uncertain:
        why = "Le serveur n’a pas répondu jusqu’au bout : le message est peut-être arrivé, peut-être deux fois."
        return Told("Remise incertaine", "att", f"{why} {until}", acts)
    if state == State.ENVOYE or state is None:
        return Told("Envoyée", "info", until, acts)
    why = f"{invitation.delivery_error} Un nouvel essai est prévu." if invitation.delivery_error else ""
    return Told("En file", "plain", f"{why} {until}".strip(), acts)


def _closed(invitation, may_confirm: bool, reads_reason: bool) -> Told:
    if invitation.accepted_at:
        at = f"Le {datetime_fr(invitation.accepted_at)}."
        if invitation.is_to_confirm:
            asked = "Confirmez que c’est bien la personne invitée." if may_confirm else _who_confirms(invitation)
            detail = f"{at} {_who_accepted(invitation)} {asked}"
            return Told("À confirmer", "att", detail, (CONFIRM, DECLINE))
        if invitation.declined_at:
            day = date_fr(invitation.declined_at)
            return Told("Écartée", "auc", f"Le {day}. Qui a accepté n’était pas la personne invitée.")
        return Told("Acceptée", "ok", at)
    if invitation.refused_at:
        said = f", « {invitation.refusal_reason} »" if invitation.refusal_reason else ", sans motif"
        stays = " Reste dans le cercle, sans accès." if invitation.member_id else ""
        return Told("Refusée", "auc", f"Le {date_fr(invitation.refused_at)}{said if reads_reason else ''}.{stays}")
    at = f"Le {date_fr(invitation.revoked_at)}."
    if invitation.asked_at and invitation.asked_at > invitation.revoked_at:
        asked = f"Nouveau lien demandé le {date_fr(invitation.asked_at)} : invitez cette personne à nouveau, ou non."
        return Told("Annulée", "att", f"{at} {asked}")
    return Told("Annulée", "auc", at)


def _who_accepted(invitation) -> str:
    """What there is to compare: the name, the address when it is another one, the profession and the RPPS."""
    said = f"Acceptée par {invitation.declared_name}"
    address = invitation.accepted_by.email
    said += f", avec une autre adresse : {address}" if address.lower() != invitation.email.lower() else ""
    return f"{said}, {_rpps_of(invitation)}. {_whose_rights(invitation)}"


def _rpps_of(invitation) -> str:
    if invitation.account_rpps:
        return f"RPPS de l’annuaire : {invitation.account_rpps}"
    if invitation.declared_rpps:
        return f"RPPS écrit, non vérifié : {invitation.declared_rpps}"
    return "sans numéro RPPS"


def _whose_rights(invitation) -> str:
    """Say which profession will decide, and whether it is the one invited."""
    invited = (invitation.profession, invitation.fonction)
    counts = invitation.counting_profession
    if invitation.asks_profession:
        return f"{_said_profession(invitation)} Rien ne le prouve : vous choisissez celle que vous confirmez."
    if invitation.account_profession is None:
        gives = f"Confirmer lui donne celle de l’invitation, {_trade(invited)}."
        return f"Profession de ce compte : aucune de confirmée. {gives}"
    said = f"Profession confirmée de ce compte : {_trade(counts)}"
    if counts == invited:
        return f"{said}, celle de l’invitation."
    return f"{said}, et non {_trade(invited)} comme dans l’invitation. Elle seule peut donner des droits."


def _said_profession(invitation) -> str:
    if not invitation.declared_profession:
        return "Ni cette personne ni l’invitation n’ont dit de profession."
    return f"Cette personne dit être {_trade((invitation.declared_profession, ''))}."


def profession_said(invitation) -> str:
    """Return the profession that decides once confirmed, in words."""
    return _trade(invitation.counting_profession)


def _trade(pair: tuple[str, str]) -> str:
    return profession_label(pair[0], fonction=pair[1]).lower() or "sans profession"


def _who_confirms(invitation) -> str:
    """Say to who may not confirm who does, so that nobody waits for him."""
    if invitation.member_id:
        return "Quelqu’un qui peut habiliter ce membre doit confirmer que c’est bien la personne invitée."
    return "Sa structure, ou un administrateur, doit confirmer sa profession."
