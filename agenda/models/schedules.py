"""The agenda of a professional or of a room: when it is open, when it is not, and what takes its time.

`key` is whose time it is: the directory's professional when there is one, else the account; the member of the circle
who has neither; the dossier for the person herself; the room. Ids are drawn so that two of them are never the same.
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from coordination.common.ids import uuid7
from coordination.fhir.formats import stored


class TimeRange(Func):
    """[start, end) as PostgreSQL compares it."""

    function = "tstzrange"


class Modality(models.TextChoices):
    ON_SITE = "sur_place", "Sur place"
    HOME = "domicile", "À domicile"
    PHONE = "telephone", "Par téléphone"
    VIDEO = "video", "En visio"


class RoomQuerySet(models.QuerySet):
    def offered_to(self, entry):
        """The rooms that may be asked for in a dossier: those of the structures by which one is there.

        With the entries of the directory merged into them, or into which they were.
        """
        access, other = entry.access, entry.access.on_behalf_of
        houses = [access.hat.structure_id, access.through_structure, other.structure_id if other else None]
        mine = [id for id in houses if id]
        near = Q(structure__in=mine) | Q(structure__merged_into__in=mine) | Q(structure__merged_from__in=mine)
        return self.filter(near, retired_at=None).distinct().order_by("name", "pk")


class Room(models.Model):
    """A place that one meeting at a time may have (FHIR Location)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    structure = models.ForeignKey("directory.Structure", on_delete=models.PROTECT, related_name="+")
    name = models.CharField("nom de la salle", max_length=120)
    address = models.CharField("adresse", max_length=300, blank=True)
    # Raised by each change: the second of two who change a room sees what the first wrote (REL-11).
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = "salle"
        constraints = [
            models.UniqueConstraint(
                fields=["structure", "name"],
                condition=Q(retired_at=None),
                name="room_once_per_structure",
                violation_error_message="Cette salle existe déjà dans cette structure.",
            ),
        ]


class Schedule(models.Model):
    """An agenda (FHIR Schedule): of one account on screen, or one that a software declares of one or several actors.

    An agenda of several actors has its own id as its key: nobody is met by it, and all must be free.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.UUIDField(editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="schedules"
    )
    # Who declared it through the API (`fhir.Caller.owner`); blank for those of the screens.
    owner = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    # The dossier of the person, or of those around her, whose agenda it is: no foreign key, another family.
    person = models.UUIDField(null=True, blank=True, editable=False)
    name = models.CharField("nom de l’agenda", max_length=120, blank=True)
    zone = models.CharField("fuseau horaire", max_length=40, default="Europe/Paris")
    active = models.BooleanField(default=True)
    # His choice: each appointment also comes as an invitation that his own calendar program takes.
    mails_invitations = models.BooleanField("recevoir les rendez-vous par courriel", default=False, db_default=False)
    # Outside of which nothing is open (planningHorizon).
    valid_from = models.DateTimeField("début de validité", null=True, blank=True)
    valid_until = models.DateTimeField("fin de validité", null=True, blank=True)
    # How far openings have been written as rows of OpenTime; nothing is known beyond.
    written_until = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "agenda"
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                name="one_schedule_per_account",
                violation_error_message="Ce compte a déjà un agenda.",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
                name="schedule_ends_after_it_starts",
                violation_error_message="La fin de validité de l’agenda doit suivre son début.",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(owner=""),
                name="schedule_of_a_screen_or_of_a_software",
                violation_error_message="L’agenda d’un compte n’est pas celui d’un logiciel.",
            ),
        ]
        indexes = [
            models.Index(fields=["key"], name="schedule_by_key"),
            models.Index(fields=["person"], name="schedule_by_person", condition=Q(person__isnull=False)),
        ]


class ScheduleActor(models.Model):
    """One of those whose agenda a software declares (Schedule.actor): the resource it names, and whose time it is.

    A professional is often named twice, as himself and where he practises: the same key.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="actors")
    type = models.CharField(max_length=40)
    # A resource of that type, in whichever table.
    target = models.UUIDField()
    key = models.UUIDField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "acteur d’un agenda"
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "type", "target"],
                name="schedule_actor_once",
                violation_error_message="Cet acteur est déjà dans l’agenda.",
            ),
        ]
        indexes = [
            models.Index(fields=["type", "target"], name="schedule_actor_by_target"),
            models.Index(fields=["key"], name="schedule_actor_by_key"),
        ]


class ServiceType(models.Model):
    """A kind of appointment an agenda offers, and how long it lasts (serviceTypeDuration)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="service_types")
    # A code of agenda/data/service-types.csv, or of another table that a software names.
    code = models.CharField("type de rendez-vous", max_length=200)
    system = models.CharField("table du code", max_length=300, blank=True, default="", db_default="")
    # As a software sent it, to give it back.
    sent = models.JSONField(null=True, blank=True, encoder=stored.Encoder, decoder=stored.Decoder)
    minutes = models.PositiveSmallIntegerField("durée en minutes")

    class Meta:
        verbose_name = "type de rendez-vous proposé"
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "system", "code"],
                name="service_type_once_per_schedule",
                violation_error_message="Ce type de rendez-vous est déjà dans votre agenda.",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=5, minutes__lte=720),
                name="service_type_lasts_a_while",
                violation_error_message="Indiquez une durée de 5 minutes à 12 heures.",
            ),
        ]


class LocalRange(models.Model):
    """A range on the clock of a territory, repeated or not: ten o’clock stays ten o’clock when clocks change."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Naive on purpose: what the clock on the wall says in `zone`.
    starts = models.CharField("début", max_length=16)
    ends = models.CharField("fin", max_length=16)
    zone = models.CharField("fuseau horaire", max_length=40)
    # iCalendar RRULE, empty when it happens once.
    rule = models.CharField("répétition", max_length=2000, blank=True)
    # Of two openings at the same time, the lower one is cut into slots.
    priority = models.IntegerField(default=0, db_default=0)
    # The availabilityTime as a software sent it: its identifiers, and what no column holds.
    sent = models.JSONField(null=True, blank=True, encoder=stored.Encoder, decoder=stored.Decoder)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        abstract = True


