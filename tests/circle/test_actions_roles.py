"""One holder at a time: hand-overs, plans called off, twenty people at once, a role made unique."""

import datetime as dt
import threading
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from circle import actions, history
from circle.errors import DateNotPossible, RoleAlreadyHeld, RoleHeldTwice, RoleNotPossible, RoleUnknown
from circle.models import Change, Member, RoleHolding, RoleSetting
from coordination.dossiers import door
from habilitations.errors import NotAllowed
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

DAY = dt.timedelta(days=1)


def today():
    return timezone.localdate()


def doctor(entry, name, role="PROV", **details):
    return make.add(entry, make.listed(make.DOCTOR, family_name=name, civility="M"), role=role, **details)


def roles_on(entry, day=None):
    return {row.name.split()[0]: row.role for row in Member.objects.rows(entry, day)}


@pytest.mark.django_db
def test_second_holder_is_refused_with_the_name_of_the_first(entry):
    doctor(entry, "TESTARD", "PCP")
    with pytest.raises(RoleAlreadyHeld) as caught, transaction.atomic():
        doctor(entry, "ÉCHANTILLON", "PCP")
    assert str(caught.value) == (
        f"TESTARD Sonia tient déjà le rôle « Médecin traitant » depuis le {today():%d/%m/%Y}. Prévoyez la passation."
    )
    assert Member.objects.count() == 2


@pytest.mark.django_db
def test_hand_over_in_one_step_while_adding(entry):
    former = doctor(entry, "TESTARD", "PCP")
    on = today() + 9 * DAY
    new = doctor(entry, "ÉCHANTILLON", "PCP", handover={"starts_on": on, "new_role": ""})
    now = roles_on(entry)
    assert (now["TESTARD"], now["ÉCHANTILLON"]) == ("Médecin traitant", "")
    later = roles_on(entry, on)
    assert (later["TESTARD"], later["ÉCHANTILLON"]) == ("Médecin", "Médecin traitant")
    row = Member.objects.row(entry, new.pk)
    assert (row.next_role, row.next_role_on) == ("Médecin traitant", on)
    line = Change.objects.with_names().get(kind="passation")
    assert history.sentence(history.told_of(line)) == (
        "ÉCHANTILLON Sonia prend le rôle « Médecin traitant » à la suite de TESTARD Sonia, par EXEMPLE-LARRIEU Maëlle."
        f" À partir du {on:%d/%m/%Y}."
    )
    assert RoleHolding.objects.get(member=former, role="PCP").ends_on == on


@pytest.mark.django_db
def test_only_one_plan_at_a_time(entry):
    doctor(entry, "TESTARD", "PCP")
    doctor(entry, "ÉCHANTILLON", "PCP", handover={"starts_on": today() + 9 * DAY})
    with pytest.raises(RoleAlreadyHeld, match="ÉCHANTILLON"), transaction.atomic():
        doctor(entry, "MODÈLE", "PCP", handover={"starts_on": today() + 5 * DAY})
    with pytest.raises(RoleAlreadyHeld, match="TESTARD"), transaction.atomic():
        doctor(entry, "MODÈLE", "PCP")


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["removed", "other_role"])
def test_plan_called_off_leaves_the_role_where_it_was(entry, how):
    former = doctor(entry, "TESTARD", "PCP")
    new = doctor(entry, "ÉCHANTILLON", "PCP", handover={"starts_on": today() + 9 * DAY})
    if how == "removed":
        actions.remove_member(entry, new, reason="erreur")
    else:
        actions.change_role(entry, new, role="PROV")
    held = RoleHolding.objects.get(member=former, role="PCP")
    assert held.ends_on is None
    assert roles_on(entry, today() + 30 * DAY)["TESTARD"] == "Médecin traitant"


@pytest.mark.django_db
def test_hand_over_between_two_members(entry):
    first, second = doctor(entry, "TESTARD", "PCP"), doctor(entry, "MODÈLE")
    with pytest.raises(RoleAlreadyHeld), transaction.atomic():
        actions.change_role(entry, second, role="PCP")
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=today(), new_role="353")
    assert roles_on(entry)["TESTARD"] == "Membre de l’équipe de soins"
    assert roles_on(entry)["MODÈLE"] == "Médecin traitant"
    with pytest.raises(RoleNotPossible):
        actions.hand_over_role(entry, role="PCP", from_member=first, to_member=first, starts_on=today())


@pytest.mark.django_db
def test_role_given_taken_away_and_given_again_the_same_day(entry):
    member = doctor(entry, "TESTARD", "PCP")
    actions.change_role(entry, member, role="")
    assert roles_on(entry)["TESTARD"] == ""
    actions.change_role(entry, member, role="PCP")
    actions.change_role(entry, member, role="PCP")
    assert roles_on(entry)["TESTARD"] == "Médecin traitant"
    assert RoleHolding.objects.filter(member=member, role="PCP").count() == 2


@pytest.mark.asvs("v5.0.0-2.2.3")
@pytest.mark.django_db
def test_roles_and_dates_out_of_reason_are_refused(entry):
    member = doctor(entry, "TESTARD")
    with pytest.raises(RoleUnknown), transaction.atomic():
        actions.change_role(entry, member, role="CHEF")
    with pytest.raises(RoleNotPossible), transaction.atomic():
        actions.change_role(entry, member, role="AIDANT_PRINCIPAL")
    with pytest.raises(DateNotPossible, match="depuis le"), transaction.atomic():
        actions.change_role(entry, member, role="PCP", starts_on=today() - 3 * DAY)


