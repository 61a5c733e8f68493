"""« Ajout manuel de personne »: a professional the directory does not know, or a relative; doubles are pointed out."""

from __future__ import annotations

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, duplicates, roles
from circle.forms.people import PROFESSIONAL, RELATIVE, ManualProfessionalForm, RelativeForm
from circle.views import lookalikes as alike
from circle.views import picking
from circle.views.adding import SEARCH
from circle.views.colleagues import letter_preview
from circle.views.options import person_title
from circle.views.pages import attempt, circle_url, draft_initial, drafted, page, show_identity_to_open
from circle.views.wording import handover_said, was_added
from coordination.accounts import drafts
from coordination.common.htmx import redirect
from coordination.common.phones import phone_or_none
from coordination.common.text import initials, person_name
from coordination.dossiers.door import only_shown, rubric_view
from habilitations.rubriques import Action, Niveau, Rubrique

FORMS = {PROFESSIONAL: ManualProfessionalForm, RELATIVE: RelativeForm}
TABS = (
    (PROFESSIONAL, "Un professionnel"),
    (RELATIVE, "Un aidant, un représentant légal, une personne de confiance"),
)
SWITCH = "changer"
NOT_KEPT = frozenset({"creation_key", "csrfmiddlewaretoken", SWITCH, "role", "duplicate_reason"})


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER)
def add_manually(request: HttpRequest, entry, kind: str) -> HttpResponse:
    """The form of one kind of person. Switching kind keeps what was typed."""
    if kind not in FORMS:
        raise Http404
    if request.method != "POST":
        kept = draft_initial(request, _draft(kind), entry.dossier.pk, FORMS[kind])
        initial = {"starts_on": timezone.localdate()} | kept
        return _page(request, entry, kind, _form(entry, kind, initial=initial), kept=kept)
    if SWITCH in request.POST:
        initial = {name: value for name, value in request.POST.items() if name not in NOT_KEPT}
        return only_shown(_page(request, entry, kind, _form(entry, kind, initial=initial)))
    form = _form(entry, kind, request.POST)
    if form.is_valid():
        is_inviting = kind == PROFESSIONAL and form.is_inviting
        if is_inviting:
            show_identity_to_open(request, form)
            if too_many := ratelimit.consume_or_429(request, action="invitations"):
                return too_many
        member = attempt(form, _add, entry, kind, form)
        if member is not None:
            drafts.clear(request.user, _draft(kind), entry.dossier.pk)
            name = person_name(form.cleaned_data["family_name"], form.cleaned_data["given_name"])
            said = (was_added(name, None), handover_said(form, name), "Invitation envoyée." if is_inviting else "")
            messages.success(request, " ".join(filter(None, said)))
            return redirect(request, circle_url(entry))
    return _page(request, entry, kind, form, status=form.http_status)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER, action=SEARCH)
def lookalikes(request: HttpRequest, entry, kind: str) -> HttpResponse:
    """The panel « Est-ce la même personne ? » for what is typed so far, and the roles that fit (htmx)."""
    if kind not in FORMS:
        raise Http404
    # As typed so far: the roles offered are those of the profession just chosen.
    typed = {name: request.POST.get(name, "") for name in ("duplicate_reason", "profession", "role")}
    context = {
        "found": similar(entry, kind, request.POST),
        "form": _form(entry, kind, initial=typed),
        "kind": kind,
        "dossier": entry.dossier,
    }
    return render(request, "circle/_lookalikes_answer.html", context)


