"""The queue: kept with its act, tried again, given up at once when trying again is useless, never done twice."""

import datetime as dt
import logging
import threading
import uuid

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from coordination.common.errors import DomainError
from coordination.outbox import attempts, sweeping
from coordination.partners import actions, relaying, tasks
from coordination.partners.client import Asked
from coordination.partners.errors import AddressNotAllowed, NothingToRelay, PartnerOff, RelayWaiting, SecretMissing
from coordination.partners.models import Partner, Relay, RelayedId, State
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace
from tests.accounts.factories import UserFactory
from tests.partners.factories import SECRET, PartnerFactory, RelayFactory

pytestmark = pytest.mark.django_db
REFUSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]}


@pytest.fixture
def waiting(partner, kind):
    return RelayFactory(partner=partner)


@pytest.fixture
def anna():
    return UserFactory(administrator=True)


def done(relay):
    """Attempt it; return the row as it is then."""
    relaying.relay(relay.pk)
    relay.refresh_from_db()
    return relay


def due_now(relay):
    past = timezone.now() - dt.timedelta(seconds=10)
    Relay.objects.filter(pk=relay.pk).update(next_attempt_at=past, ring_after=past)
    return relay


# ---- Doing ---------------------------------------------------------------------------------------


def test_a_relay_is_done_once(waiting, standin, kind):
    row = done(waiting)
    assert (row.state, row.attempts, row.last_status, row.last_error) == (State.FAIT, 1, 200, "")
    assert row.done_at is not None and kind.received[0]["type"] == "transaction-response"
    assert Partner.objects.get(pk=row.partner_id).last_ok_at is not None
    assert relaying.relay(waiting.pk) is False
    assert len(standin.calls) == 1


