from coordination.common.errors import DomainError


class NotAllowed(DomainError):
    code = "not_allowed"
    status = 403
    issue = "forbidden"
    message = "Vous n’avez pas le droit de faire cela dans ce dossier."


class LevelMissing(DomainError):
    """A member of the dossier asks for a rubric beyond his level: 403, the rubric is named."""

    code = "level_missing"
    status = 403
    issue = "forbidden"
    # The rubric, when asking for it makes sense.
    askable = ""
    message = "La rubrique « {rubrique} » ne vous est pas ouverte."


class GrantNotAllowed(NotAllowed):
    code = "grant_not_allowed"
    message = "Seul un coordinateur, un médecin ou l’encadrement de sa structure peut habiliter."
    field = "habilitation"


class RefusalStands(DomainError):
    code = "refusal_stands"
    message = "Habilitation impossible. Le patient a refusé le partage le {date}."
    field = "habilitation"


class NothingToWithdraw(DomainError):
    code = "nothing_to_withdraw"
    message = "Aucun refus n’est en cours pour ce membre."


class AidantCannotBeGranted(DomainError):
    code = "aidant_cannot_be_granted"
    message = "Un aidant ou un proche ne peut pas être habilité : son espace n’est pas encore ouvert."
    field = "habilitation"


class StructureCannotSignIn(DomainError):
    code = "structure_cannot_sign_in"
    message = "Cette structure ne peut pas se connecter : l’habilitation serait sans effet."
    field = "habilitation"


class AlreadyHabilitated(DomainError):
    code = "already_habilitated"
    message = "Cette personne est déjà membre de ce cercle de soins."


class AlreadyVouched(DomainError):
    code = "already_vouched"
    message = "La profession de ce compte est déjà confirmée."


class OwnHabilitation(NotAllowed):
    """Nobody grants, narrows or un-refuses himself."""

    code = "own_habilitation"
    message = "Vous ne pouvez pas changer votre propre habilitation : demandez à un autre coordinateur ou médecin."
    field = "habilitation"


class ManualCannotBeGranted(DomainError):
    code = "manual_cannot_be_granted"
    message = (
        "Ce professionnel saisi à la main n’a pas de compte : invitez-le, ou reliez-le à l’annuaire, pour l’habiliter."
    )
    field = "habilitation"


class MembershipEnded(DomainError):
    code = "membership_ended"
    message = "Ce membre n’est plus dans le cercle de soins."


class AlreadyRefused(DomainError):
    code = "already_refused"
    message = "Un refus est déjà noté pour ce membre."
    field = "habilitation"


class RefusalDateNotPossible(DomainError):
    code = "refusal_date_not_possible"
    message = "La date ne peut pas être dans le futur."
    field = "refused_on"


class CollectedUnknown(DomainError):
    code = "collected_unknown"
    message = "Indiquez comment la décision de la personne a été recueillie."
    field = "collected"


class ConsentDateNotPossible(DomainError):
    code = "consent_date_not_possible"
    message = "Cette date ne peut pas être à venir."
    field = "starts_on"


class GroundUnknown(DomainError):
    code = "ground_unknown"
    message = "Dites sur quoi repose le partage."
    field = "ground"


class TeamNotPossible(DomainError):
    code = "team_not_possible"
    message = "Un proche ne fait pas partie de l’équipe de soins : il faut l’accord exprès de la personne."
    field = "ground"


class RubricNotClosable(DomainError):
    code = "rubric_not_closable"
    message = "L’identité et le cercle de soins restent lisibles de qui a accès : pour tout fermer, notez un refus."
    field = "rubrique"


class AlreadyOpposed(DomainError):
    code = "already_opposed"
    message = "Cette opposition est déjà notée."
    field = "rubrique"


class NothingRests(DomainError):
    code = "nothing_rests"
    message = "Aucun accord ni équipe de soins n’est en cours pour ce membre."


class LastDayBehind(DomainError):
    code = "last_day_behind"
    message = "Le dernier jour d’accès ne peut pas être passé : pour fermer l’accès aujourd’hui, répondez « non »."
    field = "until"


