"""The rules of a dossier, each shown through its action."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from coordination.common.dates import parse_birth_date
from coordination.common.identifiers import InvalidName
from coordination.common.ins import OID_NIR, OID_NIR_TEST, InvalidMatricule, TestOidRefused, UnknownOid
from coordination.dossiers import actions
from coordination.dossiers.errors import (
    ChangedMeanwhile,
    ClosingReasonMissing,
    DossierIsReadOnly,
    IdentityNotSound,
    InsAlreadyUsed,
    LooksLikeAnother,
    ReopeningReasonMissing,
    StatusNotByHand,
    StatusUnchanged,
)
from coordination.dossiers.lookalikes import find_lookalikes
from coordination.dossiers.models import Dossier, IdentityVersion, StatusChange, Visit
from habilitations import access
from habilitations.errors import NotAllowed
from tests.dossiers.factories import NURSE, DossierFactory, UserFactory, habilitate, professional

MATRICULE = "241038199901248"


def traits(**changes):
    return {
        "birth_name": "EXEMPLE", "birth_given_names": "Marie-Claude Jeanne", "sex": "female",
        "birth_date": dt.date(1941, 3, 14), "birth_date_precision": "jour", "birth_place": "Carmaux",
        "birth_place_code": "81060",
    } | changes  # fmt: skip


def create(by, *, key=None, reason="", motif="domicile", **changes):
    return actions.create_dossier(
        by=by, traits=traits(**changes), contacts={"town": "Carmaux"}, motif=motif, duplicate_reason=reason,
        creation_key=key or uuid.uuid4(),
    )  # fmt: skip


def valid_matricule(body="2410381999012"):
    from coordination.common.ins import nir_key

    return body + nir_key(body)


@pytest.mark.req("INS-6")
@pytest.mark.parametrize(
    ("given", "said", "first"),
    [
        ("Marie-Claude Jeanne", "", "Marie-Claude"),
        ("Jeanne Marie", "", "Jeanne"),
        ("Jean Pierre, Marc", "", "Jean Pierre"),
        ("Anne Marie", "Anne Marie", "Anne Marie"),
    ],
)
def test_the_first_given_name_comes_from_the_list(doctor, given, said, first):
    assert create(doctor, birth_given_names=given, first_given_name=said).first_given_name == first


def test_columns_of_search_follow_the_names(doctor):
    made = create(doctor, used_name="Le Goff-d’Hervé")
    assert made.sort_name == "le goff d herve marie claude"
    assert made.search_birth_name == "exemple"
    assert made.search_name.startswith(" ")
    assert {"le", "goff", "exemple", "jeanne"} <= set(made.search_name.split())


@pytest.mark.req("INS-1")
def test_a_wrong_key_is_refused(doctor):
    good = valid_matricule()
    assert create(doctor, ins_matricule=good, ins_oid=OID_NIR).ins_matricule == good
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    with pytest.raises(InvalidMatricule):
        create(doctor, birth_name="AUTRE", ins_matricule=wrong, ins_oid=OID_NIR)


@pytest.mark.req("INS-2")
def test_test_oids_only_where_they_are_allowed(doctor, settings):
    with pytest.raises(UnknownOid):
        create(doctor, ins_matricule=valid_matricule(), ins_oid="1.2.3")
    assert create(doctor, ins_matricule=valid_matricule(), ins_oid=OID_NIR_TEST).ins_oid == OID_NIR_TEST
    settings.INS_TEST_ALLOWED = False
    with pytest.raises(TestOidRefused):
        create(doctor, birth_name="AUTRE", ins_matricule=valid_matricule(), ins_oid=OID_NIR_TEST)


@pytest.mark.req("INS-3")
@pytest.mark.parametrize("status", ["RECUP", "QUAL"])
def test_a_status_of_insi_is_not_chosen(doctor, status):
    with pytest.raises(StatusNotByHand):
        create(doctor, identity_status=status)


@pytest.mark.req("INS-3")
def test_a_changed_trait_drops_the_ins_and_keeps_the_former_identity(doctor):
    made = create(doctor, identity_status="VALI")
    made = actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    assert made.identity_status == "QUAL"
    made = actions.update_identity(
        made, by=doctor, version=made.version, traits={"birth_name": "EXEMPLAIRE", "identity_status": "VALI"}
    )
    assert (made.identity_status, made.ins_matricule, made.ins_oid) == ("VALI", "", "")
    former = IdentityVersion.objects.filter(dossier=made).latest("version")
    assert (former.birth_name, former.identity_status) == ("EXEMPLE", "QUAL")
    assert former.ins_matricule == valid_matricule()
    assert former.replaced_by == doctor


@pytest.mark.req("INS-3")
def test_the_names_in_use_are_not_traits(doctor):
    made = create(doctor, identity_status="VALI")
    made = actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    made = actions.update_identity(made, by=doctor, version=made.version, traits={"used_name": "MARTIN"})
    assert made.identity_status == "QUAL"
    assert made.ins_matricule


@pytest.mark.req("INS-3")
def test_insi_then_the_document(doctor):
    made = actions.receive_ins(create(doctor), by=None, matricule=valid_matricule(), oid=OID_NIR)
    assert made.identity_status == "RECUP"
    made = actions.update_identity(made, by=doctor, version=made.version, traits={"identity_status": "VALI"})
    assert made.identity_status == "QUAL"


@pytest.mark.req("INS-3")
@pytest.mark.parametrize("typed", [None, valid_matricule("2410381999013")])
def test_a_matricule_typed_over_one_of_insi_is_not_qualified(doctor, typed):
    made = create(doctor, identity_status="VALI")
    made = actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    made = actions.update_identity(
        made, by=doctor, version=made.version, traits={"ins_matricule": typed, "ins_oid": OID_NIR}
    )
    assert made.identity_status == "VALI"
    assert made.ins_matricule == (typed or "")


@pytest.mark.req("INS-3")
def test_the_matricule_of_insi_typed_again_takes_nothing_away(doctor):
    made = create(doctor, identity_status="VALI")
    made = actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    again = {"ins_matricule": " ".join(valid_matricule()), "ins_oid": OID_NIR}
    made = actions.update_identity(made, by=doctor, version=made.version, traits=again | {"used_name": "DURAND"})
    assert (made.used_name, made.identity_status, made.ins_matricule) == ("DURAND", "QUAL", valid_matricule())
    # A trait changed by hand is another matter: the matricule stands as typed, no longer as INSi gave it.
    changed = again | {"birth_name": "AUTRE", "identity_status": "VALI"}
    made = actions.update_identity(made, by=doctor, version=made.version, traits=changed)
    assert (made.identity_status, made.ins_matricule) == ("VALI", valid_matricule())


@pytest.mark.req("INS-7")
def test_one_dossier_per_matricule(doctor):
    create(doctor, ins_matricule=valid_matricule(), ins_oid=OID_NIR)
    with pytest.raises(InsAlreadyUsed):
        create(doctor, birth_name="AUTRE", ins_matricule=valid_matricule(), ins_oid=OID_NIR)
    other = create(doctor, birth_name="AUTRE")
    with pytest.raises(InsAlreadyUsed):
        actions.receive_ins(other, by=None, matricule=valid_matricule(), oid=OID_NIR)


@pytest.mark.req("INS-7")
def test_a_lookalike_needs_a_reason(doctor):
    create(doctor)
    with pytest.raises(LooksLikeAnother):
        create(doctor, birth_name="exemplé")
    made = create(doctor, reason="Née à Albi, pièce vérifiée.")
    assert made.duplicate_reason == "Née à Albi, pièce vérifiée."
    assert create(doctor, birth_date=dt.date(1941, 3, 15), reason="inutile").duplicate_reason == ""


@pytest.mark.req("INS-7")
@pytest.mark.parametrize(("born", "used", "typed", "typed_used"), [
    ("EXEMPLE", "MARTIN", "MARTIN", ""), ("MARTIN", "", "EXEMPLE", "martin"),
    ("EXEMPLE", "DE LA TOUR", "de la tour", ""), ("EXEMPLE", "DE LA TOUR", "Delatour", ""),
    ("LE GOFF", "", "legoff", ""), ("LEGOFF", "", "Le Goff", ""), ("D'HERVÉ", "", "dherve", ""),
])  # fmt: skip
def test_a_person_is_known_by_the_name_used_too(doctor, born, used, typed, typed_used):
    day = dt.date(1941, 3, 14)
    DossierFactory(birth_name=born, used_name=used, birth_date=day)
    DossierFactory(birth_name="AUTRE", first_given_name="Martin", birth_date=day)
    found = find_lookalikes(by=doctor, birth_name=typed, used_name=typed_used, birth_date=day)
    assert found.hidden_count == 1


@pytest.mark.req("INS-7")
@pytest.mark.parametrize(("known", "typed", "alike"), [
    ("14/03/1941", "1941", True), ("1941", "14/03/1941", True), ("03/1941", "14/03/1941", True),
    ("14/03/1941", "03/1941", True), ("1941", "03/1941", True), ("03/1941", "1941", True), ("1941", "1941", True),
    ("14/00/1941", "14/03/1941", True), ("14/03/1941", "14/00/1941", True), ("31/03/1941", "3/1941", True),
    ("31/12/1941", "14/03/1941", False), ("01/03/1941", "14/03/1941", False), ("1941", "14/03/1942", False),
    ("03/1941", "14/04/1941", False), ("04/1941", "03/1941", False), ("13/00/1941", "14/03/1941", False),
    ("01/03/1940", "29/02/1940", False),
])  # fmt: skip
def test_dates_are_compared_as_far_as_they_are_known(doctor, known, typed, alike):
    """« 1941 », told by a neighbour, and « 14/03/1941 », read on a document, may be one person's."""
    stored, born = parse_birth_date(known), parse_birth_date(typed)
    DossierFactory(birth_name="EXEMPLE", birth_date=stored.date, birth_date_precision=stored.precision)
    found = find_lookalikes(by=doctor, birth_name="Exemple", birth_date=born.date, birth_date_precision=born.precision)
    assert bool(found) is alike


