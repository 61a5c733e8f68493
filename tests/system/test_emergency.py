"""« Accès d’urgence » and « Revue des accès » in a browser, large screen and phone, with axe on each page."""

import datetime as dt

import pytest
from django.utils import timezone

from coordination.dossiers.models import Dossier
from habilitations import actions as habilitations
from habilitations.models import DataProtectionOfficer, EmergencyAccess, Habilitation
from tests.accounts.factories import UserFactory
from tests.system import acts
from tests.system import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.req("SEC-8")]
WHY = {"reason": "vitale", "detail": "Trouvée seule, sans proche joignable."}


@pytest.fixture(autouse=True)
def _on(settings, monkeypatch):
    settings.BRIS_DE_GLACE = True
    # The stories of second factors are elsewhere (tests/accounts); here, it has just been shown.
    monkeypatch.setattr("coordination.accounts.second_factor.enrolled", lambda user: True)
    monkeypatch.setattr("coordination.accounts.second_factor.shown_within", lambda request, seconds: True)


@pytest.fixture
def entry(world):
    return worlds.circle_of(world)


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True])
def test_a_nurse_opens_reads_and_leaves(visit, world, entry, phone):
    odile = visit(phone=phone)
    acts.signs_in(odile, world.outsider)
    odile.goes_to("/dossiers/")
    odile.clicks("Accès d’urgence")
    odile.arrives_at("Accès d’urgence")
    odile.checks_the_page("urgence")
    odile.presses("Ouvrir en urgence")
    odile.sees("à corriger")
    odile.checks_the_page("urgence-erreurs")
    odile.fills("Nom de naissance", entry.dossier.birth_name)
    odile.fills("Premier prénom", "Jeanne")
    odile.fills("Date de naissance", "14/03/1941")
    odile.selects("Sexe", "Féminin")
    odile.chooses("Urgence vitale")
    odile.fills("Ce qui rend cet accès nécessaire", WHY["detail"])
    odile.presses("Ouvrir en urgence")
    odile.arrives_at("Accueil du dossier")
    odile.sees("Accès d’urgence jusqu’à")
    odile.checks_the_page("urgence-dossier")
    odile.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    odile.checks_the_page("urgence-mon-acces")
    odile.presses("Quitter l’accès d’urgence")
    odile.sees("Vous avez quitté l’accès d’urgence.")
    assert odile.goes_to(f"/dossiers/{entry.dossier.pk}/").status == 404


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True])
def test_it_is_reviewed_by_the_coordinator_and_by_the_officer_and_forbidden(visit, world, entry, phone):
    habilitations.open_emergency(entry.dossier.pk, by=world.outsider, **WHY)
    maelle = visit(phone=phone, javascript=not phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to("/a-faire/")
    maelle.sees("Accès d’urgence à relire")
    maelle.checks_the_page("urgence-a-faire")
    maelle.clicks("Relire")
    maelle.checks_the_page("urgence-relecture")
    maelle.chooses("Justifié")
    maelle.presses("Enregistrer la relecture")
    maelle.sees("La relecture de cet accès d’urgence est enregistrée.")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/urgence/")
    maelle.fills("Date", f"{timezone.localdate():%d/%m/%Y}")
    maelle.selects("Recueil", "Dit par la personne")
    maelle.presses("Interdire l’accès d’urgence")
    maelle.sees("L’accès d’urgence est interdit dans ce dossier.")
    maelle.checks_the_page("urgence-interdite")
    assert EmergencyAccess.objects.get().closed_by == world.coordinator

    officer = UserFactory(family_name="GESTION", given_name="Aline")
    DataProtectionOfficer.objects.create(user=officer, named_by=world.administrator)
    aline = visit(phone=phone)
    acts.signs_in(aline, officer)
    aline.goes_to("/dossiers/acces-urgence/revue/")
    aline.checks_the_page("urgence-delegue")
    aline.clicks("Relire")
    aline.checks_the_page("urgence-delegue-relecture")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True])
def test_the_accesses_of_a_dossier_are_gone_through(visit, world, entry, phone):
    long_ago = timezone.now() - dt.timedelta(days=400)
    Habilitation.objects.update(state_at=long_ago)
    Dossier.objects.update(created_at=long_ago)
    maelle = visit(phone=phone, javascript=not phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to("/a-faire/")
    maelle.sees("Revues des accès à faire")
    maelle.checks_the_page("revue-a-faire")
    maelle.clicks("Revoir les accès")
    maelle.arrives_at("Revue des accès")
    maelle.checks_the_page("revue")
    maelle.presses("Garder l’accès : DESSIN Paul")
    maelle.sees("Accès gardé.")
    maelle.presses("Fermer l’accès : CALQUE Inès")
    maelle.sees("Accès fermé.")
    maelle.checks_the_page("revue-apres")
    maelle.presses("Terminer la revue")
    maelle.does_not_see("Revues des accès à faire")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True])
def test_the_accounts_of_a_structure_are_gone_through(visit, world, entry, phone):
    director = worlds.factories.account("359", structure=world.ehpad, family_name="PATRON", given_name="Denis")
    helper = worlds.factories.account("35", structure=world.ehpad, family_name="TRACÉ", given_name="Nora")
    habilitations.name_administrator(world.ehpad, director, by=world.administrator)
    habilitations.grant_creator(entry.dossier.pk, helper, by=helper)
    Habilitation.objects.update(state_at=timezone.now() - dt.timedelta(days=400))
    denis = visit(phone=phone, javascript=not phone)
    acts.signs_in(denis, director)
    denis.goes_to("/annuaire/comptes/")
    denis.clicks("Revue des accès")
    denis.arrives_at("Revue des accès de ma structure")
    denis.checks_the_page("revue-structure")
    denis.presses("Garder le compte : TRACÉ Nora")
    denis.sees("Compte gardé.")
