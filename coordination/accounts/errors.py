"""What accounts refuse."""

from coordination.common.errors import DomainError


class EmailTaken(DomainError):
    code = "email_taken"
    message = "Un compte existe déjà avec cette adresse e-mail."
    field = "email"


class NotAnAdministrator(DomainError):
    code = "not_an_administrator"
    message = "Seul un administrateur nommé peut faire cela."


class OwnAccount(DomainError):
    code = "own_account"
    message = "Un autre administrateur doit le faire pour votre propre compte."


class AccountClosed(DomainError):
    code = "account_closed"
    message = "Ce compte est fermé."


class DraftTooLong(DomainError):
    code = "draft_too_long"
    message = "Ce brouillon est trop long pour être gardé."
