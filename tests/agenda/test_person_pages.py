"""Pages of a person’s agenda: what is shown to whom, forms and their refusals, constant cost."""

import datetime as dt
import re
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agenda import summaries
from agenda.actions import consents
from agenda.models import AgendaConsent, Appointment, KeptApart, Occupation, Participation, Series
from circle.actions import limit_access, remove_member
from coordination.accounts import drafts
from coordination.common.french import near_date
from habilitations.rubriques import Niveau, Rubrique
from tests.agenda import factories
from tests.agenda.factories import PARIS, at
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
STATUS = Appointment.Status


def text(response):
    said = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ")
    return " ".join(said.replace("&#39;", "'").split())


def path(entry, tail=""):
    return f"/dossiers/{entry.dossier.pk}/agenda/{tail}"


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


@pytest.fixture
def nurse(entry, house):
    user = make.account(make.NURSE, structure=house)
    factories.member(entry, user)
    return make.entry_of(user, entry)


def typed(days=7, **said):
    day = timezone.localdate() + dt.timedelta(days=days)
    return {
        "kind": "rendez_vous", "title": "Bilan", "day": f"{day:%Y-%m-%d}", "starts": "10:00", "ends": "11:00",
        "zone": "Europe/Paris", "person": "on", "me": "on", "how": "convenu", "creation_key": str(uuid.uuid4()),
    } | said  # fmt: skip


# ---- list and week -------------------------------------------------------------------------------


@pytest.mark.req("AGD-1")
def test_the_list_says_when_what_who_and_from_where(reader, entry, nurse, house):
    consents.record_consent(entry, on=timezone.localdate())
    factories.appointment(nurse, factories.member_of(entry, nurse.user), title="Pansement", place="Domicile")
    factories.appointment(entry, title="Dentiste", on_behalf=True, structure_id=None, starts=at(15))
    page = text(reader.get(path(entry)))
    assert "10:00 à 11:00 Pansement" in page
    assert f"{nurse.user.get_full_name()} · Domicile · {house.name}" in page
    assert "Saisi par vous au nom de la personne" in page
    assert "Heure de Paris" in page


@pytest.mark.req("AGD-12")
def test_what_is_hidden_is_neither_shown_nor_said_to_be_there(reader, entry, nurse):
    factories.appointment(nurse, title="Pansement")
    for page in (text(reader.get(path(entry))), text(reader.get(path(entry, "semaine/")))):
        assert "Pansement" not in page
        assert "ccupé" not in page
    assert "Rien de prévu." in text(reader.get(path(entry)))
    assert "la personne n’a pas donné son accord" in text(reader.get(path(entry)))


def test_past_events_are_shown_on_demand_the_last_first(reader, entry):
    factories.appointment(entry, title="Hier", starts=at(days=-1), status="fulfilled")
    factories.appointment(entry, title="Avant-hier", starts=at(days=-2), status="noshow")
    assert "Hier" not in text(reader.get(path(entry)))
    page = text(reader.get(path(entry, "?passes=1")))
    assert page.index("Hier") < page.index("Avant-hier")
    assert "Non venu" in page


def test_the_week_is_drawn_by_the_server(reader, entry):
    made = factories.appointment(entry, title="Bilan")
    monday = made.starts_at.astimezone(PARIS).date()
    page = reader.get(path(entry, f"semaine/?jour={monday:%Y-%m-%d}")).content.decode()
    assert re.search(r'class="bloc look-rdv gr-9 gs-4 gc-0"', page)
    assert reader.get(path(entry, "semaine/?jour=demain")).status_code == 200
    assert reader.get(path(entry, "semaine/?jour=2026-13-45")).status_code == 200


