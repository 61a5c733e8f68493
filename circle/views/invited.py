"""What the person invited sees: who invites, what for, accept, refuse, ask for a new link. On a phone first.

Opening the page changes nothing: mail scanners follow links. What a person does there does (decision 2026-11-28).
"""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from circle import actions, wording
from circle.errors import InvitationClosed, NumberHasAccount
from circle.forms.access import YES
from circle.forms.invitations import AccountForm, RefusalReasonForm
from circle.granting import may_vouch
from circle.models import Invitation
from circle.views import answering
from circle.views.tokens import Held, token_view
from coordination.accounts import second_factor
from coordination.accounts.errors import EmailTaken
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.directory.search import profession_label
from habilitations import access
from habilitations.access import hat_of
from habilitations.actions.limits import standing
from habilitations.closures import closed_by_the_person
from habilitations.models import Habilitation
from habilitations.traces import via_request


@require_http_methods(["GET", "HEAD", "POST"])
@token_view
def answer(request: HttpRequest, held: Held) -> HttpResponse:
    """The page of the link; accepting is a POST."""
    if not held.serves:
        return closed(request, held)
    invitation, form = held.invitation, None
    signs_up = not request.user.is_authenticated and held.proves_address and not _has_account(invitation)
    if request.user.is_authenticated:
        # A scanner has no session: somebody is there.
        _note_opening(request, invitation)
    asked = {"email": invitation.email, "asks_profession": not invitation.profession}
    if request.method == "POST" and (signs_up or request.user.is_authenticated):
        _note_opening(request, invitation)
        form = AccountForm(request.POST, **asked) if signs_up else None
        if done := _answered(request, held, form):
            return done
    elif signs_up:
        form = AccountForm(initial=_known(invitation), **asked)
    return _answer_page(request, held, form)


def _answered(request: HttpRequest, held: Held, form: AccountForm | None) -> HttpResponse | None:
    """Accept, with the account of the session or a new one; None when the form has something to correct."""
    try:
        if form is None:
            return _accept(request, held)
        return _accept_with_new_account(request, held, form) if form.is_valid() else None
    except EmailTaken:
        # An account was opened in the meantime: the page as it is now.
        return redirect(request.path)
    except NumberHasAccount as refusal:
        form.refuse(refusal)
        return None
    except DomainError as refusal:
        return _answer_page(request, held, form, str(refusal))


def _answer_page(request: HttpRequest, held: Held, form: AccountForm | None, error: str = "") -> HttpResponse:
    status = 422 if request.POST else 200
    return render(request, "circle/invitation.html", _page(request, held, form, error), status=status)


def _accept(request: HttpRequest, held: Held) -> HttpResponse:
    answered = actions.accept_invitation(held.invitation, by=request.user, via=via_request(request))
    return redirect(second_factor.way_to(request, request.user, _leads_to(answered)))


def _accept_with_new_account(request: HttpRequest, held: Held, form: AccountForm) -> HttpResponse:
    said = form.cleaned_data
    answered = actions.accept_with_new_account(
        held.invitation, family_name=said["family_name"], given_name=said["given_name"], password=said["password1"],
        rpps=said.get("rpps", ""), profession=said.get("profession", ""), via=via_request(request),
    )  # fmt: skip
    user = answered.invitation.accepted_by
    record_authentication(request, user, method="password")
    there = _leads_to(answered)
    # Asked once signed in: a new session begins then.
    signed_in = perform_login(request, Login(user=user, redirect_url=there))
    way = second_factor.way_to(request, user, there)
    return redirect(way) if way != there else signed_in


def _leads_to(answered) -> str:
    """Return where an acceptance leads: the dossier, the list of dossiers, or what is still awaited."""
    if not answered.enters:
        return reverse("invitations:awaiting")
    if answered.invitation.dossier_id is None:
        return reverse("root")
    return reverse("dossiers:home", args=[answered.invitation.dossier_id])


@require_http_methods(["GET", "HEAD", "POST"])
@token_view
def refuse(request: HttpRequest, held: Held) -> HttpResponse:
    """« Refuser l'invitation »: one gesture, without an account; the reason is optional."""
    if not held.serves:
        return closed(request, held)
    by = request.user if request.user.is_authenticated else None
    if not actions.may_refuse(held.invitation, by=by, is_mailed=held.proves_address):
        return render(
            request, "circle/invitation_unproved.html", _about(held), status=403 if request.method == "POST" else 200
        )
    form = RefusalReasonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.refuse_invitation(
                held.invitation, reason=form.cleaned_data["reason"], by=by, is_mailed=held.proves_address,
                via=via_request(request),
            )  # fmt: skip
        except InvitationClosed:
            return closed(request, held)
        return render(request, "circle/invitation_refused.html", {"inviter": _inviter(held.invitation)})
    context = _about(held) | {"form": form}
    return render(request, "circle/invitation_refuse.html", context, status=422 if form.is_bound else 200)


@require_POST
@token_view
def opened(request: HttpRequest, held: Held) -> HttpResponse:
    """Somebody moved, touched or typed on the page: it is in front of a person."""
    if held.serves:
        _note_opening(request, held.invitation)
    return HttpResponse(status=204)


@require_POST
@token_view
def ask_for_new_link(request: HttpRequest, held: Held) -> HttpResponse:
    """« Recevoir un nouveau lien »: the inviter is told when he can send one. The same answer in every case."""
    actions.ask_for_new_link(held.invitation)
    return render(request, "circle/invitation_asked.html", {"by_mail": False})


