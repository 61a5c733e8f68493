"""« Profils » and « Liste des rubriques »: named, described, ordered, closed and brought back by administrators.

Nothing here opens an access: a new line gives nothing until a version of the matrix says so. Bringing a rubric back
lets the version in force speak again, so it asks who is there, as publishing does.
"""

from __future__ import annotations

import functools
from uuid import NAMESPACE_OID, UUID, uuid5

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts as typing
from coordination.accounts import reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from habilitations import actions, published
from habilitations.actions.catalog import PROFILE, RUBRIC
from habilitations.catalog import GROUPS, NEVER_WITHDRAWN, TECHNICAL, Catalog
from habilitations.catalog_errors import CatalogMoved
from habilitations.catalog_forms import ProfileForm, RubricForm
from habilitations.differences import LOCKED
from habilitations.matrix import Matrix
from habilitations.models import CatalogChange
from habilitations.rubriques import Niveau
from habilitations.traces import via_request
from habilitations.views.board import for_administrators

PROFILE_DRAFT, RUBRIC_DRAFT = "profil", "rubrique"
# Changes shown under a line; the table keeps them all.
TOLD = 10
_ACTS = {
    "creation": "Création", "modification": "Modification", "fermeture": "Fermeture", "reouverture": "Réouverture",
}  # fmt: skip
_ACTS_ON_RUBRICS = _ACTS | {"fermeture": "Retrait", "reouverture": "Remise en usage"}
_FIELDS = {
    "label": "nom", "gathers": "qui il réunit", "short": "nom court", "description": "description", "group": "groupe",
    "icon": "icône", "reduced": "cercle réduit", "rank": "place",
}  # fmt: skip


