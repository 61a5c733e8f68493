"""The main acts with the keyboard alone: nothing here moves or presses a mouse."""

import pytest

from tests.accounts.factories import PASSWORD
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser

# A page has fewer stops than this; more would be a loop that never reaches what is looked for.
STOPS = 90
SEEN = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const ringed = (x) => {
    const style = x && getComputedStyle(x);
    return !!x && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  };
  const before = window.lastStop;
  const onward = !before || !before.isConnected || before === e || !!(before.compareDocumentPosition(e) & 4);
  window.lastStop = e;
  return {
    words: (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || e.id).trim()
      .replace(/\\s+/g, ' '),
    drawn: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0,
    ring: ringed(e) || ringed(e.closest('tr')) || getComputedStyle(e).boxShadow !== 'none',
    onward,
  };
}"""


class Hands:
    """Somebody who only has a keyboard; every stop of the focus is looked at."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.page = visitor.page

    def keys(self, *names):
        for name in names:
            self.page.keyboard.press(name)

    def types(self, text):
        self.page.keyboard.type(text)

    def tabs_to(self, words, back=False):
        """Press Tab until the focus is on these words; each stop is visible, ringed, and further in the page."""
        self.page.evaluate("() => { window.lastStop = null; }")
        passed = []
        for _ in range(STOPS):
            self.keys("Shift+Tab" if back else "Tab")
            stop = self.page.evaluate(SEEN)
            if stop is None:
                continue
            passed.append(stop["words"][:40])
            assert stop["drawn"], f"the focus is out of sight on « {stop['words'][:60]} »"
            assert stop["ring"], f"no focus ring on « {stop['words'][:60]} »"
            assert back or stop["onward"], f"the focus goes back to « {stop['words'][:60]} »"
            if stop["words"].startswith(words):
                return
        raise AssertionError(f"« {words} » is not reached by Tab: {passed}")

    def is_on(self, words):
        assert self.visitor.has_focus().startswith(words), f"the focus is on « {self.visitor.has_focus()[:80]} »"


def test_the_main_acts_by_keyboard(visit, world, live_server):
    entry = worlds.circle_of(world)
    visitor = visit()
    hands = Hands(visitor)
    given_she_signed_in(hands, world)
    when_she_finds_the_dossier_row_by_row(hands, entry)
    when_she_adds_a_doctor_found_in_the_directory(hands, entry)
    when_she_adds_a_nurse_by_hand(hands)
    when_she_opens_and_leaves_a_menu(hands)
    when_she_removes_somebody_and_undoes_it(hands)
    when_she_records_a_refusal(hands)


def given_she_signed_in(hands, world):
    hands.visitor.goes_to("/compte/connexion/")
    hands.tabs_to("Adresse e-mail")
    hands.types(world.coordinator.email)
    hands.tabs_to("Mot de passe")
    hands.types(PASSWORD)
    hands.keys("Enter")
    hands.visitor.arrives_at("File active")


def when_she_finds_the_dossier_row_by_row(hands, entry):
    hands.keys("Tab")
    hands.is_on("Aller au contenu")
    hands.keys("Enter")
    hands.tabs_to(entry.dossier.birth_name.upper())
    hands.keys("Enter")
    hands.visitor.arrives_at("Accueil du dossier")
    hands.tabs_to("Cercle de soins")
    hands.keys("Enter")
    hands.visitor.arrives_at("Cercle de soins")


def when_she_adds_a_doctor_found_in_the_directory(hands, entry):
    hands.keys("a")
    hands.visitor.arrives_at("Ajouter un professionnel ou un aidant")
    hands.is_on("Qui voulez-vous ajouter")
    hands.types("tes carmaux")
    listbox = hands.page.get_by_role("listbox")
    hands.page.get_by_role("option").filter(has_text="TESTARD").wait_for()
    hands.keys("Escape")
    listbox.wait_for(state="hidden")
    hands.is_on("Qui voulez-vous ajouter")
    hands.keys("ArrowDown")
    listbox.wait_for()
    hands.keys("ArrowDown")
    assert "TESTARD" in hands.page.locator("[aria-selected=true]").inner_text()
    hands.keys("Enter")
    hands.visitor.arrives_at("Ajouter : TESTARD Paul")
    hands.tabs_to("Médecin traitant")
    # Radios are one stop: the arrows choose among them.
    hands.keys("ArrowDown")
    assert hands.page.get_by_role("radio", name="Médecin (plusieurs possibles)").is_checked()
    hands.tabs_to("Habilitation : oui")
    with hands.page.expect_response("**/apercu/**"):
        hands.keys("Space")
    hands.page.get_by_role("button", name="Ajouter et habiliter").wait_for()
    hands.is_on("Habilitation : oui")
    hands.tabs_to("Sur quoi repose le partage")
    hands.types("La personne")
    hands.tabs_to("Ajouter et habiliter")
    hands.keys("Enter")
    hands.visitor.sees("TESTARD Paul a été ajouté au cercle de soins.")


