"""« Absences et remplaçants »: the screens, and that the answer never says whether an address has an account."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.accounts import reauthentication
from coordination.outbox.models import Message
from habilitations import access, published
from habilitations.models import ActingFor, VouchedProfession
from tests.dossiers.factories import DOCTOR, DossierFactory, UserFactory, habilitate, professional
from tests.habilitations.acting_data import DAY, secretary, stand_in, today

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-15")]
LIST = "/compte/remplacements/"
RPPS = "10003456786"


@pytest.fixture(autouse=True)
def matrix(db):
    from tests.circle.conftest import publish_default_matrix

    yield publish_default_matrix()
    published.forget()


@pytest.fixture
def doctor():
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def other():
    return professional(DOCTOR, family_name="MODÈLE", given_name="Anne")


@pytest.fixture
def as_doctor(client, doctor):
    client.force_login(doctor)
    return client


def text(response):
    said = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ").replace("&#39;", "'")
    return " ".join(said.split())


def absence(called="", **days):
    first, last = days.get("first", today()), days.get("last", today() + 7 * DAY)
    return {"first_day": f"{first:%d/%m/%Y}", "last_day": f"{last:%d/%m/%Y}", "called": called}


def test_an_absence_is_declared_shown_and_ended(as_doctor, doctor):
    answer = as_doctor.post(f"{LIST}absence/", absence(), follow=True)
    assert "Votre absence est déclarée." in text(answer)
    assert "Sans remplaçant" in text(answer)
    as_doctor.post(f"{LIST}{ActingFor.objects.get().pk}/terminer/")
    assert "Aucune absence déclarée." in text(as_doctor.get(LIST))


@pytest.mark.parametrize("called", ["anne", "inconnue"])
def test_a_known_and_an_unknown_address_get_the_same_answer(as_doctor, other, called):
    typed = other.email.upper() if called == "anne" else "inconnue@nulle-part.example"
    answer = as_doctor.post(f"{LIST}absence/", absence(typed), follow=True)
    said = text(answer)
    assert "Si un compte répond à ce que vous avez indiqué" in said
    assert f"Remplaçant : {typed.lower()}" in said
    assert "En attente de sa réponse" in said
    assert "MODÈLE" not in said
    assert Message.objects.count() == (1 if called == "anne" else 0)


def test_known_and_unknown_make_the_same_page(as_doctor, other):
    """But for what was typed and for what each page draws anew."""
    seen = []
    for typed in (other.email, "z" * (len(other.email) - 8) + "@abc.exa"):
        ActingFor.objects.all().delete()
        as_doctor.post(f"{LIST}absence/", absence(typed))
        page = as_doctor.get(LIST).content.decode().replace(typed, "TAPÉ")
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
        seen.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\"X-CSRFToken\": \"[^\"]+\"", "", page))
    assert _without_tokens(seen[0]) == _without_tokens(seen[1])


def _without_tokens(page):
    return re.sub(r"[A-Za-z0-9]{32,64}", "", page)


def test_called_by_number_it_is_the_vouched_account(as_doctor, other):
    VouchedProfession.objects.filter(user=other).update(national_id=RPPS)
    as_doctor.post(f"{LIST}absence/", absence("10 00 34 56 78 6"))
    row = ActingFor.objects.get()
    assert (row.called, row.substitute) == (RPPS, other)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"first_day": "quand"}, "Cette date n’est pas valide"),
        ({"last_day": ""}, "Ce champ est obligatoire."),
        ({"last_day": "01/01/2020"}, "n’est pas déjà passé"),
        ({"called": "pas une adresse"}, "arobase"),
        ({"called": "12345"}, "RPPS"),
    ],
)
def test_what_is_typed_is_checked_field_by_field(as_doctor, changed, sentence):
    answer = as_doctor.post(f"{LIST}absence/", absence() | changed)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not ActingFor.objects.exists()


def test_oneself_is_refused(as_doctor, doctor):
    answer = as_doctor.post(f"{LIST}absence/", absence(doctor.email))
    assert "On ne se remplace pas soi-même." in text(answer)


def test_the_one_who_was_called_is_told_and_answers_in_one_click(client, doctor, other):
    dossier = DossierFactory()
    habilitate(doctor, dossier)
    row = stand_in(doctor, other, accepted=False)
    client.force_login(other)
    assert "On vous demande un remplacement." in text(client.get("/compte/"))
    assert "Attend votre réponse" in text(client.get(LIST))
    page = text(client.get(f"{LIST}{row.pk}/"))
    assert "TESTARD Paul" in page
    answer = client.post(f"{LIST}{row.pk}/", {"reponse": "oui"}, follow=True)
    assert "vous avez accepté" in text(answer)
    assert access.to_dossier(other, dossier.pk)
    assert "n’attend plus de réponse" in text(client.get(f"{LIST}{row.pk}/", follow=True))
    client.post(f"{LIST}{row.pk}/terminer/")
    assert access.to_dossier(other, dossier.pk) is None


def test_who_answers_what_was_called_off_meanwhile_is_told_so(client, doctor, other):
    """His page was open, or he comes by the mail: an address that exists no more would tell him nothing."""
    dossier = DossierFactory()
    habilitate(doctor, dossier)
    row = stand_in(doctor, other, accepted=False)
    client.force_login(doctor)
    client.post(f"{LIST}{row.pk}/terminer/")
    client.force_login(other)
    for answer in (
        client.post(f"{LIST}{row.pk}/", {"reponse": "oui"}, follow=True), client.get(f"{LIST}{row.pk}/", follow=True)
    ):  # fmt: skip
        assert "Cette demande n’attend plus de réponse." in text(answer)
    assert access.to_dossier(other, dossier.pk) is None


def test_a_no_is_shown_to_who_had_asked(client, doctor, other):
    row = stand_in(doctor, other, accepted=False)
    client.force_login(other)
    client.post(f"{LIST}{row.pk}/", {"reponse": "non"})
    client.force_login(doctor)
    assert "Refusé" in text(client.get(LIST))


def test_nobody_else_finds_it(client, doctor, other):
    row = stand_in(doctor, other, accepted=False)
    for user in (doctor, professional(DOCTOR), UserFactory(administrator=True)):
        client.force_login(user)
        assert client.get(f"{LIST}{row.pk}/").status_code == 404
        assert client.post(f"{LIST}{row.pk}/", {"reponse": "oui"}).status_code == 404
    client.force_login(professional(DOCTOR))
    assert client.post(f"{LIST}{row.pk}/terminer/").status_code == 404
    client.force_login(other)
    assert client.post(f"{LIST}{row.pk}/terminer/").status_code == 404, "who has not answered refuses"
    row.refresh_from_db()
    assert (row.accepted_at, row.ended_at) == (None, None)


def test_a_secretary_is_asked_for_these_rubrics(as_doctor, doctor):
    desk = professional("331", family_name="SPÉCIMEN", given_name="Ana")
    said = {
        "called": desk.email,
        "first_day": f"{today():%d/%m/%Y}",
        "last_day": "",
        "rubriques": ["agenda", "taches"],
    }
    as_doctor.post(f"{LIST}secretariat/", said)
    row = ActingFor.objects.get()
    assert (row.kind, row.rubriques, row.last_day) == (
        "secretariat", ["identite", "cercle", "agenda", "taches"], None,
    )  # fmt: skip
    assert "tenir son secrétariat" in Message.objects.get().text
    answer = as_doctor.post(f"{LIST}secretariat/", said | {"rubriques": []})
    assert "Choisissez ce que le secrétariat peut voir." in text(answer)


def test_without_a_vouched_profession_nothing_is_offered(client):
    client.force_login(UserFactory())
    page = text(client.get(LIST))
    assert "Votre profession n’est pas confirmée" in page
    assert "Déclarer une absence" not in page
    answer = client.post(f"{LIST}absence/", absence())
    assert "Votre profession n’est pas confirmée" in text(answer)
    assert not ActingFor.objects.exists()


@pytest.mark.req("SEC-18")
def test_what_opens_asks_who_is_there_what_closes_never_does(client, doctor, other, monkeypatch):
    row, asked = stand_in(doctor, other), []

    def require(request, act, *args, **kwargs):
        asked.append(act)

    monkeypatch.setattr(reauthentication, "require", require)
    client.force_login(doctor)
    client.post(f"{LIST}absence/", absence(first=today() + 20 * DAY, last=today() + 21 * DAY))
    client.post(f"{LIST}{row.pk}/terminer/")
    assert asked == []
    client.post(f"{LIST}absence/", absence(other.email))
    assert asked == ["vous faire remplacer"]
    waiting = ActingFor.objects.waiting().get()
    client.force_login(other)
    client.post(f"{LIST}{waiting.pk}/", {"reponse": "oui"})
    assert asked[1:] == ["agir pour une autre personne"]


def test_the_page_is_flat(client, doctor):
    client.force_login(doctor)
    counts = []
    for count in (1, 6):
        for _ in range(count):
            stand_in(doctor, professional(DOCTOR))
            secretary(professional(DOCTOR), doctor, "agenda")
        client.get(LIST)
        with CaptureQueriesContext(connection) as made:
            client.get(LIST)
        counts.append(len(made))
    assert counts[0] == counts[1] <= 12


def test_each_button_says_which_line_it_is_about(as_doctor, doctor, other):
    """Two stand-ins on the same days, two secretariats of one person in turn: no two buttons read alike."""
    for called in ("", "anne@cabinet.example", "luc@cabinet.example"):
        as_doctor.post(f"{LIST}absence/", absence(called))
    for days in (0, 30):
        first = today() + days * DAY
        secretary(doctor, other, "agenda", first=first, last=first + 7 * DAY)
        stand_in(other, doctor, first=first, last=first + 7 * DAY)
    page = as_doctor.get(LIST).content.decode()
    buttons = re.findall(r"(?s)<button[^>]*>(.*?)</button>", page)
    names = [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in buttons]
    ends = [name for name in names if name.startswith(("Mettre fin", "Annuler"))]
    assert len(ends) == len(set(ends)) == 7, ends
