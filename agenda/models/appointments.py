"""What happens around a person: appointments, visits, meetings, absences; who attends; what was changed."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from agenda.models.consents import AgendaConsent
from agenda.models.schedules import Modality
from circle.models import Member
from coordination.common.ids import uuid7
from habilitations.rubriques import Rubrique


class Series(models.Model):
    """A visit that repeats: its occurrences are rows, over a rolling horizon (docs/decisions)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    # As those of LocalRange.
    starts = models.CharField("début", max_length=16)
    ends = models.CharField("fin", max_length=16)
    zone = models.CharField("fuseau horaire", max_length=40)
    rule = models.CharField("répétition", max_length=300)
    written_until = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = "série"
        constraints = [
            models.CheckConstraint(
                condition=Q(starts__lt=F("ends")),
                name="series_ends_after_it_starts",
                violation_error_message="La fin doit suivre le début.",
            ),
        ]


def discreet_sources():
    """The discreet members from whom the event of the outer query comes, themselves or their structure."""
    who = Q(habilitation__user=OuterRef("created_by")) | Q(habilitation__user=OuterRef("organizer"))
    return Member.objects.filter(who | Q(structure=OuterRef("structure")), dossier=OuterRef("dossier"), discreet=True)


class Reader(NamedTuple):
    """What decides which events one sees in a dossier. `other_id`: for whom he acts; `houses`: his structures."""

    dossier_id: UUID
    user_id: UUID
    other_id: UUID | None
    houses: tuple[UUID, ...]
    reads_agenda: bool
    reads_meetings: bool
    knows_discreet: bool

    @classmethod
    def of(cls, entry):
        access, other = entry.access, entry.access.on_behalf_of
        houses = [access.hat.structure_id, access.through_structure, other.structure_id if other else None]
        return cls(
            dossier_id=entry.dossier.pk,
            user_id=entry.user.pk,
            other_id=other.id if other else None,
            houses=tuple(dict.fromkeys(id for id in houses if id)),
            reads_agenda=access.can_read(Rubrique.AGENDA),
            reads_meetings=access.can_read(Rubrique.REUNIONS),
            knows_discreet=access.sees_discreet_members,
        )


def _told(reader):
    """Those whose rubric this reader reads: agenda, réunions."""
    meeting = Q(kind=Appointment.Kind.MEETING)
    told = Q(pk__in=[])
    if reader.reads_agenda:
        told |= ~meeting
    if reader.reads_meetings:
        told |= meeting
    return told


def _shown(reader):
    """The condition of `visible_to`, the dossier and what is merged left aside."""
    users = [id for id in (reader.user_id, reader.other_id) if id]
    own = Q(created_by__in=users) | Q(organizer__in=users)
    near = Q(on_behalf=True) | Q(structure__in=reader.houses)
    # A dossier that is known is said: a key of the request, and one answer for all the events.
    agreed = Exists(AgendaConsent.objects.in_force().filter(dossier_id=reader.dossier_id or OuterRef("dossier_id")))
    attends = Participation.objects.filter(appointment_id=OuterRef("pk"))
    if reader.other_id:
        near |= Exists(attends.filter(user=reader.other_id))
    shown = near | agreed
    if not reader.knows_discreet:
        shown &= ~Exists(discreet_sources())
    invited = Exists(attends.filter(user=reader.user_id))
    return _told(reader) & (own | shown) | invited


