"""What was asked of the authors of the lines of a journal, and what waits for somebody's own answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone

from coordination.common.french import date_fr, time_fr
from coordination.dossiers.journal.reading import Line
from coordination.dossiers.models import Dossier
from habilitations import access, catalog
from habilitations.models import AccessQuestion
from habilitations.rubriques import Rubrique

MOST = 100


@dataclass(frozen=True)
class Waiting:
    """A question put to the reader. `dossier_id` None, `person` "": he may not enter that dossier any more."""

    question_id: UUID
    when: str
    rubrique: str
    asked_by: str
    dossier_id: UUID | None
    person: str


def with_questions(dossier_id: UUID, lines: list[Line]) -> list[Line]:
    """Return the lines, with what was asked about each. One SQL statement."""
    asked = {
        question.trace_id: question
        for question in AccessQuestion.objects.filter(
            dossier_id=dossier_id, trace_id__in=[line.trace.pk for line in lines]
        )
    }
    return [replace(line, question=asked.get(line.trace.pk)) for line in lines] if asked else lines


def waiting_for(user, only: UUID | None = None) -> list[Waiting]:
    """Return the questions that wait for an answer of this person, the oldest first. Three SQL statements at most.

    Whose dossier it is, is said to who may still enter it and read the identity there. `only` keeps one question.
    """
    rows = AccessQuestion.objects.waiting().filter(user=user).select_related("asked_by").order_by("asked_at")
    if only is not None:
        rows = rows.filter(pk=only)
    questions = list(rows[:MOST])
    if not questions:
        return []
    wanted = {question.dossier_id for question in questions}
    open_ones = Dossier.objects.filter(pk__in=access.dossiers_of(user)).filter(pk__in=wanted)
    inside = set(open_ones.values_list("pk", flat=True))
    named = {}
    if access.held_by(user).can_read(Rubrique.IDENTITE):
        named = {dossier.pk: dossier.full_name for dossier in open_ones}
    return [
        Waiting(
            question.pk,
            _when(question),
            label(question.rubrique),
            question.asked_by.get_full_name(),
            question.dossier_id if question.dossier_id in inside else None,
            named.get(question.dossier_id, ""),
        )
        for question in questions
    ]


def label(rubrique: str) -> str:
    """Return the name of what was read; the home page of a dossier has no rubric."""
    found = catalog.last().find(rubrique)
    return f"« {found.label} »" if found else "le dossier"


def _when(question: AccessQuestion) -> str:
    at = timezone.localtime(question.trace_at)
    return f"{date_fr(at)} à {time_fr(at)}"
