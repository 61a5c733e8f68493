"""Someone in front of the product: words for stories, and what must hold on every page they see."""

import re
from pathlib import Path
from urllib.parse import unquote

from tests import axe as judge
from tests.front.policy import WATCH

# The choices of one list that read the same, those of drop-down lists (over all their groups) and of radios.
ALIKE = """() => {
  const said = (texts) => texts.map((text) => text.trim().replace(/\\s+/g, " ").toLowerCase());
  const twice = (texts) => said(texts).filter((text, at, all) => text && all.indexOf(text) !== at);
  const lists = [...document.querySelectorAll("select")].map((list) => [...list.options].map((one) => one.text));
  const radios = [...document.querySelectorAll("[role=radiogroup]")].map(
    (group) => [...group.querySelectorAll("input[type=radio]")].map((one) => one.labels[0]?.textContent ?? ""));
  return [...lists, ...radios].flatMap(twice);
}"""
# Widest page allowed to scroll sideways by rounding.
SIDEWAYS = 1
# The fields of a page that somebody has to look at.
FIELDS = """() => [...document.querySelectorAll("main input, main select, main textarea")]
  .filter((one) => one.type !== "hidden" && one.checkVisibility()).length"""
# What the browser says when a page tries what the content policy forbids; never an answer, always a defect.
POLICY = "Content Security Policy"
# What opens the filters that a field is among (components/toolbar.html).
FOLDED = "xpath=ancestor::div[@class='tools']/preceding-sibling::details[contains(@class, 'tools-opener')][not(@open)]"


class Visitor:
    """A browser tab with a person's gestures. Console errors and refused resources are kept and fail the story."""

    def __init__(self, page, home, *, javascript=True, phone=False, shots=None, per_key=0):
        self.page = page
        self.home = home
        self.javascript = javascript
        self.phone = phone
        self.shots = shots
        # Milliseconds from one key to the next; 0: a field is filled at once.
        self.per_key = per_key
        self.problems = []
        self.addresses = []
        self.titles = []
        page.add_init_script(WATCH)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("console", self._console)
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self.addresses.append(request.url))
        page.on("response", self._response)

    def _console(self, message):
        # A 4xx answer is an answer: pages of refusal are part of the stories.
        harmless = "Failed to load resource" in message.text and POLICY not in message.text
        # htmx says this of a search left for another page before it answered; a real failure is seen below.
        harmless |= message.text.startswith(("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort"))
        if message.type == "error" and not harmless:
            self.problems.append(f"console: {message.text}")

    def _failed(self, request):
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.failure}: {request.url}")

    def _response(self, response):
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.problems.append(f"{response.status}: {response.url}")

    def then_nothing_broke(self):
        assert self.problems == []

    # ---- gestures ----

    def goes_to(self, path):
        return self.page.goto(path)

    def clicks(self, name, role="link", exact=False, inside=None):
        (inside or self.page).get_by_role(role, name=name, exact=exact).first.click()

    def presses(self, name, inside=None):
        self.clicks(name, role="button", inside=inside)

    def field(self, label):
        """Return the field with this label, whatever it says after it: « (jj/mm/aaaa) », « (facultatif) »."""
        words = r"\s+".join(re.escape(word) for word in label.split())
        named = self.page.get_by_label(re.compile(rf"^\s*{words}(\s*\([^)]*\))*\s*$"))
        found = named.and_(self.page.locator("input, select, textarea")).first
        if self.phone:
            # « Filtrer »: what filters a list opens when asked.
            folded = found.locator(FOLDED)
            if folded.count():
                folded.locator("summary").click()
        return found

    def fills(self, label, text):
        self._types(self.field(label), text)

    def _types(self, field, text):
        field.fill("" if self.per_key else text)
        if self.per_key:
            field.press_sequentially(text, delay=self.per_key, timeout=10_000 + 2 * self.per_key * len(text))

    def chooses(self, name):
        """Check a radio or a box by its visible words."""
        self.page.get_by_label(name, exact=False).first.check()

    def selects(self, label, option):
        self.field(label).select_option(label=option)

    def picks(self, label, text, option):
        """Type in a field with suggestions and take one: a click on a large screen, a tap on a phone."""
        field = self.field(label)
        field.fill(text)
        if not self.javascript:
            return
        found = self.page.get_by_role("option").filter(has_text=option).first
        found.wait_for()
        found.tap() if self.phone else found.click()

    def receives_cookie(self, name, value):
        self.page.context.add_cookies([{"name": name, "value": value, "url": self.home}])

    def signs_in(self, email, password):
        self.goes_to("/compte/connexion/")
        self.gives_password(email, password)

    def gives_password(self, email, password):
        self.fills("Adresse e-mail", email)
        self._types(self.page.locator("input[type=password]"), password)
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_url(lambda url: "/compte/connexion" not in url)

    def signs_out(self):
        self.page.locator("details.account > summary").click()
        self.presses("Se déconnecter")
        self.page.wait_for_url("**/compte/connexion/**")

    def downloads(self, name):
        """Click what gives a file; return its bytes and the name it is kept under."""
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=name).first.click()
        return Path(waiting.value.path()).read_bytes(), waiting.value.suggested_filename

    # ---- what one sees ----

    def sees(self, text):
        self.page.get_by_text(text, exact=False).filter(visible=True).first.wait_for()

    def does_not_see(self, text):
        assert self.page.get_by_text(text, exact=False).filter(visible=True).count() == 0, f"« {text} » is shown"

    def counts_fields(self):
        return self.page.evaluate(FIELDS)

    def arrives_at(self, heading):
        """Wait for the page with this main heading."""
        self.page.get_by_role("heading", level=1, name=heading).wait_for()

    def has_focus(self):
        """Return the words of what holds the focus: its label, its text or its id."""
        return self.page.evaluate(
            "(e => (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || e.id).trim()"
            ".replace(/\\s+/g, ' '))(document.activeElement)"
        )

    def checks_the_page(self, name, axe=True):
        """The page is accessible, fits its width, and is noted for what its address and title say."""
        self.titles.append(self.page.title())
        if self.shots:
            width = self.page.viewport_size["width"]
            self.page.screenshot(path=self.shots / f"{name}-{width}.png", full_page=True)
        alike = self.page.evaluate(ALIKE)
        assert alike == [], f"{name}: two choices read the same: {alike}"
        if not self.javascript or not axe:
            return
        found = judge.violations(self.page)
        assert found == [], f"{name}: {found}"
        overflow = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= SIDEWAYS, f"{name} scrolls sideways by {overflow} px"

    def addresses_and_titles_name_nobody(self, *words):
        """No page asked for, followed or shown carries one of these words (SEC-22, SECT-6)."""
        said = unquote(" ".join([*self.addresses, *self.titles])).casefold()
        for word in words:
            assert not re.search(rf"\b{re.escape(word.casefold())}\b", said), f"{word} is in an address or a title"

    def leaves_in_the_browser(self):
        """Return what stays in the browser's own storage, where the next person at the desk could read it."""
        return self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
