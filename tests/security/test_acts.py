"""An act sent whole is done for whoever holds its right, and for nobody else, whatever page let him in (SECT-3).

One line per act: what is sent, who may (read from the shipped matrix), and what tells that it was done.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.urls import reverse
from django.utils import timezone

from circle.models import Invitation, Member
from coordination.dossiers.models import Dossier
from habilitations.actions.limits import read_as, standing
from habilitations.models import AccessRequest, Ceiling, Habilitation, Refusal
from tests.circle.factories import TEAM_POSTED
from tests.dossiers.test_creation import typed as person
from tests.security import expected as e
from tests.security import routes as r
from tests.security import sampling
from tests.security import world as w
from tests.security.world import Place

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-3", "SEC-2")]
SITUATIONS = (w.GRANTED, w.READ_ONLY, w.REFUSED)
NEEDS = {"situations": SITUATIONS}
ADDRESS = {"invitation_email": "nouvelle@ms-exemple.example", "invitation_message": ""}


@dataclass(frozen=True)
class Act:
    title: str
    path: Callable[[Place], str]
    sent: Callable[[Place], dict]
    may: Callable[[e.Who], bool]
    done: Callable[[Place], object]


def page(name, member="member"):
    return lambda place: reverse(name, args=[place.dossier.pk, getattr(place, member).pk])


def of_dossier(name, *args):
    return lambda place: reverse(name, args=[place.dossier.pk, *args])


def of_invitation(name):
    return lambda place: reverse(name, args=[place.invitation.pk])


def state(member, wanted):
    return lambda place: Habilitation.objects.filter(members=getattr(place, member), state=wanted, ended_at=None)


def rights(*actions, writes="cercle", reads=""):
    """Written or read rubric, and action rights held in the dossier."""
    return lambda who: (
        (not writes or who.level(writes) >= 2)
        and (not reads or who.level(reads) >= 1)
        and all(who.may(action) for action in actions)
    )


def fixed(**said):
    return lambda place: said


def today():
    """As it is typed, the day of the test: the table below is read before, perhaps the day before."""
    return f"{timezone.localdate():%d/%m/%Y}"


def refusal(**said):
    return lambda _: {"refused_on": today(), "collected": "oral"} | said


def limits(**said):
    """As the page says that it showed them."""
    return lambda place: (
        said | {"seen": read_as(standing(place.member.habilitation), place.member.habilitation.access_until)}
    )


def is_whole(who):
    return who.sees_whole_circle and who.may("inviter")


ACTS = [
    Act("habiliter", page("circle:habilitation", "closed"), fixed(habilitation="oui", **TEAM_POSTED),
        rights("habiliter"), state("closed", "oui")),
    Act("retirer l’habilitation", page("circle:habilitation"), fixed(habilitation="non", confirme="1"),
        rights("habiliter"), state("member", "non")),
    Act("demander une habilitation", page("circle:request", "closed"), fixed(),
        lambda who: rights("ajouter_membre")(who) and not who.may("habiliter"),
        lambda place: Habilitation.objects.filter(members=place.closed, requested_at__isnull=False)),
    Act("réduire", page("circle:limits"), limits(plan="0", until=""), rights("habiliter"),
        lambda place: Ceiling.objects.standing().filter(habilitation=place.member.habilitation)),
    Act("mettre un dernier jour", page("circle:limits"),
        lambda place: limits(until=f"{timezone.localdate() + dt.timedelta(days=9):%d/%m/%Y}")(place),
        rights("habiliter"),
        lambda place: Habilitation.objects.filter(members=place.member, access_until__isnull=False)),
    Act("retirer du cercle", page("circle:remove"),
        lambda place: {"reason": "fin", "version": Member.objects.get(pk=place.member.pk).version},
        rights("habiliter"), lambda place: Habilitation.objects.filter(members=place.member, ended_at__isnull=False)),
    Act("annuler un retrait", page("circle:undo_removal", "gone"), fixed(), rights("habiliter"),
        lambda place: Habilitation.objects.filter(members=place.gone, ended_at=None)),
    Act("noter un refus", page("circle:habilitation"), refusal(habilitation="refus"),
        rights("noter_refus"), state("member", "refus")),
    Act("noter un refus, page à part", page("circle:record_refusal"), refusal(),
        lambda who: who.level("cercle") >= 1 and who.may("noter_refus"), state("member", "refus")),
    Act("retirer un refus", page("circle:withdraw_refusal", "refused"),
        lambda _: {"withdrawn_on": today(), "collected": "oral"},
        rights("noter_refus"),
        lambda place: Refusal.objects.filter(habilitation=place.refused.habilitation, withdrawn_at__isnull=False)),
    Act("répondre à une demande", lambda place: reverse("circle:answer_request",
                                                        args=[place.dossier.pk, place.request.pk]),
        fixed(reponse="refuser", answer="Pas utile ici."), rights("habiliter"),
        lambda place: AccessRequest.objects.filter(pk=place.request.pk, state="refusee")),
    Act("rendre discret", page("circle:discreet"), fixed(discret="1"), rights(),
        lambda place: Member.objects.filter(pk=place.member.pk, discreet=True)),
    Act("ajouter un aidant", of_dossier("circle:add_manually", "aidant"),
        lambda _: {"family_name": "NOUVELLE", "given_name": "Rose", "relation": "DAUC", "role": "CAREGIVER",
                   "mobile": "06 39 98 20 55", "starts_on": today(), "creation_key": uuid.uuid4()},
        rights("ajouter_membre"), lambda place: Member.objects.filter(dossier=place.dossier, family_name="NOUVELLE")),
    Act("inviter un membre", page("circle:invite_member", "free"), fixed(**ADDRESS), rights("inviter"),
        lambda place: Invitation.objects.filter(member=place.free)),
    Act("annuler une invitation", of_invitation("invitations:revoke"), fixed(), is_whole,
        lambda place: Invitation.objects.filter(pk=place.invitation.pk, revoked_at__isnull=False)),
    Act("renvoyer une invitation", of_invitation("invitations:resend"),
        lambda place: {"email": place.invitation.email}, is_whole,
        lambda place: Invitation.objects.filter(pk=place.invitation.pk, generation__gt=1)),
    # An access waits for it: another address is another grant.
    Act("renvoyer à une autre adresse", of_invitation("invitations:resend"), fixed(email="autre@ms-exemple.example"),
        rights("habiliter", writes="", reads="cercle"),
        lambda place: Invitation.objects.filter(pk=place.invitation.pk, generation__gt=1)),
    Act("clore le dossier", of_dossier("dossiers:status"),
        lambda place: {
            "status": "pause", "closing_reason": "", "note": "Situation nouvelle", "seen": place.dossier.status},
        rights("clore_dossier", writes="", reads="identite"),
        lambda place: Dossier.objects.filter(pk=place.dossier.pk, status="pause")),
    Act("créer un dossier", lambda _: reverse("dossiers:create"), lambda _: person(birth_name="TOUTENEUVE"),
        lambda who: who.holds("creer_dossier"), lambda _: Dossier.objects.filter(birth_name="TOUTENEUVE")),
    Act("inviter un confrère", lambda _: reverse("invitations:invite"),
        lambda _: {"family_name": "Neuf", "given_name": "Luc", "profession": "60", "email": "neuf@ms-exemple.example",
                   "message": "", "creation_key": uuid.uuid4()},
        lambda who: who.holds("inviter"), lambda _: Invitation.objects.filter(email="neuf@ms-exemple.example")),
]  # fmt: skip


@pytest.mark.asvs("v5.0.0-8.3.1")
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.title)
def test_an_act_is_done_for_who_holds_its_right_and_for_nobody_else(world, act, situation):
    place, wrong, able = world.places[situation], {}, 0
    assert not act.done(place).exists(), "done before it was asked: nothing would be proved"
    # Where the profession opens everything that it gives, all are asked; elsewhere, those who are told apart.
    whole = situation == w.GRANTED or sampling.FULL
    for profile in world.people if whole else w.FEW:
        may = act.may(e.Who(situation, profile))
        done = r.Visitor(world.people[profile]).ask(
            "POST", act.path(place), act.sent(place), then=lambda: act.done(place).exists()
        )
        able += may
        if done is not may:
            wrong[profile] = f"expected {'done' if may else 'refused'}, was not so"
    assert not wrong, r.listed(wrong)
    if situation == w.GRANTED:
        assert 0 < able < len(world.people), "everybody or nobody may: the line proves nothing"
