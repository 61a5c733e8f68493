"""One published version of the matrix: levels, action rights, and which profile a profession leads to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7
from habilitations.rubriques import Action, Niveau, Scope


class MatrixVersion(models.Model):
    """One published version of the matrix. Versions are never edited, only followed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField(
        unique=True, error_messages={"unique": "Cette version de la matrice existe déjà."}
    )
    published_at = models.DateTimeField(auto_now_add=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("motif", max_length=300)

    class Meta:
        verbose_name = "version de la matrice"


class MatrixRow(models.Model):
    version = models.ForeignKey(MatrixVersion, on_delete=models.PROTECT, related_name="rows")
    profile = models.CharField(max_length=40)
    rubrique = models.CharField(max_length=20)
    niveau = models.PositiveSmallIntegerField(choices=Niveau)

    class Meta:
        verbose_name = "case de la matrice"
        constraints = [
            models.UniqueConstraint(fields=["version", "profile", "rubrique"], name="matrix_cell_unique"),
            models.CheckConstraint(condition=Q(niveau__in=Niveau.values), name="matrix_level_known"),
        ]


class ActionRight(models.Model):
    version = models.ForeignKey(MatrixVersion, on_delete=models.PROTECT, related_name="action_rights")
    profile = models.CharField(max_length=40)
    action = models.CharField(max_length=20, choices=Action)
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.ALL)

    class Meta:
        verbose_name = "droit d’action"
        constraints = [
            models.UniqueConstraint(fields=["version", "profile", "action"], name="action_right_unique"),
        ]


class ProfileRule(models.Model):
    """Profession (and function) -> profile. Explicit: no line, no right."""

    version = models.ForeignKey(MatrixVersion, on_delete=models.PROTECT, related_name="profile_rules")
    profession = models.CharField(max_length=4)
    fonction = models.CharField(max_length=8, blank=True)
    profile = models.CharField(max_length=40)

    class Meta:
        verbose_name = "profil d’une profession"
        constraints = [
            models.UniqueConstraint(fields=["version", "profession", "fonction"], name="profile_rule_unique"),
        ]