@require_POST
@token_view
def receive_by_mail(request: HttpRequest, held: Held) -> HttpResponse:
    """For who holds a copied link: the letter leaves again for the address invited, which proves the mailbox."""
    if not held.serves:
        return closed(request, held)
    if too_many := ratelimit.consume_or_429(request, action="invitation_mail", key=held.invitation.pk.hex):
        return too_many
    _note_opening(request, held.invitation)
    try:
        actions.send_to_address(held.invitation)
    except InvitationClosed:
        return closed(request, held)
    return render(request, "circle/invitation_asked.html", {"by_mail": True})


@require_safe
def awaiting(request: HttpRequest) -> HttpResponse:
    """After an acceptance that somebody must still confirm: nobody is named but who invited."""
    rows = list(Invitation.objects.to_confirm().filter(accepted_by=request.user).with_names())
    return render(
        request,
        "circle/invitation_awaiting.html",
        {
            "confirming": sorted({_who_confirms(row) for row in rows}),
            # The opening of a dossier is told by a mail; a colleague without a dossier has nothing to be told of.
            "is_told": any(row.dossier_id for row in rows),
            # Who comes back once confirmed is not told that nothing is open.
            "has_dossiers": not rows and access.dossier_ids(request.user).exists(),
        },
    )


def _who_confirms(invitation: Invitation) -> str:
    """Say who confirms: who invited when he may, never somebody who would be refused."""
    inviter = _inviter(invitation)
    if may_vouch(invitation.invited_by):
        return inviter
    who = "une personne du cercle de soins qui peut habiliter"
    if invitation.dossier_id is None:
        who = "la structure où vous exercez, ou un administrateur"
    return f"{who} (invitation de {inviter})"


def closed(request: HttpRequest, held: Held) -> HttpResponse:
    """Expired, revoked, replaced or answered: the same page, which offers to ask for another link."""
    invitation = held.invitation
    mine = request.user.is_authenticated and invitation.accepted_by_id == request.user.pk
    if mine:
        return redirect(_back_to(request, invitation))
    context = _about(held) | {
        "ask_url": reverse("invitations:ask", args=[held.token]),
        "is_accepted": bool(invitation.accepted_at),
        "may_ask": invitation.may_be_asked_again,
    }
    return render(request, "circle/invitation_closed.html", context, status=410)


def _back_to(request: HttpRequest, invitation: Invitation) -> str:
    """Return where who accepted comes back by the letter: what is still awaited, the dossier, or the list.

    The letter is what people keep of the application: its link must not end at an empty list.
    """
    if Invitation.objects.to_confirm().filter(pk=invitation.pk).exists():
        return reverse("invitations:awaiting")
    messages.info(request, "Vous avez déjà accepté cette invitation.")
    if invitation.dossier_id and access.to_dossier(request.user, invitation.dossier_id):
        there = reverse("dossiers:home", args=[invitation.dossier_id])
        return second_factor.way_to(request, request.user, there)
    return reverse("root")


def _note_opening(request: HttpRequest, invitation: Invitation) -> None:
    """Write the opening, unless it is the inviter who looks at the link he copied."""
    if request.user.pk != invitation.invited_by_id:
        actions.note_opening(invitation)


def _has_account(invitation: Invitation) -> bool:
    return User.objects.with_email(invitation.email).exists()


def _known(invitation: Invitation) -> dict:
    return {"family_name": invitation.family_name, "given_name": invitation.given_name}


def _inviter(invitation: Invitation) -> str:
    name = invitation.invited_by.get_full_name()
    return f"{name}, {invitation.structure_name}" if invitation.structure_name else name


def _about(held: Held) -> dict:
    """What may be said before anybody has signed in: who invites and for what trade, never the person followed."""
    invitation = held.invitation
    here = reverse("invitations:answer", args=[held.token])
    return {
        "invitation": invitation,
        "inviter": _inviter(invitation),
        "trade": invitation.trade,
        "answer_url": here,
        "refuse_url": reverse("invitations:refuse", args=[held.token]),
        "receive_url": reverse("invitations:receive", args=[held.token]),
        "sign_in_url": f"{reverse('account_login')}?{urlencode({'next': here})}",
    }


def _page(request: HttpRequest, held: Held, form: AccountForm | None, error: str) -> dict:
    invitation = held.invitation
    # The frame of the page reads `form` when there is one.
    return (
        _about(held)
        | ({"form": form} if form else {})
        | {
            "signs_up": form is not None,
            "error": error,
            "signed_in": request.user.is_authenticated,
            "proves_address": held.proves_address,
            "opened_url": reverse("invitations:opened", args=[held.token]),
            "receive_url": reverse("invitations:receive", args=[held.token]),
        }
        | _foreseen(request, invitation)
    )


def _foreseen(request: HttpRequest, invitation: Invitation) -> dict:
    """What accepting will do, as far as it is known: by the profession vouched for of who is signed in, if any."""
    said = {"preview": None, "opens": None, "own_trade": "", "is_granted": False}
    if not invitation.member_id:
        return said
    invited = pair = (invitation.profession, invitation.fonction)
    if request.user.is_authenticated and (hat := hat_of(request.user)).profession:
        pair = (hat.profession, hat.fonction)
    if pair != invited:
        said["own_trade"] = profession_label(pair[0], fonction=pair[1])
    row = invitation.member.habilitation
    said["is_granted"] = row.state in (Habilitation.State.OUI, Habilitation.State.ATTENTE)
    if said["is_granted"]:
        ceilings = standing(row) | closed_by_the_person(row)
        said["preview"] = answering.preview_of(pair, YES, ceilings=ceilings)
        said["opens"] = wording.of_levels(tuple(said["preview"]["levels"]))
    return said
