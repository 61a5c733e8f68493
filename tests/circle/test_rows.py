"""What each reader sees of a circle: rule 7, any past day, words of access, and the number of statements."""

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from circle import actions, summaries
from circle.models import Change, Invitation, Member, Period, RoleHolding
from circle.views.drawing import access_acts
from circle.views.pages import links_of_nobody
from circle.wording import AUCUN, ECRITURE, LECTURE, RESTED, Facts, access_in_words, kinship
from coordination.directory.actions import merge_structure
from coordination.dossiers.models import Visit
from habilitations import published
from habilitations.models import Habilitation, StateChange
from tests.accounts.factories import PASSWORD
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def today():
    return timezone.localdate()


def inside(entry, profession, fonction="", structure=None, **person):
    """Return the entry of a new habilitated member of this profession."""
    user = make.account(profession, fonction, structure, **person)
    make.add(entry, user.attachment.professional, role="AGNT", wanted="oui")
    return make.entry_of(user, entry)


def names(entry, **asked):
    return [row.name for row in Member.objects.rows(entry, **asked)]


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.parametrize(("profession", "sees"), [("60", True), ("10", True), ("41", False), ("51", False)])
def test_discreet_member_is_for_who_reads_the_medical_rubric(entry, profession, sees):
    hidden = make.add(entry, make.listed(family_name="SECRET"), discreet=True)
    reader = inside(entry, profession)
    assert ("SECRET Sonia" in names(reader)) is sees
    assert (Member.objects.row(reader, hidden.pk) is not None) is sees
    assert Change.objects.visible_to(reader.access).filter(member=hidden).exists() is sees
    assert any("SECRET" in line.sentence for line in summaries.news(reader, timezone.now() - DAY)) is sees
    Visit.objects.create(user=reader.user, dossier=entry.dossier, seen_at=timezone.now() - DAY)
    told = summaries.news_counts(reader.user, [entry.dossier.pk])[entry.dossier.pk].main
    count = Change.objects.visible_to(reader.access).exclude(by=reader.user).count()
    assert told == f"{count}\xa0changements dans le cercle"


def test_a_town_of_the_national_files_reads_as_in_the_search(entry):
    someone = make.listed(family_name="ESSAI")
    someone.activities.update(town="VIELMUR-SUR-AGOUT", structure_name="CABINET ESSAI")
    row = Member.objects.row(entry, make.add(entry, someone).pk)
    assert row.town == "Vielmur-sur-Agout"
    assert row.second.endswith("CABINET ESSAI, Vielmur-sur-Agout")


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.parametrize("profession", ["42", "36"])
def test_reduced_circle_gives_function_and_phone_of_three_kinds_only(entry, profession):
    own = make.StructureFactory(name="SAAD Exemple", phone="+33536498100")
    make.add_house(entry, own, role="AIDE_DOMICILE")
    make.add_house(entry)
    make.relative(entry, role="ECON", email="k@exemple.example")
    make.relative(entry, role="AIDANT_PRINCIPAL", family_name="AUTRE", given_name="Lou")
    make.add(entry, make.listed("10", family_name="TESTARD"), role="PCP")
    reader = inside(entry, profession, structure=own)
    rows = Member.objects.rows(reader)
    assert {(row.name, row.mobile or row.phone) for row in rows} == {
        ("Référente du parcours", "+33536491021"),
        ("Personne à prévenir en cas d’urgence", "+33639982055"),
        ("SAAD Exemple", "+33536498100"),
    }
    for row in rows:
        assert row.is_reduced
        assert row.access is None
        told = row.family_name + row.given_name + row.second + row.email + row.town + row.relation + row.description
        assert not {"EXEMPLE-LARRIEU", "MODÈLE", "exemple.example", "Carmaux"} & {w for w in told.split()}
    assert not Change.objects.visible_to(reader.access).exists()
    assert summaries.strip_referent(reader) is None
    assert summaries.referents(reader.user, [entry.dossier.pk]) == {}
    assert summaries.card(reader).facts["count"] is None


@pytest.mark.req("SEC-1")
def test_who_may_not_read_the_circle_gets_nothing(entry):
    user = make.account("26")
    make.add(entry, user.attachment.professional, wanted="oui")
    reader = make.entry_of(user, entry)
    assert reader.access.profile == "inconnu"
    assert Member.objects.rows(reader) == []
    assert summaries.news(reader, timezone.now() - DAY) == []


