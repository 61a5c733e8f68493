"""Who an address and a password are: one indexed query, the same for a known and an unknown address."""

from allauth.account.auth_backends import AuthenticationBackend

from coordination.accounts.models import User


class EmailBackend(AuthenticationBackend):
    def _authenticate_by_email(self, email, password):
        # allauth asks a second table when the first knows nothing: longer for the unknown, and not by index.
        return self._check_password(User.objects.with_email(email).first(), password)
