"""Two writes that cannot both go on: PostgreSQL undoes one, which is done again, and again, then says so."""

import threading
from types import SimpleNamespace

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client

from circle.circles import Circle
from coordination.dossiers.models import Dossier
from coordination.fhir import attempts, bundles, interactions
from habilitations.models import Trace
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.api import Api, issues, read
from tests.fhir.circles import Sent, ids
from tests.waiting import until_somebody_waits


@pytest.fixture
def pauses(monkeypatch):
    """How many times a call was begun again."""
    made = []
    monkeypatch.setattr(attempts, "time", SimpleNamespace(sleep=made.append))
    return made


@pytest.fixture
def met(monkeypatch, pauses):
    """Have the end of the next writes meet another one: so many times, as PostgreSQL says it."""

    def meet(times, error=psycopg.errors.DeadlockDetected):
        for module, name in ((interactions, "_written"), (bundles, "_response")):
            monkeypatch.setattr(module, name, failing(getattr(module, name)))
        left.update(times=times, error=error)

    def failing(end):
        def ended(*arguments):
            found = end(*arguments)
            if left["times"]:
                left["times"] -= 1
                raise OperationalError from left["error"]()
            return found

        return ended

    left = {}
    return meet


def sent_alone(sent):
    return "Patient", sent.patient()


def sent_whole(sent):
    return "", sent.bundle()


@pytest.mark.django_db
@pytest.mark.parametrize("call", [sent_alone, sent_whole])
@pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
def test_a_write_that_met_another_one_is_done_again(api, met, pauses, call, error):
    # The journal keeps what other tests told.
    told = [Trace.objects.count()]
    assert api.post(*call(Sent())).status_code in (200, 201)
    told.append(Trace.objects.count())
    met(2, error)
    answer = api.post(*call(Sent()))
    assert (answer.status_code < 300, len(pauses)) == (True, 2)
    assert Dossier.objects.count() == 2
    # What was traced by the attempts was undone with them.
    assert Trace.objects.count() - told[1] == told[1] - told[0] > 0


@pytest.mark.django_db
@pytest.mark.parametrize("call", [sent_alone, sent_whole])
def test_after_three_times_it_is_said_and_nothing_is_stored(api, met, pauses, call):
    told = Trace.objects.count()
    met(3)
    answer = api.post(*call(Sent()))
    assert (answer.status_code, answer["Retry-After"], len(pauses)) == (503, "1", 2)
    assert issues(answer) == [("error", "lock-error", "")]
    assert (Dossier.objects.count(), Circle.objects.count(), Trace.objects.count()) == (0, 0, told)
    assert api.post(*call(Sent())).status_code < 300


@pytest.mark.django_db
def test_another_failure_of_the_database_is_not_tried_again(api, met, pauses):
    met(1, psycopg.errors.DiskFull)
    assert (api.post("Patient", Sent().patient()).status_code, pauses) == (503, [])
    assert Dossier.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_writes_that_wait_for_each_other_are_both_done(pauses):
    publish_default_matrix()
    api = Api.of(Client(), make.coordinator())
    first, second = (ids(read(api.post("", Sent().bundle())))["Patient"] for _ in range(2))
    entries = [
        {"resource": read(api.get(f"Patient/{id}")) | {"birthDate": "1961-03-04"},
         "request": {"method": "PUT", "url": f"Patient/{id}"}}
        for id in (first, second)
    ]  # fmt: skip
    answers = []

    def write():
        answers.append(api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}))
        connection.close()

    call = threading.Thread(target=write)
    with transaction.atomic():
        # The call holds the first and waits for the second, we hold the second and wait for the first.
        Dossier.objects.select_for_update().get(pk=second)
        call.start()
        until_somebody_waits()
        Dossier.objects.select_for_update().get(pk=first)
    call.join()
    assert (answers[0].status_code, len(pauses)) == (200, 1)
    assert {read(api.get(f"Patient/{id}"))["birthDate"] for id in (first, second)} == {"1961-03-04"}
