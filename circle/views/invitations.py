"""« Invitations »: what one sent, and what was sent for one's structure; followed, sent again, revoked, confirmed."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from circle import actions, tracking
from circle.errors import OtherProfession, ProfessionToChoose
from circle.forms.access import YES
from circle.forms.invitations import ProfessionForm, ResendForm, RightsForm
from circle.models import Invitation
from circle.views import answering
from circle.views.pages import links_of
from coordination.accounts import drafts, reauthentication
from coordination.accounts.decorators import recently_authenticated
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.common.pagination import paginate
from coordination.dossiers import door
from coordination.dossiers.errors import DossierUnknown
from coordination.dossiers.models import Dossier
from habilitations.access import HIMSELF, Access, held_by
from habilitations.actions.limits import standing
from habilitations.closures import closed_by_the_person
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.models import Outcome
from habilitations.rubriques import Action, Rubrique
from habilitations.traces import record_account, via_request

PER_PAGE = 25
RESEND_DRAFT = "invitation-renvoi"
FILTERS = {
    "": ("Toutes", lambda rows: rows),
    "attente": ("En attente", lambda rows: rows.valid()),
    "non-remises": ("Non remises", lambda rows: rows.undelivered()),
    "a-confirmer": ("À confirmer", lambda rows: rows.to_confirm()),
    "acceptees": ("Acceptées", lambda rows: rows.accepted()),
    "refusees": ("Refusées", lambda rows: rows.refused()),
    "expirees": ("Expirées", lambda rows: rows.expired()),
}
LABELS = {
    tracking.REMIND: "Relancer", tracking.COPY: "Copier le lien", tracking.REVOKE: "Annuler",
    tracking.RESEND: "Renvoyer", tracking.CORRECT: "Corriger l’adresse", tracking.CONFIRM: "Confirmer",
    tracking.DECLINE: "Ce n’est pas elle",
}  # fmt: skip
ROUTES = {
    tracking.REMIND: "invitations:remind", tracking.COPY: "invitations:copy_link",
    tracking.REVOKE: "invitations:revoke", tracking.RESEND: "invitations:resend",
    tracking.CORRECT: "invitations:resend", tracking.CONFIRM: "invitations:confirm",
    tracking.DECLINE: "invitations:decline",
}  # fmt: skip
# Says from where a button was pressed.
FROM, SHEET = "retour", "fiche"
# Reached by a link: they ask something before they act.
PAGES = frozenset({tracking.RESEND, tracking.CORRECT, tracking.CONFIRM})
# The acts of who may invite.
FOLLOWING = (tracking.REMIND, tracking.COPY, tracking.RESEND, tracking.CORRECT, tracking.REVOKE)


@require_safe
def invitation_list(request: HttpRequest) -> HttpResponse:
    """Every invitation one follows, newest first, with what may be done of each."""
    wanted = request.GET.get("etat", "")
    label, keep = FILTERS.get(wanted, FILTERS[""])
    held, visible = held_by(request.user), Dossier.objects.visible_to(request.user, through=HIMSELF)
    follows = held.hat.structure_id if held.may(Action.INVITE) else None
    within = visible.values("pk") if held.sees_whole_circle else Dossier.objects.none().values("pk")
    rows = Invitation.objects.followed_by(request.user, structure_id=follows, dossiers=within)
    rows = keep(rows.with_delivery().with_names())
    page = paginate(rows, request.GET.get("page"), per_page=PER_PAGE)
    about = {row.dossier_id for row in page} - {None}
    # What one may do in each dossier of the page; None: outside any dossier.
    rights = {one.pk: replace(held, cap=one.cap) for one in visible.filter(pk__in=about).only("pk", "status")}
    rights[None] = held
    record_account(
        user=request.user, action="liste", object_kind="invitation", count=len(page), via=via_request(request)
    )
    context = {
        "rows": [_row(request, row, rights.get(row.dossier_id)) for row in page],
        "page": page,
        "page_url": lambda number: f"?{urlencode({'etat': wanted, 'page': number})}",
        "filters": [
            {
                "label": text,
                "url": f"{reverse('invitations:list')}{f'?etat={key}' if key else ''}",
                "current": text == label,
            }
            for key, (text, _) in FILTERS.items()
        ],
        "wanted": wanted if wanted in FILTERS else "",
        "may_invite": request.user.is_active and held.may(Action.INVITE),
    }
    return render(request, "circle/invitations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Renvoyer »: a new link, to the same address or to the right one; the former links no longer serve."""
    invitation = _found(request, invitation_id)
    if not _shown(request, invitation, tracking.RESEND):
        raise Http404
    kept = drafts.load(request.user, RESEND_DRAFT, invitation_id) if request.method != "POST" else None
    form = ResendForm(request.POST or None, initial={"email": invitation.email} | drafts.initial(ResendForm, kept))
    if form.is_bound and form.is_valid():
        if too_many := ratelimit.consume_or_429(request, action="invitations"):
            return too_many
        reauthentication.require(request, "renvoyer une invitation", reauthentication.DOSSIER)
        try:
            _do(request, invitation, actions.resend_invitation, email=form.cleaned_data["email"])
        except DomainError as error:
            form.refuse(error)
        else:
            drafts.clear(request.user, RESEND_DRAFT, invitation_id)
            messages.success(request, "Un nouveau lien part. Le précédent ne sert plus.")
            return redirect(request, "invitations:list")
    context = {"form": form, "name": invitation.display_name, "here": request.path}
    context |= drafts.shown(RESEND_DRAFT, invitation_id, kept)
    return render(request, "circle/invitation_resend.html", context, status=422 if form.is_bound else 200)


