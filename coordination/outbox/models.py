"""What must leave the house or be done later: rows written in the same transaction as the act (REL-1).

Celery only rings; a row is true. `ring_after` is the sweep's business (when to ring again), `next_attempt_at` is
what people read (when the row is due).

Both are written and compared by the clock of the database alone: a row asked on a machine whose own clock is ahead
would leave that much late, and be passed over by a worker whose clock is behind. So is when a row was asked, when a
letter left and when a quarantine began: what its release holds back depends on which came first.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import models
from django.db.models import F, Max, Min, Q
from django.db.models.functions import Now
from django.db.models.lookups import IsNull
from django.utils import timezone

from coordination.common.ids import uuid7

# The doorbell rings at commit; the sweep gives it this long before ringing itself.
DOORBELL_GRACE = timedelta(seconds=1)
# Between two rings of the same row, and before a row "en cours" that nobody holds is taken again.
RING_AGAIN_AFTER = timedelta(seconds=4)
# From when the sweep may ring for a new row.
FIRST_RING = Now() + DOORBELL_GRACE


class State(models.TextChoices):
    EN_FILE = "en_file", "En file"
    EN_COURS = "en_cours", "En cours"
    ENVOYE = "envoye", "Envoyé"
    ECHEC = "echec", "Échec"
    A_REESSAYER = "a_reessayer", "À réessayer"
    # Kept back by who released a quarantine (REL-13): it may have left already, nothing sends it again by itself.
    RETENU = "retenu", "Retenu"


WAITING_STATES = (State.EN_FILE, State.EN_COURS, State.A_REESSAYER)


class Figures(NamedTuple):
    """How a queue is: rows that wait, those among them that failed already, since when the oldest due one waits (None
    when nothing is due) and for how long (zero), rows given up that nobody has settled."""

    waiting: int
    retrying: int
    oldest_due_at: datetime | None
    oldest: timedelta
    dead: int


def make_due(row) -> None:
    """Have a row done as soon as somebody is free; not saved."""
    row.next_attempt_at, row.ring_after = Now(), FIRST_RING


class DueQuerySet(models.QuerySet):
    """Questions common to mails and jobs; `waiting()` and `failed()` are given by each."""

    def due(self):
        return self.waiting().filter(next_attempt_at__lte=Now())

    def to_ring(self):
        return self.due().filter(ring_after__lte=Now())

    def with_lateness(self):
        """With `late`, for how long each row has been due."""
        return self.annotate(late=Now() - F("next_attempt_at"))

    def in_turn(self):
        """The due rows, in the order in which workers take them one after the other.

        By `ring_after`, the one order that an index has of the rows that wait: it is the hour of a row that is due, or
        a few seconds later. The bound keeps those that wait for tomorrow from being read.
        """
        return self.due().filter(ring_after__lte=Now() + RING_AGAIN_AFTER).order_by("ring_after")

    def oldest_waiting_age(self):
        """Return how long the oldest due row has been waiting (timedelta, zero when nothing waits)."""
        return self.due().aggregate(oldest=Max(Now() - F("next_attempt_at")))["oldest"] or timedelta(0)

    def figures(self):
        """Return the Figures of this queue. Two SQL statements, each on an index that holds its rows only."""
        return self.waiting_figures(dead=self.failed().count())

    def waiting_figures(self, *, dead):
        """Return the same from one SQL statement, when the dead letters are counted already."""
        due = Q(next_attempt_at__lte=Now())
        found = self.waiting().aggregate(
            waiting=models.Count("pk"),
            retrying=models.Count("pk", filter=~models.Q(last_error="")),
            oldest_due_at=Min("next_attempt_at", filter=due),
            oldest=Max(Now() - F("next_attempt_at"), filter=due),
        )
        return Figures(**found | {"oldest": found["oldest"] or timedelta(0)}, dead=dead)


class MessageQuerySet(DueQuerySet):
    def waiting(self):
        return self.filter(state__in=WAITING_STATES)

    def failed(self):
        """Dead letters: given up, and nobody has said that they may be forgotten."""
        return self.filter(state=State.ECHEC, dismissed_at=None)

    def retried(self):
        """Those that a server refused for now, and that leave by themselves once it takes them."""
        return self.waiting().exclude(last_error="")

    def seconds_to_leave(self, kinds, *, since, share):
        """Return in how many seconds this share (0 to 1) of the letters of these kinds left; None without any.

        One that still waits counts for how long it has waited; one that was given up, for nothing: the address was
        wrong; nor one that was kept back, by a person. One SQL statement.
        """
        took = models.functions.Extract(models.functions.Coalesce("sent_at", Now()) - models.F("created_at"), "epoch")
        rows = self.filter(kind__in=kinds, created_at__gte=since).exclude(state__in=[State.ECHEC, State.RETENU])
        return rows.aggregate(found=_Percentile(took, share=share))["found"]


class _Percentile(models.Aggregate):
    """PostgreSQL's `percentile_cont`; `share` is a number of ours."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = models.FloatField()

    def __init__(self, expression, *, share):
        super().__init__(expression, share=float(share))


