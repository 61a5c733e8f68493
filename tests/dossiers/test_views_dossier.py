"""The pages of one dossier: home, identity and its history, contacts, state, my access."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import drafts
from coordination.common.dates import parse_birth_date
from coordination.common.ins import OID_NIR
from coordination.dossiers import actions
from coordination.dossiers.forms import contacts_initial, identity_initial
from coordination.dossiers.models import Dossier, IdentityVersion, StatusChange, Visit
from coordination.dossiers.presenters import HIDDEN_INS, differences
from coordination.dossiers.views import identity
from habilitations.models import AccountTrace
from tests.dossiers.factories import DossierFactory, UserFactory, habilitate
from tests.dossiers.test_actions import valid_matricule


@pytest.fixture
def url(dossier):
    return lambda name: reverse(f"dossiers:{name}", args=[dossier.pk])


@pytest.fixture
def identity_typed(dossier):
    def typed(**changes):
        said = {k: v for k, v in identity_initial(dossier).items() if v is not False} | {"ins_matricule": ""}
        return said | changes

    return typed


@pytest.fixture
def contacts_typed(dossier):
    return lambda **changes: contacts_initial(dossier) | changes


def last_visit(user, dossier, days=3):
    Visit.objects.update_or_create(
        user=user, dossier=dossier, defaults={"seen_at": timezone.now() - dt.timedelta(days=days)}
    )


def test_home_tells_what_others_did_since_the_last_visit(as_doctor, doctor, dossier, url):
    other = UserFactory(family_name="PATRON", given_name="Élise")
    habilitate(other, dossier)
    assert "première visite" in as_doctor.get(url("home")).content.decode()
    again = as_doctor.get(url("home")).content.decode()
    assert "première visite" not in again
    assert "Rien de nouveau." in again.replace("\xa0", " ")
    last_visit(doctor, dossier)
    actions.update_identity(dossier, by=doctor, version=1, traits={"used_name": "DUPONT"})
    assert "Rien de nouveau" in as_doctor.get(url("home")).content.decode()
    last_visit(doctor, dossier)
    actions.update_identity(dossier, by=other, version=2, traits={"used_name": "DURAND"})
    assert "PATRON Élise a modifié l’identité" in as_doctor.get(url("home")).content.decode()
    # Read again at once: still the same visit.
    assert "PATRON Élise" in as_doctor.get(url("home")).content.decode()
    assert as_doctor.post(url("seen")).status_code == 303
    assert "PATRON Élise" not in as_doctor.get(url("home")).content.decode()


def test_home_names_rubrics_closed_and_to_come(as_doctor, url):
    text = as_doctor.get(url("home")).content.decode().replace("\u00a0", " ")
    assert "Journal des accès : pas d’accès" in text
    # Not of the officer: his profile opens no journal inside a dossier, since it has no medical rubric (rule 7).
    assert "coordonnateurs de parcours" in text and "délégués à la protection" not in text
    assert "Pas encore disponible" in text
    assert "15 rubriques sur 16" in text


def test_my_access_says_every_rubric_in_words(as_doctor, url):
    text = as_doctor.get(url("access")).content.decode()
    for words in ("Peut lire et écrire", "Peut lire<", "Pas d’accès", 'id="journal"'):
        assert words in text


@pytest.mark.req("INS-4")
@pytest.mark.parametrize("status", ["PROV", "VALI", "RECUP"])
def test_a_matricule_not_qualified_is_never_shown(as_doctor, dossier, url, status):
    matricule = valid_matricule()
    Dossier.objects.filter(pk=dossier.pk).update(ins_matricule=matricule, ins_oid=OID_NIR, identity_status=status)
    for name in ("home", "identity", "edit_identity", "access"):
        text = as_doctor.get(url(name)).content.decode().replace("\u00a0", "")
        assert matricule not in text
    assert HIDDEN_INS.replace("'", "&#39;") in as_doctor.get(url("identity")).content.decode()


@pytest.mark.req("INS-4")
def test_a_qualified_matricule_is_shown_and_leaves_with_the_qualification(as_doctor, dossier, url, identity_typed):
    actions.update_identity(dossier, by=None, version=1, traits={"identity_status": "VALI"})
    actions.receive_ins(dossier, by=None, matricule=valid_matricule(), oid=OID_NIR)
    for name in ("home", "identity"):
        assert valid_matricule() in as_doctor.get(url(name)).content.decode().replace("\u00a0", "")
    response = as_doctor.post(
        url("edit_identity"), identity_typed(birth_name="Autre", identity_status="VALI", version=3)
    )
    assert response.status_code == 303
    text = as_doctor.get(url("identity")).content.decode()
    assert valid_matricule() not in text.replace("\u00a0", "")
    assert "Traits modifiés, remplacée par TESTARD Paul" in text


@pytest.mark.req("INS-3")
def test_a_status_of_insi_is_refused_in_the_form(as_doctor, url, identity_typed):
    response = as_doctor.post(url("edit_identity"), identity_typed(identity_status="QUAL"))
    assert response.status_code == 422
    assert "INSi" in response.content.decode()


@pytest.mark.req("INS-7")
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"birth_name": "Semblable"}, True),
        ({"used_name": "Semblable"}, True),
        ({"birth_name": "Autre"}, False),
        ({"homonym": "on"}, False),
    ],
)
def test_an_identity_that_becomes_like_another_is_told(as_doctor, dossier, url, identity_typed, changed, told):
    """A warning, as the requirement says: the other one may be a dossier that one does not open."""
    DossierFactory(birth_name="SEMBLABLE", birth_date=dossier.birth_date)
    assert as_doctor.post(url("edit_identity"), identity_typed(**changed)).status_code == 303
    text = as_doctor.get(url("identity")).content.decode()
    assert ("même nom et la même date de naissance" in text) is told
    assert "Les modifications sont enregistrées." in text


@pytest.mark.req("INS-7", "SEC-25")
def test_names_are_not_tried_one_after_the_other_by_changing_an_identity(
    as_doctor, doctor, dossier, url, identity_typed, settings
):
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {"lookalikes": "1/600s/user"}
    DossierFactory(birth_name="SEMBLABLE", birth_date=dossier.birth_date)
    for version, name in enumerate(("Autre", "Semblable"), start=1):
        as_doctor.post(url("edit_identity"), identity_typed(birth_name=name, version=version))
    assert "même date de naissance" not in as_doctor.get(url("identity")).content.decode()
    looked = AccountTrace.objects.filter(actor_id=doctor.pk, action="recherche", object_kind="dossier")
    assert list(looked.values_list("count", flat=True)) == [0]


@pytest.mark.req("INS-7", "SEC-25")
def test_of_a_dossier_he_may_not_open_who_creates_none_is_told_nothing(
    as_doctor, doctor, dossier, url, identity_typed, monkeypatch
):
    monkeypatch.setattr(identity.access, "may_create_dossier", lambda user: False)
    other = DossierFactory(birth_name="SEMBLABLE", birth_date=dossier.birth_date)
    as_doctor.post(url("edit_identity"), identity_typed(birth_name="Semblable"))
    assert "même date de naissance" not in as_doctor.get(url("identity")).content.decode()
    habilitate(doctor, other)
    as_doctor.post(url("edit_identity"), identity_typed(birth_name="Semblable", used_name="Semblable", version=2))
    assert "même date de naissance" in as_doctor.get(url("identity")).content.decode()


@pytest.mark.req("INS-7")
def test_a_lookalike_known_before_is_not_told_again(as_doctor, dossier, url, identity_typed):
    DossierFactory(birth_name=dossier.birth_name, birth_date=dossier.birth_date)
    assert as_doctor.post(url("edit_identity"), identity_typed(homonym="on")).status_code == 303
    assert "même date de naissance" not in as_doctor.get(url("identity")).content.decode()


@pytest.mark.req("INS-8")
def test_attributes_are_said_in_the_strip(as_doctor, dossier, url, identity_typed):
    as_doctor.post(url("edit_identity"), identity_typed(homonym="on", doubtful="on"))
    text = as_doctor.get(url("home")).content.decode()
    assert "Homonyme" in text
    assert "Identité douteuse" in text


def test_a_form_sent_unchanged_changes_nothing(as_doctor, dossier, url, identity_typed, contacts_typed):
    before = Dossier.objects.filter(pk=dossier.pk).values().get()
    assert as_doctor.post(url("edit_identity"), identity_typed()).status_code == 303
    assert as_doctor.post(url("edit_contacts"), contacts_typed()).status_code == 303
    after = Dossier.objects.filter(pk=dossier.pk).values().get()
    assert after == before
    assert not IdentityVersion.objects.exists()


def test_a_place_that_the_lists_lack_stays_while_the_rest_is_edited(as_doctor, dossier, url, identity_typed):
    abroad = {"birth_place": "Springfield", "birth_place_code": "", "town": "Bruxelles", "commune_code": ""}
    Dossier.objects.filter(pk=dossier.pk).update(**abroad, postal_code="")
    dossier.refresh_from_db()
    assert as_doctor.post(url("edit_identity"), identity_typed(used_name="Durand")).status_code == 303
    contacts = {name: value for name, value in contacts_initial(dossier).items() if value is not None}
    assert as_doctor.post(url("edit_contacts"), contacts | {"address": "1 rue Haute"}).status_code == 303
    dossier.refresh_from_db()
    assert (dossier.used_name, dossier.address) == ("Durand", "1 rue Haute")
    assert {name: getattr(dossier, name) for name in abroad} == abroad
    refused = as_doctor.post(
        url("edit_identity"), identity_typed(birth_place_texte="Springfield-les-Bains", version=2)
    )
    assert refused.status_code == 422


@pytest.mark.req("INS-3")
@pytest.mark.parametrize("written", ["05/00/1941", "31/00/1941", "00/00/1941", "00/03/1941", "31/12/1941"])
def test_a_birth_date_partly_known_comes_back_as_it_is_stored(as_doctor, dossier, url, written):
    known = parse_birth_date(written)
    Dossier.objects.filter(pk=dossier.pk).update(
        birth_date=known.date, birth_date_precision=known.precision.value, identity_status="VALI"
    )
    actions.receive_ins(dossier, by=None, matricule=valid_matricule(), oid=OID_NIR)
    dossier.refresh_from_db()
    said = {k: v for k, v in identity_initial(dossier).items() if v is not False} | {"ins_matricule": ""}
    assert as_doctor.post(url("edit_identity"), said | {"used_given_name": "Jo"}).status_code == 303
    dossier.refresh_from_db()
    assert (dossier.birth_date, dossier.birth_date_precision) == (known.date, known.precision.value)
    assert dossier.is_qualified


@pytest.mark.req("REL-11")
def test_two_people_changing_the_identity(as_doctor, dossier, url, identity_typed):
    other = UserFactory(family_name="PATRON", given_name="Élise")
    actions.update_identity(dossier, by=other, version=1, traits={"used_name": "Durand"})
    response = as_doctor.post(url("edit_identity"), identity_typed(used_name="Dupont"))
    text = response.content.decode()
    assert response.status_code == 409
    assert "PATRON Élise a modifié cette fiche" in text
    assert "Dupont" in text
    assert "Durand" in text
    assert 'name="version" value="2"' in text
    assert Dossier.objects.get(pk=dossier.pk).used_name == "Durand"
    assert as_doctor.post(url("edit_identity"), identity_typed(used_name="Dupont", version=2)).status_code == 303
    assert Dossier.objects.get(pk=dossier.pk).used_name == "Dupont"


@pytest.mark.req("REL-11")
def test_two_birth_dates_are_compared_as_people_write_them(as_doctor, dossier, url, identity_typed):
    known = {"birth_date": dt.date(1941, 3, 1), "birth_date_precision": "mois"}
    actions.update_identity(dossier, by=UserFactory(), version=1, traits=known | {"birth_place_code": "81060"})
    said = differences(
        {"birth_date": dt.date(1941, 12, 31), "birth_date_precision": "annee", "birth_place_code": "81004"},
        known | {"birth_place_code": "81060"},
    )
    assert said[0] == {"label": "Date de naissance", "yours": "1941", "theirs": "mars 1941"}
    assert said[1]["label"] == "Code INSEE du lieu de naissance"
    same_day = dict(known, birth_date_precision="jour")
    assert [line["yours"] for line in differences(same_day, known)] == ["01/03/1941"]
    page = as_doctor.post(url("edit_identity"), identity_typed()).text
    assert "precision" not in page.split("<table")[1].split("</table>")[0].lower()


@pytest.mark.req("REL-11")
def test_two_people_changing_the_contacts(as_doctor, dossier, url, contacts_typed):
    other = UserFactory(family_name="PATRON", given_name="Élise")
    actions.update_contacts(dossier, by=other, version=1, contacts={"phone": "+33536491022"})
    response = as_doctor.post(url("edit_contacts"), contacts_typed(phone="05 36 49 10 21"))
    text = response.content.decode().replace("\u00a0", " ")
    assert response.status_code == 409
    assert "05 36 49 10 22" in text
    assert Dossier.objects.get(pk=dossier.pk).phone == "+33536491022"


@pytest.mark.req("REL-11")
@pytest.mark.parametrize("name", ["edit_identity", "edit_contacts"])
def test_what_a_third_one_writes_while_the_two_texts_are_drawn_is_compared_too(
    as_doctor, dossier, url, identity_typed, contacts_typed, monkeypatch, name
):
    """The version that is sent again is that of the texts shown, not of one written since."""
    other = UserFactory()

    def write(version):
        if name == "edit_identity":
            actions.update_identity(dossier, by=other, version=version, traits={"used_name": f"Texte{'x' * version}"})
        else:
            said = {"phone": f"+3353649102{version}"}
            actions.update_contacts(dossier, by=other, version=version, contacts=said)

    def drawn(*args):
        write(2)
        return drawing_it(*args)

    drawing_it = identity._conflict_page
    monkeypatch.setattr(identity, "_conflict_page", drawn)
    write(1)
    typed = identity_typed(used_name="Dupont") if name == "edit_identity" else contacts_typed(phone="05 36 49 10 29")
    answer = as_doctor.post(url(name), typed)
    assert answer.status_code == 409
    assert 'name="version" value="2"' in answer.content.decode()


@pytest.mark.req("REL-11")
def test_two_people_changing_the_state(as_doctor, doctor, dossier, url):
    Dossier.objects.filter(pk=dossier.pk).update(status="evaluation")
    response = as_doctor.post(url("status"), {"status": "pause", "seen": "actif"})
    assert response.status_code == 409
    assert Dossier.objects.get(pk=dossier.pk).status == "evaluation"


def test_closing_asks_why(as_doctor, dossier, url):
    response = as_doctor.post(url("status"), {"status": "clos", "seen": "actif"})
    assert response.status_code == 422
    assert "Indiquez le motif de clôture." in response.content.decode()
    response = as_doctor.post(url("status"), {"status": "clos", "seen": "actif", "closing_reason": "fin"})
    assert response.status_code == 303
    change = StatusChange.objects.get()
    assert (change.before, change.after, change.reason) == ("actif", "clos", "fin")
    assert "Fin de l’accompagnement" in as_doctor.get(url("status")).content.decode()


def test_contacts_are_tidied(as_doctor, dossier, url, contacts_typed):
    as_doctor.post(
        url("edit_contacts"), contacts_typed(mobile="06.39.98.00.01", town="", town_texte="albi", postal_code="")
    )
    made = Dossier.objects.get(pk=dossier.pk)
    assert (made.mobile, made.town, made.commune_code, made.postal_code) == ("+33639980001", "Albi", "81004", "81000")


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("name", ["home", "identity", "access", "status", "edit_identity", "edit_contacts"])
def test_sql_is_flat(as_doctor, doctor, dossier, url, name):
    other = UserFactory()
    counted = []
    for size in (0, 3, 30):
        for _ in range(size):
            row = Dossier.objects.get(pk=dossier.pk)
            actions.update_identity(row, by=other, version=row.version, traits={"used_name": f"NOM{row.version}"})
        last_visit(doctor, dossier, days=1)
        as_doctor.get(url(name))
        with CaptureQueriesContext(connection) as captured:
            as_doctor.get(url(name))
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12


@pytest.mark.parametrize(
    ("name", "key", "field"),
    [("edit_identity", "dossier-identite", "used_name"), ("edit_contacts", "dossier-coordonnees", "address")],
)
def test_a_draft_comes_back_with_the_version_it_was_typed_over(as_doctor, doctor, dossier, name, key, field):
    address = reverse(f"dossiers:{name}", args=[dossier.pk])
    assert f"/brouillons/{key}/" in as_doctor.get(address).content.decode()
    drafts.save(doctor, key, dossier.pk, f"{field}=Brouillon&version=0")
    page = as_doctor.get(address).content.decode()
    assert "Brouillon" in page
    assert "reprend votre brouillon" in page
    assert 'name="version" value="0"' in page


def test_a_saved_form_leaves_no_draft(as_doctor, doctor, dossier, url, contacts_typed):
    drafts.save(doctor, "dossier-coordonnees", dossier.pk, "address=Brouillon")
    as_doctor.post(url("edit_contacts"), contacts_typed(address="2 rue des Essais"))
    assert drafts.load(doctor, "dossier-coordonnees", dossier.pk) is None
