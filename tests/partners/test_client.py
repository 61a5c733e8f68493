"""What a partner answers, and what it is taken for; where a call may go."""

import base64
import datetime as dt
import ipaddress
import socket
import ssl
import time
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from coordination.fhir import formats
from coordination.partners import client, wire
from coordination.partners.client import Asked
from coordination.partners.errors import CallFailed
from tests.partners.factories import SECRET, PartnerFactory
from tests.partners.standin import FHIR, Said, StandIn

pytestmark = pytest.mark.django_db
ASKED = Asked(resource={"resourceType": "Basic", "code": {"text": "essai"}}, acting="899700000001", key="clé")


def outcome(*codes, **said):
    issues = [{"severity": "error", "code": code, "diagnostics": "TESTARD Paul, 1 41 03", **said} for code in codes]
    return {"resourceType": "OperationOutcome", "issue": issues}


def failure(partner, asked=ASKED):
    with pytest.raises(CallFailed) as caught:
        client.call(partner, asked)
    return caught.value


def test_a_call_says_who_asks_for_whom_and_under_which_name(partner, standin):
    assert client.call(partner, ASKED)["type"] == "transaction-response"
    token, call = standin.heard
    scheme, _, pair = token.headers["authorization"].partition(" ")
    # RFC 6749 §2.3.1: form-encoded before it is put together.
    assert scheme == "Basic" and base64.b64decode(pair) == b"coordination:secret+invent%C3%A9+%3A+%C3%A0%2Bz"
    assert parse_qs(token.body.decode()) == {"grant_type": ["client_credentials"]}
    assert SECRET not in token.body.decode() and call.path == "/fhir"
    assert call.headers["authorization"] == "Bearer jeton-1"
    assert call.headers["acting-professional"] == "urn:oid:1.2.250.1.71.4.2.1|899700000001"
    assert call.headers["idempotency-key"] == "clé"
    assert call.headers["content-type"] == call.headers["accept"] == FHIR
    assert formats.read(call.body, "json") == ASKED.resource


def test_a_search_is_in_the_body_where_no_log_looks(partner, standin):
    standin.says(200, {"resourceType": "Bundle", "type": "searchset"})
    client.call(partner, Asked(path="CareTeam/_search", form=(("patient.identifier", "urn:oid:1|2"),)))
    (call,) = standin.calls
    assert call.path == "/fhir/CareTeam/_search"
    assert parse_qs(call.body.decode()) == {"patient.identifier": ["urn:oid:1|2"]}


def test_a_token_serves_until_it_ends_or_what_it_was_asked_with_changes(partner, standin, monkeypatch):
    client.call(partner, ASKED)
    client.call(partner, ASKED)
    assert standin.tokens_given == 1
    partner.scope = "system/CareTeam.crus"
    client.call(partner, ASKED)
    assert standin.tokens_given == 2
    now = time.monotonic()
    monkeypatch.setattr(client.time, "monotonic", lambda: now + 3600)
    client.call(partner, ASKED)
    assert standin.tokens_given == 3


def test_a_token_that_the_partner_forgot_is_asked_again_once(partner, standin):
    standin.says(401, outcome("login"))
    client.call(partner, ASKED)
    assert [one.headers["authorization"] for one in standin.calls] == ["Bearer jeton-1", "Bearer jeton-2"]
    standin.says(401, outcome("login"))
    standin.says(401, outcome("login"))
    failed = failure(partner)
    assert not failed.retry and failed.status == 401
    assert failed.sentence == "Le partenaire n’accepte pas notre jeton d’accès (401) : login."


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_go_better_later(partner, standin, status):
    standin.says(status, b"<html>", Content_Type="text/html", retry_after="120")
    failed = failure(partner)
    assert (failed.retry, failed.status, failed.wait) == (True, status, dt.timedelta(seconds=120))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 415, 422, 501])
def test_what_will_not(partner, standin, status):
    standin.says(status, outcome("invalid"))
    failed = failure(partner)
    assert (failed.retry, failed.status) == (False, status)


@pytest.mark.req("CDS-40")
def test_a_transaction_that_was_refused_is_not_a_breakdown(partner, standin):
    """The guide answers 500 to both (§9.15): what tells them apart is what the OperationOutcome says."""
    standin.says(500, outcome("required", "transient", expression=["Bundle.entry[2].resource.name"]))
    failed = failure(partner)
    assert not failed.retry
    assert failed.sentence == (
        "Le partenaire refuse (500) : required en Bundle.entry[2].resource.name, "
        "transient en Bundle.entry[2].resource.name."
    )
    standin.says(500, outcome("exception"))
    assert failure(partner).retry


def test_what_a_partner_says_in_words_is_not_kept(partner, standin):
    standin.says(422, outcome("invalid", expression=["Patient.where(name='TESTARD')"]))
    assert failure(partner).sentence == "Le partenaire refuse (422) : invalid."
    standin.says(422, outcome("TESTARD Paul"))
    assert failure(partner).sentence == "Le partenaire refuse (422) : invalid."


