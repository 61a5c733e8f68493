"""What opens an access asks again who is there, what closes one never waits (SEC-18)."""

import datetime as dt
import time
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Member, Period
from habilitations.models import Habilitation, Outcome, Trace
from tests.accounts.factories import PASSWORD
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-18")]
State = Habilitation.State


def address(name, entry, *ids):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, *ids])


@pytest.fixture
def late(client, entry):
    """The coordinator, signed in two hours ago."""
    client.force_login(entry.user)
    wait(client)
    return client


def wait(client, hours=2):
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - hours * 3600}]
    session.save()


def asked(response):
    return response.status_code == 302 and response.url.startswith(reverse("account_reauthenticate"))


def confirms(client, response, path):
    return client.post(response.url, {"password": PASSWORD, "next": path})


def typed_for(person, answer="oui"):
    return {
        "role": "PROV", "habilitation": answer, "description": "Passe le mardi", "creation_key": str(uuid.uuid4()),
        "starts_on": f"{timezone.localdate():%d/%m/%Y}", **make.TEAM_POSTED,
    }  # fmt: skip


def state_of(member):
    return Habilitation.objects.get(members=member).state


def test_a_member_added_with_a_yes_is_added_once_confirmed_and_nothing_is_typed_again(late, entry):
    nurse = make.account(make.NURSE, family_name="CALQUE")
    path = address("add_professional", entry, nurse.attachment.professional.pk)
    typed = typed_for(nurse)
    question = late.post(path, typed)
    assert asked(question)
    added = Member.objects.filter(professional=nurse.attachment.professional)
    assert not added.exists()
    wrong = late.post(question.url, {"password": "pas le bon mot", "next": path})
    assert "pas le bon" in wrong.content.decode()
    done = confirms(late, question, path)
    assert (done.status_code, done.url) == (303, address("list", entry))
    member = added.get()
    assert (state_of(member), member.description) == (State.OUI, "Passe le mardi")
    # The browser goes back and everything is sent a second time: the password, then the form.
    confirms(late, question, path)
    late.post(path, typed)
    assert added.count() == 1
    assert member.periods.count() == 1


def test_the_act_is_traced_once_it_is_done_and_the_question_is_no_failure(late, entry):
    path = address("add_professional", entry, make.listed().pk)
    question = late.post(path, typed_for(None))
    written = Trace.objects.filter(dossier_id=entry.dossier.pk, action="écriture")
    assert not written.exists()
    confirms(late, question, path)
    assert [trace.outcome for trace in written] == [Outcome.OK]


def test_a_form_with_an_error_asks_nothing(late, entry):
    path = address("add_professional", entry, make.listed().pk)
    assert late.post(path, typed_for(None) | {"role": ""}).status_code == 422


@pytest.mark.parametrize("answer", ["non", "refus"])
def test_entering_without_access_never_waits(late, entry, answer):
    path = address("add_professional", entry, make.listed().pk)
    refusal = {"refused_on": f"{timezone.localdate():%d/%m/%Y}", "collected": "oral"}
    assert late.post(path, typed_for(None, answer) | refusal).status_code == 303


def test_a_structure_added_with_a_yes(late, entry):
    house = make.legal_structure(make.account(make.NURSE))
    path = address("choose_structure", entry, house.pk)
    question = late.post(path, typed_for(house) | {"role": ""})
    assert asked(question)
    assert confirms(late, question, path).status_code == 303
    assert state_of(Member.objects.get(structure=house)) == State.OUI


def test_a_yes_given_later(late, entry):
    member = make.add(entry, make.account(make.NURSE).attachment.professional)
    path = address("habilitation", entry, member.pk)
    question = late.post(path, {"habilitation": "oui", **make.TEAM_POSTED})
    assert asked(question)
    assert state_of(member) == State.NON
    assert confirms(late, question, path).status_code == 303
    assert state_of(member) == State.OUI


