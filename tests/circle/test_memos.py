"""What is kept from one reading to the next never outlives what it was made from, nor goes to another reader."""

import datetime as dt
from dataclasses import astuple
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.lines import member_of
from circle.models import Member
from circle.rows import reduced_row
from circle.views import listing
from circle.views.drawing import Listing, drawn_row
from coordination.dossiers import door
from habilitations import defaults, published
from habilitations.actions import add_delegate, close_structure, end_profession, publish_matrix, withdraw_rubric
from habilitations.rubriques import Niveau
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def circle(entry):
    """A doctor who reads, a nurse who does not, a structure whose delegate reads."""
    doctor = make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul")
    house = make.legal_structure(make.account(), name="SSIAD DU TEST")
    found = SimpleNamespace(entry=entry, doctor=doctor, house=house)
    found.first = make.add(entry, doctor.attachment.professional, role="PCP", wanted="oui")
    found.second = make.add(entry, make.listed(make.DOCTOR, family_name="MODÈLE"))
    make.add_house(entry, house, wanted="oui")
    return found


def forget():
    """Do what a new process does."""
    member_of.cache_clear()
    reduced_row.cache_clear()
    drawn_row.cache_clear()
    listing.forget()
    published.forget()


def read(user, dossier_id):
    """Return what a reader finds: the members, their lines, the menus, the page."""
    entry = door.look(user, dossier_id)
    rows = Member.objects.rows(entry)
    lines = Listing(entry, entry.abilities["write_cercle"])
    drawn = [str(lines.drawn(row)) for row in rows]
    body = listing.Listed(entry, listing.Filters(), tuple(rows), tuple(rows)).body()("")
    return [astuple(row) for row in rows], drawn, {name: str(menu) for name, menu in lines.menus.items()}, body


def another_matrix(circle):
    shipped = defaults.load()
    profile = published.current().profile_of(make.DOCTOR, "")
    levels = shipped.levels | {profile: dict.fromkeys(shipped.levels[profile], Niveau.LECTURE)}
    publish_matrix(levels, shipped.action_rights, shipped.profile_rules, by=None, reason="Tests")


def refuse(circle):
    refusal = {"refused_on": timezone.localdate(), "collected": "oral"}
    actions.set_habilitation(circle.entry, circle.first, "refus", refusal=refusal)


def plan(circle):
    day = timezone.localdate() + dt.timedelta(days=9)
    actions.hand_over_role(circle.entry, role="PCP", from_member=circle.first, to_member=circle.second, starts_on=day)


def close_account(circle):
    type(circle.doctor).objects.filter(pk=circle.doctor.pk).update(is_active=False, closed_at=timezone.now())


CHANGES = {
    "a delegate": lambda c: add_delegate(c.house, make.account(), by=make.UserFactory(administrator=True)),
    "a vouched profession": lambda c: end_profession(c.doctor, by=c.entry.user),
    "the matrix": another_matrix,
    "an activity": lambda c: c.doctor.attachment.professional.activities.update(town="Albi"),
    "the legal switch": lambda c: close_structure(c.house, by=make.UserFactory(administrator=True)),
    "a refusal": refuse,
    "a plan": plan,
    "a rubric withdrawn": lambda c: withdraw_rubric("agenda", by=make.UserFactory(administrator=True)),
    "an account closed": close_account,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_line_depends_on_is_seen_at_once(circle, change):
    reader = (circle.entry.user, circle.entry.dossier.pk)
    forget()
    before = read(*reader)
    change(circle)
    after = read(*reader)
    forget()
    assert after == read(*reader)
    assert after[0] != before[0]
    assert after[1] != before[1]
    assert after[3] != before[3]


def test_readers_in_turn_each_find_their_own(circle, client):
    nurse, social, helper = make.account(), make.account(make.SOCIAL), make.account("350")
    for user in (nurse, social, helper):
        make.add(circle.entry, user.attachment.professional, role="AGNT", wanted="oui")
    actions.set_discreet(circle.entry, circle.second, True)
    readers, dossier_id = (circle.entry.user, nurse, social, helper), circle.entry.dossier.pk
    alone = {}
    for user in readers:
        forget()
        alone[user] = read(user, dossier_id)
    forget()
    for user in (*readers, *reversed(readers)):
        assert read(user, dossier_id) == alone[user]
    assert len({str(told) for told in alone.values()}) == len(readers)

    def page(user):
        client.force_login(user)
        return client.get(reverse("circle:list", args=[dossier_id])).content.decode()

    for _ in range(2):
        assert "Retirer du cercle" in page(circle.entry.user)
        assert "Retirer du cercle" not in page(nurse)
        assert "MODÈLE" not in page(social)
        assert "TESTARD" not in page(helper)


def test_a_page_kept_holds_no_token_and_no_typed_text(circle, client):
    client.force_login(circle.entry.user)
    page = reverse("circle:list", args=[circle.entry.dossier.pk])
    tokens = {client.get(page).content.decode().split('name="csrfmiddlewaretoken" value="')[-1][:64] for _ in range(2)}
    assert len(tokens) == 2
    listing.forget()
    assert "TESTARD" in client.post(page, {"q": "testard"}).content.decode()
    assert not listing.kept()
