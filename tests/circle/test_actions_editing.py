"""Editing with two people, refusals, leaving and coming back, linking a hand entry to the directory."""

import datetime as dt
import uuid
from dataclasses import astuple, replace

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from circle import actions, history
from circle.errors import (
    AlreadyMember,
    MemberUnknown,
    NameMissing,
    NothingToUndo,
    NotManual,
    NotPresent,
    RemovalReasonMissing,
    RemovalTooOld,
    RoleNotPossible,
)
from circle.models import Change, Member, Period, RoleHolding
from coordination.dossiers.errors import ChangedMeanwhile, DossierUnknown
from habilitations.errors import (
    AlreadyRefused,
    CollectedUnknown,
    GrantNotAllowed,
    OwnHabilitation,
    RefusalDateNotPossible,
    RefusalStands,
)
from habilitations.models import Habilitation, StateChange
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def today():
    return timezone.localdate()


def refusal(**said):
    return {"refused_on": today(), "collected": "oral", "comment": ""} | said


def withdrawal(**said):
    return {"withdrawn_on": today(), "collected": "ecrit"} | said


@pytest.fixture
def doctor(matrix):
    return make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M")


@pytest.fixture
def member(entry, doctor):
    return make.add(entry, doctor.attachment.professional, role="PCP", wanted="oui")


# ---- the sheet -------------------------------------------------------------------------------------


@pytest.mark.req("REL-11")
def test_second_editor_sees_both_texts_and_nothing_is_overwritten(entry, doctor, member):
    relative = make.relative(entry)
    actions.update_member(entry, relative, version=1, fields={"mobile": "06 39 98 41 07", "description": "Le soir"})
    with pytest.raises(ChangedMeanwhile) as caught:
        actions.update_member(make.entry_of(doctor, entry), relative, version=1, fields={"mobile": "06 39 98 41 08"})
    assert caught.value.current == {"mobile": "+33639984107"}
    assert caught.value.who == "EXEMPLE-LARRIEU Maëlle"
    relative.refresh_from_db()
    assert (relative.mobile, relative.version) == ("+33639984107", 2)


def test_each_field_changed_is_a_line_of_history(entry):
    relative = make.relative(entry)
    actions.update_member(entry, relative, version=1, fields={"mobile": "06 39 98 41 07", "given_name": "Karim"})
    line = Change.objects.with_names().get(kind="modification")
    assert history.sentence(history.told_of(line)) == (
        "EXEMPLE-LARRIEU Maëlle a modifié la fiche : MODÈLE Karim, numéro de mobile "
        "« 06\xa039\xa098\xa020\xa055 » devient « 06\xa039\xa098\xa041\xa007 »."
    )
    with pytest.raises(NameMissing):
        actions.update_member(entry, relative, version=2, fields={"family_name": " "})


def test_member_of_another_dossier_or_hidden_is_unknown(entry, coordinator):
    other = make.open_circle(coordinator)
    stranger = make.relative(other)
    for act in (
        lambda: actions.update_member(entry, stranger, version=1, fields={}),
        lambda: actions.set_habilitation(entry, stranger, "non"),
        lambda: actions.remove_member(entry, stranger, reason="fin"),
        lambda: actions.change_role(entry, stranger, role="ECON"),
        lambda: actions.set_discreet(entry, stranger, True),
    ):
        with pytest.raises(MemberUnknown):
            act()
    hidden = make.add(entry, discreet=True)
    worker = make.account(make.SOCIAL)
    make.add(entry, worker.attachment.professional, role="AGNT", wanted="oui")
    with pytest.raises(MemberUnknown):
        actions.set_discreet(make.entry_of(worker, entry), hidden, False)


def test_discreet_and_back(entry):
    member = make.add(entry)
    actions.set_discreet(entry, member, True)
    assert Member.objects.row(entry, member.pk).discreet
    actions.set_discreet(entry, member, True)
    assert Change.objects.filter(subject="discret").count() == 1


def test_workplace_of_a_linked_member_may_change_among_his_own(entry, member):
    second = make.ActivityFactory(professional=member.professional, profession="10", structure_name="Maison Exemple")
    actions.update_member(entry, member, version=1, fields={"activity": second, "mobile": "06 39 98 00 01"})
    row = Member.objects.row(entry, member.pk)
    assert (row.structure_name, row.mobile, row.version) == ("Maison Exemple", "+33639980001", 2)
    nurse_post = make.ActivityFactory(professional=member.professional, profession="60")
    with pytest.raises(RoleNotPossible, match="Changez d’abord le rôle"):
        actions.update_member(entry, member, version=2, fields={"activity": nurse_post})


# ---- refusal and habilitation ----------------------------------------------------------------------


@pytest.mark.req("SEC-5", "SEC-4")
def test_refusal_closes_access_at_the_next_request(entry, doctor, member):
    assert make.entry_of(doctor, entry).access.can_write("medical")
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)


