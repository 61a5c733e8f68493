"""The profession an account acts under, once somebody vouched for it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7


class VouchedProfessionQuerySet(models.QuerySet):
    def current(self):
        return self.filter(ended_at=None)


class VouchedProfession(models.Model):
    """The profession an account may act under, because the directory or a named person said so.

    A declared profession gives nothing. National id and structure are copied here so that a trace says
    who acted, for whom, without asking rooms above.
    """

    class How(models.TextChoices):
        DIRECTORY = "annuaire", "Correspondance avec l’annuaire"
        STRUCTURE = "structure", "Confirmée par la structure"
        ADMINISTRATOR = "administrateur", "Confirmée par un administrateur"
        INVITER = "invitation", "Confirmée par la personne qui a invité"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="professions")
    profession = models.CharField(max_length=4)
    fonction = models.CharField(max_length=8, blank=True)
    national_id = models.CharField(max_length=30, blank=True)
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    structure_name = models.CharField(max_length=200, blank=True)
    how = models.CharField(max_length=16, choices=How)
    vouched_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    vouched_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.CharField("motif", max_length=300, blank=True)

    objects = VouchedProfessionQuerySet.as_manager()

    class Meta:
        verbose_name = "profession confirmée"
        # Each call of a software names its professional by it.
        indexes = [models.Index(fields=["national_id"], condition=Q(ended_at=None), name="vouched_by_number")]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(ended_at=None),
                name="one_current_profession_per_account",
                violation_error_message="Ce compte a déjà une profession confirmée.",
            ),
        ]
