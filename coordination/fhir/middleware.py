"""The short way of the API: a call has no session, no form and no page, and asks nothing of what serves them.

No cookie is looked at under `/fhir`, whatever a client sends. What protects every answer (logs, TLS, headers) is
above.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, URLResolver, include, path, resolve
from django.urls.resolvers import RegexPattern

from coordination.fhir.answering import FhirView

BASE = "/fhir"
PREFIX = f"{BASE}/"
# Answers of which nothing says how long they would be (RFC 9110 §8.6).
_BODILESS = frozenset({204, 304})
# What is under a type is the engine's alone: looked for here, and not behind all the addresses of the product.
_TYPES = URLResolver(RegexPattern(r"^/"), [path("fhir/", include("coordination.fhir.urls"))])


def _found(path_info: str) -> ResolverMatch:
    return (_TYPES.resolve if path_info[len(PREFIX) :][:1].isupper() else resolve)(path_info)


class ApiMiddleware:
    """Answer the addresses of the engine; the token endpoint, which counts who tries, goes the long way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX) and request.path_info != BASE:
            return self.get_response(request)
        try:
            found = _found(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not issubclass(getattr(found.func, "view_class", object), FhirView):
            return self.get_response(request)
        request.resolver_match = found
        response = found.func(request, *found.args, **found.kwargs)
        if hasattr(response, "render"):
            response = response.render()
        if isinstance(response, HttpResponse) and response.status_code not in _BODILESS:
            response.headers["Content-Length"] = str(len(response.content))
        response.headers["X-Frame-Options"] = "DENY"
        return response
