"""« Accès d’urgence »: opened by somebody for himself, for a time, and reviewed; the person's word against it."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce, Now

from coordination.common.ids import uuid7


class EmergencyAccessQuerySet(models.QuerySet):
    def running(self):
        """Those that open a dossier now."""
        # The time is asked of the database: this queryset goes into prepared statements, which outlive it.
        return self.filter(closed_at=None, ends_at__gt=Now())


class EmergencyAccess(models.Model):
    """One dossier opened in an emergency by one account: read only, until `ends_at` at the latest (SEC-8)."""

    class Reason(models.TextChoices):
        VITAL = "vitale", "Urgence vitale"
        SILENT = "hors_etat", "Personne hors d’état de s’exprimer"
        CONTINUITY = "continuite", "Continuité des soins, personne du cercle ne répond"
        OTHER = "autre", "Autre motif, à préciser"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="emergencies")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("motif", max_length=10, choices=Reason)
    detail = models.CharField("précision", max_length=300)
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # Left before its end, or closed with the person's word against it.
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        verbose_name = "accès d’urgence"
        verbose_name_plural = "accès d’urgence"
        indexes = [
            models.Index(fields=["dossier", "user"], condition=Q(closed_at=None), name="emergency_by_dossier"),
            models.Index(fields=["user"], condition=Q(closed_at=None), name="emergency_by_user"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at")),
                name="emergency_lasts",
                violation_error_message="Un accès d’urgence a une fin après son début.",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="emergency_closed_by_somebody",
                violation_error_message="La fin d’un accès d’urgence dit de qui elle vient.",
            ),
            models.CheckConstraint(
                condition=~Q(detail=""),
                name="emergency_said_why",
                violation_error_message="Dites en une phrase pourquoi vous ouvrez ce dossier.",
            ),
            ExclusionConstraint(
                name="one_emergency_at_a_time",
                expressions=[
                    ("dossier", RangeOperators.EQUAL),
                    ("user", RangeOperators.EQUAL),
                    (
                        Func(
                            F("opened_at"), Coalesce(F("closed_at"), F("ends_at")), function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message="Vous avez déjà un accès d’urgence en cours dans ce dossier.",
            ),
        ]  # fmt: skip


class EmergencyReview(models.Model):
    """What was found of one emergency access, once by who answers for the dossier, once by the officer (SEC-8)."""

    class Verdict(models.TextChoices):
        JUSTIFIED = "justifie", "Justifié"
        TO_EXAMINE = "a_examiner", "À examiner"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    emergency = models.ForeignKey(EmergencyAccess, on_delete=models.PROTECT, related_name="reviews")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    as_officer = models.BooleanField("comme délégué à la protection des données", default=False)
    at = models.DateTimeField(auto_now_add=True)
    verdict = models.CharField("conclusion", max_length=10, choices=Verdict)
    comment = models.CharField("commentaire", max_length=500, blank=True)

    class Meta:
        verbose_name = "relecture d’un accès d’urgence"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "emergency", "as_officer"],
                name="emergency_reviewed_once",
                violation_error_message="Cet accès d’urgence a déjà été relu.",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="a_examiner") | ~Q(comment=""),
                name="emergency_to_examine_with_a_sentence",
                violation_error_message="Dites en une phrase ce qui est à examiner.",
            ),
        ]


class EmergencyBan(models.Model):
    """The person's word, given beforehand, that nobody opens her dossier in an emergency: a dated fact, withdrawn
    by another one."""

    class Collected(models.TextChoices):
        ORAL = "oral", "Dit par la personne"
        WRITTEN = "ecrit", "Écrit et signé"
        RELAYED = "rapporte", "Rapporté par un proche ou un professionnel"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    said_on = models.DateField("date")
    collected = models.CharField("recueil", max_length=10, choices=Collected)
    comment = models.CharField("commentaire", max_length=500, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_on = models.DateField("date du retrait", null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "accès d’urgence interdit"
        verbose_name_plural = "accès d’urgence interdits"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier"],
                condition=Q(withdrawn_at=None),
                name="one_standing_emergency_ban",
                violation_error_message="L’accès d’urgence est déjà interdit dans ce dossier.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None) | Q(withdrawn_on__gte=F("said_on")),
                name="ban_withdrawn_after_it_was_said",
                violation_error_message="Le retrait ne peut pas précéder l’interdiction.",
            ),
        ]
