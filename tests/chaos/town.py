"""Who acts in the scenarios, and on what. All names are invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import record_authentication
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings

from coordination.accounts.models import User
from coordination.accounts.sessions import SessionStore
from coordination.settings import environment
from tests.accounts.factories import UserFactory
from tests.bench import calls, servers
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.partners.factories import PartnerFactory

MEMBERS = 3
# The longest run is over before the proof of identity is too old.
AHEAD = 4 * 3600


@dataclass(frozen=True)
class Town:
    """`cookie`: of a coordinator's browser; `head`: of an administrator's. `program`: headers of a software."""

    dossiers: tuple[UUID, ...]
    cookie: str
    program: calls.Headers
    head: str
    partner: UUID


@contextmanager
def over(database_url: str) -> Iterator[None]:
    """Have Django, in this process, speak to the database of the scenarios."""
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(environment.database(database_url))
    try:
        yield
    finally:
        # Those of the threads of this process are closed with them.
        connections.close_all()
        connection.settings_dict.clear()
        connection.settings_dict.update(kept)


def build(dossiers: int) -> Town:
    """Migrate and fill the database: one coordinator, her dossiers, her software, a partner."""
    call_command("migrate", verbosity=0)
    publish_default_matrix()
    coordinator = make.coordinator(family_name="ÉPREUVE", given_name="Maëlle")
    entries = [make.open_circle(coordinator) for _ in range(dossiers)]
    for entry in entries:
        for _ in range(MEMBERS):
            make.add(entry)
    head = UserFactory(administrator=True)
    # Its secret is sealed with the key of the product.
    with override_settings(SECRET_KEY=servers.SECRET):
        partner = PartnerFactory(created_by=head)
    return Town(
        tuple(entry.dossier.pk for entry in entries), _signed_in(coordinator),
        calls.connect(coordinator, "Chaos"), _signed_in(head), partner.pk,
    )  # fmt: skip


def _signed_in(user: User) -> str:
    """Return the cookie of who has just shown who she is: sensitive acts do not ask again."""
    cookie = servers.signed_in(user)
    key = cookie.partition("=")[2].partition(";")[0]
    with override_settings(SECRET_KEY=servers.SECRET):
        session = SessionStore(key)
        record_authentication(SimpleNamespace(session=session), user, method="password")
        session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] += AHEAD
        session.save()
    return cookie
