"""The toolbars of lists: a text looked for stays while the other filters change, and never stands in an address."""

import pytest

from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_text_and_a_filter_hold_together(visit, world, javascript, written_logs):
    entry = worlds.circle_of(world)
    maelle = visit(javascript=javascript)
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    names = maelle.page.locator("#membres h3")
    everybody = names.count()
    someone = names.first.inner_text().split()[0]
    maelle.fills("Chercher dans le cercle", someone.lower())
    if javascript:
        names.nth(everybody - 1).wait_for(state="detached")
    else:
        maelle.presses("Chercher")
    few = names.count()
    assert few < everybody
    maelle.selects("Trier par", "Nom")
    if not javascript:
        maelle.presses("Appliquer")
    maelle.page.wait_for_load_state()
    maelle.page.locator("#tri >> option[value=nom]:checked").wait_for(state="attached")
    assert maelle.field("Chercher dans le cercle").input_value() == someone.lower()
    assert names.count() == few
    maelle.checks_the_page("cercle-texte-et-tri")
    # Once more, from the page that the text came with.
    maelle.selects("Trier par", "Profession")
    if not javascript:
        maelle.presses("Appliquer")
    maelle.page.locator("#tri option[value=profession]:checked").wait_for(state="attached")
    assert maelle.field("Chercher dans le cercle").input_value() == someone.lower()
    maelle.addresses_and_titles_name_nobody(someone)
    assert someone.lower() not in written_logs().lower()


@pytest.mark.parametrize("path", ["/dossiers/", "/dossiers/{}/journal/"])
def test_coming_back_to_what_a_search_found_shows_the_list(visit, world, path):
    """An answer to POST is not kept: the browser asked to send it again, and showed an error in its place."""
    dossier = worlds.circle_of(world).dossier
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(path.format(dossier.pk))
    heading = maelle.page.locator("h1").inner_text()
    name = world.coordinator.family_name if "journal" in path else dossier.birth_name
    field = maelle.page.locator("#filtres input[type=search]")
    field.fill(name)
    field.press("Enter")
    maelle.page.locator("body[data-posted]").wait_for()
    maelle.goes_to(f"/dossiers/{dossier.pk}/")
    maelle.page.go_back()
    assert maelle.page.locator("h1").inner_text() == heading
    maelle.addresses_and_titles_name_nobody(name)


@pytest.mark.parametrize("key", ["Tab", "Enter"])
def test_a_date_is_sent_once_when_it_is_left(visit, world, key):
    """The number pad of a phone has no Enter."""
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    maelle.addresses.clear()
    maelle.field("Le cercle au").fill("31/02/2026")
    maelle.field("Le cercle au").press(key)
    maelle.sees("Cette date n’existe pas dans le calendrier.")
    assert len([one for one in maelle.addresses if "au=31" in one]) == 1


@pytest.mark.parametrize("key", ["End", "Home"])
def test_home_and_end_in_the_menu_of_a_row(visit, world, key):
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    maelle.page.get_by_label("Autres actions pour").last.click()
    items = maelle.page.locator("details[data-menu][open] summary ~ * :is(a, button)")
    assert items.count() > 2
    maelle.page.keyboard.press("ArrowDown")
    maelle.page.keyboard.press("ArrowDown")
    maelle.page.keyboard.press(key)
    wanted = items.last if key == "End" else items.first
    assert wanted.evaluate("item => item === document.activeElement")
