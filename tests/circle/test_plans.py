"""Planned hand-overs: postponed, advanced, called off, shown; never lost without a line of history."""

import datetime as dt
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from circle import actions, history
from circle.errors import (
    HandoverInThePast,
    NothingPlanned,
    RoleAlreadyHeld,
    RoleHeldThen,
    RoleNotPossible,
    RolePlanned,
)
from circle.models import Change, Member, RoleHolding, RoleSetting
from habilitations.models import Trace
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


def on(days):
    return timezone.localdate() + dt.timedelta(days=days)


def fr(days):
    return f"{on(days):%d/%m/%Y}"


def timeline(member):
    """Return what a member holds from today on: (role, from, until) in days from today."""
    days = lambda day: day and (day - on(0)).days  # noqa: E731
    held = member.roles.from_day(on(0)).order_by("starts_on")
    return [(h.role, days(h.starts_on), days(h.ends_on)) for h in held]


def told(member=None):
    lines = Change.objects.with_names().order_by("at", "id")
    return [history.sentence(history.told_of(line)) for line in (lines.filter(member=member) if member else lines)]


def doctor(entry, name, role="PROV", **details):
    person = make.listed(make.DOCTOR, family_name=name, given_name="Paul", civility="M")
    return make.add(entry, person, role=role, **details)


@pytest.fixture
def first(entry):
    return doctor(entry, "TESTARD", "PCP")


@pytest.fixture
def second(entry):
    return doctor(entry, "MODÈLE")


@pytest.fixture
def plan(entry, first, second):
    """The role passes from the first to the second in ten days."""
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=on(10))
    assert timeline(first) == [("PCP", 0, 10), ("PROV", 10, None)]
    assert timeline(second) == [("PROV", 0, 10), ("PCP", 10, None)]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("days", [20, 5, 11])
def test_a_plan_is_moved(entry, first, second, days):
    actions.change_role(entry, second, role="PCP", starts_on=on(days))
    assert timeline(first) == [("PCP", 0, days), ("PROV", days, None)]
    assert timeline(second) == [("PROV", 0, days), ("PCP", days, None)]
    assert told(second)[-1] == (
        f"EXEMPLE-LARRIEU Maëlle a déplacé du {fr(10)} au {fr(days)} le changement de rôle prévu : MODÈLE Paul, "
        "« Médecin traitant » à la suite de TESTARD Paul."
    )
    assert told(first)[-1] == (
        f"EXEMPLE-LARRIEU Maëlle a déplacé du {fr(10)} au {fr(days)} le changement de rôle prévu : TESTARD Paul, "
        "« Médecin »."
    )


@pytest.mark.usefixtures("plan")
def test_a_plan_is_moved_to_today(entry, first, second):
    actions.change_role(entry, second, role="PCP")
    assert timeline(first) == [("PROV", 0, None)]
    assert timeline(second) == [("PCP", 0, None)]


@pytest.mark.usefixtures("plan")
def test_a_plan_is_moved_with_another_role_for_who_hands_over(entry, first, second):
    actions.change_role(entry, second, role="PCP", handover={"starts_on": on(20), "new_role": "353"})
    assert timeline(first) == [("PCP", 0, 20), ("353", 20, None)]
    actions.change_role(entry, second, role="PCP", handover={"starts_on": on(20), "new_role": "353"})
    assert timeline(first) == [("PCP", 0, 20), ("353", 20, None)]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("days", [5, 20])
