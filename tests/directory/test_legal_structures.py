"""« Structures » of « Administration »: who may enter dossiers by its delegates, and who these are."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coordination.accounts.actions import suspend_account
from habilitations.access import to_dossier
from habilitations.actions import add_delegate, close_structure, end_delegate, open_structure
from habilitations.errors import AccountNotOpen, NotAllowed, OwnNaming
from habilitations.models import AccountTrace, Delegate, LegalStructure
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory.search_data import house, learn
from tests.dossiers.factories import DossierFactory, StructureFactory, habilitation
from tests.fhir.callers import connect
from tests.test_architecture import named_routes

pytestmark = pytest.mark.django_db
LIST = "/administration/structures/"
MISSED = "Aucun compte ouvert, de profession confirmée, n’a exactement ce nom ou cette adresse."


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


@pytest.fixture
def ssiad(anna):
    place = house("SSIAD EXEMPLE", category="354", finess="810009983")
    open_structure(place, by=anna)
    return place


@pytest.fixture
def nurse():
    return make.account("60", family_name="ÉBAUCHE-ROC", given_name="Nora")


def url(name, *args):
    return reverse(f"administration:{name}", args=args)


def text(answer):
    return answer.content.decode().replace("\xa0", " ")


def listed(answer):
    """Return (name, delegates, dossiers) of each line of the list."""
    lines = re.findall(r"<tr>.*?</tr>", text(answer), re.S)[1:]
    counts = r"<td[^>]+data-label=\"(?:Délégués|Dossiers)\">(\d+)</td>"
    return [(re.search(r"<a[^>]*>(.*?)</a>", line)[1], *re.findall(counts, line)) for line in lines]


def grant(structure, *dossiers):
    for dossier in dossiers:
        habilitation(dossier, "oui", structure=structure, state_by=dossier.created_by)


@pytest.mark.req("SEC-1", "SEC-25")
def test_whoever_is_no_administrator_finds_nothing(client, ssiad, nurse):
    routes = {name: path for name, path, _ in named_routes() if name.startswith("administration:")}
    delegate = add_delegate(ssiad, nurse, by=None)
    known = {"structure_id": ssiad.pk, "delegate_id": delegate.pk, "user_id": nurse.pk, "act": "suspendre",
             "client_id": connect(ssiad)[0].pk}  # fmt: skip
    for user in (make.coordinator(), UserFactory()):
        client.force_login(user)
        for name, path in routes.items():
            address = reverse(name, kwargs={key: value for key, value in known.items() if f":{key}>" in path})
            assert {client.get(address).status_code, client.post(address).status_code} <= {404, 405}, name
    client.logout()
    assert client.get(LIST).status_code == 302


def test_the_list_counts_and_names_no_dossier(client, ssiad, nurse):
    dossiers = [DossierFactory(birth_name=f"CANARI{n}") for n in range(3)]
    grant(ssiad, *dossiers)
    add_delegate(ssiad, nurse, by=None)
    closed = StructureFactory(name="Ancien service")
    open_structure(closed, by=None)
    grant(closed, dossiers[0])
    close_structure(closed, by=None)
    page = text(client.get(LIST))
    assert "SSIAD EXEMPLE" in page and "Ancien service" in page
    assert listed(client.get(LIST)) == [("Ancien service", "0", "0"), ("SSIAD EXEMPLE", "1", "3")]
    for path in (LIST, url("legal_structure", ssiad.pk), url("close_structure", ssiad.pk)):
        page = text(client.get(path))
        assert "CANARI" not in page and not any(str(one.pk) in page for one in dossiers)


def test_the_list_goes_on_after_its_last_line(client, anna, monkeypatch):
    from coordination.directory.views import legal_structures as views

    monkeypatch.setattr(views, "PER_PAGE", 2)
    for name in ("Alpha", "Bêta", "Gamma"):
        open_structure(StructureFactory(name=name), by=None)
    first = client.get(LIST)
    assert [name for name, *_ in listed(first)] == ["Alpha", "Bêta"]
    second = client.get(re.search(r'href="([^"]+\?apres=[^"]+)"', text(first))[1])
    assert [name for name, *_ in listed(second)] == ["Gamma"]
    assert "Page suivante" not in text(second)
    assert client.get(f"{LIST}?apres=rien").status_code == 200


def test_a_structure_of_the_directory_is_allowed_then_closed_then_allowed_again(client, anna):
    place = house("EHPAD LES MAQUETTES", finess="810009991")
    learn()
    page = text(client.post(url("allow_structure"), {"q": "maquettes"}))
    assert "Autoriser cette structure" in page and not LegalStructure.objects.exists()
    assert client.post(url("legal_structure", place.pk)).status_code == 303
    assert LegalStructure.objects.get(closed_at=None).opened_by == anna
    assert client.post(url("close_structure", place.pk)).status_code == 303
    assert LegalStructure.objects.get().closed_at
    assert client.get(url("close_structure", place.pk)).status_code == 303
    assert "Autoriser de nouveau" in text(client.get(url("legal_structure", place.pk)))
    client.post(url("legal_structure", place.pk))
    assert LegalStructure.objects.get().closed_at is None
    said = AccountTrace.objects.filter(actor_id=anna.pk, object_id=place.pk, object_kind="structure").order_by("at")
    assert [one.action for one in said] == ["personne morale", "fin personne morale", "personne morale"]
    assert all(one.address for one in said)


@pytest.mark.req("SEC-1")
def test_a_delegate_who_leaves_loses_the_dossiers_at_the_next_request(client, ssiad, nurse):
    dossier = DossierFactory()
    grant(ssiad, dossier)
    assert to_dossier(nurse, dossier.pk) is None
    client.post(url("name_delegate", ssiad.pk), {"compte": nurse.pk})
    inside = to_dossier(nurse, dossier.pk)
    assert inside.through_structure == ssiad.pk and inside.profile == "infirmier"
    delegate = Delegate.objects.get()
    client.post(url("end_delegate", ssiad.pk, delegate.pk))
    assert to_dossier(nurse, dossier.pk) is None
    assert client.post(url("end_delegate", StructureFactory().pk, delegate.pk)).status_code == 404


@pytest.mark.req("SEC-1")
def test_a_structure_that_closes_shuts_its_delegates_out(client, ssiad, nurse):
    dossier = DossierFactory()
    grant(ssiad, dossier)
    add_delegate(ssiad, nurse, by=None)
    client.post(url("close_structure", ssiad.pk))
    assert to_dossier(nurse, dossier.pk) is None
    assert "rouvre ces dossiers aux délégués" in text(client.get(url("legal_structure", ssiad.pk)))
    client.post(url("legal_structure", ssiad.pk))
    assert to_dossier(nurse, dossier.pk) is not None


@pytest.mark.parametrize("typed", ["nora ébauche-roc", "ÉBAUCHE-ROC Nora", "{email}", "  ébauche-roc   NORA "])
def test_a_delegate_is_found_by_exact_name_or_address(client, ssiad, nurse, typed):
    page = text(client.post(url("name_delegate", ssiad.pk), {"q": typed.format(email=nurse.email.upper())}))
    assert nurse.email in page and MISSED not in page
    assert not Delegate.objects.exists()


@pytest.mark.req("SEC-6")
def test_one_sentence_stands_for_all_who_cannot_be_named(client, anna, ssiad, nurse):
    """Part of a name, nobody, an account without a confirmed profession, one that is shut: the same answer."""
    make.account("60", vouched=False, family_name="ATTENDU", given_name="Luc")
    gone = make.account("60", family_name="PARTI", given_name="Paul")
    suspend_account(gone, by=anna)
    pages = set()
    parts, nobody = ("Nora", "Ébauche Nora", nurse.email[:-1]), ("Personne Inconnue", "Attendu Luc", "Parti Paul")
    for typed in (*parts, *nobody, gone.email):
        page = text(client.post(url("name_delegate", ssiad.pk), {"q": typed}))
        assert MISSED in page, typed
        pages.add(page.replace(f'value="{typed}"', "").partition("<main")[2])
    assert len({page.replace("=", "") for page in map(_without_tokens, pages)}) == 1
    assert client.post(url("name_delegate", ssiad.pk), {"compte": gone.pk}).status_code == 404
    assert client.post(url("name_delegate", ssiad.pk), {"compte": "rien"}).status_code == 404


def _without_tokens(page):
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


@pytest.mark.req("SEC-6")
def test_who_tries_a_list_of_names_is_stopped(client, ssiad, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"naming": "2/600s/user"}
    asked = [client.post(url("name_delegate", ssiad.pk), {"q": f"Nom {n}"}).status_code for n in range(3)]
    assert asked == [200, 200, 429]


@pytest.mark.req("SEC-1")
def test_nobody_names_himself_nor_an_account_that_is_shut(anna, ssiad, nurse):
    with pytest.raises(OwnNaming):
        add_delegate(ssiad, anna, by=anna)
    with pytest.raises(NotAllowed):
        add_delegate(ssiad, nurse, by=nurse)
    suspend_account(nurse, by=anna)
    nurse.refresh_from_db()
    with pytest.raises(AccountNotOpen):
        add_delegate(ssiad, nurse, by=anna)


@pytest.mark.req("SEC-18")
def test_what_opens_asks_again_who_is_there_and_what_closes_does_not(client, ssiad, nurse):
    delegate = add_delegate(ssiad, nurse, by=None)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    for path, said in (
        (url("legal_structure", StructureFactory().pk), {}),
        (url("name_delegate", ssiad.pk), {"compte": nurse.pk}),
    ):
        answer = client.post(path, said)
        assert answer.status_code == 302 and "/compte/" in answer.url
    assert LegalStructure.objects.count() == 1
    assert client.post(url("end_delegate", ssiad.pk, delegate.pk)).status_code == 303
    assert client.post(url("close_structure", ssiad.pk)).status_code == 303


@pytest.mark.req("PERF-3")
def test_statements_do_not_grow(client, anna, ssiad):
    counted = []
    for _ in range(3):
        for _ in range(4):
            open_structure(StructureFactory(), by=None)
            add_delegate(ssiad, make.account("60"), by=None)
            grant(ssiad, DossierFactory())
        for path in (LIST, url("legal_structure", ssiad.pk)):
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                client.get(path)
            counted.append((path, len(captured)))
    assert len(set(counted)) == 2 and max(count for _, count in counted) <= 12, counted


def test_an_ended_delegation_is_ended_once(anna, ssiad, nurse):
    delegate = add_delegate(ssiad, nurse, by=anna)
    end_delegate(delegate, by=anna)
    end_delegate(delegate, by=anna)
    assert AccountTrace.objects.filter(actor_id=anna.pk, action="fin de délégation").count() == 1
