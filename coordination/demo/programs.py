"""A software to try the API with (docs/fhir.md), and a partner to try the connection with: this very installation."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from coordination.accounts.models import User
from coordination.directory.models import Structure
from coordination.partners import wire
from coordination.partners.actions import add_partner
from habilitations import scopes
from habilitations.actions.clients import register_client
from habilitations.models import SoftwareClient

SOFTWARE = "Logiciel d’essai"
PARTNER = "Partenaire d’essai (cette installation)"
CONTACT = "logiciel@demo.example"


def are_connected() -> bool:
    """Say whether `connect` was done: it is the end of the demonstration."""
    return SoftwareClient.objects.filter(name=SOFTWARE).exists()


@transaction.atomic
def connect(structure: Structure, *, by: User) -> str:
    """Connect both; return the lines that give the secret, which is told this once."""
    allowed = scopes.compose(scopes.SYSTEM, [value for value, _ in scopes.boxes()])
    client, secret = register_client(structure, name=SOFTWARE, contact=CONTACT, scopes=allowed, by=by)
    base = f"{settings.SITE_URL}/fhir"
    if wire.is_allowed(base):
        # Out of service: an installation has no circle to exchange with itself.
        add_partner(
            name=PARTNER, base_url=base, token_url=f"{base}/oauth/token", client_id=client.client_id, secret=secret,
            acting_header="Acting-Professional", active=False, by=by,
        )  # fmt: skip
    return (
        f"« {SOFTWARE} », pour l’API FHIR (docs/fhir.md) ; ce secret ne sera plus affiché :\n"
        f"  IDENTIFIANT={client.client_id}\n  SECRET={secret}"
    )
