"""The e-mails of the circle. None says who the person followed is; a personal link is put in when the mail leaves."""

from __future__ import annotations

from django.urls import reverse

from circle.invitation import INVITATION, LETTERS, REMINDER, Invitation
from circle.links import MAILED, address_of
from coordination.accounts import mails
from coordination.outbox import filling
from coordination.outbox.actions import withdraw_messages
from coordination.outbox.models import Message
from habilitations import access

LINK_ASKED, UNDELIVERED, OPENED = "circle.new_link_asked", "circle.undelivered", "circle.dossier_opened"
# Sent by circle/actions/sleeping.py and reminding.py.
UNUSED, LAST_DAYS = "circle.access_unused", "account.last_days"
KINDS = {
    INVITATION: "Invitation",
    REMINDER: "Rappel d’une invitation",
    LINK_ASKED: "Demande d’un nouveau lien d’invitation",
    UNDELIVERED: "Invitation non distribuée",
    OPENED: "Ouverture d’un dossier",
    UNUSED: "Accès inutilisé, bientôt fermé",
    LAST_DAYS: "Derniers jours d’un accès",
}
TOO_LATE = "L’invitation a été annulée, a reçu sa réponse ou a expiré avant l’envoi."
REPLACED = "L’invitation a été renvoyée avant le départ de cet e-mail."


def letter_of(*, by, structure_name: str, message: str, expires_at, to_a_dossier: bool) -> dict:
    """Return what the letter of an invitation says, link apart: the form shows the same before sending."""
    return {
        "inviter": by.get_full_name(), "structure": structure_name, "message": message, "expires_at": expires_at,
        "to_a_dossier": to_a_dossier,
    }  # fmt: skip


def send_invitation(invitation: Invitation, *, kind: str = INVITATION) -> Message:
    """Queue the letter of an invitation, without its link. Needs an open transaction."""
    context = letter_of(
        by=invitation.invited_by, structure_name=invitation.structure_name, message=invitation.message,
        expires_at=invitation.expires_at, to_a_dossier=invitation.dossier_id is not None,
    )  # fmt: skip
    return mails.send(
        "circle/emails/invitation.html" if kind == INVITATION else "circle/emails/invitation_reminder.html",
        to=invitation.email,
        context=context | {"link": filling.PLACE},
        sensitive=True,
        kind=kind,
        object_id=invitation.pk,
        object_version=invitation.generation,
    )


def stop_waiting_letters(invitation: Invitation) -> None:
    """Stop the letters of an invitation that have not left: it is sent again, perhaps to another address."""
    withdraw_messages(invitation.pk, kinds=LETTERS, why=REPLACED)


def fill(message: Message) -> str:
    """Return the link that a letter carries, when it leaves.

    Only the letter written for the invitation of now, at its address of now: the link proves the mailbox of who
    receives it. Raises NothingToSend.
    """
    invitation = Invitation.objects.filter(pk=message.object_id).first()
    if invitation is None or not invitation.is_valid:
        raise filling.NothingToSend(TOO_LATE)
    if message.object_version != invitation.generation or message.to.lower() != invitation.email.lower():
        raise filling.NothingToSend(REPLACED)
    return address_of(invitation, MAILED)


def tell_of_new_link(invitation: Invitation) -> None:
    """Tell the inviter that the holder of a link that no longer serves asks for another one."""
    _tell_inviter(invitation, "circle/emails/new_link_asked.html", LINK_ASKED)


def tell_of_undelivered(invitation: Invitation) -> None:
    """Tell the inviter that the servers refuse the letter; of whom and why, the list says."""
    _tell_inviter(invitation, "circle/emails/undelivered.html", UNDELIVERED)


def tell_of_opened_dossier(user, dossier_id) -> None:
    """Tell somebody who has an account that a dossier is opened to him; of whom, the dossier says.

    Not while the person closes it to him all the same: the link would lead nowhere (SEC-6).
    """
    if access.to_dossier(user, dossier_id) is None:
        return
    mails.send(
        "circle/emails/dossier_opened.html",
        to=user.email,
        context={"link": mails.absolute(reverse("dossiers:home", args=[dossier_id]))},
        kind=OPENED,
        account_id=user.pk,
    )


def _tell_inviter(invitation: Invitation, template: str, kind: str) -> None:
    mails.send(
        template,
        to=invitation.invited_by.email,
        context={"link": mails.absolute(reverse("invitations:list"))},
        kind=kind,
        account_id=invitation.invited_by_id,
        object_id=invitation.pk,
    )
