"""Pages of the meetings: what is found, what is shown to whom, forms and refusals, constant cost."""

import datetime as dt
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agenda.actions import meetings
from agenda.actions.appointments import cancel_appointment
from agenda.actions.meetings import Plan
from agenda.actions.openings import When, add_opening
from agenda.actions.schedules import schedule_of
from agenda.forms.finder import FinderForm, PlanForm
from agenda.models import Answer, Appointment, Occupation
from agenda.rules import Freq, Rule
from circle import actions
from tests.agenda import factories
from tests.agenda.factories import at
from tests.circle import factories as make
from tests.habilitations.acting_data import stand_in

pytestmark = pytest.mark.django_db
STATUS = Appointment.Status
AIDE_SOIGNANT = "35"


def text(response):
    said = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ")
    return " ".join(said.replace("&#39;", "'").split())


def path(entry, tail=""):
    return f"/dossiers/{entry.dossier.pk}/reunions/{tail}"


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


@pytest.fixture
def doctor(entry):
    user = make.account(make.DOCTOR, family_name="TESTARD", given_name="Paul")
    factories.member(entry, user)
    return user


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    factories.member(entry, user)
    return user


def open_all_day(user, days=7, hours=(8, 19)):
    """Declare that one may be asked every day between these hours."""
    starts = dt.datetime.combine(timezone.localdate() + dt.timedelta(days=1), dt.time(hours[0]))
    ends = starts + dt.timedelta(hours=hours[1] - hours[0])
    add_opening(schedule_of(user), by=user, when=When(starts, ends, Rule(Freq.DAILY)))


def weekday(days=7):
    """Return so many days from today, or the Monday after when it is in a week-end."""
    day = timezone.localdate() + dt.timedelta(days=days)
    return day + dt.timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def asked(entry, *users, need="indispensable", first=None, **said):
    first = first or weekday()
    wanted = {f"presence_{factories.member_of(entry, user).pk}": need for user in users}
    return wanted | {
        "minutes": "60", "first_day": f"{first:%Y-%m-%d}", "last_day": f"{first:%Y-%m-%d}", "earliest": "08:00",
        "latest": "19:00", "zone": "Europe/Paris",
    } | said  # fmt: skip


def on(day, hour):
    return at(hour, days=(day - timezone.localdate()).days)


# ---- the finder ----------------------------------------------------------------------------------


@pytest.mark.req("AGD-20")
@pytest.mark.req("AGD-22")
def test_three_slots_are_found_with_who_is_missing_and_who_is_unknown(reader, entry, doctor, nurse):
    day = weekday()
    for user in (entry.user, doctor):
        open_all_day(user)
    factories.appointment(entry, factories.member_of(entry, doctor), starts=on(day, 8), minutes=9 * 60)
    page = text(reader.get(path(entry, "trouver/"), asked(entry, doctor, nurse)))
    assert "Les 2 meilleurs créneaux" in page or "meilleur" in page
    assert "17:00 à 18:00 2 sur 3 Disponibilités inconnues : SPÉCIMEN Inès" in page
    assert "Manque : TESTARD Paul" in page
    assert "faute d’ouvertures déclarées : SPÉCIMEN Inès" in page


@pytest.mark.req("AGD-12")
def test_nobody_learns_through_the_finder_what_he_may_not_know(reader, entry, doctor, nurse, house):
    day = weekday()
    for user in (entry.user, doctor):
        open_all_day(user)
    # Of another dossier: why, with whom, where.
    other = make.open_circle(make.coordinator())
    factories.appointment(
        other, factories.member(other, doctor), starts=on(day, 8), minutes=60, title="Consultation mémoire",
        place="Clinique Ailleurs",
    )  # fmt: skip
    # Of the person, by another structure, without her agreement: not even « occupé ».
    stranger = make.account(structure=house)
    factories.member(entry, stranger)
    factories.appointment(make.entry_of(stranger, entry), starts=on(day, 9), with_person=True)
    page = text(reader.get(path(entry, "trouver/"), asked(entry, doctor, person="on")))
    assert "Occupé" in page and "Consultation mémoire" not in page and "Clinique" not in page
    row = re.search(r"09:00 (.*?) 09:30", page).group(1)
    assert row.endswith("La personne accompagnée : Inconnu")


def test_a_hold_of_another_meeting_is_to_be_confirmed(reader, entry, doctor):
    day = weekday()
    for user in (entry.user, doctor):
        open_all_day(user)
    member = factories.member_of(entry, doctor)
    Occupation.objects.create(
        key=member.professional_id, kind="option", source=uuid.uuid4(), starts_at=on(day, 10), ends_at=on(day, 11),
        exclusive=True, expires_at=timezone.now() + dt.timedelta(days=1),
    )  # fmt: skip
    page = text(reader.get(path(entry, "trouver/"), asked(entry, doctor)))
    assert "TESTARD Paul : À confirmer" in page


