"""Acting for another: stand-ins between two days, secretaries, absences; the person's consent to a secretary (SEC-15).

Why one table, and what each of them may do: docs/decisions/2026-11-28-acting-for-another.md.
"""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Now, TruncDate

from coordination.common.ids import uuid7
from habilitations.rubriques import Rubrique

LONGEST = dt.timedelta(days=366)


class Days(Func):
    """Both days included, as PostgreSQL compares spans; no last day means for ever."""

    function = "daterange"


def _span():
    both = RangeBoundary(inclusive_lower=True, inclusive_upper=True)
    return Days(F("first_day"), F("last_day"), both), RangeOperators.OVERLAPS


class ActingForQuerySet(models.QuerySet):
    def standing(self):
        """Those that nobody has ended and whose last day is not behind: to come, under way or not answered."""
        # The day is asked of the database: this queryset goes into prepared statements, which outlive a day.
        return self.filter(Q(last_day=None) | Q(last_day__gte=TruncDate(Now())), ended_at=None)

    def waiting(self):
        return self.standing().filter(accepted_at=None).exclude(called="")

    def under_way(self):
        """Those accepted of which today is a day, whatever has become of the principal."""
        return self.standing().filter(first_day__lte=TruncDate(Now()), accepted_at__isnull=False)

    def current(self):
        """Those by whom somebody may act today: under way, and the principal still has an account and a profession
        that tells him whose dossiers his are."""
        model = self.model._meta.apps.get_model
        latest = model("habilitations.MatrixVersion").objects.order_by("-number").values("pk")[:1]
        rules = (
            model("habilitations.ProfileRule")
            .objects.exclude(profile="")
            .filter(
                version=Subquery(latest), profession=OuterRef("profession"), fonction__in=[OuterRef("fonction"), ""]
            )
        )
        cells = model("habilitations.MatrixRow").objects.filter(
            version=Subquery(latest), profile=OuterRef("profile"), rubrique=Rubrique.IDENTITE, niveau__gt=0
        )
        vouched = model("habilitations.VouchedProfession").objects.current().filter(user=OuterRef("principal"))
        vouched = vouched.annotate(profile=Subquery(rules.order_by("-fonction").values("profile")[:1]))
        return self.under_way().filter(Exists(vouched.filter(Exists(cells))), principal__is_active=True)


class ActingFor(models.Model):
    """Somebody acts for somebody else: `substitute` for `principal`.

    Declared by the principal, accepted by the other from his own account. A `remplacement` that calls nobody is an
    absence without a stand-in. `called` is what the principal typed: all that he is shown until the answer, so that
    nobody learns from it who has an account.
    """

    class Kind(models.TextChoices):
        STAND_IN = "remplacement", "Remplacement"
        SECRETARY = "secretariat", "Secrétariat"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    principal = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    substitute = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    called = models.CharField("adresse e-mail ou numéro RPPS", max_length=254, blank=True)
    first_day = models.DateField("premier jour")
    last_day = models.DateField("dernier jour", null=True, blank=True)
    # What a secretary may read or write at most; a stand-in has no such list.
    rubriques = ArrayField(models.CharField(max_length=20, choices=Rubrique), default=list, blank=True)
    declared_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ActingForQuerySet.as_manager()

    class Meta:
        verbose_name = "remplacement ou secrétariat"
        verbose_name_plural = "remplacements et secrétariats"
        indexes = [
            models.Index(fields=["substitute"], condition=Q(ended_at=None), name="acting_for_by_substitute"),
            models.Index(fields=["principal"], condition=Q(ended_at=None), name="acting_for_by_principal"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["remplacement", "secretariat"]),
                name="acting_for_kind_known",
                violation_error_message="On remplace quelqu’un, ou l’on tient son secrétariat.",
            ),
            models.CheckConstraint(
                condition=Q(substitute=None) | ~Q(substitute=F("principal")),
                name="acting_for_somebody_else",
                violation_error_message="On ne se remplace pas soi-même.",
            ),
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(last_day__gte=F("first_day"), last_day__lte=F("first_day") + LONGEST),
                name="acting_for_days_in_order",
                violation_error_message="Le dernier jour suit le premier, un an après au plus.",
            ),
            models.CheckConstraint(
                condition=Q(kind="secretariat") | Q(last_day__isnull=False),
                name="stand_in_has_a_last_day",
                violation_error_message="Un remplacement a un dernier jour.",
            ),
            models.CheckConstraint(
                condition=Q(kind="remplacement", rubriques__len=0)
                | Q(kind="secretariat", rubriques__contained_by=Rubrique.values, rubriques__len__gte=1),
                name="secretary_has_rubrics",
                violation_error_message="Choisissez ce que le secrétariat peut voir.",
            ),
            models.CheckConstraint(
                condition=Q(kind="remplacement") | ~Q(called=""),
                name="secretary_is_somebody",
                violation_error_message="Indiquez qui tient votre secrétariat.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(substitute__isnull=False),
                name="acting_for_accepted_by_somebody",
                violation_error_message="Seule la personne appelée accepte.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="acting_for_ended_by_somebody",
                violation_error_message="Une fin dit qui l’a décidée.",
            ),
            # On what was typed too: the refusal must not tell that an account stands behind it.
            ExclusionConstraint(
                name="acting_for_called_once",
                expressions=[
                    ("principal", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    ("called", RangeOperators.EQUAL),
                    _span(),
                ],
                condition=Q(ended_at=None),
                violation_error_message="Vous l’avez déjà déclaré pour ces jours.",
            ),
            ExclusionConstraint(
                name="acting_for_once_at_a_time",
                expressions=[
                    ("principal", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    ("substitute", RangeOperators.EQUAL),
                    _span(),
                ],
                condition=Q(ended_at=None, accepted_at__isnull=False),
                violation_error_message="Vous agissez déjà pour cette personne à ces jours.",
            ),
        ]


class SecretaryConsentQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at=None)


class SecretaryConsent(models.Model):
    """The person agrees that a secretary acts for a member of her circle: a dated fact, withdrawn by another one."""

    class Collected(models.TextChoices):
        ORAL = "oral", "Dit par la personne"
        WRITTEN = "ecrit", "Écrit et signé"
        RELAYED = "rapporte", "Rapporté par un proche ou un professionnel"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="secretary_consents")
    acting = models.ForeignKey(ActingFor, on_delete=models.PROTECT, related_name="consents")
    given_on = models.DateField("date de l’accord")
    collected = models.CharField("recueil de l’accord", max_length=10, choices=Collected)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_on = models.DateField("date du retrait", null=True, blank=True)
    withdrawn_collected = models.CharField(max_length=10, choices=Collected, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = SecretaryConsentQuerySet.as_manager()

    class Meta:
        verbose_name = "accord à un secrétariat"
        verbose_name_plural = "accords à un secrétariat"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "acting"],
                condition=Q(withdrawn_at=None),
                name="one_standing_consent_per_secretary",
                violation_error_message="L’accord de la personne est déjà noté.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_on=None, withdrawn_by=None)
                | Q(
                    withdrawn_at__isnull=False,
                    withdrawn_on__isnull=False,
                    withdrawn_on__gte=F("given_on"),
                    withdrawn_by__isnull=False,
                ),
                name="consent_withdrawn_after_it_was_given",
                violation_error_message="Le retrait dit par qui, et ne précède pas l’accord.",
            ),
        ]
