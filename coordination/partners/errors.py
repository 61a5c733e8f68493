"""What is refused about partners, and what keeps a relay from being done."""

from datetime import timedelta

from coordination.common.errors import DomainError


class AddressNotAllowed(DomainError):
    code = "address_not_allowed"
    message = "Une adresse commence par https:// et ne porte ni identifiant, ni question, ni ancre."


class SecretMissing(DomainError):
    code = "secret_missing"
    message = "Donnez le secret que le partenaire a remis."
    field = "secret"


class PartnerChanged(DomainError):
    """Somebody saved first: the second sees both texts (REL-11)."""

    code = "partner_changed"
    status = 412
    issue = "conflict"
    message = "Quelqu’un a modifié ce partenaire pendant votre saisie."


class PartnerOff(DomainError):
    code = "partner_off"
    message = "Ce partenaire n’est pas en service."


class RelayWaiting(DomainError):
    code = "relay_waiting"
    message = "Cette demande attend déjà d’être faite."


class NothingToRelay(DomainError):
    """The relay has lost its reason or its right since it was asked; the sentence names nobody."""

    code = "nothing_to_relay"
    message = "Cette demande n’a plus d’objet."


class CallFailed(Exception):
    """A partner did not do what was asked. The sentence names nobody: it is kept and shown.

    `retry`: trying again later may help. `wait`: what the partner asked to wait. `status`: its HTTP status, if any.
    """

    def __init__(
        self, sentence: str, *, retry: bool, status: int | None = None, wait: timedelta = timedelta(0)
    ) -> None:
        super().__init__(sentence)
        self.sentence, self.retry, self.status, self.wait = sentence, retry, status, wait