class TestAHandOverThatIsMoved:
    """Sooner or later, it is held to what a new one is held to."""

    def test_stands_as_agreed_when_no_other_role_is_said(self, entry, first, second, days):
        actions.change_role(entry, second, role="PCP", handover={"starts_on": on(10), "new_role": "353"})
        actions.call_off_plan(entry, second, day=on(10))
        actions.change_role(entry, second, role="PCP", handover={"starts_on": on(10), "new_role": "353"})
        actions.change_role(entry, second, role="PCP", handover={"starts_on": on(days), "new_role": ""})
        assert timeline(first) == [("PCP", 0, days), ("353", days, None)]
        assert timeline(second) == [("PROV", 0, days), ("PCP", days, None)]

    def test_leaves_nobody_a_role_that_does_not_fit(self, entry, second, days):
        with pytest.raises(RoleNotPossible):
            actions.change_role(entry, second, role="PCP", handover={"starts_on": on(days), "new_role": "NOK"})

    def test_names_who_hands_over(self, entry, first, second, days):
        third = doctor(entry, "ÉCHANTILLON")
        with pytest.raises(RoleAlreadyHeld, match="TESTARD"):
            actions.hand_over_role(entry, role="PCP", from_member=third, to_member=second, starts_on=on(days))
        actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=on(days))
        assert timeline(first) == [("PCP", 0, days), ("PROV", days, None)]


@pytest.mark.parametrize("planned", [True, False])
def test_no_hand_over_is_dated_in_the_past(entry, planned):
    first = doctor(entry, "TESTARD", "PCP", starts_on=on(-30))
    second = doctor(entry, "MODÈLE", starts_on=on(-30))
    if planned:
        actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=on(10))
    before = timeline(first)
    with pytest.raises(HandoverInThePast, match="ne se date pas dans le passé"), transaction.atomic():
        actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=on(-1))
    with pytest.raises(RoleAlreadyHeld), transaction.atomic():
        actions.change_role(entry, second, role="PCP", starts_on=on(-1))
    assert timeline(first) == before
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=second, starts_on=on(0))
    assert timeline(first) == [("PROV", 0, None)]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("how", ["second keeps his role", "first keeps his", "second", "first"])
def test_a_plan_is_called_off(entry, first, second, how):
    if how == "second keeps his role":
        actions.change_role(entry, second, role="PROV")
    elif how == "first keeps his":
        actions.change_role(entry, first, role="PCP")
    else:
        actions.call_off_plan(entry, first if how == "first" else second, day=on(10))
    assert timeline(first) == [("PCP", 0, None)]
    assert timeline(second) == [("PROV", 0, None)]
    assert told(second)[-1] == (
        f"EXEMPLE-LARRIEU Maëlle a annulé la passation prévue le {fr(10)} : MODÈLE Paul ne prend pas le rôle "
        "« Médecin traitant » à la suite de TESTARD Paul."
    )
    assert told(first)[-1] == (
        f"EXEMPLE-LARRIEU Maëlle a annulé le changement de rôle prévu le {fr(10)} : TESTARD Paul garde le rôle "
        "« Médecin traitant »."
    )
    with pytest.raises(NothingPlanned):
        actions.call_off_plan(entry, second, day=on(10))


@pytest.mark.usefixtures("plan")
def test_asking_what_is_already_planned_changes_nothing(entry, first, second):
    lines = len(told())
    actions.change_role(entry, second, role="PCP", starts_on=on(10))
    assert timeline(first) == [("PCP", 0, 10), ("PROV", 10, None)]
    assert len(told()) == lines


@pytest.mark.usefixtures("plan")
def test_somebody_else_is_told_of_the_plan(entry):
    third = doctor(entry, "ÉCHANTILLON")
    with pytest.raises(RolePlanned, match=f"MODÈLE Paul prendra le rôle « Médecin traitant » le {fr(10)}"):
        actions.change_role(entry, third, role="PCP", handover={"starts_on": on(5)})


@pytest.mark.usefixtures("plan")
def test_a_member_without_a_role_whose_plan_is_called_off(entry, first, second):
    actions.call_off_plan(entry, second, day=on(10))
    third = doctor(entry, "ÉCHANTILLON", "PCP", handover={"starts_on": on(4)})
    actions.change_role(entry, third, role="")
    assert timeline(first) == [("PCP", 0, None)]
    assert timeline(third) == []


def test_a_hand_over_names_who_hands_over(entry, first, second):
    third = doctor(entry, "ÉCHANTILLON")
    with pytest.raises(RoleAlreadyHeld, match="TESTARD"):
        actions.hand_over_role(entry, role="PCP", from_member=third, to_member=second, starts_on=on(3))


