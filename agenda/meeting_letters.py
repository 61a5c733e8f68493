"""The e-mails of a meeting to be fixed: what is asked, when, and a link. Neither the person nor the motive (SEC-22).

Who has an account goes to the page; who has none gets a personal link, put in when the mail leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from agenda import links
from agenda.keys import address_of, present
from agenda.letters import moment_of
from agenda.models import Appointment, Participation
from coordination.accounts import mails
from coordination.common.addresses import address
from coordination.outbox import filling
from coordination.outbox.models import Message
from habilitations import access

TEMPLATE = "agenda/emails/meeting.html"
LINK_KIND = "agenda.meeting_link"
VOID = "La participation a été retirée, ou la réunion annulée, avant l’envoi."


class What(StrEnum):
    ASKED = "asked"
    REMINDED = "reminded"
    FIXED = "fixed"
    MOVED = "moved"
    TOMORROW = "tomorrow"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    PROPOSED = "proposed"
    NONE_SUITS = "none_suits"
    MINUTES = "minutes"


class _Words(NamedTuple):
    subject: str
    sentence: str
    link: str


_WORDS = {
    What.ASKED: _Words(
        "Une réunion attend votre réponse",
        "{organiser} cherche un moment pour une réunion de coordination. Dites quels créneaux vous conviennent avant"
        " le {answer_by}.",
        "Répondre",
    ),
    What.REMINDED: _Words(
        "Rappel : une réunion attend votre réponse",
        "{organiser} attend votre réponse pour fixer une réunion de coordination, avant le {answer_by}.",
        "Répondre",
    ),
    What.FIXED: _Words(
        "Une réunion est fixée", "La réunion de coordination est fixée au {moment}.", "Voir la réunion"
    ),
    What.MOVED: _Words(
        "Une réunion est déplacée", "La réunion de coordination est déplacée au {moment}.", "Voir la réunion"
    ),
    What.TOMORROW: _Words(
        "Rappel : une réunion approche", "Une réunion de coordination a lieu le {moment}.", "Voir la réunion"
    ),
    What.CANCELLED: _Words("Une réunion est annulée", "La réunion de coordination {when} est annulée.", ""),
    What.REMOVED: _Words(
        "Votre présence n’est plus attendue",
        "{organiser} n’attend plus votre présence à la réunion de coordination {when}.",
        "",
    ),
    What.PROPOSED: _Words(
        "Un autre moment est proposé pour une réunion",
        "Un participant propose un autre moment pour la réunion que vous organisez.",
        "Voir la réunion",
    ),
    What.NONE_SUITS: _Words(
        "Aucun créneau ne convient à tous",
        "Aucun des créneaux proposés ne convient à tous les participants indispensables.",
        "Choisir un créneau",
    ),
    What.MINUTES: _Words(
        "Un compte rendu est écrit", "Le compte rendu de la réunion du {moment} est écrit.", "Lire le compte rendu"
    ),
}
_ANSWERING = (What.ASKED, What.REMINDED)
KINDS = {f"agenda.meeting_{what}": words.subject for what, words in _WORDS.items()} | {
    LINK_KIND: "Réunion : lien personnel"
}


def tell(what: What, appointment: Appointment, people: Iterable[Participation], *, but: UUID | None = None) -> int:
    """Queue one letter for each of these participants who can be reached, `but` the author of the act.

    Who has left the circle learns that it is cancelled, and nothing else any more. Needs an open transaction. Returns
    how many letters.
    """
    told = 0
    for one in people if what in (What.CANCELLED, What.REMOVED) else present(people):
        if one.user_id:
            told += one.user_id != but and one.user.is_active and _to_account(what, appointment, one.user)
        elif address_of(one):
            told += _to_address(what, appointment, one)
    return told


def tell_organiser(what: What, appointment: Appointment, *, but: UUID | None = None) -> int:
    """Tell who organises, while the dossier is open to him: the link would lead nowhere."""
    user = appointment.organizer
    if user is None or user.pk == but or not user.is_active:
        return 0
    if access.to_dossier(user, appointment.dossier_id) is None:
        return 0
    return _to_account(what, appointment, user)


def _to_account(what: What, appointment: Appointment, user) -> int:
    page = "reunions:answer" if what in _ANSWERING else "reunions:meeting"
    link = mails.absolute(address(page, appointment.dossier_id, appointment.pk)) if _WORDS[what].link else ""
    mails.send(
        TEMPLATE, to=user.email, context=_context(what, appointment, link), account_id=user.pk,
        kind=f"agenda.meeting_{what}", object_id=appointment.pk,
    )  # fmt: skip
    return 1


def _to_address(what: What, appointment: Appointment, one: Participation) -> int:
    """To who has no account. Minutes are read in the dossier only."""
    if what is What.MINUTES:
        return 0
    with_link = bool(_WORDS[what].link)
    mails.send(
        TEMPLATE, to=address_of(one), context=_context(what, appointment, filling.PLACE if with_link else ""),
        sensitive=with_link, kind=LINK_KIND if with_link else f"agenda.meeting_{what}",
        object_id=one.pk if with_link else appointment.pk,
        object_version=one.generation if with_link else None,
    )  # fmt: skip
    return 1


def _context(what: What, appointment: Appointment, link: str) -> dict:
    words = _WORDS[what]
    moment = moment_of(appointment)
    said = {
        "organiser": appointment.organizer.get_full_name() if appointment.organizer else "L’organisateur",
        "moment": moment,
        "when": f"du {moment}" if moment else "en préparation",
        "answer_by": moment_of(Appointment(starts_at=appointment.answer_by, zone=appointment.zone)),
    }
    return {
        "subject": words.subject, "sentence": words.sentence.format(**said), "link": link, "link_label": words.link,
    }  # fmt: skip


def fill(message: Message) -> str:
    """Return the personal link that a letter carries, when it leaves. Raises NothingToSend."""
    one = _without_account().filter(pk=message.object_id).first()
    if one is None or one.appointment.status == Appointment.Status.CANCELLED:
        raise filling.NothingToSend(VOID)
    if message.object_version != one.generation or message.to.lower() != address_of(one).lower():
        raise filling.NothingToSend(VOID)
    return links.address_of(one)


def _without_account():
    rows = Participation.objects.select_related("appointment", "member__professional")
    return rows.filter(user=None)
