"""Professionals, where they practise, their mailboxes, and the account that belongs to one."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7
from coordination.directory import indexes as search_indexes
from coordination.directory.models.structures import Source, Structure


class ProfessionalQuerySet(models.QuerySet):
    def active(self):
        """Those who practise, as the national files or the coordination say, not a partner alone."""
        return self.filter(ceased_at=None).exclude(source=Source.PARTNER)


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
    seen_on = models.DateField("date de l’entrée", null=True, blank=True)
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
    # As that of Structure.
    partner = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)

    objects = ProfessionalQuerySet.as_manager()

    class Meta:
        verbose_name = "professionnel"
        constraints = [
            models.UniqueConstraint(
                fields=["national_id"],
                condition=~Q(national_id=""),
                name="professional_national_id_unique",
                violation_error_message="Ce professionnel existe déjà dans l’annuaire.",
            ),
        ]
        indexes = search_indexes.OF_PROFESSIONALS

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
    def listed(self):
        """Those that the national files or the coordination say: what a partner says of a person proves nothing."""
        return self.filter(partner="")

    def active(self):
        return self.listed().filter(ceased_at=None)

    def latest_first(self):
        """Where somebody practises today first, then where he ceased last; what a partner alone says comes last."""
        return self.order_by("partner", F("ceased_at").desc(nulls_first=True), "-id")

    def of_names(self, names):
        """Those of people who have one of these folded (family, given) names."""
        asked = Q(pk__in=[])
        for family, given in names:
            asked |= Q(search_family=family, search_given=given)
        return self.filter(asked)


class Activity(models.Model):
    """A situation d'exercice: one professional, one profession, one structure.

    The search columns repeat names, speciality and town so that one row answers one search without
    a join; the importers are their only writers, with the local-entry actions.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The unique constraint begins with the professional: no index of its own.
    professional = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="activities", db_index=False)
    structure = models.ForeignKey(
        Structure, null=True, blank=True, on_delete=models.PROTECT, related_name="activities"
    )
    # Hash of profession, category, mode, structure, sector, role and kind of activity (directories.md A.3).
    natural_key = models.BigIntegerField(editable=False)
    profession = models.CharField(max_length=4, blank=True)
    category = models.CharField("catégorie professionnelle", max_length=1, blank=True)
    speciality = models.CharField("savoir-faire principal", max_length=10, blank=True)
    mode = models.CharField("mode d’exercice", max_length=1, blank=True)
    genre = models.CharField("genre d’activité", max_length=6, blank=True)
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
    seen_on = models.DateField("date de l’entrée", null=True, blank=True)
    content_hash = models.BigIntegerField(null=True, editable=False)
    # Who sent it through the API; blank for every row that came otherwise. Such a row is proposed to nobody.
    partner = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = "situation d’exercice"
        indexes = search_indexes.OF_ACTIVITIES
        constraints = [
            models.UniqueConstraint(
                fields=["professional", "natural_key"],
                name="activity_unique",
                violation_error_message="Cette situation d’exercice est déjà enregistrée.",
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
    seen_on = models.DateField("date de l’entrée", null=True, blank=True)
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

    def of_structures(self, structure_ids):
        """The accounts of these structures: attached there, or whose profession is confirmed for them."""
        confirmed = models.Q(user__professions__structure__in=structure_ids, user__professions__ended_at=None)
        mine = self.filter(models.Q(structure__in=structure_ids) | confirmed).values("pk")
        people = self.filter(pk__in=mine).select_related("user", "professional")
        return people.order_by("user__family_name", "user__given_name", "pk")


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
        verbose_name = "rattachement d’un compte"
