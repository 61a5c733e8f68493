"""What every address of the API has in common: the format, who calls, the refusal in words, the journal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.utils.module_loading import import_string
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coordination.common.away import is_away, note
from coordination.common.errors import DomainError
from coordination.fhir import answers
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.negotiation import JsonRenderer, Negotiation, ResourceParser, XmlRenderer
from coordination.fhir.outcomes import (
    ERROR,
    Away,
    Broken,
    Forbidden,
    Issue,
    MediaUnsupported,
    MethodNotAllowed,
    NotAcceptable,
    Refused,
    Unauthenticated,
    Unknown,
    Unreadable,
    outcome,
)

logger = structlog.stdlib.get_logger("coordination.fhir")


class Authentication(BaseAuthentication):
    """Who calls, as the room that knows accounts says (setting FHIR_AUTHENTICATOR)."""

    def authenticate(self, request: Request) -> tuple[Any, Caller]:
        caller = import_string(settings.FHIR_AUTHENTICATOR)(request._request, *request.parser_context["view"].beside())
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class FhirView(APIView):
    """What every address has in common. A call that failed has written nothing but its trace."""

    authentication_classes = [Authentication]
    permission_classes: list[Any] = []
    parser_classes = [ResourceParser]
    renderer_classes = [JsonRenderer, XmlRenderer]
    content_negotiation_class = Negotiation
    # OPTIONS would describe our views: `metadata` says what this server does.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    # Django's own middleware asks for a session, which nobody has here.
    login_required = False
    # How many a search found, for the journal.
    total: int | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before who calls: an answer, even a refusal, is in a format that was asked for.
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, Caller):
            request.auth.memo["duplicate_reason"] = request.headers.get("Duplicate-Reason", "")[:300]

    def beside(self) -> tuple[str, UUID | None]:
        """Return what is read in the statement that says who calls, and of which row (`Provider.beside`)."""
        return "", None

    @property
    def caller(self) -> Caller:
        """Return who calls. Raises Unauthenticated where nobody was asked."""
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise Unauthenticated("Cette adresse demande un jeton d’accès (Authorization: Bearer).")
        return caller

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
        return [(name, value) for name, values in self.request.query_params.lists() for value in values]

    @property
    def key(self) -> str:
        """Return what names this call, so that the same one sent again does nothing twice."""
        return self.request.headers.get("Idempotency-Key", "")

    def resource(self) -> dict[str, Any]:
        """Return the resource sent, whichever of the two formats its Content-Type names."""
        return self.request.data

    def body(self) -> bytes:
        """Return the bytes that `resource` has read."""
        return getattr(self.request, "fhir_body", b"")

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            self._record(response)
        except Exception as error:
            if not is_away(error):
                raise
            # What cannot be written in the journal is not answered (SEC-13).
            response = self.handle_exception(error)
        return super().finalize_response(request, response, *args, **kwargs)

    def _record(self, response: Any) -> None:
        """Have the call written in the journal, unless a dossier tells it (SEC-9). Who is not known is told before."""
        caller, failed = getattr(self.request, "_auth", None), response.status_code >= 400
        if not isinstance(caller, Caller) or (caller.afterwards if failed else caller.is_told):
            return
        record = import_string(settings.FHIR_RECORDER)
        kind = self.kwargs.get("type_name", "Bundle")
        record(caller, kind=kind, count=None if failed else self.total, status=response.status_code)

    def told(self, answer: Answer) -> HttpResponse:
        """Return the answer in the format asked for, written at once: it is no page to put together later."""
        self.total = (answer.resource or {}).get("total")
        renderer = self.request.accepted_renderer
        body = renderer.render(answer.resource)
        media = f"{renderer.media_type}; charset={renderer.charset}"
        response = HttpResponse(body, status=answer.status, headers=answer.headers, content_type=media)
        if not body:
            del response.headers["Content-Type"]
        return response

    def handle_exception(self, exc: Exception) -> Response:
        refusal = refusal_of(exc)
        caller = getattr(self.request, "_auth", None)
        try:
            for say in caller.afterwards.values() if isinstance(caller, Caller) else ():
                say()
        except Exception as error:
            if not is_away(error):
                raise
            refusal = refusal_of(error)
        response = Response(outcome(refusal.issues), status=refusal.status, headers=refusal.headers)
        response.exception = True
        if not hasattr(self.request, "accepted_renderer"):
            # It is the format itself that was refused: JSON, which everybody reads.
            self.request.accepted_renderer = JsonRenderer()
            self.request.accepted_media_type = JsonRenderer.media_type
        return response


def refusal_of(exc: Exception) -> Refused:
    """Return what to answer to what went wrong; an error of ours is logged, and says nothing of itself."""
    match exc:
        case Refused():
            return exc
        case DomainError():
            return _of_domain(exc)
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed("Cette adresse n’accepte pas cette méthode.")
        case exceptions.UnsupportedMediaType():
            return MediaUnsupported("Le corps doit être en application/fhir+json ou application/fhir+xml.")
        case exceptions.NotAcceptable():
            return NotAcceptable("Ce serveur répond en application/fhir+json ou application/fhir+xml.")
        case Http404():
            return Unknown()
        case PermissionDenied() | exceptions.PermissionDenied():
            return Forbidden("Cette action n’est pas permise.")
        case SuspiciousOperation():
            return Unreadable(
                "La requête ne se lit pas : elle a trop de paramètres, ou un en-tête qui n’est pas permis."
            )
    logger.error("fhir call failed", exc_info=exc)
    note(exc)
    return Away() if is_away(exc) else Broken()


def _of_domain(exc: DomainError) -> Refused:
    if exc.status == Unknown.status:
        # Unknown and forbidden, in the same words.
        return Unknown()
    refusal = Refused(Issue(ERROR, exc.issue, exc.message))
    refusal.status = exc.status  # type: ignore[misc]
    return refusal


def base_of(request: Any) -> str:
    """Return the address of the API, without a final slash: the one set, else the one that was called."""
    return settings.FHIR_BASE_URL or request.build_absolute_uri("/fhir")
