"""What the engine keeps: resources as clients sent them, and the answers of calls that may be replayed."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from coordination.common.ids import uuid7
from coordination.fhir.formats import stored

EVERYBODY = ""


class Kept(models.Model):
    """A resource as a client sent it, without its id and meta: given back where the screens do not say otherwise.

    `owner`: everybody sees it, or the caller alone who wrote it (a partner's own view of a national row of the
    directory, which imports never touch).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    resource_type = models.CharField(max_length=40)
    resource_id = models.UUIDField()
    owner = models.CharField(max_length=80, blank=True, default=EVERYBODY)
    content = models.JSONField(encoder=stored.Encoder, decoder=stored.Decoder)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "ressource reçue"
        verbose_name_plural = "ressources reçues"
        indexes = [GinIndex(fields=["content"], opclasses=["jsonb_path_ops"], name="fhir_kept_content")]
        constraints = [
            models.UniqueConstraint(
                fields=["resource_type", "resource_id", "owner"],
                name="fhir_kept_once",
                violation_error_message="Cette ressource est déjà gardée.",
            ),
        ]

    def __str__(self):
        return f"{self.resource_type}/{self.resource_id}"


class Replay(models.Model):
    """The answer given to a call that named itself (Idempotency-Key): the same call again has the same answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.CharField(max_length=80)
    key = models.CharField(max_length=128)
    # What was asked, hashed: the same key with another content is refused.
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    location = models.CharField(max_length=300, blank=True)
    body = models.JSONField(null=True, encoder=stored.Encoder, decoder=stored.Decoder)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "appel rejouable"
        verbose_name_plural = "appels rejouables"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "key"],
                name="fhir_replay_once",
                violation_error_message="Cet appel a déjà été reçu.",
            ),
        ]

    def __str__(self):
        return str(self.id)
