"""One HTTP exchange with somebody else's server: where it may go, how long it lasts, how much it brings.

The name is resolved once, each address is checked, and the connection is made to that very address, with TLS verified
against the name: an answer of the DNS that changes between the check and the call (rebinding) changes nothing. No
redirect is followed, no proxy of the environment is used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util.ssl_match_hostname import CertificateError

from coordination.outbox import quarantine

CONNECT_SECONDS: Final = 5
# Between two pieces of an answer, and for the whole of it.
SILENCE_SECONDS: Final = 30
WHOLE_SECONDS: Final = 60
# Of one name: who gives many makes each of them wait.
MOST_ADDRESSES: Final = 4
_PIECE = 64 * 1024
# Addresses that carry another one inside, which may be private: NAT64 and 6to4.
_CARRIERS = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "2002::/16", "2001::/32"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Exception):
    """No answer, or not a whole one: the call may have been done, or not."""


class NotTrusted(Unreachable):
    """TLS failed: the certificate is not of this name, not of its time, or not of an authority known here."""


class TooSlow(Unreachable):
    """Nothing for too long, or too little."""


class Kept(Unreachable):
    """Nothing was asked: this installation comes from a backup, and nobody has released its quarantine (REL-13)."""


class NotAllowed(Exception):
    """An address that this installation does not call."""


class TooLong(Exception):
    """An answer longer than what was asked for."""


@dataclass(frozen=True)
class Received:
    """`headers` by lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_allowed(url: str) -> bool:
    """Say whether an address may be called, by its writing alone: https, a host, nothing else to say.

    On a developer's machine (PARTNERS_ALLOW_PRIVATE) plain http is one too.
    """
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    schemes = ("https", "http") if settings.PARTNERS_ALLOW_PRIVATE else ("https",)
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in schemes and bool(parts.hostname) and port_is_one and plain and url.isprintable()


def exchange(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes, most: int, query: str = "",
    within: float | None = None,
) -> Received:  # fmt: skip
    """Send one request and return its answer, redirects included as they are.

    `query`: what goes after the address, whose writing is checked alone. `within`: seconds, for the whole of it, name
    and connections included; a minute otherwise.
    Raises NotAllowed, Unreachable (NotTrusted, TooSlow, Kept), TooLong when the answer has more than `most` bytes.
    """
    if not is_allowed(url) or not _is_query(query):
        raise NotAllowed(url)
    if quarantine.stands():
        raise Kept("quarantaine")
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{query}" if query else "")
    until = time.monotonic() + (WHOLE_SECONDS if within is None else within)
    last: Exception | None = None
    for address in _addresses(parts, until):
        connection = _connection(parts, address, _left(until))
        try:
            connection.connect()
            with _cut_at(until, connection):
                return _asked(connection, method, path, {"Host": parts.netloc, **headers}, body, most)
        except NewConnectionError as error:
            # Nothing was sent: another address of the same name may answer.
            last = error
        except (HTTPError, HTTPException, CertificateError, OSError) as error:
            raise _failed(error) from error
        finally:
            connection.close()
    raise Unreachable(type(last).__name__ if last else "no address") from last


def _is_query(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(" #")


def _failed(error: Exception) -> Unreachable:
    if isinstance(error, (ssl.SSLError, CertificateError)):
        return NotTrusted("SSLError")
    if isinstance(error, TimeoutError | ReadTimeoutError):
        return TooSlow("too slow")
    name = type(error).__name__
    return TooSlow(name) if isinstance(error, ConnectTimeoutError) else Unreachable(name)


@contextmanager
def _cut_at(until: float, connection: HTTPConnection) -> Iterator[None]:
    """Close the connection at the hour: who says a word now and then never meets the timeout of a silence."""
    # Kept here: the connection forgets it when the answer has no length.
    sock = connection.sock
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    alarm = threading.Timer(max(0.0, until - time.monotonic()), cut)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    except (HTTPError, HTTPException, OSError) as error:
        if late.is_set():
            raise TooSlow("too slow") from error
        raise
    finally:
        alarm.cancel()
    # An answer without a length, cut, looks whole.
    if late.is_set():
        raise TooSlow("too slow")


def _left(until: float) -> float:
    """Return how many seconds are left. Raises TooSlow when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TooSlow("too slow")
    return left


def _addresses(parts: SplitResult, until: float) -> list[str]:
    """Return the first addresses of a name, all of them public. Raises NotAllowed when one is not, Unreachable."""
    assert parts.hostname is not None
    try:
        found = _resolved(parts.hostname, parts.port or 443, until)
    except (OSError, UnicodeError) as error:
        raise Unreachable("no such host") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    if not settings.PARTNERS_ALLOW_PRIVATE and not all(is_public(address) for address in addresses):
        raise NotAllowed(parts.hostname)
    return addresses[:MOST_ADDRESSES]


def _resolved(host: str, port: int, until: float) -> list[tuple]:
    """Ask the resolver, which takes no timeout: its thread is left behind when it is late. Raises what it raises."""
    answer: Future[list[tuple]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(_left(until))
    except FutureTimeout:
        raise TooSlow("too slow") from None


def is_public(text: str) -> bool:
    """Say whether an address is of the Internet: not this machine, not a network of the house, nor one inside."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif any(address in network for network in _CARRIERS):
            return False
    return address.is_global and not address.is_multicast


def _connection(parts: SplitResult, address: str, left: float) -> HTTPConnection:
    # Counted twice: to connect, then for the handshake of TLS.
    timeout = min(CONNECT_SECONDS, left / 2)
    if parts.scheme == "http":
        return HTTPConnection(address, parts.port or 80, timeout=timeout)
    return HTTPSConnection(
        address, parts.port or 443, timeout=timeout, cert_reqs="CERT_REQUIRED",
        server_hostname=parts.hostname, assert_hostname=parts.hostname,
    )  # fmt: skip


def _asked(
    connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes, most: int
) -> Received:
    connection.timeout = SILENCE_SECONDS
    connection.request(method, path, body=body, headers=headers, preload_content=False, decode_content=False)
    response = connection.getresponse()
    pieces, size = [], 0
    try:
        while piece := response.read1(_PIECE, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise TooLong
    finally:
        response.close()
    return Received(
        response.status, {name.lower(): value for name, value in response.headers.items()}, b"".join(pieces)
    )
