"""axe in a page of the browser: WCAG 2.2 AA and its best practices. The one place that says what is asked of it."""

from __future__ import annotations

from pathlib import Path

SCRIPT = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only what is wrong is described, and no style sheet is fetched again: the same findings for half the time.
RUN = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false})
  .then((said) => said.violations.map((one) =>
    `${one.id}: ${one.nodes.map((node) => node.target.join(" ") + " " + node.html.slice(0, 120)).join(" | ")}`))"""


def violations(page) -> list[str]:
    """Return what axe finds in the page as it is now: each rule with the places that break it."""
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(SCRIPT)
    return page.evaluate(RUN, RULES)