class NothingToAsk(DomainError):
    code = "nothing_to_ask"
    message = "Cette rubrique vous est déjà ouverte autant que votre profession le permet."


class AlreadyAsked(DomainError):
    code = "already_asked"
    message = "Vous avez déjà demandé cette rubrique : la réponse est attendue."


class NothingToExplain(DomainError):
    code = "nothing_to_explain"
    message = "Il n’y a rien à demander sur cette ligne du journal."


class AlreadyQuestioned(DomainError):
    code = "already_questioned"
    message = "La question a déjà été posée pour cette ligne du journal."


class AlreadyAnswered(DomainError):
    code = "already_answered"
    message = "Quelqu’un a déjà répondu à cette demande."


class CannotBeAccepted(DomainError):
    """Lifting a ceiling set on the asker would not open the rubric: there is none, or something else closes it too."""

    code = "cannot_be_accepted"
    message = (
        "Rien à lever dans ce dossier : ce n’est pas une réduction qui, à elle seule, ferme cette rubrique à cette "
        "personne. Répondez-lui en une phrase."
    )
    field = "answer"


class AnswerMissing(DomainError):
    code = "answer_missing"
    message = "Dites en une phrase pourquoi vous refusez."
    field = "answer"


class NotVouched(DomainError):
    code = "not_vouched"
    message = "Aucune profession n’est confirmée pour ce compte."


class AlreadyDelegate(DomainError):
    code = "already_delegate"
    message = "Cette personne est déjà déléguée de cette structure."


class MatrixNotSound(DomainError):
    code = "matrix_not_sound"
    message = "Cette matrice nomme un profil, une rubrique ou une action inconnus, ou ouvre un droit sans profession."


class AlreadyStructureAdministrator(DomainError):
    code = "already_structure_administrator"
    message = "Cette personne administre déjà les comptes de cette structure."


class AccountNotOpen(DomainError):
    code = "account_not_open"
    message = "Ce compte est suspendu ou fermé. Un administrateur peut le rouvrir."


class NotOfYourStructure(NotAllowed):
    code = "not_of_your_structure"
    message = "Vous n’administrez pas les comptes de cette structure."


class OwnProfession(NotAllowed):
    code = "own_profession"
    message = "Personne ne confirme sa propre profession : demandez à un administrateur."


class VouchedElsewhere(DomainError):
    code = "vouched_elsewhere"
    message = (
        "La profession de ce compte est confirmée en dehors de votre structure : "
        "seul un administrateur peut la changer."
    )


class AlreadyOfficer(DomainError):
    code = "already_officer"
    message = "Cette personne est déjà déléguée à la protection des données."


class OwnNaming(NotAllowed):
    code = "own_naming"
    message = "Personne ne se nomme lui-même : demandez à un autre administrateur."


class MonthIsKept(DomainError):
    code = "month_is_kept"
    message = "Ce mois reste dans le journal : sa durée de conservation ({months} mois) n’est pas écoulée."


class MonthNotInJournal(DomainError):
    code = "month_not_in_journal"
    message = "Le journal n’a pas de mois {month} : il n’a pas existé, ou il a déjà été purgé."


class JournalIsBusy(DomainError):
    code = "journal_is_busy"
    message = "Le journal est trop lu en ce moment : rien n’est retiré. Recommencez à une heure calme."


class MonthIsArchived(DomainError):
    code = "month_is_archived"
    message = "Le fichier d’archive existe déjà : rien n’est retiré, rien n’est écrasé."


class NotAnArchive(DomainError):
    code = "not_an_archive"
    message = "Ce fichier n’est pas l’archive entière d’un mois du journal."


class JournalIsWrong(DomainError):
    """Removing a month of a journal that does not hold would remove the proof."""

    code = "journal_is_wrong"
    message = "Le journal ne se vérifie pas, rien n’est purgé. {found}"


