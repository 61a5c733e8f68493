"""Every page of the product, in a world where each of them shows something: the walk of tests/security, over HTTP."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.bench import servers

# What signs out or ends the session of who walks.
LEFT_ALONE = {"account_logout", "accounts:end_other_sessions"}


@dataclass(frozen=True)
class Open:
    """A page that somebody may open: the name of its route, its path, the cookie of who opens it."""

    name: str
    path: str
    cookie: str


def build():
    """Make the world of the tables of tests/security; to be given to `servers.database`."""
    from tests.security import world

    return world.build(situations=(world.GRANTED,))


def found(world, address: str) -> list[Open]:
    """Return each page that answers 200 to the first of a few visitors who may open it."""
    from tests.security import routes
    from tests.security import world as w

    place, parts = world.places[w.GRANTED], routes.names()
    known, pages = routes.ids_of(world, place), {}
    for whom in (w.OWNER, w.ADMINISTRATOR, w.OFFICER, w.LOOKS_AFTER, w.ANONYMOUS):
        user = world.people.get(whom) or world.apart[whom]
        cookie = servers.signed_in(user) if user else ""
        for name in sorted(parts.keys() - LEFT_ALONE - pages.keys()):
            ids = known | routes.OWN_IDS.get(name, lambda *_: {})(world, place)
            path = routes.address(name, parts[name], ids)
            if _is_page(address + path, cookie):
                pages[name] = Open(name, path, cookie)
    return list(pages.values())


def _is_page(url: str, cookie: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", parts.path, headers=servers.Page(url, cookie).headers | {"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status == 200 and answer.headers.get_content_type() == "text/html" and b"<html" in body
