"""« Demander pourquoi »: a question about a line of the journal, and the answer of its author."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.models import User
from coordination.common.text import squeeze
from habilitations.access import Access
from habilitations.errors import AlreadyAnswered, AlreadyQuestioned, AnswerMissing, NotAllowed, NothingToExplain
from habilitations.letters import QUESTION
from habilitations.models import AccessQuestion, Outcome, Trace
from habilitations.rubriques import Action, Rubrique
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def ask_why(dossier_id: UUID, trace_id: UUID, *, by, access: Access) -> AccessQuestion:
    """Ask the author of a line why he came; he answers in « À faire », told by a mail that names nobody.

    `by` reads the journal of the dossier by `access`. One question per line. Raises NotAllowed, NothingToExplain (no
    such line in this dossier, no account behind it or none open any more, one's own, or an act that was not let
    through), AlreadyQuestioned.
    Source: mock-up k, issue 3 §5 (unusual access pointed out).
    """
    if not (access.can_read(Rubrique.JOURNAL) and access.may(Action.READ_JOURNAL) and access.sees_discreet_members):
        raise NotAllowed
    line = Trace.objects.of_dossier(dossier_id).filter(pk=trace_id, outcome=Outcome.OK).first()
    if line is None or line.actor_id is None or line.actor_id == by.pk:
        raise NothingToExplain
    if not User.objects.active().filter(pk=line.actor_id).exists():
        raise NothingToExplain("Cette personne n’a plus de compte ouvert : elle ne pourrait pas répondre ici.")
    try:
        with transaction.atomic():
            question = AccessQuestion.objects.create(
                dossier_id=dossier_id, trace_id=line.pk, trace_at=line.at, action=line.action, rubrique=line.rubrique,
                user_id=line.actor_id, asked_by=by,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyQuestioned from error
    mails.send(
        "habilitations/emails/access_question.html",
        to=question.user.email,
        context={"link": mails.absolute(reverse("todo"))},
        kind=QUESTION,
        account_id=question.user_id,
        object_id=question.pk,
    )
    return question


@transaction.atomic
def answer_why(question: AccessQuestion, *, answer: str, by, via: Via = NOWHERE) -> AccessQuestion:
    """Answer in a sentence, even once outside the dossier: the answer stands beside the line of the journal.

    Raises NotAllowed (it was asked to somebody else), AlreadyAnswered, AnswerMissing.
    """
    found = AccessQuestion.objects.select_for_update(of=("self",)).get(pk=question.pk)
    if found.user_id != by.pk:
        raise NotAllowed
    if found.answered_at is not None:
        raise AlreadyAnswered
    said = squeeze(answer)[:500]
    if not said:
        raise AnswerMissing("Répondez en une phrase.")
    found.answer, found.answered_at = said, timezone.now()
    found.save(update_fields=["answer", "answered_at"])
    record_account(user=by, action="réponse", object_kind="question", object_id=found.pk, via=via)
    return found
