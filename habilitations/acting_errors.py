"""What may be refused to who acts, or wants somebody to act, for another."""

from coordination.common.errors import DomainError
from habilitations.errors import NotAllowed


class NotWithoutProfession(NotAllowed):
    code = "not_without_profession"
    message = "Votre profession n’est pas confirmée : elle ne donne aucun accès à confier."


class DaysNotPossible(DomainError):
    code = "days_not_possible"
    message = "Le dernier jour suit le premier, un an après au plus, et n’est pas déjà passé."
    field = "last_day"


class OwnStandIn(DomainError):
    code = "own_stand_in"
    message = "On ne se remplace pas soi-même."
    field = "called"


class AlreadyCalled(DomainError):
    code = "already_called"
    message = "Vous l’avez déjà déclaré pour ces jours."
    field = "first_day"


class AlreadyActing(DomainError):
    code = "already_acting"
    message = "Vous agissez déjà pour cette personne à ces jours."


class NobodyCalled(DomainError):
    code = "nobody_called"
    message = "Indiquez qui tient votre secrétariat."
    field = "called"


class RubricsMissing(DomainError):
    code = "rubrics_missing"
    message = "Choisissez ce que le secrétariat peut voir."
    field = "rubriques"


class ActingAnswered(DomainError):
    code = "acting_answered"
    message = "Cette demande n’attend plus de réponse."


class NotTheirSecretary(DomainError):
    code = "not_their_secretary"
    message = "Cette personne ne tient pas le secrétariat de ce membre."


class OwnSecretariat(NotAllowed):
    """Nobody notes or withdraws the consent that lets himself in."""

    code = "own_secretariat"
    message = "L’accord se note par quelqu’un d’autre que la personne qui tient ce secrétariat."


class AlreadyConsented(DomainError):
    code = "already_consented"
    message = "L’accord de la personne est déjà noté."


class NoConsentToWithdraw(DomainError):
    code = "no_consent_to_withdraw"
    message = "Aucun accord n’est en cours pour ce secrétariat."


class ConsentDateNotPossible(DomainError):
    code = "consent_date_not_possible"
    message = "Cette date est à venir."
    field = "day"
