"""Acts of who invites, and of who is invited: with an account, or by a personal link without one (PERF-20)."""

from __future__ import annotations

import datetime as dt

from tests.bench.deeds import SAME, TODAY, Act, Scene, searched
from tests.bench.deeds.circle import asleep

COLLEAGUE = {
    "family_name": lambda s: s.word("confrère"), "given_name": "Luc", "profession": "60",
    "email": lambda s: s.email("confrère"),
}  # fmt: skip


def _mine(scene: Scene) -> dict:
    """The invitation of the place, on the sheet of whom it is for: lists grow from a round to the next."""
    return {"invitation_id": scene.place.invitation.pk, "member_id": scene.place.invitation.member_id}


def _long_ago(scene: Scene) -> dict:
    """A letter of two days ago is sent again."""
    from django.utils import timezone

    from circle.models import Invitation

    since = timezone.now() - dt.timedelta(days=2)
    Invitation.objects.filter(pk=scene.place.invitation.pk).update(sent_at=since)
    return _mine(scene)


def _invited(scene: Scene, salt: str):
    """Return the invitation of somebody who was put in the circle for it."""
    from circle.models import Invitation
    from tests.circle import factories as make

    someone = make.listed(family_name=scene.word(salt).upper())
    member = make.add(scene.entry, someone, wanted="oui", invitation={"email": scene.email(salt), "message": ""})
    return Invitation.objects.get(member=member)


def _accepted(salt: str):
    """Have an invitation accepted by an account that nobody has vouched for."""

    def made(scene: Scene) -> dict:
        from circle import actions
        from tests.accounts.factories import PASSWORD

        row = _invited(scene, salt)
        actions.accept_with_new_account(row, family_name=row.family_name or "NEUVE", given_name="Léa",
                                        password=PASSWORD)  # fmt: skip
        return {"invitation_id": row.pk, "member_id": row.member_id}

    return made


def _held(salt: str, *, way: str = "courriel", revoked: bool = False, signed_in: bool = False):
    """Give the link of a new invitation, as the letter does, or as who invites copies it."""

    def made(scene: Scene) -> dict:
        from circle import actions, links
        from tests.circle import factories as make

        row = _invited(scene, salt)
        if revoked:
            actions.revoke_invitation(row, by=scene.user("coordinator"), entry=scene.entry)
            row.refresh_from_db()
        if signed_in:
            scene.kept["invited"] = make.account()
        return {"token": links.token_of(row, way)}

    return made


def _offered(scene: Scene) -> dict:
    from coordination.directory.models import AttachmentOffer
    from tests.circle import factories as make

    scene.kept["newcomer"] = user = make.UserFactory(family_name=scene.word("offre"), given_name="Lina")
    made = AttachmentOffer.objects.create(
        structure=scene.world.local, user=user, email=user.email, family_name=user.family_name,
        given_name=user.given_name, profession=make.NURSE, offered_by=scene.user("keeper"),
    )  # fmt: skip
    return {"offer_id": made.pk}


def _at_work(scene: Scene) -> dict:
    from tests.circle import factories as make

    someone = make.listed(structure=scene.world.local, family_name=scene.word("exerce").upper())
    return {"activity_id": someone.activities.get().pk}


def _unconfirmed(scene: Scene) -> dict:
    from tests.circle import factories as make

    scene.kept["unconfirmed"] = user = make.account(structure=scene.world.local, vouched=False)
    return {"user_id": user.pk, "activity_id": user.attachment.professional.activities.get().pk}


def _confirmed(scene: Scene) -> dict:
    return {"user_id": scene.kept["unconfirmed"].pk}


def _sleeps(scene: Scene) -> dict:
    return asleep(scene, scene.world.local)


def _called(scene: Scene) -> dict:
    """Somebody who is asked to stand in for the coordinator."""
    from tests.circle import factories as make
    from tests.habilitations.acting_data import stand_in

    scene.kept["stand-in"] = substitute = make.account()
    return {"acting_id": stand_in(make.account(), substitute, accepted=False).pk}


ACTS = (
    Act("invitations:invite", says=COLLEAGUE),
    searched("invitations:preview", "Bonjour", "[name=message]", on="invitations:invite"),
    Act("invitations:invite_several",
        says={"lines": lambda s: f"{s.email('plusieurs')};{s.word('plusieurs')};Léa;60"}),
    Act("invitations:remind", on="circle:member", before=_long_ago),
    Act("invitations:copy_link", on="circle:member", before=_mine, answer=SAME),
    Act("invitations:resend", before=_mine),
    Act("invitations:revoke", on="circle:member", before=_mine),
    Act("invitations:confirm", before=_accepted("confirmée"), words="Confirmer"),
    Act("invitations:decline", on="circle:member", before=_accepted("écartée")),
    Act("invitations:answer", "invited", before=_held("invitée", signed_in=True), words="Accepter"),
    Act("invitations:refuse", "nobody", before=_held("refuse"), answer=SAME),
    Act("invitations:ask", "nobody", on="invitations:answer", before=_held("périmée", revoked=True), answer=SAME),
    Act("invitations:receive", "nobody", on="invitations:refuse", before=_held("copie", way="copie"), answer=SAME),
    searched("directory:offer_account", "exerce", who="keeper"),
    Act("directory:offer_by_hand", "keeper", {
        "family_name": lambda s: s.word("main"), "given_name": "Lina", "profession": "60",
        "email": lambda s: s.email("main"),
    }),
    Act("directory:offer_professional", "keeper", {"email": lambda s: s.email("exerce")}, before=_at_work),
    Act("directory:withdraw_offer", "keeper", on="directory:accounts", before=_offered),
    Act("directory:offer", "newcomer", before=_offered, words="Refuser"),
    Act("directory:confirm_profession", "keeper", on="directory:accounts", before=_unconfirmed),
    Act("directory:withdraw_confirmation", "keeper", {"reason": "Départ"}, before=_confirmed),
    Act("directory:keep_account", "keeper", on="directory:account_review", before=_sleeps),
    Act("acting:declare", says={"first_day": lambda s: s.day(100 + 2 * s.number),
                                "last_day": lambda s: s.day(101 + 2 * s.number)}),
    Act("acting:end", on="acting:list", any_of=("acting_id",)),
    Act("acting:secretary", says={"called": lambda s: s.email("secrétariat"), "first_day": TODAY,
                                  "rubriques": ["agenda"]}),
    Act("acting:answer", "stand-in", before=_called, words="Accepter"),
)  # fmt: skip
