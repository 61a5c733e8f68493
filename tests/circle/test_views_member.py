"""A member's pages: sheet, edit by two people, role, habilitation, refusal, link, removal, history."""

import datetime as dt
import re
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.models import Change, Member, Period, PlannedStay
from circle.views import sheet
from coordination.accounts import drafts
from habilitations.models import Habilitation
from tests.circle import factories


def text_of(response):
    return response.content.decode().replace("\xa0", " ").replace("&#39;", "’").replace("'", "’")


def today():
    return f"{timezone.localdate():%d/%m/%Y}"


@pytest.fixture
def visitor(client, coordinator, entry):
    client.force_login(coordinator)
    client.url = lambda name, *args: reverse(f"circle:{name}", args=[entry.dossier.pk, *args])
    return client


def sent(member, **more):
    """Return what the edit form of a relative sends."""
    return {
        "family_name": member.family_name, "given_name": member.given_name, "relation": member.relation,
        "mobile": "06 39 98 20 55", "version": member.version,
    } | more  # fmt: skip


PAGES = (
    "member", "edit_member", "change_role", "habilitation", "remove", "member_history",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_each_page_of_a_member_answers_and_names_nobody_in_its_title(visitor, entry, name):
    member = factories.add(entry, factories.listed(family_name="TITRÉE", given_name="Anne"))
    response = visitor.get(visitor.url(name, member.pk))
    page = text_of(response)
    assert response.status_code == 200
    assert "TITRÉE" in page
    assert "TITRÉE" not in page[page.index("<title>") : page.index("</title>")]


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("name", [*PAGES, "link", "withdraw_refusal"])
def test_a_member_of_another_dossier_or_hidden_is_a_404(visitor, client, entry, name):
    elsewhere = factories.open_circle(factories.coordinator())
    stranger = factories.add(elsewhere)
    assert visitor.get(visitor.url(name, stranger.pk)).status_code == 404
    assert visitor.get(visitor.url(name, uuid.uuid4())).status_code == 404
    hidden = factories.add(entry, discreet=True)
    social = factories.account(factories.SOCIAL)
    factories.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(social)
    # Recording a refusal is theirs, granting is not: in both cases the member does not exist for them.
    assert client.get(visitor.url(name, hidden.pk)).status_code == 404


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("name", ["edit_member", "change_role", "habilitation", "remove", "link", "withdraw_refusal"])
def test_who_only_reads_the_circle_changes_nothing(visitor, client, entry, name):
    member = factories.by_hand(entry)
    helper = factories.account("35")
    factories.add(entry, helper.attachment.professional, role="313", wanted="oui")
    client.force_login(helper)
    assert client.get(visitor.url("member", member.pk)).status_code == 200
    assert client.get(visitor.url(name, member.pk)).status_code == 403
    assert client.post(visitor.url(name, member.pk), {}).status_code == 403


# ---- Edit ----------------------------------------------------------------------------------------


def test_edit_keeps_the_rest(visitor, entry):
    member = factories.relative(entry)
    response = visitor.post(visitor.url("edit_member", member.pk), sent(member, description="Le soir"))
    assert response.status_code == 303
    member.refresh_from_db()
    assert (member.description, member.mobile, member.version) == ("Le soir", "+33639982055", 2)


@pytest.mark.req("REL-11")
def test_the_second_of_two_people_sees_both_texts_and_chooses(visitor, entry):
    member = factories.relative(entry, family_name="MODÈLE", given_name="Karim")
    other = factories.account(family_name="PATRON", given_name="Élise")
    factories.add(entry, other.attachment.professional, wanted="oui")
    actions.update_member(
        factories.entry_of(other, entry),
        member,
        version=1,
        fields={"description": "Texte d’Élise", "mobile": "0639982056"},
    )
    url = visitor.url("edit_member", member.pk)
    response = visitor.post(url, sent(member, description="Mon texte", given_name="Karime"))
    page = text_of(response)
    assert response.status_code == 409
    assert "PATRON Élise a modifié cette fiche pendant votre saisie." in page
    for words in ("Mon texte", "Texte d’Élise", "06 39 98 20 55", "06 39 98 20 56"):
        assert words in page
    member.refresh_from_db()
    assert member.description == "Texte d’Élise", "nothing is overwritten silently"
    chosen = sent(
        member, description="Mon texte", given_name="Karime", comparaison="1",
        **{"choix-description": "moi", "choix-mobile": "autre", "choix-given_name": "moi"},
    )  # fmt: skip
    assert visitor.post(url, chosen).status_code == 303
    member.refresh_from_db()
    assert (member.description, member.mobile, member.given_name) == ("Mon texte", "+33639982056", "Karime")


@pytest.mark.req("REL-11")
def test_the_second_of_two_people_sees_both_texts_of_a_listed_member(visitor, entry):
    _second_of_two(visitor, entry, factories.add(entry), {})


@pytest.mark.req("REL-11")
def test_the_second_of_two_people_sees_both_texts_of_a_typed_member(visitor, entry):
    member = factories.by_hand(entry)
    said = {"family_name": member.family_name, "given_name": member.given_name, "profession": member.profession}
    _second_of_two(visitor, entry, member, said | {"phone": "05 36 49 10 40"})


def _second_of_two(visitor, entry, member, said):
    actions.update_member(entry, member, version=1, fields={"description": "Texte de l’autre"})
    url = visitor.url("edit_member", member.pk)
    response = visitor.post(url, said | {"description": "Mon texte", "version": 1})
    page = text_of(response)
    assert response.status_code == 409, page
    assert "Mon texte" in page and "Texte de l’autre" in page
    member.refresh_from_db()
    assert (member.description, member.version) == ("Texte de l’autre", 2)


@pytest.mark.req("REL-11")
def test_a_member_changed_meanwhile_is_not_removed_unseen(visitor, entry):
    member = factories.relative(entry)
    actions.update_member(entry, member, version=1, fields={"description": "Revient lundi"})
    url, sent = visitor.url("remove", member.pk), {"reason": "fin", "note": "Déménage"}
    response = visitor.post(url, sent | {"version": 1})
    assert response.status_code == 409 and "Relisez sa fiche avant de le retirer." in text_of(response)
    assert Period.objects.get(member=member).ends_on is None
    assert "Déménage" in text_of(response)
    # Read again, sent again from that page: it is done.
    assert visitor.post(url, sent | {"version": version_in(response)}).status_code == 303
    assert Period.objects.get(member=member).ends_on is not None


@pytest.mark.req("REL-11")
def test_a_departure_planned_meanwhile_is_read_before_another_is(visitor, entry):
    member = factories.relative(entry)
    day = timezone.localdate() + dt.timedelta(days=9)
    url = visitor.url("remove", member.pk)
    before = version_in(visitor.get(url))
    actions.plan_departure(entry, member, on=day, reason="fin", note="Mot de l’autre")
    sent = {"reason": "souhait", "note": "Mon mot", "day": f"{day:%d/%m/%Y}"}
    response = visitor.post(url, sent | {"version": before})
    page = text_of(response)
    assert response.status_code == 409 and "Mon mot" in page and "Mot de l’autre" in page
    assert visitor.post(url, sent | {"version": version_in(response)}).status_code == 303
    assert PlannedStay.objects.get().note == "Mon mot"
    name = entry.user.get_full_name()
    history = text_of(visitor.get(visitor.url("member_history", member.pk)))
    assert f"{name} a changé le motif ou la précision du départ prévu le {day:%d/%m/%Y}" in history
    # Called off since: it is read too.
    late = version_in(visitor.get(url))
    actions.call_off_stay(entry, PlannedStay.objects.get().pk)
    assert visitor.post(url, sent | {"version": late}).status_code == 409


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_give_a_role_reads_the_first_one(visitor, entry):
    member = factories.relative(entry)
    url = visitor.url("change_role", member.pk)
    read = {"starts_on": today(), "version": version_in(visitor.get(url))}
    for _ in range(2):
        # Sent twice, it is given once.
        assert visitor.post(url, read | {"role": "AIDANT_PRINCIPAL"}).status_code == 303
    late = visitor.post(url, read | {"role": "ECON"})
    page = text_of(late)
    assert late.status_code == 409 and "Aidant principal" in page.split("Enregistré par l’autre personne")[1]
    assert visitor.post(url, {"role": "ECON", "starts_on": today()}).status_code == 409
    assert Member.objects.row(entry, member.pk).role_code == "AIDANT_PRINCIPAL"
    assert visitor.post(url, read | {"role": "CAREGIVER", "version": version_in(late)}).status_code == 303
    assert Member.objects.row(entry, member.pk).role_code == "CAREGIVER"


def version_in(response) -> str:
    return re.search(r'name="version"\s+id="id_version"\s+value="(\d+)"', response.content.decode())[1]


@pytest.mark.req("REL-11")
def test_what_a_third_one_writes_while_the_two_texts_are_drawn_is_compared_too(visitor, entry, monkeypatch):
    """The version that is sent again is that of the texts shown, not of one written since."""
    member = factories.relative(entry)
    actions.update_member(entry, member, version=1, fields={"description": "Deux"})

    def drawn(*args, **said):
        actions.update_member(entry, member, version=2, fields={"description": "Trois"})
        return drawing_it(*args, **said)

    drawing_it = sheet._compare_page
    monkeypatch.setattr(sheet, "_compare_page", drawn)
    url = visitor.url("edit_member", member.pk)
    page = text_of(visitor.post(url, sent(member, description="Un")))
    assert "Deux" in page and "Trois" not in page
    assert re.search(r'name="version" value="(\d+)"', page)[1] == "2"


def test_a_third_change_during_the_comparison_is_compared_again(visitor, entry):
    member = factories.relative(entry)
    actions.update_member(entry, member, version=1, fields={"description": "Deux"})
    url = visitor.url("edit_member", member.pk)
    assert visitor.post(url, sent(member, description="Un")).status_code == 409
    member.refresh_from_db()
    actions.update_member(entry, member, version=2, fields={"description": "Trois"})
    again = visitor.post(url, sent(member, description="Un", comparaison="1", **{"choix-description": "moi"}))
    assert again.status_code == 409
    assert "Trois" in text_of(again)


def test_a_linked_member_shows_the_directory_and_adds_to_it(visitor, entry):
    member = factories.add(entry)
    url = visitor.url("edit_member", member.pk)
    assert "viennent de l’annuaire" in text_of(visitor.get(url))
    visitor.post(url, {"mobile": "06 39 98 41 07", "description": "Le mardi", "version": 1})
    member.refresh_from_db()
    assert (member.mobile, member.description) == ("+33639984107", "Le mardi")


def test_what_was_being_typed_comes_back(visitor, entry, coordinator):
    member = factories.relative(entry)
    drafts.save(coordinator, "cercle-membre", member.pk, "description=Presque+fini&version=1")
    assert "Presque fini" in text_of(visitor.get(visitor.url("edit_member", member.pk)))


# ---- Role ----------------------------------------------------------------------------------------


def test_change_of_role_with_its_hand_over(visitor, entry):
    held = factories.relative(entry, family_name="MARTIN", given_name="Claire", role="AIDANT_PRINCIPAL")
    other = factories.relative(entry, family_name="MARTIN", given_name="Luc", mobile="0639981235")
    url = visitor.url("change_role", other.pk)
    data = {"role": "AIDANT_PRINCIPAL", "starts_on": today(), "version": other.version}
    assert "MARTIN Claire tient ce rôle" in text_of(visitor.post(url, data))
    handover = {"passation-AIDANT_PRINCIPAL-starts_on": today(), "passation-AIDANT_PRINCIPAL-new_role": "CAREGIVER"}
    assert visitor.post(url, data | handover).status_code == 303
    rows = {row.id: row.role_code for row in Member.objects.rows(entry)}
    assert (rows[other.pk], rows[held.pk]) == ("AIDANT_PRINCIPAL", "CAREGIVER")


@pytest.mark.parametrize(("days", "verb"), [(0, "a le rôle"), (10, "prendra le rôle")])
def test_the_toast_of_a_hand_over_says_who_what_and_from_when(visitor, entry, days, verb):
    factories.relative(entry, family_name="MARTIN", given_name="Claire", role="AIDANT_PRINCIPAL", relation="DAUC")
    other = factories.relative(entry, family_name="PATRON", given_name="Luc", mobile="0639981235", relation="SONC")
    day = f"{timezone.localdate() + dt.timedelta(days=days):%d/%m/%Y}"
    data = {
        "role": "AIDANT_PRINCIPAL", "starts_on": today(), "passation-AIDANT_PRINCIPAL-starts_on": day,
        "passation-AIDANT_PRINCIPAL-new_role": "CAREGIVER", "version": other.version,
    }  # fmt: skip
    page = text_of(visitor.post(visitor.url("change_role", other.pk), data, follow=True))
    when = f"le {day}" if days else f"depuis le {day}"
    assert f"PATRON Luc {verb} « Aidant principal » {when}, à la suite de MARTIN Claire, qui" in page
    assert "le rôle « Aidant" in page[page.index("à la suite de MARTIN Claire, qui") :]


def test_a_role_left_as_it_was_says_no_more(visitor, entry):
    member = factories.relative(entry)
    data = {"role": "CAREGIVER", "starts_on": today(), "version": member.version}
    assert "Le rôle est à jour." in text_of(visitor.post(visitor.url("change_role", member.pk), data, follow=True))


@pytest.mark.parametrize(
    ("day", "also"), [("31/02/2026", ""), ("01/01/1990", ""), ("01/01/1990", "01/01/1990"), ("", "")]
)
def test_an_impossible_day_of_hand_over_is_said_once(visitor, entry, day, also):
    factories.relative(entry, family_name="MARTIN", given_name="Claire", role="AIDANT_PRINCIPAL")
    other = factories.relative(entry, family_name="MARTIN", given_name="Luc", mobile="0639981235")
    data = {
        "role": "AIDANT_PRINCIPAL", "starts_on": also or today(), "passation-AIDANT_PRINCIPAL-starts_on": day,
        "passation-AIDANT_PRINCIPAL-new_role": "CAREGIVER", "version": other.version,
    }  # fmt: skip
    response = visitor.post(visitor.url("change_role", other.pk), data)
    page = text_of(response)
    assert response.status_code == 422
    assert "1 champ à corriger" in page
    assert page.count('<p class="field-error"') == 1
    assert "starts_on-erreur" in page
    assert Member.objects.row(entry, other.pk).role_code == "CAREGIVER"


# ---- Habilitation --------------------------------------------------------------------------------


def test_closing_an_access_asks_once_more_with_its_impact(visitor, entry):
    member = factories.add(entry, factories.account().attachment.professional, wanted="oui")
    url = visitor.url("habilitation", member.pk)
    page = text_of(visitor.post(url, {"habilitation": "non"}))
    assert "Retirer l’habilitation de" in page
    assert "15 rubriques sur 16" in page
    assert "Garder l’accès" in page
    assert Habilitation.objects.get(members=member).state == "oui"
    visitor.post(url, {"habilitation": "non", "confirme": "1"})
    assert Habilitation.objects.get(members=member).state == "non"


@pytest.mark.req("SEC-5")
def test_a_refusal_stands_until_it_is_withdrawn(visitor, entry):
    member = factories.add(entry, factories.account().attachment.professional, wanted="oui")
    url = visitor.url("habilitation", member.pk)
    visitor.post(url, {"habilitation": "refus", "refused_on": today(), "collected": "oral"})
    assert Habilitation.objects.get(members=member).state == "refus"
    page = text_of(visitor.get(url))
    assert "Habilitation impossible. Le patient a refusé le partage le" in page.replace("</strong>", "")
    assert "Habilitation : oui" not in page
    assert visitor.post(url, {"habilitation": "oui", **factories.TEAM_POSTED}).status_code == 422
    assert Habilitation.objects.get(members=member).state == "refus"
    withdrawal = visitor.url("withdraw_refusal", member.pk)
    assert visitor.post(withdrawal, {"withdrawn_on": "", "collected": ""}).status_code == 422
    sent = visitor.post(withdrawal, {"withdrawn_on": today(), "collected": "ecrit"}, follow=True)
    assert "Le refus est retiré. L’accès reste fermé" in text_of(sent)
    assert Habilitation.objects.get(members=member).state == "non"


@pytest.mark.parametrize("make", [factories.relative, factories.by_hand, factories.add_house])
def test_who_can_never_be_granted_is_told_why_before_saving(visitor, entry, make):
    member = make(entry)
    page = text_of(visitor.get(visitor.url("habilitation", member.pk)))
    assert "Habilitation : oui" not in page
    assert "ne peut pas" in page
    assert (
        visitor.post(
            visitor.url("habilitation", member.pk), {"habilitation": "oui", **factories.TEAM_POSTED}
        ).status_code
        == 422
    )


def test_a_nurse_asks_and_a_coordinator_answers(visitor, client, entry, coordinator):
    nurse = factories.account()
    factories.add(entry, nurse.attachment.professional, wanted="oui")
    member = factories.add(entry, factories.account(family_name="AUTRE").attachment.professional)
    client.force_login(nurse)
    client.post(visitor.url("request", member.pk))
    assert Habilitation.objects.get(members=member).requested_by == nurse
    client.force_login(coordinator)
    assert "Habilitation demandée" in text_of(client.get(visitor.url("list"), {"afficher": "demande"}))
    client.post(visitor.url("request", member.pk))
    assert Habilitation.objects.get(members=member).state == "non", "asking never grants"
    client.post(visitor.url("habilitation", member.pk), {"habilitation": "oui", **factories.TEAM_POSTED})
    assert Habilitation.objects.get(members=member).state == "oui"


def test_nobody_changes_his_own_habilitation(visitor, entry, coordinator):
    own = Member.objects.get(dossier=entry.dossier, professional=coordinator.attachment.professional)
    page = text_of(visitor.get(visitor.url("member", own.pk)))
    assert "Retirer du cercle" not in page
    assert "Noter un refus" not in page
    assert visitor.post(visitor.url("habilitation", own.pk), {"habilitation": "non", "confirme": "1"}).status_code in (
        403,
        422,
    )
    assert Habilitation.objects.get(members=own).state == "oui"


@pytest.mark.req("REL-11")
def test_an_answer_given_to_another_question_opens_nothing(visitor, entry):
    """Closed by a colleague meanwhile: who had his page open reads it before opening again."""
    member = factories.add(entry, factories.account().attachment.professional)
    url, answer = visitor.url("habilitation", member.pk), {"habilitation": "oui", **factories.TEAM_POSTED}
    read = actions.read_as(Habilitation.objects.get(members=member))
    actions.set_habilitation(entry, member, "oui", rests=factories.team())
    assert visitor.post(url, answer | {"seen": read}).status_code == 303, "what is so already was sent twice"
    actions.set_habilitation(entry, member, "non")
    late = visitor.post(url, answer | {"seen": read})
    assert late.status_code == 409 and "a changé pendant votre saisie" in text_of(late)
    assert Habilitation.objects.get(members=member).state == "non"
    again = re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]+)"', late.content.decode())[1]
    assert visitor.post(url, answer | {"seen": again}).status_code == 303
    assert Habilitation.objects.get(members=member).state == "oui"