@pytest.mark.asvs("v5.0.0-10.1.1", "v5.0.0-15.3.2")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(partner, standin, status):
    with StandIn().running() as elsewhere:
        standin.says(status, b"", Location=f"{elsewhere.url}/fhir")
        failed = failure(partner)
        assert not failed.retry and failed.status == status
        assert elsewhere.heard == [], "neither the token nor the circle went where the answer pointed"


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"<html>Bienvenue</html>", "text/html"),
        (b"{", FHIR),
        (b'{"resourceType": "Bundle"', FHIR),
        (b"[]", FHIR),
        (b"", FHIR),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Bundle xmlns="http://hl7.org/fhir">&b;</Bundle>', "application/fhir+xml"),
    ],
)
def test_an_answer_that_does_not_read_is_asked_again(partner, standin, body, media):
    standin.says(200, body, Content_Type=media)
    failed = failure(partner)
    assert failed.retry and failed.sentence == "La réponse du partenaire ne se lit pas."


def test_an_answer_is_not_read_without_end(partner, standin, monkeypatch):
    monkeypatch.setattr(client.formats, "MAX_BYTES", 1000)
    standin.says(200, b" " * 1001)
    assert failure(partner).sentence == "La réponse du partenaire est trop longue."
    standin.says(200, {"resourceType": "Basic"}, Content_Encoding="gzip")
    assert failure(partner).sentence == "La réponse du partenaire ne se lit pas."