def test_what_is_searched_is_checked(reader, entry, doctor):
    day = weekday()
    wrong = asked(entry, doctor, last_day=f"{day - dt.timedelta(days=1):%Y-%m-%d}", latest="08:30")
    answer = reader.get(path(entry, "trouver/"), wrong)
    assert answer.status_code == 422
    assert "Le dernier jour doit suivre le premier." in text(answer)
    assert "Ces heures sont trop courtes pour cette durée." in text(answer)
    assert "Choisissez au moins une personne" in text(reader.get(path(entry, "trouver/"), asked(entry)))


def test_a_search_and_a_choice_make_a_meeting(reader, entry, doctor, nurse):
    day = weekday()
    sent = asked(entry, doctor, nurse) | {
        "times": [on(day, 10).isoformat(), on(day, 14).isoformat()], "title": "Synthèse", "reason": "retour",
    }  # fmt: skip
    answer = reader.post(path(entry, "trouver/"), sent)
    made = Appointment.objects.get()
    assert answer.status_code == 303 and answer.url == path(entry, f"{made.pk}/")
    assert [one.starts_at for one in made.proposals.order_by("starts_at")] == [on(day, 10), on(day, 14)]
    page = text(reader.get(answer.url))
    assert "À fixer" in page and "1 oui sur 3 participants" in page and "Sans réponse" in page


def test_a_time_ticked_in_the_list_and_in_the_grid_is_proposed_once(reader, entry, doctor):
    """After a refusal both boxes are ticked; the grid writes the hour on its clock, the list in UTC or not."""
    day = weekday()
    times = [on(day, 10).isoformat(), on(day, 14).isoformat(), on(day, 10).astimezone(dt.UTC).isoformat()]
    typed = {"own_day": f"{day:%Y-%m-%d}", "own_hour": "14:00"}
    answer = reader.post(path(entry, "trouver/"), asked(entry, doctor) | typed | {"times": times})
    assert answer.status_code == 303, text(answer)
    made = Appointment.objects.get()
    assert [one.starts_at for one in made.proposals.order_by("starts_at")] == [on(day, 10), on(day, 14)]


def test_choosing_one_line_proposes_that_one_only(reader, entry, doctor):
    day = weekday()
    times = [on(day, hour).isoformat() for hour in (10, 14)]
    reader.post(path(entry, "trouver/"), asked(entry, doctor) | {"times": times, "choisir": times[1]})
    assert [one.starts_at for one in Appointment.objects.get().proposals.all()] == [on(day, 14)]


def test_a_moment_typed_by_hand_is_proposed(reader, entry, doctor):
    day = weekday()
    said = {"own_day": f"{day:%Y-%m-%d}", "own_hour": "16h30"}
    reader.post(path(entry, "trouver/"), asked(entry, doctor) | said)
    assert Appointment.objects.get().proposals.get().starts_at == at(16, 30, days=(day - timezone.localdate()).days)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Choisissez un créneau, ou indiquez un autre moment."),
        ({"own_day": "2099-01-01"}, "Indiquez le jour et l’heure."),
        ({"times": ["n’importe quoi"]}, "Choisissez un créneau"),
        ({"times": ["2020-01-01T10:00:00+01:00"]}, "Ce moment est passé"),
    ],
)
def test_a_proposal_that_makes_no_sense_is_refused_with_a_sentence(reader, entry, doctor, said, sentence):
    answer = reader.post(path(entry, "trouver/"), asked(entry, doctor) | said)
    assert answer.status_code == 422 and sentence in text(answer)
    assert not Appointment.objects.exists()


def test_the_finder_costs_the_same_with_two_and_twelve(reader, entry):
    counted = []
    for many in (2, 10):
        for _ in range(many):
            user = make.account()
            factories.member(entry, user)
            open_all_day(user)
        people = [one.habilitation.user for one in entry.dossier.members.select_related("habilitation__user")]
        people = [user for user in people if user and user.pk != entry.user.pk]
        data = asked(entry, *people, person="on")
        reader.get(path(entry, "trouver/"), data)
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(path(entry, "trouver/"), data).status_code == 200
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12, [query["sql"][:90] for query in captured]


# ---- the list, the meeting -----------------------------------------------------------------------