# ---- A role given from a past day -------------------------------------------------------------------


def test_a_vacant_role_given_from_a_past_day_tells_who_held_it_until_when(entry):
    first = doctor(entry, "TESTARD", "PCP", starts_on=on(-30))
    second = doctor(entry, "MODÈLE", starts_on=on(-30))
    actions.change_role(entry, first, role="PROV", starts_on=on(-8))
    sentence = (
        f"TESTARD Paul a tenu le rôle « Médecin traitant » jusqu’au {fr(-8)}. Choisissez ce jour ou un jour suivant."
    )
    for details in ({"starts_on": on(-10)}, {"handover": {"starts_on": on(-10)}}):
        with pytest.raises(RoleHeldThen) as caught, transaction.atomic():
            actions.change_role(entry, second, role="PCP", **details)
        assert str(caught.value) == sentence
        assert caught.value.field == "starts_on"
    actions.change_role(entry, second, role="PCP", starts_on=on(-8))
    assert Member.objects.row(entry, second.pk).role == "Médecin traitant"


# ---- Removals undone --------------------------------------------------------------------------------


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("who", ["first", "second"])
def test_an_undone_removal_gives_the_plan_back(entry, first, second, who):
    gone = first if who == "first" else second
    actions.remove_member(entry, gone, reason="erreur")
    what = "le changement de rôle prévu" if who == "first" else "la passation prévue"
    assert any(f"a annulé {what} le {fr(10)}" in line for line in told(gone))
    actions.undo_removal(entry, gone)
    assert timeline(first) == [("PCP", 0, 10), ("PROV", 10, None)]
    assert timeline(second) == [("PROV", 0, 10), ("PCP", 10, None)]
    if who == "second":
        assert told(second)[-1] == (
            f"MODÈLE Paul prend le rôle « Médecin traitant » à la suite de TESTARD Paul, par EXEMPLE-LARRIEU Maëlle."
            f" À partir du {fr(10)}."
        )


@pytest.mark.usefixtures("plan")
def test_a_role_planned_for_another_meanwhile_is_given_back_until_that_day(entry, first, second):
    actions.call_off_plan(entry, second, day=on(10))
    actions.remove_member(entry, first, reason="erreur")
    actions.change_role(entry, second, role="PCP", starts_on=on(6))
    actions.undo_removal(entry, first)
    assert timeline(first) == [("PCP", 0, 6), ("PROV", 6, None)]
    assert timeline(second) == [("PROV", 0, 6), ("PCP", 6, None)]


@pytest.mark.usefixtures("plan")
def test_a_plan_made_for_another_meanwhile_stands_and_the_loss_is_said(entry, first, second, visit):
    third = doctor(entry, "ÉCHANTILLON")
    actions.remove_member(entry, second, reason="erreur")
    actions.hand_over_role(entry, role="PCP", from_member=first, to_member=third, starts_on=on(15))
    page = visit("post", "undo_removal", second)
    assert timeline(first) == [("PCP", 0, 15), ("PROV", 15, None)]
    assert timeline(second) == [("PROV", 0, None)]
    sentence = f"MODÈLE Paul ne retrouve pas le rôle « Médecin traitant » prévu à partir du {fr(10)}."
    assert sentence in told(second)
    assert sentence in page


@pytest.mark.usefixtures("plan")
def test_a_plan_whose_day_has_passed_does_not_rewrite_what_others_held(entry, first, second):
    actions.remove_member(entry, second, reason="erreur")
    # Twelve days later.
    for holding in RoleHolding.objects.all():
        holding.starts_on -= dt.timedelta(days=12)
        holding.ends_on = holding.ends_on and holding.ends_on - dt.timedelta(days=12)
        holding.save()
    for cut in second.periods.get().cuts.all():
        for name in ("starts_on", "ends_on", "cut_starts_on", "cut_ends_on"):
            day = getattr(cut, name)
            setattr(cut, name, day and day - dt.timedelta(days=12))
        cut.save()
    second.periods.update(starts_on=on(-12), ends_on=on(-12))
    actions.undo_removal(entry, second)
    assert timeline(first) == [("PCP", -12, None)]
    assert timeline(second) == [("PROV", -12, None)]
    assert any("ne retrouve pas le rôle « Médecin traitant »" in line for line in told(second))


