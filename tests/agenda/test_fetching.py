"""Fetching calendars from servers that behave well, badly, or lead elsewhere."""

import base64
import datetime as dt
import gzip
import socket
import threading
import time
import zlib

import pytest
from urllib3.exceptions import NewConnectionError

from agenda import fetching
from agenda.fetching import Fetched, Source, fetch, normal
from agenda.ics.errors import (
    AddressRefused,
    CalendarNotFound,
    CalendarRefused,
    CalendarTooLarge,
    CertificateRefused,
    NotFetched,
    PasswordAsked,
    SiteTooSlow,
    SiteUnreachable,
)
from coordination.partners import wire
from tests.partners.standin import StandIn
from tests.partners.test_client import resolve_names, self_signed, served_by

pytestmark = pytest.mark.django_db
WINDOW = (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def site():
    with StandIn().running() as running:
        yield running


def refused(source):
    with pytest.raises((NotFetched, CalendarRefused)) as caught:
        fetch(source, WINDOW)
    return type(caught.value)


# ---- An address --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "called"),
    [
        (" webcal://exemple.fr/agenda.ics ", "https://exemple.fr/agenda.ics"),
        ("WEBCAL://exemple.fr/agenda.ics", "https://exemple.fr/agenda.ics"),
        ("https://exemple.fr/a b/é.ics?x=1&y=é#haut", "https://exemple.fr/a%20b/%C3%A9.ics?x=1&y=%C3%A9"),
        ("https://exemple.fr/private-1%40x/basic.ics", "https://exemple.fr/private-1%40x/basic.ics"),
        ("https://café.exemple:8443/a", "https://xn--caf-dma.exemple:8443/a"),
    ],
)
def test_an_address_as_people_paste_it(settings, said, called):
    settings.PARTNERS_ALLOW_PRIVATE = False
    assert normal(said) == called


@pytest.mark.asvs("v5.0.0-1.2.2")
@pytest.mark.parametrize(
    "said",
    [
        "", "agenda", "http://exemple.fr/a.ics", "ftp://exemple.fr/a", "file:///etc/passwd", "https://",
        "https://moi:secret@exemple.fr/a.ics", "https://exemple.fr/a\r\nX-A: b", "https://exemple.fr:0/",
        "https://[::1/a", "https://" + "a" * 70 + ".fr/", "javascript:alert(1)", "https:exemple.fr",
    ],
)  # fmt: skip
def test_an_address_that_is_not_called(settings, said):
    settings.PARTNERS_ALLOW_PRIVATE = False
    assert refused(Source(said)) in (AddressRefused, SiteUnreachable)


@pytest.mark.asvs("v5.0.0-1.3.6")
@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[fd00::1]", "localhost"])
def test_no_address_of_the_house_is_called(settings, address):
    settings.PARTNERS_ALLOW_PRIVATE = False
    assert refused(Source(f"https://{address}/agenda.ics")) is AddressRefused


def test_a_name_that_leads_inside_is_not_called(settings, monkeypatch):
    settings.PARTNERS_ALLOW_PRIVATE = False
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", ("10.0.0.1", 443))])
    assert refused(Source("https://agenda.exemple/a.ics")) is AddressRefused


# ---- Well-behaved ------------------------------------------------------------------------------------------------


def test_a_calendar_and_that_it_has_not_changed(site):
    site.says(200, ICS, Content_Type="text/calendar", ETag='"un"')
    fetched = fetch(Source(f"{site.url}/agenda.ics?secret=x"), WINDOW)
    assert fetched == Fetched(ICS, '"un"')
    site.says(304)
    assert fetch(Source(f"{site.url}/agenda.ics", etag='"un"'), WINDOW) == Fetched(None, '"un"')
    first, second = site.heard
    assert (first.method, first.path, first.body) == ("GET", "/agenda.ics?secret=x", b"")
    assert "if-none-match" not in first.headers and second.headers["if-none-match"] == '"un"'
    assert "authorization" not in first.headers and first.headers["user-agent"] == "Coordination"


