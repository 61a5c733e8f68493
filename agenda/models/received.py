"""What another software booked of somebody’s time, about no dossier of this house."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7


class ReceivedTime(models.Model):
    """A time taken elsewhere (an Appointment without a person of ours): the resource itself is kept for its sender.

    The time is in `Occupation`, of kind « reçu »: it makes its slots busy, warns who books over it, refuses nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sender = models.CharField(max_length=80, editable=False)
    received_from = models.CharField(max_length=200, editable=False)
    status = models.CharField(max_length=16)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    identifier_system = models.CharField(max_length=200, blank=True)
    identifier_value = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
    creation_key = models.UUIDField(editable=False)

    class Meta:
        verbose_name = "temps reçu d’un autre logiciel"
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "creation_key"],
                name="received_time_created_once",
                violation_error_message="Ce rendez-vous vient d’être enregistré.",
            ),
            models.UniqueConstraint(
                fields=["sender", "identifier_system", "identifier_value"],
                condition=~Q(identifier_value=""),
                name="received_time_identifier_once",
                violation_error_message="Ce rendez-vous est déjà dans l’agenda.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None, ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="received_time_ends_after_it_starts",
                violation_error_message="La fin doit suivre le début.",
            ),
        ]