def test_refusal_must_be_withdrawn_before_habilitating_again(entry, doctor, member):
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    for wanted in ("oui", "non"):
        with pytest.raises(RefusalStands, match=f"Le patient a refusé le partage le {today():%d/%m/%Y}"):
            actions.set_habilitation(entry, member, wanted)
    with pytest.raises(AlreadyRefused):
        actions.set_habilitation(entry, member, "refus", refusal=refusal())
    actions.set_habilitation(entry, member, "non", withdrawal=withdrawal())
    assert Habilitation.objects.get(pk=member.habilitation_id).state == "non"
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)
    actions.set_habilitation(entry, member, "oui", rests=make.team())
    assert make.entry_of(doctor, entry).access.profile == "medecin"
    changes = StateChange.objects.filter(habilitation=member.habilitation_id).order_by("at", "id")
    assert [c.after for c in changes] == ["oui", "refus", "non", "oui"]


def test_refusal_withdrawn_and_habilitated_in_one_answer(entry, member):
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    actions.set_habilitation(entry, member, "oui", withdrawal=withdrawal(), rests=make.team())
    assert Habilitation.objects.get(pk=member.habilitation_id).state == "oui"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"refused_on": dt.date(2999, 1, 1)}, RefusalDateNotPossible),
        ({"collected": "telepathie"}, CollectedUnknown),
    ],
)
def test_refusal_is_dated_and_collected(entry, member, said, error):
    with pytest.raises(error), transaction.atomic():
        actions.set_habilitation(entry, member, "refus", refusal=refusal(**said))
    with pytest.raises(CollectedUnknown), transaction.atomic():
        actions.set_habilitation(entry, member, "refus")
    assert Habilitation.objects.get(pk=member.habilitation_id).state == "oui"


def test_withdrawal_does_not_precede_the_refusal(entry, member):
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    with pytest.raises(RefusalDateNotPossible, match="précéder"):
        actions.set_habilitation(entry, member, "non", withdrawal=withdrawal(withdrawn_on=today() - DAY))


def test_nobody_withdraws_a_refusal_that_concerns_himself(entry, doctor, member):
    """Reached through a structure: his own refusal shuts the door before; the action refuses too."""
    theirs = make.entry_of(doctor, entry)
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    with pytest.raises(OwnHabilitation):
        actions.set_habilitation(theirs, member, "non", withdrawal=withdrawal())


@pytest.mark.req("SEC-2")
def test_refusal_wins_over_the_structure_even_after_the_member_has_left(entry, doctor, member):
    house = make.legal_structure(doctor)
    make.add_house(entry, house, wanted="oui")
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)
    actions.remove_member(entry, member, reason="souhait")
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)
    back = make.add(entry, doctor.attachment.professional, role="PROV", wanted="non", creation_key=uuid.uuid4())
    assert back.habilitation.state == "refus"


@pytest.mark.req("SEC-2")
def test_refusal_noted_before_the_account_exists_is_found_by_it(entry):
    from coordination.directory.actions import attach_account
    from habilitations.actions import vouch_profession

    someone = make.listed(make.DOCTOR)
    make.add(entry, someone, wanted="refus", refusal=refusal())
    user = make.UserFactory()
    make.add_house(entry, make.legal_structure(user), wanted="oui")
    attach_account(user, someone, by=entry.user)
    vouch_profession(user, profession="10", how="annuaire", by=None)
    with pytest.raises(DossierUnknown):
        make.entry_of(user, entry)


def test_relative_may_be_refused_too(entry):
    member = make.relative(entry)
    actions.set_habilitation(entry, member, "refus", refusal=refusal())
    assert Member.objects.row(entry, member.pk).access.phrase == "Refus du patient"


def test_the_database_refuses_what_contradicts_itself(entry, member):
    rows = Habilitation.objects.filter(pk=make.relative(entry).habilitation_id)
    with pytest.raises(IntegrityError, match="granted_means_someone_can_enter"), transaction.atomic():
        rows.update(state="oui")
    refused = actions.set_habilitation(entry, member, "refus", refusal=refusal()).habilitation.refusals.get()
    with pytest.raises(IntegrityError, match="one_standing_refusal"), transaction.atomic():
        type(refused).objects.create(
            dossier=entry.dossier, habilitation=member.habilitation, refused_on=today(), collected="oral",
            recorded_by=entry.user,
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="refusal_withdrawn_after"), transaction.atomic():
        type(refused).objects.update(withdrawn_on=today() - DAY)
    twin = {"dossier": entry.dossier, "user": member.habilitation.user, "state_by": entry.user}
    with pytest.raises(IntegrityError, match="one_open_habilitation_per_account"), transaction.atomic():
        Habilitation.objects.create(**twin)


# ---- leaving and coming back -----------------------------------------------------------------------


@pytest.mark.req("CDS-71")
def test_removal_ends_period_role_and_access_and_is_undone_as_it_was(entry, doctor, member):
    before = Member.objects.row(entry, member.pk)
    period = actions.remove_member(entry, member, reason="depart", note="Part à Albi")
    assert (period.ends_on, period.get_end_reason_display()) == (today(), "Départ ou changement de lieu d’exercice")
    assert [row.name for row in Member.objects.rows(entry)] == ["EXEMPLE-LARRIEU Maëlle"]
    assert [row.name for row in Member.objects.rows(entry, past=True)] == ["TESTARD Paul"]
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)
    actions.undo_removal(entry, member)
    after = Member.objects.row(entry, member.pk)
    assert astuple(replace(after, version=before.version)) == astuple(before)
    assert make.entry_of(doctor, entry).access.profile == "medecin"
    with pytest.raises(NothingToUndo):
        actions.undo_removal(entry, member)


