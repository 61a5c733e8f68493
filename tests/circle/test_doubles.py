"""Two entries of the directory merged later: a circle that held both shows it, and a person joins them."""

import datetime as dt
import itertools

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.errors import AlreadyMember, NotDouble
from circle.models import Member, RoleHolding
from coordination.directory.actions import merge_structure
from habilitations.access import to_dossier
from habilitations.actions import add_delegate
from habilitations.errors import GrantNotAllowed, RefusalStands
from habilitations.models import Consent
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
SAID = "est deux fois dans le cercle"


@pytest.fixture
def houses(db):
    """One typed for the coordination, one the directory keeps; both may sign in."""
    delegate = make.account()
    typed = make.legal_structure(delegate, name="SAAD saisi")
    return typed, make.legal_structure(delegate, name="SAAD MODÈLE"), delegate


@pytest.fixture
def screen(client, entry):
    client.force_login(entry.user)
    url = reverse("circle:list", args=[entry.dossier.pk])
    client.list = lambda query="": client.get(url + query).content.decode().replace("&#39;", "'")
    client.join = lambda member: client.post(reverse("circle:join", args=[entry.dossier.pk, member.pk]))
    return client


def merge(entry, houses):
    merge_structure(houses[0], houses[1], by=entry.user)


def refuse(entry, member):
    refusal = {"refused_on": timezone.localdate(), "collected": "ecrit", "comment": "Courrier"}
    return actions.set_habilitation(entry, member, "refus", refusal=refusal)


def here(entry):
    return {row.id: row for row in Member.objects.rows(entry) if row.kind == "structure"}


def test_the_list_says_it_once_the_directory_has_merged_them(screen, entry, houses):
    older, newer = make.add_house(entry, houses[0]), make.add_house(entry, houses[1])
    assert SAID not in screen.list()
    merge(entry, houses)
    page = screen.list()
    assert f"SAAD MODÈLE {SAID}" in page
    joins = [reverse("circle:join", args=[entry.dossier.pk, each.pk]) for each in (older, newer)]
    assert any(f'action="{url}"' in page for url in joins)
    # The past is read, not changed.
    assert SAID not in screen.list("?afficher=partis")


def test_two_structures_of_one_name_are_no_double(screen, entry):
    one, two = (make.add_house(entry, make.StructureFactory(name="PHARMACIE DU TEST")) for _ in range(2))
    assert SAID not in screen.list()
    with pytest.raises(NotDouble):
        actions.join_doubles(entry, one)
    with pytest.raises(NotDouble):
        actions.join_doubles(entry, make.relative(entry))
    assert set(here(entry)) == {one.pk, two.pk}


def test_one_click_joins_them_and_one_more_puts_them_back(screen, entry, houses):
    older = make.add_house(entry, houses[0], role="AIDE_DOMICILE")
    newer = make.add_house(entry, houses[1])
    merge(entry, houses)
    before = here(entry)
    assert screen.join(older).status_code == 303
    page = screen.list()
    assert "Les deux entrées de SAAD MODÈLE sont réunies." in page
    today = f"{timezone.localdate():%d/%m/%Y}"
    assert f"Celle qui était là depuis le {today} quitte le cercle de soins le {today}." in page
    assert "Celle qui reste prend le rôle « Aide à domicile »." in page
    assert SAID not in page
    (row,) = here(entry).values()
    assert (row.id, row.role) == (newer.pk, "Aide à domicile")
    undo = reverse("circle:undo_removal", args=[entry.dossier.pk, older.pk])
    assert undo in page
    screen.post(undo)
    assert {id: (row.role, row.state) for id, row in here(entry).items()} == {
        id: (row.role, row.state) for id, row in before.items()
    }
    assert RoleHolding.objects.filter(ends_on=None, role="AIDE_DOMICILE").count() == 1
    assert SAID in screen.list()


