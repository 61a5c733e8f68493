"""« Essayer la connexion »: what a partner says it is, or what is to be mended; never a secret, nor its words."""

import datetime as dt
import time

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from coordination.outbox import doorbell
from coordination.outbox.models import Quarantine
from coordination.partners import actions, trying
from coordination.partners.errors import CallFailed
from coordination.partners.models import Partner
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace
from tests.accounts.factories import UserFactory
from tests.circle.conftest import publish_default_matrix
from tests.partners.factories import SECRET, PartnerFactory
from tests.partners.standin import Said, StandIn
from tests.partners.test_client import self_signed, served_by

pytestmark = pytest.mark.django_db
LIST = "/administration/partenaires/"


def statement(version="4.0.1", *types):
    return {
        "resourceType": "CapabilityStatement", "fhirVersion": version,
        "rest": [{"mode": "server", "resource": [{"type": one} for one in types]}],
    }  # fmt: skip


def refused(partner):
    with pytest.raises(CallFailed) as caught:
        trying.attempt(partner)
    sentence = caught.value.sentence
    assert SECRET not in sentence
    partner.refresh_from_db()
    assert (partner.last_error, partner.fails) == (sentence, True)
    return sentence


def test_a_partner_that_works_says_what_it_is(partner, standin):
    standin.says(200, statement("4.0.1", "Patient", "CareTeam"))
    assert trying.attempt(partner) == "FHIR 4.0.1, les cercles de soins y sont."
    token, call = standin.heard
    assert (token.path, call.path) == ("/oauth/token", "/fhir/metadata")
    assert call.headers["authorization"] == "Bearer jeton-1"
    partner.refresh_from_db()
    assert partner.last_ok_at and not partner.fails
    # The credentials are tried each time, not a token that is kept.
    standin.says(200, statement("4.0.1"))
    assert trying.attempt(partner).endswith("il n’annonce pas de cercle de soins.")
    assert standin.tokens_given == 2


def test_what_is_wrong_is_said_so_that_it_can_be_mended(partner, standin, monkeypatch):
    standin.says(200, statement("5.0.0", "CareTeam"))
    assert refused(partner) == "Le serveur parle une autre version de FHIR (5.0.0) : la 4.0 est attendue."
    standin.says(200, statement("4.0.1<script>", "CareTeam") | {"fhirVersion": "TESTARD Paul"})
    assert refused(partner) == "Le serveur parle une autre version de FHIR (inconnue) : la 4.0 est attendue."
    standin.says(200, {"resourceType": "Bundle", "type": "searchset"})
    assert refused(partner) == "Le serveur répond, mais ce n’est pas un serveur FHIR : vérifiez l’adresse."
    standin.says(200, b"<html>Bienvenue</html>", content_type="text/html")
    assert refused(partner) == "Le serveur FHIR ne répond pas comme attendu (200) : vérifiez l’adresse."
    standin.says(404)
    assert refused(partner) == "Le serveur FHIR ne répond pas comme attendu (404) : vérifiez l’adresse."
    standin.says(401)
    assert refused(partner) == "Le partenaire n’accepte pas notre jeton d’accès (401)."
    standin.token = Said(401, {"error": "invalid_client"}, {"Content-Type": "application/json"})
    assert refused(partner) == "Le partenaire refuse notre identifiant (401)."
    standin.token = Said(404)
    assert refused(partner) == "L’adresse des jetons ne répond pas comme attendu (404) : vérifiez l’adresse."
    standin.token = Said(200, b"<html>")
    assert refused(partner) == "L’adresse des jetons ne répond pas comme attendu (200) : vérifiez l’adresse."
    standin.token = None
    standin.does(lambda handler: handler.rfile.read(1))
    monkeypatch.setattr(trying, "SECONDS", 0.3)
    assert refused(partner) == "Le serveur FHIR ne répond pas : il met plus de dix secondes à répondre."


@pytest.mark.parametrize("rest", ["abc", 7, [1], [{"resource": ["x"]}], [{"resource": "abc"}], {"resource": []}])
def test_a_description_that_is_not_one_is_said_to_be_unreadable(partner, standin, rest):
    standin.says(200, statement() | {"rest": rest})
    assert refused(partner) == trying.UNREADABLE


def test_whatever_a_partner_makes_us_raise_the_trial_ends_and_says_so(partner, monkeypatch, caplog):
    """A trial that raised would be rung again for ever, and end the sweep where Redis is away."""
    actions.ask_trial(partner, by=UserFactory(administrator=True))
    monkeypatch.setattr(trying, "_checked", lambda _statement: 1 / 0)
    monkeypatch.setattr(trying.client, "new_token", lambda *_args, **_options: "jeton")
    monkeypatch.setattr(trying.client, "metadata", lambda *_args, **_options: {})
    assert trying.do(partner.pk) is True
    partner.refresh_from_db()
    assert partner.trial_said == trying.UNREADABLE and not partner.is_being_tried
    assert "partners.trial_broken" in [record.message for record in caplog.records]


