"""Acts on the agenda of the person, on her meetings, and on one’s own agenda (PERF-20)."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from tests.bench.deeds import ANY, SAME, TODAY, Act, Scene


def _past(scene: Scene) -> dict:
    from django.utils import timezone

    from tests.agenda import factories

    return {"appointment_id": factories.appointment(scene.entry, starts=timezone.now() - dt.timedelta(hours=3)).pk}


def _told_twice(hour: int):
    """Have two structures tell the same event."""

    def made(scene: Scene) -> dict:
        from tests.agenda import factories

        member, starts = scene.place.typed, factories.at(hour, days=3)
        kept = factories.appointment(scene.entry, member, starts=starts, taken=False)
        factories.appointment(scene.entry, member, starts=starts, taken=False, structure_id=scene.world.house.pk)
        return {"appointment_id": kept.pk}

    return made


def _proposed(scene: Scene) -> dict:
    """Have the doctor propose another time for the appointment."""
    from agenda.models import Proposal

    one = scene.place.appointment
    mine = one.participations.get(user=scene.user("doctor"))
    starts = one.starts_at + dt.timedelta(days=1)
    made = Proposal.objects.create(
        dossier=scene.place.dossier, appointment=one, starts_at=starts, ends_at=starts + dt.timedelta(hours=1),
        proposed_by=mine,
    )  # fmt: skip
    return {"proposal_id": made.pk}


def _other_time(scene: Scene) -> dict:
    """Have who has no account propose another time for the meeting."""
    from agenda.models import Proposal
    from tests.agenda import factories

    meeting, starts = scene.place.meeting, factories.at(8, days=40 + scene.number)
    made = Proposal.objects.create(
        dossier=scene.place.dossier, appointment=meeting, starts_at=starts, ends_at=starts + dt.timedelta(hours=1),
        proposed_by=meeting.participations.get(member=scene.place.typed),
    )  # fmt: skip
    return {"proposal_id": made.pk}


def _the_time(scene: Scene) -> dict:
    """The first time proposed, at an hour of this round: the meetings of the others have theirs."""
    from tests.agenda import factories

    found, starts = scene.place.meeting.proposals.order_by("pk").first(), factories.at(17, days=6 + scene.number)
    type(found).objects.filter(pk=found.pk).update(starts_at=starts, ends_at=starts + dt.timedelta(hours=1))
    return {"proposal_id": found.pk}


def _no_time(scene: Scene) -> dict:
    return {f"creneau_{pk}": "non" for pk in scene.place.meeting.proposals.values_list("pk", flat=True)}


def _by_link(scene: Scene) -> dict:
    from tests.security import world

    return {"token": world.link_to_meeting(scene.place)}


def _guest(scene: Scene) -> dict:
    found = scene.place.meeting.participations.get(member=scene.place.typed)
    return {"participation_id": found.pk}


def _looked_for(scene: Scene) -> str:
    """Return the search of a common time: it is in the address."""
    asked = {
        f"presence_{scene.place.member.pk}": "indispensable", "minutes": "60",
        "first_day": scene.iso(2 + 14 * scene.number),
        "last_day": scene.iso(15 + 14 * scene.number), "earliest": "08:00", "latest": "19:00", "zone": "Europe/Paris",
    }  # fmt: skip
    return f"?{urlencode(asked)}"


def _latest(model: str, part: str):
    """Return what puts in the address the last thing that the coordinator put in an agenda of one’s own."""

    def found(scene: Scene) -> dict:
        from agenda import models
        from agenda.actions.schedules import schedule_of

        rows = getattr(models, model).objects.filter(schedule=schedule_of(scene.user("coordinator")))
        return {part: rows.order_by("-pk").first().pk}

    return found


def _latest_room(scene: Scene) -> dict:
    from agenda.models import Room

    return {"room_id": Room.objects.filter(structure=scene.world.local, retired_at=None).order_by("-pk").first().pk}


def _own_calendar(scene: Scene) -> dict:
    from agenda.actions.schedules import schedule_of
    from agenda.models import OwnCalendar
    from coordination.common import cipher

    made = OwnCalendar.objects.create(
        schedule=schedule_of(scene.user("coordinator")), name="Cabinet", kind="ics", host="agenda.exemple",
        address_sealed=cipher.encrypt("https://agenda.exemple/a.ics"),
    )  # fmt: skip
    return {"calendar_id": made.pk}


_OPENING, _ABSENCE = _latest("Opening", "opening_id"), _latest("Absence", "absence_id")

ACTS = (
    Act("agenda:create", says={
        "kind": "rendez_vous", "title": "Bilan", "day": lambda s: s.iso(10 + s.number), "starts": "10:00",
        "ends": "10:30",
    }),
    Act("agenda:edit", says={"title": "Pansement"}),
    Act("agenda:answer", "doctor", {"answer": "decliner"}),
    Act("agenda:proposal", on="agenda:answer", before=_proposed, words="Ne pas retenir"),
    Act("agenda:cancel", says={"reason": ANY}),
    Act("agenda:done", on="agenda:appointment", before=_past),
    Act("agenda:not_come", on="agenda:appointment", before=_past),
    Act("agenda:consent", says={"on": TODAY}),
    Act("agenda:join", on="agenda:list", before=_told_twice(9)),
    Act("agenda:keep_apart", on="agenda:list", before=_told_twice(14)),
    Act("reunions:find", query=_looked_for, says={"title": "Synthèse"}, words="Faire voter"),
    Act("reunions:answer", "doctor", {"comment": "Non", "": _no_time}),
    Act("reponse:answer", "nobody", {"comment": "Non", "": _no_time}, before=_by_link, answer=SAME),
    Act("reunions:add_time", on="reunions:meeting", before=_other_time),
    Act("reunions:remind", on="reunions:meeting"),
    Act("reunions:remove", on="reunions:meeting", before=_guest),
    Act("reunions:choose", on="reunions:meeting", before=_the_time),
    Act("reunions:minutes", says={"minutes": "Présents : tous"}),
    Act("reunions:cancel", says={"reason": ANY}),
    Act("mon_agenda:add_opening", says={
        "first_day": lambda s: s.day(30 + s.number), "starts": "09:00", "ends": "12:00",
    }),
    Act("mon_agenda:change_opening", says={"ends": "12:30"}, before=_OPENING),
    Act("mon_agenda:remove_opening", on="mon_agenda:change_opening", before=_OPENING),
    Act("mon_agenda:add_absence", says={"first_day": lambda s: s.day(200 + s.number), "label": "Congés"}),
    Act("mon_agenda:change_absence", says={"label": "Formation"}, before=_ABSENCE),
    Act("mon_agenda:remove_absence", on="mon_agenda:change_absence", before=_ABSENCE),
    Act("mon_agenda:settings"),
    Act("mon_agenda:feed", answer=SAME, called="ouvrir"),
    Act("mon_agenda:feed", says={"level": ANY}, called="changer"),
    Act("mon_agenda:renew_feed", on="mon_agenda:feed", answer=SAME),
    Act("mon_agenda:close_feed", on="mon_agenda:feed"),
    Act("mon_agenda:remove_calendar", on="mon_agenda:change_calendar", before=_own_calendar),
    Act("mon_agenda:add_room", "keeper", {"name": lambda s: s.word("salle")}),
    Act("mon_agenda:change_room", "keeper", {"address": "2 rue des Essais"}, before=_latest_room),
    Act("mon_agenda:remove_room", "keeper", on="mon_agenda:change_room", before=_latest_room),
)  # fmt: skip
