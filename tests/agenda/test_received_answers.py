"""Answers by mail: those that are true do what the page does; forged, old, broken and dead ones change nothing."""

import datetime as dt
import io
import logging
import mailbox
import os
import uuid
from unittest import mock

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from agenda import mail_folder, tasks
from agenda.actions import answering, mailed_answers
from agenda.actions import appointments as acts
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who
from agenda.actions.mailed_answers import receive_answer
from agenda.models import Appointment, AppointmentChange, Participation, Proposal, ReceivedAnswer
from coordination.dossiers.door import look
from coordination.outbox.models import Message
from habilitations.models import Habilitation, Trace
from tests.agenda import factories as make
from tests.agenda.mail_made import answer_to, calendar_of, received, sent, wants_mails
from tests.agenda.test_meetings import at_once
from tests.circle import factories as circle

pytestmark = [pytest.mark.django_db, pytest.mark.req("AGD-23")]
OUTCOME = ReceivedAnswer.Outcome


@pytest.fixture(autouse=True)
def replies(settings):
    settings.AGENDA_REPLY_ADDRESS = "agenda@coordination.example"


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def other():
    return circle.account("10", family_name="TESTARD", given_name="Paul")


@pytest.fixture
def asked(entry, nurse):
    """A visit asked to a nurse who receives it by mail."""
    wants_mails(nurse)
    facts = Facts(
        kind="intervention", starts_at=make.at(10), ends_at=make.at(11), zone="Europe/Paris", title="Pansement"
    )
    who = Who([make.member(entry, nurse).pk], me=True)
    return acts.create_appointment(entry, facts, who, creation_key=uuid.uuid4(), ask=True)


@pytest.fixture
def invitation(asked):
    # Where transactions end, letters left with the act.
    (message,) = received() or sent()
    Message.objects.all().delete()
    return message


def only_read_before(believed):
    """Have a mail believed for what was stored when it came, whatever is done while it is read."""

    def before(raw, recipient):
        with mock.patch.object(mailed_answers, "_require_true"):
            return believed(raw, recipient)

    return before


def mine(asked, nurse):
    return Participation.objects.get(appointment=asked, user=nurse).status


def stored(asked):
    return Appointment.objects.get(pk=asked.pk)


# ---- What is done --------------------------------------------------------------------------------


def test_yes_confirms_as_on_the_page_with_its_trace(asked, invitation, nurse, entry):
    row = receive_answer(answer_to(invitation))
    assert (row.outcome, row.sentence) == (OUTCOME.DONE, "")
    assert mine(asked, nurse) == "accepted" and stored(asked).status == "booked"
    line = Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=nurse.pk, action="écriture").get()
    assert (line.software, line.object_kind, line.object_id) == ("courriel", "appointment", asked.pk)
    assert Message.objects.filter(kind="agenda.confirmed").exists()
    # Her calendar is told that it is confirmed.
    _, event = calendar_of(sent()[0])
    assert event["STATUS"] == "CONFIRMED" and event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"


@pytest.mark.req("AGD-25")
def test_no_gives_the_time_back_and_takes_nothing_twice_out_of_her_calendar(asked, invitation, nurse, entry):
    assert receive_answer(answer_to(invitation, "DECLINED")).outcome == OUTCOME.DONE
    assert mine(asked, nurse) == "declined"
    assert Message.objects.filter(kind="agenda.declined", to=entry.user.email).exists()
    assert sent() == [], "her program knows"


def test_perhaps_is_said_and_confirms_nothing(asked, invitation, nurse):
    assert receive_answer(answer_to(invitation, "TENTATIVE")).outcome == OUTCOME.DONE
    assert mine(asked, nurse) == "tentative" and stored(asked).status == "proposed"
    assert AppointmentChange.objects.filter(appointment=asked, after="Peut-être").exists()


@pytest.mark.req("AGD-26")
def test_another_time_is_proposed(asked, invitation, nurse):
    row = receive_answer(counter(invitation, 14))
    assert row.outcome == OUTCOME.DONE, row.sentence
    proposal = Proposal.objects.get(appointment=asked)
    assert (proposal.starts_at, proposal.proposed_by.user) == (make.at(14, days=8), nurse)
    assert stored(asked).starts_at == make.at(10)