def test_the_history_tells_it(entry, houses):
    older, _ = make.add_house(entry, houses[0], role="AIDE_DOMICILE"), make.add_house(entry, houses[1])
    merge(entry, houses)
    actions.join_doubles(entry, older)
    kinds = list(older.changes.order_by("at", "id").values_list("kind", "subject"))
    assert kinds[-1] == ("retrait", "Doublon d’une autre entrée")


def test_who_has_an_access_stays(entry, houses):
    older, newer = make.add_house(entry, houses[0], wanted="oui"), make.add_house(entry, houses[1])
    merge(entry, houses)
    assert actions.join_doubles(entry, newer)[:2] == (older, newer)
    assert to_dossier(houses[2], entry.dossier.pk) is not None


def test_each_keeps_its_own_role_when_both_have_one(entry, houses):
    older = make.add_house(entry, houses[0], role="AIDE_DOMICILE")
    make.add_house(entry, houses[1], role="PORTAGE_REPAS")
    merge(entry, houses)
    actions.join_doubles(entry, older)
    (row,) = here(entry).values()
    assert row.role == "Portage de repas"


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("refused_first", [True, False])
def test_a_refusal_survives(entry, houses, refused_first):
    older, newer = make.add_house(entry, houses[0]), make.add_house(entry, houses[1])
    refuse(entry, older if refused_first else newer)
    merge(entry, houses)
    stays, left, *_ = actions.join_doubles(entry, older)
    assert stays == newer
    (row,) = here(entry).values()
    assert (row.state, row.access.detail.split(",")[0]) == ("refus", f"Noté le {timezone.localdate():%d/%m/%Y}")
    standing = stays.habilitation.refusals.get(withdrawn_at=None)
    assert (standing.collected, standing.comment) == ("ecrit", "Courrier")
    with pytest.raises(RefusalStands):
        actions.set_habilitation(entry, stays, "oui", rests=make.team())
    # Put back, the double is not a way round it.
    back = actions.undo_removal(entry, left).member
    with pytest.raises(RefusalStands):
        actions.set_habilitation(entry, back, "oui", rests=make.team())


@pytest.mark.req("SEC-5")
def test_it_is_withdrawn_once_for_both(entry, houses):
    older, _ = make.add_house(entry, houses[0]), make.add_house(entry, houses[1])
    refuse(entry, older)
    merge(entry, houses)
    stays, left, *_ = actions.join_doubles(entry, older)
    withdrawal = {"withdrawn_on": timezone.localdate(), "collected": "oral"}
    actions.set_habilitation(entry, stays, "oui", withdrawal=withdrawal, rests=make.team())
    assert stays.habilitation.__class__.objects.get(pk=stays.habilitation_id).state == "oui"
    left.habilitation.refresh_from_db()
    assert left.habilitation.state == "non"
    assert not left.habilitation.refusals.filter(withdrawn_at=None).exists()


def take_back(entry, member):
    return actions.end_consent(entry, member, end="retrait", ended_on=timezone.localdate(), collected="oral")


def facts(*members):
    """What the last fact of each says of its end."""
    return [Consent.objects.current().get(habilitation=member.habilitation_id).end for member in members]


@pytest.mark.req("SEC-4")
def test_a_consent_taken_back_from_one_entry_closes_the_other(entry, houses):
    older, newer = (make.add_house(entry, house, wanted="oui") for house in houses[:2])
    merge(entry, houses)
    assert to_dossier(houses[2], entry.dossier.pk) is not None
    take_back(entry, older)
    assert to_dossier(houses[2], entry.dossier.pk) is None
    assert facts(older, newer) == ["retrait", "retrait"]
    for member in (older, newer):
        assert (member.changes.order_by("at", "id").last().subject) == "accord retiré"
    # What the person says again of one opens by that one.
    actions.record_consent(entry, newer, **make.team())
    assert to_dossier(houses[2], entry.dossier.pk) is not None
    assert facts(older, newer) == ["retrait", ""]


