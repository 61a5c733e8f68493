"""About once: attempts, faults, back-off, and what is left after a killed worker (REL-1, REL-2, REL-6)."""

import smtplib
import socket
import threading
import time
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings as settings_of_the_house
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from coordination.outbox import attempts, delivery, filling, tasks
from coordination.outbox.models import Message, State
from tests.outbox.factories import MessageFactory


class Fault:
    """A delivery backend whose server does what the test says."""

    script: list = []
    sent: list = []

    def __init__(self, **kwargs):
        pass

    def open(self):
        return True

    def close(self):
        pass

    def send_messages(self, messages):
        event = type(self).script.pop(0) if type(self).script else None
        if isinstance(event, BaseException):
            raise event
        if event == 0:
            return 0
        type(self).sent.extend(messages)
        return len(messages)


@pytest.fixture
def server(settings, monkeypatch):
    Fault.script, Fault.sent = [], []
    monkeypatch.setattr(delivery, "get_connection", lambda path: Fault())
    return Fault


def again(message):
    """Make a postponed message due."""
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(next_attempt_at=now, ring_after=now)


TEMPORARY = [
    OSError("refused"),
    TimeoutError(),
    smtplib.SMTPServerDisconnected("cut"),
    smtplib.SMTPConnectError(421, b"busy"),
    smtplib.SMTPDataError(451, b"later"),
    smtplib.SMTPRecipientsRefused({"a@b.example": (450, b"greylisted")}),
    smtplib.SMTPRecipientsRefused({}),
    smtplib.SMTPAuthenticationError(535, b"bad"),
    smtplib.SMTPResponseException(-1, b"garbage"),
    UnicodeEncodeError("ascii", "é", 0, 1, "poison"),
    0,
]


@pytest.mark.req("REL-6")
@pytest.mark.django_db
@pytest.mark.parametrize("fault", TEMPORARY, ids=lambda fault: type(fault).__name__)
def test_a_temporary_fault_is_tried_again_with_the_same_message_id(server, fault):
    message = MessageFactory()
    server.script = [fault]
    assert delivery.deliver(message.pk) is False
    message.refresh_from_db()
    assert message.state == State.A_REESSAYER
    assert message.next_attempt_at > timezone.now()
    assert message.last_error.endswith((".", "exploitant."))
    again(message)
    assert delivery.deliver(message.pk) is True
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == (State.ENVOYE, 2, "")
    assert [sent.extra_headers["Message-ID"] for sent in server.sent] == [message.message_id]


@pytest.mark.req("REL-6")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault", [smtplib.SMTPDataError(554, b"no"), smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"unknown")})]
)
def test_a_final_refusal_is_a_failure_in_plain_words(server, fault):
    message = MessageFactory()
    server.script = [fault]
    delivery.deliver(message.pk)
    message.refresh_from_db()
    assert message.state == State.ECHEC
    assert "refusé" in message.last_error
    assert message.to not in message.last_error


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["", "nobody"])
def test_a_row_without_an_address_is_refused_by_the_database(address):
    with pytest.raises(IntegrityError, match="message_has_an_address"), transaction.atomic():
        MessageFactory(to=address)


@pytest.mark.django_db
def test_a_message_is_given_up_after_its_last_attempt(server):
    message = MessageFactory(attempts=attempts.MAX_ATTEMPTS - 1)
    server.script = [OSError()]
    delivery.deliver(message.pk)
    message.refresh_from_db()
    assert message.state == State.ECHEC


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.ECHEC])
def test_a_failed_message_stays_until_somebody_retries_it(server, state):
    message = MessageFactory(state=state)
    assert delivery.deliver(message.pk) is False
    assert server.sent == []


@pytest.mark.django_db
def test_a_sent_message_is_not_sent_again():
    message = MessageFactory()
    assert delivery.deliver(message.pk) is True
    assert delivery.deliver(message.pk) is False
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_back_off_grows():
    waits = []
    for count in range(1, 6):
        message = MessageFactory(attempts=count)
        attempts.postpone(message)
        message.save()
        message.refresh_from_db()
        waits.append(message.next_attempt_at - timezone.now())
    assert waits == sorted(waits)
    assert waits[0] < timedelta(seconds=11)


@pytest.mark.req("REL-2")
@pytest.mark.django_db
def test_the_attempt_of_a_killed_worker_is_taken_again():
    """The first transaction committed, then the process died: the lock is gone, the row is due again in seconds."""
    message = MessageFactory()
    attempts.count(Message.objects, message.pk, state=State.EN_COURS)
    assert delivery.deliver(message.pk) is False, "somebody may still be between the two transactions"
    again(message)
    assert delivery.deliver(message.pk) is True
    message.refresh_from_db()
    assert message.attempts == 2


