"""What goes wrong with the quarantine of a restored installation."""

from coordination.common.errors import DomainError


class NoQuarantine(DomainError):
    code = "no_quarantine"
    message = "Aucune quarantaine n’est en cours."


class QuarantineNotPrepared(DomainError):
    code = "quarantine_not_prepared"
    message = "La restauration n’est pas finie : lancez d’abord `manage.py quarantaine preparer --sauvegarde DATE`."


class NotWaiting(DomainError):
    code = "not_waiting"
    message = "Rien qui attende ne porte l’identifiant {id} : `manage.py quarantaine` montre ce qui attend."
