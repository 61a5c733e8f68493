"""A member as a row of the list: what is said, and the acts the reader may do."""

from __future__ import annotations

import datetime as dt
import functools
from uuid import UUID

from django.template import engines
from markupsafe import Markup

from circle import roles
from circle.lines import KEPT, MemberRow
from circle.views.pages import MemberLinks, circle_url, links_of, links_of_nobody
from coordination.common.addresses import address
from coordination.common.french import date_fr
from habilitations.acting import concerns
from habilitations.rubriques import Action, Rubrique

REFUS, NON = "refus", "non"


def member_item(row, entry, editable: bool, links: MemberLinks) -> dict:
    """Return what the sheet of a member shows of the list. `editable`: the circle as it is today."""
    editable = editable and not row.is_reduced
    return {
        "second": second_line(row),
        "access": access_said(row),
        "levels": row.access.levels if row.access else None,
        "pending": bool(row.access and row.access.pending),
        "tags": tags(row),
        "edit_url": links.edit if editable and entry.abilities[Action.ADD_MEMBER] else None,
    }


class Listing:
    """The rows of a list for one reader, and the few menus they share.

    A menu on each of thirty rows would be two thirds of the page. Rows with the same acts name the same menu, drawn
    once for nobody; the browser puts the member in it when it opens. Without JavaScript the row leads to the sheet,
    which offers the same acts.
    """

    def __init__(self, entry, editable: bool) -> None:
        self._entry, self._editable = entry, editable
        self._may_edit = editable and entry.abilities[Action.ADD_MEMBER]
        self._acts: dict[tuple, str] = {}
        self._list_url, self._list_of_nobody = circle_url(entry), address("circle:list", UUID(int=0))
        self.menus: dict[str, Markup] = {}

    def drawn(self, row) -> Markup:
        """Return one row as HTML, see templates/components/member.html."""
        if row.is_reduced:
            return drawn_row(row, self._entry.dossier.pk)
        return drawn_row(
            row,
            self._entry.dossier.pk,
            may_edit=self._may_edit,
            offered=self._editable and is_offered_access(row, self._entry),
            acts=self._menu_of(row),
        )

    def _menu_of(self, row) -> str:
        """Return the name of the menu of a row; all that `menu` asks of a row is in `case`."""
        entry = self._entry
        has_account = row.user_id is not None
        case = (
            row.kind, row.state, row.requested, row.invited, row.can_sign_in, has_account, is_reader(row, entry),
            may_grant(row, entry),
        )  # fmt: skip
        name = self._acts.get(case)
        if name is None:
            access = entry.access
            bounds = access.on_behalf_of and access.on_behalf_of.bounds
            drawn = access.matrix.keep(
                ("menu", access.profile, bounds, access.granted(Rubrique.CERCLE), access.cap, self._editable, case),
                lambda: _drawn_menu(menu(row, entry, links_of_nobody(), self._editable)),
            )
            name = self._acts[case] = f"actes-{len(self._acts) + 1}"
            self.menus[name] = Markup(drawn.replace(self._list_of_nobody, self._list_url))  # noqa: S704
        return name


@functools.lru_cache(maxsize=KEPT)
def drawn_row(
    row: MemberRow, dossier_id: UUID, *, may_edit: bool = False, offered: bool = False, acts: str | None = None
) -> Markup:
    """Draw one row, once per process as long as nothing it shows has changed: all it depends on is in the arguments.

    `offered`: the words of its closed access are followed by the link that opens it. `acts`: the name of its menu.
    """
    links = links_of(dossier_id, row.id)
    item = {
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
        "access": _offered_access(row, links) if offered else access_said(row),
        "levels": row.access.levels if row.access else None,
        "pending": bool(row.access and row.access.pending),
        "tags": tags(row),
        "edit_url": links.edit if may_edit else None,
        "acts": acts,
    }
    return Markup(_macros("components/member.html").member_row(item))  # noqa: S704 - drawn by templates


def _macros(component: str):
    return engines["jinja2"].env.get_template(component).module


def _drawn_menu(acts: list[dict]) -> str:
    return str(_macros("components/menu.html").menu("Autres actions", acts))


def second_line(row) -> str:
    """Return two facts: "Médecin généraliste, Carmaux", "Coordinatrice, DAC Exemple", "Fille, Carmaux".

    Not what the role already says beside it, as long as there is something else: "CCAS Exemple, Carmaux" for an
    « assistante de service social ».
    """
    trade = "" if row.is_professional and row.profession == row.role else row.profession or row.relation
    said = (trade, row.structure_name if row.is_professional else "", row.town)
    return ", ".join([fact for fact in said if fact][:2]) or row.profession


def since(row) -> str:
    """Return what is said under the role: an absence, a departure or a hand-over to come first."""
    if row.absence and not row.ends_on:
        return row.absence
    if row.leaves_on and not row.ends_on:
        return departure(row)
    if row.next_role and not row.ends_on:
        return f"{row.next_role} à partir du {date_fr(row.next_role_on)}"
    if row.role_since and row.role_since != row.starts_on and not row.ends_on:
        # Written under the role: the day somebody arrived would be read as that of a role taken since.
        return f"Rôle depuis le {date_fr(row.role_since)}"
    return stay(row)


