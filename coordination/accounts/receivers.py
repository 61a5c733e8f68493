"""What the house does when allauth says that something happened."""

from allauth.account.models import EmailAddress

from coordination.accounts import second_factor


def verify_address(request, user, **kwargs) -> None:
    """Choosing a password by a link received at an address proves the address."""
    EmailAddress.objects.filter(user=user, email__iexact=user.email).update(verified=True)


def note_enrolment(request, user, **kwargs) -> None:
    """The session that enrols a factor has just shown it."""
    second_factor.note_enrolment(request, user)
