"""« Consentements et refus » of one dossier: every dated fact, standing or past, as one reader may know it.

Four SQL statements whatever the number of facts, one more for who enters by a structure. An opposition aimed at the
reader is not told (SEC-6); nor is what concerns a member he may not see (rule 7).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from circle.models import Member
from coordination.common.french import date_fr
from coordination.dossiers.models import Dossier
from habilitations import catalog
from habilitations.actions.consents import stands
from habilitations.models import Consent, Opposition, Refusal

STANDING, PAST, MISSING = "en-cours", "termines", "a-recueillir"
CONSENTS, REFUSALS = "accords", "refus"
EVERYBODY = "Tout le cercle de soins"
_GRANTED = frozenset({"oui", "attente"})


@dataclass(frozen=True)
class Fact:
    """One line: whom it concerns, what was noted, and in which state it is today."""

    who: str
    what: str
    details: tuple[str, ...]
    state: str
    kind: str
    day: dt.date
    at: dt.datetime
    member_id: UUID | None = None
    opposition_id: UUID | None = None
    # An opposition to the whole dossier: what else stands opens nothing to who is not spared.
    is_whole: bool = False

    @property
    def is_standing(self) -> bool:
        return self.state == STANDING


def facts_of(entry, *, member_id: UUID | None = None) -> list[Fact]:
    """Return what this reader may know, the newest first; that of one member when `member_id` is given."""
    members = members_of(entry, member_id)
    asked = {"dossier_id": entry.dossier.pk, "habilitation__in": list(members)}
    consents = Consent.objects.filter(**asked).select_related("recorded_by", "ended_by")
    refusals = Refusal.objects.filter(**asked).select_related("recorded_by", "withdrawn_by")
    shown = Opposition.objects.filter(dossier_id=entry.dossier.pk).shown_to(entry.user, entry.access)
    oppositions = shown.select_related("recorded_by", "withdrawn_by")
    found, inside = list(consents), {one.habilitation.user_id: one.display_name for one in members.values()}
    lines = [_consent(one, members[one.habilitation_id]) for one in found]
    lines += [_refusal(one, members[one.habilitation_id]) for one in refusals]
    for one in oppositions:
        if one.habilitation_id in members:
            lines.append(_opposition(one, members[one.habilitation_id], inside))
        elif one.habilitation_id is None and member_id is None:
            lines.append(_opposition(one, None, inside))
    lines += _missing(members, found, closed=entry.dossier.status == Dossier.Status.CLOS)
    return sorted(lines, key=lambda line: (line.state == MISSING, line.at), reverse=True)


def kept(facts: list[Fact], shown: str) -> list[Fact]:
    """Return the facts that answer « Afficher »: a state, or a kind."""
    if shown in (STANDING, PAST, MISSING):
        return [fact for fact in facts if fact.state == shown]
    return [fact for fact in facts if fact.kind == shown] if shown in (CONSENTS, REFUSALS) else facts


def members_of(entry, member_id: UUID | None = None) -> dict[UUID, Member]:
    """Return {habilitation: member} of those the reader may see, also those who have left. One SQL statement."""
    if not entry.access.sees_whole_circle:
        return {}
    rows = Member.objects.shown_to(entry.access).filter(dossier_id=entry.dossier.pk)
    rows = rows.filter(pk=member_id) if member_id else rows
    found = rows.select_related("professional", "structure", "activity", "habilitation")
    return {member.habilitation_id: member for member in found}


def _missing(members: dict[UUID, Member], consents: list[Consent], *, closed: bool) -> list[Fact]:
    """Return who is habilitated with nothing that carries it: nothing opens before it is noted."""
    carried = {one.habilitation_id for one in consents if one.replaced_at is None and stands(one)}
    said = "Fin de prise en charge : à noter à la réouverture." if closed else "Habilité, aucun accès d’ici là."
    return [
        Fact(
            member.display_name, "Accord de la personne à recueillir", (said,), MISSING,
            CONSENTS, timezone.localdate(member.habilitation.state_at), member.habilitation.state_at, member.pk,
        )
        for habilitation_id, member in members.items()
        if habilitation_id not in carried
        and member.habilitation.ended_at is None and member.habilitation.state in _GRANTED
    ]  # fmt: skip


def _consent(one: Consent, member: Member) -> Fact:
    # It carries nothing any more once its member has left, though it is kept as it was: a removal can be undone.
    left_at = member.habilitation.ended_at
    over = one.replaced_at is not None or left_at is not None or not stands(one)
    given = "donné" if one.is_express else "depuis"
    said = [f"{given.capitalize()} le {date_fr(one.starts_on)}"]
    if one.is_express:
        said.append(one.get_collected_display().lower())
    said.append(f"personne informée le {date_fr(one.informed_on)}" if one.informed_on else "information à noter")
    details = [", ".join(said) + "."]
    if one.rubriques:
        details.append(f"Limité à : {', '.join(labels(one.rubriques))}.")
    if one.last_day:
        details.append(f"Dernier jour : {date_fr(one.last_day)}.")
    if one.proof:
        details.append(f"Preuve : {one.proof.rstrip('.')}.")
    details.append(_noted(one.recorded_by, one.recorded_at))
    if one.end:
        how = f" ({one.get_ended_collected_display().lower()})" if one.ended_collected else ""
        details.append(
            f"{one.get_end_display()} le {date_fr(one.ended_on)}{how}. {_noted(one.ended_by, one.ended_at)}"
        )
    elif one.replaced_at:
        details.append(f"Remplacé le {date_fr(timezone.localdate(one.replaced_at))}.")
    elif left_at:
        details.append(f"A quitté le cercle de soins le {date_fr(timezone.localdate(left_at))}.")
    return Fact(
        member.display_name, one.get_ground_display(), tuple(details), PAST if over else STANDING, CONSENTS,
        one.starts_on, one.recorded_at, member.pk,
    )  # fmt: skip


def _refusal(one: Refusal, member: Member) -> Fact:
    return _refused(one, member, "Refus du patient : aucun partage avec ce membre")


def _opposition(one: Opposition, member: Member | None, inside: dict[UUID, str]) -> Fact:
    """`inside`: {account: name} of the members, to name who keeps the dossier when everything is opposed."""
    closed = catalog.last().rubric_label(one.rubrique) if one.rubrique else "tout le dossier"
    keep = sorted(inside[account] for account in one.spared if account in inside)
    said = (f"Gardent l’accès : {', '.join(keep)}.",) if keep else ()
    return _refused(one, member, f"Opposition : {closed}", said, opposition_id=one.pk, is_whole=not one.rubrique)


def _refused(one, member: Member | None, what: str, said: tuple[str, ...] = (), **more) -> Fact:
    details = [f"Le {date_fr(one.refused_on)}. {one.get_collected_display()}.", *said]
    if one.comment:
        details.append(f"{one.comment.rstrip('.')}.")
    details.append(_noted(one.recorded_by, one.recorded_at))
    if one.withdrawn_on:
        details.append(f"Retiré le {date_fr(one.withdrawn_on)}. {_noted(one.withdrawn_by, one.withdrawn_at)}")
    return Fact(
        member.display_name if member else EVERYBODY, what, tuple(details), PAST if one.withdrawn_at else STANDING,
        REFUSALS, one.refused_on, one.recorded_at, member.pk if member else None, **more,
    )  # fmt: skip


def labels(rubriques) -> list[str]:
    """Return the labels of rubrics in the order of the matrix."""
    return [rubrique.label for rubrique in catalog.last().every if rubrique.value in set(rubriques)]


def _noted(by, at: dt.datetime | None) -> str:
    who = f" par {by.get_full_name()}" if by else ""
    return f"Noté{who} le {date_fr(timezone.localdate(at))}." if at else ""
