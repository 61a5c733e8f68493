"""A time to be found for several: the times proposed, and what each one answers."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from agenda.models.appointments import Appointment, Participation
from coordination.common.ids import uuid7


class Proposal(models.Model):
    """One time proposed for a meeting, by its organiser or by one who is invited (« autre moment »)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="proposals")
    starts_at = models.DateTimeField("début")
    ends_at = models.DateTimeField("fin")
    # Who among the invited proposes it instead; None: the organiser.
    proposed_by = models.ForeignKey(
        Participation, null=True, blank=True, on_delete=models.CASCADE, related_name="proposals"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "créneau proposé"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "appointment", "starts_at", "ends_at"],
                name="proposal_once_per_meeting",
                violation_error_message="Ce créneau est déjà proposé.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")),
                name="proposal_ends_after_it_starts",
                violation_error_message="La fin doit suivre le début.",
            ),
        ]


class Answer(models.Model):
    """What one of the invited says of one proposed time."""

    class Choice(models.TextChoices):
        YES = "oui", "Oui"
        IF_NEEDED = "si_besoin", "Si besoin"
        NO = "non", "Non"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="answers")
    participation = models.ForeignKey(Participation, on_delete=models.CASCADE, related_name="answers")
    choice = models.CharField(max_length=9, choices=Choice)
    at = models.DateTimeField(auto_now=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "réponse à un créneau"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "proposal", "participation"],
                name="one_answer_per_proposal",
                violation_error_message="Cette personne a déjà répondu pour ce créneau.",
            ),
        ]
