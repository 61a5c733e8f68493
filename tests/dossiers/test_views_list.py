"""Patients: whose dossiers, found how, in which order, at what cost."""

import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from coordination.common.ins import OID_NIR
from coordination.dossiers import actions, file_active
from coordination.dossiers.models import Dossier, StatusChange, Visit
from habilitations import access
from habilitations.models import AccountTrace
from tests.dossiers.factories import (
    HOME_HELP,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)

LIST = "/dossiers/"


def _names(response):
    text = response.content.decode()
    return [part.split("<")[0].split(">")[1] for part in text.split("data-row-link")[1:]]


@pytest.fixture
def people(doctor):
    """Three dossiers of the doctor's, one of someone else's."""
    made = [
        DossierFactory(birth_name=name, used_name="", first_given_name=given, birth_date=born, status=status)
        for name, given, born, status in [
            ("DUPRÉ", "Amina", dt.date(1972, 11, 19), "actif"),
            ("BERNARD", "Yvonne", dt.date(1938, 7, 2), "pause"),
            ("SALVAN", "Denis", dt.date(1968, 2, 28), "clos"),
        ]
    ]
    for row in made:
        habilitate(doctor, row)
    DossierFactory(birth_name="ÉTRANGER")
    return made


@pytest.fixture(autouse=True)
def _closing_reason(monkeypatch):
    create = DossierFactory._create.__func__

    def with_reason(cls, model, *args, **fields):
        if fields.get("status") == "clos":
            fields.setdefault("closing_reason", "fin")
        return create(cls, model, *args, **fields)

    monkeypatch.setattr(DossierFactory, "_create", classmethod(with_reason))


def test_the_product_opens_on_the_file_active(as_doctor):
    assert as_doctor.get("/").url == LIST


def test_open_dossiers_in_the_order_of_names(as_doctor, people):
    assert _names(as_doctor.get(LIST)) == ["BERNARD Yvonne", "DUPRÉ Amina"]
    assert _names(as_doctor.get(LIST + "?statut=tous&tri=-nom")) == ["SALVAN Denis", "DUPRÉ Amina", "BERNARD Yvonne"]
    assert _names(as_doctor.get(LIST + "?statut=clos")) == ["SALVAN Denis"]
    assert _names(as_doctor.get(LIST + "?motif=addictologie")) == []
    assert _names(as_doctor.get(LIST + "?territoire=81")) == ["BERNARD Yvonne", "DUPRÉ Amina"]
    assert _names(as_doctor.get(LIST + "?territoire=75")) == []


@pytest.mark.parametrize(
    "query", ["?statut=x&tri=y&apres=z&page=zz&motif=w", "?apres=00000000-0000-0000-0000-000000000000"]
)
def test_an_unreadable_address_is_the_list(as_doctor, people, query):
    assert _names(as_doctor.get(LIST + query)) == ["BERNARD Yvonne", "DUPRÉ Amina"]


def test_order_by_state_is_said_to_assistive_technology(as_doctor, people):
    page = as_doctor.get(LIST + "?statut=tous&tri=statut").content.decode()
    assert page.count("aria-sort") == 1
    assert page.index("DUPRÉ") < page.index("SALVAN") < page.index("BERNARD")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("dupre", ["DUPRÉ Amina"]),
        ("amina dup", ["DUPRÉ Amina"]),
        ("02/07/1938", ["BERNARD Yvonne"]),
        ("bern 1938", ["BERNARD Yvonne"]),
        ("étranger", []),
        ("mina", []),
    ],
)
@pytest.mark.req("INS-12", "SECT-6")
def test_search_by_post(as_doctor, people, typed, found):
    response = as_doctor.post(LIST, {"q": typed, "vue": "mes"})
    assert _names(response) == found
    assert "<title>File active –" in response.content.decode()
    trace = AccountTrace.objects.latest("at")
    assert (trace.action, trace.count) == ("recherche", len(found))