def test_a_password_is_sent_and_never_shown(site):
    site.says(200, ICS)
    source = Source(f"{site.url}/a.ics", user="moi", password="secret : inventé")
    fetch(source, WINDOW)
    scheme, _, pair = site.heard[0].headers["authorization"].partition(" ")
    assert scheme == "Basic" and base64.b64decode(pair).decode() == "moi:secret : inventé"
    assert "secret" not in repr(source)


def test_a_collection_is_asked_for_the_window(site):
    answer = (
        '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        + "<d:response><d:href>/1.ics</d:href><d:propstat><d:prop><c:calendar-data>BEGIN:VCALENDAR&#13;\n"
        "END:VCALENDAR&#13;\n</c:calendar-data></d:prop></d:propstat></d:response>" * 2 + "</d:multistatus>"
    )
    site.says(207, answer.encode(), Content_Type="application/xml")
    fetched = fetch(Source(f"{site.url}/dav/moi/", "moi", "secret", caldav=True), WINDOW)
    assert fetched.body.count(b"BEGIN:VCALENDAR") == 2
    (asked,) = site.heard
    assert (asked.method, asked.path, asked.headers["depth"]) == ("REPORT", "/dav/moi/", "1")
    assert b'<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>' in asked.body
    site.says(207, b'<multistatus xmlns="DAV:"/>')
    assert fetch(Source(f"{site.url}/", caldav=True), WINDOW).body == b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


# ---- Redirects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_without_the_password_when_it_leads_elsewhere(site, status):
    source = Source(f"{site.url}/a.ics", "moi", "secret")
    with StandIn().running() as elsewhere:
        site.says(status, b"", Location="/b.ics")
        site.says(status, b"", Location=f"{elsewhere.url}/c.ics")
        elsewhere.says(200, ICS)
        assert fetch(source, WINDOW).body == ICS
        assert [(one.path, "authorization" in one.headers) for one in site.heard + elsewhere.heard] == [
            ("/a.ics", True), ("/b.ics", True), ("/c.ics", False),
        ]  # fmt: skip


@pytest.mark.asvs("v5.0.0-1.3.6")
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://x@y/",
    ],
)
def test_a_redirect_is_checked_as_the_first_address_is(site, monkeypatch, settings, location):
    site.says(302, b"", Location=location)
    asked = []
    usual = wire.exchange

    def first_only(method, url, **said):
        # The stand-in is inside: only what comes after it is checked as in production.
        asked.append(url)
        try:
            return usual(method, url, **said)
        finally:
            settings.PARTNERS_ALLOW_PRIVATE = False

    monkeypatch.setattr(wire, "exchange", first_only)
    assert refused(Source(f"{site.url}/a.ics")) is AddressRefused
    assert len(site.heard) == 1


def test_redirects_end(site):
    for _ in range(20):
        site.says(302, b"", Location="/a.ics")
    assert refused(Source(f"{site.url}/a.ics")) is CalendarNotFound
    assert len(site.heard) == fetching.MOST_REDIRECTS + 1


# ---- Refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, PasswordAsked), (403, PasswordAsked), (404, CalendarNotFound), (410, CalendarNotFound),
     (400, CalendarRefused), (429, SiteUnreachable), (500, SiteUnreachable), (503, SiteUnreachable)],
)  # fmt: skip
def test_what_a_status_means(site, status, kind):
    site.says(status, b"Bonjour TESTARD Paul")
    assert refused(Source(f"{site.url}/a.ics")) is kind
    assert "TESTARD" not in kind.message and kind.message.endswith(".")


