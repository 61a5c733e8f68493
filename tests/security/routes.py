"""Every route of the product, and an address of it with ids of the world: what the tables of this folder walk."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from http.cookies import SimpleCookie

from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from tests.security import world as w
from tests.test_architecture import named_routes, routes

PART = re.compile(r"<\w+:(\w+)>|\(\?P<(\w+)>")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOGIN = "/compte/connexion/?next="


def names() -> dict[str, tuple[str, ...]]:
    """Return {name: the parts of its address that vary}. Raises ValueError for a route without a name."""
    named, paths = {name for name, _, _ in named_routes()}, {path: name for path, _, name in routes()}
    if len(named) != len(paths) or not all(paths.values()):
        raise ValueError("A route without a name of its own escapes the tables.")
    return {name: parts_of(name) for name in sorted(named)}


def parts_of(name: str) -> tuple[str, ...]:
    space, _, last = name.rpartition(":")
    resolver = get_resolver()
    prefix = ""
    if space:
        prefix, resolver = resolver.namespace_dict[space]
    template = resolver.reverse_dict[last][0][0]
    return (*(one or other for one, other in PART.findall(prefix)), *template[1])


def ids_of(world: w.World, place: w.Place) -> dict[str, object]:
    """Return what fills the addresses of a dossier, and of what is beside."""
    owner = world.people[w.OWNER]
    return {
        "dossier_id": place.dossier.pk,
        "member_id": place.member.pk,
        "appointment_id": place.appointment.pk,
        "participation_id": place.meeting.participations.get(member=place.member).pk,
        "request_id": place.request.pk,
        "target_id": world.listed.pk,
        "structure_id": world.local.pk,
        "kind": "professionnel",
        "rubrique": "psychologique",
        "invitation_id": place.invitation.pk,
        "token": w.link_of(world.colleague),
        "professional_id": world.listed.pk,
        "activity_id": world.staff.attachment.professional.activities.get().pk,
        "offer_id": world.offer.pk,
        "user_id": world.staff.pk,
        "delegate_id": world.house.delegates.first().pk,
        "officer_id": world.officer.pk,
        "public_id": uuid.UUID(int=1),
        "pk": 1,
        "form_key": "compte-profil",
        "object_id": owner.pk,
        "profile": "medecin",
        "table": "niveau",
        "column": "medical",
        "number": 1,
        "act": "suspendre",
        "key": "inconnue",
        "uidb36": "1",
        "mail_id": uuid.UUID(int=2),
        # A line that is not there: asked why, the page says that there is nothing to explain.
        "trace_id": uuid.UUID(int=3),
        "question_id": world.question.pk,
        "opposition_id": place.opposition.pk,
        # Nothing of the kind is planned any more: who may write is told so.
        "plan_id": uuid.UUID(int=8),
        "acting_id": world.asked.pk,
        "client_id": world.client.pk,
        "token_id": uuid.UUID(int=6),
        # Of nobody: the pages of one's own agenda find nothing.
        "opening_id": uuid.UUID(int=8),
        "absence_id": uuid.UUID(int=9),
        "calendar_id": uuid.UUID(int=11),
        "room_id": world.room.pk,
        "feed": world.feed,
        # Taken or set aside: the page says so.
        "proposal_id": uuid.UUID(int=10),
        # A resource of the API.
        "type_name": "CareTeam",
        "id": str(uuid.UUID(int=7)),
        # « Accès d’urgence » is off: whatever is asked, the address is not there.
        "emergency_id": uuid.UUID(int=5),
        "partner_id": world.partner.pk,
        "relay_id": world.relay.pk,
        # « Files d’attente »: the same dead letter.
        "queue": "echanges",
        "deed": "reprendre",
        "row_id": world.relay.pk,
    }


# Answers to every address that no other does: what its pattern gives back is the address of another page.
ANYWHERE = {"fhir:nowhere": "/fhir/nulle/part"}


# A part that two pages call the same, and that is not the same thing.
CALLED = {("flux:calendar", "token"): "feed"}


def address(name: str, parts: tuple[str, ...], ids: Mapping[str, object]) -> str:
    return ANYWHERE.get(name) or reverse(name, kwargs={part: ids[CALLED.get((name, part), part)] for part in parts})


class Visitor:
    """An account and its session: each request leaves both, and the database, as they were."""

    def __init__(self, user) -> None:
        self.client = Client(raise_request_exception=False)
        if user is not None:
            self.client.force_login(user)
        self.kept = {name: morsel.value for name, morsel in self.client.cookies.items()}

    def ask(self, method: str, path: str, data: Mapping | None = None, *, then=None, **headers):
        """Send a request; return its answer, or what `then()` finds of it before everything is taken back."""
        self.client.cookies = SimpleCookie(self.kept)
        send = getattr(self.client, method.lower())
        # Whatever a request writes is taken back: the next one meets the same world.
        with transaction.atomic():
            answer = send(path, data or {}, **headers) if method in ("GET", "HEAD", "POST") else send(path, **headers)
            found = then() if then else answer
            transaction.set_rollback(True)
        return found


def said_by(answer) -> str:
    """Return which of the answers of the table a response is; its status when it is none of them."""
    from tests.security import expected as e

    if answer.status_code in (301, 302, 303) and answer.headers.get("Location", "").startswith(LOGIN):
        return e.SIGN_IN
    if answer.status_code in (401, 403, 404, 405):
        return {401: e.TOKEN, 403: e.CLOSED, 404: e.ABSENT, 405: e.METHOD}[answer.status_code]
    # 400, 409, 413, 422: the page answered that something is wrong with what was sent.
    return e.OPEN if answer.status_code < 429 else str(answer.status_code)


# Ids of some pages only.
OWN_IDS = {
    # « Relier à l'annuaire » is about who was typed by hand.
    "circle:link": lambda world, place: {"member_id": place.typed.pk},
    **{
        f"reunions:{name}": lambda world, place: {
            "appointment_id": place.meeting.pk,
            "proposal_id": place.meeting.proposals.get().pk,
        }
        for name in ("meeting", "answer", "choose", "add_time", "remind", "remove", "cancel", "minutes")
    },
    "reponse:answer": lambda world, place: {"token": w.link_to_meeting(place)},
    # Only what is out of use is brought back: « medecin » and « psychologique » are in use, and answered 404.
    "habilitations:reopen_profile": lambda world, place: {"profile": w.CLOSED_PROFILE},
    "habilitations:restore_rubric": lambda world, place: {"rubrique": w.WITHDRAWN_RUBRIC},
    # Only a profession that nobody confirmed can be.
    "administration:confirm_account": lambda world, place: {"user_id": world.apart[w.OFFICER].pk},
    **{
        f"administration:{name}": lambda world, place: {"structure_id": world.house.pk}
        for name in ("legal_structure", "close_structure", "name_delegate", "end_delegate")
    },
}


def listed(wrong: Mapping) -> str:
    """Return differences one a line, as a reader of the table looks for them."""
    return "\n" + "\n".join(f"{what}: {said}" for what, said in wrong.items())
