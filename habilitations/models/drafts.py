"""A version of the matrix being prepared: one draft at a time, its changes one by one, what was decided about it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7


class MatrixDraftQuerySet(models.QuerySet):
    def open(self):
        return self.filter(closed_at=None)


class MatrixDraft(models.Model):
    """What a next version would change of the one it is based on. Its content is the sum of its changes."""

    class State(models.TextChoices):
        EDITING = "edition", "En préparation"
        REQUESTED = "demande", "Publication demandée"
        PUBLISHED = "publie", "Publié"
        DISCARDED = "abandonne", "Abandonné"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    based_on = models.ForeignKey("habilitations.MatrixVersion", on_delete=models.PROTECT, related_name="+")
    # Raised by each save: who saves says which one he had read, and learns what came since.
    revision = models.PositiveIntegerField(default=0)
    state = models.CharField("état", max_length=10, choices=State, default=State.EDITING)
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("motif", max_length=300, blank=True)
    requested_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    # None for the command of a service with a single administrator.
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.OneToOneField(
        "habilitations.MatrixVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="draft"
    )
    # Published without a second administrator: the setting asks for none, or a single one has waited the delay.
    alone = models.BooleanField(default=False)

    objects = MatrixDraftQuerySet.as_manager()

    class Meta:
        verbose_name = "brouillon de la matrice"
        verbose_name_plural = "brouillons de la matrice"
        constraints = [
            models.UniqueConstraint(
                fields=["closed_at"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="one_open_matrix_draft",
                violation_error_message="Un brouillon de la matrice est déjà ouvert.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["edition", "demande"], closed_at=None, version=None)
                | Q(state="abandonne", closed_at__isnull=False, version=None)
                | Q(state="publie", closed_at__isnull=False, version__isnull=False),
                name="matrix_draft_state_known",
                violation_error_message="Cet état du brouillon n’existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["edition", "abandonne"])
                | (Q(requested_at__isnull=False, requested_by__isnull=False) & ~Q(reason="")),
                name="matrix_publication_has_a_reason",
                violation_error_message="Une publication se demande avec un motif.",
            ),
            models.CheckConstraint(
                condition=Q(version=None)
                | Q(alone=True)
                | (Q(closed_by__isnull=False) & ~Q(closed_by=F("requested_by"))),
                name="matrix_published_by_another",
                violation_error_message="Un autre administrateur publie : jamais celui qui a demandé la publication.",
            ),
        ]


class MatrixDraftChange(models.Model):
    """One cell written in a draft, by whom. Never edited: writing a cell again, or putting it back, is another row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draft = models.ForeignKey(MatrixDraft, on_delete=models.PROTECT, related_name="changes")
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    row = models.CharField(max_length=40)
    column = models.CharField(max_length=20, blank=True)
    before = models.CharField(max_length=40, blank=True)
    after = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "modification d’un brouillon"
        verbose_name_plural = "modifications d’un brouillon"
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "revision", "kind", "row", "column"],
                name="matrix_draft_cell_once_per_save",
                violation_error_message="Cette case est écrite deux fois dans le même enregistrement.",
            ),
        ]


class MatrixDraftStep(models.Model):
    """What was decided about a draft, by whom and why: its history, never edited."""

    class Kind(models.TextChoices):
        OPENED = "ouverture", "Brouillon ouvert"
        RESTORED = "retour", "Ancienne version reprise"
        IMPORTED = "import", "Fichier importé"
        REBASED = "report", "Reporté sur la version en vigueur"
        REQUESTED = "demande", "Publication demandée"
        WITHDRAWN = "reprise", "Demande retirée"
        REFUSED = "refus", "Publication refusée"
        PUBLISHED = "publication", "Publié"
        DISCARDED = "abandon", "Abandonné"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    draft = models.ForeignKey(MatrixDraft, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField("nature", max_length=12, choices=Kind)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("motif", max_length=300, blank=True)

    class Meta:
        verbose_name = "étape d’un brouillon"
        verbose_name_plural = "étapes d’un brouillon"
