"""Publishing versions, vouching for professions, structures and their delegates, waiting rows."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from coordination.directory.models import Professional, Source
from habilitations import access, defaults, published
from habilitations import actions as do
from habilitations.differences import LEVEL, Edit, Key
from habilitations.errors import (
    AlreadyDelegate,
    AlreadyHabilitated,
    AlreadyVouched,
    MatrixNotSound,
    MembershipEnded,
    NotAllowed,
    NothingToWithdraw,
    NotVouched,
    NoVersion,
    StructureCannotSignIn,
)
from habilitations.models import (
    AccountTrace,
    Habilitation,
    LegalStructure,
    MatrixVersion,
    StateChange,
    VouchedProfession,
)
from habilitations.rubriques import Niveau
from tests import shipped
from tests.dossiers.factories import DossierFactory, StructureFactory, UserFactory, habilitation

pytestmark = pytest.mark.django_db
HOW = VouchedProfession.How.ADMINISTRATOR


@pytest.fixture(autouse=True)
def _fresh_matrices():
    published.forget()
    yield
    published.forget()


def publish(by=None, **changes):
    shipped = vars(defaults.load()) | changes
    return do.publish_matrix(
        shipped["levels"], shipped["action_rights"], shipped["profile_rules"], by=by, reason="Tests"
    )


def waiting_row(dossier=None, state="attente"):
    person = Professional.objects.create(
        source=Source.RPPS, national_id=str(Professional.objects.count()), family_name="X"
    )
    return habilitation(dossier or DossierFactory(), state, professional=person)


# ---- the matrix ------------------------------------------------------------------------------------


def test_command_publishes_the_shipped_matrix_once(capsys):
    call_command("publish_matrix")
    call_command("publish_matrix")
    call_command("publish_matrix", "--defaut")
    assert MatrixVersion.objects.count() == 1
    assert "rien à publier" in capsys.readouterr().out
    publish(levels=defaults.load().levels | {"medecin": {}})
    call_command("publish_matrix")
    assert MatrixVersion.objects.count() == 2
    call_command("publish_matrix", "--defaut")
    assert published.current().number == 3
    assert published.current().level("medecin", "medical") == Niveau.ECRITURE


def test_tests_begin_with_what_publishing_writes():
    """tests/shipped.py writes the rows of a publication again; they must stay those of the product's action."""
    shipped.publish_default_matrix()
    now = defaults.load()
    real = do.publish_matrix(now.levels, now.action_rights, now.profile_rules, by=None, reason=shipped.REASON)
    shipped.publish_default_matrix()
    again = MatrixVersion.objects.get(number=3)
    assert again.number == real.number + 1
    assert _everything(again) == _everything(real)


def _everything(version):
    """Return what publishing wrote, but for the identifiers, the number and the moment."""
    own = {"id", "number", "published_at", "version_id", "at", "object_id"}
    rows = [MatrixVersion.objects.filter(pk=version.pk), AccountTrace.objects.filter(object_id=version.pk)]
    rows += [getattr(version, name).order_by("pk") for name in ("rows", "action_rights", "profile_rules")]
    return [[{k: v for k, v in row.items() if k not in own} for row in found.values()] for found in rows]


def test_only_an_administrator_publishes():
    with pytest.raises(NotAllowed):
        publish(by=UserFactory())
    assert publish(by=UserFactory(administrator=True)).number == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": {}},
        {"levels": {"medecin": {"radio": Niveau.LECTURE}}},
        {"levels": defaults.load().levels | {"inconnu": {"cercle": Niveau.LECTURE}}},
        {"action_rights": {"medecin": {"voler": "tous"}}},
        {"action_rights": {"magicien": {"habiliter": "tous"}}},
        {"action_rights": {"inconnu": {"imprimer": "tous"}}},
        {"profile_rules": {("10", ""): "magicien"}},
    ],
)
def test_a_matrix_that_opens_to_the_unknown_or_names_strangers_is_refused(changes):
    with pytest.raises(MatrixNotSound):
        publish(**changes)
    assert MatrixVersion.objects.count() == 0


def test_a_draft_needs_a_version_to_be_based_on():
    edit = Edit(Key(LEVEL, "educateur", "social"), "")
    with pytest.raises(NoVersion):
        do.edit_draft([edit], by=UserFactory(administrator=True))


# ---- professions -----------------------------------------------------------------------------------


def test_a_profession_is_vouched_once_changed_and_ended():
    user, house = UserFactory(), StructureFactory(name="SSIAD Exemple")
    publish()
    assert access.profile_of(user) == "inconnu"
    do.vouch_profession(user, profession="60", national_id="8999", structure=house, how=HOW, by=None)
    assert access.profile_of(user) == "infirmier"
    with pytest.raises(AlreadyVouched):
        do.vouch_profession(user, profession="10", how=HOW, by=None)
    changed = do.change_profession(user, profession="60", fonction="330", how=HOW, by=None)
    assert (changed.national_id, changed.structure_name) == ("8999", "SSIAD Exemple")
    assert access.profile_of(user) == "coordinateur_sante"
    do.end_profession(user, by=None)
    assert access.profile_of(user) == "inconnu"
    with pytest.raises(NotVouched):
        do.end_profession(user, by=None)
    assert VouchedProfession.objects.count() == 2


