"""The same form sent twice makes one thing; with other answers under the same key, it is refused (REL-7)."""

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


def require_same(row: Any, **said: Any) -> None:
    """Require that what a first sending made says what is sent now. Raises AlreadySent.

    Changed since, it no longer does: whoever sends again is told, rather than shown something else than he wrote.
    """
    if any(getattr(row, name) != value for name, value in said.items()):
        raise AlreadySent
