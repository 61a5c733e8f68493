"""Who signs in. An account holds an identity and nothing about rights: those live in habilitations."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from coordination.common.ids import uuid7


class UserManager(BaseUserManager.from_queryset(models.QuerySet)):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField("adresse e-mail", unique=True)
    family_name = models.CharField("nom", max_length=120)
    given_name = models.CharField("prénom", max_length=120)
    # Short wording shown under the name in the top bar: "Coordinatrice, DAC Exemple".
    title = models.CharField("fonction affichée", max_length=160, blank=True)
    # Administers accounts, lists and the matrix. Never opens a dossier by it (rule 10).
    is_administrator = models.BooleanField("administrateur", default=False)
    is_active = models.BooleanField("compte ouvert", default=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["family_name", "given_name"]

    objects = UserManager()

    class Meta:
        verbose_name = "compte"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique_whatever_case",
                violation_error_message="Un compte existe déjà avec cette adresse e-mail.",
            ),
        ]

    def __str__(self):
        return self.get_full_name()

    def get_full_name(self):
        return f"{self.family_name} {self.given_name}".strip()

    def get_short_name(self):
        return self.given_name