def test_the_same_mail_twice_is_done_once(asked, invitation):
    raw = answer_to(invitation)
    assert receive_answer(raw).pk == receive_answer(raw).pk
    assert AppointmentChange.objects.filter(appointment=asked, kind="reponse").count() == 1


def counter(invitation, hour, **said):
    start, end = (f"{make.at(at, days=8):%Y%m%dT%H%M%S}" for at in (hour, hour + 1))
    more = f"DTSTART;TZID=Europe/Paris:{start}\r\nDTEND;TZID=Europe/Paris:{end}\r\n"
    return answer_to(invitation, "TENTATIVE", method="COUNTER", more=more, **said)


def test_no_then_yes_is_yes(asked, invitation, nurse):
    receive_answer(answer_to(invitation, "DECLINED"))
    row = receive_answer(answer_to(invitation))
    assert (row.outcome, row.sentence) == (OUTCOME.DONE, "")
    assert mine(asked, nurse) == "accepted" and stored(asked).status == "booked"


def test_no_then_yes_to_what_others_still_think_of_tells_nothing_she_does_not_know(asked, invitation, nurse):
    receive_answer(answer_to(invitation, "DECLINED"))
    assert receive_answer(answer_to(invitation, "TENTATIVE")).outcome == OUTCOME.DONE
    assert sent() == []


@pytest.mark.req("AGD-26")
def test_no_then_another_time_is_proposed(asked, invitation, nurse):
    receive_answer(answer_to(invitation, "DECLINED"))
    assert receive_answer(counter(invitation, 14)).outcome == OUTCOME.DONE
    assert Proposal.objects.get(appointment=asked, withdrawn_at=None).starts_at == make.at(14, days=8)


def test_no_by_mail_then_yes_on_the_page_comes_back_to_her_calendar(asked, invitation, nurse, entry):
    receive_answer(answer_to(invitation, "DECLINED"))
    answering.accept_appointment(look(nurse, entry.dossier.pk), asked.pk)
    _, event = calendar_of(sent()[0])
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"


def test_no_by_mail_then_a_cancellation_is_not_told_and_her_yes_is_refused_aloud(asked, invitation, nurse, entry):
    receive_answer(answer_to(invitation, "DECLINED"))
    acts.cancel_appointment(entry, asked.pk, reason="personne")
    assert sent() == []
    assert receive_answer(answer_to(invitation)).outcome == OUTCOME.REFUSED
    assert Message.objects.filter(kind="agenda.answer_undone", to=nurse.email).exists()


@pytest.mark.req("AGD-26")
def test_one_proposes_one_time_at_once(asked, invitation, nurse):
    for hour in (14, 16, 18):
        assert receive_answer(counter(invitation, hour)).outcome == OUTCOME.DONE
    (standing,) = Proposal.objects.filter(appointment=asked, withdrawn_at=None)
    assert standing.starts_at == make.at(18, days=8)


def test_yes_then_no_is_no(asked, invitation, nurse):
    receive_answer(answer_to(invitation))
    (confirmed,) = sent()
    receive_answer(answer_to(confirmed, "DECLINED"))
    assert mine(asked, nurse) == "declined"


def test_the_address_of_the_envelope_is_enough(asked, invitation, nurse):
    """A server that delivers a blind copy names the address outside of the message."""
    recipient = str(calendar_of(invitation)[1]["ORGANIZER"]).removeprefix("mailto:").upper()
    row = receive_answer(answer_to(invitation, to="inconnu@exemple.fr"), recipient=recipient)
    assert row.outcome == OUTCOME.DONE and mine(asked, nurse) == "accepted"


# ---- What is refused or ignored ------------------------------------------------------------------


def refused(raw, asked, nurse, **more):
    row = receive_answer(raw, **more)
    assert row.outcome == OUTCOME.REFUSED
    assert mine(asked, nurse) == "needs-action" and stored(asked).status == "proposed"
    return row.sentence


