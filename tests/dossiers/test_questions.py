"""« Demander pourquoi »: a line of the journal that is worth a question, the mail, the answer, and who sees what."""

import io

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from coordination.accounts.actions import suspend_account
from coordination.outbox.models import Message
from habilitations.access import to_dossier
from habilitations.actions import answer_why, ask_why, publish_matrix, set_limits
from habilitations.errors import AlreadyAnswered, AlreadyQuestioned, AnswerMissing, NotAllowed, NothingToExplain
from habilitations.models import AccessQuestion, AccountTrace, Habilitation, Trace
from habilitations.rubriques import Niveau, Rubrique
from tests.dossiers.factories import DOCTOR, DossierFactory, UserFactory, habilitate, professional
from tests.dossiers.test_journal import COORDINATOR, leave, noon, plain

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-11")]


@pytest.fixture
def coordinator():
    return professional("60", COORDINATOR, family_name="EXEMPLE-LARRIEU", given_name="Maëlle")


@pytest.fixture
def doctor():
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def followed(coordinator, doctor):
    made = DossierFactory()
    habilitate(coordinator, made)
    habilitate(doctor, made)
    return made


@pytest.fixture
def line(followed, doctor):
    """A line of the doctor, at night: worth a question."""
    (made,) = leave(followed, doctor, at=noon(1).replace(hour=23))
    return made


def asked_by(coordinator, followed, line):
    return ask_why(followed.pk, line.pk, by=coordinator, access=to_dossier(coordinator, followed.pk))


def test_whose_account_is_closed_is_not_asked(client, coordinator, doctor, followed, line):
    """No mail leaves to an address he may have left, and nobody waits for an answer that cannot come."""
    suspend_account(doctor, by=UserFactory(administrator=True))
    client.force_login(coordinator)
    said = client.post(f"/dossiers/{followed.pk}/journal/{line.pk}/pourquoi/")
    assert said.status_code == 409 and "n’a plus de compte ouvert" in plain(said)
    assert not AccessQuestion.objects.exists() and not Message.objects.exists()


def test_one_click_asks_and_the_answer_stands_under_the_line(client, coordinator, doctor, followed, line):
    client.force_login(coordinator)
    journal = f"/dossiers/{followed.pk}/journal/"
    assert "Demander pourquoi" in plain(client.get(journal))
    assert client.post(f"{journal}{line.pk}/pourquoi/").status_code in (302, 303)
    shown = plain(client.get(journal))
    assert "Raison demandée le" in shown and "sans réponse" in shown and "a demandé" not in shown
    assert "Vous avez demandé la raison d’un accès dans Journal des accès" in shown
    client.force_login(doctor)
    question = AccessQuestion.objects.get()
    todo = plain(client.get("/a-faire/"))
    assert "EXEMPLE-LARRIEU Maëlle demande pourquoi vous avez ouvert « Volet médical »" in todo
    assert followed.full_name in todo
    page = f"/a-faire/pourquoi/{question.pk}/"
    assert followed.full_name in plain(client.get(page))
    assert client.post(page, {"answer": "  "}).status_code == 422
    assert client.post(page, {"answer": "Appel de la garde."}).status_code in (302, 303)
    assert "Rien n’attend de réponse" in plain(client.get("/a-faire/"))
    assert client.get(page).status_code in (302, 303)
    client.force_login(coordinator)
    assert "« Appel de la garde. »" in plain(client.get(journal))


def test_the_answer_is_in_the_file(client, coordinator, doctor, followed, line):
    answer_why(asked_by(coordinator, followed, line), answer="Appel de la garde.", by=doctor)
    client.force_login(coordinator)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 9_999_999_999}]
    session.save()
    response = client.post(f"/dossiers/{followed.pk}/journal/journal.xlsx")
    cells = [cell for row in load_workbook(io.BytesIO(response.content)).active.values for cell in row if cell]
    assert any("« Appel de la garde. »" in str(cell) for cell in cells)


@pytest.mark.req("SEC-22")
def test_the_mail_names_nobody(coordinator, doctor, followed, line):
    asked_by(coordinator, followed, line)
    mail = Message.objects.get()
    assert mail.to == doctor.email
    said = mail.subject + mail.text + mail.html
    for word in (followed.family_name, followed.given_name, "EXEMPLE-LARRIEU", "Volet", str(followed.pk)):
        assert word not in said


@pytest.mark.req("SEC-7")
def test_who_is_outside_answers_without_being_told_whose_dossier_it_is(client, coordinator, doctor, followed, line):
    question = asked_by(coordinator, followed, line)
    Habilitation.objects.filter(user=doctor).update(state="non")
    client.force_login(doctor)
    for page in ("/a-faire/", f"/a-faire/pourquoi/{question.pk}/"):
        shown = client.get(page).content.decode()
        assert followed.family_name not in shown and str(followed.pk) not in shown
    assert client.post(f"/a-faire/pourquoi/{question.pk}/", {"answer": "Remplacement."}).status_code in (302, 303)
    question.refresh_from_db()
    assert question.answer == "Remplacement."


