"""The second of two who change one thing of the agenda: both texts, nothing overwritten in silence (REL-11)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda.actions import consents, feeds, openings, own_calendars, rooms
from agenda.actions.appointments import cancel_appointment
from agenda.actions.meetings import write_minutes
from agenda.actions.openings import OpeningSaid
from agenda.actions.schedules import change_settings, schedule_of
from agenda.models import Absence, AgendaConsent, Appointment, Feed, Opening, Schedule
from coordination.accounts import drafts
from habilitations.actions import name_administrator
from tests.accounts.factories import UserFactory
from tests.agenda import factories
from tests.agenda.factories import at
from tests.agenda.test_own_pages import _when, absence, opening, text_of
from tests.agenda.test_person_pages import typed
from tests.circle import factories as circle

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-11")]


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


def shown_version(answer) -> int:
    return int(re.search(r'name="version"\s+id="id_version"\s+value="(\d+)"', answer.content.decode())[1])


def refused_then_done_knowingly(client, url, sent, *, mine, theirs):
    """Send what was typed on version 1: both texts come back; send it again: it is done."""
    first = client.post(url, sent | {"version": 1})
    page = text_of(first)
    assert first.status_code == 409
    assert "pendant votre saisie" in page and mine in page and theirs in page
    again = client.post(url, sent | {"version": shown_version(first)})
    assert again.status_code == 303, text_of(again)


def edited(entry, made, **said):
    """What the form of an event sends."""
    return {name: value for name, value in typed(**said).items() if name not in ("how", "creation_key")}


def changed_by_another(made, **values):
    Appointment.objects.filter(pk=made.pk).update(version=2, **values)


def test_an_appointment(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    changed_by_another(made, title="Texte de l’autre", place="Cabinet de l’autre")
    url = reverse("agenda:edit", args=[entry.dossier.pk, made.pk])
    refused_then_done_knowingly(
        reader, url, edited(entry, made, title="Mon texte"), mine="Mon texte", theirs="Cabinet de l’autre"
    )
    made.refresh_from_db()
    assert (made.title, made.place, made.version) == ("Mon texte", "", 3)


def test_an_appointment_typed_before_the_other_saved_and_taken_up_after(reader, entry):
    """The draft is of the version it was typed on: it is compared, it does not take the other's place unseen."""
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    drafts.save(entry.user, "agenda-modifier", made.pk, "title=Presque&version=1")
    changed_by_another(made, title="Texte de l’autre")
    url = reverse("agenda:edit", args=[entry.dossier.pk, made.pk])
    page = reader.get(url)
    assert "Presque" in text_of(page) and shown_version(page) == 1
    sent = edited(entry, made, title="Presque") | {"version": shown_version(page)}
    assert reader.post(url, sent).status_code == 409
    assert Appointment.objects.get(pk=made.pk).title == "Texte de l’autre"


