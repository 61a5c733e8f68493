"""« Inviter par e-mail » a member already in the circle, who has no account yet."""

from __future__ import annotations

from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from circle import actions
from circle.forms.invitations import InviteForm
from circle.views.colleagues import letter_preview
from circle.views.drawing import NON, can_be_invited, may_grant
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
from coordination.accounts import drafts
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from habilitations.actions.consents import current, stands
from habilitations.rubriques import Action, Niveau, Rubrique

DRAFT = "cercle-inviter"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.INVITE, object_kwarg="member_id")
def invite_member(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """The address and a few words; habilitates in the same act who was not, and asks then who is there again."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    if row.ends_on or not can_be_invited(row, entry):
        messages.info(request, "Ce membre ne s’invite pas : il a un compte, ou son accès est fermé.")
        return redirect(request, links.sheet)
    if request.method != "POST" and found.invitations.valid().exists():
        messages.info(request, "Une invitation attend déjà la réponse de cette personne.")
        return redirect(request, links.sheet)
    kept = {} if request.method == "POST" else draft_initial(request, DRAFT, found.pk, InviteForm)
    known = {"invitation_email": found.email or (found.professional.email if found.professional else "")}
    # Who only asks for the habilitation says nothing of what it would rest on.
    grants = row.state == NON and not row.requested and may_grant(row, entry)
    asks = grants and entry.access.may_withdraw_refusal and not stands(current(found.habilitation))
    sent = request.POST if request.method == "POST" else None
    form = InviteForm(sent, initial=known | kept, asks_sharing=asks)
    if form.is_bound and form.is_valid():
        show_identity_to_open(request, form)
        if too_many := ratelimit.consume_or_429(request, action="invitations"):
            return too_many
        said = form.invitation() | {"rests": form.cleaned_data["rests"]}
        if attempt(form, actions.invite_present, entry, found, **said) is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, "Invitation envoyée.")
            return redirect(request, links.sheet)
    context = {"row": row, "form": form, "links": links}
    context["letter"] = letter_preview(request, form["invitation_message"].value() or "", to_a_dossier=True)
    context |= drafted(DRAFT, found.pk, kept)
    return page(request, entry, "circle/invite_member.html", context, status=422 if form.is_bound else 200)
