"""« Journal des accès » of one dossier: who reads it, what it says, what it costs, and that it says itself."""

import datetime as dt
import io
import re
import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from coordination.dossiers.journal import reading, wording
from coordination.dossiers.journal.folding import folded
from coordination.dossiers.journal.haste import dossiers_lately
from habilitations import traces, verification
from habilitations.access import Access, Hat
from habilitations.actions import publish_matrix
from habilitations.matrix import Matrix
from habilitations.models import Habilitation, StateChange, Trace
from habilitations.rubriques import Action, Niveau, Rubrique
from habilitations.unusual import Limits
from tests.dossiers.factories import (
    DOCTOR,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    professional,
)

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-11")]
COORDINATOR = "330"


def plain(response):
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    text = " ".join(text.replace("\xa0", " ").replace("&#39;", "'").replace("&#x27;", "'").split())
    return re.sub(r" (?=[.,])", "", text)


@pytest.fixture
def coordinator(db):
    return professional("60", COORDINATOR, family_name="EXEMPLE-LARRIEU", given_name="Maëlle")


@pytest.fixture
def followed(coordinator):
    made = DossierFactory()
    habilitate(coordinator, made)
    return made


@pytest.fixture
def as_coordinator(client, coordinator):
    client.force_login(coordinator)
    return client


def path(dossier, more=""):
    return f"/dossiers/{dossier.pk}/journal/{more}"


def leave(dossier, user, *, action="lecture", rubrique="medical", at=None, hat=None, row=None, outcome="ok"):
    """Write one line of the journal at a time of one's own."""
    hat = hat or Hat("10", "", "899700012345", None, "Cabinet du Viaur")
    access = Access("medecin", Matrix(1), hat, row.pk if row else None)
    if at is None:
        return traces.record(
            user=user, dossier_id=dossier.pk, access=access, action=action, rubrique=rubrique, outcome=outcome
        )
    return Trace.objects.bulk_create([
        Trace(at=at, dossier_id=dossier.pk, actor_id=user.pk, actor_name=user.get_full_name(),
              profession=hat.profession, fonction=hat.fonction, structure_name=hat.structure_name, action=action,
              rubrique=rubrique, outcome=outcome, habilitation_id=row.pk if row else None)
    ])  # fmt: skip


def noon(days_ago):
    day = timezone.localdate() - dt.timedelta(days=days_ago)
    return timezone.make_aware(dt.datetime.combine(day, dt.time(12)))


# ---- who -------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
def test_the_journal_is_for_who_holds_the_rubric_and_the_right(client, followed, coordinator):
    doctor = professional(DOCTOR)
    habilitate(doctor, followed)
    for user, status in ((coordinator, 200), (doctor, 403), (UserFactory(), 404), (professional(DOCTOR), 404)):
        client.force_login(user)
        assert client.get(path(followed)).status_code == status
        for more in ("imprimer/", "journal.xlsx"):
            assert client.post(path(followed, more)).status_code == status


def test_who_may_not_see_discreet_members_does_not_read_the_journal(as_coordinator, followed):
    """The journal names whoever came: a matrix that opens it without the medical rubric opens nothing."""
    row = {rubrique: Niveau.LECTURE for rubrique in Rubrique} | {Rubrique.MEDICAL: Niveau.AUCUN}
    publish_matrix(
        {"coordinateur_sante": row}, {"coordinateur_sante": {Action.READ_JOURNAL: "tous", Action.PRINT: "tous"}},
        {("60", COORDINATOR): "coordinateur_sante"}, by=None, reason="Essai",
    )  # fmt: skip
    assert as_coordinator.get(path(followed)).status_code == 403


def test_printing_and_exporting_need_the_right_to_print(as_coordinator, followed):
    row = dict.fromkeys(Rubrique, Niveau.LECTURE)
    publish_matrix(
        {"coordinateur_sante": row}, {"coordinateur_sante": {Action.READ_JOURNAL: "tous"}},
        {("60", COORDINATOR): "coordinateur_sante"}, by=None, reason="Essai",
    )  # fmt: skip
    assert as_coordinator.get(path(followed)).status_code == 200
    for more in ("imprimer/", "journal.xlsx"):
        assert as_coordinator.post(path(followed, more)).status_code == 403
        assert Trace.objects.of_dossier(followed.pk).last().outcome == "refus"


