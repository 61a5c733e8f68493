"""TLS as we serve and call it, messages that cannot be smuggled, what the proxy lets through."""

import configparser
import re
import ssl

import pytest
from django.core.mail import get_connection
from gunicorn import config, sock
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from coordination.partners import wire
from tests.asvs import reading
from tests.partners.test_client import self_signed, served_by

pytestmark = pytest.mark.req("SECT-1")

CADDY = (reading.ROOT / "deploy/Caddyfile").read_text()
WEAK = ("RC4", "3DES", "DES-CBC", "MD5", "NULL", "EXPORT", "aNULL", "ADH", "PSK", "SRP", "RC2", "SEED", "IDEA")


@pytest.fixture
def served(tmp_path):
    """What gunicorn offers when it ends TLS itself (TLS_CERTIFICATE, TLS_KEY)."""
    served_by(tmp_path, *self_signed("dossier.example"))
    said = config.Config()
    said.set("certfile", str(tmp_path / "certificate.pem"))
    said.set("keyfile", str(tmp_path / "key.pem"))
    return sock.ssl_context(said)


@pytest.mark.asvs("v5.0.0-12.1.1")
def test_tls_is_1_2_or_1_3(served):
    assert served.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert served.maximum_version in (ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_3)
    for version in (ssl.OP_NO_TLSv1_3, ssl.OP_NO_TLSv1_2):
        assert not served.options & version
    # Caddy offers those two by itself: a line that names protocols would be one that may age.
    assert not re.search(r"^\s*protocols\b", CADDY, re.MULTILINE)
    said = (reading.ROOT / "deploy/gunicorn.conf.py").read_text()
    assert "ssl_version" not in said and "ssl_context" not in said


@pytest.mark.asvs("v5.0.0-12.1.2", "v5.0.0-11.2.3")
def test_ciphers_are_strong_and_the_strongest_come_first(served):
    ciphers = served.get_ciphers()
    assert ciphers and all(one["strength_bits"] >= 128 for one in ciphers)
    assert not [one["name"] for one in ciphers if any(weak in one["name"].upper() for weak in WEAK)]
    assert ciphers[0]["protocol"] == "TLSv1.3"
    # Each keeps its secrets whatever becomes of the certificate's key, but those of old clients, which come last.
    forward = [one["name"].startswith(("TLS_", "ECDHE", "DHE")) for one in ciphers]
    assert forward == sorted(forward, reverse=True)
    assert not re.search(r"^\s*ciphers\b", CADDY, re.MULTILINE)


@pytest.mark.asvs("v5.0.0-12.3.2")
@pytest.mark.parametrize("way", ["use_tls", "use_ssl"])
def test_the_certificate_of_the_mail_server_is_verified(way):
    context = get_connection("django.core.mail.backends.smtp.EmailBackend", **{way: True}).ssl_context
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname


@pytest.mark.asvs("v5.0.0-12.3.2")
def test_nothing_of_ours_calls_without_verifying():
    for path, name, call in reading.calls():
        assert name not in {"ssl._create_unverified_context", "urllib3.disable_warnings"}, path
        for one in call.keywords:
            if one.arg in {"verify", "check_hostname", "cert_reqs"}:
                assert getattr(one.value, "value", True) not in {False, "CERT_NONE"}, (path, name)
    # The one library that calls, in the one module that checks where.
    callers = {path for path, name in reading.imported() if name.partition(".")[0] in {"urllib3", "requests", "httpx"}}
    assert callers == {"coordination/partners/wire.py"} and wire.is_public("9.9.9.9")


def parsed(raw):
    """Return what gunicorn takes for requests in some bytes: (method, body) of each."""
    said = config.Config()
    found = []
    for request in RequestParser(said, iter([raw]), ("127.0.0.1", 1)):
        found.append((request.method, request.body.read()))
        if request.should_close():
            break
    return found