def test_the_circle_on_any_past_day(entry):
    monday = today() - 10 * DAY
    member = make.add(entry, make.listed("10", family_name="TESTARD"), role="PCP", starts_on=monday, wanted="oui")
    Period.objects.filter(member__kind="annuaire", starts_on=today()).update(starts_on=monday - DAY)
    RoleHolding.objects.filter(role="REFERENT").update(starts_on=monday - DAY)
    StateChange.objects.filter(habilitation=member.habilitation).update(at=timezone.now() - 5 * DAY)
    actions.remove_member(entry, member, reason="fin")
    assert names(entry, on=monday - 2 * DAY) == []
    assert names(entry, on=monday - DAY) == ["EXEMPLE-LARRIEU Maëlle"]
    assert names(entry, on=today() - DAY) == ["EXEMPLE-LARRIEU Maëlle", "TESTARD Sonia"]
    then = {row.name: row for row in Member.objects.rows(entry, monday)}["TESTARD Sonia"]
    assert (then.role, then.state) == ("Médecin traitant", "non")
    StateChange.objects.filter(habilitation=member.habilitation, after="attente").update(at=timezone.now() - 6 * DAY)
    StateChange.objects.filter(habilitation=member.habilitation, before="attente").update(at=timezone.now())
    later = {row.name: row for row in Member.objects.rows(entry, today() - DAY)}["TESTARD Sonia"]
    assert later.state == "attente"
    assert names(entry) == ["EXEMPLE-LARRIEU Maëlle"]
    assert names(entry, past=True) == ["TESTARD Sonia"]


@pytest.mark.req("PERF-3")
def test_one_statement_whatever_the_number_of_members(entry, django_assert_num_queries):
    """One more the first time that a process reads a circle as it is."""
    with django_assert_num_queries(2):
        Member.objects.rows(entry)
    with django_assert_num_queries(1):
        Member.objects.rows(entry)
    for n in range(8):
        user = make.account("60")
        make.add(entry, user.attachment.professional, wanted="oui")
        make.relative(entry, family_name="ABCDEFGH"[n] * 7)
    make.add_house(entry, make.legal_structure(make.account()), wanted="oui")
    with django_assert_num_queries(2):
        assert len(Member.objects.rows(entry)) == 18
    with django_assert_num_queries(1):
        assert len(Member.objects.rows(entry)) == 18
    with django_assert_num_queries(2):
        Member.objects.rows(entry, today() - DAY)
    with django_assert_num_queries(1):
        summaries.card(entry)
    with django_assert_num_queries(0):
        told = summaries.strip_referent(entry)
    with django_assert_num_queries(1):
        assert summaries.strip_referent(replace(entry, read={})) == told
    with django_assert_num_queries(1):
        summaries.news(entry, timezone.now() - DAY)
    with django_assert_num_queries(1):
        summaries.referents(entry.user, [entry.dossier.pk])


def test_order_is_professionals_structures_relatives_each_by_name(entry):
    make.relative(entry, family_name="ABEL", given_name="Luc")
    make.add_house(entry, make.StructureFactory(name="Âtre Exemple"))
    make.add(entry, make.listed(family_name="AARON"))
    assert names(entry) == ["AARON Sonia", "EXEMPLE-LARRIEU Maëlle", "Âtre Exemple", "ABEL Luc"]


def test_access_said_in_words(entry):
    coordinator = Member.objects.rows(entry)[0]
    assert coordinator.access[:3] == (ECRITURE, "Peut lire et écrire", "16\xa0rubriques sur 16, 13 en écriture")
    assert coordinator.access.levels == (2, 2, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 1, 1)
    member = make.add(entry, wanted="oui")
    waits = Member.objects.row(entry, member.pk).access
    assert (waits.value, waits.pending, waits.levels[0]) == ("attente", True, 1)
    actions.set_habilitation(entry, member, "non")
    assert Member.objects.row(entry, member.pk).access.detail == f"Accès suspendu le {today():%d/%m/%Y}"


def test_who_is_invited_and_where_the_invitation_stands(entry, django_assert_num_queries):
    invited = {"email": "i@cabinet.example", "message": ""}
    member = make.add(entry, make.listed(civility="MME"), wanted="oui", invitation=invited)

    def row():
        return Member.objects.row(entry, member.pk)

    with django_assert_num_queries(1):
        first = row()
    assert (first.invited, first.access.detail) == (True, f"Invitée le {today():%d/%m/%Y}, pas encore venue")
    past = timezone.now() - 20 * DAY
    Invitation.objects.update(sent_at=past, expires_at=past + 14 * DAY)
    assert (row().invited, row().access.detail) == (
        False, f"Invitée le {today() - 20 * DAY:%d/%m/%Y}, invitation expirée",
    )  # fmt: skip
    actions.resend_invitation(Invitation.objects.get(), by=entry.user, entry=entry)
    assert row().invited
    answered = actions.accept_with_new_account(
        Invitation.objects.get(), family_name="TOUTAUTRE", given_name="Nom", password=PASSWORD
    )
    assert not answered.enters
    assert (row().invited, row().access.detail) == (False, f"Venue le {today():%d/%m/%Y}, à confirmer")
    actions.decline_invitee(Invitation.objects.get(), by=entry.user, entry=entry)
    assert (row().invited, row().access.detail) == (False, "N’a pas encore de compte")
    yesterday = {r.id: r for r in Member.objects.rows(entry, today() - DAY)}
    assert member.pk not in yesterday or not yesterday[member.pk].invited


