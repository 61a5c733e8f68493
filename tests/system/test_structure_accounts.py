"""The person named for a structure opens an account for a newcomer, who comes; her profession is then confirmed."""

import re
from urllib.parse import urlsplit

import pytest

from coordination.accounts import mails
from coordination.accounts.models import User
from coordination.outbox.models import Message
from habilitations.access import hat_of
from habilitations.actions import name_administrator
from tests.accounts.factories import PASSWORD
from tests.circle import factories
from tests.directory import search_data
from tests.system import acts

pytestmark = pytest.mark.browser


@pytest.fixture
def director(world):
    user = factories.account("359", structure=world.ehpad, family_name="GESTIONNAIRE", given_name="Denis")
    search_data.person("SPÉCIMEN", "Ana", structure=world.ehpad)
    search_data.learn()
    name_administrator(world.ehpad, user, by=world.administrator)
    return user


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_an_account_is_opened_then_its_profession_is_confirmed(visit, world, director, phone):
    denis = visit(phone=phone)
    acts.signs_in(denis, director)
    denis.page.locator("details.account > summary").click()
    denis.clicks("Comptes de ma structure")
    denis.arrives_at("Comptes de ma structure")
    denis.checks_the_page("comptes")
    denis.clicks("Créer un compte")
    denis.arrives_at("Créer un compte")
    denis.checks_the_page("compte-chercher")
    denis.field("Qui travaille dans votre structure, d’après l’annuaire ?").fill("specimen")
    denis.page.get_by_role("option").filter(has_text="Ana").first.wait_for()
    denis.clicks("Saisir à la main")
    denis.presses("Envoyer le message")
    denis.sees("4 champs à corriger")
    denis.checks_the_page("compte-erreurs")
    denis.fills("Nom", "Nouvelle")
    denis.fills("Prénom", "Lina")
    denis.selects("Profession", "Aide-soignant")
    denis.fills("Adresse e-mail", "lina@ehpad.example")
    denis.presses("Envoyer le message")
    denis.arrives_at("Comptes de ma structure")
    denis.sees("En attente de la personne")
    denis.checks_the_page("comptes-attente")

    lina = visit(phone=phone)
    user = User.objects.get(email="lina@ehpad.example")
    # The letter is sealed in the outbox: the same link is asked for again.
    lina.goes_to(urlsplit(mails.password_link(user)).path)
    lina.fills("Nouveau mot de passe", PASSWORD)
    lina.fills("Le même, une seconde fois", PASSWORD)
    lina.page.locator("main form button[type=submit]").first.click()
    lina.page.wait_for_url("**/fait/**")
    acts.signs_in(lina, user)

    denis.goes_to("/annuaire/comptes/")
    denis.sees("Profession non confirmée")
    denis.checks_the_page("comptes-a-confirmer")
    denis.presses("Confirmer la profession")
    denis.sees("est confirmée.")
    assert hat_of(user).profession == "35"
    denis.checks_the_page("comptes-confirme")
    denis.clicks("Retirer la confirmation")
    denis.arrives_at("Retirer la confirmation")
    denis.checks_the_page("confirmation-retirer")
    denis.fills("Motif", "A quitté l’établissement")
    denis.presses("Retirer la confirmation")
    denis.arrives_at("Comptes de ma structure")
    assert hat_of(user).profession == ""


def test_the_holder_of_an_account_answers_without_javascript(visit, world, director):
    denis, luc = visit(javascript=False), visit(javascript=False)
    # Signed in before: the first sign-in of an account never used is an answer by itself.
    acts.signs_in(luc, world.nobody_yet)
    acts.signs_in(denis, director)
    denis.goes_to("/annuaire/comptes/creer/manuellement/")
    denis.fills("Nom", "Attendu")
    denis.fills("Prénom", "Luc")
    denis.selects("Profession", "Infirmier")
    denis.fills("Adresse e-mail", world.nobody_yet.email)
    denis.presses("Envoyer le message")
    denis.sees("En attente de la personne")
    luc.goes_to(re.search(r"(/annuaire/rattachements/\S+)", Message.objects.get(kind="account.offer").text)[1])
    luc.arrives_at("Rattachement à une structure")
    luc.checks_the_page("rattachement")
    luc.presses("Accepter le rattachement")
    luc.sees("Votre compte est rattaché.")
    denis.goes_to("/annuaire/comptes/")
    denis.presses("Confirmer la profession")
    denis.sees("Profession confirmée")
    assert hat_of(world.nobody_yet).profession == "60"
