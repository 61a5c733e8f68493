"""Who calls the API: software of a structure, and the programs of one person. Their secrets are kept hashed only."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.utils import timezone

from coordination.accounts.models import AccountChange
from coordination.common.ids import uuid7

# The longest life of a personal token (SEC-24).
LONGEST_DAYS = 366
_HASH = {"max_length": 64, "editable": False}


class SoftwareClientQuerySet(models.QuerySet):
    def connected(self):
        return self.filter(revoked_at=None)


class SoftwareClient(models.Model):
    """A software that a structure connects: OAuth2 client credentials. Its id is the public client_id.

    It has no right of its own: each of its calls names the professional who acts (habilitations/clients.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    structure = models.ForeignKey("directory.Structure", on_delete=models.PROTECT, related_name="clients")
    name = models.CharField("nom du logiciel", max_length=80)
    contact = models.EmailField("adresse de qui s’en occupe")
    secret_hash = models.CharField(**_HASH)
    # SMART v2, never more than what is ticked on screen.
    scopes = ArrayField(models.CharField(max_length=60))
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    secret_at = models.DateTimeField(default=timezone.now)
    # Written at most once a minute.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = SoftwareClientQuerySet.as_manager()

    class Meta:
        verbose_name = "logiciel connecté"
        verbose_name_plural = "logiciels connectés"
        constraints = [
            models.UniqueConstraint(
                fields=["structure", "name"],
                condition=Q(revoked_at=None),
                name="client_once_per_structure",
                violation_error_message="Ce logiciel est déjà connecté pour cette structure.",
            ),
            models.CheckConstraint(
                condition=Q(scopes__len__gte=1),
                name="client_asks_something",
                violation_error_message="Choisissez au moins une chose que ce logiciel peut faire.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def client_id(self) -> str:
        """What the software says to be known: its identifier here, under the name that OAuth2 gives it."""
        return str(self.pk)


class ClientTokenQuerySet(models.QuerySet):
    def alive(self):
        return self.filter(expires_at__gt=timezone.now(), client__revoked_at=None)


class ClientToken(models.Model):
    """An access token of a software, for an hour. Revoking the software or renewing its secret removes them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.ForeignKey(SoftwareClient, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.CharField(unique=True, **_HASH)
    scopes = ArrayField(models.CharField(max_length=60))
    issued_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = ClientTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "jeton d’un logiciel"
        verbose_name_plural = "jetons des logiciels"


class PersonalTokenQuerySet(models.QuerySet):
    def standing(self, today=None):
        return self.filter(revoked_at=None, expires_on__gte=today or timezone.localdate())

    def alive(self, today=None):
        """Those that open something: standing, and nothing was done since to the account that shut its sessions.

        An account reopened, or given another address, does not find its former tokens working.
        """
        kinds = AccountChange.Kind
        shut = AccountChange.objects.filter(
            user=OuterRef("user"), kind__in=(kinds.SUSPENDED, kinds.CLOSED, kinds.EMAIL_CHANGED),
            at__gte=OuterRef("created_at"),
        )  # fmt: skip
        return self.standing(today).filter(~Exists(shut), user__is_active=True)


class PersonalToken(models.Model):
    """A secret by which a person's own programs call the API as herself, never as more."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="personal_tokens")
    name = models.CharField("nom", max_length=60)
    token_hash = models.CharField(unique=True, **_HASH)
    scopes = ArrayField(models.CharField(max_length=60))
    created_at = models.DateTimeField(auto_now_add=True)
    created_on = models.DateField(default=timezone.localdate)
    # Last day, that day included.
    expires_on = models.DateField("dernier jour")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "jeton d’accès personnel"
        verbose_name_plural = "jetons d’accès personnels"
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__gte=F("created_on"))
                & Q(
                    expires_on__lte=ExpressionWrapper(
                        F("created_on") + Value(dt.timedelta(days=LONGEST_DAYS)), output_field=models.DateField()
                    )
                ),
                name="personal_token_ends_within_a_year",
                violation_error_message="Un jeton sert un an au plus.",
            ),
            models.CheckConstraint(
                condition=Q(scopes__len__gte=1),
                name="personal_token_asks_something",
                violation_error_message="Choisissez au moins une chose que ce jeton permet.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_over(self) -> bool:
        return self.expires_on < timezone.localdate()
