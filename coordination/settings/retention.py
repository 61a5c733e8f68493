"""How many days what is left over is kept before `manage.py purge` removes it, each with its reason.

What a dossier says (its history, the versions of its circle), the matrix and its versions are kept as long as the
dossiers: nothing here removes them. The journal of accesses has its own rule (JOURNAL_RETENTION_MONTHS) and its own
command, run by another role of the database (deploy/journal-role.sql).
"""

from coordination.settings import environment as env

_DEFAULTS = {
    # What a letter said, once sent or kept back: long enough to look into « je n’ai rien reçu », no longer: it names
    # people.
    "mail_bodies": 7,
    # That it was sent, when and about what: an invitation, its reminder and its dispute fit in three months.
    "mails": 90,
    # Work done tells nothing that its effect does not.
    "jobs": 30,
    # Letters, jobs and exchanges given up, letters kept back: whoever could still act on one has had half a year of
    # « Files d’attente ».
    "dead_letters": 180,
    # Exchanges with partners that are done: how long a partner asks what was sent to it.
    "relays": 90,
    # Answers of calls that may be made again: a client that lost one asks within the week (REL-7).
    "replays": 7,
    # What became of the answers received by mail, and the mails set aside: as the letters they answer.
    "received_answers": 90,
    # Demands of a structure to somebody, from the day they were made, or answered: they name a person who may never
    # have signed in. Half a year of « Comptes de ma structure » to ask again or to take back.
    "offers": 180,
    # Lines refused by a load of the directory: the next file, a week later, says again what is still wrong.
    "import_refusals": 60,
    # Loads of the directory: two years of « combien, quand » to compare with; the last good one of each kind stays.
    "imports": 730,
    # Personal tokens that ended or were withdrawn: their holder sees them on « Mes jetons d’accès » for a year.
    "tokens": 365,
}
RETENTION_DAYS = {name: env.number(f"RETENTION_{name.upper()}_DAYS", days) for name, days in _DEFAULTS.items()}
