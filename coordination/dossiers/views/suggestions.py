"""Suggestions under the fields of a dossier's forms: communes, countries, structures. By POST, nothing kept."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.identifiers import clean_identifier, looks_like_finess
from coordination.common.text import fold
from coordination.directory import search
from coordination.directory.models import Structure
from coordination.dossiers import places
from habilitations import access


class StructureUnclear(DomainError):
    code = "structure_unclear"
    message = "Aucune structure ouverte ne porte ce nom dans l’annuaire."


@require_POST
def towns(request: HttpRequest) -> HttpResponse:
    """The communes whose name or postal code begins as typed."""
    return _answer(request, "communes", "Communes", _places(_typed(request)))


@require_POST
def birth_places(request: HttpRequest) -> HttpResponse:
    """The same, and countries: one may be born abroad."""
    return _answer(request, "lieux", "Communes et pays", _places(_typed(request), countries=True))


@require_POST
def structures(request: HttpRequest) -> HttpResponse:
    """The structures of the directory that may be the référente."""
    text = _typed(request)
    found = _open_ones(text) if len(fold(text)) >= 2 else []
    options = [
        {
            "id": f"structure-{rank}",
            "title": result.name,
            "lines": [[f"{result.postal_code} {result.town}".strip()]],
            "shape": "structure",
            "value": str(result.id),
            "text": result.name,
        }
        for rank, result in enumerate(found)
    ]
    return _answer(request, "structures", "Annuaire des structures", options)


def find_structure(text: str, chosen: str) -> Structure:
    """Return the structure chosen in the list, or the only one that answers what was typed.

    Raises StructureUnclear with the candidates when several do.
    """
    structure = _by_id(chosen)
    if structure and fold(structure.name) == fold(text):
        return structure
    number = clean_identifier(text)
    if looks_like_finess(number) and (known := Structure.objects.active().filter(finess=number).first()):
        return known
    named = [result for result in _open_ones(text) if fold(result.name) == fold(text)]
    if len(named) == 1:
        return Structure.objects.get(pk=named[0].id)
    if not named:
        raise StructureUnclear
    towns = ", ".join(f"{result.name} à {result.town}" for result in named)
    raise StructureUnclear(f"Plusieurs structures portent ce nom : {towns}. Tapez son numéro FINESS.")


def own_structure(user) -> Structure | None:
    """Return the structure in the name of which the account acts."""
    structure_id = access.hat_of(user).structure_id
    return Structure.objects.active().filter(pk=structure_id).first() if structure_id else None


def _open_ones(text: str) -> list[search.StructureResult]:
    """Return the structures that answer a text and may still be the référente of somebody."""
    return [result for result in search.structures(text) if not result.ceased]


def _by_id(text: str) -> Structure | None:
    try:
        return Structure.objects.active().filter(pk=UUID(text)).first()
    except ValueError:
        return None


def _places(text: str, *, countries: bool = False) -> list[dict]:
    found = places.suggestions(text, countries=countries) if len(text) >= 2 else []
    return [
        {
            "id": f"lieu-{rank}",
            "title": place.name,
            "lines": [[place.postal_code or ("Pays" if place.code.startswith("99") else place.code)]],
            "value": place.code,
            "text": place.name,
        }
        for rank, place in enumerate(found)
    ]


def _typed(request: HttpRequest) -> str:
    """Return the text of the field that asks: fields of this kind are named "…_texte"."""
    return next((value for name, value in request.POST.items() if name.endswith("_texte")), "")[:100]


def _answer(request: HttpRequest, key: str, label: str, options: list[dict]) -> HttpResponse:
    groups = [{"id": f"groupe-{key}", "label": label, "options": options}]
    status = f"{plural(len(options), 'proposition')}." if options else "Aucune proposition."
    return render(request, "dossiers/_suggestions.html", {"groups": groups, "status": status})
