"""What the API says when it cannot do what was asked: an OperationOutcome, and the status that goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from coordination.common.away import RETRY_AFTER

FATAL, ERROR, WARNING, INFORMATION = "fatal", "error", "warning", "information"


@dataclass(frozen=True, slots=True)
class Issue:
    """One line of an OperationOutcome. `code` is of http://hl7.org/fhir/issue-type, `expression` a FHIRPath."""

    severity: str
    code: str
    diagnostics: str
    expression: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity in (FATAL, ERROR)

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.diagnostics}
        if self.expression:
            said["expression"] = [self.expression]
        return said


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return the OperationOutcome of these issues (at least one: FHIR asks for it)."""
    told = [issue.to_dict() for issue in issues] or [Issue(INFORMATION, "informational", "Tout est fait.").to_dict()]
    return {"resourceType": "OperationOutcome", "issue": told}


class Refused(Exception):
    """A request that is not done. `issues` say why; nothing was written."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"

    def __init__(self, *said: Issue | str, expression: str = "", headers: dict[str, str] | None = None) -> None:
        self.issues = [one if isinstance(one, Issue) else Issue(ERROR, self.code, one, expression) for one in said]
        self.headers = headers or {}
        super().__init__("; ".join(issue.diagnostics for issue in self.issues))


class Unreadable(Refused):
    """The body, or the request, cannot be understood."""

    status = 400
    code = "structure"


class Invalid(Refused):
    """Readable, and against the profile or a rule: `expression` points to the element."""

    status = 422
    code = "invalid"


class Unauthenticated(Refused):
    """Nobody known calls."""

    status = 401
    code = "login"

    def __init__(self, *said: Issue | str) -> None:
        super().__init__(*said, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Refused):
    status = 403
    code = "forbidden"


class Unknown(Refused):
    """Unknown, or not to be known by this caller: the same words."""

    status = 404
    code = "not-found"

    def __init__(self, *said: Issue | str) -> None:
        super().__init__(*(said or ("Cette ressource n’existe pas.",)))


class MethodNotAllowed(Refused):
    status = 405
    code = "not-supported"


class NotAcceptable(Refused):
    status = 406
    code = "not-supported"


class Conflict(Refused):
    """Somebody else holds what was asked for: a duplicate, a number already used."""

    status = 409
    code = "duplicate"


class StillNamed(Refused):
    """What is to be taken away is named by something else."""

    status = 409
    code = "conflict"

    def __init__(self, *said: Issue | str) -> None:
        super().__init__(*(said or ("Cette ressource est encore citée : elle ne peut pas être supprimée.",)))


class VersionConflict(Refused):
    """The version named is not the current one (CDS-35)."""

    status = 412
    code = "conflict"

    def __init__(self, *said: Issue | str) -> None:
        super().__init__(*(said or ("Cette ressource a changé depuis que vous l’avez lue : relisez-la.",)))


class TooLarge(Refused):
    status = 413
    code = "too-long"


class MediaUnsupported(Refused):
    status = 415
    code = "not-supported"


class Throttled(Refused):
    """Too many calls: `Retry-After` says when to come back."""

    status = 429
    code = "throttled"

    def __init__(self, *said: Issue | str, wait: int = 1) -> None:
        super().__init__(*said, headers={"Retry-After": str(wait)})


class Busy(Refused):
    """Others write the same at the same moment, and nothing could be done: `Retry-After` says when to come back."""

    status = 503
    code = "lock-error"

    def __init__(self) -> None:
        said = "D’autres écrivent au même moment : rien n’a été enregistré. Recommencez dans un instant."
        super().__init__(said, headers={"Retry-After": "1"})


class Broken(Refused):
    """A mistake of ours: it is logged, and nothing is said of it."""

    status = 500
    code = "exception"

    def __init__(self) -> None:
        super().__init__(Issue(FATAL, "exception", "Le serveur n’a pas pu répondre : rien n’a été enregistré."))


class Away(Refused):
    """What the API stands on is away for a while (REL-18): `Retry-After` says when to come back."""

    status = 503
    code = "transient"

    def __init__(self) -> None:
        said = "Le service est momentanément indisponible. Recommencez dans un instant."
        super().__init__(said, headers={"Retry-After": str(RETRY_AFTER)})
