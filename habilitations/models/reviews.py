"""« Revue des accès »: a grant looked at and kept, a whole dossier gone through, an account looked at by its house."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7


class AccessKept(models.Model):
    """One grant that somebody chose to keep open though it had not been used: asked again after some months."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "accès gardé à la revue"
        verbose_name_plural = "accès gardés à la revue"
        indexes = [models.Index(fields=["habilitation", "at"], name="access_kept_by_habilitation")]


class AccessReview(models.Model):
    """« Revue terminée »: somebody went through all the grants of one dossier."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "revue des accès"
        verbose_name_plural = "revues des accès"
        indexes = [models.Index(fields=["dossier", "at"], name="access_review_by_dossier")]


class AccountKept(models.Model):
    """An account that the administrator of its structure left as it is, though some of its accesses sleep."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "compte gardé à la revue"
        verbose_name_plural = "comptes gardés à la revue"
        indexes = [models.Index(fields=["user", "at"], name="account_kept_by_user")]


class SleepingAccessQuerySet(models.QuerySet):
    def waiting(self):
        """Those whose holder was told, neither closed nor spared yet."""
        return self.filter(closed_at=None, spared_at=None)

    def closed(self):
        """Those closed by themselves, whose grant nobody has opened or closed since."""
        return self.filter(closed_at=F("habilitation__state_at"), restored_at=None)


class SleepingAccess(models.Model):
    """One grant that nobody used for ACCESS_CLOSE_MONTHS: its holder is told, then it closes by itself.

    `spared_at`: used, kept or changed meanwhile; `restored_at`: opened again in one click, after it was closed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="+")
    told_at = models.DateTimeField(auto_now_add=True)
    closes_on = models.DateField("fermeture le")
    spared_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = SleepingAccessQuerySet.as_manager()

    class Meta:
        verbose_name = "accès qui dort"
        verbose_name_plural = "accès qui dorment"
        indexes = [
            models.Index(
                fields=["closes_on"], condition=Q(closed_at=None, spared_at=None), name="sleeping_access_waiting"
            ),
            models.Index(fields=["dossier", "habilitation"], name="sleeping_access_by_dossier"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation"],
                condition=Q(closed_at=None, spared_at=None),
                name="one_notice_per_sleeping_access",
                violation_error_message="La fermeture de cet accès est déjà annoncée.",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(spared_at=None),
                name="sleeping_access_closed_or_spared",
                violation_error_message="Un accès qui dort est fermé ou épargné, pas les deux.",
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None, restored_by=None)
                | Q(closed_at__isnull=False, restored_at__isnull=False, restored_by__isnull=False),
                name="sleeping_access_restored_by_somebody",
                violation_error_message="Un accès rouvert était fermé, et dit par qui.",
            ),
        ]
