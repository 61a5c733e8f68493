"""Searching somebody by the matricule tells nothing of who is followed here by others (SECT-21)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.common.ins import OID_NIR
from coordination.dossiers import actions
from coordination.dossiers.models import Dossier
from tests.dossiers.factories import DossierFactory
from tests.dossiers.test_actions import valid_matricule
from tests.fhir.api import Api, matches, read

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-21", "SECT-4")]
ABSENT = "184127645108946"
TOKENS = re.compile(r"[A-Za-z0-9]{32,64}")


@pytest.fixture
def stranger():
    """Somebody followed here, by others, whose identity is qualified."""
    dossier = DossierFactory()
    actions.receive_ins(dossier, by=None, matricule=valid_matricule(), oid=OID_NIR)
    Dossier.objects.filter(pk=dossier.pk).update(identity_status="QUAL")
    return valid_matricule()


def asked(ask, matricule):
    with CaptureQueriesContext(connection) as captured:
        answer = ask(matricule)
    body = TOKENS.sub("", answer.content.decode().replace(matricule, "TAPÉ"))
    shapes = [re.sub(r"'[^']*'|\b\d+\b|s\d+_x\d+", "", one["sql"]) for one in captured]
    headers = {name: said for name, said in answer.items() if name not in {"X-Request-ID", "Content-Length"}}
    return answer.status_code, headers, body, shapes


@pytest.mark.asvs("v5.0.0-8.2.2")
def test_on_screen_followed_by_others_and_unknown_are_one_answer(as_doctor, dossier, stranger):
    search = lambda matricule: as_doctor.post("/dossiers/", {"q": matricule})  # noqa: E731
    search(ABSENT)
    assert asked(search, stranger) == asked(search, ABSENT)


@pytest.mark.asvs("v5.0.0-8.2.2")
@pytest.mark.parametrize("by", ["GET", "POST"])
def test_by_the_api_too(client, doctor, dossier, stranger, by):
    api = Api.of(client, doctor)

    def search(matricule):
        said = f"identifier=urn:oid:{OID_NIR}%7C{matricule}"
        form = "application/x-www-form-urlencoded"
        return api.get(f"Patient?{said}") if by == "GET" else api.ask("POST", "Patient/_search", said, media=form)

    search(ABSENT)
    found, absent = search(stranger), search(ABSENT)
    assert found.status_code == absent.status_code == 200
    assert matches(read(found)) == matches(read(absent)) == []
    assert set(read(found)) == set(read(absent))
    assert [len(asked(search, one)[3]) for one in (stranger, ABSENT)] in ([n, n] for n in range(20))
