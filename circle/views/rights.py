"""Habilitation of a member already there: the question again, a refusal withdrawn, a request left."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from circle import actions, duplicates, granting, roles
from circle.forms.access import NO, REFUSAL, REQUEST, YES, HabilitationForm, RefusalForm, WithdrawalForm
from circle.views import answering, lookalikes
from circle.views.pages import (
    attempt,
    draft_initial,
    drafted,
    find_member,
    find_row,
    links_of,
    page,
    show_identity_to_open,
)
from circle.views.sheet import standing_refusal
from circle.views.wording import answer_said, removing_access
from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.htmx import redirect
from coordination.directory.models import Attachment
from coordination.dossiers.door import only_shown, rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.access import trade_of
from habilitations.actions.consents import current, stands
from habilitations.actions.limits import standing
from habilitations.closures import closed_by_the_person
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action, Niveau, Rubrique

OPEN = frozenset({"oui", "attente"})
CONFIRMED = "confirme"
PANEL = "Ce que cette personne verra"
# The button of the question asked again says what it does; « Mettre à jour » while nothing is answered.
SUBMIT = {YES: "Habiliter", REQUEST: "Demander l’habilitation", REFUSAL: "Enregistrer le refus"}
DRAFT, WITHDRAWAL_DRAFT, REFUSAL_DRAFT = "cercle-habilitation", "cercle-retrait-refus", "cercle-refus"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def habilitation(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Habilitation »: oui, non, refus. Closing an access asks once more, with what it closes.

    Only « oui » asks to show one's identity again: closing an access is never delayed by a password (SEC-18).
    """
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    account = _account(found)
    offer = granting.grant_answer(
        found.kind, access=entry.access, activity=found.activity,
        structure=found.structure, user=entry.user, account=account,
    )  # fmt: skip
    asked = {
        "answers": answering.answers(offer),
        "twins": _twins(entry, found),
        # What it rests on already is changed on its own page.
        "asks_sharing": entry.access.may_withdraw_refusal and not stands(current(found.habilitation)),
    }
    if request.method != "POST":
        kept = draft_initial(request, DRAFT, found.pk, HabilitationForm)
        # The answer that the link names is newer than the draft.
        named = {"habilitation": request.GET["reponse"]} if "reponse" in request.GET else {}
        form = HabilitationForm(initial={"seen": actions.read_as(found.habilitation)} | kept | named, **asked)
        return _page(request, entry, row, found, form, offer, kept)
    form = HabilitationForm(request.POST, **asked)
    if form.is_valid():
        if form.wanted == NO and row.state in OPEN and CONFIRMED not in request.POST:
            context = {"row": row, "links": links, "question": removing_access(row.name), "impact": row.access,
                       "is_last": granting.is_last_able_to_grant(entry.dossier.pk, found)}  # fmt: skip
            return only_shown(page(request, entry, "circle/confirm_closing.html", context))
        show_identity_to_open(request, form)
        said = form.cleaned_data
        try:
            changed = attempt(
                form, actions.set_habilitation, entry, found, form.wanted, refusal=said["refusal"],
                duplicate_reason=said["duplicate_reason"], also=form.also, rests=said["rests"],
                seen=said["seen"] or None,
            )  # fmt: skip
        except ChangedMeanwhile as refusal:
            row, found = find_row(entry, member_id), find_member(entry, member_id)
            keep_conflict(form, refusal, "L’habilitation de ce membre a changé pendant votre saisie : relisez-la.")
            changed = None
        if changed is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            told = answer_said(
                changed.habilitation.state, requested=form.is_request, carried=stands(current(changed.habilitation))
            )
            messages.success(request, told or "Habilitation : non. Ce membre reste dans le cercle de soins.")
            return redirect(request, links.sheet)
    return _page(request, entry, row, found, form, offer)


