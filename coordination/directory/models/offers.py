"""A place in a structure offered to a person: an account becomes one of its accounts once its holder has said yes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from coordination.common.ids import uuid7
from coordination.directory.models.people import Professional
from coordination.directory.models.structures import Structure


class AttachmentOfferQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(answered_at=None)


class AttachmentOffer(models.Model):
    """What a structure's administrator typed of somebody: the same row, and the same words, whether an account was
    there before or not, so that nobody learns from it who has one (decision 2026-11-28).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    structure = models.ForeignKey(Structure, on_delete=models.PROTECT, related_name="offers")
    email = models.EmailField("adresse e-mail")
    family_name = models.CharField("nom", max_length=120)
    given_name = models.CharField("prénom", max_length=120)
    profession = models.CharField(max_length=4)
    fonction = models.CharField(max_length=8, blank=True)
    professional = models.ForeignKey(Professional, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Whose answer is awaited, never shown to who offers.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="offers")
    # The account had never been used, nor been another structure's: its first sign-in is the answer.
    opens_account = models.BooleanField(default=False)
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    is_accepted = models.BooleanField(default=False)

    objects = AttachmentOfferQuerySet.as_manager()

    class Meta:
        verbose_name = "demande de rattachement"
        verbose_name_plural = "demandes de rattachement"
        constraints = [
            models.UniqueConstraint(
                "structure",
                Lower("email"),
                condition=Q(answered_at=None),
                name="attachment_offered_once",
                violation_error_message="Une demande attend déjà la réponse de cette personne.",
            ),
            models.CheckConstraint(
                condition=Q(is_accepted=False) | Q(answered_at__isnull=False),
                name="attachment_accepted_is_answered",
                violation_error_message="Une demande acceptée a une date de réponse.",
            ),
        ]
