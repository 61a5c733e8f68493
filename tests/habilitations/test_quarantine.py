"""A restored installation honours no secret of its backup, and a named person decides what leaves (REL-13)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from agenda.actions.feeds import open_feed
from circle import actions as circle
from circle.models import Invitation
from coordination.accounts.models import Session
from coordination.outbox import quarantine as gate
from coordination.outbox import sweeping
from coordination.outbox.models import Message, Quarantine, State
from coordination.partners.models import Relay
from coordination.partners.models import State as RelayState
from habilitations.actions.quarantine import close_secrets, prepare_quarantine, release_quarantine
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace, ClientToken, PersonalToken, SoftwareClient
from habilitations.quarantine_errors import NoQuarantine, NotWaiting, QuarantineNotPrepared
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.callers import ask_token, connect, personal, token_of
from tests.outbox.factories import MessageFactory
from tests.partners.factories import PartnerFactory, RelayFactory

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-13")]


@pytest.fixture
def anna():
    return UserFactory(administrator=True)


def restored(hours=2):
    close_secrets(backup_at=timezone.now() - timedelta(hours=hours))
    return prepare_quarantine()


def sweep():
    """As the clock of a running installation does; return the addresses that got a mail by it."""
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.update(ring_after=past, next_attempt_at=past)
    del mail.outbox[:]
    sweeping.sweep()
    return [one.to[0] for one in mail.outbox]


def test_no_secret_of_the_backup_opens_anything(client, anna):
    nurse, here = UserFactory(), client
    here.force_login(nurse)
    software, secret = connect()
    token_of(here, software, secret)
    _, own = personal(nurse)
    address = f"/agenda/flux/{open_feed(nurse, level='occupe')[1]}.ics"
    assert here.get(address).status_code == 200
    calls = {"Authorization": f"Bearer {own}"}
    before = here.get("/fhir/CareTeam", headers=calls).status_code
    row = restored()
    assert before != 401
    assert here.get("/fhir/CareTeam", headers=calls).status_code == 401
    assert here.get(address).status_code == 404
    assert here.get(reverse("accounts:home")).status_code == 302
    assert not Session.objects.filter(user=nurse).exists()
    assert not ClientToken.objects.exists()
    assert not PersonalToken.objects.filter(revoked_at=None).exists()
    line = AccountTrace.objects.filter(action="quarantaine").get()
    assert (line.object_id, line.count) == (row.pk, 4)


def test_recovery_codes_of_the_backup_serve_no_more():
    """Some may have served since: the backup does not know which. The factors beside them stay."""
    nurse = UserFactory()
    TOTP.activate(nurse, generate_totp_secret())
    RecoveryCodes.activate(nurse)
    row = restored()
    assert list(Authenticator.objects.values_list("user", "type")) == [(nurse.pk, Authenticator.Type.TOTP)]
    assert AccountTrace.objects.get(action="quarantaine", object_id=row.pk).count == 1


def test_a_software_gets_no_token_before_the_release(client, anna):
    software, secret = connect()
    restored()
    answer = ask_token(client, software, secret)
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    release_quarantine(by=anna, keep_software=True)
    assert ask_token(client, software, secret).status_code == 200


def test_what_the_clock_may_have_sent_after_the_backup_is_written_and_kept_back(anna, settings):
    """The reminder of an invitation fell due between the backup and the disaster: it left then."""
    publish_default_matrix()
    asked = {"email": "invitee@cabinet.example", "message": ""}
    member = make.add(make.open_circle(make.coordinator()), make.listed(), wanted="oui", invitation=asked)
    invitation = Invitation.objects.get(member=member)
    Message.objects.all().delete()
    late = timezone.now() - timedelta(days=settings.INVITATION_REMINDER_DAYS, hours=1)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=late)
    restored()
    reminder = Message.objects.get(object_id=invitation.pk)
    release_quarantine(by=anna, keep_software=True)
    circle.remind_due()
    assert sweep() == []
    reminder.refresh_from_db()
    assert reminder.state == State.RETENU
    assert Message.objects.filter(object_id=invitation.pk).count() == 1


def test_by_default_the_mails_of_the_backup_stay_and_those_of_since_leave(anna):
    MessageFactory(to="avant@courrier.example")
    restored()
    MessageFactory(to="depuis@courrier.example")
    assert sweep() == []
    done = release_quarantine(by=anna, keep_software=True)
    assert (done.leaving, done.held) == (1, 1)
    assert sweep() == ["depuis@courrier.example"]
    assert sweep() == []


def test_who_releases_chooses_otherwise(anna):
    sent, kept = MessageFactory(to="avant@courrier.example"), MessageFactory()
    restored()
    held = MessageFactory(to="depuis@courrier.example")
    release_quarantine(by=anna, keep_software=True, send=[sent.pk], hold=[held.pk])
    assert sweep() == ["avant@courrier.example"]
    states = dict(Message.objects.values_list("pk", "state"))
    assert (states[kept.pk], states[held.pk]) == (State.RETENU, State.RETENU)


def test_exchanges_with_partners_are_kept_back_too_even_of_one_out_of_service(anna):
    one, other = RelayFactory(), RelayFactory(partner=PartnerFactory(active=False))
    restored()
    release_quarantine(by=anna, keep_software=True)
    assert set(Relay.objects.values_list("pk", "state")) == {
        (one.pk, RelayState.ANNULE),
        (other.pk, RelayState.ANNULE),
    }


def test_the_release_is_of_a_named_administrator_and_in_the_journal(anna):
    with pytest.raises(NoQuarantine):
        release_quarantine(by=anna, keep_software=True)
    row = restored()
    for nobody in (None, UserFactory(), UserFactory(administrator=True, suspended=True)):
        with pytest.raises(NotAllowed):
            release_quarantine(by=nobody, keep_software=True)
    assert Quarantine.objects.standing().exists()
    release_quarantine(by=anna, keep_software=True)
    row.refresh_from_db()
    assert row.released_by_id == anna.pk
    line = AccountTrace.objects.filter(action="fin de quarantaine").get()
    assert (line.actor_id, line.object_id) == (anna.pk, row.pk)


def test_nothing_is_released_before_the_secrets_were_ended(anna):
    Quarantine.objects.create(backup_at=timezone.now())
    with pytest.raises(QuarantineNotPrepared):
        release_quarantine(by=anna, keep_software=True)


def test_a_mistyped_row_releases_nothing(anna):
    restored()
    with pytest.raises(NotWaiting):
        release_quarantine(by=anna, keep_software=True, send=[uuid4()])
    assert Quarantine.objects.standing().exists()


def test_prepared_twice_it_is_one_quarantine_of_the_last_backup():
    MessageFactory()
    first = restored(hours=5)
    second = restored(hours=1)
    assert (first.pk, Quarantine.objects.count()) == (second.pk, 1)
    assert second.backup_at > first.backup_at


def test_what_the_clocks_cannot_write_gives_no_secret_back(client, anna):
    """The journal of this role cannot be written: the preparation stops, and what was ended stays so."""
    nurse = UserFactory()
    client.force_login(nurse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_clocks", [write_where_the_role_may_not])
        with pytest.raises(CommandError, match=r"journal-role\.sql"):
            call_command("quarantaine", "preparer", "--sauvegarde", "2026-11-29T21:00:00+00:00")
    assert not Session.objects.filter(user=nurse).exists()
    with pytest.raises(QuarantineNotPrepared):
        release_quarantine(by=anna, keep_software=True)
    call_command("quarantaine", "preparer", "--sauvegarde", "2026-11-29T21:00:00+00:00")
    release_quarantine(by=anna, keep_software=True)


def write_where_the_role_may_not():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM habilitations_tracehead")


def test_nothing_is_prepared_that_no_restoration_began():
    with pytest.raises(NoQuarantine):
        prepare_quarantine()


# ---- The command ---------------------------------------------------------------------------------


def test_the_command_shows_what_waits_without_an_address(anna, capsys):
    call_command("quarantaine")
    assert "Aucune quarantaine" in capsys.readouterr().out
    call_command("quarantaine", "preparer", "--sauvegarde", "2026-11-29T10:00:00+00:00")
    message = MessageFactory(to="depuis@courrier.example")
    connect(name="Logiciel Témoin")
    capsys.readouterr()
    call_command("quarantaine")
    said = capsys.readouterr().out
    assert str(message.pk) in said and "test.mail" in said and "Logiciel Témoin" in said
    assert message.to not in said


@pytest.mark.parametrize("moment", ["2031-01-01T00:00:00+00:00", "2026-11-29", "hier", "2026-13-40T00:00", ""])
def test_a_moment_that_cannot_be_is_refused_before_anybody_is_signed_out(client, moment):
    nurse = UserFactory()
    client.force_login(nurse)
    with pytest.raises(CommandError, match="--sauvegarde"):
        call_command("quarantaine", "preparer", "--sauvegarde", moment)
    assert Session.objects.filter(user=nurse).exists() and not Quarantine.objects.exists()


def test_a_backup_dated_by_a_clock_that_is_ahead_is_prepared():
    call_command("quarantaine", "preparer", "--sauvegarde", (timezone.now() + timedelta(minutes=20)).isoformat())
    assert Quarantine.objects.standing().exists()


def test_the_command_asks_what_becomes_of_the_software(anna):
    MessageFactory(to="avant@courrier.example")
    software, _ = connect()
    call_command("quarantaine", "preparer", "--sauvegarde", "2026-11-29T10:00:00+00:00")
    with pytest.raises(CommandError, match="--logiciels"):
        call_command("quarantaine", "lever", "--par", anna.email)
    call_command("quarantaine", "lever", "--par", anna.email, "--logiciels", "revoquer", "--envoyer", "sauvegarde")
    assert SoftwareClient.objects.get(pk=software.pk).revoked_by_id == anna.pk
    assert sweep() == ["avant@courrier.example"]


@pytest.mark.parametrize("said", [None, "hier", "2026-13-45T10:00:00"])
def test_the_command_wants_the_moment_of_the_backup(said):
    options = ["--sauvegarde", said] if said else []
    with pytest.raises(CommandError, match="--sauvegarde"):
        call_command("quarantaine", "preparer", *options)
    assert not Quarantine.objects.exists()


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ([], "--par"),
        (["--par", "personne@nulle.example"], "--par"),
        (["--envoyer", "tout"], "identifiant"),
    ],
)
def test_the_command_releases_nothing_when_it_is_not_understood(anna, options, refusal):
    restored()
    who = [] if "--par" in options or not options else ["--par", anna.email]
    with pytest.raises(CommandError, match=refusal):
        call_command("quarantaine", "lever", *who, *options)
    assert Quarantine.objects.standing().exists()
