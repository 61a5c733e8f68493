"""« Rôle et accès »: a professional of the directory enters the circle, in one act and one screen."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from circle import actions, duplicates, granting, roles
from circle.forms.access import AddForm
from circle.models import Member
from circle.views import answering, lookalikes, picking
from circle.views.colleagues import letter_preview
from circle.views.pages import attempt, circle_url, draft_initial, drafted, links_of, page, show_identity_to_open
from circle.views.wording import answer_said, gender_of, handover_said, was_added
from coordination.accounts import drafts
from coordination.common.htmx import redirect
from coordination.common.text import person_name, town_name
from coordination.directory.models import Activity, Attachment
from coordination.directory.search import profession_label
from coordination.dossiers.door import rubric_view
from habilitations.access import trade_of
from habilitations.actions.consents import current, stands
from habilitations.rubriques import Action, Niveau, Rubrique

LOOK = "aperçu"


@dataclass(frozen=True)
class Candidate:
    """A professional of the directory at one place of work, and the account behind, if any."""

    activity: Activity
    account: object | None
    pair: tuple[str, str]

    @property
    def professional(self):
        return self.activity.professional

    @property
    def name(self) -> str:
        return person_name(self.professional.family_name, self.professional.given_name)

    @property
    def feminine(self) -> bool | None:
        return gender_of(self.professional.civility)

    @property
    def trade(self) -> str:
        place = self.activity
        return profession_label(
            place.profession, place.speciality, feminine=bool(self.feminine), fonction=place.fonction
        )

    @property
    def second(self) -> str:
        return ", ".join(filter(None, (self.trade, self.activity.structure_name, town_name(self.activity.town))))

    @property
    def draft_key(self) -> str:
        return f"cercle-{self.professional.pk.hex}"

    @property
    def ceased(self) -> bool:
        return bool(self.activity.ceased_at or self.professional.ceased_at)


def find_candidate(target_id: UUID) -> Candidate:
    """Return the candidate of an activity id, or of a professional id (his latest known place). Raises Http404."""
    rows = Activity.objects.select_related("professional", "structure")
    activity = rows.filter(pk=target_id).first()
    if activity is None:
        activity = rows.filter(professional_id=target_id).latest_first().first()
    if activity is None:
        raise Http404
    attachment = Attachment.objects.filter(professional=activity.professional_id).select_related("user").first()
    account = attachment.user if attachment else None
    return Candidate(activity, account, trade_of(account, (activity.profession, activity.fonction)))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER)
def add_professional(request: HttpRequest, entry, target_id: UUID) -> HttpResponse:
    """Role, habilitation, description: the whole act on one page."""
    who = find_candidate(target_id)
    if (already := _present(entry, who)) and request.method != "POST":
        messages.info(request, f"{who.name} est déjà dans le cercle de soins.")
        return redirect(request, links_of(entry.dossier.pk, already).sheet)
    offer = _offer(entry, who)
    form, kept = _form(request, entry, who, offer)
    if form.is_bound and form.is_valid():
        show_identity_to_open(request, form)
        invited = _invitation(form)
        if invited and (too_many := ratelimit.consume_or_429(request, action="invitations")):
            return too_many
        member = attempt(form, _add, entry, who, form)
        if member is not None:
            drafts.clear(request.user, who.draft_key, entry.dossier.pk)
            said = answer_said(
                member.habilitation.state, requested=form.is_request, carried=stands(current(member.habilitation))
            )
            said = "Invitation envoyée." if invited else said
            sentences = (was_added(who.name, who.feminine), handover_said(form, who.name), said)
            messages.success(request, " ".join(filter(None, sentences)))
            return redirect(request, circle_url(entry))
    return _page(request, entry, who, form, offer, kept)


@require_GET
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER)
def preview(request: HttpRequest, entry, target_id: UUID) -> HttpResponse:
    """The panel and the button, for the answer just given (htmx)."""
    who = find_candidate(target_id)
    answer = request.GET.get("habilitation", "")
    context = {
        "preview": answering.preview_of(who.pair, answer, waits=who.account is None),
        "submit": answering.SUBMIT.get(answer, answering.SUBMIT["non"]),
        "title": "Ce que cette personne verra",
    }
    return render(request, "circle/_preview_answer.html", context)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.INVITE, action=LOOK)
def preview_letter(request: HttpRequest, entry, target_id: UUID) -> HttpResponse:
    """The letter as it will leave and the words of the button, while one types (htmx). An address is typed: POST."""
    who = find_candidate(target_id)
    said = {name: request.POST.get(name, "") for name in ("habilitation", "invitation_email", "invitation_message")}
    context = {
        "letter": letter_preview(request, said["invitation_message"], to_a_dossier=True),
        "submit": _submit(who, said["habilitation"], said["invitation_email"]),
    }
    return render(request, "circle/_letter_answer.html", context)


def _submit(who: Candidate, answer: str, email: str) -> str:
    """Return the words of the button: what will be done."""
    said = answering.SUBMIT.get(answer, answering.SUBMIT["non"])
    return answering.INVITING.get(answer, said) if email.strip() and who.account is None else said


def _invitation(form: AddForm) -> dict | None:
    return form.invitation() if "invitation_email" in form.fields else None


def _offer(entry, who: Candidate) -> granting.GrantAnswer:
    return granting.grant_answer(
        roles.DIRECTORY, access=entry.access, activity=who.activity, user=entry.user, account=who.account
    )  # fmt: skip


def _form(request: HttpRequest, entry, who: Candidate, offer) -> AddForm:
    offered = {
        "picker": picking.picker(
            entry, kind=roles.DIRECTORY, profession=who.activity.profession, fonction=who.activity.fonction,
            feminine=who.feminine, words=who.trade,
        ),
        "answers": answering.answers(offer),
        "can_invite": who.account is None and entry.access.may(Action.INVITE),
        "asks_sharing": entry.access.may_withdraw_refusal,
    }  # fmt: skip
    if request.method == "POST":
        return AddForm(request.POST, **offered), {}
    known = {"starts_on": timezone.localdate(), "invitation_email": who.professional.email}
    kept = draft_initial(request, who.draft_key, entry.dossier.pk, AddForm)
    return AddForm(initial=known | kept, **offered), kept


def _add(entry, who: Candidate, form: AddForm) -> Member:
    said = form.cleaned_data
    return actions.add_professional(
        entry,
        professional=who.professional,
        activity=who.activity,
        role=said["role"],
        wanted=form.wanted,
        refusal=said["refusal"],
        description=said["description"],
        discreet=said["discreet"],
        handover=said["handover"],
        starts_on=said["starts_on"],
        duplicate_reason=said["duplicate_reason"],
        rests=said["rests"],
        invitation=_invitation(form),
        creation_key=said["creation_key"],
    )


def _present(entry, who: Candidate) -> UUID | None:
    rows = Member.objects.rows(entry)
    return next((row.id for row in rows if row.professional_id == who.professional.pk), None)


def _page(request, entry, who: Candidate, form: AddForm, offer, kept: dict) -> HttpResponse:
    answer = form["habilitation"].value() or ""
    can_invite = "invitation_email" in form.fields
    context = {
        "who": who,
        "form": form,
        "newcomer": who.name,
        "offer": offer,
        "found": lookalikes.of_rows(entry, duplicates.typed_namesakes(entry, who.professional)),
        "question": answering.question,
        "role_options": picking.options,
        "preview": answering.preview_of(who.pair, answer, waits=who.account is None),
        "preview_url": reverse("circle:preview", args=[entry.dossier.pk, who.activity.pk]),
        "submit": _submit(who, answer, (can_invite and form["invitation_email"].value()) or ""),
        "can_invite": can_invite,
        "letter": letter_preview(request, form["invitation_message"].value() or "", to_a_dossier=True)
        if can_invite
        else None,
        "letter_url": reverse("circle:preview_letter", args=[entry.dossier.pk, who.activity.pk]),
        **drafted(who.draft_key, entry.dossier.pk, kept),
        "search_url": reverse("circle:add", args=[entry.dossier.pk]),
    }
    return page(request, entry, "circle/add_professional.html", context, status=form.http_status)
