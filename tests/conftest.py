"""What every test gets: a harness that attacks the code. Fixtures of one room stay in that room.

Elsewhere in the harness: warnings are errors and order is random (pyproject.toml, pytest-randomly), an unknown
template variable fails (StrictUndefined), the servers are our own (tests/embedded.py).
"""

import os
import socket
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.introspection import BaseDatabaseIntrospection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings
from playwright.sync_api import sync_playwright

from coordination.runtime import chromium
from tests import database, drawing, emptying
from tests.fhir import capturing
from tests.waiting import until_at_rest

CHROMIUM_ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-dev-shm-usage", "--disable-component-update", "--no-first-run",
]  # fmt: skip
# A busy machine is not a defect of the code: properties are judged on what they say, not on how long it takes.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
LOCAL = {"127.0.0.1", "::1", "localhost"}
# What the migrations write for good, and Django would write again after each test that commits.
STANDING = ("django_content_type", "auth_permission")


def pytest_collection_modifyitems(config, items):
    """Browser stories need a browser: a missing one is a loud skip, and a failure in CI."""
    if absent := set(drawing.left_out(config, items)):
        config.hook.pytest_deselected(items=sorted(absent, key=items.index))
        items[:] = [item for item in items if item not in absent]
    stories = [item for item in items if item.get_closest_marker("browser")]
    if not stories or chromium.find():
        return
    if os.environ.get("CI"):
        raise pytest.UsageError("No Chromium: in CI the browser stories must run.")
    for item in stories:
        item.add_marker(
            pytest.mark.skip(reason="BROWSER STORIES SKIPPED: no Chromium (sudo apt-get install chromium)")
        )


@pytest.fixture(scope="session")
def browser():
    """The one browser of a test process: Playwright cannot be started twice in a thread."""
    # Its loop stays in this thread, and Django would take the tests that follow for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium.find(), args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def django_db_createdb():
    """Never by pytest-django: what is wanted anew is copied below."""
    return False


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, django_db_modify_db_settings_parallel_suffix, django_db_blocker):
    """Once each process of tests knows the name of its database, and before pytest-django looks for it."""
    with django_db_blocker.unblock():
        database.copy(connection.creation._get_test_db_name(), anew=request.config.getvalue("create_db"))


@pytest.fixture(autouse=True, scope="session")
def _no_internet():
    """Nothing leaves this machine during a test: no mail, no directory, no font."""
    connect = socket.socket.connect

    def local_only(self, address):
        if self.family != socket.AF_UNIX and address[0] not in LOCAL:
            raise AssertionError("A test tried to reach another machine.")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


@pytest.fixture(autouse=True, scope="session")
def _what_migrations_wrote_is_not_written_again():
    """After a test that commits, tables are emptied, and the content types and rights of models stay as they are."""
    of_django = BaseDatabaseIntrospection.django_table_names

    def to_empty(introspection, *args, **options):
        return [name for name in of_django(introspection, *args, **options) if name not in STANDING]

    def flush(case):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseDatabaseIntrospection, "django_table_names", to_empty)
            for alias in case._databases_names(include_mirrors=False):
                opened = connections[alias]
                until_at_rest(opened)
                if emptying.emptied(opened, to_empty(opened.introspection, only_existing=True, include_views=False)):
                    continue
                call_command(
                    "flush", verbosity=0, interactive=False, database=alias, reset_sequences=False,
                    inhibit_post_migrate=True,
                )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush)
        yield


@pytest.fixture(autouse=True, scope="session")
def _what_the_api_writes_is_kept():
    """For `make conformance`: see tests/fhir/capturing.py."""
    with capturing.captured():
        yield


@pytest.fixture(autouse=True, scope="session")
def _force_login_is_a_sign_in():
    """`client.force_login` stands for a sign-in of now: sensitive acts do not ask for the password again."""
    force = Client.force_login

    def signed_in(self, user, backend=None):
        force(self, user, backend)
        session = self.session
        record_authentication(SimpleNamespace(session=session), user, method="password")
        session.save()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "force_login", signed_in)
        yield
