"""Each kind of change has its French sentence."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions, history, summaries
from circle.history import Told
from circle.models import Change, Member
from tests.circle import factories as make

WHO, MEMBER = "EXEMPLE-LARRIEU Maëlle", "ÉCHANTILLON Nadia"


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (("ajout",), f"{WHO} a ajouté {MEMBER} au cercle de soins."),
        (("ajout", history.CREATION), f"{WHO} a créé le dossier."),
        (("retour",), f"{MEMBER} est de retour dans le cercle de soins, ajoutée par {WHO}."),
        (("modification", "ville", "", "Albi"), f"{WHO} a modifié la fiche : {MEMBER}, ville « Albi » ajouté."),
        (("modification", "ville", "Albi", ""), f"{WHO} a modifié la fiche : {MEMBER}, ville « Albi » effacé."),
        (("modification", "discret", "non", "oui"), f"{WHO} a rendu discret pour le cercle : {MEMBER}."),
        (("modification", "discret", "oui", "non"), f"{WHO} a rendu visible de tous pour le cercle : {MEMBER}."),
        (("liaison", "", "ECHANTILLON N"), f"{WHO} a relié ECHANTILLON N à l’annuaire : {MEMBER}."),
        (("role", "", "", "Infirmière"), f"{WHO} a donné le rôle « Infirmière » : {MEMBER}."),
        (
            ("role", "à partir du 01/12/2026", "Informatrice", "Aidante"),
            f"{WHO} a donné le rôle « Aidante » à la place de « Informatrice » : {MEMBER}. À partir du 01/12/2026.",
        ),
        (("role", "", "Médecin", ""), f"{WHO} a retiré le rôle « Médecin » : {MEMBER}."),
        (
            ("passation", "", "", "Médecin traitant", "TESTARD Paul"),
            f"{MEMBER} prend le rôle « Médecin traitant » à la suite de TESTARD Paul, par {WHO}.",
        ),
        (("habilitation", "", "non", "oui"), f"{WHO} a habilité {MEMBER}."),
        (("habilitation", "", "non", "attente"), f"{WHO} a habilité {MEMBER} : accès en attente de son compte."),
        (("habilitation", "", "oui", "refus"), f"{WHO} a noté le refus du patient pour {MEMBER} : accès fermé."),
        (("habilitation", "", "refus", "non"), f"{WHO} a noté le retrait du refus pour {MEMBER} : sans habilitation."),
        (("habilitation", "", "oui", "non"), f"{WHO} a suspendu l’accès : {MEMBER}."),
        (("demande",), f"{WHO} a demandé une habilitation pour {MEMBER}."),
        (
            ("retrait", "Fin de prise en charge", "", "Guérie."),
            f"{WHO} a retiré {MEMBER} du cercle de soins. Fin de prise en charge. Guérie.",
        ),
        (("annulation",), f"{WHO} a annulé le retrait : {MEMBER} est à nouveau dans le cercle de soins."),
    ],
)
def test_sentence(told, sentence):
    kind, subject, before, after, other = (*told, "", "", "", "")[:5]
    assert history.sentence(Told(kind, WHO, MEMBER, True, subject, before, after, other)) == sentence


def test_every_kind_has_a_sentence_and_an_icon():
    for kind in Change.Kind.values:
        assert history.sentence(Told(kind, WHO, MEMBER)).endswith(".")
        assert history.ICONS[kind]


# ---- One act, one entry --------------------------------------------------------------------------


def entries(entry):
    changes = Change.objects.filter(dossier=entry.dossier).with_names().order_by("-at", "-id")
    return [history.tell([history.told_of(line) for line in act]) for act in history.acts_of(changes)]


@pytest.mark.django_db
def test_an_addition_is_one_entry(entry):
    nurse = make.account(family_name="SPÉCIMEN", given_name="Inès")
    make.add(entry, nurse.attachment.professional, wanted="oui")
    make.add(entry, make.listed(family_name="MODÈLE", given_name="Ana"), wanted="oui")
    assert entries(entry) == [
        f"{WHO} a ajouté MODÈLE Ana au cercle de soins : rôle « Infirmière », accès en attente de son compte, "
        "au titre de l’équipe de soins.",
        f"{WHO} a ajouté SPÉCIMEN Inès au cercle de soins : rôle « Infirmière », accès au dossier ouvert, "
        "au titre de l’équipe de soins.",
        f"{WHO} a créé le dossier.",
    ]


@pytest.mark.django_db
def test_an_addition_with_a_hand_over_tells_both_sides(entry):
    make.add(entry, make.listed(make.DOCTOR, family_name="TESTARD", given_name="Paul", civility="M"), role="PCP")
    handover = {"starts_on": timezone.localdate(), "new_role": ""}
    new = make.listed(make.DOCTOR, family_name="ÉCHANTILLON", given_name="Nadia")
    make.add(entry, new, role="PCP", handover=handover)
    assert entries(entry)[0] == (
        f"{WHO} a ajouté {MEMBER} au cercle de soins : rôle « Médecin traitant » à la suite de TESTARD Paul."
        " TESTARD Paul reste, avec le rôle « Médecin »."
    )


@pytest.mark.django_db
def test_a_sheet_changed_in_several_places_is_one_entry(entry):
    member = make.relative(entry)
    actions.update_member(entry, member, version=1, fields={"town": "Albi", "postal_code": "81000", "mobile": ""} | {
        "email": "karim@modele.example"})  # fmt: skip
    assert entries(entry)[0].startswith(f"{WHO} a modifié la fiche : MODÈLE Karim, ")
    assert "ville « Albi » ajouté" in entries(entry)[0]
    assert "numéro de mobile « 06 39 98 20 55 » effacé" in entries(entry)[0].replace("\xa0", " ")


@pytest.mark.django_db
def test_what_is_done_later_or_by_somebody_else_stands_alone(entry):
    member = make.by_hand(entry)
    Change.objects.filter(member=member).update(at=timezone.now() - dt.timedelta(minutes=5))
    actions.set_habilitation(
        entry, member, "refus", refusal={"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    )
    assert entries(entry)[0] == f"{WHO} a noté le refus du patient pour SPÉCIMEN Inès : accès fermé."
    nurse = make.account(family_name="FICTIVE", given_name="Carole")
    make.add(entry, nurse.attachment.professional, wanted="oui")
    actions.change_role(make.entry_of(nurse, entry), member, role="")
    assert len(entries(entry)) == 5


@pytest.mark.django_db
def test_two_arrivals_in_the_same_second_are_two_entries(entry):
    for name in ("UN", "DEUX", "TROIS"):
        make.relative(entry, family_name=name, role="CAREGIVER")
    assert len(entries(entry)) == 4


@pytest.mark.django_db
def test_the_page_and_the_news_say_it_so(client, coordinator, entry):
    make.add(entry, make.listed(family_name="MODÈLE", given_name="Ana"), wanted="oui")
    client.force_login(coordinator)
    page = client.get(reverse("circle:history", args=[entry.dossier.pk])).content.decode()
    assert page.count('class="row-news') == 2
    reader = make.account(family_name="FICTIVE", given_name="Carole")
    make.add(entry, reader.attachment.professional, wanted="oui")
    news = summaries.news(make.entry_of(reader, entry), timezone.now() - dt.timedelta(hours=1))
    assert len(news) == 3


@pytest.mark.django_db
def test_the_history_says_a_role_as_the_list_does(entry):
    """One word for one thing: « Médecin généraliste » on the screen, « Médecin généraliste » in what is told of it."""
    for speciality in ("SM26", "SM04", ""):
        doctor = make.ProfessionalFactory(civility="M")
        make.ActivityFactory(professional=doctor, profession=make.DOCTOR, speciality=speciality)
        member = make.add(entry, doctor)
        shown = next(row.role for row in Member.objects.rows(entry) if row.id == member.pk)
        assert Change.objects.get(member=member, kind="role").after == shown
        told = history.tell([history.told_of(change) for change in Change.objects.with_names().filter(member=member)])
        assert f"rôle « {shown} »" in told
