"""The history of an event in plain French."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Value

from agenda.models import Appointment, AppointmentChange
from circle.history import who
from circle.models import Member

KIND = AppointmentChange.Kind
LINES_SHOWN = 50
ICONS = {
    KIND.CREATED: "calendar-plus", KIND.MOVED: "arrow-left-right", KIND.EDITED: "pencil-square",
    KIND.ANSWERED: "chat-left-text", KIND.PROPOSED: "clock", KIND.CONFIRMED: "check-lg",
    KIND.CANCELLED: "slash-circle", KIND.DONE: "check2-square", KIND.MERGED: "link-45deg",
    KIND.MINUTES: "journal-text",
}  # fmt: skip


class Said(NamedTuple):
    """One line: its icon, its sentence, when."""

    icon: str
    sentence: str
    at: object


SOMEBODY = "Un membre du cercle"


def told(changes: QuerySet, user_id: UUID, *, knows_circle: bool, knows_discreet: bool) -> QuerySet:
    """Return these lines as the values that `said` takes (rule 7).

    A discreet author is not named, nor for whom another acts, nor who is there by a discreet structure alone; nobody
    but oneself is to who sees a reduced circle.
    """
    hidden = Value(False)
    if not knows_circle:
        hidden = ExpressionWrapper(~Q(by=user_id), BooleanField())
    elif not knows_discreet:
        hidden = _is_withheld("by") | _is_withheld("on_behalf_of")
    return changes.annotate(hidden=hidden).values_list(
        "kind", "at", "before", "after", "by__family_name", "by__given_name", "on_behalf_of__family_name",
        "on_behalf_of__given_name", "hidden",
    )  # fmt: skip


def _is_withheld(column: str) -> Q:
    """Who wrote a line is a discreet member, or works in a discreet structure and is not a member that all may see."""
    who = OuterRef(column)
    here = Member.objects.filter(dossier=OuterRef("dossier"))
    himself = here.filter(habilitation__user=who)
    by_his_house = here.filter(structure__attachments__user=who, discreet=True)
    return Q(Exists(himself.filter(discreet=True))) | Q(Exists(by_his_house), ~Exists(himself.filter(discreet=False)))


def lines_of(entry, appointment: Appointment) -> list[Said]:
    """Return what happened to an event, the last first. One SQL statement."""
    access, changes = entry.access, appointment.changes.order_by("-at", "-id")
    shown = told(
        changes, entry.user.pk, knows_circle=access.sees_whole_circle, knows_discreet=access.sees_discreet_members
    )
    return [said(*line) for line in shown[:LINES_SHOWN]]


def said(kind, at, before, after, family, given, for_family, for_given, hidden) -> Said:
    """Return "X a déplacé le rendez-vous : du … au …." of one line of `told`."""
    author, principal = (" ".join(filter(None, pair)) for pair in ((family, given), (for_family, for_given)))
    name = SOMEBODY if hidden else who(author, principal)
    return Said(ICONS[kind], _SENTENCES[kind](name, before, after), at)


_SENTENCES = {
    KIND.CREATED: lambda who, _, after: f"{who} a noté le rendez-vous" + (f" du {after}." if after else "."),
    KIND.MOVED: lambda who, before, after: f"{who} a déplacé le rendez-vous : du {before} au {after}.",
    KIND.EDITED: lambda who, _, after: f"{who} a modifié le rendez-vous" + (f" : {after}." if after else "."),
    KIND.ANSWERED: lambda who, _, after: f"{who} a répondu" + (f" : {after}." if after else "."),
    KIND.PROPOSED: lambda who, _, after: f"{who} a proposé un autre moment" + (f" : {after}." if after else "."),
    KIND.CONFIRMED: lambda who, _, after: f"{who} a confirmé le rendez-vous" + (f" : {after}." if after else "."),
    KIND.CANCELLED: lambda who, _, after: f"{who} a annulé le rendez-vous" + (f" : {after}." if after else "."),
    KIND.DONE: lambda who, _, after: f"{who} a noté ce qui s’est passé : {after[:1].lower()}{after[1:]}.",
    KIND.MERGED: lambda who, before, after: (
        f"{who} a réuni ce rendez-vous avec un autre qui lui ressemblait."
        if before or after
        else f"{who} a noté le retrait de l’accord : ce rendez-vous n’est plus réuni avec un autre."
    ),
    KIND.MINUTES: lambda who, _, after: f"{who} a écrit le compte rendu.",
}
