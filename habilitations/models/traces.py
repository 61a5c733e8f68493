"""The journal as rows: what was done in each dossier, chained, and outside any. Written by triggers and SQL (0002)."""

from django.db import models

from coordination.common.ids import uuid7


class Outcome(models.TextChoices):
    OK = "ok", "Fait"
    REFUSED = "refus", "Refusé"
    FAILED = "echec", "Échec"


class TraceHead(models.Model):
    """The end of each dossier's chain of traces; only the insert trigger of Trace writes here."""

    dossier_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField(default=0)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        managed = False
        db_table = "habilitations_tracehead"


class TraceQuerySet(models.QuerySet):
    def of_dossier(self, dossier_id):
        return self.filter(dossier_id=dossier_id).order_by("seq")


class Trace(models.Model):
    """One access to one dossier. Append-only by grant and trigger, by month, chained per dossier.

    No foreign key: a trace outlives what it names. seq, previous_hash and hash are computed by the
    database at insert (migration 0002_journal), so that no caller can choose them.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    dossier_id = models.UUIDField()
    seq = models.BigIntegerField(default=0, editable=False)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=250)
    actor_national_id = models.CharField(max_length=30, blank=True)
    profession = models.CharField(max_length=4, blank=True)
    fonction = models.CharField(max_length=8, blank=True)
    structure_name = models.CharField(max_length=200, blank=True)
    profile = models.CharField(max_length=40, blank=True)
    habilitation_id = models.UUIDField(null=True)
    matrix_version = models.IntegerField(default=0)
    action = models.CharField(max_length=20)
    rubrique = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome)
    object_kind = models.CharField(max_length=30, blank=True)
    object_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)
    previous_hash = models.BinaryField(max_length=32, editable=False, default=b"")
    hash = models.BinaryField(max_length=32, editable=False, default=b"")
    # For whom he acted, when he acted for another (SEC-15).
    on_behalf_of_id = models.UUIDField(null=True)
    on_behalf_of_name = models.CharField(max_length=250, blank=True, default="")
    # By which software he acted, "" from the screens (SEC-24).
    software = models.CharField(max_length=80, blank=True, default="")

    objects = TraceQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "habilitations_trace"
        verbose_name = "trace d’accès"


class AccountTrace(models.Model):
    """What an account did outside any one dossier: sign-in, a list read, a search, a door found shut."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=250, blank=True)
    action = models.CharField(max_length=20)
    outcome = models.CharField(max_length=8, choices=Outcome)
    object_kind = models.CharField(max_length=30, blank=True)
    object_id = models.UUIDField(null=True)
    count = models.IntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=45, blank=True)
    software = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        managed = False
        db_table = "habilitations_accounttrace"
        verbose_name = "trace de compte"
