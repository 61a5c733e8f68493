"""« Demander pourquoi »: who reads the journal of a dossier asks the author of a line, and is answered."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from coordination.common.ids import uuid7


class AccessQuestionQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(answered_at=None)


class AccessQuestion(models.Model):
    """One question about one line of the journal. The line is never changed: what is said of it stands here.

    No foreign key to the line, which may be purged before its question; its moment and rubric are copied.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dossier = models.ForeignKey("dossiers.Dossier", on_delete=models.PROTECT, related_name="access_questions")
    trace_id = models.UUIDField(
        unique=True, error_messages={"unique": "La question a déjà été posée pour cette ligne du journal."}
    )
    trace_at = models.DateTimeField()
    action = models.CharField(max_length=20)
    rubrique = models.CharField(max_length=20, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_questions")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.CharField("réponse", max_length=500, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = AccessQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = "question sur un accès"
        verbose_name_plural = "questions sur des accès"
        indexes = [models.Index(fields=["user"], condition=Q(answered_at=None), name="access_question_waiting")]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at=None, answer="") | (Q(answered_at__isnull=False) & ~Q(answer="")),
                name="question_answered_with_a_sentence",
                violation_error_message="Répondez en une phrase.",
            ),
            models.CheckConstraint(
                condition=~Q(user=models.F("asked_by")),
                name="question_asked_to_somebody_else",
                violation_error_message="Cette ligne du journal est la vôtre.",
            ),
        ]
