"""« Files d’attente »: everything that waits on one screen, begun again or given up, each act traced (issue 6 §1)."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agenda.actions.own_calendars import retry_calendars
from agenda.actions.schedules import schedule_of
from agenda.models import OwnCalendar
from coordination.directory.models import ImportRun
from coordination.operations import actions
from coordination.operations.errors import NothingThere
from coordination.outbox import actions as outbox
from coordination.outbox import delivery, filling
from coordination.outbox.models import Job, Message, State
from coordination.partners.models import Relay
from coordination.partners.models import State as Exchange
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace
from tests.accounts.factories import UserFactory
from tests.circle.conftest import publish_default_matrix
from tests.outbox.factories import MessageFactory
from tests.partners.factories import PartnerFactory, RelayFactory

pytestmark = pytest.mark.django_db
PAGE = "/administration/files/"
SAID = "L’adresse est refusée par le serveur du destinataire (code 550)."


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def dead_letter(**said):
    return MessageFactory(**{"state": State.ECHEC, "attempts": 3, "last_error": SAID} | said)


def dead_job(**said):
    return Job.objects.create(**{"kind": "test.job", "ref": uuid4(), "given_up_at": timezone.now()} | said)


def dead_exchange(**said):
    return RelayFactory(**{"state": Exchange.ECHEC, "last_error": "Le partenaire refuse (422)."} | said)


def calendar(failures=2, name="Cabinet"):
    return OwnCalendar.objects.create(
        schedule=schedule_of(UserFactory()), name=name, kind="ics", host="agenda.exemple", address_sealed="x",
        failures=failures, last_error="Le site ne répond pas.", next_refresh_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def one(queue, deed, row):
    return reverse("operations:act_on_one", args=[queue, deed, row.pk])


def every(queue, deed):
    return reverse("operations:act_on_all", args=[queue, deed])


def traced(by):
    """What somebody did here, his sign-in left out; the journal keeps what other tests committed."""
    rows = AccountTrace.objects.filter(actor_id=by.pk).exclude(action="connexion").order_by("at")
    return list(rows.values_list("action", "object_kind", "object_id"))


# ---- The screen ----------------------------------------------------------------------------------


def test_nobody_else_finds_anything(client):
    client.force_login(UserFactory())
    letter = dead_letter()
    for address in (PAGE, one("courriels", "reprendre", letter), every("courriels", "abandonner")):
        assert client.get(address).status_code == 404 and client.post(address).status_code in (404, 405)
    letter.refresh_from_db()
    assert letter.state == State.ECHEC and letter.dismissed_at is None


def test_everything_that_waits_is_on_one_screen_and_nobody_is_named(client, anna):
    words = {"subject": "Quatrelivres", "text": "Bonjour Quatrelivres"}
    dead_letter(kind="circle.undelivered", to="zephirine@famille.example", **words)
    dead_job(kind="test.reindex", last_error="Le travail a échoué (KeyError).")
    relay = dead_exchange(partner=PartnerFactory(name="Groupement des Maquettes"))
    calendar(name="Cabinet Quatrelivres")
    ended = timezone.now() - timedelta(days=1)
    ImportRun.objects.create(kind="rpps", file_name="a", state=ImportRun.State.DONE, ended_at=ended)
    ImportRun.objects.create(kind="rpps", file_name="b", state=ImportRun.State.REFUSED, reason="Fichier tronqué.")
    page = text(client.get(PAGE))
    for said in (
        "Invitation non distribuée", SAID, "test.reindex", "KeyError", "Groupement des Maquettes",
        "Le partenaire refuse (422).",
        "Le site ne répond pas.", "Fichier tronqué.", "manage.py import_rpps", "toujours réessayés",
    ):  # fmt: skip
        assert said in page, said
    for hidden in ("famille.example", "Quatrelivres", "circle.undelivered", str(relay.object_id), "agenda.exemple"):
        assert hidden not in page


def test_nothing_waits(client, anna):
    page = text(client.get(PAGE))
    assert (
        "Rien n’est en retard" in page and "Aucun fichier n’a encore été chargé." in page and "Reprendre" not in page
    )


@pytest.mark.req("PERF-3")
def test_as_many_statements_whatever_the_queues_hold(client, anna, settings):
    settings.SESSION_TOUCH_SECONDS = 10**6

    def asked():
        with CaptureQueriesContext(connection) as found:
            assert client.get(PAGE).status_code == 200
        return len(found)

    counted = []
    for number in (0, 1, 30):
        for _ in range(number):
            dead_letter(), dead_job(), dead_exchange(), calendar()
            MessageFactory()
            ImportRun.objects.create(kind="rpps", file_name="a", state=ImportRun.State.DONE, ended_at=timezone.now())
        asked()
        counted.append(asked())
    assert len(set(counted)) == 1 and counted[0] <= 12, counted
    assert "6 autres lignes ensuite" in text(client.get(PAGE))


# ---- One row -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("queue", "make", "kind", "object_kind"),
    [
        ("courriels", dead_letter, "reprise courriel", "courriel"),
        ("travaux", dead_job, "reprise travail", "travail dû"),
        ("echanges", dead_exchange, "reprise échange", "échange"),
    ],
)
def test_a_row_begins_again_once_asked(client, anna, queue, make, kind, object_kind):
    row = make()
    address = one(queue, "reprendre", row)
    assert "Reprendre" in text(client.get(address))
    row.refresh_from_db()
    assert type(row).objects.failed().filter(pk=row.pk).exists(), "asking does nothing yet"
    assert client.post(address).status_code == 303
    row.refresh_from_db()
    assert type(row).objects.waiting().filter(pk=row.pk, attempts=0, last_error="").exists()
    assert (kind, object_kind, row.pk) in traced(anna)
    count = len(traced(anna))
    assert "n’attend plus" in text(client.post(address, follow=True)), "twice is told"
    assert len(traced(anna)) == count


@pytest.mark.parametrize(
    ("queue", "make", "kind"),
    [
        ("courriels", dead_letter, "abandon courriel"),
        ("travaux", dead_job, "abandon travail"),
        ("echanges", dead_exchange, "annulation échange"),
    ],
)
def test_a_row_is_given_up_once_asked(client, anna, queue, make, kind):
    row = make()
    address = one(queue, "abandonner", row)
    page = text(client.get(address))
    assert "ne partira plus" in page and type(row).objects.failed().count() == 1
    assert client.post(address).status_code == 303
    assert type(row).objects.failed().count() == type(row).objects.waiting().count() == 0
    assert kind in [action for action, _, _ in traced(anna)]
    assert "Rien n’est en retard" in text(client.get(PAGE))


@pytest.mark.parametrize("path", ["inconnue/reprendre/", "courriels/detruire/", "calendriers/abandonner/"])
def test_what_does_not_exist_is_not_found(client, anna, path):
    assert client.get(PAGE + path).status_code == client.post(PAGE + path).status_code == 404
    assert client.get(f"{PAGE}courriels/reprendre/{uuid4()}/").status_code == 404


def test_an_exchange_asked_again_since_is_not_left_twice(client, anna):
    dead = dead_exchange()
    RelayFactory(partner=dead.partner, kind=dead.kind, object_id=dead.object_id)
    assert client.post(one("echanges", "reprendre", dead)).status_code == 303
    assert Relay.objects.failed().count() == 1
    assert client.post(every("echanges", "reprendre"), {"lignes": str(dead.pk)}).status_code == 303
    assert "1 ligne : redemandée" in text(client.get(PAGE)) and Relay.objects.failed().count() == 1


# ---- All of a queue ------------------------------------------------------------------------------


@pytest.mark.parametrize(("deed", "left"), [("reprendre", 3), ("abandonner", 0)])
def test_all_the_dead_letters_at_once(client, anna, deed, left):
    for _ in range(3):
        dead_letter()
    kept = dead_letter(dismissed_at=timezone.now())
    address = every("courriels", deed)
    page = text(client.get(address))
    assert "3 lignes en échec" in page
    asked = {"lignes": re.search(r'name="lignes" value="([^"]*)"', page)[1]}
    later = dead_letter()
    for nothing in ({}, {"lignes": ""}, {"lignes": "tout"}):
        again = client.post(address, nothing)
        assert again.status_code == 409 and "4 lignes en échec" in text(again)
    assert client.post(address, asked).status_code == 303
    # What died since the question is for the next one.
    assert list(Message.objects.failed()) == [later]
    later.delete()
    assert (Message.objects.failed().count(), Message.objects.waiting().count()) == (0, left)
    assert len(traced(anna)) == 3
    kept.refresh_from_db()
    assert kept.state == State.ECHEC


def test_calendars_that_fail_are_read_again_at_the_next_turn(client, anna):
    failing, fine = calendar(), calendar(failures=0)
    address = every("calendriers", "reprendre")
    assert "cinq minutes" in text(client.get(address))
    assert client.post(address).status_code == 303
    assert list(OwnCalendar.objects.due(timezone.now())) == [failing]
    assert [(action, kind) for action, kind, _ in traced(anna)] == [("reprise calendriers", "calendrier personnel")]
    assert fine.pk != failing.pk


def test_calendars_are_due_again_with_one_trace(anna):
    failing = calendar()
    assert retry_calendars(by=anna) == 1
    assert list(OwnCalendar.objects.due(timezone.now())) == [failing]
    assert [action for action, *_ in traced(anna)] == ["reprise calendriers"]


@pytest.mark.req("SEC-1")
def test_only_an_administrator_acts():
    nobody = UserFactory()
    letter, job, relay = dead_letter(), dead_job(), dead_exchange()
    for act, row in (
        (actions.retry_letter, letter), (actions.dismiss_letter, letter), (actions.retry_job, job),
        (actions.dismiss_job, job), (actions.retry_exchange, relay), (actions.dismiss_exchange, relay),
    ):  # fmt: skip
        for by in (nobody, None) if act is not actions.dismiss_exchange else (nobody,):
            with pytest.raises(NotAllowed):
                act(row, by=by)
    with pytest.raises(NotAllowed):
        retry_calendars(by=nobody)
    assert Message.objects.failed().count() == Job.objects.failed().count() == Relay.objects.failed().count() == 1


def test_each_dead_letter_begins_again_with_its_trace(anna):
    letter, job, relay = dead_letter(), dead_job(), dead_exchange()
    actions.retry_letter(letter, by=anna)
    actions.retry_job(job, by=anna)
    actions.retry_exchange(relay, by=anna)
    assert not any(model.objects.failed().exists() for model in (Message, Job, Relay))
    assert [object_id for *_, object_id in traced(anna)] == [letter.pk, job.pk, relay.pk]


def test_each_dead_letter_is_given_up_with_its_trace(anna):
    letter, job, relay = dead_letter(), dead_job(), dead_exchange()
    actions.dismiss_letter(letter, by=anna)
    actions.dismiss_job(job, by=anna)
    actions.dismiss_exchange(relay, by=anna)
    assert not any(model.objects.failed().exists() for model in (Message, Job, Relay))
    assert [object_id for *_, object_id in traced(anna)] == [letter.pk, job.pk, relay.pk]


# ---- What is dismissed ---------------------------------------------------------------------------


def test_a_letter_given_up_keeps_its_state_and_loses_its_text(anna):
    letter = dead_letter(text="Bonjour", html="<p>Bonjour</p>")
    actions.dismiss_letter(letter, by=anna)
    letter.refresh_from_db()
    assert (letter.state, letter.text, letter.html, letter.last_error) == (State.ECHEC, "", "", SAID)
    assert outbox.retry_message(letter, by=anna).state == State.ECHEC, "given up for good"
    with pytest.raises(NothingThere):
        actions.retry_letter(letter, by=anna)


def test_what_still_waits_may_be_given_up_and_what_left_may_not(anna):
    waiting, sent = MessageFactory(), MessageFactory(sent=True)
    actions.dismiss_letter(waiting, by=anna)
    assert delivery.deliver(waiting.pk) is False
    with pytest.raises(NothingThere):
        actions.dismiss_letter(sent, by=anna)
    done = Job.objects.create(kind="k", ref=uuid4(), done_at=timezone.now())
    with pytest.raises(NothingThere):
        actions.dismiss_job(done, by=anna)


def test_a_letter_that_lost_its_reason_is_no_dead_letter(monkeypatch):
    def nothing(message):
        raise filling.NothingToSend("Annulée.")

    monkeypatch.setitem(filling._fillers, "test.nothing", nothing)
    lost = MessageFactory(kind="test.nothing")
    delivery.deliver(lost.pk)
    about = uuid4()
    withdrawn = MessageFactory(object_id=about)
    assert outbox.withdraw_messages(about, kinds=[withdrawn.kind], why="Renvoyée.") == 1
    assert Message.objects.filter(state=State.ECHEC).count() == 2 and Message.objects.failed().count() == 0


@pytest.mark.parametrize("state", [State.EN_FILE, State.ENVOYE])
@pytest.mark.req("REL-8")
def test_the_database_dismisses_only_what_failed(state):
    said = {"sent_at": timezone.now()} if state == State.ENVOYE else {}
    with pytest.raises(IntegrityError, match="message_dismissed_has_failed"), transaction.atomic():
        MessageFactory(state=state, dismissed_at=timezone.now(), **said)
    with pytest.raises(IntegrityError, match="job_dismissed_was_given_up"), transaction.atomic():
        Job.objects.create(kind="k", ref=uuid4(), dismissed_at=timezone.now())
