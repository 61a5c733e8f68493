"""Partners, what waits to be sent to them or asked of them, and the names they gave to what is here."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from coordination.common import cipher
from coordination.common.ids import uuid7
from coordination.outbox.models import FIRST_RING, DueQuerySet

# A trial that nobody did by then is lost: whoever asked for it no longer looks.
TRIAL_LASTS = timedelta(minutes=10)


class PartnerQuerySet(models.QuerySet):
    def active(self):
        return self.filter(active=True)

    def to_ring(self):
        """Those to be tried, of which no worker was told or none answered: a queue for the sweep."""
        return self.filter(trial_asked_at__gt=Now() - TRIAL_LASTS, ring_after__lte=Now())

    def with_counts(self):
        """Annotate `waiting` and `failed`: how many relays wait, how many were given up."""
        return self.annotate(
            waiting=models.Count("relays", filter=Q(relays__state__in=WAITING_STATES)),
            failed=models.Count("relays", filter=Q(relays__state=State.ECHEC)),
        )


class Partner(models.Model):
    """One FHIR server of somebody else (role Gestionnaire), and how it lets this installation in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField("nom", max_length=80)
    base_url = models.URLField("adresse de l’API FHIR", max_length=300)
    token_url = models.URLField("adresse des jetons d’accès", max_length=300)
    client_id = models.CharField("identifiant (client_id)", max_length=200)
    # Encrypted (coordination/common/cipher.py): it is sent as it is, so a hash would not do.
    secret_sealed = models.TextField(editable=False)
    scope = models.CharField("portées demandées", max_length=300, blank=True)
    # How the professional who acts is named to the partner; empty: he is not named.
    acting_header = models.CharField(
        "en-tête du professionnel agissant", max_length=60, blank=True, default="Acting-Professional"
    )
    # Whose agendas are exchanged with it: pushed as they change, asked of it every so often (GAP-92 to 94).
    structures = models.ManyToManyField(
        "directory.Structure", verbose_name="structures dont l’agenda est échangé", blank=True, related_name="+"
    )
    # The software by which it calls here: what came by it does not go back to it (GAP-96).
    software = models.ForeignKey(
        "habilitations.SoftwareClient", verbose_name="logiciel par lequel il appelle ici", null=True, blank=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    active = models.BooleanField("en service", default=True)
    # Raised by each change of what is said above: the second of two who change it sees what the first wrote (REL-11).
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    # « Essayer la connexion », done apart (REL-17): asked and not done yet; then what it said, "" before the first.
    trial_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    ring_after = models.DateTimeField(null=True, blank=True, editable=False)
    trial_said = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = "partenaire"
        verbose_name_plural = "partenaires"
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="partner_name_once",
                violation_error_message="Un partenaire porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(secret_sealed=""),
                name="partner_has_a_secret",
                violation_error_message="Donnez le secret que le partenaire a remis.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def secret(self) -> str:
        """What the partner gave to be known by. Raises ValueError when no current key opens it."""
        return cipher.decrypt(self.secret_sealed)

    @property
    def is_being_tried(self) -> bool:
        """Whether a trial was asked and is still awaited."""
        return self.trial_asked_at is not None and self.trial_asked_at > timezone.now() - TRIAL_LASTS

    @property
    def trial_is_lost(self) -> bool:
        """Whether a trial was asked and nobody did it."""
        return self.trial_asked_at is not None and not self.is_being_tried

    @property
    def fails(self) -> bool:
        """Whether the last call was a failure."""
        return self.last_error_at is not None and (self.last_ok_at is None or self.last_ok_at < self.last_error_at)


class State(models.TextChoices):
    EN_ATTENTE = "en_attente", "En attente"
    EN_COURS = "en_cours", "En cours"
    FAIT = "fait", "Fait"
    ECHEC = "echec", "Échec"
    ANNULE = "annule", "Annulé"


WAITING_STATES = (State.EN_ATTENTE, State.EN_COURS)


class RelayQuerySet(DueQuerySet):
    def waiting(self):
        """Those to be done; a partner out of service keeps them waiting."""
        return self.filter(state__in=WAITING_STATES, partner__active=True)

    def unfinished(self):
        """Those to be done, whether their partner is in service or not."""
        return self.filter(state__in=WAITING_STATES)

    def failed(self):
        return self.filter(state=State.ECHEC)

    def about(self, kinds, object_id):
        return self.filter(kind__in=kinds, object_id=object_id)


class Relay(models.Model):
    """One thing to send to a partner or to ask of it. It holds no content: this is made when it is sent.

    `kind` names what the room above registered (relaying.register), `object_id` what it is about.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="relays")
    kind = models.CharField("nature", max_length=60)
    # A plain identifier, no foreign key: this room knows nobody upstairs.
    object_id = models.UUIDField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField("état", max_length=12, choices=State, default=State.EN_ATTENTE)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt_at = models.DateTimeField("prochain essai", db_default=Now())
    ring_after = models.DateTimeField(db_default=FIRST_RING)
    # With the content, names the call to the partner: the same sent twice is done once (REL-7).
    idempotency_key = models.UUIDField(default=uuid7, editable=False)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = RelayQuerySet.as_manager()

    class Meta:
        verbose_name = "échange avec un partenaire"
        verbose_name_plural = "échanges avec les partenaires"
        ordering = ["-created_at", "-id"]
        indexes = [
            # Holds waiting rows only: the sweep stays quick when millions have been done.
            models.Index("ring_after", name="relay_waiting", condition=Q(state__in=WAITING_STATES)),
            models.Index("object_id", "kind", name="relay_object"),
            models.Index(fields=["created_at"], name="relay_dead", condition=Q(state=State.ECHEC)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "kind", "object_id"],
                condition=Q(state__in=WAITING_STATES),
                name="relay_waits_once",
                violation_error_message="Cette demande attend déjà d’être faite.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="relay_state_is_known",
                violation_error_message="Cet état d’échange n’existe pas.",
            ),
            models.CheckConstraint(
                condition=Q(state=State.FAIT, done_at__isnull=False)
                | (~Q(state=State.FAIT) & Q(done_at__isnull=True)),
                name="relay_done_has_a_date",
                violation_error_message="Un échange fait porte la date où il l’a été, et lui seul.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} ({self.get_state_display()})"

    @property
    def waits(self) -> bool:
        return self.state in WAITING_STATES

    def give_up(self, why):
        """Make a dead letter of it; not saved."""
        self.state, self.last_error = State.ECHEC, why


class RelayedId(models.Model):
    """The id a partner gave to a resource of ours: sent again, it is an update there and not a creation."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="relayed_ids")
    resource_type = models.CharField(max_length=40)
    local_id = models.UUIDField()
    remote_id = models.CharField(max_length=64)
    remote_version = models.CharField(max_length=64, blank=True)
    # Whether the partner made it from what we sent; what it had by itself is not ours to change there.
    made = models.BooleanField(default=False)
    # Of what was last sent: the same is not sent again.
    digest = models.CharField(max_length=64, blank=True)
    # What names it at the partner, for a circle that it had before ours.
    identifier = models.JSONField(null=True, blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "identifiant chez un partenaire"
        verbose_name_plural = "identifiants chez les partenaires"
        indexes = [models.Index("partner", "resource_type", "remote_id", name="relayed_by_remote_id")]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "resource_type", "local_id"],
                name="relayed_once_per_partner",
                violation_error_message="Cette ressource a déjà un identifiant chez ce partenaire.",
            ),
        ]

    def __str__(self):
        return f"{self.resource_type}/{self.remote_id}"
