"""Profiles and rubrics as administrators name them. Codes are for ever: versions and traces are written in them."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from coordination.common.ids import uuid7
from habilitations.catalog import GROUPS, NEVER_WITHDRAWN, TECHNICAL

CODE = r"^[a-z][a-z0-9_]*$"
_code = RegexValidator(CODE, "Des lettres minuscules sans accent, des chiffres et des tirets bas, une lettre d’abord.")


class CatalogProfile(models.Model):
    """A row of the matrix: its name, whom it gathers, its place; closed, it is kept for the versions that hold it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(
        max_length=40, unique=True, validators=[_code], error_messages={"unique": "Ce code est déjà pris."}
    )
    label = models.CharField("nom", max_length=60)
    gathers = models.CharField("qui il réunit", max_length=120, blank=True)
    rank = models.PositiveSmallIntegerField("rang")
    reduced = models.BooleanField("cercle réduit", default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # None for what the product is shipped with.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "profil"
        constraints = [
            models.UniqueConstraint(
                Lower("label"),
                condition=Q(closed_at=None),
                name="profile_name_once",
                violation_error_message="Un autre profil porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=CODE),
                name="profile_code_is_a_word",
                violation_error_message=_code.message,
            ),
            models.CheckConstraint(
                condition=~Q(label=""), name="profile_has_a_name", violation_error_message="Un profil a un nom."
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_by=None) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="profile_closed_by_somebody",
                violation_error_message="Un profil fermé dit par qui.",
            ),
            models.CheckConstraint(
                condition=~Q(code__in=sorted(TECHNICAL)) | Q(closed_at=None),
                name="technical_profile_stays",
                violation_error_message="Le produit a besoin de ce profil : il ne se ferme pas.",
            ),
        ]


class CatalogRubric(models.Model):
    """A column of the matrix: its name and place; withdrawn, it gives nothing and its data are kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(
        max_length=20, unique=True, validators=[_code], error_messages={"unique": "Ce code est déjà pris."}
    )
    label = models.CharField("nom", max_length=40)
    short = models.CharField("nom court", max_length=16, blank=True)
    description = models.CharField(max_length=200, blank=True)
    group = models.CharField("groupe", max_length=16, choices=list(GROUPS.items()))
    icon = models.CharField("icône", max_length=30)
    rank = models.PositiveSmallIntegerField("rang")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "rubrique"
        constraints = [
            models.UniqueConstraint(
                Lower("label"),
                condition=Q(withdrawn_at=None),
                name="rubric_name_once",
                violation_error_message="Une autre rubrique porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=CODE),
                name="rubric_code_is_a_word",
                violation_error_message=_code.message,
            ),
            models.CheckConstraint(
                condition=~Q(label=""), name="rubric_has_a_name", violation_error_message="Une rubrique a un nom."
            ),
            models.CheckConstraint(
                condition=Q(group__in=list(GROUPS)),
                name="rubric_group_known",
                violation_error_message="Ce groupe n’existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="rubric_withdrawn_by_somebody",
                violation_error_message="Une rubrique retirée dit par qui.",
            ),
            models.CheckConstraint(
                condition=~Q(code__in=sorted(map(str, NEVER_WITHDRAWN))) | Q(withdrawn_at=None),
                name="needed_rubric_stays",
                violation_error_message="Le produit a besoin de cette rubrique : elle ne se retire pas.",
            ),
        ]


class CatalogChange(models.Model):
    """One change of the catalogue, never edited. Its number, drawn from a sequence, is what a process asks for."""

    number = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10)
    code = models.CharField(max_length=40, blank=True)
    act = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = "modification du catalogue"
        verbose_name_plural = "modifications du catalogue"
        indexes = [models.Index(fields=["kind", "code"], name="catalog_change_of")]
