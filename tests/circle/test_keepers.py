"""A dossier that the person closed to everybody is never closed for ever: who may withdraw it, and who lifts it."""

import datetime as dt
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from circle import actions as circle
from habilitations import access
from habilitations import actions as do
from habilitations.errors import NotAllowed, NothingToWithdraw, OwnHabilitation, RefusalDateNotPossible
from habilitations.keepers import keepers
from habilitations.models import AccountTrace, Delegate, Habilitation, Opposition, Trace
from habilitations.sharing_errors import LastKeeper, LiftReasonMissing, SomebodyKeeps
from tests.accounts.factories import UserFactory
from tests.circle import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-5")]
today = timezone.localdate


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


@pytest.fixture
def coordinator_member(entry):
    return Habilitation.objects.get(dossier=entry.dossier, user=entry.user).members.get()


@pytest.fixture
def administrator(db):
    return UserFactory(is_administrator=True, family_name="GABARIT", given_name="Léa")


def close_whole(entry, *spared):
    return circle.record_opposition(
        entry, rubrique="", spared=[user.pk for user in spared], refused_on=today(), collected="oral"
    )


def lift(entry, by, **said):
    details = {"reason": "Demande de la personne, par courrier", "withdrawn_on": today(), "collected": "ecrit"} | said
    return do.lift_opposition(entry.dossier.pk, by=by, **details)


def gone(user):
    """His account is closed by an administrator: no screen of the dossier asked anybody."""
    type(user).objects.filter(pk=user.pk).update(is_active=False, suspended_at=timezone.now())


# ---- nobody is removed who is the last -------------------------------------------------------------


def test_the_last_who_may_withdraw_it_does_not_leave(entry, nurse, coordinator_member):
    circle.set_habilitation(entry, nurse.member, "non")
    opposition = close_whole(entry)
    with pytest.raises(LastKeeper):
        circle.remove_member(entry, coordinator_member, reason="depart")
    circle.withdraw_opposition(entry, opposition, withdrawn_on=today(), collected="oral")
    assert circle.remove_member(entry, coordinator_member, reason="depart").ends_on == today()


def test_another_one_left_inside_is_enough(entry, nurse, coordinator_member):
    close_whole(entry, nurse)
    assert keepers(entry.dossier.pk) == {entry.user.pk, nurse.pk}
    circle.remove_member(entry, nurse.member, reason="depart")
    assert keepers(entry.dossier.pk) == {entry.user.pk}
    with pytest.raises(LastKeeper):
        circle.remove_member(entry, coordinator_member, reason="depart")


def test_nor_is_he_suspended_by_who_may_grant_and_not_note(entry, nurse, coordinator_member, monkeypatch):
    close_whole(entry, nurse)
    monkeypatch.setattr("habilitations.keepers.keepers", lambda dossier_id: {nurse.pk})
    with pytest.raises(LastKeeper):
        circle.set_habilitation(entry, nurse.member, "non")


def test_what_the_person_says_of_him_is_never_held_back(entry, nurse, coordinator_member):
    close_whole(entry)
    circle.end_consent(entry, coordinator_member, end="retrait", ended_on=today(), collected="oral")
    assert access.to_dossier(entry.user, entry.dossier.pk) is None
    assert keepers(entry.dossier.pk) == set()


def test_the_screen_says_why(client, entry, nurse, coordinator_member):
    close_whole(entry)
    client.force_login(entry.user)
    path = reverse("circle:remove", args=[entry.dossier.pk, coordinator_member.pk])
    answer = client.post(path, {"reason": "depart", "version": coordinator_member.version})
    assert answer.status_code in (403, 422)
    assert "le dernier à pouvoir noter" in answer.content.decode()


def test_the_form_says_whom_to_ask_and_what_to_give(client, entry):
    client.force_login(entry.user)
    page = client.get(reverse("circle:oppose", args=[entry.dossier.pk])).content.decode()
    assert f"donnez-lui la référence du dossier, {entry.dossier.pk}." in page


# ---- lifted ----------------------------------------------------------------------------------------


@pytest.mark.req("SEC-9")
def test_lifted_when_nobody_is_left_it_opens_again_and_is_traced(entry, nurse, administrator):
    close_whole(entry)
    gone(entry.user)
    assert access.to_dossier(nurse, entry.dossier.pk) is None
    done = lift(entry, administrator)
    assert access.to_dossier(nurse, entry.dossier.pk) is not None
    assert access.to_dossier(administrator, entry.dossier.pk) is None
    assert (done.withdrawn_by, done.lifted_why) == (administrator, "Demande de la personne, par courrier")
    trace = Trace.objects.of_dossier(entry.dossier.pk).filter(actor_id=administrator.pk).get()
    assert (trace.action, trace.object_kind) == ("habilitation", "dossier")
    assert "levée par un administrateur" in trace.reason
    assert AccountTrace.objects.filter(actor_id=administrator.pk, action="levée d’opposition").exists()


def test_who_may_lift_and_when(entry, nurse, administrator):
    with pytest.raises(NothingToWithdraw):
        lift(entry, administrator)
    close_whole(entry)
    with pytest.raises(SomebodyKeeps):
        lift(entry, administrator)
    gone(entry.user)
    with pytest.raises(NotAllowed):
        lift(entry, nurse)
    for wrong, error in (
        ({"reason": "  "}, LiftReasonMissing),
        ({"withdrawn_on": today() - dt.timedelta(days=1)}, RefusalDateNotPossible),
    ):
        with pytest.raises(error):
            lift(entry, administrator, **wrong)
    assert Opposition.objects.standing().count() == 1


@pytest.mark.parametrize("by_house", [False, True])
def test_an_administrator_of_the_circle_asks_another(entry, nurse, by_house):
    type(nurse).objects.filter(pk=nurse.pk).update(is_administrator=True)
    nurse.refresh_from_db()
    if by_house:
        Habilitation.objects.filter(user=nurse).update(user=None, state="non")
        house = make.legal_structure()
        Delegate.objects.create(structure=house, user=nurse, started_by=nurse)
        make.add_house(entry, house, wanted="oui")
    close_whole(entry)
    gone(entry.user)
    with pytest.raises(OwnHabilitation):
        lift(entry, nurse)


def test_the_command_lists_then_lifts(capsys, entry, nurse, administrator):
    close_whole(entry)
    call_command("lever_opposition")
    assert "Aucun dossier" in capsys.readouterr().out
    gone(entry.user)
    call_command("lever_opposition")
    listed = capsys.readouterr().out
    assert str(entry.dossier.pk) in listed
    assert "gardait l'accès : EXEMPLE-LARRIEU Maëlle" in listed
    assert entry.dossier.birth_name not in listed
    said = {"dossier": entry.dossier.pk, "par": administrator.email, "motif": "Courrier reçu"}
    with pytest.raises(CommandError, match="comment la personne"):
        call_command("lever_opposition", **said)
    with pytest.raises(CommandError, match="Aucune opposition"):
        call_command("lever_opposition", **said | {"dossier": uuid.uuid4(), "recueil": "ecrit"})
    call_command("lever_opposition", **said, recueil="ecrit", le=f"{today():%d/%m/%Y}")
    assert "Opposition levée" in capsys.readouterr().out
    assert access.to_dossier(nurse, entry.dossier.pk) is not None