@pytest.mark.parametrize("unique", [True, False])
def test_a_role_given_back_is_as_unique_as_the_administrator_says_by_now(entry, unique):
    administrator = make.UserFactory(administrator=True)
    actions.set_unique_role("NOK", not unique, by=administrator)
    gone = make.relative(entry, role="NOK")
    actions.remove_member(entry, gone, reason="erreur")
    other = make.relative(entry, role="NOK", family_name="AUTRE", given_name="Lou")
    actions.set_unique_role("NOK", unique, by=administrator)
    lost = actions.undo_removal(entry, gone).lost
    assert timeline(other) == [("NOK", 0, None)]
    assert timeline(gone) == ([] if unique else [("NOK", 0, None)])
    assert bool(lost) is unique
    assert set(RoleHolding.objects.from_day(on(0)).filter(role="NOK").values_list("exclusive", flat=True)) == {unique}


# ---- The creator of a dossier, roles made unique ----------------------------------------------------


@pytest.mark.parametrize("unique", [True, False])
def test_the_creators_role_is_as_unique_as_the_administrator_says(coordinator, unique):
    role = "330" if unique else "REFERENT"
    RoleSetting.objects.create(role=role, unique=unique)
    entry = make.open_circle(coordinator, role=role)
    assert RoleHolding.objects.get(dossier=entry.dossier).exclusive is unique


@pytest.mark.parametrize("role", ["AIDANT_PRINCIPAL", "PCP"])
def test_the_creators_role_must_fit_him(matrix, role):
    nurse = make.account()
    with pytest.raises(RoleNotPossible):
        make.open_circle(nurse, role=role)


def test_a_role_held_twice_is_refused_with_the_list_of_dossiers(entry):
    make.relative(entry, role="NOK", family_name="SECRÈTE")
    make.relative(entry, role="NOK", family_name="AUTRE", given_name="Lou")
    administrator = make.UserFactory(administrator=True)
    with pytest.raises(CommandError) as caught:
        call_command("role_unique", "NOK", "oui", "--par", administrator.email)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("est tenu par plusieurs membres à la fois dans 1 dossier : il ne peut pas être unique.")
    assert lines[1:] == [f"  {entry.dossier.pk}"]
    assert "SECRÈTE" not in str(caught.value)


# ---- On screen --------------------------------------------------------------------------------------


@pytest.fixture
def visit(client, coordinator, entry):
    client.force_login(coordinator)

    def go(method, name, member, data=None):
        address = reverse(f"circle:{name}", args=[entry.dossier.pk, member.pk])
        if (method, name) == ("post", "change_role"):
            data = {"version": Member.objects.get(pk=member.pk).version} | data
        answer = getattr(client, method)(address, data or {}, follow=True)
        return answer.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")

    return go


@pytest.mark.usefixtures("plan")
def test_the_sheets_of_both_say_the_plan_and_offer_to_call_it_off(entry, first, second, visit):
    assert (
        f"MODÈLE Paul prendra le rôle « Médecin traitant » le {fr(10)}. TESTARD Paul deviendra « Médecin »."
        in visit("get", "member", first)
    )
    page = visit("get", "member", second)
    assert f"MODÈLE Paul prendra le rôle « Médecin traitant » le {fr(10)}, à la suite de TESTARD Paul." in page
    assert "Annuler la passation prévue" in page
    done = visit("post", "call_off_plan", second, {"prevu": on(10).isoformat()})
    assert "La passation prévue est annulée." in done
    assert "Annuler la passation prévue" not in done
    assert timeline(second) == [("PROV", 0, None)]
    assert Trace.objects.of_dossier(entry.dossier.pk).last().action == "lecture"
    assert (
        Trace.objects.of_dossier(entry.dossier.pk)
        .filter(action="écriture", object_id=second.pk, outcome="ok")
        .exists()
    )


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize("day", ["2020-01-01", "", "demain"])
def test_a_plan_that_is_no_longer_that_one_is_not_called_off(second, visit, day):
    assert "n’est plus prévu" in visit("post", "call_off_plan", second, {"prevu": day})
    assert timeline(second) == [("PROV", 0, 10), ("PCP", 10, None)]


