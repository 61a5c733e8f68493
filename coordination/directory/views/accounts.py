"""« Comptes de ma structure »: for the person named to look after them, and the answer of those to whom it is offered.

Whoever looks after no structure finds nothing here. Every act asks who is there again, but what only closes an access.
"""

from __future__ import annotations

from functools import wraps
from urllib.parse import urlencode
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.common.ids import uuid7
from coordination.common.text import fold, person_name
from coordination.directory import forms, search
from coordination.directory.actions import accounts as actions
from coordination.directory.models import Activity, Attachment, AttachmentOffer, Structure
from coordination.directory.search import options
from habilitations import access
from habilitations.errors import NotAllowed
from habilitations.models import VouchedProfession
from habilitations.traces import record_account, via_request

DRAFT, REASON_DRAFT = "compte-de-structure", "compte-confirmation"
SENT = (
    "La demande est enregistrée et un message part à cette adresse. La personne est en attente jusqu’à sa réponse ; "
    "vous confirmerez ensuite sa profession."
)

ELSEWHERE = "Confirmée en dehors de votre structure : seul un administrateur du service peut la changer."


def for_who_looks_after(view):
    """Answer 404 to everybody but the administrators of structures; the view gets the ids of theirs as `mine`."""

    @wraps(view)
    def checked(request: HttpRequest, **kwargs) -> HttpResponse:
        mine = access.administered_structures(request.user)
        if not mine:
            raise Http404
        return view(request, mine=mine, **kwargs)

    return checked


