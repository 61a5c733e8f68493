"""The product answers the same with its caches warm, lost, off or poisoned (SCALE-13).

Two kinds: what a process keeps (pages, drawings, words, the matrix), and the count of the calls of software, in Redis.
`FULL=1`: each page is asked seven times.
Nothing else is cached: no page and no right goes through Redis (tests/test_schema_truths.py).
"""

import os
import re

import pytest
from cachetools import Cache
from django.core.cache import caches
from django.test import Client

from coordination.accounts.models import User
from coordination.directory.search import vocabulary
from coordination.fhir import throttling
from habilitations import published
from tests.agenda import factories as planned
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.circle.fhir_calls import circle_id
from tests.directory import search_data
from tests.fhir.api import Api
from tests.test_schema_truths import loaded_rooms

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.req("SCALE-13"),
    pytest.mark.skipif(not os.environ.get("FULL"), reason="asks every page seven times: FULL=1"),
]

PAGES = (
    "{dossier}", "{dossier}cercle/", "{dossier}cercle/membres/{member}/", "{dossier}agenda/", "/dossiers/",
    "/a-faire/", "/agenda/semaine/",
)  # fmt: skip
CALLS = ("CareTeam/{circle}", "CareTeam?patient={pk}&_include=*", "Patient/{pk}")
# What is drawn anew for each answer, and says nothing: tokens of forms, identifiers and hours of a Bundle.
DRAWN_ANEW = re.compile(r'\b[A-Za-z0-9]{32,}\b|"(?:id|timestamp|lastUpdated)": ?"[^"]+"')


@pytest.fixture
def there(db):
    """A dossier with a circle and an event, and somebody in the directory to look for."""
    publish_default_matrix()
    reader = make.coordinator(family_name="LECTRICE")
    User.objects.filter(pk=reader.pk).update(is_administrator=True)
    reader.refresh_from_db()
    entry = make.open_circle(reader)
    make.by_hand(entry, family_name="MANUEL")
    make.relative(entry, family_name="PROCHE")
    make.add(entry, make.listed(structure=make.StructureFactory()))
    planned.appointment(entry, planned.member_of(entry, reader))
    search_data.person("TESTARD", "Paul")
    search_data.learn()
    # A first visit tells what is new; those that are compared come after it.
    client = Client()
    client.force_login(reader)
    assert client.get(f"/dossiers/{entry.dossier.pk}/").status_code == 200
    lose()
    yield entry
    published.forget()
    lose()


def kept():
    """Yield (module, name, what keeps) for everything that this process keeps from one request to the next."""
    for module in loaded_rooms():
        for name, value in list(vars(module).items()):
            if hasattr(value, "cache_clear") or isinstance(value, Cache):
                yield module, name, value


def lose():
    """Forget all of it, as a process does that has just started."""
    for _, _, value in kept():
        value.clear() if isinstance(value, Cache) else value.cache_clear()
    published.forget()
    vocabulary.forget()


def said(answer):
    return answer.status_code, DRAWN_ANEW.sub("", answer.content.decode())


def pages(entry):
    """Return {address: what it answers}, asked by a browser that has just signed in."""
    client = Client()
    client.force_login(entry.user)
    member = planned.member_of(entry, entry.user).pk
    names = {"dossier": f"/dossiers/{entry.dossier.pk}/", "member": member}
    found = {page: said(client.get(page.format(**names))) for page in PAGES}
    return found | {"search": said(client.post("/annuaire/", {"q": "testard"}))}


def calls(entry):
    """Return {address: what it answers} to a program of the reader."""
    api, names = Api.of(Client(), entry.user), {"circle": circle_id(entry), "pk": entry.dossier.pk}
    return {call: said(api.get(call.format(**names))) for call in CALLS}


def answers(entry):
    return pages(entry) | calls(entry)


def differing(one, other):
    """Return {address: where two answers part}."""
    return {address: _parting(one[address], other[address]) for address in one if one[address] != other[address]}


def _parting(one, other):
    (_, a), (_, b) = one, other
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return one[0], other[0], a[max(0, at - 60) : at + 60], b[max(0, at - 60) : at + 60]


class Off(Cache):
    """Keeps nothing."""

    def __setitem__(self, key, value):
        pass


def test_warm_lost_and_off(there, monkeypatch):
    """Off: nothing that changes is kept, not for the time of a request; written there, it is forgotten."""
    cold, warm = answers(there), answers(there)
    assert {status for status, _ in cold.values()} == {200}, {a: s for a, (s, _) in cold.items() if s != 200}
    assert differing(cold, warm) == {}
    lose()
    for module, name, value in list(kept()):
        if isinstance(value, Cache):
            monkeypatch.setattr(module, name, Off(maxsize=1))
    assert differing(cold, answers(there)) == {}


def test_lost_between_two_requests_of_a_change(there):
    """What was kept before an act is not what is answered after it: warm and cold, the same."""
    before = answers(there)
    make.by_hand(there, family_name="NOUVELLE")
    warm = answers(there)
    lose()
    assert differing(warm, answers(there)) == {}
    assert "{dossier}cercle/" in differing(before, warm)


def test_a_cache_that_answers_something_else_would_be_seen(there):
    """The comparison is worth what it sees: a page kept for another."""
    from circle.views import listing

    expected = pages(there)
    assert listing._bodies, "nothing was kept: the walk does not warm what it believes"
    for key in list(listing._bodies):
        listing._bodies[key] = "<p>d’un autre</p>"
    assert "{dossier}cercle/" in differing(expected, pages(there))


# ---- The count of calls, in Redis --------------------------------------------------------------------


def poisoned(cache):
    """Put in each key that the count may use what it never wrote."""

    class Poisoned(type(cache)):
        def incr(self, key, delta=1, version=None):
            raise TypeError("not a number")

        def get(self, key, default=None, version=None):
            return "<script>"

    return Poisoned


def lost(cache):
    class Lost(type(cache)):
        def incr(self, key, delta=1, version=None):
            raise ValueError("no such key")

        def add(self, *args, **kwargs):
            return True

    return Lost


def away(cache):
    class Away(type(cache)):
        def _gone(self, *args, **kwargs):
            raise ConnectionError("no Redis")

        get = set = add = incr = delete = _gone

    return Away


@pytest.mark.parametrize("how", [poisoned, lost, away])
def test_whatever_the_cache_of_calls_says(there, settings, monkeypatch, how):
    settings.FHIR_CALLS_PER_MINUTE = 600
    expected = calls(there)
    throttling.forget()
    cache = caches[throttling.CACHE]
    monkeypatch.setattr(cache, "__class__", how(cache))
    try:
        assert differing(expected, calls(there)) == {}
    finally:
        throttling.forget()
