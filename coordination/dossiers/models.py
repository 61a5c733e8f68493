"""The subject of a dossier: a person, how she is identified, and the state of her coordination."""

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Replace

from coordination.common.dates import Precision, write_birth_date
from coordination.common.ids import uuid7
from coordination.common.text import fold, person_name
from coordination.dossiers.lookups import KEY_LENGTH, name_key, perhaps_born, same_name
from habilitations import access
from habilitations.rubriques import Niveau


class Sex(models.TextChoices):
    FEMALE = "female", "Féminin"
    MALE = "male", "Masculin"
    UNKNOWN = "unknown", "Inconnu"


class IdentityStatus(models.TextChoices):
    """Trust in the identity (RNIV EXI SI 07). RECUP and QUAL need the INSi service: never set by hand."""

    PROV = "PROV", "Identité provisoire"
    RECUP = "RECUP", "Identité récupérée"
    VALI = "VALI", "Identité validée"
    QUAL = "QUAL", "Identité qualifiée (INS)"


class DatePrecision(models.TextChoices):
    """How much of the birth date is known; the unknown part is filled by the rules of common/dates.py."""

    DAY = Precision.DAY.value, "Date complète"
    MONTH = Precision.MONTH.value, "Jour inconnu"
    YEAR = Precision.YEAR.value, "Jour et mois inconnus"


class IdentityTraits(models.Model):
    """The traits that identify a person; shared by the dossier and by the history of its identity."""

    birth_name = models.CharField("nom de naissance", max_length=120)
    birth_given_names = models.CharField("prénoms de naissance", max_length=200)
    first_given_name = models.CharField("premier prénom de naissance", max_length=100)
    used_name = models.CharField("nom utilisé", max_length=120, blank=True)
    used_given_name = models.CharField("prénom utilisé", max_length=100, blank=True)
    sex = models.CharField("sexe", max_length=8, choices=Sex)
    birth_date = models.DateField("date de naissance")
    birth_date_precision = models.CharField(max_length=5, choices=DatePrecision, default=DatePrecision.DAY)
    birth_place = models.CharField("lieu de naissance", max_length=120, blank=True)
    # INSEE code of the commune, or of the country (99xxx) for a birth abroad.
    birth_place_code = models.CharField("code INSEE du lieu de naissance", max_length=5, blank=True)
    ins_matricule = models.CharField("matricule INS", max_length=15, blank=True)
    ins_oid = models.CharField("OID de l’INS", max_length=24, blank=True)
    identity_status = models.CharField(
        "statut de l’identité", max_length=5, choices=IdentityStatus, default=IdentityStatus.PROV
    )
    homonym = models.BooleanField("homonyme", default=False)
    doubtful = models.BooleanField("identité douteuse", default=False)
    fictitious = models.BooleanField("identité fictive", default=False)

    class Meta:
        abstract = True

    @property
    def birth_date_written(self):
        """The birth date as far as it is known: "14/03/1941", "mars 1941" or "1941"."""
        return write_birth_date(self.birth_date, self.birth_date_precision)


class DossierQuerySet(models.QuerySet):
    def visible_to(self, user, *, through=""):
        """Dossiers the account may open: the plural of the door, decided by habilitations.access.dossier_ids."""
        return self.filter(id__in=access.dossiers_of(user, through=through))

    def of_traits(self, names, birth_date, precision=Precision.DAY):
        """Dossiers of the same birth date and of one of these names, given at birth or used: perhaps the same person.

        However written, and as far as both dates are known: « 1941 » and « 14/03/1941 » may be one. Somebody known by
        her married name is looked for by it as often as by her birth name.
        """
        named = Q(pk=None)
        for key in {same_name(name) for name in names} - {""}:
            named |= Q(born_as=key) | (Q(search_name__has_word=key) & ~Q(used_name=""))
        born_as = Replace("search_birth_name", Value(" "))
        return self.filter(perhaps_born(birth_date, precision)).alias(born_as=born_as).filter(named)

    def wanted(self, wanted):
        """Dossiers that answer what was typed (search.Wanted): each word begins one of the person's names."""
        if wanted.matricule:
            # INS-4: outside the identity page, a matricule exists only once qualified.
            return self.filter(ins_matricule=wanted.matricule, identity_status=IdentityStatus.QUAL)
        rows = self
        if wanted.birth_date:
            rows = rows.filter(birth_date=wanted.birth_date)
        if wanted.birth_year:
            rows = rows.filter(birth_date__year=wanted.birth_year)
        if wanted.birth_month:
            rows = rows.filter(birth_date__month=wanted.birth_month)
        for word in wanted.words:
            rows = rows.filter(search_name__has_word=word)
        return rows

    def of_ins(self, matricule, oid):
        return self.filter(ins_matricule=matricule, ins_oid=oid)


