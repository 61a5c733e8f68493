"""A rubric asked for and the answer: the matrix never moves here, only what was reduced in the dossier is given back.

Why: docs/decisions/2026-11-28-one-engine.md.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from habilitations import acting, explain
from habilitations.access import Access
from habilitations.actions.limits import lift, standing
from habilitations.actions.twins import is_his_house
from habilitations.closures import closed_by_the_person
from habilitations.errors import (
    AlreadyAnswered,
    AlreadyAsked,
    AnswerMissing,
    CannotBeAccepted,
    GrantNotAllowed,
    NothingToAsk,
    OwnHabilitation,
)
from habilitations.models import AccessRequest, Habilitation
from habilitations.rubriques import Action, Rubrique

State = AccessRequest.State


@transaction.atomic
def ask_access(dossier_id: UUID, rubrique: Rubrique, *, by, access: Access, reason: str = "") -> AccessRequest:
    """Ask for a rubric, closed or reduced; left for those who may grant.

    Raises NothingToAsk (nothing keeps it from him that somebody of the dossier could answer), AlreadyAsked.
    """
    if not explain.may_ask(access, rubrique):
        raise NothingToAsk
    # One question at a time for one member: two sendings at once meet on his row.
    row = Habilitation.objects.select_for_update(of=("self",)).get(pk=access.habilitation_id)
    if AccessRequest.objects.open().filter(dossier_id=dossier_id, user=by, rubrique=rubrique).exists():
        raise AlreadyAsked
    return AccessRequest.objects.create(
        dossier_id=dossier_id, habilitation=row, user=by, rubrique=rubrique, reason=reason
    )


def can_be_accepted(request: AccessRequest) -> bool:
    """Say whether accepting would open something: a ceiling stands on the asker's own row, and it alone closes.

    What is reduced for a structure concerns all its delegates, and is raised on the structure's page. Not where a
    consent or an opposition closes the rubric too: « Acceptée » beside what stays closed would tell him (SEC-6).
    Two SQL statements.
    """
    row = request.habilitation
    if row.user_id != request.user_id or request.rubrique not in standing(row):
        return False
    return request.rubrique not in closed_by_the_person(row)


@transaction.atomic
def answer_request(
    request: AccessRequest, *, accept: bool, answer: str = "", by, access: Access, member_structure_id: UUID | None
) -> AccessRequest:
    """Accept (the ceiling of that rubric is lifted, the profession decides again) or refuse with a sentence.

    Raises OwnHabilitation, GrantNotAllowed (action right "habiliter"), AlreadyAnswered, CannotBeAccepted,
    AnswerMissing, MembershipEnded.
    """
    found = AccessRequest.objects.select_for_update(of=("self",)).select_related("habilitation").get(pk=request.pk)
    if acting.concerns(access, found.user_id, by) or is_his_house(found.habilitation, by, access):
        raise OwnHabilitation
    if not access.may(Action.GRANT, structure_id=member_structure_id):
        raise GrantNotAllowed
    if found.state != State.OPEN:
        raise AlreadyAnswered
    if accept:
        if not can_be_accepted(found):
            raise CannotBeAccepted
        lift(found.habilitation, found.rubrique, by=by)
    elif not answer:
        raise AnswerMissing
    found.state = State.ACCEPTED if accept else State.REFUSED
    found.answered_at, found.answered_by, found.answer = timezone.now(), by, answer
    found.save(update_fields=["state", "answered_at", "answered_by", "answer"])
    return found
