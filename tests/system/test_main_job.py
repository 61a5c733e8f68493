"""The main job, from sign-in to sign-out, at a desk and on a phone; and that nothing of it leaks."""

import io
import re

import openpyxl
import pypdf
import pytest
from django.db import connection

from coordination.outbox.models import Message
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.req("SEC-22", "SECT-6")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_coordinator_builds_a_circle(visit, world, written_logs, phone):
    maelle = visit(phone=phone)
    given_she_signed_in(maelle, world)
    dossier = when_she_opens_a_dossier(maelle)
    when_she_adds_the_doctor_found_with_three_letters_and_a_town(maelle, dossier)
    when_she_tries_a_second_one_and_hands_the_role_over(maelle)
    when_she_adds_a_nurse_by_hand(maelle)
    when_she_adds_the_daughter_as_main_carer(maelle)
    when_she_adds_a_nursing_home_found_by_its_number(maelle)
    when_she_records_a_refusal(maelle)
    then_nobody_may_be_let_in_until_it_is_withdrawn(maelle)
    when_she_removes_a_member_and_undoes_it(maelle, dossier)
    then_the_sheet_and_the_list_are_files(maelle, dossier)
    then_the_history_reads_right(maelle, dossier, world)
    stored = maelle.leaves_in_the_browser()
    when_she_signs_out(maelle)
    told = {"log": written_logs(), "browser": stored, "journal": written_journal(world.coordinator)}
    then_nothing_was_told_elsewhere(maelle, told)


def given_she_signed_in(maelle, world):
    maelle.goes_to("/compte/connexion/")
    maelle.checks_the_page("connexion")
    acts.signs_in_by_password(maelle, world.coordinator)
    maelle.arrives_at("File active")


def when_she_opens_a_dossier(maelle):
    dossier = acts.creates_a_dossier(maelle, maelle.checks_the_page)
    maelle.sees("VRAISEMBLABLE Célestine")
    maelle.does_not_see(acts.MATRICULE)
    maelle.checks_the_page("accueil-dossier")
    return dossier


def when_she_adds_the_doctor_found_with_three_letters_and_a_town(maelle, dossier):
    acts.opens_the_circle(maelle, dossier)
    maelle.checks_the_page("cercle-un-membre")
    acts.adds_her_doctor(maelle, maelle.checks_the_page)
    maelle.sees("Accès en attente")
    maelle.checks_the_page("cercle-medecin")


def when_she_tries_a_second_one_and_hands_the_role_over(maelle):
    acts.searches_the_directory(maelle, "pro carmaux", "PROTOTYPE")
    maelle.chooses("Médecin traitant")
    maelle.sees("Tenu par TESTARD Paul depuis le")
    maelle.sees("PROTOTYPE Louise remplacera TESTARD Paul dans ce rôle.")
    maelle.field("À partir du").fill(acts.today(30))
    maelle.selects("Son nouveau rôle", "Médecin")
    maelle.chooses("Habilitation : non")
    maelle.checks_the_page("passation")
    maelle.presses("Ajouter au cercle de soins")
    maelle.sees("PROTOTYPE Louise a été ajoutée au cercle de soins.")
    maelle.checks_the_page("cercle-passation")


def when_she_adds_a_nurse_by_hand(maelle):
    maelle.clicks("Ajouter un professionnel ou un aidant")
    maelle.clicks("Manuellement")
    maelle.arrives_at("Ajout manuel de personne")
    # The directory has a nurse of this name in this town: it is said while typing.
    acts.adds_a_nurse_by_hand(maelle, ("Spécimen", "Inès"))
    maelle.sees("Est-ce la même personne ?")
    maelle.sees("Dans l’annuaire national.")
    maelle.checks_the_page("saisie-ressemblance")
    acts.adds_a_nurse_by_hand(maelle)
    maelle.page.get_by_text("Est-ce la même personne ?").wait_for(state="detached")
    maelle.checks_the_page("saisie-manuelle")
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.sees("RÉPLIQUE Gaëlle fait maintenant partie du cercle de soins.")


def when_she_adds_the_daughter_as_main_carer(maelle):
    maelle.clicks("Ajouter un professionnel ou un aidant")
    maelle.clicks("Manuellement")
    maelle.clicks("Un aidant, un représentant légal")
    maelle.sees("Lien avec le patient/usager")
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.sees("champs à corriger")
    maelle.checks_the_page("aidant-erreurs")
    maelle.fills("Nom", "Vraisemblable")
    maelle.fills("Prénom", "Ombeline")
    maelle.selects("Lien avec le patient/usager", "Fille")
    maelle.fills("Numéro de mobile", "06 39 98 20 55")
    maelle.selects("Rôle", "Aidant principal")
    maelle.checks_the_page("aidant")
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.arrives_at("Cercle de soins")
    maelle.sees("Aidante principale")


def when_she_adds_a_nursing_home_found_by_its_number(maelle):
    maelle.clicks("Ajouter ou habiliter une structure")
    maelle.arrives_at("Ajouter ou habiliter une structure")
    maelle.fills("Nom, sigle ou n° FINESS", worlds.FINESS)
    maelle.sees("Choisir cette structure")
    maelle.checks_the_page("structure-recherche")
    maelle.fills("Nom, sigle ou n° FINESS", "maquettes")
    maelle.clicks("Choisir cette structure")
    maelle.sees("Structure choisie")
    maelle.page.get_by_label("Habilitation : non").check()
    maelle.checks_the_page("structure-choisie")
    maelle.presses("Ajouter")
    maelle.arrives_at("Cercle de soins")
    maelle.sees(worlds.EHPAD)


