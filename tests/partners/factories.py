"""Partners and relays, made directly."""

import factory
from factory.django import DjangoModelFactory

from coordination.common import cipher
from coordination.partners.models import Partner, Relay
from tests.dossiers.factories import UserFactory

SECRET = "secret inventé : à+z"


class PartnerFactory(DjangoModelFactory):
    class Meta:
        model = Partner

    name = factory.Sequence(lambda n: f"Groupement des Maquettes {n}")
    base_url = "http://127.0.0.1:9/fhir"
    token_url = "http://127.0.0.1:9/oauth/token"
    client_id = "coordination"
    secret_sealed = factory.LazyFunction(lambda: cipher.encrypt(SECRET))
    created_by = factory.SubFactory(UserFactory, administrator=True)

    @classmethod
    def of(cls, standin, **said):
        return cls(base_url=f"{standin.url}/fhir", token_url=f"{standin.url}/oauth/token", **said)


class RelayFactory(DjangoModelFactory):
    class Meta:
        model = Relay

    partner = factory.SubFactory(PartnerFactory)
    kind = "test.send"
    object_id = factory.Faker("uuid4", cast_to=None)
    asked_by = factory.SubFactory(UserFactory)