def test_an_appointment_to_be_cancelled(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    changed_by_another(made, title="Texte de l’autre")
    url = reverse("agenda:cancel", args=[entry.dossier.pk, made.pk])
    first = reader.post(url, {"reason": "autre", "note": "Ma note", "version": 1})
    assert first.status_code == 409 and "Relisez-le avant de l’annuler." in text_of(first)
    assert Appointment.objects.get(pk=made.pk).status == "booked"
    assert reader.post(url, {"reason": "autre", "note": "", "version": shown_version(first)}).status_code == 303


def test_what_was_cancelled_meanwhile_is_told(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    cancel_appointment(entry, made.pk, reason="personne", note="")
    url = reverse("agenda:edit", args=[entry.dossier.pk, made.pk])
    assert reader.post(url, edited(entry, made) | {"version": 1}).status_code != 303
    assert Appointment.objects.get(pk=made.pk).status == "cancelled"


def test_the_minutes_of_a_meeting(reader, entry):
    """The longest text of the product: two who write it at once lose none."""
    meeting = factories.appointment(entry, factories.member_of(entry, entry.user), kind="reunion")
    write_minutes(entry, meeting.pk, "Ce que l’autre a écrit.", version=1)
    url = reverse("reunions:minutes", args=[entry.dossier.pk, meeting.pk])
    refused_then_done_knowingly(
        reader, url, {"minutes": "Ce que j’ai écrit."}, mine="Ce que j’ai écrit.", theirs="Ce que l’autre a écrit."
    )
    assert Appointment.objects.get(pk=meeting.pk).minutes == "Ce que j’ai écrit."


def test_minutes_typed_before_the_other_saved_and_taken_up_after(reader, entry):
    meeting = factories.appointment(entry, factories.member_of(entry, entry.user), kind="reunion")
    drafts.save(entry.user, "reunion-compte-rendu", meeting.pk, "minutes=Mon+brouillon&version=1")
    write_minutes(entry, meeting.pk, "Ce que l’autre a écrit.", version=1)
    url = reverse("reunions:minutes", args=[entry.dossier.pk, meeting.pk])
    page = reader.get(url)
    assert "Mon brouillon" in text_of(page) and shown_version(page) == 1
    answer = reader.post(url, {"minutes": "Mon brouillon", "version": shown_version(page)})
    assert answer.status_code == 409 and "Ce que l’autre a écrit." in text_of(answer)
    assert Appointment.objects.get(pk=meeting.pk).minutes == "Ce que l’autre a écrit."


def test_a_meeting_to_be_cancelled(reader, entry):
    meeting = factories.appointment(entry, factories.member_of(entry, entry.user), kind="reunion")
    write_minutes(entry, meeting.pk, "Ce que l’autre a écrit.", version=1)
    url = reverse("reunions:cancel", args=[entry.dossier.pk, meeting.pk])
    first = reader.post(url, {"reason": "organisateur", "note": "", "version": 1})
    assert first.status_code == 409 and Appointment.objects.get(pk=meeting.pk).status == "booked"
    assert reader.post(url, {"reason": "organisateur", "note": "", "version": 2}).status_code == 303


def test_a_page_that_does_not_say_what_it_read_replaces_nothing(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    meeting = factories.appointment(entry, factories.member_of(entry, entry.user), kind="reunion", starts=at(15))
    schedule_of(entry.user)
    dossier = entry.dossier.pk
    for name, of, sent in (
        ("agenda:edit", [dossier, made.pk], edited(entry, made, title="Mon texte")),
        ("agenda:cancel", [dossier, made.pk], {"reason": "autre", "note": ""}),
        ("reunions:cancel", [dossier, meeting.pk], {"reason": "organisateur", "note": ""}),
        ("reunions:minutes", [dossier, meeting.pk], {"minutes": "Mon texte"}),
        ("mon_agenda:settings", [], {"zone": "Indian/Reunion"}),
    ):
        first = reader.post(reverse(name, args=of), sent)
        assert first.status_code == 409 and "pendant votre saisie" in text_of(first), name
        assert shown_version(first) == 1, name


def test_an_opening(reader, entry):
    user = entry.user
    row = openings.add_opening(schedule_of(user), by=user, when=_when())
    said = OpeningSaid(place="Cabinet de l’autre")
    openings.change_opening(schedule_of(user), row.pk, by=user, version=1, when=_when(), said=said)
    url = reverse("mon_agenda:change_opening", args=[row.pk])
    refused_then_done_knowingly(
        reader, url, opening(place="Mon cabinet"), mine="Mon cabinet", theirs="Cabinet de l’autre"
    )
    assert Opening.objects.get(pk=row.pk).place == "Mon cabinet"


def test_an_absence(reader, entry):
    user = entry.user
    row, _ = openings.add_absence(schedule_of(user), by=user, when=_when(), label="", all_day=False)
    openings.change_absence(
        schedule_of(user), row.pk, by=user, version=1, when=_when(), label="Mot de l’autre", all_day=False
    )
    url = reverse("mon_agenda:change_absence", args=[row.pk])
    refused_then_done_knowingly(reader, url, absence(label="Mon mot"), mine="Mon mot", theirs="Mot de l’autre")
    assert Absence.objects.get(pk=row.pk).label == "Mon mot"


def test_the_settings(reader, entry):
    schedule = schedule_of(entry.user)
    change_settings(schedule, by=entry.user, zone="Indian/Reunion", minutes={}, mails_invitations=False)
    sent = {"zone": "America/Martinique"}
    refused_then_done_knowingly(reader, reverse("mon_agenda:settings"), sent, mine="Martinique", theirs="La Réunion")
    assert Schedule.objects.get(pk=schedule.pk).zone == "America/Martinique"


def test_a_room(client, matrix, house):
    keeper = circle.account(structure=house)
    name_administrator(house, keeper, by=UserFactory(administrator=True))
    client.force_login(keeper)
    room = rooms.add_room(house.pk, by=keeper, name="Salle bleue")
    rooms.change_room(room.pk, by=keeper, name="Salle de l’autre", address="2e étage")
    url = reverse("mon_agenda:change_room", args=[room.pk])
    refused_then_done_knowingly(client, url, {"name": "Ma salle"}, mine="Ma salle", theirs="Salle de l’autre")
    room.refresh_from_db()
    assert (room.name, room.address, room.version) == ("Ma salle", "", 3)


def test_a_calendar_of_one_s_own(reader, entry, monkeypatch):
    """Its address and its password are secrets: of what is stored, the site alone is shown."""
    busy = own_calendars.Busy((), 0, 0, 0)
    read = own_calendars._Read(busy, "", timezone.now())
    monkeypatch.setattr(own_calendars, "_read", lambda source, zone, *, within: read)
    schedule = schedule_of(entry.user)
    said = own_calendars.Said("Cabinet", "caldav", "https://dav.exemple/secrete/", "moi", "pw-garde")
    made = own_calendars.add_calendar(schedule, said, by=entry.user)
    own_calendars.change_calendar(schedule, made.pk, replace(said, name="Nom de l’autre"), by=entry.user)
    url = reverse("mon_agenda:change_calendar", args=[made.pk])
    sent = {
        "name": "Mon nom",
        "kind": "caldav",
        "address": "https://dav.exemple/b/",
        "login": "moi",
        "password": "neuf",
    }
    page = text_of(reader.post(url, sent | {"version": 1}))
    assert "secrete" not in page and "pw-garde" not in page and "pw-neuf" not in page
    refused_then_done_knowingly(reader, url, sent, mine="Mon nom", theirs="Nom de l’autre")
    made.refresh_from_db()
    assert (made.name, made.address, made.generation) == ("Mon nom", "https://dav.exemple/b/", 3)


def test_the_level_of_the_feed(reader, entry):
    """What an address shows is not shown more, nor less, by a page read before another session chose."""
    feeds.open_feed(entry.user, level="neutre")
    feeds.change_feed_level(entry.user, level="occupe")
    url = reverse("mon_agenda:feed")
    first = reader.post(url, {"level": "complet", "seen": "neutre"})
    assert first.status_code == 409 and "pendant votre saisie" in text_of(first)
    assert 'name="seen"' in first.content.decode() and 'value="occupe"' in first.content.decode()
    assert Feed.objects.get().level == "occupe"
    assert reader.post(url, {"level": "complet", "seen": "occupe"}).status_code == 303
    # Stopped meanwhile: nothing is opened again unseen.
    feeds.close_feed(entry.user)
    again = reader.post(url, {"level": "neutre", "seen": "complet"})
    assert again.status_code == 409 and "arrêté pendant votre saisie" in text_of(again)
    assert not Feed.objects.exists()
    assert reader.post(url, {"level": "neutre", "seen": ""}).status_code == 200 and Feed.objects.exists()


def test_the_consent_of_the_person_sent_twice_is_noted_once_and_withdrawn_once(reader, entry):
    """A second click does not do the contrary of the first one."""
    url = reverse("agenda:consent", args=[entry.dossier.pk])
    today, before = (f"{timezone.localdate() - timedelta(days=days):%d/%m/%Y}" for days in (0, 3))
    for _ in range(2):
        assert reader.post(url, {"on": before, "seen": ""}).status_code == 303
    given = AgendaConsent.objects.get()
    assert given.withdrawn_at is None
    # Noted meanwhile of another day: said, and what is proposed is what follows.
    other = reader.post(url, {"on": today, "seen": ""})
    assert other.status_code == 409 and f"l’accord noté est du {before}" in text_of(other)
    assert f'value="{given.pk}"' in other.content.decode() and "Noter le retrait" in text_of(other)
    for _ in range(2):
        assert reader.post(url, {"on": today, "seen": str(given.pk)}).status_code == 303
    assert AgendaConsent.objects.get().withdrawn_at is not None
    late = reader.post(url, {"on": before, "seen": str(given.pk)})
    assert late.status_code == 409 and "l’accord est déjà retiré" in text_of(late)
    # Given again since: the page of the former one does not end it.
    again = consents.record_consent(entry, on=timezone.localdate())
    assert reader.post(url, {"on": today, "seen": str(given.pk)}).status_code == 409
    again.refresh_from_db()
    assert again.withdrawn_at is None


def test_the_draft_of_a_consent_is_not_proposed_for_its_withdrawal(reader, entry):
    drafts.save(entry.user, "agenda-accord", entry.dossier.pk, "on=01%2F02%2F2026&seen=")
    url = reverse("agenda:consent", args=[entry.dossier.pk])
    assert "01/02/2026" in reader.get(url).content.decode()
    given = consents.record_consent(entry, on=timezone.localdate())
    page = reader.get(url).content.decode()
    assert "01/02/2026" not in page and f'value="{given.pk}"' in page


def test_the_day_of_another_is_not_told_as_a_difference_when_both_wrote_the_same(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True, title="Bilan")
    changed_by_another(made, comment="Mot de l’autre")
    url = reverse("agenda:edit", args=[entry.dossier.pk, made.pk])
    page = text_of(reader.post(url, edited(entry, made) | {"version": 1}))
    table = page[page.index("Enregistré par l’autre personne") : page.index("</table>")]
    assert "Mot de l’autre" in table and "Bilan" not in table
    assert f"{timezone.localdate():%Y}" not in table
