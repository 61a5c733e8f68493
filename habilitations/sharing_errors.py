"""Why an act on what the person shares is not done. The other errors of this room are in errors.py."""

from coordination.common.errors import DomainError
from habilitations.errors import NotAllowed


class LastKeeper(NotAllowed):
    code = "last_keeper"
    message = (
        "La personne s’oppose au partage de tout le dossier, et ce membre est le dernier à pouvoir noter "
        "qu’elle y revient : retirez d’abord l’opposition, si elle le dit."
    )


class SomebodyKeeps(DomainError):
    code = "somebody_keeps_the_dossier"
    message = "Quelqu’un garde l’accès à ce dossier et peut retirer l’opposition dans l’application."


class LiftReasonMissing(DomainError):
    code = "lift_reason_missing"
    message = "Dites pourquoi l’opposition est levée, et comment la personne l’a dit."
    field = "reason"
