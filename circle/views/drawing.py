"""A member as a row of the list: what is said, and the acts the reader may do."""

from __future__ import annotations

import functools

from django.template import engines
from markupsafe import Markup, escape

from circle import roles
from circle.views.pages import MemberLinks, filled, links_of, links_of_nobody
from coordination.common.french import date_fr
from habilitations.rubriques import Action

REFUS, NON = "refus", "non"


def member_item(row, entry, editable: bool, links: MemberLinks) -> dict:
    """Return one row in the shape of templates/components/member.html. `editable`: the circle as it is today."""
    editable = editable and not row.is_reduced
    return {
        "name": row.name,
        "url": links.sheet,
        "shape": row.shape,
        "initials": row.initials,
        "second": second_line(row),
        "role": row.role,
        "role_unique": row.role_unique,
        "since": "" if row.is_reduced else since(row),
        "phone": row.mobile or row.phone,
        "red_list": row.unlisted,
        "access": access_item(row, entry, links, editable),
        "levels": row.access.levels if row.access else None,
        "pending": bool(row.access and row.access.pending),
        "tags": tags(row),
        "edit_url": links.edit if editable and entry.abilities[Action.ADD_MEMBER] else None,
    }


def listed_item(row, entry, editable: bool) -> dict:
    """Return the row with its menu and its access already drawn: a list repeats few different ones."""
    links = links_of(entry.dossier.pk, row.id)
    item = member_item(row, entry, editable, links)
    if access := item["access"]:
        words = (access["value"], access["phrase"], access["detail"], access.get("link_label"))
        drawn = _drawn_access(*words, item["levels"], item["pending"])
        item["access_html"] = Markup(filled(drawn, links))  # noqa: S704
    if not row.is_reduced:
        acts = menu(row, entry, links_of_nobody(), editable)
        item["menu_html"] = _named(_drawn_menu(tuple(tuple(act.items()) for act in acts)), row, links)
    return item


# Stands for the name in a menu drawn for nobody; no name holds it.
_NAME = "\x00"


@functools.lru_cache(maxsize=128)
def _drawn_menu(acts: tuple) -> str:
    """Draw a menu once per set of acts and process: thirty of them would cost a third of the page."""
    menu_of = engines["jinja2"].env.get_template("components/menu.html").module.menu
    return str(menu_of(f"Autres actions pour {_NAME}", [dict(act) for act in acts]))


@functools.lru_cache(maxsize=512)
def _drawn_access(value: str, phrase: str, detail: str, link_label: str | None, levels, pending: bool) -> str:
    """Draw the words of an access and its comb once per process; they name nobody."""
    macros = engines["jinja2"].env.get_template("components/member.html").module
    link_url = links_of_nobody().habilitation
    return str(macros.access_cell({"value": value, "phrase": phrase, "detail": detail, "link_label": link_label,
                                   "link_url": link_url}, levels, pending))  # fmt: skip


def _named(drawn: str, row, links: MemberLinks) -> Markup:
    return Markup(filled(drawn, links).replace(_NAME, str(escape(row.name))))  # noqa: S704


def second_line(row) -> str:
    """Return two facts: "Médecin généraliste, Carmaux", "Coordinatrice, DAC Exemple", "Fille, Carmaux"."""
    said = (row.profession or row.relation, row.structure_name if row.is_professional else "", row.town)
    return ", ".join([fact for fact in said if fact][:2])


def since(row) -> str:
    """Return the dates said under the role, a hand-over to come first: it is what one must know."""
    if row.ends_on:
        return f"Du {date_fr(row.starts_on)} au {date_fr(row.ends_on)}"
    if row.next_role:
        return f"{row.next_role} à partir du {date_fr(row.next_role_on)}"
    return f"Depuis le {date_fr(row.starts_on)}"


def tags(row) -> list[dict]:
    said = []
    if row.discreet:
        said.append({"label": "Discret", "kind": "info"})
    if row.ceased:
        said.append({"label": "Structure fermée ?" if row.kind == roles.STRUCTURE else "Exercice cessé ?"})
    if row.requested:
        said.append({"label": "Habilitation demandée"})
    return said


def access_item(row, entry, links: MemberLinks, editable: bool) -> dict | None:
    """Return the access in words, with the link that changes it when the reader may; None in the reduced circle."""
    if row.access is None:
        return None
    item = {"value": row.access.value, "detail": row.access.detail, "phrase": row.access.phrase}
    if editable and row.state == NON and can_be_granted(row) and may_grant(row, entry):
        item |= {"link_label": "habiliter", "link_url": links.habilitation}
    return item


def can_be_granted(row) -> bool:
    """Say whether an habilitation could ever open the dossier to this member."""
    return row.kind == roles.DIRECTORY or (row.kind == roles.STRUCTURE and row.can_sign_in)


def is_reader(row, entry) -> bool:
    """Nobody grants, refuses or removes himself."""
    return row.user_id is not None and row.user_id == entry.user.pk


def may_grant(row, entry) -> bool:
    return entry.access.may(Action.GRANT, structure_id=row.structure_id) and not is_reader(row, entry)


def menu(row, entry, links: MemberLinks, editable: bool) -> list[dict]:
    """Return what this reader may do with this member; reading is always there."""
    able = entry.abilities
    acts = []
    if editable and able[Action.ADD_MEMBER]:
        acts.append({"label": "Modifier", "url": links.edit, "icon": "pencil"})
        acts.append({"label": "Changer de rôle", "url": links.role, "icon": "person-vcard"})
        if row.kind == roles.MANUAL:
            acts.append({"label": "Relier à l'annuaire", "url": links.link, "icon": "link-45deg"})
    if editable:
        acts += access_acts(row, entry, links)
    acts.append({"label": "Historique", "url": links.history, "icon": "clock-history"})
    if able[Action.PRINT]:
        acts.append({"label": "Fiche de contact (vCard)", "url": links.vcard, "icon": "download"})
    if editable and may_grant(row, entry):
        acts.append({"label": "Retirer du cercle", "url": links.remove, "icon": "person-dash", "danger": True})
    return acts


def access_acts(row, entry, links: MemberLinks) -> list[dict]:
    """Return the acts on the habilitation that the reader may do."""
    if is_reader(row, entry):
        return []
    acts = []
    if row.state != REFUS and can_be_granted(row):
        if may_grant(row, entry):
            acts.append({"label": "Habilitation", "url": links.habilitation, "icon": "key"})
        elif entry.abilities[Action.ADD_MEMBER] and row.state == NON and not row.requested:
            acts.append({"label": "Demander l'habilitation", "url": links.request, "icon": "key", "method": "post"})
    if entry.abilities[Action.RECORD_REFUSAL]:
        if row.state == REFUS:
            acts.append({"label": "Retirer le refus", "url": links.withdrawal, "icon": "slash-circle"})
        else:
            url = f"{links.habilitation}?reponse=refus"
            acts.append({"label": "Noter un refus", "url": url, "icon": "slash-circle"})
    return acts
