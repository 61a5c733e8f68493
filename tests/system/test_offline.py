"""What is typed with no network, or once the session has ended, stays in the page, is kept as soon as may be, and is
nowhere else in the browser (REL-20).

Some forms with a free text, drawn by the seed of the run, of those that tests/test_drafts_everywhere.py finds;
`FULL=1`: one of every page that has any.
"""

import datetime as dt
import os
import random
import time
from urllib.parse import parse_qs

import pytest
from django.conf import settings as product

from coordination.accounts.actions import end_sessions
from coordination.accounts.models import Draft
from coordination.common import cipher
from coordination.directory.search import vocabulary
from habilitations import published
from tests.accounts.factories import PASSWORD, UserFactory
from tests.system.conftest import DESKTOP
from tests.test_drafts_everywhere import NOT_DRAWN, addresses, build_town, forms_of, ours

pytestmark = [pytest.mark.browser, pytest.mark.req("REL-20")]
SAMPLE, PATIENCE = 3, 20
# By the page's own clock: longer than the wait of a draft, and than the wait between two tries.
A_MOMENT, FIVE_MINUTES = 3_000, "05:00"
KINDS = "is(:not([type]), [type=text], [type=email], [type=tel], [type=url])"
FREE = f"textarea[name], input[name]:{KINDS}:not([readonly], [disabled])"
FORM = f"form[data-draft]:has({FREE})"
# As somebody types, in whichever field there is: a part of a form may be folded.
TYPE = """(field, text) => {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return [field.name, field.value];
}"""


@pytest.fixture
def town(transactional_db, settings):
    vocabulary.forget()
    yield build_town(settings)
    published.forget()
    vocabulary.forget()


def pages(client, town, chance):
    """Yield (address, user) of one form with a free text of each page that has any, in an order drawn by chance."""
    routes = [(name, path) for name, path in ours() if name not in NOT_DRAWN]
    chance.shuffle(routes)
    for name, path in routes:
        found = next(_of(client, town, addresses(name, path, town)), None)
        if found:
            yield name, *found


def _of(client, town, asked):
    for user in town["users"]:
        client.force_login(user)
        for address in asked:
            answer = client.get(address, follow=True)
            is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
            if is_page and any(form["draft"] and form["words"] for form in forms_of([answer.content.decode()])):
                yield address, user