def test_an_event_of_another_clock_is_in_the_week_of_its_own_sunday(reader, entry):
    """Sunday evening in Tahiti is Monday morning in Paris."""
    sunday = timezone.localdate() + dt.timedelta(days=20 - timezone.localdate().weekday())
    starts = dt.datetime.combine(sunday, dt.time(20), ZoneInfo("Pacific/Tahiti"))
    factories.appointment(entry, title="Bilan", starts=starts, zone="Pacific/Tahiti")
    assert "Bilan" in text(reader.get(path(entry, f"semaine/?jour={sunday:%Y-%m-%d}")))
    assert "Bilan" not in text(reader.get(path(entry, f"semaine/?jour={sunday + dt.timedelta(days=1):%Y-%m-%d}")))


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("tail", ["", "semaine/?jour={day}", "?passes=1"])
def test_pages_cost_the_same_whatever_the_events(reader, settings, entry, nurse, tail):
    settings.SESSION_TOUCH_SECONDS = 10**6
    consents.record_consent(entry, on=timezone.localdate())
    tail = tail.format(day=f"{at().date():%Y-%m-%d}")
    counted = []
    for many in (2, 20):
        for rank in range(many):
            shift = dt.timedelta(minutes=10 * rank + many)
            factories.appointment(
                nurse, factories.member_of(entry, nurse.user), starts=at(8) + shift, minutes=5, with_person=True,
                taken=False, status=STATUS.FULFILLED if "passes" in tail else STATUS.BOOKED,
            )  # fmt: skip
        if "passes" in tail:
            Appointment.objects.filter(starts_at__gt=timezone.now()).update(
                starts_at=at(days=-3), ends_at=at(11, days=-3)
            )
        reader.get(path(entry, tail))
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(path(entry, tail)).status_code == 200
        counted.append(len(captured))
    assert len(set(counted)) == 1, counted
    assert counted[0] <= 12, [query["sql"][:90] for query in captured]


# ---- one event -----------------------------------------------------------------------------------


def test_the_sheet_names_those_one_may_know_and_counts_the_others(reader, entry):
    discreet = factories.member(entry)
    discreet.discreet = True
    discreet.save(update_fields=["discreet"])
    user = make.account(make.SOCIAL)
    factories.member(entry, user)
    made = factories.appointment(entry, discreet, factories.member_of(entry, user), with_person=True)
    assert discreet.display_name in text(reader.get(path(entry, f"{made.pk}/")))
    reader.force_login(user)
    page = text(reader.get(path(entry, f"{made.pk}/")))
    assert discreet.display_name not in page
    assert "1 autre participant" in page
    assert "Vous" in page


@pytest.mark.req("AGD-12")
def test_unknown_and_hidden_look_the_same(reader, entry, nurse):
    hidden = factories.appointment(nurse)
    one, other = (text(reader.get(path(entry, f"{pk}/"))) for pk in (hidden.pk, uuid.uuid4()))
    assert one == other
    assert reader.get(path(entry, f"{hidden.pk}/")).status_code == 404


@pytest.mark.req("SEC-6")
def test_who_is_invited_reads_it_whatever_the_matrix_and_learns_nothing_else(reader, entry):
    user = make.account()
    member = factories.member(entry, user)
    limit_access(entry, member, ceilings={Rubrique.AGENDA: Niveau.AUCUN, Rubrique.REUNIONS: Niveau.AUCUN}, until=None)
    assert not make.entry_of(user, entry).access.can_read("agenda")
    mine = factories.appointment(entry, member, title="Synthèse", kind="reunion")
    other = factories.appointment(entry, title="Ailleurs", starts=at(15))
    reader.force_login(user)
    page = text(reader.get(path(entry, f"{mine.pk}/")))
    assert "Synthèse" in page
    assert "Modifier" not in page
    assert reader.get(path(entry, f"{other.pk}/")).status_code == 403
    assert reader.get(path(entry, f"{uuid.uuid4()}/")).status_code == 403
    assert reader.get(path(entry)).status_code == 403


