"""The home page of a dossier, and what one may do there."""

from __future__ import annotations

from uuid import uuid5

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts
from coordination.common.htmx import redirect
from coordination.directory.models import Structure
from coordination.directory.search import profession_label
from coordination.dossiers import actions, panels
from coordination.dossiers.door import rubric_view
from coordination.dossiers.forms import AskForm
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import HOME, strip_and_nav
from habilitations import actions as habilitations
from habilitations import explain
from habilitations.access import Access
from habilitations.matrix import UNKNOWN_PROFILE
from habilitations.models import AccessRequest
from habilitations.rubriques import Niveau, Rubric, Rubrique

STATUS_TAGS = {
    Dossier.Status.EVALUATION: ("En évaluation depuis le", "att"),
    Dossier.Status.ACTIF: ("Dossier actif depuis le", "ok"),
    Dossier.Status.PAUSE: ("En pause depuis le", "auc"),
    Dossier.Status.CLOS: ("Clôturé le", "auc"),
}
ASK_DRAFT = "demande-acces"
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
        "closed": [closed_line(entry.access, r) for r in entry.access.matrix.rubrics if not entry.access.can_read(r)],
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
    """« Mon accès »: every rubric with its level in words, why it is so, and who opens the closed ones."""
    hat, structure = entry.access.hat, entry.access.through_structure
    said = {
        "profession": profession_label(hat.profession, fonction=hat.fonction),
        "structure": Structure.objects.values_list("name", flat=True).get(pk=structure) if structure else "",
        "state": entry.dossier.get_status_display().lower(),
    }
    asked = AccessRequest.objects.filter(dossier_id=entry.dossier.pk, user=entry.user).order_by("asked_at")
    last = {request.rubrique: request for request in asked.select_related("answered_by")}
    lines = [_access_line(entry, rubrique, said, last.get(rubrique.value)) for rubrique in entry.access.matrix.rubrics]
    context = strip_and_nav(entry, "") | {
        "lines": lines,
        "capped": entry.access.cap < Niveau.ECRITURE and not entry.access.ends_at,
        "unvouched": entry.access.profile == UNKNOWN_PROFILE,
        "until": entry.access.until,
    }
    return render(request, "dossiers/access.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(None)
def ask_access(request: HttpRequest, entry, rubrique: str) -> HttpResponse:
    """« Demander l'accès » to one rubric: one click, a reason if one wants to give it."""
    wanted = entry.access.matrix.catalog.find(rubrique)
    if wanted not in entry.access.matrix.rubrics:
        raise Http404
    back = f"{reverse('dossiers:access', args=[entry.dossier.pk])}#{wanted.value}"
    # A reason is about one rubric: it is not offered again for another.
    about = uuid5(entry.dossier.pk, wanted.value)
    form = AskForm(request.POST) if request.method == "POST" else None
    if form and form.is_valid():
        habilitations.ask_access(entry.dossier.pk, wanted, by=entry.user, access=entry.access, **form.cleaned_data)
        drafts.clear(request.user, ASK_DRAFT, about)
        messages.success(request, "Demande envoyée. La réponse sera écrite ici, dans « Mon accès ».")
        return redirect(request, back)
    kept = drafts.load(request.user, ASK_DRAFT, about) if form is None else None
    context = strip_and_nav(entry, "") | {
        "rubrique": wanted,
        "may_ask": explain.may_ask(entry.access, wanted),
        "back": back,
        "form": form or AskForm(initial=drafts.initial(AskForm, kept)),
        **drafts.shown(ASK_DRAFT, about, kept),
    }
    return render(request, "dossiers/ask_access.html", context, status=422 if form else 200)


def closed_line(access: Access, rubrique: Rubrique | Rubric) -> dict:
    """Return {"key", "label", "opened_to"}: a closed rubric and the other professions that open it.

    Not the reader's own: he would learn that something else than the matrix closes it to him (SEC-6).
    """
    matrix = access.matrix
    others = (profile for profile in matrix.levels if profile != access.profile)
    opened = matrix.catalog.in_words(p for p in others if matrix.level(p, rubrique) >= Niveau.LECTURE)
    return {"key": rubrique.value, "label": rubrique.label, "opened_to": f"Ouvert aux {opened}." if opened else ""}


def _access_line(entry, rubrique: Rubrique | Rubric, said: dict, asked: AccessRequest | None) -> dict:
    level = entry.access.level(rubrique)
    url = panels.page_url(rubrique, entry.dossier.pk) if level else None
    return closed_line(entry.access, rubrique) | {
        "description": entry.access.matrix.catalog.entries[rubrique].description,
        "value": LEVELS[level],
        "level": level,
        "url": url,
        "later": bool(level) and url is None,
        "why": explain.chain(entry.access, rubrique, **said),
        "asked": asked,
        "may_ask": explain.may_ask(entry.access, rubrique) and not (asked and asked.state == AccessRequest.State.OPEN),
    }
