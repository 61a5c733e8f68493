"""Whether a member may enter a dossier: the state of his habilitation, its history, the person's refusal."""

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now, TruncDate

from coordination.common.ids import uuid7
from habilitations.models.consents import Collected, Consent


class HabilitationQuerySet(models.QuerySet):
    def open(self):
        """Rows of a membership that has not ended."""
        return self.filter(ended_at=None)

    def granting(self):
        """Rows that open a dossier today: granted, to the end of its last day, with what it rests on (SEC-3)."""
        # The day is asked of the database: this queryset goes into prepared statements, which outlive a day.
        lasting = Q(access_until=None) | Q(access_until__gte=TruncDate(Now()))
        # Looked up row by row: as an EXISTS the planner would join the grants of everybody first.
        carrying = Consent.objects.standing().filter(dossier=OuterRef("dossier"), habilitation=OuterRef("pk"))
        rests = self.alias(rests_on=Subquery(carrying.values("pk")[:1]))
        return rests.filter(lasting, rests_on__isnull=False, ended_at=None, state=Habilitation.State.OUI)


class Habilitation(models.Model):
    """Whether one member may enter one dossier: one state, one place.

    Refusal and habilitation are values of the same column, so that they cannot both be stored; that the state
    "refus" has its standing refusal, and no other state has one, is checked by the database when the act ends
    (migration 0004_refusal_and_state_agree).
    """

    class State(models.TextChoices):
        NON = "non", "Non habilité"
        ATTENTE = "attente", "En attente"
        OUI = "oui", "Habilité"
        REFUS = "refus", "Refus du patient"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="habilitations")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="habilitations"
    )
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="habilitations"
    )
    # Whom it waits for: the directory person whose account will be bound to it.
    professional = models.ForeignKey(
        "directory.Professional", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField("habilitation", max_length=8, choices=State, default=State.NON)
    state_at = models.DateTimeField(auto_now_add=True)
    state_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField("habilitation demandée", null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    # Last day of the grant, that day included; kept when the membership ends, so that undoing it gives back no more.
    access_until = models.DateField("fin d’accès", null=True, blank=True)
    # The end date its reminder was sent for: moved, it is sent again.
    reminded_for = models.DateField(null=True, blank=True, editable=False)

    objects = HabilitationQuerySet.as_manager()

    class Meta:
        verbose_name = "habilitation"
        indexes = [
            models.Index(fields=["user", "dossier"], condition=Q(ended_at=None), name="habilitation_open_by_user"),
            models.Index(
                fields=["structure", "dossier"], condition=Q(ended_at=None), name="habilitation_open_by_struct"
            ),
            models.Index(fields=["professional"], condition=Q(user=None), name="habilitation_waiting"),
            models.Index(
                fields=["access_until"],
                condition=Q(ended_at=None, access_until__isnull=False),
                name="habilitation_ending",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "user"],
                condition=Q(ended_at=None),
                name="one_open_habilitation_per_account",
                violation_error_message="Cette personne est déjà membre de ce cercle de soins.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "structure"],
                condition=Q(ended_at=None),
                name="one_open_habilitation_per_structure",
                violation_error_message="Cette structure est déjà membre de ce cercle de soins.",
            ),
            models.CheckConstraint(
                condition=~Q(state="oui") | Q(user__isnull=False) | Q(structure__isnull=False),
                name="granted_means_someone_can_enter",
                violation_error_message="Une personne sans compte ne peut pas être habilitée : elle attend.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["non", "attente", "oui", "refus"]),
                name="habilitation_state_known",
                violation_error_message="Cet état d’habilitation n’existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(structure=None) | Q(user=None, professional=None),
                name="habilitation_of_a_person_or_a_structure",
                violation_error_message="Une habilitation concerne une personne ou une structure, pas les deux.",
            ),
        ]

    @property
    def waits_for_answer(self) -> bool:
        """Whether somebody is still to come in by it: granted to who has no account yet, or asked for."""
        asked = self.state == Habilitation.State.ATTENTE or self.requested_at is not None
        return self.ended_at is None and asked

    def gives_access_back(self) -> bool:
        """Whether undoing the end of this row opens the dossier again: it was granted, or waiting, when it ended."""
        if self.ended_at is None or self.state == Habilitation.State.REFUS:
            return False
        last = self.changes.order_by("-at", "-id").first()
        return last is not None and last.before in (Habilitation.State.OUI, Habilitation.State.ATTENTE)


class StateChange(models.Model):
    """Each change of an habilitation, by whom and why: the history, never edited."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    habilitation = models.ForeignKey(Habilitation, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    before = models.CharField(max_length=8, choices=Habilitation.State)
    after = models.CharField(max_length=8, choices=Habilitation.State)

    class Meta:
        verbose_name = "changement d’habilitation"
        indexes = [models.Index(fields=["habilitation", "at"], name="state_change_by_habilitation")]


class Refusal(models.Model):
    """The person's refusal that this member be told anything: a dated fact, withdrawn by another one."""

    Collected = Collected

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="refusals")
    habilitation = models.ForeignKey(Habilitation, on_delete=models.PROTECT, related_name="refusals")
    refused_on = models.DateField("date du refus")
    collected = models.CharField("recueil du refus", max_length=10, choices=Collected)
    comment = models.CharField("commentaire", max_length=500, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_on = models.DateField("date du retrait", null=True, blank=True)
    withdrawn_collected = models.CharField(max_length=10, choices=Collected, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "refus du patient"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation"],
                condition=Q(withdrawn_at=None),
                name="one_standing_refusal",
                violation_error_message="Un refus est déjà noté pour ce membre.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None) | Q(withdrawn_on__gte=models.F("refused_on")),
                name="refusal_withdrawn_after_it_was_made",
                violation_error_message="Le retrait ne peut pas précéder le refus.",
            ),
        ]