def test_the_form_without_text_goes_back_to_an_address(as_doctor, people):
    response = as_doctor.post(LIST, {"q": " ", "vue": "tous", "statut": "clos", "tri": "-nom"})
    assert response.status_code == 303
    assert response.url == LIST + "?vue=tous&statut=clos&tri=-nom"


def test_text_in_the_address_is_not_a_search(as_doctor, people):
    assert len(_names(as_doctor.get(LIST + "?q=dupre"))) == 2


def test_open_a_dossier_searches_everything(as_doctor, people):
    assert _names(as_doctor.post("/dossiers/ouvrir/", {"q": "salvan"})) == ["SALVAN Denis"]
    assert as_doctor.post("/dossiers/ouvrir/", {"q": ""}).url == LIST
    assert as_doctor.get("/dossiers/ouvrir/").url == LIST


@pytest.mark.req("INS-4", "INS-12")
def test_search_by_matricule_finds_only_qualified_identities(as_doctor, people):
    from tests.dossiers.test_actions import valid_matricule

    target = people[0]
    actions.receive_ins(target, by=None, matricule=valid_matricule(), oid=OID_NIR)
    assert _names(as_doctor.post(LIST, {"q": valid_matricule()})) == []
    Dossier.objects.filter(pk=target.pk).update(identity_status="QUAL")
    assert _names(as_doctor.post(LIST, {"q": valid_matricule()})) == ["DUPRÉ Amina"]
    assert AccountTrace.objects.latest("at").action == "recherche INS"


def test_tabs_tell_how_one_entered(as_doctor, doctor, people):
    shared = DossierFactory(birth_name="PARTAGE", first_given_name="Ada")
    delegate(doctor, StructureFactory(), shared, people[0])
    assert _names(as_doctor.get(LIST + "?vue=structure")) == ["DUPRÉ Amina", "PARTAGE Ada"]
    assert _names(as_doctor.get(LIST + "?vue=tous")) == ["BERNARD Yvonne", "DUPRÉ Amina", "PARTAGE Ada"]
    assert _names(as_doctor.get(LIST + "?vue=mes")) == ["BERNARD Yvonne", "DUPRÉ Amina"]


def test_an_empty_list_points_to_the_one_that_is_not(as_doctor, doctor):
    delegate(doctor, StructureFactory(), DossierFactory())
    page = as_doctor.get(LIST + "?vue=mes").content.decode().replace("\u00a0", " ")
    assert "Aucun dossier dans cette liste." in page
    assert "Ma structure : 1 dossier" in page


def test_who_has_only_the_dossiers_of_a_structure_lands_on_them(as_doctor, doctor):
    delegate(doctor, StructureFactory(), DossierFactory(birth_name="PARTAGE", first_given_name="Ada"))
    landed = as_doctor.get(LIST)
    assert _names(landed) == ["PARTAGE Ada"]
    assert 'name="vue" value="structure"' in landed.content.decode()
    # The other tab stays within reach, empty as it is: its address names it.
    assert 'href="/dossiers/?vue=mes"' in landed.content.decode()
    assert _names(as_doctor.get(LIST + "?vue=mes")) == []
    habilitate(doctor, DossierFactory(birth_name="PROPRE", first_given_name="Luc"))
    assert _names(as_doctor.get(LIST)) == ["PROPRE Luc"]


def test_who_has_none_lands_on_his_own_tab(as_doctor):
    assert 'name="vue" value="mes"' in as_doctor.get(LIST).content.decode()


@pytest.mark.parametrize("state", ["non", "attente", "refus"])
def test_other_states_open_nothing(client, db, state):
    user = professional(HOME_HELP)
    kept = DossierFactory()
    habilitate(user, kept, state)
    if state == "refus":
        delegate(user, StructureFactory(), kept)
    client.force_login(user)
    assert _names(client.get(LIST + "?vue=tous")) == []
    assert not Dossier.objects.visible_to(user).exists()


