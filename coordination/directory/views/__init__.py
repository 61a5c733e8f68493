"""The Annuaire tab: two search pages, two sheets, a structure created for the coordination, a merge.

No patient here and no rubric: any account may read the directory. Keystrokes are not traced (issue 3), and the text
travels by POST only, so that it is in no address and no log.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.common.errors import DomainError
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.directory import actions, forms, search
from coordination.directory.models import Attachment, Structure
from coordination.directory.search import options, sheets
from habilitations import access
from habilitations.traces import via_request

SHOWN = 8
ALL = 50
NEAR_SECONDS = 300
STRUCTURE_DRAFT = "annuaire-structure"
_ANY = "00000000-0000-0000-0000-000000000000"

_near: dict[Any, tuple[float, str]] = {}


@require_http_methods(["GET", "HEAD", "POST"])
def professionals(request: HttpRequest) -> HttpResponse:
    """Find a professional: the page, the answer to a keystroke (htmx), or the page of results without JavaScript."""
    typed = _typed(request, "q", "profession", "lieu", "structure")
    found = search.search(
        typed["q"],
        profession=typed["profession"],
        place=typed["lieu"],
        structure=typed["structure"],
        near=near_of(request.user),
        limit=ALL if "tout" in request.POST else SHOWN,
        kinds=("professional",),
    )
    return _answer(request, "directory/professionals.html", found, typed, professions=forms.professions())


@require_http_methods(["GET", "HEAD", "POST"])
def structures(request: HttpRequest) -> HttpResponse:
    """Find a structure, in the same three ways."""
    typed = _typed(request, "q", "categorie", "lieu")
    found = search.search(
        typed["q"],
        category=typed["categorie"],
        place=typed["lieu"],
        near=near_of(request.user),
        limit=ALL if "tout" in request.POST else SHOWN,
        kinds=("structure",),
    )
    may_create = not is_fragment(request) and _may_create(request.user)
    return _answer(
        request, "directory/structures.html", found, typed, categories=forms.categories(), may_create=may_create
    )


@require_safe
def professional(request: HttpRequest, professional_id: UUID) -> HttpResponse:
    """The sheet of a person: trades, workplaces, mailboxes, date of the entry."""
    sheet = sheets.of_professional(professional_id)
    if sheet is None:
        raise Http404
    return render(request, "directory/professional.html", {"sheet": sheet})


@require_safe
def structure(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """The sheet of a structure and its professionals, 25 at a time; a merged one leads to what replaces it."""
    sheet = sheets.of_structure(structure_id, after=_uuid(request.GET.get("apres")))
    if sheet is None:
        raise Http404
    if sheet.structure.merged_into_id:
        return redirect(request, "directory:structure", sheet.structure.merged_into_id)
    may_merge = access.may_administer(request.user) and sheet.is_local
    return render(request, "directory/structure.html", {"sheet": sheet, "may_merge": may_merge})


@require_http_methods(["GET", "HEAD", "POST"])
def create_structure(request: HttpRequest) -> HttpResponse:
    """A structure that no file knows, created for the coordination; probable doubles are shown first."""
    if not _may_create(request.user):
        raise PermissionDenied
    if request.method != "POST":
        kept = drafts.load(request.user, STRUCTURE_DRAFT, request.user.pk)
        form = forms.StructureForm(initial=drafts.initial(forms.StructureForm, kept))
        return _structure_page(request, form, draft_found=bool(kept))
    form = forms.StructureForm(request.POST)
    doubles: list[dict[str, Any]] = []
    if form.is_valid():
        doubles = _doubles(form)
        if not doubles or form.cleaned_data["seen_doubles"]:
            try:
                made = actions.create_local_structure(by=request.user, **form.fields_of_structure())
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                drafts.clear(request.user, STRUCTURE_DRAFT, request.user.pk)
                messages.success(request, f"La structure {made.name} est créée.")
                return redirect(request, "directory:structure", made.pk)
    return _structure_page(request, form, doubles=doubles, status=422)


def _structure_page(request: HttpRequest, form, *, doubles=(), draft_found=False, status: int = 200) -> HttpResponse:
    context = {
        "form": form, "doubles": doubles, "draft_found": draft_found,
        "draft_url": reverse("accounts:draft", args=[STRUCTURE_DRAFT, request.user.pk]),
    }  # fmt: skip
    return render(request, "directory/structure_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """Merge a structure created here into the one of the national file. Nothing that points to it is rewritten."""
    if not access.may_administer(request.user):
        raise PermissionDenied
    merged = get_object_or_404(Structure.objects.filter(merged_into=None), pk=structure_id)
    typed = _typed(request, "q", "categorie", "lieu")
    error = ""
    chosen = _uuid(request.POST.get("dans"))
    if chosen:
        into = get_object_or_404(Structure, pk=chosen)
        if "confirmer" not in request.POST:
            return render(request, "directory/structure_merge_confirm.html", {"merged": merged, "into": into})
        reauthentication.require(request, "fusionner deux structures")
        try:
            actions.merge_structure(merged, into=into, by=request.user, via=via_request(request))
        except DomainError as refused:
            error = str(refused)
        else:
            messages.success(request, f"{merged.name} mène maintenant à {into.name}.")
            return redirect(request, "directory:structure", into.pk)
    here = reverse("directory:merge_structure", args=[merged.pk])
    found = search.search(typed["q"] or merged.name, place=merged.postal_code, limit=SHOWN, kinds=("structure",))
    if typed["q"]:
        found = search.search(typed["q"], near=merged.postal_code, limit=SHOWN, kinds=("structure",))
    kept = [r for r in found.structures.results if r.id != merged.pk]
    chosen_option = [options.of_structure(r, lambda r: _merge_choice(r, here)) for r in kept]  # type: ignore[arg-type]
    groups = [{"id": "groupe-structures", "label": "Annuaire des structures", "options": chosen_option}]
    context = {
        "merged": merged, "groups": groups, "typed": typed, "error": error, "here": here,
        "status": options.sentence(found) if kept else "Aucun résultat.",
    }  # fmt: skip
    template = "directory/_results.html" if is_fragment(request) else "directory/structure_merge.html"
    return vary_on_htmx(render(request, template, context, status=422 if error else 200))


def near_of(user: Any) -> str:
    """Return the postal code of the user's structure, "" without one: it decides between equal results.

    Kept a few minutes per process: a keystroke must not cost a statement to learn where the user works.
    """
    now = time.monotonic()
    known = _near.get(user.pk)
    if known and now - known[0] < NEAR_SECONDS:
        return known[1]
    found = Attachment.objects.of(user).values_list("structure__postal_code", flat=True).first() or ""
    if len(_near) > 5000:
        _near.clear()
    _near[user.pk] = (now, found)
    return found


def _answer(
    request: HttpRequest, template: str, found: search.SearchResults, typed: dict[str, str], **more: Any
) -> HttpResponse:
    """The fragment for a keystroke, else the page with its results when something was asked."""
    asked = request.method == "POST"
    groups = options.groups(
        found, professional=_open_person, structure=_open_structure, more=_see_all(request, typed),
        anywhere={"action": request.path, "fields": {**typed, "lieu": ""}, "action_label": "Chercher"},
    )  # fmt: skip
    context = {"groups": groups, "status": options.sentence(found)}
    if is_fragment(request):
        return vary_on_htmx(render(request, "directory/_results.html", context))
    context |= {"typed": typed, "asked": asked, "page_url": request.path, **more}
    return vary_on_htmx(render(request, template, context))


def _open_person(result: search.ProfessionalResult) -> options.Option:
    return {"href": _address("directory:professional", result.professional_id), "action_label": "Ouvrir la fiche"}


def _open_structure(result: search.StructureResult) -> options.Option:
    return {"href": _address("directory:structure", result.id), "action_label": "Ouvrir la fiche"}


def _address(name: str, key: UUID) -> str:
    """Return the address of a sheet: the route is resolved once, not once per result of each keystroke."""
    return _pattern(name).replace(_ANY, str(key))


@cache
def _pattern(name: str) -> str:
    return reverse(name, args=[_ANY])


def _see_all(request: HttpRequest, typed: dict[str, str]):
    """Return what "Voir les N autres" does: the same search again, by POST, as a page."""
    return lambda group: {"action": request.path, "fields": {**typed, "tout": "1"}, "action_label": "Tout voir"}


def _merge_choice(result: search.StructureResult, here: str) -> options.Option:
    return {"action": here, "fields": {"dans": str(result.id)}, "action_label": "Choisir cette structure"}


def _doubles(form: forms.StructureForm) -> list[options.Option]:
    values = form.cleaned_data
    found = search.structures(values["name"], postal_code=values["postal_code"] or None, limit=5)
    for number in ("finess", "siret"):
        if values[number]:
            found += search.structures(values[number], limit=2)
    unique = {r.id: r for r in found}
    return [options.of_structure(r, _open_structure) for r in unique.values()]


def _may_create(user: Any) -> bool:
    """Whoever has a vouched profession, and administrators: the entry is signed and can be merged later."""
    return access.may_administer(user) or bool(access.hat_of(user).profession)


def _typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "").replace("\0", "").strip()[:200] for name in names}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