@pytest.mark.req("REL-2")
def test_a_killed_worker_leaves_the_relay_to_another_who_says_the_same_key(waiting, standin, kind, monkeypatch):
    class Killed(BaseException):
        """Not an error that anybody catches: the process is gone."""

    def killed(relay):
        raise Killed

    kind.on_receive = killed
    with pytest.raises(Killed):
        relaying.relay(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == (State.EN_COURS, 1)
    kind.on_receive = None
    assert done(due_now(waiting)).state == State.FAIT
    first, second = standin.calls
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


@pytest.mark.req("REL-2")
def test_a_relay_that_kills_its_worker_each_time_is_given_up(waiting, standin, kind):
    Relay.objects.filter(pk=waiting.pk).update(attempts=attempts.MAX_ATTEMPTS, state=State.EN_COURS)
    row = done(due_now(waiting))
    assert (row.state, row.attempts) == (State.ECHEC, attempts.MAX_ATTEMPTS)
    assert "interrompu" in row.last_error and len(standin.calls) == 0


@pytest.mark.req("REL-7")
def test_another_content_has_another_key(waiting, standin, kind):
    standin.says(503)
    done(waiting)
    kind.asked = Asked(resource={"resourceType": "Basic", "id": "deux", "code": {"text": "essai"}})
    done(due_now(waiting))
    first, second = standin.calls
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_a_relay_that_asks_for_more_is_done_again_at_once(waiting, standin, kind):
    kind.again = [True]
    # What was answered is no failure: the next call begins a count of its own.
    assert (done(waiting).state, waiting.attempts) == (State.EN_ATTENTE, 0)
    assert done(waiting).state == State.FAIT
    assert len(standin.calls) == 2


# ---- Failing -------------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-16.5.2")
def test_a_breakdown_is_tried_again_later_and_not_all_together(partner, standin, kind):
    standin.then.status, standin.then.body = 503, b""
    delays = set()
    for _ in range(5):
        row = done(RelayFactory(partner=partner))
        assert (row.state, row.attempts, row.last_status) == (State.EN_ATTENTE, 1, 503)
        delay = (row.next_attempt_at - timezone.now()).total_seconds()
        assert 0.7 * 10 < delay < 1.3 * 10
        delays.add(row.next_attempt_at - row.created_at)
    assert len(delays) == 5
    partner.refresh_from_db()
    assert (partner.fails, partner.last_error) == (True, "Le partenaire demande d’attendre (503).")


def test_what_the_partner_asks_to_wait_is_waited(waiting, standin, kind):
    standin.says(429, b"", retry_after="7200")
    row = done(waiting)
    assert row.state == State.EN_ATTENTE
    assert row.next_attempt_at - timezone.now() > dt.timedelta(minutes=119)
    assert row.ring_after == row.next_attempt_at


def test_attempts_have_an_end(waiting, standin, kind):
    standin.then.status, standin.then.body = 502, b""
    for _ in range(attempts.MAX_ATTEMPTS):
        assert Relay.objects.get(pk=waiting.pk).state == State.EN_ATTENTE
        done(due_now(waiting))
    assert waiting.state == State.ECHEC


@pytest.mark.parametrize(("status", "body"), [(422, REFUSED), (400, REFUSED), (500, REFUSED), (403, b""), (302, b"")])
def test_what_cannot_go_better_is_a_dead_letter_at_once(waiting, standin, kind, status, body):
    standin.says(status, body)
    row = done(waiting)
    assert (row.state, row.attempts, row.last_status) == (State.ECHEC, 1, status)
    assert str(status) in row.last_error


def test_a_reason_of_ours_names_nobody(waiting, standin, kind):
    class Held(DomainError):
        code = "role_already_held"
        message = "{holder} tient déjà ce rôle."

    kind.refusal = Held(holder="TESTARD Paul")
    row = done(waiting)
    assert (row.state, row.last_error) == (State.ECHEC, "Cette demande n’est pas possible ici (role_already_held).")
    assert standin.heard == []
    assert Partner.objects.get(pk=row.partner_id).last_error == "", "the partner has done nothing wrong"


def test_a_relay_that_lost_its_reason_says_so(waiting, standin, kind):
    kind.refusal = NothingToRelay("Ce cercle est vide.")
    assert done(waiting).last_error == "Ce cercle est vide."


def test_our_own_mistake_is_logged_without_words_and_tried_again(waiting, kind, caplog):
    kind.refusal = ZeroDivisionError("TESTARD Paul")
    with caplog.at_level(logging.WARNING, logger="coordination.partners"):
        row = done(waiting)
    assert (row.state, row.last_error) == (State.EN_ATTENTE, "L’échange a échoué (ZeroDivisionError).")
    assert "TESTARD" not in caplog.records[-1].getMessage()


def test_an_answer_whose_application_fails_leaves_nothing_of_it(waiting, kind):
    def half(relay):
        RelayedId.objects.create(partner=relay.partner, resource_type="CareTeam", local_id=uuid.uuid4(), remote_id="1")
        raise NothingToRelay("Cette réponse ne sert pas.")

    kind.on_receive = half
    assert done(waiting).state == State.ECHEC
    assert not RelayedId.objects.exists()


# ---- Calling off, waiting, retrying ----------------------------------------------------------------


def test_a_partner_out_of_service_keeps_what_waits(waiting, standin, kind):
    Partner.objects.update(active=False)
    assert done(due_now(waiting)).state == State.EN_ATTENTE
    assert standin.heard == [] and sweeping.sweep() == 0
    Partner.objects.update(active=True)
    assert done(waiting).state == State.FAIT


def test_called_off_while_it_is_sent_stays_called_off_when_it_fails(waiting, standin, kind, anna):
    def called_off(handler):
        handler.send_error(503)

    real = kind.prepare
    kind.prepare = lambda relay: (actions.cancel_relay(relay, by=anna), real(relay))[1]
    standin.does(called_off)
    assert done(waiting).state == State.ANNULE


def test_called_off_while_it_is_sent_asks_for_no_more(waiting, standin, kind, anna):
    """What left has left; what it would have gone on with is called off, asked again meanwhile or not."""
    kind.again = [True]
    kind.on_receive = lambda relay: actions.cancel_relay(relay, by=anna)
    assert done(waiting).state == State.ANNULE
    kind.again = [True]
    other = RelayFactory(partner=waiting.partner)
    kind.on_receive = lambda relay: (
        actions.cancel_relay(relay, by=anna),
        actions.ask_relay(relay.partner, kind=relay.kind, object_id=relay.object_id, by=anna),
    )
    assert done(other).state == State.ANNULE
    assert Relay.objects.filter(state=State.EN_ATTENTE).count() == 1


def test_a_dead_letter_is_retried_and_called_off_by_administrators_only(waiting, standin, kind, anna):
    standin.says(422, REFUSED)
    done(waiting)
    for act in (actions.retry_relay, actions.cancel_relay):
        with pytest.raises(NotAllowed):
            act(waiting, by=UserFactory())
    row = actions.retry_relay(waiting, by=anna)
    assert (row.state, row.attempts, row.last_error) == (State.EN_ATTENTE, 0, "")
    assert done(waiting).state == State.FAIT
    assert actions.retry_relay(waiting, by=anna).state == State.FAIT
    assert actions.cancel_relay(waiting, by=anna) is False
    told = AccountTrace.objects.filter(actor_id=anna.pk, object_id=waiting.pk).values_list("action", flat=True)
    assert list(told) == ["reprise échange"]


def test_a_dead_letter_asked_again_since_is_not_retried_beside(waiting, standin, kind, anna):
    standin.says(422, REFUSED)
    done(waiting)
    actions.ask_relay(waiting.partner, kind=waiting.kind, object_id=waiting.object_id, by=anna)
    with pytest.raises(RelayWaiting):
        actions.retry_relay(waiting, by=anna)


def test_the_same_waits_once(waiting, anna):
    same = {"kind": waiting.kind, "object_id": waiting.object_id, "by": anna}
    with pytest.raises(RelayWaiting):
        actions.ask_relay(waiting.partner, **same)
    with pytest.raises(IntegrityError), transaction.atomic():
        RelayFactory(partner=waiting.partner, object_id=waiting.object_id)
    assert actions.ask_relay(PartnerFactory(), **same).state == State.EN_ATTENTE
    Partner.objects.filter(pk=waiting.partner_id).update(active=False)
    with pytest.raises(PartnerOff):
        actions.ask_relay(waiting.partner, **same)


# ---- Bell, sweep, two workers ------------------------------------------------------------------------


@pytest.fixture
def no_broker(monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError

    monkeypatch.setattr(tasks.relay, "apply_async", unreachable)


@pytest.mark.req("REL-1")
@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_once_the_act_is_kept(partner, kind, anna):
    with transaction.atomic():
        lost = actions.ask_relay(partner, kind="test.send", object_id=uuid.uuid4(), by=anna)
        transaction.set_rollback(True)
    with transaction.atomic():
        kept = actions.ask_relay(partner, kind="test.send", object_id=uuid.uuid4(), by=anna)
    assert Relay.objects.get(pk=kept.pk).state == State.FAIT
    assert not Relay.objects.filter(pk=lost.pk).exists()


@pytest.mark.req("REL-3")
def test_with_no_broker_the_sweep_does_it_itself(waiting, kind, no_broker):
    due_now(waiting)
    assert sweeping.sweep() == 1
    waiting.refresh_from_db()
    assert waiting.state == State.FAIT


@pytest.mark.req("REL-2")
@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_do_one_relay_together(partner, standin, kind):
    """The sweep rings again while the first one waits for the partner: the second leaves it alone."""
    row = RelayFactory(partner=partner)
    began, may_end = threading.Event(), threading.Event()
    kind.prepare = lambda relay: (began.set(), may_end.wait(10), kind.asked)[2]

    def first():
        try:
            relaying.relay(row.pk)
        finally:
            connection.close()

    worker = threading.Thread(target=first)
    worker.start()
    try:
        assert began.wait(10)
        assert relaying.relay(due_now(row).pk) is False
    finally:
        may_end.set()
        worker.join()
    row.refresh_from_db()
    assert (row.state, row.attempts, len(standin.calls)) == (State.FAIT, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_partner_is_waited_for(partner, standin, kind):
    """What was traced when the content was made would hold the journal of the dossier, and all its pages."""
    row = RelayFactory(partner=partner)
    seen = []

    def look(handler):
        seen.append(connection_of_worker.in_atomic_block)
        handler.send_response(200)
        handler.end_headers()

    connection_of_worker = connections["default"]
    standin.does(look)
    relaying.relay(row.pk)
    assert seen == [False]


# ---- Partners ----------------------------------------------------------------------------------------

SAID = {
    "name": "Groupement", "base_url": "https://cercles.exemple/fhir", "token_url": "https://cercles.exemple/token",
    "client_id": "coordination", "scope": "", "acting_header": "Acting-Professional", "active": True,
}  # fmt: skip


@pytest.mark.req("SEC-19")
def test_a_secret_is_kept_sealed(anna):
    partner = actions.add_partner(**SAID, secret=SECRET, by=anna)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text FROM partners_partner p")
        assert SECRET not in cursor.fetchone()[0]
    assert partner.secret == SECRET
    changed = actions.change_partner(partner, name="Groupement des Modèles", by=anna)
    assert (changed.name, changed.secret) == ("Groupement des Modèles", SECRET)
    told = AccountTrace.objects.filter(actor_id=anna.pk, object_id=partner.pk).order_by("at")
    assert [one.action for one in told] == ["ajout partenaire", "réglage partenaire"]


def test_a_secret_is_not_sent_where_it_was_not_given_for(anna):
    partner = actions.add_partner(**SAID, secret=SECRET, by=anna)
    with pytest.raises(SecretMissing):
        actions.change_partner(partner, token_url="https://ailleurs.exemple/token", by=anna)
    with pytest.raises(SecretMissing):
        actions.change_partner(partner, base_url="https://ailleurs.exemple/fhir", by=anna)
    moved = actions.change_partner(partner, token_url="https://ailleurs.exemple/token", secret="autre", by=anna)
    assert moved.secret == "autre"


def test_who_and_what_is_refused(anna, settings):
    settings.PARTNERS_ALLOW_PRIVATE = False
    with pytest.raises(NotAllowed):
        actions.add_partner(**SAID, secret=SECRET, by=UserFactory())
    with pytest.raises(SecretMissing):
        actions.add_partner(**SAID, secret="", by=anna)
    with pytest.raises(AddressNotAllowed):
        actions.add_partner(**SAID | {"base_url": "http://cercles.exemple/fhir"}, secret=SECRET, by=anna)
    assert not Partner.objects.exists()


# ---- manage.py relais ----------------------------------------------------------------------------------


def terminal(capsys, *arguments):
    call_command("relais", *arguments)
    return capsys.readouterr().out


def test_the_terminal_lists_retries_and_calls_off(waiting, standin, kind, capsys):
    standin.says(422, REFUSED)
    done(waiting)
    listed = terminal(capsys)
    assert str(waiting.pk) in listed and "Échec (1)" in listed and "required" in listed
    assert str(waiting.object_id) not in listed and waiting.asked_by.family_name not in listed
    assert terminal(capsys, "--reprendre", str(waiting.pk)) == "1 échange remis en file.\n"
    assert terminal(capsys, "--tous") == "0 échange remis en file.\n"
    assert terminal(capsys, "--annuler", str(waiting.pk)) == "Échange annulé.\n"
    assert terminal(capsys) == "Aucun échange n’attend ni n’a échoué.\n"
    with pytest.raises(CommandError):
        terminal(capsys, "--reprendre", str(uuid.uuid4()))


def test_what_is_done_long_ago_is_forgotten_and_dead_letters_are_not(partner):
    long_ago = timezone.now() - dt.timedelta(days=100)
    for state in State:
        RelayFactory(
            partner=partner, state=state, created_at=long_ago, done_at=long_ago if state == State.FAIT else None
        )
    assert actions.purge() == 2
    assert set(Relay.objects.values_list("state", flat=True)) == {State.EN_ATTENTE, State.EN_COURS, State.ECHEC}
