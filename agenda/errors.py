"""What the agenda refuses, in sentences for those who ask."""

from coordination.common.errors import DomainError


class AppointmentUnknown(DomainError):
    """No such appointment in this dossier, or not shown to this reader: the same answer."""

    code = "appointment_unknown"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class TimeTaken(DomainError):
    """`who`: whose time is taken, for who may know it; nobody is named otherwise."""

    code = "time_taken"
    status = 409
    issue = "conflict"
    message = "{who} n’est pas libre à ce moment : {what}. Choisissez un autre moment."
    field = "starts"

    def __init__(self, *, who: str = "", what: str = "un autre rendez-vous", sentence: str = ""):
        self.who = who
        if sentence:
            super().__init__(sentence)
        elif who:
            super().__init__(who=who, what=what)
        else:
            super().__init__("Ce créneau vient d’être pris : choisissez-en un autre.")


class InThePast(DomainError):
    code = "in_the_past"
    message = "Ce moment est passé : choisissez une date à venir."
    field = "starts"


class TooLongAgo(DomainError):
    """What was done is noted within a month: later, nobody remembers the hour."""

    code = "too_long_ago"
    message = "Notez un passage déjà fait dans les 31 jours."
    field = "starts"


class NotYetPast(DomainError):
    code = "not_yet_past"
    message = "Ce moment n’est pas encore passé : il ne peut pas être noté comme fait."
    field = "starts"


class NoSuchHour(DomainError):
    """The clocks go forward over it."""

    code = "no_such_hour"
    message = "Le {day}, {hour} n’existe pas : les horloges avancent d’une heure cette nuit-là."
    field = "starts"


class TooLong(DomainError):
    code = "too_long"
    message = "Un rendez-vous dure au plus 24 heures. Pour une absence, choisissez « Absence »."
    field = "ends"


class LastsTooLong(DomainError):
    code = "lasts_too_long"
    message = "Une absence ou une hospitalisation dure au plus un an."
    field = "ends"


class EndsBeforeItStarts(DomainError):
    code = "ends_before_it_starts"
    message = "La fin doit suivre le début."
    field = "ends"


class AlreadyOver(DomainError):
    """Cancelled, done or merged meanwhile: nothing more is changed."""

    code = "appointment_over"
    status = 409
    issue = "conflict"
    message = "Ce rendez-vous est déjà {state} : il ne peut plus être changé."


class NotInvited(DomainError):
    code = "not_invited"
    status = 403
    issue = "forbidden"
    message = "Vous ne participez pas à ce rendez-vous."


class CancelReasonMissing(DomainError):
    code = "cancel_reason_missing"
    message = "Indiquez pourquoi ce rendez-vous est annulé."
    field = "cancel_reason"


class NobodyAttends(DomainError):
    code = "nobody_attends"
    message = "Indiquez qui participe : la personne accompagnée, vous ou un membre du cercle de soins."
    field = "members"


class ConsentStands(DomainError):
    code = "agenda_consent_stands"
    status = 409
    issue = "conflict"
    message = "L’accord de la personne est déjà noté."


class NoConsentToWithdraw(DomainError):
    code = "no_agenda_consent"
    status = 409
    issue = "conflict"
    message = "Aucun accord n’est en cours : il n’y a rien à retirer."


class NotDoubles(DomainError):
    code = "not_doubles"
    status = 409
    issue = "conflict"
    message = "Ces deux rendez-vous ne se ressemblent plus : rien n’a été réuni."


class NotInTheCircle(DomainError):
    """A participant who left, or who is not shown to who invites."""

    code = "not_in_the_circle"
    message = "Une des personnes choisies n’est plus dans le cercle de soins : vérifiez la liste."
    field = "members"


class NotInYourAgenda(DomainError):
    """No such opening, absence or agenda of this account: the same answer."""

    code = "not_in_your_agenda"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class OpeningTooLong(DomainError):
    code = "opening_too_long"
    message = "Une plage d’ouverture dure au plus 24 heures. Pour plusieurs jours, indiquez une répétition."
    field = "ends"


class AlreadyInYourAgenda(DomainError):
    code = "already_in_your_agenda"
    status = 409
    issue = "duplicate"
    message = "Cette plage est déjà dans votre agenda."
    field = "starts"


class NothingToCome(DomainError):
    """All of it is past: it would change nothing for anybody."""

    code = "nothing_to_come"
    message = "Tout est déjà passé : choisissez une date à venir."
    field = "starts"


class ZoneUnknown(DomainError):
    code = "zone_unknown"
    message = "Choisissez un fuseau horaire de la liste."
    field = "zone"