def departure(row) -> str:
    """Return "Départ prévu le 15/12/2026"; said otherwise when the day has come and it could not be done."""
    if row.is_kept:
        return f"Départ du {date_fr(row.leaves_on)} en attente"
    return f"Départ prévu le {date_fr(row.leaves_on)}"


@functools.lru_cache(maxsize=KEPT)
def drawn_coming(
    row: MemberRow, dossier_id: UUID, plan_id: UUID, day: dt.date, is_kept: bool, may_undo: bool
) -> Markup:
    """Draw one row of « Arrivées prévues »; all it depends on is in the arguments."""
    said = f"Arrivée du {date_fr(day)} en attente" if is_kept else f"Arrivée prévue le {date_fr(day)}"
    item = {
        "name": row.name,
        "shape": row.shape,
        "initials": row.initials,
        "second": second_line(row),
        "role": row.role,
        "said": said,
        "undo_url": address("circle:call_off_stay", dossier_id, plan_id) if may_undo else None,
        "tags": tags(row),
    }
    return Markup(_macros("components/member.html").coming_row(item))  # noqa: S704 - drawn by templates


def stay(row) -> str:
    """Return the dates of a member's presence in the circle."""
    if row.ends_on:
        return f"Du {date_fr(row.starts_on)} au {date_fr(row.ends_on)}"
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


def access_said(row) -> dict | None:
    """Return the access in words; None in the reduced circle."""
    if row.access is None:
        return None
    return {"value": row.access.value, "detail": row.access.detail, "phrase": row.access.phrase}


def _offered_access(row, links: MemberLinks) -> dict:
    return {**access_said(row), "link_label": "habiliter", "link_url": links.habilitation}


def is_offered_access(row, entry) -> bool:
    """Say whether the words of a closed access are followed by the link that opens it."""
    return row.state == NON and can_be_granted(row) and may_grant(row, entry)


def can_be_granted(row) -> bool:
    """Say whether an habilitation could ever open the dossier to this member."""
    if row.kind == roles.MANUAL:
        # Whoever accepted an invitation.
        return row.user_id is not None
    return row.kind == roles.DIRECTORY or (row.kind == roles.STRUCTURE and row.can_sign_in)


def can_be_invited(row, entry) -> bool:
    """Say whether this reader may write to this member that the dossier waits for him."""
    if row.kind not in (roles.DIRECTORY, roles.MANUAL) or row.user_id is not None or row.state == REFUS:
        return False
    return entry.abilities[Action.INVITE] and (may_grant(row, entry) or row.state != NON or row.requested)


def is_reader(row, entry) -> bool:
    """Say whether this member is the reader, or the one for whom he acts: no act on an access is offered to him."""
    return concerns(entry.access, row.user_id, entry.user)


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
            acts.append({"label": "Relier à l’annuaire", "url": links.link, "icon": "link-45deg"})
    if editable:
        acts += access_acts(row, entry, links)
    acts.append({"label": "Historique", "url": links.history, "icon": "clock-history"})
    if able[Action.PRINT]:
        acts.append({"label": "Fiche de contact (vCard)", "url": links.vcard, "icon": "download"})
    if editable and may_grant(row, entry):
        acts.append({"label": "Retirer du cercle", "url": links.remove, "icon": "person-dash", "danger": True})
    return acts


def refusal_act(row, entry, links: MemberLinks) -> dict | None:
    """Return the only act on a member that a closed or paused dossier leaves: his access may always be closed."""
    if row.ends_on or row.is_reduced or row.state == REFUS or is_reader(row, entry):
        return None
    if entry.abilities["write_cercle"] or not entry.access.may_record_refusal:
        return None
    return {"label": "Noter un refus", "url": links.refusal, "icon": "slash-circle"}


def access_acts(row, entry, links: MemberLinks) -> list[dict]:
    """Return the acts on the habilitation that the reader may do."""
    if is_reader(row, entry):
        return []
    acts = []
    if row.state != REFUS and can_be_granted(row):
        if may_grant(row, entry):
            acts.append({"label": "Habilitation", "url": links.habilitation, "icon": "key"})
            acts.append({"label": "Réduire pour ce dossier", "url": links.limits, "icon": "lock"})
        elif entry.abilities[Action.ADD_MEMBER] and row.state == NON and not row.requested:
            acts.append({"label": "Demander l’habilitation", "url": links.request, "icon": "key", "method": "post"})
    if row.state != REFUS and can_be_granted(row) and entry.access.may_record_refusal:
        acts.append({"label": "Accord et équipe de soins", "url": links.consent, "icon": "check2-square"})
    if not row.invited and can_be_invited(row, entry):
        acts.append({"label": "Inviter par e-mail", "url": links.invite, "icon": "envelope"})
    if row.state == REFUS and entry.access.may_withdraw_refusal:
        acts.append({"label": "Retirer le refus", "url": links.withdrawal, "icon": "slash-circle"})
    if row.state != REFUS and entry.access.may_record_refusal:
        url = f"{links.habilitation}?reponse=refus"
        acts.append({"label": "Noter un refus", "url": url, "icon": "slash-circle"})
    return acts
