"""The Annuaire tab: search with and without JavaScript, sheets, creation, merge."""

import time

import pytest
from django.urls import reverse

from coordination.directory import views
from coordination.directory.models import Attachment, Source, Structure
from habilitations.access import Hat
from tests.accounts.factories import UserFactory
from tests.directory.search_data import house, learn, person

pytestmark = pytest.mark.django_db

SEARCH = "/annuaire/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def reader(client, monkeypatch):
    """A signed-in account with a vouched profession."""
    user = UserFactory()
    monkeypatch.setattr(views.access, "hat_of", lambda user: Hat(profession="60"))
    client.force_login(user)
    return user


@pytest.fixture
def ehpad():
    return house("EHPAD LES TILLEULS", finess="810000001")


@pytest.fixture
def nadia(ehpad):
    activity = person("ÉCHANTILLON", "Nadia", profession="10", speciality="SM54", civility="MME", structure=ehpad,
                      phone="+33536491021", mss_address="nadia@test.mssante.example")  # fmt: skip
    learn()
    return activity


@pytest.mark.parametrize("name", ["directory:professionals", "directory:structures", "directory:create_structure"])
def test_visitors_are_sent_to_sign_in(client, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert "connexion" in answer["Location"]


def test_the_tab_opens_empty(client, reader):
    page = client.get(SEARCH)
    assert page.status_code == 200
    html = page.content.decode()
    assert 'role="combobox"' in html
    assert "Aucun professionnel trouvé" not in html


def test_a_keystroke_gets_a_fragment(client, reader, nadia):
    answer = client.post(SEARCH, {"q": "echan carm"}, headers=HTMX)
    html = answer.content.decode()
    assert "<html" not in html
    assert 'role="option"' in html
    assert "<mark>ÉCHAN</mark>TILLON Nadia" in html
    assert "<mark>Carm</mark>aux" in html
    assert "Médecin généraliste, RPPS" in html
    assert "Fiche du 18/11/2026" in html
    assert "HX-Request" in answer["Vary"]


def test_without_javascript_the_same_form_gives_a_page(client, reader, nadia):
    html = client.post(SEARCH, {"q": "echantillon", "lieu": "Carmaux"}).content.decode()
    assert "<html" in html
    assert reverse("directory:professional", args=[nadia.professional_id]) in html
    assert 'value="echantillon"' in html


@pytest.mark.parametrize("address", [SEARCH, "/annuaire/structures/"])
def test_an_unknown_town_is_said_and_may_be_left_out(client, reader, nadia, address):
    house("CABINET ÉCHANTILLON")
    learn()
    asked = {"q": "echantillon", "lieu": "xyz"}
    for headers in ({}, HTMX):
        html = client.post(address, asked, headers=headers).content.decode().replace("\xa0", " ")
        assert "Aucune commune « xyz »" in html
        assert "TILLON</mark>" not in html
        assert "Chercher sans ville ni code postal" in html
        assert '<input type="hidden" name="lieu" value="">' in " ".join(html.split())
    assert "TILLON</mark>" in client.post(address, asked | {"lieu": ""}).content.decode()


@pytest.mark.asvs("v5.0.0-15.3.7")
def test_the_text_is_never_read_from_an_address(client, reader, nadia):
    html = client.get(SEARCH, {"q": "echantillon"}).content.decode()
    assert "Nadia" not in html


def test_nobody_found_says_what_to_do(client, reader):
    html = client.post(SEARCH, {"q": "zzzzz yyyyy"}).content.decode()
    assert "Aucun professionnel trouvé" in html


@pytest.mark.asvs("v5.0.0-1.2.1")
def test_names_are_escaped(client, reader):
    person("<SCRIPT>", "a<b>")
    learn()
    html = client.post(SEARCH, {"q": "script"}, headers=HTMX).content.decode()
    assert "<SCRIPT>" not in html
    assert "&lt;<mark>SCRIPT</mark>&gt;" in html


def test_the_rest_of_a_long_list_is_asked_by_post(client, reader):
    for rank in range(12):
        person("NOMBREUX", f"Prénom{rank:02d}")
    learn()
    html = client.post(SEARCH, {"q": "nombreux"}).content.decode()
    assert "Voir les 4 autres" in html
    html = client.post(SEARCH, {"q": "nombreux", "tout": "1"}).content.decode()
    assert html.count("Ouvrir la fiche") == 12


def test_near_is_where_the_account_works(client, reader):
    house_in_albi = house("MAISON DE SANTÉ", town="Albi", postal_code="81000", commune="81004")
    mine = person("MOI", "Même", structure=house_in_albi)
    Attachment.objects.create(user=reader, professional=mine.professional, structure=house_in_albi)
    views._near.clear()
    assert views.near_of(reader) == "81000"
    assert views.near_of(UserFactory()) == ""


@pytest.mark.req("PERF-3")
def test_the_cost_of_a_search_does_not_grow(client, reader, django_assert_max_num_queries):
    for rank in range(3):
        person("MESURE", f"Prénom{rank}")
    learn()
    client.post(SEARCH, {"q": "mesure"}, headers=HTMX)
    with django_assert_max_num_queries(12) as few:
        client.post(SEARCH, {"q": "mesure"}, headers=HTMX)
    for rank in range(40):
        person("MESURE", f"Autre{rank}")
    with django_assert_max_num_queries(12) as many:
        client.post(SEARCH, {"q": "mesure"}, headers=HTMX)
    assert len(few) == len(many)


def test_the_sheet_of_a_person(client, reader, nadia):
    person("ÉCHANTILLON", "Nadia", professional=nadia.professional, town="Albi", structure_name="CABINET", ceased=True)
    html = client.get(reverse("directory:professional", args=[nadia.professional_id])).content.decode()
    for words in ("ÉCHANTILLON Nadia", "Médecin généraliste", "EHPAD LES TILLEULS", "05 36 49 10 21", "CABINET",
                  "nadia@test.mssante.example", 'href="tel:+33536491021"', "Exercice cessé ?", "18/11/2026",
                  "Sans compte"):  # fmt: skip
        assert words in html.replace("\u202f", " ").replace("\xa0", " ")
    assert "Nadia" not in html.split("</title>")[0]


def test_the_sheet_of_a_structure_lists_its_people_by_25(client, reader, ehpad):
    for rank in range(30):
        person(f"NOM{rank:02d}", "Jean", structure=ehpad)
    url = reverse("directory:structure", args=[ehpad.pk])
    html = client.get(url).content.decode()
    assert html.count("Sans compte") == 25
    following = html.split(f"{url}?apres=")[1].split('"')[0]
    html = client.get(url, {"apres": following}).content.decode()
    assert html.count("Sans compte") == 5
    assert "NOM29" in html and "NOM24" not in html
    assert client.get(url, {"apres": "n’importe quoi"}).status_code == 200


def test_a_telephone_that_could_not_be_read_is_shown_as_it_was_given(client, reader):
    odd = house("EHPAD SANS INDICATIF", phone="", phone_as_given="05 65 44 31 1")
    assert "05 65 44 31 1" in client.get(f"/annuaire/structures/{odd.pk}/").content.decode()


def test_a_merged_structure_leads_to_the_other_and_gives_it_its_people(client, reader, ehpad):
    local = house("Les Tilleuls", source=Source.LOCAL, merged_into=ehpad)
    person("ESSAI", "Bruno", structure=local)
    answer = client.get(reverse("directory:structure", args=[local.pk]))
    assert answer.status_code == 303
    assert "ESSAI" in client.get(answer["Location"]).content.decode()


def test_unknown_sheets(client, reader, ehpad):
    assert client.get(reverse("directory:professional", args=[ehpad.pk])).status_code == 404
    assert client.get(reverse("directory:merge_structure", args=[ehpad.pk])).status_code == 403


NEW = {"name": "Portage de repas Échantillon", "town": "carmaux", "postal_code": "81400", "phone": "05 36 49 10 30",
       "email": "Contact@Portage.example", "siret": "732 829 320 00074"}  # fmt: skip


def test_creating_a_structure(client, reader):
    answer = client.post(reverse("directory:create_structure"), NEW)
    made = Structure.objects.get()
    assert answer["Location"] == reverse("directory:structure", args=[made.pk])
    assert (made.source, made.town, made.commune_code) == (Source.LOCAL, "Carmaux", "81060")
    assert made.phone == "+33536491030"
    assert (made.siret, made.siren, made.created_by) == ("73282932000074", "732829320", reader)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("name", "", "obligatoire"), ("siret", "73282932000075", "clé"), ("finess", "12", "9 caractères"),
     ("phone", "05 36", "10 chiffres"), ("town", "Nulleville", "communes"), ("email", "contact", "email")],
)  # fmt: skip
def test_what_is_typed_is_checked(client, reader, field, value, said):
    answer = client.post(reverse("directory:create_structure"), {**NEW, field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode().lower()
    assert not Structure.objects.exists()


def test_a_means_of_contact_is_asked(client, reader):
    nobody = {**NEW, "phone": "", "email": ""}
    answer = client.post(reverse("directory:create_structure"), nobody)
    assert answer.status_code == 422
    assert "au moins un moyen de contact" in answer.content.decode()
    assert client.post(reverse("directory:create_structure"), {**NEW, "phone": ""}).status_code == 303


def test_probable_doubles_are_shown_first(client, reader, ehpad):
    learn()
    values = {"name": "EHPAD Les Tilleuls", "postal_code": "81400", "town": "Carmaux", "phone": "05 36 49 10 30"}
    html = client.post(reverse("directory:create_structure"), values).content.decode()
    assert "Est-ce la même structure" in html
    assert Structure.objects.count() == 1
    client.post(reverse("directory:create_structure"), {**values, "seen_doubles": "oui"})
    assert Structure.objects.count() == 2


def test_a_number_already_there_is_refused(client, reader, ehpad):
    values = {**NEW, "finess": ehpad.finess, "seen_doubles": "oui"}
    answer = client.post(reverse("directory:create_structure"), values)
    assert answer.status_code == 422


def test_creating_needs_a_vouched_profession(client):
    client.force_login(UserFactory())
    assert client.get(reverse("directory:create_structure")).status_code == 403
    assert "Créer une structure" not in client.get(reverse("directory:structures")).content.decode()


def test_merging_is_for_administrators_and_asks_twice(client, ehpad):
    client.force_login(UserFactory(administrator=True))
    local = house("Ehpad Les Tilleuls", source=Source.LOCAL)
    learn()
    url = reverse("directory:merge_structure", args=[local.pk])
    assert (
        reverse("directory:merge_structure", args=[local.pk])
        in client.get(reverse("directory:structure", args=[local.pk])).content.decode()
    )
    html = client.get(url).content.decode()
    assert str(ehpad.pk) in html
    assert "Fusionner ces deux structures" in client.post(url, {"dans": ehpad.pk}).content.decode()
    local.refresh_from_db()
    assert local.merged_into is None
    assert client.post(url, {"dans": ehpad.pk, "confirmer": "oui"}).status_code == 303
    local.refresh_from_db()
    assert local.merged_into == ehpad


@pytest.mark.req("SEC-18")
def test_a_merge_asks_who_is_there_at_its_last_step(client, ehpad):
    client.force_login(UserFactory(administrator=True))
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 660}]
    session.save()
    local = house("Ehpad Les Tilleuls", source=Source.LOCAL)
    url = reverse("directory:merge_structure", args=[local.pk])
    assert client.post(url, {"dans": ehpad.pk}).status_code == 200
    asked = client.post(url, {"dans": ehpad.pk, "confirmer": "oui"})
    assert asked.url.startswith(reverse("account_reauthenticate"))
    local.refresh_from_db()
    assert local.merged_into is None