CHUNKED = "Transfer-Encoding: chunked\r\n"
HOST = "POST / HTTP/1.1\r\nHost: dossier.example\r\n"
AMBIGUOUS = {
    "two lengths": f"{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length that is none": f"{HOST}Content-Length: +5\r\n\r\nabcde",
    "lengths in one line": f"{HOST}Content-Length: 5, 5\r\n\r\nabcde",
    "an unknown coding": f"{HOST}Transfer-Encoding: xchunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "chunked twice": f"{HOST}{CHUNKED}{CHUNKED}\r\n5\r\nabcde\r\n0\r\n\r\n",
    "chunked not last": f"{HOST}Transfer-Encoding: chunked, identity\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    "a space before the colon": f"{HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": f"POST / HTTP/1.0\r\n{CHUNKED}\r\n0\r\n\r\n",
}


@pytest.mark.asvs("v5.0.0-4.2.1")
@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_request_whose_end_is_not_sure_is_refused(case):
    with pytest.raises(ParseException):
        parsed(AMBIGUOUS[case].encode())


@pytest.mark.asvs("v5.0.0-4.2.1")
def test_a_length_beside_chunks_smuggles_nothing():
    """RFC 9112 §6.1: refused, or the chunks decide and the connection closes. The second request is never answered."""
    raw = f"{HOST}Content-Length: 4\r\n{CHUNKED}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    try:
        found = parsed(raw)
    except ParseException:
        found = []
    assert [method for method, _ in found] in ([], ["POST"])
    assert parsed(f"{HOST}Content-Length: 3\r\n\r\nabc".encode()) == [("POST", b"abc")]


@pytest.mark.asvs("v5.0.0-4.1.3", "v5.0.0-15.3.4")
def test_the_proxy_overwrites_what_a_client_could_say():
    written = dict(re.findall(r"header_up (\S+) (\S+)", CADDY))
    assert written == {
        "X-Forwarded-Proto": "{scheme}",
        "X-Forwarded-For": "{remote_host}",
        "X-Request-ID": "{http.request.uuid}",
    }
    # « + » would add to what the client sent.
    assert not re.search(r"header_up \+", CADDY)
    example = (reading.ROOT / "deploy/environment.example").read_text()
    assert "\nTRUSTED_PROXIES=1\n" in example and "\nTLS_PROXY_HEADER=X-Forwarded-Proto\n" in example


@pytest.mark.asvs("v5.0.0-4.1.2")
def test_the_proxy_redirects_browsers_and_refuses_programs():
    plain = re.search(r"^http://\{\$SITE_HOST\} \{\n(.*?)^\}", CADDY, re.DOTALL | re.MULTILINE)[1]
    assert re.search(r"@programs path /fhir /fhir/\* /agenda/flux/\*\n\s*respond @programs 403", plain)
    assert "redir https://{host}{uri} permanent" in plain and "reverse_proxy" not in plain


@pytest.mark.asvs("v5.0.0-13.4.5", "v5.0.0-13.4.4")
def test_the_proxy_lets_no_probe_and_no_needless_method_through():
    site = CADDY[CADDY.index("\n{$SITE_HOST} {") :]
    assert re.search(r"@inside path /sante/\*\n\s*respond @inside 404", site)
    assert re.search(r"@needless method TRACE TRACK CONNECT\n\s*respond @needless 405", site)
    assert "admin off" in CADDY and not re.search(r"^\s*log\b", site, re.MULTILINE)
    assert not re.search(r"^\s*(file_server|browse|templates)\b", CADDY, re.MULTILINE)


@pytest.mark.req("SEC-22")
def test_what_the_proxy_could_not_pass_on_is_told_without_its_address():
    """Tried with Caddy 2.6.2 and no web server behind: its log of errors held the secret of an agenda, and the INS of
    a search. Without a `log` in a site no request that went well is told."""
    everywhere = CADDY[: CADDY.index("\nhttp://")]
    assert re.search(r"\n\tlog \{\n\t\tformat filter \{.*?\n\t+request delete\n", everywhere, re.DOTALL)
    assert not re.search(r"^\s*log\b", CADDY[len(everywhere) :], re.MULTILINE)


@pytest.mark.asvs("v5.0.0-13.2.2")
def test_each_process_runs_without_privileges():
    import yaml

    services = yaml.safe_load((reading.ROOT / "deploy/compose.production.yml").read_text())["services"]
    ours = [one for one in services.values() if one.get("image") == "coordination"]
    assert len(ours) >= 5
    for one in ours:
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
    for path in sorted((reading.ROOT / "deploy/systemd").glob("*.service")):
        unit = configparser.RawConfigParser(strict=False, delimiters="=")
        unit.optionxform = str
        unit.read_string(path.read_text())
        assert unit["Service"]["User"] == "coordination" and unit["Service"]["NoNewPrivileges"] in {"yes", "true"}


@pytest.mark.asvs("v5.0.0-13.4.1")
def test_the_image_holds_no_history_of_the_sources_and_no_test():
    ignored = (reading.ROOT / ".containerignore").read_text().splitlines()
    assert ignored[1] == "*" and not [line for line in ignored if line.startswith(("!.git", "!tests", "!.ci"))]
    recipe = (reading.ROOT / "deploy/Containerfile").read_text()
    assert not re.search(r"COPY \.( |$)|COPY \.git|COPY tests|ADD ", recipe, re.MULTILINE)
