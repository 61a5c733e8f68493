"""The logs name nobody (SEC-22): every way in is tried, then the lines are searched."""

import io
import json
import logging
import logging.config
import uuid

import pytest
import structlog
from django.db import IntegrityError
from django.test import RequestFactory

from coordination.celery import IdentifiersOnly
from coordination.common import logging as product_logging
from coordination.common.logging import MASK, RequestLogMiddleware, mask

INS = "2 65 02 2A 004 123 45"
NAME, SEARCHED, MAIL = "Zéphirine Quatrelivres", "quatrelivr", "zephirine@famille.example"
SECRETS = (INS, INS.replace(" ", ""), NAME, SEARCHED, MAIL, "Quatrelivres", "famille.example")


@pytest.fixture
def lines():
    """Production's logging for one test; call it to get what was written, one dictionary per line."""
    before = structlog.get_config()
    written = io.StringIO()
    configuration = product_logging.configuration(as_json=True)
    formatter = configuration["formatters"]["line"] | {}
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter.pop("()")(**formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


def test_a_request_is_one_line_without_its_address(lines, client):
    client.get(f"/dossiers/{NAME}/?q={SEARCHED}")
    (line,) = [line for line in lines() if line["event"] == "request"]
    assert line["status"] in {302, 404}
    assert line["method"] == "GET"
    assert len(line["request_id"]) == 32
    assert_silent(lines())


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize("path", ["/", "/nulle/part", "/compte/connexion/"])
@pytest.mark.django_db
def test_nothing_typed_by_a_person_is_written(lines, client, path):
    client.get(path, {"q": SEARCHED, "nom": NAME})
    client.post(path, {"q": SEARCHED, "ins": INS, "login": MAIL}, headers={"Referer": f"http://testserver/?q={NAME}"})
    client.get(path, headers={"Host": f"{SEARCHED}.invalid", "X-Request-ID": NAME.split()[1] * 9})
    assert lines()
    assert_silent([line for line in lines() if line["logger"] != "django.security.DisallowedHost"])


def test_a_probe_that_goes_well_is_not_written(lines, client):
    client.get("/sante/vivant")
    assert lines() == []


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
def test_what_libraries_attach_is_dropped(lines):
    request = RequestFactory().get("/", {"q": SEARCHED})
    logging.getLogger("django.request").error("Bad", extra={"request": request, "status_code": 400})
    data = {"id": "1", "name": "outbox.deliver", "args": f"('{NAME}',)", "exc": NAME, "description": "failed"}
    logging.getLogger("celery.app.trace").error(f"Task raised {NAME}", extra={"data": data})
    assert lines()[1]["event"] == "task failed"
    assert lines()[1]["task"] == "outbox.deliver"
    assert_silent(lines())


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


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abcd-1234.proxy_9", True), ("short", False), ("a" * 65, False), ("with space 123", False), ("x\ny" * 5, False)],
)
def test_a_request_identifier_is_taken_from_the_proxy_when_it_is_sane(given, kept):
    request = RequestFactory().get("/static/x", headers={"X-Request-ID": given})
    answer = RequestLogMiddleware(lambda request: _response())(request)
    assert (answer["X-Request-ID"] == given) is kept
    assert len(answer["X-Request-ID"]) >= 8


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