def test_the_database_keeps_one_current_profession():
    user = UserFactory()
    do.vouch_profession(user, profession="60", how=HOW, by=None)
    with pytest.raises(IntegrityError, match="one_current_profession"), transaction.atomic():
        VouchedProfession.objects.create(user=user, profession="10", how=HOW)


def test_the_database_keeps_one_known_state_of_one_person_or_structure():
    with pytest.raises(IntegrityError, match="habilitation_state_known"), transaction.atomic():
        waiting_row(state="peut")
    row = waiting_row()
    row.structure = StructureFactory()
    with pytest.raises(IntegrityError, match="habilitation_of_a_person_or_a_structure"), transaction.atomic():
        row.save()


@pytest.mark.req("SEC-2")
def test_vouching_binds_only_the_rows_of_that_person():
    """Rows of relatives and hand entries wait for nobody: without a professional, nothing is bound."""
    user, dossier = UserFactory(), DossierFactory()
    relative = Habilitation.objects.create(dossier=dossier, state="attente")
    other = waiting_row()
    mine = waiting_row()
    do.vouch_profession(user, profession="60", how=HOW, by=None)
    assert not Habilitation.objects.filter(user=user).exists()
    assert do.activate_waiting(user, mine.professional, by=user) == 1
    for row in (relative, other, mine):
        row.refresh_from_db()
    assert (relative.user_id, other.user_id, mine.user_id) == (None, None, user.pk)
    assert (other.state, mine.state) == ("attente", "oui")
    assert StateChange.objects.get(habilitation=mine).after == "oui"


def test_waiting_rows_open_only_once_vouched_and_refusals_are_bound():
    user, row = UserFactory(), waiting_row()
    refused = waiting_row(state="refus")
    Habilitation.objects.filter(pk=refused.pk).update(professional=row.professional)
    assert do.activate_waiting(user, row.professional, by=user) == 0
    refused.refresh_from_db()
    assert (refused.user_id, refused.state) == (user.pk, "refus")
    do.vouch_profession(user, profession="60", how=HOW, by=None, professional=row.professional)
    row.refresh_from_db()
    assert row.state == "oui"


# ---- structures ------------------------------------------------------------------------------------


def test_structure_opens_closes_and_opens_again():
    house, administrator, user = StructureFactory(), UserFactory(administrator=True), UserFactory()
    with pytest.raises(NotAllowed):
        do.open_structure(house, by=user)
    with pytest.raises(StructureCannotSignIn):
        do.add_delegate(house, user, by=administrator)
    do.open_structure(house, by=administrator)
    delegate = do.add_delegate(house, user, by=administrator)
    with pytest.raises(AlreadyDelegate):
        do.add_delegate(house, user, by=administrator)
    dossier = DossierFactory()
    habilitation(dossier, "oui", structure=house)
    assert access.to_dossier(user, dossier.pk)
    do.close_structure(house, by=administrator)
    assert access.to_dossier(user, dossier.pk) is None
    do.open_structure(house, by=administrator)
    assert access.to_dossier(user, dossier.pk)
    do.end_delegate(delegate, by=administrator)
    assert access.to_dossier(user, dossier.pk) is None
    assert LegalStructure.objects.count() == 1


# ---- states, without the circle --------------------------------------------------------------------


def coordinator_inside(dossier):
    publish()
    user = UserFactory()
    do.vouch_profession(user, profession="60", fonction="330", how=HOW, by=None)
    do.grant_creator(dossier.pk, user, by=user)
    return user, access.to_dossier(user, dossier.pk)


def test_request_is_left_once_and_cleared_by_the_answer():
    dossier = DossierFactory()
    user, held = coordinator_inside(dossier)
    row = waiting_row(dossier, "non")
    first = do.request_habilitation(row, by=user, access=held).requested_at
    assert do.request_habilitation(row, by=user, access=held).requested_at == first
    answered = do.set_state(row, "non", by=user, access=held, member_kind="annuaire")
    assert answered.requested_at is None
    do.set_state(row, "oui", by=user, access=held, member_kind="annuaire")
    with pytest.raises(AlreadyHabilitated):
        do.request_habilitation(row, by=user, access=held)
    with pytest.raises(NothingToWithdraw):
        do.withdraw_refusal(row, by=user, access=held, withdrawn_on=timezone.localdate(), collected="oral")


def test_an_ended_row_moves_no_more_and_gives_its_state_back():
    dossier = DossierFactory()
    user, held = coordinator_inside(dossier)
    row = waiting_row(dossier)
    do.end_habilitation(row, by=user)
    row.refresh_from_db()
    assert (row.state, row.ended_at is None) == ("non", False)
    with pytest.raises(MembershipEnded):
        do.set_state(row, "oui", by=user, access=held, member_kind="annuaire")
    assert do.reopen_habilitation(row, by=user).state == "attente"
    assert do.reopen_habilitation(row, by=user).state == "attente"
    do.end_habilitation(row, by=user)
    assert do.reopen_habilitation(row, by=user, as_it_was=False).state == "non"