class Dossier(IdentityTraits):
    class Status(models.TextChoices):
        EVALUATION = "evaluation", "En évaluation"
        ACTIF = "actif", "Actif"
        PAUSE = "pause", "En pause"
        CLOS = "clos", "Clôturé"

    class Motif(models.TextChoices):
        DOMICILE = "domicile", "Maintien à domicile"
        COMPLEXE = "complexe", "Parcours complexe"
        SORTIE = "sortie", "Retour d’hospitalisation"
        HANDICAP = "handicap", "Handicap, orientation"
        ENFANT = "enfant", "Parcours enfant"
        ADDICTOLOGIE = "addictologie", "Addictologie"
        PRECARITE = "precarite", "Précarité, accès aux droits"
        AUTRE = "autre", "Autre motif"

    class ClosingReason(models.TextChoices):
        FIN = "fin", "Fin de l’accompagnement"
        RELAIS = "relais", "Relais par une autre équipe"
        DEMENAGEMENT = "demenagement", "Déménagement"
        ETABLISSEMENT = "etablissement", "Entrée en établissement"
        DECES = "deces", "Décès"
        SOUHAIT = "souhait", "Souhait de la personne"
        ERREUR = "erreur", "Ouvert par erreur"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    search_birth_name = models.CharField(max_length=KEY_LENGTH, editable=False)
    search_name = models.CharField(max_length=500, editable=False)
    sort_name = models.CharField(max_length=300, editable=False)
    phone = models.CharField("numéro de téléphone fixe", max_length=20, blank=True)
    mobile = models.CharField("numéro de mobile", max_length=20, blank=True)
    email = models.EmailField("email", blank=True)
    address = models.CharField("adresse", max_length=300, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    town = models.CharField("ville", max_length=80, blank=True)
    commune_code = models.CharField("code commune", max_length=5, blank=True)
    motif = models.CharField("motif", max_length=14, choices=Motif)
    referent_structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+",
        verbose_name="structure référente",
    )  # fmt: skip
    status = models.CharField("statut", max_length=10, choices=Status, default=Status.EVALUATION)
    status_on = models.DateField("depuis le")
    closing_reason = models.CharField("motif de clôture", max_length=14, choices=ClosingReason, blank=True)
    status_note = models.CharField("précision", max_length=300, blank=True)
    duplicate_reason = models.CharField("motif de création malgré un homonyme", max_length=300, blank=True)
    # Identity and contacts are two forms: each has its version, so that one does not disturb the other.
    version = models.PositiveIntegerField(default=1)
    contacts_version = models.PositiveIntegerField(default=1)
    contacts_changed_at = models.DateTimeField(null=True)
    contacts_changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Replayed creations (double click, lost answer) find the dossier already made.
    creation_key = models.UUIDField(unique=True, default=uuid7, editable=False)

    objects = DossierQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier"
        indexes = [
            models.Index(fields=["sort_name", "id"], name="dossier_by_name"),
            models.Index(fields=["birth_date", "search_birth_name"], name="dossier_by_birth"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ins_matricule", "ins_oid"],
                condition=~Q(ins_matricule=""),
                name="dossier_ins_unique",
                violation_error_message="Un dossier existe déjà avec ce matricule INS.",
            ),
            models.CheckConstraint(
                condition=~Q(identity_status="QUAL")
                | (~Q(ins_matricule="") & Q(doubtful=False) & Q(fictitious=False)),
                name="qualified_identity_is_sound",
                violation_error_message=(
                    "Une identité douteuse, fictive ou sans matricule ne peut pas être qualifiée."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ins_matricule="") | ~Q(ins_oid=""),
                name="matricule_has_its_oid",
                violation_error_message="Le matricule INS doit être accompagné de son OID.",
            ),
            models.CheckConstraint(
                condition=~Q(search_birth_name=""),
                name="birth_name_has_letters",
                violation_error_message="Un nom comporte au moins une lettre.",
            ),
            models.CheckConstraint(
                condition=~Q(status="clos") | ~Q(closing_reason=""),
                name="closed_dossier_has_a_reason",
                violation_error_message="Indiquez le motif de clôture.",
            ),
        ]

    def __str__(self):
        return str(self.id)

    def save(self, **options):
        """Keep the columns of search and order in step with the names they come from."""
        names = (
            self.used_name, self.used_given_name, self.birth_name, self.first_given_name, self.birth_given_names,
        )  # fmt: skip
        self.search_birth_name = name_key(self.birth_name)
        # A space before each word, so that "begins a word" is a plain LIKE.
        self.search_name = (" " + " ".join(dict.fromkeys(fold(" ".join(names)).split())))[:500]
        self.sort_name = fold(f"{self.family_name} {self.given_name}")[:300]
        super().save(**options)

    @property
    def family_name(self):
        return self.used_name or self.birth_name

    @property
    def given_name(self):
        return self.used_given_name or self.first_given_name

    @property
    def full_name(self):
        return person_name(self.family_name, self.given_name)

    @property
    def is_qualified(self):
        return self.identity_status == IdentityStatus.QUAL

    @property
    def cap(self):
        """What the state of the dossier allows at most: closed or in pause, it is read, not written."""
        if self.status in READ_ONLY:
            return Niveau.LECTURE
        return Niveau.ECRITURE


