"""Real clients and a real server, as anyone installs them: Radicale, vdirsyncer, khal."""

import base64
import datetime as dt
import http.client
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agenda.actions import own_calendars
from agenda.actions.own_calendars import Said
from agenda.actions.schedules import schedule_of
from agenda.fetching import Source, fetch
from agenda.ics.errors import CalendarNotFound, PasswordRefused
from agenda.ics.events import Status
from agenda.ics.feed import feed
from agenda.ics.reading import busy_times
from agenda.models import Occupation, OwnCalendar
from coordination.common import cipher
from tests.agenda.subscriber import Subscriber, environment
from tests.agenda.test_ics_feed import event
from tests.circle import factories as circle
from tests.partners.standin import Said as Answer
from tests.partners.standin import StandIn

PARIS = ZoneInfo("Europe/Paris")
WINDOW = (dt.datetime(2026, 3, 2, tzinfo=PARIS), dt.datetime(2026, 4, 13, tzinfo=PARIS))
PASSWORD = "secret inventé"


@pytest.fixture(scope="module")
def radicale(tmp_path_factory):
    """A CalDAV server that knows one person, « moi »."""
    folder = tmp_path_factory.mktemp("radicale")
    (folder / "people").write_text(f"moi:{PASSWORD}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "config": "", "server-hosts": f"127.0.0.1:{port}", "storage-filesystem-folder": str(folder / "store"),
        "auth-type": "htpasswd", "auth-htpasswd-filename": str(folder / "people"),
        "auth-htpasswd-encryption": "plain", "auth-delay": "0",
    }  # fmt: skip
    said = [part for name, value in options.items() for part in (f"--{name}", value)]
    server = subprocess.Popen(
        [sys.executable, "-m", "radicale", *said],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(folder),
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not listens(port) and time.monotonic() < until:
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def listens(port):
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


def ask(port, method, path, body=b""):
    pair = base64.b64encode(f"moi:{PASSWORD}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "text/calendar; charset=utf-8"}
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


@dataclass(frozen=True)
class Collection:
    port: int
    path: str

    def put(self, name, body):
        assert ask(self.port, "PUT", f"{self.path}{name}.ics", body) == 201

    def write(self, name, lines):
        head = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//FR\nBEGIN:VEVENT\nUID:{name}\nDTSTAMP:20260301T000000Z"
        self.put(name, f"{head}\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n".replace("\n", "\r\n").encode())

    def source(self, **said):
        said = {"user": "moi", "password": PASSWORD, "caldav": True} | said
        return Source(f"http://127.0.0.1:{self.port}{self.path}", **said)

    def fetched(self):
        return fetch(self.source(), WINDOW).body


@pytest.fixture
def collection(radicale):
    """An empty calendar of hers."""
    path = f"/moi/{uuid4()}/"
    assert ask(radicale, "MKCALENDAR", path) == 201
    return Collection(radicale, path)


def spans(body):
    busy = busy_times(body, PARIS, WINDOW)
    assert busy.unread == 0
    return [f"{start.astimezone(PARIS):%m-%d %H:%M}/{end.astimezone(PARIS):%H:%M}" for start, end in busy.spans]


@pytest.mark.django_db
def test_busy_times_out_of_a_caldav_server(collection):
    assert spans(collection.fetched()) == []
    collection.write("visite", "DTSTART;TZID=Europe/Paris:20250106T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\n"
                     "EXDATE;TZID=Europe/Paris:20260309T100000\nSUMMARY:Visite\\, étage 2")  # fmt: skip
    collection.write("repas", "DTSTART:20260310T110000Z\nDTEND:20260310T120000Z\nTRANSP:TRANSPARENT")
    collection.write("jadis", "DTSTART:20200310T110000Z\nDTEND:20200310T120000Z")
    body = collection.fetched()
    assert spans(body) == [f"{day} 10:00/11:00" for day in ("03-02", "03-16", "03-23", "03-30", "04-06")]
    assert b"jadis" not in body, "the server was asked for the window only"


@pytest.mark.django_db
def test_what_a_caldav_server_refuses(collection):
    for source, kind in (
        (collection.source(password="autre"), PasswordRefused),
        (collection.source(user=""), PasswordRefused),
        (replace(collection, path="/moi/rien/").source(), CalendarNotFound),
    ):
        with pytest.raises(kind):
            fetch(source, WINDOW)


@pytest.mark.django_db
def test_a_caldav_server_takes_our_events_and_gives_them_back(collection):
    for line in (
        event(uid="a", summary="Réunion, bureau 2 ; étage\n2", url="https://exemple.fr/"),
        event(uid="b", hour=12, zone="Indian/Reunion", status=Status.TENTATIVE),
        event(uid="c", hour=14, busy=False),
        event(uid="d", start=WINDOW[1] - dt.timedelta(days=1), end=WINDOW[1], all_day=True),
    ):
        collection.put(line.uid, feed([line], name="Agenda"))
    # Nine o'clock in Paris, and noon on the island, which is nine too.
    assert spans(collection.fetched()) == ["03-02 09:00/10:00", "04-12 00:00/00:00"]


@pytest.mark.django_db
@pytest.mark.req("AGD-18")
def test_her_caldav_calendar_is_read_as_her_own_and_its_password_may_change(collection, radicale):
    """Added, read again with what is new, refused once the password has changed, mended."""
    schedule = schedule_of(circle.account())
    said = Said(
        "Cabinet", "caldav", f"http://127.0.0.1:{radicale}{collection.path}", login="moi", password=PASSWORD
    )  # fmt: skip
    day = timezone.localdate() + dt.timedelta(days=3)
    collection.write("visite", f"DTSTART;TZID=Europe/Paris:{day:%Y%m%d}T100000\nDURATION:PT1H\nSUMMARY:Visite")
    made = own_calendars.add_calendar(schedule, said, by=schedule.user)
    taken = Occupation.objects.filter(key=schedule.key, kind="importe")
    hours = lambda: [f"{one.starts_at.astimezone(PARIS):%H:%M}" for one in taken.order_by("starts_at")]  # noqa: E731
    assert hours() == ["10:00"]
    collection.write("staff", f"DTSTART;TZID=Europe/Paris:{day:%Y%m%d}T140000\nDURATION:PT30M")
    assert own_calendars.refresh_calendar(made.pk).last_error == "" and hours() == ["10:00", "14:00"]
    OwnCalendar.objects.update(password_sealed=cipher.encrypt("ancien"))
    assert "mot de passe" in own_calendars.refresh_calendar(made.pk).last_error and len(hours()) == 2
    own_calendars.change_calendar(schedule, made.pk, said, by=schedule.user)
    assert OwnCalendar.objects.get().last_error == ""


# ---- A nurse subscribes to her feed ------------------------------------------------------------------------------


@pytest.fixture
def subscribed(tmp_path):
    """Return what her programs show for a feed."""
    with StandIn().running() as site:
        programs = Subscriber(tmp_path, f"{site.url}/agenda.ics")

        def shown(lines):
            site.then = Answer(200, feed(lines, name="Agenda"), {"Content-Type": "text/calendar; charset=utf-8"})
            return programs.shown("2026-03-01")

        yield shown


@pytest.mark.req("REL-19")
def test_moves_and_cancellations_follow_in_the_programs_of_who_subscribes(subscribed):
    day = dt.timedelta(days=1)
    visit, meeting = event(uid="visite", summary="Visite"), event(uid="reunion", hour=14, summary="Réunion, salle 2")
    after = dt.datetime(2026, 3, 30, 9, tzinfo=PARIS)
    later = event(uid="apres", summary="Après l’heure d’été", start=after, end=after + dt.timedelta(hours=1))
    assert subscribed([visit, meeting, later]) == [
        "2026-03-02 09:00-10:00 Visite|CONFIRMED",
        "2026-03-02 14:00-15:00 Réunion, salle 2|CONFIRMED",
        "2026-03-30 09:00-10:00 Après l’heure d’été|CONFIRMED",
    ]
    changed = {"sequence": 1, "last_modified": visit.last_modified + day}
    moved = replace(visit, start=visit.start + day, end=visit.end + day, **changed)
    assert subscribed([moved, replace(later, status=Status.CANCELLED, busy=False, **changed)]) == [
        "2026-03-03 09:00-10:00 Visite|CONFIRMED",
        "2026-03-30 09:00-10:00 Après l’heure d’été|CANCELLED",
    ]
