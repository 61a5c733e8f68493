"""The logs name nobody (SEC-22): every way in is tried, then the lines are searched."""

import io
import json
import logging
import logging.config
import os
import socket
import subprocess
import sys
import uuid
from contextlib import contextmanager

import pytest
import structlog
from django.db import IntegrityError
from django.test import RequestFactory

from coordination.celery import IdentifiersOnly
from coordination.common import logging as product_logging
from coordination.common.logging import MASK, RequestLogMiddleware, mask
from coordination.runtime.places import ROOT

INS = "2 65 02 2A 004 123 45"
NAME, SEARCHED, MAIL = "Zéphirine Quatrelivres", "quatrelivr", "zephirine@famille.example"
SECRETS = (INS, INS.replace(" ", ""), NAME, SEARCHED, MAIL, "Quatrelivres", "famille.example")


@pytest.fixture
def lines():
    """Production's logging for one test; call it to get what was written, one dictionary per line."""
    with written_logs(as_json=True) as written:
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@contextmanager
def written_logs(*, as_json):
    before = structlog.get_config()
    written = io.StringIO()
    configuration = product_logging.configuration(as_json=as_json)
    formatter = configuration["formatters"]["line"] | {}
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter.pop("()")(**formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


@pytest.mark.asvs("v5.0.0-16.2.1", "v5.0.0-16.2.4")
def test_a_request_is_one_line_without_its_address(lines, client, db):
    client.get(f"/dossiers/{NAME}/?q={SEARCHED}")
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert line["status"] in {302, 404}
    assert line["method"] == "GET"
    assert len(line["request_id"]) == 32
    assert_silent(lines())


@pytest.mark.asvs("v5.0.0-16.2.5", "v5.0.0-16.3.3")
@pytest.mark.req("SEC-22")
@pytest.mark.parametrize("path", ["/", "/nulle/part", "/compte/connexion/"])
@pytest.mark.django_db
def test_nothing_typed_by_a_person_is_written(lines, client, path):
    client.get(path, {"q": SEARCHED, "nom": NAME})
    client.post(path, {"q": SEARCHED, "ins": INS, "login": MAIL}, headers={"Referer": f"http://testserver/?q={NAME}"})
    client.get(path, headers={"Host": f"{SEARCHED}.invalid", "X-Request-ID": NAME.split()[1] * 9})
    client.generic(SEARCHED, path)
    assert lines()[-1]["method"] == "AUTRE", "what somebody made up is written nowhere"
    assert lines()
    client.post(path, headers={"Origin": f"https://{SEARCHED}.invalid", "Referer": f"https://{SEARCHED}.invalid/"})
    assert "request refused: DisallowedHost" in [line["event"] for line in lines()]
    assert_silent(lines())


def test_a_probe_that_goes_well_is_not_written(lines, client):
    client.get("/sante/vivant")
    assert lines() == []


@pytest.mark.asvs("v5.0.0-16.3.4")
@pytest.mark.req("SEC-22")
def test_an_exception_says_where_and_not_what(lines):
    try:
        raise IntegrityError(f"Key (birth_name)=({NAME}) already exists.")
    except IntegrityError:
        logging.getLogger("django.request").exception("Internal Server Error: %s", "/x")
        structlog.stdlib.get_logger("circle").exception("circle.failed")
    assert [line["exception"] for line in lines()] == ["django.db.utils.IntegrityError"] * 2
    assert "test_logs.py" in lines()[0]["frames"][0]
    assert_silent(lines())


@pytest.mark.req("SEC-22")
def test_the_terminal_of_a_developer_names_nobody_either():
    """`make run` on a database of one's own: the same silences, locals of a failed function included."""

    def fails(secret):
        local = f"{secret} {INS}"  # what some renderers print beside the frame
        raise IntegrityError(f"Key (birth_name)=({local}) already exists.")

    with written_logs(as_json=False) as written:
        try:
            fails(NAME)
        except IntegrityError:
            logging.getLogger("django.request").exception("Internal Server Error: %s", f"/x/{NAME}")
            structlog.stdlib.get_logger("circle").exception("circle.failed", ins=INS, mail=MAIL)
            logging.getLogger("celery.app.trace").error(f"Task raised {NAME}", extra={"data": {"name": "x"}})
    first, *rest = written.getvalue().splitlines()
    assert "[error] request failed" in first
    assert "exception=django.db.utils.IntegrityError" in first
    assert any("test_logs.py" in line and line.endswith(" fails") for line in rest)
    assert f"ins={MASK}" in written.getvalue()
    assert_silent(written.getvalue().splitlines())


@pytest.mark.asvs("v5.0.0-16.4.1")
@pytest.mark.req("SEC-22")
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"Invalid request from ip=10.0.0.1: Invalid HTTP header name: '{NAME}'", "Invalid request from ip=10.0.0.1"),
        (f"Invalid request from ip=10.0.0.1: a\nb {NAME}", "Invalid request from ip=10.0.0.1"),
        (f"Error handling request GET /?q={SEARCHED}", "Error handling request"),
        (f"Error handling request /dossiers/{NAME}", "Error handling request"),
        ("Listening at: http://127.0.0.1:8000 (12)", "Listening at: http://127.0.0.1:8000 (12)"),
    ],
)
def test_the_web_server_quotes_no_client(lines, said, kept):
    logging.getLogger("gunicorn.probe").error(said)
    assert [line["event"] for line in lines()] == [kept]


