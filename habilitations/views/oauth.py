"""The token endpoint of the API and what announces it (SMART App Launch 2.2). Machines only: no page, no cookie."""

from __future__ import annotations

import json

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from oauthlib.oauth2 import InvalidRequestError, OAuth2Error

from habilitations import oauth
from habilitations.models import Outcome
from habilitations.scopes import SYSTEM, whole
from habilitations.traces import Via, record_account, via_request

# A request for a token has five short words.
LONGEST = 8_192
FORM = "application/x-www-form-urlencoded"
RETRY_AFTER = 60


@csrf_exempt
@login_not_required
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Give an access token to a software that shows its secret; errors are those of OAuth2, in JSON."""
    via = via_request(request)
    if not ratelimit.consume(request, action="api_token"):
        refused = _refused("temporarily_unavailable", 429)
        refused["Retry-After"] = str(RETRY_AFTER)
        return refused
    told, body, status = _answer(request, via)
    if status != 200:
        record_account(user=None, action="jeton logiciel", outcome=Outcome.REFUSED, object_kind="logiciel", via=via)
        said = json.loads(body)
        return _refused(said["error"], status, said.get("error_description", ""))
    response = HttpResponse(body, content_type="application/json", status=status)
    for name, value in told.items():
        response[name] = value
    return response


def _answer(request: HttpRequest, via: Via) -> tuple[dict[str, str], str, int]:
    """Return headers, JSON and status."""
    try:
        if request.GET or request.content_type != FORM or int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST:
            raise InvalidRequestError
        shown = request.META.get("HTTP_AUTHORIZATION", "")
        headers = {"Content-Type": FORM} | ({"Authorization": shown} if shown else {})
        return oauth.answer(body=request.body.decode("utf-8", "replace"), headers=headers, via=via)
    except OAuth2Error as error:
        return {}, error.json, error.status_code


def _refused(error: str, status: int, why: str = "") -> JsonResponse:
    said = JsonResponse({"error": error} | ({"error_description": why} if why else {}), status=status)
    said["Cache-Control"], said["Pragma"] = "no-store", "no-cache"
    if status == 401:
        said["WWW-Authenticate"] = 'Basic realm="fhir"'
    return said


@login_not_required
@require_safe
def smart_configuration(request: HttpRequest) -> JsonResponse:
    """Say where tokens are given, how a software shows who it is, and which scopes exist."""
    return JsonResponse({
        "token_endpoint": request.build_absolute_uri(reverse("api_token")),
        "grant_types_supported": [oauth.GRANT],
        "token_endpoint_auth_methods_supported": list(oauth.METHODS),
        "scopes_supported": whole(SYSTEM),
        "capabilities": ["client-confidential-symmetric", "permission-v2"],
    })  # fmt: skip
