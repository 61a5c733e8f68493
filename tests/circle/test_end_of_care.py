"""The end of care, said with a closing: who may reopen goes on reading, nobody else before a new fact."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions, history, ledger
from circle.models import Change, Member
from coordination.dossiers import door
from coordination.dossiers.actions import change_status
from coordination.dossiers.errors import CareGoesOn
from habilitations import access
from habilitations.errors import NotAllowed
from habilitations.models import Consent, SecretaryConsent, Trace
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make
from tests.habilitations.acting_data import consent, secretary

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-4")]


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


@pytest.fixture
def doctor(entry):
    user = make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul")
    user.member = make.add(entry, user.attachment.professional, role="PCP", wanted="oui")
    return user


def state(entry, status, **said):
    now = door.look(entry.user, entry.dossier.pk)
    change_status(now.dossier, by=entry.user, access=now.access, status=status, **said)
    return door.look(entry.user, entry.dossier.pk)


def close(entry):
    return state(entry, "clos", reason="fin", care_over=True)


def reopen(entry):
    return state(entry, "actif", note="Rechute")


def held(user, entry):
    found = make.entry_of_or_none(user, entry)
    inside = found is not None
    assert (entry.dossier.pk in set(access.dossier_ids(user).values_list("dossier_id", flat=True))) is inside
    assert (user.pk in access.users_able_to(entry.dossier.pk, Rubrique.CERCLE)) is inside
    return found and found.access


def text(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’")


def test_closing_ends_each_access_but_that_of_who_may_reopen(entry, nurse, doctor):
    assert held(nurse, entry)
    closed = close(entry)
    assert held(nurse, entry) is None
    assert held(doctor, entry).level(Rubrique.MEDICAL) == Niveau.LECTURE
    assert closed.access.level(Rubrique.CERCLE) == Niveau.LECTURE
    fact = Consent.objects.current().get(habilitation=nurse.member.habilitation_id)
    assert (fact.end, fact.ended_on, fact.ended_by) == ("cloture", timezone.localdate(), entry.user)
    assert Member.objects.row(closed, nurse.member.pk).access.detail == (
        f"Fin de prise en charge le {timezone.localdate():%d/%m/%Y} : accord à recueillir"
    )


def test_a_closing_alone_leaves_the_circle_reading(entry, nurse):
    state(entry, "clos", reason="fin")
    assert held(nurse, entry).level(Rubrique.LIAISON) == Niveau.LECTURE
    assert not held(nurse, entry).can_write(Rubrique.LIAISON)


def test_the_end_of_care_may_be_said_of_a_dossier_closed_before(entry, nurse):
    state(entry, "clos", reason="fin")
    state(entry, "clos", care_over=True)
    assert held(nurse, entry) is None


def test_the_end_of_care_goes_with_a_closing(entry, nurse):
    with pytest.raises(CareGoesOn):
        state(entry, "pause", care_over=True)
    assert held(nurse, entry)


def test_who_may_not_close_ends_no_care(entry, nurse):
    state(entry, "clos", reason="fin")
    now = make.entry_of(nurse, entry)
    with pytest.raises(NotAllowed):
        change_status(now.dossier, by=nurse, access=now.access, status="clos", care_over=True)
    assert held(nurse, entry)


def test_a_pause_is_not_the_end_of_care(entry, nurse):
    state(entry, "pause")
    assert held(nurse, entry).level(Rubrique.LIAISON) == Niveau.LECTURE


def test_opened_again_it_opens_to_nobody_before_a_new_fact(entry, nurse, doctor):
    close(entry)
    again = reopen(entry)
    assert held(nurse, entry) is None
    assert held(doctor, entry).can_write(Rubrique.LIAISON)
    missing = [fact.who for fact in ledger.facts_of(again) if fact.state == ledger.MISSING]
    assert missing == ["SPÉCIMEN Inès"]
    actions.record_consent(again, nurse.member, **make.team())
    assert held(nurse, entry).can_write(Rubrique.LIAISON)


def test_who_had_left_does_not_come_back_by_undoing_it_after_a_closing(entry, nurse):
    actions.remove_member(entry, nurse.member, reason="fin")
    close(entry)
    actions.undo_removal(reopen(entry), nurse.member)
    assert held(nurse, entry) is None


def test_who_waited_for_an_account_waits_for_a_new_fact_too(entry):
    member = make.add(entry, make.listed(), wanted="oui")
    assert member.habilitation.state == "attente"
    close(entry)
    assert Consent.objects.current().get(habilitation=member.habilitation_id).end == "cloture"


def test_what_the_person_withdrew_stays_withdrawn(entry, nurse):
    actions.end_consent(entry, nurse.member, end="retrait", ended_on=timezone.localdate(), collected="oral")
    close(entry)
    assert Consent.objects.current().get(habilitation=nurse.member.habilitation_id).end == "retrait"


def test_who_closes_by_his_structure_may_still_reopen(entry, doctor):
    house = make.legal_structure(doctor)
    make.add_house(entry, house, wanted="oui")
    actions.set_habilitation(entry, doctor.member, "non")
    by_house = make.entry_of(doctor, entry)
    assert by_house.access.through_structure == house.pk
    change_status(by_house.dossier, by=doctor, access=by_house.access, status="clos", reason="fin", care_over=True)
    again = held(doctor, entry)
    assert again.level(Rubrique.CERCLE) == Niveau.LECTURE
    now = make.entry_of(doctor, entry)
    change_status(now.dossier, by=doctor, access=now.access, status="actif", note="Rechute")
    assert held(doctor, entry).can_write(Rubrique.CERCLE)


@pytest.mark.req("SEC-15")
def test_consents_to_secretaries_end_too(entry, doctor):
    desk = make.account("99", "331", family_name="SPÉCIMEN", given_name="Ana")
    consent(secretary(doctor, desk), entry.dossier)
    assert held(desk, entry)
    close(entry)
    assert held(desk, entry) is None
    assert not SecretaryConsent.objects.standing().exists()
    reopen(entry)
    assert held(desk, entry) is None
    said = [history.sentence(history.told_of(c)) for c in Change.objects.with_names().filter(kind="secretariat")]
    assert said == [
        "EXEMPLE-LARRIEU Maëlle a clôturé le dossier : "
        "l’accord au secrétariat de TESTARD Paul prend fin, SPÉCIMEN Ana."
    ]


@pytest.mark.req("SEC-9")
def test_each_end_is_told_in_the_history_and_traced(entry, nurse, doctor):
    close(entry)
    day = f"{timezone.localdate():%d/%m/%Y}"
    lines = Change.objects.filter(dossier=entry.dossier, subject=history.CARE_OVER).with_names()
    assert [history.sentence(history.told_of(line)) for line in lines] == [
        f"EXEMPLE-LARRIEU Maëlle a clôturé le dossier : l’accès se ferme pour SPÉCIMEN Inès, fin de prise en charge "
        f"le {day}."
    ]
    traces = Trace.objects.of_dossier(entry.dossier.pk).filter(action="habilitation", object_id=nurse.member.pk)
    assert f"fin de prise en charge le {day}" in set(traces.values_list("reason", flat=True))


def test_the_page_of_the_state_says_it_before_and_after(client, entry, nurse, doctor):
    client.force_login(entry.user)
    url = reverse("dossiers:status", args=[entry.dossier.pk])
    before = text(client.get(url))
    assert "L’accès se ferme aussitôt pour SPÉCIMEN Inès" in before
    assert "Gardent la lecture, parce qu’ils peuvent rouvrir : EXEMPLE-LARRIEU Maëlle et TESTARD Paul." in before
    said = {"closing_reason": "fin", "care_over": "on", "seen": entry.dossier.status}
    refused = client.post(url, said | {"status": "pause"})
    assert refused.status_code == 422 and "choisissez « Clôturé »" in text(refused)
    client.post(url, said | {"status": "clos"})
    assert "un nouvel accord est à noter pour : SPÉCIMEN Inès." in text(client.get(url))
    answer = client.post(url, {"status": "actif", "note": "Rechute", "seen": "clos"}, follow=True)
    page = text(answer)
    assert answer.redirect_chain[-1][0] == url
    assert "N’entrent pas tant que rien n’est noté : SPÉCIMEN Inès." in page
    assert reverse("circle:consents", args=[entry.dossier.pk]) + "?afficher=a-recueillir" in page


@pytest.mark.req("PEERS-RULE-7")
def test_a_member_the_reader_may_not_know_of_is_not_named(client, entry, nurse):
    helper = make.account(make.SOCIAL)
    make.add(entry, helper.attachment.professional, wanted="oui", role="313")
    actions.set_discreet(entry, nurse.member, True)
    client.force_login(helper)
    assert "SPÉCIMEN" not in text(client.get(reverse("dossiers:status", args=[entry.dossier.pk])))


def test_who_is_shown_no_circle_is_not_told_that_care_is_over(client, entry, nurse):
    """The reduced circle names nobody: a closing alone leaves this reader in, and says no more than that."""
    helper = make.account("350")
    make.add(entry, helper.attachment.professional, wanted="oui", role="AGNT")
    state(entry, "clos", reason="fin")
    url = reverse("dossiers:status", args=[entry.dossier.pk])
    client.force_login(helper)
    assert not held(helper, entry).sees_whole_circle
    page = text(client.get(url))
    assert "Dossier clôturé." in page and "prise en charge terminée" not in page
    # Nor is the box wanting where all who would lose the access are hidden from who closes.
    client.force_login(entry.user)
    assert "La prise en charge est terminée" in text(client.get(url))
    state(entry, "clos", care_over=True)
    page = text(client.get(url))
    assert "prise en charge terminée" in page and "La prise en charge est terminée" not in page


@pytest.mark.req("PERF-3")
def test_the_page_of_the_state_is_flat_in_members(client, entry, nurse):
    client.force_login(entry.user)
    url, counted = reverse("dossiers:status", args=[entry.dossier.pk]), []
    for _ in range(2):
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        counted.append(len(captured))
        for _ in range(3):
            make.add(entry, make.account().attachment.professional, wanted="oui")
    assert counted[0] == counted[1] <= 12, counted