@pytest.mark.req("SEC-9")
def test_reading_the_journal_is_in_the_journal(as_coordinator, followed, coordinator):
    as_coordinator.get(path(followed))
    as_coordinator.post(path(followed), {"qui": "testard"})
    as_coordinator.post(path(followed, "imprimer/"))
    as_coordinator.post(path(followed, "journal.xlsx"))
    said = Trace.objects.of_dossier(followed.pk).values_list("action", "rubrique", "outcome", "actor_id")
    acts = ["lecture", "lecture", "impression", "export"]
    assert list(said) == [(act, "journal", "ok", coordinator.pk) for act in acts]


@pytest.mark.req("SEC-18")
@pytest.mark.parametrize("more", ["imprimer/", "journal.xlsx"])
def test_what_leaves_asks_again_who_is_there(as_coordinator, followed, more):
    session = as_coordinator.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1}]
    session.save()
    answer = as_coordinator.post(path(followed, more))
    assert answer.status_code == 302
    assert "/compte/" in answer["Location"]


# ---- what it says ----------------------------------------------------------------------------------


def test_who_profession_structure_rubric_and_why(as_coordinator, followed):
    doctor = professional(DOCTOR, family_name="TESTARD", given_name="Paul")
    row = habilitate(doctor, followed)
    StateChange.objects.filter(habilitation=row).update(at=noon(200))
    leave(followed, doctor, row=row, at=noon(1))
    said = plain(as_coordinator.get(path(followed)))
    opened = timezone.localtime(noon(200))
    assert "12:00 TESTARD Paul, médecin, Cabinet du Viaur, a lu Volet médical." in said
    assert f"Accès ouvert comme médecin depuis le {opened:%d/%m/%Y}" in said


def test_a_delegate_is_said_to_be_one(as_coordinator, followed):
    nora, house = professional(family_name="GABARIT", given_name="Nora"), StructureFactory(name="SSIAD Exemple")
    delegate(nora, house, followed)
    row = Habilitation.objects.get(structure=house)
    StateChange.objects.create(dossier=followed, habilitation=row, by=nora, before="non", after="oui")
    leave(followed, nora, row=row)
    said = plain(as_coordinator.get(path(followed)))
    assert "Par délégation de SSIAD Exemple, structure habilitée depuis le" in said


@pytest.mark.parametrize(
    ("action", "rubrique", "outcome", "sentence"),
    [
        ("lecture", "", "ok", "a ouvert le dossier."),
        ("écriture", "", "ok", "a modifié le dossier."),
        ("écriture", "cercle", "ok", "a écrit dans Cercle de soins."),
        ("lecture", "medical", "refus", "n’a pas pu lire Volet médical."),
        ("écriture", "cercle", "echec", "a voulu écrire dans Cercle de soins."),
        ("impression", "cercle", "ok", "a imprimé Cercle de soins."),
        ("export", "cercle", "ok", "a exporté Cercle de soins."),
        ("création", "", "ok", "a créé le dossier."),
        ("habilitation", "cercle", "ok", "a changé l’accès d’un membre dans Cercle de soins."),
        ("recherche", "cercle", "ok", "a cherché qui ajouter dans Cercle de soins."),
    ],
)
def test_each_act_is_a_sentence(as_coordinator, followed, action, rubrique, outcome, sentence):
    leave(followed, UserFactory(family_name="FACTICE", given_name="Sonia"), action=action, rubrique=rubrique,
          outcome=outcome)  # fmt: skip
    assert f"FACTICE Sonia, médecin, Cabinet du Viaur, {sentence}" in plain(as_coordinator.get(path(followed)))


@pytest.mark.parametrize("action", sorted(traces.ACTIONS))
def test_every_action_of_a_trace_has_its_sentence_its_tag_and_its_filter(followed, action):
    leave(followed, UserFactory(), action=action, rubrique="")
    (line,) = reading.find_page(followed.pk, reading.Filters()).lines
    said = wording.sentence(line, UserFactory())
    assert not said.did.startswith("a fait") and said.tag != "Autre"
    (word,) = [one for one in reading.ACTIONS if one != reading.BLOCKED and action in reading.written(one)]
    assert reading.ACTIONS[word] == said.tag
    assert found(action=word)(followed) == [1]


