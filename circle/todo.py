"""« À faire »: what waits for an answer of who may grant or note a consent, in all his dossiers. Eight SQL statements.

An administrator also finds the version of the matrix that waits for him, a data-protection officer the emergency
accesses that he has not reviewed: one more statement each, and one to know that he is an officer.

Only what he may answer: the action right, its scope, members he may see (rule 7), dossiers that can be written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from circle import reviewing
from circle.models import Member, PlannedStay
from coordination.accounts import notices
from coordination.dossiers.emergencies import unreviewed
from coordination.dossiers.journal import questions
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import HIDDEN_NAME
from habilitations import access
from habilitations.access import Access
from habilitations.actions.drafts import open_draft
from habilitations.emergency import is_on
from habilitations.models import AccessRequest, Consent, EmergencyAccess, Habilitation, MatrixDraft
from habilitations.officers import may_search_journals
from habilitations.rubriques import Action, Niveau, Rubrique

# An access that ends within as many days is named; a reminder leaves by mail as early.
SOON = dt.timedelta(days=14)
MOST = 100
# A campaign is gone through a few dossiers at a time, the longest left first.
MOST_REVIEWS = 20
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
    until: dt.date | None = None
    # Of what was planned: somebody who was to come in, and has no sheet yet.
    is_arrival: bool = False


@dataclass(frozen=True)
class DossierLine:
    """One thing to do about a whole dossier: an emergency access to review (`emergency`), or its accesses."""

    dossier_id: UUID
    person: str
    day: dt.date | None = None
    emergency: EmergencyAccess | None = None


@dataclass(frozen=True)
class Todo:
    requests: list[Line] = field(default_factory=list)
    habilitations: list[Line] = field(default_factory=list)
    ending: list[Line] = field(default_factory=list)
    # Habilitated with nothing that carries it, or whose consent ends soon (`until` then).
    consents: list[Line] = field(default_factory=list)
    emergencies: list[DossierLine] = field(default_factory=list)
    reviews: list[DossierLine] = field(default_factory=list)
    # Departures and arrivals that could not be done on their day; `reason` says why.
    hindered: list[Line] = field(default_factory=list)
    # For a data-protection officer: across dossiers, each by its reference.
    officer_emergencies: list[EmergencyAccess] = field(default_factory=list)
    # For an administrator: a version of the matrix that another one asks to publish.
    publication: MatrixDraft | None = None

    @property
    def count(self) -> int:
        lists = (
            self.requests, self.habilitations, self.ending, self.consents, self.emergencies, self.reviews,
            self.hindered, self.officer_emergencies,
        )  # fmt: skip
        return sum(len(one) for one in lists) + (self.publication is not None)


@dataclass(frozen=True)
class Waiting:
    """All that « À faire » shows: the above, the questions put to the reader, and what « Mon compte » says too."""

    todo: Todo
    questions: list[questions.Waiting]
    notices: list[notices.Notice]

    @property
    def count(self) -> int:
        return self.todo.count + len(self.questions) + len(self.notices)


def waiting(user) -> Waiting:
    """Return all that waits for this person."""
    return Waiting(of(user), questions.waiting_for(user), notices.of(user))


def of(user) -> Todo:
    """Return what waits for this person, the oldest first, at most a hundred of each."""
    reader = access.held_by(user)
    grants = reader.matrix.scope(reader.profile, Action.GRANT) is not None
    notes = reader.may_withdraw_refusal
    if not (grants or notes):
        return Todo(officer_emergencies=_for_officer(user), publication=_publication(user))
    # Of those he enters for another, what he may answer depends on the other: it is said in each dossier.
    opened = access.dossiers_of(user, through=access.HIMSELF)
    here = Q(dossier__in=opened) & ~Q(dossier__status__in=READ_ONLY) & (Q(user=None) | ~Q(user=user))
    # Of who has left, or was refused since, nothing is to be answered any more.
    standing = Q(habilitation__ended_at=None, habilitation__state=Habilitation.State.OUI)
    requests = AccessRequest.objects.open().filter(here, standing).select_related("dossier", "user")
    asked = list(requests.order_by("asked_at")[:MOST])
    soon = Q(state__in=("oui", "attente"), access_until__lte=timezone.localdate() + SOON)
    rows = list(
        Habilitation.objects.open()
        .filter(here, Q(requested_at__isnull=False) | soon)
        .select_related("dossier", "requested_by")
        .order_by("requested_at", "access_until")[: 2 * MOST]
    )
    to_carry = list(_to_carry(here)[:MOST]) if notes else []
    plans = list(_hindered(opened)) if grants else []
    concerned = [*asked, *(plan.member for plan in plans)]
    every = _members(user, reader, [*(r.habilitation_id for r in concerned), *(r.pk for r in [*rows, *to_carry])])
    members = {
        pk: member for pk, member in every.items() if reader.may(Action.GRANT, structure_id=member.own_structure_id)
    }
    names = _Names(reader, every)
    return Todo(
        [
            names.line(r.dossier, r.habilitation_id, timezone.localdate(r.asked_at), member=r.user.get_full_name(),
                       rubrique=reader.matrix.catalog.rubric_label(r.rubrique), reason=r.reason, request_id=r.pk)
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
        [
            names.line(row.dossier, row.pk, timezone.localdate(row.state_at), until=row.consent_until)
            for row in to_carry if row.pk in every
        ],
        *_of_dossiers(user, reader, opened, names),
        [
            names.line(plan.dossier, plan.member.habilitation_id, plan.day, reason=plan.hindrance,
                       is_arrival=plan.period_id is None)
            for plan in plans if plan.member.habilitation_id in members
        ],
        _for_officer(user),
        _publication(user),
    )  # fmt: skip


def _hindered(opened) -> QuerySet[PlannedStay]:
    """Return what was planned and could not be done, in dossiers that are written: elsewhere it waits by itself."""
    rows = PlannedStay.objects.waiting().exclude(hindrance="").filter(dossier__in=opened)
    return rows.exclude(dossier__status__in=READ_ONLY).select_related("dossier", "member").order_by("starts_on")[:MOST]


def _to_carry(here: Q) -> QuerySet[Habilitation]:
    """Return the grants that nothing carries, and those whose consent ends soon, the nearest first."""
    standing = Consent.objects.standing().filter(dossier=OuterRef("dossier"), habilitation=OuterRef("pk"))
    rows = Habilitation.objects.open().filter(here, state__in=("oui", "attente"))
    rows = rows.annotate(
        is_carried=Exists(standing), consent_until=Subquery(standing.order_by("last_day").values("last_day")[:1])
    )
    soon = Q(consent_until__lte=timezone.localdate() + SOON)
    return rows.filter(Q(is_carried=False) | soon).select_related("dossier").order_by("consent_until", "state_at")


def _of_dossiers(user, reader: Access, opened, names: _Names) -> tuple[list[DossierLine], list[DossierLine]]:
    """Return the emergency accesses to review, and the dossiers whose accesses are to be gone through."""
    if not reader.may(Action.GRANT):
        return [], []
    emergencies = []
    if is_on():
        waiting = unreviewed(as_officer=False).filter(dossier__in=opened).exclude(user=user)
        # In a dossier that is read-only nobody grants: the officer reviews.
        waiting = waiting.exclude(dossier__status__in=READ_ONLY)
        emergencies = [
            DossierLine(one.dossier_id, names.person(one.dossier), timezone.localdate(one.opened_at), one)
            for one in waiting.select_related("dossier")[:MOST]
        ]
    due = reviewing.due(Dossier.objects.filter(pk__in=opened).exclude(status__in=READ_ONLY))
    return emergencies, [
        DossierLine(one.pk, names.person(one), one.reviewed_at and timezone.localdate(one.reviewed_at))
        for one in due[:MOST_REVIEWS]
    ]


def _for_officer(user) -> list[EmergencyAccess]:
    """Return what the officer has not reviewed, but for his own accesses; nothing for who is not one."""
    if not is_on() or not may_search_journals(user):
        return []
    return list(unreviewed(as_officer=True).exclude(user=user)[:MOST])


def _publication(user) -> MatrixDraft | None:
    """Return the request of publication this administrator may answer. One SQL statement, none for who is not one."""
    draft = open_draft() if access.may_administer(user) else None
    waits = draft is not None and draft.state == MatrixDraft.State.REQUESTED and draft.requested_by_id != user.pk
    return draft if waits else None


def _members(user, reader: Access, habilitations: list[UUID]) -> dict[UUID, Member]:
    """Return {habilitation: member} of those he may see."""
    if not habilitations or not reader.sees_whole_circle:
        return {}
    seen = Q(discreet=False)
    if reader.can_read(Rubrique.MEDICAL):
        seen |= ~Q(dossier__in=access.dossiers_closed_to(user, Rubrique.MEDICAL))
    found = Member.objects.filter(seen, habilitation__in=habilitations)
    told = found.select_related("professional", "structure", "activity")
    return {m.habilitation_id: m for m in told}


class _Names:
    def __init__(self, reader: Access, members: dict[UUID, Member]) -> None:
        self._named, self._members = reader.level(Rubrique.IDENTITE) >= Niveau.LECTURE, members

    def person(self, dossier: Dossier) -> str:
        return dossier.full_name if self._named else HIDDEN_NAME

    def line(self, dossier: Dossier, habilitation_id: UUID, day: dt.date, *, member: str = "", **details) -> Line:
        found = self._members[habilitation_id]
        return Line(found.pk, dossier.pk, self.person(dossier), member or found.display_name, day, **details)
