"""The addresses of the API: each asks who calls, does one interaction, answers in the format asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.module_loading import import_string
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coordination.common.away import is_away
from coordination.common.errors import DomainError
from coordination.fhir import (
    answers,
    bundles,
    capability,
    conditional,
    everything,
    exporting,
    interactions,
    openapi,
    patching,
    registry,
)
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.negotiation import (
    LINES,
    JsonRenderer,
    LinesNegotiation,
    Negotiation,
    PlainJsonRenderer,
    ResourceParser,
    XmlRenderer,
    body_of,
    renderer_of,
)
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
from coordination.fhir.search import searching
from coordination.fhir.search.values import uuid_of

logger = structlog.stdlib.get_logger("coordination.fhir")
FORM = "application/x-www-form-urlencoded"


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
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise Unauthenticated("Cette adresse demande un jeton d’accès (Authorization: Bearer).")
        return caller

    @property
    def base(self) -> str:
        return base_of(self.request)

    @property
    def prefer(self) -> dict[str, str]:
        return answers.prefer_of(self.request.headers.get("Prefer", ""))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        if not self.request.META.get("QUERY_STRING"):
            return []
        return [(name, value) for name, values in self.request.query_params.lists() for value in values]

    @property
    def key(self) -> str:
        return self.request.headers.get("Idempotency-Key", "")

    def resource(self) -> dict[str, Any]:
        return self.request.data

    def body(self) -> bytes:
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


class Root(FhirView):
    """`POST [base]`: the transaction of a Bundle."""

    def post(self, request: Request) -> HttpResponse:
        caller = self.caller
        answer = bundles.transact(
            caller, self.resource(), base=self.base, prefer=self.prefer, key=self.key, body=self.body()
        )
        return self.told(answer)


class Metadata(FhirView):
    """`GET [base]/metadata`: what this server does, for anybody (CDS-1)."""

    authentication_classes: list[Any] = []

    def get(self, request: Request) -> HttpResponse:
        return self.told(Answer(200, capability.statement(self.base)))


class ExportDefinition(FhirView):
    """`GET [base]/OperationDefinition/export`: what `$export` does, for anybody; the statement names it."""

    authentication_classes: list[Any] = []

    def get(self, request: Request) -> Response:
        return self.told(Answer(200, capability.export_definition(self.base)))


class OpenApi(FhirView):
    """`GET [base]/openapi.json`: the same as an OpenAPI document, for anybody."""

    authentication_classes: list[Any] = []
    renderer_classes = [PlainJsonRenderer]
    content_negotiation_class = DefaultContentNegotiation

    def get(self, request: Request) -> Response:
        return Response(openapi.document(self.base))


class OfType(FhirView):
    """`[base]/Type`: search, create, and the update of what answers a search."""

    def get(self, request: Request, type_name: str) -> HttpResponse:
        return self.told(Answer(200, self._search(type_name, self.pairs)))

    def post(self, request: Request, type_name: str) -> HttpResponse:
        answer = interactions.create(
            self.caller, type_name, self.resource(), base=self.base, prefer=self.prefer, key=self.key,
            if_none_exist=request.headers.get("If-None-Exist", ""), body=self.body(),
        )  # fmt: skip
        return self.told(answer)

    def put(self, request: Request, type_name: str) -> HttpResponse:
        criteria = urlencode([(name, value) for name, value in self.pairs if name != "_format"])
        answer = interactions.update_matching(
            self.caller, type_name, criteria, self.resource(), base=self.base, prefer=self.prefer,
            expected=conditional.version_named(request.headers.get("If-Match", "")),
        )  # fmt: skip
        return self.told(answer)

    def _search(self, type_name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        strict = self.prefer.get("handling") == "strict"
        return searching.search(self.caller, type_name, pairs, base=self.base, strict=strict)


class SearchByPost(OfType):
    """`POST [base]/Type/_search`: what is searched is in the body, which no log keeps: the documented way."""

    http_method_names = ["post"]

    def post(self, request: Request, type_name: str) -> HttpResponse:
        form = self._form()
        if asked := next((value for name, value in form if name == "_format"), ""):
            request.accepted_renderer, request.accepted_media_type = renderer_of(asked, self.get_renderers())
        return self.told(Answer(200, self._search(type_name, [*self.pairs, *form])))

    def _form(self) -> list[tuple[str, str]]:
        media = self.request.content_type or FORM
        if media.split(";")[0].strip().lower() != FORM:
            raise MediaUnsupported(f"La recherche par POST attend un corps {FORM}.")
        body = body_of(self.request.stream, media, self.request.META.get("CONTENT_LENGTH", "") or "")
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            raise Unreadable("Le corps de la recherche n’est pas lisible.") from None


class OfId(FhirView):
    """`[base]/Type/id`: read and update."""

    def beside(self) -> tuple[str, UUID | None]:
        id = uuid_of(self.kwargs["id"]) if self.request.method == "GET" else None
        if id is None or self.kwargs["type_name"] not in registry.types():
            return "", None
        first, *others = registry.for_type(self.kwargs["type_name"])
        return ("", None) if others else (first.beside, id)

    def get(self, request: Request, type_name: str, id: str) -> HttpResponse:
        answer = interactions.read(
            self.caller, type_name, id, elements=dict(self.pairs).get("_elements", ""),
            if_none_match=request.headers.get("If-None-Match", ""),
        )  # fmt: skip
        return self.told(answer)

    def put(self, request: Request, type_name: str, id: str) -> HttpResponse:
        answer = interactions.update(
            self.caller, type_name, id, self.resource(), base=self.base, prefer=self.prefer,
            expected=conditional.version_named(request.headers.get("If-Match", "")),
        )  # fmt: skip
        return self.told(answer)

    def patch(self, request: Request, type_name: str, id: str) -> HttpResponse:
        if not any(registry.PATCH in one.interactions for one in registry.for_type(type_name)):
            raise MethodNotAllowed(f"{type_name} ne se modifie que par PUT.")
        media = (request.content_type or "").split(";")[0].strip().lower()
        if media != patching.MEDIA:
            raise MediaUnsupported(f"Une modification partielle (PATCH) attend un corps {patching.MEDIA}.")
        body = body_of(request.stream, request.content_type, request.META.get("CONTENT_LENGTH", "") or "")
        answer = interactions.patch(
            self.caller, type_name, id, patching.read(body), base=self.base, prefer=self.prefer,
            expected=conditional.version_named(request.headers.get("If-Match", "")),
        )  # fmt: skip
        return self.told(answer)

    def delete(self, request: Request, type_name: str, id: str) -> HttpResponse:
        answer = interactions.delete(
            self.caller, type_name, id, expected=conditional.version_named(request.headers.get("If-Match", ""))
        )
        return self.told(answer)


class History(FhirView):
    def get(self, request: Request, type_name: str, id: str | None = None) -> HttpResponse:
        return self.told(interactions.history(self.caller, type_name, id, self.pairs, base=self.base))


class Version(FhirView):
    def get(self, request: Request, type_name: str, id: str, number: str) -> HttpResponse:
        return self.told(interactions.vread(self.caller, type_name, id, number))


class Everything(FhirView):
    """`GET [base]/Patient/id/$everything`."""

    def get(self, request: Request, id: str) -> HttpResponse:
        return self.told(everything.of_patient(self.caller, id, self.pairs, base=self.base))


class Export(FhirView):
    """`GET [base]/$export`: the circles that the software's structure manages, one resource a line."""

    renderer_classes = [JsonRenderer, XmlRenderer]
    content_negotiation_class = LinesNegotiation

    def get(self, request: Request) -> StreamingHttpResponse:
        for type_name in ("Patient", "CareTeam"):
            searching.require_scope(self.caller, type_name, "r")
        return StreamingHttpResponse(exporting.lines(self.caller), content_type=LINES)


class Nowhere(FhirView):
    """Any other address: an OperationOutcome too."""

    authentication_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Unknown("Cette adresse n’existe pas sur ce serveur.")
