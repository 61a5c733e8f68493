"""manage.py generate_directory DIR: invented files in the national formats."""

from pathlib import Path

from coordination.common import commands
from coordination.directory.generator import generate


class Command(commands.Command):
    # Neither the database nor the site is needed to write files.
    requires_system_checks = ()
    help = "Écrit des fichiers RPPS, MSSanté et FINESS dans leurs formats exacts, avec des personnes inventées."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, metavar="DOSSIER", help="où écrire ; il est fait s'il manque")
        parser.add_argument(
            "--professionals",
            metavar="N",
            type=commands.whole_above_zero,
            default=20_000,
            help="combien de professionnels (20 000)",
        )
        parser.add_argument(
            "--structures",
            metavar="N",
            type=commands.whole_above_zero,
            default=4_000,
            help="combien de structures (4 000)",
        )
        parser.add_argument("--seed", metavar="N", type=int, default=1, help="la même graine donne les mêmes fichiers")
        parser.add_argument("--autour", default="", help="département qui reçoit la moitié des lieux, par exemple 81")
        parser.add_argument("--disperser", type=int, default=0, help="une personne sur N a ses lignes éparpillées")

    def handle(self, folder, professionals, structures, seed, autour, disperser, **options):
        made = generate(
            folder,
            professionals=professionals,
            structures=structures,
            seed=seed,
            around=autour,
            scattered=disperser,
            progress=lambda done: self._tell(done, professionals),
        )
        self.stderr.write("")
        self.stdout.write(f"{made.activity_count} situations d'exercice écrites dans {folder}.")

    def _tell(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} / {total} personnes", ending="")
            self.stderr.flush()
