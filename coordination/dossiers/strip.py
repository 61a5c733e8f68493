"""What stands around every page of a dossier: whose it is, and the rubrics. No SQL but the strip facts."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.template import engines
from django.utils import timezone
from markupsafe import Markup

from coordination.common.addresses import address
from coordination.common.dates import Precision
from coordination.common.french import NBSP, age_fr, time_fr
from coordination.common.text import capital_family
from coordination.dossiers import panels
from coordination.dossiers.emergencies import time_left
from coordination.dossiers.models import Dossier, IdentityStatus, Sex
from habilitations.catalog import Catalog
from habilitations.emergency import is_on
from habilitations.rubriques import Rubric, Rubrique

HOME = "accueil"
INS_STATES = {
    IdentityStatus.PROV: "provisoire",
    IdentityStatus.RECUP: "recuperee",
    IdentityStatus.VALI: "validee",
    IdentityStatus.QUAL: "qualifiee",
}
SEX_SHORT = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.UNKNOWN: "I"}
BORN = {Sex.FEMALE: "Née", Sex.MALE: "Né", Sex.UNKNOWN: "Né·e"}
READ_ONLY_NOTES = {
    Dossier.Status.PAUSE: "Le dossier est en pause : il se lit, il ne se modifie pas jusqu’à sa reprise.",
    Dossier.Status.CLOS: "Le dossier est clôturé : il se lit, il ne se modifie plus.",
}
# What a profile sees of a person whose identity rubric it may not read.
HIDDEN_NAME = "Identité non ouverte"


def strip_and_nav(entry, current: str) -> dict:
    """Return {"dossier", "entry", "abilities", "identity", "rubrics_html"}: what dossier_base.html needs.

    `entry` is the door's, `current` a rubric value ("cercle") or HOME. One SQL statement per strip fact.
    """
    return {
        "dossier": entry.dossier,
        "entry": entry,
        "abilities": entry.abilities,
        "identity": identity(entry),
        "rubrics_html": rubrics_html(entry, current),
    }


def identity(entry) -> dict:
    """Return the identity strip, in the shape of templates/components/identity.html."""
    access_url = address("dossiers:access", entry.dossier.pk)
    other = entry.access.on_behalf_of
    said = {
        "my_access": {
            "text": f"Pour {other.name}, {rubrics_read(entry.access)}" if other else rubrics_read(entry.access),
            "url": access_url,
        },
        "note": READ_ONLY_NOTES.get(entry.dossier.status, ""),
        "menu": _menu(entry),
        "emergency": _emergency(entry),
    }
    if not entry.access.can_read(Rubrique.IDENTITE):
        return said | {
            "name": HIDDEN_NAME, "sex": "", "sex_short": "", "birth_date": "", "ins": {"state": "provisoire"},
        }  # fmt: skip
    return said | _person(entry.dossier) | panels.strip_facts(entry)


def _emergency(entry) -> dict | None:
    """Return what the banner of an emergency access says, None for every other way in."""
    if not entry.access.ends_at:
        return None
    return {
        "until": time_fr(timezone.localtime(entry.access.ends_at)),
        "left": time_left(entry.access.ends_at),
        "leave_url": address("dossiers:leave_emergency", entry.dossier.pk),
    }


def rubrics_read(access) -> str:
    """Return "15 rubriques sur 16"."""
    count = len(access.readable())
    return f"{count}{NBSP}rubrique{'s' if count > 1 else ''} sur {len(access.matrix.rubrics)}"


def rubrics_html(entry, current: str) -> Markup:
    """Return the navigation of a dossier, drawn."""
    drawn = _drawn(entry.access.readable(), current, entry.access.matrix.catalog)
    return Markup(drawn.replace(str(_NOBODY), str(entry.dossier.pk)))  # noqa: S704 - drawn by templates


# Stands for the dossier in a navigation drawn for nobody.
_NOBODY = UUID(int=0)


@lru_cache(maxsize=256)  # as many as profiles, times pages
def _drawn(readable: tuple[Rubrique | Rubric, ...], current: str, catalog: Catalog) -> str:
    """Draw the navigation once per profile, page and process: it would cost a fifth of each page."""
    macros = engines["jinja2"].env.get_template("components/rubrics.html").module
    groups = rubric_nav(_NOBODY, readable, current, catalog)
    return str(macros.rubric_list(groups))


def rubric_nav(
    dossier_id: UUID, readable: tuple[Rubrique | Rubric, ...], current: str, catalog: Catalog
) -> list[dict]:
    """Return the groups of the navigation: a page, « Pas d'accès » or « Pas encore disponible » for each rubric."""
    explained = address("dossiers:access", dossier_id)
    home = {
        "key": HOME, "label": "Accueil du dossier", "icon": "house", "url": address("dossiers:home", dossier_id),
        "current": current == HOME,
    }  # fmt: skip
    groups = [{"label": "", "items": [home]}]
    for label, lines in catalog.navigation:
        items = [_item(dossier_id, line, line.rubrique not in readable, current, explained) for line in lines]
        groups.append({"label": label, "items": items})
    return groups


def _item(dossier_id: UUID, line, closed: bool, current: str, explained: str) -> dict:
    rubrique = line.rubrique
    url = None if closed else panels.page_url(rubrique, dossier_id)
    return {
        "key": rubrique.value,
        "label": line.label,
        "icon": line.icon,
        "url": url or f"{explained}#{rubrique.value}",
        "current": current == rubrique.value,
        "closed": closed,
        "later": not closed and url is None,
    }


def _person(dossier: Dossier) -> dict:
    used = dossier.used_name and dossier.used_name != dossier.birth_name
    # The age of someone of whom only the year is known would be a guess.
    exact = dossier.birth_date_precision == Precision.DAY
    return {
        "name": dossier.full_name,
        "born": {"word": BORN[dossier.sex], "name": capital_family(dossier.birth_name)} if used else None,
        "sex": dossier.get_sex_display(),
        "sex_short": SEX_SHORT[dossier.sex],
        "birth_date": dossier.birth_date_written,
        "age": age_fr(dossier.birth_date) if exact else "",
        # INS-4: the matricule leaves the server only when qualified.
        "ins": {
            "state": INS_STATES[dossier.identity_status],
            "matricule": dossier.ins_matricule if dossier.is_qualified else "",
        },
        "tags": identity_tags(dossier),
    }


def identity_tags(dossier) -> list[str]:
    """Return the attributes that call for care: ["Homonyme", "Identité douteuse", "Identité fictive"]."""
    said = (
        (dossier.homonym, "Homonyme"),
        (dossier.doubtful, "Identité douteuse"),
        (dossier.fictitious, "Identité fictive"),
    )
    return [label for held, label in said if held]


def _menu(entry) -> list[dict]:
    pk = entry.dossier.pk
    entries = [{"label": "Mon accès", "url": address("dossiers:access", pk), "icon": "eye"}]
    if entry.access.can_read(Rubrique.IDENTITE):
        entries.append({"label": "Statut du dossier", "url": address("dossiers:status", pk), "icon": "pause-circle"})
    if is_on() and entry.access.may_record_refusal:
        url = address("dossiers:emergency_ban", pk)
        entries.append({"label": "Accès d’urgence", "url": url, "icon": "exclamation-triangle"})
    return entries
