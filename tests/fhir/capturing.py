"""Every resource that the server writes while the tests run, kept for the judge when FHIR_CAPTURE_DIR is set.

Each once: two resources that differ by their ids, dates, numbers and sentences are one to a judge of structures and
codes. Each in both formats, whichever was asked for.
"""

import hashlib
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from coordination.fhir import checking, formats, registry

VARIABLE = "FHIR_CAPTURE_DIR"
# What tells two resources apart and nothing to the judge.
_SENTENCES = re.compile(
    rb'"(diagnostics|display|text|family|line|city|name|description|comment|div|value|versionId|etag)":"[^"]*"'
    rb'|"(given|line|expression)":\[[^\]]*\]'
)
_PLACES = re.compile(
    rb'(?P<kept>"code":"[^"]*")'
    rb"|[0-9a-f]{8}-[0-9a-f-]{27}"  # ids
    rb"|\d{4}-\d\d(-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?)?"  # dates and moments
    rb'|"url":"http://(testserver|localhost|127)[^"]*"'  # links of a Bundle
    rb"|\d+"
)


@contextmanager
def captured():
    """Keep what `write_json` and `write_xml` are given by the product; nothing without the variable."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield
        return
    keep = _Keep(Path(folder))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("write_json", "write_xml"):
            patch.setattr(formats, name, _watched(getattr(formats, name), keep))
        # Tests of a mapper ask its provider, without any address.
        for provider in {type(one) for name in registry.types() for one in registry.for_type(name)}:
            patch.setattr(provider, "load", _loaded(provider.load, keep))
        yield


@pytest.fixture
def not_judged(monkeypatch):
    """What the server gives back in this test is what was sent: the judge would judge the test."""
    monkeypatch.setattr(_Keep, "is_aside", True)


class _Keep:
    # A test that sends what no software would, to see that it comes back as it was, says so: its words are not ours.
    is_aside = False

    def __init__(self, home):
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.seen = home, set()
        self.write_json, self.write_xml = formats.write_json, formats.write_xml

    def __call__(self, resource):
        if self.is_aside:
            return
        body = self.write_json(resource)
        shape = _shape(orjson.dumps(resource, default=str, option=orjson.OPT_SORT_KEYS))
        name = f"{resource['resourceType']}-{hashlib.sha256(shape).hexdigest()[:16]}"
        if name not in self.seen:
            self.seen.add(name)
            _put(self.home / f"{name}.json", body)
            _put(self.home / f"{name}.xml", self.write_xml(resource))


def _watched(write, keep):
    def written(resource):
        # What a test writes itself is not what the server produces.
        if not sys._getframe(1).f_globals["__name__"].startswith("tests."):
            keep(resource)
        return write(resource)

    return written


def _loaded(load, keep):
    def kept(*arguments, **named):
        found = load(*arguments, **named)
        for resource in found.values():
            # A test that hands its mapper what the engine would refuse gets it back.
            if not any(issue.is_error for issue in checking.issues_of(resource)):
                keep(resource)
        return found

    return kept


def _shape(body):
    return _PLACES.sub(lambda found: found["kept"] or b"", _SENTENCES.sub(rb'"\1\2":""', body))


def _put(path, body):
    """Whole or not at all, and once, whoever else writes it at the same moment."""
    own = path.with_name(f".{path.name}.{os.getpid()}")
    own.write_bytes(body)
    own.rename(path)
