"""« Demander l'accès »: a member asks for a rubric that is closed to him, and is answered."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7


class AccessRequestQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state=AccessRequest.State.OPEN)


class AccessRequest(models.Model):
    """One question of one account about one rubric, through the habilitation by which he is inside."""

    class State(models.TextChoices):
        OPEN = "ouverte", "En attente de réponse"
        ACCEPTED = "acceptee", "Acceptée"
        REFUSED = "refusee", "Refusée"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="access_requests")
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    rubrique = models.CharField(max_length=20)
    reason = models.CharField("motif", max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.CharField("réponse", max_length=300, blank=True)

    objects = AccessRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d’accès"
        verbose_name_plural = "demandes d’accès"
        indexes = [models.Index(fields=["dossier"], condition=Q(state="ouverte"), name="access_request_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "user", "rubrique"],
                condition=Q(state="ouverte"),
                name="one_open_request_per_rubric",
                violation_error_message="Vous avez déjà demandé cette rubrique : la réponse est attendue.",
            ),
            models.CheckConstraint(
                condition=Q(state="ouverte", answered_at=None, answered_by=None)
                | Q(state__in=["acceptee", "refusee"], answered_at__isnull=False, answered_by__isnull=False),
                name="request_answered_by_somebody",
                violation_error_message="Une réponse dit de qui elle vient.",
            ),
            models.CheckConstraint(
                condition=~Q(state="refusee") | ~Q(answer=""),
                name="request_refused_with_a_sentence",
                violation_error_message="Dites en une phrase pourquoi vous refusez.",
            ),
        ]
