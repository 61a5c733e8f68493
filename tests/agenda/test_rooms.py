"""Rooms of a structure: declared by who looks after it, chosen in an event or a meeting, taken once at a time."""

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from agenda.actions import meetings, rooms
from agenda.actions.schedules import schedule_of
from agenda.errors import MomentHeld, RoomExists, RoomNameMissing, RoomUnknown
from agenda.models import Appointment, Occupation, Room, ServiceType
from habilitations.actions import name_administrator
from habilitations.errors import NotOfYourStructure
from habilitations.models import AccountTrace
from tests.agenda import factories
from tests.agenda.factories import at
from tests.agenda.test_person_pages import path, text, typed
from tests.circle import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(house):
    """The account of who looks after a structure."""
    user = make.account(structure=house)
    name_administrator(house, user, by=make.UserFactory(is_administrator=True))
    return user


@pytest.fixture
def own(matrix, house):
    """A dossier opened by somebody of that structure."""
    return make.open_circle(make.coordinator(structure=house))


@pytest.fixture
def room(house):
    return Room.objects.create(structure=house, name="Salle bleue", address="2e étage")


# ---- declared ------------------------------------------------------------------------------------


def test_rooms_are_declared_renamed_and_withdrawn(client, keeper, house):
    client.force_login(keeper)
    page = client.get("/agenda/salles/")
    assert page.status_code == 200 and "Aucune salle" in text(page)
    answer = client.post("/agenda/salles/ajouter/", {"name": " Salle  bleue ", "address": "2e étage"}, follow=True)
    assert "La salle est ajoutée." in text(answer) and "Salle bleue" in text(answer)
    room = Room.objects.get(structure=house)
    assert (room.name, room.address) == ("Salle bleue", "2e étage")
    answer = client.post(f"/agenda/salles/{room.pk}/", {"name": "Salle verte", "version": 1}, follow=True)
    assert "Salle verte" in text(answer)
    answer = client.post(f"/agenda/salles/{room.pk}/retirer/", follow=True)
    assert "La salle n’est plus proposée." in text(answer)
    room.refresh_from_db()
    assert room.retired_at and client.get(f"/agenda/salles/{room.pk}/").status_code == 404
    acts = AccountTrace.objects.filter(actor_id=keeper.pk, object_kind="salle", object_id=room.pk, action="écriture")
    assert acts.count() == 3


def test_what_one_cannot_see_is_not_kept_of_the_name_of_a_room(keeper, house, room):
    with pytest.raises(RoomExists):
        rooms.add_room(house.pk, by=keeper, name="Salle\u200b bleue")
    with pytest.raises(RoomNameMissing):
        rooms.add_room(house.pk, by=keeper, name="\u200b")
    assert rooms.add_room(house.pk, by=keeper, name="\u202eSalle verte").name == "Salle verte"


def test_the_same_name_twice_is_refused_beside_its_field(client, keeper, room):
    client.force_login(keeper)
    answer = client.post("/agenda/salles/ajouter/", {"name": room.name})
    assert answer.status_code == 422 and "Cette salle existe déjà" in text(answer)
    with pytest.raises(RoomExists):
        rooms.add_room(room.structure_id, by=keeper, name=room.name)
    with pytest.raises(RoomNameMissing):
        rooms.change_room(room.pk, by=keeper, name="  ")
    # A withdrawn one leaves its name.
    rooms.withdraw_room(room.pk, by=keeper)
    assert rooms.add_room(room.structure_id, by=keeper, name=room.name).pk != room.pk


def test_who_looks_after_no_structure_finds_nothing(client, coordinator, room):
    client.force_login(coordinator)
    for page in ("", "ajouter/", f"{room.pk}/"):
        assert client.get(f"/agenda/salles/{page}").status_code == 404
    assert client.post(f"/agenda/salles/{room.pk}/retirer/").status_code == 404
    with pytest.raises(NotOfYourStructure):
        rooms.add_room(room.structure_id, by=coordinator, name="Autre")


def test_the_rooms_of_another_structure_are_not_his(client, keeper):
    other = Room.objects.create(structure=make.StructureFactory(), name="Ailleurs")
    client.force_login(keeper)
    assert client.get(f"/agenda/salles/{other.pk}/").status_code == 404
    assert "Ailleurs" not in text(client.get("/agenda/salles/"))
    with pytest.raises(RoomUnknown):
        rooms.withdraw_room(other.pk, by=keeper)


def test_a_withdrawn_room_keeps_what_is_planned_in_it_and_says_so(client, keeper, room, own):
    factories.appointment(own, room=room)
    client.force_login(keeper)
    said = text(client.post(f"/agenda/salles/{room.pk}/retirer/", follow=True))
    assert "1 rendez-vous à venir la garde." in said


# ---- chosen --------------------------------------------------------------------------------------


def test_a_room_is_chosen_in_an_appointment_and_taken_once(client, own, room):
    client.force_login(own.user)
    assert "Salle bleue" in text(client.get(path(own, "nouveau/")))
    client.post(path(own, "nouveau/"), typed(room=str(room.pk)))
    made = Appointment.objects.get()
    assert made.room == room and made.participations.filter(key=room.pk, room=room).exists()
    assert Occupation.objects.filter(key=room.pk, exclusive=True).count() == 1
    assert "Salle bleue" in text(client.get(path(own, f"{made.pk}/")))
    # Another dossier, at the same time: said as far as one may know.
    other = make.open_circle(make.coordinator(structure=room.structure))
    client.force_login(other.user)
    answer = client.post(path(other, "nouveau/"), typed(room=str(room.pk)))
    assert answer.status_code == 422
    assert "Salle bleue : ce moment n’est pas libre. Choisissez-en un autre." in text(answer)


