"""May this account search the journals of all dossiers? Denied by default.

Two things are needed, asked again at each request: to be named (actions/officers.py), and that the matrix in force
gives the profile « dpo » the journal and the right to read it. No profession leads there, and it opens no dossier.
"""

from habilitations import published
from habilitations.models import DataProtectionOfficer
from habilitations.rubriques import Action, Niveau, Rubrique

PROFILE = "dpo"


def may_search_journals(user) -> bool:
    """Say whether the account may search across journals. At most two SQL statements."""
    if not (user.is_authenticated and user.is_active):
        return False
    if not DataProtectionOfficer.objects.current().filter(user=user).exists():
        return False
    matrix = published.current()
    return matrix.may(PROFILE, Action.READ_JOURNAL) and matrix.written(PROFILE, Rubrique.JOURNAL) >= Niveau.LECTURE