def test_the_sheet_offers_the_acts_of_its_state(reader, entry):
    made = factories.appointment(entry)
    page = text(reader.get(path(entry, f"{made.pk}/")))
    assert "Modifier" in page
    assert "Noter réalisé" not in page
    Appointment.objects.update(starts_at=at(days=-1), ends_at=at(11, days=-1))
    assert "Noter réalisé" in text(reader.get(path(entry, f"{made.pk}/")))
    answer = reader.post(path(entry, f"{made.pk}/realise/"), follow=True)
    assert "C’est noté : le rendez-vous a eu lieu." in text(answer)
    again = reader.post(path(entry, f"{made.pk}/non-venu/"), follow=True)
    assert "déjà réalisé" in text(again)


def test_a_discreet_author_of_a_change_is_not_named(reader, entry):
    doctor = make.account(make.DOCTOR)
    member = factories.member(entry, doctor)
    made = factories.appointment(entry, on_behalf=True)
    made.changes.create(dossier=entry.dossier, by=doctor, kind="modification", after="lieu")
    member.discreet = True
    member.save(update_fields=["discreet"])
    social = make.account(make.SOCIAL)
    factories.member(entry, social)
    reader.force_login(social)
    page = text(reader.get(path(entry, f"{made.pk}/")))
    assert "Un membre du cercle a modifié le rendez-vous : lieu." in page
    assert doctor.get_full_name() not in page


def test_nor_is_a_discreet_member_for_whom_another_acts(reader, entry):
    doctor = make.account(make.DOCTOR)
    member = factories.member(entry, doctor)
    made = factories.appointment(entry, on_behalf=True)
    made.changes.create(dossier=entry.dossier, by=make.account(), on_behalf_of=doctor, kind="modification")
    member.discreet = True
    member.save(update_fields=["discreet"])
    social = make.account(make.SOCIAL)
    factories.member(entry, social)
    reader.force_login(social)
    assert doctor.family_name not in text(reader.get(path(entry, f"{made.pk}/")))


def test_who_sees_a_reduced_circle_is_told_no_name(reader, entry):
    """Rule 7: the agenda names to nobody those whom the circle does not name to him."""
    made = factories.appointment(entry, on_behalf=True, structure_id=None)
    made.changes.create(dossier=entry.dossier, by=entry.user, kind="modification", after="lieu")
    carer = make.account("42")
    factories.member(entry, carer)
    assert not make.entry_of(carer, entry).access.sees_whole_circle
    reader.force_login(carer)
    for page in (reader.get(path(entry, f"{made.pk}/")), reader.get(path(entry)), reader.get(path(entry, "semaine/"))):
        assert entry.user.family_name not in text(page)
    assert "Un membre du cercle a modifié le rendez-vous : lieu." in text(reader.get(path(entry, f"{made.pk}/")))
    assert "Saisi par un membre du cercle au nom de la personne" in text(reader.get(path(entry)))
    since = timezone.now() - dt.timedelta(days=1)
    [line] = summaries.news(make.entry_of(carer, entry), since)
    assert line.sentence == "Un membre du cercle a modifié le rendez-vous : lieu."


def test_but_of_who_invites_him(reader, entry):
    carer = make.account("42")
    made = factories.appointment(entry, factories.member(entry, carer), on_behalf=True, structure_id=None)
    reader.force_login(carer)
    assert entry.user.family_name in text(reader.get(path(entry, f"{made.pk}/")))


# ---- forms ---------------------------------------------------------------------------------------


