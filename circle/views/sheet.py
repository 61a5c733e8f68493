"""A member's sheet: read, edit with nothing lost between two people, discretion."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from circle import actions, fields, roles
from circle.actions.leaving import UNDONE_WITHIN
from circle.forms.people import PROFESSIONAL, RELATIVE, EditLinkedForm, EditProfessionalForm, EditRelativeForm
from circle.models import Member, PlannedStay
from circle.views import drawing, invitations
from circle.views.pages import attempt, draft_initial, drafted, find_member, find_row, links_of, page
from circle.views.planned import planned_for
from circle.views.secretaries import secretaries_of
from coordination.accounts import drafts
from coordination.common.french import date_fr, phone_fr
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.models import Refusal
from habilitations.rubriques import Action, Niveau, Rubrique

FORMS = {roles.MANUAL: EditProfessionalForm, roles.PERSON: EditRelativeForm}
KINDS = {roles.MANUAL: PROFESSIONAL, roles.PERSON: RELATIVE}
DRAFT = "cercle-membre"
COMPARED = "comparaison"
THEIRS = "autre"


@require_safe
@rubric_view(Rubrique.CERCLE, object_kwarg="member_id")
def member(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """What is known of one member, and every act the reader may do."""
    row = find_row(entry, member_id)
    links = links_of(entry.dossier.pk, row.id)
    editable = entry.abilities["write_cercle"] and row.ends_on is None and not row.is_reduced
    able = may_undo(row, entry)
    acts = [] if row.is_reduced else drawing.menu(row, entry, links, editable)
    if refusal := drawing.refusal_act(row, entry, links):
        acts.append(refusal)
    invitation = invitations.of_member(entry, member_id) if editable and row.is_professional else None
    context = {
        "row": row,
        "item": drawing.member_item(row, entry, editable, links),
        "acts": acts,
        "links": links,
        "facts": facts(row),
        "contacts": contacts(row),
        "refusal": standing_refusal(entry, row),
        "editable": editable,
        "planned": planned_for(entry, row),
        "departure": departure(entry, row, links),
        "may_link": editable and row.kind == roles.MANUAL and entry.abilities[Action.ADD_MEMBER],
        "may_undo": able,
        "invitation": invitation,
        "secretaries": secretaries_of(entry, row),
    }
    return page(request, entry, "circle/member.html", context)


def departure(entry, row, links) -> dict | None:
    """Return the departure planned for a member: the sentence, why it could not be done, and the acts on it."""
    if not row.leaves_on or row.ends_on:
        return None
    plan = PlannedStay.objects.get(dossier_id=entry.dossier.pk, pk=row.plan_id)
    why = plan.get_reason_display()
    said = [plan.hindrance or (f"{why}." if why else ""), f"{plan.note.rstrip('.')}." if plan.note else ""]
    able = entry.abilities["write_cercle"] and drawing.may_grant(row, entry)
    return {
        "title": f"{drawing.departure(row)}.",
        "said": " ".join(filter(None, said)),
        "is_kept": row.is_kept,
        "undo": reverse("circle:call_off_stay", args=[entry.dossier.pk, plan.pk]) if able else None,
        "change": links.remove,
    }


def facts(row) -> list[tuple[str, str]]:
    """Return what the circle says of a member besides how to reach him, empty facts left out."""
    said = [
        ("Rôle", row.role),
        ("Rôle à venir", f"{row.next_role} à partir du {date_fr(row.next_role_on)}" if row.next_role else ""),
        ("Lien avec le patient/usager", row.relation),
        ("Profession", row.profession if row.is_professional else ""),
        ("Catégorie d’établissement", row.profession if row.kind == roles.STRUCTURE else ""),
        ("Structure", row.structure_name),
        ("Dans le cercle", "" if row.is_reduced else drawing.stay(row)),
        ("Absence", row.absence),
        ("Description", row.description),
        ("Fiche de l’annuaire", f"Du {date_fr(row.seen_on)}" if row.seen_on else ""),
        ("Saisie", "À la main" if row.kind in KINDS else ""),
    ]
    return [(term, value) for term, value in said if value]


def contacts(row) -> dict:
    place = " ".join(filter(None, (row.postal_code, row.town)))
    return {
        "phone": row.phone,
        "mobile": row.mobile,
        "email": row.email,
        "mss_address": row.mss_address,
        "address": ", ".join(filter(None, (row.address, place))),
    }


def standing_refusal(entry, row) -> Refusal | None:
    if row.state != "refus":
        return None
    return (
        Refusal.objects.filter(dossier_id=entry.dossier.pk, habilitation__members=row.id, withdrawn_at=None)
        .select_related("recorded_by")
        .first()
    )


def may_undo(row, entry) -> bool:
    """Say whether the removal of this member may still be undone by this reader."""
    if row.ends_on is None or row.is_reduced:
        return False
    recent = (timezone.localdate() - row.ends_on).days <= UNDONE_WITHIN
    return recent and entry.access.may(Action.GRANT, structure_id=row.structure_id)


# ---- Edit ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def edit(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Modifier »: the second of two people sees both texts and chooses, field by field."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    form_class = FORMS.get(found.kind, EditLinkedForm)
    if request.method != "POST":
        kept = draft_initial(request, DRAFT, found.pk, form_class)
        return _edit_page(
            request, entry, row, found, form_class(initial=initial_of(found) | kept, found=found), kept=kept
        )
    data = request.POST.copy()
    if COMPARED in data:
        _take_theirs(data, found)
    form = form_class(data, found=found)
    if form.is_valid():
        try:
            changed = attempt(
                form, actions.update_member, entry, found, version=form.cleaned_data["version"],
                fields=form.fields_of_member(),
            )  # fmt: skip
        except ChangedMeanwhile as error:
            return _compare_page(request, entry, row, found, form, error)
        if changed is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, "La fiche est à jour.")
            return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)
    return _edit_page(request, entry, row, found, form, status=422)


def initial_of(found: Member) -> dict:
    """Return the stored sheet as its form shows it."""
    names = [name for name in fields.WRITABLE[found.kind] if name != "commune_code"]
    values = {name: getattr(found, name) for name in names}
    for name in ("phone", "mobile"):
        values[name] = phone_fr(values[name])
    if "town" in values:
        values |= {"town_texte": found.town, "town": found.commune_code}
    return values | {"version": found.version}


def _take_theirs(data, found: Member) -> None:
    """Put the stored value in place of the typed one wherever the other person's text was chosen."""
    stored = initial_of(found)
    for name in list(data):
        if name.startswith("choix-") and data[name] == THEIRS:
            for part in _parts(name.removeprefix("choix-")):
                data.pop(part, None)
                if stored.get(part) not in (None, "", False):
                    data[part] = stored[part]