@pytest.mark.parametrize("dossier_id", [uuid.uuid4()])
def test_an_action_without_a_sentence_is_not_traced(followed, coordinator, dossier_id):
    with pytest.raises(ValueError, match="No sentence"):
        leave(followed, coordinator, action="invention")
    with pytest.raises(ValueError, match="No sentence"):
        traces.record_link(
            user=None, dossier_id=dossier_id, habilitation_id=None, action="invention", object_kind="x",
            object_id=dossier_id,
        )  # fmt: skip


def test_whoever_answers_by_his_link_is_the_person_invited(as_coordinator, followed):
    traces.record_link(
        user=None, dossier_id=followed.pk, habilitation_id=None, action="acceptation", object_kind="invitation",
        object_id=uuid.uuid4(),
    )  # fmt: skip
    said = plain(as_coordinator.get(path(followed)))
    assert "La personne invitée a accepté une invitation dans le dossier." in said
    assert "Par le lien personnel de l’invitation" in said


def test_nothing_is_pointed_out_to_who_did_it(followed, coordinator):
    leave(followed, coordinator, at=noon(1).replace(hour=3))
    (line,) = reading.find_page(followed.pk, reading.Filters(), reader_id=coordinator.pk).lines
    assert line.unusual == ()
    (line,) = reading.find_page(followed.pk, reading.Filters(), reader_id=uuid.uuid4()).lines
    assert "hours" in line.unusual


def test_the_reader_is_you(as_coordinator, followed):
    as_coordinator.get(path(followed))
    assert "Vous avez lu Journal des accès." in plain(as_coordinator.get(path(followed)))


def test_the_same_page_read_again_is_told_once_and_counted(as_coordinator, followed):
    doctor, nurse = UserFactory(family_name="TESTARD", given_name="Paul"), UserFactory(family_name="SPÉCIMEN")
    for user in (doctor, nurse):
        leave(followed, user, at=noon(20))
    first = noon(1)
    for minutes, user, rubrique in ((0, doctor, "medical"), (1, doctor, "medical"), (2, doctor, "medical"),
                                    (3, doctor, "cercle"), (4, nurse, "cercle"), (5, doctor, "medical")):  # fmt: skip
        leave(followed, user, rubrique=rubrique, at=first + dt.timedelta(minutes=minutes))
    leave(followed, doctor, at=noon(2))
    leave(followed, doctor, outcome="refus", at=noon(3))
    leave(followed, doctor, outcome="refus", at=noon(3) + dt.timedelta(minutes=1))
    said = plain(as_coordinator.get(path(followed)))
    assert said.count("TESTARD Paul, médecin, Cabinet du Viaur, a lu Volet médical.") == 4
    assert said.count("3 fois depuis 12:00") == said.count(" fois depuis ") == 1
    assert said.count("n’a pas pu lire Volet médical.") == 2, "what was refused stands by itself"
    rows = load_workbook(io.BytesIO(as_coordinator.post(path(followed, "journal.xlsx")).content)).active
    assert [row[7].value for row in rows.iter_rows(min_row=3)].count("Volet médical") == 9, "the file has each line"


def test_an_identifier_sent_again_hides_no_writing(followed, coordinator):
    """The identifier of a request may be sent by whoever writes: one line of the door is folded, his own."""
    about = uuid.uuid4()

    def line(minutes, action, rubrique, object_id=None):
        return reading.Line(Trace(
            at=noon(1) + dt.timedelta(minutes=minutes), dossier_id=followed.pk, actor_id=coordinator.pk,
            actor_name="TESTARD Paul", action=action, rubrique=rubrique, outcome="ok", object_id=object_id,
            request_id="same", reason="Habilité → Non habilité" if action == "habilitation" else "",
        ))  # fmt: skip

    written = [
        line(0, "écriture", "medical"), line(1, "écriture", "cercle"), line(2, "habilitation", "cercle", about),
        line(3, "écriture", "identite"), line(4, "écriture", "cercle"), line(5, "habilitation", "cercle", about),
    ]  # fmt: skip
    told = folded(reversed(written))
    assert [(one.trace.action, one.trace.rubrique) for one in told] == [
        ("habilitation", "cercle"), ("écriture", "identite"), ("habilitation", "cercle"), ("écriture", "medical"),
    ]  # fmt: skip


