"""Results as the options of the search box (templates/components/combobox.html), the same on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from coordination.common.french import date_fr, plural, rpps_fr
from coordination.common.text import initials
from coordination.directory.search.results import Group, ProfessionalResult, Ranges, SearchResults, StructureResult

Option = dict[str, Any]
Chosen = Callable[[Any], Option]

CEASED = {"label": "Exercice cessé ?", "kind": "att"}
CLOSED = {"label": "Fermée ?", "kind": "att"}


def marked(text: str, ranges: Ranges) -> SafeString:
    """Return the text escaped, with the stretches that answer what was typed in <mark>."""
    parts, at = [], 0
    for start, end in ranges:
        parts += [escape(text[at:start]), mark_safe("<mark>"), escape(text[start:end]), mark_safe("</mark>")]  # noqa: S308
        at = end
    return mark_safe("".join([*parts, escape(text[at:])]))  # noqa: S308 - each part is escaped above


def of_professional(result: ProfessionalResult, chosen: Chosen) -> Option:
    """Return the option of a person; `chosen(result)` gives what choosing does (href, or action and fields)."""
    name = (
        marked(result.family_name, result.family_marks)
        + mark_safe(" ")
        + marked(  # noqa: S308
            result.given_name, result.given_marks
        )
    )
    number = f"RPPS {rpps_fr(result.rpps)}" if result.rpps else f"ADELI {result.adeli}" if result.adeli else ""
    source = "Saisi pour la coordination" if result.is_local else number
    place = marked(result.town, result.town_marks) + mark_safe(f" {escape(result.postal_code)}")  # noqa: S308
    return {
        "id": f"personne-{result.professional_id}",
        "title": name,
        "lines": [
            [", ".join(filter(None, (result.profession, source)))],
            [_workplace(result), "Compte actif" if result.has_account else "Sans compte"],
            [place, _dated(result.seen_on)],
        ],
        "badges": [CEASED] if result.ceased else [],
        "shape": "person",
        "initials": initials(result.family_name, result.given_name),
        **chosen(result),
    }


def of_structure(result: StructureResult, chosen: Chosen) -> Option:
    """Return the option of a structure."""
    number = f"FINESS {result.finess}" if result.finess else ""
    place = marked(result.town, result.town_marks) + mark_safe(f" {escape(result.postal_code)}")  # noqa: S308
    return {
        "id": f"structure-{result.id}",
        "title": marked(result.name, result.name_marks),
        "lines": [
            [", ".join(filter(None, (result.short_name, number)))],
            [result.category_label or "Structure", "Créée pour la coordination" if result.is_local else ""],
            [place, _dated(result.seen_on)],
        ],
        "badges": [CLOSED] if result.ceased else [],
        "shape": "structure",
        "initials": initials(result.name),
        **chosen(result),
    }


def groups(
    found: SearchResults, *, professional: Chosen, structure: Chosen, more: Callable[[Group], Option] | None = None,
    anywhere: Option | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the groups of the box; `more(group)` gives what "Voir les N autres" does, when there are others.

    `anywhere` is what searching without the place does, offered when there is no such place.
    """
    made = [without_place(anywhere)] if anywhere and found.unknown_place else []
    if found.professionals.results:
        options = [of_professional(r, professional) for r in found.professionals.results]  # type: ignore[arg-type]
        made.append(_group("annuaire", "Annuaire national", "professionnel", found.professionals, options, more))
    if found.structures.results:
        options = [of_structure(r, structure) for r in found.structures.results]  # type: ignore[arg-type]
        made.append(_group("structures", "Annuaire des structures", "structure", found.structures, options, more))
    return made


def without_place(anywhere: Option) -> dict[str, Any]:
    """Return the group that offers the same search without its place; `anywhere` is what choosing does."""
    option = {"id": "sans-lieu", "title": "Chercher sans ville ni code postal", "lines": [], **anywhere}
    return {"id": "groupe-lieu", "label": "Ville / Code postal", "options": [option]}


def no_such_place(place: str) -> str:
    """Return what is said when the field « Ville / Code postal » names no place."""
    return f"Aucune commune « {place} » : corrigez la ville ou le code postal, ou cherchez sans."


def counted(group: Group, noun: str) -> str:
    """Return "4 professionnels", or "plus de 50 professionnels" when nobody counted further."""
    said = plural(group.total, noun)
    return f"plus de {said}" if group.is_more_than_counted else said


def sentence(found: SearchResults) -> str:
    """Return what is announced under the box: "5 résultats : 4 professionnels, 1 structure."."""
    if found.unknown_place:
        return no_such_place(found.unknown_place)
    if found.is_empty:
        return "Aucun résultat. Vérifiez l’orthographe, ou retirez un mot ou un filtre."
    parts = _parts(found)
    start = "Rien d’exactement écrit ainsi. Orthographes proches : " if found.is_corrected else ""
    said = f"{start}{', '.join(parts)}."
    return said[0].upper() + said[1:]


def _parts(found: SearchResults) -> Iterable[str]:
    if found.professionals.results:
        yield counted(found.professionals, "professionnel")
    if found.structures.results:
        yield counted(found.structures, "structure")


def _group(
    key: str, label: str, noun: str, group: Group, options: list[Option], more: Callable[[Group], Option] | None
) -> dict[str, Any]:
    if more and group.others:
        rest = "Voir les autres" if group.is_more_than_counted else _see_others(group.others)
        options.append({"id": f"{key}-suite", "title": rest, "lines": [], **more(group)})
    return {"id": f"groupe-{key}", "label": f"{label}, {counted(group, noun)}", "options": options}


def _see_others(count: int) -> str:
    return f"Voir les {count} autres" if count > 1 else "Voir l’autre"


def _workplace(result: ProfessionalResult) -> str:
    name = result.structure_name or "Sans lieu d’exercice connu"
    if not result.other_places:
        return name
    return f"{name} et {plural(result.other_places, 'autre lieu', 'autres lieux')}"


def _dated(seen_on: Any) -> str:
    return f"Fiche du {date_fr(seen_on)}" if seen_on else ""