def test_a_room_is_changed_or_left_with_its_time(client, own, room):
    client.force_login(own.user)
    client.post(path(own, "nouveau/"), typed(room=str(room.pk)))
    made = Appointment.objects.get()
    client.post(path(own, f"{made.pk}/modifier/"), typed(room="", version=made.version))
    made.refresh_from_db()
    assert made.room is None and not Occupation.objects.filter(key=room.pk).exists()
    assert not made.participations.filter(room=room).exists()


def test_rooms_of_other_structures_and_withdrawn_ones_are_not_offered(client, own, room, entry):
    Room.objects.filter(pk=room.pk).update(retired_at=timezone.now())
    Room.objects.create(structure=make.StructureFactory(), name="Ailleurs")
    client.force_login(own.user)
    assert "Salle bleue" not in text(client.get(path(own, "nouveau/")))
    answer = client.post(path(own, "nouveau/"), typed(room=str(room.pk)))
    # Chosen before it was withdrawn: it is said, and not left out in silence.
    assert answer.status_code == 422 and "Cette salle n’est plus proposée" in text(answer)
    # An event that has it keeps it on its own form.
    made = factories.appointment(own, room=room, starts=at(15))
    assert "Salle bleue" in text(client.get(path(own, f"{made.pk}/modifier/")))


def test_a_meeting_has_its_room_held_then_taken(own, room):
    doctor = make.account("10")
    member = factories.member(own, doctor)

    def propose(entry, *people):
        plan = meetings.Plan(
            members={one.pk: True for one in people}, starts=[at(10)], minutes=60, zone="Europe/Paris",
            answer_by=timezone.now() + dt.timedelta(days=3), room=room,
        )  # fmt: skip
        return meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())

    meeting = propose(own, member)
    assert Occupation.objects.get(key=room.pk).kind == "option"
    other = make.open_circle(make.coordinator(structure=room.structure))
    with pytest.raises(MomentHeld, match="Salle bleue"):
        propose(other, factories.member(other))
    meetings.choose_time(own, meeting.pk, meeting.proposals.get().pk)
    assert Occupation.objects.get(key=room.pk).kind == "rendez_vous"
    # Taken out of the meeting, it is free again.
    one = meeting.participations.get(room=room)
    meetings.remove_participant(own, meeting.pk, one.pk)
    meeting.refresh_from_db()
    assert meeting.room is None and not Occupation.objects.filter(key=room.pk).exists()


def test_the_finder_reads_the_busy_times_of_the_room(client, own, room):
    member = factories.member(own)
    factories.appointment(make.open_circle(make.coordinator(structure=room.structure)), starts=at(10, days=1))
    busy = at(10, days=1)
    Occupation.objects.create(
        key=room.pk, kind="rendez_vous", source=uuid.uuid4(), starts_at=busy, ends_at=busy + factories.HOUR,
        exclusive=True,
    )  # fmt: skip
    day = f"{timezone.localdate() + dt.timedelta(days=1):%Y-%m-%d}"
    search = {
        f"presence_{member.pk}": "indispensable", "minutes": "60", "first_day": day, "last_day": day,
        "earliest": "09:00", "latest": "12:00", "saturday": "on", "zone": "Europe/Paris", "room": str(room.pk),
        "jour": day,
    }  # fmt: skip
    client.force_login(own.user)
    said = text(client.get(f"/dossiers/{own.dossier.pk}/reunions/trouver/", search))
    assert "Salle bleue : Occupé" in said and "Salle bleue : Libre" in said
    assert "Disponibilités inconnues" in said and "Salle bleue, " not in said


# ---- durations -----------------------------------------------------------------------------------


def test_the_type_gives_its_duration(client, own):
    schedule = schedule_of(own.user)
    ServiceType.objects.create(schedule=schedule, code="entretien", minutes=50)
    client.force_login(own.user)
    page = client.get(path(own, "nouveau/"))
    assert "Entretien, 50 minutes" in text(page) and "Visite à domicile, 30 minutes" in text(page)
    assert "&#34;entretien&#34;: 50" in page.content.decode() or '"entretien": 50' in page.content.decode()
    client.post(path(own, "nouveau/"), typed(service_type="entretien", ends=""))
    made = Appointment.objects.get()
    assert made.ends_at - made.starts_at == dt.timedelta(minutes=50)
    # Said, it is what is said; without a type, an end is asked for.
    client.post(path(own, "nouveau/"), typed(days=8, service_type="entretien", ends="10:20"))
    made = Appointment.objects.latest("created_at")
    assert made.ends_at - made.starts_at == dt.timedelta(minutes=20)
    answer = client.post(path(own, "nouveau/"), typed(days=9, ends=""))
    assert answer.status_code == 422 and "Indiquez l’heure." in text(answer)


def test_the_finder_proposes_the_duration_of_meetings(client, own):
    ServiceType.objects.create(schedule=schedule_of(own.user), code="reunion", minutes=80)
    client.force_login(own.user)
    page = client.get(f"/dossiers/{own.dossier.pk}/reunions/trouver/").content.decode()
    assert '<option value="90" selected>' in page
