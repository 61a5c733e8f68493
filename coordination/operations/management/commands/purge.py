"""`manage.py purge`: remove what is kept no longer, and say what went. The clock does the same each night."""

from django.core.management.base import CommandError
from django.db import connection

from coordination.common import commands
from coordination.common.french import number_fr, plural
from coordination.operations.purging import purge_all
from habilitations.journal import last_closed_month


class Command(commands.Command):
    help = "Supprime ce dont la durée de conservation est passée, et dit combien ; le journal a sa propre commande."

    def handle(self, **options):
        done = purge_all()
        for one in done:
            said = f"échec ({one.error})" if one.error else number_fr(one.number)
            self.stdout.write(f"{said:>12}  {one.label}")
        if months := months_to_remove():
            self.stdout.write(
                f"Journal des accès : {plural(len(months), 'mois', 'mois')} à retirer par purge_journal "
                f"({', '.join(months)})."
            )
        if failed := [one for one in done if one.error]:
            raise CommandError(f"{plural(len(failed), 'suppression')} en échec : voir les journaux du service.")


def months_to_remove() -> list[str]:
    """Return the months (« AAAA-MM ») of the journal whose time is over. One SQL statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"SELECT replace(substring(relname from '\d{4}_\d\d$'), '_', '-') AS month FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relname ~ '^habilitations_trace_\\d{4}_\\d\\d$'"
            " ORDER BY month"
        )
        found = [month for (month,) in cursor.fetchall()]
    return [month for month in found if month <= f"{last_closed_month():%Y-%m}"]