@pytest.mark.usefixtures("plan")
def test_the_form_starts_from_the_plan_and_moves_it(second, visit):
    page = visit("get", "change_role", second)
    assert f'name="starts_on" value="{fr(10)}"' in " ".join(page.split())
    assert f'name="passation-PCP-starts_on" value="{fr(10)}"' in " ".join(page.split())
    assert "Annuler la passation prévue" in page
    said = {"role": "PCP", "starts_on": fr(10), "passation-PCP-starts_on": fr(20), "passation-PCP-new_role": "PROV"}
    assert f"Le changement prévu est déplacé au {fr(20)}." in visit("post", "change_role", second, said)
    assert timeline(second) == [("PROV", 0, 20), ("PCP", 20, None)]


@pytest.mark.usefixtures("plan")
@pytest.mark.parametrize(("day", "panel", "moved"), [(20, 10, 20), (10, 20, 20), (20, 20, 20), (20, 15, None)])
def test_the_day_typed_is_the_one_meant_whichever_of_the_two_fields(second, visit, day, panel, moved):
    agreed = {"passation-PCP-starts_on": fr(panel), "passation-PCP-new_role": "PROV"}
    page = visit("post", "change_role", second, {"role": "PCP", "starts_on": fr(day)} | agreed)
    assert timeline(second)[1] == ("PCP", moved or 10, None)
    assert ("n’est pas celle de la passation" in page) is (moved is None)


@pytest.mark.usefixtures("plan")
def test_a_change_that_calls_the_plan_off_says_so(first, second, visit):
    page = visit("post", "change_role", second, {"role": "PROV", "starts_on": fr(0)})
    assert "Ce qui était prévu est annulé." in page
    assert timeline(first) == [("PCP", 0, None)]


@pytest.mark.usefixtures("plan")
def test_a_discreet_holder_is_not_named_to_who_may_not_see_him(client, entry, first, second):
    actions.set_discreet(entry, first, True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(social)
    page = client.get(reverse("circle:member", args=[entry.dossier.pk, second.pk])).content.decode()
    assert "prendra le rôle" in page
    assert "TESTARD" not in page


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.usefixtures("plan")
def test_a_hidden_heir_or_holder_is_not_even_hinted_at(client, entry, first, second):
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(social)

    def page(member):
        said = client.get(reverse("circle:member", args=[entry.dossier.pk, member.pk])).content.decode()
        return said.replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")

    actions.set_discreet(entry, second, True)
    said = page(first)
    assert f"TESTARD Paul quittera le rôle « Médecin traitant » le {fr(10)}." in said
    assert "Changement prévu." in said
    assert "autre membre" not in said
    assert "Passation" not in said
    actions.set_discreet(entry, second, False)
    actions.set_discreet(entry, first, True)
    said = page(second)
    assert f"MODÈLE Paul prendra le rôle « Médecin traitant » le {fr(10)}." in said
    assert "à la suite" not in said
    assert "Passation" not in said


def test_a_past_hand_over_is_said_beside_its_date(entry, visit):
    doctor(entry, "TESTARD", "PCP", starts_on=on(-30))
    second = doctor(entry, "MODÈLE", starts_on=on(-30))
    agreed = {"passation-PCP-starts_on": fr(-1), "passation-PCP-new_role": "PROV"}
    page = visit("post", "change_role", second, {"role": "PCP", "starts_on": fr(0)} | agreed)
    (said,) = re.findall(r'id="id_passation-PCP-starts_on-erreur".*?</p>', page, re.S)
    assert "Une passation ne se date pas dans le passé" in said
    assert timeline(second) == [("PROV", -30, None)]
