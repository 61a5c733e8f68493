"""Opening a dossier in a browser: one page, once, and never two for one person without saying why."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.accounts import drafts
from coordination.common.ins import OID_NIR
from coordination.dossiers.models import Dossier
from habilitations import access
from habilitations.models import AccountTrace, Trace
from tests.dossiers.factories import HOME_HELP, DossierFactory, StructureFactory, habilitate, professional
from tests.dossiers.test_actions import valid_matricule

CREATE = "/dossiers/creer/"


def typed(**changes):
    return {
        "birth_name": "Échantillon", "birth_given_names": "Marie-Claude Jeanne", "first_given_name": "",
        "used_name": "", "used_given_name": "", "sex": "female", "birth_date": "14 mars 1941",
        "birth_place": "", "birth_place_texte": "Carmaux", "ins_matricule": "", "ins_oid": OID_NIR,
        "identity_status": "PROV", "phone": "05 36 49 10 21", "mobile": "", "email": "", "address": "1 rue des Essais",
        "postal_code": "81400", "town": "", "town_texte": "carmaux", "motif": "domicile", "referent_structure": "",
        "referent_structure_texte": "", "duplicate_reason": "", "creation_key": str(uuid.uuid4()),
    } | changes  # fmt: skip


def test_the_form_becomes_a_dossier_one_is_in(as_doctor, doctor):
    response = as_doctor.post(CREATE, typed())
    made = Dossier.objects.get()
    assert (response.status_code, response.url) == (303, f"/dossiers/{made.pk}/")
    assert (made.first_given_name, made.birth_place, made.birth_place_code) == ("Marie-Claude", "Carmaux", "81060")
    assert (made.phone, made.town, made.commune_code, made.status) == (
        "+33536491021",
        "Carmaux",
        "81060",
        "evaluation",
    )
    assert str(made.birth_date) == "1941-03-14"
    assert access.to_dossier(doctor, made.pk).profile == "medecin"
    assert Trace.objects.of_dossier(made.pk).first().action == "création"


@pytest.mark.parametrize(
    ("written", "stored", "precision"),
    [
        ("14/03/1941", "1941-03-14", "jour"),
        ("1941-03-14", "1941-03-14", "jour"),
        ("14031941", "1941-03-14", "jour"),
        ("03/1941", "1941-03-01", "mois"),
        ("1941", "1941-12-31", "annee"),
    ],
)
def test_a_birth_date_however_written(as_doctor, written, stored, precision):
    as_doctor.post(CREATE, typed(birth_date=written))
    made = Dossier.objects.get()
    assert (str(made.birth_date), made.birth_date_precision) == (stored, precision)


@pytest.mark.asvs("v5.0.0-2.2.1")
@pytest.mark.req("INS-1", "INS-2", "INS-3")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_name": ""}, "id_birth_name"),
        ({"birth_name": "'"}, "id_birth_name"),
        ({"birth_name": "😀"}, "id_birth_name"),
        ({"birth_name": "ʼ"}, "id_birth_name"),
        ({"birth_name": "12"}, "id_birth_name"),
        ({"birth_given_names": "- -"}, "id_birth_given_names"),
        ({"first_given_name": "😀"}, "id_first_given_name"),
        ({"used_name": "!"}, "id_used_name"),
        ({"used_given_name": "…"}, "id_used_given_name"),
        ({"birth_date": "31/02/1941"}, "id_birth_date"),
        ({"birth_date": "14/03/2941"}, "id_birth_date"),
        ({"sex": ""}, "id_sex"),
        ({"motif": ""}, "id_motif"),
        ({"phone": "05 36"}, "id_phone"),
        ({"email": "nom"}, "id_email"),
        ({"town_texte": "Villeneuve-Imaginaire", "postal_code": ""}, "id_town_texte"),
        ({"birth_place_texte": "Nulle-Part-Exemple"}, "id_birth_place_texte"),
        ({"ins_matricule": "241038199901299"}, "id_ins_matricule"),
        ({"ins_matricule": "2410"}, "id_ins_matricule"),
        ({"identity_status": "QUAL"}, "id_identity_status"),
        ({"identity_status": "RECUP"}, "id_identity_status"),
        ({"identity_status": "VALI", "doubtful": "on"}, "id_identity_status"),
        ({"referent_structure_texte": "Structure que personne ne connaît"}, "id_referent_structure_texte"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_doctor, changes, field):
    response = as_doctor.post(CREATE, typed(**changes))
    page = response.content.decode().replace("\u00a0", " ")
    assert response.status_code == 422
    assert "<title>Erreur :" in page
    assert f'href="#{field}' in page
    assert f'id="{field}-erreur"' in page
    assert "Échantillon" in page or "birth_name" in changes
    assert not Dossier.objects.exists()


def test_the_summary_of_errors_reads_as_the_screen(as_doctor):
    page = as_doctor.post(CREATE, typed(birth_name="", birth_date="", sex="", motif="")).content.decode()
    said = [page.index(f'href="#id_{name}"') for name in ("birth_name", "birth_date", "sex", "motif")]
    assert said == sorted(said)


@pytest.mark.req("INS-7")
def test_the_same_matricule_is_refused(as_doctor):
    as_doctor.post(CREATE, typed(ins_matricule=valid_matricule()))
    response = as_doctor.post(CREATE, typed(birth_name="AUTRE", ins_matricule=valid_matricule()))
    assert response.status_code == 422
    assert "Un dossier existe déjà avec ce matricule INS." in response.content.decode()


@pytest.mark.req("INS-7")
@pytest.mark.parametrize("letter", ["Œ", "ß", "ﬃ", "ﷺ"])
def test_letters_that_open_into_several_do_not_overflow_the_columns_of_search(as_doctor, letter):
    long = {"birth_name": letter * 120, "used_name": letter * 120, "used_given_name": letter * 100}
    assert as_doctor.post(CREATE, typed(**long)).status_code == 303
    # Found again, cut or not: the second one looks like it.
    again = as_doctor.post(CREATE, typed(**long))
    assert again.status_code == 422 and "Est-ce la même personne" in again.text
    assert as_doctor.post(CREATE, typed(birth_name="Tiers", used_name=letter * 120)).status_code == 422


def test_a_lookalike_is_shown_and_asks_why(as_doctor, doctor):
    mine = DossierFactory(birth_name="ECHANTILLON", used_name="MIEN")
    habilitate(doctor, mine)
    DossierFactory(birth_name="ÉCHANTILLON", used_name="CACHÉ")
    response = as_doctor.post(CREATE, typed())
    page = response.content.decode()
    assert response.status_code == 422
    assert "MIEN Jeanne" in page
    assert "CACHÉ" not in page
    assert "Un dossier existe déjà, que vous ne pouvez pas ouvrir." in page
    assert as_doctor.post(CREATE, typed(duplicate_reason="Sœurs jumelles")).status_code == 303
    assert Dossier.objects.get(duplicate_reason="Sœurs jumelles")


def test_a_lookalike_shows_of_its_birth_date_what_is_known(as_doctor, doctor):
    known = DossierFactory(birth_name="ÉCHANTILLON", birth_date="1941-12-31", birth_date_precision="annee")
    habilitate(doctor, known)
    page = as_doctor.post(CREATE, typed(birth_date="1941")).text
    assert "née en 1941" in page and "31/12/1941" not in page


def test_lookalikes_while_typing(as_doctor, dossier):
    response = as_doctor.post(
        "/dossiers/creer/ressemblances/",
        {"birth_name": "exemple", "birth_date": "14/03/1941"},
        headers={"HX-Request": "true"},
    )
    assert "MARTIN Jeanne" in response.content.decode()
    assert AccountTrace.objects.latest("at").action == "recherche"
    nothing = as_doctor.post("/dossiers/creer/ressemblances/", {"birth_name": "exemple", "birth_date": ""})
    assert nothing.content.decode().strip() == ""


def test_a_double_submit_makes_one(as_doctor):
    once = typed()
    first, second = as_doctor.post(CREATE, once), as_doctor.post(CREATE, once)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.url == second.url
    assert Dossier.objects.count() == 1


@pytest.mark.req("REL-7")
def test_the_same_page_sent_for_somebody_else_is_refused_and_nothing_typed_is_lost(as_doctor):
    """Back in her browser after a dossier, she types over it the names of the next person."""
    once = typed()
    as_doctor.post(CREATE, once)
    answer = as_doctor.post(CREATE, once | {"birth_name": "Spécimen", "birth_given_names": "Odile"})
    page = answer.content.decode()
    assert (answer.status_code, Dossier.objects.count()) == (409, 1)
    assert "Un premier envoi est déjà enregistré, avec d’autres réponses" in page
    assert 'value="Spécimen"' in page and once["creation_key"] not in page
    key = re.search(r'<input[^>]*name="creation_key"[^>]*>', page)[0].partition('value="')[2].partition('"')[0]
    again = as_doctor.post(
        CREATE, once | {"birth_name": "Spécimen", "birth_given_names": "Odile", "creation_key": key}
    )  # fmt: skip
    assert again.status_code == 303
    assert set(Dossier.objects.values_list("birth_name", flat=True)) == {"Échantillon", "Spécimen"}


@pytest.mark.req("REL-7")
@pytest.mark.parametrize("changed", [{"phone": "05 36 49 10 99"}, {"motif": "sortie"}, {"doubtful": "on"}])
def test_nor_is_what_is_corrected_on_the_page_of_before(as_doctor, changed):
    once = typed()
    as_doctor.post(CREATE, once)
    assert as_doctor.post(CREATE, once | changed).status_code == 409
    assert Dossier.objects.get().phone == "+33536491021"


@pytest.mark.req("REL-7")
def test_the_page_of_another_opens_nothing(as_doctor, client, db):
    once = typed()
    as_doctor.post(CREATE, once)
    client.force_login(professional("10"))
    assert client.post(CREATE, once).status_code == 409
    assert Dossier.objects.count() == 1


def test_who_may_not_create(client, db):
    client.force_login(professional(HOME_HELP))
    assert client.get(CREATE).status_code == 403
    assert client.post(CREATE, typed()).status_code == 403
    assert client.post("/dossiers/creer/ressemblances/", {}).status_code == 403
    assert "Créer un dossier" not in client.get("/dossiers/").content.decode()


def test_a_draft_comes_back_and_goes_once_saved(as_doctor, doctor):
    drafts.save(doctor, "creer-dossier", doctor.pk, "birth_name=Brouillon&creation_key=abc&homonym=on")
    page = as_doctor.get(CREATE).content.decode()
    assert "Brouillon" in page
    assert "reprend votre brouillon" in page
    assert 'value="abc"' not in page
    as_doctor.post(CREATE, typed())
    assert drafts.load(doctor, "creer-dossier", doctor.pk) is None


def test_own_structure_is_proposed(client, db):
    structure = StructureFactory(name="DAC Exemple")
    user = professional("10", structure=structure)
    client.force_login(user)
    assert "DAC Exemple" in client.get(CREATE).content.decode()
    client.post(CREATE, typed(referent_structure=str(structure.pk), referent_structure_texte="DAC Exemple"))
    assert Dossier.objects.get().referent_structure == structure


def test_a_closed_structure_is_neither_proposed_nor_taken(as_doctor):
    StructureFactory(name="DAC Fermé", search_name="dac ferme", ceased_at=timezone.now())
    found = as_doctor.post("/dossiers/propositions/structures/", {"referent_structure_texte": "dac fermé"})
    assert "Aucune proposition" in found.content.decode()
    page = as_doctor.post(CREATE, typed(referent_structure_texte="DAC Fermé"))
    assert "Aucune structure ouverte ne porte ce nom" in page.content.decode()
    assert not Dossier.objects.exists()


@pytest.mark.req("INS-7")
def test_a_year_alone_is_compared_while_one_types(as_doctor):
    DossierFactory(birth_name="ÉCHANTILLON")
    said = as_doctor.post("/dossiers/creer/ressemblances/", {"birth_name": "echantillon", "birth_date": "1941"})
    assert "Un dossier existe déjà, que vous ne pouvez pas ouvrir." in said.content.decode()


@pytest.mark.parametrize(
    ("path", "name", "text", "said"),
    [
        ("communes", "town_texte", "carmau", "81060"),
        ("lieux-de-naissance", "birth_place_texte", "portug", "99139"),
        ("lieux-de-naissance", "birth_place_texte", "carmau", "81060"),
        ("communes", "town_texte", "", "Aucune proposition"),
        ("structures", "referent_structure_texte", "x", "Aucune proposition"),
    ],
)
def test_suggestions(as_doctor, path, name, text, said):
    response = as_doctor.post(f"/dossiers/propositions/{path}/", {name: text})
    assert said in response.content.decode()
    assert as_doctor.get(f"/dossiers/propositions/{path}/").status_code == 405


@pytest.mark.req("PERF-3")
def test_the_cost_of_the_form(as_doctor):
    as_doctor.get(CREATE)
    with CaptureQueriesContext(connection) as captured:
        as_doctor.get(CREATE)
    assert len(captured) <= 12


@pytest.mark.asvs("v5.0.0-2.4.1")
def test_names_are_not_tried_by_the_list(as_doctor, dossier, settings):
    settings.ACCOUNT_RATE_LIMITS = {"lookalikes": "2/600s/user"}
    searches = AccountTrace.objects.filter(action="recherche")
    before = searches.count()
    asked = {"birth_name": "exemple", "birth_date": "14/03/1941"}
    statuses = [as_doctor.post("/dossiers/creer/ressemblances/", asked).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert searches.count() == before + 2
    # The form answers the same question: it is counted with it.
    assert as_doctor.post(CREATE, typed()).status_code == 429
    assert as_doctor.get(CREATE).status_code == 200
