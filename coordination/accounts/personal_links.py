"""The second marker: pages reached by a personal link, without an account (house.md). Each reaches one object.

A room above makes its own marker of it: what its links reach (`scope`, counted by the architecture test), how often
one address may ask (`rate`), and how the signed part of the address is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse

from coordination.common import declaring


def token_marker(
    *,
    scope: str,
    read: Callable[[str], Any | None],
    rate: str = "",
    limit: Callable[[HttpRequest, str], HttpResponse | None] | None = None,
) -> Callable:
    """Return a decorator: `view(request, held)` is called for the holder of a link, `held` being what `read` finds.

    What `read` does not know is a page that does not exist. `limit`: instead of a `rate`, for what programs ask all
    day; it answers for who asks too often.
    """

    def mark(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_not_required
        @wraps(view)
        def wrapped(request: HttpRequest, token: str) -> HttpResponse:
            too_many = limit(request, token) if limit else ratelimit.consume_or_429(request, action=rate)
            if too_many:
                return too_many
            declaring.declare_holder("link", token)
            held = read(token)
            if held is None:
                declaring.withdraw("link")
                raise Http404
            return view(request, held)

        wrapped.token_scope = scope  # type: ignore[attr-defined]
        return wrapped

    return mark
