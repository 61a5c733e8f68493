"""Which event a form already made: sent twice it makes one, with other answers it is refused (REL-7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from agenda.actions.attending import Who, me
from agenda.actions.common import made_by
from agenda.models import Appointment
from coordination.common.resending import other_answers, require_same


def made_before(entry, creation_key: UUID, who: Who, **said: Any) -> Appointment | None:
    """Return the event that a first sending made, None for the first one. `said`: the columns that are asked.

    Raises AlreadySent when it does not say the same, or is not of the same people.
    """
    made = made_by(entry, creation_key)
    if made is not None:
        require_same(made, **said)
        if not _is_of(entry, made, who):
            raise other_answers(made)
    return made


def _is_of(entry, made: Appointment, who: Who) -> bool:
    rows = list(made.participations.values_list("key", "member_id", "user_id"))
    own = {member_id for _, member_id, user_id in rows if user_id == me(entry)}
    asked, there = set(who.members), {member_id for _, member_id, _ in rows if member_id} - own
    return (
        asked - own == there
        and bool(own) == (who.me or bool(asked & own))
        and (made.dossier_id in {key for key, *_ in rows}) == who.person
    )
