"""docs/security.md says what the settings say: an auditor reads the page, the product reads the settings."""

import re

import pytest
from django.conf import settings

from agenda.actions.own_calendars import MOST as MOST_CALENDARS
from circle.several import MOST as MOST_LINES
from circle.views.colleagues import BIGGEST_FILE
from coordination.accounts.passwords import WORDS_OF_THE_HOUSE
from coordination.directory.imports import sources
from habilitations import spreadsheets
from tests.asvs import sheet

pytestmark = pytest.mark.req("SECT-1")
PAGE = (sheet.ROOT / "docs/security.md").read_text()


def section(name):
    return re.search(rf"^#+ {re.escape(name)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


@pytest.mark.asvs("v5.0.0-6.1.1", "v5.0.0-2.1.3")
def test_the_limits_of_attempts_are_those_of_the_settings():
    rows = dict(re.findall(r"^\| (\w+) \| (\S+) \|", section("Attempts"), re.MULTILINE))
    assert rows.pop("action") == "limit"
    assert rows == settings.ACCOUNT_RATE_LIMITS
    for name in ("FHIR_CALLS_PER_MINUTE", "FHIR_LOOKALIKES_PER_MINUTE"):
        assert f"`{name}` ({getattr(settings, name)})" in PAGE


@pytest.mark.asvs("v5.0.0-7.1.1")
def test_the_ends_of_sessions_are_those_of_the_settings():
    said = section("Sessions")
    assert f"Idle: {settings.SESSION_IDLE_SECONDS // 60} minutes" in said
    assert f"absolute: {settings.SESSION_ABSOLUTE_SECONDS // 3600} hours" in said
    hours, minutes = settings.PASSWORD_RESET_TIMEOUT // 3600, settings.PASSWORD_RESET_SHORT_TIMEOUT // 60
    assert f"({hours} h), to a new one ({minutes} min)" in section("Ways in")


@pytest.mark.asvs("v5.0.0-5.1.1")
def test_sizes_of_files_are_those_of_the_code():
    said = section("Files received")
    for words in (
        f"{BIGGEST_FILE // 1000} KB, {MOST_LINES} lines", f"{spreadsheets.LARGEST // 10**6} MB",
        f"{spreadsheets.MOST_ROWS:,} lines", f"{spreadsheets.MOST_COLUMNS} columns",
        f"{spreadsheets.LARGEST_UNPACKED // 10**6} MB, {spreadsheets.MOST_PARTS} parts",
        f"{sources.MOST_MEMBERS} members and {sources.LARGEST_UNPACKED // 10**9} GB",
    ):  # fmt: skip
        assert words in said, words
    assert f"| calendars of others read for one person | {MOST_CALENDARS} |" in PAGE


@pytest.mark.asvs("v5.0.0-6.1.2")
def test_words_named_by_the_page_are_refused():
    from coordination.common.text import fold

    said = set(fold(section("Words refused in passwords")).split())
    assert len(said & WORDS_OF_THE_HOUSE) >= 15


def test_code_named_by_the_page_exists():
    for name in re.findall(r"`((?:coordination|habilitations|agenda|circle|deploy|tests)/[\w./-]+)`", PAGE):
        assert (sheet.ROOT / name).exists(), name
    names = set(re.findall(r"`([A-Z][A-Z_]{7,})`", PAGE))
    known = "\n".join(
        path.read_text() for folder in ("coordination/settings", "deploy") for path in (sheet.ROOT / folder).glob("*")
        if path.is_file()
    ) + "WORDS_OF_THE_HOUSE"  # fmt: skip
    absent = {name for name in names if name not in known and name.removesuffix("_DAYS") not in known}
    assert absent == set()
    for target in re.findall(r"\]\(([^)h][^)]*)\)", PAGE):
        path, _, anchor = target.partition("#")
        file = sheet.ROOT / "docs" / path
        assert file.is_file() and (not anchor or anchor in sheet.headings(file)), target