@pytest.mark.req("INS-7")
def test_a_creation_compares_dates_as_far_as_they_are_known_too(doctor):
    create(doctor)
    with pytest.raises(LooksLikeAnother):
        create(doctor, birth_date=dt.date(1941, 12, 31), birth_date_precision="annee")


@pytest.mark.parametrize("name", ["birth_name", "birth_given_names", "used_name", "used_given_name"])
def test_what_one_cannot_see_is_not_kept_of_a_name(doctor, name):
    """A mark that turns the reading round would show another name than the one stored."""
    made = create(doctor, **{name: "MO\u202eDÈLE\u200b  DEUX"})
    assert getattr(made, name) == "MODÈLE DEUX"
    made = actions.update_identity(made, by=doctor, version=made.version, traits={name: "\u2067AUTRE"})
    assert getattr(made, name) == "AUTRE"
    again = actions.update_identity(made, by=doctor, version=made.version, traits={name: "AU\u200bTRE"})
    assert again.version == made.version


@pytest.mark.req("INS-7")
def test_lookalikes_one_may_not_open_are_only_counted(doctor, dossier):
    DossierFactory(birth_name="Exemple")
    found = find_lookalikes(by=doctor, birth_name="EXEMPLE", birth_date=dt.date(1941, 3, 14))
    assert found.visible == [dossier]
    assert found.hidden_count == 1
    assert not found.same_ins