@pytest.mark.django_db
def test_roles_that_are_not_unique_are_shared(entry):
    make.relative(entry, role="CAREGIVER")
    make.relative(entry, role="CAREGIVER", family_name="AUTRE", given_name="Lou")
    assert RoleHolding.objects.filter(role="CAREGIVER").count() == 2


@pytest.mark.django_db
def test_making_a_role_unique_is_refused_while_held_twice(entry):
    make.relative(entry, role="NOK")
    second = make.relative(entry, role="NOK", family_name="AUTRE", given_name="Lou")
    administrator = make.UserFactory(administrator=True)
    with pytest.raises(NotAllowed):
        actions.set_unique_role("NOK", True, by=entry.user)
    with pytest.raises(RoleHeldTwice) as caught, transaction.atomic():
        actions.set_unique_role("NOK", True, by=administrator)
    assert caught.value.dossier_ids == (entry.dossier.pk,)
    actions.change_role(entry, second, role="ECON")
    actions.set_unique_role("NOK", True, by=administrator)
    with pytest.raises(RoleAlreadyHeld), transaction.atomic():
        actions.change_role(entry, second, role="QUAL")
    actions.set_unique_role("NOK", False, by=administrator)
    actions.change_role(entry, second, role="QUAL")
    assert RoleHolding.objects.filter(role="NOK", ends_on=None, exclusive=False).count() == 2


@pytest.mark.django_db
def test_an_administrator_sets_the_list_by_command(entry, capsys):
    administrator = make.UserFactory(administrator=True)
    call_command("role_unique", "CAREGIVER", "oui", "--par", administrator.email)
    make.relative(entry, role="CAREGIVER")
    with pytest.raises(RoleAlreadyHeld), transaction.atomic():
        make.relative(entry, role="CAREGIVER", family_name="AUTRE", given_name="Lou")
    call_command("role_unique")
    assert "unique  CAREGIVER" in capsys.readouterr().out
    for wrong in (["CAREGIVER", "non"], ["RIEN", "oui", "--par", administrator.email]):
        with pytest.raises(CommandError):
            call_command("role_unique", *wrong)


@pytest.mark.django_db
def test_the_database_refuses_a_second_holder_whatever_the_code_does(entry):
    member = doctor(entry, "TESTARD", "PCP", starts_on=today() - 10 * DAY)
    other = doctor(entry, "MODÈLE")
    RoleHolding.objects.filter(member=other).update(ends_on=today())
    common = {"dossier": entry.dossier, "given_by": entry.user}
    for starts_on, ends_on in ((today(), None), (today() - 5 * DAY, today() - 4 * DAY), (today() + 9 * DAY, None)):
        with pytest.raises(IntegrityError, match="unique_role_has_one_holder"), transaction.atomic():
            RoleHolding.objects.create(
                member=other, role="PCP", exclusive=True, starts_on=starts_on, ends_on=ends_on, **common
            )
    with pytest.raises(IntegrityError, match="member_holds_one_role_at_a_time"), transaction.atomic():
        RoleHolding.objects.create(member=member, role="ECON", exclusive=False, starts_on=today(), **common)
    with pytest.raises(IntegrityError, match="role_ends_after_it_starts|range lower bound"), transaction.atomic():
        RoleHolding.objects.create(
            member=other, role="ECON", exclusive=False, starts_on=today(), ends_on=today() - DAY, **common
        )


def _together(count, act):
    """Run `act(i)` in `count` threads at once; return what each returned or raised."""
    barrier, answers = threading.Barrier(count, timeout=60), []

    def run(i):
        try:
            barrier.wait()
            answers.append(act(i))
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def shared_entry(transactional_db):
    publish_default_matrix()
    return make.open_circle(make.coordinator())


@pytest.mark.asvs("v5.0.0-2.3.4")
@pytest.mark.slow
def test_twenty_attempts_at_once_give_one_holder(shared_entry):
    doctors = [make.listed(make.DOCTOR, family_name=f"FACTICE{i}") for i in range(20)]

    def take(i):
        entry = door.look(shared_entry.user, shared_entry.dossier.pk)
        return make.add(entry, doctors[i], role="PCP")

    answers = _together(20, take)
    refused = [answer for answer in answers if isinstance(answer, RoleAlreadyHeld)]
    winners = [answer for answer in answers if isinstance(answer, Member)]
    assert (len(winners), len(refused)) == (1, 19), answers
    assert {error.holder for error in refused} == {winners[0].display_name}
    assert RoleHolding.objects.filter(role="PCP").count() == 1


@pytest.mark.slow
def test_making_unique_and_giving_at_once_never_leave_two_holders(shared_entry):
    administrator = make.UserFactory(administrator=True)

    def act(i):
        if i == 0:
            return actions.set_unique_role("ECON", True, by=administrator)
        entry = door.look(shared_entry.user, shared_entry.dossier.pk)
        return make.relative(entry, role="ECON", family_name=f"MODÈLE{'ABCDEF'[i] * 6}", given_name="x")

    answers = _together(6, act)
    assert all(isinstance(a, Member | RoleSetting | RoleHeldTwice | RoleAlreadyHeld) for a in answers), answers
    held = RoleHolding.objects.filter(role="ECON", ends_on=None)
    if RoleSetting.objects.filter(role="ECON", unique=True).exists():
        assert held.count() <= 1
        assert not held.filter(exclusive=False).exists()
    else:
        assert not held.filter(exclusive=True).exists()


@pytest.mark.slow
def test_one_form_sent_ten_times_at_once_adds_one_member(shared_entry):
    key, someone = uuid.uuid4(), make.listed()

    def send(i):
        return make.add(door.look(shared_entry.user, shared_entry.dossier.pk), someone, creation_key=key)

    assert len({answer.pk for answer in _together(10, send)}) == 1
