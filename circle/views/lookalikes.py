"""« Est-ce la même personne ? »: who looks like a member or a newcomer, as the panel shows them."""

from __future__ import annotations

from circle import roles
from circle.lines import MemberRow
from circle.views.pages import links_of


def of_member(row: MemberRow, why: str, dossier_id) -> dict:
    """Return {name, initials, shape, second, href, label} of a member of the circle, who leads to his sheet."""
    return {
        "name": row.name,
        "initials": row.initials,
        "shape": row.shape,
        "second": ". ".join(filter(None, (row.second, "Déjà dans ce cercle", row.role, why))),
        "href": links_of(dossier_id, row.id).sheet,
        "label": "C’est elle, ouvrir sa fiche" if row.feminine else "C’est la même personne, ouvrir sa fiche",
    }


def of_rows(entry, rows) -> list[dict]:
    """Return the hand-entered namesakes of a professional of the directory: those still here lead to the link."""
    return [_namesake(row, entry.dossier.pk) for row in rows]


def _namesake(row: MemberRow, dossier_id) -> dict:
    links = links_of(dossier_id, row.id)
    refused = row.access and row.access.value == "refus"
    said = [row.second, "Saisie à la main dans ce cercle", "A quitté le cercle" if row.ends_on else row.role]
    if refused:
        said.append(f"{row.access.phrase}. {row.access.detail}")
    shown = of_member(row, "", dossier_id) | {"second": f"{'. '.join(filter(None, said))}."}
    if row.ends_on is None and row.kind == roles.MANUAL:
        shown |= {"href": links.link, "label": "C’est la même personne, la relier à l’annuaire"}
    return shown
