"""Whose dossiers: the filter « Référent » of Patients, as a reader may know it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from circle import roles
from circle.models import RoleHolding, RoleHoldingQuerySet
from coordination.common.text import person_name
from coordination.dossiers.file_active import MINE, NOBODY, Reader
from habilitations.access import is_closed_to
from habilitations.rubriques import Rubrique

# A list one reads with the eyes; beyond, one filters otherwise.
MOST = 100


def found(reader: Reader, dossier_ids, today: dt.date) -> QuerySet:
    """Return the référents of these dossiers, by name: (id, family name, given name) lines.

    `dossier_ids` is a subquery. A référent entered by hand is another one in each dossier: not offered.
    """
    return (
        _known_to(reader, today)
        .filter(dossier_id__in=dossier_ids, member__professional__isnull=False)
        .exclude(member__habilitation__user=reader.user)
        .order_by("member__professional__search_family", "member__professional__search_given", "member__professional")
        .values_list("member__professional", "member__professional__family_name", "member__professional__given_name")
        .distinct()[:MOST]
    )


def choices(lines: Iterable[tuple]) -> list[tuple[str, str]]:
    """Return « Moi », « Sans référent », then the référents of `found`: (value, label) pairs."""
    # What orders the lines comes with them.
    named = [(str(pk), person_name(family, given)) for pk, family, given, *_ in lines]
    return [(MINE, "Moi, référent du parcours"), (NOBODY, "Sans référent"), *named]


def condition(reader: Reader, value: str) -> Exists | Q | None:
    """Return whether this person is the référent of the dossier OuterRef("pk") today; None for who may not know.

    A discreet référent one may not see (rule 7) is nobody's: neither found by name nor counted as there.
    """
    if not is_told(reader):
        return None
    here = _known_to(reader).filter(dossier=OuterRef("pk"))
    if value == NOBODY:
        return ~Exists(here)
    if value == MINE:
        # One always knows of oneself.
        return Exists(_current().filter(dossier=OuterRef("pk"), member__habilitation__user=reader.user))
    return Exists(here.filter(member__professional=UUID(value)))


def is_told(reader: Reader) -> bool:
    """Say whether this reader may know who the référents are: who reads the whole circle."""
    return reader.can_read(Rubrique.CERCLE) and not reader.matrix.reads_reduced_circle(reader.profile)


def _known_to(reader: Reader, today: dt.date | None = None) -> RoleHoldingQuerySet:
    held = _current(today)
    if not reader.can_read(Rubrique.MEDICAL):
        return held.filter(member__discreet=False)
    return held.filter(Q(member__discreet=False) | ~is_closed_to(reader.user, Rubrique.MEDICAL))


def _current(today: dt.date | None = None) -> RoleHoldingQuerySet:
    return RoleHolding.objects.on_day(today or timezone.localdate()).filter(role=roles.REFERENT)