def test_what_is_to_check_is_not_put_with_the_rest(as_coordinator, followed):
    someone = UserFactory(family_name="TESTARD", given_name="Paul")
    night = noon(1).replace(hour=3)
    for minutes in (0, 1):
        leave(followed, someone, at=night + dt.timedelta(minutes=minutes))
    said = plain(as_coordinator.get(path(followed)))
    assert said.count("a lu Volet médical.") == 2 and said.count("Demander pourquoi") == 2


def test_days_are_headings_newest_first(as_coordinator, followed):
    someone = UserFactory()
    for days in (30, 2):
        leave(followed, someone, at=noon(days))
    page = as_coordinator.get(path(followed)).content.decode()
    heads = re.findall(r'class="panel-title">([^<]+)<', page)
    assert heads[0].startswith("Aujourd’hui, ")
    assert len(heads) == 3
    assert heads[1][0].isupper()


@pytest.mark.parametrize("faults", [0, 2])
def test_the_state_of_the_journal_is_the_one_of_the_last_verification(as_coordinator, followed, faults, monkeypatch):
    verification.JournalCheck.objects.all()
    monkeypatch.setattr(reading.JournalCheck.objects, "order_by", lambda *_: Nothing())
    assert "Journal pas encore vérifié" in plain(as_coordinator.get(path(followed)))
    monkeypatch.undo()
    at = timezone.localtime()
    reading.JournalCheck.objects.create(at=at, lines=1, dossiers=1, faults=faults, root=1)
    said = plain(as_coordinator.get(path(followed)))
    words = "Défaut trouvé à la vérification" if faults else "Journal intègre, vérifié"
    assert f"{words} à {at:%H:%M}" in said
    today = timezone.localdate() + dt.timedelta(days=1)
    check = reading.JournalCheck(at=at, faults=faults)
    assert f"le {at:%d/%m/%Y}" in wording.said_of_check(check, today=today)["label"]


class Nothing:
    def first(self):
        return None


# ---- filters and pages -----------------------------------------------------------------------------


@pytest.fixture
def crowd(followed):
    doctor = UserFactory(family_name="TESTARD", given_name="Paul")
    nurse = UserFactory(family_name="SPÉCIMEN", given_name="Inès")
    leave(followed, doctor, at=noon(10))
    team = Hat("60", structure_name="Équipe du Midi")
    leave(followed, nurse, at=noon(5), rubrique="liaison", action="écriture", hat=team)
    leave(followed, nurse, at=noon(2), rubrique="cercle", outcome="refus", hat=team)
    return followed


def found(**said):
    return lambda dossier: [line.trace.seq for line in reading.find_page(dossier.pk, reading.read_filters(said)).lines]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, [3, 2, 1]),
        ({"qui": "testard"}, [1]),
        ({"qui": "specimen ines"}, [3, 2]),
        ({"qui": "ÉQUIPE"}, [3, 2]),
        ({"qui": "testard viaur"}, [1]),
        ({"qui": "personne"}, []),
        ({"qui": "100%"}, []),
        ({"rubrique": "liaison"}, [2]),
        ({"rubrique": "inventee"}, [3, 2, 1]),
        ({"action": "ecriture"}, [2]),
        ({"action": "refus"}, [3]),
        ({"action": "lecture"}, [1]),
        ({"avant": "3"}, [2, 1]),
        ({"avant": "x"}, [3, 2, 1]),
    ],
)
def test_filters(crowd, said, kept):
    assert found(**said)(crowd) == kept


def test_a_name_with_a_letter_that_opens_into_two_is_found(followed):
    leave(followed, professional(family_name="LECŒUR", given_name="Lætitia"))
    for typed in ("lecoeur", "Lecœur", "laetitia lecoeur"):
        kept = reading.find_page(followed.pk, reading.read_filters({"qui": typed})).lines
        assert [line.trace.actor_name for line in kept] == ["LECŒUR Lætitia"], typed


