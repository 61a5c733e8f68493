"""The door: absent and forbidden are one answer, a closed rubric is named, every passage leaves its trace."""

import datetime as dt

import pytest
from django.urls import reverse

from coordination.common.ids import uuid7
from coordination.dossiers.models import Dossier
from habilitations.models import AccountTrace, Trace
from tests.dossiers.factories import HOME_HELP, NURSE, DossierFactory, UserFactory, habilitate, professional

PAGES = ["home", "access", "identity", "edit_identity", "edit_contacts", "status"]


def page(name, dossier):
    return reverse(f"dossiers:{name}", args=[dossier if not isinstance(dossier, Dossier) else dossier.pk])


def without_token(response):
    """Take out what changes with every answer whoever asks."""
    text = response.content.decode()
    token = response.wsgi_request.META.get("CSRF_COOKIE", "")
    lines = [line for line in text.splitlines() if "csrf" not in line and "Référence" not in line]
    return "\n".join(lines).replace(token, "")


@pytest.mark.req("SECT-4", "SEC-25")
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_forbidden_and_absent_cannot_be_told_apart(as_doctor, name, method):
    foreign, absent = DossierFactory(), uuid7()
    ask = getattr(as_doctor, method)
    forbidden, unknown = ask(page(name, foreign)), ask(page(name, absent))
    assert forbidden.status_code == unknown.status_code == (405 if _only_get(name) and method == "post" else 404)
    assert without_token(forbidden) == without_token(unknown)
    assert {k: v for k, v in forbidden.headers.items() if k != "X-Request-ID"}.keys() == unknown.headers.keys() - {
        "X-Request-ID"
    }


def _only_get(name):
    return name in ("home", "access", "identity")


@pytest.mark.asvs("v5.0.0-16.3.2")
def test_an_attempt_is_recorded_for_its_account(as_doctor, doctor):
    foreign = DossierFactory()
    as_doctor.get(page("home", foreign))
    trace = AccountTrace.objects.latest("at")
    assert (trace.outcome, trace.actor_id, trace.object_id) == ("refus", doctor.pk, foreign.pk)
    assert not Trace.objects.of_dossier(foreign.pk).exists()


@pytest.mark.req("SECT-10")
def test_a_page_leaves_one_trace_naming_the_rubric(as_doctor, doctor, dossier):
    as_doctor.get(page("identity", dossier))
    trace = Trace.objects.of_dossier(dossier.pk).get()
    assert (trace.action, trace.rubrique, trace.outcome, trace.actor_id) == ("lecture", "identite", "ok", doctor.pk)
    assert "EXEMPLE" not in f"{trace.reason}{trace.object_kind}"


def test_a_trace_leads_to_the_lines_of_the_logs(as_doctor, dossier):
    answer = as_doctor.get(page("identity", dossier))
    assert Trace.objects.of_dossier(dossier.pk).get().request_id == answer["X-Request-ID"]
    as_doctor.get(page("home", DossierFactory()))
    assert AccountTrace.objects.latest("at").request_id not in ("", answer["X-Request-ID"])


def test_a_closed_rubric_is_named_and_recorded(client, dossier):
    nurse = professional(NURSE)
    habilitate(nurse, dossier)
    client.force_login(nurse)
    response = client.get(page("edit_identity", dossier))
    assert response.status_code == 403
    assert "Identité et droits" in response.content.decode()
    assert Trace.objects.of_dossier(dossier.pk).latest("seq").outcome == "refus"


@pytest.mark.parametrize("status", ["pause", "clos"])
def test_a_read_only_dossier_says_so(as_doctor, dossier, status):
    Dossier.objects.filter(pk=dossier.pk).update(status=status, closing_reason="fin")
    assert as_doctor.get(page("identity", dossier)).status_code == 200
    home = as_doctor.get(page("home", dossier)).content.decode()
    assert "se lit, il ne se modifie" in home
    for name in ("edit_identity", "edit_contacts"):
        response = as_doctor.post(page(name, dossier), {})
        assert response.status_code == 403
        assert "il ne se modifie pas" in response.content.decode()
    reopened = as_doctor.post(page("status", dossier), {"status": "actif", "seen": status, "note": "Reprise"})
    assert reopened.status_code == 303
    assert Dossier.objects.get(pk=dossier.pk).status == "actif"


def test_an_account_nobody_vouched_for_sees_no_identity(client, dossier):
    user = UserFactory()
    habilitate(user, dossier)
    client.force_login(user)
    home = client.get(page("home", dossier))
    assert home.status_code == 200
    text = home.content.decode()
    assert "MARTIN" not in text
    assert "1941" not in text
    assert "pas encore confirmée" in text
    assert client.get(page("identity", dossier)).status_code == 403


def test_failures_are_kept_when_the_act_rolls_back(as_doctor, dossier):
    before = Dossier.objects.get(pk=dossier.pk).version
    response = as_doctor.post(page("edit_identity", dossier), {"birth_name": ""})
    assert response.status_code == 422
    assert Trace.objects.of_dossier(dossier.pk).latest("seq").outcome == "echec"
    assert Dossier.objects.get(pk=dossier.pk).version == before


def test_a_home_help_reads_the_identity_and_not_the_rest(client, dossier):
    helper = professional(HOME_HELP)
    habilitate(helper, dossier)
    client.force_login(helper)
    text = client.get(page("home", dossier)).content.decode()
    assert "MARTIN Jeanne" in text
    assert "Volet médical" in text
    assert "Pas d’accès" in text
    assert client.get(page("access", dossier)).status_code == 200


def test_titles_name_nobody(as_doctor, dossier):
    for name in PAGES:
        title = as_doctor.get(page(name, dossier)).content.decode().split("<title>")[1].split("</title>")[0]
        assert "MARTIN" not in title
        assert "EXEMPLE" not in title


def test_the_age_of_a_birth_known_by_its_year_is_not_guessed(as_doctor, dossier):
    Dossier.objects.filter(pk=dossier.pk).update(birth_date=dt.date(1941, 12, 31), birth_date_precision="annee")
    text = as_doctor.get(page("home", dossier)).content.decode()
    assert "31/12/1941" not in text
    assert "<strong>1941</strong>" in text