def when_she_records_a_refusal(maelle):
    acts.opens_the_acts_of(maelle, "TESTARD Paul")
    maelle.clicks("Noter un refus")
    maelle.arrives_at(re.compile("^Habilitation : TESTARD Paul"))
    acts.records_a_refusal(maelle, maelle.checks_the_page)
    maelle.presses("Enregistrer le refus")
    maelle.sees("Refus noté, accès fermé.")
    maelle.checks_the_page("fiche-refus")


def then_nobody_may_be_let_in_until_it_is_withdrawn(maelle):
    address = maelle.page.url
    maelle.goes_to(address + "habilitation/")
    maelle.sees("Habilitation impossible.")
    assert maelle.page.get_by_label("Habilitation : oui").count() == 0
    maelle.checks_the_page("habilitation-refusee")
    maelle.clicks("Retirer le refus")
    maelle.fills("Date du retrait", acts.today())
    maelle.selects("Recueil du retrait", "Dit par la personne")
    maelle.checks_the_page("retrait-du-refus")
    maelle.presses("Retirer le refus")
    maelle.sees("L’accès reste fermé tant que personne ne l’habilite.")
    maelle.goes_to(address + "habilitation/")
    maelle.chooses("Habilitation : oui")
    maelle.checks_the_page("habilitation")
    maelle.presses("Habiliter")
    maelle.sees("Accès en attente")


def when_she_removes_a_member_and_undoes_it(maelle, dossier):
    acts.opens_the_circle(maelle, dossier)
    acts.opens_the_acts_of(maelle, "RÉPLIQUE Gaëlle")
    maelle.clicks("Retirer du cercle")
    maelle.arrives_at(re.compile("^Retirer du cercle : RÉPLIQUE Gaëlle"))
    maelle.selects("Motif", "Ajouté par erreur")
    maelle.checks_the_page("retirer")
    maelle.presses("Retirer du cercle")
    maelle.arrives_at("Cercle de soins")
    assert maelle.page.get_by_role("link", name="RÉPLIQUE Gaëlle").count() == 0
    maelle.checks_the_page("cercle-toast")
    maelle.presses("Annuler le retrait")
    maelle.sees("RÉPLIQUE Gaëlle fait à nouveau partie du cercle de soins.")
    assert maelle.page.get_by_role("link", name="RÉPLIQUE Gaëlle").count() > 0
    maelle.checks_the_page("cercle-complet")


def then_the_sheet_and_the_list_are_files(maelle, dossier):
    pdf = maelle.page.request.get(f"/dossiers/{dossier}/cercle/fiche.pdf")
    paper = pypdf.PdfReader(io.BytesIO(pdf.body()))
    root = paper.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root and root["/Lang"].lower().startswith("fr")
    assert len(paper.pages) == 1
    assert "TESTARD" in paper.pages[0].extract_text()
    assert "PERSONNAGE" not in pdf.headers["content-disposition"].upper()
    acts.opens_more(maelle)
    book, name = maelle.downloads("Liste des membres (XLSX)")
    rows = list(openpyxl.load_workbook(io.BytesIO(book)).active.values)
    assert any("TESTARD" in str(row) for row in rows)
    maelle.addresses.append(name)


def then_the_history_reads_right(maelle, dossier, world):
    acts.opens_the_circle(maelle, dossier)
    acts.opens_more(maelle)
    maelle.clicks("Historique du cercle")
    maelle.arrives_at("Historique du cercle de soins")
    her = "EXEMPLE-LARRIEU Maëlle"
    for sentence in (
        f"{her} a créé le dossier.",
        f"{her} a ajouté TESTARD Paul au cercle de soins : rôle « Médecin traitant », accès en attente de son compte",
        f"{her} a ajouté PROTOTYPE Louise au cercle de soins : rôle « Médecin traitant » à partir du",
        f"{her} a ajouté VRAISEMBLABLE Ombeline au cercle de soins",
        f"{her} a ajouté {worlds.EHPAD} au cercle de soins",
        f"{her} a noté le refus du patient pour TESTARD Paul : accès fermé.",
        f"{her} a noté le retrait du refus pour TESTARD Paul : sans habilitation.",
        f"{her} a retiré RÉPLIQUE Gaëlle du cercle de soins. Ajouté par erreur.",
        f"{her} a annulé le retrait : RÉPLIQUE Gaëlle est à nouveau dans le cercle de soins.",
    ):
        maelle.sees(sentence)
    maelle.checks_the_page("historique")


def when_she_signs_out(maelle):
    maelle.signs_out()
    maelle.goes_to("/dossiers/")
    maelle.arrives_at("Connexion")


def then_nothing_was_told_elsewhere(maelle, places):
    """Nobody's name, number or searched text in an address, a title, a log, a mail, a journal, the browser."""
    secrets = (*acts.PERSON, *acts.MET, *acts.SEARCHES, "Ombeline")
    maelle.addresses_and_titles_name_nobody(*secrets)
    mails = Message.objects.values_list("subject", "text", "html")
    places |= {"mails": " ".join(map(str, mails))}
    assert '"event":"request"' in places["log"]
    assert '"cercle"' in places["journal"]
    for place, said in places.items():
        for secret in secrets:
            assert not re.search(rf"\b{re.escape(secret.casefold())}\b", said.casefold()), (
                f"{secret} is in the {place}"
            )


def written_journal(actor):
    """Return what the actor left in the append-only journals, as text: what happened is there, what was typed is not.

    The journals outlive the tests, since nothing empties them: other actors bear names of other stories.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(t)::text FROM habilitations_accounttrace t WHERE actor_id = %(actor)s"
            " UNION ALL SELECT row_to_json(t)::text FROM habilitations_trace t WHERE actor_id = %(actor)s",
            {"actor": actor.pk},
        )
        return " ".join(row for (row,) in cursor.fetchall())
