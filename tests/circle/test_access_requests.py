"""« Mon accès » and « À faire »: why each rubric is open or closed, asking for one, and the answer."""

import datetime as dt
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions
from habilitations import actions as habilitations
from habilitations.errors import (
    AlreadyAnswered,
    AlreadyAsked,
    AnswerMissing,
    CannotBeAccepted,
    GrantNotAllowed,
    NothingToAsk,
    OwnHabilitation,
)
from habilitations.models import AccessRequest, Ceiling, Habilitation
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


@pytest.fixture
def reduced(entry, nurse):
    """The nurse, whose medical rubric was closed in this dossier."""
    actions.limit_access(entry, nurse.member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    return nurse


def ask(user, entry, rubrique=Rubrique.MEDICAL, **details):
    return habilitations.ask_access(
        entry.dossier.pk, rubrique, by=user, access=make.entry_of(user, entry).access, **details
    )


def answer(request, entry, **details):
    return habilitations.answer_request(
        request, by=entry.user, access=entry.access, member_structure_id=None, **details
    )


def url(name, entry, *args):
    return reverse(f"dossiers:{name}", args=[entry.dossier.pk, *args])


def text_of(answer):
    return answer.content.decode().replace("\u00a0", " ").replace("&#39;", "'")


# ---- why -------------------------------------------------------------------------------------------


def test_the_page_tells_the_facts_of_each_rubric(client, entry, reduced):
    client.force_login(reduced)
    text = text_of(client.get(url("access", entry)))
    assert "Votre profession (Infirmier) est confirmée par un administrateur." in text
    assert text.count("Accès non autorisé à cette rubrique dans ce dossier.") == 1, "medical, by the ceiling"
    assert text.count("Pourquoi je ne vois pas") == 2, "journal by the matrix, medical by the ceiling"


@pytest.mark.req("PERF-3")
def test_the_page_costs_as_many_statements_however_many_requests(client, entry, reduced):
    client.force_login(reduced)
    client.get(url("access", entry))
    counted = []
    for rubrique in (Rubrique.MEDICAL, Rubrique.JOURNAL):
        with CaptureQueriesContext(connection) as captured:
            client.get(url("access", entry))
        counted.append(len(captured))
        ask(reduced, entry, rubrique)
    assert counted[0] == counted[1] <= 12


@pytest.mark.req("SEC-6")
def test_who_is_opposed_is_told_nothing(client, entry, nurse):
    client.force_login(nurse)
    refusal = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    actions.record_refusal(entry, nurse.member, refusal=refusal)
    for path in (url("access", entry), url("ask_access", entry, "medical")):
        assert client.get(path).status_code == 404
        assert client.post(path).status_code in (404, 405)


# ---- asking ----------------------------------------------------------------------------------------


def test_one_click_from_the_page_that_refuses(client, entry, nurse):
    """The 403 page names the rubric and leads to the question; nothing else is needed."""
    actions.limit_access(entry, nurse.member, ceilings={Rubrique.CERCLE: Niveau.LECTURE}, until=None)
    client.force_login(nurse)
    refused = client.get(reverse("circle:add", args=[entry.dossier.pk]))
    assert refused.status_code == 403
    assert url("ask_access", entry, "cercle") in text_of(refused)
    assert "Envoyer la demande" in text_of(client.get(url("ask_access", entry, "cercle")))
    sent = client.post(url("ask_access", entry, "cercle"), {"reason": "  Je  remplace la référente. "})
    assert sent.status_code == 303
    assert AccessRequest.objects.get().reason == "Je remplace la référente."
    assert "en attente de réponse" in text_of(client.get(url("access", entry)))


@pytest.mark.req("REL-20")
def test_a_reason_being_typed_is_about_one_rubric(client, entry, reduced):
    client.force_login(reduced)
    address = url("ask_access", entry, "medical")
    draft = re.search(r'data-draft="([^"]+)"', client.get(address).content.decode())[1]
    client.post(draft, "reason=Suivi", content_type="application/x-www-form-urlencoded")
    assert "Suivi" in text_of(client.get(address)) and "reprend votre brouillon" in text_of(client.get(address))
    actions.limit_access(
        entry, reduced.member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN, Rubrique.PLAN: Niveau.AUCUN}, until=None
    )
    other = text_of(client.get(url("ask_access", entry, "plan")))
    assert "Envoyer la demande" in other and "Suivi" not in other and "reprend votre brouillon" not in other