def proposed(entry, *users, starts=None, **said):
    members = {factories.member_of(entry, user).pk: True for user in users}
    plan = Plan(
        members=members, starts=starts or (at(10), at(14)), minutes=60, zone="Europe/Paris",
        answer_by=timezone.now() + dt.timedelta(days=3), **{"title": "Synthèse", "reason": "retour"} | said,
    )  # fmt: skip
    return meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())


def voted(meeting, *choices):
    times = meeting.proposals.filter(proposed_by=None).order_by("starts_at")
    return {f"creneau_{one.pk}": choice for one, choice in zip(times, choices, strict=True)}


def test_the_list_shows_those_to_fix_first(reader, entry, doctor):
    factories.appointment(entry, kind="reunion", title="Déjà fixée", starts=at(9))
    proposed(entry, doctor)
    page = text(reader.get(path(entry)))
    assert page.index("Synthèse") < page.index("Déjà fixée")
    assert "1 réponse attendue" in page
    assert "Réunions" in text(reader.get(f"/dossiers/{entry.dossier.pk}/"))


def test_a_cancelled_meeting_is_with_those_that_are_past(reader, entry, doctor):
    proposed(entry, doctor)
    booked = factories.appointment(entry, kind="reunion", title="Annulée", starts=at(9))
    cancel_appointment(entry, booked.pk, reason="organisateur")
    assert "Annulée" not in text(reader.get(path(entry)))
    past = text(reader.get(path(entry, "?passees=1")))
    assert "Annulée" in past and "Synthèse" not in past


def test_pages_of_meetings_cost_the_same_whatever_their_number(reader, entry, doctor, nurse):
    counted = []
    for _ in range(2):
        for hour in (8, 11, 13, 16):
            meeting = proposed(entry, doctor, nurse, starts=(at(hour, days=9 + len(counted)),))
        pages = (path(entry), path(entry, f"{meeting.pk}/"))
        for page in pages:
            reader.get(page)
        row = []
        for page in pages:
            with CaptureQueriesContext(connection) as captured:
                assert reader.get(page).status_code == 200
            row.append(len(captured))
        counted.append(row)
    assert counted[0] == counted[1]
    assert max(counted[0]) <= 12, [query["sql"][:90] for query in captured]


@pytest.mark.req("AGD-27")
def test_each_answers_on_his_page_and_the_meeting_is_fixed(client, entry, doctor, nurse):
    meeting = proposed(entry, doctor, nurse)
    for user, choices in ((doctor, ("non", "oui")), (nurse, ("oui", "si_besoin"))):
        client.force_login(user)
        assert "Répondre" in text(client.get(path(entry, f"{meeting.pk}/")))
        answer = client.post(path(entry, f"{meeting.pk}/repondre/"), voted(meeting, *choices))
        assert answer.status_code == 303
    meeting.refresh_from_db()
    assert (meeting.status, meeting.starts_at) == (STATUS.BOOKED, at(14))
    page = text(client.get(path(entry, f"{meeting.pk}/")))
    assert "14:00 à 15:00" in page and "la réunion est fixée" in page
    assert "Synthèse" in text(client.get(f"/agenda/?jour={at(14):%Y-%m-%d}"))


def test_an_answer_that_misses_a_time_is_asked_again(client, entry, doctor):
    meeting = proposed(entry, doctor)
    client.force_login(doctor)
    sent = voted(meeting, "oui", "non")
    sent.pop(next(iter(sent)))
    answer = client.post(path(entry, f"{meeting.pk}/repondre/"), sent)
    assert answer.status_code == 422 and "Répondez pour ce créneau." in text(answer)
    assert not Answer.objects.filter(participation__user=doctor).exists()


def test_who_is_invited_and_writes_no_meeting_answers_and_decides_nothing(client, entry):
    aide = make.account(AIDE_SOIGNANT)
    factories.member(entry, aide)
    meeting = proposed(entry, aide)
    time = meeting.proposals.first()
    client.force_login(aide)
    assert client.get(path(entry, f"{meeting.pk}/")).status_code == 200
    for tail in (f"creneaux/{time.pk}/retenir/", "relancer/", "annuler/", "compte-rendu/"):
        assert client.post(path(entry, f"{meeting.pk}/{tail}"), {}).status_code == 403
    assert client.post(path(entry, f"{meeting.pk}/repondre/"), voted(meeting, "oui", "oui")).status_code == 303
    meeting.refresh_from_db()
    assert meeting.status == STATUS.BOOKED


