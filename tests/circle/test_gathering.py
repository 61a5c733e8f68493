"""« Inviter plusieurs personnes » into a circle: lines read, matched, checked, then done one by one."""

import html
import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from circle import actions, arrivals, several
from circle.actions import adding
from circle.errors import AlreadyInvited
from circle.models import Invitation, Member
from circle.views import gathering
from coordination.outbox.models import Message
from habilitations.models import Consent, Habilitation
from tests.circle import factories as make

NAMES = ("Alpha", "Bravo", "Charlie")
NINA = "nina@cabinet.example;Calque;Nina;Infirmière;Cabinet du Ségala"


@pytest.fixture(autouse=True)
def all_at_once(monkeypatch):
    """Every line in one answer, however slow the machine: what an answer leaves to the next has its own test."""
    monkeypatch.setattr(gathering, "AT_ONCE", float("inf"))


def text(response):
    return html.unescape(response.content.decode()).replace("\xa0", " ")


# ---- Lines, pure ----------------------------------------------------------------------------------


def test_a_heading_says_the_order_of_the_columns():
    lines = several.read("Prénom;Nom;Métier;Téléphone;E-mail\nNina;Calque;infirmière;0536;NINA@cabinet.example")
    assert lines == [
        several.Line(2, lines[0].text, "nina@cabinet.example", "Calque", "Nina", make.NURSE),
    ]


def test_what_is_left_to_correct_keeps_its_heading():
    text = "Prénom;Nom;E-mail;Profession\nNina;Calque;nina@c.example;60\nLuc;Figure;faux;60"
    left = [line.number for line in several.read(text) if line.error]
    assert several.kept(text, left) == "Prénom;Nom;E-mail;Profession\nLuc;Figure;faux;60"
    assert several.kept("a\n\nb", {3}) == "b"


def test_without_a_heading_the_order_is_that_of_the_help():
    (line,) = several.read(NINA)
    assert (line.family_name, line.given_name, line.structure) == ("Calque", "Nina", "Cabinet du Ségala")


@pytest.mark.parametrize(
    ("said", "code"), [("Kiné", "70"), ("kinésithérapeute", "70"), ("IDE", "60"), ("assistante sociale", "41")]
)
def test_everyday_words_of_a_trade_are_understood(said, code):
    (line,) = several.read(f"nina@cabinet.example;Calque;Nina;{said}")
    assert (line.profession, line.error) == (code, "")


@pytest.mark.parametrize(
    ("said", "profession", "role"),
    [
        ("coordinatrice", make.ROLE_ONLY, make.COORDINATOR),
        ("Secrétaire médicale", make.ROLE_ONLY, "331"),
        ("aide à domicile", make.ROLE_ONLY, "350"),
        ("infirmière coordinatrice", make.NURSE, make.COORDINATOR),
        ("médecin traitant", make.DOCTOR, "PCP"),
        ("Aide-soignante", "35", ""),
    ],
)
def test_a_role_is_understood_where_a_profession_is_asked(said, profession, role):
    (line,) = several.read(f"nina@cabinet.example;Calque;Nina;{said}")
    assert (line.profession, line.role, line.error) == (profession, role, "")


@pytest.mark.parametrize(
    ("profession", "said", "read"),
    [
        ("", "IDE", (make.NURSE, "")),
        ("60", "coordinatrice", (make.NURSE, make.COORDINATOR)),
        ("60", "60", (make.NURSE, "")),
    ],
)
def test_a_column_of_roles_is_read(profession, said, read):
    (line,) = several.read(f"Nom;Prénom;E-mail;Profession;Rôle\nCalque;Nina;nina@c.example;{profession};{said}")
    assert (line.profession, line.role, line.error) == (*read, "")


