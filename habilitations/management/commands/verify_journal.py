"""`manage.py verify_journal`: read the whole journal again and name what was altered, removed, moved or rewritten."""

import re
from pathlib import Path

from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.french import plural
from coordination.common.terminal import in_french
from habilitations import archive as archives
from habilitations.errors import NotAnArchive
from habilitations.models import JournalRoot
from habilitations.verification import check, verify

KNOWN = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class Command(commands.Command):
    help = (
        "Relit le journal des accès et nomme, pour chaque dossier, la première ligne fausse. "
        "N'écrit rien sans --noter."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--racine",
            metavar="NUMÉRO:SIGNATURE",
            help="Une racine gardée hors de cette base : montre une base ramenée à un état antérieur.",
        )
        parser.add_argument(
            "--noter", action="store_true", help="Garder le résultat, que l'écran du journal et les alertes disent."
        )
        parser.add_argument(
            "--archive",
            metavar="FICHIER",
            type=Path,
            help="Le fichier d'un mois retiré (purge_journal --archive) : il est vérifié seul, et lui seul.",
        )

    def handle(self, *args, racine=None, archive=None, noter=False, **options):
        if archive:
            return self._read(archive)
        known = KNOWN.fullmatch(racine) if racine else None
        if racine and not known:
            raise CommandError("--racine attend un numéro, deux-points, et une signature de 64 chiffres hexadécimaux.")
        report = (check if noter else verify)((int(known[1]), known[2]) if known else None)
        for found in report.faults:
            self.stdout.write(str(found))
        if report.wrong:
            rest = report.wrong - len(report.faults)
            more = f" (dont {rest} non affichés)" if rest else ""
            raise CommandError(f"Le journal ne se vérifie pas : {plural(report.wrong, 'défaut')}{more}.")
        read = f"{plural(report.lines, 'ligne')}, {plural(report.dossiers, 'dossier')}"
        self.stdout.write(f"Journal intègre : {read}, {plural(report.root, 'racine')}.")
        if last := JournalRoot.objects.order_by("-number").first():
            self.stdout.write(f"Dernière racine : {last.number}:{bytes(last.signature).hex()}")
        else:
            self.stdout.write("Aucune racine signée : une fin de chaîne coupée ou réécrite ne se verrait pas.")

    def _read(self, path: Path) -> None:
        try:
            found = archives.read(path)
        except NotAnArchive as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            raise CommandError(f"Le fichier ne se lit pas ({in_french(error)}).") from error
        if found.fault:
            raise CommandError(f"L'archive ne se vérifie pas. {found.fault}")
        here = JournalRoot.objects.filter(number=found.root.number).first()
        if here and bytes(here.signature) != bytes(found.root.signature):
            raise CommandError(f"La racine n°\u00a0{here.number} de l'archive n'est pas celle de ce journal.")
        self.stdout.write(f"Archive intègre : {found.root.month:%m/%Y}, {plural(found.lines, 'ligne')} de dossiers.")
        if not found.sealed:
            self.stdout.write(
                "Les lignes des comptes n'y sont pas scellées (premier format) : un changement n'y serait pas vu. Une "
                "archive faite depuis le 01/12/2026 les scelle : si c'en est une, elle a été changée."
            )
        self.stdout.write(f"Racine {found.root.number}:{bytes(found.root.signature).hex()}")