def test_forged_ones_change_nothing(asked, invitation, nurse, other):
    organizer = str(calendar_of(invitation)[1]["ORGANIZER"]).removeprefix("mailto:")
    name, host = organizer.split("@")
    assert refused(answer_to(invitation, sender="pirate@exemple.fr"), asked, nurse) == mailed_answers.OTHER_SENDER
    assert refused(answer_to(invitation, attendee="pirate@exemple.fr"), asked, nurse) == mailed_answers.OTHER_SENDER
    assert refused(answer_to(invitation, uid="autre@exemple.fr"), asked, nurse) == mailed_answers.OTHER_EVENT
    assert refused(answer_to(invitation, sequence=7), asked, nurse) == mailed_answers.NEVER_SAID
    end = "a" if name[-2] != "a" else "b"
    for to in (
        f"{name[:-2]}{end}{name[-1]}@{host}", f"agenda@{host}", f"agenda+@{host}", f"{name}@autre.example",
        f"agenda+{'a' * 52}@{host}", f"agenda+{name[7:33]}@{host}", "",
    ):  # fmt: skip
        assert refused(answer_to(invitation, to=to), asked, nurse) == mailed_answers.NOBODY
    again = f"RECURRENCE-ID:{make.at(10):%Y%m%dT%H%M%SZ}\r\n"
    assert refused(answer_to(invitation, more=again), asked, nurse) == mailed_answers.OTHER_EVENT


def test_the_secret_of_one_answers_for_nobody_else(asked, invitation, entry, nurse, other):
    wants_mails(other)
    who = Who([make.member(entry, other).pk])
    facts = Facts(kind="rendez_vous", starts_at=make.at(15), ends_at=make.at(16), zone="Europe/Paris")
    acts.create_appointment(entry, facts, who, creation_key=uuid.uuid4(), ask=True)
    (theirs,) = sent()
    to = str(calendar_of(theirs)[1]["ORGANIZER"]).removeprefix("mailto:")
    assert refused(answer_to(invitation, to=to), asked, nurse) == mailed_answers.OTHER_SENDER


def test_an_old_answer_is_ignored(asked, invitation, nurse, entry):
    raw = answer_to(invitation)
    acts.move_appointment(entry, asked.pk, starts_at=make.at(14), ends_at=make.at(15))
    row = receive_answer(raw)
    assert (row.outcome, row.sentence) == (OUTCOME.IGNORED, mailed_answers.OLD)
    assert mine(asked, nurse) == "needs-action"


def test_a_move_while_it_is_read_makes_it_old(asked, invitation, nurse, entry, monkeypatch):
    read = mailed_answers.read_reply

    def slow(*args):
        acts.move_appointment(entry, asked.pk, starts_at=make.at(14), ends_at=make.at(15))
        return read(*args)

    monkeypatch.setattr(mailed_answers, "read_reply", slow)
    monkeypatch.setattr(mailed_answers, "_believed", only_read_before(mailed_answers._believed))
    row = receive_answer(answer_to(invitation))
    assert (row.outcome, row.sentence) == (OUTCOME.IGNORED, mailed_answers.OLD)
    assert mine(asked, nurse) == "needs-action" and stored(asked).status == "proposed"
    assert not Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=nurse.pk, action="écriture").exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_mail_at_once_is_done_once(asked, invitation, nurse, entry):
    raw = answer_to(invitation)
    rows = at_once([lambda: receive_answer(raw)] * 4)
    assert {row.pk for row in rows} == {ReceivedAnswer.objects.get().pk}
    assert AppointmentChange.objects.filter(appointment=asked, kind="reponse").count() == 1
    assert Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=nurse.pk, action="écriture").count() == 1


def test_an_answer_that_comes_after_a_later_one_is_ignored(asked, invitation, nurse):
    now = timezone.now()
    yes = answer_to(invitation, stamp=now - timezone.timedelta(minutes=2))
    no = answer_to(invitation, "DECLINED", stamp=now - timezone.timedelta(minutes=1))
    assert receive_answer(no).outcome == OUTCOME.DONE
    row = receive_answer(yes)
    assert (row.outcome, row.sentence) == (OUTCOME.IGNORED, mailed_answers.LATE)
    assert mine(asked, nurse) == "declined"


def test_answers_delayed_together_are_all_taken(asked, invitation, nurse):
    """Each is older than the moment the one before was received."""
    now = timezone.now()
    for minutes, part in ((60, "TENTATIVE"), (50, "DECLINED")):
        said = answer_to(invitation, part, stamp=now - timezone.timedelta(minutes=minutes))
        assert receive_answer(said).outcome == OUTCOME.DONE
    assert mine(asked, nurse) == "declined"