@pytest.mark.req("REL-2")
@pytest.mark.django_db
def test_what_kills_its_worker_each_time_is_given_up(server):
    """Nobody is left to note the failure of such an attempt: whoever counts the next one does."""
    message = MessageFactory()
    for _ in range(attempts.MAX_ATTEMPTS):
        assert attempts.count(Message.objects, message.pk, state=State.EN_COURS)
        again(message)
    assert delivery.deliver(message.pk) is False
    message.refresh_from_db()
    assert (message.state, message.attempts, server.sent) == (State.ECHEC, attempts.MAX_ATTEMPTS, [])
    assert "interrompu" in message.last_error
    assert message.is_uncertain, "its last worker may have handed it over"
    assert message in Message.objects.failed()


@pytest.mark.req("REL-1")
@pytest.mark.django_db
def test_an_overtaken_attempt_sends_nothing(server, monkeypatch):
    message = MessageFactory()
    count = attempts.count

    def overtaken(*args, **kwargs):
        row = count(*args, **kwargs)
        Message.objects.filter(pk=row.pk).update(attempts=row.attempts + 1)
        return row

    monkeypatch.setattr(attempts, "count", overtaken)
    assert delivery.deliver(message.pk) is False
    assert server.sent == []


@pytest.mark.req("REL-1")
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_it_once(server):
    message = MessageFactory()
    start = threading.Barrier(8, timeout=60)
    results = []

    def work():
        start.wait()
        try:
            results.append(delivery.deliver(message.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]
    assert len(server.sent) == 1


@pytest.mark.django_db(transaction=True)
def test_who_only_looks_at_a_letter_does_not_stop_who_began_it(server, monkeypatch):
    """Between the two transactions of an attempt, another worker locks the row to see that it is no longer due."""
    message, looked, may_leave = MessageFactory(), threading.Event(), threading.Event()

    def look():
        try:
            with transaction.atomic():
                Message.objects.select_for_update().get(pk=message.pk)
                looked.set()
                assert may_leave.wait(60)
        finally:
            connection.close()

    other, count = threading.Thread(target=look), attempts.count

    def counted(*asked, **changes):
        row = count(*asked, **changes)
        other.start()
        assert looked.wait(60)
        return row

    def pause(seconds):
        may_leave.set()
        other.join(60)

    monkeypatch.setattr(attempts, "count", counted)
    monkeypatch.setattr(attempts, "time", SimpleNamespace(sleep=pause))
    assert delivery.deliver(message.pk)
    assert len(server.sent) == 1


@pytest.mark.django_db(transaction=True)
def test_the_attempt_is_committed_before_the_dialogue(server, monkeypatch):
    message = MessageFactory()
    seen = []

    def look(self, messages):
        def read():
            seen.append(Message.objects.values_list("state", "attempts").get(pk=message.pk))
            connection.close()

        other = threading.Thread(target=read)
        other.start()
        other.join()
        return 1

    monkeypatch.setattr(Fault, "send_messages", look)
    delivery.deliver(message.pk)
    assert seen == [(State.EN_COURS, 1)]


@pytest.mark.django_db
def test_a_rude_goodbye_after_acceptance_is_a_success(server, monkeypatch):
    def rude(self):
        raise smtplib.SMTPResponseException(500, b"go away")

    monkeypatch.setattr(Fault, "close", rude)
    message = MessageFactory()
    assert delivery.deliver(message.pk) is True


NO_ANSWER = [
    SoftTimeLimitExceeded(),
    TimeoutError(),
    ConnectionResetError(),
    smtplib.SMTPServerDisconnected("cut"),
    smtplib.SMTPDataError(-1, b"garbage"),
    smtplib.SMTPResponseException(-1, b"garbage"),
]
ANSWERS = [smtplib.SMTPDataError(451, b"later"), smtplib.SMTPRecipientsRefused({"a@b.example": (450, b"no")}), 0]


@pytest.mark.req("REL-6")
@pytest.mark.django_db
@pytest.mark.parametrize("fault", NO_ANSWER + ANSWERS, ids=lambda fault: type(fault).__name__)
def test_what_nobody_answered_is_uncertain_even_once_sent(server, fault):
    message = MessageFactory()
    server.script = [fault]
    delivery.deliver(message.pk)
    again(message)
    assert delivery.deliver(message.pk) is True
    message.refresh_from_db()
    assert message.is_uncertain is (fault in NO_ANSWER)


@pytest.mark.req("REL-6")
@pytest.mark.django_db
def test_a_worker_killed_in_the_middle_leaves_an_uncertain_delivery(server):
    message = MessageFactory()
    attempts.count(Message.objects, message.pk, state=State.EN_COURS)
    again(message)
    assert delivery.deliver(message.pk) is True
    message.refresh_from_db()
    assert message.is_uncertain


@pytest.mark.django_db
def test_a_server_that_was_never_reached_leaves_no_doubt(server, monkeypatch):
    def closed(self):
        raise ConnectionRefusedError

    monkeypatch.setattr(Fault, "open", closed)
    message = MessageFactory()
    delivery.deliver(message.pk)
    message.refresh_from_db()
    assert (message.state, message.is_uncertain) == (State.A_REESSAYER, False)


class Silent:
    """A real server that takes the connection, says `words`, and then nothing more."""

    def __init__(self, words):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._words = list(words)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        talking, _ = self._socket.accept()
        # The sender leaves when he has waited enough, sometimes in the middle of a word.
        with talking, suppress(OSError):
            for word in self._words:
                talking.sendall(f"{word}\r\n".encode())
                talking.recv(65_536)
            # Until the sender leaves.
            while talking.recv(65_536):
                pass

    def close(self):
        self._socket.close()


# Greeting, EHLO, MAIL, RCPT, DATA.
TO_THE_LETTER = ["220 here", "250 hello", "250 sender", "250 address", "354 go on"]


@pytest.mark.req("REL-6", "REL-17")
@pytest.mark.django_db
@pytest.mark.parametrize(("words", "doubt"), [([], False), (TO_THE_LETTER[:2], True), (TO_THE_LETTER, True)])
def test_a_silent_server_holds_a_worker_for_the_timeout_and_no_longer(settings, words, doubt):
    settings.OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    silent = Silent(words)
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", silent.port, 1
    message = MessageFactory()
    began = time.monotonic()
    try:
        assert delivery.deliver(message.pk) is False
    finally:
        silent.close()
    assert time.monotonic() - began < 15, "the timeout of the settings is 20 seconds, that of this test 1"
    message.refresh_from_db()
    assert (message.state, message.is_uncertain) == (State.A_REESSAYER, doubt)


def test_a_letter_has_a_limit_in_all():
    """One word every few seconds is no silence."""
    assert settings_of_the_house.EMAIL_TIMEOUT < tasks.deliver.soft_time_limit < tasks.deliver.time_limit <= 120


@pytest.fixture
def letters(monkeypatch):
    monkeypatch.setattr(filling, "_fillers", {})
    return filling.filler("test.letter")


@pytest.mark.django_db
def test_a_word_is_put_in_when_the_mail_leaves_and_is_not_stored(letters):
    letters(lambda message: f"https://ici.example/{message.object_id}")
    message = MessageFactory(
        kind="test.letter", text=f"Ici {filling.PLACE}", html=f"<a href='{filling.PLACE}'>Ici</a>"
    )
    assert delivery.deliver(message.pk) is True
    message.refresh_from_db()
    assert mail.outbox[0].body == "Ici https://ici.example/None"
    assert "https://ici.example/None" in mail.outbox[0].alternatives[0][0]
    assert message.text == f"Ici {filling.PLACE}"


@pytest.mark.django_db
def test_a_mail_that_lost_its_reason_does_not_leave(letters):
    @letters
    def nothing(message):
        raise filling.NothingToSend("Annulé avant l'envoi.")

    message = MessageFactory(kind="test.letter")
    assert delivery.deliver(message.pk) is False
    message.refresh_from_db()
    assert (message.state, message.last_error) == (State.ECHEC, "Annulé avant l'envoi.")
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_letter_whose_word_the_database_refuses_waits_longer_each_time(letters, server):
    """The refusal would end the transaction that notes it: the letter would come back every four seconds for ever."""

    @letters
    def refused(message):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    message = MessageFactory(kind="test.letter", text=filling.PLACE)
    assert delivery.deliver(message.pk) is False
    message.refresh_from_db()
    assert (message.state, server.sent) == (State.A_REESSAYER, [])
    assert message.next_attempt_at - timezone.now() > timedelta(seconds=8)


def test_two_rooms_do_not_fill_the_same_kind(letters):
    letters(lambda message: "")
    with pytest.raises(ValueError, match="Two fillers"):
        letters(lambda message: "")


@pytest.mark.django_db
def test_retrying_a_failed_message_starts_afresh(django_capture_on_commit_callbacks):
    from coordination.outbox import actions

    message = MessageFactory(state=State.ECHEC, attempts=10, last_error="Refusé.")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        actions.retry_message(message, by=None)
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.ENVOYE, 1)


