"""Sign-in, sign-out and failed sign-in, traced (SEC-9); what a new password ends. Accounts sits below and never hears
of them."""

from habilitations import actions, traces
from habilitations.models import Outcome

SIGN_IN, SIGN_OUT = "connexion", "déconnexion"


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


def end_tokens(request, user, **kwargs) -> None:
    """A new password is chosen when the former one may be known: what was made with it ends, as sessions do."""
    actions.revoke_personal_tokens(user, via=traces.via_request(request))