def _parts(name: str) -> tuple[str, ...]:
    """Return the form fields that one line of the comparison stands for."""
    return ("town", "town_texte", "postal_code") if name == "town" else (name,)


def _compare_page(request, entry, row, found: Member, form, error: ChangedMeanwhile) -> HttpResponse:
    mine = form.fields_of_member()
    lines = []
    for name, theirs in error.current.items():
        if name in ("commune_code", "civility", "postal_code") or mine.get(name) == theirs:
            continue
        label = str(Member._meta.get_field(name).verbose_name)
        lines.append(
            {
                "name": name,
                "label": label[:1].upper() + label[1:],
                "mine": fields.shown(name, mine[name]) or "(vide)",
                "theirs": fields.shown(name, theirs) or "(vide)",
            }
        )
    context = {
        "row": row,
        "error": error,
        "lines": lines,
        "typed": typed_values(form),
        "version": error.version,
        "links": links_of(entry.dossier.pk, found.pk),
    }
    return page(request, entry, "circle/compare.html", context, status=409)


def typed_values(form) -> list[tuple[str, str]]:
    """Return what was typed, as hidden inputs send it again; the version is left out."""
    return [(bound.html_name, str(value)) for bound in form if bound.name != "version" and (value := bound.value())]


def _edit_page(request, entry, row, found: Member, form, *, kept: dict | None = None, status: int = 200):
    context = {
        "row": row,
        "form": form,
        "kind": KINDS.get(found.kind, ""),
        "links": links_of(entry.dossier.pk, found.pk),
        **drafted(DRAFT, found.pk, kept),
    }
    return page(request, entry, "circle/edit.html", context, status=status)


# ---- Discretion ----------------------------------------------------------------------------------


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def discreet(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """Show a member only to those who read the medical rubric (rule 7), or to everybody again."""
    wanted = request.POST.get("discret") == "1"
    found = find_member(entry, member_id)
    actions.set_discreet(entry, found, wanted)
    if not wanted:
        messages.success(request, "Ce membre est visible de tout le cercle.")
    else:
        messages.success(request, "Ce membre est discret : seuls ceux qui lisent le volet médical le voient.")
    # Who made it discreet without reading the medical rubric no longer sees the sheet.
    hidden = wanted and not entry.access.sees_discreet_members
    links = links_of(entry.dossier.pk, found.pk)
    return redirect(request, "circle:list", entry.dossier.pk) if hidden else redirect(request, links.sheet)
