"""The change of role planned for a member, in words: from him, to him, or his own."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from circle import roles
from circle.actions.common import name_for
from circle.models import Member, RoleHolding
from circle.plans import Held
from coordination.common.french import date_fr


class Planned(NamedTuple):
    """`role` is the code this member is to have from `day`, "" for none.

    `is_handover`: another member changes too, and the reader may see him.
    """

    day: dt.date
    role: str
    sentence: str
    is_handover: bool

    @property
    def title(self) -> str:
        return "Passation prévue." if self.is_handover else "Changement prévu."

    @property
    def undo_label(self) -> str:
        return "Annuler la passation prévue" if self.is_handover else "Annuler le changement prévu"

    @property
    def undone(self) -> str:
        return "La passation prévue est annulée." if self.is_handover else "Le changement prévu est annulé."


def planned_for(entry, row) -> Planned | None:
    """Return the next change of role planned for a member; two SQL statements, four when there is one."""
    if row.ends_on or row.is_reduced:
        return None
    board = RoleHolding.objects.board(entry.dossier.pk)
    current = board.on(row.id, board.today)
    own = next((held for held in board.of(row.id, board.today) if board.is_plan(held)), None)
    if current and current.ends_on and (own is None or own.starts_on == current.ends_on):
        heir = board.heir(current)
        if heir or own is None:
            name = _name(entry, heir)
            return Planned(current.ends_on, own.role if own else "", _leaving(row, current, own, name), bool(name))
    if own is None:
        return None
    name = _name(entry, board.former(own))
    after = f", à la suite de {name}" if name else ""
    sentence = f"{row.name} prendra le rôle « {_label(row, own)} » le {date_fr(own.starts_on)}{after}."
    return Planned(own.starts_on, own.role, sentence, bool(name))


def _leaving(row, current: Held, own: Held | None, heir: str) -> str:
    said = f"le rôle « {_label(row, current)} » le {date_fr(current.ends_on)}."
    begin = f"{heir} prendra {said}" if heir else f"{row.name} quittera {said}"
    if own:
        return f"{begin} {row.name} deviendra « {_label(row, own)} »."
    return f"{begin} {row.name} n’aura plus de rôle." if heir else begin


def _label(row, held: Held) -> str:
    return roles.label(held.role, feminine=row.feminine, profession=row.profession)


def _name(entry, held: Held | None) -> str:
    """Return the other member's name; "" for nobody, and for one the reader may not see: neither is told (rule 7)."""
    if held is None:
        return ""
    return name_for(entry, Member.objects.with_names().get(dossier_id=entry.dossier.pk, pk=held.member))