def test_an_answer_older_than_that_of_the_page_is_ignored(asked, invitation, nurse, entry):
    answering.doubt_appointment(look(nurse, entry.dossier.pk), asked.pk)
    row = receive_answer(answer_to(invitation, stamp=timezone.now() - timezone.timedelta(minutes=10)))
    assert (row.outcome, row.sentence) == (OUTCOME.IGNORED, mailed_answers.LATE)
    assert mine(asked, nurse) == "tentative"
    # Two clocks are never quite the same.
    row = receive_answer(answer_to(invitation, stamp=timezone.now() - timezone.timedelta(minutes=2)))
    assert row.outcome == OUTCOME.DONE


def test_a_clock_in_advance_does_not_silence_what_follows(asked, invitation, nurse):
    receive_answer(answer_to(invitation, "TENTATIVE", stamp=timezone.now() + timezone.timedelta(days=3)))
    later = timezone.now() + timezone.timedelta(seconds=1)
    assert receive_answer(answer_to(invitation, "DECLINED", stamp=later)).outcome == OUTCOME.DONE
    assert mine(asked, nurse) == "declined"


def test_what_was_called_off_is_ignored(asked, invitation, entry):
    acts.cancel_appointment(entry, asked.pk, reason="personne")
    raw = answer_to(sent()[0])
    row = receive_answer(raw)
    assert (row.outcome, row.sentence) == (OUTCOME.IGNORED, mailed_answers.CALLED_OFF)


def test_one_who_lost_the_dossier_answers_no_more_and_is_told(asked, invitation, nurse, entry):
    Habilitation.objects.filter(dossier=entry.dossier, user=nurse).update(state="non")
    sentence = refused(answer_to(invitation), asked, nurse)
    assert "l’acte a été refusé" in sentence
    letter = Message.objects.get(kind="agenda.answer_undone")
    # Whatever the cause: none is told.
    assert letter.to == nurse.email and "n’a pas pu être enregistrée." in letter.text


def test_an_hour_taken_meanwhile_is_refused_and_told(asked, invitation, nurse, entry):
    make.appointment(entry, make.member_of(entry, nurse), starts=make.at(10))
    row = receive_answer(answer_to(invitation))
    assert row.outcome == OUTCOME.REFUSED and "time_taken" in row.sentence
    assert Message.objects.filter(kind="agenda.answer_undone", to=nurse.email).count() == 1
    assert mine(asked, nurse) == "needs-action", "nothing half-written"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00\xff" * 100, b"From: a\r\n\r\nBonjour", b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR",
        b"From: =?utf-8?q?" + b"=" * 5000 + b"?=\r\nTo: <<<>>>,,;;\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 500,
        b"Content-Type: text/calendar; charset=inconnu\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"Subject: " + b"x" * (2 * 1024 * 1024 + 1),
    ],
    ids=["empty", "noise", "no-calendar", "half", "headers", "parts", "charset", "large"],
)  # fmt: skip
def test_what_does_not_read_is_a_dead_letter(raw):
    row = receive_answer(raw)
    assert row.outcome == OUTCOME.REFUSED and row.sentence in (mailed_answers.UNREADABLE, mailed_answers.NOBODY)


def test_dead_letters_keep_no_address_and_no_word(asked, invitation, nurse):
    refused(answer_to(invitation, sender="pirate@exemple.fr"), asked, nurse)
    kept = str(list(ReceivedAnswer.objects.values()))
    assert "pirate" not in kept and nurse.email not in kept and "Accepté" not in kept
    ReceivedAnswer.objects.update(at=timezone.now() - dt.timedelta(days=91))
    assert mailed_answers.purge() == 1


# ---- Ways in -------------------------------------------------------------------------------------


def test_a_mail_server_gives_it_to_the_command(asked, invitation, nurse, monkeypatch, settings):
    said = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(answer_to(invitation))))
    call_command("recevoir_reponse", stdout=said)
    assert said.getvalue() == "Pris en compte.\n" and mine(asked, nurse) == "accepted"
    receive_answer(b"rien")
    shown = io.StringIO()
    call_command("recevoir_reponse", "--refus", stdout=shown)
    assert mailed_answers.NOBODY in shown.getvalue()
    settings.AGENDA_REPLY_ADDRESS = ""
    with pytest.raises(CommandError) as caught:
        call_command("recevoir_reponse")
    assert caught.value.returncode == os.EX_CONFIG


