"""What every test gets: settings that attack the code, and helpers shared by the rooms."""

import pytest


@pytest.fixture(autouse=True)
def _no_mail_leaves(settings):
    """A test never talks to a mail server."""
    settings.EMAIL_HOST = "mail.invalid"
