"""Who signs in. An account holds an identity and nothing about rights: those live in habilitations."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.common.text import capital_family, capital_given, fold, fold_words, squeeze

DRAFT_KEPT_FOR = timedelta(days=7)
# Words of a family name and a given name together; beyond, what is typed is no name.
LONGEST_NAME = 12


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def administrators(self):
        return self.active().filter(is_administrator=True)

    def searched(self, typed):
        """Accounts whose name holds every word typed, or whose address begins with the text when it has an @."""
        if "@" in typed:
            return self.filter(email__startswith=squeeze(typed).lower())
        found = self
        for word in fold_words(typed):
            found = found.filter(sort_name__contains=word)
        return found

    def by_name(self, *, after=None):
        """In the order of names as French sorts them, after this account when one is given (a cursor)."""
        rows = self.order_by("sort_name", "id")
        if after is None:
            return rows
        later = models.Q(sort_name__gt=after.sort_name) | models.Q(sort_name=after.sort_name, id__gt=after.pk)
        return rows.filter(later)

    def exactly(self, typed):
        """Open accounts of exactly this address, or of exactly this name said in either order.

        For whoever names somebody he knows: part of a name finds nobody. Names are compared as they are stored,
        then as French documents write them.
        """
        words = squeeze(typed).split(" ")
        if len(words) > LONGEST_NAME:
            return self.none()
        if len(words) == 1:
            return self.active().with_email(words[0])
        names = models.Q()
        for cut in range(1, len(words)):
            one, other = " ".join(words[:cut]), " ".join(words[cut:])
            for family, given in ((one, other), (other, one)):
                names |= models.Q(
                    family_name__in={family, capital_family(family)}, given_name__in={given, capital_given(given)}
                )
        return self.active().filter(names)

    def with_email(self, email):
        # Stored in small letters by every action: an exact match uses the index.
        return self.filter(email=email.strip().lower())


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class Theme(models.TextChoices):
    LIGHT = "light", "Clair"
    DARK = "dark", "Sombre"
    SYSTEM = "system", "Comme le système"


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField("adresse e-mail", unique=True)
    family_name = models.CharField("nom", max_length=120)
    given_name = models.CharField("prénom", max_length=120)
    # Both names folded, written by `save`: what lists are sorted and searched by, whatever the database's collation.
    sort_name = models.CharField(max_length=260, blank=True, editable=False)
    # Short wording shown under the name in the top bar: "Coordinatrice, DAC Exemple".
    title = models.CharField("fonction affichée", max_length=160, blank=True)
    # Administers accounts, lists and the matrix. Never opens a dossier by it (rule 10).
    is_administrator = models.BooleanField("administrateur", default=False)
    is_active = models.BooleanField("compte ouvert", default=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    theme = models.CharField("affichage", max_length=6, choices=Theme, default=Theme.LIGHT)
    shortcuts_enabled = models.BooleanField("raccourcis d’une seule lettre", default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["family_name", "given_name"]

    objects = UserManager()

    class Meta:
        verbose_name = "compte"
        indexes = [models.Index(fields=["sort_name", "id"], name="user_by_name")]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_whatever_case",
                violation_error_message="Un compte existe déjà avec cette adresse e-mail.",
            ),
            # One truth in two shapes: Django and allauth read the flag, people read the dates.
            models.CheckConstraint(
                name="user_active_unless_suspended_or_closed",
                condition=models.Q(is_active=True, suspended_at__isnull=True, closed_at__isnull=True)
                | (
                    models.Q(is_active=False)
                    & (models.Q(suspended_at__isnull=False) | models.Q(closed_at__isnull=False))
                ),
                violation_error_message="Un compte est ouvert, ou bien suspendu ou fermé à une date.",
            ),
            models.CheckConstraint(
                name="user_theme_is_known",
                condition=models.Q(theme__in=Theme.values),
                violation_error_message="Cet affichage n’existe pas.",
            ),
        ]

    def __str__(self):
        return self.get_full_name()

    def save(self, *args, **kwargs):
        self.sort_name = fold(f"{self.family_name} {self.given_name}")[:260]
        fields = kwargs.get("update_fields")
        if fields is not None and {"family_name", "given_name"} & set(fields):
            kwargs["update_fields"] = {*fields, "sort_name"}
        super().save(*args, **kwargs)

    def get_full_name(self):
        return f"{self.family_name} {self.given_name}".strip()


class AccountChange(models.Model):
    """What was done to an account, by whom. Written by `actions`, never changed."""

    class Kind(models.TextChoices):
        CREATED = "created", "Compte créé"
        SUSPENDED = "suspended", "Compte suspendu"
        CLOSED = "closed", "Compte fermé"
        REOPENED = "reopened", "Compte rouvert"
        EMAIL_CHANGED = "email_changed", "Adresse e-mail changée"
        ADMINISTRATOR_NAMED = "admin_named", "Nommé administrateur"
        ADMINISTRATOR_ENDED = "admin_ended", "N’est plus administrateur"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="changes", verbose_name="compte")
    kind = models.CharField("nature", max_length=20, choices=Kind)
    # Absent for the command line (the first administrator) and for an accepted invitation.
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="par")
    reason = models.CharField("motif", max_length=300, blank=True)
    at = models.DateTimeField("le", default=timezone.now)

    class Meta:
        verbose_name = "événement de compte"
        verbose_name_plural = "événements de compte"
        ordering = ["-at", "-id"]

    def __str__(self):
        return self.get_kind_display()


class SessionQuerySet(models.QuerySet):
    def live(self):
        return self.filter(expire_date__gt=timezone.now())


class Session(models.Model):
    """A browser's session, keyed by its user so that one statement ends all of them (SECT-22)."""

    session_key = models.CharField(max_length=40, primary_key=True)
    session_data = models.TextField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions"
    )
    # Shown to its owner: a public name for a row whose key is a secret.
    public_id = models.UUIDField(default=uuid7, editable=False, unique=True)
    # The absolute limit counts from here, the idle limit from the other.
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    # The earlier of both limits: what makes a session dead.
    expire_date = models.DateTimeField(db_index=True)
    device = models.CharField("appareil", max_length=80, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"

    def __str__(self):
        return self.device or "Appareil inconnu"


class DraftQuerySet(models.QuerySet):
    def kept(self):
        return self.filter(updated_at__gt=timezone.now() - DRAFT_KEPT_FOR)

    def outdated(self):
        return self.filter(updated_at__lte=timezone.now() - DRAFT_KEPT_FOR)


class Draft(models.Model):
    """What somebody was typing in a form, until it is saved. Read and written through `drafts` only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    form_key = models.CharField("formulaire", max_length=60)
    # A plain identifier: a draft knows nothing of the room whose form it belongs to.
    object_id = models.UUIDField("objet")
    content = models.TextField("contenu chiffré")
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = "brouillon"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "form_key", "object_id"],
                name="draft_one_per_form_and_object",
                violation_error_message="Un brouillon existe déjà pour ce formulaire.",
            ),
        ]

    def __str__(self):
        return self.form_key


class Throttle(models.Model):
    """The table of Django's database cache, where allauth counts attempts.

    In PostgreSQL because several processes must count together, and because a stopped Redis must not open the door
    to guessing (REL-3). Django's cache reads and writes it; the model only gives it a migration.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "accounts_throttle"
        verbose_name = "compteur d’essais"
        verbose_name_plural = "compteurs d’essais"

    def __str__(self):
        return self.cache_key
