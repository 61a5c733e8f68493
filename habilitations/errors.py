from coordination.common.errors import DomainError


class NotAllowed(DomainError):
    code = "not_allowed"
    message = "Vous n’avez pas le droit de faire cela dans ce dossier."


class LevelMissing(DomainError):
    """A member of the dossier asks for a rubric beyond his level: 403, the rubric is named."""

    code = "level_missing"
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
        "Ce professionnel saisi à la main ne peut pas se connecter : reliez-le d’abord à l’annuaire pour l’habiliter."
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