def test_a_passing_fault_has_the_mail_presented_again(monkeypatch, caplog):
    def broken(raw, **more):
        raise OperationalError("ines@exemple.fr")

    monkeypatch.setattr("agenda.management.commands.recevoir_reponse.receive_answer", broken)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"To: ines@exemple.fr")))
    with caplog.at_level(logging.ERROR), pytest.raises(CommandError) as caught:
        call_command("recevoir_reponse")
    assert caught.value.returncode == os.EX_TEMPFAIL and "exemple.fr" not in str(caught.value)
    (line,) = caplog.records
    assert line.error == "OperationalError" and not line.exc_info and "exemple.fr" not in str(vars(line))


def test_a_maildir_is_emptied_and_the_refused_are_kept_aside(asked, invitation, nurse, tmp_path, settings):
    box = mailbox.Maildir(tmp_path / "mail", create=True)
    box.add(answer_to(invitation))
    box.add(b"From: x@y.fr\r\n\r\nBonjour")
    assert tasks.receive_answers() == 0, "not set"
    settings.AGENDA_REPLY_MAILDIR = str(tmp_path / "mail")
    assert tasks.receive_answers() == 2
    assert mine(asked, nurse) == "accepted"
    again = mailbox.Maildir(tmp_path / "mail", create=False)
    assert len(again) == 0 and len(again.get_folder(mail_folder.REFUSED)) == 1
    with pytest.raises(CommandError):
        call_command("recevoir_reponse", "--maildir", str(tmp_path / "rien"))


def test_one_that_breaks_the_database_waits_behind_the_others_then_is_set_aside(tmp_path, monkeypatch):
    box = mailbox.Maildir(tmp_path / "mail", create=True)
    box.add(b"From: x@y.fr\r\n\r\nPoison")
    seen = []

    def breaking(raw):
        seen.append(raw)
        if b"Poison" in raw:
            raise RuntimeError
        return ReceivedAnswer(outcome=OUTCOME.IGNORED)

    monkeypatch.setattr(mail_folder, "receive_answer", breaking)
    path = str(tmp_path / "mail")
    assert mail_folder.empty(path) == 0
    assert len(mailbox.Maildir(path, create=False)) == 1
    monkeypatch.setattr(mail_folder, "AT_ONCE", 1)
    box.add(b"From: x@y.fr\r\n\r\nBonjour")
    assert mail_folder.empty(path) == 1, "the new one is not hidden by the one that breaks"
    assert mail_folder.empty(path) == 0 and len(seen) == 3
    monkeypatch.setattr(mail_folder, "LONGEST_WAIT", -1)
    assert mail_folder.empty(path) == 0 and len(seen) == 3
    left = mailbox.Maildir(path, create=False)
    assert len(left) == 0 and len(left.get_folder(mail_folder.REFUSED)) == 1


def test_one_that_takes_the_time_of_the_task_is_set_aside(tmp_path, monkeypatch):
    box = mailbox.Maildir(tmp_path / "mail", create=True)
    box.add(b"From: x@y.fr\r\n\r\nBonjour")

    def slow(raw):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(mail_folder, "receive_answer", slow)
    with pytest.raises(SoftTimeLimitExceeded):
        mail_folder.empty(str(tmp_path / "mail"))
    left = mailbox.Maildir(tmp_path / "mail", create=False)
    assert len(left) == 0 and len(left.get_folder(mail_folder.REFUSED)) == 1
    assert tasks.receive_answers.soft_time_limit < tasks.receive_answers.time_limit <= 60


def test_mails_set_aside_are_not_kept_for_ever_nor_read_whole(tmp_path, monkeypatch, settings):
    settings.AGENDA_REPLY_MAILDIR = path = str(tmp_path / "mail")
    box = mailbox.Maildir(path, create=True)
    box.add(b"Subject: " + b"x" * (mail_folder.MOST_BYTES * 2))
    given = []

    def refused(raw):
        given.append(len(raw))
        return receive_answer(raw)

    monkeypatch.setattr(mail_folder, "receive_answer", refused)
    assert tasks.receive_answers() == 1 and given == [mail_folder.MOST_BYTES + 1]
    aside = mailbox.Maildir(path, create=False).get_folder(mail_folder.REFUSED)
    assert mail_folder.purge(path) == 0 and len(aside) == 1
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"received_answers": -1}
    assert mail_folder.purge(path) == 1 and len(aside) == 0
