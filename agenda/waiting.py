"""What waits for somebody in the agenda: « À faire », « Mon compte » and his own agenda say it the same way.

Neither the person nor the motive is named: what is said here is also said beside other dossiers.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject
from django.utils import timezone

from agenda.letters import moment_of
from agenda.models import Appointment, LeftOutside, Occupation, OpenTime, Participation, Proposal
from coordination.accounts.notices import Notice, Provider, asked_of
from coordination.common.addresses import address
from habilitations import access

MOST = 50
_UNANSWERED = Participation.Status.NEEDS_ACTION
# A meeting whose time is put to the vote.
_TO_FIX = Q(kind=Appointment.Kind.MEETING, status=Appointment.Status.PROPOSED, starts_at=None, merged_into=None)


def of(user) -> list[Notice]:
    """Return one notice for each appointment to come, and each meeting to fix, that waits for this account: for his
    answer, or for what he decides as its organiser; then one for what software left outside of openings. The next
    first, in one SQL statement.
    """
    return asked_of([PROVIDER, LEFT_OUTSIDE], user)


def _waits(user) -> QuerySet[Appointment]:
    # The last to be answered sort last, and the same moment by its row.
    order = Concat(Cast(Coalesce("starts_at", "answer_by"), CharField()), Value(" "), Cast("pk", CharField()))
    said = JSONObject(
        order=order, starts_at="starts_at", zone="zone", all_day="all_day", dossier="dossier_id", id="pk",
        is_asked="is_asked",
    )  # fmt: skip
    return _waiting(user).order_by(Coalesce("starts_at", "answer_by"), "pk").annotate(said=said)[:MOST]


def _told(said: dict[str, Any]) -> Notice:
    ids = UUID(said["dossier"]), UUID(said["id"])
    if said["starts_at"]:
        return _of_appointment(said, ids)
    return _of_meeting(said, ids)


def _of_appointment(said: dict[str, Any], ids: tuple[UUID, UUID]) -> Notice:
    moment = Appointment(
        starts_at=dt.datetime.fromisoformat(said["starts_at"]), zone=said["zone"], all_day=said["all_day"]
    )
    return Notice(
        title="Un rendez-vous attend votre réponse" if said["is_asked"] else "Un autre moment vous est proposé",
        sentence=f"Le {moment_of(moment)}.",
        link_label="Répondre",
        link_url=address("agenda:answer", *ids),
    )


def _of_meeting(said: dict[str, Any], ids: tuple[UUID, UUID]) -> Notice:
    if said["is_asked"]:
        return Notice(
            title="Une réunion attend votre réponse",
            sentence="Dites quels créneaux vous conviennent.",
            link_label="Répondre",
            link_url=address("reunions:answer", *ids),
        )
    return Notice(
        title="Une réunion attend votre décision",
        sentence="Les réponses n’ont pas fixé de créneau.",
        link_label="Choisir un créneau",
        link_url=address("reunions:meeting", *ids),
    )


PROVIDER = Provider(_waits, _told)


def _left_outside(user) -> QuerySet[LeftOutside]:
    """How many appointments a software left outside of every opening, until they are over, moved or covered again
    (GAP-40); no row when none.
    """
    around = {"starts_at__lte": OuterRef("starts_at"), "ends_at__gte": OuterRef("ends_at")}
    still = Occupation.objects.filter(
        ~Exists(OpenTime.objects.filter(key=OuterRef("key"), **around)), source=OuterRef("source"),
        key=OuterRef("key"), ends_at__gt=timezone.now(),
    )  # fmt: skip
    rows = LeftOutside.objects.filter(Exists(still), told=user).order_by().values("told")
    return rows.annotate(said=JSONObject(order=Value(""), count=Count("pk")))


def _told_outside(said: dict[str, Any]) -> Notice:
    count = said["count"]
    many = count > 1
    return Notice(
        title="Des rendez-vous sont hors des disponibilités" if many else "Un rendez-vous est hors des disponibilités",
        sentence=f"Un logiciel a retiré une plage : {count} rendez-vous restent pris."
        if many
        else "Un logiciel a retiré une plage : le rendez-vous reste pris.",
        link_label="Voir mon agenda",
        link_url=address("mon_agenda:list"),
    )


LEFT_OUTSIDE = Provider(_left_outside, _told_outside)


def _waiting(user) -> QuerySet[Appointment]:
    """Those of dossiers that are still open to him, found from what is asked of him: a few rows among many."""
    now = timezone.now()
    unanswered = Participation.objects.filter(user=user, status=_UNANSWERED)
    # Of a meeting, other times are among those that are voted on.
    elsewhere = Proposal.objects.filter(
        appointment__organizer=user, proposed_by__isnull=False, withdrawn_at=None, starts_at__gt=now
    ).exclude(appointment__kind=Appointment.Kind.MEETING)
    asked = unanswered.values("appointment_id").union(
        elsewhere.values("appointment_id"), _to_decide(user, now).values("pk")
    )
    rows = Appointment.objects.filter(
        Q(ends_at__gt=now) | _TO_FIX, pk__in=asked, status__in=Appointment.LIVE, merged_into=None,
        dossier__in=access.dossiers_of(user),
    )  # fmt: skip
    return rows.annotate(is_asked=Exists(unanswered.filter(appointment=OuterRef("pk"))))


def _to_decide(user, now) -> QuerySet[Appointment]:
    """His meetings that answers did not fix: all the indispensable have answered, or their time is over."""
    missing = Participation.objects.filter(
        appointment=OuterRef("pk"), need=Participation.Need.REQUIRED, status=_UNANSWERED
    )
    return Appointment.objects.filter(_TO_FIX, ~Exists(missing) | Q(answer_by__lte=now), organizer=user)