def test_discreet_and_back(visitor, entry):
    member = factories.add(entry)
    visitor.post(visitor.url("discreet", member.pk), {"discret": "1"})
    assert Member.objects.get(pk=member.pk).discreet
    visitor.post(visitor.url("discreet", member.pk), {"discret": "0"})
    assert not Member.objects.get(pk=member.pk).discreet


# ---- Link, removal, history ----------------------------------------------------------------------


def test_a_hand_entered_professional_is_linked_later(visitor, entry):
    member = factories.by_hand(entry, family_name="PROTOTYPE", given_name="Gilles")
    found = factories.listed(family_name="PROTOTYPE", given_name="Gilles")
    url = visitor.url("link", member.pk)
    assert visitor.get(url).status_code == 200
    assert visitor.post(url, {"activite": str(found.activities.get().pk)}).status_code == 303
    member.refresh_from_db()
    assert (member.kind, member.professional) == ("annuaire", found)
    assert visitor.post(url, {"activite": "n’importe quoi"}).status_code == 404


def test_removal_asks_why_and_is_undone_from_the_toast(visitor, entry):
    member = factories.add(entry, factories.listed(family_name="LEMODÈLE", given_name="Anne"))
    url = visitor.url("remove", member.pk)
    assert visitor.post(url, {"reason": "", "version": 1}).status_code == 422
    page = text_of(visitor.post(url, {"reason": "fin", "version": 1}, follow=True))
    assert "LEMODÈLE Anne a été retirée du cercle de soins." in page
    assert "Annuler le retrait" in page
    assert visitor.url("undo_removal", member.pk) in page
    page = text_of(visitor.post(visitor.url("undo_removal", member.pk), follow=True))
    assert "LEMODÈLE Anne est de retour dans le cercle de soins" in page
    assert Period.objects.get(member=member).ends_on is None


