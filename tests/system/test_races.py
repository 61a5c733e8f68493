"""Many people at the same moment, through the real server: one holder, one member, and a sentence for the others."""

import re
import threading
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client

from circle.models import RoleHolding
from coordination.common.text import person_name
from tests.circle import factories
from tests.circle.conftest import publish_default_matrix
from tests.system.acts import today

ATTEMPTS = 20


@pytest.fixture
def entry(transactional_db):
    publish_default_matrix()
    return factories.open_circle(factories.coordinator(family_name="EXEMPLE-LARRIEU", given_name="Maëlle"))


@pytest.fixture
def post(live_server, entry):
    """Return `post(path, fields) -> (status, text)` on a connection of its own, in the coordinator's session."""
    client = Client()
    client.force_login(entry.user)
    token = _get_new_csrf_string()
    cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}"

    def send(path, fields):
        connection = HTTPConnection(urlsplit(live_server.url).netloc, timeout=60)
        connection.request(
            "POST",
            path,
            urlencode(fields),
            {"Cookie": cookies, "X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return send


def all_at_once(act, many):
    """Call `act(item)` for all the items from threads that start together; return the answers, in order."""
    start = threading.Barrier(len(many), timeout=60)
    answers = [None] * len(many)

    def run(rank):
        start.wait()
        answers[rank] = act(many[rank])

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(len(many))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_twenty_attempts_on_a_unique_role_give_one_holder(post, entry):
    doctors = [
        factories.add(
            entry, factories.listed(factories.DOCTOR, family_name=f"MAQUETTE-{'ABCDEFGHIJKLMNOPQRST'[rank]}")
        )
        for rank in range(ATTEMPTS)
    ]
    circle = f"/dossiers/{entry.dossier.pk}/cercle/membres/"
    answers = all_at_once(
        lambda member: post(
            f"{circle}{member.pk}/role/", {"role": "PCP", "starts_on": today(), "version": member.version}
        ),
        doctors,
    )

    statuses = sorted(status for status, _ in answers)
    assert statuses == [303] + [422] * (ATTEMPTS - 1)
    holder = RoleHolding.objects.get(dossier_id=entry.dossier.pk, role="PCP").member
    name = person_name(holder.professional.family_name, holder.professional.given_name)
    for status, text in answers:
        if status == 422:
            # Who holds it, and what can be done about it.
            assert re.search(rf"{name} tient ce rôle|tenu par {name}", text, re.IGNORECASE)


def test_the_same_form_sent_twenty_times_at_once_adds_one_member(post, entry):
    path = f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/aidant/"
    fields = {
        "family_name": "MODÈLE", "given_name": "Karim", "relation": "SONC", "mobile": "06 39 98 20 55",
        "role": "CAREGIVER", "starts_on": today(), "creation_key": "019a7e00-0000-7000-8000-000000000001",
    }  # fmt: skip
    answers = all_at_once(lambda _: post(path, fields), list(range(ATTEMPTS)))
    assert {status for status, _ in answers} == {303}
    assert entry.dossier.members.filter(family_name="MODÈLE").count() == 1