def test_list_and_door_agree(doctor, people):
    opened = set(Dossier.objects.visible_to(doctor).values_list("pk", flat=True))
    assert opened == {row.pk for row in Dossier.objects.all() if access.to_dossier(doctor, row.pk)}


def test_an_account_nobody_vouched_for_reads_no_name(client, db):
    user = UserFactory()
    habilitate(user, DossierFactory(birth_name="SECRET"))
    client.force_login(user)
    page = client.get(LIST).content.decode()
    assert "SECRET" not in page
    assert "pas encore confirmée" in page
    assert "SECRET" not in client.get("/dossiers/export.xlsx").content.decode("latin-1")


@pytest.mark.parametrize("tri", ["nom", "-nom", "statut", "-statut", "nouveau", "-nouveau"])
def test_pages_by_key_show_each_dossier_once(as_doctor, doctor, monkeypatch, tri):
    monkeypatch.setattr(file_active, "PER_PAGE", 3)
    for rank in range(8):
        status = ("actif", "pause", "evaluation")[rank % 3]
        habilitate(doctor, DossierFactory(birth_name=f"NOM{rank % 4}", status=status))
    seen, query = [], f"?tri={tri}"
    pages = []
    while query:
        listed = file_active.FileActive(file_active.Reader.of(doctor), file_active.Filters.read(_query(query))).page()
        pages.append([row.pk for row in listed.dossiers])
        seen += pages[-1]
        query = f"?tri={tri}&apres={listed.after}" if listed.after else ""
    assert [len(page) for page in pages] == [3, 3, 2]
    assert len(set(seen)) == 8
    back = file_active.FileActive(
        file_active.Reader.of(doctor), file_active.Filters.read(_query(f"?tri={tri}&avant={pages[2][0]}"))
    ).page()
    assert [row.pk for row in back.dossiers] == pages[1]
    assert back.before is not None


def _query(text):
    from django.http import QueryDict

    return QueryDict(text.lstrip("?"))


def test_a_cursor_one_may_not_open_says_nothing(as_doctor, doctor, people):
    foreign = Dossier.objects.get(birth_name="ÉTRANGER")
    assert _names(as_doctor.get(f"{LIST}?apres={foreign.pk}")) == ["BERNARD Yvonne", "DUPRÉ Amina"]


def test_changed_since_the_last_visit(as_doctor, doctor, people):
    target = people[0]
    Visit.objects.create(user=doctor, dossier=target, seen_at=timezone.now() - dt.timedelta(days=1))
    other = UserFactory()
    assert _names(as_doctor.get(LIST + "?modifies=1")) == []
    actions.update_identity(target, by=doctor, version=1, traits={"used_given_name": "Mina"})
    assert _names(as_doctor.get(LIST + "?modifies=1")) == []
    actions.update_identity(target, by=other, version=2, traits={"used_given_name": "Ami"})
    page = as_doctor.get(LIST + "?modifies=1")
    assert _names(page) == ["DUPRÉ Ami"]
    assert "dont 1 modifié depuis votre dernière visite" in page.content.decode()
    as_doctor.get(reverse("dossiers:home", args=[target.pk]))
    assert _names(as_doctor.get(LIST + "?modifies=1")) == []


@pytest.mark.req("SECT-10")
def test_one_trace_per_list(as_doctor, doctor, people):
    before = AccountTrace.objects.filter(action="liste").count()
    as_doctor.get(LIST)
    traces = AccountTrace.objects.filter(action="liste")
    assert traces.count() == before + 1
    assert (traces.latest("at").actor_id, traces.latest("at").count) == (doctor.pk, 2)


