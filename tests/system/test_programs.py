"""An administrator connects a software, which then calls; a nurse makes a token, calls with it and revokes it."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from habilitations.models import PersonalToken, SoftwareClient
from tests.system import acts
from tests.system import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.req("SEC-24", "SECT-7")]
WAYS = pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)


def called(server, path, *, form=None, **headers):
    """Return the status and the JSON of a call, as a program makes it: without a browser."""
    body = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(f"{server.url}{path}", body, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def asks_for_a_token(server, app, secret):
    form = {"grant_type": "client_credentials", "client_id": str(app.pk), "client_secret": secret}
    return called(server, "/fhir/oauth/token", form=form)


@pytest.mark.drawn(1)
@WAYS
def test_a_software_is_connected_calls_and_is_disconnected(visit, world, live_server, phone, javascript):
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    camille.goes_to("/administration/logiciels/")
    camille.arrives_at("Logiciels connectés")
    shown("admin-logiciels-vide")
    camille.clicks("Connecter un logiciel")
    camille.arrives_at("Connecter un logiciel")
    camille.picks("Quelle structure de l’annuaire ?", "maquettes", worlds.EHPAD)
    if not javascript:
        camille.presses("Rechercher")
        camille.clicks(f"Choisir : {worlds.EHPAD}")
    camille.sees("Nom du logiciel")
    camille.presses("Connecter le logiciel")
    camille.sees("Choisissez au moins une chose permise.")
    shown("admin-logiciel-refuse")
    camille.fills("Nom du logiciel", "Dossier Maquette")
    camille.fills("Adresse e-mail de qui s’en occupe", "support@logiciel.example")
    camille.page.get_by_label("Cercles de soins : lire et chercher").check()
    camille.page.get_by_label("Cercles de soins : créer et modifier").check()
    camille.presses("Connecter le logiciel")
    camille.arrives_at("Secret de Dossier Maquette")
    shown("admin-logiciel-secret")
    secret = camille.page.get_by_label("Secret (client_secret)").input_value()
    app = SoftwareClient.objects.get()
    assert camille.page.get_by_label("Identifiant (client_id)").input_value() == str(app.pk)
    status, said = asks_for_a_token(live_server, app, secret)
    assert (status, said["scope"]) == (200, "system/CareTeam.crus")
    camille.clicks("C’est copié")
    camille.arrives_at("Dossier Maquette")
    assert secret not in camille.page.content()
    shown("admin-logiciel")
    camille.page.get_by_label("Cercles de soins : créer et modifier").uncheck()
    camille.presses("Enregistrer les permissions")
    camille.sees("C’est enregistré")
    camille.presses("Changer le secret")
    camille.arrives_at("Secret de Dossier Maquette")
    renewed = camille.page.get_by_label("Secret (client_secret)").input_value()
    assert asks_for_a_token(live_server, app, secret)[0] == 401
    assert asks_for_a_token(live_server, app, renewed)[1]["scope"] == "system/CareTeam.rs"
    camille.goes_to("/administration/logiciels/")
    camille.sees("Dossier Maquette")
    shown("admin-logiciels")
    camille.clicks("Dossier Maquette")
    camille.clicks("Déconnecter")
    camille.arrives_at("Déconnecter Dossier Maquette")
    shown("admin-logiciel-deconnecter")
    camille.presses("Déconnecter", inside=camille.page.locator("main"))
    camille.sees("Dossier Maquette n’appelle plus.")
    assert asks_for_a_token(live_server, app, renewed)[0] == 401
    camille.then_nothing_broke()


@pytest.mark.drawn(1)
@WAYS
def test_a_token_is_made_serves_and_is_revoked(visit, world, live_server, phone, javascript):
    maelle = visit(phone=phone, javascript=javascript)
    shown = lambda name: maelle.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to("/compte/jetons/")
    maelle.arrives_at("Mes jetons d’accès")
    shown("jetons-vide")
    maelle.clicks("Créer un jeton")
    maelle.arrives_at("Créer un jeton d’accès")
    maelle.fills("Nom du jeton", "Tableur du bureau")
    maelle.fills("Dernier jour", "14/03/2001")
    maelle.page.get_by_label("Professionnels : lire et chercher").check()
    maelle.presses("Créer le jeton")
    maelle.sees("Le dernier jour est à venir, dans un an au plus.")
    shown("jeton-refuse")
    maelle.fills("Dernier jour", acts.today(30))
    maelle.presses("Créer le jeton")
    maelle.arrives_at("Jeton « Tableur du bureau »")
    shown("jeton-secret")
    bearer = {
        "Authorization": "Bearer " + maelle.page.get_by_label("Jeton (en-tête Authorization: Bearer)").input_value()
    }
    assert called(live_server, "/fhir/Practitioner?_count=1", **bearer)[0] == 200
    assert called(live_server, "/fhir/CareTeam", **bearer)[0] == 403
    maelle.clicks("C’est copié")
    maelle.sees("Tableur du bureau")
    assert PersonalToken.objects.get().last_used_at
    shown("jetons")
    maelle.presses("Révoquer : Tableur du bureau")
    maelle.sees("Le jeton est révoqué")
    shown("jetons-terminés")
    assert called(live_server, "/fhir/Practitioner?_count=1", **bearer)[0] == 401
    maelle.then_nothing_broke()
