"""What goes wrong with the programs that call the API."""

from coordination.common.errors import DomainError


class AlreadyConnected(DomainError):
    code = "client_already_connected"
    message = "Ce logiciel est déjà connecté pour cette structure."
    field = "name"


class ScopesMissing(DomainError):
    code = "scopes_missing"
    message = "Choisissez au moins une chose permise."
    field = "scopes"


class ScopesMoved(DomainError):
    """Somebody said otherwise what a software may ask, between the page and the act."""

    code = "scopes_moved"
    message = "Une autre personne a changé ce que ce logiciel peut demander pendant votre saisie."


class ClientRevoked(DomainError):
    code = "client_revoked"
    message = "Ce logiciel n’est plus connecté."


class TokenEndNotPossible(DomainError):
    code = "token_end_not_possible"
    message = "Le dernier jour est à venir, dans un an au plus."
    field = "expires_on"


class TooManyTokens(DomainError):
    code = "too_many_tokens"
    message = "Vous avez déjà {most} jetons : révoquez ceux qui ne servent plus."
    field = "name"
