"""What is refused of a calendar that somebody else wrote, and what keeps it from being fetched.

The sentences quote nothing of it: they are kept and shown.
"""

from coordination.common.errors import DomainError


class CalendarRefused(DomainError):
    code = "calendar_refused"
    message = "Ce fichier n’est pas un calendrier au format iCalendar."


class CalendarTooLarge(CalendarRefused):
    code = "calendar_too_large"
    message = "Ce calendrier est trop gros : {limit} au plus."


class CalendarTooLong(CalendarRefused):
    code = "calendar_too_long"
    message = "Ce calendrier est trop long à lire : il a trop d’événements ou de répétitions."


class ReplyRefused(CalendarRefused):
    code = "reply_refused"
    message = "Cette réponse à une invitation ne se lit pas."


class NotFetched(DomainError):
    """`retry`: trying again later may help; otherwise its owner has something to change."""

    code = "calendar_not_fetched"
    message = "Ce calendrier n’a pas pu être lu."
    field = "address"
    retry = False


class AddressRefused(NotFetched):
    code = "calendar_address_refused"
    message = "Cette adresse ne peut pas être lue : donnez une adresse https publique, sans mot de passe dedans."


class CalendarNotFound(NotFetched):
    code = "calendar_not_found"
    message = "Il n’y a pas de calendrier à cette adresse."


class PasswordRefused(NotFetched):
    code = "calendar_password_refused"
    message = "Ce calendrier refuse l’identifiant ou le mot de passe."
    field = "password"


class PasswordAsked(NotFetched):
    """Of an address that is read without one."""

    code = "calendar_password_asked"
    message = "Ce calendrier demande un mot de passe : choisissez CalDAV et donnez l’identifiant."


class CertificateRefused(NotFetched):
    code = "calendar_certificate_refused"
    message = "Le certificat de ce site n’est pas valable : son calendrier n’est pas lu."


class SiteTooSlow(NotFetched):
    code = "calendar_site_too_slow"
    message = "Ce site met trop de temps à répondre."
    retry = True


class SiteUnreachable(NotFetched):
    code = "calendar_site_unreachable"
    message = "Ce site ne répond pas."
    retry = True
