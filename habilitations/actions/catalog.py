"""Profiles and rubrics named in the browser: made, renamed, ordered, closed. None of it opens anything by itself.

A new profile or rubric gives nothing until a version says so (issue 3 §1); closing only takes away. Each change is a
line of the catalogue's history, whose number every decision asks for: other processes see it at their next request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from coordination.common.french import plural
from habilitations import differences, published
from habilitations.access import require_administrator
from habilitations.actions.drafts import changes_of, open_draft
from habilitations.catalog import ICONS, NEVER_WITHDRAWN, SHIPPED, TECHNICAL
from habilitations.catalog_errors import (
    CatalogMoved,
    CircleWouldOpen,
    CodeTaken,
    NameTaken,
    ProfileInUse,
    ProfileNeeded,
    RubricNeeded,
)
from habilitations.models import CatalogChange, CatalogProfile, CatalogRubric, MatrixVersion
from habilitations.rubriques import Niveau, Rubrique
from habilitations.traces import NOWHERE, Via, record_account

PROFILE, RUBRIC = "profil", "rubrique"
CREATED, CHANGED, CLOSED, REOPENED = "creation", "modification", "fermeture", "reouverture"


@transaction.atomic
def create_profile(
    *, code: str, label: str, gathers: str = "", reduced: bool = False, after: str = "", by, via: Via = NOWHERE
) -> CatalogProfile:
    """Add a profile, an empty row of the next draft. `after`: the code of the one before it, "" for the first place.

    Raises NotAllowed, CodeTaken, NameTaken.
    """
    _lock(by)
    rows = _profiles()
    if code in {row.code for row in rows}:
        raise CodeTaken
    _require_free(rows, label, "closed_at")
    row = CatalogProfile(code=code, label=label, gathers=gathers, reduced=reduced, rank=0, created_by=by)
    _place(rows, row, after)
    row.save(force_insert=True)
    _told(PROFILE, row, CREATED, {}, by=by, via=via)
    return row


@transaction.atomic
def change_profile(
    code: str, *, label: str, gathers: str, reduced: bool, after: str, seen: int, by, via: Via = NOWHERE
) -> CatalogProfile:
    """Write the words, the place and the reduced circle of a profile. `seen`: the last change its author had read.

    Raises NotAllowed, CatalogMoved, NameTaken, CircleWouldOpen (the whole circle would open without a second
    administrator).
    """
    _lock(by)
    rows = _profiles()
    row = next(row for row in rows if row.code == code)
    _require_read(PROFILE, code, seen)
    if row.reduced and not reduced and published.current().level(code, Rubrique.CERCLE) >= Niveau.LECTURE:
        raise CircleWouldOpen
    if row.closed_at is None:
        _require_free(rows, label, "closed_at", but=code)
    before = _words(row)
    row.label, row.gathers, row.reduced = label, gathers, reduced
    _place(rows, row, after)
    row.save()
    _told(PROFILE, row, CHANGED, before, by=by, via=via)
    return row


@transaction.atomic
def close_profile(code: str, *, by, via: Via = NOWHERE) -> CatalogProfile:
    """Close a profile nobody's profession leads to; versions that hold it still read with its name.

    Raises NotAllowed, ProfileNeeded, ProfileInUse (a line of the version in force, or of the draft, leads there).
    """
    _lock(by)
    row = next(row for row in _profiles() if row.code == code)
    if code in TECHNICAL:
        raise ProfileNeeded
    _require_unused(code)
    row.closed_at, row.closed_by = timezone.now(), by
    row.save()
    _told(PROFILE, row, CLOSED, {}, by=by, via=via)
    return row


@transaction.atomic
def reopen_profile(code: str, *, by, via: Via = NOWHERE) -> CatalogProfile:
    """Bring a profile back: nobody holds it until a version leads there. Raises NotAllowed, NameTaken."""
    _lock(by)
    rows = _profiles()
    row = next(row for row in rows if row.code == code)
    _require_free(rows, row.label, "closed_at", but=code)
    row.closed_at = row.closed_by = None
    row.save()
    _told(PROFILE, row, REOPENED, {}, by=by, via=via)
    return row


@transaction.atomic
def create_rubric(
    *, code: str, label: str, short: str = "", description: str = "", group: str, icon: str, after: str = "", by,
    via: Via = NOWHERE,
) -> CatalogRubric:  # fmt: skip
    """Add a rubric, a column of the next draft that gives nothing. Raises NotAllowed, CodeTaken, NameTaken."""
    _lock(by)
    rows = _rubrics()
    if code in {row.code for row in rows}:
        raise CodeTaken
    _require_free(rows, label, "withdrawn_at")
    row = CatalogRubric(
        code=code, label=label, short=short, description=description, group=group, icon=_icon(icon), rank=0,
        created_by=by,
    )  # fmt: skip
    _place([other for other in rows if other.group == group], row, after)
    row.save(force_insert=True)
    _told(RUBRIC, row, CREATED, {}, by=by, via=via)
    return row


@transaction.atomic
def change_rubric(
    code: str, *, label: str, short: str, description: str, group: str, icon: str = "", after: str, seen: int, by,
    via: Via = NOWHERE,
) -> CatalogRubric:  # fmt: skip
    """Write the words and the place of a rubric. `seen` as in `change_profile`.

    Raises NotAllowed, CatalogMoved, NameTaken.
    """
    _lock(by)
    rows = _rubrics()
    row = next(row for row in rows if row.code == code)
    _require_read(RUBRIC, code, seen)
    if row.withdrawn_at is None:
        _require_free(rows, label, "withdrawn_at", but=code)
    before = _words(row)
    row.label, row.short, row.description, row.group = label, short, description, group
    row.icon = _icon(icon or row.icon)
    _place([other for other in rows if other.group == group], row, after)
    row.save()
    _told(RUBRIC, row, CHANGED, before, by=by, via=via)
    return row


@transaction.atomic
def withdraw_rubric(code: str, *, by, via: Via = NOWHERE) -> CatalogRubric:
    """Take a rubric out of use: it gives nothing to anybody at the next request, and its data are kept.

    Raises NotAllowed, RubricNeeded.
    """
    _lock(by)
    row = next(row for row in _rubrics() if row.code == code)
    if code in NEVER_WITHDRAWN:
        raise RubricNeeded
    row.withdrawn_at, row.withdrawn_by = timezone.now(), by
    row.save()
    _told(RUBRIC, row, CLOSED, {}, by=by, via=via)
    return row


@transaction.atomic
def restore_rubric(code: str, *, by, via: Via = NOWHERE) -> CatalogRubric:
    """Bring a rubric back: it gives what the version in force says. Raises NotAllowed, NameTaken."""
    _lock(by)
    rows = _rubrics()
    row = next(row for row in rows if row.code == code)
    _require_free(rows, row.label, "withdrawn_at", but=code)
    row.withdrawn_at = row.withdrawn_by = None
    row.save()
    _told(RUBRIC, row, REOPENED, {}, by=by, via=via)
    return row


def last_change(kind: str, code: str) -> CatalogChange | None:
    """Return the last change of a line, None when nobody ever wrote it."""
    return CatalogChange.objects.filter(kind=kind, code=code).select_related("by").order_by("-number").first()


def _lock(by) -> None:
    """Let one change through at a time, and no version meanwhile: numbers then come in the order of commits."""
    require_administrator(by)
    # The lock of whoever publishes, then our own, which holds where nothing is published yet.
    MatrixVersion.objects.select_for_update(of=("self",)).order_by("-number").first()
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("LOCK TABLE habilitations_catalogchange IN SHARE ROW EXCLUSIVE MODE")


def _profiles() -> list[CatalogProfile]:
    """Return every row, those the product brought since not yet saved."""
    rows = {row.code: row for row in CatalogProfile.objects.order_by("rank", "code")}
    brought = [
        CatalogProfile(code=p.code, label=p.label, gathers=p.gathers, reduced=p.reduced, rank=rank)
        for rank, p in enumerate(SHIPPED.profiles.values(), start=1)
        if p.code not in rows
    ]
    return [*rows.values(), *brought]


def _rubrics() -> list[CatalogRubric]:
    rows = {row.code: row for row in CatalogRubric.objects.order_by("rank", "code")}
    brought = [
        CatalogRubric(code=code, label=e.label, short=e.short, group=e.group, icon=e.icon, rank=e.rank)
        for code, e in SHIPPED.entries.items()
        if code not in rows
    ]
    return [*rows.values(), *brought]


def _place(rows: Sequence[Any], row: Any, after: str) -> None:
    """Put a row after another and number them all again."""
    others = sorted((other for other in rows if other.code != row.code), key=lambda other: (other.rank, other.code))
    place = next((rank for rank, other in enumerate(others, start=1) if other.code == after), 0)
    in_order = [*others[:place], row, *others[place:]]
    for rank, one in enumerate(in_order, start=1):
        if one.rank != rank or one._state.adding:
            one.rank = rank
            if one is not row:
                one.save()


def _require_free(rows: Sequence[Any], label: str, ended: str, but: str = "") -> None:
    taken = {row.label.casefold() for row in rows if row.code != but and getattr(row, ended) is None}
    if label.casefold() in taken:
        raise NameTaken


def _require_read(kind: str, code: str, seen: int) -> None:
    last = last_change(kind, code)
    if last is not None and last.number > seen:
        raise CatalogMoved(who=last.by.get_full_name() if last.by else "Une autre personne", number=last.number)


def _require_unused(code: str) -> None:
    current = published.current()
    draft = open_draft()
    edits = differences.edits_of(changes_of(draft)) if draft else ()
    for where, matrix in (("la version en vigueur", current), ("le brouillon", differences.applied(current, edits))):
        leading = sum(profile == code for profile in matrix.profiles.values())
        if leading:
            raise ProfileInUse(count=plural(leading, "ligne") + " de la table des professions", where=where)


def _icon(name: str) -> str:
    return name if name in ICONS else "folder"


def _words(row: models.Model) -> dict[str, Any]:
    names = ("label", "gathers", "short", "description", "group", "icon", "reduced", "rank")
    return {name: getattr(row, name) for name in names if hasattr(row, name)}


def _told(kind: str, row: Any, act: str, before: dict, *, by, via: Via) -> None:
    CatalogChange.objects.create(kind=kind, code=row.code, act=act, before=before, after=_words(row), by=by)
    record_account(user=by, action=act, object_kind=kind, object_id=row.pk, via=via)