def when_she_adds_a_nurse_by_hand(hands):
    hands.keys("a")
    hands.visitor.arrives_at("Ajouter un professionnel ou un aidant")
    hands.tabs_to("Manuellement")
    hands.keys("Enter")
    hands.visitor.arrives_at("Ajout manuel de personne")
    hands.tabs_to("Nom")
    hands.keys("Enter")
    # Sent too early: the summary takes the focus, and its first link leads to the field.
    hands.page.get_by_role("alert").wait_for()
    assert hands.page.evaluate("document.activeElement.matches('[data-error-summary]')")
    hands.keys("Tab", "Enter")
    hands.is_on("Nom")
    hands.types("Réplique")
    hands.tabs_to("Prénom")
    hands.types("Gaëlle")
    hands.tabs_to("Profession")
    hands.types("Infirmier")
    hands.tabs_to("Numéro de mobile")
    hands.types("06 39 98 10 10")
    hands.tabs_to("Ville")
    hands.types("carmaux")
    hands.page.get_by_role("option").filter(has_text="Carmaux").wait_for()
    hands.keys("ArrowDown", "Enter")
    hands.is_on("Ville")
    hands.page.wait_for_timeout(500)
    assert hands.page.get_by_role("listbox").count() == 0, "the list of towns opened again after the choice"
    assert hands.page.locator("[name=town]").input_value() == "81060"
    hands.tabs_to("Rôle")
    hands.types("Infirmier")
    hands.tabs_to("Ajouter la personne au cercle de soins")
    hands.keys("Enter")
    hands.visitor.sees("RÉPLIQUE Gaëlle fait maintenant partie du cercle de soins.")


def when_she_opens_and_leaves_a_menu(hands):
    hands.tabs_to("Autres actions pour RÉPLIQUE Gaëlle")
    hands.keys("Enter", "ArrowDown")
    hands.is_on("Modifier")
    hands.keys("Escape")
    hands.is_on("Autres actions pour RÉPLIQUE Gaëlle")
    assert hands.page.locator("details[data-menu][open]").count() == 0


def when_she_removes_somebody_and_undoes_it(hands):
    hands.keys("Enter", "ArrowUp")
    hands.is_on("Retirer du cercle")
    hands.keys("Enter")
    hands.visitor.sees("Retirer ce membre du cercle de soins ?")
    hands.tabs_to("Motif")
    hands.types("Ajout")
    hands.tabs_to("Retirer du cercle")
    hands.keys("Enter")
    hands.visitor.sees("Annuler le retrait")
    assert hands.page.get_by_role("link", name="RÉPLIQUE Gaëlle").count() == 0
    hands.keys("Alt+z")
    hands.visitor.sees("RÉPLIQUE Gaëlle fait à nouveau partie du cercle de soins.")


def when_she_records_a_refusal(hands):
    hands.tabs_to("Autres actions pour TESTARD Paul")
    hands.keys("Enter")
    hands.tabs_to("Noter un refus")
    hands.keys("Enter")
    hands.visitor.sees("Habilitation sur le dossier")
    # Asked for from the menu, the answer is given; the arrows could change it.
    assert hands.page.get_by_role("radio", name="Refus du patient").is_checked()
    hands.tabs_to("Date du refus")
    hands.types(acts.today())
    hands.tabs_to("Recueil du refus")
    hands.types("Dit")
    hands.tabs_to("Enregistrer le refus")
    hands.keys("Enter")
    hands.visitor.sees("Refus noté, accès fermé.")


def test_the_letters_of_the_bar_go_where_the_page_of_shortcuts_says(visit, world):
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to("/dossiers/")
    # The directory last: its field has the focus, where a letter is a letter.
    for letter, path in {"a": "/agenda/", "t": "/a-faire/", "p": "/dossiers/", "n": "/annuaire/"}.items():
        maelle.page.keyboard.press("g")
        maelle.page.keyboard.press(letter)
        maelle.page.wait_for_url(f"**{path}**", timeout=10_000)
