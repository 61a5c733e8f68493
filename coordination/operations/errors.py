"""What is refused to whoever looks after the queues."""

from coordination.common.errors import DomainError


class NothingThere(DomainError):
    code = "queue_row_settled"
    message = "Cette ligne n’attend plus : elle est partie, ou quelqu’un l’a déjà classée."
    status = 409


class NothingMeasured(DomainError):
    code = "nothing_to_measure"
    message = "Cette base ne contient aucun dossier : il n’y a rien à mesurer (make demo-data en invente)."
    status = 409
