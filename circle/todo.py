"""« À faire »: what waits for an answer of who may grant, in all his dossiers. Four SQL statements.

An administrator also finds the version of the matrix that waits for him: one more statement.

Only what he may answer: the action right, its scope, members he may see (rule 7), dossiers that can be written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from circle.models import Member
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import HIDDEN_NAME
from habilitations import access, published
from habilitations.access import Access
from habilitations.actions.drafts import open_draft
from habilitations.models import AccessRequest, Habilitation, MatrixDraft
from habilitations.rubriques import Action, Niveau, Rubrique

# An access that ends within as many days is named; a reminder leaves by mail as early.
SOON = dt.timedelta(days=14)
MOST = 100
READ_ONLY = (Dossier.Status.PAUSE, Dossier.Status.CLOS)


@dataclass(frozen=True)
class Line:
    """One thing to do: whose dossier, which member, what, since or until when. `request` is None but for a request."""

    member_id: UUID
    dossier_id: UUID
    person: str
    member: str
    day: dt.date
    rubrique: str = ""
    reason: str = ""
    request_id: UUID | None = None
    asked_by: str = ""


@dataclass(frozen=True)
class Todo:
    requests: list[Line]
    habilitations: list[Line]
    ending: list[Line]
    # For an administrator: a version of the matrix that another one asks to publish.
    publication: MatrixDraft | None = None

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.habilitations) + len(self.ending) + (self.publication is not None)


def of(user) -> Todo:
    """Return what waits for this person, the oldest first, at most a hundred of each."""
    hat, matrix = access.hat_of(user), published.current()
    reader = Access(matrix.profile_of(hat.profession, hat.fonction), matrix, hat, None)
    if matrix.scope(reader.profile, Action.GRANT) is None:
        return Todo([], [], [], _publication(user))
    here = Q(dossier__in=access.dossier_ids(user)) & ~Q(dossier__status__in=READ_ONLY) & (Q(user=None) | ~Q(user=user))
    # Of who has left, or was refused since, nothing is to be answered any more.
    inside = Q(habilitation__ended_at=None, habilitation__state=Habilitation.State.OUI)
    requests = AccessRequest.objects.open().filter(here, inside).select_related("dossier", "user")
    asked = list(requests.order_by("asked_at")[:MOST])
    soon = Q(state__in=("oui", "attente"), access_until__lte=timezone.localdate() + SOON)
    rows = list(
        Habilitation.objects.open()
        .filter(here, Q(requested_at__isnull=False) | soon)
        .select_related("dossier", "requested_by")
        .order_by("requested_at", "access_until")[: 2 * MOST]
    )
    members = _members(user, reader, [*(r.habilitation_id for r in asked), *(row.pk for row in rows)])
    names = _Names(reader, members)
    return Todo(
        [
            names.line(r.dossier, r.habilitation_id, timezone.localdate(r.asked_at), member=r.user.get_full_name(),
                       rubrique=matrix.catalog.rubric_label(r.rubrique), reason=r.reason, request_id=r.pk)
            for r in asked if r.habilitation_id in members
        ],
        [
            names.line(row.dossier, row.pk, timezone.localdate(row.requested_at),
                       asked_by=row.requested_by.get_full_name())
            for row in rows if row.requested_at and row.pk in members
        ],
        [
            names.line(row.dossier, row.pk, row.access_until)
            for row in rows if not row.requested_at and row.pk in members
        ],
        _publication(user),
    )  # fmt: skip


def _publication(user) -> MatrixDraft | None:
    """Return the request of publication this administrator may answer. One SQL statement, none for who is not one."""
    draft = open_draft() if access.may_administer(user) else None
    waits = draft is not None and draft.state == MatrixDraft.State.REQUESTED and draft.requested_by_id != user.pk
    return draft if waits else None


def _members(user, reader: Access, habilitations: list[UUID]) -> dict[UUID, Member]:
    """Return {habilitation: member} of those he may see and for whom he may grant."""
    if not habilitations or not reader.sees_whole_circle:
        return {}
    seen = Q(discreet=False)
    if reader.can_read(Rubrique.MEDICAL):
        seen |= ~Q(dossier__in=access.closed_to(user, Rubrique.MEDICAL))
    found = Member.objects.filter(seen, habilitation__in=habilitations)
    told = found.select_related("professional", "structure", "activity")
    return {m.habilitation_id: m for m in told if reader.may(Action.GRANT, structure_id=m.own_structure_id)}


class _Names:
    def __init__(self, reader: Access, members: dict[UUID, Member]) -> None:
        self._named, self._members = reader.level(Rubrique.IDENTITE) >= Niveau.LECTURE, members

    def line(self, dossier: Dossier, habilitation_id: UUID, day: dt.date, *, member: str = "", **details) -> Line:
        found = self._members[habilitation_id]
        person = dossier.full_name if self._named else HIDDEN_NAME
        return Line(found.pk, dossier.pk, person, member or found.display_name, day, **details)