@pytest.mark.parametrize("typed", ["legoff", "LE GOFF", "le-goff anne marie", "annemarie", "dherve", "D’Hervé"])
def test_the_blanks_of_a_name_do_not_matter(followed, typed):
    leave(followed, professional(family_name="LE GOFF-D'HERVÉ", given_name="Anne-Marie"))
    assert len(reading.find_page(followed.pk, reading.read_filters({"qui": typed})).lines) == 1


def test_days_of_the_filter_are_both_included_and_local(crowd):
    day = f"{noon(5):%d/%m/%Y}"
    assert found(du=day, au=day)(crowd) == [2]
    assert found(du=day)(crowd) == [3, 2]
    assert found(au=day)(crowd) == [2, 1]


@pytest.mark.parametrize(
    ("du", "au", "said"),
    [
        ("31/02/2026", "", "n’existe pas"),
        ("", "31/12/9999", "n’est pas valide"),
        ("05/05/2026", "04/05/2026", "avant le début"),
    ],
)
def test_a_date_that_cannot_be_read_is_said_beside_its_field(as_coordinator, followed, du, au, said):
    answer = as_coordinator.post(path(followed), {"du": du, "au": au})
    assert answer.status_code == 200
    assert said in plain(answer)
    assert 'aria-invalid="true"' in answer.content.decode()


@pytest.mark.asvs("v5.0.0-14.2.1")
def test_nothing_typed_stands_in_an_address(as_coordinator, crowd):
    page = as_coordinator.post(path(crowd), {"qui": "testard"}).content.decode()
    # What leaves is what is shown.
    assert '<input type="hidden" name="qui" value="testard">' in page
    assert "TESTARD" in page
    assert not re.search(r'(?:href|action)="[^"]*testard', page)


def test_pages_go_back_without_missing_or_repeating_a_line(as_coordinator, followed):
    someone = UserFactory()
    for _ in range(120):
        leave(followed, someone)
    seen, before = [], {}
    while True:
        page = reading.find_page(followed.pk, reading.read_filters(before))
        seen += [line.trace.seq for line in page.lines]
        if page.next_before is None:
            break
        before = {"avant": str(page.next_before)}
    assert seen == list(range(120, 0, -1))
    first = as_coordinator.get(path(followed)).content.decode()
    assert 'name="avant"' in first
    assert "Revenir aux plus récentes" in as_coordinator.post(path(followed), {"avant": "40"}).content.decode()


# ---- à vérifier ------------------------------------------------------------------------------------


def test_unusual_accesses_are_pointed_out_and_can_be_alone(as_coordinator, followed):
    usual, late = UserFactory(family_name="HABITUEL"), UserFactory(family_name="TARDIF")
    for user in (usual, late):
        row = habilitate(user, followed)
        StateChange.objects.filter(habilitation=row).update(at=noon(300), by=None)
        leave(followed, user, row=row, at=noon(90))
    night = noon(1).replace(hour=23)
    leave(followed, usual, row=Habilitation.objects.get(user=usual), at=noon(1))
    leave(followed, late, row=Habilitation.objects.get(user=late), at=night)
    said = plain(as_coordinator.post(path(followed), {"verifier": "1"}))
    assert "TARDIF" in said
    assert "HABITUEL" not in said
    assert "À vérifier : avant 7 h ou après 21 h" in said
    assert "HABITUEL" in plain(as_coordinator.get(path(followed)))


def test_first_access_of_a_new_member_or_of_a_delegate_but_not_of_who_made_the_dossier(followed, coordinator):
    newcomer = professional()
    habilitate(newcomer, followed)
    row = Habilitation.objects.get(user=newcomer)
    StateChange.objects.filter(habilitation=row).update(by=coordinator)
    for user in (newcomer, newcomer, coordinator):
        leave(followed, user, row=Habilitation.objects.get(user=user, dossier=followed), at=noon(0))
    lines = reading.find_page(followed.pk, reading.Filters()).lines
    assert [line.unusual for line in reversed(lines)] == [("first",), (), ()]


