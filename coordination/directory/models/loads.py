"""What a load of the national files leaves behind: its report, its refusals, the words of the search."""

from django.db import models
from django.db.models import OuterRef, Subquery

from coordination.common.ids import uuid7


class ImportRunQuerySet(models.QuerySet):
    def latest_of_each(self):
        """The last load of each kind of file, with `last_good_at`: when one last succeeded. One SQL statement."""
        good = self.filter(kind=OuterRef("kind"), state=ImportRun.State.DONE).order_by("-ended_at")
        rows = self.annotate(last_good_at=Subquery(good.values("ended_at")[:1]))
        return rows.order_by("kind", "-started_at").distinct("kind")


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
    # The date the file bears, in its name or its content: an older one does not follow it.
    file_date = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    read_count = models.PositiveIntegerField(default=0)
    new_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    ceased_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = "chargement de l’annuaire"


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
        verbose_name = "vocabulaire de l’annuaire"
