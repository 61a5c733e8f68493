"""Places and legal entities one can find, call and add to a circle."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.common.ids import uuid7
from coordination.directory import indexes as search_indexes


class Source(models.TextChoices):
    FINESS = "finess", "FINESS"
    RPPS = "rpps", "RPPS"
    REGIONAL = "regional", "Complément régional"
    LOCAL = "local", "Créée pour la coordination"
    PARTNER = "partenaire", "Reçue d’un partenaire"


class StructureQuerySet(models.QuerySet):
    def active(self):
        """Those one may propose: still there, and not known by a partner alone."""
        return self.filter(ceased_at=None, merged_into=None).exclude(source=Source.PARTNER)

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
    category = models.CharField("catégorie d’établissement", max_length=4, blank=True)
    sector = models.CharField("secteur d’activité", max_length=6, blank=True)
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
    seen_on = models.DateField("date de l’entrée", null=True, blank=True)
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
    # What a partner said of a structure it alone knows; the national files name a legal entity by its number.
    part_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts", db_index=False
    )
    # Who sent it through the API (the owner that `fhir.Caller` names); blank for every row that came otherwise.
    partner = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)

    objects = StructureQuerySet.as_manager()

    class Meta:
        verbose_name = "structure"
        constraints = [
            models.UniqueConstraint(
                fields=["finess"],
                condition=~Q(finess=""),
                name="structure_finess_unique",
                violation_error_message="Ce numéro FINESS existe déjà dans l’annuaire.",
            ),
            models.UniqueConstraint(
                fields=["source_key"],
                condition=~Q(source_key=""),
                name="structure_source_key_unique",
                violation_error_message="Cette structure existe déjà dans l’annuaire.",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
                name="structure_not_merged_into_itself",
                violation_error_message="Une structure ne peut pas être fusionnée avec elle-même.",
            ),
            models.CheckConstraint(
                condition=~Q(source=Source.LOCAL) | ~Q(phone="") | ~Q(email="") | ~Q(mss_address=""),
                name="local_structure_can_be_reached",
                violation_error_message="Indiquez au moins un moyen de contact : numéro de téléphone ou email.",
            ),
        ]
        indexes = search_indexes.OF_STRUCTURES

    def __str__(self):
        return self.name
