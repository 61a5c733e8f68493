from coordination.common.errors import DomainError


class NotAllowed(DomainError):
    code = "not_allowed"
    message = "Vous n'avez pas le droit de faire cela dans ce dossier."


class LevelMissing(DomainError):
    """A member of the dossier asks for a rubric beyond his level: 403, the rubric is named."""

    code = "level_missing"
    message = "La rubrique « {rubrique} » ne vous est pas ouverte."


class GrantNotAllowed(NotAllowed):
    code = "grant_not_allowed"
    message = "Seul un coordinateur, un médecin ou l'encadrement de sa structure peut habiliter."
    field = "habilitation"


class RefusalStands(DomainError):
    code = "refusal_stands"
    message = "Habilitation impossible. Le patient a refusé le partage le {date}."
    field = "habilitation"


class NothingToWithdraw(DomainError):
    code = "nothing_to_withdraw"
    message = "Aucun refus n'est en cours pour ce membre."


class AidantCannotBeGranted(DomainError):
    code = "aidant_cannot_be_granted"
    message = "Un aidant ou un proche ne peut pas être habilité : son espace n'est pas encore ouvert."
    field = "habilitation"


class StructureCannotSignIn(DomainError):
    code = "structure_cannot_sign_in"
    message = "Cette structure ne peut pas se connecter : l'habilitation serait sans effet."
    field = "habilitation"


class AlreadyHabilitated(DomainError):
    code = "already_habilitated"
    message = "Cette personne est déjà membre de ce cercle de soins."


class AlreadyVouched(DomainError):
    code = "already_vouched"
    message = "La profession de ce compte est déjà confirmée."


class NoMatrix(DomainError):
    code = "no_matrix"
    message = "Aucune matrice d'habilitation n'est publiée. Lancez « manage.py publish_matrix »."
