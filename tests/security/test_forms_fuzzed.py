"""Whatever is typed in whatever field, by whoever, no address answers an error of ours (SECT-18).

The fields of a route are those of the forms that its module names and those that it reads by itself. Short at each
run, each route as a role drawn; `FULL=1` asks every role, many times over. The API is attacked by schemathesis
(tests/fhir/test_openapi.py, tests/conformance/test_attack.py).
"""

import inspect
import random
import re
import uuid
from urllib.parse import quote_plus

import pytest
from django import forms
from django.http import HttpResponse
from django.urls import path

from tests.security import routes as r
from tests.security import sampling
from tests.security import world as w
from tests.test_architecture import named_routes

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-18")]
ROLES = (w.OWNER, "medecin", w.ADMINISTRATOR, w.LOOKS_AFTER, w.ANONYMOUS)
NEEDS = {"situations": (w.GRANTED,), "profiles": (w.OWNER, "medecin")}
# How many bodies a route is sent, as each role.
BODIES = 40 if sampling.FULL else 1
READ_BY_ITSELF = re.compile(r'POST(?:\.get|\.getlist|\.pop)?[\[(]\s*"(\w+)"')
NASTY = (
    *("", " ", "\0", "a" * 5_000, "9" * 40, "-1", "0", "1.5", "1e400", "NaN", "null", "true", "on", "oui", "[]", "{}"),
    *("[" * 500, "../../etc/passwd", "<script>alert(1)</script>", "' OR '1'='1", "x'; DROP TABLE accounts_user; --"),
    *("%s%n%00", "{{7*7}}", "2026-02-30", "31/02/2026", "99/99/9999", "0001-01-01", "31/12/9999", "24:60", "25h99"),
    *(
        "é" * 200,
        "İ",
        "ﬃ",
        "\u202e\u2066",
        "💣",
        "\r\n\r\nSet-Cookie: x=1",
        "a@",
        "a@b@c",
        "http://[::1",
        "/",
        "médecin/",
    ),
    *(
        "javascript:alert(1)",
        str(uuid.UUID(int=0)),
        "0" * 32,
        "medecin",
        "10",
        "lecture",
        "2",
        "١٢٣",
        "１２",
        "\ufeff",
    ),
    *("\u0085", "0x10", "1_000"),
)
# Bytes that are no text, as only a program sends them.
RAW = ("%ff%fe", "%c3%28", "%ed%a0%80", "%00", "%")


def fields_of(view):
    """Return the names of the fields that the module of a view reads: those of its forms, and by itself."""
    module = inspect.getmodule(inspect.unwrap(view))
    found = set(READ_BY_ITSELF.findall(inspect.getsource(module)))
    for made in vars(module).values():
        if inspect.isclass(made) and issubclass(made, forms.BaseForm):
            names = {name: getattr(made, "NAMES", {}).get(name, name) for name in getattr(made, "base_fields", {})}
            found |= names.keys() | {name for name in names.values() if isinstance(name, str)}
    return sorted(found)


def body(chance, fields):
    """Return an urlencoded body: most fields, some twice, some that nobody knows."""
    pairs = []
    for name in fields:
        for _ in range(chance.choice((0, 1, 1, 1, 2))):
            raw = chance.random() < 0.1
            pairs.append(f"{name}={chance.choice(RAW) if raw else quote_plus(chance.choice(NASTY))}")
    pairs += [f"{quote_plus(chance.choice(NASTY)[:40])}=x" for _ in range(chance.choice((0, 0, 1)))]
    chance.shuffle(pairs)
    return "&".join(pairs)


def faults(visitor, address, fields, chance, bodies):
    """Yield what an address answers that it must not, and the body that makes it."""
    for _ in range(bodies):
        sent = body(chance, fields)
        answer = visitor.ask("POST", address, sent, content_type="application/x-www-form-urlencoded")
        if answer.status_code >= 500:
            error = getattr(answer, "exc_info", None)
            yield f"{answer.status_code} {error and error[1]!r}: {sent[:300]}"


def test_no_address_breaks_whatever_is_typed(world):
    place, chance, parts = world.places[w.GRANTED], random.Random(random.random()), r.names()
    known, wrong, asked, read = r.ids_of(world, place), {}, 0, 0
    visitors = {role: r.Visitor(world.people.get(role) or world.apart.get(role)) for role in ROLES}
    for name, _, view in sorted(named_routes(), key=lambda one: one[0]):
        if name.startswith("fhir:"):
            continue
        ids, fields = known | r.OWN_IDS.get(name, lambda *_: {})(world, place), fields_of(view)
        address = r.address(name, parts[name], ids)
        read += bool(fields)
        for role in ROLES if sampling.FULL else chance.sample(ROLES, 1):
            asked += 1
            for fault in faults(visitors[role], address, fields, chance, BODIES):
                wrong.setdefault((name, role), fault)
    assert not wrong, r.listed(wrong)
    assert asked >= 150 and read >= 80, "too few addresses, or fields, to prove anything"


def _broken(request):
    return HttpResponse(int(request.POST.get("number", "1")))


urlpatterns = [path("", _broken, name="broken")]


def test_a_planted_fault_is_found(settings):
    settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, []
    assert "number" in fields_of(_broken)
    (first, *_) = faults(r.Visitor(None), "/", ["number"], random.Random(18), 20)
    assert first.startswith("500 ValueError")