def test_who_is_invited_sees_his_meeting_whatever_the_matrix(client, entry):
    """Rule 6: neither the rubric nor the other meetings, his own."""
    helper = make.account(AIDE_SOIGNANT)
    factories.member(entry, helper)
    meeting, other = proposed(entry, helper), factories.appointment(entry, kind="reunion", starts=at(17))
    actions.record_opposition(entry, rubrique="reunions", refused_on=timezone.localdate(), collected="oral")
    client.force_login(helper)
    assert client.get(path(entry)).status_code == 403
    assert client.get(path(entry, f"{other.pk}/")).status_code == 404
    assert client.get(path(entry, f"{meeting.pk}/")).status_code == 200


def test_the_organiser_chooses_and_writes_the_minutes(reader, entry, doctor):
    meeting = proposed(entry, doctor)
    time = meeting.proposals.order_by("starts_at").first()
    assert reader.get(path(entry, f"{meeting.pk}/compte-rendu/")).status_code == 200
    reader.post(path(entry, f"{meeting.pk}/creneaux/{time.pk}/retenir/"))
    meeting.refresh_from_db()
    assert meeting.starts_at == at(10)
    form = text(reader.get(path(entry, f"{meeting.pk}/compte-rendu/")))
    assert "Présents : " in form and "Excusés : TESTARD Paul" in form and "Décisions :" in form
    # He who says « peut-être » by mail since is not left out of the template.
    meeting.participations.filter(user=doctor).update(status="tentative")
    assert "Excusés : TESTARD Paul" in text(reader.get(path(entry, f"{meeting.pk}/compte-rendu/")))
    sent = {"minutes": "Décision : barre d’appui", "version": meeting.version}
    assert reader.post(path(entry, f"{meeting.pk}/compte-rendu/"), sent).status_code == 303
    assert "Décision : barre d’appui" in text(reader.get(path(entry, f"{meeting.pk}/")))
    stale = reader.post(path(entry, f"{meeting.pk}/compte-rendu/"), sent | {"minutes": "Autre"})
    assert stale.status_code == 409


def test_a_refused_act_says_why_on_the_meeting(reader, entry, doctor):
    meeting = proposed(entry, doctor)
    time = meeting.proposals.order_by("starts_at").first()
    for _ in range(2):
        answer = reader.post(path(entry, f"{meeting.pk}/creneaux/{time.pk}/retenir/"), follow=True)
    assert "n’attend plus de créneau" in text(answer)


def test_a_meeting_of_another_dossier_is_a_page_that_does_not_exist(reader, entry, doctor):
    other = make.open_circle(make.coordinator())
    factories.member(other, doctor)
    meeting = proposed(other, doctor)
    for tail in ("", "repondre/", "annuler/", "compte-rendu/"):
        assert reader.get(path(entry, f"{meeting.pk}/{tail}")).status_code == 404


def test_a_stand_in_answers_for_whom_he_acts(client, entry, nurse):
    other = make.account(make.NURSE)
    stand_in(nurse, other)
    plan = Plan(
        members={factories.member_of(entry, nurse).pk: True}, starts=[at(10), at(14)], minutes=60, zone="Europe/Paris",
        answer_by=timezone.now() + dt.timedelta(days=3),
    )  # fmt: skip
    meeting = meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
    client.force_login(other)
    here = path(entry, f"{meeting.pk}/repondre/")
    assert here in client.get(path(entry, f"{meeting.pk}/")).content.decode()
    assert client.get(here).status_code == 200
    said = {f"creneau_{time.pk}": "oui" for time in meeting.proposals.all()}
    assert client.post(here, said).status_code == 303
    meeting.refresh_from_db()
    assert meeting.status == STATUS.BOOKED
    assert meeting.changes.get(kind="reponse").on_behalf_of == nurse


def test_days_are_those_of_the_clock_that_is_chosen(monkeypatch):
    """Four in the evening of the 4th in Tahiti, three in the morning of the 5th in Paris."""
    now = dt.datetime(2027, 1, 5, 2, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    member = str(uuid.uuid4())
    said = {
        "minutes": "60", "first_day": "2027-01-04", "last_day": "2027-01-04", "earliest": "08:00", "latest": "19:00",
        "zone": "Pacific/Tahiti", f"presence_{member}": "souhaite",
    }  # fmt: skip
    search = FinderForm(said, members=[(member, "TESTARD Paul")])
    assert search.is_valid(), search.errors
    last = now + meetings.LONGEST_HOLD
    form = PlanForm({"answer_by": "2027-01-11", "choisir": "2027-01-20T20:00:00+00:00"})
    assert form.is_valid()
    assert form.plan(search).answer_by == last
    assert PlanForm().initial["answer_by"] == dt.date(2027, 1, 8)