@pytest.mark.req("SEC-4")
def test_leaving_the_team_under_one_entry_is_not_a_withdrawal_of_the_other(entry, houses):
    older, newer = (make.add_house(entry, house, wanted="oui") for house in houses[:2])
    merge(entry, houses)
    actions.end_consent(entry, older, end="fin", ended_on=timezone.localdate())
    assert facts(older, newer) == ["fin", ""]


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("first", [0, 1])
def test_a_consent_taken_back_before_the_merge_survives_it(entry, houses, first):
    members = [make.add_house(entry, house, wanted="oui") for house in houses[:2]]
    take_back(entry, members[first])
    assert to_dossier(houses[2], entry.dossier.pk) is not None
    merge(entry, houses)
    left = actions.join_doubles(entry, members[0]).left
    assert to_dossier(houses[2], entry.dossier.pk) is None
    # Put back, the double is not a way round it.
    actions.undo_removal(entry, left)
    assert to_dossier(houses[2], entry.dossier.pk) is None


@pytest.mark.req("SEC-4", "SEC-5")
@pytest.mark.parametrize("said", [take_back, refuse])
def test_what_she_says_once_they_are_joined_holds_for_the_double_put_back(entry, houses, said):
    for house in houses[:2]:
        make.add_house(entry, house, wanted="oui")
    merge(entry, houses)
    stays, left, *_ = actions.join_doubles(entry, Member.objects.get(structure=houses[0]))
    assert to_dossier(houses[2], entry.dossier.pk) is not None
    said(entry, stays)
    assert to_dossier(houses[2], entry.dossier.pk) is None
    actions.undo_removal(entry, left)
    assert to_dossier(houses[2], entry.dossier.pk) is None


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("when", ["before", "both here", "joined"])
def test_what_she_opposes_to_one_entry_is_closed_to_the_double_put_back(entry, houses, when):
    """The delegate of each: what is closed to one entry is closed to who enters by the other."""
    older, newer = (make.add_house(entry, house, wanted="oui") for house in houses[:2])
    of_older, of_newer = make.account(), make.account()
    for house, user in zip(houses, (of_older, of_newer), strict=False):
        add_delegate(house, user, by=make.UserFactory(administrator=True))

    def oppose():
        said = {"refused_on": timezone.localdate(), "collected": "oral"}
        actions.record_opposition(entry, rubrique="social", member=stays, **said)

    def reads():
        found = (to_dossier(user, entry.dossier.pk) for user in (of_older, of_newer))
        return [access is not None and access.can_read("social") for access in found]

    stays, left = older, newer
    assert reads() == [True, True]
    if when == "before":
        oppose()
    merge(entry, houses)
    if when == "both here":
        oppose()
        assert reads() == [False, False]
    stays, left, *_ = actions.join_doubles(entry, older)
    if when == "joined":
        oppose()
    actions.undo_removal(entry, left)
    assert reads() == [False, False]


@pytest.mark.req("SEC-5")
def test_what_she_opposed_follows_the_structure_under_its_other_name(entry, houses):
    older = make.add_house(entry, houses[0], wanted="oui")
    said = {"refused_on": timezone.localdate(), "collected": "oral"}
    actions.record_opposition(entry, rubrique="social", member=older, **said)
    actions.remove_member(entry, older, reason="fin")
    merge(entry, houses)
    newer = make.add_house(entry, houses[1], wanted="oui")
    found = to_dossier(houses[2], entry.dossier.pk)
    assert found.can_read("cercle") and not found.can_read("social")
    assert newer.changes.get(kind="reduction").subject == "Volet social"


@pytest.mark.req("PEERS-RULE-7")
def test_a_discreet_entry_stays_discreet(entry, houses):
    _, newer = make.add_house(entry, houses[0], discreet=True), make.add_house(entry, houses[1])
    merge(entry, houses)
    stays = actions.join_doubles(entry, newer).stays
    assert Member.objects.get(pk=stays.pk).discreet


