"""What commands ask by an address: the account concerned, the administrator who acts."""

from django.core.management.base import CommandError

from coordination.accounts.models import User


def account(email: str, option: str) -> User:
    """Return the account of this address. Raises CommandError, which names the option and not the address."""
    user = User.objects.with_email(email).first()
    if user is None:
        raise CommandError(f"Aucun compte à l'adresse donnée par {option}.")
    return user
