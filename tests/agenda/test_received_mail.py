"""A mail from anybody is read in a time that its size bounds, whatever is written in it."""

import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from agenda import received_mail
from agenda.ics.errors import ReplyRefused

pytestmark = pytest.mark.req("AGD-23")
MEGABYTE = 1024 * 1024
CALENDAR = b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"To: " + b"a@b.fr, " * (MEGABYTE // 8) + b"\r\n" + CALENDAR,
        b"To: " + b"a\r\n " * 49_000 + b"\r\n" + CALENDAR,
        b"To: a@b.fr\r\n" * 40_000 + CALENDAR,
        (b"To: " + b"a@" * 2000 + b"\r\n") * 40 + CALENDAR,
        b"From: " + b"(" * MEGABYTE + b"\r\n" + CALENDAR,
        b"Content-Type: text/calendar;" + b"a=b;" * 20_000 + b"\r\n\r\nBEGIN:VCALENDAR",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(400)),
        b"\r" * MEGABYTE,
    ],
    ids=["long", "folded", "many", "ats", "from", "type", "nested", "lines"],
)
def test_what_is_made_to_last_is_refused_at_once(raw):
    begun = time.process_time()
    with pytest.raises(ReplyRefused):
        received_mail.read(raw)
    assert time.process_time() - begun < 1


def test_headers_made_to_last_within_the_bounds_are_read_at_once():
    raw = (b"To: " + b"a@" * 1900 + b"\r\n") * 20 + b'From: "a" <' + b"a@" * 1900 + b">\r\n" + CALENDAR
    begun = time.process_time()
    assert received_mail.read(raw).recipients == ()
    assert time.process_time() - begun < 1


def test_a_charset_that_takes_long_is_not_decoded():
    raw = b"Content-Type: text/calendar; charset=punycode\r\n\r\n" + b"a" * 60_000 + b"-" + b"b" * 3000
    letter, begun = received_mail.read(raw), time.process_time()
    with pytest.raises(ReplyRefused):
        letter.calendar()
    assert time.process_time() - begun < 1


def test_long_headers_of_servers_are_passed_over():
    letter = received_mail.read(
        b"X-Anti-Spam: " + b"a" * 9000 + b"\r\nTo: =?utf-8?q?In=C3=A8s?= <A@b.fr>\r\n" + CALENDAR
    )
    assert letter.recipients == ("a@b.fr",) and letter.calendar().startswith(b"BEGIN:VCALENDAR")


def test_only_the_one_who_signs_is_the_sender():
    def sender(said):
        return received_mail.read(b"From: " + said + b"\r\n" + CALENDAR).sender

    assert sender(b'"Testard, Paul (A)" <Paul@b.fr>') == "paul@b.fr"
    assert sender(b"paul@b.fr") == sender(b'"paul@b.fr" <paul@b.fr>') == sender(b'"x@c.fr" <paul@b.fr>') == "paul@b.fr"
    assert sender(b"paul@b.fr, x@c.fr") == sender(b"paul@b.fr\r\nFrom: x@c.fr") == sender(b"(x@c.fr) paul@b.fr") == ""


def test_a_time_limit_is_not_taken_for_a_mail_that_does_not_read(monkeypatch):
    def slow(*args):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(received_mail, "_addresses", slow)
    with pytest.raises(SoftTimeLimitExceeded):
        received_mail.read(CALENDAR)
