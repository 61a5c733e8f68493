"""The people around one dossier: members, the periods of their presence, the roles they hold."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from circle.circles import Circle, CircleVersion  # noqa: F401 - as below
from circle.invitation import Invitation  # noqa: F401 - Django and callers find every model here
from circle.names import Person, name_of, shown_person
from circle.plans import Board, Held
from circle.rows import ALL, PAST, PRESENT, rows_of
from circle.stays import DateRange, EndReason, PlannedStay  # noqa: F401 - as above
from circle.waiting import TodoCount  # noqa: F401 - as above
from coordination.common.ids import uuid7


class MemberQuerySet(models.QuerySet):
    def rows(self, entry, on=None, *, past=False):
        """Members as lists show them to this reader on a day, or those who had left; see `circle.rows`.

        One SQL statement, two for a past day.
        """
        return rows_of(entry, on, wanted=PAST if past else PRESENT)

    def row(self, entry, member_id):
        """One member as this reader may see him, also once he has left; None when unknown or not shown."""
        return next(iter(rows_of(entry, wanted=ALL, member_id=member_id)), None)

    def with_names(self):
        """With what `display_name` reads."""
        return self.select_related("professional", "structure")

    def shown_to(self, access):
        """Without the discreet members, unless the reader may read the medical rubric (rule 7)."""
        return self if access.sees_discreet_members else self.filter(discreet=False)

    def known(self):
        """Those who are, were or are to be in the circle; not who was sent by a program and is named by none yet."""
        own = {"dossier": OuterRef("dossier"), "member": OuterRef("pk")}
        to_come = PlannedStay.objects.told().arrivals().filter(**own)
        return self.filter(Q(Exists(Period.objects.filter(**own))) | Q(Exists(to_come)))


class Member(models.Model):
    """One actor of one circle. What is social is here; what is power is its habilitation."""

    class Kind(models.TextChoices):
        DIRECTORY = "annuaire", "Professionnel de l’annuaire"
        MANUAL = "manuel", "Professionnel saisi à la main"
        AIDANT = "aidant", "Proche ou aidant"
        STRUCTURE = "structure", "Structure"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="members")
    kind = models.CharField(max_length=10, choices=Kind)
    # One to one, said with the dossier in the key (schema truth 1) rather than by a OneToOneField.
    habilitation = models.ForeignKey("habilitations.Habilitation", on_delete=models.PROTECT, related_name="members")
    # Linked members show the directory's own text, so that a move or a retirement is seen at once.
    professional = models.ForeignKey(
        "directory.Professional", null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    activity = models.ForeignKey(
        "directory.Activity", null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    civility = models.CharField("civilité", max_length=5, blank=True)
    family_name = models.CharField("nom", max_length=120, blank=True)
    given_name = models.CharField("prénom", max_length=120, blank=True)
    profession = models.CharField("profession", max_length=4, blank=True)
    structure_name = models.CharField("structure", max_length=200, blank=True)
    relation = models.CharField("lien avec le patient/usager", max_length=12, blank=True)
    email = models.EmailField("email", blank=True)
    phone = models.CharField("numéro de téléphone fixe", max_length=20, blank=True)
    mobile = models.CharField("numéro de mobile", max_length=20, blank=True)
    unlisted = models.BooleanField("sur liste rouge", default=False)
    address = models.CharField("adresse", max_length=300, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    town = models.CharField("ville", max_length=80, blank=True)
    commune_code = models.CharField("code commune", max_length=5, blank=True)
    description = models.CharField("description", max_length=500, blank=True)
    discreet = models.BooleanField("discret", default=False)
    duplicate_reason = models.CharField("motif d’ajout malgré un doublon", max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # A replayed form (double click, lost answer) finds the member already made.
    creation_key = models.UUIDField(default=uuid7, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = "membre du cercle"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "habilitation"],
                name="one_habilitation_per_member",
                violation_error_message="Cette habilitation appartient déjà à un membre.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "creation_key"],
                name="member_created_once",
                violation_error_message="Ce membre vient d’être ajouté.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "professional"],
                name="professional_once_per_circle",
                violation_error_message="Ce professionnel est déjà dans le cercle de soins.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "structure"],
                name="structure_once_per_circle",
                violation_error_message="Cette structure est déjà dans le cercle de soins.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind="annuaire", professional__isnull=False, structure__isnull=True)
                    | Q(kind="structure", structure__isnull=False, professional__isnull=True)
                    | (Q(kind__in=["manuel", "aidant"], professional=None, structure=None) & ~Q(family_name=""))
                ),
                name="member_is_what_its_kind_says",
                violation_error_message="Ce membre n’a pas les informations de son type.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["annuaire", "structure"]) | ~Q(phone="") | ~Q(mobile="") | ~Q(email=""),
                name="member_can_be_reached",
                violation_error_message="Indiquez au moins un moyen de contact : téléphone, mobile ou email.",
            ),
        ]

    def __str__(self):
        return str(self.id)

    @property
    def display_name(self):
        """ "TESTARD Paul", or the name of the structure; reads the directory's row for linked members."""
        return name_of(self.structure.name if self.structure_id else None, *self._people())

    @property
    def is_feminine(self):
        return shown_person(*self._people()).is_feminine

    def _people(self):
        listed = self.professional
        typed = Person(self.family_name, self.given_name, self.civility)
        if listed is None:
            return Person(None, None, None), typed
        return Person(listed.family_name, listed.given_name, listed.civility), typed

    @property
    def profession_codes(self):
        """(profession, fonction) as bare codes; empty for relatives and structures."""
        if self.activity:
            return self.activity.profession, self.activity.fonction
        return self.profession, ""

    @property
    def own_structure_id(self):
        """The structure that bounds an « own structure » right: the member itself, or where it practises."""
        return self.structure_id or (self.activity.structure_id if self.activity else None)


