"""Whether the person agrees that those around her see what other structures plan (AGD-11, AGD-12)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7


class AgendaConsentQuerySet(models.QuerySet):
    def in_force(self):
        return self.filter(withdrawn_at=None)


class AgendaConsent(models.Model):
    """One agreement of the person, from the day she gave it to the day she withdrew it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    given_on = models.DateField("accord donné le")
    given_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_on = models.DateField("accord retiré le", null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = AgendaConsentQuerySet.as_manager()

    class Meta:
        verbose_name = "accord pour l’agenda partagé"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier"],
                condition=Q(withdrawn_at=None),
                name="one_agenda_consent_at_a_time",
                violation_error_message="L’accord de la personne est déjà noté.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None) | Q(withdrawn_on__gte=F("given_on")),
                name="agenda_consent_withdrawn_after",
                violation_error_message="Le retrait ne peut pas précéder l’accord.",
            ),
        ]


class KeptApart(models.Model):
    """« Ce sont deux rendez-vous »: two events that look like one, and that somebody said are not."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    # The lower id first.
    first = models.ForeignKey("agenda.Appointment", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("agenda.Appointment", on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "rendez-vous distincts"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "first", "second"],
                name="appointments_kept_apart_once",
                violation_error_message="Ces deux rendez-vous sont déjà tenus pour distincts.",
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")),
                name="appointments_kept_apart_in_order",
                violation_error_message="Un rendez-vous ne ressemble pas à lui-même.",
            ),
        ]
