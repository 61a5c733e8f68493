"""What a program says, in a sentence, of what stopped it: no operator should read a stack trace to know what to do.

`manage.py` asks `sentence` once for every command, the web server and the workers end by `stop` when they refuse to
start; what is not understood keeps its trace, then the only clue.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Final, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from coordination.common.away import is_away
from coordination.settings.environment import WrongVariable

INTERRUPTED: Final = "Interrompu."
# The exit code of who is stopped by Ctrl-C (128 + SIGINT).
INTERRUPTED_CODE: Final = 130
# The one that gunicorn gives to a process that could not begin: it ends with it, and starts no other in its place.
NOT_STARTED: Final = 3
_AWAY = "La base de données ne répond pas : rien de plus n’a été fait. Vérifiez DATABASE_URL et le serveur PostgreSQL."
_OTHER_SCHEMA = (
    "Le schéma de cette base n’est pas celui de cette version : « manage.py migrate » d’abord, ou la base que nomme "
    "DATABASE_URL n’est pas la bonne."
)
_NOT_ALLOWED = (
    "Le rôle de DATABASE_URL n’a pas le droit de faire cela : il doit être propriétaire de la base, hors ce "
    "que deploy/journal-role.sql lui retire."
)
_ENDED_BY_SERVER = "La base de données a interrompu la commande ; relancez-la."
# SQLSTATE: a table, a column, a function that is not there; and what a role may not do, whose sentence names no row.
_MISSING = frozenset({"42P01", "42703", "42883", "3F000"})
_REFUSED = "42501"
# What `runtime.problems` looks for in the words of a command stays in them: a disk that is full.
_SYSTEM: Final = {
    errno.ENOENT: "ce fichier ou ce dossier n’existe pas",
    errno.EACCES: "ce compte n’a pas le droit d’y accéder",
    errno.EPERM: "ce compte n’a pas le droit de le faire",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "ce n’est pas un dossier",
    errno.EEXIST: "il existe déjà",
    errno.ENOSPC: f"le disque est plein ({os.strerror(errno.ENOSPC)})",
    errno.EDQUOT: f"l’espace alloué à ce compte est plein ({os.strerror(errno.EDQUOT)})",
    errno.EROFS: "ce disque est en lecture seule",
    errno.EADDRINUSE: "un autre programme tient cette adresse",
    errno.EADDRNOTAVAIL: "cette adresse n’est pas de cette machine",
}


def sentence(error: BaseException) -> str | None:
    """Say in French what stopped a command and what to do; None for what only a trace explains."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, ImproperlyConfigured | WrongVariable):
        return str(error)
    if isinstance(error, DatabaseError):
        return _of_the_database(error)
    if isinstance(error, OSError) and error.filename and error.errno in _SYSTEM:
        return f"{error.filename} : {_SYSTEM[error.errno]}."
    return None


def stop(error: BaseException, *, code: int = 1) -> NoReturn:
    """End this process with the sentence alone, on stderr; raise again what only a trace explains."""
    said = sentence(error)
    if said is None:
        raise error
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()
    sys.exit(code)


def in_french(error: OSError) -> str:
    """Say why the system refused a file, in words that fit in a sentence."""
    return _SYSTEM.get(error.errno or 0, "le système le refuse")


def _of_the_database(error: DatabaseError) -> str | None:
    said = _by_the_server(error)
    state = getattr(said, "sqlstate", None)
    if state in _MISSING:
        return _OTHER_SCHEMA
    if state == _REFUSED:
        return f"{_NOT_ALLOWED}\n{_first_line(said)}"
    if not is_away(error):
        return None
    # The first line of what passes (`away`) names a server, a role, a file, and never quotes a row.
    return f"{_AWAY if state is None else _ENDED_BY_SERVER}\n{_first_line(error)}"


def _by_the_server(error: BaseException) -> BaseException:
    """The error of PostgreSQL under those that Django raised of it; the first one when there is none."""
    met: BaseException | None = error
    while met is not None:
        if getattr(met, "sqlstate", None):
            return met
        met = met.__cause__ or met.__context__
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