@require_GET
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def preview(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """The panel and the button, for the answer just given (htmx)."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    answer = request.GET.get("habilitation", "")
    context = {"submit": _submit(row, answer)}
    if found.kind == roles.STRUCTURE:
        return render(request, "circle/_delegates_answer.html", context | _delegates(row, found, answer))
    if found.kind != roles.DIRECTORY:
        return render(request, "circle/_submit.html", context)
    shown = _preview(found, answer)
    return render(request, "circle/_preview_answer.html", context | {"preview": shown, "title": PANEL})


def _account(found):
    if found.professional_id is None:
        # Somebody typed by hand has the account that accepted his invitation.
        return found.habilitation.user
    attachment = Attachment.objects.filter(professional=found.professional_id).select_related("user").first()
    return attachment.user if attachment else None


def _page(request, entry, row, found, form, offer, kept: dict | None = None) -> HttpResponse:
    answer = form["habilitation"].value() or ""
    context = both_texts(form, actions.read_as(found.habilitation), said_in="seen") | {
        "row": row,
        "form": form,
        "offer": offer,
        "question": answering.question,
        "whom": {roles.STRUCTURE: "cette structure", roles.PERSON: "cette personne"}.get(
            found.kind, "ce professionnel"
        ),
        "preview": _preview(found, answer) if found.kind == roles.DIRECTORY else None,
        "title": PANEL,
        "submit": _submit(row, answer),
        **_delegates(row, found, answer),
        "oob": False,
        "refusal": standing_refusal(entry, row),
        "may_withdraw": entry.access.may_withdraw_refusal and row.user_id != entry.user.pk,
        "links": links_of(entry.dossier.pk, found.pk),
        "found": _namesakes(entry, found),
        "delegate_twins": duplicates.delegate_namesakes(found),
        "is_last": row.has_access and granting.is_last_able_to_grant(entry.dossier.pk, found),
        **drafted(DRAFT, found.pk, kept),
    }
    return page(request, entry, "circle/habilitation.html", context, status=status_of(form))


def _held_down(found) -> dict:
    """Return what is reduced for this member and what the person closes to him: the preview is what he will see."""
    return standing(found.habilitation) | closed_by_the_person(found.habilitation)


def _preview(found, answer: str) -> dict:
    trade = trade_of(_account(found), found.profession_codes)
    return answering.preview_of(trade, answer, ceilings=_held_down(found))


def _delegates(row, found, answer: str) -> dict:
    is_house = found.kind == roles.STRUCTURE and row.can_sign_in
    return {
        "delegates": answering.delegates_of(found.structure_id) if is_house else [],
        "gives_nothing": answer in (NO, REFUSAL),
    }


def _submit(row, answer: str) -> str:
    """Return the words of the button: what sending this answer does to this member."""
    if answer == NO and row.state in OPEN:
        return "Retirer l’habilitation"
    return SUBMIT.get(answer, "Mettre à jour")


def _twins(entry, found) -> list[tuple[str, str]]:
    """Return (id, words) of the habilitated members who may be this hand-entered one."""

    def words(row, why: str) -> str:
        return ". ".join(filter(None, (row.name, row.second, row.access and row.access.phrase, why.rstrip("."))))

    return [(str(row.id), words(row, why)) for row, why in duplicates.opened_namesakes(entry, found)]


def _namesakes(entry, found) -> list[dict]:
    """Return who, entered by hand, has the name of a member of the directory not yet said to be somebody else."""
    if found.kind != roles.DIRECTORY or found.duplicate_reason:
        return []
    return lookalikes.of_rows(entry, duplicates.typed_namesakes(entry, found.professional))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, object_kwarg="member_id")
def record_refusal(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Noter un refus » in a dossier that is read-only: the one thing written there, since it closes an access."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    if row.ends_on:
        raise Http404
    if not entry.access.may_record_refusal:
        raise NotAllowed
    if row.state == REFUSAL:
        messages.info(request, "Un refus est déjà noté pour ce membre.")
        return redirect(request, links.sheet)
    if entry.abilities["write_cercle"] and request.method != "POST":
        # What was sent just as the dossier was opened again is not lost: the act is the same.
        return redirect(request, f"{links.habilitation}?reponse=refus")
    kept = {} if request.method == "POST" else draft_initial(request, REFUSAL_DRAFT, found.pk, RefusalForm)
    sent = request.POST if request.method == "POST" else None
    form = RefusalForm(sent, initial=kept, twins=_twins(entry, found))
    if form.is_bound and form.is_valid():
        changed = attempt(
            form, actions.record_refusal, entry, found, refusal=form.cleaned_data["refusal"],
            duplicate_reason=form.cleaned_data["duplicate_reason"], also=form.also,
        )  # fmt: skip
        if changed is not None:
            drafts.clear(request.user, REFUSAL_DRAFT, found.pk)
            messages.success(request, answer_said(REFUSAL))
            return redirect(request, links.sheet)
    context = {"row": row, "form": form, "links": links, "delegate_twins": duplicates.delegate_namesakes(found)}
    context |= drafted(REFUSAL_DRAFT, found.pk, kept)
    return page(request, entry, "circle/record_refusal.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.RECORD_REFUSAL, object_kwarg="member_id")
def withdraw_refusal(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Retirer le refus »: dated, and by whom; nothing is opened by it."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    refusal = standing_refusal(entry, row)
    if refusal is None:
        messages.info(request, "Aucun refus n’est en cours pour ce membre.")
        return redirect(request, links.sheet)
    kept = {} if request.method == "POST" else draft_initial(request, WITHDRAWAL_DRAFT, found.pk, WithdrawalForm)
    form = WithdrawalForm(request.POST if request.method == "POST" else None, initial=kept)
    if form.is_bound and form.is_valid():
        reauthentication.require(request, "retirer un refus du patient", reauthentication.DOSSIER)
        changed = attempt(form, actions.set_habilitation, entry, found, NO, withdrawal=form.withdrawal())
        if changed is not None:
            drafts.clear(request.user, WITHDRAWAL_DRAFT, found.pk)
            messages.success(request, "Le refus est retiré. L’accès reste fermé tant que personne ne l’habilite.")
            return redirect(request, links.sheet)
    context = {"row": row, "form": form, "refusal": refusal, "links": links}
    context |= drafted(WITHDRAWAL_DRAFT, found.pk, kept)
    return page(request, entry, "circle/withdraw_refusal.html", context, status=422 if form.is_bound else 200)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER, object_kwarg="member_id")
def request_habilitation(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Demander l'habilitation »: left for those who may grant; who may grant is sent to the question."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    if entry.access.may(Action.GRANT, structure_id=row.structure_id):
        return redirect(request, links.habilitation)
    form = HabilitationForm({})
    form.is_valid()
    if attempt(form, actions.set_habilitation, entry, found, "oui") is None:
        messages.error(request, " ".join(form.errors.get("habilitation", form.non_field_errors())[-1:]))
    else:
        messages.success(request, "Habilitation demandée. Les coordinateurs et médecins du cercle la verront.")
    return redirect(request, links.sheet)