def test_many_dossiers_in_little_time(followed, settings):
    settings.JOURNAL_UNUSUAL = settings.JOURNAL_UNUSUAL | {"many": 4, "new_days": 0}
    hurried = UserFactory()
    for n in range(4):
        leave(DossierFactory() if n < 3 else followed, hurried, at=noon(1) + dt.timedelta(minutes=n))
    leave(followed, hurried, at=noon(1) + dt.timedelta(minutes=90))
    lines = reading.find_page(followed.pk, reading.Filters()).lines
    assert [line.unusual for line in reversed(lines)] == [("many",), ()]


def lately(actor_id, at, minutes):
    """The rule as it is said: the dossiers of the lines of this person from the minutes before to this moment."""
    lines = Trace.objects.filter(actor_id=actor_id, at__lte=at, at__gt=at - dt.timedelta(minutes=minutes))
    return lines.values("dossier_id").distinct().count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 3), st.sampled_from([0, 1, 2, 3, 5, 10, 11, 300, 301, 310])),
        min_size=1,
        max_size=14,
    ),
    st.integers(1, 10),
)
def test_one_pass_counts_dossiers_as_the_rule_says(db, opened, minutes):
    """Same moment twice, same dossier again, exactly the minutes apart, spans that meet or do not."""
    start = noon(1)
    with transaction.atomic():
        dossiers, users = [uuid.uuid4() for _ in range(4)], [uuid.uuid4(), uuid.uuid4()]
        Trace.objects.bulk_create([
            Trace(at=start + dt.timedelta(minutes=after), dossier_id=dossiers[n], actor_id=users[who], actor_name="x",
                  action="lecture", outcome="ok")
            for who, n, after in opened
        ])  # fmt: skip
        asked = {(users[who], start + dt.timedelta(minutes=after)) for who, n, after in opened if n != 3}
        found = dossiers_lately(asked | {(None, start)}, Limits(many=1, many_minutes=minutes))
        assert found == {one: lately(*one, minutes) for one in asked}
        assert dossiers_lately(asked, Limits(many=0)) == {}
        transaction.set_rollback(True)


def test_somebody_in_a_hurry_costs_one_statement(followed, django_assert_num_queries):
    hurried, start = UserFactory(), noon(1)
    for n in range(60):
        leave(followed, hurried, at=start + dt.timedelta(seconds=n))
    with django_assert_num_queries(3):
        assert len(reading.find_page(followed.pk, reading.Filters()).lines) == 50


def test_to_check_looks_at_so_many_lines_and_goes_on(followed, monkeypatch):
    monkeypatch.setattr(reading, "JUDGED", 10)
    someone = UserFactory()
    for _ in range(25):
        leave(followed, someone, at=noon(1))
    page = reading.find_page(followed.pk, reading.Filters(to_check=True))
    assert (page.lines, page.next_before, page.judged) == ([], 16, 10)
    last = reading.find_page(followed.pk, reading.Filters(to_check=True, before=6))
    assert ([line.trace.seq for line in last.lines], last.next_before) == ([1], None)


# ---- paper and file --------------------------------------------------------------------------------


def test_the_file_has_the_lines_of_the_filters_and_no_formula(as_coordinator, crowd):
    bad = UserFactory(family_name="=1+1", given_name="")
    leave(crowd, bad)
    answer = as_coordinator.post(path(crowd, "journal.xlsx"), {"avant": "2"})
    sheet = load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0].startswith("Toutes les lignes. Journal lu le ")
    assert len(rows) == 2 + 5  # the export is a line of the journal too, and the page asked is not a filter
    assert sheet["C4"].value == "=1+1"
    assert sheet["C4"].data_type == "s"
    answer = as_coordinator.post(path(crowd, "journal.xlsx"), {"qui": "testard"})
    rows = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert [row[2] for row in rows[2:]] == ["TESTARD Paul"]
    assert answer["Cache-Control"] == "no-store"


def test_the_page_to_print(as_coordinator, crowd):
    said = plain(as_coordinator.post(path(crowd, "imprimer/"), {"qui": "testard"}))
    assert "Lignes choisies par des filtres. Journal lu le" in said
    assert "TESTARD Paul" in said
    assert "SPÉCIMEN" not in said


# ---- cost ------------------------------------------------------------------------------------------