def test_role_taken_meanwhile_is_not_given_back(entry, member):
    actions.remove_member(entry, member, reason="fin")
    make.add(entry, make.listed(make.DOCTOR, family_name="MODÈLE"), role="PCP")
    actions.undo_removal(entry, member)
    assert Member.objects.row(entry, member.pk).role == "Médecin"
    assert RoleHolding.objects.filter(role="PCP", ends_on=None).count() == 1
    sentences = [history.sentence(history.told_of(c)) for c in Change.objects.with_names()]
    assert "TESTARD Paul ne retrouve pas le rôle « Médecin traitant », repris entre-temps." in sentences


def test_undo_is_possible_for_thirty_days(entry, member):
    actions.remove_member(entry, member, reason="fin")
    Period.objects.filter(member=member).update(ended_at=timezone.now() - 31 * DAY)
    with pytest.raises(RemovalTooOld):
        actions.undo_removal(entry, member)


@pytest.mark.req("CDS-26")
def test_who_comes_back_has_a_second_period_on_the_same_row(entry, member):
    Period.objects.filter(member=member).update(starts_on=today() - 90 * DAY)
    RoleHolding.objects.filter(member=member).update(starts_on=today() - 90 * DAY)
    actions.remove_member(entry, member, reason="fin")
    back = make.add(entry, member.professional, role="PROV", wanted="non")
    assert back == member
    assert list(member.periods.order_by("starts_on").values_list("ends_on", flat=True)) == [today(), None]
    row = Member.objects.row(entry, member.pk)
    assert (row.state, row.access.detail) == ("non", "Ajouté sans habilitation")
    assert {r.name for r in Member.objects.rows(entry, today() - 30 * DAY)} == {"TESTARD Paul"}


def test_removal_needs_the_right_a_reason_and_the_version_read(entry, member):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    with pytest.raises(GrantNotAllowed):
        actions.remove_member(make.entry_of(nurse, entry), member, reason="fin")
    with pytest.raises(RemovalReasonMissing):
        actions.remove_member(entry, member, reason="")
    with pytest.raises(ChangedMeanwhile):
        actions.remove_member(entry, member, reason="fin", version=99)
    actions.remove_member(entry, member, reason="fin", version=1)
    with pytest.raises(NotPresent):
        actions.remove_member(entry, member, reason="fin")
    with pytest.raises(NotPresent):
        actions.set_habilitation(entry, member, "oui", rests=make.team())


def test_one_may_leave_by_oneself(entry, doctor, member):
    actions.remove_member(make.entry_of(doctor, entry), member, reason="fin")
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)


def test_periods_do_not_overlap_nor_end_before_they_start_nor_without_a_reason(entry, member):
    common = {"dossier": entry.dossier, "member": member, "started_by": entry.user}
    with pytest.raises(IntegrityError, match="member_periods_do_not_overlap"), transaction.atomic():
        Period.objects.create(starts_on=today() + DAY, **common)
    with pytest.raises(IntegrityError, match="range lower bound|period_ends_after_it_starts"), transaction.atomic():
        Period.objects.filter(member=member).update(ends_on=today() - DAY, end_reason="fin")
    with pytest.raises(IntegrityError, match="ended_period_has_a_reason"), transaction.atomic():
        Period.objects.filter(member=member).update(ends_on=today())


# ---- from hand entry to the directory --------------------------------------------------------------


def test_hand_entry_is_linked_to_the_directory_and_may_then_be_granted(entry):
    member = make.by_hand(entry)
    nurse = make.account(family_name="SPÉCIMEN", given_name="Inès")
    linked = actions.link_to_directory(entry, member, professional=nurse.attachment.professional)
    assert (linked.pk, linked.kind) == (member.pk, "annuaire")
    row = Member.objects.row(entry, member.pk)
    assert (row.phone, row.town, row.user_id) == ("+33536491040", "Carmaux", nurse.pk)
    assert member.periods.count() == 1
    actions.set_habilitation(entry, linked, "oui", rests=make.team())
    assert make.entry_of(nurse, entry).access.profile == "infirmier"
    with pytest.raises(NotManual):
        actions.link_to_directory(entry, linked, professional=nurse.attachment.professional)


def test_link_refuses_who_is_already_there_and_who_cannot_hold_the_role(entry, member):
    by_hand = make.by_hand(entry, profession="10")
    with pytest.raises(AlreadyMember, match="TESTARD Paul"), transaction.atomic():
        actions.link_to_directory(entry, by_hand, professional=member.professional)
    actions.hand_over_role(entry, role="PCP", from_member=member, to_member=by_hand, starts_on=today())
    with pytest.raises(RoleNotPossible), transaction.atomic():
        actions.link_to_directory(entry, by_hand, professional=make.listed("60"))
