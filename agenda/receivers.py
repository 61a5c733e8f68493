"""What a new password ends of the agenda. Accounts sits below and never hears of it."""

from agenda.actions.feeds import close_feed
from habilitations import traces


def end_feed(request, user, **kwargs) -> None:
    """A new password is chosen when the former one may be known: an address made with it may be read by another."""
    close_feed(user, via=traces.via_request(request))
