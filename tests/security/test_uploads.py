"""No hostile file is run, shown as what it says it is, or kept but as text, whatever screen takes it (SECT-23)."""

import html
import random
import re
import time
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import unquote_plus

import pytest
from django import forms
from django.core.files.storage import Storage
from django.db import transaction
from django.urls import reverse

from coordination.accounts.models import Draft
from coordination.common import cipher
from coordination.runtime.places import ROOT
from tests.security import hostile_files as hostile
from tests.security import routes as r
from tests.security import sampling
from tests.security import world as w

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-23")]
NEEDS = {"situations": (w.GRANTED,), "profiles": (w.OWNER,)}
BOUNDARY = "a-line-that-no-file-holds"
# What the product reads of a file takes less; the rest is the page and the machine.
LONGEST = 5.0
# The fields of every screen that takes a file: where, as whom, under which name.
SCREENS = {
    "invitations:invite_several": (lambda place: [], w.OWNER, "file"),
    "circle:check_several": (lambda place: [place.dossier.pk], w.OWNER, "file"),
    "habilitations:import": (lambda place: [], w.ADMINISTRATOR, "fichier"),
}
ROOMS = ("agenda", "circle", "coordination", "habilitations")
FORMS = {"LinesForm", "PeopleForm", "ImportForm"}


def forms_with_a_file(top=forms.BaseForm):
    for made in top.__subclasses__():
        if any(isinstance(one, forms.FileField) for one in getattr(made, "base_fields", {}).values()):
            yield made
        yield from forms_with_a_file(made)


def test_every_screen_that_takes_a_file_is_asked():
    assert r.names(), "no view is loaded before its address is asked for"
    ours = {one.__name__ for one in forms_with_a_file() if one.__module__.split(".")[0] in ROOMS}
    assert ours == FORMS
    reading = set()
    for path in [one for room in ROOMS for one in (ROOT / room).rglob("*.py")]:
        if re.search(r"\.FILES\b", path.read_text()):
            reading.add(str(path.relative_to(ROOT)))
    assert reading == {"circle/views/colleagues.py", "circle/views/gathering.py", "habilitations/views/versions.py"}


def test_there_are_two_hundred_and_they_differ():
    made = list(hostile.corpus())
    assert len(made) >= 200
    assert len({(one.name, one.type, one.content) for one in made}) >= 190
    assert len({one.kind for one in made}) == len(made)


def body_of(field, file):
    """Return the bytes that a program sends: the name of the file as it is, which a browser would have tidied."""
    name = file.name.replace("\\", "\\\\").replace('"', '\\"')
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    sort = f"Content-Type: {file.type}\r\n" if file.type else ""
    rest = f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="lines"\r\n\r\n\r\n--{BOUNDARY}--\r\n'
    return (head + sort + "\r\n").encode() + file.content + rest.encode()


class Shown(HTMLParser):
    """Whether what a browser makes of a page would run the words of a file: escaped, they are only read."""

    def __init__(self):
        super().__init__()
        self.inside, self.found = [], False

    @classmethod
    def runs(cls, page):
        reader = cls()
        reader.feed(page)
        return reader.found

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)
        for name, value in attrs:
            addressed = name in {"href", "src", "action", "formaction", "srcdoc", "style"} or name.startswith("on")
            self.found |= addressed and hostile.CANARY in (value or "")

    def handle_data(self, data):
        self.found |= bool(self.inside) and self.inside[-1] in {"script", "style"} and hostile.CANARY in data

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass


@pytest.mark.parametrize(
    ("page", "runs"),
    [
        (f"<p>{hostile.SCRIPT}</p>", True),
        (f"<p>{html.escape(hostile.SCRIPT)}</p>", False),
        (f'<input value="{html.escape(hostile.SCRIPT)}">', False),
        (f"<textarea>{html.escape(hostile.SCRIPT)}</textarea>", False),
        (f"<img src=x onerror=\"alert('{hostile.CANARY}')\">", True),
        (f'<a href="javascript:{hostile.CANARY}">x</a>', True),
        (f"<svg><style>{hostile.CANARY}</style></svg>", True),
    ],
)
def test_a_page_that_would_run_it_is_told_from_one_that_shows_it(page, runs):
    assert Shown.runs(page) is runs


def wrong_with(answer, file):
    """Return what is wrong with the answer to a hostile file."""
    page = answer.content.decode("utf-8", "replace")
    if answer.status_code not in (200, 303, 400, 413, 422):
        yield f"answered {answer.status_code}"
    if answer.status_code in (200, 422) and not answer["Content-Type"].startswith("text/html"):
        yield f"is shown as {answer['Content-Type']}"
    if answer["X-Content-Type-Options"] != "nosniff" or "default-src 'none'" not in answer["Content-Security-Policy"]:
        yield "the browser is left to guess"
    if Shown.runs(page):
        yield "is shown as it is"
    if "root:x:0" in page or hostile.POSITION.decode() in page:
        yield "tells what it must not"


@pytest.fixture
def nothing_is_kept(monkeypatch):
    """No file is stored, by any storage."""

    def refuse(*_given, **_named):
        raise AssertionError("A file was stored.")

    monkeypatch.setattr(Storage, "save", refuse)


def test_no_hostile_file_is_run_shown_or_kept(world, nothing_is_kept):
    place = world.places[w.GRANTED]
    people = {w.OWNER: world.people[w.OWNER], w.ADMINISTRATOR: world.apart[w.ADMINISTRATOR]}
    visitors = {whom: r.Visitor(user) for whom, user in people.items()}
    wrong, refused = {}, dict.fromkeys(SCREENS, 0)
    files = list(hostile.corpus())
    for file in sampling.few(files, len(files) // 2):
        # A screen for each, drawn; all files and all screens in the full form.
        for name in SCREENS if sampling.FULL else random.sample(sorted(SCREENS), 1):
            ids, whom, field = SCREENS[name]
            began = time.perf_counter()
            answer, kept = asked(visitors[whom], reverse(name, args=ids(place)), body_of(field, file))
            took = time.perf_counter() - began
            found = [*wrong_with(answer, file), *([f"took {took:.1f} s"] if took > LONGEST else [])]
            if hostile.POSITION.decode() in kept:
                found.append("its position is kept")
            if found:
                wrong[name, file.kind] = found
            refused[name] += answer.status_code == 422
    assert wrong == {}, r.listed(wrong)
    assert all(refused.values()), "a screen refused nothing: was it asked?"


def asked(visitor, path, body):
    """Return the answer, and all that is kept of what was being typed, before both are taken back."""
    visitor.client.cookies = SimpleCookie(visitor.kept)
    with transaction.atomic():
        answer = visitor.client.post(path, body, content_type=f"multipart/form-data; boundary={BOUNDARY}")
        kept = [unquote_plus(cipher.decrypt(one)) for one in Draft.objects.values_list("content", flat=True)]
        transaction.set_rollback(True)
    return answer, " ".join(kept)
