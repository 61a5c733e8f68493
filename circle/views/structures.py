"""« Ajouter ou habiliter une structure »: search, choose, one form; or by hand."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from circle import actions, granting, roles
from circle.forms.access import NO, REFUSAL, AddForm
from circle.forms.structures import ManualStructureForm, StructureSearchForm
from circle.models import Member
from circle.views import answering, options, picking
from circle.views.adding import SEARCH, TOO_SHORT
from circle.views.pages import attempt, circle_url, draft_initial, drafted, links_of, page, show_identity_to_open
from circle.views.wording import answer_said, handover_said, was_added
from coordination.accounts import drafts
from coordination.common import nomenclatures
from coordination.common.french import plural
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.common.text import fold, town_name
from coordination.directory.models import Source, Structure
from coordination.directory.search import search
from coordination.directory.search.options import no_such_place
from coordination.dossiers.door import rubric_view
from habilitations.actions import same_structures
from habilitations.actions.consents import current, stands
from habilitations.models import Delegate, LegalStructure
from habilitations.rubriques import Action, Niveau, Rubrique

MANUAL_DRAFT = "cercle-structure"
SUBMIT = {
    "oui": "Ajouter et habiliter la structure",
    NO: "Ajouter au cercle de soins",
    "demande": "Ajouter et demander l’habilitation",
    REFUSAL: "Ajouter et noter le refus",
}
FOR_INFORMATION = "Non, pour information"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER, action=SEARCH)
def add_structure(request: HttpRequest, entry) -> HttpResponse:
    """The search of a structure, its catégorie and code postal; results show which ones can sign in."""
    asked = request.POST.copy()
    if "sans_lieu" in asked:
        asked["postal_code"] = ""
    form = StructureSearchForm(asked or None)
    context = {"form": form, "results": None, "status": "", "others": 0, "unknown_place": ""}
    if form.is_bound and form.is_valid():
        context |= _found(entry, form.cleaned_data, everything=bool(asked.get("tous")))
    if is_fragment(request):
        return vary_on_htmx(render(request, "circle/_structure_results.html", context | {"dossier": entry.dossier}))
    return vary_on_htmx(page(request, entry, "circle/add_structure.html", context))


def _found(entry, asked: dict, *, everything: bool) -> dict:
    if len(fold(asked["q"])) < 2 and not (asked["category"] or asked["postal_code"]):
        return {"results": [], "status": TOO_SHORT}
    found = search(
        asked["q"],
        category=asked["category"] or None,
        place=asked["postal_code"] or None,
        near=entry.dossier.postal_code or None,
        limit=options.ALL if everything else options.ENOUGH,
        kinds=("structure",),
    )
    if found.unknown_place:
        said = no_such_place(found.unknown_place)
        return {"results": [], "status": said, "unknown_place": found.unknown_place}
    group = found.structures
    members = {row.structure_id: row for row in Member.objects.rows(entry) if row.kind == roles.STRUCTURE}
    delegates = delegate_counts([result.id for result in group.results])
    rows = [_result(entry, result, members.get(result.id), delegates) for result in group.results]
    if not rows:
        return {"results": [], "status": "Aucun résultat. Vous pouvez saisir la structure manuellement."}
    counted = f"Plus de {group.total}" if group.is_more_than_counted else group.total
    said = f"{counted} structure{'s' if group.total > 1 else ''}."
    return {"results": rows, "status": said, "others": group.others}


def delegate_counts(structure_ids: list[UUID]) -> dict[UUID, int]:
    """Return {structure id: number of delegates} of those that can sign in; the others are absent."""
    opened = LegalStructure.objects.filter(structure__in=structure_ids, closed_at=None)
    counts = dict.fromkeys(opened.values_list("structure_id", flat=True), 0)
    for structure_id in Delegate.objects.current().filter(structure__in=counts).values_list("structure_id", flat=True):
        counts[structure_id] += 1
    return counts


def connects(count: int | None) -> str:
    """Return the words of the column « Peut se connecter »."""
    if count is None:
        return FOR_INFORMATION
    return f"Oui, {plural(count, 'délégué')}" if count else "Oui, aucun délégué"


def _result(entry, result, member, delegates: dict) -> dict:
    number = f"FINESS {result.finess}" if result.finess else "créée pour la coordination" if result.is_local else ""
    dossier_id = entry.dossier.pk
    chosen = links_of(dossier_id, member.id).sheet if member else None
    return {
        "name": options.highlighted(result.name, result.name_marks),
        "second": ", ".join(filter(None, (result.category_label, result.town, number))),
        "connects": connects(delegates.get(result.id)),
        "ceased": result.ceased,
        "href": chosen or reverse("circle:choose_structure", args=[dossier_id, result.id]),
        "label": options.MEMBER if member else options.CHOOSE_STRUCTURE,
        "plain": result.name,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER)
def choose_structure(request: HttpRequest, entry, structure_id: UUID) -> HttpResponse:
    """Habilitation, role and description of the structure chosen, its delegates in view."""
    structure = get_object_or_404(Structure.objects.select_related("merged_into"), pk=structure_id)
    structure = structure.merged_into or structure
    same = set(same_structures(structure.pk))
    here = next((r for r in Member.objects.rows(entry) if r.kind == roles.STRUCTURE and r.structure_id in same), None)
    if here and request.method != "POST":
        messages.info(request, f"{structure.name} est déjà dans le cercle de soins.")
        return redirect(request, links_of(entry.dossier.pk, here.id).sheet)
    if is_fragment(request):
        answer = request.GET.get("habilitation", "")
        return render(request, "circle/_submit.html", {"submit": SUBMIT.get(answer, SUBMIT[NO])})
    offer = granting.grant_answer(roles.STRUCTURE, access=entry.access, structure=structure, user=entry.user)
    form, kept = _form(request, entry, structure, offer)
    if form.is_bound and form.is_valid():
        show_identity_to_open(request, form)
        member = attempt(form, _add, entry, structure, form)
        if member is not None:
            drafts.clear(request.user, _draft(structure), entry.dossier.pk)
            state = member.habilitation.state
            carried = stands(current(member.habilitation))
            said = answer_said(state, requested=form.is_request, carried=carried)
            said = _delegates_in() if state == "oui" and carried else said
            sentences = (was_added(structure.name, None), handover_said(form, structure.name), said)
            messages.success(request, " ".join(filter(None, sentences)))
            return redirect(request, circle_url(entry))
    return _page(request, entry, structure, form, offer, kept)


def _delegates_in() -> str:
    return "Ses délégués peuvent ouvrir le dossier, chacun selon sa profession."


def _draft(structure: Structure) -> str:
    return f"cercle-{structure.pk.hex}"


def _form(request, entry, structure: Structure, offer) -> tuple[AddForm, dict]:
    offered = {
        "picker": picking.picker(entry, kind=roles.STRUCTURE, required=False),
        "answers": answering.answers(offer),
        "asks_sharing": entry.access.may_withdraw_refusal,
    }
    if request.method == "POST":
        return AddForm(request.POST, **offered), {}
    kept = draft_initial(request, _draft(structure), entry.dossier.pk, AddForm)
    return AddForm(initial={"starts_on": timezone.localdate()} | kept, **offered), kept


def _add(entry, structure: Structure, form: AddForm) -> Member:
    said = form.cleaned_data
    return actions.add_structure(
        entry,
        structure=structure,
        role=said["role"],
        wanted=form.wanted,
        refusal=said["refusal"],
        description=said["description"],
        discreet=said["discreet"],
        handover=said["handover"],
        starts_on=said["starts_on"],
        rests=said["rests"],
        creation_key=said["creation_key"],
    )


def _page(request, entry, structure: Structure, form: AddForm, offer, kept: dict) -> HttpResponse:
    counts = delegate_counts([structure.pk])
    answer = form["habilitation"].value() or ""
    many = offer.delegates or counts.get(structure.pk, 0)
    context = {
        "structure": structure,
        "second": ", ".join(filter(None, (
            nomenclatures.label("categorie_etablissement", structure.category) or "",
            town_name(structure.town),
            f"FINESS {structure.finess}" if structure.finess
            else "créée pour la coordination" if structure.source == Source.LOCAL else "",
        ))),
        "connects": connects(counts.get(structure.pk)),
        "delegates": answering.delegates_of(structure.pk) if structure.pk in counts else [],
        "form": form,
        "offer": offer,
        "question": answering.question,
        "yes": _opens(many),
        "handover_sentence": picking.handover_sentence,
        "submit": SUBMIT.get(answer, SUBMIT[NO]),
        **drafted(_draft(structure), entry.dossier.pk, kept),
        "search_url": reverse("circle:add_structure", args=[entry.dossier.pk]),
    }  # fmt: skip
    return page(request, entry, "circle/choose_structure.html", context, status=form.http_status)


def _opens(many: int) -> str:
    if many > 1:
        return f"Les {many} délégués ouvrent le dossier, chacun selon sa profession. Il entre dans leur file active."
    if many == 1:
        return "Son délégué ouvre le dossier, selon sa profession. Il entre dans sa file active."
    return "Elle n’a encore aucun délégué : ceux qui viendront ouvriront le dossier, chacun selon sa profession."


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER)
def add_structure_manually(request: HttpRequest, entry) -> HttpResponse:
    """« Ajout manuel de structure »: every field of SPICO's form."""
    offered = {"roles": [(role.code, role.label) for role in roles.likely(roles.STRUCTURE)]}
    kept: dict = {}
    if request.method == "POST":
        form = ManualStructureForm(request.POST, **offered)
        if form.is_valid():
            member = attempt(form, _add_by_hand, entry, form)
            if member is not None:
                drafts.clear(request.user, MANUAL_DRAFT, entry.dossier.pk)
                messages.success(request, was_added(form.cleaned_data["name"], None))
                return redirect(request, circle_url(entry))
    else:
        kept = draft_initial(request, MANUAL_DRAFT, entry.dossier.pk, ManualStructureForm)
        form = ManualStructureForm(initial=kept, **offered)
    context = {
        "form": form,
        "search_url": reverse("circle:add_structure", args=[entry.dossier.pk]),
        **drafted(MANUAL_DRAFT, entry.dossier.pk, kept),
    }
    return page(request, entry, "circle/add_structure_manually.html", context, status=form.http_status)


def _add_by_hand(entry, form: ManualStructureForm) -> Member:
    said = form.cleaned_data
    return actions.add_manual_structure(
        entry,
        fields=form.fields_of_structure(),
        role=said["role"],
        description=said["description"],
        creation_key=said["creation_key"],
    )
