"""The address book: structures, professionals and where they practise.

Rows come from the national files (RPPS, FINESS, MSSanté), from regional complements, or are
created here for the coordination. They are reference data: never deleted, only marked ceased,
so that circles keep pointing at them.
"""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Index, Q, Value
from django.db.models.functions import Concat, Left

from coordination.common.ids import uuid7


class Source(models.TextChoices):
    FINESS = "finess", "FINESS"
    RPPS = "rpps", "RPPS"
    REGIONAL = "regional", "Complément régional"
    LOCAL = "local", "Créée pour la coordination"


class StructureQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ceased_at=None, merged_into=None)

    def local(self):
        return self.filter(source=Source.LOCAL)


class Structure(models.Model):
    """A place or a legal entity one can find, call, add to a circle.

    FINESS EJ and ET, practices known only by their RPPS rank, regional and local entries share the
    table: the search is one, the circle links to one kind of row.
    """

    class Kind(models.TextChoices):
        EJ = "ej", "Entité juridique"
        EG = "eg", "Entité géographique"
        OI = "oi", "Organisation interne"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=10, choices=Source)
    kind = models.CharField(max_length=2, choices=Kind, default=Kind.EG)
    finess = models.CharField("numéro FINESS", max_length=9, blank=True)
    finess_ej = models.CharField("FINESS juridique", max_length=9, blank=True)
    siren = models.CharField("numéro SIREN", max_length=9, blank=True)
    siret = models.CharField("numéro SIRET", max_length=14, blank=True)
    technical_id = models.CharField("identifiant technique (RPPS rang)", max_length=40, blank=True)
    # What finds the row again at the next load when it has no FINESS number: technical id, else SIRET,
    # else a hash of name and address, prefixed by its kind.
    source_key = models.CharField(max_length=60, blank=True, editable=False)
    name = models.CharField("libellé", max_length=200)
    short_name = models.CharField("sigle", max_length=80, blank=True)
    search_name = models.CharField(max_length=300, editable=False)
    category = models.CharField("catégorie d'établissement", max_length=4, blank=True)
    sector = models.CharField("secteur d'activité", max_length=6, blank=True)
    legal_status = models.CharField("statut juridique", max_length=4, blank=True)
    address = models.CharField("adresse", max_length=300, blank=True)
    postal_code = models.CharField("code postal", max_length=10, blank=True)
    town = models.CharField("ville", max_length=80, blank=True)
    commune_code = models.CharField("code commune", max_length=5, blank=True)
    phone = models.CharField("numéro de téléphone", max_length=20, blank=True)
    phone_as_given = models.CharField("téléphone non reconnu", max_length=40, blank=True)
    email = models.EmailField("email", blank=True)
    mss_address = models.EmailField("adresse MSSanté", blank=True)
    manager_name = models.CharField("responsable", max_length=120, blank=True)
    opened_on = models.DateField(null=True, blank=True)
    ceased_at = models.DateTimeField(null=True, blank=True)
    seen_on = models.DateField("date de l'entrée", null=True, blank=True)
    content_hash = models.BigIntegerField(null=True, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_from", db_index=False
    )
    # No index: no account is ever deleted, and two million empty entries would slow every load.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StructureQuerySet.as_manager()

    class Meta:
        verbose_name = "structure"
        indexes = [
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="structure_merged_into"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["finess"],
                condition=~Q(finess=""),
                name="structure_finess_unique",
                violation_error_message="Ce numéro FINESS existe déjà dans l'annuaire.",
            ),
            models.UniqueConstraint(
                fields=["source_key"],
                condition=~Q(source_key=""),
                name="structure_source_key_unique",
                violation_error_message="Cette structure existe déjà dans l'annuaire.",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
                name="structure_not_merged_into_itself",
                violation_error_message="Une structure ne peut pas être fusionnée avec elle-même.",
            ),
        ]
        indexes = [
            Index(OpClass("search_name", "varchar_pattern_ops"), name="structure_name"),
            # Words of the name and, as words too, where it is and what it is: one index answers any mix of them.
            GinIndex(
                SearchVector(
                    "search_name",
                    Concat(Value("dep"), Left("postal_code", 2)),
                    Concat(Value("com"), "commune_code"),
                    Concat(Value("cp"), "postal_code"),
                    Concat(Value("cat"), "category"),
                    config="simple",
                ),
                name="structure_words",
            ),
            Index("siret", name="structure_siret", condition=~Q(siret="")),
            Index("siren", name="structure_siren", condition=~Q(siren="")),
            Index("phone", name="structure_phone", condition=~Q(phone="")),
            Index("email", name="structure_email", condition=~Q(email="")),
            Index("mss_address", name="structure_mss", condition=~Q(mss_address="")),
        ]

    def __str__(self):
        return self.name


class ProfessionalQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ceased_at=None)


class Professional(models.Model):
    """A person who practises: known by RPPS or ADELI, or created here (coordinator, social worker)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.CharField(max_length=10, choices=Source)
    national_id = models.CharField("identification nationale", max_length=30, blank=True)
    rpps = models.CharField("numéro RPPS", max_length=11, blank=True)
    adeli = models.CharField("numéro ADELI", max_length=9, blank=True)
    civility = models.CharField(max_length=5, blank=True)
    practice_civility = models.CharField(max_length=5, blank=True)
    family_name = models.CharField("nom", max_length=120)
    given_name = models.CharField("prénom", max_length=120, blank=True)
    search_family = models.CharField(max_length=150, editable=False)
    search_given = models.CharField(max_length=150, editable=False)
    mss_address = models.EmailField("adresse MSSanté", blank=True)
    email = models.EmailField("email", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    ceased_at = models.DateTimeField(null=True, blank=True)
    seen_on = models.DateField("date de l'entrée", null=True, blank=True)
    # Sum of the hashes of all the person's lines in the last file: equal means nothing to parse.
    content_hash = models.BigIntegerField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProfessionalQuerySet.as_manager()

    class Meta:
        verbose_name = "professionnel"
        constraints = [
            models.UniqueConstraint(
                fields=["national_id"],
                condition=~Q(national_id=""),
                name="professional_national_id_unique",
                violation_error_message="Ce professionnel existe déjà dans l'annuaire.",
            ),
        ]
        indexes = [
            Index("mss_address", name="professional_mss", condition=~Q(mss_address="")),
            Index("email", name="professional_email", condition=~Q(email="")),
            Index("phone", name="professional_phone", condition=~Q(phone="")),
        ]

    def __str__(self):
        return f"{self.family_name} {self.given_name}".strip()


class SavoirFaire(models.Model):
    """One speciality or competence of a professional in one profession."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The unique constraint begins with the professional: no index of its own.
    professional = models.ForeignKey(
        Professional, on_delete=models.PROTECT, related_name="savoir_faire", db_index=False
    )
    profession = models.CharField(max_length=4)
    kind = models.CharField(max_length=5)
    code = models.CharField(max_length=10)
    # The SavoirFaire file is complete and rules its rows; the activity file rules only those it alone brought.
    from_full_list = models.BooleanField(default=False, editable=False)
    ceased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "savoir-faire"
        constraints = [
            models.UniqueConstraint(
                fields=["professional", "profession", "code"],
                name="savoir_faire_unique",
                violation_error_message="Ce savoir-faire est déjà enregistré.",
            ),
        ]


class ActivityQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ceased_at=None)


