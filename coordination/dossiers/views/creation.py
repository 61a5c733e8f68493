"""Opening a dossier for a new person: search first, then one form, once."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts import drafts
from coordination.common.dates import InvalidDate, parse_birth_date
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers import door, opening
from coordination.dossiers.forms import CreationForm
from coordination.dossiers.lookalikes import Lookalikes, find_lookalikes
from coordination.dossiers.views.suggestions import find_structure, own_structure
from habilitations import access, traces

DRAFT = "creer-dossier"
CREATION = "création"


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The creation page: the form, or the dossier it made."""
    if not access.may_create_dossier(request.user):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, _empty_form(request))
    if too_many := ratelimit.consume_or_429(request, action="lookalikes"):
        return too_many
    form = CreationForm(request.POST, find_structure=find_structure)
    lookalikes = _lookalikes(request)
    if form.is_valid():
        try:
            dossier = _open(request, form)
        except DomainError as error:
            form.refuse(error)
        else:
            drafts.clear(request.user, DRAFT, request.user.pk)
            messages.success(request, "Le dossier est ouvert. Vous êtes dans le cercle de soins.")
            return redirect(request, "dossiers:home", dossier.pk)
    return _page(request, form, lookalikes, status=form.http_status)


@require_POST
def lookalikes(request: HttpRequest) -> HttpResponse:
    """The fragment shown while one types: dossiers that may be the same person's."""
    if not access.may_create_dossier(request.user):
        raise PermissionDenied
    if too_many := ratelimit.consume_or_429(request, action="lookalikes"):
        return too_many
    return render(
        request,
        "dossiers/_lookalikes.html",
        {"lookalikes": _lookalikes(request), "bf": CreationForm(find_structure=find_structure)["duplicate_reason"]},
    )


@transaction.atomic
def _open(request: HttpRequest, form: CreationForm):
    """Make the dossier and the first line of its journal together."""
    dossier = opening.open_dossier(
        by=request.user,
        traits=form.traits(),
        contacts=form.contacts(),
        motif=form.cleaned_data["motif"],
        referent_structure=form.cleaned_data["structure"],
        duplicate_reason=form.cleaned_data["duplicate_reason"],
        creation_key=form.cleaned_data["creation_key"],
    )
    door.enter(request.user, dossier.pk, None, action=CREATION, via=traces.via_request(request))
    return dossier


def _lookalikes(request: HttpRequest) -> Lookalikes:
    """Look for the person as typed so far; nothing is looked for without a name and a date."""
    name = request.POST.get("birth_name", "").strip()
    try:
        born = parse_birth_date(request.POST.get("birth_date"))
    except InvalidDate:
        return Lookalikes()
    if not name:
        return Lookalikes()
    used = request.POST.get("used_name", "").strip()
    found = find_lookalikes(
        by=request.user, birth_name=name, birth_date=born.date, birth_date_precision=born.precision, used_name=used
    )
    traces.record_account(
        user=request.user,
        action="recherche",
        object_kind="dossier",
        count=len(found.visible) + found.hidden_count,
        via=traces.via_request(request),
    )
    return found


def _empty_form(request: HttpRequest) -> CreationForm:
    kept = drafts.load(request.user, DRAFT, request.user.pk)
    structure = own_structure(request.user)
    initial = {"identity_status": "PROV"}
    if structure:
        initial |= {"referent_structure": str(structure.pk), "referent_structure_texte": structure.name}
    typed = drafts.initial(CreationForm, kept)
    initial |= {name: value for name, value in typed.items() if name not in ("creation_key", "duplicate_reason")}
    return CreationForm(initial=initial, find_structure=find_structure)


def _page(request, form: CreationForm, found: Lookalikes | None = None, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "lookalikes": found or Lookalikes(),
        **drafts.shown(DRAFT, request.user.pk, not form.is_bound and "birth_name" in form.initial),
    }
    return render(request, "dossiers/create.html", context, status=status)
