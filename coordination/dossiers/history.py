"""What a dossier tells of itself: its activity, its news, its former identities, its changes of state."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import CharField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Greatest
from django.urls import reverse

from coordination.common.prepared import Prepared
from coordination.common.text import person_name
from coordination.dossiers.models import Dossier, IdentityStatus, IdentityVersion, StatusChange
from coordination.dossiers.panels import Card, News
from habilitations.rubriques import Rubrique

FORMER_SHOWN, NEWS_SHOWN = 20, 10
IDENTITY = "identite"


@dataclass(frozen=True, slots=True)
class FormerIdentity:
    """One identity as it stood before a change, without its matricule unless it was qualified (INS-4).

    `by` is "" for who does not see the whole circle (rule 7).
    """

    at: object
    by: str
    reason: str
    name: str
    detail: str


def last_activity(user, can_read) -> Greatest | Subquery:
    """Return when someone else last changed the state or the identity of a dossier, for the file active."""
    states = StatusChange.objects.filter(dossier=OuterRef("pk")).exclude(by=user).order_by("-at").values("at")[:1]
    if not can_read(Rubrique.IDENTITE):
        return Subquery(states)
    identities = (
        IdentityVersion.objects.filter(~Q(replaced_by=user) | Q(replaced_by=None), dossier=OuterRef("pk"))
        .order_by("-version")
        .values("replaced_at")[:1]
    )
    # PostgreSQL's GREATEST passes over nulls.
    return Greatest(Subquery(states), Subquery(identities))


def news(entry, since) -> list[News]:
    """Return the changes of state and of identity made by others since a date. One SQL statement.

    Who made them is for who sees the whole circle: its names are not told otherwise (rule 7).
    """
    reads, names = entry.access.can_read(Rubrique.IDENTITE), entry.access.sees_whole_circle
    lines = _changes.tuples(reads, dossier_id=entry.dossier.pk, since=since, user_id=entry.user.pk)
    return [_news_line(*line, names=names) for line in lines]


def _changes_by_others(reads_identity: bool, *, dossier_id, since, user_id) -> QuerySet:
    states = (
        StatusChange.objects.filter(dossier=dossier_id, at__gt=since).exclude(by=user_id)
        .annotate(what=F("after"), family=F("by__family_name"), given=F("by__given_name"))
        .values_list("at", "what", "family", "given")
    )  # fmt: skip
    if not reads_identity:
        return states.order_by("-at")[:NEWS_SHOWN]
    identities = (
        IdentityVersion.objects.filter(dossier=dossier_id, replaced_at__gt=since)
        .exclude(replaced_by=user_id)
        .annotate(
            at=F("replaced_at"), what=Value(IDENTITY, output_field=CharField()),
            family=F("replaced_by__family_name"), given=F("replaced_by__given_name"),
        )
        .values_list("at", "what", "family", "given")
    )  # fmt: skip
    return states.union(identities, all=True).order_by("-at")[:NEWS_SHOWN]


_changes = Prepared(_changes_by_others, one_plan=True)


def _news_line(at, what: str, family: str | None, given: str | None, *, names: bool) -> News:
    who = person_name(family, given) or "Le téléservice INSi"
    if what == IDENTITY:
        said = f"{who} a modifié l’identité" if names else "L’identité a été modifiée"
        return News(at=at, icon="person-vcard", sentence=said)
    said = f"{who} a changé le statut du dossier" if names else "Le statut du dossier a changé"
    return News(at=at, icon="pause-circle", sentence=said, detail=Dossier.Status(what).label)


def identity_card(entry) -> Card:
    """Return the home page's card of the identity rubric. No SQL: the door read it all."""
    return Card(
        rubrique=Rubrique.IDENTITE,
        title=Rubrique.IDENTITE.label,
        template="dossiers/_identity_card.html",
        url=reverse("dossiers:identity", args=[entry.dossier.pk]),
        facts={"dossier": entry.dossier, "may_write": entry.access.can_write(Rubrique.IDENTITE)},
    )


def former_identities(entry) -> list[FormerIdentity]:
    """Return the latest former identities, newest first. One SQL statement."""
    names = entry.access.sees_whole_circle
    rows = entry.dossier.identity_versions.select_related("replaced_by").order_by("-version")[:FORMER_SHOWN]
    return [
        FormerIdentity(
            at=row.replaced_at,
            by=_author(row) if names else "",
            reason=row.reason,
            name=person_name(row.birth_name, row.birth_given_names),
            detail=_former_detail(row),
        )
        for row in rows
    ]


def status_changes(dossier: Dossier) -> list[StatusChange]:
    """Return the latest changes of state, newest first. One SQL statement."""
    return list(dossier.status_changes.select_related("by").order_by("-at")[:FORMER_SHOWN])


def _author(row: IdentityVersion) -> str:
    return person_name(row.replaced_by.family_name, row.replaced_by.given_name) if row.replaced_by else "INSi"


def _former_detail(row: IdentityVersion) -> str:
    used = person_name(row.used_name, row.used_given_name)
    parts = [
        row.birth_date_written,
        row.get_sex_display(),
        row.birth_place,
        f"utilise {used}" if used else "",
        IdentityStatus(row.identity_status).label,
    ]
    return ", ".join(filter(None, parts))
