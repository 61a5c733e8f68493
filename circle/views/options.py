"""What the search box of the circle offers, in the shape of templates/components/combobox.html."""

from __future__ import annotations

from django.urls import reverse
from markupsafe import Markup, escape

from coordination.common.french import date_fr, plural, rpps_fr
from coordination.common.text import capital_given, initials

ENOUGH = 8
ALL = 50
MEMBER = "Déjà membre, ouvrir"
CHOOSE_PERSON, CHOOSE_STRUCTURE = "Choisir cet utilisateur", "Choisir cette structure"


def highlighted(text: str, ranges) -> Markup:
    """Return the text with its marked stretches in <mark>."""
    parts, at = [], 0
    for start, end in ranges:
        parts += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def person_title(result) -> Markup:
    # Capitals may change the length of a name (ß): then it stays as it is stored, with its marks in place.
    family = result.family_name.upper()
    if len(family) != len(result.family_name):
        family = result.family_name
    given = capital_given(result.given_name)
    if len(given) != len(result.given_name):
        given = result.given_name
    return highlighted(family, result.family_marks) + " " + highlighted(given, result.given_marks)


def member_option(row, links) -> dict:
    access = "avec accès" if row.has_access else "accès en attente" if row.state == "attente" else "sans accès"
    return {
        "id": f"membre-{row.id}",
        "title": row.name,
        "lines": [
            [row.profession or row.relation],
            [row.structure_name, f"Dans le cercle, {access}"],
            [f"{row.town} {row.postal_code}".strip()],
        ],
        "shape": row.shape,
        "initials": row.initials,
        "action_label": MEMBER,
        "href": links.sheet,
    }


def person_option(result, dossier_id) -> dict:
    number = f"RPPS {rpps_fr(result.rpps)}" if result.rpps else f"ADELI {result.adeli}" if result.adeli else ""
    account = "Compte actif" if result.has_account else "Sans compte pour l’instant"
    return {
        "id": f"pro-{result.activity_id}",
        "title": person_title(result),
        "lines": [
            [", ".join(filter(None, [result.profession, number]))],
            [result.structure_name or "Exercice sans structure", account],
            [
                highlighted(result.town, result.town_marks) + f" {result.postal_code}",
                f"Fiche du {date_fr(result.seen_on)}" if result.seen_on else "",
            ],
        ],
        "badges": [{"label": "Exercice cessé ?"}] if result.ceased else [],
        "shape": "person",
        "initials": initials(result.family_name, result.given_name),
        "action_label": CHOOSE_PERSON,
        "href": reverse("circle:add_professional", args=[dossier_id, result.activity_id]),
    }


def structure_option(result, dossier_id) -> dict:
    number = f"FINESS {result.finess}" if result.finess else ""
    return {
        "id": f"structure-{result.id}",
        "title": highlighted(result.name, result.name_marks),
        "lines": [
            [", ".join(filter(None, [result.category_label, number]))],
            [result.address],
            [highlighted(result.town, result.town_marks) + f" {result.postal_code}"],
        ],
        "badges": [{"label": "Structure fermée ?"}] if result.ceased else [],
        "shape": "structure",
        "action_label": CHOOSE_STRUCTURE,
        "href": reverse("circle:choose_structure", args=[dossier_id, result.id]),
    }


def by_hand_option(dossier_id) -> dict:
    return {
        "id": "a-la-main",
        "title": "Manuellement",
        "icon": "pencil",
        "lines": [["Créer la fiche d’un professionnel, d’un aidant, d’un représentant légal ou d’une personne de "
                   "confiance"]],
        "action_label": "Saisir",
        "href": reverse("circle:add_manually", args=[dossier_id, "professionnel"]),
    }  # fmt: skip


def invite_option() -> dict:
    return {
        "id": "inviter",
        "title": "Inviter un confrère à utiliser l’application",
        "icon": "envelope",
        "lines": [["Sans l’ajouter à ce dossier : il pourra l’être ensuite"]],
        "action_label": "Inviter",
        "href": reverse("invitations:invite"),
    }


def others_option(group, url: str, fields: dict) -> dict:
    """The option that shows the rest: a form, because the text may not go into an address."""
    count = "" if group.is_more_than_counted else f"{group.others} "
    return {
        "id": f"suite-{group.kind}",
        "title": f"Voir les {count}autres" if group.others > 1 else "Voir l’autre",
        "icon": "plus-lg",
        "action": url,
        "fields": fields | {"tous": "1"},
        "action_label": "Voir",
    }


def status(members: int, people, structures) -> str:
    """Return the sentence said under the field: how many, of what."""

    def count(group) -> str:
        number = f"plus de {group.total}" if group.is_more_than_counted else str(group.total)
        noun = {"professional": "professionnel", "structure": "structure"}[group.kind]
        return f"{number} {noun}{'s' if group.total > 1 else ''}"

    said = [f"{members} déjà dans le cercle"] if members else []
    said += [count(group) for group in (people, structures) if group.results]
    if not said:
        return "Aucun résultat. Vous pouvez saisir la fiche manuellement."
    total = members + sum(group.total for group in (people, structures) if group.results)
    more = any(group.is_more_than_counted for group in (people, structures))
    return f"{'Plus de ' if more else ''}{plural(total, 'résultat')} : {', '.join(said)}."
