"""The shape of what is typed: French words in, clean values or French sentences out."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from circle.forms.access import NO, REFUSAL, REQUEST, YES, AddForm, Holder, RolePicker, WithdrawalForm
from circle.forms.people import EditRelativeForm, RelativeForm
from circle.forms.structures import ManualStructureForm

TODAY = timezone.localdate


def picker(**more):
    said = {
        "likely": [("PCP", "Médecin traitant"), ("PROV", "Médecin")],
        "others": [("REFERENT", "Référent du parcours")],
    }
    return RolePicker(**(said | {"unique": frozenset({"PCP", "REFERENT"})} | more))


def add(data=None, *, answers=(YES, NO, REFUSAL), **more):
    said = {"role": "PROV", "habilitation": "non", "starts_on": "21/11/2026", "creation_key": uuid.uuid4()}
    return AddForm(said | (data or {}), picker=picker(**more), answers=answers)


@pytest.mark.parametrize("typed", ["21/11/2026", "21-11-2026", "2026-11-21", "21 novembre 2026", "21112026"])
def test_dates_as_people_type_them(typed):
    form = add({"starts_on": typed})
    assert form.is_valid()
    assert form.cleaned_data["starts_on"] == dt.date(2026, 11, 21)


def test_a_date_that_does_not_exist_says_so():
    form = add({"starts_on": "31/02/2026"})
    assert form.errors["starts_on"] == ["Cette date n’existe pas dans le calendrier."]


def test_nothing_is_answered_in_advance():
    form = add({"habilitation": "", "role": ""})
    assert set(form.errors) == {"habilitation", "role"}


@pytest.mark.parametrize(("answers", "answer", "valid"), [
    ((YES, NO, REFUSAL), "oui", True),
    ((REQUEST, NO), "oui", False),
    ((REQUEST, NO), "demande", True),
    ((NO,), "refus", False),
    ((YES, NO, REFUSAL), "peut-être", False),
])  # fmt: skip
def test_only_the_answers_offered_are_taken(answers, answer, valid):
    assert add({"habilitation": answer}, answers=answers).is_valid() is valid


def test_a_request_is_asked_of_the_actions_as_a_yes():
    form = add({"habilitation": "demande"}, answers=(REQUEST, NO))
    assert form.is_valid()
    assert (form.wanted, form.is_request) == ("oui", True)


def test_the_refusal_is_asked_for_only_when_it_is_the_answer():
    assert add({"habilitation": "non"}).is_valid()
    form = add({"habilitation": "refus"})
    assert set(form.errors) == {"refused_on", "collected"}
    tomorrow = f"{TODAY() + dt.timedelta(days=1):%d/%m/%Y}"
    late = add({"habilitation": "refus", "refused_on": tomorrow, "collected": "oral"})
    assert late.errors["refused_on"] == ["La date du refus ne peut pas être à venir."]


def test_a_role_of_the_list_and_one_that_does_not_fit():
    form = add({"role": "autre", "role_autre": "REFERENT"})
    assert form.is_valid()
    assert form.cleaned_data["role"] == "REFERENT"
    assert "role" in add({"role": "autre", "role_autre": ""}).errors
    assert "role" in add({"role": "AIDANT_PRINCIPAL"}).errors


def held():
    return Holder(
        member_id=1, name="TESTARD Paul", role="Référent du parcours", since=TODAY(), roles=[("PROV", "Médecin")],
        likely="PROV",
    )  # fmt: skip


def test_a_held_role_taken_from_the_list_comes_forward_with_its_hand_over():
    form = add({"role": "autre", "role_autre": "REFERENT"}, holders={"REFERENT": held()})
    assert not form.is_valid()
    assert form.shown_role == "REFERENT"
    assert [code for code, _ in form.picker.likely] == ["PCP", "PROV", "REFERENT"]
    assert form.handovers["REFERENT"].is_bound
    said = {"passation-REFERENT-starts_on": "01/12/2026", "passation-REFERENT-new_role": "PROV"}
    form = add({"role": "REFERENT"} | said, holders={"REFERENT": held()})
    assert form.is_valid()
    assert form.cleaned_data["handover"] == {
        "starts_on": dt.date(2026, 12, 1),
        "new_role": "PROV",
        "from_member": 1,
    }


def test_the_holder_is_named_in_the_list():
    form = add(holders={"REFERENT": held()})
    assert form.other_choices == [("REFERENT", "Référent du parcours (tenu par TESTARD Paul)")]


def relative(**more):
    said = {
        "family_name": "martin", "given_name": "JEAN-claude", "relation": "SONC", "role": "PROV",
        "starts_on": "21/11/2026", "creation_key": uuid.uuid4(), "mobile": "06 39 98 12 34",
    }  # fmt: skip
    return RelativeForm(said | more, picker=picker())


def test_names_phones_and_towns_are_tidied():
    form = relative(postal_code="81400", town_texte="carmaux", email=" Jean@Demo.EXAMPLE ")
    assert form.is_valid(), form.errors
    assert form.fields_of_member() == {
        "family_name": "MARTIN", "given_name": "Jean-Claude", "email": "jean@demo.example", "phone": "",
        "mobile": "+33639981234", "description": "", "address": "", "postal_code": "81400", "town": "Carmaux",
        "commune_code": "81060", "civility": "M", "relation": "SONC", "unlisted": False,
    }  # fmt: skip


def test_one_means_of_contact_and_the_first_error_alone():
    assert relative(mobile="").errors["mobile"] == [
        "Indiquez au moins un moyen de contact : téléphone fixe, mobile ou adresse e-mail."
    ]
    assert list(relative(mobile="", email="sans-arobase").errors) == ["email"]


def test_edit_asks_no_role():
    form = EditRelativeForm(
        {"family_name": "A", "given_name": "B", "relation": "FRND", "phone": "0536491040", "version": "3"}
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["version"] == 3


def test_numbers_of_a_structure():
    said = {"name": "Exemple", "email": "contact@demo.example", "creation_key": uuid.uuid4()}
    assert ManualStructureForm(said).is_valid()
    wrong = ManualStructureForm(said | {"finess": "12", "siret": "123", "siren": "12345678"})
    assert set(wrong.errors) == {"finess", "siret", "siren"}
    assert "phone" in ManualStructureForm(said | {"email": ""}).errors
    other = ManualStructureForm(said | {"siren": "732829320", "siret": "44306184100047"})
    assert "siren" in other.errors


def test_a_withdrawal_is_dated_and_not_to_come():
    assert set(WithdrawalForm({}).errors) == {"withdrawn_on", "collected"}
    tomorrow = f"{TODAY() + dt.timedelta(days=1):%d/%m/%Y}"
    assert "withdrawn_on" in WithdrawalForm({"withdrawn_on": tomorrow, "collected": "oral"}).errors