class DraftGone(DomainError):
    """The draft was published, discarded or replaced while somebody was working on it."""

    code = "draft_gone"
    message = "Ce brouillon n’est plus celui de la matrice : il a été publié ou abandonné pendant votre saisie."


class DraftMoved(DomainError):
    """Somebody else wrote the same cells since. `context["others"]` holds his changes (MatrixDraftChange)."""

    code = "draft_moved"
    message = "{who} a modifié ce brouillon pendant votre saisie."


class DraftNotRead(DraftMoved):
    """The answer is about another revision than the one that waits. `context["others"]`: what was written since."""

    code = "draft_not_read"
    message = "{who} a repris ce brouillon depuis que vous l’avez lu : rien n’est fait. Relisez-le avant de répondre."


class DraftAwaitsAnswer(DomainError):
    code = "draft_awaits_answer"
    message = "La publication est demandée : le brouillon ne change plus tant qu’elle n’est pas retirée ou refusée."


class DraftAlreadyOpen(DomainError):
    code = "draft_already_open"
    message = "Un brouillon de la matrice est déjà ouvert : publiez-le ou abandonnez-le d’abord."


class NothingRequested(DomainError):
    code = "nothing_requested"
    message = "Aucune publication n’est demandée."


class NothingToPublish(DomainError):
    code = "nothing_to_publish"
    message = "Ce brouillon ne change rien à la version en vigueur."


class ReasonMissing(DomainError):
    code = "reason_missing"
    message = "Indiquez le motif."
    field = "reason"


class DraftOutdated(DomainError):
    code = "draft_outdated"
    message = (
        "Une autre version a été publiée depuis l’ouverture de ce brouillon : reportez-le sur la version en vigueur."
    )


class DraftUpToDate(DomainError):
    code = "draft_up_to_date"
    message = "Ce brouillon part déjà de la version en vigueur : il n’y a rien à reporter."


class SecondApproverNeeded(NotAllowed):
    code = "second_approver_needed"
    message = "Un autre administrateur publie : jamais celui qui a demandé la publication."


class CellRefused(DomainError):
    code = "cell_refused"
    message = "{reason}"


class TooSoonAlone(DomainError):
    code = "too_soon_alone"
    message = "Publication possible à partir du {when}."


class NotAlone(DomainError):
    code = "not_alone"
    message = "Plusieurs administrateurs ont un compte ouvert : un autre que le demandeur publie dans l’application."


class NoVersion(DomainError):
    code = "no_version"
    message = "Aucune version de la matrice n’est publiée : publiez d’abord celle du produit (publish_matrix)."


class EmergencyNotOpened(DomainError):
    """Absent, refused, forbidden: one sentence for all (SEC-8)."""

    code = "emergency_not_opened"
    message = "Aucun dossier ne peut être ouvert avec ces éléments. Vérifiez-les caractère par caractère."


class WhyMissing(DomainError):
    code = "why_missing"
    message = "Choisissez un motif et dites en une phrase pourquoi vous ouvrez ce dossier."
    field = "detail"


class OwnEmergency(NotAllowed):
    code = "own_emergency"
    message = "Personne ne relit son propre accès d’urgence."


class AlreadyReviewed(DomainError):
    code = "emergency_already_reviewed"
    message = "Cet accès d’urgence a déjà été relu."


class VerdictUnknown(DomainError):
    code = "verdict_unknown"
    message = "Dites si cet accès est justifié ; s’il est à examiner, dites en une phrase pourquoi."
    field = "comment"


class AlreadyBanned(DomainError):
    code = "emergency_already_banned"
    message = "L’accès d’urgence est déjà interdit dans ce dossier."


class NothingBanned(DomainError):
    code = "nothing_banned"
    message = "L’accès d’urgence n’est pas interdit dans ce dossier."


class BanDateNotPossible(DomainError):
    code = "ban_date_not_possible"
    message = "Indiquez quand et comment la personne l’a dit : la date ne peut pas être à venir."
    field = "said_on"


class NotOpen(DomainError):
    code = "access_not_open"
    message = "Cet accès n’est plus ouvert : il n’y a rien à garder."
