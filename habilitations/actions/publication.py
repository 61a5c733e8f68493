"""Asking that a draft of the matrix be published, and the answer of a second administrator (issue 3 §1).

The draft itself is written in `actions.drafts`. Only `publish_draft` and `publish_alone` change rights.
"""

from __future__ import annotations

import datetime as dt
from typing import cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.french import datetime_fr
from habilitations import differences, letters, published
from habilitations.access import require_administrator
from habilitations.actions.drafts import (
    changes_of,
    locked,
    note_step,
    require_current,
    require_read,
    trace,
)
from habilitations.actions.matrix import publish_matrix
from habilitations.errors import (
    DraftAwaitsAnswer,
    DraftNotRead,
    NotAlone,
    NothingRequested,
    NothingToPublish,
    ReasonMissing,
    SecondApproverNeeded,
    TooSoonAlone,
)
from habilitations.models import MatrixDraft, MatrixDraftStep, MatrixVersion
from habilitations.traces import NOWHERE, Via

State, Step = MatrixDraft.State, MatrixDraftStep.Kind


@transaction.atomic
def request_publication(draft: MatrixDraft, *, reason: str, revision: int, by, via: Via = NOWHERE) -> MatrixDraft:
    """Ask that the draft be published, with a reason; it is then frozen. `revision`: the one whose effect was read.

    Raises NotAllowed, ReasonMissing, DraftGone, DraftAwaitsAnswer, DraftMoved, DraftOutdated, NothingToPublish.
    """
    require_administrator(by)
    draft = locked(draft)
    if draft.state != State.EDITING:
        raise DraftAwaitsAnswer
    if not reason.strip():
        raise ReasonMissing
    require_read(draft, revision, by)
    require_current(draft)
    if not changes_of(draft):
        raise NothingToPublish
    draft.state, draft.reason = State.REQUESTED, reason.strip()[:300]
    draft.requested_at, draft.requested_by = timezone.now(), by
    draft.save(update_fields=["state", "reason", "requested_at", "requested_by"])
    note_step(draft, Step.REQUESTED, by=by, reason=draft.reason)
    letters.tell_publication_asked(draft)
    trace(draft, "demande", by=by, via=via)
    return draft


@transaction.atomic
def withdraw_request(draft: MatrixDraft, *, revision: int, by, via: Via = NOWHERE) -> None:
    """Take back a request, read at `revision`. Raises NotAllowed, DraftGone, NothingRequested, DraftNotRead."""
    require_administrator(by)
    _reopen(_requested(draft, revision), Step.WITHDRAWN, by=by)
    trace(draft, "reprise", by=by, via=via)


@transaction.atomic
def refuse_publication(draft: MatrixDraft, *, revision: int, reason: str, by, via: Via = NOWHERE) -> None:
    """Answer no, with a reason: the draft may be changed again. `revision`: the one that was read.

    Raises NotAllowed, DraftGone, NothingRequested, DraftNotRead, ReasonMissing, SecondApproverNeeded (the requester
    takes his request back instead).
    """
    require_administrator(by)
    draft = _requested(draft, revision)
    if not reason.strip():
        raise ReasonMissing
    if draft.requested_by_id == by.pk:
        raise SecondApproverNeeded
    asker = cast(User, draft.requested_by)
    _reopen(draft, Step.REFUSED, by=by, reason=reason.strip()[:300])
    letters.tell_publication_answered(draft, asker=asker, by=by, published=False)
    trace(draft, "refus de publication", by=by, via=via)


@transaction.atomic
def publish_draft(draft: MatrixDraft, *, revision: int, by, via: Via = NOWHERE) -> MatrixVersion:
    """Publish a requested draft: its version is in force for every decision from the end of the transaction.

    `revision`: the one that was read; another one waiting is refused. `by` is another administrator than the
    requester, unless MATRIX_SECOND_APPROVER is off. Raises NotAllowed, DraftGone, NothingRequested, DraftNotRead,
    SecondApproverNeeded, DraftOutdated, MatrixNotSound.
    """
    require_administrator(by)
    draft = _requested(draft, revision)
    own = draft.requested_by_id == by.pk
    if own and settings.MATRIX_SECOND_APPROVER:
        raise SecondApproverNeeded
    return _publish(draft, by=by, alone=own, via=via)


@transaction.atomic
def publish_alone(draft: MatrixDraft, *, revision: int, now: dt.datetime | None = None) -> MatrixVersion:
    """Publish a requested draft where there is a single administrator, once the delay has passed. For the command.

    Raises DraftGone, NothingRequested, DraftNotRead, NotAlone, TooSoonAlone, DraftOutdated, MatrixNotSound.
    """
    draft = _requested(draft, revision)
    if User.objects.administrators().exclude(pk=draft.requested_by_id).exists():
        raise NotAlone
    # The database keeps a date with each request.
    opens_at = cast(dt.datetime, draft.requested_at) + dt.timedelta(hours=settings.MATRIX_ALONE_HOURS)
    if (now or timezone.now()) < opens_at:
        raise TooSoonAlone(when=datetime_fr(opens_at))
    return _publish(draft, by=None, alone=True, via=NOWHERE)


# ---- Inside ----------------------------------------------------------------------------------------


def _requested(draft: MatrixDraft, revision: int) -> MatrixDraft:
    """Return the draft locked, its publication requested: of this revision, and no other was read."""
    draft = locked(draft)
    if draft.state != State.REQUESTED:
        raise NothingRequested
    if revision != draft.revision:
        since = draft.changes.filter(revision__gt=revision).select_related("by").order_by("revision")
        # The database keeps who asked with each request.
        raise DraftNotRead(who=cast(User, draft.requested_by).get_full_name(), others=tuple(since))
    return draft


def _reopen(draft: MatrixDraft, kind: str, *, by, reason: str = "") -> None:
    draft.state, draft.requested_at, draft.requested_by = State.EDITING, None, None
    # A request made again is another one, with its own reason: nobody answers it from the page of the first.
    draft.revision += 1
    draft.save(update_fields=["state", "requested_at", "requested_by", "revision"])
    note_step(draft, kind, by=by, reason=reason)


def _publish(draft: MatrixDraft, *, by, alone: bool, via: Via) -> MatrixVersion:
    require_current(draft)
    changes = changes_of(draft)
    after = differences.applied(published.matrix(draft.based_on.number), differences.edits_of(changes))
    # The command acts on the request of its only administrator: the trace says whose act it is.
    version = publish_matrix(
        after.levels, after.actions, after.profiles, by=by, reason=draft.reason, author=draft.requested_by,
        changed=len(changes), via=via,
    )  # fmt: skip
    draft.state, draft.closed_at, draft.closed_by = State.PUBLISHED, timezone.now(), by
    draft.version, draft.alone = version, alone
    draft.save(update_fields=["state", "closed_at", "closed_by", "version", "alone"])
    note_step(draft, Step.PUBLISHED, by=by, reason="Administrateur unique, après délai" if by is None else "")
    if by is not None:
        letters.tell_publication_answered(draft, asker=cast(User, draft.requested_by), by=by, published=True)
    return version
