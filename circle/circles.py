"""The circle as one thing: what names it, its state, and what it said at each moment.

What a CareTeam says of the members comes from their own rows. The database puts it together at the end of every
transaction that changed it (migration 0012_circles), so that no screen, no import and no call can write without its
version.
"""

import datetime as dt

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone

from coordination.common.french import date_fr
from coordination.common.ids import uuid7


class Circle(models.Model):
    """One circle, one per dossier (CDS-36), there since its first member or its first POST.

    What is blank is built at reading: the identifier from the id, the name from the person's, the beginning from the
    first stay.
    """

    class Status(models.TextChoices):
        """http://hl7.org/fhir/ValueSet/care-team-status|4.0.1 (CDS-19)."""

        PROPOSED = "proposed", "Proposé"
        ACTIVE = "active", "Actif"
        SUSPENDED = "suspended", "Suspendu"
        INACTIVE = "inactive", "Terminé"
        ENTERED_IN_ERROR = "entered-in-error", "Créé par erreur"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    identifier_system = models.CharField(max_length=200, blank=True)
    identifier_value = models.CharField(max_length=200, blank=True)
    status = models.CharField("état du cercle", max_length=16, choices=Status, default=Status.ACTIVE)
    name = models.CharField("nom du cercle", max_length=300, blank=True)
    starts_on = models.DateField("début", null=True, blank=True)
    ends_on = models.DateField("fin", null=True, blank=True)
    # Structures that a client named as responsible, beside the one of the dossier: what searches read.
    managing = ArrayField(models.UUIDField(), default=list, blank=True)
    # {"sent", "read", "stands"}: what a client sent, and how it was read (`actions.writing._content`).
    content = models.JSONField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()
    # A call sent again finds the circle it made.
    creation_key = models.UUIDField(default=uuid7, editable=False)

    class Meta:
        verbose_name = "cercle de soins"
        verbose_name_plural = "cercles de soins"
        indexes = [models.Index(fields=["identifier_value"], name="circle_by_identifier")]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier"],
                name="one_circle_per_dossier",
                violation_error_message="Cette personne a déjà un cercle de soins.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="circle_ends_after_it_starts",
                violation_error_message="La fin du cercle de soins ne peut pas précéder son début.",
            ),
        ]

    def __str__(self):
        return str(self.id)


class CircleVersion(models.Model):
    """What a circle said from one moment on. Written by the database alone, never again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    circle = models.ForeignKey(Circle, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    facts = models.JSONField()

    class Meta:
        verbose_name = "version d’un cercle"
        verbose_name_plural = "versions des cercles"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "number"],
                name="circle_version_once",
                violation_error_message="Cette version du cercle est déjà enregistrée.",
            ),
        ]

    def __str__(self):
        return str(self.id)


_SAID = {
    Circle.Status.PROPOSED: "Cercle de soins proposé, pas encore en place.",
    Circle.Status.SUSPENDED: "Cercle de soins suspendu.",
    Circle.Status.INACTIVE: "Cercle de soins terminé.",
    Circle.Status.ENTERED_IN_ERROR: "Cercle de soins créé par erreur.",
}


def state_of(dossier_id) -> str:
    """Return what a software said of the state of a circle (CDS-72), in words; "" when it goes on. One statement."""
    circle = Circle.objects.filter(dossier_id=dossier_id).only("status", "ends_on").first()
    return state_in_words(circle.status, circle.ends_on, timezone.localdate()) if circle else ""


def state_in_words(status: str, ends_on: dt.date | None, today: dt.date) -> str:
    """Return the same from what is stored of it."""
    if ends_on and status in (Circle.Status.ACTIVE, Circle.Status.INACTIVE):
        if ends_on <= today:
            return f"Cercle de soins terminé le {date_fr(ends_on)}."
        return f"Cercle de soins prévu jusqu’au {date_fr(ends_on)}."
    return _SAID.get(Circle.Status(status), "")


def keep_version(dossier_id) -> None:
    """Write now, rather than at the end of the transaction, the version that it makes. One SQL statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT circle_keep_version(%s)", [dossier_id])


def facts_of(dossier_id) -> dict:
    """Return what the circle of a dossier says now, versions aside, as `circle_facts` puts it. One SQL statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT circle_facts(%s)::text", [dossier_id])
        return orjson.loads(cursor.fetchone()[0])
