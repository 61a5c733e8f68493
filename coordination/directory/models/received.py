"""What an agenda may also be of, and that no national file lists: places, services inside a structure, equipment.

A software sends them (FHIR Location, HealthcareService, Device) and alone changes them; everybody finds them. What it
sent is kept whole (`fhir.Kept`): the columns are what searches ask.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7


class Received(models.Model):
    """`partner`: who sent it (the owner that `fhir.Caller` names). `structure`: the house it belongs to, if told."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.CharField(max_length=80, editable=False)
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField("nom", max_length=300, blank=True)
    # Folded, with what else one may look it up by.
    search_name = models.CharField(max_length=600, editable=False)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name


class Place(Received):
    """A place one may be received in (FHIR Location)."""

    address = models.CharField("adresse", max_length=300, blank=True)
    postal_code = models.CharField("code postal", max_length=10, blank=True)
    town = models.CharField("ville", max_length=80, blank=True)
    search_address = models.CharField(max_length=500, editable=False)
    # Degrees, WGS 84.
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name = "lieu"
        constraints = [
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None)
                | Q(latitude__gte=-90, latitude__lte=90, longitude__gte=-180, longitude__lte=180),
                name="place_is_on_earth",
                violation_error_message="Indiquez la latitude et la longitude en degrés.",
            ),
        ]


class InternalService(Received):
    """A service inside a structure that gives appointments (FHIR HealthcareService, organisation interne)."""

    class Meta:
        verbose_name = "organisation interne"


class Equipment(Received):
    """What an appointment may need besides people (FHIR Device)."""

    model_number = models.CharField("modèle", max_length=200, blank=True)
    search_model = models.CharField(max_length=200, editable=False)

    class Meta:
        verbose_name = "équipement"