def test_what_is_open_is_not_asked_for(client, entry, nurse):
    with pytest.raises(NothingToAsk):
        ask(nurse, entry, Rubrique.AGENDA)
    client.force_login(nurse)
    assert client.post(url("ask_access", entry, "agenda")).status_code == 409
    assert client.get(url("ask_access", entry, "inconnue")).status_code == 404


def test_one_open_request_per_rubric(entry, reduced):
    ask(reduced, entry)
    with pytest.raises(AlreadyAsked):
        ask(reduced, entry)
    ask(reduced, entry, Rubrique.JOURNAL)
    row = AccessRequest.objects.first()
    again = {"dossier": row.dossier, "habilitation": row.habilitation, "user": row.user, "rubrique": row.rubrique}
    with pytest.raises(IntegrityError, match="one_open_request_per_rubric"), transaction.atomic():
        AccessRequest.objects.create(**again)


# ---- answering -------------------------------------------------------------------------------------


def test_accepting_lifts_the_ceiling_and_nothing_else(client, entry, reduced):
    answer(ask(reduced, entry), entry, accept=True)
    assert make.entry_of(reduced, entry).access.can_write(Rubrique.MEDICAL)
    lifted = Ceiling.objects.get()
    assert (lifted.lifted_by, lifted.lifted_at is not None) == (entry.user, True)
    client.force_login(reduced)
    assert "Demande acceptée" in text_of(client.get(url("access", entry)))


def test_what_the_matrix_closes_is_not_opened_from_a_dossier(entry, reduced):
    request = ask(reduced, entry, Rubrique.JOURNAL)
    with pytest.raises(CannotBeAccepted):
        answer(request, entry, accept=True)
    assert not make.entry_of(reduced, entry).access.can_read(Rubrique.JOURNAL)


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize("aimed", [True, False], ids=["aimed at him", "of everybody"])
def test_what_an_opposition_closes_is_not_said_to_be_accepted(client, entry, reduced, aimed):
    """« Acceptée » beside a rubric that stays closed would tell the asker that the person opposes it."""
    request = ask(reduced, entry)
    actions.record_opposition(
        entry, rubrique=Rubrique.MEDICAL, member=reduced.member if aimed else None,
        refused_on=timezone.localdate(), collected="oral",
    )  # fmt: skip
    with pytest.raises(CannotBeAccepted):
        answer(request, entry, accept=True)
    assert Ceiling.objects.standing().exists(), "it stays, and is lifted on the sheet of the member"
    client.force_login(entry.user)
    page = text_of(client.get(reverse("circle:answer_request", args=[entry.dossier.pk, request.pk])))
    assert "Rien à lever ici." in page and 'value="accepter"' not in page
    answer(request, entry, accept=False, answer="Pas pour le moment.")
    client.force_login(reduced)
    said = text_of(client.get(url("access", entry)))
    assert "Demande refusée" in said and "acceptée" not in said


def test_a_refusal_has_a_sentence_that_the_asker_reads(client, entry, reduced):
    request = ask(reduced, entry)
    with pytest.raises(AnswerMissing):
        answer(request, entry, accept=False)
    answer(request, entry, accept=False, answer="Voyez avec le médecin traitant.")
    client.force_login(reduced)
    assert "« Voyez avec le médecin traitant. »" in text_of(client.get(url("access", entry)))
    with pytest.raises(AlreadyAnswered):
        answer(request, entry, accept=True)
    # Refused is not for ever: one may ask again.
    assert ask(reduced, entry).state == AccessRequest.State.OPEN


def test_nobody_answers_himself_nor_without_the_right(entry, reduced):
    request = ask(reduced, entry)
    theirs = make.entry_of(reduced, entry)
    with pytest.raises(OwnHabilitation):
        answer(request, theirs, accept=True)
    other = make.account()
    make.add(entry, other.attachment.professional, wanted="oui")
    with pytest.raises(GrantNotAllowed):
        answer(request, make.entry_of(other, entry), accept=True)
    assert Habilitation.objects.get(user=reduced, dossier=entry.dossier.pk).ceilings.standing().exists()


# ---- « À faire » -----------------------------------------------------------------------------------


def todo(client, user):
    client.force_login(user)
    return text_of(client.get(reverse("todo")))


