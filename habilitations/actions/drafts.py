"""Preparing the next version of the matrix: a draft, its changes. What is asked and answered: `actions.publication`.

Everything is done by a named administrator, who sees no dossier by being one (rule 10), and leaves a step in the
draft's history and a trace (SEC-9). Writing a draft changes no right: only publishing it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from coordination.common import nomenclatures
from habilitations import differences, published
from habilitations.access import require_administrator
from habilitations.catalog_errors import ProfileClosed
from habilitations.differences import Change, Edit, Key
from habilitations.errors import (
    CellRefused,
    DraftAlreadyOpen,
    DraftAwaitsAnswer,
    DraftGone,
    DraftMoved,
    DraftOutdated,
    DraftUpToDate,
    NoVersion,
)
from habilitations.matrix import Matrix
from habilitations.models import MatrixDraft, MatrixDraftChange, MatrixDraftStep, MatrixVersion
from habilitations.traces import NOWHERE, Via, record_account

State, Step = MatrixDraft.State, MatrixDraftStep.Kind


class Saved(NamedTuple):
    """A draft as just saved, and what others had written in it since the author last read it."""

    draft: MatrixDraft
    others: tuple[MatrixDraftChange, ...]


# ---- Writing ---------------------------------------------------------------------------------------


@transaction.atomic
def edit_draft(edits: Iterable[Edit], *, by, seen: UUID | None = None, revision: int = 0, via: Via = NOWHERE) -> Saved:
    """Write cells in the open draft, opened if there is none; `seen` (an id) and `revision`: what the author had read.

    What others wrote in other cells meanwhile stays, and is returned to be told. Raises NotAllowed, NoVersion,
    CellRefused, DraftAwaitsAnswer, DraftGone (another draft took its place), DraftMoved (same cells: nothing is
    written, the author sees both and saves again with the new revision).
    """
    require_administrator(by)
    draft = _open_draft(by)
    if seen is not None and seen != draft.pk:
        raise DraftGone
    if draft.state != State.EDITING:
        raise DraftAwaitsAnswer
    edits = tuple(edits)
    others = _written_since(draft, revision, by)
    theirs = {key_of(one): one for one in others}
    clashing = [theirs[edit.key] for edit in edits if edit.key in theirs and theirs[edit.key].after != edit.value]
    if clashing:
        raise DraftMoved(who=clashing[-1].by.get_full_name(), others=tuple(theirs.values()))
    _write(draft, edits, by=by, via=via, action="modification")
    return Saved(draft, tuple(theirs.values()))


@transaction.atomic
def restore_version(version: MatrixVersion, *, by, via: Via = NOWHERE) -> MatrixDraft:
    """Open a draft equal to a past version. Raises NotAllowed, DraftAlreadyOpen, ProfileClosed (a line led to it)."""
    require_administrator(by)
    draft = _new_draft(by, Step.RESTORED, reason=f"Version {version.number}")
    current, older = published.current(), published.matrix(version.number)  # The one in force is held by now.
    edits = differences.edits_of(differences.difference(current, older))
    if closed := differences.closed_profile(edits, current.catalog):
        raise ProfileClosed(name=closed.label)
    _write(draft, edits, by=by, via=via, action="retour", checked=True)
    return draft


@transaction.atomic
def import_draft(edits: Iterable[Edit], *, by, name: str, via: Via = NOWHERE) -> Saved:
    """Write the cells of a file in the open draft, opened if there is none. `name`: the file's, for the history.

    `others` of the answer holds what other people had written in these cells and the file replaces. Raises
    NotAllowed, NoVersion, CellRefused, DraftAwaitsAnswer.
    """
    require_administrator(by)
    draft = _open_draft(by)
    if draft.state != State.EDITING:
        raise DraftAwaitsAnswer
    edits = tuple(edits)
    theirs = {key_of(one): one for one in _written_since(draft, 0, by)}
    replaced = [theirs[edit.key] for edit in edits if edit.key in theirs and theirs[edit.key].after != edit.value]
    note_step(draft, Step.IMPORTED, by=by, reason=name)
    _write(draft, edits, by=by, via=via, action="import")
    return Saved(draft, tuple(replaced))


@transaction.atomic
def rebase_draft(draft: MatrixDraft, *, revision: int, by, via: Via = NOWHERE) -> MatrixDraft:
    """Carry the changes of a draft, read at `revision`, over to the version in force; a request for it ends.

    Raises NotAllowed, DraftGone, DraftMoved, DraftUpToDate (nothing was published: a request waiting is left alone).
    """
    require_administrator(by)
    draft = locked(draft)
    require_read(draft, revision, by)
    current = _version_in_force()
    if draft.based_on_id == current.pk:
        raise DraftUpToDate
    draft.based_on = current
    draft.state, draft.requested_at, draft.requested_by, draft.reason = State.EDITING, None, None, ""
    draft.revision += 1
    draft.save(update_fields=["based_on", "state", "requested_at", "requested_by", "reason", "revision"])
    note_step(draft, Step.REBASED, by=by)
    trace(draft, "report", by=by, via=via)
    return draft


@transaction.atomic
def discard_draft(draft: MatrixDraft, *, revision: int, by, via: Via = NOWHERE) -> None:
    """Close a draft, read at `revision`; its history is kept. Raises NotAllowed, DraftGone, DraftMoved."""
    require_administrator(by)
    draft = locked(draft)
    require_read(draft, revision, by)
    draft.state, draft.closed_at, draft.closed_by = State.DISCARDED, timezone.now(), by
    draft.save(update_fields=["state", "closed_at", "closed_by"])
    note_step(draft, Step.DISCARDED, by=by)
    trace(draft, "abandon", by=by, via=via)


# ---- Reading ---------------------------------------------------------------------------------------


def open_draft() -> MatrixDraft | None:
    """Return the draft being prepared or waiting for its answer, None when there is none."""
    return MatrixDraft.objects.open().select_related("based_on", "opened_by", "requested_by").first()


def edits_of(draft: MatrixDraft) -> tuple[Edit, ...]:
    """Return what was written in a draft, in the order of writing: the last value of a cell counts."""
    rows = draft.changes.order_by("revision").values_list("kind", "row", "column", "after")
    return tuple(Edit(Key(kind, row, column), after) for kind, row, column, after in rows)


def changes_of(draft: MatrixDraft) -> tuple[Change, ...]:
    """Return what a draft changes of the version it is based on."""
    return differences.effective(published.matrix(draft.based_on.number), edits_of(draft))


def key_of(change: MatrixDraftChange) -> Key:
    """Return the cell that a change of a draft wrote."""
    return Key(change.kind, change.row, change.column)


def known_codes() -> Collection[str]:
    """Return the codes a line of the profession table may name: professions, roles and functions of the lists."""
    return frozenset(c.code for kind in ("profession", "role", "fonction") for c in nomenclatures.concepts(kind))


# ---- What both modules ask and leave ---------------------------------------------------------------


def _version_in_force() -> MatrixVersion:
    version = MatrixVersion.objects.order_by("-number").first()
    if version is None:
        raise NoVersion
    return version


def _new_draft(by, kind: str, reason: str = "") -> MatrixDraft:
    # The version in force is locked first: two who open a draft at once meet on it, and one sees the other's.
    base = _version_in_force()
    MatrixVersion.objects.select_for_update(of=("self",)).get(pk=base.pk)
    if MatrixDraft.objects.open().exists():
        raise DraftAlreadyOpen
    draft = MatrixDraft.objects.create(based_on=base, opened_by=by)
    note_step(draft, kind, by=by, reason=reason)
    return draft


def _open_draft(by) -> MatrixDraft:
    if draft := MatrixDraft.objects.open().select_for_update(of=("self",)).select_related("based_on").first():
        return draft
    try:
        return _new_draft(by, Step.OPENED)
    except DraftAlreadyOpen:
        return MatrixDraft.objects.open().select_for_update(of=("self",)).select_related("based_on").get()


def locked(draft: MatrixDraft) -> MatrixDraft:
    """Return the draft as stored now, locked until the end of the transaction. Raises DraftGone."""
    rows = MatrixDraft.objects.open().select_for_update(of=("self",)).select_related("based_on", "requested_by")
    found = rows.filter(pk=draft.pk).first()
    if found is None:
        raise DraftGone
    return found


def _written_since(draft: MatrixDraft, revision: int, by) -> list[MatrixDraftChange]:
    rows = draft.changes.filter(revision__gt=revision).exclude(by=by)
    return list(rows.select_related("by").order_by("revision"))


def require_read(draft: MatrixDraft, revision: int, by) -> None:
    """Raise DraftMoved when somebody else wrote in the draft since the revision that was read."""
    if others := _written_since(draft, revision, by):
        raise DraftMoved(who=others[-1].by.get_full_name(), others=tuple(others))


def require_current(draft: MatrixDraft) -> None:
    """Raise DraftOutdated when another version was published since the draft was opened."""
    # Whoever publishes holds the last version: what was published while we waited for it is seen by the second read.
    MatrixVersion.objects.select_for_update(of=("self",)).order_by("-number").first()
    if draft.based_on_id != _version_in_force().pk:
        raise DraftOutdated


def _write(draft: MatrixDraft, edits: tuple[Edit, ...], *, by, via: Via, action: str, checked: bool = False) -> None:
    published.current()
    base = published.matrix(draft.based_on.number)
    if not checked:
        _check(base, edits)
    was = differences.cells(base) | {edit.key: edit.value for edit in edits_of(draft)}
    wanted = {edit.key: edit.value for edit in edits}
    new = {key: value for key, value in wanted.items() if was.get(key, "") != value}
    if not new:
        return
    draft.revision += 1
    draft.save(update_fields=["revision"])
    MatrixDraftChange.objects.bulk_create(
        MatrixDraftChange(
            draft=draft, revision=draft.revision, kind=key.kind, row=key.row, column=key.column,
            before=was.get(key, ""), after=value, by=by,
        )
        for key, value in new.items()
    )  # fmt: skip
    record_account(user=by, action=action, object_kind="matrice", object_id=draft.pk, count=len(new), via=via)


def _check(base: Matrix, edits: tuple[Edit, ...]) -> None:
    profiles, professions = frozenset(differences.known_profiles(base)), known_codes()
    for edit in edits:
        try:
            differences.check(edit, profiles=profiles, professions=professions, catalog=base.catalog)
        except differences.EditRefused as refusal:
            raise CellRefused(reason=str(refusal)) from None


def note_step(draft: MatrixDraft, kind: str, *, by, reason: str = "") -> None:
    """Write what was decided about a draft in its history."""
    MatrixDraftStep.objects.create(draft=draft, kind=kind, by=by, reason=reason[:300])


def trace(draft: MatrixDraft, action: str, *, by, via: Via) -> None:
    """Write what was done to a draft in the journal of accounts."""
    record_account(user=by, action=action, object_kind="matrice", object_id=draft.pk, via=via)
