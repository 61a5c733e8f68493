"""The components in a real browser, under the product's content policy."""

import pytest

from tests.axe import violations
from tests.front.rendering import NAMES

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", NAMES)
def test_accessible(open_page, name, phone, theme):
    assert violations(open_page(name, phone=phone, theme=theme)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_sideways_scroll_at_320(open_page, name):
    page = open_page(name, phone=True, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_first_view_asks_little_and_does_not_move(browser, style_server):
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(
        "window.moved = 0; const add = (list) => list.getEntries().forEach((e) => window.moved += e.value);"
        "new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(f"http://127.0.0.1:{style_server.server_port}/patients", wait_until="networkidle")
    page.wait_for_timeout(300)
    assert len([url for url in asked if "favicon" not in url]) <= 7
    assert page.evaluate("window.moved") < 0.02
    page.context.close()


def test_row_to_row(open_page):
    page = open_page("patients")
    page.locator("[data-row-link]").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "DUPRÉ Amina"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.textContent") == "ROQUES Simone"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.textContent") == "BERNARD Yvonne"


def test_slash_goes_to_the_search_but_not_from_a_field(open_page):
    page = open_page("patients")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "recherche-dossier"
    page.locator("#q").focus()
    page.keyboard.press("/")
    assert page.locator("#q").input_value() == "/"


def test_menu_closes_on_escape_and_gives_the_focus_back(open_page):
    page = open_page("circle")
    opener = page.get_by_label("Autres actions pour TESTARD Paul")
    opener.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Modifier"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Autres actions pour TESTARD Paul"
    assert page.locator("details[open]").count() == 0


def test_undo_by_keyboard_posts_with_its_token(open_page, style_server):
    page = open_page("circle")
    page.keyboard.press("Alt+z")
    page.wait_for_url("**/annuler/")
    assert style_server.posts[0][:2] == ("/annuler/", "csrfmiddlewaretoken=jeton")


def test_toast_leaves_after_ten_seconds_unless_it_is_being_read(browser, style_server):
    page = browser.new_page()
    page.clock.install()
    page.goto(f"http://127.0.0.1:{style_server.server_port}/circle")
    page.clock.run_for(9_000)
    page.locator("[data-undo]").focus()
    page.clock.run_for(30_000)
    assert page.locator("[data-toast]").count() == 1
    page.locator("h1").focus()
    page.clock.run_for(2_000)
    assert page.locator("[data-toast]").count() == 0
    page.close()


def test_error_summary_takes_the_focus(open_page):
    page = open_page("errors")
    assert page.evaluate("document.activeElement.matches('[data-error-summary]')")


def test_a_refused_answer_shows_its_fields_only_when_chosen(open_page):
    page = open_page("act")
    date = page.locator("#id_refusal_date")
    assert not date.is_visible()
    page.get_by_label("Refus du patient").check()
    assert date.is_visible()


def test_combobox_searches_by_post_and_says_the_count(open_page, style_server):
    page = open_page("search")
    field = page.get_by_role("combobox", name="Qui voulez-vous ajouter")
    field.press_sequentially("e", delay=20)
    page.wait_for_timeout(350)
    assert style_server.posts == []
    field.press_sequentially("chantillon", delay=20)
    page.locator("#qui-liste [role=option]").first.wait_for()
    path, body, token = style_server.posts[-1]
    assert (path, token) == ("/recherche/", "jeton")
    assert "q=echantillon" in body
    assert len(style_server.posts) == 1
    assert page.locator("#qui-etat").inner_text().startswith("4 résultats")
    assert field.get_attribute("aria-expanded") == "true"
    assert violations(page) == []


def test_a_field_left_before_its_answer_no_longer_says_that_it_searches(open_page):
    page = open_page("search")
    held = []
    page.route("**/communes/", lambda route: held.append(route))
    field = page.get_by_role("combobox", name="Ville")
    field.press_sequentially("carm", delay=20)
    page.locator("#commune-etat", has_text="Recherche…").wait_for()
    field.press("Tab")
    held[0].fulfill(status=200, content_type="text/html", body="")
    page.wait_for_function("document.getElementById('commune-etat').textContent === ''")


def test_combobox_by_keyboard(open_page):
    page = open_page("search")
    field = page.get_by_role("combobox", name="Qui voulez-vous ajouter")
    field.press_sequentially("echantillon")
    page.locator("#qui-liste [role=option]").first.wait_for()
    field.press("ArrowDown")
    field.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == "opt-2"
    assert page.locator("#opt-2").get_attribute("aria-selected") == "true"
    field.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "echantillon"
    field.press("Escape")
    assert field.input_value() == ""
    field.press_sequentially("echantillon")
    page.locator("#qui-liste [role=option]").first.wait_for()
    field.press("ArrowDown")
    field.press("Enter")
    page.wait_for_url("**/choisi/1/")


def test_combobox_without_javascript_is_a_form(open_page, style_server):
    page = open_page("search", javascript=False)
    page.locator("#qui").fill("echantillon")
    page.get_by_role("button", name="Rechercher").click()
    page.wait_for_url("**/recherche/page/")
    assert "q=echantillon" in style_server.posts[-1][1]


def test_a_form_is_sent_once_and_its_draft_is_kept(open_page, style_server):
    page = open_page("act")
    page.locator("#id_description").fill("Reprend la patientèle")
    page.locator("[data-draft-note]").filter(has_text="Brouillon gardé à").wait_for()
    path, body, token = style_server.posts[-1]
    assert (path, token) == ("/brouillon/", "jeton")
    assert "description=Reprend" in body
    assert "csrfmiddlewaretoken" not in body
    page.evaluate("""() => {
        window.sent = 0;
        const form = document.querySelector('[data-submit-once]');
        document.addEventListener('submit', (event) => {
            if (!event.defaultPrevented) window.sent += 1;
            event.preventDefault();
        });
        const button = form.querySelector('[data-busy]');
        form.requestSubmit(button);
        form.requestSubmit(button);
    }""")
    assert page.evaluate("window.sent") == 1
    assert page.get_by_role("button", name="Enregistrement…").get_attribute("aria-busy") == "true"


@pytest.mark.parametrize("width", [320, 360, 390])
def test_every_menu_of_a_phone_opens_inside_the_screen(open_page, width):
    page = open_page("circle", phone=True, width=width)
    openers = page.locator("details.menu > summary:visible")
    assert openers.count() > 4
    for opener in openers.all():
        opener.click()
        box = page.locator(
            "details.menu[open] > .menu-list, details.menu[open] > nav > .menu-list, details.menu[open] + form"
        ).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, opener.get_attribute("aria-label")
        page.keyboard.press("Escape")


@pytest.mark.parametrize(
    ("opener", "within"), [(".rubric-bar", ".rubric-list a"), (".search-menu", "#recherche-dossier")]
)
def test_what_a_wide_screen_shows_is_written_once_and_opens_on_a_phone(open_page, opener, within):
    page = open_page("circle", phone=True)
    summary, held = page.locator(f"{opener} > summary"), page.locator(within).first
    assert not held.is_visible()
    summary.press("Enter")
    held.wait_for()
    summary.focus()
    page.keyboard.press("Tab")
    # What one goes into stays open, up to its last line; Escape leaves it as it leaves any menu.
    assert held.is_visible() and held.evaluate("one => one === document.activeElement")
    page.keyboard.press("Escape")
    assert not held.is_visible() and summary.evaluate("one => one === document.activeElement")
    summary.press("Enter")
    page.locator(".page-head h1, main").first.click(position={"x": 2, "y": 2})
    assert not held.is_visible()
    wide = open_page("circle")
    assert wide.locator(within).first.is_visible() and not wide.locator(opener).is_visible()


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(("name", "first"), [("circle", ".member"), ("patients", "[data-row-link]")])
def test_a_list_begins_on_the_first_screen_of_a_phone(open_page, name, first, javascript):
    """What filters it is one button there, and stands in the line on a wide screen."""
    page = open_page(name, phone=True, javascript=javascript)
    opener, filters = page.locator(".tools-opener > summary"), page.locator(".tools select")
    note = page.locator(".toolbar-note")
    assert not filters.first.is_visible() and not note.is_visible()
    assert page.locator(first).first.bounding_box()["y"] < 560
    opener.click()
    filters.first.wait_for()
    assert note.is_visible() is javascript
    wide = open_page(name)
    assert wide.locator(".tools select").first.is_visible() and not wide.locator(".tools-opener").is_visible()


def test_what_is_found_shows_above_the_keyboard_of_a_phone(open_page):
    page = open_page("search", phone=True)
    # What a keyboard leaves of the screen.
    page.set_viewport_size({"width": 390, "height": 460})
    page.get_by_role("combobox", name="Qui voulez-vous ajouter").press_sequentially("echantillon")
    # The field goes up smoothly: its first answer ends above the keyboard, and it stays in sight itself.
    page.wait_for_function(
        "() => { const [field, first] = ['#qui', '#qui-liste [role=option]'].map((s) => document.querySelector(s));"
        "return first && first.getBoundingClientRect().bottom <= 460 && field.getBoundingClientRect().top >= 0; }"
    )


def test_an_address_is_not_corrected_like_a_word(open_page):
    field = open_page("act", phone=True).locator("input[inputmode=email], input[type=email]").first
    assert field.get_attribute("autocapitalize") == "none" and field.get_attribute("autocorrect") == "off"


@pytest.mark.parametrize("name", ["act", "circle", "home", "search"])
def test_what_a_finger_chooses_is_44_pixels_high(open_page, name):
    page = open_page(name, phone=True)
    low = page.evaluate(
        "[...document.querySelectorAll('.btn, .choice-item, .panel-head .link, main summary, .menu-item')]"
        ".filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 44).map((e) => e.textContent.trim())"
    )
    assert low == []
