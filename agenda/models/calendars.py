"""Between this agenda and those kept elsewhere: what people subscribe to, receive by mail, and let us read."""

from django.conf import settings
from django.db import models
from django.db.models import Count, Min, Q
from django.utils import timezone

from agenda.models.appointments import Appointment, Participation
from agenda.models.schedules import Schedule
from coordination.common import cipher
from coordination.common.ids import uuid7


class Feed(models.Model):
    """The address at which one’s own calendar program reads one’s agenda: a secret kept hashed, shown once."""

    class Level(models.TextChoices):
        BUSY = "occupe", "Occupé, rien d’autre"
        NEUTRAL = "neutre", "Le type de rendez-vous, aucun nom"
        FULL = "complet", "Tout : la personne, l’objet et le lieu"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    level = models.CharField("ce que l’agenda montre", max_length=7, choices=Level, default=Level.BUSY)
    token_digest = models.CharField(max_length=64, editable=False)
    opened_at = models.DateTimeField(default=timezone.now)
    fetched_at = models.DateTimeField(null=True, blank=True)
    # What the last answer said, and since when: a 304 is true by date too, when an event went away.
    state = models.CharField(max_length=64, blank=True)
    state_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "abonnement à l’agenda"
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                name="one_feed_per_account",
                violation_error_message="Cet agenda a déjà une adresse.",
            ),
            models.UniqueConstraint(
                fields=["token_digest"],
                name="feed_by_token",
                violation_error_message="Cette adresse est déjà donnée.",
            ),
            models.CheckConstraint(
                condition=Q(level__in=["occupe", "neutre", "complet"]),
                name="feed_level_is_known",
                violation_error_message="Choisissez ce que l’agenda montre.",
            ),
        ]


class OwnCalendarQuerySet(models.QuerySet):
    def due(self, now):
        """Those to be read again, the longest awaited first."""
        return self.filter(next_refresh_at__lte=now).order_by("next_refresh_at")

    def in_use(self):
        """Those that are read: of an agenda in service, whose owner's account is open."""
        return self.filter(schedule__active=True, schedule__user__is_active=True)

    def failing(self):
        return self.filter(failures__gt=0)

    def figures(self):
        """Return how many are read, how many fail, how many are awaited and for how long. One SQL statement."""
        now = timezone.now()
        found = self.in_use().aggregate(
            read=Count("pk"),
            failing=Count("pk", filter=Q(failures__gt=0)),
            due=Count("pk", filter=Q(next_refresh_at__lte=now)),
            oldest_due_at=Min("next_refresh_at", filter=Q(next_refresh_at__lte=now)),
        )
        return found | {"oldest": now - (found["oldest_due_at"] or now)}

    def failing_by_sentence(self):
        """Return what fails, by the sentence of its failure, the most frequent first: neither whose nor where."""
        rows = self.in_use().failing().values("last_error")
        return rows.annotate(number=Count("pk"), since=Min("last_ok_at")).order_by("-number", "last_error")


class OwnCalendar(models.Model):
    """A calendar that somebody keeps elsewhere, whose busy times count here: when, never what."""

    class Kind(models.TextChoices):
        ICS = "ics", "Adresse d’abonnement (iCalendar)"
        CALDAV = "caldav", "Calendrier CalDAV, avec identifiant et mot de passe"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="own_calendars")
    name = models.CharField("nom", max_length=60)
    kind = models.CharField("sorte", max_length=6, choices=Kind)
    # Encrypted (coordination/common/cipher.py): a subscription address is a secret by itself.
    address_sealed = models.TextField(editable=False)
    login = models.CharField("identifiant", max_length=200, blank=True)
    password_sealed = models.TextField(blank=True, editable=False)
    # What may be shown of the address.
    host = models.CharField(max_length=255)
    etag = models.CharField(max_length=200, blank=True)
    # Raised when what is read, or how, changes: an answer asked before is not written over it.
    generation = models.PositiveIntegerField(default=1)
    spans = models.PositiveIntegerField("temps occupés", default=0)
    # Events that do not read are left out; their number is told.
    unread = models.PositiveIntegerField("événements illisibles", default=0)
    failures = models.PositiveSmallIntegerField("échecs de suite", default=0)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    # How far the occupied times that are kept go.
    known_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    next_refresh_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnCalendarQuerySet.as_manager()

    class Meta:
        verbose_name = "calendrier personnel"
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["next_refresh_at"], name="own_calendar_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "name"],
                name="own_calendar_name_once",
                violation_error_message="Un de vos calendriers porte déjà ce nom.",
            ),
            models.CheckConstraint(
                condition=~Q(address_sealed=""),
                name="own_calendar_has_an_address",
                violation_error_message="Donnez l’adresse du calendrier.",
            ),
        ]

    @property
    def address(self) -> str:
        """Where it is read. Raises ValueError when no current key opens it."""
        return cipher.decrypt(self.address_sealed)


class CalendarInvitation(models.Model):
    """What one participant was last told by mail of one event: what an answer is compared to."""

    class Method(models.TextChoices):
        REQUEST = "REQUEST", "Invitation"
        CANCEL = "CANCEL", "Annulation"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="calendar_invitations")
    participation = models.ForeignKey(
        Participation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    email = models.EmailField()
    method = models.CharField(max_length=7, choices=Method)
    # Ours, of this mail: higher at each, whatever made it.
    sequence = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=40)
    all_day = models.BooleanField(default=False)
    is_meeting = models.BooleanField(default=False)
    is_tentative = models.BooleanField(default=False)
    is_required = models.BooleanField(default=True)
    # What his calendar shows: told by us, or answered by its own mail.
    answer = models.CharField(max_length=12, choices=Participation.Status)
    # The last answer by mail: when its program says that it was made, and when the act was done here.
    answer_stamp = models.DateTimeField(null=True, blank=True)
    answer_done_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "invitation par courriel"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "appointment", "user"],
                name="calendar_invitation_once",
                violation_error_message="Cette personne a déjà une invitation à ce rendez-vous.",
            ),
        ]


class ReceivedAnswer(models.Model):
    """An answer that came by mail: what became of it. Neither an address nor a word of it is kept."""

    class Outcome(models.TextChoices):
        DONE = "fait", "Pris en compte"
        IGNORED = "ignore", "Ignoré"
        REFUSED = "refuse", "Refusé"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Of the whole message: what is delivered twice is done once.
    digest = models.CharField(max_length=64, editable=False)
    invitation = models.ForeignKey(
        CalendarInvitation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    outcome = models.CharField("suite", max_length=6, choices=Outcome)
    sentence = models.CharField("explication", max_length=300)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "réponse reçue par courriel"
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["digest"],
                name="received_answer_once",
                violation_error_message="Ce courriel a déjà été traité.",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="received_answer_by_date")]
