"""Stories in a real browser, against a real server: what a person would see, with axe on every page."""

import io
import logging
import os
from pathlib import Path

import pytest

from coordination.directory.search import vocabulary
from habilitations import published
from tests.system import world as worlds

pytest.register_assert_rewrite("tests.system.visitor", "tests.system.acts")
from tests.system.visitor import Visitor  # noqa: E402

DESKTOP = {"width": 1366, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def world(transactional_db):
    """The small town, made again for each story: the tables are emptied between two of them."""
    vocabulary.forget()
    yield worlds.build()
    published.forget()
    vocabulary.forget()


@pytest.fixture
def written_logs():
    """Return a function that gives all the application wrote in its log, as production would write it."""
    paper = io.StringIO()
    handler = logging.StreamHandler(paper)
    root = logging.getLogger()
    handler.setFormatter(next(h.formatter for h in root.handlers if h.get_name() == "terminal"))
    root.addHandler(handler)
    yield paper.getvalue
    root.removeHandler(handler)


@pytest.fixture
def visit(browser, live_server, tmp_path):
    """Return a function that opens a browser of its own: `visit(phone=True, javascript=False, per_key=200)`."""
    opened = []

    def open_one(*, phone=False, javascript=True, per_key=0):
        context = browser.new_context(
            base_url=live_server.url,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            reduced_motion="reduce",
            java_script_enabled=javascript,
            accept_downloads=True,
        )
        context.set_default_timeout(10_000)
        visitor = Visitor(
            context.new_page(), live_server.url, javascript=javascript, phone=phone, shots=_shots(), per_key=per_key
        )
        opened.append((context, visitor))
        return visitor

    yield open_one
    for context, visitor in opened:
        context.close()
        visitor.then_nothing_broke()
        visitor.addresses_and_titles_name_nobody(*worlds.NAMES)


def _shots():
    """Where to keep screenshots when somebody wants to look: STORY_SHOTS=folder make test ARGS=tests/system."""
    folder = os.environ.get("STORY_SHOTS")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)
