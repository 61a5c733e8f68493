"""An access reduced in one dossier: the preview before saving, why one does not see, asking, answering."""

import pytest

from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_reduced_explained_asked_and_answered(visit, world, phone):
    entry = worlds.circle_of(world)
    home = f"/dossiers/{entry.dossier.pk}/"
    nurse = worlds.member_named(entry, "CALQUE")
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"{home}cercle/membres/{nurse.pk}/habilitation/reduire/")
    maelle.sees("15 rubriques")
    maelle.checks_the_page("reduire")
    maelle.selects("Volet médical", "Pas d’accès")
    # Before anything is saved, said aloud too.
    maelle.page.locator("#apercu").get_by_text("Pas d’accès : 2 rubriques").wait_for()
    maelle.fills("Dernier jour d’accès", acts.today(5))
    maelle.presses("Mettre à jour")
    maelle.sees("L’accès de ce membre dans ce dossier est à jour.")
    maelle.sees("accès réduit")

    ines = visit(phone=not phone)
    acts.signs_in(ines, world.nurse)
    ines.goes_to(f"{home}acces/")
    ines.sees("Accès non autorisé à cette rubrique dans ce dossier.")
    ines.sees("Votre accès a une fin.")
    ines.checks_the_page("mon-acces")
    ines.page.locator("#medical").get_by_role("link", name="Demander l’accès").click()
    ines.checks_the_page("demander")
    ines.presses("Envoyer la demande")
    ines.sees("en attente de réponse")

    maelle.goes_to("/a-faire/")
    maelle.sees("demande « Volet médical »")
    maelle.checks_the_page("a-faire")
    maelle.page.get_by_role("link", name="Répondre à CALQUE Inès, Volet médical").click()
    maelle.checks_the_page("repondre")
    maelle.presses("Accepter")
    maelle.sees("Demande acceptée.")
    maelle.presses("Prolonger de trois mois")
    maelle.sees("Fin d’accès le")

    ines.goes_to(f"{home}acces/")
    ines.sees("Demande acceptée le")
    ines.addresses_and_titles_name_nobody("CALQUE", "ÉCHANTILLON")
