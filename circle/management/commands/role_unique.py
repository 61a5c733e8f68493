"""`manage.py role_unique`: which roles one member at a time may hold in a dossier; the list can be changed."""

from django.core.management.base import CommandError

from circle import roles
from circle.actions import set_unique_role
from circle.errors import RoleHeldTwice
from circle.models import RoleSetting
from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError


class Command(commands.Command):
    help = "Montre les rôles uniques, ou dit si un rôle l'est (un seul membre à la fois dans chaque dossier)."

    def add_arguments(self, parser):
        parser.add_argument("role", nargs="?", help="code du rôle ; sans lui, la liste")
        parser.add_argument("valeur", nargs="?", choices=["oui", "non"], help="ce rôle n'a qu'un tenant, ou plusieurs")
        parser.add_argument("--par", metavar="ADRESSE", help="adresse de l'administrateur qui agit")

    def handle(self, *, role, valeur, par, **options):
        if role is None:
            return self._list()
        if valeur is None or not par:
            raise CommandError("Dites « oui » ou « non », et qui agit avec --par.")
        try:
            setting = set_unique_role(role, valeur == "oui", by=account(par, "--par"))
        except RoleHeldTwice as error:
            raise CommandError("\n".join([str(error), *(f"  {pk}" for pk in error.dossier_ids)])) from None
        except DomainError as error:
            raise CommandError(str(error)) from None
        said = "tenu par un seul membre à la fois" if setting.unique else "tenu par autant de membres que nécessaire"
        self.stdout.write(f"{roles.label(setting.role)} : {said}.")

    def _list(self):
        settings = dict(RoleSetting.objects.values_list("role", "unique"))
        for code, role in roles.all_roles().items():
            self.stdout.write(f"{'unique' if roles.is_unique(code, settings) else '—':<8}{code:<8}{role.label}")