class Opening(LocalRange):
    """When one may be asked (availabilityTime `free`)."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="openings")
    modality = models.CharField("modalité", max_length=10, choices=Modality, blank=True)
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    place = models.CharField("lieu", max_length=300, blank=True)
    video_url = models.URLField("lien de visioconférence", max_length=300, blank=True)
    # Codes of service types; empty: all those of the agenda.
    service_codes = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = "plage d’ouverture"
        constraints = [
            models.CheckConstraint(
                # Same shape (YYYY-MM-DDTHH:MM): texts compare as the times they say.
                condition=Q(starts__lt=F("ends")),
                name="opening_ends_after_it_starts",
                violation_error_message="La fin de la plage doit suivre son début.",
            ),
        ]


class Absence(LocalRange):
    """When one may not be asked: leave, training, or any time of one's own (availabilityTime `busy-unavailable`)."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="absences")
    # Read by its owner only: the others know that the time is taken.
    label = models.CharField("libellé", max_length=120, blank=True)
    all_day = models.BooleanField("toute la journée", default=False)

    class Meta:
        verbose_name = "absence"
        constraints = [
            models.CheckConstraint(
                condition=Q(starts__lt=F("ends")),
                name="absence_ends_after_it_starts",
                violation_error_message="La fin de l’absence doit suivre son début.",
            ),
        ]


class OpenTime(models.Model):
    """One occurrence of an opening, over a rolling horizon: free time is then a comparison of rows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.UUIDField(editable=False)
    opening = models.ForeignKey(Opening, on_delete=models.CASCADE, related_name="times")
    # The start its rule says on the wall: names the occurrence, whatever the clock does.
    recurrence_id = models.CharField(max_length=16)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        verbose_name = "occurrence d’ouverture"
        constraints = [
            models.UniqueConstraint(
                fields=["opening", "recurrence_id"],
                name="open_time_once_per_occurrence",
                violation_error_message="Cette occurrence est déjà écrite.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")),
                name="open_time_ends_after_it_starts",
                violation_error_message="La fin de la plage doit suivre son début.",
            ),
        ]
        indexes = [models.Index(fields=["key", "starts_at"], name="open_time_by_key")]


class Occupation(models.Model):
    """A time when somebody, or a room, is taken. Says nothing of why: `source` is the row that knows."""

    class Kind(models.TextChoices):
        APPOINTMENT = "rendez_vous", "Rendez-vous"
        HOLD = "option", "Créneau proposé"
        ABSENCE = "absence", "Absence"
        IMPORTED = "importe", "Agenda personnel"
        RECEIVED = "recu", "Reçu d’un autre logiciel"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.UUIDField(editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    # The appointment, the proposal, the absence or the calendar it comes from: no foreign key, another family.
    source = models.UUIDField(editable=False)
    # Names the occurrence of an absence that repeats.
    recurrence_id = models.CharField(max_length=16, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # Booked here by somebody who must not be in two places: the database refuses the second.
    exclusive = models.BooleanField(default=False)
    # A hold lets go by itself.
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "temps occupé"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "source", "recurrence_id"],
                name="occupation_once_per_source",
                violation_error_message="Ce temps est déjà compté.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")),
                name="occupation_ends_after_it_starts",
                violation_error_message="La fin doit suivre le début.",
            ),
            models.CheckConstraint(
                condition=Q(kind="option", expires_at__isnull=False) | (~Q(kind="option") & Q(expires_at=None)),
                name="only_holds_let_go",
                violation_error_message="Seul un créneau proposé a une échéance.",
            ),
            ExclusionConstraint(
                name="nobody_booked_twice",
                expressions=[
                    ("key", RangeOperators.EQUAL),
                    (TimeRange(F("starts_at"), F("ends_at")), RangeOperators.OVERLAPS),
                ],
                condition=Q(exclusive=True),
                violation_error_message="Ce créneau vient d’être pris : choisissez-en un autre.",
            ),
        ]
        indexes = [
            models.Index(fields=["key", "starts_at"], name="occupation_by_key"),
            models.Index(fields=["source"], name="occupation_by_source"),
            models.Index(fields=["expires_at"], name="occupation_hold", condition=Q(kind="option")),
        ]


class LeftOutside(models.Model):
    """An appointment that a software left outside of every opening by withdrawing one: somebody is told (GAP-40)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Whose time it is, and the appointment that takes it: no foreign key, another family.
    key = models.UUIDField(editable=False)
    source = models.UUIDField(editable=False)
    told = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "rendez-vous hors des disponibilités"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "source", "told"],
                name="left_outside_once",
                violation_error_message="Ce rendez-vous est déjà signalé.",
            ),
        ]
        indexes = [models.Index(fields=["told"], name="left_outside_told")]
