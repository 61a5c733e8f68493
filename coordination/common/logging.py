"""Logs with a request identifier, and nothing that names a person (SEC-22).

JSON, or plain text on a developer's terminal: both say the same, for `make run` may be pointed at real people.
What is written: the event, the route (not the address), a status, a duration, identifiers. What never is:
a query string, a form, an exception's message (databases quote the rows they refuse), a long number, an e-mail.
"""

import json
import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from coordination.common import metrics

Event = dict[str, Any]

# What proxies make, and nothing that a person could have written: 32 hexadecimal digits, grouped as a UUID or not.
ACCEPTED_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Ten digits or more, in groups or not: INS (with Corsica's 2A, 2B), NIR, RPPS, SIRET, phone. UUIDs are spared.
LONG_NUMBER = re.compile(r"(?<![\w-])\+?\d(?:[ .\u00a0\u202f]?[\dAB]){9,}(?![\w-])")
EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")
SHORTEST_NUMBER = 10
MASK, EMAIL_MASK = "[numéro]", "[courriel]"

logger = structlog.stdlib.get_logger("coordination.requests")


def mask(text: str) -> str:
    """`text` without its long numbers and its e-mail addresses."""
    # Most of what a line says can hold neither: looking whether it does costs a tenth of looking for them.
    if "@" in text:
        text = EMAIL.sub(EMAIL_MASK, text)
    return LONG_NUMBER.sub(MASK, text) if len(text) >= SHORTEST_NUMBER else text


def mask_event(_logger: Any, _method: str, event: Event) -> Event:
    """structlog processor: mask every value, lists and dictionaries included."""
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**9 else MASK
    if isinstance(value, dict):
        return {mask(str(key)): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_masked(item) for item in value]
    return mask(str(value))


def bare_traceback(_logger: Any, _method: str, event: Event) -> Event:
    """structlog processor: where an exception passed and its class; never its message nor its values."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else sys.exc_info()[1]
    if not info or error is None:
        return event
    event["exception"] = f"{type(error).__module__}.{type(error).__qualname__}"
    frames = traceback.extract_tb(error.__traceback__)
    event["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def bare_extras(_logger: Any, _method: str, event: Event) -> Event:
    """structlog processor: what libraries attach to their lines quotes query strings, arguments and exceptions.

    Django attaches the request (its text holds the query string), Celery what the task was given and raised;
    Celery's sentence itself quotes the exception. The task's name and identifier are kept.
    """
    event.pop("request", None)
    event.pop("message", None)  # the sentence again, left on the record by another handler
    data = event.pop("data", None)
    if isinstance(data, dict) and "name" in data:
        event["event"] = f"task {data.get('description', 'received')}"
        event.update(task=data["name"], task_id=data.get("id"))
    return event


# gunicorn's two sentences that go on with what the client sent: a header, an address.
GUNICORN_QUOTES = re.compile(r"(Invalid request from ip=\S*|Error handling request)[: ].*", re.DOTALL)


def bare_sentences(_logger: Any, _method: str, event: Event) -> Event:
    """structlog processor: libraries' own sentences, without what a client sent (host, path, header, origin)."""
    library, sentence = str(event.get("logger", "")), event.get("event")
    if library.startswith("django.security."):
        event["event"] = f"request refused: {library.rpartition('.')[2]}"
    elif library == "django.request":
        event["event"] = "request failed"
    elif library.startswith("gunicorn") and isinstance(sentence, str):
        event["event"] = GUNICORN_QUOTES.sub(r"\1", sentence).rstrip(":")
    return event


def as_text(_logger: Any, _method: str, event: Event) -> str:
    """structlog renderer for a terminal: one line, the frames of an exception below it."""
    frames = event.pop("frames", [])
    first = f"{event.pop('timestamp', '')} [{event.pop('level', '')}] {event.pop('event', '')}"
    rest = [f"{key}={value}" for key, value in event.items()]
    return "\n    ".join([" ".join([first, *rest]), *frames])


def as_line(_logger: Any, _method: str, event: Event) -> str:
    """structlog renderer for machines: one line of JSON; what JSON does not know is written as text."""
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits, half a character: a line is never lost for it
        return json.dumps(event, default=repr)


def configuration(*, as_json: bool) -> dict:
    """Django's LOGGING. JSON everywhere but in development, where a person reads the same on the terminal."""
    shared: list[Callable] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
    ]
    last: list[Callable] = [
        bare_extras,
        bare_sentences,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        bare_traceback,
        mask_event,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        as_line if as_json else as_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Configured once, before anything is written: each line need not build its logger again.
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": last,
                "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder()],
            }
        },
        "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["terminal"], "level": "INFO"},
        "loggers": {
            # Our own request line replaces Django's; it would quote the address as typed.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.server": {"handlers": [], "level": "ERROR", "propagate": False},
            # Two lines for every sweep, every five seconds, would hide the rest.
            "celery": {"handlers": [], "level": "WARNING", "propagate": True},
            # It would describe the secrets it was shown.
            "oauthlib": {"handlers": [], "level": "WARNING", "propagate": True},
            # SQL carries names: never below WARNING, whatever DEBUG says.
            "django.db.backends": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


class RequestLogMiddleware:
    """Gives every request an identifier (`request.id`), said back in X-Request-ID, and one line in the log.

    The journal keeps the same identifier, so that a trace leads to its lines.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        request.id = request_id  # type: ignore[attr-defined]
        started = time.perf_counter()
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        seconds = time.perf_counter() - started
        # Files and probes that go well are many and say nothing.
        quiet = request.path.startswith((settings.STATIC_URL, "/sante/")) and response.status_code < 400
        if not quiet:
            metrics.answered(request, response, seconds)
            self._write(request, response, seconds)
        return response

    @staticmethod
    def _write(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        logger.log(
            logging.ERROR if response.status_code >= 500 else logging.INFO,
            "request",
            method=metrics.method_of(request),
            # The pattern, not the address: somebody may have typed a name in an address that leads nowhere.
            route=match.route if match else "-",
            # The name of the page, which service levels are computed by (`manage.py slo --journal`).
            view=match.view_name if match else "-",
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
