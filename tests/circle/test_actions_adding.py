"""Five ways in, who may, doubles, double submits, and what the form says before saving."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from circle import actions
from circle.actions.adding import main_activity
from circle.errors import (
    AlreadyMember,
    CodeUnknown,
    ContactMissing,
    CreatorNotInDirectory,
    FieldUnknown,
    LooksLikeDirectory,
    LooksLikeMember,
    NameMissing,
    RoleNotPossible,
)
from circle.granting import grant_answer, is_last_able_to_grant
from circle.models import Change, Member, Period
from circle.views.directory_member import find_candidate
from coordination.common.identifiers import InvalidName
from coordination.common.phones import InvalidPhone
from coordination.common.resending import AlreadySent
from coordination.dossiers import door
from coordination.dossiers.errors import DossierIsReadOnly, DossierUnknown
from coordination.dossiers.models import Dossier
from habilitations.errors import (
    AidantCannotBeGranted,
    LevelMissing,
    ManualCannotBeGranted,
    NotAllowed,
    OwnHabilitation,
    StructureCannotSignIn,
)
from habilitations.models import Habilitation, Refusal
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def said(entry, member):
    return Member.objects.row(entry, member.pk)


def test_creator_is_member_habilitated_and_referent_in_one_act(entry, coordinator):
    (row,) = Member.objects.rows(entry)
    assert (row.name, row.role, row.role_unique) == ("EXEMPLE-LARRIEU Maëlle", "Référente du parcours", True)
    assert row.access.phrase == "Peut lire et écrire"
    assert row.user_id == coordinator.pk
    assert list(Change.objects.values_list("kind", flat=True)) == ["ajout"]


def test_of_two_places_of_today_the_page_and_the_act_take_the_same(matrix):
    """The last that the directory came to know, whatever order the rows are stored in."""
    someone = make.listed()
    last = make.ActivityFactory(professional=someone, town="Albi")
    make.ActivityFactory(professional=someone, town="Castres", partner="Logiciel")
    for _ in range(2):
        assert find_candidate(someone.pk).activity == main_activity(someone) == last
        # Written again, a row goes to the end of its table.
        someone.activities.exclude(pk=last.pk).update(phone="")


def test_creation_twice_with_one_key_makes_one_dossier(matrix, coordinator):
    key = uuid.uuid4()
    said = {
        "traits": {
            "birth_name": "MODÈLE",
            "birth_given_names": "Anne",
            "sex": "female",
            "birth_date": dt.date(1950, 1, 2),
        },
        "contacts": {},
        "motif": "domicile",
    }
    first = actions.open_dossier(by=coordinator, creation_key=key, **said)
    second = actions.open_dossier(by=coordinator, creation_key=key, **said)
    assert first == second
    assert Member.objects.count() == 1


def test_who_has_no_right_creates_nothing(matrix):
    home_help = make.account("42")
    with pytest.raises(NotAllowed):
        make.open_circle(home_help)
    nobody = make.UserFactory()
    with pytest.raises(NotAllowed):
        make.open_circle(nobody)
    assert Dossier.objects.count() == 0


def test_creator_without_a_directory_entry_is_told(matrix):
    from tests.dossiers.factories import professional

    with pytest.raises(CreatorNotInDirectory):
        make.open_circle(professional("10"))


def test_professional_of_the_directory_stays_linked(entry):
    someone = make.listed(make.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M")
    member = make.add(entry, someone, role="PCP", description="Suit depuis 2019", wanted="oui")
    row = said(entry, member)
    assert (row.name, row.role, row.town, row.phone) == ("TESTARD Paul", "Médecin traitant", "Carmaux", "+33536491021")
    assert row.access.value == "attente"
    assert row.access.detail == "N’a pas encore de compte"
    someone.activities.update(town="Albi", ceased_at=timezone.now())
    row = said(entry, member)
    assert row.town == "Albi"
    assert row.ceased


def test_account_of_a_vouched_professional_enters_at_once(entry):
    doctor = make.account(make.DOCTOR)
    with pytest.raises(DossierUnknown):
        make.entry_of(doctor, entry)
    member = make.add(entry, doctor.attachment.professional, wanted="oui")
    assert member.habilitation.state == "oui"
    assert make.entry_of(doctor, entry).access.profile == "medecin"


def test_unvouched_account_waits_then_enters_when_vouched(entry):
    nurse = make.account(vouched=False)
    member = make.add(entry, nurse.attachment.professional, wanted="oui")
    assert member.habilitation.state == "attente"
    assert said(entry, member).access.detail == "Profession à confirmer"
    make.vouch(nurse)
    assert make.entry_of(nurse, entry).access.profile == "infirmier"


def test_who_may_add_but_not_grant_leaves_a_request(entry):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    theirs = make.entry_of(nurse, entry)
    doctor = make.account(make.DOCTOR)
    member = make.add(theirs, doctor.attachment.professional, wanted="oui")
    assert member.habilitation.state == "non"
    row = said(entry, member)
    assert row.requested
    assert Change.objects.filter(member=member, kind="demande").exists()
    actions.set_habilitation(entry, member, "oui", rests=make.team())
    row = said(entry, member)
    assert (row.state, row.requested) == ("oui", False)


def test_cadre_grants_in_his_own_structure_only(entry):
    house = make.StructureFactory(name="SESSAD Exemple")
    cadre = make.account(make.ROLE_ONLY, "333", structure=house)
    make.add(entry, cadre.attachment.professional, role="333", wanted="oui")
    theirs = make.entry_of(cadre, entry)
    colleague = make.account(make.SOCIAL, structure=house)
    stranger = make.account(make.SOCIAL)
    assert make.add(theirs, colleague.attachment.professional, role="AGNT", wanted="oui").habilitation.state == "oui"
    other = make.add(theirs, stranger.attachment.professional, role="AGNT", wanted="oui")
    assert other.habilitation.state == "non"
    assert said(entry, other).requested


@pytest.mark.parametrize("profession", ["42", "35", "40", "36"])
def test_profiles_that_only_read_the_circle_add_nobody(entry, profession):
    user = make.account(profession)
    make.add(entry, user.attachment.professional, wanted="oui")
    with pytest.raises(LevelMissing):
        make.add(make.entry_of(user, entry))


def test_adding_while_the_dossier_is_closed_is_refused(entry):
    Dossier.objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin")
    with pytest.raises(DossierIsReadOnly):
        make.add(entry)
    with pytest.raises(LevelMissing):
        make.add(door.look(entry.user, entry.dossier.pk))


def test_hand_entered_professional_is_tidied_and_cannot_be_granted(entry):
    member = make.by_hand(entry, town="carmaux", postal_code="81400", email=" I.Specimen@CABINET.example ")
    assert (member.phone, member.email, member.commune_code) == ("+33536491040", "i.specimen@cabinet.example", "81060")
    row = said(entry, member)
    assert (row.profession, row.access.detail) == ("Infirmier", "Ne peut pas se connecter")
    with pytest.raises(ManualCannotBeGranted):
        actions.set_habilitation(entry, member, "oui", rests=make.team())


def test_relative_has_a_link_and_no_access(entry):
    member = make.relative(entry, role="AIDANT_PRINCIPAL", civility="MME", unlisted=True)
    row = said(entry, member)
    assert (row.role, row.relation, row.unlisted) == ("Aidante principale", "Fille", True)
    assert row.access.detail == "Espace aidant non ouvert"
    with pytest.raises(AidantCannotBeGranted):
        actions.set_habilitation(entry, member, "oui", rests=make.team())


@pytest.mark.req("CDS-73")
@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"mobile": ""}, ContactMissing, "phone"),
        ({"family_name": ""}, NameMissing, "family_name"),
        ({"mobile": "06 39"}, InvalidPhone, "mobile"),
        ({"relation": "COUSINADE"}, CodeUnknown, "relation"),
        ({"postal_code": "814"}, CodeUnknown, "postal_code"),
        ({"family_name": "'"}, InvalidName, "family_name"),
        ({"family_name": "😀"}, InvalidName, "family_name"),
        ({"given_name": "- 7"}, InvalidName, "given_name"),
        ({"profession": "60"}, FieldUnknown, "profession"),
    ],
)
def test_hand_entries_are_checked_field_by_field(entry, fields, error, field):
    with pytest.raises(error) as caught:
        make.relative(entry, **fields)
    assert caught.value.field == field


def test_structure_that_is_no_legal_person_cannot_be_granted(entry):
    pharmacy = make.StructureFactory()
    with pytest.raises(StructureCannotSignIn), transaction.atomic():
        make.add_house(entry, pharmacy, wanted="oui")
    assert not Member.objects.filter(structure=pharmacy).exists()
    member = make.add_house(entry, pharmacy, role="PHARMACIE")
    row = said(entry, member)
    assert (row.role, row.access.detail, row.can_sign_in) == (
        "Pharmacie habituelle",
        "Ne peut pas se connecter",
        False,
    )


@pytest.mark.req("SEC-2")
def test_delegate_of_a_granted_structure_uses_his_own_profession(entry):
    nurse, help_at_home, unknown = make.account(), make.account("42"), make.account(vouched=False)
    house = make.legal_structure(nurse, help_at_home, unknown)
    member = make.add_house(entry, house, wanted="oui")
    assert make.entry_of(nurse, entry).access.profile == "infirmier"
    assert make.entry_of(help_at_home, entry).access.profile == "aide_domicile"
    assert make.entry_of(unknown, entry).access.readable() == ()
    row = said(entry, member)
    assert (row.access.phrase, row.access.detail) == ("Habilitée, 3\xa0délégués", "Chacun selon sa profession")


def test_double_submit_adds_one_member_and_one_line_of_history(entry):
    key, someone = uuid.uuid4(), make.listed()
    first = make.add(entry, someone, creation_key=key)
    assert make.add(entry, someone, creation_key=key) == first
    key = uuid.uuid4()
    assert make.relative(entry, creation_key=key) == make.relative(entry, creation_key=key)
    assert Change.objects.filter(kind="ajout").count() == 3


def refused():
    return {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}


@pytest.mark.req("REL-7")
@pytest.mark.parametrize(
    "changed",
    [{"role": "PCP"}, {"discreet": True}, {"description": "Le mardi"}, {"wanted": "oui"},
     {"wanted": "refus"}],
)  # fmt: skip
def test_the_same_page_with_another_answer_is_refused(entry, changed):
    key, someone = uuid.uuid4(), make.listed(make.DOCTOR)
    if changed.get("wanted") == "refus":
        changed = changed | {"refusal": refused()}
    make.add(entry, someone, creation_key=key)
    with pytest.raises(AlreadySent) as caught:
        make.add(entry, someone, creation_key=key, **changed)
    assert caught.value.status == 409
    assert Change.objects.filter(dossier_id=entry.dossier.pk, kind="ajout").count() == 2


@pytest.mark.req("REL-7", "REL-11")
def test_a_page_sent_again_after_somebody_changed_what_it_made_is_told_so(entry):
    """It may be a true second sending: nothing of it is said to be other answers."""
    key = uuid.uuid4()
    member = make.relative(entry, creation_key=key)
    with pytest.raises(AlreadySent) as other:
        make.relative(entry, family_name="AUTRE", creation_key=key)
    assert "avec d’autres réponses" in other.value.message
    actions.update_member(entry, member, version=member.version, fields={"family_name": "AUTREMENT"})
    with pytest.raises(AlreadySent) as caught:
        make.relative(entry, creation_key=key)
    assert (caught.value.status, caught.value.code) == (409, "already_sent")
    assert "a changé depuis" in caught.value.message and "réponses" not in caught.value.message


@pytest.mark.req("REL-7")
def test_the_same_page_for_another_person_is_refused(entry):
    key = uuid.uuid4()
    make.add(entry, creation_key=key)
    for again in (make.add, make.relative, make.by_hand):
        with pytest.raises(AlreadySent):
            again(entry, creation_key=key)
    key = uuid.uuid4()
    make.relative(entry, creation_key=key)
    with pytest.raises(AlreadySent):
        make.relative(entry, family_name="AUTRE", creation_key=key)
    assert make.relative(entry, creation_key=key)


@pytest.mark.req("REL-7")
def test_the_same_page_for_another_structure_is_refused(entry):
    key, said = uuid.uuid4(), {"role": "", "wanted": "non"}
    one, other = make.StructureFactory(), make.StructureFactory()
    made = actions.add_structure(entry, structure=one, creation_key=key, **said)
    assert actions.add_structure(entry, structure=one, creation_key=key, **said) == made
    with pytest.raises(AlreadySent):
        actions.add_structure(entry, structure=other, creation_key=key, **said)
    key, fields = uuid.uuid4(), {"name": "Foyer Modèle", "phone": "+33536491040"}
    made = actions.add_manual_structure(entry, fields=fields, creation_key=key)
    assert actions.add_manual_structure(entry, fields=fields, creation_key=key) == made
    with pytest.raises(AlreadySent):
        actions.add_manual_structure(entry, fields=fields | {"name": "Foyer Témoin"}, creation_key=key)


@pytest.mark.req("REL-7")
@pytest.mark.parametrize("wanted", ["non", "oui", "refus"])
def test_what_was_answered_is_found_again(entry, wanted):
    key, user = uuid.uuid4(), make.account()
    said = {"wanted": wanted, "refusal": refused() if wanted == "refus" else None, "creation_key": key}
    first = make.add(entry, user.attachment.professional, **said)
    assert make.add(entry, user.attachment.professional, **said) == first


def test_member_already_there_is_named(entry):
    someone = make.listed(family_name="FACTICE")
    member = make.add(entry, someone)
    with pytest.raises(AlreadyMember) as caught:
        make.add(entry, someone)
    assert str(caught.value) == "FACTICE Sonia est déjà dans le cercle de soins."
    assert caught.value.member_id == member.pk


@pytest.mark.req("PEERS-RULE-7")
@pytest.mark.parametrize("discreet", [True, False])
def test_whose_account_another_member_already_is_names_that_member_to_who_may_see_him(entry, discreet):
    theirs = make.account(make.DOCTOR, family_name="SECRET")
    typed = make.by_hand(entry, family_name="TAPÉ", given_name="Luc", profession=make.DOCTOR)
    Habilitation.objects.filter(pk=typed.habilitation_id).update(user=theirs)
    actions.set_discreet(entry, typed, discreet)
    worker = make.account(make.SOCIAL)
    make.add(entry, worker.attachment.professional, role="AGNT", wanted="oui")
    with pytest.raises(AlreadyMember) as caught:
        make.add(make.entry_of(worker, entry), theirs.attachment.professional)
    assert caught.value.member_id == (None if discreet else typed.pk)
    assert "SECRET" not in str(caught.value)
    assert ("TAPÉ" in str(caught.value)) is not discreet


@pytest.mark.req("PEERS-RULE-7")
def test_discreet_member_is_not_betrayed_by_an_error(entry):
    hidden = make.listed(make.DOCTOR, family_name="SECRET")
    make.add(entry, hidden, role="PCP", discreet=True)
    worker = make.account(make.SOCIAL)
    make.add(entry, worker.attachment.professional, role="AGNT", wanted="oui")
    theirs = make.entry_of(worker, entry)
    with pytest.raises(AlreadyMember) as caught, transaction.atomic():
        make.add(theirs, hidden)
    assert "SECRET" not in str(caught.value)
    assert caught.value.member_id is None
    from circle.errors import RoleAlreadyHeld

    with pytest.raises(RoleAlreadyHeld) as caught, transaction.atomic():
        make.add(theirs, make.listed(make.DOCTOR), role="PCP")
    assert "SECRET" not in str(caught.value)
    assert caught.value.holder_id is None
    # Not pointed out as a double either.
    make.by_hand(theirs, family_name="SECRETE", given_name="Sonia", phone="05 36 49 10 41")


def test_double_of_a_member_needs_a_reason(entry):
    make.relative(entry)
    with pytest.raises(LooksLikeMember) as caught, transaction.atomic():
        make.relative(entry, given_name="Karime")
    assert [row.name for row in caught.value.found] == ["MODÈLE Karim"]
    second = actions.add_person(
        entry,
        fields={"family_name": "MODÈLE", "given_name": "Karim", "mobile": "06 39 98 20 56"},
        role="ECON",
        duplicate_reason="Père et fils",
        creation_key=uuid.uuid4(),
    )
    assert second.duplicate_reason == "Père et fils"


def test_double_of_the_directory_needs_a_reason(entry, monkeypatch):
    someone = make.listed(family_name="SPÉCIMEN", given_name="Inès")
    monkeypatch.setattr("circle.duplicates.find_similar", lambda *a, **k: (someone,))
    with pytest.raises(LooksLikeDirectory) as caught:
        make.by_hand(entry)
    assert caught.value.found == (someone,)


def test_refusal_is_noted_while_adding(entry):
    doctor = make.account(make.DOCTOR)
    member = make.add(
        entry,
        doctor.attachment.professional,
        wanted="refus",
        refusal={"refused_on": TODAY(), "collected": "oral", "comment": ""},
    )
    assert member.habilitation.state == "refus"
    assert Refusal.objects.get().recorded_by == entry.user
    row = said(entry, member)
    assert row.access.phrase == "Refus du patient"
    assert row.access.detail == f"Noté le {TODAY():%d/%m/%Y}, accès fermé"


def test_role_must_fit_who_holds_it(entry):
    with pytest.raises(RoleNotPossible, match="seulement à un médecin"), transaction.atomic():
        make.add(entry, make.listed(), role="PCP")
    with pytest.raises(RoleNotPossible, match="à un proche"), transaction.atomic():
        make.add(entry, make.listed(), role="AIDANT_PRINCIPAL")
    with pytest.raises(RoleNotPossible, match="à un professionnel"), transaction.atomic():
        make.relative(entry, role="REFERENT")
    assert Member.objects.count() == 1


def test_entry_may_be_dated_in_the_past_and_role_in_the_future(entry):
    past = make.add(entry, starts_on=TODAY() - dt.timedelta(days=40))
    assert Period.objects.get(member=past).starts_on == TODAY() - dt.timedelta(days=40)
    future = make.add(entry, make.listed(make.DOCTOR), role="PCP", starts_on=TODAY() + dt.timedelta(days=9))
    row = said(entry, future)
    assert (row.role, row.next_role) == ("", "Médecin traitant")
    assert row.starts_on == TODAY()


def test_nobody_grants_himself(entry):
    member = Member.objects.get()
    for wanted in ("non",):
        with pytest.raises(OwnHabilitation):
            actions.set_habilitation(entry, member, wanted)
    # A delegate of a structure who adds himself with access.
    doctor = make.account(make.DOCTOR)
    make.add_house(entry, make.legal_structure(doctor), wanted="oui")
    with pytest.raises(OwnHabilitation), transaction.atomic():
        make.add(make.entry_of(doctor, entry), doctor.attachment.professional, wanted="oui")


def test_habilitation_without_a_member_is_taken_over(entry):
    """A dossier made by the API has an habilitation and no member yet."""
    from habilitations.actions import grant_creator

    doctor = make.account(make.DOCTOR)
    alone = grant_creator(entry.dossier.pk, doctor, by=doctor)
    member = make.add(entry, doctor.attachment.professional)
    assert member.habilitation_id == alone.pk
    assert Habilitation.objects.filter(user=doctor).count() == 1


def test_form_says_before_saving_what_it_may_offer(entry):
    access, user = entry.access, entry.user
    assert grant_answer("aidant", access=access).sentence.startswith("Un aidant")
    assert grant_answer("manuel", access=access).sentence.startswith("Ce professionnel saisi")
    plain = grant_answer("structure", access=access, structure=make.StructureFactory())
    assert plain.sentence == "Cette structure ne peut pas se connecter : l’habilitation serait sans effet."
    house = make.legal_structure(make.account())
    opened = grant_answer("structure", access=access, structure=house)
    assert (opened.can_grant, opened.delegates, opened.sentence) == (True, 1, "")
    waits = grant_answer("annuaire", access=access, user=user)
    assert waits.can_grant
    assert "pas encore de compte" in waits.sentence
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    theirs = make.entry_of(nurse, entry)
    asked = grant_answer("annuaire", access=theirs.access, user=nurse)
    assert (asked.can_grant, asked.can_request) == (False, True)
    assert asked.sentence.startswith("Seul un coordinateur")
    assert grant_answer("annuaire", access=access, account=user, user=user).sentence.startswith("Vous ne pouvez pas")


def test_last_who_may_grant_is_known(entry):
    member = Member.objects.select_related("habilitation").get()
    assert is_last_able_to_grant(entry.dossier.pk, member)
    doctor = make.account(make.DOCTOR)
    other = make.add(entry, doctor.attachment.professional, wanted="oui")
    assert not is_last_able_to_grant(entry.dossier.pk, member)
    assert not is_last_able_to_grant(entry.dossier.pk, other)


@pytest.mark.asvs("v5.0.0-2.2.3")
@pytest.mark.parametrize(
    ("kind", "fields", "constraint"),
    [
        ("aidant", {"family_name": "X"}, "member_can_be_reached"),
        ("aidant", {"family_name": "", "phone": "+33536490000"}, "member_is_what_its_kind_says"),
        ("annuaire", {"family_name": "X"}, "member_is_what_its_kind_says"),
        ("structure", {}, "member_is_what_its_kind_says"),
    ],
)
def test_the_database_itself_refuses_wrong_members(entry, kind, fields, constraint):
    row = Habilitation.objects.create(dossier=entry.dossier, state_by=entry.user)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Member.objects.create(dossier=entry.dossier, kind=kind, habilitation=row, created_by=entry.user, **fields)


def test_the_database_refuses_two_rows_for_one_professional_structure_habilitation_or_key(entry):
    member = make.add(entry)
    house = make.add_house(entry)
    common = {"dossier": entry.dossier, "created_by": entry.user}

    def row():
        return Habilitation.objects.create(dossier=entry.dossier, state_by=entry.user)

    attacks = {
        "professional_once_per_circle": {"kind": "annuaire", "professional": member.professional},
        "structure_once_per_circle": {"kind": "structure", "structure": house.structure},
        "one_habilitation_per_member": {
            "kind": "aidant", "family_name": "X", "phone": "1", "habilitation": member.habilitation,
        },
        "member_created_once": {
            "kind": "aidant", "family_name": "X", "phone": "1", "creation_key": member.creation_key,
        },
    }  # fmt: skip
    for constraint, fields in attacks.items():
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Member.objects.create(**common, **({"habilitation": row()} | fields))