def test_closing_never_waits(late, entry):
    """A refusal, « non » and a removal apply at once, whenever the password was last shown."""
    refused, closed, removed = (
        make.add(entry, make.account(make.NURSE).attachment.professional, wanted="oui") for _ in range(3)
    )
    refusal = {"habilitation": "refus", "refused_on": f"{timezone.localdate():%d/%m/%Y}", "collected": "oral"}
    assert late.post(address("habilitation", entry, refused.pk), refusal).status_code == 303
    confirmed = {"habilitation": "non", "confirme": "1"}
    assert late.post(address("habilitation", entry, closed.pk), confirmed).status_code == 303
    leaving = {"reason": Period.EndReason.values[0], "version": removed.version}
    assert late.post(address("remove", entry, removed.pk), leaving).status_code == 303
    assert (state_of(refused), state_of(closed)) == (State.REFUS, State.NON)
    assert not Habilitation.objects.granting().filter(members__in=[refused, closed, removed]).exists()


def test_undoing_a_removal_waits_when_it_gives_an_access_back(late, entry):
    with_access = make.add(entry, make.account(make.NURSE).attachment.professional, wanted="oui")
    without = make.add(entry)
    for member in (with_access, without):
        actions.remove_member(entry, member, reason=Period.EndReason.values[0])
    assert late.post(address("undo_removal", entry, without.pk)).status_code == 303
    path = address("undo_removal", entry, with_access.pk)
    question = late.post(path)
    assert asked(question)
    assert confirms(late, question, path).status_code == 303
    assert Habilitation.objects.granting().filter(members=with_access).exists()


def test_a_request_opens_nothing_and_does_not_wait(client, entry):
    worker = make.account(make.SOCIAL, family_name="ÉCHANTILLON")
    make.add(entry, worker.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(worker)
    wait(client)
    member = make.add(entry, make.account(make.NURSE).attachment.professional)
    assert client.post(address("request", entry, member.pk)).status_code == 303


def test_the_window_of_a_dossier_is_a_setting(client, entry, settings):
    client.force_login(entry.user)
    wait(client, hours=0.5)
    path = address("habilitation", entry, make.add(entry).pk)
    assert client.post(path, {"habilitation": "oui", **make.TEAM_POSTED}).status_code == 303
    settings.DOSSIER_REAUTHENTICATION_SECONDS = dt.timedelta(minutes=20).total_seconds()
    path = address("habilitation", entry, make.add(entry).pk)
    assert asked(client.post(path, {"habilitation": "oui", **make.TEAM_POSTED}))


def test_a_refusal_is_withdrawn_once_confirmed_and_a_form_with_an_error_asks_nothing(late, entry):
    member = make.add(entry, make.account(make.NURSE).attachment.professional)
    refusal = {"refused_on": dt.date(2026, 1, 1), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, member, "refus", refusal=refusal)
    path = address("withdraw_refusal", entry, member.pk)
    assert late.get(path).status_code == 200
    assert late.post(path, {"withdrawn_on": "", "collected": ""}).status_code == 422
    question = late.post(path, {"withdrawn_on": f"{timezone.localdate():%d/%m/%Y}", "collected": "ecrit"})
    assert asked(question)
    assert state_of(member) == State.REFUS
    assert confirms(late, question, path).status_code == 303
    assert state_of(member) == State.NON


def test_an_act_left_in_another_tab_is_said_to_be_undone(late, entry):
    """One question at a time: what waited behind the first is told, not lost in silence."""
    nurse = make.account(make.NURSE, family_name="CALQUE")
    assert asked(late.post(address("add_professional", entry, nurse.attachment.professional.pk), typed_for(nurse)))
    question = late.get(address("export_list", entry))
    assert asked(question)
    page = late.get(question.url).content.decode().replace("&#39;", "'")
    assert "il n’a pas été fait" in page
    assert not Member.objects.filter(professional=nurse.attachment.professional).exists()
