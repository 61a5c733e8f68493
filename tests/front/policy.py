"""The reports of the policy of contents, as the browser makes them (SECT-14): each one is a defect of the page.

Told on the console rather than sent to an address: `report-to` waits and batches, and a page closed meanwhile says
nothing. Whoever reads the console of a page (the stories, the style pages) meets them as well.
"""

REPORT = "Content Security Policy report:"
WATCH = f"""addEventListener('securitypolicyviolation', (event) => console.error(
  `{REPORT} ${{event.effectiveDirective}} ${{event.blockedURI}} ${{event.sample}} ${{event.sourceFile}}`), true);"""


def watched(page) -> list[str]:
    """Return the list where the reports of every page opened from now on are put: « directive what sample where »."""
    reports: list[str] = []

    def note(message):
        if message.text.startswith(REPORT):
            reports.append(message.text.removeprefix(REPORT).strip())

    page.on("console", note)
    page.add_init_script(WATCH)
    return reports