@pytest.mark.req("INS-8")
def test_a_doubtful_or_fictitious_identity_is_never_qualified(doctor):
    made = create(doctor, identity_status="VALI")
    made = actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    made = actions.update_identity(made, by=doctor, version=made.version, traits={"doubtful": True})
    assert (made.identity_status, made.ins_matricule) == ("PROV", "")
    with pytest.raises(IdentityNotSound):
        actions.receive_ins(made, by=None, matricule=valid_matricule(), oid=OID_NIR)
    with pytest.raises(IdentityNotSound):
        create(doctor, birth_name="AUTRE", identity_status="VALI", fictitious=True)
    homonym = create(doctor, birth_name="TIERS", identity_status="VALI", homonym=True)
    assert actions.receive_ins(homonym, by=None, matricule=valid_matricule(), oid=OID_NIR).is_qualified


def test_a_replayed_creation_gives_the_same_dossier(doctor):
    key = uuid.uuid4()
    assert create(doctor, key=key) == create(doctor, key=key)
    assert Dossier.objects.count() == 1


@pytest.mark.req("REL-11")
def test_the_second_of_two_edits_sees_both_texts(doctor, dossier):
    other = UserFactory(family_name="PATRON", given_name="Élise")
    actions.update_identity(dossier, by=other, version=1, traits={"used_name": "DUPONT"})
    with pytest.raises(ChangedMeanwhile) as conflict:
        actions.update_identity(dossier, by=doctor, version=1, traits={"used_name": "DURAND"})
    assert conflict.value.current == {"used_name": "DUPONT"}
    assert "PATRON Élise" in str(conflict.value)
    dossier.refresh_from_db()
    assert dossier.used_name == "DUPONT"


@pytest.mark.req("REL-11")
def test_identity_and_contacts_do_not_disturb_each_other(doctor, dossier):
    actions.update_identity(dossier, by=doctor, version=1, traits={"used_name": "DUPONT"})
    made = actions.update_contacts(dossier, by=doctor, version=1, contacts={"phone": "+33536491021"})
    assert (made.phone, made.used_name) == ("+33536491021", "DUPONT")
    with pytest.raises(ChangedMeanwhile):
        actions.update_contacts(dossier, by=doctor, version=1, contacts={"phone": ""})


def test_an_edit_that_changes_nothing_keeps_no_version(doctor, dossier):
    actions.update_identity(dossier, by=doctor, version=1, traits={"used_name": "MARTIN"})
    assert not IdentityVersion.objects.exists()


