"""`manage.py slo`: the service levels, kept or not; an exit code that says so (REL-16)."""

import os
import sys
from datetime import timedelta

from django.core.management.base import CommandError
from django.utils import timezone

from coordination.common import commands
from coordination.common.french import number_fr, plural
from coordination.common.terminal import in_french
from coordination.operations import levels, serving

HINT = (
    "Rien n’a été compté par les pages : donnez les lignes du journal du service (--journal), ou réglez "
    "PROMETHEUS_MULTIPROC_DIR."
)


class Command(commands.Command):
    help = "Dit si les niveaux de service sont tenus ; le code de sortie est 1 si l’un ne l’est pas."

    def add_arguments(self, parser):
        parser.add_argument(
            "--journal", metavar="FICHIER", help="lignes JSON du service web (« - » : l’entrée), au lieu des mesures"
        )

    def handle(self, *, journal, **options):
        days, _ = levels.promises()
        since = timezone.now() - timedelta(days=days)
        found = levels.verdicts(self._counted(journal, since))
        for one in found:
            self.stdout.write(f"{self._word(one):<11} {one.level.says} : {said(one)}")
        if all(one.kept is None for one in found if one.level.measure in ("answers", "requests")):
            self.stdout.write(HINT)
        broken = [one for one in found if one.kept is False]
        if broken:
            said_of = plural(len(broken), "niveau de service n’est pas tenu", "niveaux de service ne sont pas tenus")
            raise CommandError(f"{said_of}.", returncode=1)

    def _counted(self, journal, since):
        if journal == "-":
            return levels.from_log(sys.stdin.buffer, since=since)
        if journal:
            try:
                with open(journal, "rb") as lines:
                    return levels.from_log(lines, since=since)
            except OSError as error:
                raise CommandError(f"Ce fichier ne se lit pas : {in_french(error)}.") from None
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return levels.Counted()
        return levels.from_metrics(serving.counted())

    @staticmethod
    def _word(one):
        return {True: "tenu", False: "NON TENU", None: "non mesuré"}[one.kept]


def said(one):
    """Return the value of a verdict in words, with what it stands on."""
    if one.value is None:
        return "jamais" if one.level.measure == "restore_days" else "aucune donnée"
    if one.level.measure == "answers":
        value = f"{number_fr(round(one.value * 100, 3))} %"
    elif one.level.measure == "restore_days":
        return f"il y a {plural(int(one.value), 'jour')}"
    elif one.value < 1:
        value = f"{number_fr(round(one.value * 1000))} ms"
    else:
        value = f"{number_fr(round(one.value, 1))} s"
    return f"{value} ({plural(one.cases, 'cas', 'cas')})" if one.cases else value