def test_who_may_not_remove_may_not_join(client, entry, houses):
    older, _ = make.add_house(entry, houses[0]), make.add_house(entry, houses[1])
    merge(entry, houses)
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    with pytest.raises(GrantNotAllowed):
        actions.join_doubles(make.entry_of(nurse, entry), older)
    client.force_login(nurse)
    assert SAID not in client.get(reverse("circle:list", args=[entry.dossier.pk])).content.decode()


def test_a_structure_is_not_added_again_under_its_other_name(client, entry, houses):
    older = make.add_house(entry, houses[0])
    merge(entry, houses)
    with pytest.raises(AlreadyMember):
        make.add_house(entry, houses[1])
    client.force_login(entry.user)
    answer = client.get(reverse("circle:choose_structure", args=[entry.dossier.pk, houses[1].pk]))
    assert answer.url == reverse("circle:member", args=[entry.dossier.pk, older.pk])


def test_a_second_click_finds_nothing_to_join(screen, entry, houses):
    older, newer = make.add_house(entry, houses[0]), make.add_house(entry, houses[1])
    merge(entry, houses)
    screen.join(older)
    assert screen.join(newer).status_code == 303
    assert "n’est plus deux fois" in screen.list()
    assert list(here(entry)) == [newer.pk]


@pytest.mark.parametrize("chain", [("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")])
def test_however_many_merges_they_are_one_structure(screen, entry, chain):
    houses = [make.legal_structure(name=f"SAAD {name}") for name in chain]
    make.add_house(entry, houses[0])
    make.add_house(entry, houses[-1])
    for one, into in itertools.pairwise(houses):
        merge_structure(one, into, by=entry.user)
    assert SAID in screen.list()


def test_undoing_takes_back_what_the_join_gave_and_nothing_else(entry, houses):
    older, newer = make.add_house(entry, houses[0], role="AIDE_DOMICILE"), make.add_house(entry, houses[1])
    merge(entry, houses)
    left = actions.join_doubles(entry, older).left
    actions.change_role(entry, newer, role="PORTAGE_REPAS")
    # The same role again, by a decision of its own.
    actions.change_role(entry, newer, role="AIDE_DOMICILE")
    actions.undo_removal(entry, left)
    assert {row.id: row.role for row in here(entry).values()} == {
        older.pk: "Aide à domicile",
        newer.pk: "Aide à domicile",
    }


def test_what_undoing_takes_back_is_told(entry, houses):
    older, newer = make.add_house(entry, houses[0], role="AIDE_DOMICILE"), make.add_house(entry, houses[1])
    merge(entry, houses)
    actions.undo_removal(entry, actions.join_doubles(entry, older).left)
    last = newer.changes.order_by("at", "id").last()
    assert (last.kind, last.before, last.after) == ("role", "Aide à domicile", "")


def test_what_was_planned_is_not_carried_over_and_it_is_said(screen, entry, houses):
    older = make.add_house(entry, houses[0], role="AIDE_DOMICILE")
    make.add_house(entry, houses[1])
    day = timezone.localdate() + dt.timedelta(days=9)
    actions.change_role(entry, older, role="PORTAGE_REPAS", starts_on=day)
    merge(entry, houses)
    screen.join(older)
    assert f"Le rôle « Portage de repas » prévu à partir du {day:%d/%m/%Y} n’est pas repris." in (
        screen.list().replace("\xa0", " ").replace("'", "’")
    )


def test_a_double_leaves_by_being_joined(client, entry, houses):
    older = make.add_house(entry, houses[0])
    client.force_login(entry.user)
    url = reverse("circle:remove", args=[entry.dossier.pk, older.pk])
    assert 'value="doublon"' not in client.get(url).content.decode()
    assert client.post(url, {"reason": "doublon", "version": older.version}).status_code == 422
