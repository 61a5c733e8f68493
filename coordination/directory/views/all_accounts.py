"""« Comptes » of « Administration »: every account, its state, and what an administrator may do to it.

Names are searched by POST, never in an address. Nothing here says which dossiers an account opens (rule 10).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.accounts.models import AccountChange, User
from coordination.common.errors import DomainError
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.directory import search
from coordination.directory.actions import administration as actions
from coordination.directory.forms import ReasonForm
from coordination.directory.models import Activity, Attachment
from coordination.directory.search import options
from habilitations.models import VouchedProfession
from habilitations.traces import record_account, via_request
from habilitations.views.board import for_administrators

PER_PAGE = 25
SHOWN = 8
STATES = (
    ("", "Tous"), ("ouverts", "Ouverts"), ("suspendus", "Suspendus"), ("fermes", "Fermés"),
    ("administrateurs", "Administrateurs"),
)  # fmt: skip
IN_STATE = {
    "ouverts": {"is_active": True}, "suspendus": {"is_active": False, "closed_at": None},
    "fermes": {"closed_at__isnull": False}, "administrateurs": {"is_administrator": True},
}  # fmt: skip


@dataclass(frozen=True)
class Act:
    """One act on an account, as its page asks for it. `opens`: who does it shows again who he is."""

    label: str
    question: str
    impact: str
    done: str
    run: Callable
    offered: Callable[[User, bool], bool]
    opens: bool = False


ACTS = {
    "suspendre": Act(
        "Suspendre le compte", "Suspendre ce compte ?",
        "Ses sessions se terminent tout de suite. Il pourra être rouvert, avec ses habilitations.",
        "Le compte de {name} est suspendu.", actions.suspend, lambda user, _: user.is_active,
    ),
    "rouvrir": Act(
        "Rouvrir le compte", "Rouvrir ce compte ?",
        "Son titulaire se connecte de nouveau, avec les droits et les habilitations qu’il avait.",
        "Le compte de {name} est rouvert.", actions.reopen, lambda user, _: not user.is_active, opens=True,
    ),
    "fermer": Act(
        "Fermer le compte", "Fermer ce compte ?",
        "Ses sessions se terminent tout de suite. Ce qu’il a écrit reste signé de son nom.",
        "Le compte de {name} est fermé.", actions.close, lambda user, _: user.closed_at is None,
    ),
    "nommer-administrateur": Act(
        "Nommer administrateur", "Nommer cette personne administrateur ?",
        "Elle gère les comptes, les listes et la matrice. Elle n’en reçoit aucun droit sur les dossiers. "
        "Ses sessions se terminent.",
        "{name} est administrateur.", actions.name_administrator,
        lambda user, _: user.is_active and not user.is_administrator, opens=True,
    ),
    "retirer-administrateur": Act(
        "Retirer l’administration", "Retirer l’administration à cette personne ?",
        "Elle ne gère plus rien ici. Ses sessions se terminent tout de suite.",
        "{name} n’est plus administrateur.", actions.end_administrator, lambda user, _: user.is_administrator,
    ),
    "terminer-profession": Act(
        "Terminer la profession", "Terminer la profession confirmée ?",
        "Les droits de ce compte s’arrêtent tout de suite, dans tous les dossiers. Il peut encore se connecter.",
        "La profession de {name} n’est plus confirmée.", actions.end_profession, lambda _, vouched: vouched,
    ),
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def accounts(request: HttpRequest) -> HttpResponse:
    """The accounts by name, those that answer what was posted, fifty at a time after the last one seen."""
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    state = request.POST.get("etat", "")
    state = state if state in IN_STATE else ""
    start = _account(request.POST.get("apres", ""))
    rows = User.objects.filter(**IN_STATE.get(state, {})).searched(typed).by_name(after=start)
    found = list(rows[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    record_account(user=request.user, action="liste", object_kind="compte", count=len(shown), via=via_request(request))
    context = {
        "rows": _rows(shown), "typed": typed, "state": state, "states": STATES, "started": start is not None,
        "next": shown[-1].pk if len(found) > PER_PAGE else "",
    }  # fmt: skip
    return render(request, "directory/all_accounts.html", context)


@require_safe
@for_administrators
def account(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One account: who, in which state, under which profession, what was done to it, what may be."""
    user = get_object_or_404(User, pk=user_id)
    row = _rows([user])[0]
    own = user.pk == request.user.pk
    changes = AccountChange.objects.filter(user=user).select_related("by")[:20]
    record_account(
        user=request.user, action="lecture", object_kind="compte", object_id=user.pk, via=via_request(request)
    )
    context = {
        "row": row, "own": own, "changes": changes,
        "acts": [] if own else _offered(user, row["vouched"]),
        "confirm_url": reverse("administration:confirm_account", args=[user.pk])
        if user.is_active and not own and not row["vouched"] else "",
    }  # fmt: skip
    return render(request, "directory/account.html", context)