@pytest.fixture
def opened(browser, live_server, client):
    """Return a function that opens an address for somebody, and the page's own clock to make time pass."""
    contexts = []

    def open_one(user, address):
        client.force_login(user)
        context = browser.new_context(base_url=live_server.url, locale="fr-FR", viewport=DESKTOP)
        contexts.append(context)
        context.set_default_timeout(10_000)
        session = client.cookies[product.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": product.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.clock.install()
        with page.expect_response(lambda answer: "drafts" in answer.url):
            page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()


def kept(page):
    """Return what the server keeps of this page's form."""
    draft = page.locator(FORM).first.get_attribute("data-draft").rstrip("/").split("/")
    found = Draft.objects.filter(form_key=draft[-2], object_id=draft[-1]).first()
    return cipher.decrypt(found.content) if found else ""


def in_the_browser(page):
    return page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def may_leave(page):
    """Return whether who goes elsewhere is let go without a word."""
    return page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")


def until(page, question, *asked):
    """Return once the answer is yes. Meanwhile the browser is heard: what it routes waits for this thread."""
    end = time.monotonic() + PATIENCE
    while not question(*asked):
        assert time.monotonic() < end, question.__name__
        page.wait_for_timeout(50)


def no_draft_is_kept():
    return not Draft.objects.exists()


def is_held(page):
    return not may_leave(page)


def survives(page, text):
    """Type with no network for five minutes; then with it again."""
    form = page.locator(FORM).first
    page.context.set_offline(True)
    name, typed = form.locator(FREE).first.evaluate(TYPE, text)
    assert typed and may_leave(page)
    page.clock.run_for(A_MOMENT)
    until(page, is_held, page)
    page.clock.fast_forward(FIVE_MINUTES)
    # Sent all the same: it would be lost with the page.
    form.evaluate("form => form.requestSubmit()")
    page.clock.run_for(A_MOMENT)
    assert form.locator(f"[name='{name}']").first.input_value() == typed
    assert kept(page) == "" and text not in in_the_browser(page)
    return name, typed


@pytest.mark.timeout(900)
def test_what_is_typed_with_no_network_is_kept_at_its_return(client, town, opened, request):
    chance = random.Random(request.config.getoption("randomly_seed", 0))
    seen = []
    for route, address, user in pages(client, town, chance):
        page = opened(user, address)
        name, typed = survives(page, f"Hors {len(seen)}")
        page.context.set_offline(False)
        until(page, kept, page)
        until(page, may_leave, page)
        assert parse_qs(kept(page))[name][0] == typed, route
        assert typed not in in_the_browser(page)
        page.context.close()
        seen.append(route)
        if len(seen) == SAMPLE and not os.environ.get("FULL"):
            break
    print(f"{len(seen)} forms: {', '.join(seen)}")  # noqa: T201 - which, by -s
    assert len(seen) >= SAMPLE


def test_a_server_that_is_started_again_loses_nothing(client, town, opened):
    """Its proxy answers 502 meanwhile: the draft is sent again, without a word of the browser's network."""
    _, address, user = next(pages(client, town, random.Random(0)))
    page = opened(user, address)
    page.context.route("**/brouillons/**", lambda call: call.fulfill(status=502, body="Bad gateway"))
    form = page.locator(FORM).first
    name, typed = form.locator(FREE).first.evaluate(TYPE, "Redémarré")
    page.clock.run_for(A_MOMENT)
    until(page, is_held, page)
    assert typed == "Redémarré" and kept(page) == ""
    page.context.unroute("**/brouillons/**")
    page.clock.run_for(2 * A_MOMENT)
    until(page, kept, page)
    until(page, may_leave, page)
    assert name in kept(page)


def stands_still(page):
    """Stop the page's own clock: nothing leaves by itself, two seconds after it was typed."""
    page.clock.pause_at(dt.datetime.fromtimestamp(page.evaluate("Date.now()") / 1000 + 60, dt.UTC))


LONG = "Une phrase que personne ne veut perdre. " * 4_000


def test_a_text_too_long_for_a_page_that_is_gone_leaves_before(client, town, opened):
    """More than 64 KiB: the browser asks first, and the text is on its way while one reads the question."""
    _, address, user = next(pages(client, town, random.Random(0)))
    page = opened(user, address)
    stands_still(page)
    field = page.locator(FORM).first.locator(FREE).first
    field.evaluate(TYPE, "Court")
    assert may_leave(page) and kept(page) == ""
    name, typed = field.evaluate(TYPE, LONG)
    assert no_draft_is_kept()
    page.keyboard.press("Tab")
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog))
    # In a turn of its own: the question of the browser would hold the answer to this.
    page.evaluate("""() => {
      const turn = new MessageChannel();
      turn.port1.onmessage = () => location.assign("/aide/");
      turn.port2.postMessage(0);
    }""")
    until(page, lambda: asked)
    end = time.monotonic() + PATIENCE
    while no_draft_is_kept():
        assert time.monotonic() < end
        time.sleep(0.1)
    assert [one.type for one in asked] == ["beforeunload"]
    asked[0].accept()
    page.get_by_role("heading", name="Aide", level=1).wait_for()
    found = Draft.objects.get(user=user)
    assert parse_qs(cipher.decrypt(found.content))[name][0].strip() == typed.strip()


def test_a_phone_that_shows_something_else_sends_a_long_text(client, town, opened):
    _, address, user = next(pages(client, town, random.Random(0)))
    page = opened(user, address)
    stands_still(page)
    name, typed = page.locator(FORM).first.locator(FREE).first.evaluate(TYPE, LONG)
    assert no_draft_is_kept()
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    until(page, kept, page)
    assert parse_qs(kept(page))[name][0].strip() == typed.strip()


# A form whose text is seen in one row: the title of who is signed in.
PROFILE = "/compte/"
TITLE = "[name=title]"


@pytest.fixture
def user(transactional_db):
    return UserFactory()


def says(page, words):
    page.locator("[data-draft-note]", has_text=words).first.wait_for()


def send_it(page):
    page.get_by_role("button", name="Mettre à jour le profil").click()


def typed_with_its_draft_held(opened, user):
    """Return the page of a title just typed, and what its drafts are held in."""
    page, held = opened(user, PROFILE), []
    page.context.route("**/brouillons/**", lambda call: held.append(call))
    page.locator(TITLE).fill("Cadre de santé")
    return page, held


def sign_in_beside(page, somebody):
    """In another tab of the same browser, as the note asks."""
    beside = page.context.new_page()
    beside.goto("/compte/connexion/")
    beside.get_by_label("Adresse e-mail").fill(somebody.email)
    beside.locator("input[type=password]").fill(PASSWORD)
    beside.locator("main form button[type=submit]").first.click()
    beside.wait_for_url(lambda url: "/compte/connexion" not in url)
    beside.close()


def is_titled(user, title):
    user.refresh_from_db()
    return user.title == title


def open_profile(opened, user):
    page = opened(user, PROFILE)
    page.clock.run_for(61_000)
    end_sessions(user)
    return page