def test_a_password_refused_is_said_beside_what_its_owner_can_change(site):
    """An ICS address has no password to correct: another kind of calendar has one."""
    for source, field in ((Source(f"{site.url}/a.ics"), "address"), (Source(f"{site.url}/", caldav=True), "password")):
        site.says(401)
        with pytest.raises(NotFetched) as caught:
            fetch(source, WINDOW)
        assert caught.value.field == field


@pytest.mark.parametrize("body", [b"<!doctype html><title>Connexion</title>", b"", b"{}", b"BEGIN:VCARD\r\nEND:VCARD"])
def test_a_page_is_no_calendar(site, body):
    site.says(200, body)
    assert refused(Source(f"{site.url}/a.ics")) is CalendarRefused


@pytest.mark.asvs("v5.0.0-1.5.1")
@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html/>", b"<multistatus/>", b'<multistatus xmlns="DAV:">', ICS,
        b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><multistatus xmlns="DAV:">&d;</multistatus>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><multistatus xmlns="DAV:"/>'.encode("utf-16"),
        b'<multistatus xmlns="DAV:">' + b"<a>" * 100_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_no_multistatus_is_refused(site, body):
    site.says(207, body)
    assert refused(Source(f"{site.url}/", caldav=True)) is CalendarRefused


def test_a_collection_that_answers_as_a_page_does_is_none(site):
    site.says(200, ICS)
    assert refused(Source(f"{site.url}/", caldav=True)) is CalendarRefused


# ---- Too much, too slowly ----------------------------------------------------------------------------------------


def endless(handler, piece=b"X" * 65536, head=b"Content-Type: text/calendar\r\n"):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nBEGIN:VCALENDAR\r\n")
    try:
        while True:
            handler.wfile.write(piece)
    except OSError:
        pass


def dripping(handler, begin):
    handler.wfile.write(begin)
    try:
        for _ in range(40):
            handler.wfile.write(b"a")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def test_a_calendar_that_never_ends(site):
    site.does(endless)
    assert refused(Source(f"{site.url}/a.ics")) is CalendarTooLarge


@pytest.mark.asvs("v5.0.0-15.2.2")
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_calendar_that_swells(site, coding):
    bomb = ICS + b"\n" * 60_000_000
    packed = gzip.compress(bomb) if coding == "gzip" else zlib.compress(bomb)
    assert len(packed) < 100_000
    site.says(200, packed, Content_Encoding=coding)
    assert refused(Source(f"{site.url}/a.ics")) is CalendarTooLarge
    site.says(200, gzip.compress(ICS) if coding == "gzip" else zlib.compress(ICS), Content_Encoding=coding)
    assert fetch(Source(f"{site.url}/a.ics"), WINDOW).body == ICS


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_a_coding_that_does_not_open(site, coding):
    site.says(200, ICS, Content_Encoding=coding)
    assert refused(Source(f"{site.url}/a.ics")) is CalendarRefused


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: ",
        b"H",
    ],
)
def test_a_site_that_drips(site, monkeypatch, begin):
    """In its content, or in its headers: it is never silent for long."""
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    site.does(lambda handler: dripping(handler, begin))
    began = time.monotonic()
    assert refused(Source(f"{site.url}/a.ics")) is SiteTooSlow
    assert time.monotonic() - began < 1.5


def test_a_site_that_says_nothing_closes_or_is_not_there(site, monkeypatch):
    monkeypatch.setattr(wire, "SILENCE_SECONDS", 0.2)
    site.does(lambda handler: time.sleep(1))
    assert refused(Source(f"{site.url}/a.ics")) is SiteTooSlow
    site.does(lambda handler: handler.connection.close())
    assert refused(Source(f"{site.url}/a.ics")) is SiteUnreachable
    site.does(lambda handler: handler.wfile.write(b"220 bonjour\r\n"))
    assert refused(Source(f"{site.url}/a.ics")) is SiteUnreachable
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    assert refused(Source(address)) is SiteUnreachable
    assert refused(Source("https://nulle-part.invalid/")) is SiteUnreachable


