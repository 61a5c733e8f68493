"""Someone in front of the product: words for stories, and what must hold on every page they see."""

import re
from pathlib import Path

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text()
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Widest page allowed to scroll sideways by rounding.
SIDEWAYS = 1


class Visitor:
    """A browser tab with a person's gestures. Console errors and refused resources are kept and fail the story."""

    def __init__(self, page, *, javascript=True, shots=None):
        self.page = page
        self.javascript = javascript
        self.shots = shots
        self.problems = []
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)

    def _console(self, message):
        # A 4xx answer is an answer: pages of refusal are part of the stories.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"console: {message.text}")

    def _response(self, response):
        if response.status >= 500 or (response.status == 404 and "/static/" in response.url):
            self.problems.append(f"{response.status}: {response.url}")

    def then_nothing_broke(self):
        assert self.problems == []

    # ---- gestures ----

    def goes_to(self, path):
        self.page.goto(path)

    def clicks(self, name, role="link", exact=False):
        self.page.get_by_role(role, name=name, exact=exact).first.click()

    def presses(self, name):
        self.clicks(name, role="button")

    def fills(self, label, text):
        self.page.get_by_label(label, exact=False).first.fill(text)

    def chooses(self, name):
        """Check a radio or a box by its visible words."""
        self.page.get_by_label(name, exact=False).first.check()

    def selects(self, label, option):
        self.page.get_by_label(label, exact=False).first.select_option(label=option)

    def signs_in(self, email, password):
        self.goes_to("/compte/connexion/")
        self.fills("Adresse e-mail", email)
        self.page.locator("input[type=password]").fill(password)
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_url(lambda url: "/compte/connexion" not in url)

    # ---- what one sees ----

    def sees(self, text):
        self.page.get_by_text(text, exact=False).first.wait_for()

    def does_not_see(self, text):
        assert self.page.get_by_text(text, exact=False).count() == 0, f"« {text} » is shown"

    def reads_title(self):
        return self.page.title()

    def checks_the_page(self, name):
        """The page is accessible, fits its width, and names nobody in its address and title."""
        if self.shots:
            width = self.page.viewport_size["width"]
            self.page.screenshot(path=self.shots / f"{name}-{width}.png", full_page=True)
        if not self.javascript:
            return
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules}).then(r => r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(' | ')))",
            AXE_RULES,
        )
        assert found == [], f"{name}: {found}"
        overflow = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= SIDEWAYS, f"{name} scrolls sideways by {overflow} px"

    def address_and_title_name_nobody(self, *words):
        said = f"{self.page.url} {self.page.title()}".casefold()
        for word in words:
            assert not re.search(rf"\b{re.escape(word.casefold())}\b", said), f"{word} in {said}"