@require_safe
@for_administrators
def profiles(request: HttpRequest) -> HttpResponse:
    """The profiles in order, with how many lines of the profession table lead to each. One SQL statement."""
    matrix = published.current()
    led = list(matrix.profiles.values())
    rows = [
        {"profile": p, "lines": led.count(p.code), "technical": p.code in TECHNICAL, "locked": p.code in LOCKED}
        for p in matrix.catalog.profiles.values()
    ]
    return render(request, "habilitations/profiles.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new_profile(request: HttpRequest) -> HttpResponse:
    catalog = published.catalog()
    initial = {"after": list(catalog.profiles)[-1]}
    kept = typing.load(request.user, PROFILE_DRAFT, request.user.pk)
    form = ProfileForm(request.POST or None, catalog=catalog, initial=initial | typing.initial(ProfileForm, kept))
    if form.is_bound and form.is_valid():
        made = _attempt(form, actions.create_profile, **form.cleaned_data, **_by(request))
        if made:
            typing.clear(request.user, PROFILE_DRAFT, request.user.pk)
            messages.success(request, f"Le profil « {made.label} » est créé. Il n’ouvre rien avant une version.")
            return redirect(request, "habilitations:profiles")
    context = _page(form, request, PROFILE_DRAFT, request.user.pk, kept)
    return render(request, "habilitations/edit_profile.html", context | {"profile": None}, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit_profile(request: HttpRequest, profile: str) -> HttpResponse:
    matrix = published.current()
    catalog = matrix.catalog
    found = catalog.profiles.get(profile)
    if found is None:
        raise Http404
    about = _object(PROFILE, profile)
    kept = typing.load(request.user, PROFILE_DRAFT, about)
    typed = _stored_profile(catalog, profile) | typing.initial(ProfileForm, kept)
    form = ProfileForm(request.POST or None, catalog=catalog, code=profile, initial=typed)
    if form.is_bound and form.is_valid():
        if _attempt(form, actions.change_profile, profile, **form.cleaned_data, **_by(request)):
            typing.clear(request.user, PROFILE_DRAFT, about)
            messages.success(request, "Le profil est à jour.")
            return redirect(request, "habilitations:profiles")
    context = _page(form, request, PROFILE_DRAFT, about, kept) | {
        "profile": found, "technical": profile in TECHNICAL, "history": _history(PROFILE, profile),
    }  # fmt: skip
    now = published.catalog()
    stored = functools.partial(ProfileForm, catalog=now, code=profile, initial=_stored_profile(now, profile))
    context |= both_texts(form, now.number, stored, said_in="seen")
    return render(request, "habilitations/edit_profile.html", context, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def close_profile(request: HttpRequest, profile: str) -> HttpResponse:
    """« Fermer », asked first."""
    found = published.catalog().profiles.get(profile)
    if found is None or found.closed:
        raise Http404
    if request.method == "POST":
        said = f"Le profil « {found.label} » est fermé."
        return _act(request, actions.close_profile, profile, said, "habilitations:profiles")
    return render(request, "habilitations/close_profile.html", {"profile": found})


@require_POST
@for_administrators
def reopen_profile(request: HttpRequest, profile: str) -> HttpResponse:
    found = published.catalog().profiles.get(profile)
    if found is None or not found.closed:
        raise Http404
    said = f"Le profil « {found.label} » est rouvert. Aucune profession n’y mène avant une version."
    return _act(request, actions.reopen_profile, profile, said, "habilitations:profiles")


@require_safe
@for_administrators
def rubrics(request: HttpRequest) -> HttpResponse:
    """The rubrics by group, in the order of a dossier, those withdrawn last. One SQL statement."""
    catalog = published.catalog()
    entries = sorted(catalog.entries.values(), key=lambda entry: entry.rank)
    groups = [
        {"title": title, "entries": [e for e in entries if e.group == group and not e.withdrawn]}
        for group, title in GROUPS.items()
    ]
    context = {"groups": [g for g in groups if g["entries"]], "withdrawn": [e for e in entries if e.withdrawn],
               "count": len(catalog.rubrics)}  # fmt: skip
    return render(request, "habilitations/rubrics.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new_rubric(request: HttpRequest) -> HttpResponse:
    catalog = published.catalog()
    kept = typing.load(request.user, RUBRIC_DRAFT, request.user.pk)
    form = RubricForm(request.POST or None, catalog=catalog, initial=typing.initial(RubricForm, kept))
    if form.is_bound and form.is_valid():
        made = _attempt(form, actions.create_rubric, **form.cleaned_data, **_by(request))
        if made:
            typing.clear(request.user, RUBRIC_DRAFT, request.user.pk)
            messages.success(request, f"La rubrique « {made.label} » est créée. Elle n’ouvre rien avant une version.")
            return redirect(request, "habilitations:rubrics")
    context = _page(form, request, RUBRIC_DRAFT, request.user.pk, kept)
    return render(request, "habilitations/edit_rubric.html", context | {"entry": None}, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit_rubric(request: HttpRequest, rubrique: str) -> HttpResponse:
    catalog = published.catalog()
    found = catalog.entries.get(rubrique)
    if found is None:
        raise Http404
    about = _object(RUBRIC, rubrique)
    kept = typing.load(request.user, RUBRIC_DRAFT, about)
    typed = _stored_rubric(catalog, rubrique) | typing.initial(RubricForm, kept)
    form = RubricForm(request.POST or None, catalog=catalog, code=rubrique, initial=typed)
    if form.is_bound and form.is_valid():
        if _attempt(form, actions.change_rubric, rubrique, **form.cleaned_data, **_by(request)):
            typing.clear(request.user, RUBRIC_DRAFT, about)
            messages.success(request, "La rubrique est à jour.")
            return redirect(request, "habilitations:rubrics")
    context = _page(form, request, RUBRIC_DRAFT, about, kept) | {
        "entry": found, "needed": rubrique in NEVER_WITHDRAWN, "history": _history(RUBRIC, rubrique),
    }  # fmt: skip
    now = published.catalog()
    stored = functools.partial(RubricForm, catalog=now, code=rubrique, initial=_stored_rubric(now, rubrique))
    context |= both_texts(form, now.number, stored, said_in="seen")
    return render(request, "habilitations/edit_rubric.html", context, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def withdraw_rubric(request: HttpRequest, rubrique: str) -> HttpResponse:
    """« Retirer », asked first: who reads it now loses it at the next request."""
    matrix = published.current()
    found = matrix.catalog.entries.get(rubrique)
    if found is None or found.withdrawn:
        raise Http404
    if request.method == "POST":
        said = f"La rubrique « {found.label} » est retirée. Ses données sont gardées."
        return _act(request, actions.withdraw_rubric, rubrique, said, "habilitations:rubrics")
    return render(
        request, "habilitations/withdraw_rubric.html", {"entry": found, "readers": _readers(matrix, rubrique)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def restore_rubric(request: HttpRequest, rubrique: str) -> HttpResponse:
    """« Remettre en usage », asked first: it gives what the version in force says, to whom the page names."""
    matrix = published.current()
    found = matrix.catalog.entries.get(rubrique)
    if found is None or not found.withdrawn:
        raise Http404
    if request.method == "POST":
        reauthentication.require(request, "remettre une rubrique en usage")
        said = f"La rubrique « {found.label} » est de nouveau en usage, selon la version en vigueur."
        return _act(request, actions.restore_rubric, rubrique, said, "habilitations:rubrics")
    return render(
        request, "habilitations/restore_rubric.html", {"entry": found, "readers": _readers(matrix, rubrique)}
    )


def _readers(matrix: Matrix, rubrique: str) -> str:
    """Return the names of the profiles that read a rubric in the version in force, "" for none."""
    found = [code for code in matrix.catalog.profiles if matrix.written(code, rubrique) >= Niveau.LECTURE]
    return ", ".join(f"« {matrix.catalog.profile_name(code)} »" for code in found)


def _before(catalog: Catalog, code: str) -> str:
    """Return the code of the rubric just before this one in its group, "" for the first."""
    entry = catalog.entries[code]
    group = sorted((e for e in catalog.entries.values() if e.group == entry.group), key=lambda e: e.rank)
    place = group.index(entry)
    return group[place - 1].rubrique.value if place else ""


def _stored_profile(catalog: Catalog, code: str) -> dict:
    """Return what the form of a profile holds of what is stored, and of which change it was read."""
    found, codes = catalog.profiles[code], list(catalog.profiles)
    place = codes.index(code)
    return {
        "label": found.label, "gathers": found.gathers, "reduced": found.reduced,
        "after": codes[place - 1] if place else "", "seen": catalog.number,
    }  # fmt: skip


def _stored_rubric(catalog: Catalog, code: str) -> dict:
    found = catalog.entries[code]
    return {
        "label": found.label, "short": "" if found.short == found.label else found.short,
        "description": found.description, "group": found.group, "icon": found.icon, "after": _before(catalog, code),
        "seen": catalog.number,
    }  # fmt: skip


def _history(kind: str, code: str) -> list[dict]:
    """Return the last changes of a line in words. One SQL statement."""
    rows = CatalogChange.objects.filter(kind=kind, code=code).select_related("by").order_by("-number")[:TOLD]
    return [_line(row) for row in rows]


def _line(row: CatalogChange) -> dict:
    moved = [f"{_FIELDS[k]} : « {_said(row.before[k])} » devient « {_said(v)} »" for k, v in row.after.items()
             if k in row.before and row.before[k] != v]  # fmt: skip
    acts = _ACTS if row.kind == PROFILE else _ACTS_ON_RUBRICS
    return {
        "what": acts[row.act], "at": row.at, "by": row.by.get_full_name() if row.by else "le produit",
        "moved": ", ".join(moved),
    }  # fmt: skip


def _said(value) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return GROUPS.get(value, str(value)) if isinstance(value, str) else str(value)


def _object(kind: str, code: str) -> UUID:
    """Return what stands for a line in the drafts of its form."""
    return uuid5(NAMESPACE_OID, f"{kind}:{code}")


def _by(request: HttpRequest) -> dict:
    return {"by": request.user, "via": via_request(request)}


def _attempt(form, act, *args, **said):
    """Do it; a refusal is told beside its field, and nothing typed is lost."""
    try:
        return act(*args, **said)
    except CatalogMoved as refusal:
        keep_conflict(form, refusal)
    except DomainError as refusal:
        field = getattr(refusal, "field", None)
        form.add_error(field if field in form.fields else None, str(refusal))
    return None


def _page(form, request: HttpRequest, key: str, about: UUID, kept) -> dict:
    return {
        "form": form, "here": request.path, "conflict": "", "history": [],
        **typing.shown(key, about, kept and not form.is_bound),
    }  # fmt: skip


def _act(request: HttpRequest, act, code: str, said: str, back: str) -> HttpResponse:
    try:
        act(code, **_by(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect(request, back)