class AppointmentQuerySet(models.QuerySet):
    def visible_to(self, entry):
        """The events of this dossier that this reader may see; `entry` is what the door returned.

        By the rubric of the kind (agenda, réunions): his, those of his structure, those told in the person’s name;
        those of others, structures or not, only while the person agrees (AGD-11, AGD-12). Nothing of a discreet member
        for who may not know him (rule 7). Who is invited sees it whatever the matrix (rule 6); who acts for another
        sees what the other has, as far as the matrix goes (SEC-15).
        """
        return self.seen_by(Reader.of(entry))

    def seen_by(self, reader):
        """As `visible_to`, of a reader told by the few facts that decide."""
        return self.filter(_shown(reader), dossier_id=reader.dossier_id, merged_into=None)

    def seen_in(self, readers, *, sender=""):
        """As `seen_by`, of several dossiers at once; and what this `sender` sent itself to those whose rubric is read.

        A discreet member’s software may act for others too: nothing of him is told by it either (rule 7).
        Readers whom the same facts decide of, but the dossier, make one condition: usually one or two.
        """
        alike = {}
        for reader in readers:
            alike.setdefault(reader._replace(dossier_id=None), []).append(reader.dossier_id)
        found = Q(pk__in=[])
        for reader, dossiers in alike.items():
            shown = _shown(reader)
            if sender:
                sent = Q(sender=sender)
                shown |= _told(reader) & (sent if reader.knows_discreet else sent & ~Exists(discreet_sources()))
            found |= Q(dossier_id__in=dossiers) & shown
        return self.filter(found, merged_into=None)

    def between(self, start, end):
        """Those that take some time of [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)

    def upcoming(self, now=None):
        """Those to come or under way, neither cancelled nor wrong, the next first."""
        live = self.filter(status__in=Appointment.LIVE, ends_at__gt=now or timezone.now())
        return live.order_by("starts_at", "id")


class Appointment(models.Model):
    """One event of one person's agenda (FHIR Appointment). An occurrence of a series is one too."""

    class Kind(models.TextChoices):
        APPOINTMENT = "rendez_vous", "Rendez-vous"
        VISIT = "intervention", "Intervention à domicile"
        MEETING = "reunion", "Réunion de coordination"
        ABSENCE = "absence", "Absence"
        HOSPITAL = "hospitalisation", "Hospitalisation"

    class Status(models.TextChoices):
        """Those of FHIR (agenda.md §5), and how screens say them."""

        PROPOSED = "proposed", "Demandé"
        PENDING = "pending", "En attente de réponses"
        BOOKED = "booked", "Confirmé"
        FULFILLED = "fulfilled", "Réalisé"
        NOSHOW = "noshow", "Non venu"
        CANCELLED = "cancelled", "Annulé"
        ERROR = "entered-in-error", "Saisi par erreur"

    class CancelReason(models.TextChoices):
        PERSON = "personne", "À la demande de la personne"
        PROFESSIONAL = "professionnel", "Professionnel indisponible"
        HOSPITAL = "hospitalisation", "Hospitalisation ou urgence"
        REFUSED = "refus", "Demande refusée"
        ORGANISER = "organisateur", "Annulé par l’organisateur"
        OTHER = "autre", "Autre motif"

    # What keeps the time of those who attend.
    TAKING = (Status.PENDING, Status.BOOKED, Status.FULFILLED)
    LIVE = (Status.PROPOSED, Status.PENDING, Status.BOOKED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="appointments")
    kind = models.CharField("nature", max_length=15, choices=Kind)
    status = models.CharField("état", max_length=16, choices=Status)
    starts_at = models.DateTimeField("début", null=True, blank=True)
    ends_at = models.DateTimeField("fin", null=True, blank=True)
    # Where its clock is read; all day: from midnight to midnight there.
    zone = models.CharField("fuseau horaire", max_length=40)
    all_day = models.BooleanField("toute la journée", default=False)
    # A code of agenda/data/service-types.csv: a neutral word, that a calendar may show.
    service_type = models.CharField("type de rendez-vous", max_length=40, blank=True)
    title = models.CharField("titre", max_length=120, blank=True)
    reason = models.CharField("motif", max_length=500, blank=True)
    comment = models.TextField("commentaire", max_length=2000, blank=True)
    modality = models.CharField("modalité", max_length=10, choices=Modality, blank=True)
    place = models.CharField("lieu", max_length=300, blank=True)
    room = models.ForeignKey("agenda.Room", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    video_url = models.URLField("lien de visioconférence", max_length=300, blank=True)
    # The source shown: which structure it comes from; none of who practises alone, nor of what the person tells.
    structure = models.ForeignKey(
        "directory.Structure", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    on_behalf = models.BooleanField("saisi au nom de la personne", default=False)
    organizer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Its name in the software it comes from: what arrives twice is recognised.
    identifier_system = models.CharField(max_length=200, blank=True)
    identifier_value = models.CharField(max_length=200, blank=True)
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.PROTECT, related_name="occurrences")
    recurrence_id = models.CharField(max_length=16, blank=True)
    # An occurrence changed by itself: the series leaves it alone.
    detached = models.BooleanField(default=False)
    quorum = models.PositiveSmallIntegerField("présents au moins", null=True, blank=True)
    answer_by = models.DateTimeField("réponses attendues avant", null=True, blank=True)
    cancel_reason = models.CharField("motif d’annulation", max_length=15, choices=CancelReason, blank=True)
    cancel_note = models.CharField("précision", max_length=300, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    minutes = models.TextField("compte rendu", max_length=20000, blank=True)
    minutes_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # iCalendar's SEQUENCE: raised when time, place or state change.
    sequence = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)
    # A replayed form finds what it already made.
    creation_key = models.UUIDField(default=uuid7, editable=False)
    # Of what another software sent: which (owner of its calls), how a screen names it, since when it is taken there.
    sender = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    received_from = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    declared_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What FHIR says more finely than screens: arrived, checked-in (booked here), waitlist (proposed here).
    finer_status = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    # Taken elsewhere: it warns who books over it and refuses nothing (agenda.md, GAP-71).
    only_warns = models.BooleanField(default=False, db_default=False, editable=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        verbose_name = "rendez-vous"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "creation_key"],
                name="appointment_created_once",
                violation_error_message="Ce rendez-vous vient d’être enregistré.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "series", "recurrence_id"],
                condition=Q(series__isnull=False),
                name="occurrence_once_per_series",
                violation_error_message="Cette occurrence existe déjà.",
            ),
            models.UniqueConstraint(
                fields=["dossier", "identifier_system", "identifier_value"],
                condition=~Q(identifier_value=""),
                name="appointment_identifier_once",
                violation_error_message="Ce rendez-vous est déjà dans l’agenda.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None, ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="appointment_ends_after_it_starts",
                violation_error_message="La fin doit suivre le début.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "cancelled"]) | Q(starts_at__isnull=False),
                name="appointment_taken_has_a_time",
                violation_error_message="Indiquez le jour et l’heure.",
            ),
            models.CheckConstraint(
                condition=(Q(status="cancelled") & ~Q(cancel_reason=""))
                | Q(status="noshow")
                | (~Q(status__in=["cancelled", "noshow"]) & Q(cancel_reason="")),
                name="only_the_cancelled_say_why",
                violation_error_message="Indiquez le motif de l’annulation.",
            ),
        ]
        indexes = [
            models.Index(fields=["dossier", "starts_at"], name="appointment_by_day"),
            models.Index(fields=["series"], name="appointment_by_series", condition=Q(series__isnull=False)),
            models.Index(
                fields=["identifier_value"], name="appointment_by_identifier", condition=~Q(identifier_value="")
            ),
        ]

    @property
    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """When it is, of an event that has a time."""
        assert self.starts_at is not None and self.ends_at is not None
        return self.starts_at, self.ends_at

    @property
    def waits_for_a_time(self):
        """A meeting whose time is put to the vote: its own pages say so."""
        return self.kind == self.Kind.MEETING and self.status == self.Status.PROPOSED and self.starts_at is None


