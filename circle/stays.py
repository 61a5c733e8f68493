"""What is planned of the presence of a member: the end of the stay under way, or a stay to come."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from coordination.common.ids import uuid7


class DateRange(Func):
    """[start, end) as PostgreSQL compares it; no end means for ever."""

    function = "daterange"


class EndReason(models.TextChoices):
    """Why a member leaves, or is to leave."""

    FIN = "fin", "Fin de prise en charge"
    REMPLACEMENT = "remplacement", "Remplacé par un autre professionnel"
    DEPART = "depart", "Départ ou changement de lieu d’exercice"
    SOUHAIT = "souhait", "Souhait de la personne accompagnée"
    DECES = "deces", "Décès"
    ERREUR = "erreur", "Ajouté par erreur"
    DOUBLON = "doublon", "Doublon d’une autre entrée"


class PlannedStayQuerySet(models.QuerySet):
    def waiting(self) -> PlannedStayQuerySet:
        return self.filter(closed_at=None)

    def told(self) -> PlannedStayQuerySet:
        """Those that versions of the circle tell (`circle_facts`): what could not be done on its day is no fact."""
        return self.waiting().filter(hindrance="")

    def arrivals(self) -> PlannedStayQuerySet:
        return self.filter(period=None)

    def departures(self) -> PlannedStayQuerySet:
        return self.filter(period__isnull=False)

    def due(self, day: dt.date) -> PlannedStayQuerySet:
        """Those whose day has come: departures first, since who arrives may take the role of who leaves."""
        come = Q(period=None, starts_on__lte=day) | Q(period__isnull=False, ends_on__lte=day)
        return self.waiting().filter(come).order_by(F("period").asc(nulls_last=True), "starts_on", "id")


class PlannedStay(models.Model):
    """One plan. Of a stay under way (`period`), `starts_on` is its beginning and `ends_on` the day it is to end.

    It gives and takes no right: on the day, `actions.carry_out_plans` does what its author would have done then.
    """

    class Outcome(models.TextChoices):
        DONE = "fait", "Fait"
        CALLED_OFF = "annule", "Annulé"
        # Somebody did otherwise meanwhile: he left sooner, or came sooner.
        OVERTAKEN = "depasse", "Dépassé"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("circle.Member", on_delete=models.PROTECT, related_name="plans")
    period = models.ForeignKey("circle.Period", null=True, blank=True, on_delete=models.PROTECT, related_name="plans")
    starts_on = models.DateField("entrée")
    ends_on = models.DateField("sortie", null=True, blank=True)
    # Of somebody who is to come.
    role = models.CharField("rôle", max_length=20, blank=True)
    # Of somebody who is to leave.
    reason = models.CharField("motif du départ", max_length=14, choices=EndReason, blank=True)
    note = models.CharField("précision", max_length=300, blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(auto_now_add=True)
    # Why it could not be done on its day: it is tried again until it can, or until somebody calls it off.
    hindrance = models.CharField("empêchement", max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    objects = PlannedStayQuerySet.as_manager()

    @property
    def day(self) -> dt.date:
        """The day on which something is to be done."""
        return self.starts_on if self.period_id is None or self.ends_on is None else self.ends_on

    class Meta:
        verbose_name = "présence prévue"
        verbose_name_plural = "présences prévues"
        indexes = [
            models.Index(fields=["dossier"], name="planned_stay_by_dossier", condition=Q(closed_at=None)),
            models.Index(fields=["starts_on", "ends_on"], name="planned_stay_by_day", condition=Q(closed_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "period"],
                name="one_planned_end_per_stay",
                condition=Q(closed_at=None),
                violation_error_message="Un départ est déjà prévu pour ce membre.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gt=F("starts_on")),
                name="planned_stay_ends_after_it_starts",
                violation_error_message="Le départ prévu suit l’entrée dans le cercle de soins.",
            ),
            models.CheckConstraint(
                condition=Q(period=None) | Q(ends_on__isnull=False),
                name="planned_end_has_a_day",
                violation_error_message="Indiquez le jour du départ.",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="closed_plan_has_an_outcome",
                violation_error_message="Ce qui était prévu est fait, annulé ou dépassé.",
            ),
            ExclusionConstraint(
                name="planned_stays_do_not_overlap",
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    (DateRange(F("starts_on"), F("ends_on")), RangeOperators.OVERLAPS),
                ],
                condition=Q(closed_at=None),
                violation_error_message="Une présence est déjà prévue à ces dates pour ce membre.",
            ),
        ]