def test_a_refused_merge_says_why(client, ehpad):
    client.force_login(UserFactory(administrator=True))
    other = house("EHPAD LES CÈDRES")
    url = reverse("directory:merge_structure", args=[other.pk])
    answer = client.post(url, {"dans": ehpad.pk, "confirmer": "oui"})
    assert answer.status_code == 422
    assert "Seule une structure créée pour la coordination" in answer.content.decode()


def test_structures_by_category_and_town(client, reader, ehpad):
    learn()
    html = client.post(
        reverse("directory:structures"), {"q": "", "categorie": "500", "lieu": "81400"}
    ).content.decode()
    assert "EHPAD LES TILLEULS" in html
    fragment = client.post(reverse("directory:structures"), {"q": "till"}, headers=HTMX).content.decode()
    assert "<mark>TILL</mark>EULS" in fragment


@pytest.mark.parametrize("forged", ["a\0b", "31/12/9999", "' OR 1=1--", "a b", "a & !b:*", "(", "m\0@x.example"])
@pytest.mark.parametrize(
    ("address", "field"),
    [(SEARCH, name) for name in ("q", "profession", "lieu", "structure")]
    + [("/annuaire/structures/", name) for name in ("q", "categorie", "lieu")],
)
def test_a_forged_field_finds_nobody_and_fails_nothing(client, reader, nadia, address, field, forged):
    assert client.post(address, {"q": "tilleuls", field: forged}, headers=HTMX).status_code == 200
