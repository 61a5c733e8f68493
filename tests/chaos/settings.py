"""Production's settings, but the partner and the calendar of the scenarios are on this machine."""

from coordination.settings.production import *  # noqa: F403
from coordination.settings.production import ACCOUNT_RATE_LIMITS

# What follows is what a production is refused for.
REFUSES_UNSAFE_START = False
PARTNERS_ALLOW_PRIVATE = True
INS_TEST_ALLOWED = True
# One person does here in a minute what she does in a year.
ACCOUNT_RATE_LIMITS = ACCOUNT_RATE_LIMITS | {"own_calendars": "100000/m/user", "invitations": "100000/m/user"}
