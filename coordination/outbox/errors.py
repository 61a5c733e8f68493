"""What the post office refuses."""

from coordination.common.errors import DomainError


class InvalidAddress(DomainError):
    code = "invalid_address"
    message = "Cette adresse e-mail n’est pas valable."
    field = "email"


class OutsideTransaction(RuntimeError):
    """A mail or a job written apart from its act could be kept when the act is not: our mistake, not a user's."""
