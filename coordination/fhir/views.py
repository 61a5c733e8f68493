"""The addresses of the API: each does one interaction, and answers in the format asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.fhir import (
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
from coordination.fhir.answering import FhirView
from coordination.fhir.answers import Answer
from coordination.fhir.negotiation import (
    LINES,
    JsonRenderer,
    LinesNegotiation,
    PlainJsonRenderer,
    XmlRenderer,
    body_of,
    renderer_of,
)
from coordination.fhir.outcomes import MediaUnsupported, MethodNotAllowed, Unknown, Unreadable
from coordination.fhir.search import searching
from coordination.fhir.search.values import uuid_of

FORM = "application/x-www-form-urlencoded"


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
        return searching.search(self.caller, type_name, pairs, base=self.base, strict=self.is_strict)


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
        provider = registry.only_one(self.kwargs["type_name"]) if self.request.method == "GET" else None
        id = uuid_of(self.kwargs["id"]) if provider else None
        return (provider.beside, id) if provider and id else ("", None)

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
    """`[base]/Type/_history` and `[base]/Type/id/_history`."""

    def get(self, request: Request, type_name: str, id: str | None = None) -> HttpResponse:
        return self.told(interactions.history(self.caller, type_name, id, self.pairs, base=self.base))


class Version(FhirView):
    """`[base]/Type/id/_history/version`."""

    def get(self, request: Request, type_name: str, id: str, number: str) -> HttpResponse:
        return self.told(interactions.vread(self.caller, type_name, id, number))


class Everything(FhirView):
    """`GET [base]/Patient/id/$everything`."""

    def get(self, request: Request, id: str) -> HttpResponse:
        return self.told(everything.of_patient(self.caller, id, self.pairs, base=self.base, strict=self.is_strict))


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
