"""Acts on the circle of one dossier: who is in it, what each may open, what the person says (PERF-20)."""

from __future__ import annotations

import datetime as dt

from tests.bench.deeds import ANY, LEAVE, PIECE, SAME, TODAY, Act, Scene, searched

OPENS = {"habilitation": "oui", "rests_on": "reconnue", "rests_since": TODAY}
NAMED = {"family_name": lambda s: s.word("à la main"), "given_name": "Inès"}


def _of(name: str):
    """Return what puts one of the members of the place in the address."""
    return lambda scene: {"member_id": getattr(scene.place, name).pk}


def _somebody_listed(scene: Scene) -> dict:
    from tests.circle import factories as make

    return {"target_id": make.listed(family_name=scene.word("annuaire").upper()).pk}


def _some_house(scene: Scene) -> dict:
    from tests.circle import factories as make

    return {"structure_id": make.StructureFactory(name=scene.word("structure")).pk}


def _ends_soon(scene: Scene) -> dict:
    from django.utils import timezone

    from habilitations.models import Habilitation

    day = timezone.localdate() + dt.timedelta(days=5)
    Habilitation.objects.filter(pk=scene.place.member.habilitation_id).update(access_until=day)
    return {}


def asleep(scene: Scene, structure=None) -> dict:
    """Put in the circle somebody, of a structure or of none, habilitated long ago and who never came."""
    from django.utils import timezone

    from habilitations.models import Habilitation
    from tests.circle import factories as make

    user = make.account(structure=structure)
    member = make.add(scene.entry, user.attachment.professional, wanted="oui")
    since = timezone.now() - dt.timedelta(days=400)
    Habilitation.objects.filter(pk=member.habilitation_id).update(state_at=since)
    return {"member_id": member.pk, "user_id": user.pk}


def _closed_by_itself(scene: Scene) -> dict:
    from habilitations.models import Habilitation
    from habilitations.models.reviews import SleepingAccess
    from tests.circle import factories as make

    member = make.add(scene.entry, make.account().attachment.professional, wanted="oui")
    row = Habilitation.objects.filter(pk=member.habilitation_id)
    row.update(state="non")
    found = row.get()
    SleepingAccess.objects.create(
        dossier=scene.place.dossier, habilitation=found, closes_on=found.state_at.date(), closed_at=found.state_at
    )
    return {"member_id": member.pk}


def _merged(scene: Scene) -> dict:
    """Put two structures in the circle that the directory has merged since."""
    from coordination.directory.actions import merge_structure
    from tests.circle import factories as make

    houses = [make.StructureFactory(name=scene.word("double")) for _ in range(2)]
    for house in houses:
        make.add_house(scene.entry, house)
    merge_structure(houses[0], into=houses[1], by=scene.user("administrator"))
    return {}


def namesake(scene: Scene) -> dict:
    """Put in the directory the professional who was typed by hand."""
    from coordination.common.text import fold
    from tests.circle import factories as make

    typed = scene.place.typed
    names = {"family_name": typed.family_name, "given_name": typed.given_name}
    make.listed(**names, search_family=fold(typed.family_name), search_given=fold(typed.given_name))
    return {"member_id": typed.pk}


def _secretary(scene: Scene) -> dict:
    from tests.circle import factories as make
    from tests.habilitations.acting_data import secretary

    doctor = scene.user("doctor")
    return {"member_id": scene.place.member.pk, "acting_id": secretary(doctor, make.account(), "agenda").pk}


def _relative(scene: Scene) -> dict:
    from tests.circle import factories as make

    made = make.relative(scene.entry, family_name=scene.word("rôle"), mobile=scene.phone("rôle", "06 39 98"))
    return {"member_id": made.pk}


def _handover(scene: Scene) -> dict:
    from django.utils import timezone

    from circle import actions
    from tests.circle import factories as make

    holder, taker = (
        make.add(scene.entry, make.listed(make.DOCTOR, family_name=scene.word(role).upper()), role=role)
        for role in ("PCP", "PROV")
    )
    day = timezone.localdate() + dt.timedelta(days=9)
    actions.hand_over_role(scene.entry, role="PCP", from_member=holder, to_member=taker, starts_on=day)
    return {"member_id": taker.pk}