def test_undone_within_thirty_days_from_the_sheet_and_not_after(visitor, entry):
    member = factories.relative(entry)
    actions.remove_member(entry, member, reason="fin")
    assert "Annuler le retrait" in text_of(visitor.get(visitor.url("member", member.pk)))
    assert "Annuler le retrait" in text_of(visitor.get(visitor.url("member_history", member.pk)))
    long_ago = timezone.now() - dt.timedelta(days=31)
    Period.objects.filter(member=member).update(
        starts_on=long_ago.date(), ends_on=long_ago.date() + dt.timedelta(days=0), ended_at=long_ago
    )
    assert "Annuler le retrait" not in text_of(visitor.get(visitor.url("member", member.pk)))
    page = text_of(visitor.post(visitor.url("undo_removal", member.pk), follow=True))
    assert "Ce retrait date de plus de 30 jours" in page


def test_the_thirtieth_day_is_whole(visitor, entry):
    member = factories.relative(entry)
    actions.remove_member(entry, member, reason="fin")
    day = timezone.localdate() - dt.timedelta(days=30)
    early = timezone.make_aware(dt.datetime.combine(day, dt.time.min))
    Period.objects.filter(member=member).update(starts_on=day, ends_on=day, ended_at=early)
    assert "Annuler le retrait" in text_of(visitor.get(visitor.url("member", member.pk)))
    page = text_of(visitor.post(visitor.url("undo_removal", member.pk), follow=True))
    assert "MODÈLE Karim fait à nouveau partie du cercle de soins" in page


