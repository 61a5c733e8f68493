"""What one may not know of and what does not exist give the same answer, byte for byte, by the same work (SECT-4).

Same status, headers, body and statements, in number and in shape, on every route with an identifier. What follows
from a difference: whoever tries identifiers learns which people are followed here.
"""

import re
import uuid

import pytest

from coordination.accounts.models import Session
from tests.security import routes as r
from tests.security import world as w
from tests.security.answers import answer_to

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-4", "SEC-25", "SEC-2")]
PARTS = r.names()
OF_DOSSIER = [name for name, parts in PARTS.items() if "dossier_id" in parts]
METHODS = ("GET", "POST")
# One who would have everything if he were inside, one who would only read, one whose profession is unknown.
PROFILES = (w.OWNER, "benevole", "inconnu")
# They read the circle, some write it; none reads the medical rubric (rule 7).
KEPT_FROM_DISCREET = ("assistant_social", "educateur", "secretariat", "aide_domicile")
FORBIDDEN = (w.OUTSIDER, w.REFUSED, w.ENDED, w.AWAITING, w.PAST)
NEEDS = {
    "profiles": (*PROFILES, *KEPT_FROM_DISCREET, "medecin", "infirmier"), "situations": (w.GRANTED, *FORBIDDEN),
}  # fmt: skip


def compared(visitor, name, ids, part, theirs, absent):
    """Return where the answers about somebody else's object and about no object differ."""
    wrong = {}
    for method in METHODS:
        there = answer_to(visitor, method, r.address(name, PARTS[name], ids | {part: theirs}), theirs)
        nowhere = answer_to(visitor, method, r.address(name, PARTS[name], ids | {part: absent}), absent)
        for what, pair in there.differences(nowhere).items():
            wrong[f"{method} {name}: {what}"] = pair
    return wrong


@pytest.mark.asvs("v5.0.0-8.2.2")
@pytest.mark.slow
@pytest.mark.drawn(12)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("situation", FORBIDDEN)
def test_a_dossier_one_may_not_enter_is_a_dossier_that_does_not_exist(world, situation, profile):
    place, visitor, wrong = world.places[situation], r.Visitor(world.people[profile]), {}
    ids = r.ids_of(world, place)
    for name in OF_DOSSIER:
        wrong |= compared(visitor, name, ids, "dossier_id", place.dossier.pk, uuid.uuid4())
    assert not wrong, r.listed(wrong)


INSIDE_IDS = [
    (name, part) for name, parts in PARTS.items() for part in ("member_id", "request_id") if part in parts
]  # fmt: skip


@pytest.mark.asvs("v5.0.0-8.2.2")
def test_something_of_another_dossier_is_something_that_does_not_exist(world):
    """Inside one's own dossier, with every right there: the identifiers of another one lead nowhere."""
    here, elsewhere = world.places[w.GRANTED], world.places[w.OUTSIDER]
    visitor, ids, wrong = r.Visitor(world.people[w.OWNER]), r.ids_of(world, here), {}
    for name, part in INSIDE_IDS:
        theirs = r.ids_of(world, elsewhere)[part]
        wrong |= compared(visitor, name, ids, part, theirs, uuid.uuid4())
    assert len(INSIDE_IDS) >= 15 and not wrong, r.listed(wrong)


@pytest.mark.parametrize("profile", KEPT_FROM_DISCREET)
def test_a_discreet_member_is_a_member_that_does_not_exist(world, profile):
    place, visitor, wrong = world.places[w.GRANTED], r.Visitor(world.people[profile]), {}
    ids = r.ids_of(world, place)
    for name, part in INSIDE_IDS:
        if part == "member_id":
            wrong |= compared(visitor, name, ids, part, place.hidden.pk, uuid.uuid4())
    assert not wrong, r.listed(wrong)


BESIDE = [
    (name, part)
    for name, parts in PARTS.items()
    for part in parts
    if "dossier_id" not in parts and part.endswith("_id") and part not in ("object_id", "professional_id")
]  # fmt: skip
# The directory is public: whether a structure or a professional is in it is no secret.
PUBLIC = {("directory:structure", "structure_id")}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_belongs_to_others_beside_the_dossiers_is_nothing(world, profile):
    """Invitations, offers, accounts, officers: for who is not concerned, theirs and nobody's are the same."""
    place, wrong = world.places[w.OUTSIDER], {}
    # The offer of the world is the owner's own.
    visitor = r.Visitor(world.people["medecin" if profile == w.OWNER else profile])
    ids = r.ids_of(world, place)
    for name, part in BESIDE:
        if (name, part) not in PUBLIC:
            wrong |= compared(visitor, name, ids, part, ids[part], uuid.uuid4())
    assert len(BESIDE) >= 20 and not wrong, r.listed(wrong)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_invitation_without_a_dossier_is_nothing_for_another(world, profile):
    visitor, ids, wrong = r.Visitor(world.people[profile]), r.ids_of(world, world.places[w.OUTSIDER]), {}
    for name, part in BESIDE:
        if part == "invitation_id":
            wrong |= compared(visitor, name, ids, part, world.colleague.pk, uuid.uuid4())
    assert not wrong, r.listed(wrong)


def test_a_session_of_somebody_else_is_a_session_that_does_not_exist(world):
    r.Visitor(world.people["medecin"])
    visitor = r.Visitor(world.people["infirmier"])
    theirs = Session.objects.filter(user=world.people["medecin"]).latest("last_seen_at").public_id
    assert compared(visitor, "accounts:end_session", {}, "public_id", theirs, uuid.uuid4()) == {}


def test_two_answers_that_differ_are_told_apart(world):
    """The comparison itself can fail: a page one may open is not a page that does not exist."""
    place, visitor = world.places[w.GRANTED], r.Visitor(world.people[w.OWNER])
    ids = r.ids_of(world, place)
    found = compared(visitor, "circle:list", ids, "dossier_id", place.dossier.pk, uuid.uuid4())
    assert {re.sub(r".*: ", "", what) for what in found} >= {"status", "body", "statements"}
