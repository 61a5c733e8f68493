"""`make run` loads the demonstration: a small one here, through the same importers and actions."""

import base64
import json
import re
from pathlib import Path

import pytest

from agenda.models import Schedule
from circle.models import Member
from coordination.accounts.models import User
from coordination.demo import loader
from coordination.demo.people import PASSWORD, PEOPLE, accounts_text
from coordination.demo.stories import STORIES
from coordination.dossiers.models import Dossier
from coordination.partners.models import Partner
from habilitations.models import Habilitation, Trace

ROOT = Path(__file__).parent.parent


def interrupted(*_asked):
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.django_db
def test_the_demonstration_loads_once_and_shows_every_state(client, monkeypatch):
    said = []
    asked = {"say": said.append, "professionals": 1500, "dossiers_wanted": len(STORIES) + 2}
    for module, step in (loader, "_more_stories"), (loader.events, "open_agendas"):
        with monkeypatch.context() as stopped:
            stopped.setattr(module, step, interrupted)
            with pytest.raises(KeyboardInterrupt):
                loader.load(**asked)
    # Stopped twice, it is finished by the next one.
    assert loader.load(**asked)
    assert Schedule.objects.filter(openings__isnull=False).distinct().count() == 3
    assert not loader.load(say=said.append)
    _software_works(client, said)
    assert Dossier.objects.count() == len(STORIES) + 2
    assert User.objects.count() == len(PEOPLE)
    # One dossier shows each kind of member and each answer of « habilitation ».
    shown = Dossier.objects.get(used_name__iexact="martin")
    assert set(Member.objects.filter(dossier=shown).values_list("kind", flat=True)) >= {
        "annuaire",
        "aidant",
        "structure",
    }
    states = set(Habilitation.objects.filter(dossier=shown).values_list("state", flat=True))
    assert states == set(Habilitation.State.values)
    assert Trace.objects.of_dossier(shown.pk).exists()
    for person in PEOPLE:
        assert person.email in accounts_text()
        assert client.login(email=person.email, password=PASSWORD)
        # The page one lands on shows something to everybody who may open a dossier.
        page = client.get("/dossiers/").content.decode()
        opens_none = person.administrator or person.looks_after or person.unconfirmed
        assert ("data-row-link" in page) is not opens_none, person.key
    # Somebody else came after the coordinator's visit: she is told, of these dossiers only.
    coordinator = PEOPLE[0].email
    assert client.login(email=coordinator, password=PASSWORD)
    page = client.get("/dossiers/").content.decode()
    assert "changements dans le cercle" in page and "Rien de nouveau" in page
    # And asked: a nurse adds somebody whom she may not habilitate.
    assert "À faire 1 en attente" in client.get("/a-faire/").content.decode()


def _software_works(client, said):
    """« Logiciel d’essai » calls the API with the secret that was said, once, for the coordinator of docs/fhir.md."""
    (told,) = [line for line in said if "SECRET=" in line]
    secrets = dict(re.findall(r"(IDENTIFIANT|SECRET)=(\S+)", told))
    pair = base64.b64encode(f"{secrets['IDENTIFIANT']}:{secrets['SECRET']}".encode()).decode()
    given = client.post(
        "/fhir/oauth/token", "grant_type=client_credentials", content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Basic {pair}"},
    )  # fmt: skip
    acting = f"urn:oid:1.2.250.1.71.4.2.1|8{PEOPLE[0].rpps}"
    assert acting in (ROOT / "docs/fhir.md").read_text()
    headers = {"Authorization": f"Bearer {given.json()['access_token']}", "Acting-Professional": acting}
    found = client.get("/fhir/Patient?family=Exemple", headers=headers)
    assert found.status_code == 200 and json.loads(found.content)["entry"]
    partner = Partner.objects.get()
    assert (partner.client_id, partner.secret, partner.active) == (*secrets.values(), False)
