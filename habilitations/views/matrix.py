"""« Matrice d'habilitation »: the grids, one profile or one column at a time, and what is waiting to be published.

A cell is written by POST to the page it is seen on: by htmx from the grid, which gets the dock back, or by a form.
Nothing here changes a right: see `views.drafting` for what publishes.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coordination.accounts import drafts as typing
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from habilitations import wording
from habilitations.actions import edit_draft
from habilitations.actions.drafts import Saved
from habilitations.differences import LEVEL, RIGHT, Key
from habilitations.forms import ReasonForm
from habilitations.impact import Effect
from habilitations.rubriques import Action
from habilitations.traces import via_request
from habilitations.views import board as boards
from habilitations.views.board import Board, for_administrators

REASON_DRAFT, REFUSAL_DRAFT = "matrice-motif", "matrice-refus"
# Lines of the dock; the page of the effect holds them all.
SHOWN_EFFECTS = 5


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def levels(request: HttpRequest) -> HttpResponse:
    """The grid of levels: profiles × rubrics."""
    return _grid(request, LEVEL)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def rights(request: HttpRequest) -> HttpResponse:
    """The grid of action rights: profiles × actions."""
    return _grid(request, RIGHT)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def profile(request: HttpRequest, profile: str) -> HttpResponse:
    """One profile: its rubrics and its actions, as a plain form."""
    board = Board.read()
    if profile not in boards.open_profiles(board.base):
        raise Http404
    parts = [
        ("Rubriques", [Key(LEVEL, profile, column) for column in boards.columns(LEVEL, board.base)]),
        ("Droits d’action", [Key(RIGHT, profile, column) for column in Action.values]),
    ]
    return _lines(request, board, wording.profile_name(profile), parts, by_profile=True)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def column(request: HttpRequest, table: str, column: str) -> HttpResponse:
    """One rubric or one action for every profile, as a plain form."""
    board = Board.read()
    if table not in (LEVEL, RIGHT) or column not in boards.columns(table, board.base):
        raise Http404
    keys = [Key(table, profile, column) for profile in boards.open_profiles(board.base)]
    title = "Niveau de chaque profil" if table == LEVEL else "Droit de chaque profil"
    return _lines(request, board, wording.column_name(table, column), [(title, keys)], by_profile=False)


def save(request: HttpRequest) -> tuple[Saved | None, dict | None]:
    """Write the posted cells; return what was saved, or what to say of the refusal with everything that was typed."""
    edits = boards.posted_edits(request.POST)
    if not edits:
        return None, None
    seen, revision = boards.posted_draft(request.POST)
    try:
        saved = edit_draft(edits, by=request.user, seen=seen, revision=revision, via=via_request(request))
    except DomainError as refusal:
        return None, boards.conflict_of(refusal, edits) | boards.read_after(refusal, request.POST)
    return saved, None


def dock(request: HttpRequest, board: Board, *, here: str, **more: Any) -> dict[str, Any]:
    """Return the variables of `habilitations/_dock.html`. `here`: the address of the page that shows it."""
    draft = board.draft
    context = {
        "board": board, "draft": draft, "lines": board.lines(), "here": here, "conflict": None, "told": [],
        "effects": effect_sentences(board.effects)[:SHOWN_EFFECTS],
        "more_effects": max(0, len(effect_sentences(board.effects)) - SHOWN_EFFECTS),
        "may_publish": board.may_publish(request.user), "moved_focus": False,
        "draft_url": "", "draft_found": False,
    }  # fmt: skip
    if draft is not None:
        key = REFUSAL_DRAFT if board.requested else REASON_DRAFT
        kept = typing.load(request.user, key, draft.pk)
        label = "Motif du refus" if board.requested else ""
        initial = {"reason": draft.reason if not board.requested else ""} | typing.initial(ReasonForm, kept)
        context["form"] = more.pop("form", None) or ReasonForm(initial=initial, label=label)
        context |= typing.shown(key, draft.pk, kept and not context["form"].is_bound)
    return context | more


def effect_sentences(effects: list[Effect]) -> list[dict]:
    """Return what publishing would do, a line per rubric and per action, those that concern the most people first."""
    lines = [
        line | {"concerned": effect.total.people or effect.accounts}
        for effect in effects
        for line in wording.effect_lines(effect)
    ]
    return sorted(lines, key=lambda line: -line["concerned"])


def page(request: HttpRequest, kind: str, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return the page of a grid, or its dock alone to htmx."""
    board = Board.read()
    here = reverse("habilitations:matrix" if kind == LEVEL else "habilitations:rights")
    context = dock(request, board, here=here, **more)
    if is_fragment(request):
        return vary_on_htmx(render(request, "habilitations/_dock.html", context))
    context |= {
        "kind": kind, "heads": boards.heads(kind, board.base), "rows": list(board.rows(kind)),
        "legend": boards.legend(kind),
    }  # fmt: skip
    return vary_on_htmx(render(request, "habilitations/matrix.html", context, status=status))


def tell(request: HttpRequest, saved: Saved) -> None:
    """Say what was saved, and what others had written meanwhile."""
    messages.success(request, "Le brouillon est enregistré. Il ne change aucun accès avant sa publication.")
    for line in boards.others_said(saved.others):
        messages.warning(request, f"{line['by']} a aussi modifié : {line['who']}, {line['what']} ({line['words']}).")


def _grid(request: HttpRequest, kind: str) -> HttpResponse:
    if request.method != "POST":
        return page(request, kind)
    saved, conflict = save(request)
    if is_fragment(request):
        told = boards.others_said(saved.others) if saved else []
        return page(request, kind, conflict=conflict, told=told)
    if conflict:
        return page(request, kind, status=409, conflict=conflict)
    if saved:
        tell(request, saved)
    return redirect(request, "habilitations:matrix" if kind == LEVEL else "habilitations:rights")


def _lines(
    request: HttpRequest, board: Board, title: str, parts: list[tuple[str, list[Key]]], *, by_profile: bool
) -> HttpResponse:
    """A form of selects, one per cell; every one may be set at once. What was typed is drawn again when refused."""
    conflict, status = None, 200
    if request.method == "POST":
        saved, conflict = save(_filled(request, parts))
        if conflict is None:
            if saved:
                tell(request, saved)
            return redirect(request, request.path)
        board, status = Board.read(), 409
    typed = {line["name"]: line["value"] for line in conflict["lines"]} if conflict else {}
    groups = [
        {
            "title": name,
            "choices": boards.choices(keys[0].kind),
            "fill": f"tout-{keys[0].kind}",
            "cells": [
                board.cell(key)
                | {"label": wording.column_name(key.kind, key.column) if by_profile else wording.profile_name(key.row),
                   "chosen": typed.get(":".join(key), board.cell(key)["after"])}
                for key in keys
            ],
        }
        for name, keys in parts
    ]  # fmt: skip
    context = {
        "board": board, "draft": board.draft, "title": title, "groups": groups, "conflict": conflict,
        "here": request.path, "waiting": plural(len(board.changes), "modification"),
    }  # fmt: skip
    return render(request, "habilitations/line.html", context, status=status)


def _filled(request: HttpRequest, parts: list[tuple[str, list[Key]]]) -> HttpRequest:
    """Write « Tout mettre à » of a part in each of its cells, as if each had been chosen."""
    post = request.POST.copy()
    for _, keys in parts:
        wanted = post.get(f"tout-{keys[0].kind}", "garder")
        if wanted != "garder":
            for key in keys:
                post[boards.VALUE + ":".join(key)] = wanted
    request.POST = post
    return request
