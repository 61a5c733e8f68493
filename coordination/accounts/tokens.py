"""The link that lets somebody choose a password: an hour to reset one, three days to choose the first."""

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils import timezone
from django.utils.http import base36_to_int

from coordination.outbox import quarantine


class PasswordLinkGenerator(PasswordResetTokenGenerator):
    """Single use: the token hashes the current password and address, so changing either makes it void.

    Django's limit (PASSWORD_RESET_TIMEOUT) holds for a first password; an account that has one gets the short limit.
    A restored backup knows again the password of its day: a link that served since would serve twice, so those made
    before the restoration are void (REL-13).
    """

    def check_token(self, user, token):
        if not super().check_token(user, token):
            return False
        restored_at = quarantine.last_opened_at()
        if restored_at and self._age(token) >= (timezone.now() - restored_at).total_seconds():
            return False
        return not user.has_usable_password() or self._age(token) <= settings.PASSWORD_RESET_SHORT_TIMEOUT

    def _age(self, token):
        return self._num_seconds(self._now()) - base36_to_int(token.split("-")[0])
