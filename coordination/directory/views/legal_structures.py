"""« Structures »: which ones enter dossiers through their delegates, and who these are. For administrators.

Dossiers are counted, never named: an administrator sees none by being one (rule 10).
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import reauthentication
from coordination.common.errors import DomainError
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.directory.models import Structure
from coordination.directory.search import options, search
from habilitations import actions
from habilitations.models import Delegate, LegalStructure, VouchedProfession
from habilitations.traces import record_account, via_request
from habilitations.views import naming
from habilitations.views.board import for_administrators

PER_PAGE = 50
SHOWN = 8


@require_safe
@for_administrators
def legal_structures(request: HttpRequest) -> HttpResponse:
    """The structures allowed, then those that are no more, by name."""
    start = _last_seen(request.GET.get("apres", ""))
    rows = LegalStructure.objects.with_counts().select_related("structure").order_by("structure__name", "pk")
    found = list(rows.after(start)[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    context = {
        "rows": shown, "started": start is not None,
        "next_url": f"{request.path}?apres={shown[-1].pk}" if len(found) > PER_PAGE else "",
    }  # fmt: skip
    return render(request, "directory/legal_structures.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def allow(request: HttpRequest) -> HttpResponse:
    """Search the directory for the structure to allow. Opens nothing."""
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    groups, status = _found(typed) if typed else ([], "")
    context = {"groups": groups, "status": status, "typed": typed, "here": request.path}
    template = "directory/_results.html" if is_fragment(request) else "directory/allow_structure.html"
    return vary_on_htmx(render(request, template, context))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def legal_structure(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """One structure: since when, its delegates, how many dossiers. POST allows it."""
    if request.method == "POST":
        return _open(request, structure_id)
    return _page(request, _legal(structure_id), naming.Search())


def _open(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    reauthentication.require(request, "autoriser une structure")
    structure = get_object_or_404(Structure.objects.select_related("merged_into"), pk=structure_id)
    structure = structure.merged_into or structure
    actions.open_structure(structure, by=request.user, via=via_request(request))
    messages.success(request, f"{structure.name} entre par ses délégués dans les dossiers où elle est habilitée.")
    return redirect(request, "administration:legal_structure", structure.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def close(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """« Fermer »: asked first. It closes, so nobody is asked again who he is."""
    legal = _legal(structure_id)
    if request.method == "POST":
        actions.close_structure(legal.structure, by=request.user, via=via_request(request))
        messages.success(request, f"{legal.structure.name} n’entre plus dans aucun dossier.")
        return redirect(request, "administration:legal_structure", legal.pk)
    if legal.closed_at:
        return redirect(request, "administration:legal_structure", legal.pk)
    return render(request, "directory/close_structure.html", {"legal": legal})


@require_POST
@for_administrators
def name_delegate(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """Look for an account by its exact name or address, then name it."""
    legal = _legal(structure_id)
    user = naming.chosen(request, vouched=True)
    if user is not None:
        return _name(request, legal, user)
    asked = naming.look_for(request, vouched=True)
    return asked.refusal or _page(request, legal, asked)


def _name(request: HttpRequest, legal: LegalStructure, user) -> HttpResponse:
    reauthentication.require(request, "nommer un délégué")
    try:
        actions.add_delegate(legal.structure, user, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{user.get_full_name()} agit pour cette structure, selon sa profession.")
    return redirect(request, "administration:legal_structure", legal.pk)


@require_POST
@for_administrators
def end_delegate(request: HttpRequest, structure_id: UUID, delegate_id: UUID) -> HttpResponse:
    """« Terminer »: the dossiers of the structure are closed to this person at the next request."""
    rows = Delegate.objects.standing().filter(structure=structure_id).select_related("user")
    delegate = get_object_or_404(rows, pk=delegate_id)
    actions.end_delegate(delegate, by=request.user, via=via_request(request))
    messages.success(request, f"{delegate.user.get_full_name()} n’agit plus pour cette structure.")
    return redirect(request, "administration:legal_structure", structure_id)


def _legal(structure_id: UUID) -> LegalStructure:
    rows = LegalStructure.objects.with_counts().select_related("structure", "opened_by")
    return get_object_or_404(rows, pk=structure_id)


def _page(request: HttpRequest, legal: LegalStructure, asked: naming.Search) -> HttpResponse:
    standing = list(
        Delegate.objects.standing().filter(structure=legal.pk).select_related("user", "started_by").order_by("pk")
    )
    users = [delegate.user_id for delegate in standing]
    hats = {row.user_id: row for row in VouchedProfession.objects.current().filter(user__in=users)}
    delegates = [
        naming.described(one.user, hats.get(one.user_id))
        | {
            "since": one.started_at, "by": one.started_by.get_full_name() if one.started_by else "",
            "closed": not one.user.is_active,
            "end_url": reverse("administration:end_delegate", args=[legal.pk, one.pk]),
        }
        for one in standing
    ]  # fmt: skip
    record_account(
        user=request.user, action="liste", object_kind="délégués", object_id=legal.pk, count=len(delegates),
        via=via_request(request),
    )  # fmt: skip
    context = {"legal": legal, "delegates": delegates, "asked": asked}
    return render(request, "directory/legal_structure.html", context)


def _found(typed: str) -> tuple[list[dict], str]:
    found = search(typed, limit=SHOWN, kinds=("structure",))
    shown = [options.of_structure(result, _choice) for result in found.structures.results if not result.ceased]
    if not shown:
        return [], "Aucun résultat."
    group = {"id": "groupe-structures", "label": "Annuaire des structures", "options": shown}
    return [group], options.sentence(found)


def _choice(result) -> options.Option:
    address = reverse("administration:legal_structure", args=[result.id])
    return {"action": address, "fields": {}, "action_label": "Autoriser cette structure"}


def _last_seen(said: str) -> Structure | None:
    try:
        return Structure.objects.filter(pk=UUID(said)).only("pk", "name").first()
    except ValueError:
        return None