@pytest.mark.req("PERF-3")
def test_as_many_statements_for_thirty_lines_as_for_three(as_coordinator, followed):
    counted = []
    for lines in (3, 30, 300):
        for _ in range(lines):
            leave(followed, professional(), row=Habilitation.objects.first())
        as_coordinator.get(path(followed))
        with CaptureQueriesContext(connection) as captured:
            as_coordinator.get(path(followed))
        counted.append(len(captured))
    # One more where a page of lately is not full: older months are looked for too.
    assert counted == sorted(counted, reverse=True) and counted[0] - counted[-1] <= 1
    assert counted[0] <= 12


@pytest.mark.req("PERF-4")
@pytest.mark.parametrize("between", [3, 200])
def test_who_had_come_is_known_among_few_lines_and_among_many(followed, between):
    """Near, among the last lines of the dossier; far, along what the person did."""
    someone, another, start = UserFactory(), UserFactory(), timezone.now() - dt.timedelta(days=5)
    leave(followed, someone, at=start)
    for n in range(between):
        leave(followed, UserFactory.build(pk=uuid.uuid4()), at=start + dt.timedelta(minutes=n + 1))
    for user in (someone, another):
        leave(followed, user, at=start + dt.timedelta(days=1))
    leave(followed, someone, at=start + dt.timedelta(days=4))
    last = Trace.objects.of_dossier(followed.pk).order_by("-seq")[:3]
    asked = {line.seq: line.actor_id for line in last}
    # Each alone: what a page shows of the others is not asked.
    limits = Limits(new_days=30)
    first = {seq for line in last for seq in reading._first_ones(followed.pk, [line], {line.seq}, limits)}
    assert {asked[seq] for seq in first} == {another.pk}


@pytest.mark.req("SCALE-7")
def test_the_newest_lines_are_looked_for_in_a_few_months(followed):
    someone, today = UserFactory(), timezone.now()
    for days in (400, 200, 100):
        leave(followed, someone, at=today - dt.timedelta(days=days))
    ranks = [line.trace.seq for line in reading.find_page(followed.pk, reading.Filters()).lines]
    assert ranks == [3, 2, 1]
    for _ in range(reading.PER_PAGE + 1):
        leave(followed, someone, at=today)
    with CaptureQueriesContext(connection) as captured:
        page = reading.find_page(followed.pk, reading.Filters())
    assert [line.trace.seq for line in page.lines] == list(range(54, 4, -1))
    assert len([one for one in captured if "habilitations_trace" in one["sql"] and "LIMIT 51" in one["sql"]]) == 1
    older = reading.find_page(followed.pk, reading.Filters(before=page.next_before))
    assert [line.trace.seq for line in older.lines] == [4, 3, 2, 1]


@pytest.mark.req("SCALE-7", "REL-19")
def test_a_clock_that_was_put_back_hides_no_line(followed):
    someone, edge = UserFactory(), timezone.now() - reading.LATELY
    for _ in range(reading.PER_PAGE + 5):
        leave(followed, someone, at=edge + dt.timedelta(hours=3))
    leave(followed, someone, at=edge - dt.timedelta(hours=2))
    page = reading.find_page(followed.pk, reading.Filters())
    assert [line.trace.seq for line in page.lines][:2] == [reading.PER_PAGE + 6, reading.PER_PAGE + 5]


@pytest.mark.req("PERF-3")
@pytest.mark.slow
def test_a_page_reads_its_own_lines_among_many(followed):
    """Whatever the number of lines: fifty and one are read, from the index of the dossier."""
    someone = uuid.uuid4()
    Trace.objects.bulk_create(
        [
            Trace(at=timezone.now(), dossier_id=followed.pk, actor_id=someone, actor_name="x", action="lecture",
                  outcome="ok")
            for _ in range(3_000)
        ]
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE habilitations_trace")
    lines = reading._matching(followed.pk, reading.Filters(before=2_000))[: reading.PER_PAGE + 1]
    plan = lines.explain(analyze=True)
    assert "Seq Scan" not in plan
    reads = [int(n) for n in re.findall(r"actual time=\S+ rows=(\d+)", plan)]
    assert max(reads) <= reading.PER_PAGE + 1
