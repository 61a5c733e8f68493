"""Adding to a circle through its pages: search, role and access, hand entry, structures."""

import threading
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from circle.models import Member, RoleSetting
from coordination.directory.models import Structure
from coordination.directory.search import vocabulary
from habilitations.models import Refusal
from tests.circle import factories
from tests.circle.conftest import publish_default_matrix

HTMX = {"HX-Request": "true"}


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


@pytest.fixture
def visitor(client, coordinator, entry):
    client.force_login(coordinator)
    client.url = lambda name, *args: reverse(f"circle:{name}", args=[entry.dossier.pk, *args])
    return client


@pytest.fixture
def searchable(db):
    """The words the search knows, counted again once the test's directory is there."""

    def refresh():
        with connection.cursor() as cursor:
            vocabulary.refresh(cursor)
        vocabulary.forget()

    yield refresh
    vocabulary.forget()


def answers(**more):
    """Return what the role and access form sends."""
    today = f"{timezone.localdate():%d/%m/%Y}"
    said = {"role": "PROV", "habilitation": "non", "starts_on": today, "creation_key": uuid.uuid4()}
    return said | factories.TEAM_POSTED | more


def person(**more):
    return {
        "family_name": "SPÉCIMEN", "given_name": "Inès", "mobile": "06 39 98 41 07", "role": "CAREGIVER",
        "relation": "DAUC", "starts_on": f"{timezone.localdate():%d/%m/%Y}", "creation_key": uuid.uuid4(),
    } | more  # fmt: skip


# ---- Search --------------------------------------------------------------------------------------


def test_one_box_over_circle_directory_structures_and_hand_entry(visitor, entry, searchable):
    factories.add(entry, factories.listed(family_name="ECHANTILLON", given_name="Rose", search_family="echantillon"))
    factories.listed(family_name="ECHANTILLON", given_name="Nadia", search_family="echantillon")
    factories.StructureFactory(name="Pharmacie Échantillon", search_name="pharmacie echantillon", town="Carmaux")
    searchable()
    page = text_of(visitor.post(visitor.url("add"), {"q": "échantillon"}))
    places = [page.index(words) for words in (
        "Déjà dans ce cercle", "Annuaire national", "Annuaire des structures", "Pas trouvé ?",
    )]  # fmt: skip
    assert places == sorted(places)
    for words in ("Déjà membre, ouvrir", "Choisir cet utilisateur", "Choisir cette structure", "Manuellement"):
        assert words in page
    assert page.count("Rose") <= 3, "a member is not offered twice"


def test_the_fragment_is_a_listbox_and_the_page_a_list(visitor, entry, searchable):
    searchable()
    fragment = text_of(visitor.post(visitor.url("add"), {"q": "zzzz"}, headers=HTMX))
    assert 'role="option"' in fragment
    assert "<html" not in fragment
    assert "Aucun résultat" in fragment
    assert "listbox-page" in text_of(visitor.post(visitor.url("add"), {"q": "zzzz"}))


def test_an_unknown_town_is_said_and_may_be_left_out(visitor, entry, searchable):
    factories.listed(family_name="ECHANTILLON", given_name="Nadia", search_family="echantillon")
    factories.StructureFactory(name="Pharmacie Échantillon", search_name="pharmacie echantillon", town="Carmaux")
    searchable()
    page = text_of(visitor.post(visitor.url("add"), {"q": "échantillon", "ville": "xyz"}))
    assert "Aucune commune « xyz »" in page
    assert "Chercher sans ville ni code postal" in page
    assert "Nadia" not in page
    asked = {"q": "échantillon", "postal_code": "00000"}
    page = text_of(visitor.post(visitor.url("add_structure"), asked))
    assert "Aucune commune « 00000 »" in page
    assert "Choisir cette structure" not in page
    page = text_of(visitor.post(visitor.url("add_structure"), asked | {"sans_lieu": "1"}))
    assert "Choisir cette structure" in page
    assert "00000" not in page


def test_less_than_two_letters_look_for_nobody(visitor):
    assert "Tapez au moins 2 caractères." in text_of(visitor.post(visitor.url("add"), {"q": "z"}))


