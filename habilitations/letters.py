"""The mails about a version of the matrix that waits: to who may answer, then to who asked. Neither reason nor right.

Rows of the outbox, written in the transaction of the act: a request rolled back told nobody.
"""

from __future__ import annotations

from pathlib import PurePath

from django.urls import reverse

from coordination.accounts import mails
from coordination.accounts.models import User
from habilitations.models import MatrixDraft

ASKED, ANSWERED = "habilitations/emails/publication_asked.html", "habilitations/emails/publication_answered.html"
# Sent by habilitations/actions: acting.py, questions.py, emergency.py.
ACTING, QUESTION = "account.acting", "habilitations.access_question"
EMERGENCY = "habilitations.emergency_opened"
KINDS = {
    "habilitations.publication_asked": "Matrice : publication demandée",
    "habilitations.publication_answered": "Matrice : réponse à la demande de publication",
    ACTING: "Remplacement ou secrétariat demandé",
    QUESTION: "Question sur un accès",
    EMERGENCY: "Accès d’urgence ouvert",
}


def tell_publication_asked(draft: MatrixDraft) -> int:
    """Queue one mail to each other administrator. Returns how many. Once per request: called by the request itself."""
    asker = draft.requested_by
    others = User.objects.administrators().exclude(pk=asker.pk).order_by("pk")
    for user in others:
        _send(ASKED, user, draft, who=asker.get_full_name())
    return len(others)


def tell_publication_answered(draft: MatrixDraft, *, asker: User, by: User, published: bool) -> None:
    """Queue one mail to who asked, unless he answered himself or his account is closed."""
    if asker.pk != by.pk and asker.is_active:
        _send(ANSWERED, asker, draft, who=by.get_full_name(), published=published)


def _send(template: str, user: User, draft: MatrixDraft, **context) -> None:
    mails.send(
        template, to=user.email, account_id=user.pk, object_id=draft.pk,
        context=context | {"link": mails.absolute(reverse("habilitations:matrix"))},
        kind=f"habilitations.{PurePath(template).stem}",
    )  # fmt: skip