def test_an_event_is_entered(reader, entry):
    colleague = factories.member(entry)
    answer = reader.post(path(entry, "nouveau/"), typed(members=[str(colleague.pk)], place="Cabinet"))
    made = Appointment.objects.get()
    assert answer.status_code == 303
    assert answer.url == path(entry, f"{made.pk}/")
    assert (made.starts_at, made.ends_at) == (at(10), at(11))
    assert made.participations.count() == 3


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"ends": "09:00"}, "ends", "La fin doit suivre le début."),
        ({"ends": ""}, "ends", "Indiquez l’heure."),
        ({"day": ""}, "day", "Indiquez le jour."),
        ({"day": "2026-01-05"}, "starts", "Ce moment est passé : choisissez une date à venir."),
        ({"day": "2027-03-28", "starts": "02:30", "ends": "04:00"}, "starts", "n’existe pas : les horloges avancent"),
        ({"every": "1", "times": "3", "until": "2099-01-01"}, "times", "pas les deux"),
        ({"every": "jour", "how": "demande"}, "every", "convenu d’avance"),
        ({"every": "1", "until": "2026-01-01"}, "until", "La répétition se termine avant de commencer."),
        ({"every": "1", "times": "5000"}, "times", "366 fois au plus."),
        ({"all_day": "on"}, "all_day", "Seule une absence ou une hospitalisation"),
        ({"members": [str(uuid.uuid4())]}, "members", "n’est plus dans le cercle de soins"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field_and_writes_nothing(reader, entry, said, field, sentence):
    answer = reader.post(path(entry, "nouveau/"), typed(**said))
    assert answer.status_code == 422
    page = answer.content.decode().replace("\xa0", " ")
    assert sentence in page
    assert f'id="id_{field}-erreur"' in page
    assert not Appointment.objects.exists()
    assert not Series.objects.exists()
    assert not Occupation.objects.exists()


def test_a_visit_that_repeats_is_entered_from_its_first_weekday(reader, entry):
    said = typed(kind="intervention", every="1", weekdays=["0", "2"], times="6")
    assert reader.post(path(entry, "nouveau/"), said).status_code == 303
    days = [one.starts_at.astimezone(PARIS).weekday() for one in Appointment.objects.order_by("starts_at")]
    assert len(days) == 6
    assert set(days) == {0, 2}


def test_the_same_form_sent_twice_makes_one(reader, entry):
    said = typed()
    assert {reader.post(path(entry, "nouveau/"), said).url for _ in range(2)} == {
        path(entry, f"{Appointment.objects.get().pk}/")
    }


def test_a_warning_is_said_and_refuses_nothing(reader, entry):
    factories.appointment(entry, with_person=True, kind="intervention")
    said = typed(starts="10:30", ends="11:30")
    said.pop("me")
    answer = reader.post(path(entry, "nouveau/"), said, follow=True)
    assert "La personne accompagnée a déjà quelque chose à ce moment" in text(answer)
    assert Appointment.objects.count() == 2


def test_an_event_is_changed_and_its_draft_comes_back_then_goes(reader, entry):
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    drafts.save(entry.user, "agenda-modifier", made.pk, "title=Presque")
    page = reader.get(path(entry, f"{made.pk}/modifier/")).content.decode()
    assert 'value="Presque"' in page
    said = {name: value for name, value in typed().items() if name not in ("how", "creation_key")}
    answer = reader.post(path(entry, f"{made.pk}/modifier/"), said | {"starts": "09:30", "version": "1"})
    assert answer.status_code == 303, text(answer)
    made.refresh_from_db()
    assert (made.title, made.starts_at) == ("Bilan", at(9, 30))
    assert drafts.load(entry.user, "agenda-modifier", made.pk) is None
    late = reader.post(path(entry, f"{made.pk}/modifier/"), said | {"version": "1"})
    assert "a changé pendant votre saisie" in text(late)


def test_this_one_and_those_that_follow(reader, entry):
    reader.post(path(entry, "nouveau/"), typed(kind="intervention", every="1", times="5"))
    third = list(Appointment.objects.order_by("starts_at"))[2]
    day = third.starts_at.astimezone(PARIS).date()
    said = {name: value for name, value in typed().items() if name not in ("how", "creation_key")}
    said |= {"scope": "suivantes", "day": f"{day}", "starts": "14:00", "ends": "15:00", "version": "1",
             "kind": "intervention", "title": "Toilette"}  # fmt: skip
    assert reader.post(path(entry, f"{third.pk}/modifier/"), said).status_code == 303
    rows = Appointment.objects.order_by("starts_at")
    assert [one.starts_at.astimezone(PARIS).hour for one in rows] == [10, 10, 14, 14, 14]
    assert [one.title for one in rows] == ["Bilan"] * 2 + ["Toilette"] * 3
    fourth = list(rows)[3]
    said = {"scope": "suivantes", "reason": "personne", "note": "", "version": str(fourth.version)}
    answer = reader.post(path(entry, f"{fourth.pk}/annuler/"), said, follow=True)
    assert "Ce rendez-vous et les suivants sont annulés." in text(answer)
    assert [one.status for one in rows.all()] == [STATUS.BOOKED] * 3 + [STATUS.CANCELLED] * 2


def test_those_that_follow_keep_the_clock_of_their_series(reader, entry):
    reader.post(path(entry, "nouveau/"), typed(kind="intervention", every="1", times="3"))
    first = Appointment.objects.order_by("starts_at").first()
    said = {name: value for name, value in typed().items() if name not in ("how", "creation_key")}
    said |= {"scope": "suivantes", "version": "1", "kind": "intervention", "zone": "Indian/Reunion"}
    answer = reader.post(path(entry, f"{first.pk}/modifier/"), said)
    assert answer.status_code == 422
    assert "Le fuseau horaire d’une série ne change pas" in text(answer)


@pytest.fixture
def repeated(reader, entry):
    """A visit of every week, the reader’s and the person’s; what the form would send of its first time."""
    reader.post(path(entry, "nouveau/"), typed(kind="intervention", every="1", times="3"))
    first = Appointment.objects.order_by("starts_at").first()
    said = {name: value for name, value in typed().items() if name not in ("how", "creation_key")}
    return first, said | {"scope": "suivantes", "version": "1", "kind": "intervention"}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"kind": "rendez_vous"}, "kind"),
        ({"me": None}, "me"),
        ({"person": None}, "person"),
        ({"members": "colleague"}, "members"),
        ({"kind": "absence", "all_day": "on"}, "all_day"),
    ],
)
def test_what_follows_is_never_changed_less_than_was_typed(reader, entry, repeated, other, field):
    first, said = repeated
    colleague = str(factories.member(entry).pk)
    said |= {name: colleague if value == "colleague" else value for name, value in other.items()}
    said = {name: value for name, value in said.items() if value is not None}
    answer = reader.post(path(entry, f"{first.pk}/modifier/"), said)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'id="id_{field}-erreur"' in page
    assert "ne change pas cela : changez cette occurrence seulement." in text(answer)
    assert Series.objects.count() == 1
    # One at a time, it is.
    if field != "all_day":
        assert reader.post(path(entry, f"{first.pk}/modifier/"), said | {"scope": "celle-ci"}).status_code == 303


