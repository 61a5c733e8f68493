"""What must leave the house or be done later: rows written in the same transaction as the act (REL-1).

Celery only rings; a row is true. `ring_after` is the sweep's business (when to ring again), `next_attempt_at` is
what people read (when the row is due).
"""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from coordination.common.ids import uuid7

# The doorbell rings at commit; the sweep gives it this long before ringing itself.
DOORBELL_GRACE = timedelta(seconds=1)
# Between two rings of the same row, and before a row "en cours" that nobody holds is taken again.
RING_AGAIN_AFTER = timedelta(seconds=4)


def first_ring():
    """The moment from which the sweep may ring for a new row."""
    return timezone.now() + DOORBELL_GRACE


class State(models.TextChoices):
    EN_FILE = "en_file", "En file"
    EN_COURS = "en_cours", "En cours"
    ENVOYE = "envoye", "Envoyé"
    ECHEC = "echec", "Échec"
    A_REESSAYER = "a_reessayer", "À réessayer"


WAITING_STATES = (State.EN_FILE, State.EN_COURS, State.A_REESSAYER)


class DueQuerySet(models.QuerySet):
    """Questions common to mails and jobs; `waiting()` is given by each."""

    def due(self):
        return self.waiting().filter(next_attempt_at__lte=timezone.now())

    def to_ring(self):
        return self.due().filter(ring_after__lte=timezone.now())

    def oldest_waiting_age(self):
        """Return how long the oldest due row has been waiting (timedelta, zero when nothing waits)."""
        oldest = self.due().aggregate(oldest=models.Min("next_attempt_at"))["oldest"]
        return max(timezone.now() - oldest, timedelta(0)) if oldest else timedelta(0)


class MessageQuerySet(DueQuerySet):
    def waiting(self):
        return self.filter(state__in=WAITING_STATES)

    def failed(self):
        return self.filter(state=State.ECHEC)


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
    next_attempt_at = models.DateTimeField("prochain essai", default=timezone.now)
    ring_after = models.DateTimeField(default=first_ring)
    # The same at every attempt, so that a receiver can drop a double (REL-6).
    message_id = models.CharField("Message-ID", max_length=200, unique=True)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    # An attempt ended without an answer (killed worker, cut line): it may have arrived, perhaps twice (REL-6).
    is_uncertain = models.BooleanField("remise incertaine", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
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
        ]

    def __str__(self):
        return f"{self.kind} ({self.get_state_display()})"


class JobQuerySet(DueQuerySet):
    def waiting(self):
        return self.filter(done_at__isnull=True, given_up_at__isnull=True)


class Job(models.Model):
    """One piece of due work other than a mail: `kind` names the handler, `ref` the object it is about."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField("nature", max_length=60)
    ref = models.UUIDField("objet")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt_at = models.DateTimeField("dû le", default=timezone.now)
    ring_after = models.DateTimeField(default=first_ring)
    last_error = models.CharField("dernière erreur", max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

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
        ]
        constraints = [
            models.CheckConstraint(
                name="job_done_or_given_up",
                condition=models.Q(done_at__isnull=True) | models.Q(given_up_at__isnull=True),
                violation_error_message="Un travail est fait ou abandonné, pas les deux.",
            ),
        ]

    def __str__(self):
        return f"{self.kind} ({self.ref})"


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