def _offered(user: User, vouched: bool) -> list[dict]:
    return [
        {"label": one.label, "impact": one.impact, "url": reverse("administration:account_act", args=[user.pk, name])}
        for name, one in ACTS.items()
        if one.offered(user, vouched)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def act(request: HttpRequest, user_id: UUID, act: str) -> HttpResponse:
    """One act, with its reason. What opens asks again who is there; what closes never does."""
    user = get_object_or_404(User.objects.exclude(pk=request.user.pk), pk=user_id)
    asked = ACTS.get(act)
    vouched = VouchedProfession.objects.current().filter(user=user).exists()
    if asked is None or not asked.offered(user, vouched):
        raise Http404
    key = f"compte-{act}"
    kept = None if request.method == "POST" else drafts.load(request.user, key, user.pk)
    form = ReasonForm(request.POST if request.method == "POST" else None, initial=drafts.initial(ReasonForm, kept))
    if form.is_bound and form.is_valid():
        if asked.opens:
            reauthentication.require(request, "ouvrir ou nommer un compte")
        try:
            asked.run(user, reason=form.cleaned_data["reason"], by=request.user, via=via_request(request))
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            drafts.clear(request.user, key, user.pk)
            messages.success(request, asked.done.format(name=user.get_full_name()))
            return redirect(request, "administration:account", user.pk)
    context = {
        "form": form, "name": user.get_full_name(), "email": user.email, "asked": asked, "here": request.path,
        "back": reverse("administration:account", args=[user.pk]),
        **drafts.shown(key, user.pk, kept),
    }  # fmt: skip
    return render(request, "directory/account_act.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def confirm(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """« Confirmer la profession »: what the directory says that this person practises, chosen then confirmed."""
    user = get_object_or_404(User.objects.active().exclude(pk=request.user.pk), pk=user_id)
    if VouchedProfession.objects.current().filter(user=user).exists():
        raise Http404
    attachment = Attachment.objects.of(user).first()
    if request.POST.get("activite"):
        return _confirm(request, user, attachment)
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    if attachment is not None:
        groups, status = _practised(attachment, request.path)
    else:
        groups, status = _found(typed, request.path) if typed else ([], "")
    context = {
        "groups": groups, "status": status, "typed": typed, "here": request.path, "name": user.get_full_name(),
        "email": user.email, "attached": attachment is not None,
        "back": reverse("administration:account", args=[user.pk]),
    }  # fmt: skip
    template = "directory/_results.html" if is_fragment(request) else "directory/account_confirm.html"
    return vary_on_htmx(render(request, template, context))


def _confirm(request: HttpRequest, user: User, attachment: Attachment | None) -> HttpResponse:
    rows = Activity.objects.active().select_related("professional", "structure")
    if attachment is not None:
        rows = rows.filter(professional=attachment.professional_id)
    try:
        activity = get_object_or_404(rows, pk=UUID(request.POST["activite"]))
    except ValueError:
        raise Http404 from None
    reauthentication.require(request, "confirmer une profession")
    try:
        actions.confirm(user, activity, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"La profession de {user.get_full_name()} est confirmée.")
    return redirect(request, "administration:account", user.pk)


def _rows(users: list[User]) -> list[dict]:
    """Return the accounts as the list shows them. Two SQL statements, whatever their number."""
    hats = {row.user_id: row for row in VouchedProfession.objects.current().filter(user__in=users)}
    places = {row.user_id: row for row in Attachment.objects.filter(user__in=users).select_related("structure")}
    return [_row(user, hats.get(user.pk), places.get(user.pk)) for user in users]


def _row(user: User, hat: VouchedProfession | None, place: Attachment | None) -> dict:
    structure = hat.structure_name if hat else place.structure.name if place and place.structure else ""
    state, kind = ("Ouvert", "ok") if user.is_active else ("Fermé", "auc") if user.closed_at else ("Suspendu", "att")
    return {
        "id": user.pk, "name": user.get_full_name(), "email": user.email, "structure": structure,
        "vouched": hat is not None, "trade": search.trade(hat.profession, hat.fonction) if hat else "",
        "how": hat.get_how_display() if hat else "", "vouched_at": hat.vouched_at if hat else None,
        "state": state, "kind": kind, "last_login": user.last_login, "administrator": user.is_administrator,
        "created_at": user.created_at,
    }  # fmt: skip


def _practised(attachment: Attachment, here: str) -> tuple[list[dict], str]:
    """Return what the directory knows of the professional that this account already is."""
    rows = Activity.objects.active().filter(professional=attachment.professional_id).select_related("structure")
    shown = [
        {
            "id": f"activite-{one.pk}", "title": search.trade(one.profession, one.fonction),
            "lines": [[one.structure.name if one.structure else "Exercice sans structure"]],
            "action": here, "fields": {"activite": str(one.pk)}, "action_label": "Confirmer",
        }
        for one in rows.order_by("pk")[:20]
    ]  # fmt: skip
    if not shown:
        return [], "L’annuaire ne connaît aucun exercice en cours à cette personne."
    return [{"id": "groupe-exercices", "label": "D’après l’annuaire", "options": shown}], ""


def _found(typed: str, here: str) -> tuple[list[dict], str]:
    found = search.search(typed, limit=SHOWN, kinds=("professional",))

    def chosen(result) -> options.Option:
        return {"action": here, "fields": {"activite": str(result.activity_id)}, "action_label": "Confirmer"}

    shown = [options.of_professional(one, chosen) for one in found.professionals.results if not one.ceased]
    if not shown:
        return [], "Aucun résultat."
    return [{"id": "groupe-personnes", "label": "Annuaire", "options": shown}], options.sentence(found)


def _account(said: str) -> User | None:
    try:
        return User.objects.filter(pk=UUID(said)).first() if said else None
    except ValueError:
        return None