def test_the_hour_is_the_same_for_all_the_redirects(site, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.5)

    def slow(handler):
        time.sleep(0.2)
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /a.ics\r\nContent-Length: 0\r\n\r\n")

    for _ in range(6):
        site.does(slow)
    assert refused(Source(f"{site.url}/a.ics")) is SiteTooSlow


def lasted(source, within):
    began = time.monotonic()
    # Whichever is first: the hour, or the last address.
    with pytest.raises((SiteTooSlow, SiteUnreachable)):
        fetch(source, WINDOW, within=within)
    return time.monotonic() - began


@pytest.mark.parametrize("wait", [0.3, 5], ids=["each", "first"])
def test_addresses_that_refuse_slowly_do_not_add_up(monkeypatch, wait):
    def refuse(connection):
        time.sleep(min(wait, connection.timeout))
        raise NewConnectionError(connection, "refused")

    places = [(2, 1, 6, "", (f"127.0.0.{number}", 80)) for number in range(1, 9)]
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *args, **more: places)
    monkeypatch.setattr(wire.HTTPConnection, "connect", refuse)
    assert lasted(Source("http://agenda.exemple/a.ics"), 0.5) < 1


def test_no_more_than_four_addresses_of_a_name_are_tried(monkeypatch):
    tried = []

    def refuse(connection):
        tried.append(connection.host)
        raise NewConnectionError(connection, "refused")

    places = [(2, 1, 6, "", (f"127.0.0.{number}", 80)) for number in range(1, 9)]
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *args, **more: places)
    monkeypatch.setattr(wire.HTTPConnection, "connect", refuse)
    assert refused(Source("http://agenda.exemple/a.ics")) is SiteUnreachable
    assert tried == ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]


def test_a_name_that_takes_long_to_resolve(monkeypatch):
    resolved = threading.Event()
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *args, **more: resolved.wait(3) and [])
    try:
        assert lasted(Source("http://agenda.exemple/a.ics"), 0.3) < 1
    finally:
        resolved.set()


def test_no_hop_begins_once_the_time_is_over(site, monkeypatch):
    asked = []

    def redirected(method, url, **more):
        asked.append(url)
        time.sleep(0.3)
        return wire.Received(302, {"location": "/b.ics"}, b"")

    monkeypatch.setattr(wire, "exchange", redirected)
    assert lasted(Source(f"{site.url}/a.ics"), 0.2) < 1
    assert len(asked) == 1


def test_a_handshake_that_never_comes(monkeypatch):
    """The connection is made, and nothing is said of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert lasted(Source(f"https://127.0.0.1:{port}/a.ics"), 0.4) < 1


def test_no_thread_stays_behind(site):
    site.says(200, ICS)
    before = threading.active_count()
    fetch(Source(f"{site.url}/a.ics"), WINDOW)
    time.sleep(0.1)
    assert threading.active_count() <= before + 1, "that of the stand-in"


# ---- Names and certificates --------------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-12.3.2")
def test_a_name_is_asked_once_and_its_certificate_verified(tmp_path, monkeypatch):
    """Rebinding: a second answer of the DNS, were there one, would lead elsewhere. Nobody asks for it."""
    key, certificate = self_signed("agenda.exemple")
    with StandIn().running(served_by(tmp_path, key, certificate)) as site:
        port = int(site.url.rpartition(":")[2])
        asked = []

        def resolve(host, *args, **kwargs):
            asked.append(host)
            return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

        monkeypatch.setattr(wire.socket, "getaddrinfo", resolve_names(resolve))
        source = Source(f"https://agenda.exemple:{port}/a.ics")
        assert refused(source) is CertificateRefused
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        asked.clear()
        site.says(200, ICS)
        assert fetch(source, WINDOW).body == ICS
        assert asked == ["agenda.exemple"]
        asked.clear()
        assert refused(Source(f"https://autre.exemple:{port}/a.ics")) is CertificateRefused
