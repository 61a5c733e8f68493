"""A browser and the style pages, for the tests of the front end. No database."""

import pytest

from tests.front import rendering


@pytest.fixture
def style_server():
    server = rendering.serve()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(browser, style_server):
    """Return `open_page("circle", phone=…, theme="dark", javascript=…)`; anything said on the console fails."""
    contexts, said = [], []

    def go(name, *, phone=False, theme="light", javascript=True, width=None):
        size = {"width": width or (390 if phone else 1366), "height": 844 if phone else 900}
        context = browser.new_context(viewport=size, java_script_enabled=javascript, locale="fr-FR")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"http://127.0.0.1:{style_server.server_port}/{name}?{theme}", wait_until="load")
        return page

    yield go
    for context in contexts:
        context.close()
    assert said == []
