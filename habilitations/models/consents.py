"""On what the sharing with one member rests, and what the person opposes: dated facts (SEC-3, SEC-4, SEC-5).

Law: articles L. 1110-4 and L. 1110-12 of the Code de la santé publique. Within one équipe de soins the person is
informed and presumed to agree; outside it, her express consent is needed first. She may oppose at any time.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, TruncDate

from coordination.common.ids import uuid7
from habilitations.kin import same_structures
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.rubriques import Action, Rubrique

# What a consent may leave out and an opposition close: inside a dossier one knows whose it is and with whom.
# Those made in the browser are added to these: `closures.closable`.
CLOSABLE = tuple(rubrique for rubrique in Rubrique if rubrique not in ALWAYS_READ)


class Collected(models.TextChoices):
    ORAL = "oral", "Dit par la personne"
    WRITTEN = "ecrit", "Écrit et signé"
    RELAYED = "rapporte", "Rapporté par un proche ou un professionnel"


class ConsentQuerySet(models.QuerySet):
    def current(self):
        """The last fact of each member: standing, ended or past its last day."""
        return self.filter(replaced_at=None)

    def standing(self):
        """Those on which a grant rests today."""
        # The day is asked of the database: this queryset goes into prepared statements, which outlive a day.
        lasting = Q(last_day=None) | Q(last_day__gte=TruncDate(Now()))
        return self.current().filter(lasting, ended_at=None)

    def withdrawn(self):
        """Those on which the person went back, and nothing was noted since."""
        return self.current().filter(end=Consent.End.WITHDRAWN)


class Consent(models.Model):
    """On what the sharing with one member rests: an équipe de soins (presumed), or the person's express consent.

    One of them at a time for a member: a new one replaces the last, which stays as it was. Nothing is edited but the
    end of it. `rubriques` limits an express consent; empty is the whole dossier.
    """

    class Ground(models.TextChoices):
        STRUCTURE = "structure", "Équipe de soins : même structure"
        RECOGNISED = "reconnue", "Équipe de soins : la personne s’adresse à ce professionnel"
        ORGANISED = "organisee", "Équipe de soins : équipe organisée (DAC, réseau, CPTS…)"
        TAKEN_OVER = "reprise", "Équipe de soins : accès d’avant le recueil des consentements"
        EXPRESS = "accord", "Accord exprès de la personne"

    class End(models.TextChoices):
        WITHDRAWN = "retrait", "La personne retire son accord"
        OVER = "fin", "Ne fait plus partie de l’équipe de soins"
        CARE_OVER = "cloture", "Fin de prise en charge : dossier clôturé"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="consents")
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="consents")
    ground = models.CharField("fondement", max_length=10, choices=Ground)
    starts_on = models.DateField("depuis le")
    # When the person was told with whom her data are shared, and that she may oppose it.
    informed_on = models.DateField("personne informée le", null=True, blank=True)
    information_version = models.CharField("texte d’information", max_length=10, blank=True)
    collected = models.CharField("recueil de l’accord", max_length=10, choices=Collected, blank=True)
    proof = models.CharField("preuve", max_length=200, blank=True)
    # Codes of the catalogue, as a trigger asks (migration 0022): rubrics are added in the browser.
    rubriques = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    last_day = models.DateField("dernier jour", null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    end = models.CharField("fin", max_length=8, choices=End, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ended_collected = models.CharField(max_length=10, choices=Collected, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The last day its reminder was sent for.
    reminded_for = models.DateField(null=True, blank=True, editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = "fondement du partage"
        verbose_name_plural = "fondements du partage"
        indexes = [
            models.Index(
                fields=["last_day"],
                condition=Q(replaced_at=None, ended_at=None, last_day__isnull=False),
                name="consent_ending",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation"],
                condition=Q(replaced_at=None),
                name="one_current_consent_per_member",
                violation_error_message="Le partage avec ce membre repose déjà sur un autre fait.",
            ),
            models.CheckConstraint(
                condition=~Q(ground="accord") | ~Q(collected=""),
                name="express_consent_says_how",
                violation_error_message="Un accord exprès dit comment il a été recueilli.",
            ),
            models.CheckConstraint(
                condition=Q(ground="accord") | Q(rubriques=[]),
                name="team_shares_the_whole_dossier",
                violation_error_message="Seul un accord exprès se limite à des rubriques.",
            ),
            models.CheckConstraint(
                condition=~Q(rubriques__overlap=[str(rubrique) for rubrique in ALWAYS_READ]),
                name="consent_leaves_who_and_with_whom",
                violation_error_message="L’identité et le cercle de soins restent toujours lisibles de qui a accès.",
            ),
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(last_day__gte=F("starts_on")),
                name="consent_lasts_from_its_day",
                violation_error_message="Le dernier jour ne peut pas précéder l’accord.",
            ),
            models.CheckConstraint(
                condition=Q(end="", ended_at=None, ended_on=None)
                | Q(end__in=["retrait", "fin", "cloture"], ended_at__isnull=False, ended_on__gte=F("starts_on")),
                name="consent_ends_after_it_was_given",
                violation_error_message="La fin ne peut pas précéder le début.",
            ),
        ]

    @property
    def is_express(self) -> bool:
        return self.ground == self.Ground.EXPRESS


class OppositionQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at=None)

    def whole(self):
        """Those that close the whole dossier."""
        return self.filter(rubrique="")

    def shown_to(self, user, access):
        """Those this reader may know of: never one that is aimed at him, nor at the structure he enters by, under
        whatever entry of the directory (SEC-6).

        What closes a rubric, or the dossier, to everybody is shown to who keeps the dossier (he reads its journal,
        where the act is written), to who noted it and to those left inside, so that it can still be withdrawn once
        who noted it has left.
        """
        aimed = Q(habilitation__user=user) | Q(habilitation=access.habilitation_id, habilitation__isnull=False)
        if access.through_structure:
            # Joined, two entries of one structure each keep what is opposed to it, the one that left too.
            aimed |= Q(habilitation__structure__in=same_structures(access.through_structure))
        found = self.exclude(aimed)
        if access.may(Action.READ_JOURNAL):
            return found
        return found.filter(Q(habilitation__isnull=False) | Q(recorded_by=user) | Q(spared__contains=[user.pk]))


class Opposition(models.Model):
    """The person opposes the sharing of one rubric with one member or with everybody, or of the whole dossier.

    To one member and for the whole dossier, it is a Refusal. `spared`: the accounts that a whole opposition leaves
    inside. It prevails over everything and is withdrawn by another dated fact.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="oppositions")
    habilitation = models.ForeignKey(
        "habilitations.Habilitation", null=True, blank=True, on_delete=models.PROTECT, related_name="oppositions"
    )
    # A code of the catalogue, as the same trigger asks; empty is the whole dossier.
    rubrique = models.CharField(max_length=20, blank=True)
    spared = ArrayField(models.UUIDField(), default=list, blank=True)
    refused_on = models.DateField("date de l’opposition")
    collected = models.CharField("recueil", max_length=10, choices=Collected)
    comment = models.CharField("commentaire", max_length=500, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_on = models.DateField("date du retrait", null=True, blank=True)
    withdrawn_collected = models.CharField(max_length=10, choices=Collected, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    # Why an administrator lifted it, when nobody was left inside to withdraw it.
    lifted_why = models.CharField("motif de la levée", max_length=300, blank=True)

    objects = OppositionQuerySet.as_manager()

    class Meta:
        verbose_name = "opposition au partage"
        verbose_name_plural = "oppositions au partage"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation", "rubrique"],
                condition=Q(withdrawn_at=None),
                nulls_distinct=False,
                name="one_standing_opposition",
                violation_error_message="Cette opposition est déjà notée.",
            ),
            models.CheckConstraint(
                condition=Q(habilitation=None) | ~Q(rubrique=""),
                name="whole_opposition_is_for_everybody",
                violation_error_message="Pour un membre et tout le dossier, notez un refus.",
            ),
            models.CheckConstraint(
                condition=~Q(rubrique__in=[str(rubrique) for rubrique in ALWAYS_READ]),
                name="opposition_rubric_closable",
                violation_error_message="L’identité et le cercle de soins restent lisibles de qui a accès.",
            ),
            models.CheckConstraint(
                condition=Q(spared=[]) | Q(habilitation=None, rubrique=""),
                name="whole_opposition_spares",
                violation_error_message="Seule une opposition sur tout le dossier laisse quelqu’un à l’intérieur.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on=None) | Q(withdrawn_on__gte=F("refused_on")),
                name="opposition_withdrawn_after_it_was_made",
                violation_error_message="Le retrait ne peut pas précéder l’opposition.",
            ),
        ]