@require_safe
@for_who_looks_after
def accounts(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """Who has an account here: profession, confirmed or not, by whom, when; then those whose answer is awaited."""
    people = sorted(Attachment.objects.of_structures(mine), key=lambda person: _sort_key(person.user))
    vouched = {
        row.user_id: row
        for row in VouchedProfession.objects.current()
        .filter(user__in=[person.user_id for person in people])
        .select_related("vouched_by")
    }
    practised: dict[UUID, list[Activity]] = {}
    found = Activity.objects.active().filter(professional__in=[p.professional_id for p in people], structure__in=mine)
    for activity in found.order_by("pk"):
        practised.setdefault(activity.professional_id, []).append(activity)
    rows = [
        (person.structure_id, _row(request.user, person, vouched.get(person.user_id), practised, mine))
        for person in people
    ]
    waiting = sorted(AttachmentOffer.objects.waiting().filter(structure__in=mine), key=_sort_key)
    offers = [(offer.structure_id, _offer_row(offer)) for offer in waiting]
    record_account(user=request.user, action="liste", object_kind="compte", count=len(rows), via=via_request(request))
    return render(request, "directory/accounts.html", {"places": _by_place(mine, rows, offers)})


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_looks_after
def offer_account(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """First step: is this person in the directory, at work in the structure? Opens nothing, and asks nothing."""
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    groups, status = _at_work(typed, mine) if typed else ([], "")
    context = {
        "groups": groups, "status": status, "typed": typed, "asked": request.method == "POST", "here": request.path,
        "by_hand_url": reverse("directory:offer_by_hand"),
    }  # fmt: skip
    template = "directory/_results.html" if is_fragment(request) else "directory/account_search.html"
    return vary_on_htmx(render(request, template, context))


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_looks_after
def offer_details(request: HttpRequest, mine: list[UUID], activity_id: UUID | None = None) -> HttpResponse:
    """Second step: the address, and who the person is when the directory does not say it. Same answer for all."""
    activity = _activity(activity_id, mine) if activity_id else None
    places = list(Structure.objects.active().filter(pk__in=mine).order_by("name"))
    about = activity_id or _sheet_of(request)
    if about is None and request.method != "POST":
        # Each person typed by hand has an address of her own, and so a draft of her own.
        return redirect(request, f"{request.path}?{urlencode({'saisie': uuid7()})}")
    about = about or uuid7()
    if request.method == "POST":
        if too_many := ratelimit.consume_or_429(request, action="offers"):
            return too_many
        form = forms.AccountForm(request.POST, places=places, activity=activity)
        if form.is_valid() and _offer(request, form):
            drafts.clear(request.user, DRAFT, about)
            messages.success(request, SENT)
            return redirect(request, "directory:accounts")
    else:
        kept = drafts.load(request.user, DRAFT, about)
        form = forms.AccountForm(initial=drafts.initial(forms.AccountForm, kept), places=places, activity=activity)
    context = {
        "form": form,
        "who": _named(activity) if activity else None,
        "here": request.path,
        "sheet": None if activity else about,
        **drafts.shown(DRAFT, about, not form.is_bound and bool(form.initial)),
    }
    return render(request, "directory/account_form.html", context, status=422 if form.is_bound else 200)


@require_POST
@for_who_looks_after
def withdraw_offer(request: HttpRequest, mine: list[UUID], offer_id: UUID) -> HttpResponse:
    """« Annuler la demande », while the person has not answered."""
    offer = get_object_or_404(AttachmentOffer.objects.filter(structure__in=mine), pk=offer_id)
    try:
        actions.withdraw_offer(offer, by=request.user, via=via_request(request))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "La demande est annulée.")
    return redirect(request, "directory:accounts")


@require_POST
@for_who_looks_after
@recently_authenticated(act="confirmer une profession")
def confirm(request: HttpRequest, mine: list[UUID], user_id: UUID, activity_id: UUID) -> HttpResponse:
    """« Confirmer la profession »: the rights of this profession open at the next request."""
    person = get_object_or_404(Attachment.objects.of_structures(mine), user=user_id).user
    activity = _activity(activity_id, mine)
    try:
        actions.confirm_in_structure(person, activity, by=request.user, via=via_request(request))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"La profession de {_name(person)} est confirmée.")
    return redirect(request, "directory:accounts")


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_looks_after
def withdraw(request: HttpRequest, mine: list[UUID], user_id: UUID) -> HttpResponse:
    """« Retirer la confirmation », with its reason: it closes rights, so nobody is asked again who he is."""
    current = get_object_or_404(
        VouchedProfession.objects.current().filter(structure__in=mine).select_related("user"), user=user_id
    )
    if current.user_id == request.user.pk:
        raise Http404
    kept = None if request.method == "POST" else drafts.load(request.user, REASON_DRAFT, user_id)
    initial = drafts.initial(forms.ReasonForm, kept)
    form = forms.ReasonForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            actions.withdraw_confirmation(current.user, reason=reason, by=request.user, via=via_request(request))
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            drafts.clear(request.user, REASON_DRAFT, user_id)
            messages.success(request, f"La profession de {_name(current.user)} n’est plus confirmée.")
            return redirect(request, "directory:accounts")
    context = {
        "form": form, "name": _name(current.user), "here": request.path,
        "trade": search.trade(current.profession, current.fonction),
        **drafts.shown(REASON_DRAFT, user_id, kept),
    }  # fmt: skip
    return render(request, "directory/withdraw_confirmation.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def offer(request: HttpRequest, offer_id: UUID) -> HttpResponse:
    """What a structure offers to the holder of an account; nobody else finds it."""
    found = get_object_or_404(
        AttachmentOffer.objects.waiting()
        .filter(user=request.user)
        .select_related("structure", "offered_by", "professional"),
        pk=offer_id,
    )
    error = ""
    if request.method == "POST":
        answer = actions.accept_offer if request.POST.get("reponse") == "oui" else actions.refuse_offer
        try:
            answer(found, by=request.user, via=via_request(request))
        except DomainError as refusal:
            error = str(refusal)
        else:
            said = "Votre compte est rattaché." if answer is actions.accept_offer else "Vous avez refusé."
            messages.success(request, said)
            return redirect(request, "accounts:home")
    held = Attachment.objects.of(request.user).select_related("professional").first()
    why_not = actions.why_not_accept(found, held)
    context = {
        "offer": found,
        "trade": search.trade(found.profession, found.fonction),
        "error": error or why_not or "",
        "may_accept": why_not is None,
    }
    return render(request, "directory/offer.html", context, status=422 if error else 200)


def _offer(request: HttpRequest, form: forms.AccountForm) -> bool:
    reauthentication.require(request, "demander un compte")
    try:
        actions.offer_account(
            form.cleaned_data["structure"], form.newcomer(), by=request.user, via=via_request(request)
        )
    except NotAllowed as refusal:
        form.add_error(None, str(refusal))
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    return not form.errors


def _at_work(typed: str, mine: list[UUID]) -> tuple[list[dict], str]:
    """Return the professionals of these structures who answer a text, each leading to the second step."""
    found = search.search(typed, structure_ids=mine, limit=50, kinds=("professional",)).professionals.results
    shown = [options.of_professional(result, _details) for result in found if not result.ceased]
    if not shown:
        return [], "Aucun résultat. Vous pouvez saisir la personne à la main."
    group = {"id": "groupe-structure", "label": "Dans votre structure, d’après l’annuaire", "options": shown}
    return [group], f"{len(shown)} résultat{'s' if len(shown) > 1 else ''}."


def _details(result) -> options.Option:
    address = reverse("directory:offer_professional", args=[result.activity_id])
    return {"href": address, "action_label": "Choisir cette personne"}


def _sheet_of(request: HttpRequest) -> UUID | None:
    """Return the id of the person being typed: in the address of the page, then in the form sent. None without one."""
    try:
        return UUID(request.POST.get("saisie") or request.GET.get("saisie", ""))
    except ValueError:
        return None


def _activity(activity_id: UUID, mine: list[UUID]) -> Activity:
    rows = Activity.objects.active().filter(structure__in=mine).select_related("professional", "structure")
    return get_object_or_404(rows, pk=activity_id)


def _named(activity: Activity) -> dict:
    person = activity.professional
    return {
        "name": person_name(person.family_name, person.given_name),
        "trade": search.trade(activity.profession, activity.fonction),
    }


def _sort_key(named) -> tuple[str, str]:
    """Return what sorts people as French does: "ÉBAUCHE" among the E, whatever the database's collation."""
    return fold(named.family_name), fold(named.given_name)


def _name(user: User) -> str:
    return person_name(user.family_name, user.given_name)


def _row(reader, person: Attachment, vouched: VouchedProfession | None, practised: dict, mine: list[UUID]) -> dict:
    """Return one account as the list shows it, with the acts its reader may do."""
    own = person.user_id == reader.pk
    here = practised.get(person.professional_id, [])
    row = {
        "name": _name(person.user), "email": person.user.email, "confirmable": [], "withdraw_url": "",
        "trade": ", ".join({search.trade(a.profession, a.fonction): None for a in here}) or "Profession inconnue",
    }  # fmt: skip
    if vouched is None:
        row |= {"state": "Profession non confirmée", "kind": "att", "detail": ""}
        if own:
            row["detail"] = "C’est votre compte : un administrateur du service confirme votre profession."
        elif person.user.is_active:
            row["confirmable"] = _confirmable(person, here)
    else:
        by = _name(vouched.vouched_by) if vouched.vouched_by else "un administrateur"
        on = date_fr(timezone.localdate(vouched.vouched_at))
        row |= {"state": "Profession confirmée", "kind": "ok", "detail": f"Confirmée par {by} le {on}."}
        row["trade"] = search.trade(vouched.profession, vouched.fonction)
        if vouched.structure_id not in mine:
            row["detail"] = ELSEWHERE
        elif not own:
            row["withdraw_url"] = reverse("directory:withdraw_confirmation", args=[person.user_id])
    if not person.user.is_active:
        row |= {"state": "Compte suspendu ou fermé", "kind": "refus"}
    return row


def _confirmable(person: Attachment, activities: list[Activity]) -> list[dict]:
    """Return the professions that can be confirmed: one button for each that the person practises here."""
    pairs = {(activity.profession, activity.fonction): activity for activity in reversed(activities)}
    return [
        {
            "trade": search.trade(*pair),
            "url": reverse("directory:confirm_profession", args=[person.user_id, activity.pk]),
        }
        for pair, activity in pairs.items()
    ]


def _offer_row(offer: AttachmentOffer) -> dict:
    return {
        "name": person_name(offer.family_name, offer.given_name), "email": offer.email,
        "trade": search.trade(offer.profession, offer.fonction), "offered_at": offer.offered_at,
        "withdraw_url": reverse("directory:withdraw_offer", args=[offer.pk]),
    }  # fmt: skip


def _by_place(mine: list[UUID], rows: list, offers: list) -> list[dict]:
    """Return the structures with their accounts; merged entries show under the one that replaced them."""
    names = {s.pk: s for s in Structure.objects.filter(pk__in=mine)}

    def shown(key: UUID | None) -> UUID | None:
        while key in names and names[key].merged_into_id in names:
            key = names[key].merged_into_id
        return key

    places = {key: {"name": s.name, "rows": [], "offers": []} for key, s in names.items() if shown(key) == key}
    elsewhere = next(iter(places))
    for kind, listed in (("rows", rows), ("offers", offers)):
        for key, row in listed:
            places.get(shown(key), places[elsewhere])[kind].append(row)
    return sorted(places.values(), key=lambda place: fold(place["name"]))
