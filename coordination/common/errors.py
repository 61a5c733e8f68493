"""The one ancestor of every refusal that a person may read."""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A rule said no. The message is a French sentence, shown as it is.

    Subclasses give `code` (stable, for tests and machines) and `message` (may hold `{name}` places filled
    from the context). `field` names the form field beside which the sentence belongs, when there is one.

        class RoleAlreadyHeld(DomainError):
            code = "role_already_held"
            message = "{holder} tient déjà ce rôle."
            field = "role"

        raise RoleAlreadyHeld(holder="Dr Martin")
    """

    code: ClassVar[str] = "domain_error"
    # The same refusal told to software: HTTP status, and code of http://hl7.org/fhir/issue-type.
    status: ClassVar[int] = 422
    issue: ClassVar[str] = "business-rule"
    message: str = "Cette action n’est pas possible."
    field: str | None = None

    def __init__(self, message: str | None = None, *, field: str | None = None, **context: Any) -> None:
        self.context = context
        if field is not None:
            self.field = field
        if message is not None:
            self.message = message
        elif context:
            self.message = type(self).message.format_map(_Lenient(context))
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class _Lenient(dict):
    """A forgotten place in a sentence must not turn a refusal into a server error."""

    def __missing__(self, key: str) -> str:
        return "…"
