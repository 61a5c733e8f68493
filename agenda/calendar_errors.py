"""What own calendars refuse: subscribing, reading those kept elsewhere, answering by mail."""

from coordination.common.errors import DomainError


class FeedAlreadyOpen(DomainError):
    code = "feed_already_open"
    status = 409
    issue = "conflict"
    message = "Votre agenda a déjà une adresse d’abonnement."


class FeedNotOpen(DomainError):
    code = "feed_not_open"
    status = 409
    issue = "conflict"
    message = "Votre agenda n’a plus d’adresse d’abonnement."


class LevelUnknown(DomainError):
    code = "feed_level_unknown"
    message = "Choisissez ce que votre calendrier montre."
    field = "level"


class TooManyCalendars(DomainError):
    code = "too_many_calendars"
    message = "Vous avez déjà cinq calendriers : retirez-en un d’abord."


class CalendarNamed(DomainError):
    code = "calendar_named"
    status = 409
    issue = "duplicate"
    message = "Un de vos calendriers porte déjà ce nom."
    field = "name"


class CalendarPasswordMissing(DomainError):
    """Neither a login nor a password is sent to a site it was not given for."""

    code = "calendar_password_missing"
    message = "L’adresse change de site : donnez de nouveau le mot de passe."
    field = "password"


class AnotherIsRead(DomainError):
    """Somebody already waits for a calendar in front of a page: the other workers answer pages meanwhile."""

    code = "another_calendar_is_read"
    status = 503
    issue = "transient"
    message = "Un autre calendrier est en cours de lecture. Réessayez dans un instant."


class AnswerRefused(DomainError):
    """A mail that answers an invitation and is not believed. The sentence is kept, and shown to the operator."""

    code = "answer_refused"
    message = "Cette réponse n’est pas reconnue."


class AnswerIgnored(DomainError):
    """A mail that is what it says and asks nothing any more."""

    code = "answer_ignored"
    message = "Cette réponse ne change plus rien."