def test_a_name_and_a_port_that_are_not_there(settings):
    nobody = PartnerFactory(token_url="http://nulle-part.invalid/token")
    assert refused(nobody).startswith("L’adresse des jetons ne répond pas : ce nom de serveur n’existe pas")
    closed = PartnerFactory(token_url="http://127.0.0.1:9/token")
    assert refused(closed).startswith("L’adresse des jetons ne répond pas : rien n’écoute à cette adresse")
    settings.PARTNERS_ALLOW_PRIVATE = False
    house = PartnerFactory(token_url="https://127.0.0.1/token")
    assert refused(house) == "L’adresse de ce partenaire n’est pas de celles qui s’appellent."


def test_a_certificate_that_is_not_one(tmp_path):
    with StandIn().running(served_by(tmp_path, *self_signed("autre.exemple"))) as standin:
        partner = PartnerFactory(token_url=standin.url.replace("http:", "https:") + "/oauth/token")
        assert refused(partner) == (
            "L’adresse des jetons ne répond pas : son certificat TLS n’est pas valable pour ce nom."
        )


def test_the_button_is_for_administrators_and_traced(client, partner, standin, django_capture_on_commit_callbacks):
    publish_default_matrix()
    act = reverse("partners:attempt", args=[partner.pk])
    client.force_login(UserFactory())
    assert client.post(act).status_code == 404
    with pytest.raises(NotAllowed):
        actions.ask_trial(partner, by=UserFactory())
    assert standin.heard == []
    client.force_login(UserFactory(administrator=True))
    assert f"Essayer la connexion : {partner.name}" in client.get(LIST).text.replace("\xa0", " ")
    standin.says(200, statement("4.0.1", "CareTeam"))

    def tried():
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(act).status_code == 303
        return client.get(LIST).text.replace("\xa0", " ")

    page = tried()
    assert "La connexion fonctionne. FHIR 4.0.1" in page and "hx-trigger" not in page
    standin.says(404)
    page = tried()
    assert "ne répond pas comme attendu (404)" in page and SECRET not in page
    assert AccountTrace.objects.filter(action="essai partenaire", object_id=partner.pk).count() == 2
    assert Partner.objects.get(pk=partner.pk).fails


@pytest.mark.req("REL-17")
def test_no_page_waits_for_a_partner_that_hangs_and_its_state_is_told(client, partner, standin, monkeypatch):
    """Asked, it is told to be under way, and the table asks for itself again; done, what was said is there."""
    publish_default_matrix()
    client.force_login(UserFactory(administrator=True))
    rung = []
    monkeypatch.setattr(doorbell, "ring", lambda what, key: rung.append((what, key)))
    before = time.monotonic()
    with transaction.atomic():
        client.post(reverse("partners:attempt", args=[partner.pk]))
    page = client.get(LIST).text.replace("\xa0", " ")
    assert time.monotonic() - before < 2 and standin.heard == []
    assert "Essai en cours" in page and 'hx-trigger="every 2s"' in page and "Actualiser" in page
    standin.says(200, statement("4.0.1", "CareTeam"))
    assert trying.do(partner.pk) is True and trying.do(partner.pk) is False
    page = client.get(LIST).text.replace("\xa0", " ")
    assert "La connexion fonctionne. FHIR 4.0.1" in page and "Essai en cours" not in page


@pytest.mark.req("REL-17", "REL-3")
def test_a_trial_that_no_worker_heard_of_is_rung_again_then_said_to_be_lost(client, partner):
    administrator = UserFactory(administrator=True)
    actions.ask_trial(partner, by=administrator)
    assert not Partner.objects.to_ring().exists()
    now = timezone.now()
    Partner.objects.update(ring_after=now)
    assert list(Partner.objects.to_ring()) == [partner]
    Partner.objects.update(trial_asked_at=now - dt.timedelta(minutes=11))
    assert not Partner.objects.to_ring().exists()
    publish_default_matrix()
    client.force_login(administrator)
    page = client.get(LIST).text.replace("\xa0", " ")
    assert "L’essai n’a pas été fait" in page and "hx-trigger" not in page


def test_asked_again_meanwhile_it_is_still_to_be_done(partner, standin, monkeypatch):
    """What was tried is what was there when it began: addresses may have changed since."""
    administrator = UserFactory(administrator=True)
    actions.ask_trial(partner, by=administrator)

    def asked_again(tried):
        actions.ask_trial(tried, by=administrator)
        return "FHIR 4.0.1."

    monkeypatch.setattr(trying, "attempt", asked_again)
    assert trying.do(partner.pk) is False
    partner.refresh_from_db()
    assert partner.is_being_tried and partner.trial_said == ""


def test_in_quarantine_nobody_is_asked_and_the_page_says_it(partner, standin):
    Quarantine.objects.create(backup_at=timezone.now())
    actions.ask_trial(partner, by=UserFactory(administrator=True))
    partner.refresh_from_db()
    assert partner.trial_said == actions.HELD_BACK and not partner.is_being_tried
    assert trying.do(partner.pk) is False and standin.heard == []
