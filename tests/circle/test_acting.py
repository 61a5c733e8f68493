"""Absent, stood in for, with a secretary: what the circle says of it, and the person's consent noted from a sheet."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle import actions
from circle.models import Change, Member
from coordination.dossiers import door
from habilitations import access
from habilitations.acting_errors import NotTheirSecretary
from habilitations.errors import OwnHabilitation
from habilitations.models import SecretaryConsent, Trace
from habilitations.rubriques import Action
from tests.circle import factories as make
from tests.habilitations.acting_data import DAY, consent, secretary, stand_in, today

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-15")]


@pytest.fixture
def doctor(entry):
    """A doctor of the circle, habilitated."""
    user = make.account(make.DOCTOR, family_name="DESSIN", given_name="Paul", civility="M")
    make.add(entry, user.attachment.professional, wanted="oui")
    return user


@pytest.fixture
def member(entry, doctor):
    return Member.objects.get(habilitation__user=doctor)


@pytest.fixture
def desk(matrix):
    user = make.account("99", "331", family_name="SPÉCIMEN", given_name="Ana")
    assert access.profile_of(user) == "secretariat"
    return user


def text(response):
    said = re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\xa0", " ")
    return " ".join(said.split())


def sheet(entry, member):
    return f"/dossiers/{entry.dossier.pk}/cercle/membres/{member.pk}/"


def row_of(entry, member, on=None):
    return next(row for row in Member.objects.rows(entry, on) if row.id == member.pk)


# ---- absent ----------------------------------------------------------------------------------------


def test_the_row_and_the_sheet_say_until_when_and_by_whom(client, entry, member, doctor):
    other = make.account(make.DOCTOR, family_name="MODÈLE", given_name="Anne")
    stand_in(doctor, other, last=dt.date(2027, 1, 4) if today() <= dt.date(2027, 1, 4) else None)
    until = stand_last(doctor)
    said = f"Absent jusqu’au {until:%d/%m/%Y}, remplacé par MODÈLE Anne"
    assert row_of(entry, member).absence == said
    client.force_login(entry.user)
    assert said in text(client.get(f"/dossiers/{entry.dossier.pk}/cercle/"))
    assert said in text(client.get(sheet(entry, member)))


def stand_last(principal):
    from habilitations.models import ActingFor

    return ActingFor.objects.get(principal=principal).last_day


def test_absent_alone_or_not_answered_names_nobody(entry, member, doctor):
    stand_in(doctor, make.account(), accepted=False)
    assert row_of(entry, member).absence == f"Absent jusqu’au {stand_last(doctor):%d/%m/%Y}"


def test_only_on_the_days_of_the_absence_and_not_once_ended(entry, member, doctor):
    row = stand_in(doctor, make.account(), first=today() + DAY, last=today() + 2 * DAY)
    assert row_of(entry, member).absence == ""
    assert row_of(entry, member, today() + DAY).absence.startswith("Absent jusqu’au")
    row.ended_at, row.ended_by = row.declared_at, doctor
    row.save()
    assert row_of(entry, member, today() + DAY).absence == ""


def test_of_two_absences_the_one_that_says_who(entry, member, doctor):
    other = make.account(family_name="MODÈLE", given_name="Anne")
    stand_in(doctor, make.account(), accepted=False, last=today() + 30 * DAY)
    stand_in(doctor, other, last=today() + DAY)
    assert row_of(entry, member).absence.endswith("par MODÈLE Anne")


def test_nothing_of_it_in_the_reduced_circle(entry, doctor):
    helper = make.account("99", "350")
    make.add(entry, helper.attachment.professional, wanted="oui")
    actions.change_role(entry, Member.objects.get(habilitation__user=doctor), role="ECON")
    stand_in(doctor, make.account())
    assert all(row.absence == "" for row in Member.objects.rows(make.entry_of(helper, entry)))


def test_the_list_is_read_in_as_many_statements_all_the_same(entry, doctor, django_assert_num_queries):
    stand_in(doctor, make.account())
    # Its versions, then the circle, which this process has not read.
    with django_assert_num_queries(2):
        Member.objects.rows(entry)


# ---- what who stands in does -----------------------------------------------------------------------


def test_what_a_stand_in_does_is_told_with_both_names(entry, member, doctor):
    other = make.account(make.DOCTOR, family_name="MODÈLE", given_name="Anne")
    stand_in(doctor, other)
    make.relative(door.look(other, entry.dossier.pk))
    change = Change.objects.latest("at")
    assert (change.by, change.on_behalf_of) == (other, doctor)
    from circle.history import tell, told_of

    said = tell([told_of(Change.objects.with_names().get(pk=change.pk))])
    assert said.startswith("MODÈLE Anne, pour le compte de DESSIN Paul, a ")
    from circle.summaries import news

    (first, *_) = news(entry, change.at - DAY)
    assert "MODÈLE Anne, pour le compte de DESSIN Paul, a " in first.sentence


def test_a_stand_in_is_not_offered_acts_on_the_one_he_replaces(client, entry, member, doctor):
    other = make.account(make.DOCTOR)
    stand_in(doctor, other)
    client.force_login(other)
    page = client.get(sheet(entry, member)).content.decode()
    assert "habilitation/reduire" not in page
    assert "Retirer du cercle" not in page


def test_pages_drawn_for_one_reader_do_not_serve_who_holds_less(client, entry, doctor):
    """The same profile, one for herself, one for a social worker: the second is not offered what the first is."""
    helper = make.account("99", "350", family_name="ÉBAUCHE", given_name="Nora")
    make.add(entry, helper.attachment.professional, wanted="oui")
    other = make.account(make.DOCTOR)
    stand_in(helper, other)
    for user, offered in ((doctor, True), (other, False)):
        client.force_login(user)
        page = client.get(f"/dossiers/{entry.dossier.pk}/cercle/").content.decode()
        assert ("Ajouter un professionnel" in page) is offered


# ---- the person's consent --------------------------------------------------------------------------


def posted(client, entry, member, named, act, day=None, how="oral"):
    said = {"acte": act, "day": f"{day or today():%d/%m/%Y}", "collected": how}
    return client.post(f"{sheet(entry, member)}secretariat/{named.pk}/", said)


def test_consent_is_noted_from_the_sheet_and_withdrawn(client, entry, member, doctor, desk):
    named = secretary(doctor, desk, "agenda")
    client.force_login(entry.user)
    assert "Sans accord : n’entre pas" in text(client.get(sheet(entry, member)))
    assert "Noter l’accord" in text(client.get(f"{sheet(entry, member)}secretariat/{named.pk}/"))
    posted(client, entry, member, named, "noter")
    found = access.to_dossier(desk, entry.dossier.pk)
    assert found.on_behalf_of.id == doctor.pk
    page = text(client.get(sheet(entry, member)))
    assert f"Donné le {today():%d/%m/%Y}. Dit par la personne." in page
    assert "Accord donné le" in text(client.get(f"{sheet(entry, member)}secretariat/{named.pk}/"))
    posted(client, entry, member, named, "retirer")
    assert access.to_dossier(desk, entry.dossier.pk) is None
    told = text(client.get(f"/dossiers/{entry.dossier.pk}/cercle/historique/"))
    assert "a noté l’accord de la personne au secrétariat de DESSIN Paul : SPÉCIMEN Ana." in told
    assert "a noté le retrait de l’accord de la personne au secrétariat de DESSIN Paul" in told
    rights = Trace.objects.filter(dossier_id=entry.dossier.pk, action="habilitation", reason__startswith="Secrétariat")
    assert list(rights.order_by("seq").values_list("reason", flat=True)) == [
        "Secrétariat : accord de la personne noté", "Secrétariat : accord de la personne retiré",
    ]  # fmt: skip


def test_what_is_typed_is_checked(client, entry, member, doctor, desk):
    named = secretary(doctor, desk, "agenda")
    client.force_login(entry.user)
    answer = posted(client, entry, member, named, "noter", day=today() + DAY)
    assert answer.status_code == 422
    assert "Cette date est à venir." in text(answer)
    assert posted(client, entry, member, named, "noter", how="").status_code == 422
    assert not SecretaryConsent.objects.exists()


def test_who_may_not_and_what_is_not_there(client, entry, member, doctor, desk):
    named = secretary(doctor, desk, "agenda")
    stranger = secretary(make.account(), desk, "agenda")
    helper = make.account("99", "350")
    make.add(entry, helper.attachment.professional, wanted="oui")
    client.force_login(entry.user)
    assert posted(client, entry, member, stranger, "noter").status_code == 404
    with pytest.raises(NotTheirSecretary):
        actions.record_secretary_consent(entry, member, stranger, given_on=today(), collected="oral")
    client.force_login(helper)
    assert posted(client, entry, member, named, "noter").status_code == 403
    client.force_login(desk)
    assert posted(client, entry, member, named, "noter").status_code == 404
    assert not SecretaryConsent.objects.exists()


def test_withdrawn_in_a_closed_dossier(client, entry, member, doctor, desk):
    named = secretary(doctor, desk, "agenda")
    consent(named, entry.dossier)
    type(entry.dossier).objects.filter(pk=entry.dossier.pk).update(status="clos", closing_reason="fin")
    client.force_login(entry.user)
    assert posted(client, entry, member, named, "retirer").status_code in (302, 303)
    assert access.to_dossier(desk, entry.dossier.pk) is None
    assert posted(client, entry, member, named, "noter").status_code == 403


@pytest.mark.req("SEC-18")
def test_noting_asks_who_is_there_withdrawing_never_does(client, entry, member, doctor, desk, monkeypatch):
    from coordination.accounts import reauthentication

    asked = []
    monkeypatch.setattr(reauthentication, "require", lambda request, act, *rest, **more: asked.append(act))
    named = secretary(doctor, desk, "agenda")
    client.force_login(entry.user)
    posted(client, entry, member, named, "noter")
    assert asked == ["donner accès au dossier"]
    posted(client, entry, member, named, "retirer")
    assert len(asked) == 1


def test_the_sheet_is_flat(client, entry, member, doctor):
    client.force_login(entry.user)
    counts = []
    for count in (1, 5):
        for _ in range(count):
            consent(secretary(doctor, make.account("99", "331"), "agenda"), entry.dossier)
        client.get(sheet(entry, member))
        with CaptureQueriesContext(connection) as made:
            client.get(sheet(entry, member))
        counts.append(len(made))
    assert counts[0] == counts[1] <= 12


# ---- what a secretary notes ------------------------------------------------------------------------


@pytest.fixture
def at_desk(entry, doctor, desk):
    """The entry of the doctor's secretary, to whom the person agreed."""
    consent(secretary(doctor, desk), entry.dossier)
    return make.entry_of(desk, entry)