def test_a_nurse_may_not_remove(visitor, client, entry):
    nurse = factories.account()
    factories.add(entry, nurse.attachment.professional, wanted="oui")
    member = factories.relative(entry)
    client.force_login(nurse)
    assert client.get(visitor.url("remove", member.pk)).status_code == 403
    assert client.post(visitor.url("remove", member.pk), {"reason": "fin", "version": 1}).status_code == 403
    assert Period.objects.get(member=member).ends_on is None


def test_history_tells_the_circle_and_one_member_in_plain_french(visitor, entry):
    member = factories.relative(entry, family_name="MODÈLE", given_name="Karim")
    factories.add(entry, factories.listed(family_name="AUTRE"))
    page = text_of(visitor.get(visitor.url("history")))
    assert "EXEMPLE-LARRIEU Maëlle a ajouté MODÈLE Karim au cercle de soins : rôle « Aidant »." in page
    assert "AUTRE" in page
    assert "AUTRE" not in text_of(visitor.get(visitor.url("member_history", member.pk)))


def test_history_hides_discreet_members_from_who_may_not_know(visitor, client, entry):
    factories.add(entry, factories.listed(family_name="SECRET"), discreet=True)
    social = factories.account(factories.SOCIAL)
    factories.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(social)
    assert "SECRET" not in text_of(client.get(visitor.url("history")))