def test_who_waits_for_an_answer_is_not_offered_a_second_letter(entry):
    member = make.add(entry, wanted="oui", invitation={"email": "i@cabinet.example", "message": ""})

    def acts():
        return [act["label"] for act in access_acts(Member.objects.row(entry, member.pk), entry, links_of_nobody())]

    assert "Inviter par e-mail" not in acts()
    actions.revoke_invitation(Invitation.objects.get(), by=entry.user, entry=entry)
    assert "Inviter par e-mail" in acts()


def test_closed_account_or_ended_profession_has_no_access(entry):
    from habilitations.actions import end_profession

    user = make.account()
    member = make.add(entry, user.attachment.professional, wanted="oui")
    end_profession(user, by=entry.user)
    assert Member.objects.row(entry, member.pk).access[:3] == (AUCUN, "Pas d’accès", "Profession à confirmer")
    type(user).objects.filter(pk=user.pk).update(is_active=False, closed_at=timezone.now())
    assert Member.objects.row(entry, member.pk).access.detail == "Compte fermé"


def test_words_of_structures_and_small_profiles(matrix):
    current = published.current()

    def said(**facts):
        return access_in_words(Facts(rests=RESTED, **facts), current)

    volunteer = said(kind="annuaire", state="oui", account_open=True, vouched=("60", "346"))
    assert volunteer.detail == "Sa profession n’ouvre aucune rubrique"
    house = {"kind": "structure", "state": "oui"}
    assert said(**house).detail == "Ne peut plus se connecter"
    assert said(**house, can_sign_in=True).phrase == "Habilitée, aucun délégué"
    both = said(**house, can_sign_in=True, delegates=[["42", ""], ["60", ""]])
    assert both.phrase == "Habilitée, 2\xa0délégués"
    assert both.levels == said(kind="annuaire", state="oui", account_open=True, vouched=("60", "")).levels
    assert said(kind="annuaire", state="oui", account_open=True, vouched=("36", "")).value == LECTURE


def test_links_in_a_sentence():
    assert kinship("DAUC", "Fille") == "sa fille"
    assert kinship("NBOR", "Voisin(e)") == "voisin(e)"
    assert kinship("", "") == ""


def test_card_of_the_home_page(entry):
    make.relative(entry, role="AIDANT_PRINCIPAL", civility="MME", family_name="MARTIN", given_name="Claire")
    facts = summaries.card(entry).facts
    assert facts["count"] == 2
    assert facts["holders"] == [
        {"label": "Médecin traitant", "name": "", "phone": "", "unlisted": False},
        {"label": "Aidante principale", "name": "MARTIN Claire, sa fille", "phone": "+33639982055", "unlisted": False},
        {"label": "Personne de confiance", "name": "", "phone": "", "unlisted": False},
    ]
    assert facts["sentence"] == "1\xa0membre a accès."


def test_referent_is_told_in_the_strip_and_in_the_file_active(entry):
    assert summaries.strip_referent(entry) == {"label": "Référente du parcours", "name": "EXEMPLE-LARRIEU Maëlle"}
    assert summaries.referents(entry.user, [entry.dossier.pk])[entry.dossier.pk].main == "EXEMPLE-LARRIEU Maëlle"
    assert summaries.referents(entry.user, []) == {}


def test_no_member_is_shown_of_another_dossier(entry, coordinator):
    other = make.open_circle(coordinator)
    stranger = make.relative(other)
    assert Member.objects.row(entry, stranger.pk) is None
    assert len(Member.objects.rows(entry)) == 1
    assert Habilitation.objects.filter(dossier=entry.dossier).count() == 1


def test_a_merged_structure_is_shown_as_the_one_it_was_merged_into(entry, coordinator):
    """Nothing is rewritten: the member still points at the row it was added from, and reads as the chosen one."""
    local = make.StructureFactory(name="Ehpad des essais", source="local")
    middle = make.StructureFactory(name="EHPAD LES ESSAIS", source="local")
    national = make.StructureFactory(name="EHPAD LES ESSAIS DE L’AUTAN", finess="810000019", phone="+33536490001")
    member = make.add_house(entry, local)
    merge_structure(local, middle, by=coordinator)
    merge_structure(middle, national, by=coordinator)
    row = Member.objects.row(entry, member.pk)
    assert (row.name, row.phone) == (national.name, "+33536490001")
    assert row.structure_id == local.pk
