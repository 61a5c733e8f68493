"""Two choices of one list never read the same, whatever the codes behind them."""

import pytest
from django import forms as django_forms

from circle import roles
from circle.forms.people import EditProfessionalForm, EditRelativeForm
from circle.forms.structures import StructureSearchForm
from circle.views import picking
from coordination.common.text import fold
from coordination.directory import forms as directory_forms
from tests.circle import factories


def alike(pairs):
    words = [fold(label) for _, label in pairs]
    return sorted({word for word in words if words.count(word) > 1})


def flat(choices):
    """Return the pairs of a list, those of its groups included."""
    for value, label in choices:
        if isinstance(label, (list, tuple)):
            yield from label
        else:
            yield value, label


@pytest.mark.parametrize("words", ["Médecin généraliste", "Aide à domicile", "Coordinatrice de parcours", ""])
@pytest.mark.parametrize("current", ["", "PROV", "AGNT"])
@pytest.mark.parametrize(
    ("kind", "profession", "fonction"),
    [
        (roles.DIRECTORY, factories.DOCTOR, ""),
        (roles.DIRECTORY, factories.NURSE, factories.COORDINATOR),
        (roles.DIRECTORY, "350", ""),
        (roles.MANUAL, "", ""),
        (roles.PERSON, "", ""),
        (roles.STRUCTURE, "", ""),
    ],
)
def test_roles_of_a_member(entry, kind, profession, fonction, words, current):
    found = picking.picker(
        entry, kind=kind, profession=profession, fonction=fonction, feminine=True, words=words, current=current
    )
    assert alike(found.likely + found.others) == []
    if current and kind in roles.PROFESSIONALS and words:
        assert current in found.codes


def test_new_role_of_who_hands_over(entry):
    doctor = factories.listed(factories.DOCTOR)
    factories.add(entry, doctor, role="PCP")
    holders, _ = picking.held(entry, frozenset({"PCP"}))
    offered = list(holders["PCP"].roles)
    assert "Médecin" in dict(offered).values()
    assert alike(offered) == []


@pytest.mark.django_db
def test_lists_of_the_forms():
    twice = factories.StructureFactory(name="MAISON FICTIVE", town="Albi")
    homonym = factories.StructureFactory(name="MAISON FICTIVE", town="Castres")
    forms = [
        directory_forms.AccountForm(places=[twice, homonym]),
        directory_forms.StructureForm(),
        EditProfessionalForm(),
        EditRelativeForm(),
        StructureSearchForm(),
    ]
    seen = 0
    for form in forms:
        for name, field in form.fields.items():
            if isinstance(field, (django_forms.ChoiceField, django_forms.ModelChoiceField)):
                seen += 1
                assert alike(flat(field.choices)) == [], (type(form).__name__, name)
    assert seen >= 6
    assert alike(directory_forms.professions()) == []
    assert alike(directory_forms.categories()) == []
