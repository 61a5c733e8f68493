"""What every address of the API has in common: the format, who calls, the refusal in words, the journal.

Django's own views and no framework above them: a call is read at once, and its answer is bytes at once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views import View

from coordination.common.away import is_away
from coordination.common.errors import DomainError
from coordination.fhir import answers, negotiation
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.negotiation import JSON_FORMAT, Format
from coordination.fhir.outcomes import (
    ERROR,
    Away,
    Broken,
    Forbidden,
    Issue,
    MethodNotAllowed,
    Refused,
    Unauthenticated,
    Unknown,
    Unreadable,
    outcome,
)

logger = structlog.stdlib.get_logger("coordination.fhir")


class FhirView(View):
    """One address. A call that failed has written nothing but its trace."""

    # OPTIONS would describe our views: `metadata` says what this server does.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    # The methods of the address, in words of HTTP.
    allowed = ""
    # Answers whoever calls, without asking who it is.
    is_open = False
    # The format of the answer: JSON, which everybody reads, until another one is known to be asked for.
    format: Format = JSON_FORMAT
    # How many a search found, for the journal.
    total: int | None = None
    _caller: Caller | None = None
    _body = b""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Who may read may ask for the headers alone.
        offered = [name for name in cls.http_method_names if hasattr(cls, "get" if name == "head" else name)]
        cls.allowed = ", ".join(offered).upper()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view; what serves pages asks for a session and the token of a form, which nobody has here."""
        view = super().as_view(**initkwargs)
        view.login_required, view.csrf_exempt = False, True  # type: ignore[attr-defined]
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the format asked for, whatever happens; no answer leaves before the journal has it (SEC-13)."""
        try:
            # Before who calls: a refusal too is in a format that was asked for.
            self.format = self.negotiated()
            if not self.is_open:
                self._caller = self._authenticated()
            response = self.answer(request, *args, **kwargs)
        except Exception as error:
            response = self._refused(error)
        try:
            self._record(response)
        except Exception as error:
            if not is_away(error):
                raise
            response = self._refused(error)
        response.headers["Allow"] = self.allowed
        response.headers["Vary"] = "Accept"
        return response

    def negotiated(self) -> Format:
        """Return the format asked for. Raises NotAcceptable."""
        return negotiation.asked_by(self.request)

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Do what the method asks. Raises MethodNotAllowed, and what each address raises."""
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            raise MethodNotAllowed("Cette adresse n’accepte pas cette méthode.")
        response: HttpResponseBase = handler(request, *args, **kwargs)
        return response

    def beside(self) -> tuple[str, UUID | None]:
        """Return what is read in the statement that says who calls, and of which row (`Provider.beside`)."""
        return "", None

    def _authenticated(self) -> Caller:
        """Return who calls, as the room that knows accounts says (setting FHIR_AUTHENTICATOR)."""
        caller: Caller = import_string(settings.FHIR_AUTHENTICATOR)(self.request, *self.beside())
        caller.memo["duplicate_reason"] = self.request.headers.get("Duplicate-Reason", "")[:300]
        return caller

    @property
    def caller(self) -> Caller:
        """Return who calls. Raises Unauthenticated where nobody was asked."""
        if self._caller is None:
            raise Unauthenticated("Cette adresse demande un jeton d’accès (Authorization: Bearer).")
        return self._caller

    @property
    def base(self) -> str:
        """Return the address of the API, without a final slash."""
        return base_of(self.request)

    @property
    def prefer(self) -> dict[str, str]:
        """Return what the header Prefer says."""
        return answers.prefer_of(self.request.headers.get("Prefer", ""))

    @property
    def is_strict(self) -> bool:
        """Say whether what is not understood is to be refused (Prefer: handling=strict)."""
        return self.prefer.get("handling") == "strict"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of the address, in order."""
        if not self.request.META.get("QUERY_STRING"):
            return []
        return [(name, value) for name, values in self.request.GET.lists() for value in values]

    @property
    def key(self) -> str:
        """Return what names this call, so that the same one sent again does nothing twice."""
        return self.request.headers.get("Idempotency-Key", "")

    def resource(self) -> dict[str, Any]:
        """Return the resource sent, whichever of the two formats its Content-Type names. Raises as `negotiation`."""
        self._body, resource = negotiation.resource_of(self.request)
        return resource

    def body(self) -> bytes:
        """Return the bytes that `resource` has read."""
        return self._body

    def told(self, answer: Answer) -> HttpResponse:
        """Return the answer in the format asked for, written at once: it is no page to put together later."""
        self.total = (answer.resource or {}).get("total")
        written = self.format
        body = written.write(answer.resource) if answer.resource else b""
        response = HttpResponse(body, status=answer.status, headers=answer.headers, content_type=written.content_type)
        if not body:
            del response.headers["Content-Type"]
        return response

    def _record(self, response: HttpResponseBase) -> None:
        """Have the call written in the journal, unless a dossier tells it (SEC-9). Who is not known is told before."""
        caller, failed = self._caller, response.status_code >= 400
        if caller is None or (caller.afterwards if failed else caller.is_told):
            return
        record = import_string(settings.FHIR_RECORDER)
        kind = self.kwargs.get("type_name", "Bundle")
        record(caller, kind=kind, count=None if failed else self.total, status=response.status_code)

    def _refused(self, error: Exception) -> HttpResponse:
        refusal = refusal_of(error)
        try:
            for say in self._caller.afterwards.values() if self._caller else ():
                say()
        except Exception as again:
            if not is_away(again):
                raise
            refusal = refusal_of(again)
        return self.told(Answer(refusal.status, outcome(refusal.issues), refusal.headers))


def refusal_of(exc: Exception) -> Refused:
    """Return what to answer to what went wrong; an error of ours is logged, and says nothing of itself."""
    match exc:
        case Refused():
            return exc
        case DomainError():
            return _of_domain(exc)
        case Http404():
            return Unknown()
        case PermissionDenied():
            return Forbidden("Cette action n’est pas permise.")
        case SuspiciousOperation():
            return Unreadable(
                "La requête ne se lit pas : elle a trop de paramètres, ou un en-tête qui n’est pas permis."
            )
    logger.error("fhir call failed", exc_info=exc)
    return Away() if is_away(exc) else Broken()


def _of_domain(exc: DomainError) -> Refused:
    if exc.status == Unknown.status:
        # Unknown and forbidden, in the same words.
        return Unknown()
    refusal = Refused(Issue(ERROR, exc.issue, exc.message))
    refusal.status = exc.status  # type: ignore[misc]
    return refusal


def base_of(request: HttpRequest) -> str:
    """Return the address of the API, without a final slash: the one set, else the one that was called."""
    return settings.FHIR_BASE_URL or request.build_absolute_uri("/fhir")