def test_a_secretary_notes_what_the_person_says_and_both_are_named(entry, at_desk, doctor, desk):
    nurse = make.account()
    member = make.add(entry, nurse.attachment.professional, wanted="oui", rests=None)
    assert make.entry_of_or_none(nurse, entry) is None
    actions.record_consent(at_desk, member, **make.team())
    assert make.entry_of_or_none(nurse, entry)
    line = Change.objects.get(member=member, kind="partage")
    assert (line.by, line.on_behalf_of) == (desk, doctor)
    trace = Trace.objects.of_dossier(entry.dossier.pk).filter(action="habilitation", actor_id=desk.pk).last()
    assert trace.on_behalf_of_id == doctor.pk
    assert not at_desk.access.may(Action.GRANT), "a consent carries a grant that somebody else gave"


@pytest.mark.req("SEC-3")
def test_nobody_widens_his_own_way_in_by_acting_for_another(entry, at_desk, member, desk):
    house = make.legal_structure(desk)
    by_house = make.add_house(entry, house, wanted="oui", rests=None)
    for one in (by_house, member):
        with pytest.raises(OwnHabilitation):
            actions.record_consent(at_desk, one, **make.team())
    assert make.entry_of(desk, entry).access.on_behalf_of is not None
    actions.record_consent(entry, by_house, **make.team())
    assert make.entry_of(desk, entry).access.through_structure == house.pk
