"""The small town of the stories: a few dozen people in a directory, one account of each kind. Invented names."""

from dataclasses import dataclass

from django.db.models import Q

from circle.models import Member
from coordination.accounts.models import User
from coordination.directory.models import Structure
from tests.accounts.factories import UserFactory
from tests.circle import factories
from tests.circle.conftest import publish_default_matrix
from tests.directory import search_data

NURSE, DOCTOR, HOME_HELP, SOCIAL = factories.NURSE, factories.DOCTOR, "42", factories.SOCIAL
EHPAD = "EHPAD Les Maquettes"
SSIAD = "SSIAD Exemple de Carmaux"
FINESS = "810009991"
# Everybody of the stories: no address and no title may say one of these names.
NAMES = (
    "EXEMPLE-LARRIEU", "PATRON", "DESSIN", "CALQUE", "ÉCHANTILLON-ROC", "ÉBAUCHE", "LOINTAIN", "GESTION", "ATTENDU",
    "TESTARD", "TESSIER-MODÈLE", "PROTOTYPE", "SPÉCIMEN", "CROQUIS", "TRACÉ", "MODÈLE", "RÉSERVÉ",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    coordinator: User
    colleague: User
    doctor: User
    nurse: User
    social_worker: User
    home_help: User
    outsider: User
    administrator: User
    nobody_yet: User
    """An account whose profession nobody has vouched for."""
    ehpad: Structure


def build() -> World:
    publish_default_matrix()
    _directory()
    world = World(
        coordinator=factories.coordinator(family_name="EXEMPLE-LARRIEU", given_name="Maëlle"),
        colleague=factories.coordinator(family_name="PATRON", given_name="Élise"),
        doctor=factories.account(DOCTOR, family_name="DESSIN", given_name="Paul", civility="M"),
        nurse=factories.account(NURSE, family_name="CALQUE", given_name="Inès"),
        social_worker=factories.account(SOCIAL, family_name="ÉCHANTILLON-ROC", given_name="Rose"),
        home_help=factories.account(HOME_HELP, family_name="ÉBAUCHE", given_name="Nora"),
        outsider=factories.account(NURSE, family_name="LOINTAIN", given_name="Odile"),
        administrator=UserFactory(administrator=True, family_name="GESTION", given_name="Camille"),
        nobody_yet=factories.account(NURSE, family_name="ATTENDU", given_name="Luc", vouched=False),
        ehpad=search_data.house(EHPAD, category="500", finess=FINESS, address="2 rue de la Maquette"),
    )
    search_data.house(SSIAD, category="354", finess="810009983", address="8 rue du Modèle")
    search_data.learn()
    return world


def _directory():
    """Two doctors and a nurse of Carmaux whom the stories meet, among others whom they do not."""
    search_data.person("TESTARD", "Paul", profession=DOCTOR, civility="M", phone="+33536491021")
    search_data.person("TESSIER-MODÈLE", "Anne", profession=DOCTOR, civility="MME", town="Albi", postal_code="81000",
                       commune="81004")  # fmt: skip
    search_data.person("PROTOTYPE", "Louise", profession=DOCTOR, civility="MME", phone="+33536491022")
    search_data.person("SPÉCIMEN", "Inès", profession=NURSE, civility="MME", phone="+33536491040")
    search_data.person("CROQUIS", "Yann", profession="70", civility="M")
    for rank in range(24):
        search_data.person(
            f"FIGURANT-{'ABCDEFGHIJKLMNOPQRSTUVWX'[rank]}IN", ("Léa", "Hugo", "Nina")[rank % 3],
            profession=(NURSE, DOCTOR, "70")[rank % 3], town=("Albi", "Gaillac")[rank % 2],
            postal_code=("81000", "81600")[rank % 2], commune=("81004", "81099")[rank % 2],
        )  # fmt: skip


def circle_of(world: World):
    """Return the entry of the coordinator in a circle of every kind of member, two of them able to open it."""
    entry = factories.open_circle(world.coordinator)
    for user, role in ((world.doctor, "PCP"), (world.nurse, "PROV"), (world.home_help, "PROV")):
        factories.add(entry, user.attachment.professional, role=role, wanted="oui")
    factories.add(entry, world.social_worker.attachment.professional, role="AGNT", wanted="oui")
    factories.relative(entry, role="CAREGIVER")
    factories.by_hand(entry, family_name="TRACÉ", given_name="Léone", phone="05 36 49 10 77")
    return entry


def member_named(entry, family_name: str) -> Member:
    named = Q(family_name=family_name) | Q(professional__family_name=family_name)
    return Member.objects.get(named, dossier_id=entry.dossier.pk)
