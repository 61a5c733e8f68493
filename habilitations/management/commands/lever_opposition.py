"""`manage.py lever_opposition`: the opposition to a whole dossier that nobody inside may withdraw any more."""

from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from coordination.accounts.management.commands._asked import account
from coordination.accounts.models import User
from coordination.common import commands
from coordination.common.dates import InvalidDate, parse_date
from coordination.common.errors import DomainError
from habilitations import actions
from habilitations.actions.oppositions import without_keeper
from habilitations.models import Collected


class Command(commands.Command):
    help = (
        "Montre les dossiers fermés en entier par la personne où plus personne ne peut noter qu'elle y revient ; "
        "avec --dossier, lève cette opposition parce qu'elle l'a dit."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dossier", type=UUID, help="référence du dossier ; sans elle, la liste")
        parser.add_argument("--par", help="adresse de l'administrateur qui agit")
        parser.add_argument("--motif", default="", help="qui l'a demandé et pourquoi, sans nommer la personne")
        parser.add_argument("--recueil", choices=Collected.values, help="comment la personne l'a dit")
        parser.add_argument("--le", help="le jour où elle l'a dit (jj/mm/aaaa) ; aujourd'hui sinon")

    def handle(self, *, dossier, par, motif, recueil, le, **options):
        if dossier is None:
            if par or motif or recueil or le:
                raise CommandError("Dites quel dossier (--dossier) ; sans aucune option, la liste.")
            return self._list()
        if not (par and motif and recueil):
            raise CommandError("Dites qui agit (--par), pourquoi (--motif), comment la personne l'a dit (--recueil).")
        try:
            day = parse_date(le) if le else timezone.localdate()
            actions.lift_opposition(
                dossier, by=account(par, "--par"), reason=motif, withdrawn_on=day, collected=recueil
            )
        except (DomainError, InvalidDate) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Opposition levée : ce que chaque profession ouvre est de nouveau ouvert aux habilités.")

    def _list(self):
        found = without_keeper()
        if not found:
            self.stdout.write("Aucun dossier n'est fermé sans que quelqu'un puisse retirer l'opposition.")
        for one in found:
            kept = ", ".join(user.get_full_name() for user in User.objects.filter(pk__in=one.spared).order_by("pk"))
            noted = f"notée le {one.refused_on:%d/%m/%Y} par {one.recorded_by.get_full_name()}"
            self.stdout.write(f"{one.dossier_id}  {noted} ; gardait l'accès : {kept}")
