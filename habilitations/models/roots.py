"""What proves the journal: signed roots, and the checks made of it. Append-only like the journal (migration 0006)."""

from django.db import models

from coordination.common.ids import uuid7


class JournalRoot(models.Model):
    """A signature of the ends of the chains that moved since the root before, or of a month that was removed.

    Each signs the one before it. What it signs is in habilitations_journalanchor, read by habilitations/roots.py.
    """

    class Kind(models.TextChoices):
        PERIODIC = "heure", "Racine"
        PURGE = "purge", "Purge d’un mois"

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=8, choices=Kind)
    month = models.DateField(null=True)
    lines = models.IntegerField()
    digest = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=32)

    class Meta:
        managed = False
        db_table = "habilitations_journalroot"
        verbose_name = "racine du journal"
        verbose_name_plural = "racines du journal"


class JournalCheck(models.Model):
    """One verification of the whole journal: when, of how many lines, up to which root, and what it found."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    lines = models.BigIntegerField()
    dossiers = models.BigIntegerField()
    faults = models.BigIntegerField()
    root = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "habilitations_journalcheck"
        verbose_name = "vérification du journal"
        verbose_name_plural = "vérifications du journal"
