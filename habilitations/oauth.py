"""Giving a software its access token: OAuth2 client credentials (RFC 6749 §4.4), the grammar by oauthlib.

One grant and two ways to show a secret (client_secret_basic, client_secret_post): nothing else of OAuth2 exists here.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from django.conf import settings
from oauthlib.oauth2 import (
    BearerToken,
    ClientCredentialsGrant,
    InvalidRequestError,
    OAuth2Error,
    RequestValidator,
    TokenEndpoint,
)

from coordination.outbox import quarantine
from habilitations import actions, scopes, secrets
from habilitations.client_errors import ClientRevoked
from habilitations.models import SoftwareClient
from habilitations.traces import Via

GRANT = "client_credentials"
METHODS = ("client_secret_basic", "client_secret_post")


class NotClient(OAuth2Error):
    """The software was revoked between its secret and its token."""

    error = "invalid_client"
    status_code = 401


class NotNow(OAuth2Error):
    """A restored installation gives no token before its quarantine is released (REL-13)."""

    error = "temporarily_unavailable"
    status_code = 503


class _Validator(RequestValidator):
    """What oauthlib asks of us, for one request."""

    def __init__(self, via: Via) -> None:
        super().__init__()
        self.via = via

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return True

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        """Find the software by what it shows. Two ways at once is refused (RFC 6749 §2.3)."""
        in_header = _in_header(request.headers.get("Authorization", ""))
        in_body = (request.client_id or "", request.client_secret or "")
        if in_header and in_body[1]:
            raise InvalidRequestError(description="Two client authentication methods at once.", request=request)
        client = _client_of(*(in_header or in_body))
        if client is None:
            return False
        request.client, request.client_id = client, client.client_id
        return True

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: SoftwareClient, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type == GRANT

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return list(request.client.scopes)

    def validate_scopes(
        self, client_id: str, asked: Sequence[str], client: SoftwareClient, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return not scopes.refused(asked, client.scopes)

    def save_bearer_token(self, token: dict[str, Any], request: Any, *args: Any, **kwargs: Any) -> None:
        if quarantine.stands():
            raise NotNow(request=request)
        via = Via(self.via.request_id, self.via.address, request.client.name)
        try:
            actions.issue_client_token(
                request.client, token=token["access_token"], scopes=token["scope"].split(), via=via
            )
        except ClientRevoked as error:
            raise NotClient(request=request) from error


def answer(*, body: str, headers: dict[str, str], via: Via) -> tuple[dict[str, str], str, int]:
    """Return headers, JSON body and status of the token endpoint for a POST. Raises OAuth2Error."""
    validator = _Validator(via)
    bearer = BearerToken(
        validator,
        token_generator=lambda request: secrets.make(secrets.CLIENT_TOKEN),
        expires_in=settings.FHIR_TOKEN_SECONDS,
    )
    endpoint = TokenEndpoint(GRANT, bearer, {GRANT: ClientCredentialsGrant(validator)})
    return endpoint.create_token_response("/fhir/oauth/token", "POST", body, headers)


def _in_header(said: str) -> tuple[str, str] | None:
    """Return (client_id, secret) of an Authorization header; None without one, empty texts when it says nothing."""
    scheme, _, encoded = said.partition(" ")
    if not said:
        return None
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    # RFC 6749 §2.3.1: both are form-encoded first.
    return unquote_plus(client_id), unquote_plus(secret)


def _client_of(client_id: str, secret: str) -> SoftwareClient | None:
    try:
        asked = UUID(client_id)
    except ValueError:
        return None
    client = SoftwareClient.objects.connected().filter(pk=asked).first()
    if client is None or not secrets.looks_like(secrets.CLIENT_SECRET, secret):
        return None
    return client if hmac.compare_digest(client.secret_hash, secrets.hashed(secret)) else None
