"""What is kept from one reading to the next never outlives what it was made from, nor goes to another reader."""

import datetime as dt
import re
from dataclasses import astuple
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from circle import actions, told, versions
from circle import rows as circle_rows
from circle.circles import keep_version
from circle.lines import member_of
from circle.models import Invitation, Member
from circle.rows import reduced_row
from circle.views import listing
from circle.views.drawing import Listing, drawn_row
from coordination.dossiers import door
from habilitations import defaults, published
from habilitations.actions import (
    add_delegate,
    close_structure,
    end_profession,
    publish_matrix,
    record_opposition,
    withdraw_rubric,
)
from habilitations.models import Ceiling, Delegate, StateChange
from habilitations.rubriques import Niveau
from tests.circle import factories as make
from tests.habilitations import acting_data

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
    circle_rows.forget()
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


def invited(circle):
    """A professional without an account, waiting for whoever answers the mail."""
    sent = {"email": "n.echantillon@ms-segala.example", "message": ""}
    member = make.add(circle.entry, make.listed(family_name="SPÉCIMEN"), wanted="oui", invitation=sent)
    return Invitation.objects.get(member=member)


def fill(circle):
    """Give the circle what each table may say of it: a refusal, an opposition, something reduced, an absence..."""
    entry = circle.entry
    invited(circle)
    refused = make.add(entry, make.account().attachment.professional)
    said = {"refused_on": timezone.localdate(), "collected": "oral"}
    actions.set_habilitation(entry, refused, "refus", refusal=said)
    Ceiling.objects.create(
        dossier=entry.dossier, habilitation=circle.first.habilitation, rubrique="medical", niveau=0, set_by=entry.user,
    )  # fmt: skip
    record_opposition(
        entry.dossier.pk, by=entry.user, access=entry.access, rubrique="social",
        refused_on=timezone.localdate(), collected="oral",
    )  # fmt: skip
    acting_data.stand_in(circle.doctor, make.account())
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    actions.plan_departure(entry, circle.first, on=tomorrow, reason="fin")
    keep_version(entry.dossier.pk)


# Read by the circle and not among its versions: written with the habilitation and never alone (a test below), and the
# catalogue, whose edition is asked with that of the matrix.
BESIDE = {"habilitations_statechange", "habilitations_catalogrubric"}


def tables(statement):
    return set(re.findall(r"(?:FROM|JOIN) ((?:circle|directory|habilitations|accounts)_\w+)", statement))


def test_each_table_of_the_circle_is_among_its_versions():
    assert tables(told.STATEMENT) - BESIDE == tables(versions.STATEMENT)


@pytest.mark.parametrize("table", sorted(tables(told.STATEMENT) - BESIDE))
def test_a_row_written_again_is_another_version(circle, table):
    """Whatever the act, even one that changes nothing: each row of each table, those that say something of nobody."""
    fill(circle)
    day, dossier_id = timezone.localdate(), circle.entry.dossier.pk
    before = versions.read(dossier_id, day)
    assert before == versions.read(dossier_id, day)
    with connection.cursor() as cursor:
        key = connection.introspection.get_primary_key_column(cursor, table)
        cursor.execute(f'UPDATE {table} SET "{key}" = "{key}"')  # noqa: S608 - our own names
        assert cursor.rowcount
    assert versions.read(dossier_id, day) != before


def test_a_state_is_never_written_without_its_habilitation(circle):
    day, dossier_id = timezone.localdate(), circle.entry.dossier.pk
    before, changes = versions.read(dossier_id, day), StateChange.objects.count()
    actions.set_habilitation(circle.entry, circle.first, "non")
    assert StateChange.objects.count() > changes
    assert versions.read(dossier_id, day) != before


def test_an_invitation_ends_with_the_clock(circle):
    invitation = invited(circle)
    day, dossier_id = timezone.localdate(), circle.entry.dossier.pk
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=Now() + dt.timedelta(milliseconds=1))
    with connection.cursor() as cursor:
        # The clock of a transaction stands still: what is compared is the same row before and after its end.
        cursor.execute("SELECT concat(xmin, ctid) FROM circle_invitation WHERE id = %s", [invitation.pk])
        row = cursor.fetchone()[0]
    assert f"{row}f" in versions.read(dossier_id, day)


def test_a_circle_is_read_again_only_when_it_has_changed(circle, django_assert_num_queries):
    entry = door.look(circle.entry.user, circle.entry.dossier.pk)
    forget()
    Member.objects.rows(entry)
    with django_assert_num_queries(1):
        first = Member.objects.rows(entry)
    first.clear()
    assert Member.objects.rows(entry), "what is kept is not what was handed out"
    actions.set_discreet(circle.entry, circle.second, True)
    with django_assert_num_queries(2):
        Member.objects.rows(entry)


def test_what_changes_while_it_is_read_is_not_kept_as_what_was(circle, monkeypatch):
    """A delegate named between the two statements and gone since: the versions are again those of before."""
    reader = (circle.entry.user, circle.entry.dossier.pk)
    forget()
    before = read(*reader)
    forget()
    real, named = versions.read, []

    def somebody_writes(*asked):
        said = real(*asked)
        named.append(add_delegate(circle.house, make.account(), by=make.UserFactory(administrator=True)))
        return said

    with monkeypatch.context() as patch:
        patch.setattr(versions, "read", somebody_writes)
        Member.objects.rows(door.look(*reader))
    Delegate.objects.filter(pk__in=[one.pk for one in named]).update(ended_at=timezone.now())
    assert read(*reader) == before


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