def test_those_who_follow_may_hold_somebody_who_left(reader, entry):
    colleague = factories.member(entry)
    said = typed(kind="intervention", every="1", times="3", members=[str(colleague.pk)])
    reader.post(path(entry, "nouveau/"), said)
    remove_member(entry, colleague, reason="depart")
    first = Appointment.objects.order_by("starts_at").first()
    said = {name: value for name, value in typed().items() if name not in ("how", "creation_key")}
    said |= {"scope": "suivantes", "version": "1", "kind": "intervention", "title": "Toilette"}
    answer = reader.post(path(entry, f"{first.pk}/modifier/"), said)
    assert answer.status_code == 303, text(answer)
    assert set(Appointment.objects.values_list("title", flat=True)) == {"Toilette"}


def test_an_end_is_proposed_on_a_new_form_only(reader, entry):
    """Never over an end that is there: « Modifier », a draft, a form to correct."""
    assert "data-durations" in reader.get(path(entry, "nouveau/")).content.decode()
    answer = reader.post(path(entry, "nouveau/"), typed(day=""))
    assert answer.status_code == 422 and "data-durations" not in answer.content.decode()
    drafts.save(entry.user, "agenda-nouveau", entry.dossier.pk, "starts=10:00&ends=12:00")
    assert "data-durations" not in reader.get(path(entry, "nouveau/")).content.decode()
    made = factories.appointment(entry, factories.member_of(entry, entry.user), service_type="visite", minutes=120)
    page = reader.get(path(entry, f"{made.pk}/modifier/")).content.decode()
    assert 'value="visite" selected' in page and "data-durations" not in page