@pytest.mark.django_db
def test_the_role_read_is_the_one_proposed_but_for_a_unique_one(desk, entry):
    lines = "n@c.example;Calque;Nina;coordinatrice\nl@c.example;Figure;Luc;médecin traitant"
    page = text(desk.post(at(entry, "check_several"), {"lines": lines}))
    chosen = dict(re.findall(r'<select[^>]*name="(role-\d)".*?<option value="([^"]*)" selected', page, re.DOTALL))
    assert chosen == {"role-1": make.COORDINATOR, "role-2": ""}
    desk.post(at(entry), answers(lines, **by_hand(1, 2), **chosen))
    roles = Member.objects.filter(kind="manuel").values_list("profession", "roles__role")
    assert set(roles) == {(make.ROLE_ONLY, make.COORDINATOR), (make.DOCTOR, "PROV")}


@pytest.mark.django_db
def test_what_was_done_is_said_of_each(desk, entry):
    make.by_hand(entry, family_name="PRÉSENT", given_name="Luc")
    people = ("Un;A", "Deux;B", "Trois;C", "Présent;Luc")
    lines = "\n".join(f"{n}@c.example;{name};60" for n, name in enumerate(people))
    sent = answers(lines, **by_hand(1, 2, 3), **{"acces-3": "non", "qui-4": arrivals.PRESENT})
    page = desk.post(at(entry), sent, follow=True)
    assert (
        "2 personnes ajoutées, habilitées et prévenues par e-mail, 1 personne ajoutée sans habilitation, "
        "1 personne déjà membre et invitée." in text(page)
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("nina;Calque;Nina;Infirmier", "arobase"),
        ("nina@cabinet.example;;Nina;Infirmier", "nom"),
        ("nina@cabinet.example;Calque;Nina;Astronaute", "« Astronaute » n’est ni une profession ni un rôle"),
        ("nina@cabinet.example;Calque;Nina;fille", "« fille » désigne un proche"),
        ("nina@cabinet.example;Calque;Nina;infirmière de nuit", "« infirmière de nuit » n’est ni une profession"),
        ("nina@cabinet.example;Calque;Nina", "Il manque la profession"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(said, why):
    (line,) = several.read(said)
    assert why in line.error and line.number == 1


def test_the_same_address_counts_once_and_there_is_a_limit():
    lines = several.read("\n".join([NINA, NINA, *(f"{n}@cabinet.example;Nom;Prénom;60" for n in range(several.MOST))]))
    assert lines[1].error == "Cette adresse est déjà plus haut."
    assert [line.number for line in lines if "au plus" in line.error] == [several.MOST + 1, several.MOST + 2]


# ---- What becomes of them -------------------------------------------------------------------------


def arrive(entry, text_of_lines, *, may_grant=True):
    return arrivals.of_lines(entry, several.read(text_of_lines), may_grant=may_grant)


@pytest.mark.django_db
def test_the_only_namesake_of_the_trade_is_proposed(entry):
    person = make.listed(family_name="CALQUE", given_name="Nina")
    make.listed("10", family_name="CALQUE", given_name="Nina")
    (arrival,) = arrive(entry, NINA)
    assert arrival.guess == str(person.activities.get().pk) and len(arrival.places) == 2
    assert [value for value, _ in arrival.choices][-2:] == [arrivals.BY_HAND, arrivals.NOBODY]


@pytest.mark.django_db
def test_two_namesakes_of_the_trade_are_to_choose_from(entry):
    for _ in range(2):
        make.listed(family_name="CALQUE", given_name="Nina")
    (arrival,) = arrive(entry, NINA)
    assert arrival.guess == "" and arrival.choices[0] == ("", "Choisir")


@pytest.mark.django_db
def test_two_lines_of_a_near_name_say_how_to_add_the_second(desk, entry):
    """The page has no place for a reason: the sentence sends to where one is asked."""
    lines = "1@c.example;Croquis;Anne;60\n2@c.example;Croquis;Annie;60"
    page = text(desk.post(at(entry), answers(lines, **by_hand(1, 2))))
    assert f"Ligne 1, « 2@c.example;Croquis;Annie;60 » : {arrivals.ALIKE}" in page
    assert "Indiquez pourquoi" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(("given", "said"), [("Anne", False), ("Annie", True)])
def test_a_name_that_only_looks_like_a_member_says_how_to_go_on(entry, given, said):
    make.add(entry, make.account(family_name="CROQUIS", given_name="Anne").attachment.professional, wanted="oui")
    (arrival,) = arrive(entry, f"n@c.example;Croquis;{given};60")
    assert not arrival.is_open and "CROQUIS Anne est déjà dans le cercle" in arrival.said
    assert ("Nom voisin : si c’est quelqu’un d’autre" in arrival.said) is said


@pytest.mark.django_db
def test_who_left_the_directory_is_not_proposed(entry):
    make.listed(family_name="CALQUE", given_name="Nina").activities.update(ceased_at="2026-01-01T00:00Z")
    (arrival,) = arrive(entry, NINA)
    assert arrival.guess == arrivals.BY_HAND and not arrival.places


@pytest.mark.django_db
def test_members_are_recognized(entry):
    invited = make.listed(family_name="CALQUE", given_name="Nina")
    make.add(entry, invited, wanted="oui", invitation={"email": "nina@cabinet.example", "message": ""})
    make.add(entry, make.listed(family_name="FIGURE", given_name="Luc"))
    make.add(entry, make.account(family_name="TESTARD", given_name="Paul").attachment.professional, wanted="oui")
    refused = make.add(entry, make.listed(family_name="REFUSE", given_name="Lou"))
    refusal = {"refused_on": entry.dossier.birth_date.replace(year=2026), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, refused, "refus", refusal=refusal)
    lines = f"{NINA}\nl@c.example;Figure;Luc;60\np@c.example;Testard;Paul;60\nr@c.example;Refuse;Lou;60"
    nina, luc, paul, lou = arrive(entry, lines)
    assert "déjà invité" in nina.said and not nina.is_open
    assert luc.guess == arrivals.PRESENT
    assert "déjà dans le cercle depuis" in paul.said and not paul.is_open
    assert "refus du patient" in lou.said and not lou.is_open
    assert not arrive(entry, lines, may_grant=False)[1].is_open, "who may not habilitate opens nothing to a member"


@pytest.mark.django_db
@pytest.mark.req("SECT-4", "SEC-6")
def test_an_address_never_says_that_it_has_an_account(entry):
    known = make.account(family_name="AUTRE", given_name="Nom")
    said = [arrive(entry, f"{email};Calque;Nina;60")[0] for email in (known.email, "personne@cabinet.example")]
    assert {(a.said, a.choices[0], a.guess, a.is_open) for a in said} == {
        ("Pas dans l’annuaire à ce nom.", (arrivals.BY_HAND, "Saisir à la main"), arrivals.BY_HAND, True)
    }


@pytest.mark.django_db
@pytest.mark.req("SECT-4")
def test_a_hidden_member_is_not_told(entry):
    """Rule 7: who does not read the medical rubric sees a line about a discreet member as about anybody."""
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, wanted="oui")
    make.add(entry, make.listed(family_name="CALQUE", given_name="Nina"), discreet=True)
    (arrival,) = arrive(make.entry_of(social, entry), NINA)
    assert arrival.is_open and "cercle" not in arrival.said


@pytest.mark.django_db
@pytest.mark.req("PERF-3")
def test_fifty_lines_cost_as_many_statements_as_one(entry):
    counts = []
    Member.objects.rows(entry)  # a circle that this process has not read costs one more
    for total in (1, several.MOST):
        lines = several.read("\n".join(f"{n}@c.example;Nom{n};Prénom;60" for n in range(total)))
        with CaptureQueriesContext(connection) as captured:
            arrivals.of_lines(entry, lines, may_grant=True)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 3


# ---- The pages ------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, entry):
    client.force_login(entry.user)
    return client


def at(entry, page="invite_several"):
    return reverse(f"circle:{page}", args=[entry.dossier.pk])


def answers(lines, *, habilitation="oui", **choices):
    return {
        "lines": lines, "message": "", "creation_key": uuid.uuid4(), "role": "", "habilitation": habilitation,
        **make.TEAM_POSTED, **choices,
    }  # fmt: skip


def by_hand(*numbers):
    return {f"qui-{n}": arrivals.BY_HAND for n in numbers}


@pytest.mark.django_db
def test_from_the_circle_to_the_letters(desk, entry):
    make.listed(family_name="FIGURE", given_name="Luc")
    lines = f"{NINA}\nluc@c.example;Figure;Luc;Infirmier\npas une adresse;Rien;Lou;60"
    assert at(entry) in text(desk.get(reverse("circle:list", args=[entry.dossier.pk])))
    page = desk.post(at(entry, "check_several"), {"lines": lines, "message": "Bienvenue"})
    said = text(page)
    assert page.status_code == 200 and "3 lignes : 2 à traiter, 1 à corriger" in said
    assert "Revenir aux lignes" in said and NINA in text(desk.get(at(entry)))
    assert "Pas dans l’annuaire à ce nom." in said and "Trouvé dans l’annuaire" in said and "arobase" in said
    assert not Invitation.objects.exists() and Member.objects.count() == 1
    sent = {
        name: value
        for name, value in re.findall(r'type="hidden"\s+name="([^"]+)"\s+id="[^"]+"\s+value="([^"]*)"', said)
    }
    chosen = dict(re.findall(r'<select[^>]*name="(qui-\d)".*?<option value="([^"]*)" selected', said, re.DOTALL))
    page = desk.post(at(entry), sent | chosen | {"habilitation": "oui", "role": ""} | make.TEAM_POSTED)
    said = text(page)
    assert page.status_code == 200 and "2 personnes ajoutées, habilitées et prévenues par e-mail." in said
    assert "1 ligne à corriger" in said and "pas une adresse" in said and "Nina" not in said.split("textarea")[1]
    assert set(Invitation.objects.values_list("email", flat=True)) == {"nina@cabinet.example", "luc@c.example"}
    assert Invitation.objects.filter(message="Bienvenue").count() == 2
    kinds = Member.objects.exclude(created_by=None).values_list("kind", "habilitation__state", "structure_name")
    assert ("manuel", "attente", "Cabinet du Ségala") in kinds and ("annuaire", "attente", "") in kinds


@pytest.mark.django_db
def test_a_csv_file_is_read(desk, entry):
    file = SimpleUploadedFile("liste.csv", "Nom;Prénom;E-mail;Profession\nÉloi;Zoé;z@b.example;60\n".encode("cp1252"))
    said = text(desk.post(at(entry, "check_several"), {"lines": "", "file": file}))
    assert "Éloi Zoé" in said and "z@b.example" in said


@pytest.mark.django_db
def test_nothing_typed_is_said(desk, entry):
    page = desk.post(at(entry, "check_several"), {"lines": "  "})
    assert page.status_code == 422 and "au moins une ligne" in text(page)


@pytest.mark.django_db
@pytest.mark.req("SEC-22")
def test_the_letter_never_names_the_person(desk, entry):
    page = desk.post(at(entry, "check_several"), {"lines": NINA, "message": f"Pour {entry.dossier.birth_name}"})
    assert page.status_code == 422 and "ne porte ni son nom" in text(page)


@pytest.mark.django_db
def test_one_answer_for_all_or_for_each(desk, entry):
    lines = "\n".join(f"{n}@c.example;{name};Prénom;60" for n, name in enumerate(NAMES))
    sent = answers(lines, role="ECON", **by_hand(1, 2), **{"qui-3": "rien", "acces-2": "non", "role-2": "PROV"})
    assert desk.post(at(entry), sent).status_code == 303
    first, second = Member.objects.filter(kind="manuel").order_by("family_name")
    assert (first.roles.get().role, first.habilitation.state) == ("ECON", "attente")
    assert (second.roles.get().role, second.habilitation.state) == ("PROV", "non")
    assert [invitation.member for invitation in Invitation.objects.all()] == [first]


@pytest.mark.django_db
def test_who_it_is_must_be_chosen_before_anything_is_done(desk, entry):
    for _ in range(2):
        make.listed(family_name="CALQUE", given_name="Nina")
    page = desk.post(at(entry), answers(f"l@c.example;Seul;Luc;60\n{NINA}", **by_hand(1), **{"qui-2": ""}))
    assert page.status_code == 422 and "Choisissez qui c’est." in text(page)
    assert Member.objects.count() == 1


@pytest.mark.django_db
def test_a_line_is_done_whole_or_not_at_all(desk, entry, monkeypatch):
    """The second letter cannot be written: its member is not there either, the first is."""
    invite = adding.invite_member

    def refuses_the_second(entry, member, **invitation):
        if invitation["email"] == "2@c.example":
            raise AlreadyInvited
        return invite(entry, member, **invitation)

    monkeypatch.setattr(adding, "invite_member", refuses_the_second)
    page = desk.post(at(entry), answers("1@c.example;Premier;Luc;60\n2@c.example;Second;Lou;60", **by_hand(1, 2)))
    # Numbered as in the text that comes back, where the line that was done is no longer.
    assert page.status_code == 200 and "Ligne 1" in text(page) and "attend déjà la réponse" in text(page)
    assert list(Member.objects.filter(kind="manuel").values_list("family_name", flat=True)) == ["PREMIER"]
    assert list(Message.objects.values_list("to", flat=True)) == ["1@c.example"]


@pytest.mark.django_db
@pytest.mark.req("SEC-3")
def test_what_the_sharing_rests_on_is_asked_once_for_all(desk, entry):
    page = desk.post(at(entry), answers(NINA, **by_hand(1), rests_on=""))
    assert page.status_code == 422 and "sur quoi repose le partage" in text(page)
    assert not Member.objects.filter(kind="manuel").exists()
    lines = "\n".join(f"{n}@c.example;{name};Prénom;60" for n, name in enumerate(NAMES))
    assert desk.post(at(entry), answers(lines, **by_hand(1, 2, 3), **{"acces-2": "non"})).status_code == 303
    rests = Consent.objects.filter(habilitation__members__kind="manuel").values_list("ground", flat=True)
    assert list(rests) == ["reconnue", "reconnue"]


@pytest.mark.django_db
@pytest.mark.req("SEC-3")
def test_what_was_answered_carries_who_was_there_too_unless_something_does(desk, entry):
    first = make.by_hand(entry, family_name="CALQUE", given_name="Nina")
    other = make.by_hand(entry, family_name="FIGURE", given_name="Luc")
    actions.record_consent(entry, other, **make.team(ground="accord", collected="ecrit"))
    lines = f"{NINA}\nluc@c.example;Figure;Luc;60"
    sent = answers(lines, **{"qui-1": arrivals.PRESENT, "qui-2": arrivals.PRESENT})
    assert desk.post(at(entry), sent).status_code == 303
    assert Invitation.objects.count() == 2
    assert Consent.objects.get(habilitation=first.habilitation).ground == "reconnue"
    assert Consent.objects.get(habilitation=other.habilitation).ground == "accord"


@pytest.mark.django_db
def test_sent_twice_it_is_done_once(desk, entry):
    sent = answers(NINA, **by_hand(1))
    assert [desk.post(at(entry), sent).status_code for _ in range(2)] == [303, 303]
    assert Invitation.objects.count() == 1 and Member.objects.filter(kind="manuel").count() == 1


@pytest.mark.django_db
def test_a_known_account_is_used_and_no_second_one(desk, entry):
    user = make.account(family_name="CALQUE", given_name="Nina")
    activity = user.attachment.professional.activities.get()
    said = text(desk.post(at(entry, "check_several"), {"lines": NINA}))
    assert "compte" not in said.split("<table")[1].split("</table>")[0].lower()
    assert desk.post(at(entry), answers(NINA, **{"qui-1": str(activity.pk)})).status_code == 303
    assert Habilitation.objects.get(user=user).state == "oui"
    assert Message.objects.get().kind == "circle.dossier_opened" and not Invitation.objects.exists()


@pytest.mark.asvs("v5.0.0-2.3.2")
@pytest.mark.django_db
def test_the_limit_of_an_hour_holds(desk, entry, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invitations": "2/3600s/user"}
    lines = "\n".join(f"{n}@c.example;{name};Prénom;60" for n, name in enumerate(NAMES))
    page = desk.post(at(entry), answers(lines, **by_hand(1, 2, 3)))
    assert Invitation.objects.count() == 2 and "Trop d’invitations" in text(page)
    assert Member.objects.filter(kind="manuel").count() == 2


@pytest.mark.django_db
def test_a_long_list_says_how_far_it_is_and_goes_on(desk, entry, monkeypatch):
    monkeypatch.setattr(gathering, "AT_ONCE", 0.0)
    lines = "1@c.example;Premier;Luc;60\n2@c.example;Second;Lou;60\nrien;Mal;Écrit;60"
    page = desk.post(at(entry), answers(lines, **by_hand(1, 2)))
    said = text(page)
    assert page.status_code == 200 and "1 ligne faite sur 2" in said and "<progress" in said
    assert Invitation.objects.count() == 1
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', said)
    page = desk.post(at(entry), {name: value for name, value in fields if name != "csrfmiddlewaretoken"})
    said = text(page)
    assert "2 personnes ajoutées, habilitées et prévenues par e-mail." in said and "1 ligne à corriger" in said
    assert Invitation.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["²", "1" * 30, "-1", ""])
def test_a_number_that_is_none_is_passed_over(desk, entry, number):
    sent = answers(NINA, **by_hand(1)) | {"fait": f"{number} oui", f"refus-{number}": "Écrit à la main"}
    assert desk.post(at(entry), sent).status_code == 303
    assert Invitation.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.req("SEC-18")
def test_letting_several_people_in_asks_again_who_is_there(desk, entry, settings):
    settings.DOSSIER_REAUTHENTICATION_SECONDS = 0
    assert desk.post(at(entry), answers(NINA, **by_hand(1))).status_code == 302
    assert not Invitation.objects.exists()
    assert desk.post(at(entry), answers(NINA, habilitation="non", **by_hand(1))).status_code == 303


@pytest.mark.django_db
@pytest.mark.req("SEC-2")
def test_who_may_not_habilitate_leaves_requests(client, entry):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    client.force_login(nurse)
    assert "Demander l’habilitation" in text(client.post(at(entry, "check_several"), {"lines": NINA}))
    assert client.post(at(entry), answers(NINA, **by_hand(1))).status_code == 303
    row = Member.objects.get(kind="manuel").habilitation
    assert row.state == "non" and row.requested_at is not None


@pytest.mark.django_db
def test_who_may_not_invite_finds_no_page(client, entry):
    helper = make.account("42")
    make.add(entry, helper.attachment.professional, wanted="oui")
    client.force_login(helper)
    assert client.get(at(entry)).status_code == 403
    assert client.post(at(entry, "check_several"), {"lines": NINA}).status_code == 403
    assert at(entry) not in text(client.get(reverse("circle:list", args=[entry.dossier.pk])))


@pytest.mark.parametrize("cell", [1, 2])
def test_a_name_longer_than_any_is_said_on_its_line(cell):
    cells = ["nina@cabinet.example", "Calque", "Nina", "60"]
    for long, refused in (("x" * 121, True), ("ß" * 61, cell == 1), ("x" * 120, False)):
        cells[cell] = long
        (line,) = several.read(";".join(cells))
        assert ("trop long" in line.error) is refused, long


@pytest.mark.django_db
def test_a_colleague_whose_capitals_are_longer_than_the_name_typed_is_invited(desk):
    typed = {
        "family_name": "ß" * 120, "given_name": "Nina", "profession": "60", "email": "nina@cabinet.example",
        "creation_key": uuid.uuid4(),
    }  # fmt: skip
    assert desk.post(reverse("invitations:invite"), typed).status_code == 303
    assert Invitation.objects.get().family_name == "S" * 120
