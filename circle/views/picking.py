"""The role question of one member: what suits him, who holds the unique roles, and the hand-over."""

from __future__ import annotations

from django.utils import timezone

from circle import roles
from circle.forms.access import Holder, Planned, RolePicker
from circle.models import Member, RoleHolding, RoleSetting
from coordination.common.text import fold
from coordination.directory.search import profession_label


def unique_roles() -> frozenset[str]:
    """Return the codes one member at a time may hold (one SQL statement)."""
    settings = dict(RoleSetting.objects.values_list("role", "unique"))
    return frozenset(code for code in roles.all_roles() if roles.is_unique(code, settings))


def held(entry, unique: frozenset[str], *, but=None) -> tuple[dict[str, Holder], dict[str, Planned]]:
    """Return who holds each unique role today, `but` one left out, and who takes it over next.

    Only members the reader may see. Two SQL statements.
    """
    today = timezone.localdate()
    known = {row.id: row for row in Member.objects.rows(entry)}
    holders: dict[str, Holder] = {}
    planned: dict[str, Planned] = {}
    lines = RoleHolding.objects.from_day(today).filter(dossier_id=entry.dossier.pk, role__in=unique)
    for role, member_id, since in lines.order_by("starts_on").values_list("role", "member_id", "starts_on"):
        if member_id not in known:
            continue
        if since > today:
            planned.setdefault(role, Planned(known[member_id].name, since))
        elif member_id != but:
            holders[role] = _holder(known[member_id], role, since)
    return holders, planned


def _holder(row, role: str, since) -> Holder:
    said = _words(row.feminine, row.profession)
    likely, others = _offered(row.kind, row.profession_code, row.fonction_code, said, but=role)
    usual = roles.usual(row.kind, row.profession_code, row.fonction_code)
    return Holder(
        member_id=row.id,
        name=row.name,
        role=roles.label(role, feminine=row.feminine),
        since=since,
        roles=likely + others,
        likely=usual or (roles.CAREGIVER if row.kind == roles.PERSON else ""),
    )


def picker(
    entry, *, kind: str, profession="", fonction="", feminine=None, words="", but=None, current="", required=True
):
    """Return the RolePicker of a member; `words` is his profession in words, `but` his own id, `current` his role."""
    unique = unique_roles()
    likely, others = _offered(kind, profession, fonction, _words(feminine, words), current=current)
    holders, planned = held(entry, unique, but=but)
    return RolePicker(
        likely=likely,
        others=others,
        unique=unique,
        holders=holders,
        planned=planned,
        required=required,
    )


def options(form, *, newcomer: str, draw) -> list[dict]:
    """Return the radios of the role question; `draw(sentence, handover_form)` draws the hand-over panel."""
    return [_option(form, code, label, newcomer, draw) for code, label in form.picker.likely]


def _option(form, code: str, label: str, newcomer: str, draw) -> dict:
    option = {"value": code, "title": label}
    if code not in form.picker.unique:
        return option | {"hint": "(plusieurs possibles)"}
    option["tag"] = "Rôle unique"
    if said := form.picker.held(code, since=True):
        option["detail"] = f"{said[0].upper()}{said[1:]}"
    if holder := form.picker.holders.get(code):
        option["body"] = draw(handover_sentence(newcomer, holder.name), form.handovers[code])
    return option


def handover_sentence(newcomer: str, holder: str) -> str:
    return f"{newcomer} remplacera {holder} dans ce rôle. {holder} reste dans le cercle et garde son accès."


def _offered(kind, profession, fonction, said, *, but="", current="") -> tuple[list, list]:
    """Return the likely roles and the others as (code, label) pairs; no two of them read the same.

    Several codes may be shown as the same profession: one is enough, the `current` one or the likeliest.
    """
    found = [
        [(role.code, said(role)) for role in offered(kind, profession, fonction) if role.code != but]
        for offered in (roles.likely, roles.others)
    ]
    kept: dict[str, str] = {}
    for code, label in found[0] + found[1]:
        if code == current or fold(label) not in kept:
            kept[fold(label)] = code
    likely, others = ([pair for pair in pairs if kept[fold(pair[1])] == pair[0]] for pairs in found)
    return likely, others


def _words(feminine, words):
    def said(role) -> str:
        return roles.label(role.code, feminine=bool(feminine), profession=words)

    return said


def trade(profession: str) -> str:
    """Return the words of a bare profession code."""
    return profession_label(profession) if profession else ""