def test_what_waits_is_there_for_who_may_grant_and_for_nobody_else(client, entry, reduced):
    ask(reduced, entry, reason="Remplacement")
    text = todo(client, entry.user)
    assert "SPÉCIMEN Inès</strong> demande « Volet médical »" in text and "« Remplacement »" in text
    assert "Rien n’attend de réponse" in todo(client, reduced)
    assert "Rien n’attend de réponse" in todo(client, make.coordinator()), "no dossier of his"


def test_what_somebody_asked_before_he_left_waits_for_nobody(client, entry, reduced):
    ask(reduced, entry)
    actions.remove_member(entry, reduced.member, reason="fin", note="", version=reduced.member.version)
    assert "Rien n’attend de réponse" in todo(client, entry.user)


def test_requests_of_habilitation_and_accesses_that_end_are_there_too(client, entry, nurse):
    asked = make.add(entry, make.account(family_name="DEMANDÉ").attachment.professional)
    habilitations.request_habilitation(
        asked.habilitation, by=nurse, access=make.entry_of(nurse, entry).access, member_kind=asked.kind
    )
    last = timezone.localdate() + dt.timedelta(days=3)
    actions.limit_access(entry, nurse.member, ceilings={}, until=last)
    text = todo(client, entry.user)
    assert "DEMANDÉ" in text and "demandée par SPÉCIMEN Inès" in text
    assert f"fin d’accès le {last:%d/%m/%Y}" in text
    assert reverse("circle:extend", args=[entry.dossier.pk, nurse.member.pk]) in text


@pytest.mark.req("SEC-7")
def test_a_discreet_member_is_not_told_to_who_may_not_see_him(client, entry, reduced):
    ask(reduced, entry)
    actions.set_discreet(entry, reduced.member, True)
    assert "SPÉCIMEN" in todo(client, entry.user)
    Ceiling.objects.create(
        dossier=entry.dossier, habilitation_id=entry.access.habilitation_id, rubrique="medical", niveau=0,
        set_by=reduced,
    )  # fmt: skip
    assert "SPÉCIMEN" not in todo(client, entry.user)


@pytest.mark.req("PERF-3")
def test_as_many_statements_whatever_waits(client, entry):
    client.force_login(entry.user)
    client.get(reverse("todo"))
    counted = []
    for _ in range(3):
        user = make.account()
        make.add(entry, user.attachment.professional, wanted="oui")
        ask(user, entry, Rubrique.JOURNAL)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("todo")).status_code == 200
        counted.append(len(captured))
    # The thirteenth is what waits in the agenda.
    assert len(set(counted)) == 1 and counted[0] <= 14


def test_the_answer_page(client, entry, reduced):
    request = ask(reduced, entry)
    page = reverse("circle:answer_request", args=[entry.dossier.pk, request.pk])
    client.force_login(reduced)
    assert client.get(page).status_code == 403
    client.force_login(entry.user)
    assert "Accepter" in text_of(client.get(page))
    empty = client.post(page, {"reponse": "refuser", "answer": ""})
    assert empty.status_code == 422 and "Dites en une phrase" in text_of(empty)
    assert client.post(page, {"reponse": "accepter"}).status_code == 303
    assert make.entry_of(reduced, entry).access.can_write(Rubrique.MEDICAL)
    assert "Réponse donnée le" in text_of(client.get(page))
    elsewhere = make.open_circle(entry.user)
    assert client.get(reverse("circle:answer_request", args=[elsewhere.dossier.pk, request.pk])).status_code == 404


def test_accepting_is_not_offered_when_the_matrix_closes(client, entry, nurse):
    request = ask(nurse, entry, Rubrique.JOURNAL)
    client.force_login(entry.user)
    text = text_of(client.get(reverse("circle:answer_request", args=[entry.dossier.pk, request.pk])))
    assert "Rien à lever ici." in text and 'value="accepter"' not in text


@pytest.mark.parametrize("reason", ["Je remplace\0", "x" * 301])
def test_a_reason_that_cannot_be_kept_comes_back_with_its_error(client, entry, reduced, reason):
    client.force_login(reduced)
    refused = client.post(url("ask_access", entry, "medical"), {"reason": reason})
    assert refused.status_code == 422
    assert "id_reason-erreur" in refused.text
    assert not AccessRequest.objects.exists()
