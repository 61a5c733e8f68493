import pytest

from coordination.outbox import doorbell
from coordination.partners import client, known, relaying
from coordination.partners.client import Asked
from habilitations import published
from tests.partners.factories import PartnerFactory
from tests.partners.standin import StandIn


@pytest.fixture(autouse=True)
def _fresh_process():
    """Neither a token nor a broker's silence goes from one test to the next."""
    _forget()
    yield
    _forget()


def _forget():
    client._tokens.clear()
    known.forget()
    doorbell.listen_again()
    published.forget()


@pytest.fixture
def standin():
    with StandIn().running() as running:
        yield running


@pytest.fixture
def partner(db, standin):
    return PartnerFactory.of(standin, name="Groupement des Maquettes")


class Told:
    """A kind of relay that sends one small resource and keeps what came back."""

    label = "Envoi d’essai"

    def __init__(self):
        self.asked = Asked(
            resource={"resourceType": "Basic", "id": "un", "code": {"text": "essai"}}, acting="899700000001"
        )
        self.received = []
        self.again = []
        self.refusal = None
        self.on_receive = None

    def prepare(self, relay):
        if self.refusal:
            raise self.refusal
        return self.asked

    def receive(self, relay, asked, answer):
        self.received.append(answer)
        if self.on_receive:
            self.on_receive(relay)
        return self.again.pop() if self.again else False


@pytest.fixture
def kind(monkeypatch):
    told = Told()
    monkeypatch.setitem(relaying._kinds, "test.send", told)
    return told
