"""Refusals of the directory, in words a person may read."""

from coordination.common.errors import DomainError


class FileRefused(DomainError):
    """The whole file is refused and nothing has changed."""

    code = "file_refused"
    message = "Ce fichier est refusé ; rien n’a été modifié."


class ImportAlreadyRunning(DomainError):
    code = "import_already_running"
    message = "Un autre chargement de l’annuaire est en cours : attendez qu’il se termine."


class StructureMergeRefused(DomainError):
    code = "structure_merge_refused"
    message = "Ces deux structures ne peuvent pas être fusionnées."


class AlreadyInDirectory(DomainError):
    code = "already_in_directory"
    status = 409
    issue = "duplicate"
    message = "{name} existe déjà dans l’annuaire avec ce numéro."


class StructureContactMissing(DomainError):
    """What a person creates must be of use to the next one: a structure nobody can call is not."""

    code = "structure_contact_missing"
    message = "Indiquez au moins un moyen de contact : numéro de téléphone ou email."
    field = "phone"


class AlreadyAttached(DomainError):
    code = "already_attached"
    message = "Ce compte ou ce professionnel est déjà rattaché."


class AlreadyOffered(DomainError):
    code = "already_offered"
    message = "Une demande attend déjà la réponse de cette personne."
    field = "email"


class AlreadyInStructure(DomainError):
    code = "already_in_structure"
    message = "Cette personne a déjà un compte dans votre structure."
    field = "email"


class OfferAnswered(DomainError):
    code = "offer_answered"
    message = "Cette demande n’attend plus de réponse."


class ProfessionNotListed(DomainError):
    code = "profession_not_listed"
    message = (
        "L’annuaire national ne connaît pas cette profession et cette fonction à cette personne : "
        "seul un administrateur peut les attribuer."
    )
    field = "profession"


class ReasonMissing(DomainError):
    code = "reason_missing"
    message = "Indiquez le motif."
    field = "reason"
