"""The data-protection officer: named, denied by default, searches journals, opens no dossier, learns no identity."""

import datetime as dt
import io
import re
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.dossiers.journal import searching
from habilitations import defaults, officers
from habilitations.actions import end_officer, name_officer, publish_matrix
from habilitations.errors import AccountNotOpen, AlreadyOfficer, NotAllowed, OwnNaming
from habilitations.models import AccountTrace, DataProtectionOfficer, Trace
from tests.dossiers.factories import DOCTOR, DossierFactory, StructureFactory, UserFactory, habilitate, professional

pytestmark = pytest.mark.django_db
PATH = "/dossiers/journaux/"


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def officer(administrator):
    user = UserFactory(family_name="GARDE", given_name="Aline")
    name_officer(user, by=administrator)
    return user


@pytest.fixture
def as_officer(client, officer):
    client.force_login(officer)
    return client


def days(first=-30, last=0):
    today = timezone.localdate()
    return {"du": f"{today + dt.timedelta(days=first):%d/%m/%Y}", "au": f"{today + dt.timedelta(days=last):%d/%m/%Y}"}


def plain(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ")
    return re.sub(r" (?=[.,])", "", " ".join(text.split()))


def leave(user, dossier_id, *, at=None, structure_name="", rubrique="medical"):
    Trace.objects.bulk_create([
        Trace(at=at or timezone.now(), dossier_id=dossier_id, actor_id=user.pk, actor_name=user.get_full_name(),
              structure_name=structure_name, action="lecture", rubrique=rubrique, outcome="ok")
    ])  # fmt: skip


# ---- naming ----------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
def test_naming_is_an_administrator_s_act_dated_and_traced(administrator):
    user = UserFactory()
    assert not officers.may_search_journals(user)
    for by in (None, UserFactory()):
        with pytest.raises(NotAllowed):
            name_officer(user, by=by)
    with pytest.raises(OwnNaming):
        name_officer(administrator, by=administrator)
    with pytest.raises(AccountNotOpen):
        name_officer(UserFactory(is_active=False, suspended_at=timezone.now()), by=administrator)
    named = name_officer(user, by=administrator)
    assert officers.may_search_journals(user)
    with pytest.raises(AlreadyOfficer):
        name_officer(user, by=administrator)
    end_officer(named, by=administrator)
    assert not officers.may_search_journals(user)
    said = AccountTrace.objects.filter(actor_id=administrator.pk).order_by("at").values_list("action", "object_id")
    assert list(said) == [("désignation DPO", user.pk), ("fin désignation DPO", user.pk)]


def test_being_named_is_not_enough_without_the_matrix(officer):
    shipped = defaults.load()
    rights = {profile: held for profile, held in shipped.action_rights.items() if profile != officers.PROFILE}
    publish_matrix(shipped.levels, rights, shipped.profile_rules, by=None, reason="Essai")
    assert not officers.may_search_journals(officer)


def test_the_command(administrator):
    user, out = UserFactory(), io.StringIO()
    asked = {"email": user.email, "par": administrator.email}
    call_command("delegue_donnees", "nommer", stdout=out, **asked)
    assert DataProtectionOfficer.objects.current().get().user == user
    with pytest.raises(CommandError, match="déjà déléguée"):
        call_command("delegue_donnees", "nommer", **asked)
    call_command("delegue_donnees", "terminer", stdout=out, **asked)
    with pytest.raises(CommandError, match="n'est pas déléguée"):
        call_command("delegue_donnees", "terminer", **asked)


# ---- who -------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
def test_anybody_else_gets_a_page_that_does_not_exist_and_leaves_a_trace(client, administrator):
    doctor = professional(DOCTOR)
    for user in (doctor, administrator):
        client.force_login(user)
        assert client.get(PATH).status_code == 404
        assert client.post(PATH, {"qui": "x"} | days()).status_code == 404
        left = AccountTrace.objects.filter(actor_id=user.pk, action="recherche journal")
        assert list(left.values_list("outcome", flat=True)) == ["refus", "refus"]
        assert "Journaux des accès" not in client.get("/dossiers/").content.decode()
    client.logout()
    assert client.get(PATH).status_code == 302


@pytest.mark.req("SEC-1")
def test_the_officer_opens_no_dossier(as_officer):
    dossier = DossierFactory()
    for more in ("", "journal/", "cercle/", "identite/"):
        assert as_officer.get(f"/dossiers/{dossier.pk}/{more}").status_code == 404
    assert "Journaux des accès" in as_officer.get("/dossiers/").content.decode()


# ---- searching -------------------------------------------------------------------------------------


@pytest.mark.req("SEC-9")
def test_a_search_says_who_what_when_and_no_identity_and_is_traced(as_officer, officer):
    dossier = DossierFactory(birth_name="SECRETE", used_name="", first_given_name="Yvonne")
    doctor = professional(DOCTOR, family_name="TESTARD", given_name="Paul")
    habilitate(doctor, dossier)
    leave(doctor, dossier.pk, structure_name="Cabinet du Viaur")
    answer = as_officer.post(PATH, {"qui": "testard paul"} | days())
    said = plain(answer)
    assert "TESTARD Paul, Cabinet du Viaur, a lu Volet médical." in said
    assert f"Dossier {dossier.pk}" in said
    assert not re.search("secrete|yvonne|1941|carmaux", said, re.IGNORECASE)
    assert f"/dossiers/{dossier.pk}" not in answer.content.decode()
    left = AccountTrace.objects.get(actor_id=officer.pk, action="recherche journal")
    assert (left.outcome, left.count, left.object_id) == ("ok", 1, None)


@pytest.fixture
def scene():
    house = StructureFactory(name="Équipe du Midi")
    ines = professional("60", structure=house, family_name="SPÉCIMEN", given_name="Inès")
    paul = professional(DOCTOR, family_name="TESTARD", given_name="Paul")
    one, other = uuid.uuid4(), uuid.uuid4()
    leave(ines, one, structure_name="Équipe du Midi")
    leave(ines, other, structure_name="Autre lieu")
    leave(paul, one, at=timezone.now() - dt.timedelta(days=3))
    return {"one": one, "other": other, "ines": ines, "paul": paul}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"qui": "specimen"}, 2),
        ({"qui": "Inès spéc"}, 2),
        ({"qui": "testard"}, 1),
        ({"qui": "testard", "last": -4}, 0),
        ({"qui": "testard", "first": -3, "last": -3}, 1),
        ({"structure": "equipe"}, 1),
        ({"qui": "testard", "structure": "equipe"}, 0),
        ({"dossier": "one"}, 2),
        ({"dossier": "one", "qui": "testard"}, 1),
        ({"qui": "inconnue"}, 0),
    ],
)
def test_by_person_structure_dossier_and_days(scene, said, kept):
    span = {name: said[name] for name in ("first", "last") if name in said}
    form = {name: str(scene.get(value, value)) for name, value in said.items() if name not in span} | days(**span)
    asked = searching.read_asked(form)
    assert asked.errors is None
    assert len(searching.search(asked).traces) == kept