@require_POST
def remind(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Relancer »: the same link once more, once a day."""
    if too_many := ratelimit.consume_or_429(request, action="invitations"):
        return too_many
    return _act(request, invitation_id, actions.remind_invitation, "Une relance part, avec le même lien.")


@require_POST
@recently_authenticated(act="copier le lien d’une invitation", within=reauthentication.DOSSIER)
def copy_link(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Copier le lien », on a page of its own: it is in no address, no list, no draft."""
    invitation = _found(request, invitation_id)
    try:
        link = _do(request, invitation, actions.copy_link)
    except DomainError as error:
        messages.error(request, str(error))
        return _back(request, invitation)
    context = {"link": link, "name": invitation.display_name, "expires_at": invitation.expires_at}
    return render(request, "circle/invitation_link.html", context)


@require_POST
def revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Annuler »: it only closes, so nobody is asked again who he is."""
    return _act(request, invitation_id, actions.revoke_invitation, "L’invitation est annulée : son lien ne sert plus.")


@require_http_methods(["GET", "HEAD", "POST"])
@recently_authenticated(act="confirmer une personne invitée", within=reauthentication.DOSSIER)
def confirm(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Confirmer »: it is the person meant; the page first says what opens, by the profession that will decide.

    An account vouched for another profession than the one invited: who confirms chooses, nothing is checked for him.
    None invited nor vouched for: he chooses it, and reads what it opens before it is confirmed.
    """
    invitation = _found(request, invitation_id)
    sent = request.POST if request.method == "POST" else None
    said = invitation.declared_profession
    form = ProfessionForm(sent, said=said) if invitation.asks_profession else RightsForm(sent)
    if form.is_bound and form.is_valid() and form.is_seen:
        said = "C’est confirmé : l’accès prévu est ouvert." if invitation.dossier_id else "C’est confirmé."
        try:
            _do(request, invitation, actions.confirm_invitee, rights=form.chosen)
        except (OtherProfession, ProfessionToChoose) as error:
            form.refuse(error)
        except DomainError as error:
            messages.error(request, str(error))
            return _back(request, invitation)
        else:
            messages.success(request, said)
            return _back(request, invitation)
    if not _shown(request, invitation, tracking.CONFIRM):
        raise Http404
    if not invitation.is_to_confirm:
        messages.info(request, "Cette invitation n’attend plus de confirmation.")
        return redirect(request, "invitations:list")
    return _confirmation_page(request, invitation, form)


def _confirmation_page(
    request: HttpRequest, invitation: Invitation, form: RightsForm | ProfessionForm
) -> HttpResponse:
    preview, counts, chosen = None, invitation.counting_profession, None
    if invitation.asks_profession:
        said = form.cleaned_data.get("profession") if form.is_bound else invitation.declared_profession
        counts = chosen = (said or "", "")
    if invitation.member_id and (chosen is None or chosen[0]):
        row = invitation.member.habilitation
        reduced = standing(row) | closed_by_the_person(row)
        preview = answering.preview_of(counts, YES, ceilings=reduced)
    origin = request.POST if request.method == "POST" else request.GET
    context = {
        "name": invitation.display_name, "detail": tracking.tell(invitation).detail, "preview": preview,
        "here": request.path, "back": SHEET if origin.get(FROM) == SHEET else "", "form": form,
        "counting": tracking.profession_said(invitation),
        "rights": RightsForm.value_of(invitation) if invitation.is_of_another_profession else "",
        "decline_url": reverse("invitations:decline", args=[invitation.pk]),
        "chooses": chosen is not None, "chosen": chosen[0] if chosen else "",
        # Another one chosen than the one shown: its rights are read first.
        "changed": bool(chosen and form.is_bound and not form.errors),
    }  # fmt: skip
    return render(request, "circle/invitation_confirm.html", context, status=422 if form.errors else 200)


@require_POST
def decline(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """« Ce n'est pas elle »: it only closes, so nobody is asked again who he is."""
    return _act(request, invitation_id, actions.decline_invitee, "C’est noté : cette personne n’entre pas.")


def _found(request: HttpRequest, invitation_id: UUID) -> Invitation:
    """Return an invitation that one may know of: each act then asks for its own right. Raises Http404.

    One of somebody else's and one that does not exist take the same statements and leave the same trace (SEC-25).
    """
    held, visible = held_by(request.user), Dossier.objects.visible_to(request.user)
    follows = held.hat.structure_id if held.may(Action.INVITE) else None
    rows = Invitation.objects.known_to(request.user, structure_id=follows, dossiers=visible.values("pk"))
    found = rows.with_names().filter(pk=invitation_id).first()
    if found is None:
        record_account(
            user=request.user, action=door.READ, outcome=Outcome.REFUSED, object_kind="invitation",
            object_id=invitation_id, via=via_request(request),
        )  # fmt: skip
        raise Http404
    if found.dossier_id and found.invited_by_id != request.user.pk and not _is_seen(request, found):
        raise Http404
    return found


def _is_seen(request: HttpRequest, row: Invitation) -> bool:
    """Say whether it is that of a member whom one sees, in a circle read whole."""
    try:
        entry = door.look(request.user, row.dossier_id, via=via_request(request))
    except DossierUnknown:
        return False
    if entry.access.sees_whole_circle and (entry.access.sees_discreet_members or not row.member.discreet):
        return True
    about = {"object_kind": "invitation", "object_id": row.pk}
    entry.trace(door.READ, rubrique=Rubrique.CERCLE, outcome=Outcome.REFUSED, **about)
    return False


def _shown(request: HttpRequest, row: Invitation, act: str) -> bool:
    """Say whether the page that asks before an act may be shown: by the right of the act itself, and traced as it."""
    via = via_request(request)
    about = {"object_kind": "invitation", "object_id": row.pk}
    if row.dossier_id is None:
        is_able = act in _held_acts(row, held_by(request.user), request.user)
        outcome = Outcome.OK if is_able else Outcome.REFUSED
        record_account(user=request.user, action=door.READ, outcome=outcome, via=via, **about)
        return is_able
    try:
        entry = door.look(request.user, row.dossier_id, via=via)
    except DossierUnknown:
        return False
    is_able = act in _held_acts(row, entry.access, request.user)
    entry.trace(door.READ, rubrique=Rubrique.CERCLE, outcome=Outcome.OK if is_able else Outcome.REFUSED, **about)
    return is_able


def _held_acts(row: Invitation, access: Access | None, user) -> frozenset[str]:
    """Return the acts on an invitation that one has the right to; `access` None: a dossier one may not enter.

    The actions decide (`circle.actions`): what they would refuse is not offered.
    """
    if access is None:
        return frozenset()
    if row.dossier_id is None:
        is_mine = row.invited_by_id == user.pk
        follows, confirms = is_mine or access.may(Action.INVITE), is_mine and access.may(Action.GRANT)
    else:
        follows = access.may(Action.INVITE)
        confirms = access.may(Action.GRANT, structure_id=row.member.own_structure_id)
    confirms = confirms and row.accepted_by_id != user.pk
    return frozenset(FOLLOWING if follows else ()) | frozenset(
        (tracking.CONFIRM, tracking.DECLINE) if confirms else ()
    )


def _told(row: Invitation, access: Access | None, user) -> tracking.Told:
    """Return where an invitation stands, with what this reader may do, and may read of a reason to refuse."""
    held = _held_acts(row, access, user)
    own = row.member.own_structure_id if row.member_id else None
    grants = access is not None and access.may(Action.GRANT, structure_id=own)
    return tracking.tell(row, may=held, reads_reason=grants or row.invited_by_id == user.pk)


def _act(request: HttpRequest, invitation_id: UUID, act, said: str) -> HttpResponse:
    invitation = _found(request, invitation_id)
    try:
        _do(request, invitation, act)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return _back(request, invitation)


def _back(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Go back to where the button was: the sheet of the member, or the list."""
    if request.POST.get(FROM) == SHEET and invitation.member_id:
        return redirect(request, links_of(invitation.dossier_id, invitation.member_id).sheet)
    return redirect(request, "invitations:list")


def _do(request: HttpRequest, invitation: Invitation, act, **details):
    """Do an act on an invitation, by the door of its dossier when it has one: the act asks for its own rights.

    What is done is traced by the act, in its transaction; what is refused, here.
    """
    via = via_request(request)
    details |= {"by": request.user, "via": via}
    if invitation.dossier_id is None:
        return act(invitation, **details)
    try:
        entry = door.look(request.user, invitation.dossier_id, via=via)
    except DossierUnknown as error:
        raise NotAllowed("Vous n’avez plus accès à ce dossier : demandez à quelqu’un de son cercle.") from error
    try:
        return act(invitation, entry=entry, **details)
    except DomainError as error:
        outcome = Outcome.REFUSED if isinstance(error, NotAllowed | LevelMissing) else Outcome.FAILED
        about = {"object_kind": "invitation", "object_id": invitation.pk}
        entry.trace(door.WRITE, rubrique=Rubrique.CERCLE, outcome=outcome, **about)
        raise


def of_member(entry, member_id: UUID) -> dict | None:
    """Return the last invitation of a member as his sheet shows it, None when there is none. One SQL statement."""
    rows = Invitation.objects.filter(dossier_id=entry.dossier.pk, member=member_id).with_delivery().with_names()
    row = rows.first()
    if row is None:
        return None
    told = _told(row, entry.access, entry.user)
    return {"name": row.display_name, "email": row.email, "told": told, "acts": _acts(row, told.acts)}


def _acts(row: Invitation, acts) -> list[dict]:
    return [
        {"label": LABELS[act], "url": reverse(ROUTES[act], args=[row.pk]), "is_page": act in PAGES, "key": act}
        for act in acts
    ]


def _row(request: HttpRequest, row: Invitation, access: Access | None) -> dict:
    """Return one invitation as the list shows it; of a dossier that one may not open, nothing can be done."""
    told = _told(row, access, request.user)
    sheet = links_of(row.dossier_id, row.member_id).sheet if row.dossier_id and access else ""
    by = "" if row.invited_by_id == request.user.pk else row.invited_by.get_full_name()
    return {
        "name": row.display_name,
        "trade": row.trade,
        "email": row.email,
        "by": by,
        "told": told,
        "sheet": sheet,
        "where": "Dans un dossier" if row.dossier_id else "Sans dossier",
        "acts": _acts(row, told.acts),
    }
