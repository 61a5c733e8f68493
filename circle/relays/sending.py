"""« Envoyer le cercle à un partenaire » (role Créateur): the transaction of creation, then those of update."""

from __future__ import annotations

from circle.relays import bundles, gathering, names
from circle.relays.bundles import name_of
from coordination.fhir.formats import Resource
from coordination.partners.client import Asked
from coordination.partners.errors import CallFailed, NothingToRelay
from coordination.partners.models import Relay


class Sending:
    label = "Envoi d’un cercle"

    def prepare(self, relay: Relay) -> Asked:
        entry = gathering.enter(relay.asked_by, relay.object_id, relay.partner, "Envoi au partenaire")
        circle = gathering.circle_of(entry)
        if circle is None:
            raise NothingToRelay("Ce cercle n’a encore personne.")
        resources = gathering.with_people(gathering.caller_of(entry, relay.partner), circle)
        known = names.known_to(relay.partner, map(name_of, resources))
        bundle, sent = bundles.transaction(resources, known)
        return Asked(resource=bundle, acting=entry.access.hat.national_id, memo=(sent, known))

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        sent, known = asked.memo
        found = bundles.answered(answer, sent, known)
        if found is None:
            raise CallFailed("La réponse du partenaire n’est pas celle d’une transaction.", retry=True, status=200)
        names.keep(relay.partner, found)
        circle = sent[0]
        # It had this circle already, and only named it: what was sent of it is still to be written there.
        return not circle.is_update and not found[circle.name].made
