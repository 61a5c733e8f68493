"""Every move of the status of an identity (INS-3, INS-8)."""

import itertools

import pytest

from coordination.dossiers import identity_status as moves
from coordination.dossiers.errors import IdentityNotSound, StatusNotByHand

ALL = ("PROV", "RECUP", "VALI", "QUAL")


@pytest.mark.req("INS-3")
@pytest.mark.parametrize(
    ("current", "wanted", "status", "keeps"),
    [
        ("PROV", "PROV", "PROV", True),
        ("PROV", "VALI", "VALI", True),
        ("VALI", "PROV", "PROV", True),
        ("VALI", "VALI", "VALI", True),
        ("RECUP", "VALI", "QUAL", True),
        ("RECUP", "PROV", "PROV", False),
        ("RECUP", "RECUP", "RECUP", True),
        ("QUAL", "QUAL", "QUAL", True),
        ("QUAL", "VALI", "VALI", False),
        ("QUAL", "PROV", "PROV", False),
    ],
)
def test_what_a_person_states(current, wanted, status, keeps):
    assert moves.chosen_by_hand(current, wanted) == moves.Move(status, keeps)


@pytest.mark.req("INS-3")
@pytest.mark.parametrize(
    ("current", "wanted"), [(c, w) for c, w in itertools.product(ALL, ("RECUP", "QUAL")) if c != w]
)
def test_what_needs_insi_is_never_chosen(current, wanted):
    with pytest.raises(StatusNotByHand):
        moves.chosen_by_hand(current, wanted)


@pytest.mark.req("INS-3")
@pytest.mark.parametrize("wanted", ALL)
def test_a_changed_trait_drops_the_ins(wanted):
    if wanted in ("RECUP", "QUAL"):
        # Its status was left as it was: what to choose is said.
        with pytest.raises(StatusNotByHand, match="Choisissez « Identité validée »"):
            moves.traits_changed(wanted)
    else:
        assert moves.traits_changed(wanted) == moves.Move(wanted, keeps_ins=False)


@pytest.mark.req("INS-3")
@pytest.mark.parametrize(
    ("current", "status"), [("PROV", "RECUP"), ("RECUP", "RECUP"), ("VALI", "QUAL"), ("QUAL", "QUAL")]
)
def test_an_answer_of_insi(current, status):
    assert moves.ins_received(current).status == status


@pytest.mark.req("INS-8")
@pytest.mark.parametrize("current", ALL)
def test_a_doubtful_identity_is_provisional(current):
    with pytest.raises(IdentityNotSound):
        moves.ins_received(current, sound=False)
    assert moves.flags_changed(current, sound=False).status == "PROV"
    with pytest.raises(IdentityNotSound):
        moves.traits_changed("VALI", sound=False)
    with pytest.raises((IdentityNotSound, StatusNotByHand)):
        moves.chosen_by_hand(current, "VALI", sound=False)