def similar(entry, kind: str, typed) -> list[dict]:
    """Return who looks like the person being typed: members of the circle first, then the directory.

    [{name, initials, shape, second, href, label}]
    """
    said = {name: typed.get(name, "").strip() for name in ("family_name", "given_name", "email", "town_texte")}
    phones = [phone for name in ("phone", "mobile") if (phone := phone_or_none(typed.get(name)))]
    if not (said["family_name"] or phones):
        return []
    found = duplicates.find(
        entry,
        family_name=said["family_name"],
        given_name=said["given_name"],
        phones=phones,
        email=said["email"].lower(),
        profession=typed.get("profession", ""),
        town=said["town_texte"],
        with_directory=kind == PROFESSIONAL and bool(said["given_name"]),
    )
    dossier_id = entry.dossier.pk
    members = [alike.of_member(row, why, dossier_id) for row, why in found.in_circle]
    return members + [_candidate(result, dossier_id) for result in found.in_directory]


def _candidate(result, dossier_id) -> dict:
    return {
        "name": person_title(result),
        "initials": initials(result.family_name, result.given_name),
        "shape": "person",
        "second": ", ".join(filter(None, (result.profession, result.structure_name, result.town)))
        + ". Dans l’annuaire national.",
        "href": reverse("circle:add_professional", args=[dossier_id, result.activity_id]),
        "label": "C’est la même personne, choisir cet utilisateur",
    }


def _form(entry, kind: str, data=None, *, initial=None):
    chosen = (data or initial or {}).get("profession", "") if kind == PROFESSIONAL else ""
    picker = picking.picker(
        entry, kind=roles.MANUAL if kind == PROFESSIONAL else roles.PERSON, profession=chosen,
        words=picking.trade(chosen),
    )  # fmt: skip
    asks = kind == PROFESSIONAL and entry.access.may(Action.GRANT) and entry.access.may_withdraw_refusal
    return FORMS[kind](data, initial=initial, picker=picker, asks_sharing=asks)


def _add(entry, kind: str, form):
    said = form.cleaned_data
    act, invited = actions.add_person, {}
    if kind == PROFESSIONAL:
        act = actions.add_manual_professional
        invited = {"invitation": form.invitation(), "wanted": "oui" if form.is_inviting else "non",
                   "rests": said["rests"]}  # fmt: skip
    return act(
        entry,
        **invited,
        fields=form.fields_of_member(),
        role=said["role"],
        discreet=said["discreet"],
        handover=said["handover"],
        starts_on=said["starts_on"],
        duplicate_reason=said["duplicate_reason"],
        creation_key=said["creation_key"],
    )


def _draft(kind: str) -> str:
    return f"cercle-manuel-{kind}"


def _page(request, entry, kind: str, form, *, kept: dict | None = None, status: int = 200) -> HttpResponse:
    dossier_id = entry.dossier.pk
    may_invite = kind == PROFESSIONAL and entry.access.may(Action.INVITE)
    context = {
        "form": form,
        "kind": kind,
        "tabs": [
            {"label": label, "url": reverse("circle:add_manually", args=[dossier_id, key]), "current": key == kind}
            for key, label in TABS
        ],
        "found": similar(entry, kind, request.POST) if form.is_bound else [],
        "unique_roles": unique_roles(form.picker),
        "newcomer": person_name(form["family_name"].value(), form["given_name"].value()) or "Cette personne",
        "may_invite": may_invite,
        "letter": letter_preview(request, request.POST.get("invitation_message", ""), to_a_dossier=True)
        if may_invite
        else None,
        "may_grant": entry.access.may(Action.GRANT),
        "handover_sentence": picking.handover_sentence,
        "search_url": reverse("circle:add", args=[dossier_id]),
        "lookalikes_url": reverse("circle:lookalikes", args=[dossier_id, kind]),
        **drafted(_draft(kind), dossier_id, kept),
    }
    return page(request, entry, "circle/add_manually.html", context, status=status)


def unique_roles(picker) -> list[tuple[str, str]]:
    """Return who holds the unique roles of this circle: [("Médecin traitant", "TESTARD Paul, passera à…")]."""
    said = {code: picker.planned[code].said for code in picker.planned}
    return [
        (holder.role, ", ".join(filter(None, (holder.name, said.get(code)))))
        for code, holder in picker.holders.items()
    ]
