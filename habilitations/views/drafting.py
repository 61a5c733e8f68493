"""What is decided about a draft: put back, discard, ask, take back, publish, refuse. Publishing asks who is there.

Asking for a publication is the first half of opening accesses, so it asks too (see the decision on reauthentication);
refusing and taking back open nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts as typing
from coordination.accounts import reauthentication
from coordination.common.errors import DomainError
from coordination.common.htmx import is_fragment, redirect
from habilitations import actions, wording
from habilitations.differences import LEVEL
from habilitations.errors import DraftMoved
from habilitations.forms import ReasonForm
from habilitations.impact import people
from habilitations.traces import record_account, via_request
from habilitations.views import board as boards
from habilitations.views import matrix as pages
from habilitations.views.board import Board, for_administrators

# People named under each effect; beyond, they are counted.
NAMED = 100


@require_POST
@for_administrators
def put_back(request: HttpRequest) -> HttpResponse:
    """« Rétablir »: the cell gives again what the version gives."""
    board = Board.read()
    name = request.POST.get("case", "")
    change = next((one for one in board.changes if ":".join(one.key) == name), None)
    if change is not None:
        post = request.POST.copy()
        post[boards.VALUE + name] = change.before
        request.POST = post
    _, conflict = pages.save(request)
    if is_fragment(request):
        return pages.page(request, LEVEL, conflict=conflict, moved_focus=True)
    if conflict:
        return pages.page(request, LEVEL, status=409, conflict=conflict)
    return redirect(request, "habilitations:matrix")


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def discard(request: HttpRequest) -> HttpResponse:
    """« Tout annuler »: asked first, since the draft does not come back."""
    if request.method == "POST":
        return _act(request, actions.discard_draft, "Le brouillon est abandonné : rien n’a changé.")
    board = Board.read()
    if board.draft is None:
        return redirect(request, "habilitations:matrix")
    return render(request, "habilitations/discard.html", {"draft": board.draft, "lines": board.lines()})


@require_POST
@for_administrators
def ask(request: HttpRequest) -> HttpResponse:
    """« Demander la publication », with its reason."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return pages.page(request, LEVEL, status=422, form=form)
    reauthentication.require(request, "demander la publication de la matrice")

    def act(draft, **said):
        actions.request_publication(draft, reason=form.cleaned_data["reason"], **said)
        typing.clear(request.user, pages.REASON_DRAFT, draft.pk)

    return _act(request, act, "La publication est demandée. Un autre administrateur la confirme.", form=form)


@require_POST
@for_administrators
def take_back(request: HttpRequest) -> HttpResponse:
    """« Reprendre la préparation »."""
    return _act(request, actions.withdraw_request, "La demande est retirée : le brouillon peut changer.")


@require_POST
@for_administrators
def carry_over(request: HttpRequest) -> HttpResponse:
    """« Reporter sur la version en vigueur »."""
    return _act(request, actions.rebase_draft, "Le brouillon est reporté sur la version en vigueur.")


@require_POST
@for_administrators
def publish(request: HttpRequest) -> HttpResponse:
    """« Publier »: the version is in force at the next request of everybody."""
    reauthentication.require(request, "publier la matrice d’habilitation")
    return _act(request, actions.publish_draft, "La nouvelle version est en vigueur.")


@require_POST
@for_administrators
def refuse(request: HttpRequest) -> HttpResponse:
    """« Refuser », with its reason."""
    form = ReasonForm(request.POST, label="Motif du refus")
    if not form.is_valid():
        return pages.page(request, LEVEL, status=422, form=form)

    def act(draft, **said):
        actions.refuse_publication(draft, reason=form.cleaned_data["reason"], **said)
        typing.clear(request.user, pages.REFUSAL_DRAFT, draft.pk)

    return _act(request, act, "La publication est refusée : le brouillon revient à la préparation.", form=form)


@require_safe
@for_administrators
def effect(request: HttpRequest) -> HttpResponse:
    """Whom the draft concerns: people named, dossiers counted in total and per structure, none identified."""
    board = Board.read()
    named = people(board.effects, limit=NAMED)
    record_account(
        user=request.user, action="liste", object_kind="compte", count=sum(map(len, named)), via=via_request(request)
    )
    groups = [
        {
            "title": _title(one.move),
            "lines": wording.effect_lines(one),
            "structures": sorted(one.structures.items(), key=lambda pair: (-pair[1].people, pair[0])),
            "people": found,
            "others": one.total.people - len(found),
            "total": one.total,
        }
        for one, found in zip(board.effects, named, strict=True)
    ]
    groups.sort(key=lambda group: -group["total"].people)
    return render(request, "habilitations/effect.html", {"groups": groups, "draft": board.draft})


def _title(move) -> str:
    before, after = wording.profile_name(move.before), wording.profile_name(move.after)
    return before if before == after else f"{before} devient {after}"


def _act(request: HttpRequest, act: Callable, said: str, form: ReasonForm | None = None) -> HttpResponse:
    """Do it and go back to the matrix; a refusal is told there, with the reason that was typed.

    When somebody wrote since the page was drawn, the page is shown again with what he wrote.
    """
    _, revision = boards.posted_draft(request.POST)
    try:
        act(boards.draft_of(request.POST), revision=revision, by=request.user, via=via_request(request))
    except DraftMoved as refusal:
        more = {} if form is None else {"form": form}
        return pages.page(request, LEVEL, status=409, conflict=boards.conflict_of(refusal, ()), **more)
    except DomainError as refusal:
        if form is not None:
            form.add_error(None, str(refusal))
            return pages.page(request, LEVEL, status=409, form=form)
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect(request, "habilitations:matrix")
