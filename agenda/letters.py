"""The e-mails of the agenda: when, and a link. Neither the person, nor the motive, nor the place (SEC-22)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from agenda import zones
from agenda.keys import present
from agenda.models import Appointment, Participation
from coordination.accounts import mails
from coordination.common.addresses import address
from coordination.common.french import long_date

INVITED, ASKED, MOVED, CANCELLED = "invited", "asked", "moved", "cancelled"
CONFIRMED, DECLINED, PROPOSED, KEPT = "confirmed", "declined", "proposed", "kept"
_TEMPLATES = {
    INVITED: "agenda/emails/invited.html",
    ASKED: "agenda/emails/asked.html",
    MOVED: "agenda/emails/moved.html",
    CANCELLED: "agenda/emails/cancelled.html",
    CONFIRMED: "agenda/emails/confirmed.html",
    DECLINED: "agenda/emails/declined.html",
    PROPOSED: "agenda/emails/proposed.html",
    KEPT: "agenda/emails/kept.html",
}
KINDS = {
    f"agenda.{INVITED}": "Rendez-vous : nouveau",
    f"agenda.{ASKED}": "Rendez-vous : réponse attendue",
    f"agenda.{MOVED}": "Rendez-vous : déplacé",
    f"agenda.{CANCELLED}": "Rendez-vous : annulé",
    f"agenda.{CONFIRMED}": "Rendez-vous : confirmé",
    f"agenda.{DECLINED}": "Rendez-vous : décliné",
    f"agenda.{PROPOSED}": "Rendez-vous : autre moment proposé",
    f"agenda.{KEPT}": "Rendez-vous : moment gardé",
}
# Where one answers; the others are only read.
_PAGES = dict.fromkeys((ASKED, PROPOSED, KEPT), "agenda:answer")


def tell(
    what: str,
    appointment: Appointment,
    participations: Iterable[Participation],
    *,
    but: UUID,
    before="",
    repeats=False,
) -> int:
    """Queue one letter for each account among those invited, `but` the author of the act. Needs an open transaction.

    Who has left the circle learns that an event is cancelled, and nothing else any more. `before`: the moment that is
    no longer, as `moment_of` wrote it; `repeats`: the same of all that follow. Returns how many letters.
    """
    name = _PAGES.get(what, "agenda:appointment")
    context = {
        "moment": moment_of(appointment), "before": before, "repeats": repeats,
        "link": mails.absolute(address(name, appointment.dossier_id, appointment.pk)),
    }  # fmt: skip
    people = participations if what == CANCELLED else present(participations)
    told = [one.user for one in people if one.user_id and one.user.is_active and one.user_id != but]
    for user in told:
        mails.send(
            _TEMPLATES[what],
            to=user.email,
            context=context,
            account_id=user.pk,
            kind=f"agenda.{what}",
            object_id=appointment.pk,
        )
    return len(told)


def moment_of(appointment: Appointment) -> str:
    """Return "mardi 8 décembre 2026 à 10:00", with the clock when it is not that of the installation."""
    if appointment.starts_at is None:
        return ""
    # Naive: `long_date` would bring it back to the clock of the installation.
    start = appointment.starts_at.astimezone(ZoneInfo(appointment.zone)).replace(tzinfo=None)
    said = long_date(start) if appointment.all_day else f"{long_date(start)} à\u00a0{start:%H:%M}"
    if appointment.zone != settings.TIME_ZONE:
        words = zones.said(appointment.zone)
        said += f" ({words[:1].lower()}{words[1:]})"
    return said