@pytest.mark.parametrize("typed", ["legoff", "Le Goff annemarie", "anne marie", "dherve"])
def test_the_blanks_of_a_name_do_not_matter(typed):
    leave(professional(DOCTOR, family_name="LE GOFF-D'HERVÉ", given_name="Anne-Marie"), uuid.uuid4())
    assert len(searching.search(searching.read_asked({"qui": typed} | days())).traces) == 1


def test_by_national_number(scene):
    scene["ines"].professions.update(national_id="899700012345")
    asked = searching.read_asked({"qui": "8997 0001 2345"} | days())
    assert {trace.actor_id for trace in searching.search(asked).traces} == {scene["ines"].pk}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "du"),
        ({"qui": "x", "au": ""}, "au"),
        ({"qui": "x", "du": "01/01/2020"}, "au"),
        ({"qui": "x", "du": "02/01/2026", "au": "01/01/2026"}, "au"),
        (days(), "qui"),
        ({"dossier": "martin"} | days(), "dossier"),
    ],
)
def test_a_search_without_bounds_is_refused(as_officer, officer, form, field):
    if "du" not in form and form:
        form = days() | form
    elif "au" not in form and form:
        form = form | {"au": days()["au"]}
    answer = as_officer.post(PATH, form)
    assert answer.status_code == 422
    assert f'id="{field}-erreur"' in answer.content.decode()
    assert not AccountTrace.objects.filter(actor_id=officer.pk, action="recherche journal").exists()


def test_too_many_people_asks_to_be_more_precise(as_officer, scene, monkeypatch):
    monkeypatch.setattr(searching, "MOST_PEOPLE", 1)
    for n in range(2):
        UserFactory(family_name=f"NOMBREUX{n}")
    assert "précisez" in plain(as_officer.post(PATH, {"qui": "nombreux"} | days()))


def test_pages_go_back_without_missing_or_repeating(scene):
    for _ in range(110):
        leave(scene["paul"], scene["other"])
    seen, before = [], ""
    while True:
        result = searching.search(searching.read_asked({"qui": "testard", "avant": before} | days()))
        seen += [trace.pk for trace in result.traces]
        if not result.next_before:
            break
        before = result.next_before
    assert len(seen) == len(set(seen)) == 111


@pytest.mark.req("PERF-3")
def test_as_many_statements_whatever_the_lines(as_officer, scene):
    counted = []
    as_officer.get(PATH)
    for lines in (3, 30, 90):
        for _ in range(lines):
            leave(scene["paul"], uuid.uuid4())
        with CaptureQueriesContext(connection) as captured:
            assert as_officer.post(PATH, {"qui": "testard"} | days()).status_code == 200
        counted.append(len(captured))
    assert len(set(counted)) == 1
    assert counted[0] <= 12


@pytest.mark.parametrize("du", ["31/12/9999", "01/12/9999"])
def test_the_last_day_of_the_calendar_is_refused_beside_its_field(as_officer, du):
    answer = as_officer.post(PATH, {"qui": "x", "du": du, "au": "31/12/9999"})
    assert answer.status_code == 422 and "pas valide" in plain(answer)
