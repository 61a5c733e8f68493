"""How an installation gives its first rights: professions confirmed, structures opened, by a named administrator."""

import pytest
from django.core.management import CommandError, call_command

from coordination.directory.actions import create_local_professional, create_local_structure
from coordination.directory.models import Attachment, Professional
from habilitations import published
from habilitations.models import Delegate, LegalStructure, StructureAdministrator, VouchedProfession
from tests.accounts.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("matrix")]
FINESS, RPPS = "810000005", "10999000010"


@pytest.fixture
def matrix(db):
    published.forget()
    call_command("publish_matrix")
    yield
    published.forget()


@pytest.fixture
def administrator():
    return UserFactory(is_administrator=True)


@pytest.fixture
def house(administrator):
    return create_local_structure(
        by=administrator, name="Maison de santé Exemple", finess=FINESS, phone="+33536491030"
    )


def profession(act, user, by, *more):
    call_command("profession", act, "--email", user.email, "--par", by.email, *more)


def current(user):
    return VouchedProfession.objects.current().filter(user=user).first()


def test_a_professional_of_the_directory(administrator, house, capsys):
    known = create_local_professional(
        by=administrator, family_name="Exemple", profession="10", rpps=RPPS, structure=house
    )
    user = UserFactory()
    profession("confirmer", user, administrator, "--rpps", RPPS)
    said = current(user)
    assert (said.profession, said.how, said.vouched_by, said.structure) == ("10", "annuaire", administrator, house)
    assert said.national_id == known.national_id
    assert Attachment.objects.get(user=user).professional == known
    assert "Droits : ceux des médecins." in capsys.readouterr().out


def test_somebody_the_files_do_not_know_then_another_profession_then_none(administrator, house, capsys):
    user = UserFactory()
    profession("confirmer", user, administrator, "--profession", "60", "--structure", FINESS)
    assert Professional.objects.get().attachment.user == user
    profession("changer", user, administrator, "--profession", "10")
    assert (current(user).profession, current(user).structure) == ("10", house)
    profession("terminer", user, administrator)
    assert current(user) is None
    assert "Cette profession ne donne aucun droit." in capsys.readouterr().out


def test_several_places_are_told_and_one_is_chosen(administrator, house):
    from coordination.directory.actions import add_local_activity

    known = create_local_professional(by=administrator, family_name="Exemple", profession="10", rpps=RPPS)
    add_local_activity(known, by=administrator, profession="10", structure=house)
    user = UserFactory()
    with pytest.raises(CommandError, match="Maison de santé Exemple 810000005"):
        profession("confirmer", user, administrator, "--rpps", RPPS)
    profession("confirmer", user, administrator, "--rpps", RPPS, "--structure", FINESS)
    assert current(user).structure == house


def test_refusals_change_nothing(administrator, house):
    user = UserFactory()
    with pytest.raises(CommandError, match="droit"):
        profession("confirmer", user, user, "--profession", "60")
    for wrong in (
        ["--profession", "999"],
        [],
        ["--rpps", RPPS],
        ["--rpps", "1"],
        ["--profession", "60", "--structure", "1"],
    ):
        with pytest.raises(CommandError):
            profession("confirmer", user, administrator, *wrong)
    with pytest.raises(CommandError, match="Aucune profession"):
        profession("terminer", user, administrator)
    assert not Professional.objects.exists()
    assert not VouchedProfession.objects.exists()


def test_a_structure_and_its_delegates(administrator, house):
    user = UserFactory()

    def act(name, by=administrator):
        call_command("personne_morale", name, "--structure", FINESS, "--par", by.email, "--email", user.email)

    with pytest.raises(CommandError, match="ne peut pas se connecter"):
        act("deleguer")
    with pytest.raises(CommandError, match="administrateur nommé"):
        act("ouvrir", by=user)
    act("ouvrir")
    act("deleguer")
    assert Delegate.objects.current().get().user == user
    act("retirer")
    with pytest.raises(CommandError, match="pas délégué"):
        act("retirer")
    act("fermer")
    assert LegalStructure.objects.get().closed_at is not None


def test_who_looks_after_the_accounts_of_a_structure(administrator, house, capsys):
    user = UserFactory()
    said = ["--structure", FINESS, "--email", user.email, "--par", administrator.email]
    call_command("administrateur_structure", "nommer", *said)
    assert StructureAdministrator.objects.current().get().user == user
    assert "gère les comptes de Maison de santé Exemple" in capsys.readouterr().out
    with pytest.raises(CommandError, match="administre déjà"):
        call_command("administrateur_structure", "nommer", *said)
    call_command("administrateur_structure", "terminer", *said)
    assert not StructureAdministrator.objects.current().exists()
    with pytest.raises(CommandError, match="n'administre pas"):
        call_command("administrateur_structure", "terminer", *said)
    with pytest.raises(CommandError, match="administrateur nommé"):
        call_command("administrateur_structure", "nommer", "--structure", FINESS, "--email", user.email,
                     "--par", user.email)  # fmt: skip
