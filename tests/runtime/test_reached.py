"""`manage.py check --deploy` says which server does not answer from here, before anybody waits for a letter."""

import socket
import socketserver
import threading

import pytest
from django.db import OperationalError, connection

from coordination.common import reached
from tests.runtime.test_production_settings import manage


@pytest.fixture
def closed():
    """A port where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_each_server_that_does_not_answer_is_named_with_its_words(closed):
    done = manage(
        "check", "--deploy",
        DATABASE_URL=f"postgres://app:secret@127.0.0.1:{closed}/x", REDIS_URL=f"redis://:secret@127.0.0.1:{closed}/0",
        EMAIL_HOST="localhost", EMAIL_PORT=str(closed),
    )  # fmt: skip
    assert done.returncode == 0, "a production starts while they are away"
    for number in ("common.W102", "common.W103", "common.W104"):
        assert number in done.stderr
    assert done.stderr.count("refused") >= 3 and "secret" not in done.stderr


class Mailer(socketserver.StreamRequestHandler):
    """Takes nobody’s password."""

    def handle(self):
        self.wfile.write(b"220 test\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"EHLO"):
                self.wfile.write(b"250-test\r\n250 AUTH PLAIN\r\n")
            elif line.upper().startswith(b"AUTH"):
                self.wfile.write(b"535 Authentication refused\r\n")
            elif line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Mail(socketserver.ThreadingTCPServer):
    # A client that was refused leaves its line open: nobody waits for it here.
    daemon_threads = True
    block_on_close = False


@pytest.fixture
def mailer(settings):
    settings.OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", "", ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    with Mail(("127.0.0.1", 0), Mailer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_PORT = server.server_address[1]
        yield settings
        server.shutdown()


@pytest.mark.django_db
def test_what_answers_is_not_named(mailer, monkeypatch):
    monkeypatch.setattr(reached, "_broker", str)
    assert reached.check_servers(None) == []


@pytest.mark.django_db
def test_a_password_that_the_mail_server_refuses_is_said(mailer):
    mailer.EMAIL_HOST_USER, mailer.EMAIL_HOST_PASSWORD = "nous", "un mot de passe"
    (said,) = [one for one in reached.check_servers(None) if one.id == "common.W104"]
    assert "535" in said.msg and "un mot de passe" not in said.msg


def test_only_the_first_line_of_the_database_is_repeated(monkeypatch):
    def away():
        raise OperationalError("connection failed: no route\nIs the server running?")

    monkeypatch.setattr(connection, "ensure_connection", away)
    (said,) = [one for one in reached.check_servers(None) if one.id == "common.W102"]
    assert (
        said.msg == "La base de données de DATABASE_URL ne répond pas à cette machine : connection failed: no route."
    )


@pytest.mark.django_db
def test_an_address_that_is_no_redis_is_said_without_a_trace(settings):
    settings.REDIS_URL = "localhost:6379"
    assert [one.id for one in reached.check_servers(None) if one.id == "common.W103"]
