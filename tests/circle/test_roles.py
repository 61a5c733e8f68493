"""Roles alone: who may hold which, what is offered first, what is read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circle import roles
from coordination.common import nomenclatures

KINDS = ["annuaire", "manuel", "aidant", "structure"]
PROFESSIONS = ["", "10", "60", "21", "41", "51", "318", "330", "307", "99", "93"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profession", PROFESSIONS)
def test_what_is_offered_may_be_held_and_nothing_else_is(kind, profession):
    first, rest = roles.likely(kind, profession), roles.others(kind, profession)
    offered = [role.code for role in (*first, *rest)]
    assert len(offered) == len(set(offered))
    # By hand, the profession is asked on the same form: what it alone decides is offered, and checked after.
    before_profession = {code for code, role in roles.all_roles().items() if kind in role.kinds}
    possible = {code for code in roles.all_roles() if roles.may_hold(code, kind, profession)}
    assert set(offered) == (before_profession if (kind, profession) == ("manuel", "") else possible)


@pytest.mark.parametrize(
    ("code", "kind", "profession", "allowed"),
    [
        ("PCP", "annuaire", "10", True),
        ("PCP", "manuel", "10", True),
        ("PCP", "annuaire", "60", False),
        ("PCP", "aidant", "", False),
        ("AIDANT_PRINCIPAL", "aidant", "", True),
        ("AIDANT_PRINCIPAL", "annuaire", "60", False),
        ("NOK", "annuaire", "10", False),
        ("GUARD", "manuel", "307", False),
        ("307", "manuel", "307", True),
        ("REFERENT", "annuaire", "41", True),
        ("REFERENT", "aidant", "", False),
        ("PHARMACIE", "structure", "", True),
        ("PROV", "structure", "", False),
        ("CHEF", "annuaire", "10", False),
    ],
)
def test_who_may_hold_which(code, kind, profession, allowed):
    assert roles.may_hold(code, kind, profession) is allowed
    assert bool(roles.why_not(code, kind, profession)) is not allowed


@pytest.mark.parametrize(
    ("profession", "fonction", "first"),
    [
        ("10", "", ["PCP", "PROV"]),
        ("60", "", ["PROV", "REFERENT"]),
        ("60", "330", ["REFERENT", "330", "PROV"]),
        ("99", "330", ["REFERENT", "330", "AGNT"]),
        ("318", "", ["318", "AGNT", "REFERENT"]),
        ("41", "", ["AGNT", "REFERENT"]),
    ],
)
def test_likely_first(profession, fonction, first):
    assert [role.code for role in roles.likely("annuaire", profession, fonction)] == first


@pytest.mark.req("CDS-30")
def test_personne_de_confiance_is_written_nok_and_read_in_both_codes():
    assert roles.canonical("QUAL") == "NOK"
    assert roles.get("QUAL").code == "NOK"
    assert roles.label("QUAL") == roles.label("NOK") == "Personne de confiance"


def test_labels_follow_the_person_and_the_profession():
    assert roles.label("AIDANT_PRINCIPAL", feminine=True) == "Aidante principale"
    assert roles.label("REFERENT", feminine=True) == "Référente du parcours"
    assert roles.label("GUARD", feminine=True) == "Responsable légale"
    assert roles.label("PROV", profession="Infirmière") == "Infirmière"
    assert roles.label("326", feminine=True) == "Éducatrice spécialisée"
    assert roles.label("") == ""
    assert roles.label("352")


def test_unique_by_default_and_by_setting():
    assert {c for c in roles.all_roles() if roles.is_unique(c, {})} == {"PCP", "AIDANT_PRINCIPAL", "REFERENT"}
    assert not roles.is_unique("PCP", {"PCP": False})
    assert roles.is_unique("ECON", {"ECON": True})


def test_national_codes_are_active_and_fit_their_column():
    for code, role in roles.all_roles().items():
        assert len(code) <= 20
        assert role.label
        if code.isdigit():
            assert nomenclatures.get("role", code).active


@given(st.sampled_from(KINDS), st.sampled_from(PROFESSIONS), st.sampled_from(["", "330", "309", "FON-35"]))
def test_the_usual_role_is_never_unique_and_may_be_held(kind, profession, fonction):
    code = roles.usual(kind, profession, fonction)
    assert code == "" or (code not in roles.UNIQUE_BY_DEFAULT and roles.may_hold(code, kind, profession))
