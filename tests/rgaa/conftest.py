"""Every page, as those who may open it receive it: what test_every_page.py reads and draws."""

import logging

import pytest
from django.db import transaction

from habilitations import published
from tests.security import routes as r
from tests.security import world as w

# What signs out or ends the session of who walks.
LEFT_ALONE = {"account_logout", "accounts:end_other_sessions"}
WHOM = (w.OWNER, w.ADMINISTRATOR, w.OFFICER, w.LOOKS_AFTER, w.ANONYMOUS)


@pytest.fixture(scope="session")
def pages(django_db_setup, django_db_blocker):
    """{(route, method, status): HTML}: what the first reader who gets a page is shown, and the refusals before it.

    Pages are found by walking the URLs. Each is asked by GET, then by POST with nothing in it, which draws the forms
    with their errors. Whatever is written is taken back.
    """
    logging.disable(logging.CRITICAL)
    try:
        with django_db_blocker.unblock(), transaction.atomic():
            found = _walked(w.build(situations=(w.GRANTED,)))
            transaction.set_rollback(True)
    finally:
        logging.disable(logging.NOTSET)
        published.forget()
    return found


def _walked(world):
    place, parts = world.places[w.GRANTED], r.names()
    known, found, seen = r.ids_of(world, place), {}, set()
    for whom in WHOM:
        visitor = r.Visitor(world.people.get(whom) or world.apart[whom])
        for name in parts.keys() - LEFT_ALONE:
            ids = known | r.OWN_IDS.get(name, lambda *_: {})(world, place)
            for method in ("GET", "POST"):
                if (name, method) in seen:
                    continue
                answer = visitor.ask(method, r.address(name, parts[name], ids))
                if answer.status_code in (404, 405) or not _is_page(answer):
                    continue
                found[name, method, answer.status_code] = answer.content.decode()
                if answer.status_code != 403:
                    seen.add((name, method))
    return found


def _is_page(answer):
    """Return whether an answer is a whole page: a piece of one (htmx) has no document to judge."""
    is_html = answer.headers.get("Content-Type", "").startswith("text/html")
    return is_html and not answer.streaming and b"<html" in answer.content