@pytest.mark.parametrize("field", ["q", "profession", "ville"])
@pytest.mark.parametrize("forged", ["a\0b", "31/12/9999", "' OR 1=1--"])
def test_a_forged_field_of_the_search_fails_nothing(visitor, entry, field, forged):
    assert visitor.post(visitor.url("add"), {"q": "echantillon", field: forged}).status_code == 200
    by_hand = factories.by_hand(entry)
    assert visitor.post(visitor.url("link", by_hand.pk), {"q": forged}).status_code == 200


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("name", ["add", "add_structure", "add_structure_manually"])
def test_who_may_not_write_the_circle_adds_nobody(client, entry, name):
    helper = factories.account("35")
    factories.add(entry, helper.attachment.professional, wanted="oui", role="313")
    client.force_login(helper)
    url = reverse(f"circle:{name}", args=[entry.dossier.pk])
    assert client.get(url).status_code == 403
    assert client.post(url, {}).status_code == 403


# ---- Role and access -----------------------------------------------------------------------------


def test_role_and_access_in_one_act(visitor, entry):
    doctor = factories.account(factories.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M")
    url = visitor.url("add_professional", doctor.attachment.professional.pk)
    page = text_of(visitor.get(url))
    assert "Ce que cette personne verra" in page
    assert "Peut lire et écrire : 11 rubriques" in page
    assert " checked" not in page, "nothing is ticked in advance"
    sent = visitor.post(url, answers(role="PCP", habilitation="oui"), follow=True)
    assert "TESTARD Paul a été ajouté au cercle de soins. Accès au dossier ouvert." in text_of(sent)
    member = Member.objects.get(professional=doctor.attachment.professional)
    assert member.habilitation.state == "oui"


def test_without_an_account_the_access_waits(visitor, entry):
    nurse = factories.listed(family_name="MODÈLE", given_name="Inès")
    url = visitor.url("add_professional", nurse.activities.get().pk)
    assert "n’a pas encore de compte" in text_of(visitor.get(url))
    sent = visitor.post(url, answers(habilitation="oui"), follow=True)
    assert "a été ajoutée au cercle de soins. Accès en attente" in text_of(sent)


def test_an_answer_is_required_and_the_text_is_kept(visitor, entry):
    nurse = factories.listed()
    url = visitor.url("add_professional", nurse.pk)
    response = visitor.post(url, answers(habilitation="", description="Le mardi"))
    page = text_of(response)
    assert response.status_code == 422
    assert "<title>Erreur :" in page
    assert "1 champ à corriger" in page
    assert 'value="Le mardi"' in page
    assert not Member.objects.filter(professional=nurse).exists()


def test_a_refusal_asks_for_its_date_and_closes_everything(visitor, entry):
    nurse = factories.account()
    url = visitor.url("add_professional", nurse.attachment.professional.pk)
    assert "Indiquez la date du refus." in text_of(visitor.post(url, answers(habilitation="refus")))
    day = f"{timezone.localdate():%d/%m/%Y}"
    sent = visitor.post(url, answers(habilitation="refus", refused_on=day, collected="oral"), follow=True)
    assert "Refus noté, accès fermé." in text_of(sent)
    assert Refusal.objects.get(dossier=entry.dossier).habilitation.state == "refus"


def test_the_preview_and_the_button_follow_the_answer(visitor, entry):
    nurse = factories.listed()
    url = visitor.url("preview", nurse.activities.get().pk)
    said = {
        answer: text_of(visitor.get(url, {"habilitation": answer}, headers=HTMX)) for answer in ("oui", "non", "refus")
    }
    assert "Ajouter et habiliter" in said["oui"]
    assert "15 rubriques sur 16" in said["oui"]
    assert "Ajouter au cercle de soins" in said["non"]
    assert "Ne verra rien du dossier." in said["refus"]
    assert "Ajouter et noter le refus" in said["refus"]


def test_a_held_unique_role_asks_for_the_hand_over(visitor, entry):
    held = factories.add(
        entry, factories.listed(factories.DOCTOR, family_name="TESTARD", given_name="Paul"), role="PCP"
    )
    newcomer = factories.listed(factories.DOCTOR, family_name="RELÈVE")
    url = visitor.url("add_professional", newcomer.pk)
    page = text_of(visitor.get(url))
    assert "Rôle unique" in page
    assert "Tenu par TESTARD Paul depuis le" in page
    refused = visitor.post(url, answers(role="PCP"))
    assert refused.status_code == 422
    assert "TESTARD Paul tient ce rôle" in text_of(refused)
    day = f"{timezone.localdate():%d/%m/%Y}"
    handover = {"passation-PCP-starts_on": day, "passation-PCP-new_role": "PROV"}
    visitor.post(url, answers(role="PCP", **handover))
    rows = {row.professional_id: row.role_code for row in Member.objects.rows(entry)}
    assert rows[newcomer.pk] == "PCP"
    assert rows[held.professional_id] == "PROV"


def test_another_role_is_taken_from_the_list(visitor, entry):
    nurse = factories.listed()
    visitor.post(visitor.url("add_professional", nurse.pk), answers(role="autre", role_autre="ECON"))
    assert [r.role_code for r in Member.objects.rows(entry) if r.professional_id == nurse.pk] == ["ECON"]


def test_who_adds_without_granting_leaves_a_request(client, entry):
    nurse = factories.account()
    factories.add(entry, nurse.attachment.professional, wanted="oui")
    client.force_login(nurse)
    other = factories.account(family_name="DEMANDÉE")
    url = reverse("circle:add_professional", args=[entry.dossier.pk, other.attachment.professional.pk])
    page = text_of(client.get(url))
    assert "Seul un coordinateur, un médecin ou l’encadrement de sa structure peut habiliter." in page
    assert "Habilitation : oui" not in page
    assert client.post(url, answers(habilitation="oui")).status_code == 422
    client.post(url, answers(habilitation="demande"))
    row = Member.objects.get(professional=other.attachment.professional).habilitation
    assert (row.state, row.requested_by) == ("non", nurse)


def test_already_a_member(visitor, entry):
    nurse = factories.listed()
    member = factories.add(entry, nurse)
    response = visitor.get(visitor.url("add_professional", nurse.pk))
    assert response["Location"] == visitor.url("member", member.pk)


def test_an_unknown_professional_is_a_404(visitor):
    assert visitor.get(visitor.url("add_professional", uuid.uuid4())).status_code == 404


# ---- By hand -------------------------------------------------------------------------------------


def test_every_field_of_spico_is_there(visitor):
    page = text_of(visitor.get(visitor.url("add_manually", "aidant")))
    for label in (
        "Nom", "Prénom", "Adresse e-mail", "Numéro de téléphone fixe", "Numéro de mobile", "Sur liste rouge",
        "Adresse", "Ville", "Code postal", "Lien avec le patient/usager", "Rôle", "Description",
    ):  # fmt: skip
        assert f">{label}" in page, label
    assert "Ajouter la personne au cercle de soins" in page
    assert "Cette personne n’aura pas accès au dossier." in page
    assert visitor.get(visitor.url("add_manually", "robot")).status_code == 404


def test_a_relative_by_hand(visitor, entry):
    sent = visitor.post(
        visitor.url("add_manually", "aidant"),
        person(
            family_name="martin",
            given_name="claire",
            role="AIDANT_PRINCIPAL",
            postal_code="81400",
            town_texte="Carmaux",
        ),
        follow=True,
    )
    assert "MARTIN Claire fait maintenant partie du cercle de soins." in text_of(sent)
    member = Member.objects.get(family_name="MARTIN")
    assert (member.mobile, member.town, member.commune_code, member.civility) == (
        "+33639984107",
        "Carmaux",
        "81060",
        "MME",
    )
    assert "Aidante principale" in text_of(sent)


def test_a_professional_by_hand_and_the_errors_of_the_mock_up(visitor, entry):
    url = visitor.url("add_manually", "professionnel")
    data = person(profession="94", role="PROV", email="g.prototype@", mobile="06 39 98 44 1")
    page = text_of(visitor.post(url, data))
    assert "2 champs à corriger" in page
    assert "il manque ce qui suit l’arobase, par exemple « nom@domaine.fr »" in page
    assert "10 chiffres attendus, 9 saisis" in page
    assert 'value="g.prototype@"' in page
    visitor.post(url, person(profession="94", role="PROV"))
    assert Member.objects.get(family_name="SPÉCIMEN").kind == "manuel"


def test_at_least_one_means_of_contact_and_a_known_town(visitor):
    page = text_of(visitor.post(visitor.url("add_manually", "aidant"), person(mobile="", town_texte="Nullepart")))
    assert "Indiquez au moins un moyen de contact" in page
    assert "Cette commune n’est pas dans la liste" in page


def test_a_double_is_pointed_out_while_typing_and_again_when_sent(visitor, entry):
    known = factories.relative(entry, family_name="MARTIN", given_name="Claire", civility="MME")
    typed = person(family_name="MARTIN", given_name="Clair")
    panel = text_of(visitor.post(visitor.url("lookalikes", "aidant"), typed, headers=HTMX))
    assert "Est-ce la même personne ?" in panel
    assert "C’est elle, ouvrir sa fiche" in panel
    assert visitor.url("member", known.pk) in panel
    assert "1 ressemblance trouvée." in panel
    url = visitor.url("add_manually", "aidant")
    refused = visitor.post(url, typed)
    assert refused.status_code == 422
    assert "Est-ce la même personne ?" in text_of(refused)
    visitor.post(url, typed | {"duplicate_reason": "Sa cousine, même prénom"})
    assert Member.objects.filter(family_name="MARTIN").count() == 2


def test_the_roles_follow_the_profession_being_chosen(visitor):
    url = visitor.url("lookalikes", "professionnel")
    answer = text_of(visitor.post(url, {"profession": "94", "role": "PROV"}, headers=HTMX))
    assert '<option value="PROV" selected>Ergothérapeute</option>' in answer
    assert "Médecin traitant" not in answer


def test_switching_kind_keeps_what_was_typed(visitor):
    page = text_of(visitor.post(visitor.url("add_manually", "professionnel"), person(changer="1"), headers=HTMX))
    assert 'value="SPÉCIMEN"' in page
    assert "Profession" in page
    assert not Member.objects.filter(family_name="SPÉCIMEN").exists()


def test_a_double_click_adds_one_member(visitor, entry):
    data = person()
    for _ in range(2):
        visitor.post(visitor.url("add_manually", "aidant"), data)
    assert Member.objects.filter(family_name="SPÉCIMEN").count() == 1


@pytest.mark.req("REL-7")
def test_the_page_of_before_sent_for_somebody_else_keeps_what_is_typed(visitor, entry):
    data, url = person(), visitor.url("add_manually", "aidant")
    visitor.post(url, data)
    answer = visitor.post(url, data | {"family_name": "Témoin"})
    assert answer.status_code == 409
    assert "Un premier envoi est déjà enregistré" in text_of(answer) and 'value="Témoin"' in text_of(answer)
    assert str(data["creation_key"]) not in text_of(answer)
    assert not Member.objects.filter(family_name="TÉMOIN").exists()


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_sendings_add_one_member():
    publish_default_matrix()
    user = factories.coordinator()
    entry = factories.open_circle(user)
    url = reverse("circle:add_manually", args=[entry.dossier.pk, "aidant"])
    data, found = person(), []
    start = threading.Barrier(2, timeout=60)

    def send():
        browser = Client()
        browser.force_login(user)
        start.wait()
        found.append(browser.post(url, data).status_code)
        connection.close()

    sending = [threading.Thread(target=send) for _ in range(2)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join()
    assert found == [303, 303]
    assert Member.objects.filter(family_name="SPÉCIMEN").count() == 1


# ---- Structures ----------------------------------------------------------------------------------


def test_search_says_which_structures_can_sign_in(visitor, searchable):
    factories.legal_structure(factories.account(), name="SAAD Modèle", search_name="saad modele")
    factories.StructureFactory(name="SAAD Autre", search_name="saad autre")
    searchable()
    page = text_of(visitor.post(visitor.url("add_structure"), {"q": "saad"}))
    assert "Peut se connecter" in page
    assert "Oui, 1 délégué" in page
    assert "Non, pour information" in page
    assert page.count("Choisir cette structure") == 2
    assert "<html" not in text_of(visitor.post(visitor.url("add_structure"), {"q": "saad"}, headers=HTMX))


def test_delegates_are_named_before_the_structure_enters(visitor, entry):
    nurse = factories.account(family_name="FICTIVE", given_name="Carole")
    house = factories.legal_structure(nurse)
    url = visitor.url("choose_structure", house.pk)
    page = text_of(visitor.get(url))
    assert "FICTIVE Carole" in page
    assert "15 sur 16" in page
    assert "Ajouter et habiliter la structure" in text_of(visitor.get(url, {"habilitation": "oui"}, headers=HTMX))
    sent = visitor.post(url, answers(role="SOINS_DOMICILE", habilitation="oui"), follow=True)
    assert "Ses délégués peuvent ouvrir le dossier" in text_of(sent)


def test_a_unique_role_that_is_no_structures_is_refused_in_french(visitor, entry):
    doctor = factories.listed(factories.DOCTOR)
    factories.add(entry, doctor, role="PCP")
    sent = visitor.post(visitor.url("choose_structure", factories.StructureFactory().pk), answers(role="PCP"))
    assert sent.status_code == 422
    assert "Ce rôle ne convient pas à cette personne." in text_of(sent)


def test_a_structures_role_made_unique_is_handed_over(visitor, entry):
    RoleSetting.objects.create(role="PHARMACIE", unique=True, changed_by=entry.user)
    holder = factories.add_house(entry, factories.StructureFactory(name="Pharmacie Modèle"), role="PHARMACIE")
    url = visitor.url("choose_structure", factories.StructureFactory(name="Pharmacie Fictive").pk)
    page = text_of(visitor.post(url, answers(role="PHARMACIE")))
    assert "Pharmacie Fictive remplacera Pharmacie Modèle dans ce rôle." in page
    handover = {
        "passation-PHARMACIE-starts_on": f"{timezone.localdate():%d/%m/%Y}",
        "passation-PHARMACIE-new_role": "MATERIEL",
    }
    assert visitor.post(url, answers(role="PHARMACIE", **handover)).status_code == 303
    assert holder.roles.get(ends_on=None).role == "MATERIEL"


def test_a_structure_that_cannot_sign_in_says_so_before_saving(visitor, entry):
    house = factories.StructureFactory()
    url = visitor.url("choose_structure", house.pk)
    page = text_of(visitor.get(url))
    assert "Cette structure ne peut pas se connecter : l’habilitation serait sans effet." in page
    assert "Habilitation : oui" not in page
    assert visitor.post(url, answers(role="", habilitation="oui")).status_code == 422
    assert visitor.post(url, answers(role="", habilitation="non")).status_code == 303


def test_a_structure_by_hand_with_its_numbers_checked(visitor, entry):
    url = visitor.url("add_structure_manually")
    page = text_of(visitor.get(url))
    for label in (
        "Libellé", "Sigle", "Numéro FINESS", "Numéro SIRET", "Numéro SIREN", "Adresse", "Ville", "Code postal",
        "Responsable", "Numéro de téléphone", "Adresse e-mail", "Description",
    ):  # fmt: skip
        assert f">{label}" in page, label
    data = {
        "name": "Portage Exemple",
        "phone": "05 36 49 10 40",
        "siret": "12345678901234",
        "creation_key": uuid.uuid4(),
    }
    assert visitor.post(url, data).status_code == 422
    visitor.post(url, data | {"siret": ""})
    assert Structure.objects.get(name="Portage Exemple").phone == "+33536491040"
    assert any(row.name == "Portage Exemple" for row in Member.objects.rows(entry))