def test_a_partner_that_is_down_hangs_cuts_or_drips(partner, standin, monkeypatch):
    monkeypatch.setattr(wire, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(wire, "WHOLE_SECONDS", 0.4)
    standin.does(lambda handler: time.sleep(1))
    standin.does(lambda handler: handler.connection.close())
    standin.does(drip)
    for _ in range(3):
        began = time.monotonic()
        failed = failure(partner)
        assert failed.retry and failed.sentence.startswith("Le partenaire ne répond pas")
        assert time.monotonic() - began < 0.9
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    down = PartnerFactory(base_url=f"http://127.0.0.1:{port}/fhir", token_url=f"http://127.0.0.1:{port}/oauth/token")
    assert failure(down).sentence == "Le partenaire ne répond pas (NewConnectionError)."


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(20):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        pass


@pytest.mark.parametrize(("status", "retry"), [(400, False), (401, False), (429, True), (500, True), (503, True)])
def test_no_token_no_call(partner, standin, status, retry):
    standin.token = Said(status, {"error": "invalid_client"}, {"Content-Type": "application/json"})
    assert failure(partner).retry is retry
    assert standin.calls == []


@pytest.mark.parametrize("said", [[], {}, {"access_token": 1}, {"access_token": "a\r\nX: y"}, {"access_token": ""},
                                  {"access_token": "a", "expires_in": "bientôt"},
                                  {"access_token": "a", "expires_in": 10**400}])  # fmt: skip
def test_a_token_that_is_none_is_not_sent(partner, standin, said):
    standin.token = Said(200, said, {"Content-Type": "application/json"})
    assert failure(partner).sentence == "Le jeton d’accès donné par le partenaire ne se lit pas."
    assert standin.calls == []


def test_what_retry_after_asks():
    later = timezone.now() + dt.timedelta(minutes=10)
    assert client.wait_of("") == client.wait_of("bientôt") == client.wait_of("-5") == dt.timedelta(0)
    assert client.wait_of("30") == dt.timedelta(seconds=30)
    assert client.wait_of("9" * 40) == client.LONGEST_WAIT
    assert dt.timedelta(minutes=9) < client.wait_of(format_datetime(later)) <= dt.timedelta(minutes=10)
    assert client.wait_of(format_datetime(timezone.now() - dt.timedelta(days=1))) == dt.timedelta(0)


# ---- Where a call may go -----------------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-1.2.2")
@pytest.mark.parametrize(
    "url",
    [
        "http://partenaire.exemple/fhir", "ftp://partenaire.exemple/", "https://", "https:///fhir", "//x/fhir", "",
        "https://moi:secret@partenaire.exemple/", "https://partenaire.exemple/?a=b", "https://partenaire.exemple/#a",
        "https://partenaire.exemple:99999/", "https://partenaire.exemple\n/fhir", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_is_https_and_says_nothing_else(settings, url):
    settings.PARTNERS_ALLOW_PRIVATE = False
    assert not wire.is_allowed(url)
    assert wire.is_allowed("https://partenaire.exemple:8443/fhir")


@pytest.mark.asvs("v5.0.0-1.3.6")
@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::"],
)  # fmt: skip
def test_no_address_of_the_house_is_public(text):
    assert not wire.is_public(text)


def test_addresses_of_the_internet_are():
    assert wire.is_public("9.9.9.9") and wire.is_public("2620:fe::fe") and wire.is_public("::ffff:9.9.9.9")


@pytest.mark.asvs("v5.0.0-1.3.6")
@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["9.9.9.9", "127.0.0.1"]])
def test_a_name_that_leads_inside_is_not_called(settings, monkeypatch, addresses):
    settings.PARTNERS_ALLOW_PRIVATE = False
    monkeypatch.setattr(wire.socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", (one, 443)) for one in addresses])
    partner = PartnerFactory(base_url="https://partenaire.exemple/fhir", token_url="https://partenaire.exemple/t")
    failed = failure(partner)
    assert not failed.retry and failed.sentence == "L’adresse de ce partenaire n’est pas de celles qui s’appellent."


@pytest.mark.asvs("v5.0.0-12.3.2")
def test_a_name_is_resolved_once_and_tls_verified_against_it(standin, tmp_path, monkeypatch):
    """Rebinding: the second answer of the DNS, were there one, would lead elsewhere. Nobody asks for it."""
    key, certificate = self_signed("partenaire.exemple")
    context = served_by(tmp_path, key, certificate)
    with StandIn().running(context) as running:
        port = running._server.server_address[1]
        asked = []

        def resolve(host, *args, **kwargs):
            asked.append(host)
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(wire.socket, "getaddrinfo", resolve_names(resolve))
        url = f"https://partenaire.exemple:{port}/fhir"
        with pytest.raises(wire.Unreachable, match="SSLError"):
            wire.exchange("POST", url, headers={}, body=b"{}", most=1000)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        asked.clear()
        assert wire.exchange("POST", url, headers={}, body=b"{}", most=1000).status == 200
        assert asked == ["partenaire.exemple"]
        assert running.heard[-1].headers["host"] == f"partenaire.exemple:{port}"
        with pytest.raises(wire.Unreachable, match="SSLError"):
            wire.exchange("POST", url.replace("partenaire", "autre"), headers={}, body=b"{}", most=1000)


def resolve_names(answer):
    """Return a getaddrinfo that answers for names, and does as usual for addresses: the connection asks it too."""
    usual = socket.getaddrinfo

    def resolve(host, *args, **kwargs):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return answer(host, *args, **kwargs)
        return usual(host, *args, **kwargs)

    return resolve


def self_signed(host):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = timezone.now()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key, made


def served_by(folder, key, certificate):
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


# ---- The pages of an answer to a search ----------------------------------------------------------------------------

SEARCH = Asked(path="CareTeam/_search", form=(("patient.identifier", "urn:oid:1|2"),), acting="899700000001")


def page(standin, *ids, following=None):
    links = [{"relation": "self", "url": f"{standin.url}/fhir/CareTeam"}]
    links += [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": {"resourceType": "Basic", "id": id}} for id in ids]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def test_every_page_of_an_answer_is_read(partner, standin):
    standin.says(200, page(standin, "un", "deux", following=f"{standin.url}/fhir?page=b&x=1"))
    standin.says(200, page(standin, "trois", following=f"{standin.url}/fhir/CareTeam?page=c"))
    standin.says(200, page(standin, "quatre"))
    found = client.call(partner, SEARCH)
    assert [one["resource"]["id"] for one in found["entry"]] == ["un", "deux", "trois", "quatre"]
    first, *others = standin.calls
    assert [one.path for one in others] == ["/fhir?page=b&x=1", "/fhir/CareTeam?page=c"]
    for one in others:
        assert one.headers["authorization"] == "Bearer jeton-1" and one.body == b""
        assert one.headers["acting-professional"] == first.headers["acting-professional"]


@pytest.mark.parametrize(
    "following",
    [
        "https://ailleurs.exemple/fhir?page=b", "{url}/autre?page=b", "{url}/fhirs?page=b", "{url}/fhir/../token?x=1",
        "//127.0.0.1/fhir?page=b", "?page=b", "{url}/fhir?page=b c", "http://{user}@127.0.0.1/fhir?page=b",
        "{url}/fhir?page=b#x",
    ],
)  # fmt: skip
def test_what_follows_elsewhere_is_not_asked_and_a_part_is_not_taken_for_the_whole(partner, standin, following):
    standin.says(200, page(standin, "un", following=following.format(url=standin.url, user="a:b")))
    failed = failure(partner, SEARCH)
    assert not failed.retry and len(standin.calls) == 1


def test_an_answer_has_an_end(partner, standin, monkeypatch):
    standin.says(200, page(standin, "un", following=f"{standin.url}/fhir?page=b"))
    standin.says(200, page(standin, "un", following=f"{standin.url}/fhir?page=b"))
    assert failure(partner, SEARCH).sentence == "La réponse du partenaire a trop de pages."
    monkeypatch.setattr(client, "MOST_PAGES", 3)
    standin.heard.clear()
    for number in range(5):
        standin.says(200, page(standin, "un", following=f"{standin.url}/fhir?page={number}"))
    assert failure(partner, SEARCH).sentence == "La réponse du partenaire a trop de pages."
    assert len(standin.calls) == 3
    standin.answers.clear()


def test_a_page_that_fails_fails_them_all(partner, standin):
    standin.says(200, page(standin, "un", following=f"{standin.url}/fhir?page=b"))
    standin.says(503)
    assert failure(partner, SEARCH).retry
    standin.says(200, page(standin, "un", following=f"{standin.url}/fhir?page=b"))
    standin.says(410)
    assert not failure(partner, SEARCH).retry