@pytest.mark.asvs("v5.0.0-16.2.4")
@pytest.mark.slow
@pytest.mark.req("SEC-22")
def test_the_real_web_server_writes_json_and_quotes_no_header():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [*command, "--workers", "1", "wsgiref.simple_server:demo_app"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # No Django behind: nobody to draw the page of the refusals.
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "coordination.settings.test", "WEB_QUEUE": "0"},
    )
    said = []
    try:
        while not said or "Booting worker" not in said[-1]:
            said.append(server.stderr.readline())
            assert said[-1], "it stopped"
        for head in (f"X {SEARCHED}: 1", f"X-Forwarded-Proto\t{SEARCHED}: 1", SEARCHED):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(f"GET / HTTP/1.1\r\n{head}\r\n\r\n".encode())
                assert b"400" in client.recv(4096)
    finally:
        server.terminate()
        said += server.communicate()[1].splitlines()
    read = [json.loads(line) for line in said]
    assert [line["event"] for line in read].count("Invalid request from ip=127.0.0.1") == 3
    assert_silent(read)


@pytest.mark.req("SEC-22")
def test_what_libraries_attach_is_dropped(lines):
    request = RequestFactory().get("/", {"q": SEARCHED})
    logging.getLogger("django.request").error("Bad", extra={"request": request, "status_code": 400})
    data = {"id": "1", "name": "outbox.deliver", "args": f"('{NAME}',)", "exc": NAME, "description": "failed"}
    logging.getLogger("celery.app.trace").error(f"Task raised {NAME}", extra={"data": data})
    assert lines()[1]["event"] == "task failed"
    assert lines()[1]["task"] == "outbox.deliver"
    assert_silent(lines())


@pytest.mark.parametrize("odd", [2**80, "\udcff", {("a", 1): 2}, object], ids=["integer", "half", "key", "class"])
def test_no_line_is_lost_for_an_odd_value(lines, odd):
    structlog.stdlib.get_logger("x").info("odd", value=odd)
    assert lines()[0]["event"] == "odd"


@pytest.mark.req("SEC-22")
def test_long_numbers_and_addresses_are_masked_wherever_they_stand(lines):
    log = structlog.stdlib.get_logger("x")
    log.info(f"ins {INS}", value=INS.replace(" ", ""), deep={"a": [MAIL, {INS: 1}]}, number=180017512345678)
    assert MASK in lines()[0]["event"]
    assert_silent(lines())


@pytest.mark.parametrize(
    "text", ["1 80 01 75 123 456 78", "180017512345678", "265022A00412345", "05 36 49 12 34", INS]
)
def test_numbers_of_people_are_masked(text):
    assert mask(f"({text}).") == f"({MASK})."


@pytest.mark.parametrize(
    "text", ["2026-11-21T10:00:00", "port 8000, 12 rows", str(uuid.UUID(int=2**120 - 1)), "v5.2.19"]
)
def test_ordinary_numbers_are_left(text):
    assert mask(text) == text


def test_a_uuid_made_of_digits_is_left():
    assert mask("01908123-4567-7890-8123-123456789012") == "01908123-4567-7890-8123-123456789012"


def test_sql_is_never_written(settings):
    assert settings.LOGGING["loggers"]["django.db.backends"]["level"] == "WARNING"


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0123456789abcdef0123456789ABCDEF", True),
        ("01908123-4567-7890-8123-12345678901f", True),
        ("NOMSECRET-2790351215189", False),
        ("abcd-1234.proxy_9", False),
        ("180017512345678", False),
        ("a" * 33, False),
        ("", False),
        ("0123456789abcdef0123456789abcdef\n", False),
    ],
)
def test_a_request_identifier_is_taken_from_the_proxy_when_it_is_sane(given, kept):
    request = RequestFactory().get("/static/x", headers={"X-Request-ID": given})
    answer = RequestLogMiddleware(lambda request: _response())(request)
    assert (answer["X-Request-ID"] == given) is kept
    assert len(answer["X-Request-ID"]) >= 32


def _response():
    from django.http import HttpResponse

    return HttpResponse()


@pytest.mark.req("SECT-6")
@pytest.mark.parametrize("argument", [NAME, MAIL, INS, "Dupont", {"nom": "x"}])
def test_a_task_takes_identifiers_only(argument):
    class Probe(IdentifiersOnly):
        name = "probe"

    with pytest.raises(TypeError, match="identifiers only") as raised:
        Probe().apply_async([argument])
    assert str(argument) not in str(raised.value)


def assert_silent(lines):
    text = json.dumps(lines, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []
