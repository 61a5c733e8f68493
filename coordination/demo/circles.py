"""What each demonstration circle is made of, added through the circle's own actions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from circle import actions as circle
from circle import roles
from circle.models import Member, Period
from coordination.accounts.models import User
from coordination.demo.people import DAC, SSIAD
from coordination.directory.models import Activity, Attachment, Structure
from habilitations.models import Consent, Refusal

Users = dict[str, User]
PHARMACY = "Pharmacie du Viaur (exemple)"


def _team(wanted: str, ground: str = Consent.Ground.RECOGNISED) -> dict | None:
    """In the équipe de soins, the person informed."""
    today = timezone.localdate()
    return {"ground": ground, "starts_on": today, "informed_on": today} if wanted == "oui" else None


def _agreed() -> dict:
    """Outside it: an express consent, limited and for six months."""
    today = timezone.localdate()
    return {
        "ground": Consent.Ground.EXPRESS, "starts_on": today, "collected": "ecrit",
        "proof": "Écrit gardé au DAC", "rubriques": ["liaison", "agenda", "taches", "social"],
        "last_day": today + dt.timedelta(days=180),
    }  # fmt: skip


def _account(
    name: str, *, role: str, wanted: str = "oui", rests: Callable[[], dict] | None = None
) -> Callable[..., Member]:
    """Somebody with a demonstration account."""

    def add(entry, users: Users, key: UUID) -> Member:
        professional = Attachment.objects.of(users[name]).select_related("professional").get().professional
        return circle.add_professional(
            entry, professional=professional, role=role, wanted=wanted, creation_key=key,
            rests=rests() if rests else _team(wanted),
        )  # fmt: skip

    return add


def _from_directory(profession: str, *, role: str = roles.PROV, **details) -> Callable[..., Member]:
    """The first professional of the national directory with this profession, in the Tarn."""

    def add(entry, users: Users, key: UUID) -> Member:
        activity = (
            Activity.objects.active()
            .filter(profession=profession, postal_code__startswith="81", professional__attachment=None)
            .order_by("search_family", "search_given", "id")
            .select_related("professional")
            .first()
        )
        return circle.add_professional(
            entry, professional=activity.professional, activity=activity, role=role, creation_key=key,
            **{"rests": _team(details.get("wanted", ""))} | details,
        )  # fmt: skip

    return add


def _structure(name: str, *, role: str, wanted: str) -> Callable[..., Member]:
    def add(entry, users: Users, key: UUID) -> Member:
        structure = Structure.objects.local().get(name=name)
        ground = Consent.Ground.ORGANISED
        return circle.add_structure(
            entry, structure=structure, role=role, wanted=wanted, rests=_team(wanted, ground), creation_key=key
        )

    return add


def _person(given: str, relation: str, role: str, **fields) -> Callable[..., Member]:
    """A relative, with the family name of the person followed."""

    def add(entry, users: Users, key: UUID) -> Member:
        return circle.add_person(
            entry,
            fields={
                "family_name": entry.dossier.family_name.upper(),
                "given_name": given,
                "relation": relation,
                "town": "Carmaux",
                "postal_code": "81400",
                **fields,
            },
            role=role,
            creation_key=key,
        )

    return add


def _who_left(entry, users: Users, key: UUID) -> Member:
    """A nurse of the directory who came and went: « le cercle au (date) » shows her."""
    member = _from_directory("60", wanted="non", description="Remplaçante pendant l'été")(entry, users, key)
    Period.objects.filter(member=member).update(starts_on=timezone.localdate() - dt.timedelta(days=120))
    circle.remove_member(entry, member, reason=Period.EndReason.FIN, note="Fin du remplacement")
    return member


def _refused() -> dict:
    return {
        "refused_on": timezone.localdate() - dt.timedelta(days=9),
        "collected": Refusal.Collected.ORAL,
        "comment": "",
    }


def _psychologist(entry, users: Users, key: UUID) -> Member:
    return _from_directory("93", wanted="refus", refusal=_refused())(entry, users, key)


MEMBERS: dict[str, Callable[..., Member]] = {
    "medecin": _account("medecin", role=roles.PCP),
    "infirmiere": _account("infirmiere", role=roles.PROV),
    "sociale": _account("sociale", role=roles.AGNT, rests=_agreed),
    "kine": _from_directory("70", wanted="oui"),
    "psychologue_refus": _psychologist,
    "ssiad": _structure(SSIAD, role="SOINS_DOMICILE", wanted="oui"),
    "dac": _structure(DAC, role="COORDINATION", wanted="oui"),
    "pharmacie": _structure(PHARMACY, role="PHARMACIE", wanted="non"),
    "fille_aidante": _person(
        "Claire", "DAUC", roles.MAIN_CAREGIVER, civility="MME", mobile="0639984411", email="claire@famille.example"
    ),
    "fils_confiance": _person("Hugo", "SONC", roles.NOK, civility="M", mobile="0639984412", unlisted=True),
    "mere_responsable": _person("Nadège", "MTH", roles.GUARD, civility="MME", mobile="0639984413"),
    "discret": _from_directory("10", wanted="non", discreet=True, description="Suivi en addictologie"),
    "parti": _who_left,
}
