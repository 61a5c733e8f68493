"""What the house does when allauth says that something happened."""

from allauth.account.models import EmailAddress
from django.contrib import messages

from coordination.accounts import actions, second_factor
from coordination.common import declaring

NO_CODES = (
    "Vous n’avez pas de codes de secours : sans eux, une clé ou un téléphone perdu ferme votre compte. "
    "Créez-en dans « Mon compte », « Second facteur »."
)


def verify_address(request, user, **kwargs) -> None:
    """Choosing a password by a link received at an address proves the address."""
    EmailAddress.objects.filter(user=user, email__iexact=user.email).update(verified=True)


def note_enrolment(request, user, **kwargs) -> None:
    """The session that enrols a factor has just shown it."""
    second_factor.note_enrolment(request, user)


def forget_removed(request, user, **kwargs) -> None:
    """An account without a factor left is one without a factor, in this session too."""
    second_factor.forget_removed(request, user)


def end_other_sessions(request, user, **kwargs) -> None:
    """A factor added, taken away or renewed ends the sessions opened with what the account was (SECT-22)."""
    actions.end_sessions(user, except_key=request.session.session_key)


def renew_session_key(request, reauthenticated=False, **kwargs) -> None:
    """Whoever shows again who he is goes on under a new key; signing in changes it already (ASVS 7.2.4)."""
    if reauthenticated:
        request.session.cycle_key()


def declare_who_signs_in(sender, user, **kwargs) -> None:
    """Who has just signed in acts for himself in what is left of the request; the next ones show their session."""
    declaring.declare("account", user.pk)


def tell_who_has_no_codes(sender, request, user, **kwargs) -> None:
    """Whose recovery codes went with a restoration makes new ones before he needs them (REL-13)."""
    if second_factor.lacks_codes(user):
        # A session begun by a program has no place for messages.
        messages.warning(request, NO_CODES, fail_silently=True)
