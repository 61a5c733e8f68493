"""The home page of a dossier, and what one may do there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from coordination.common.htmx import redirect
from coordination.dossiers import actions, panels
from coordination.dossiers.door import rubric_view
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import HOME, strip_and_nav
from habilitations.matrix import UNKNOWN_PROFILE, Matrix
from habilitations.profiles import in_words
from habilitations.rubriques import Niveau, Rubrique

STATUS_TAGS = {
    Dossier.Status.EVALUATION: ("En évaluation depuis le", "att"),
    Dossier.Status.ACTIF: ("Dossier actif depuis le", "ok"),
    Dossier.Status.PAUSE: ("En pause depuis le", "auc"),
    Dossier.Status.CLOS: ("Clôturé le", "auc"),
}
LEVELS = {Niveau.ECRITURE: "ecriture", Niveau.LECTURE: "lecture", Niveau.AUCUN: "aucun"}


@require_safe
@rubric_view(None)
def home(request: HttpRequest, entry) -> HttpResponse:
    """Cards of the rubrics, news since the last visit, closed rubrics by their name."""
    since = actions.mark_visited(request.user, entry.dossier)
    words, kind = STATUS_TAGS[entry.dossier.status]
    cards = [panels.card(entry, rubrique) for rubrique in entry.access.readable()]
    context = strip_and_nav(entry, HOME) | {
        "status_tag": {"label": f"{words} {entry.dossier.status_on:%d/%m/%Y}", "kind": kind},
        "since": since,
        "news": panels.news(entry, since) if since else [],
        "cards": [card for card in cards if card],
        "closed": [closed_line(entry.access.matrix, r) for r in Rubrique if not entry.access.can_read(r)],
        "unvouched": entry.access.profile == UNKNOWN_PROFILE,
    }
    return render(request, "dossiers/home.html", context)


@require_POST
@rubric_view(None)
def mark_seen(request: HttpRequest, entry) -> HttpResponse:
    """« Tout marquer comme vu »."""
    actions.mark_all_seen(request.user, entry.dossier)
    messages.success(request, "Les nouveautés de ce dossier sont marquées comme vues.")
    return redirect(request, "dossiers:home", entry.dossier.pk)


@require_safe
@rubric_view(None)
def my_access(request: HttpRequest, entry) -> HttpResponse:
    """« Mon accès »: every rubric with its level in words, and who opens the closed ones."""
    lines = [_access_line(entry, rubrique) for rubrique in Rubrique]
    context = strip_and_nav(entry, "") | {
        "lines": lines,
        "capped": entry.access.cap < Niveau.ECRITURE,
        "unvouched": entry.access.profile == UNKNOWN_PROFILE,
        "hat": entry.access.hat,
    }
    return render(request, "dossiers/access.html", context)


def closed_line(matrix: Matrix, rubrique: Rubrique) -> dict:
    """Return {"key", "label", "opened_to"}: a closed rubric and the professions that open it."""
    opened = in_words(profile for profile in matrix.levels if matrix.level(profile, rubrique) >= Niveau.LECTURE)
    return {"key": rubrique.value, "label": rubrique.label, "opened_to": f"Ouvert aux {opened}." if opened else ""}


def _access_line(entry, rubrique: Rubrique) -> dict:
    level = entry.access.level(rubrique)
    url = panels.page_url(rubrique, entry.dossier.pk) if level else None
    return closed_line(entry.access.matrix, rubrique) | {
        "value": LEVELS[level],
        "level": level,
        "url": url,
        "later": bool(level) and url is None,
    }
