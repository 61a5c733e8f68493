"""A dossier closed and opened again; an access closed by itself and opened again; a profession confirmed: with axe."""

import pytest
from django.utils import timezone

from circle.tasks import close_sleeping_accesses
from habilitations.models import Habilitation, SleepingAccess
from tests.circle.test_access_review import ago
from tests.circle.test_invitations import newcomer
from tests.circle.test_invitations_rights import without_profession
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.req("SEC-4")
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_closed_then_opened_again(visit, world, phone):
    entry = worlds.circle_of(world)
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    page = f"/dossiers/{entry.dossier.pk}/statut/"
    maelle.goes_to(page)
    maelle.sees("Sans cette case, le cercle lit encore le dossier clôturé.")
    maelle.checks_the_page("statut-avant-cloture")
    maelle.page.get_by_label("La prise en charge est terminée").check()
    maelle.page.get_by_role("radio", name="Clôturé").check()
    maelle.selects("Motif de clôture", "Fin de l’accompagnement")
    maelle.presses("Enregistrer le statut")
    maelle.sees("Le statut du dossier est enregistré.")
    maelle.goes_to(page)
    maelle.sees("À la réouverture, un nouvel accord est à noter pour")
    maelle.checks_the_page("statut-cloture")
    maelle.page.get_by_role("radio", name="Actif").check()
    maelle.fills("Précision", "Rechute")
    maelle.presses("Enregistrer le statut")
    maelle.sees("N’entrent pas tant que rien n’est noté")
    maelle.checks_the_page("statut-rouvert")
    maelle.clicks("Consentements et refus", inside=maelle.page.get_by_role("main"))
    maelle.sees("Accord de la personne à recueillir")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_closed_by_itself_and_opened_in_one_click(visit, world, settings, phone):
    settings.ACCESS_CLOSE_MONTHS = 12
    entry = worlds.circle_of(world)
    nurse = worlds.member_named(entry, "CALQUE")
    Habilitation.objects.filter(pk=nurse.habilitation_id).update(state_at=ago(400))
    close_sleeping_accesses()
    SleepingAccess.objects.update(closes_on=timezone.localdate(), told_at=ago(16))
    close_sleeping_accesses()
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/revue/")
    maelle.sees("Fermé d’office le")
    maelle.checks_the_page("revue-ferme-d-office")
    maelle.presses("Rouvrir l’accès")
    maelle.sees("Accès rouvert, comme il était.")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_who_confirms_chooses_the_profession(visit, world, phone):
    entry = worlds.circle_of(world)
    invitation = without_profession(entry)
    newcomer(invitation, profession="10")
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/invitations/{invitation.pk}/confirmer/")
    maelle.sees("Cette personne dit être médecin.")
    maelle.checks_the_page("confirmer-profession")
    maelle.selects("Profession que vous confirmez", "Infirmier")
    maelle.presses("Confirmer cette personne")
    maelle.sees("Lisez ce que cette profession ouvre")
    maelle.checks_the_page("confirmer-autre-profession")
    maelle.presses("Confirmer cette personne")
    maelle.sees("C’est confirmé")