class PeriodQuerySet(models.QuerySet):
    def current(self):
        return self.filter(ends_on=None)


class Period(models.Model):
    """One stay in the circle: a member may leave and come back, each time a new row (CDS-26, CDS-71)."""

    EndReason = EndReason

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="periods")
    starts_on = models.DateField("entrée")
    ends_on = models.DateField("sortie", null=True, blank=True)
    end_reason = models.CharField("motif du retrait", max_length=14, choices=EndReason, blank=True)
    end_note = models.CharField("précision", max_length=300, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    # What joining two doubles gave to the entry that stayed: undoing it takes that back, and nothing else.
    given_role = models.ForeignKey("RoleHolding", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = "période de présence"
        indexes = [models.Index(fields=["dossier", "ends_on"], name="period_by_dossier")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="period_ends_after_it_starts",
                violation_error_message="La sortie ne peut pas précéder l’entrée.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | ~Q(end_reason=""),
                name="ended_period_has_a_reason",
                violation_error_message="Indiquez le motif du retrait.",
            ),
            ExclusionConstraint(
                name="member_periods_do_not_overlap",
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    (DateRange(F("starts_on"), F("ends_on")), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Ce membre est déjà présent à ces dates.",
            ),
        ]


class RoleSetting(models.Model):
    """Which roles one person at a time may hold in a dossier. No row: what circle/roles.py says."""

    role = models.CharField(max_length=20, primary_key=True)
    unique = models.BooleanField("rôle unique")
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "réglage d’un rôle"


class RoleHoldingQuerySet(models.QuerySet):
    def from_day(self, day):
        """Holdings that last beyond the day, hand-overs to come included; those that never took effect are not."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day) & Q(ends_on__gt=F("starts_on")))

    def board(self, dossier_id):
        """Who holds which role when in a dossier, past and planned (`circle.plans`). Two SQL statements."""
        rows = self.filter(dossier_id=dossier_id)
        held = [Held(h.pk, h.member_id, h.role, h.exclusive, h.starts_on, h.ends_on) for h in rows]
        present = Period.objects.current().filter(dossier_id=dossier_id).values_list("member_id", flat=True)
        return Board(held, today=timezone.localdate(), present=frozenset(present))

    def on_day(self, day):
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day), starts_on__lte=day)


class RoleHolding(models.Model):
    """One role held by one member for a time, future hand-overs included."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="role_holdings")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField("rôle", max_length=20)
    exclusive = models.BooleanField("rôle unique")
    starts_on = models.DateField("à partir du")
    ends_on = models.DateField(null=True, blank=True)
    given_at = models.DateTimeField(auto_now_add=True)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = RoleHoldingQuerySet.as_manager()

    class Meta:
        verbose_name = "rôle tenu"
        indexes = [models.Index(fields=["dossier", "role"], name="role_holding_by_dossier")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="role_ends_after_it_starts",
                violation_error_message="La fin du rôle ne peut pas précéder son début.",
            ),
            ExclusionConstraint(
                name="unique_role_has_one_holder",
                expressions=[
                    ("dossier", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (DateRange(F("starts_on"), F("ends_on")), RangeOperators.OVERLAPS),
                ],
                condition=Q(exclusive=True),
                violation_error_message="Ce rôle est déjà tenu à ces dates.",
            ),
            ExclusionConstraint(
                name="member_holds_one_role_at_a_time",
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    (DateRange(F("starts_on"), F("ends_on")), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Ce membre tient déjà un rôle à ces dates.",
            ),
        ]


class RoleCut(models.Model):
    """A role as it was before a removal ended or moved it: what undoing that removal gives back, exactly."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="cuts")
    holding = models.ForeignKey(RoleHolding, on_delete=models.CASCADE, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    # As the removal left it: who changed it since has the last word.
    cut_starts_on = models.DateField()
    cut_ends_on = models.DateField(null=True)

    class Meta:
        verbose_name = "rôle interrompu par un retrait"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "period", "holding"],
                name="role_cut_once_per_removal",
                violation_error_message="Ce rôle est déjà noté pour ce retrait.",
            ),
        ]


class ChangeQuerySet(models.QuerySet):
    def visible_to(self, access):
        """The history this reader may read: nothing in the reduced circle, no discreet member (rule 7)."""
        if not access.sees_whole_circle:
            return self.none()
        return self if access.sees_discreet_members else self.without_discreet()

    def without_discreet(self):
        """The lines that name no discreet member (rule 7)."""
        return self.filter(Q(other=None) | Q(other__discreet=False), member__discreet=False)

    def with_names(self):
        return self.select_related(
            "by",
            "on_behalf_of",
            "member__professional",
            "member__structure",
            "other__professional",
            "other__structure",
        )


class Change(models.Model):
    """The history of a circle, one line per act, told in plain French by circle/history.py."""

    class Kind(models.TextChoices):
        ADDED = "ajout", "Ajout"
        RETURNED = "retour", "Retour"
        EDITED = "modification", "Modification"
        LINKED = "liaison", "Liaison à l’annuaire"
        ROLE = "role", "Rôle"
        HANDOVER = "passation", "Passation"
        MOVED = "report", "Passation déplacée"
        CALLED_OFF = "abandon", "Passation annulée"
        STATE = "habilitation", "Habilitation"
        REQUESTED = "demande", "Habilitation demandée"
        REDUCED = "reduction", "Accès réduit"
        LAST_DAY = "fin_acces", "Fin d’accès"
        SHARING = "partage", "Fondement du partage"
        REMOVED = "retrait", "Retrait"
        RESTORED = "annulation", "Retrait annulé"
        PLANNED = "prevision", "Présence prévue"
        HINDERED = "empechement", "Présence prévue empêchée"
        INVITATION = "invitation", "Invitation"
        SECRETARY = "secretariat", "Secrétariat"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="circle_changes")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    # Absent for who answers by a personal link, without an account.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    # For whom he acted, when he acted for another (SEC-15).
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=14, choices=Kind)
    # The former holder of a role handed over: named at reading, since a member may become discreet later.
    other = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # What changed, in the words of the screen: the field or the role, and its two values. States by their code.
    subject = models.CharField(max_length=60, blank=True)
    before = models.CharField(max_length=500, blank=True)
    after = models.CharField(max_length=500, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "historique du cercle"
        indexes = [models.Index(fields=["dossier", "-at"], name="circle_change_by_dossier")]
