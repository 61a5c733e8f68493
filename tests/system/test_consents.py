"""On what the sharing rests: noted, limited, opposed, withdrawn, printed, with axe on each page at both widths."""

import pytest

from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.req("SEC-3", "SEC-5")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_noted_limited_opposed_and_withdrawn(visit, world, phone):
    entry = worlds.circle_of(world)
    circle = f"/dossiers/{entry.dossier.pk}/cercle/"
    nurse = worlds.member_named(entry, "CALQUE")
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)

    maelle.goes_to(f"{circle}membres/{nurse.pk}/accord/")
    maelle.sees("Équipe de soins : la personne s’adresse à ce professionnel")
    maelle.checks_the_page("accord")
    maelle.selects("Sur quoi repose le partage", "Accord exprès de la personne")
    maelle.presses("Noter")
    maelle.sees("Indiquez comment l’accord a été recueilli.")
    maelle.checks_the_page("accord-erreur")
    maelle.selects("Recueil de l’accord exprès", "Écrit et signé")
    maelle.page.get_by_role("checkbox", name="Agenda").check()
    maelle.fills("Dernier jour de l’accord", acts.today(5))
    maelle.presses("Noter")
    maelle.sees("Limité à : Agenda.")

    maelle.goes_to(f"{circle}consentements/")
    maelle.sees("Consentements et refus")
    maelle.checks_the_page("consentements")
    maelle.clicks("Noter une opposition")
    maelle.arrives_at("Noter une opposition")
    maelle.checks_the_page("opposition")
    maelle.selects("Ce que la personne ne veut pas partager", "Volet social")
    maelle.selects("Avec qui", "Tout le cercle de soins")
    maelle.selects("Recueil de l’opposition", "Dit par la personne")
    maelle.presses("Noter l’opposition")
    maelle.sees("Opposition : Volet social")

    maelle.goes_to(f"{circle}consentements/imprimer/")
    maelle.sees("Signature de la personne")
    maelle.checks_the_page("recapitulatif")

    maelle.goes_to("/a-faire/")
    maelle.sees("accord de la personne jusqu’au")
    maelle.checks_the_page("a-faire-accords")

    maelle.goes_to(f"{circle}membres/{nurse.pk}/accord/retirer/")
    maelle.checks_the_page("fin-accord")
    maelle.selects("Ce qui se passe", "La personne retire son accord")
    maelle.selects("Recueil du retrait", "Dit par la personne")
    maelle.presses("Fermer l’accès")
    maelle.sees("C’est noté : l’accès est fermé.")

    maelle.goes_to(f"{circle}consentements/?afficher=refus")
    maelle.page.get_by_role("link", name="Retirer l’opposition").click()
    maelle.arrives_at("Retirer l’opposition")
    maelle.checks_the_page("retirer-opposition")
    maelle.addresses_and_titles_name_nobody("CALQUE")