@pytest.mark.parametrize(("relation", "kept"), [("NBOR", "M"), ("DAU", "MME"), ("FRND", "")])
def test_a_civility_said_by_a_software_is_not_lost_on_the_screen(visitor, entry, relation, kept):
    member = factories.relative(entry, relation="NBOR")
    Member.objects.filter(pk=member.pk).update(civility="M")
    answer = visitor.post(visitor.url("edit_member", member.pk), sent(member, relation=relation, description="Voisin"))
    assert answer.status_code == 303
    member.refresh_from_db()
    assert (member.civility, member.description) == (kept, "Voisin")


def test_what_a_software_sent_that_the_lists_lack_stays_while_the_rest_is_edited(visitor, entry):
    member = factories.relative(entry)
    abroad = {"relation": "BROINLAW", "town": "Bruxelles", "postal_code": "", "commune_code": "", "civility": "MME"}
    Member.objects.filter(pk=member.pk).update(**abroad)
    page = visitor.get(visitor.url("edit_member", member.pk)).text
    assert re.search(r'<option value="BROINLAW"\s+selected', page)
    typed = sent(member, relation="BROINLAW", town_texte="Bruxelles", description="Appeler le soir")
    assert visitor.post(visitor.url("edit_member", member.pk), typed).status_code == 303
    member.refresh_from_db()
    assert member.description == "Appeler le soir"
    assert {name: getattr(member, name) for name in abroad} == abroad
    other = typed | {"version": member.version, "town_texte": "Bruxelles-sur-Tarn"}
    assert visitor.post(visitor.url("edit_member", member.pk), other).status_code == 422


def test_a_closed_dossier_is_read_and_no_more(visitor, entry):
    member = factories.relative(entry)
    entry.dossier.status, entry.dossier.closing_reason = "clos", "fin"
    entry.dossier.save()
    page = text_of(visitor.get(visitor.url("list")))
    assert "Ajouter un professionnel" not in page
    assert "Retirer du cercle" not in page
    assert visitor.get(visitor.url("member", member.pk)).status_code == 200
    before = Change.objects.count()
    assert visitor.post(visitor.url("edit_member", member.pk), sent(member)).status_code == 403
    assert Change.objects.count() == before


def test_rule_7_the_reduced_sheet_gives_a_function_and_a_telephone(visitor, client, entry):
    helper = factories.account("350")
    factories.add(entry, helper.attachment.professional, role="AGNT", wanted="oui")
    client.force_login(helper)
    rows = Member.objects.rows(factories.entry_of(helper, entry))
    page = text_of(client.get(visitor.url("member", rows[0].id)))
    assert "Référente du parcours" in page
    main = page[page.index("<main") :]
    assert "EXEMPLE-LARRIEU" not in main
    assert "Accès au dossier" not in main
    hidden = factories.relative(entry)
    assert client.get(visitor.url("member", hidden.pk)).status_code == 404