def test_an_absence_repeats_and_leaves_out_what_is_hidden(reader, entry):
    """« Accueil de jour », each Tuesday; what was chosen before « Absence » is neither kept nor refused."""
    said = typed(
        kind="absence", title="Accueil de jour", every="1", times="3", all_day="on", starts="", ends="",
        service_type="visite", members=[str(uuid.uuid4())],
    )  # fmt: skip
    answer = reader.post(path(entry, "nouveau/"), said)
    assert answer.status_code == 303, text(answer)
    rows = Appointment.objects.order_by("starts_at")
    assert [one.starts_at for one in rows] == [at(0), at(0, days=14), at(0, days=21)]
    assert {(one.kind, one.all_day, one.service_type) for one in rows} == {("absence", True, "")}
    assert all([who.is_the_person for who in one.participations.all()] == [True] for one in rows)


def test_what_is_wrong_in_what_is_folded_is_in_sight(reader, entry):
    answer = reader.post(path(entry, "nouveau/"), typed(kind="absence", every="1", times="3", until="2099-01-01"))
    assert answer.status_code == 422
    page = answer.content.decode()
    repeat = page[: page.index("<summary>Répéter</summary>")].rsplit("<details", 1)[1]
    assert " open>" in repeat and "not-away" not in repeat


def test_boxes_that_were_unticked_stay_so_in_a_draft(reader, entry):
    ticked = lambda page, name: re.search(rf'name="{name}"[^>]* checked', page) is not None  # noqa: E731
    fresh = reader.get(path(entry, "nouveau/")).content.decode()
    assert ticked(fresh, "me") and ticked(fresh, "person")
    drafts.save(entry.user, "agenda-nouveau", entry.dossier.pk, "title=Presque&on_behalf=on")
    page = reader.get(path(entry, "nouveau/")).content.decode()
    assert not ticked(page, "me") and not ticked(page, "person")
    assert ticked(page, "on_behalf")
    made = factories.appointment(entry, factories.member_of(entry, entry.user), with_person=True)
    drafts.save(entry.user, "agenda-modifier", made.pk, "title=Presque&person=on")
    page = reader.get(path(entry, f"{made.pk}/modifier/")).content.decode()
    assert ticked(page, "person") and not ticked(page, "me")


def test_cancelling_asks_why(reader, entry):
    made = factories.appointment(entry)
    answer = reader.post(path(entry, f"{made.pk}/annuler/"), {"reason": "", "version": "1"})
    assert answer.status_code == 422
    assert "Indiquez pourquoi ce rendez-vous est annulé." in text(answer)
    assert reader.post(path(entry, f"{made.pk}/annuler/"), {"reason": "autre", "version": "1"}).status_code == 303
    assert reader.get(path(entry, f"{made.pk}/annuler/")).status_code == 409
    page = text(reader.get(path(entry)))
    assert "Annulé" in page


@pytest.mark.req("AGD-11", "AGD-12")
def test_her_consent_is_noted_and_withdrawn_on_its_page(reader, entry, nurse):
    factories.appointment(nurse, title="Pansement")
    today = f"{timezone.localdate():%d/%m/%Y}"
    assert reader.post(path(entry, "accord/"), {"on": today}).status_code == 303
    assert "Pansement" in text(reader.get(path(entry)))
    assert f"Avec l’accord de la personne, noté le {today}" in text(reader.get(path(entry)))
    given = AgendaConsent.objects.get()
    assert reader.post(path(entry, "accord/"), {"on": today, "seen": str(given.pk)}).status_code == 303
    assert "Pansement" not in text(reader.get(path(entry)))
    assert f"Accord donné le {today}, retiré le {today}" in text(reader.get(path(entry, "accord/")))


