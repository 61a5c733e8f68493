"""What the person closes whatever is granted, read of rows or asked of tables: `habilitations.access` decides by it.

A refusal, an opposition to the whole dossier, a consent she withdrew; and, rubric by rubric, a consent that leaves it
out, an opposition, beside the ceilings set by who may grant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from coordination.common.statements import rows as run
from habilitations import catalog, grants
from habilitations.models import Ceiling, Consent, Habilitation, Opposition
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Niveau, Rubric, Rubrique

State = Habilitation.State


def closable(rubrics: Iterable[Rubrique | Rubric]) -> tuple[Rubrique | Rubric, ...]:
    """Return what a consent may leave out and an opposition close, among rubrics: all but identity and circle."""
    return tuple(rubrique for rubrique in rubrics if rubrique not in ALWAYS_READ)


def closes_whole(row: dict) -> bool:
    """Say whether a row keeps the account out, however he enters: refusal, opposition, consent withdrawn.

    What the person refused to another closes his own way in, not that of who may enter otherwise.
    """
    return bool(row["user_id"] and refuses(row)) or grants.WHOLE in row["ceilings"]


def refuses(row: dict) -> bool:
    """Say whether the person refused the account, or a structure it acts for, or took back what she granted it."""
    said = row["state"] == State.REFUS or row["ground_end"] == Consent.End.WITHDRAWN
    return said and not row.get("acting")


def opens(row: dict, today: dt.date) -> bool:
    """Say whether a row opens the dossier: granted, until its last day, resting on a fact that stands (SEC-3)."""
    rests = row["ground"] and not row["ground_end"] and (row["ground_until"] or today) >= today
    return bool(rests and row["state"] == State.OUI and (row["access_until"] or today) >= today)


_ANY = Q()


def closed_whole_to(user, among: Q = _ANY) -> QuerySet[Any]:
    """Return, as a subquery of ids, the dossiers that the person closes to the account: `closes_whole`, for lists.

    `among`: a condition on `dossier_id`, for who thinks of a few.
    """
    refused = Habilitation.objects.filter(user=user, state=State.REFUS).values("dossier_id")
    withdrawn = Consent.objects.withdrawn().filter(habilitation__user=user).values("dossier_id")
    whole = Opposition.objects.standing().filter(rubrique="").exclude(spared__contains=[user.pk])
    first, *rest = (closing.filter(among) for closing in (refused, withdrawn, whole.values("dossier_id")))
    return first.union(*rest)


_CLOSED = f"""
SELECT closed.line FROM habilitations_habilitation h
LEFT JOIN habilitations_consent rests
    ON rests.dossier_id = h.dossier_id AND rests.habilitation_id = h.id AND rests.replaced_at IS NULL
CROSS JOIN LATERAL ({grants.CLOSED_BY_THE_PERSON.format(user="h.user_id")}) closed (line)
WHERE h.id = %s
"""  # noqa: S608 - our own names


def closed_by_the_person(habilitation: Habilitation) -> dict[str, Niveau]:
    """Return the rubrics that a consent or an opposition closes to a member, for the preview. One SQL statement."""
    lines = {line for (line,) in run(_CLOSED, [habilitation.pk])}
    if grants.WHOLE in lines:
        return dict.fromkeys(catalog.last().every, Niveau.AUCUN)
    return dict.fromkeys((line.partition("=")[0] for line in lines), Niveau.AUCUN)


def closing_rubric(rubrique: str, whose: Q) -> tuple[QuerySet[Any], ...]:
    """Return what closes a rubric to the habilitations of `whose`: ceilings, consents, oppositions, with `dossier`.

    `whose` speaks of `habilitation`.
    """
    here = Q(whose, habilitation__ended_at=None)
    reduced = Ceiling.objects.standing().filter(here, rubrique=rubrique, niveau=Niveau.AUCUN)
    narrow = Consent.objects.current().filter(here).exclude(rubriques=[]).exclude(rubriques__contains=[rubrique])
    # What she opposes to an account follows it, whatever has become of the entry it was noted on.
    aimed = here | Q(whose, habilitation__user__isnull=False) | Q(habilitation=None)
    opposed = Opposition.objects.standing().filter(aimed, rubrique=rubrique)
    return reduced, narrow, opposed
