"""An administrator makes a partner known, sees what failed, and starts it again."""

import pytest

from coordination.partners import client, known
from coordination.partners.models import State
from tests.partners.answering import Keeping
from tests.partners.factories import SECRET, PartnerFactory, RelayFactory
from tests.partners.standin import StandIn
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.fixture
def standin():
    client._tokens.clear()
    with StandIn().running() as running:
        yield running
    client._tokens.clear()


@pytest.mark.drawn(1)
@pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)
def test_a_partner_is_added_and_what_failed_is_started_again(visit, world, standin, phone, javascript):
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    camille.goes_to("/administration/partenaires/")
    camille.arrives_at("Partenaires")
    shown("admin-partenaires-vide")
    camille.clicks("Ajouter un partenaire")
    camille.arrives_at("Ajouter un partenaire")
    camille.fills("Nom", "Groupement des Maquettes")
    camille.fills("Adresse de l’API FHIR", "ftp://cercles.exemple/fhir")
    camille.fills("Adresse des jetons d’accès", f"{standin.url}/oauth/token")
    camille.fills("Identifiant (client_id)", "coordination")
    camille.presses("Enregistrer")
    camille.sees("1 champ à corriger")
    shown("admin-partenaire-erreur")
    camille.fills("Adresse de l’API FHIR", f"{standin.url}/fhir")
    camille.fills("Secret", SECRET)
    camille.presses("Enregistrer")
    camille.sees("Groupement des Maquettes est ajouté.")
    shown("admin-partenaires")
    standin.says(200, {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"})
    camille.presses("Essayer la connexion")
    camille.sees("Le serveur parle une autre version de FHIR (3.0.2) : la 4.0 est attendue.")
    shown("admin-partenaires-essai")
    PartnerFactory(name="Réseau des Modèles", active=False)
    RelayFactory(kind="essai", state=State.ECHEC, attempts=1, last_error="Le partenaire refuse (422) : required.")
    camille.clicks("Échanges", exact=True)
    camille.arrives_at("Échanges avec les partenaires")
    camille.sees("Le partenaire refuse (422) : required.")
    shown("admin-echanges")
    camille.presses("Annuler")
    camille.sees("L’échange est annulé.")
    camille.sees("Rien n’attend, rien n’a échoué.")
    camille.clicks("Tout", exact=True)
    camille.sees("Annulé")
    shown("admin-echanges-tout")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_circle_is_sent_and_what_failed_is_told(visit, world, standin, phone):
    entry = worlds.circle_of(world)
    PartnerFactory.of(standin, name="Groupement des Maquettes")
    known.forget()
    Keeping(standin)
    standin.says(422, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "duplicate"}]})
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/")
    maelle.page.get_by_label("Historique, consentements et liste du cercle").first.click()
    maelle.clicks("Échanger avec un partenaire")
    maelle.arrives_at("Échanger avec un partenaire")
    maelle.checks_the_page("cercle-partenaires")
    maelle.presses("Envoyer le cercle : Groupement des Maquettes")
    maelle.sees("L’envoi est demandé")
    maelle.sees("Le partenaire refuse (422) : duplicate.")
    maelle.presses("Envoyer le cercle : Groupement des Maquettes")
    maelle.sees("Fait le")
    maelle.checks_the_page("cercle-partenaires-echanges")
    known.forget()
