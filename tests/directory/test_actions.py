"""Local entries, accounts and merges."""

import pytest
from django.db import IntegrityError, transaction

from coordination.accounts.models import User
from coordination.common.identifiers import InvalidName
from coordination.directory.actions import (
    attach_account,
    create_local_professional,
    create_local_structure,
    merge_structure,
)
from coordination.directory.errors import (
    AlreadyAttached,
    AlreadyInDirectory,
    StructureContactMissing,
    StructureMergeRefused,
)
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, Professional, Source, Structure
from habilitations.models import AccountTrace
from tests.directory.files import ANY_SIZE, DOCTOR, people_file

pytestmark = [pytest.mark.django_db, pytest.mark.req("DIR-LOCAL")]
PHONE = "+33536491030"


@pytest.fixture
def by():
    return User.objects.create_user("coordinatrice@dac.example", family_name="Modèle", given_name="Anouk")


@pytest.fixture
def finess():
    return Structure.objects.create(source=Source.FINESS, finess="810999999", name="EHPAD", search_name="ehpad")


def test_local_structure(by):
    made = create_local_structure(by=by, name="Équipe  mobile d’essai", short_name="EME", town="Albi", phone=PHONE)
    assert (made.source, made.name) == ("local", "Équipe mobile d’essai")
    assert made.search_name == "equipe mobile d essai eme"
    assert made.created_by == by


def test_a_structure_nobody_can_call_is_not_created(by):
    with pytest.raises(StructureContactMissing):
        create_local_structure(by=by, name="SAAD saisi", town="Albi")
    for contact in (
        {"phone": PHONE},
        {"email": "saad@modele.example"},
        {"mss_address": "s@m.mssante.example"},
    ):
        create_local_structure(by=by, name="SAAD saisi", **contact)


def test_the_database_itself_refuses_a_structure_nobody_can_call(by, finess):
    with pytest.raises(IntegrityError, match="local_structure_can_be_reached"), transaction.atomic():
        Structure.objects.create(source=Source.LOCAL, name="Saisi", search_name="saisi")
    made = create_local_structure(by=by, name="SAAD saisi", phone=PHONE)
    with pytest.raises(IntegrityError, match="local_structure_can_be_reached"), transaction.atomic():
        Structure.objects.filter(pk=made.pk).update(phone="")
    # What the national files say is theirs to say: many lines have no phone.
    assert finess.phone == finess.email == ""


def test_local_structure_already_there(by, finess):
    with pytest.raises(AlreadyInDirectory):
        create_local_structure(by=by, name="Encore", finess="810999999", phone=PHONE)
    with pytest.raises(TypeError):
        create_local_structure(by=by, name="Autre", source="finess")


def test_local_professional_is_found_like_the_others(by, finess):
    made = create_local_professional(
        by=by, family_name="d’Hervé", given_name="jean-noël", profession="41", structure=finess
    )
    activity = Activity.objects.get()
    assert (made.family_name, made.given_name, made.national_id) == ("D'HERVÉ", "Jean-Noël", "")
    assert (activity.search_family, activity.search_given, activity.structure) == ("d herve", "jean noel", finess)


def test_local_professional_is_taken_over_by_the_national_file(by, tmp_path):
    made = create_local_professional(by=by, family_name="Exemple", profession="10", rpps="10999000011")
    with pytest.raises(AlreadyInDirectory):
        create_local_professional(by=by, family_name="Exemple", rpps="10999000011")
    import_rpps([people_file(tmp_path, DOCTOR)], ANY_SIZE)
    taken = Professional.objects.get()
    assert (taken.pk, taken.source, taken.family_name) == (made.pk, "rpps", "EXEMPLE-LARRIEU")
    # What was written here is not the file's to cease.
    assert taken.activities.filter(ceased_at=None).count() == 2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("MO\u202eDÈLE\u200b", "MODÈLE"), ("ß" * 100, "S" * 120), ("œ" * 120, "Œ" * 120), (" Mo  dèle ", "MO DÈLE")],
)
def test_names_are_kept_as_they_are_read_and_fit(by, typed, kept):
    made = create_local_professional(by=by, family_name=typed, given_name=typed)
    assert made.family_name == kept
    assert "\u202e" not in made.given_name and len(made.search_family) <= 150


def test_a_structure_whose_letters_open_into_two_is_created(by):
    made = create_local_structure(by=by, name="Œ" * 200, phone=PHONE)
    assert made.search_name == "oe" * 150


def test_what_one_cannot_see_is_not_kept_of_the_name_of_a_structure(by):
    """Two that read the same would not be the same, and a mark that turns the reading round would show another."""
    typed = {"name": "EH\u202ePAD\u200b  Essai", "short_name": "E\u2066H", "manager_name": "Anouk\u200b Modèle"}
    made = create_local_structure(by=by, phone=PHONE, **typed)
    assert (made.name, made.short_name, made.manager_name) == ("EHPAD Essai", "EH", "Anouk Modèle")
    with pytest.raises(InvalidName):
        create_local_structure(by=by, phone=PHONE, name="\u200b")


def test_a_professional_created_meanwhile_is_said_to_be_there(by, monkeypatch):
    create_local_professional(by=by, family_name="Exemple", rpps="10999000011")
    monkeypatch.setattr(type(Professional.objects.all()), "exists", lambda self: False)
    with pytest.raises(AlreadyInDirectory) as refusal:
        create_local_professional(by=by, family_name="Exemple", rpps="10999000011")
    assert refusal.value.field == "rpps"


def test_one_account_one_professional(by, finess):
    made = create_local_professional(by=by, family_name="Modèle")
    attach_account(by, made, finess, by=by)
    with pytest.raises(AlreadyAttached):
        attach_account(by, create_local_professional(by=by, family_name="Autre"), by=by)


def test_merge_is_a_pointer(by, finess):
    local = create_local_structure(by=by, name="EHPAD saisi", phone=PHONE)
    merge_structure(local, finess, by=by)
    local.refresh_from_db()
    assert (local.merged_into, local.name) == (finess, "EHPAD saisi")
    assert local not in Structure.objects.active()


@pytest.mark.req("SEC-9")
def test_a_merge_is_in_the_journal(by, finess):
    """What was granted to one of the two is of both from then on: somebody answers for it."""
    local = create_local_structure(by=by, name="EHPAD saisi", phone=PHONE)
    merge_structure(local, finess, by=by)
    line = AccountTrace.objects.get(action="fusion")
    assert (line.actor_id, line.object_kind, line.object_id) == (by.pk, "structure", local.pk)


def test_merges_refused(by, finess):
    one, two = (create_local_structure(by=by, name=name, phone=PHONE) for name in ("Un", "Deux"))
    with pytest.raises(StructureMergeRefused, match="elle-même"):
        merge_structure(one, one, by=by)
    with pytest.raises(StructureMergeRefused, match="Seule"):
        merge_structure(finess, one, by=by)
    merge_structure(one, two, by=by)
    with pytest.raises(StructureMergeRefused, match="détour"):
        merge_structure(two, one, by=by)
    with pytest.raises(StructureMergeRefused, match="déjà"):
        merge_structure(one, finess, by=by)
