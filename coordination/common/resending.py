"""The same form sent twice makes one thing; with other answers under the same key, it is refused (REL-7).

What is sent is compared with what stands, and no copy of it is kept: of a true second sending, once somebody has
changed what the first one made, nobody can tell that it is one. It is refused in words that are true either way
(docs/decisions/2026-12-01-sent-again.md).
"""

from __future__ import annotations

from typing import Any, ClassVar

from coordination.common.errors import DomainError


class AlreadySent(DomainError):
    """Gone back in his browser, somebody sends a page again that says something else: neither made nor lost."""

    code: ClassVar[str] = "already_sent"
    status: ClassVar[int] = 409
    issue: ClassVar[str] = "duplicate"
    message = (
        "Un premier envoi est déjà enregistré, avec d’autres réponses : celles-ci ne le sont pas. "
        "Relisez-le ; pour les enregistrer aussi, faites un nouvel envoi."
    )


class SentThenChanged(AlreadySent):
    """The same, or a true second sending: what the first one made has been changed since."""

    message = (
        "Un premier envoi est déjà enregistré, et ce qu’il a créé a changé depuis : rien de plus n’est enregistré. "
        "Relisez-le ; s’il y manque quelque chose, faites un nouvel envoi."
    )


def require_same(row: Any, **said: Any) -> None:
    """Require that what a first sending made says what is sent now. Raises AlreadySent.

    Changed since, it no longer does: whoever sends again is told, rather than shown something else than he wrote.
    """
    if any(getattr(row, name) != value for name, value in said.items()):
        raise other_answers(row)


def other_answers(row: Any) -> AlreadySent:
    """Return the refusal of a sending that does not say what the row of the first one says.

    A row that has no version is told as one that has not changed.
    """
    return SentThenChanged() if getattr(row, "version", 1) > 1 else AlreadySent()
