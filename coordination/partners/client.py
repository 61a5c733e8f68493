"""Speaking FHIR to a partner: its access token, one interaction, and what its answer means for who asked.

Every failure becomes a CallFailed whose sentence names nobody: what a partner says in words is never kept, for it may
repeat what it was sent.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit
from uuid import UUID

from django.utils import timezone

from coordination.fhir import formats
from coordination.fhir.negotiation import JSON, format_of
from coordination.fhir.outcomes import Issue, Refused
from coordination.partners import wire
from coordination.partners.errors import CallFailed
from coordination.partners.models import Partner

FORM: Final = "application/x-www-form-urlencoded"
NATIONAL_ID_SYSTEM: Final = "urn:oid:1.2.250.1.71.4.2.1"
_MOST_OF_TOKEN = 64 * 1024
# A token is asked again this long before its end.
_MARGIN = 30.0
# What a server says when it may do better later: HTTP, and `transient` of http://hl7.org/fhir/issue-type.
_LATER = frozenset({408, 425, 429, 502, 503, 504})
_TRANSIENT = frozenset({"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"})
# Of the answer to one search.
MOST_PAGES: Final = 20
LONGEST_WAIT: Final = dt.timedelta(hours=24)
_CODE = re.compile(r"[a-z-]{2,30}")
# A FHIRPath of elements only: it says where, and quotes nothing.
_EXPRESSION = re.compile(r"[A-Z][A-Za-z]{1,40}(\.[a-z][A-Za-z]{0,40}(\[\d{1,4}\])?){1,12}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")


@dataclass(frozen=True)
class Asked:
    """One interaction: `path` after the base of the API, and a resource or the fields of a search by POST.

    `acting`: national identifier of the professional for whom it is asked. `key`: the same call again has the same.
    """

    path: str = ""
    resource: dict[str, Any] | None = None
    form: tuple[tuple[str, str], ...] = ()
    acting: str = ""
    key: str = ""
    # PUT replaces; `query` is what goes after the address (a condition), which holds no identity (CDS-65).
    method: str = "POST"
    query: str = ""
    # The condition of a creation; and a resource is asked back, where its id is not known otherwise.
    if_none_exist: str = ""
    whole: bool = False
    # What the room that asks wants to find again with the answer.
    memo: Any = None

    @property
    def body(self) -> bytes:
        return urlencode(self.form).encode() if self.resource is None else formats.write_json(self.resource)


def call(partner: Partner, asked: Asked) -> formats.Resource:
    """Do one interaction; return the resource answered.

    Of a search, all its pages, put together in one. Raises CallFailed: `retry` tells what may go better later
    (silence, 429, 5xx) from what will not (4xx, redirect, a transaction that the partner processed and refused).
    """
    url = "/".join(part for part in (partner.base_url.rstrip("/"), asked.path) if part)
    answer = _send(partner, url, asked, token_of(partner))
    if answer.status == 401:
        # The partner forgot the token before its end: one more, and no second time.
        forget(partner.pk)
        answer = _send(partner, url, asked, token_of(partner))
    found = _understood(answer)
    return found if asked.resource is not None else _whole(partner, found, asked)


def _whole(partner: Partner, first: formats.Resource, asked: Asked) -> formats.Resource:
    """Return the answer to a search with the entries of its next pages (FHIR R4 http, §3.1.0.1.4).

    A part of a circle would read as a whole one: a page that cannot be read fails them all.
    """
    entries, page = list(first.get("entry") or []), first
    seen: set[str] = set()
    while following := next_of(page):
        url, _, query = following.partition("?")
        if following in seen or len(seen) >= MOST_PAGES - 1:
            raise CallFailed("La réponse du partenaire a trop de pages.", retry=False)
        if not _is_below(url, partner.base_url):
            raise CallFailed("Le partenaire donne la suite de sa réponse à une autre adresse.", retry=False)
        seen.add(following)
        headers = _headers(partner, asked, token_of(partner))
        page = _understood(_exchange(url, headers, b"", formats.MAX_BYTES, method="GET", query=query))
        entries += page.get("entry") or []
    return first | {"entry": entries} if seen else first


def next_of(bundle: formats.Resource) -> str:
    """Return the address of the page that follows in a Bundle, "" for none."""
    links = bundle.get("link") or [] if bundle.get("resourceType") == "Bundle" else []
    found = (one.get("url") for one in links if isinstance(one, dict) and one.get("relation") == "next")
    url = next(found, "")
    return url if isinstance(url, str) else ""


def _is_below(url: str, base: str) -> bool:
    """Say whether an address is one of the API of a partner: neither our token nor a question goes elsewhere."""
    if not wire.is_allowed(url):
        return False
    one, other = urlsplit(url), urlsplit(base)
    root = other.path.rstrip("/")
    same = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    return same and (one.path == root or one.path.startswith(f"{root}/")) and ".." not in one.path


def _send(partner: Partner, url: str, asked: Asked, token: str) -> wire.Received:
    headers = _headers(partner, asked, token) | {
        "Content-Type": FORM if asked.resource is None else JSON,
        "Prefer": "return=representation" if asked.whole else "return=minimal",
    }
    if asked.key:
        headers["Idempotency-Key"] = asked.key
    if asked.if_none_exist:
        headers["If-None-Exist"] = asked.if_none_exist
    return _exchange(url, headers, asked.body, formats.MAX_BYTES, method=asked.method, query=asked.query)


def _headers(partner: Partner, asked: Asked, token: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}", "Accept": JSON}
    if asked.acting and partner.acting_header:
        headers[partner.acting_header] = f"{NATIONAL_ID_SYSTEM}|{asked.acting}"
    return headers


def new_token(partner: Partner, *, within: float) -> str:
    """Return an access token that nothing kept gives, within so many seconds. Raises CallFailed."""
    forget(partner.pk)
    return _asked_token(partner, within=within)[0]


def metadata(partner: Partner, token: str, *, within: float) -> formats.Resource:
    """Return what a partner says it is (`GET [base]/metadata`), within so many seconds. Raises CallFailed."""
    url = f"{partner.base_url.rstrip('/')}/metadata"
    headers = _headers(partner, Asked(), token)
    return _understood(_exchange(url, headers, b"", formats.MAX_BYTES, method="GET", within=within))


def _exchange(
    url: str, headers: dict[str, str], body: bytes, most: int, *, method: str = "POST", query: str = "",
    within: float | None = None,
) -> wire.Received:  # fmt: skip
    try:
        return wire.exchange(method, url, headers=headers, body=body, most=most, query=query, within=within)
    except wire.NotAllowed:
        raise CallFailed("L’adresse de ce partenaire n’est pas de celles qui s’appellent.", retry=False) from None
    except wire.TooLong:
        raise CallFailed("La réponse du partenaire est trop longue.", retry=False) from None
    except wire.Unreachable as error:
        raise CallFailed(f"Le partenaire ne répond pas ({error}).", retry=True) from error


# ---- The access token --------------------------------------------------------------------------------------------

# {partner: (what it was asked with, token, end by the clock of this process)}
_tokens: dict[UUID, tuple[tuple[str, ...], str, float]] = {}
_lock = threading.Lock()


def token_of(partner: Partner) -> str:
    """Return an access token (OAuth2 client credentials, RFC 6749 §4.4), kept in this process until its end."""
    asked_with = (partner.token_url, partner.client_id, partner.secret_sealed, partner.scope)
    with _lock:
        kept = _tokens.get(partner.pk)
    if kept and kept[0] == asked_with and time.monotonic() < kept[2]:
        return kept[1]
    token, seconds = _asked_token(partner)
    with _lock:
        _tokens[partner.pk] = (asked_with, token, time.monotonic() + seconds - _MARGIN)
    return token


def forget(partner_id: UUID) -> None:
    """Ask for another token at the next call of this process."""
    with _lock:
        _tokens.pop(partner_id, None)


def _asked_token(partner: Partner, *, within: float | None = None) -> tuple[str, float]:
    try:
        secret = partner.secret
    except ValueError:
        raise CallFailed("Le secret de ce partenaire ne se lit plus : saisissez-le de nouveau.", retry=False) from None
    # RFC 6749 §2.3.1: both are form-encoded first.
    pair = f"{quote_plus(partner.client_id)}:{quote_plus(secret)}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Accept": "application/json",
        "Content-Type": FORM,
    }
    fields = {"grant_type": "client_credentials"} | ({"scope": partner.scope} if partner.scope else {})
    answer = _exchange(partner.token_url, headers, urlencode(fields).encode(), _MOST_OF_TOKEN, within=within)
    if answer.status in _LATER or answer.status >= 500:
        raise _later("Le partenaire ne donne pas de jeton d’accès pour l’instant", answer)
    if answer.status != 200:
        raise CallFailed(
            f"Le partenaire refuse notre identifiant ({answer.status}).", retry=False, status=answer.status
        )
    return _read_token(answer)


def _read_token(answer: wire.Received) -> tuple[str, float]:
    try:
        said = json.loads(answer.body)
        token, seconds = said["access_token"], float(said.get("expires_in", 60))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        token, seconds = "", 0.0
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not 0 <= seconds < 10**7:
        raise CallFailed("Le jeton d’accès donné par le partenaire ne se lit pas.", retry=True, status=answer.status)
    return token, seconds


# ---- What an answer means ------------------------------------------------------------------------------------------


def _understood(answer: wire.Received) -> formats.Resource:
    status = answer.status
    if 200 <= status < 300:
        resource = _resource(answer)
        if resource is None:
            # Done or not, nobody knows: the same call again, with its key, will say.
            raise CallFailed("La réponse du partenaire ne se lit pas.", retry=True, status=status)
        return resource
    if 300 <= status < 400:
        raise CallFailed(f"Le partenaire renvoie à une autre adresse ({status}).", retry=False, status=status)
    if status in _LATER:
        raise _later("Le partenaire demande d’attendre", answer)
    issues = _issues(_resource(answer))
    if status >= 500 and (not issues or all(code in _TRANSIENT for code, _ in issues)):
        raise _later("Le partenaire est en panne", answer)
    said = _in_words(issues)
    reason = "Le partenaire n’accepte pas notre jeton d’accès" if status == 401 else "Le partenaire refuse"
    raise CallFailed(f"{reason} ({status}){f' : {said}' if said else ''}."[:300], retry=False, status=status)


def in_codes(issues: Iterable[Issue]) -> str:
    """Return which rules refused which elements, without the words, which may name somebody."""
    return _in_words([(one.code, one.expression if _EXPRESSION.fullmatch(one.expression) else "") for one in issues])


def _in_words(issues: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{code} en {where}" if where else code for code, where in issues[:3])


def _later(reason: str, answer: wire.Received) -> CallFailed:
    return CallFailed(
        f"{reason} ({answer.status}).", retry=True, status=answer.status,
        wait=wait_of(answer.headers.get("retry-after", "")),
    )  # fmt: skip


def wait_of(header: str) -> dt.timedelta:
    """Return what `Retry-After` asks, in seconds or as a date; nothing for what does not read, a day at most."""
    said = header.strip()
    if said.isascii() and said.isdigit():
        asked = dt.timedelta(seconds=min(int(said[:9]), 10**6))
    else:
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return dt.timedelta(0)
        asked = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - timezone.now()
    return max(dt.timedelta(0), min(asked, LONGEST_WAIT))


def _resource(answer: wire.Received) -> formats.Resource | None:
    media = format_of(answer.headers.get("content-type", "").split(";")[0])
    if media is None or answer.headers.get("content-encoding", "identity") != "identity":
        return None
    try:
        return formats.read(answer.body, media)
    except Refused:
        return None


def _issues(resource: formats.Resource | None) -> list[tuple[str, str]]:
    """Return (code, element) of each error of an OperationOutcome: what it says in words may name somebody."""
    if not resource or resource.get("resourceType") != "OperationOutcome":
        return []
    told = []
    for issue in resource.get("issue") or []:
        if not isinstance(issue, dict) or issue.get("severity") not in ("fatal", "error"):
            continue
        code = str(issue.get("code", ""))
        where = next(iter(issue.get("expression") or issue.get("location") or []), "")
        kept = where if isinstance(where, str) and _EXPRESSION.fullmatch(where) else ""
        told.append((code if _CODE.fullmatch(code) else "invalid", kept))
    return told