class SameMoment(DomainError):
    code = "same_moment"
    message = "C’est le moment déjà prévu : choisissez-en un autre, ou acceptez."
    field = "starts"


class AlreadyProposed(DomainError):
    code = "already_proposed"
    status = 409
    issue = "conflict"
    message = "Ce moment est déjà proposé."
    field = "starts"


class ProposalUnknown(DomainError):
    """Taken, set aside or withdrawn meanwhile."""

    code = "proposal_unknown"
    status = 409
    issue = "conflict"
    message = "Cette proposition n’attend plus de réponse."


class NobodyElse(DomainError):
    code = "nobody_else"
    message = "Choisissez au moins une personne à réunir avec vous."
    field = "members"


class NoTimeChosen(DomainError):
    code = "no_time_chosen"
    message = "Choisissez un créneau, ou indiquez un autre moment."
    field = "times"


class TooManyTimes(DomainError):
    code = "too_many_times"
    message = "Proposez trois créneaux au plus."
    field = "times"


class TimesOverlap(DomainError):
    code = "times_overlap"
    message = "Deux des créneaux choisis se chevauchent : gardez-en un."
    field = "times"


class AnswerByNotPossible(DomainError):
    """Holds let go by themselves: nobody’s time is kept for long."""

    code = "answer_by_not_possible"
    message = "Les réponses s’attendent 7 jours au plus, et jusqu’au premier créneau proposé."
    field = "answer_by"


class MomentHeld(DomainError):
    """Somebody else’s meeting holds it; whose and why is not told."""

    code = "moment_held"
    status = 409
    issue = "conflict"
    message = "{who} : le {moment} est déjà retenu. Choisissez un autre créneau."
    field = "times"


class AlreadyFixed(DomainError):
    code = "meeting_already_fixed"
    status = 409
    issue = "conflict"
    message = "La réunion est déjà fixée : les réponses ne sont plus attendues."


class TimesChanged(DomainError):
    code = "times_changed"
    status = 409
    issue = "conflict"
    message = "Les créneaux proposés ont changé : relisez-les avant de répondre."


class LinkVoid(DomainError):
    """Removed, sent again, or never one of ours: the same answer."""

    code = "link_void"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class NotAMeetingToFix(DomainError):
    code = "not_a_meeting_to_fix"
    status = 409
    issue = "conflict"
    message = "Cette réunion n’attend plus de créneau."


class NobodyToRemind(DomainError):
    code = "nobody_to_remind"
    status = 409
    issue = "conflict"
    message = "Personne à relancer : tous ont répondu, ou ont été relancés il y a moins d’un jour."


class OrganiserStays(DomainError):
    code = "organiser_stays"
    status = 409
    issue = "conflict"
    message = "L’organisateur ne se retire pas : annulez la réunion."


class NobodyLeft(DomainError):
    code = "nobody_left"
    status = 409
    issue = "conflict"
    message = "Il ne resterait personne à réunir : annulez la réunion."


class NotYetFixed(DomainError):
    code = "not_yet_fixed"
    status = 409
    issue = "conflict"
    message = "Le compte rendu s’écrit une fois la réunion fixée."


class NotARequestAnyMore(DomainError):
    code = "not_a_request_any_more"
    message = "Ce rendez-vous est confirmé : il ne redevient pas une demande. Annulez-le, puis demandez-en un autre."


class AnswersForHimself(DomainError):
    """`rank`: which participant, in the order in which he was told."""

    code = "answers_for_himself"
    message = "Cette personne a un compte ici : elle répond elle-même."

    def __init__(self, rank: int):
        self.rank = rank
        super().__init__()


class NotAllAgreed(DomainError):
    code = "not_all_agreed"
    message = "Ceux dont la présence est indispensable n’ont pas tous accepté."


class SlotGone(DomainError):
    code = "slot_gone"
    status = 409
    issue = "conflict"
    message = "Ce créneau n’est plus libre : choisissez-en un autre."


class RangeRefused(DomainError):
    """One range of an agenda that a software declares; `number`: its place in what was sent."""

    code = "range_refused"
    message = "Cette répétition est trop longue à écrire."

    def __init__(self, message: str | None = None, *, number: int):
        super().__init__(message)
        self.number = number


class RoomUnknown(DomainError):
    """Withdrawn, or of a structure that he does not look after: the same answer."""

    code = "room_unknown"
    status = 404
    issue = "not-found"
    message = "Cette page n’existe pas ou n’existe plus."


class RoomNameMissing(DomainError):
    code = "room_name_missing"
    message = "Indiquez le nom de la salle."
    field = "name"


class RoomExists(DomainError):
    code = "room_exists"
    status = 409
    issue = "conflict"
    message = "Cette salle existe déjà dans cette structure."
    field = "name"