@pytest.mark.django_db
def test_an_operator_sees_what_failed_and_sends_it_again(django_capture_on_commit_callbacks, capsys):
    failed = MessageFactory(state=State.ECHEC, attempts=10, last_error="Refusé.")
    MessageFactory()
    call_command("courriels")
    shown = capsys.readouterr().out
    assert "Refusé." in shown
    assert "1 courriel en échec." in shown
    assert failed.to not in shown
    with django_capture_on_commit_callbacks(execute=True):
        call_command("courriels", "--renvoyer")
    failed.refresh_from_db()
    assert failed.state == State.ENVOYE
    call_command("courriels")
    assert "0 courriel en échec." in capsys.readouterr().out


@pytest.mark.django_db
def test_an_operator_sees_why_nothing_leaves_yet(capsys):
    """« No letter arrives »: the server is away, and each letter is tried again for hours before it is given up."""
    late = MessageFactory.create_batch(7, state=State.A_REESSAYER, attempts=2, last_error="Serveur injoignable.")
    MessageFactory()
    call_command("courriels")
    shown = capsys.readouterr().out.replace("\u00a0", " ")
    assert "7 courriels attendent un nouvel essai, par exemple :" in shown
    assert shown.count("Serveur injoignable.") == 5, "a server that is away keeps thousands of them"
    assert "0 courriel en échec." in shown
    assert not any(one.to in shown for one in late)
