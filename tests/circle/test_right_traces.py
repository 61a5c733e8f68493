"""Every change of what a member may do is a line of the journal, told apart from other writings (SEC-9)."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Period
from habilitations import actions as habilitations
from habilitations.models import Trace
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-9")]


def rights(entry, action="habilitation"):
    lines = Trace.objects.of_dossier(entry.dossier.pk).filter(action=action)
    return list(lines.values_list("reason", "object_id", "rubrique"))


def test_granted_suspended_refused_withdrawn_removed_and_back(entry):
    user = make.account(make.DOCTOR)
    member = make.add(entry, user.attachment.professional, wanted="non")
    assert rights(entry) == []
    actions.set_habilitation(entry, member, "oui", rests=make.team())
    actions.set_habilitation(entry, member, "non")
    refusal = {"refused_on": dt.date(2026, 1, 2), "collected": "oral", "comment": ""}
    actions.record_refusal(entry, member, refusal=refusal)
    withdrawal = {"withdrawn_on": dt.date(2026, 2, 2), "collected": "oral"}
    actions.set_habilitation(entry, member, "oui", withdrawal=withdrawal, rests=make.team())
    actions.remove_member(entry, member, reason=Period.EndReason.values[0])
    actions.undo_removal(entry, member)
    today = f"équipe de soins déclarée le {timezone.localdate():%d/%m/%Y}"
    said = [
        "Non habilité → Habilité", today, "Habilité → Non habilité", "Non habilité → Refus du patient",
        "Refus du patient → Habilité", today, "Habilité → Non habilité", "Non habilité → Habilité",
    ]  # fmt: skip
    assert rights(entry) == [(words, member.pk, "cercle") for words in said]


def test_somebody_without_access_who_leaves_changes_no_right(entry):
    member = make.add(entry, wanted="non")
    actions.remove_member(entry, member, reason=Period.EndReason.values[0])
    assert rights(entry) == []


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


def ask(entry, nurse, rubrique=Rubrique.MEDICAL):
    access = make.entry_of(nurse, entry).access
    return habilitations.ask_access(entry.dossier.pk, rubrique, by=nurse, access=access)


def test_reduced_lifted_and_a_last_day(entry, nurse):
    until = dt.date(2099, 3, 14)
    for ceilings, day in (({Rubrique.MEDICAL: Niveau.AUCUN}, until), ({}, None)):
        actions.limit_access(entry, nurse.member, ceilings=ceilings, until=day)
    assert [words for words, *_ in rights(entry)][2:] == [
        "Volet médical : réduction à « pas d’accès »", "Dernier jour : aucun → 14/03/2099",
        "Volet médical : réduction levée", "Dernier jour : 14/03/2099 → aucun",
    ]  # fmt: skip
    assert not any("SPÉCIMEN" in words for words, *_ in rights(entry))


def test_a_request_answered(entry, nurse):
    actions.limit_access(entry, nurse.member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    for accept in (False, True):
        actions.answer_request(entry, ask(entry, nurse), accept=accept, answer="Pas encore.")
    assert rights(entry, "réponse") == [
        ("Volet médical : demande refusée", nurse.member.pk, "cercle"),
        ("Volet médical : demande acceptée, réduction levée", nurse.member.pk, "cercle"),
    ]  # fmt: skip
    assert [words for words, *_ in rights(entry)][-1] == "Volet médical : réduction à « pas d’accès »", (
        "one act, one line"
    )


def test_the_journal_says_whose_access_changed_to_who_sees_the_circle(client, entry, nurse):
    client.force_login(entry.user)
    page = client.get(reverse("dossiers:journal", args=[entry.dossier.pk])).content.decode().replace("\xa0", " ")
    assert "avez changé l’accès <strong>de SPÉCIMEN Inès</strong>." in page
    assert "Non habilité → Habilité" in page
    assert not Trace.objects.of_dossier(entry.dossier.pk).filter(reason__contains="SPÉCIMEN").exists()


def test_one_act_is_one_line_of_the_screen(client, entry, nurse):
    """The door writes that the circle was written, the act which right it changed, of one member: told once."""
    client.force_login(entry.user)
    page = reverse("circle:habilitation", args=[entry.dossier.pk, nurse.member.pk])
    lines = Trace.objects.of_dossier(entry.dossier.pk)
    before = lines.count()
    assert "Garder l’accès" in client.post(page, {"habilitation": "non"}).content.decode()
    assert [line.action for line in lines[before:]] == ["lecture"], "asked once more: nothing is written yet"
    client.post(page, {"habilitation": "non", "confirme": "1"})
    door, act = lines[before + 1 :]
    assert (door.action, act.action) == ("écriture", "habilitation") and door.request_id == act.request_id != ""
    page = client.get(reverse("dossiers:journal", args=[entry.dossier.pk])).content.decode().replace("\xa0", " ")
    assert "Habilité → Non habilité" in page and "avez écrit dans" not in page


def test_a_sheet_opened_says_whose(client, entry, nurse):
    client.force_login(entry.user)
    client.get(reverse("circle:member", args=[entry.dossier.pk, nurse.member.pk]))
    page = client.get(reverse("dossiers:journal", args=[entry.dossier.pk])).content.decode().replace("\xa0", " ")
    assert "Fiche de SPÉCIMEN Inès. Accès ouvert" in page