# The states in which a dossier is read and not written.
READ_ONLY = (Dossier.Status.CLOS, Dossier.Status.PAUSE)


class IdentityVersion(IdentityTraits):
    """What the identity was before a change: traits and INS as they stood (INS-3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="identity_versions")
    version = models.PositiveIntegerField()
    replaced_at = models.DateTimeField(auto_now_add=True)
    replaced_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=60)

    class Meta:
        verbose_name = "ancienne identité"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "version"],
                name="identity_version_unique",
                violation_error_message="Cette version de l’identité est déjà enregistrée.",
            ),
        ]

    def __str__(self):
        return str(self.id)


class StatusChange(models.Model):
    """Each change of the dossier's status, by whom and why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey(Dossier, on_delete=models.PROTECT, related_name="status_changes")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    before = models.CharField(max_length=10, choices=Dossier.Status)
    after = models.CharField(max_length=10, choices=Dossier.Status)
    reason = models.CharField(max_length=14, choices=Dossier.ClosingReason, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "changement de statut"
        indexes = [models.Index(fields=["dossier", "at"], name="status_change_by_dossier")]

    def __str__(self):
        return str(self.id)


class Visit(models.Model):
    """When each account last opened each dossier: what « nouveautés » is counted from."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits")
    dossier = models.ForeignKey(Dossier, on_delete=models.CASCADE, related_name="visits")
    seen_at = models.DateTimeField()
    # Kept apart so that the page being read still says what was new when it was opened.
    previous_seen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "visite"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dossier"],
                name="one_visit_row_per_dossier",
                violation_error_message="Le dernier passage dans ce dossier est déjà noté.",
            ),
        ]

    def __str__(self):
        return str(self.id)