def test_who_may_not_read_the_identity_there_is_not_told_whose_dossier_it_is(client, coordinator, doctor, followed):
    (made,) = leave(followed, doctor, at=noon(1).replace(hour=23))
    question = asked_by(coordinator, followed, made)
    publish_without_identity()
    client.force_login(doctor)
    shown = client.get(f"/a-faire/pourquoi/{question.pk}/").content.decode()
    assert followed.family_name not in shown


def publish_without_identity():
    row = dict.fromkeys(Rubrique, Niveau.LECTURE) | {Rubrique.IDENTITE: Niveau.AUCUN}
    publish_matrix({"medecin": row}, {}, {(DOCTOR, ""): "medecin"}, by=None, reason="Essai")


@pytest.mark.req("SEC-25")
def test_nobody_else_finds_the_question(client, coordinator, doctor, followed, line):
    question = asked_by(coordinator, followed, line)
    for user in (coordinator, UserFactory()):
        client.force_login(user)
        assert client.get(f"/a-faire/pourquoi/{question.pk}/").status_code == 404
        assert client.post(f"/a-faire/pourquoi/{question.pk}/", {"answer": "Non"}).status_code == 404
    with pytest.raises(NotAllowed):
        answer_why(question, answer="Non", by=coordinator)


@pytest.mark.req("SEC-1")
def test_only_who_reads_the_journal_asks(client, doctor, coordinator, followed):
    (made,) = leave(followed, coordinator, at=noon(1).replace(hour=23))
    client.force_login(doctor)
    assert client.post(f"/dossiers/{followed.pk}/journal/{made.pk}/pourquoi/").status_code == 403
    with pytest.raises(NotAllowed):
        ask_why(followed.pk, made.pk, by=doctor, access=to_dossier(doctor, followed.pk))
    row = Habilitation.objects.get(user=coordinator)
    closed = {Rubrique.MEDICAL: Niveau.AUCUN}
    set_limits(row, ceilings=closed, until=None, by=doctor, access=to_dossier(doctor, followed.pk))
    with pytest.raises(NotAllowed):
        ask_why(followed.pk, made.pk, by=coordinator, access=to_dossier(coordinator, followed.pk))
    assert not AccessQuestion.objects.exists()


def test_what_cannot_be_asked(coordinator, doctor, followed, line):
    elsewhere = DossierFactory()
    access = to_dossier(coordinator, followed.pk)
    (own,) = leave(followed, coordinator, at=noon(1))
    (refused,) = leave(followed, doctor, at=noon(1), outcome="refus")
    (foreign,) = leave(elsewhere, doctor, at=noon(1))
    for one in (own, refused, foreign):
        with pytest.raises(NothingToExplain):
            ask_why(followed.pk, one.pk, by=coordinator, access=access)
    question = asked_by(coordinator, followed, line)
    with pytest.raises(AlreadyQuestioned):
        asked_by(coordinator, followed, line)
    with pytest.raises(AnswerMissing):
        answer_why(question, answer=" ", by=doctor)
    answer_why(question, answer="De garde.", by=doctor)
    with pytest.raises(AlreadyAnswered):
        answer_why(question, answer="Encore.", by=doctor)


@pytest.mark.parametrize("wrong", [{"answered_at": None, "answer": "x"}, {"answered_at": noon, "answer": ""}])
def test_the_database_keeps_an_answer_whole(coordinator, followed, line, wrong):
    question = asked_by(coordinator, followed, line)
    given = {name: value(1) if callable(value) else value for name, value in wrong.items()}
    with pytest.raises(IntegrityError, match="question_answered_with_a_sentence"), transaction.atomic():
        AccessQuestion.objects.filter(pk=question.pk).update(**given)


def test_nobody_asks_himself_in_the_database(coordinator, followed, line):
    with pytest.raises(IntegrityError, match="question_asked_to_somebody_else"), transaction.atomic():
        AccessQuestion.objects.create(
            dossier=followed, trace_id=line.pk, trace_at=line.at, user=coordinator, asked_by=coordinator
        )


@pytest.mark.req("SEC-9")
def test_asking_and_answering_are_traced(coordinator, doctor, followed, line, client):
    client.force_login(coordinator)
    client.post(f"/dossiers/{followed.pk}/journal/{line.pk}/pourquoi/")
    trace = Trace.objects.of_dossier(followed.pk).filter(action="question").get()
    assert (trace.object_kind, trace.object_id) == ("trace", line.pk)
    question = AccessQuestion.objects.get()
    answer_why(question, answer="De garde.", by=doctor)
    assert AccountTrace.objects.filter(action="réponse", object_id=question.pk, actor_id=doctor.pk).count() == 1


def test_a_question_more_costs_no_statement_more(client, coordinator, doctor, followed):
    counted = []
    for count in (1, 12):
        for _ in range(count):
            (made,) = leave(followed, doctor, at=noon(1).replace(hour=23))
            asked_by(coordinator, followed, made)
        for user, page in ((coordinator, f"/dossiers/{followed.pk}/journal/"), (doctor, "/a-faire/")):
            client.force_login(user)
            client.get(page)
            with CaptureQueriesContext(connection) as captured:
                client.get(page)
            counted.append(len(captured))
    assert counted[:2] == counted[2:]
