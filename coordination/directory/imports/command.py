"""What the import commands share: options, report, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.directory.imports.progress import terminal
from coordination.directory.imports.runs import Options, Report

SHOWN_REFUSALS = 20


class ImportCommand(commands.Command):
    """Subclasses give `load(paths, options)` and return reports."""

    several = False
    taken = "le fichier, tel qu’il a été téléchargé"

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("files", nargs="+" if self.several else 1, type=Path, metavar="FICHIER", help=self.taken)
        parser.add_argument(
            "--lignes-min",
            metavar="N",
            type=commands.whole,
            default=None,
            help="nombre de lignes au-dessous duquel refuser",
        )
        parser.add_argument(
            "--lignes-max",
            metavar="N",
            type=commands.whole,
            default=None,
            help="nombre de lignes au-dessus duquel refuser",
        )
        parser.add_argument(
            "--accepter-ecart",
            action="store_true",
            help="accepter plus de 10 %% d'écart avec le chargement précédent",
        )

        parser.add_argument(
            "--accepter-plus-ancien",
            action="store_true",
            help="accepter un fichier daté d'avant le dernier chargé",
        )
        parser.add_argument(
            "--cesser-malgre-refus",
            action="store_true",
            help="marquer cessé ce qui a disparu même si une ligne refusée ne dit pas ce qu'elle décrivait",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            min_rows=options["lignes_min"],
            max_rows=options["lignes_max"],
            accept_gap=options["accepter_ecart"],
            accept_older=options["accepter_plus_ancien"],
            cease_anyway=options["cesser_malgre_refus"],
            progress=terminal(),
        )
        try:
            reports = self.load(options["files"], chosen)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        for report in reports:
            self._print(report)

    def load(self, paths: list[Path], options: Options) -> list[Report]:
        raise NotImplementedError

    def _print(self, report: Report) -> None:
        run = report.run
        for message in report.messages:
            self.stdout.write(message)
        self.stdout.write(f"{run.file_name} : {run.read_count} lignes lues en {report.seconds:.1f} s")
        for what, counts in report.counts.items():
            self.stdout.write(f"  {what} : {counts.new} nouveaux, {counts.changed} modifiés, {counts.ceased} cessés")
        self.stdout.write(f"  lignes refusées : {run.refused_count}")
        for number, reason in report.refusals[:SHOWN_REFUSALS]:
            self.stdout.write(f"    ligne {number} : {reason}")
        if run.refused_count > SHOWN_REFUSALS:
            self.stdout.write(f"    … et {run.refused_count - SHOWN_REFUSALS} autres")
