"""« Revue des accès »: a grant looked at and kept, a whole dossier gone through, an account looked at by its house."""

from django.conf import settings
from django.db import models

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