def test_doubles_are_proposed_joined_or_told_apart(reader, entry, nurse):
    consents.record_consent(entry, on=timezone.localdate())
    kept = factories.appointment(nurse, place="Cabinet", title="Kiné")
    other = factories.appointment(entry, starts=at(10, 5), place="cabinet", title="Kinésithérapie")
    page = text(reader.get(path(entry)))
    assert "Est-ce le même rendez-vous ?" in page
    apart = reader.post(path(entry, f"{kept.pk}/distincts/"), {"other": str(other.pk)}, follow=True)
    assert "Est-ce le même rendez-vous ?" not in text(apart)
    KeptApart.objects.all().delete()
    joined = reader.post(path(entry, f"{kept.pk}/reunir/"), {"other": str(other.pk)}, follow=True)
    assert "Les deux rendez-vous n’en font plus qu’un." in text(joined)
    assert "Kinésithérapie" not in text(reader.get(path(entry)))
    wrong = reader.post(path(entry, f"{kept.pk}/reunir/"), {"other": "x"}, follow=True)
    assert "rien n’a été réuni" in text(wrong)


# ---- home of the dossier -------------------------------------------------------------------------


def test_the_home_page_tells_what_comes_next_and_what_others_changed(reader, entry, nurse):
    consents.record_consent(entry, on=timezone.localdate())
    reader.get(f"/dossiers/{entry.dossier.pk}/")
    reader.force_login(nurse.user)
    assert reader.post(path(entry, "nouveau/"), typed(title="Pansement")).status_code == 303
    reader.force_login(entry.user)
    page = text(reader.get(f"/dossiers/{entry.dossier.pk}/"))
    assert "Prochain rendez-vous" in page
    assert "Pansement" in page
    assert f"{nurse.user.get_full_name()} a noté le rendez-vous du" in page


@pytest.mark.req("AGD-12")
def test_the_home_page_tells_nothing_of_what_is_hidden(reader, entry, nurse):
    reader.get(f"/dossiers/{entry.dossier.pk}/")
    reader.force_login(nurse.user)
    reader.post(path(entry, "nouveau/"), typed(title="Pansement"))
    reader.force_login(entry.user)
    page = text(reader.get(f"/dossiers/{entry.dossier.pk}/"))
    assert "Pansement" not in page
    assert "a noté le rendez-vous" not in page


# ---- Patients ------------------------------------------------------------------------------------


def soon(starts):
    return f"{near_date(starts.date())} à {starts:%H:%M}".replace("\xa0", " ")


def test_patients_says_when_the_reader_is_next_asked_to_be_there(reader, entry, nurse):
    """His, and the next of his: not that of somebody else, nor the title that somebody typed."""
    me, other = factories.member_of(entry, entry.user), factories.member_of(entry, nurse.user)
    factories.appointment(entry, me, starts=at(9, days=9))
    factories.appointment(entry, me, starts=at(14, days=3), kind=Appointment.Kind.MEETING, title="Chimiothérapie")
    factories.appointment(entry, other, starts=at(8, days=1))
    page = text(reader.get("/dossiers/"))
    assert f"Votre prochain rendez-vous : {soon(at(14, days=3))}, réunion de coordination" in page
    assert soon(at(8, days=1)) not in page and soon(at(9, days=9)) not in page and "Chimiothérapie" not in page
    reader.force_login(nurse.user)
    assert f"Votre prochain rendez-vous : {soon(at(8, days=1))}, rendez-vous" in text(reader.get("/dossiers/"))


def test_patients_says_today_and_not_what_is_over_called_off_or_declined(reader, entry):
    me = factories.member_of(entry, entry.user)
    factories.appointment(entry, me, starts=at(10, days=-1))
    factories.appointment(entry, me, status=STATUS.CANCELLED, cancel_reason="autre")
    declined = factories.appointment(entry, me, starts=at(16))
    Participation.objects.filter(appointment=declined).update(status=Participation.Status.DECLINED)
    assert "Votre prochain rendez-vous :" not in text(reader.get("/dossiers/"))
    factories.appointment(entry, me, starts=at(0, days=0), minutes=24 * 60, all_day=True)
    assert "Votre prochain rendez-vous : aujourd’hui, rendez-vous" in text(reader.get("/dossiers/"))
