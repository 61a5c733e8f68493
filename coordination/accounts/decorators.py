"""Marks on views."""

from functools import wraps

from coordination.accounts import reauthentication


def account_page(view):
    """Let a signed-in person reach this page before a second factor: their own account, never a dossier."""

    @wraps(view)
    def marked(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    marked.is_account_page = True
    return marked


def passive(view):
    """Keep a request that the page makes by itself from counting as activity."""

    @wraps(view)
    def marked(request, *args, **kwargs):
        request.is_passive = request.method in {"GET", "HEAD"}
        return view(request, *args, **kwargs)

    return marked


def recently_authenticated(*, act, within=reauthentication.ACCOUNT, gives_file=False):
    """Ask for the password or second factor again when it was last shown longer ago than a window allows (SEC-18).

    `act` is what the question says it protects, see `reauthentication.require`; `within` one of the windows of
    `reauthentication`; `gives_file` says that the answer is a file. Signing in counts as showing who one is. A POST is
    kept and replayed once confirmed. Never for what only closes an access.
    """

    def mark(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            reauthentication.require(request, act, within, gives_file=gives_file)
            return view(request, *args, **kwargs)

        guarded.asks_identity = True
        return guarded

    return mark
