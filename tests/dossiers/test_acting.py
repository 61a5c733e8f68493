"""Patients, the journal and the pages of a dossier, for who acts for another."""

import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from habilitations import traces
from habilitations.models import Trace
from tests.dossiers.factories import (
    DOCTOR,
    NURSE,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    professional,
)
from tests.habilitations.acting_data import consent, secretary, stand_in, today

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-15")]
LIST = "/dossiers/"


@pytest.fixture
def other(db):
    return professional(DOCTOR, family_name="MODÈLE", given_name="Anne")


@pytest.fixture
def as_other(client, other):
    client.force_login(other)
    return client


def text(response):
    said = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ")
    return re.sub(r" (?=[.,])", "", " ".join(said.split()))


def test_patients_marks_the_dossiers_of_who_is_replaced(as_other, doctor, other, dossier):
    assert "Pour un confrère" not in text(as_other.get(LIST))
    row = stand_in(doctor, other)
    page = text(as_other.get(LIST))
    assert "MARTIN" in page, "who has only these is shown them first"
    assert f"Remplacement de TESTARD Paul jusqu’au {row.last_day:%d/%m/%Y}" in page
    assert "Pour un confrère" in page
    habilitate(other, dossier)
    for vue in ("mes", "tous"):
        page = text(as_other.get(f"{LIST}?vue={vue}"))
        assert "MARTIN" in page
        assert "Remplacement de" not in page, "he enters by himself"
    assert "MARTIN" not in text(as_other.get(f"{LIST}?vue=remplacements"))


def test_a_name_that_begins_with_a_vowel_is_elided(as_other, other, dossier):
    absent = professional(DOCTOR, family_name="EXEMPLE", given_name="Ana")
    habilitate(absent, dossier)
    stand_in(absent, other)
    assert "Remplacement d’EXEMPLE Ana" in text(as_other.get(LIST))


def test_a_demand_is_to_do_until_it_is_answered(as_other, doctor, other):
    nothing = "Rien n’attend de réponse"
    assert nothing in text(as_other.get("/a-faire/"))
    stand_in(doctor, other, accepted=False)
    page = text(as_other.get("/a-faire/"))
    assert "On vous demande un remplacement." in page and nothing not in page
    assert "Répondre" in page


def test_all_my_accesses_says_which_are_for_another(as_other, doctor, other, dossier):
    own = DossierFactory(birth_name="PROPRE", used_name="")
    habilitate(other, own)
    shared = DossierFactory(birth_name="PARTAGE", used_name="")
    delegate(other, StructureFactory(), shared)
    stand_in(doctor, other)
    page = text(as_other.get(f"{LIST}?vue=tous"))
    assert page.count("Remplacement de TESTARD Paul") == 1
    assert all(name in page for name in ("PROPRE", "PARTAGE", "MARTIN"))
    assert "MARTIN" not in text(as_other.get(LIST))


def test_a_secretary_sees_only_where_the_person_agreed(client, doctor, dossier):
    desk = professional("331")
    hidden = DossierFactory(birth_name="CACHÉ", used_name="")
    habilitate(doctor, hidden)
    consent(secretary(doctor, desk, "agenda"), dossier)
    client.force_login(desk)
    page = text(client.get(LIST))
    assert "Secrétariat de TESTARD Paul" in page
    assert "CACHÉ" not in page
    assert client.get(f"{LIST}{hidden.pk}/").status_code == 404
    assert client.get(f"{LIST}{dossier.pk}/").status_code == 200


def test_the_list_is_flat_whatever_the_number(as_other, doctor, other):
    counts = []
    for count in (2, 12):
        for _ in range(count):
            habilitate(doctor, DossierFactory())
            third = professional(DOCTOR)
            habilitate(third, DossierFactory())
            stand_in(third, other)
        if count == 2:
            stand_in(doctor, other)
        as_other.get(f"{LIST}?vue=tous")
        with CaptureQueriesContext(connection) as made:
            as_other.get(f"{LIST}?vue=tous")
        counts.append(len(made))
    assert counts[0] == counts[1] <= 12


def test_who_acts_for_nobody_reads_as_many_statements_as_before(as_doctor, doctor, dossier):
    as_doctor.get(LIST)
    with CaptureQueriesContext(connection) as made:
        as_doctor.get(LIST)
    mine = [one["sql"] for one in made if "actingfor" in one["sql"]]
    assert len(mine) <= 1, "the counts of the tabs alone ask"


def test_the_pages_of_a_dossier_say_for_whom(as_other, doctor, other, dossier):
    stand_in(doctor, other)
    page = text(as_other.get(f"{LIST}{dossier.pk}/acces/"))
    assert "Pour TESTARD Paul" in page
    assert "Vous remplacez TESTARD Paul, qui a accès à ce dossier" in page


def test_the_journal_names_both_on_screen_on_paper_and_in_the_file(client, doctor, other, dossier):
    coordinator = professional(NURSE, "330", family_name="EXEMPLE-LARRIEU", given_name="Maëlle")
    habilitate(coordinator, dossier)
    stand_in(doctor, other)
    client.force_login(other)
    client.get(f"{LIST}{dossier.pk}/")
    line = Trace.objects.get(dossier_id=dossier.pk, actor_id=other.pk)
    assert line.on_behalf_of_id == doctor.pk
    client.force_login(coordinator)
    said = "MODÈLE Anne, médecin, pour le compte de TESTARD Paul, a ouvert le dossier."
    assert said in text(client.get(f"{LIST}{dossier.pk}/journal/"))
    assert "Par l’accès de TESTARD Paul, ouvert depuis le" in text(client.get(f"{LIST}{dossier.pk}/journal/"))
    assert said in text(client.post(f"{LIST}{dossier.pk}/journal/imprimer/"))
    found = text(client.post(f"{LIST}{dossier.pk}/journal/", {"qui": "testard"}))
    assert said in found, "looked for by the name of who was replaced"
    content = client.post(f"{LIST}{dossier.pk}/journal/journal.xlsx").content
    rows = list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))
    column = rows[1].index("Pour le compte de")
    assert "TESTARD Paul" in [row[column] for row in rows[2:]]


def test_the_officers_search_names_both(client, doctor, other, dossier):
    from habilitations.actions import name_officer

    officer = UserFactory()
    name_officer(officer, by=UserFactory(administrator=True))
    stand_in(doctor, other)
    client.force_login(other)
    client.get(f"{LIST}{dossier.pk}/")
    client.force_login(officer)
    day = f"{today():%d/%m/%Y}"
    asked = {"qui": "modèle", "structure": "", "dossier": "", "du": day, "au": day}
    assert "pour le compte de TESTARD Paul" in text(client.post("/dossiers/journaux/", asked))


def test_a_trace_of_oneself_names_nobody_else(doctor, dossier):
    from habilitations import access

    traces.record(user=doctor, dossier_id=dossier.pk, access=access.to_dossier(doctor, dossier.pk), action="lecture")
    line = Trace.objects.get(dossier_id=dossier.pk)
    assert (line.on_behalf_of_id, line.on_behalf_of_name) == (None, "")
