"""Sign-in, sign-out, what failed, what an account is protected by, traced (SEC-9); what a new password ends. Accounts
sits below and never hears of them."""

from habilitations import actions, traces
from habilitations.models import Outcome

SIGN_IN, SIGN_OUT = "connexion", "déconnexion"
PASSWORD, FACTOR = "mot de passe", "second facteur"
FACTOR_ADDED, FACTOR_REMOVED, FACTOR_RENEWED = "ajout de facteur", "retrait de facteur", "codes renouvelés"


def trace_sign_in(request, user, **kwargs) -> None:
    traces.record_account(user=user, action=SIGN_IN, via=traces.via_request(request))


def trace_sign_out(request, user, **kwargs) -> None:
    # Signing out of an ended session names nobody.
    if user is not None and user.is_authenticated:
        traces.record_account(user=user, action=SIGN_OUT, via=traces.via_request(request))


def trace_failed_sign_in(request=None, **kwargs) -> None:
    """What was typed is not kept: it may be a password in the wrong field."""
    via = traces.via_request(request) if request is not None else traces.NOWHERE
    traces.record_account(user=None, action=SIGN_IN, outcome=Outcome.FAILED, via=via)


def trace_failed_factor(request, user, **kwargs) -> None:
    """A wrong code, or a key that is not his: whoever tries it knows the password already, so the account is named."""
    traces.record_account(user=user, action=FACTOR, outcome=Outcome.FAILED, via=traces.via_request(request))


def trace_password(request, user, **kwargs) -> None:
    """A password changed, or chosen by a link."""
    traces.record_account(
        user=user, action=PASSWORD, object_kind="compte", object_id=user.pk, via=traces.via_request(request)
    )


def trace_factor_added(request, user, authenticator, **kwargs) -> None:
    _trace_factor(FACTOR_ADDED, request, user, authenticator)


def trace_factor_removed(request, user, authenticator, **kwargs) -> None:
    _trace_factor(FACTOR_REMOVED, request, user, authenticator)


def trace_factor_renewed(request, user, authenticator, **kwargs) -> None:
    _trace_factor(FACTOR_RENEWED, request, user, authenticator)


def _trace_factor(action: str, request, user, authenticator) -> None:
    traces.record_account(
        user=user, action=action, object_kind=authenticator.type, object_id=user.pk, via=traces.via_request(request)
    )


def end_tokens(request, user, **kwargs) -> None:
    """A new password is chosen when the former one may be known: what was made with it ends, as sessions do."""
    actions.revoke_personal_tokens(user, via=traces.via_request(request))