def test_what_is_typed_after_a_session_ended_elsewhere_waits_for_the_next_one(user, opened):
    page = open_profile(opened, user)
    page.locator(TITLE).fill("Infirmière référente")
    page.clock.run_for(A_MOMENT)
    says(page, "Votre session est terminée. Reconnectez-vous dans un autre onglet")
    again = page.get_by_role("link", name="Me reconnecter (nouvel onglet)")
    assert again.get_attribute("href") == "/compte/connexion/" and again.get_attribute("target") == "_blank"
    until(page, is_held, page)
    send_it(page)
    page.locator("#etat", has_text="Votre session est terminée").wait_for(state="attached")
    # The clock of the session runs out too: the page does not leave either.
    page.clock.fast_forward("45:00")
    page.clock.run_for(A_MOMENT)
    assert page.url.endswith(PROFILE) and page.locator(TITLE).input_value() == "Infirmière référente"
    assert kept(page) == "" and is_titled(user, "") and "référente" not in in_the_browser(page)

    sign_in_beside(page, user)
    page.clock.run_for(3 * A_MOMENT)
    until(page, kept, page)
    says(page, "Brouillon gardé à")
    until(page, may_leave, page)
    send_it(page)
    until(page, is_titled, user, "Infirmière référente")
    page.get_by_text("Vos préférences sont enregistrées.").wait_for()
    assert not Draft.objects.exists()


def test_a_browser_that_does_not_time_its_questions_sends_its_forms(user, opened):
    """Safari before 16, on tablets that will not have another one: taken for a network that is away, it held the form
    for ever."""
    page = opened(user, PROFILE)
    page.evaluate("delete AbortSignal.timeout")
    page.locator(TITLE).fill("Kinésithérapeute")
    send_it(page)
    until(page, is_titled, user, "Kinésithérapeute")


def test_what_is_sent_at_once_is_not_lost_by_the_sign_in_page(user, opened):
    page = open_profile(opened, user)
    page.locator(TITLE).fill("Cadre de santé")
    send_it(page)
    says(page, "Votre session est terminée.")
    assert page.url.endswith(PROFILE)
    sign_in_beside(page, user)
    send_it(page)
    until(page, is_titled, user, "Cadre de santé")


def test_another_account_signed_in_meanwhile_gets_nothing(user, opened):
    page, other = open_profile(opened, user), UserFactory()
    sign_in_beside(page, other)
    page.locator(TITLE).fill("Cadre de santé")
    send_it(page)
    says(page, "Un autre compte est connecté.")
    assert page.url.endswith(PROFILE) and is_titled(other, "")
    assert not Draft.objects.exists()


def test_a_token_made_void_by_a_new_sign_in_is_renewed_without_a_word(user, opened):
    page = open_profile(opened, user)
    sign_in_beside(page, user)
    page.locator(TITLE).fill("Cadre de santé")
    page.clock.run_for(A_MOMENT)
    says(page, "Brouillon gardé à")
    send_it(page)
    until(page, is_titled, user, "Cadre de santé")


def test_a_draft_too_long_is_said_once_and_the_form_goes(user, opened):
    page = opened(user, PROFILE)
    tries = []

    def refuse(call):
        tries.append(call)
        call.fulfill(status=413, json={})

    page.context.route("**/brouillons/**", refuse)
    page.locator(TITLE).fill("Cadre de santé")
    page.clock.run_for(A_MOMENT)
    says(page, "Ce texte est trop long pour un brouillon.")
    until(page, is_held, page)
    page.clock.fast_forward(FIVE_MINUTES)
    page.clock.run_for(A_MOMENT)
    assert len(tries) == 1
    send_it(page)
    until(page, is_titled, user, "Cadre de santé")


def test_a_button_drawn_again_meanwhile_sends_all_the_same(user, opened):
    """A form waits for its draft; htmx may draw its button again in the meantime."""
    page, held = typed_with_its_draft_held(opened, user)
    with page.expect_request("**/brouillons/**"):
        send_it(page)
    page.locator(TITLE).evaluate(
        "field => field.form.querySelectorAll('[type=submit]').forEach((one) => one.replaceWith(one.cloneNode(true)))"
    )
    held.pop().continue_()
    until(page, is_titled, user, "Cadre de santé")


def test_a_draft_never_outlives_its_form(user, opened):
    """The draft that is on its way is awaited: arriving after the form, it would be offered again for seven days."""
    page, held = typed_with_its_draft_held(opened, user)
    with page.expect_request("**/brouillons/**"):
        page.clock.run_for(A_MOMENT)
    send_it(page)
    page.clock.run_for(A_MOMENT)
    assert is_titled(user, "")
    held.pop().continue_()
    until(page, is_titled, user, "Cadre de santé")
    # Forgotten once the form is saved, by a statement of its own.
    until(page, no_draft_is_kept)
    assert not held