class Message(models.Model):
    """One outgoing e-mail to one address."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField("nature", max_length=60)
    to = models.EmailField("destinataire")
    subject = models.CharField("objet", max_length=200)
    text = models.TextField("texte")
    html = models.TextField("version HTML", blank=True)
    # Holds a link or a code that signs somebody in: the bodies are blanked once sent.
    sensitive = models.BooleanField("contenu effacé après envoi", default=False)
    # Plain identifiers, no foreign key: the post office knows nobody upstairs.
    account_id = models.UUIDField(null=True, blank=True, db_index=True)
    object_id = models.UUIDField(null=True, blank=True, db_index=True)
    # Which state of that object the letter was written for, when its owner counts them; its filler compares.
    object_version = models.PositiveSmallIntegerField("version de l’objet", null=True, blank=True)

    state = models.CharField("état", max_length=12, choices=State, default=State.EN_FILE)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt_at = models.DateTimeField("prochain essai", db_default=Now())
    ring_after = models.DateTimeField(db_default=FIRST_RING)
    # The same at every attempt, so that a receiver can drop a double (REL-6).
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    # An attempt ended without an answer (killed worker, cut line): it may have arrived, perhaps twice (REL-6).
    is_uncertain = models.BooleanField("remise incertaine", default=False)
    # Given up, and nothing more is expected of it: somebody said so, or the letter had lost its reason.
    dismissed_at = models.DateTimeField("classé sans suite", null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = "message sortant"
        verbose_name_plural = "messages sortants"
        ordering = ["-created_at", "-id"]
        indexes = [
            # Holds waiting rows only: the sweep stays quick when millions have been sent.
            models.Index("ring_after", name="message_waiting", condition=models.Q(state__in=WAITING_STATES)),
            models.Index("sent_at", name="message_sent", condition=models.Q(sent_at__isnull=False)),
            models.Index(
                fields=["created_at"],
                name="message_dead",
                condition=models.Q(state=State.ECHEC, dismissed_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="message_sent_has_a_date",
                condition=models.Q(state=State.ENVOYE, sent_at__isnull=False)
                | (~models.Q(state=State.ENVOYE) & models.Q(sent_at__isnull=True)),
                violation_error_message="Un message envoyé porte la date de son envoi, et lui seul.",
            ),
            models.CheckConstraint(
                name="message_state_is_known",
                condition=models.Q(state__in=State.values),
                violation_error_message="Cet état de message n’existe pas.",
            ),
            models.CheckConstraint(
                name="message_has_an_address",
                condition=models.Q(to__contains="@"),
                violation_error_message="Un message a une adresse à qui l’envoyer.",
            ),
            models.CheckConstraint(
                name="message_dismissed_has_failed",
                condition=models.Q(dismissed_at__isnull=True) | models.Q(state=State.ECHEC),
                violation_error_message="Seul un message en échec est classé sans suite.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} ({self.get_state_display()})"

    def give_up(self, why):
        """Make a dead letter of it; not saved."""
        self.is_uncertain |= self.state == State.EN_COURS
        self.state, self.last_error = State.ECHEC, why


class JobQuerySet(DueQuerySet):
    def waiting(self):
        return self.filter(done_at__isnull=True, given_up_at__isnull=True)

    def failed(self):
        return self.filter(given_up_at__isnull=False, dismissed_at=None)


class Job(models.Model):
    """One piece of due work other than a mail: `kind` names the handler, `ref` the object it is about."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField("nature", max_length=60)
    ref = models.UUIDField("objet")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt_at = models.DateTimeField("dû le", db_default=Now())
    ring_after = models.DateTimeField(db_default=FIRST_RING)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    done_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField("classé sans suite", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "travail dû"
        verbose_name_plural = "travaux dus"
        indexes = [
            models.Index(
                "ring_after",
                name="job_waiting",
                condition=models.Q(done_at__isnull=True, given_up_at__isnull=True),
            ),
            models.Index("done_at", name="job_done", condition=models.Q(done_at__isnull=False)),
            models.Index(
                fields=["created_at"],
                name="job_dead",
                condition=models.Q(given_up_at__isnull=False, dismissed_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="job_done_or_given_up",
                condition=models.Q(done_at__isnull=True) | models.Q(given_up_at__isnull=True),
                violation_error_message="Un travail est fait ou abandonné, pas les deux.",
            ),
            models.CheckConstraint(
                name="job_dismissed_was_given_up",
                condition=models.Q(dismissed_at__isnull=True) | models.Q(given_up_at__isnull=False),
                violation_error_message="Seul un travail abandonné est classé sans suite.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} ({self.ref})"

    def give_up(self, why):
        """Have it wait for an operator; not saved."""
        self.given_up_at, self.last_error = timezone.now(), why


class LocalMail(models.Model):
    """A mail "delivered" to the page `/dev/courriels/`. Written by the development delivery backend only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message_id = models.CharField(max_length=200, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "courriel local"
        verbose_name_plural = "courriels locaux"
        ordering = ["-received_at", "-id"]

    def __str__(self):
        return self.subject


class QuarantineQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(released_at=None)


class Quarantine(models.Model):
    """The time between a restored backup and the person who releases it: nothing leaves the house (REL-13)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The moment the data come from: what was done or sent after it is unknown here.
    backup_at = models.DateTimeField("sauvegarde du")
    # What was queued up to here may have left already; what was queued after has not.
    opened_at = models.DateTimeField("restaurée le", db_default=Now())
    # Its tokens are void and what the clock owed is in the queue: nothing may be released before.
    prepared_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField("levée le", null=True, blank=True)
    # A plain identifier, no foreign key: the post office knows nobody upstairs.
    released_by_id = models.UUIDField(null=True, blank=True)

    objects = QuarantineQuerySet.as_manager()

    class Meta:
        verbose_name = "quarantaine"
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                IsNull(models.F("released_at"), True),
                condition=models.Q(released_at=None),
                name="one_quarantine_stands",
                violation_error_message="Une quarantaine est déjà en cours.",
            ),
            models.CheckConstraint(
                name="quarantine_released_by_somebody",
                condition=models.Q(released_at=None, released_by_id=None)
                | models.Q(released_at__isnull=False, released_by_id__isnull=False, prepared_at__isnull=False),
                violation_error_message="Une quarantaine est levée par une personne, une fois préparée.",
            ),
        ]

    def __str__(self):
        return f"Quarantaine du {self.opened_at:%d/%m/%Y}"