def test_export_holds_the_columns_of_the_screen(as_doctor, people):
    Dossier.objects.filter(pk=people[0].pk).update(birth_name="=1+1", sort_name="aaa")
    response = as_doctor.get("/dossiers/export.xlsx?statut=tous")
    rows = list(load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["Personne", "=1+1 Amina", "BERNARD Yvonne", "SALVAN Denis"]
    assert rows[0][-2:] == ("Votre prochain rendez-vous", "Statut")
    cell = load_workbook(io.BytesIO(response.content)).active["A2"]
    assert cell.data_type == "s"
    assert "no-store" in response["Cache-Control"]
    trace = AccountTrace.objects.latest("at")
    assert (trace.action, trace.count) == ("export", 3)


def test_enter_in_the_search_box_searches_again(as_doctor, people):
    """The first button of a form answers to the Enter key: the export of what was found has a form of its own."""
    page = as_doctor.post("/dossiers/", {"q": "dupre", "statut": "tous"}).content.decode()
    assert "formaction" not in page.split('id="filtres"')[1].split("</form>")[0]
    export = page.split('action="/dossiers/export.xlsx"')[1].split("</form>")[0]
    assert 'name="q" value="dupre"' in export and 'name="statut" value="tous"' in export


def test_export_of_a_search(as_doctor, people):
    response = as_doctor.post("/dossiers/export.xlsx", {"q": "dupre"})
    rows = list(load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))
    assert len(rows) == 2


def test_counts_stop(as_doctor, doctor, monkeypatch):
    monkeypatch.setattr(file_active, "COUNTED", 2)
    for _ in range(4):
        habilitate(doctor, DossierFactory())
    page = as_doctor.get(LIST).content.decode()
    assert "Plus de 2 dossiers" in page
    assert "Mes dossiers, plus de 2" in page


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("query", ["", "?vue=tous&tri=nouveau&modifies=1", "?tri=-statut&vue=structure"])
def test_sql_is_flat(as_doctor, doctor, query):
    structure = StructureFactory()
    delegate(doctor, structure)
    counted = []
    for size in (1, 4, 40):
        for _ in range(size):
            made = DossierFactory()
            habilitate(doctor, made)
        as_doctor.get(LIST + query)
        with CaptureQueriesContext(connection) as captured:
            as_doctor.get(LIST + query)
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12


@pytest.mark.req("PERF-3")
def test_sql_is_flat_for_who_has_only_the_dossiers_of_a_structure(as_doctor, doctor):
    structure = StructureFactory()
    counted = []
    delegate(doctor, structure)
    for size in (1, 4, 40):
        for _ in range(size):
            habilitation(DossierFactory(), "oui", structure=structure, state_by=doctor)
        as_doctor.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            as_doctor.get(LIST)
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12


def test_a_second_search_of_the_same_shape_is_not_written_again(as_doctor, people, monkeypatch):
    """Writing its statement with the ORM took twenty times what the server took to answer it."""
    for text in ("bernard", "02/07/1938", "bernard yvonne", "241038199901211"):
        as_doctor.post(LIST, {"q": text, "vue": "mes", "statut": "tous"})

    def written(self):
        raise AssertionError("the statement of this search was kept")

    monkeypatch.setattr(file_active.FileActive, "numbers", written)
    monkeypatch.setattr(file_active.FileActive, "rows", written)
    for text in ("dup", "19/11/1972", "amina dupre"):
        assert _names(as_doctor.post(LIST, {"q": text, "vue": "mes", "statut": "tous"})) == ["DUPRÉ Amina"], text
    for text in ("upre", "dupre salvan", "160012A02000480"):
        assert _names(as_doctor.post(LIST, {"q": text, "vue": "mes", "statut": "tous"})) == [], text


def test_the_file_of_a_search_has_the_rows_of_the_screen(as_doctor, dossier):
    page = as_doctor.post(reverse("dossiers:list"), {"q": "martin", "vue": "mes", "modifies": "1"}).text
    assert "Exporter (xlsx)" not in page
    StatusChange.objects.create(dossier=dossier, by=dossier.created_by, before="evaluation", after="actif")
    page = as_doctor.post(reverse("dossiers:list"), {"q": "martin", "vue": "mes", "modifies": "1"}).text
    form = page.split(f'action="{reverse("dossiers:export")}"')[1].split("</form>")[0]
    assert 'name="modifies" value="1"' in form
