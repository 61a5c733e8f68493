"""The rows of several members at once, for who writes a whole circle: what `members` does of one, by sets.

Inside the caller's transaction, under the lock of the dossier. The lines recorded are the same, one for each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from habilitations.actions.grounds import forget
from habilitations.actions.members import State, reopen_habilitation
from habilitations.kin import same_structures
from habilitations.models import Consent, Habilitation, StateChange


def open_habilitations(dossier_id: UUID, holders: Iterable[Mapping[str, Any]], *, by) -> list[Habilitation]:
    """Open the rows of new members, in state "non", in their order; each holder is as for `open_habilitation`."""
    rows = [Habilitation(dossier_id=dossier_id, state_by=by, **one) for one in holders]
    return Habilitation.objects.bulk_create(rows)


def open_ended(dossier_id: UUID, count: int, *, by) -> list[Habilitation]:
    """Open and end the rows of so many people whom no circle names yet, as `open_` and `end_habilitation` would."""
    rows = open_habilitations(dossier_id, [{"ended_at": timezone.now()}] * count, by=by)
    _tell(rows, by=by)
    return rows


def begin_again(habilitations: Sequence[Habilitation], *, by) -> None:
    """Open again the rows of people who come in, each from "non": `reopen_habilitation`, not `as_it_was`.

    By sets those that nobody's account and no structure holds, and that no refusal marks; the others one by one.
    Raises as `reopen_habilitation`.
    """
    ids = [one.pk for one in habilitations]
    rows = Habilitation.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    plain = []
    for row in rows:
        if row.ended_at is None or row.state != State.NON or row.user_id or row.structure_id:
            reopen_habilitation(row, by=by, as_it_was=False)
        else:
            plain.append(row)
    held = {"pk__in": [row.pk for row in plain]}
    Habilitation.objects.filter(**held).update(ended_at=None, requested_at=None, requested_by=None)
    current = Consent.objects.current().filter(dossier_id__in={row.dossier_id for row in plain}, end="")
    facts = set(current.filter(habilitation__in=held["pk__in"]).values_list("habilitation_id", flat=True))
    for row in plain:
        if row.pk in facts:
            forget(row, by=by)
    _tell(plain, by=by)


def have_rows(dossier_id: UUID, structure_ids: Sequence[UUID]) -> bool:
    """Say whether the dossier has a row, open or ended, of one of these structures under any of its entries."""
    if not structure_ids:
        return False
    rows = Habilitation.objects.filter(dossier_id=dossier_id, structure__in=same_structures(*structure_ids))
    return rows.exists()


def _tell(rows: Iterable[Habilitation], *, by) -> None:
    """Write that each begins anew, or ends, without an access: what `move(always=True)` writes of a state kept."""
    StateChange.objects.bulk_create(
        StateChange(dossier_id=row.dossier_id, habilitation=row, by=by, before=row.state, after=row.state)
        for row in rows
    )