def test_a_closed_dossier_is_read_only_until_reopened(doctor, dossier):
    def given():
        return access.to_dossier(doctor, dossier.pk, cap=Dossier.objects.get(pk=dossier.pk).cap)

    with pytest.raises(ClosingReasonMissing):
        actions.change_status(dossier, by=doctor, access=given(), status="clos")
    actions.change_status(dossier, by=doctor, access=given(), status="clos", reason="fin", note="Objectifs atteints")
    with pytest.raises(DossierIsReadOnly):
        actions.update_identity(dossier, by=doctor, version=1, traits={"used_name": "DUPONT"})
    with pytest.raises(DossierIsReadOnly):
        actions.update_contacts(dossier, by=doctor, version=1, contacts={"phone": ""})
    with pytest.raises(ReopeningReasonMissing):
        actions.change_status(dossier, by=doctor, access=given(), status="actif")
    made = actions.change_status(dossier, by=doctor, access=given(), status="actif", note="Rechute")
    assert (made.status, made.closing_reason) == ("actif", "")
    assert StatusChange.objects.filter(dossier=dossier).count() == 2


@pytest.mark.parametrize("status", ["pause", "clos"])
def test_a_nurse_may_not_freeze_a_dossier(db, dossier, status):
    nurse = professional(NURSE)
    habilitate(nurse, dossier)
    given = access.to_dossier(nurse, dossier.pk)
    with pytest.raises(NotAllowed):
        actions.change_status(dossier, by=nurse, access=given, status=status, reason="fin")


def test_two_people_changing_the_state(doctor, dossier):
    given = access.to_dossier(doctor, dossier.pk)
    actions.change_status(dossier, by=doctor, access=given, status="pause", seen="actif")
    with pytest.raises(ChangedMeanwhile):
        actions.change_status(dossier, by=doctor, access=given, status="evaluation", seen="actif")


def test_the_state_it_has_already_is_no_change(doctor, dossier):
    with pytest.raises(StatusUnchanged, match="déjà"):
        actions.change_status(
            dossier, by=doctor, access=access.to_dossier(doctor, dossier.pk), status="actif", note="Perdu sinon"
        )
    assert not dossier.status_changes.exists()


def test_pages_read_within_half_an_hour_are_one_visit(doctor, dossier):
    assert actions.mark_visited(doctor, dossier) is None
    visits = Visit.objects.filter(user=doctor, dossier=dossier)
    before = visits.get().seen_at - dt.timedelta(hours=2)
    visits.update(seen_at=before)
    assert actions.mark_visited(doctor, dossier) == before
    assert actions.mark_visited(doctor, dossier) == before
    actions.mark_all_seen(doctor, dossier)
    assert actions.mark_visited(doctor, dossier) > before


def test_the_first_visit_is_over_once_a_page_was_read(doctor, dossier):
    """However often one comes back meanwhile, what others did since the first page is news."""
    assert actions.mark_visited(doctor, dossier) is None
    visits = Visit.objects.filter(user=doctor, dossier=dossier)
    first = visits.get().seen_at
    assert actions.mark_visited(doctor, dossier) == first
    for minutes in (20, 40, 60):
        earlier = first - dt.timedelta(minutes=minutes)
        visits.update(seen_at=timezone.now() - dt.timedelta(minutes=20), previous_seen_at=earlier)
        assert actions.mark_visited(doctor, dossier) == earlier


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_key", [True, False])
def test_simultaneous_creations_make_one_dossier(same_key):
    """A double click sends one key; two colleagues send two: the second is asked whether it is the same person."""
    user = UserFactory()
    key = uuid.uuid4()
    made, refused, start = [], [], threading.Barrier(6, timeout=60)

    def run():
        start.wait()
        try:
            made.append(create(user, key=key if same_key else uuid.uuid4()).pk)
        except LooksLikeAnother:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert Dossier.objects.count() == 1
    assert (len(set(made)), len(refused)) == ((1, 0) if same_key else (1, 5))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["'", "😀", "", "7"])
def test_a_name_holds_a_letter_when_an_identity_changes_too(name):
    made = DossierFactory()
    with pytest.raises(InvalidName, match="au moins une lettre") as caught:
        actions.update_identity(made, by=made.created_by, version=made.version, traits={"birth_name": name})
    assert caught.value.field == "birth_name"
    updated = actions.update_identity(made, by=made.created_by, version=made.version, traits={"used_name": ""})
    assert updated.used_name == ""


@pytest.mark.django_db
def test_a_birth_name_that_nothing_can_be_compared_with_is_refused_by_the_database():
    with pytest.raises(IntegrityError, match="birth_name_has_letters"), transaction.atomic():
        DossierFactory(birth_name="😀")
