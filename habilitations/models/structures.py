"""Structures and those who act for them: the « personne morale » switch, its delegates, who looks after its
accounts."""

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from coordination.common.ids import uuid7


class LegalStructureQuerySet(models.QuerySet):
    def with_counts(self):
        """Add `delegates` who stand and `dossiers` open to the structure: numbers, never which ones (rule 10)."""
        opened = apps.get_model("habilitations.Habilitation").objects.granting().order_by()
        standing = Delegate.objects.standing().order_by()
        return self.annotate(
            delegates=_counted(standing, "structure_id", "pk"), dossiers=_counted(opened, "structure_id", "dossier_id")
        )

    def after(self, structure):
        """Those that come after this one in a list by name, all of them without one."""
        if structure is None:
            return self
        later = Q(structure__name__gt=structure.name) | Q(structure__name=structure.name, pk__gt=structure.pk)
        return self.filter(later)


def _counted(rows, key: str, what: str):
    found = rows.filter(**{key: OuterRef("pk")}).values(key).values(n=Count(what, distinct=True))
    return Coalesce(Subquery(found), 0)


class LegalStructure(models.Model):
    """The « personne morale » switch: a structure whose delegates may enter the dossiers opened to it."""

    structure = models.OneToOneField(
        "directory.Structure", primary_key=True, on_delete=models.PROTECT, related_name="legal"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = LegalStructureQuerySet.as_manager()

    class Meta:
        verbose_name = "structure personne morale"


class DelegateQuerySet(models.QuerySet):
    def standing(self):
        """Those not ended, whether or not their structure is open today."""
        return self.filter(ended_at=None)

    def current(self):
        return self.filter(ended_at=None, structure__legal__closed_at=None, structure__legal__isnull=False)


class Delegate(models.Model):
    """A person through whom a structure acts, each with his own profession's rights (rule 3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    structure = models.ForeignKey("directory.Structure", on_delete=models.PROTECT, related_name="delegates")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations")
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DelegateQuerySet.as_manager()

    class Meta:
        verbose_name = "délégué de structure"
        constraints = [
            models.UniqueConstraint(
                fields=["structure", "user"],
                condition=Q(ended_at=None),
                name="delegate_once_per_structure",
                violation_error_message="Cette personne est déjà déléguée de cette structure.",
            ),
        ]


class StructureAdministratorQuerySet(models.QuerySet):
    def current(self):
        return self.filter(ended_at=None)


class StructureAdministrator(models.Model):
    """The named person who opens the accounts of a structure and vouches for their professions (issue 2 §3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    structure = models.ForeignKey("directory.Structure", on_delete=models.PROTECT, related_name="administrators")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="administered")
    started_at = models.DateTimeField(auto_now_add=True)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = StructureAdministratorQuerySet.as_manager()

    class Meta:
        verbose_name = "administrateur de structure"
        verbose_name_plural = "administrateurs de structure"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "structure"],
                condition=Q(ended_at=None),
                name="structure_administrator_once",
                violation_error_message="Cette personne administre déjà les comptes de cette structure.",
            ),
        ]
