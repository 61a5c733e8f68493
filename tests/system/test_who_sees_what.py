"""The same circle before different eyes: what each profession may do, see, or not even know of."""

import pytest

from habilitations.models import AccountTrace, Outcome
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.fixture
def entry(world):
    entry = worlds.circle_of(world)
    factories.add(
        entry,
        factories.listed(factories.DOCTOR, family_name="RÉSERVÉ", given_name="Guy"),
        discreet=True,
        description="Suivi particulier",
    )
    return entry


@pytest.fixture
def home(entry):
    return f"/dossiers/{entry.dossier.pk}/"


def test_a_nurse_adds_without_granting_and_leaves_a_request(visit, world, entry, home):
    ines = visit(phone=True)
    acts.signs_in(ines, world.nurse)
    ines.goes_to(f"{home}cercle/")
    acts.searches_the_directory(ines, "croquis", "CROQUIS")
    # She is told who may grant, and is offered to ask.
    assert ines.page.get_by_label("Habilitation : oui").count() == 0
    ines.sees("peut habiliter")
    ines.page.get_by_role("radio").first.check()
    ines.chooses("Demander l’habilitation")
    ines.checks_the_page("demande")
    ines.presses("Ajouter et demander l’habilitation")
    ines.sees("Habilitation demandée")
    ines.checks_the_page("cercle-demande")

    # The coordinator finds the request and answers it.
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"{home}cercle/?afficher=demande")
    maelle.sees("CROQUIS Yann")
    assert maelle.page.get_by_role("link", name="DESSIN Paul").count() == 0
    maelle.clicks("habiliter CROQUIS Yann")
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.presses("Habiliter")
    maelle.sees("Accès en attente")


def test_a_home_help_sees_the_reduced_circle(visit, world, entry, home):
    nora = visit(phone=True)
    acts.signs_in(nora, world.home_help)
    nora.goes_to(f"{home}cercle/")
    nora.sees("Vous voyez la liste réduite")
    nora.does_not_see("avec accès")
    # Functions and telephones, no names: who to call, not who comes.
    nora.sees("Référente du parcours")
    for name in ("DESSIN Paul", "CALQUE Inès", "RÉSERVÉ Guy", "ÉCHANTILLON-ROC Rose"):
        nora.does_not_see(name)
    assert nora.page.get_by_role("link", name="Ajouter un professionnel").count() == 0
    nora.checks_the_page("cercle-reduit")
    # The address of a member who is not on her list is that of nobody.
    hidden = worlds.member_named(entry, "RÉSERVÉ")
    assert nora.goes_to(f"{home}cercle/membres/{hidden.pk}/").status == 404
    # Where she may read and not write, the page says which rubric.
    assert nora.goes_to(f"{home}cercle/ajouter/").status == 403
    nora.sees("Cercle de soins")
    nora.checks_the_page("refus-ecriture")


def test_a_social_worker_does_not_see_who_is_discreet(visit, world, entry, home):
    rose = visit()
    acts.signs_in(rose, world.social_worker)
    rose.goes_to(f"{home}cercle/")
    rose.sees("DESSIN Paul")
    rose.does_not_see("RÉSERVÉ")
    rose.goes_to(f"{home}cercle/historique/")
    rose.does_not_see("RÉSERVÉ")
    rose.checks_the_page("historique-sans-discret")
    hidden = worlds.member_named(entry, "RÉSERVÉ")
    assert rose.goes_to(f"{home}cercle/membres/{hidden.pk}/").status == 404

    paul = visit()
    acts.signs_in(paul, world.doctor)
    paul.goes_to(f"{home}cercle/")
    paul.sees("RÉSERVÉ Guy")
    paul.checks_the_page("cercle-discret")


def test_an_outsider_learns_nothing(visit, world, entry, home):
    odile = visit()
    acts.signs_in(odile, world.outsider)
    known = odile.goes_to(home)
    assert known.status == 404
    seen = odile.page.locator("main").inner_text()
    odile.checks_the_page("dossier-inconnu")
    unknown = odile.goes_to("/dossiers/019a7e00-0000-7000-8000-000000000404/")
    assert unknown.status == 404
    assert odile.page.locator("main").inner_text() == seen
    # The attempt stays in her account's journal: the dossier's own is for those who may open it.
    assert AccountTrace.objects.filter(
        actor_id=world.outsider.pk, object_id=entry.dossier.pk, outcome=Outcome.REFUSED
    ).exists()
    # Nor does the search of dossiers say that there is one.
    odile.goes_to("/dossiers/")
    odile.page.get_by_label("Nom, prénom, date de naissance ou matricule INS").fill(entry.dossier.birth_name)
    odile.page.keyboard.press("Enter")
    odile.sees("Aucun dossier")
    odile.checks_the_page("recherche-vide")


def test_a_rubric_one_may_not_read_is_named_and_explained(visit, world, entry, home):
    rose = visit()
    acts.signs_in(rose, world.social_worker)
    rose.goes_to(home)
    rose.sees("Pas d’accès")
    rose.checks_the_page("accueil-travail-social")
    rose.goes_to(f"{home}acces/")
    rose.sees("Volet médical")
    rose.checks_the_page("mon-acces")
    refused = rose.goes_to(f"{home}cercle/ajouter/")
    assert refused.status == 200


@pytest.mark.parametrize("kind", ["administrator", "nobody_yet"])
def test_who_has_no_confirmed_profession_opens_nothing(visit, world, entry, home, kind):
    someone = visit()
    acts.signs_in(someone, getattr(world, kind))
    someone.goes_to("/dossiers/")
    someone.does_not_see(entry.dossier.birth_name)
    assert someone.page.get_by_role("link", name="Créer un dossier").count() == 0
    someone.checks_the_page(f"patients-{kind}")
    assert someone.goes_to(home).status == 404
    assert someone.goes_to(f"{home}cercle/").status == 404


def test_the_dark_theme_is_as_readable(visit, world, entry, home):
    world.coordinator.theme = "dark"
    world.coordinator.save(update_fields=["theme"])
    member = worlds.member_named(entry, "DESSIN")
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    for name, path in (
        ("patients", "/dossiers/"),
        ("creer", "/dossiers/creer/"),
        ("accueil", home),
        ("identite", f"{home}identite/"),
        ("cercle", f"{home}cercle/"),
        ("ajouter", f"{home}cercle/ajouter/"),
        ("membre", f"{home}cercle/membres/{member.pk}/"),
        ("habilitation", f"{home}cercle/membres/{member.pk}/habilitation/"),
        ("retirer", f"{home}cercle/membres/{member.pk}/retirer/"),
        ("historique", f"{home}cercle/historique/"),
        ("annuaire", "/annuaire/"),
        ("compte", "/compte/"),
        ("second-facteur", "/compte/second-facteur/application/ajouter/"),
    ):
        maelle.goes_to(path)
        assert maelle.page.locator("html").get_attribute("data-bs-theme") == "dark"
        maelle.checks_the_page(f"sombre-{name}")