class Activity(models.Model):
    """A situation d'exercice: one professional, one profession, one structure.

    The search columns repeat names, speciality and town so that one row answers one search without
    a join; the importers are their only writers, with the local-entry actions.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The unique constraint begins with the professional: no index of its own.
    professional = models.ForeignKey(
        Professional, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    structure = models.ForeignKey(
        Structure, null=True, blank=True, on_delete=models.PROTECT, related_name="activities"
    )
    # Hash of profession, category, mode, structure, sector, role and kind of activity (directories.md A.3).
    natural_key = models.BigIntegerField(editable=False)
    profession = models.CharField(max_length=4, blank=True)
    category = models.CharField("catégorie professionnelle", max_length=1, blank=True)
    speciality = models.CharField("savoir-faire principal", max_length=10, blank=True)
    mode = models.CharField("mode d'exercice", max_length=1, blank=True)
    genre = models.CharField("genre d'activité", max_length=6, blank=True)
    fonction = models.CharField("rôle dans la structure", max_length=8, blank=True)
    sector = models.CharField(max_length=6, blank=True)
    structure_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=300, blank=True)
    # The file gave no address: it is the one of the FINESS structure, and follows it.
    address_borrowed = models.BooleanField(default=False, editable=False)
    postal_code = models.CharField(max_length=10, blank=True)
    town = models.CharField(max_length=80, blank=True)
    commune_code = models.CharField(max_length=5, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    mss_address = models.EmailField(blank=True)
    search_family = models.CharField(max_length=150, editable=False)
    search_given = models.CharField(max_length=150, editable=False)
    ceased_at = models.DateTimeField(null=True, blank=True)
    seen_on = models.DateField("date de l'entrée", null=True, blank=True)
    content_hash = models.BigIntegerField(null=True, editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = "situation d'exercice"
        # The four walks of the search box (search/branches.py): by name, by given name, by département, by trade.
        indexes = [
            Index(
                OpClass("search_family", "varchar_pattern_ops"),
                OpClass("search_given", "varchar_pattern_ops"),
                "profession",
                name="activity_name",
            ),
            # One column only: with the family name beside it, a prepared plan would take it for the wrong half.
            Index(OpClass("search_given", "varchar_pattern_ops"), name="activity_given"),
            Index(
                Left("postal_code", 2),
                OpClass("search_family", "varchar_pattern_ops"),
                OpClass("search_given", "varchar_pattern_ops"),
                OpClass("commune_code", "varchar_pattern_ops"),
                "profession",
                OpClass("postal_code", "varchar_pattern_ops"),
                name="activity_place",
            ),
            Index(
                "profession",
                OpClass("postal_code", "varchar_pattern_ops"),
                "speciality",
                name="activity_profession",
            ),
            Index("phone", name="activity_phone", condition=~Q(phone="")),
            Index("email", name="activity_email", condition=~Q(email="")),
            Index("mss_address", name="activity_mss", condition=~Q(mss_address="")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["professional", "natural_key"],
                name="activity_unique",
                violation_error_message="Cette situation d'exercice est déjà enregistrée.",
            ),
        ]


class MailboxQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ceased_at=None)


class Mailbox(models.Model):
    """One row of the MSSanté correspondence: a mailbox, and whose it is.

    Kept with the identifiers of the file, so that it finds its owner whichever file is loaded first.
    """

    class Kind(models.TextChoices):
        PERSON = "PER", "Boîte personnelle"
        ORGANISATION = "ORG", "Boîte organisationnelle"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=3, choices=Kind)
    address = models.EmailField("adresse MSSanté")
    national_id = models.CharField(max_length=30, blank=True)
    structure_id_type = models.CharField(max_length=1, blank=True)
    structure_number = models.CharField(max_length=40, blank=True)
    service = models.CharField("service de rattachement", max_length=200, blank=True)
    paperless = models.BooleanField("accepte la dématérialisation", default=False)
    ceased_at = models.DateTimeField(null=True, blank=True)
    seen_on = models.DateField("date de l'entrée", null=True, blank=True)
    content_hash = models.BigIntegerField(null=True, editable=False)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = "boîte MSSanté"
        verbose_name_plural = "boîtes MSSanté"
        indexes = [
            models.Index(fields=["national_id"], name="mailbox_national_id"),
            models.Index(fields=["structure_number"], name="mailbox_structure_number"),
        ]
        constraints = [
            # The address alone is not a key: one mailbox may serve several structures (directories.md A.6).
            models.UniqueConstraint(
                fields=["address", "national_id", "structure_number"],
                name="mailbox_unique",
                violation_error_message="Cette boîte est déjà enregistrée.",
            ),
        ]


class AttachmentQuerySet(models.QuerySet):
    def of(self, user):
        return self.filter(user=user)


class Attachment(models.Model):
    """The account of a professional of the directory (accounts never hears of the directory)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attachment")
    professional = models.OneToOneField(Professional, on_delete=models.PROTECT, related_name="attachment")
    structure = models.ForeignKey(
        Structure, null=True, blank=True, on_delete=models.PROTECT, related_name="attachments"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = "rattachement d'un compte"


class ImportRun(models.Model):
    """One load of a national file: what came, what changed, what was refused, and from which file."""

    class State(models.TextChoices):
        RUNNING = "en_cours", "En cours"
        DONE = "fait", "Fait"
        REFUSED = "refuse", "Refusé"
        INTERRUPTED = "interrompu", "Interrompu"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    read_count = models.PositiveIntegerField(default=0)
    new_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    ceased_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "chargement de l'annuaire"


class ImportRefusal(models.Model):
    """One line of a file that could not be read, with the reason: the first ones are kept with their load."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refusals")
    line_number = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        verbose_name = "ligne refusée"


class Vocabulary(models.Model):
    """The distinct words of one kind with how many rows hold them, most held first: "martin<TAB>10234" a line.

    One row per kind, rewritten by `search.vocabulary.refresh` at the end of a load: a process then reads a hundred
    thousand names in one row instead of grouping two million activities.
    """

    class Kind(models.TextChoices):
        FAMILY = "family", "Noms"
        GIVEN = "given", "Prénoms"
        TOWN = "town", "Villes"
        STRUCTURE = "structure", "Mots des structures"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, unique=True)
    words = models.TextField()
    version = models.UUIDField(default=uuid7)

    class Meta:
        verbose_name = "vocabulaire de l'annuaire"
