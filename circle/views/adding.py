"""« Ajouter un professionnel ou un aidant »: one search box over the circle, the directory and hand entry."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from circle.models import Member
from circle.views import options
from circle.views.listing import is_named
from circle.views.pages import links_of, page
from coordination.common import nomenclatures
from coordination.common.htmx import is_fragment, vary_on_htmx
from coordination.common.text import fold
from coordination.directory.search import options as places
from coordination.directory.search import search
from coordination.dossiers.door import rubric_view
from habilitations.rubriques import Action, Niveau, Rubrique

SEARCH = "recherche"
TOO_SHORT = "Tapez au moins 2 caractères."


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER, action=SEARCH)
def add(request: HttpRequest, entry) -> HttpResponse:
    """The search page; the text comes by POST and goes nowhere else."""
    names = ("q", "profession", "ville")
    asked = {name: request.POST.get(name, "").replace("\0", "").strip()[:100] for name in names}
    context = {
        "asked": asked,
        "professions": [("", "Toutes les professions"), *nomenclatures.choices("profession")],
        "groups": None,
        "status": "",
    }
    if request.method == "POST":
        everything = bool(request.POST.get("tous"))
        context["groups"], context["status"] = answer(entry, asked, everything=everything)
    if is_fragment(request):
        return vary_on_htmx(render(request, "circle/_search_results.html", context))
    return vary_on_htmx(page(request, entry, "circle/add.html", context))


def answer(entry, asked: dict, *, everything: bool) -> tuple[list[dict], str]:
    """Return the groups of options, in the order of the design, and the sentence that counts them."""
    dossier_id = entry.dossier.pk
    ways = [options.by_hand_option(dossier_id)]
    if entry.access.may(Action.INVITE):
        ways.append(options.invite_option())
    by_hand = {"id": "pas-trouve", "label": "Pas trouvé ?", "options": ways}
    if len(fold(asked["q"]).replace(" ", "")) < 2 and not asked["ville"]:
        return [by_hand], TOO_SHORT
    rows = Member.objects.rows(entry, timezone.localdate())
    found = search(
        asked["q"],
        profession=asked["profession"] or None,
        place=asked["ville"] or None,
        near=entry.dossier.postal_code or None,
        limit=options.ALL if everything else options.ENOUGH,
    )
    if found.unknown_place:
        anywhere = {"action": _url(dossier_id), "fields": asked | {"ville": ""}, "action_label": "Chercher"}
        return [places.without_place(anywhere), by_hand], places.no_such_place(found.unknown_place)
    known = {row.professional_id or row.structure_id: row for row in rows if row.professional_id or row.structure_id}
    results = [*found.professionals.results, *found.structures.results]
    here = {row.id: row for row in rows if asked["q"] and is_named(row, asked["q"])}
    here |= {row.id: row for result in results if (row := known.get(_directory_id(result)))}
    members = [options.member_option(row, links_of(dossier_id, row.id)) for row in list(here.values())]
    people, houses = (
        [r for r in group.results if _directory_id(r) not in known]
        for group in (found.professionals, found.structures)
    )
    url = _url(dossier_id)
    groups = [
        {"id": "cercle", "label": "Déjà dans ce cercle", "options": members[: options.ENOUGH]},
        {
            "id": "national",
            "label": _label("Annuaire national", found.professionals),
            "options": [options.person_option(r, dossier_id) for r in people]
            + ([options.others_option(found.professionals, url, asked)] if found.professionals.others else []),
        },
        {
            "id": "structures",
            "label": _label("Annuaire des structures", found.structures),
            "options": [options.structure_option(r, dossier_id) for r in houses]
            + ([options.others_option(found.structures, url, asked)] if found.structures.others else []),
        },
        by_hand,
    ]
    said = options.status(len(members), found.professionals, found.structures)
    if found.is_corrected:
        said = f"Rien d’écrit ainsi, voici le plus proche. {said}"
    return groups, said


def _url(dossier_id) -> str:
    return reverse("circle:add", args=[dossier_id])


def _directory_id(result):
    return result.professional_id if result.kind == "professional" else result.structure_id


def _label(name: str, group) -> str:
    noun = "professionnel" if group.kind == "professional" else "structure"
    count = f"plus de {group.total}" if group.is_more_than_counted else group.total
    return f"{name}, {count} {noun}{'s' if group.total > 1 else ''}"
