"""REL-6 for invitations: everything that can fall falls in the middle of them; none is missing.

60 invitations in `make test`. A thousand, and the figures of the run, with
`FULL=1 make test ARGS="tests/circle/test_invitations_delivery.py -n0 -s"`.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from circle import tracking
from circle.invitation import LETTERS
from circle.models import Invitation, Member
from coordination.outbox.models import Message, State
from coordination.settings import environment
from tests.circle import campaign, inviter
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.req("REL-6", "REL-1", "REL-2")]
COUNT = 1_000 if os.environ.get("FULL") else 60
# Between two clocks of one machine, the one that says « taken » and the one that says « killed ».
BLINK = 0.5


@pytest.fixture
def folder():
    """Where the servers live: the user who runs them walks through it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def servers(folder, monkeypatch):
    started = campaign.Servers(folder, monkeypatch)
    yield started
    started.stop()


@pytest.fixture
def variables(servers):
    """The environment of a web and of a worker over these servers."""
    return {
        "DJANGO_SETTINGS_MODULE": "coordination.settings.base", "DATABASE_URL": servers.cluster.url,
        "REDIS_URL": servers.broker.url, "EMAIL_HOST": "127.0.0.1",
        "EMAIL_TIMEOUT": str(campaign.EMAIL_TIMEOUT),
        "OUTBOX_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    }  # fmt: skip


@pytest.fixture
def town(servers, django_db_blocker):
    """A database of its own, which may fall without the other tests: one coordinator, her dossier, who is invited."""
    kept = dict(connection.settings_dict)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict.update(environment.database(servers.cluster.url))
        try:
            call_command("migrate", verbosity=0)
            publish_default_matrix()
            make.open_circle(make.coordinator())
            for rank in filter(inviter.is_in_a_dossier, range(COUNT)):
                make.listed(national_id=inviter.professional_number(rank))
            yield
        finally:
            connection.close()
            connection.settings_dict.clear()
            connection.settings_dict.update(kept)


@pytest.fixture
def mail_server(servers):
    server = campaign.MailServer(servers.cluster.url)
    yield server
    server.close()


def wait(until, seconds):
    limit = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < limit, list(letters().values_list("state", "last_error").distinct())
        time.sleep(0.1)


def letters():
    return Message.objects.filter(kind__in=LETTERS)


def left():
    return letters().filter(state__in=[State.EN_FILE, State.EN_COURS, State.A_REESSAYER]).count()


class Falls:
    """What falls, one after the other as letters are met, and when."""

    def __init__(self, servers, mail_server, start_worker, web):
        self._met, self._start_worker, self._web = mail_server.handler.met, start_worker, web
        self.worker = start_worker()
        self.times = []
        self.all = (
            self._worker, servers.kill_broker, servers.restart_database, self._kill_web, self._worker,
            servers.kill_database,
        )  # fmt: skip

    def in_the_middle(self):
        for rank, fall in enumerate(self.all, 1):
            wait(lambda rank=rank: len(self._met) >= COUNT * rank // (len(self.all) + 2), 400)
            began = time.time()
            # The connection of the judge falls with the database.
            connection.close()
            fall()
            self.times.append((began, time.time()))

    def _worker(self):
        self.worker.kill()
        self.worker = self._start_worker()

    def _kill_web(self):
        self._web.kill()
        self._web.start_again()

    def after(self, first, then):
        """How many fell between a letter that was taken and the same taken again."""
        return sum(first - BLINK <= ended and began <= then + BLINK for began, ended in self.times)


@pytest.mark.timeout(900)
def test_no_invitation_is_lost_and_none_leaves_for_an_undone_act(servers, town, variables, mail_server, folder):
    started = time.monotonic()
    variables |= {"EMAIL_PORT": str(mail_server.port)}
    web = campaign.Web(variables, folder, COUNT)
    falls = Falls(servers, mail_server, lambda: campaign.Worker(variables, folder), web)
    try:
        # Nothing listens yet: the first letters are refused a connection, without a doubt about them.
        wait(lambda: letters().filter(state=State.A_REESSAYER, is_uncertain=False).exists(), 60)
        mail_server.open()
        falls.in_the_middle()
        wait(web.is_done, 120)
        wait(lambda: not left(), 400)
    finally:
        falls.worker.kill()
        if not web.is_done():
            web.kill()
    judge(mail_server.handler, falls, time.monotonic() - started)


def judge(smtp, falls, seconds):
    rows = {row.message_id: row for row in letters()}
    invitations = {row.pk: row for row in Invitation.objects.with_delivery().with_names()}
    taken = {key: found for key, found in smtp.taken.items() if key in rows}
    assert {row.to for row in invitations_of(rows, invitations)} == {f"{n}@cabinet.example" for n in range(COUNT)}
    assert len(rows) == len(invitations) == COUNT
    assert Member.objects.filter(invitations__isnull=False).count() == COUNT // inviter.IN_A_DOSSIER
    assert Member.objects.count() == 1 + COUNT // inviter.IN_A_DOSSIER, "an undone act left a member"

    # None is missing, nothing left that is not there, and each copy under the one Message-ID of its letter.
    refused = {key for key, row in rows.items() if row.state == State.ECHEC}
    assert {campaign.fault_of(rows[key].to) for key in refused} <= campaign.REFUSED
    assert set(rows) - set(taken) == refused, "letters said to be sent never arrived"
    addresses = Counter(address for found in smtp.taken.values() for _, address in found)
    assert not [address for address in addresses if address.startswith(("annule", "defait"))]
    assert all({address for _, address in found} == {rows[key].to} for key, found in taken.items())

    # Each attempt was written and committed before its dialogue.
    assert smtp.unwritten == []

    # A letter comes twice because of its own fault, or of a fall between its copies: once for each at most.
    twice = {key for key, found in taken.items() if len(found) > 1}
    for key in twice:
        moments = [moment for moment, _ in taken[key]]
        own = campaign.fault_of(rows[key].to) in campaign.TAKEN_UNKNOWN
        assert len(moments) - 1 <= own + falls.after(moments[0], moments[-1]), (rows[key].to, moments, falls.times)
    by_falls = {key for key in twice if campaign.fault_of(rows[key].to) not in campaign.TAKEN_UNKNOWN}
    assert len(by_falls) <= len(falls.times) * campaign.WORKERS

    # Whatever may have come twice, or not at all, is said to be uncertain.
    unanswered = {key for key, row in rows.items() if campaign.fault_of(row.to) in campaign.UNANSWERED}
    shown = {key: tracking.tell(invitations[row.object_id]) for key, row in rows.items()}
    assert {shown[key].label for key in twice | unanswered} == {"Remise incertaine"}
    assert {shown[key].label for key in refused} == {"Non remise"}
    assert all("refusé" in shown[key].detail for key in refused)
    sure = Counter(shown[key].label for key in set(rows) - twice - unanswered - refused)
    sys.stderr.write(
        f"\n{COUNT} invitations, {len(falls.times)} falls, {seconds:.0f} s: {len(taken)} arrived, {len(refused)} "
        f"refused by their server, {len(twice)} twice ({len(by_falls)} by a fall), {len(unanswered)} without an "
        f"answer, the others {dict(sure)}.\n"
    )


def invitations_of(rows, invitations):
    """Return the letters whose invitation is there."""
    return [row for row in rows.values() if row.object_id in invitations]
