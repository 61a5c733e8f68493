"""« Professions »: which profile a vouched profession leads to; « Voir comme un profil »: what that profile may do."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from coordination.common.htmx import redirect
from coordination.common.pagination import paginate
from coordination.common.text import fold
from habilitations import published, wording
from habilitations.access import Access, Hat
from habilitations.differences import RULE, Key
from habilitations.forms import RuleForm, profile_choices
from habilitations.impact import unmapped
from habilitations.rubriques import Action, Niveau
from habilitations.views import board as boards
from habilitations.views import matrix as pages
from habilitations.views.board import Board, for_administrators

DRAFT = "brouillon"
PER_PAGE = 25
# Who stands in front of « Voir comme un profil »: somebody with this profile and nothing else.
NOBODY = Hat()


@require_safe
@for_administrators
def professions(request: HttpRequest) -> HttpResponse:
    """The table, and the professions somebody holds that no line maps: they open nothing."""
    board = Board.read()
    wanted, looked_for = request.GET.get("profil", ""), request.GET.get("q", "")[:100]
    rules = board.after.profiles
    keys = sorted({*board.base.profiles, *rules}, key=lambda pair: wording.trade(*pair).casefold())
    lines = [
        board.cell(Key(RULE, *pair))
        | {"trade": wording.trade(*pair), "pair": pair, "codes": " + ".join(filter(None, pair))}
        for pair in keys
        if (not wanted or rules.get(pair) == wanted) and _has_words(wording.trade(*pair), looked_for)
    ]
    lost = [
        {"trade": wording.trade(*pair), "pair": pair, "accounts": accounts}
        for pair, accounts in unmapped(board.after).items()
    ]
    # What waits to be published is seen without turning pages.
    lines.sort(key=lambda line: not line["changed"])
    rows = paginate(lines, request.GET.get("page"), per_page=PER_PAGE)
    context = {
        "board": board, "rows": rows, "total": len(lines), "page_url": _page_url(wanted, looked_for), "lost": lost,
        "wanted": wanted, "looked_for": looked_for,
        "profiles": [("", "Tous"), *profile_choices(of_a_profession=True)],
    }  # fmt: skip
    return render(request, "habilitations/professions.html", context)


def _page_url(wanted: str, looked_for: str) -> Callable[[int], str]:
    """Return what gives the address of a page of these filters: a profile and words of a profession name nobody."""
    filters = {"profil": wanted, "q": looked_for}
    return lambda number: f"?{urlencode({k: v for k, v in filters.items() if v} | {'page': number})}"


def _has_words(trade: str, looked_for: str) -> bool:
    said = fold(trade)
    return all(word in said for word in fold(looked_for).split())


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def rule(request: HttpRequest) -> HttpResponse:
    """One line of the table: a profession, a function or none, and where they lead."""
    board = Board.read()
    conflict = None
    if request.method == "POST":
        form = RuleForm(request.POST)
        if form.is_valid():
            said = form.cleaned_data
            post = request.POST.copy()
            post[f"{boards.VALUE}{RULE}:{said['profession']}:{said['fonction']}"] = said["profil"]
            request.POST = post
            saved, conflict = pages.save(request)
            if conflict is None:
                if saved:
                    pages.tell(request, saved)
                return redirect(request, "habilitations:professions")
            post["draft"], post["revision"] = str(conflict["draft"]), str(conflict["revision"])
            form.data = post
    else:
        pair, draft = (request.GET.get("profession", ""), request.GET.get("fonction", "")), board.draft
        form = RuleForm(initial={
            "profession": pair[0], "fonction": pair[1], "profil": board.after.profiles.get(pair, ""),
            "draft": draft.pk if draft else "", "revision": draft.revision if draft else 0,
        })  # fmt: skip
    status = 409 if conflict else 422 if form.is_bound else 200
    context = {"form": form, "conflict": conflict, "here": request.path}
    return render(request, "habilitations/rule.html", context, status=status)


@require_safe
@for_administrators
def see_as(request: HttpRequest) -> HttpResponse:
    """What a profile may read, write and do once habilitated, as the engine answers it. No dossier is opened."""
    board = Board.read()
    profile = request.GET.get("profil", "")
    names = board.base.catalog.profiles
    profile = profile if profile in names else next(iter(names))
    of_draft = request.GET.get("version") == DRAFT and bool(board.changes)
    matrix = board.after if of_draft else published.matrix(board.version.number if board.version else None)
    seen = Access(profile=profile, matrix=matrix, hat=NOBODY, habilitation_id=None)
    levels = {rubrique: seen.level(rubrique) for rubrique in matrix.rubrics}
    groups = [
        {"value": value, "title": title, "items": [r.label for r, level in levels.items() if level == niveau]}
        for niveau, value, title in (
            (Niveau.ECRITURE, "ecriture", "Peut lire et écrire"),
            (Niveau.LECTURE, "lecture", "Peut lire"),
            (Niveau.AUCUN, "aucun", "Pas d’accès"),
        )
    ]
    rights = [
        (action.label, wording.WORDS["action"][scope.value if (scope := matrix.scope(profile, action)) else ""])
        for action in Action
    ]
    context = {
        "board": board, "profile": profile, "name": names[profile].label, "profiles": profile_choices(),
        "versions": [("", "En vigueur"), (DRAFT, "Brouillon")] if board.changes else [("", "En vigueur")],
        "version": DRAFT if of_draft else "", "groups": [g for g in groups if g["items"]],
        "levels": list(levels.values()), "rights": rights,
        "reduced": matrix.reads_reduced_circle(profile),
    }  # fmt: skip
    return render(request, "habilitations/see_as.html", context)
