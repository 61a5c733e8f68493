"""What the pages of the matrix share: who may open them, the version in force, its draft, cells as they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, wraps
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, QueryDict

from habilitations import access, differences, published, wording
from habilitations.actions import drafts
from habilitations.differences import LEVEL, LOCKED, RIGHT, Change, Edit, Key
from habilitations.errors import DraftGone, DraftMoved
from habilitations.impact import Effect, impact
from habilitations.matrix import Matrix
from habilitations.models import MatrixDraft, MatrixDraftStep, MatrixVersion
from habilitations.rubriques import Action

# Names of posted fields: the value of a cell, and the one its form was drawn with.
VALUE, SEEN = "c:", "v:"


def for_administrators(view):
    """Answer 404 to everybody but administrators: whoever is not one finds nothing here."""

    @wraps(view)
    def checked(request: HttpRequest, *args, **kwargs):
        if not access.may_administer(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


@dataclass(frozen=True)
class Board:
    """The version in force, the open draft, and what it changes of the version it is based on."""

    version: MatrixVersion | None
    draft: MatrixDraft | None
    changes: tuple[Change, ...]
    base: Matrix

    @classmethod
    def read(cls) -> Board:
        """Return it as it is now. At most four SQL statements once the versions are kept."""
        published.current()
        version = MatrixVersion.objects.select_related("published_by").order_by("-number").first()
        draft = drafts.open_draft()
        base = published.matrix(draft.based_on.number if draft else version.number if version else None)
        changes = differences.effective(base, drafts.edits_of(draft)) if draft else ()
        return cls(version, draft, changes, base)

    @cached_property
    def after(self) -> Matrix:
        return differences.applied(self.base, differences.edits_of(self.changes))

    @cached_property
    def values(self) -> dict[Key, Change]:
        return {change.key: change for change in self.changes}

    @cached_property
    def given(self) -> dict[Key, str]:
        return differences.cells(self.base)

    @cached_property
    def effects(self) -> list[Effect]:
        """Return what publishing would do. Two SQL statements, none without a change."""
        return impact(self.base, self.after) if self.changes else []

    @cached_property
    def lost(self) -> list[str]:
        """Return the names of what no profession could read or do any more once it is published."""
        return [one.label for one in differences.held_by_nobody(self.base, self.after)] if self.changes else []

    @cached_property
    def refusal(self) -> MatrixDraftStep | None:
        """Return the refusal a draft came back with, if that is the last thing said of it."""
        last = self.draft and self.draft.steps.select_related("by").order_by("-at", "-id").first()
        return last if last and last.kind == MatrixDraftStep.Kind.REFUSED else None

    @property
    def editable(self) -> bool:
        return self.version is not None and (self.draft is None or self.draft.state == MatrixDraft.State.EDITING)

    @property
    def requested(self) -> bool:
        return self.draft is not None and self.draft.state == MatrixDraft.State.REQUESTED

    @property
    def outdated(self) -> bool:
        return self.draft is not None and self.version is not None and self.draft.based_on_id != self.version.pk

    def may_publish(self, user) -> bool:
        return self.requested and (self.draft.requested_by_id != user.pk or not settings.MATRIX_SECOND_APPROVER)

    def cell(self, key: Key) -> dict:
        """Return a cell to draw: its value before and now, in letters and in words."""
        before = self.given.get(key, "")
        change = self.values.get(key)
        after = change.after if change else before
        return {
            "name": ":".join(key), "column": key.column, "before": before, "after": after, "changed": bool(change),
            "letter": wording.letter(key.kind, after), "was": wording.letter(key.kind, before),
            "words": wording.value_words(key.kind, after), "was_words": wording.value_words(key.kind, before),
        }  # fmt: skip

    def rows(self, kind: str) -> Iterator[dict]:
        """Yield the lines of a grid, one per profile that may be opened to."""
        for profile in open_profiles(self.base):
            cells = [self.cell(Key(kind, profile, column)) for column in columns(kind, self.base)]
            yield {
                "profile": profile, "name": wording.profile_name(profile), "cells": cells,
                "changed": sum(cell["changed"] for cell in cells),
            }  # fmt: skip

    def lines(self) -> list[dict]:
        return [wording.change_line(change) for change in self.changes]


def open_profiles(matrix: Matrix) -> list[str]:
    """Return the profiles one may open something to, in the order of the matrix."""
    closed = {code for code, profile in matrix.catalog.profiles.items() if profile.closed}
    return [profile for profile in differences.known_profiles(matrix) if profile not in LOCKED | closed]


def columns(kind: str, matrix: Matrix) -> list[str]:
    """Return the columns of a grid: the rubrics in use, or the actions."""
    return [rubrique.value for rubrique in matrix.rubrics] if kind == LEVEL else Action.values


def heads(kind: str, matrix: Matrix) -> list[dict]:
    """Return the heads of a grid: short name, full name, value."""
    return [
        {"column": column, "short": wording.short_name(kind, column), "full": wording.column_name(kind, column)}
        for column in columns(kind, matrix)
    ]


def choices(kind: str) -> list[tuple[str, str]]:
    """Return (value, words) of what a cell may hold, the widest first."""
    return list(reversed(wording.WORDS[kind].items()))


def legend(kind: str) -> list[dict]:
    """Return the values of a grid with the letter that shows each, and the key that writes it."""
    keys = {LEVEL: {"ecriture": "E", "lecture": "L", "": "A"}, RIGHT: {"tous": "T", "sa_structure": "S", "": "A"}}
    return [
        {"value": value, "words": words, "letter": wording.letter(kind, value), "key": keys[kind][value]}
        for value, words in choices(kind)
    ]


def posted_edits(post: QueryDict) -> tuple[Edit, ...]:
    """Return the cells a form writes: those whose value differs from the one it was drawn with."""
    found = []
    for name, value in post.items():
        parts = name.removeprefix(VALUE).split(":")
        if name.startswith(VALUE) and len(parts) == 3 and post.get(SEEN + name.removeprefix(VALUE)) != value:
            found.append(Edit(Key(*parts), value))
    return tuple(found)


def posted_draft(post: QueryDict) -> tuple[UUID | None, int]:
    """Return the draft and the revision a form was drawn with; (None, 0) when there was no draft."""
    try:
        return (UUID(post["draft"]) if post.get("draft") else None), int(post.get("revision") or 0)
    except ValueError:
        return None, 0


def read_after(refusal, post: QueryDict) -> dict:
    """Return the draft and the revision of a form that is shown again: what it was drawn with, and what others wrote
    only when the refusal shows it. Of another draft nothing was read yet.
    """
    if isinstance(refusal, DraftMoved):
        others = refusal.context["others"]
        return {"draft": others[0].draft_id, "revision": max(one.revision for one in others)}
    if isinstance(refusal, DraftGone):
        now = drafts.open_draft()
        return {"draft": now.pk if now else "", "revision": 0}
    draft, revision = posted_draft(post)
    return {"draft": draft or "", "revision": revision}


def draft_of(post: QueryDict) -> MatrixDraft:
    """Return the open draft a form was about. Raises DraftGone."""
    pk, _ = posted_draft(post)
    found = MatrixDraft.objects.open().filter(pk=pk).first() if pk else None
    if found is None:
        raise DraftGone
    return found


def others_said(others: Iterable) -> list[dict]:
    """Return what other people wrote in a draft, for a list."""
    return [
        wording.change_line(Change(drafts.key_of(one), one.before, one.after)) | {"by": one.by.get_full_name()}
        for one in others
    ]


def conflict_of(refusal, edits: Iterable[Edit]) -> dict:
    """Return what to show when a save was refused: the sentence, each cell of the author beside what is there."""
    others = refusal.context.get("others", ()) if isinstance(refusal, DraftMoved) else ()
    theirs = {drafts.key_of(one): one for one in others}
    lines = []
    for edit in edits:
        who, what = wording.cell_name(edit.key)
        other = theirs.get(edit.key)
        lines.append({
            "name": ":".join(edit.key), "value": edit.value, "who": who, "what": what,
            "yours": wording.value_words(edit.key.kind, edit.value),
            "theirs": wording.value_words(edit.key.kind, other.after) if other else "",
            "by": other.by.get_full_name() if other else "",
        })  # fmt: skip
    told = [line for line, one in zip(others_said(others), others, strict=True)
            if drafts.key_of(one) not in {edit.key for edit in edits}]  # fmt: skip
    return {"sentence": str(refusal), "lines": lines, "told": told}
