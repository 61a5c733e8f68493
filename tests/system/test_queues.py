"""An administrator sees what waits and what failed, begins one row again, gives another up."""

import pytest

from coordination.directory.models import ImportRun
from coordination.outbox.models import Message, State
from tests.outbox.factories import MessageFactory
from tests.system import acts

pytestmark = pytest.mark.browser
REFUSED = "L’adresse est refusée par le serveur du destinataire (code 550)."


@pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)
def test_what_failed_is_begun_again_or_given_up(visit, world, phone, javascript):
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    Message.objects.all().delete()
    camille.goes_to("/administration/files/")
    camille.arrives_at("Files d’attente")
    camille.sees("Aucun fichier n’a encore été chargé.")
    shown("admin-files-vide")
    failed = [
        MessageFactory(kind=kind, state=State.ECHEC, attempts=1, last_error=REFUSED)
        for kind in ("account.password_reset", "circle.invitation")
    ]
    MessageFactory(state=State.A_REESSAYER, attempts=2, last_error="Le serveur d’envoi ne répond pas correctement.")
    ImportRun.objects.create(kind="rpps", file_name="x", state=ImportRun.State.REFUSED, reason="Fichier tronqué.")
    camille.goes_to("/administration/files/")
    camille.sees(REFUSED)
    camille.sees("Fichier tronqué.")
    shown("admin-files")
    camille.clicks("Reprendre : Lien pour changer de mot de passe")
    camille.arrives_at("Reprendre : Lien pour changer de mot de passe")
    shown("admin-files-reprendre")
    camille.presses("Reprendre")
    camille.sees("C’est remis en file.")
    camille.clicks("Tout abandonner : tout, Courriels")
    camille.sees("Abandonner tout : 1 ligne en échec ?")
    shown("admin-files-abandonner")
    camille.presses("Abandonner")
    camille.sees("1 ligne abandonnée.")
    for one in failed:
        one.refresh_from_db()
    assert failed[0].state != State.ECHEC and failed[1].dismissed_at is not None