ACTS = (
    searched("circle:list", "sai", "#q"),
    searched("circle:add", "martin", "#qui"),
    Act("circle:add_professional", says=OPENS, before=_somebody_listed),
    searched("circle:preview_letter", "Bonjour", "[name=invitation_message]", on="circle:add_professional",
             before=_somebody_listed),
    Act("circle:add_manually", says=NAMED | {"profession": "60", "role": "PROV", "phone": lambda s: s.phone("main")},
        words="Ajouter la personne", called="professionnel"),
    Act("circle:add_manually", called="aidant", before=lambda s: {"kind": "aidant"}, words="Ajouter la personne",
        says={"family_name": lambda s: s.word("proche"), "given_name": "Rose", "relation": "DAUC",
              "role": "CAREGIVER", "mobile": lambda s: s.phone("proche", "06 39 98")}),
    Act("circle:lookalikes", says={"family_name": lambda s: s.word("alike")}, on="circle:add_manually", by=LEAVE,
        box="[name=given_name]", typed="Inès", answer=PIECE),
    searched("circle:add_structure", "exemple", "main [name=q]"),
    Act("circle:add_structure_manually", says={"name": lambda s: s.word("saisie"), "phone": lambda s: s.phone("s")}),
    Act("circle:choose_structure", says={"habilitation": "non"}, before=_some_house),
    Act("circle:edit_member", says={"description": "Passe le mardi."}, before=_of("typed")),
    Act("circle:discreet", on="circle:member", before=_of("typed")),
    Act("circle:change_role", says={"role": ANY}, before=_relative),
    Act("circle:call_off_plan", on="circle:member", before=_handover),
    Act("circle:request", "nurse", on="circle:member", before=_of("closed")),
    Act("circle:habilitation", says=OPENS, before=_of("closed"), called="oui"),
    Act("circle:habilitation", says={"habilitation": "refus", "collected": "oral", "refused_on": TODAY},
        before=_of("closed"), called="refus"),
    Act("circle:withdraw_refusal", says={"withdrawn_on": TODAY, "collected": "oral"}, before=_of("refused")),
    Act("circle:limits", says={"plan": "0"}),
    Act("circle:extend", on="todo", before=_ends_soon),
    Act("circle:answer_request", says={"answer": "Pas utile ici."}, words="Refuser"),
    Act("circle:close_access", on="circle:review", before=asleep),
    Act("circle:keep_access", on="circle:review", before=asleep),
    Act("circle:restore_access", on="circle:review", before=_closed_by_itself),
    Act("circle:finish_review", on="circle:review"),
    Act("circle:undo_removal", on="circle:member", before=_of("gone")),
    Act("circle:consent", says={"ground": "accord", "starts_on": TODAY, "collected": "oral"}, before=_of("gone")),
    Act("circle:end_consent", says={"end": ANY, "ended_on": TODAY, "collected": "oral"}, before=_of("gone")),
    Act("circle:oppose", says={"rubrique": "social", "whom": "tous", "refused_on": TODAY, "collected": "oral"}),
    Act("circle:withdraw_opposition", says={"withdrawn_on": TODAY, "collected": "oral"}),
    Act("circle:secretary", says={"day": TODAY, "collected": "oral"}, before=_secretary),
    Act("circle:remove", says={"reason": "fin", "day": lambda s: s.day(20)}, before=_of("hidden"), called="prévu"),
    Act("circle:call_off_stay", on="circle:member", before=_of("hidden"), any_of=("plan_id",)),
    Act("circle:remove", says={"reason": "fin"}, before=_of("hidden")),
    Act("circle:join", on="circle:list", before=_merged, any_of=("member_id",)),
    Act("circle:exchange", on="circle:partners", words="Envoyer le cercle"),
    Act("circle:check_several", on="circle:invite_several", answer=SAME,
        says={"lines": lambda s: f"{s.email('ligne')};{s.word('ligne')};Léa;60"}),
    Act("circle:invite_several", says={"habilitation": "non"},
        first=(Act("circle:check_several", answer=SAME,
                   says={"lines": lambda s: f"{s.email('autre')};{s.word('autre')};Léa;60"}),)),
    Act("circle:invite_member", says={"invitation_email": lambda s: s.email("membre")}, before=_of("free")),
)  # fmt: skip
