"""Identité et droits: the whole identity, its changes, and how the person is reached."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coordination.accounts import drafts
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers import actions, places
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.forms import ContactsForm, IdentityEditForm, contacts_initial, identity_initial
from coordination.dossiers.history import former_identities
from coordination.dossiers.lookalikes import is_found_otherwise, lookalikes_of
from coordination.dossiers.models import Dossier
from coordination.dossiers.presenters import contacts_lines, differences, identity_lines
from coordination.dossiers.strip import identity_tags, strip_and_nav
from coordination.dossiers.views.suggestions import find_structure
from habilitations import access, traces
from habilitations.rubriques import Action, Niveau, Rubrique

ALIKE = (
    "Un autre dossier porte le même nom et la même date de naissance (ou une date incomplète) : vérifiez que ce n’est "
    "pas la même personne, sinon cochez « Homonyme connu »."
)
# {template: the key under which what is being typed is kept}.
DRAFTS = {"dossiers/identity_form.html": "dossier-identite", "dossiers/contacts_form.html": "dossier-coordonnees"}


@require_safe
@rubric_view(Rubrique.IDENTITE)
def show(request: HttpRequest, entry) -> HttpResponse:
    """« Identité et droits »: the identity, the contacts, the former identities."""
    dossier = entry.dossier
    context = strip_and_nav(entry, Rubrique.IDENTITE) | {
        "identity_lines": identity_lines(dossier),
        "contacts_lines": contacts_lines(dossier),
        "tags": identity_tags(dossier),
        "history": former_identities(entry),
        "may_write": entry.access.can_write(Rubrique.IDENTITE),
        "may_export": entry.access.may(Action.EXPORT_DOSSIER),
    }
    return render(request, "dossiers/identity.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.IDENTITE, Niveau.ECRITURE)
def edit(request: HttpRequest, entry) -> HttpResponse:
    """Change the identity, from a draft if there is one."""
    dossier = entry.dossier
    stored = {
        "current_status": dossier.identity_status,
        "born_at": places.Place(dossier.birth_place, dossier.birth_place_code),
    }
    if request.method != "POST":
        template = "dossiers/identity_form.html"
        kept = _being_typed(request, entry, template, IdentityEditForm)
        form = IdentityEditForm(initial=kept or identity_initial(dossier), **stored)
        return _form_page(request, entry, form, template, draft_found=bool(kept))
    form = IdentityEditForm(request.POST, **stored)
    return _save(
        request,
        entry,
        form,
        "dossiers/identity_form.html",
        lambda: form.traits(),
        lambda traits: _write_identity(request, dossier, form.cleaned_data["version"], traits),
    )


def _write_identity(request: HttpRequest, dossier: Dossier, version: int, traits: dict) -> None:
    """Write it, and warn of somebody else whom the person may now be taken for (INS-7).

    Traced and counted as while one creates: names are not tried one after the other to learn who is followed. Of a
    dossier that one may not open only who may create one, and would be told then, is told.
    """
    written = actions.update_identity(dossier, by=request.user, version=version, traits=traits)
    if not is_found_otherwise(dossier, written) or not ratelimit.consume(request, action="lookalikes"):
        return
    found = lookalikes_of(written, by=request.user)
    told = len(found.visible)
    if found.hidden_count and access.may_create_dossier(request.user):
        told += found.hidden_count
    via = traces.via_request(request)
    traces.record_account(user=request.user, action="recherche", object_kind="dossier", count=told, via=via)
    if told:
        messages.warning(request, ALIKE)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.IDENTITE, Niveau.ECRITURE)
def edit_contacts(request: HttpRequest, entry) -> HttpResponse:
    """Change how the person is reached, the motif or the structure référente."""
    dossier = entry.dossier
    known = {
        "find_structure": find_structure,
        "lives_at": places.Place(dossier.town, dossier.commune_code, dossier.postal_code),
    }
    if request.method != "POST":
        template = "dossiers/contacts_form.html"
        kept = _being_typed(request, entry, template, ContactsForm)
        form = ContactsForm(initial=kept or contacts_initial(dossier), **known)
        return _form_page(request, entry, form, template, draft_found=bool(kept))
    form = ContactsForm(request.POST, **known)
    return _save(
        request,
        entry,
        form,
        "dossiers/contacts_form.html",
        lambda: (
            form.contacts()
            | {"motif": form.cleaned_data["motif"], "referent_structure": form.cleaned_data["structure"]}
        ),
        lambda said: actions.update_contacts(
            dossier, by=request.user, version=form.cleaned_data["version"], contacts=said
        ),
    )


def _save(request, entry, form, template: str, read, write) -> HttpResponse:
    """Save what `read` gives; a refusal or a change by someone else comes back with what was typed."""
    if not form.is_valid():
        return _form_page(request, entry, form, template, status=422)
    said = read()
    try:
        write(said)
    except ChangedMeanwhile as conflict:
        return _conflict_page(request, entry, form, template, conflict, said)
    except DomainError as error:
        form.refuse(error)
        return _form_page(request, entry, form, template, status=422)
    drafts.clear(request.user, DRAFTS[template], entry.dossier.pk)
    messages.success(request, "Les modifications sont enregistrées.")
    return redirect(request, "dossiers:identity", entry.dossier.pk)


def _being_typed(request, entry, template: str, form_class) -> dict:
    """Return the draft, with the version its author had read: what others changed since will be compared, not lost."""
    return drafts.initial(form_class, drafts.load(request.user, DRAFTS[template], entry.dossier.pk))


def _conflict_page(request, entry, form, template: str, conflict: ChangedMeanwhile, said: dict) -> HttpResponse:
    """Show both texts (REL-11); saving again replaces the other's knowingly."""
    form.data = form.data.copy()
    form.data["version"] = str(conflict.version)
    context = {"conflict": conflict, "differences": differences(said, conflict.current)}
    return _form_page(request, entry, form, template, status=409, **context)


def _form_page(request, entry, form, template: str, *, status: int = 200, **context) -> HttpResponse:
    said = {
        "form": form,
        "conflict": None,
        "differences": [],
        "draft_url": reverse("accounts:draft", args=[DRAFTS[template], entry.dossier.pk]),
        "draft_found": False,
    } | context
    return render(request, template, strip_and_nav(entry, Rubrique.IDENTITE) | said, status=status)
