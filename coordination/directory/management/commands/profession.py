"""`manage.py profession confirmer|changer|terminer`: under which profession an account acts, said by an administrator.

A declared profession gives no right; what this command confirms does, at the next request.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from coordination.accounts.management.commands._asked import account
from coordination.accounts.models import User
from coordination.common import commands, nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_adeli, parse_rpps
from coordination.directory.actions import confirm_account, create_local_professional
from coordination.directory.management.commands._asked import structure
from coordination.directory.models import Activity
from habilitations import published
from habilitations.access import may_administer, profile_of
from habilitations.actions import change_profession, end_profession
from habilitations.errors import NotAllowed
from habilitations.models import VouchedProfession

How = VouchedProfession.How


class Command(commands.Command):
    help = "Confirme, change ou termine la profession d'un compte."

    def add_arguments(self, parser):
        parser.add_argument(
            "acte",
            choices=["confirmer", "changer", "terminer"],
            help="confirmer (--rpps, --adeli ou --profession), changer (--profession), terminer",
        )
        parser.add_argument("--email", required=True, help="adresse du compte")
        parser.add_argument("--par", required=True, help="adresse de l'administrateur qui agit")
        parser.add_argument("--rpps", help="confirmer : la personne de l'annuaire qui a ce numéro")
        parser.add_argument("--adeli", help="confirmer : la personne de l'annuaire qui a ce numéro")
        parser.add_argument("--profession", help="code de profession (TRE_G15 ou TRE_R94) : hors annuaire, ou changer")
        parser.add_argument("--fonction", default="", help="code du rôle dans la structure (TRE_R21)")
        parser.add_argument("--structure", help="numéro FINESS ou SIRET du lieu d'exercice")

    def handle(self, *, acte, **options):
        user, by = account(options["email"], "--email"), account(options["par"], "--par")
        try:
            if not may_administer(by):
                raise NotAllowed
            with transaction.atomic():
                getattr(self, f"_{acte}")(user, by, options)
        except DomainError as error:
            raise CommandError(str(error)) from None
        gathers = published.current().catalog.gathers(profile_of(user))
        self.stdout.write(f"Droits : ceux des {gathers}." if gathers else "Cette profession ne donne aucun droit.")

    def _confirmer(self, user: User, by: User, options: dict[str, Any]) -> None:
        known = options["rpps"] or options["adeli"]
        activity = self._practised(options) if known else self._entered(user, by, options)
        confirm_account(user, activity, how=How.DIRECTORY if known else How.ADMINISTRATOR, by=by)

    def _changer(self, user: User, by: User, options: dict[str, Any]) -> None:
        place = {"structure": structure(options["structure"])} if options["structure"] else {}
        codes = {"profession": self._profession(options), "fonction": options["fonction"]}
        change_profession(user, **codes, how=How.ADMINISTRATOR, by=by, **place)

    def _terminer(self, user: User, by: User, options: dict[str, Any]) -> None:
        end_profession(user, by=by)

    def _practised(self, options: dict[str, Any]) -> Activity:
        activities = Activity.objects.active().filter(professional__ceased_at=None).order_by("pk")
        if options["rpps"]:
            activities = activities.filter(professional__rpps=parse_rpps(options["rpps"]))
        else:
            activities = activities.filter(professional__adeli=parse_adeli(options["adeli"]))
        if options["structure"]:
            activities = activities.filter(structure=structure(options["structure"]))
        found = list(activities.select_related("professional", "structure")[:20])
        if not found:
            raise CommandError("Aucun professionnel en activité avec ces numéros.")
        if len({(a.profession, a.fonction, a.structure_id) for a in found}) > 1:
            places = "\n".join(f"  {a.structure_name} {self._number(a)}".rstrip() for a in found)
            raise CommandError(f"Plusieurs lieux d'exercice, choisissez-en un avec --structure :\n{places}")
        return found[0]

    def _number(self, activity: Activity) -> str:
        return (activity.structure.finess or activity.structure.siret) if activity.structure else ""

    def _entered(self, user: User, by: User, options: dict[str, Any]) -> Activity:
        made = create_local_professional(
            by=by,
            family_name=user.family_name,
            given_name=user.given_name,
            profession=self._profession(options),
            fonction=options["fonction"],
            structure=structure(options["structure"]) if options["structure"] else None,
            email=user.email,
        )
        return made.activities.select_related("professional", "structure").get()

    def _profession(self, options: dict[str, Any]) -> str:
        code = options["profession"] or ""
        if nomenclatures.find_profession_or_role(code) is None:
            raise CommandError("Indiquez une profession de la nomenclature avec --profession, ou --rpps ou --adeli.")
        return code
