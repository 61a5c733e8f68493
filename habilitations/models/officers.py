"""Who answers for the protection of data: named, dated, and without a dossier of his own."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7


class DataProtectionOfficerQuerySet(models.QuerySet):
    def current(self):
        return self.filter(ended_at=None)


class DataProtectionOfficer(models.Model):
    """The named person who may search the journals of every dossier without opening any (issue 3 §5)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = DataProtectionOfficerQuerySet.as_manager()

    class Meta:
        verbose_name = "délégué à la protection des données"
        verbose_name_plural = "délégués à la protection des données"
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(ended_at=None),
                name="data_protection_officer_once",
                violation_error_message="Cette personne est déjà déléguée à la protection des données.",
            ),
        ]