class Participation(models.Model):
    """One who attends: a member of the circle, the person herself, a room (FHIR Appointment.participant)."""

    class Need(models.TextChoices):
        REQUIRED = "required", "Indispensable"
        OPTIONAL = "optional", "Souhaité"
        INFORMATION = "information-only", "Pour information"

    class Status(models.TextChoices):
        NEEDS_ACTION = "needs-action", "Sans réponse"
        ACCEPTED = "accepted", "Accepté"
        TENTATIVE = "tentative", "Peut-être"
        DECLINED = "declined", "Décliné"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="participations")
    # Whose time: see schedules.py. The dossier itself for the person.
    key = models.UUIDField(editable=False)
    member = models.ForeignKey("circle.Member", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="participations"
    )
    room = models.ForeignKey("agenda.Room", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    need = models.CharField("présence", max_length=16, choices=Need, default=Need.REQUIRED)
    status = models.CharField("réponse", max_length=12, choices=Status, default=Status.NEEDS_ACTION)
    answered_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField("message", max_length=300, blank=True)
    # Where a personal link is sent, for who has no account; raised to void the links already sent.
    email = models.EmailField(blank=True)
    generation = models.PositiveSmallIntegerField(default=1)
    reminded_at = models.DateTimeField(null=True, blank=True)
    # Who is no member of this circle, as another software named him: "Device/<id>", an address of its own, or "".
    actor = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    label = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    # Of an event joined to this one: it goes back there when the two are told apart again.
    copied_from = models.ForeignKey(
        Appointment, null=True, blank=True, on_delete=models.SET_NULL, related_name="lent_participations"
    )

    class Meta:
        verbose_name = "participation"
        constraints = [
            models.UniqueConstraint(
                fields=["dossier", "appointment", "key"],
                name="participant_once_per_appointment",
                violation_error_message="Cette personne participe déjà.",
            ),
        ]
        indexes = [models.Index(fields=["key"], name="participation_by_key")]

    @property
    def is_the_person(self):
        return self.key == self.dossier_id

    @property
    def has_answered(self):
        return self.status != self.Status.NEEDS_ACTION


class AppointmentChange(models.Model):
    """The history of an appointment, one line per act."""

    class Kind(models.TextChoices):
        CREATED = "creation", "Création"
        MOVED = "deplacement", "Déplacement"
        EDITED = "modification", "Modification"
        ANSWERED = "reponse", "Réponse"
        PROPOSED = "proposition", "Autre moment proposé"
        CONFIRMED = "confirmation", "Confirmation"
        CANCELLED = "annulation", "Annulation"
        DONE = "realisation", "Réalisation"
        MERGED = "fusion", "Fusion"
        MINUTES = "compte_rendu", "Compte rendu"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="+")
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    # Absent for who answers by a personal link, without an account.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=15, choices=Kind)
    participation = models.ForeignKey(
        Participation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    before = models.CharField(max_length=500, blank=True)
    after = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "historique d’un rendez-vous"
        indexes = [models.Index(fields=["appointment", "-at"], name="appointment_change_by_date")]
