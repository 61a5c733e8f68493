"""Who is too many is told at once, and a queue that forms and goes refuses nobody (PERF-18)."""

import io
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from coordination.common import metrics, overload
from coordination.runtime.places import ROOT
from tests.bench import servers

pytestmark = pytest.mark.req("PERF-18")
MOST = 32
REFUSALS = {"/fhir/": ("application/fhir+json", b"{}"), "": ("text/html", b"<p>trop</p>")}


def walked(*steps):
    """What a queue says at each (moment, length)."""
    queue = overload.Queue(MOST)
    return [queue.is_too_long(length, now) for now, length in steps]


def seen(begin, end, length):
    """The same length, looked at as often as a server at work does."""
    return [(tenths / 10, length) for tenths in range(round(begin * 10), round(end * 10) + 1, 2)]


STOOD = seen(0, 2, MOST + 1)


def test_a_queue_that_goes_refuses_nobody():
    assert not any(walked(*seen(0, 1.9, 500), (1.95, 32), *seen(2, 3.9, 300)))


def test_one_that_stays_is_refused_then_only_a_quarter_is_borne():
    assert not any(walked(*STOOD[:-1]))
    assert walked(*STOOD, (2.1, 9), (2.2, 8), (2.3, 9))[-4:] == [True, True, False, True]


def test_two_bursts_with_nothing_seen_between_are_no_queue_that_stays():
    """A process that served one long page, or none, has not seen the first burst go."""
    assert walked((0, 40), (3.0, 40)) == [False, False]
    assert not any(walked((0, 40), (1.4, 40), (2.0, 40), (2.8, 40), (3.4, 40)))


def test_what_waited_for_a_start_is_served_and_a_queue_that_stays_beyond_is_not():
    queue = overload.Queue(MOST, begins=100 + overload.GRACE)
    said = [queue.is_too_long(300, 100 + tenths / 10) for tenths in range(0, 120, 2)]
    assert not any(said[:50]) and all(said[50:])


def test_it_is_forgotten_after_a_while_of_calm():
    assert walked(*STOOD, (6.9, 9))[-1] is True
    assert walked(*STOOD, (7.1, 30), (7.2, 33))[-2:] == [False, False]
    assert walked(*STOOD, (7.1, 33))[-1] is False


class Played:
    """A gate over an application that always answers, with a queue and a clock of one's own."""

    def __init__(self, lengths):
        self.now, self.served, self.said = -overload.GRACE, 0, []
        self.gate = overload.Gate(self.application, lambda: lengths, MOST, REFUSALS, lambda: self.now)
        for self.now, length in STOOD:
            self.gate._queue.look(length, self.now)

    def application(self, environ, start_response):
        self.served += 1
        start_response("200 OK", [])
        return [b"ok"]

    def ask(self, path, **environ):
        body = b"".join(self.gate({"PATH_INFO": path, **environ}, lambda *said: self.said.append(said)))
        return self.said[-1][0][:3], dict(self.said[-1][1]), body


def counted():
    return metrics.REQUESTS.labels("-", "-", 503)._value.get()


def test_a_refusal_says_when_to_come_back_in_the_words_of_who_asks(caplog):
    played, before = Played(MOST + 1), counted()
    status, headers, body = played.ask("/dossiers/")
    assert (status, headers["Retry-After"], headers["Cache-Control"], body) == ("503", "2", "no-store", b"<p>trop</p>")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert played.ask("/fhir/CareTeam")[1]["Content-Type"] == "application/fhir+json"
    sent = io.BytesIO(b"x" * 10)
    played.ask("/dossiers/", CONTENT_LENGTH="10", **{"wsgi.input": sent})
    assert sent.tell() == 10, "a form that is refused is read: its answer would be lost"
    assert played.served == 0
    assert counted() - before == 3
    assert told(caplog) == [1], "one line a minute"
    played.now += overload.TOLD_EVERY
    played.ask("/sante/vivant")
    assert told(caplog) == [1, 2], "the others, by the first request that comes after the minute"
    played.gate.tell(0, played.now)
    assert len(told(caplog)) == 2, "and nothing where nobody was refused"


def told(caplog):
    return [record.refused for record in caplog.records if record.message == "web.too_many_wait"]


def test_a_queue_is_looked_at_while_pages_are_long(monkeypatch):
    """A page may last longer than two looks may be apart: the queue that stands behind it is one that stays."""
    monkeypatch.setattr(overload, "LOOKED_EVERY", 0.01)
    lengths, looked = [MOST + 1], []
    gate = overload.Gate(lambda *_: [b""], lambda: lengths[0], MOST, REFUSALS)
    monkeypatch.setattr(gate._queue, "look", lambda length, now: looked.append(length) or length > MOST)
    gate.watch()
    time.sleep(0.1)
    assert not looked, "it sleeps while nobody waits"
    gate({"PATH_INFO": "/"}, print)
    until = time.monotonic() + 5
    while len(looked) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(looked) >= 5
    lengths[0] = 0
    time.sleep(0.3)
    there = len(looked)
    time.sleep(0.1)
    assert looked[-1] == 0 and len(looked) == there


@pytest.mark.parametrize("path", ["/sante/vivant", "/static/css/app.css"])
def test_probes_and_files_are_always_served(path):
    played = Played(10_000)
    for played.now in (2.0, 2.2, 4.0):
        assert played.ask(path)[0] == "200"


def test_the_queue_of_a_socket_is_counted():
    with socket.socket() as listener, socket.socket(socket.AF_UNIX) as other:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        assert overload.waiting([listener, other]) == 0
        waiting = [socket.create_connection(listener.getsockname()) for _ in range(7)]
        assert overload.waiting([listener, other]) == 7
        for one in waiting:
            one.close()


SLOW = """
import time

def application(environ, start_response):
    time.sleep(0.2)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.mark.slow
def test_the_server_of_production_refuses_the_excess_and_goes_on(tmp_path):
    """gunicorn with deploy/gunicorn.conf.py, one process that serves five requests a second, asked sixty times."""
    begun = "import django\ndjango.setup()\nfrom coordination.common import overload\noverload.GRACE = 0.0\n"
    (tmp_path / "slow_for_a_test.py").write_text(begun + SLOW)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "WEB_WORKERS": "1", "WEB_QUEUE": "4", "PYTHONPATH": f"{tmp_path}:{ROOT}", "BIND": f"127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "coordination.settings.test",
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy/gunicorn.conf.py"), "--log-level", "error"]
    with (tmp_path / "log").open("wb") as said:
        server = subprocess.Popen([*command, "slow_for_a_test"], cwd=ROOT, env=environment, stdout=said, stderr=said)
        try:
            servers._wait(server, port)
            statuses = asked(port, 60)
        finally:
            server.terminate()
            server.wait(30)
    assert set(statuses) == {"200", "503"}, (tmp_path / "log").read_text()
    assert statuses.count("503") >= 30
    written = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if "too_many_wait" in line]
    assert sum(line["refused"] for line in written) == statuses.count("503"), "the rest of a minute, when it ends"
    # Those served before the gate closed, and those of the short queue that it bears.
    assert 10 <= statuses.count("200") <= 30


def asked(port, many):
    """Ask all at once, the connections waiting; return the statuses."""
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(many)]
    for one in waiting:
        one.sendall(b"GET /dossiers/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    statuses, until = [], time.monotonic() + 60
    for one in waiting:
        one.settimeout(until - time.monotonic())
        statuses.append(one.recv(65536)[9:12].decode())
        one.close()
    return statuses
