"""Consents, équipe de soins and oppositions on the screens: noted, limited, withdrawn, printed (SEC-3 to SEC-6)."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions, history, ledger, todo
from circle.actions.reminding import remind_last_days
from circle.models import Change, Member
from coordination.accounts import reauthentication
from coordination.outbox.models import Message
from habilitations import information
from habilitations.models import Consent, Opposition, Trace
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
NAME = "EXEMPLE-LARRIEU Maëlle"
ORAL = "oral"


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


@pytest.fixture
def visitor(client, coordinator):
    client.force_login(coordinator)
    return client


def url(name, entry, *args):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, *args])


def words(answer):
    return answer.content.decode().replace("\xa0", " ").replace("&#39;", "'")


def day(moved=0):
    return f"{TODAY() + dt.timedelta(days=moved):%d/%m/%Y}"


def told(entry):
    changes = Change.objects.filter(dossier=entry.dossier.pk).with_names().order_by("at", "id")
    return [history.sentence(history.told_of(change)) for change in changes]


def traced(entry):
    lines = Trace.objects.of_dossier(entry.dossier.pk).filter(action="habilitation")
    return list(lines.values_list("reason", flat=True))


def express(entry, user, **details):
    consent = {"ground": "accord", "collected": ORAL, "starts_on": TODAY()} | details
    return actions.record_consent(entry, user.member, **consent)


def withdraw(entry, user, end="retrait"):
    return actions.end_consent(entry, user.member, end=end, ended_on=TODAY(), collected=ORAL)


def oppose(entry, rubrique, member=None, **details):
    said = {"refused_on": TODAY(), "collected": ORAL} | details
    return actions.record_opposition(entry, rubrique=rubrique, member=member, **said)


def words_of(entry, member):
    return Member.objects.row(entry, member.pk).access


# ---- acts and their history ------------------------------------------------------------------------


@pytest.mark.req("SEC-3", "SEC-9")
def test_each_act_is_told_in_the_history_and_traced(entry, nurse):
    express(entry, nurse, last_day=TODAY() + dt.timedelta(days=30))
    withdraw(entry, nurse)
    actions.record_consent(entry, nurse.member, **make.team())
    withdraw(entry, nurse, end="fin")
    sentences = [
        f"{NAME} a déclaré SPÉCIMEN Inès dans l’équipe de soins de la personne, depuis le {day()}.",
        f"{NAME} a noté l’accord exprès de la personne pour SPÉCIMEN Inès, donné le {day()}, jusqu’au {day(30)}.",
        f"{NAME} a noté que la personne retire son accord pour SPÉCIMEN Inès, le {day()} : accès fermé.",
        f"{NAME} a noté que SPÉCIMEN Inès ne fait plus partie de l’équipe de soins, le {day()} : accès fermé.",
    ]
    said = told(entry)
    assert all(sentence in said for sentence in sentences), said
    reasons = traced(entry)
    assert f"accord exprès noté le {day()}, jusqu’au {day(30)}" in reasons
    assert f"accord retiré le {day()}" in reasons
    assert f"fin d’équipe de soins le {day()}" in reasons


@pytest.mark.req("SEC-3")
def test_the_circle_says_what_is_missing(entry):
    member = make.add(entry, make.account().attachment.professional, wanted="oui", rests=None)
    assert member.habilitation.state == "oui"
    assert words_of(entry, member).detail == "Accord de la personne à recueillir"
    actions.record_consent(entry, member, **make.team())
    assert words_of(entry, member).is_open


@pytest.mark.req("SEC-3", "SEC-4")
def test_the_words_of_a_member_are_what_the_engine_gives(entry, nurse):
    def same():
        held, said = make.entry_of(nurse, entry).access, words_of(entry, nurse.member)
        return said.levels == tuple(int(held.granted(r)) for r in Rubrique)

    express(entry, nurse, rubriques=["liaison", "medical"])
    assert same()
    oppose(entry, "medical", nurse.member)
    assert same()
    oppose(entry, "liaison")
    assert same()
    assert words_of(entry, nurse.member).detail.endswith("accès réduit")
    withdraw(entry, nurse)
    assert words_of(entry, nurse.member).detail == f"Accord retiré le {day()}"
    oppose(entry, "")
    assert words_of(entry, nurse.member).detail == "Dossier fermé par la personne"


@pytest.mark.req("SEC-3")
def test_who_comes_in_by_a_consent_is_told_by_mail_once(entry):
    user = make.account()
    member = make.add(entry, user.attachment.professional, wanted="oui", rests=None)
    user.member = member
    assert not Message.objects.filter(to=user.email).exists(), "nothing is open yet"
    express(entry, user)
    express(entry, user, rubriques=["agenda"])
    assert Message.objects.filter(to=user.email).count() == 1


# ---- the form that habilitates ---------------------------------------------------------------------


@pytest.mark.req("SEC-3")
def test_yes_says_what_it_rests_on_or_that_it_is_to_be_collected(visitor, entry):
    target = make.account().attachment.professional.activities.get()
    path = url("add_professional", entry, target.pk)
    page = words(visitor.get(path))
    assert "Sur quoi repose le partage" in page
    sent = {
        "role": "PROV",
        "habilitation": "oui",
        "starts_on": day(),
        "creation_key": "0190b6a0-0000-7000-8000-000000000009",
    }
    refused = visitor.post(path, sent)
    assert refused.status_code == 422
    assert "Dites sur quoi repose le partage, ou que l’accord est à recueillir." in words(refused)
    how = visitor.post(path, sent | {"rests_on": "accord", "rests_since": day()})
    assert "Indiquez comment l’accord a été recueilli." in words(how)
    later = visitor.post(path, sent | {"rests_on": "a_recueillir"}, follow=True)
    assert "rien ne s’ouvre avant que l’accord de la personne soit noté" in words(later)
    assert (
        not Consent.objects.exclude(recorded_by=None)
        .filter(habilitation__user__attachment__professional=target.professional)
        .exists()
    )


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize(
    ("sent", "ground"),
    [
        ({"rests_on": "structure", "rests_since": "02/11/2026", "rests_told": "on"}, "structure"),
        ({"rests_on": "accord", "rests_since": "02/11/2026", "rests_how": "ecrit"}, "accord"),
    ],
)
def test_the_answer_keeps_it_with_its_day(visitor, entry, sent, ground):
    member = make.add(entry, make.account().attachment.professional)
    path = url("habilitation", entry, member.pk)
    assert visitor.post(path, {"habilitation": "oui"} | sent).status_code == 303
    consent = Consent.objects.get(habilitation=member.habilitation)
    assert (consent.ground, consent.starts_on, consent.informed_on) == (
        ground,
        dt.date(2026, 11, 2),
        dt.date(2026, 11, 2),
    )
    assert consent.information_version == information.VERSION
    assert words_of(entry, member).is_open
    # It rests on something already: nothing is asked again.
    assert visitor.post(path, {"habilitation": "non", "confirme": "1"}).status_code == 303
    assert visitor.post(path, {"habilitation": "oui"}).status_code == 303


# ---- the page of a member --------------------------------------------------------------------------


def read(client, path):
    """What the page says that it showed."""
    page = client.get(path).content.decode()
    return {"seen": re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]*)"', page)[1]}


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_note_a_consent_reopens_nothing_unseen(visitor, entry, nurse):
    path = url("consent", entry, nurse.member.pk)
    seen, sent = read(visitor, path), {"ground": "reconnue", "starts_on": day()}
    withdraw(entry, nurse)
    late = visitor.post(path, sent | seen)
    assert late.status_code == 409 and "a changé pendant votre saisie" in words(late)
    assert make.entry_of_or_none(nurse, entry) is None
    assert visitor.post(path, sent).status_code == 409, "a page that says nothing of what it showed"
    again = {"seen": re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]*)"', late.content.decode())[1]}
    for _ in range(2):
        assert visitor.post(path, sent | again).status_code == 303
    assert Consent.objects.filter(habilitation=nurse.member.habilitation).count() == 2, "sent twice, noted once"
    # Another one wrote something else.
    limited = {"ground": "accord", "starts_on": day(), "collected": ORAL, "rubriques": ["agenda"]}
    assert visitor.post(path, limited | read(visitor, path)).status_code == 303
    both = words(visitor.post(path, sent | {"ground": "organisee"} | again))
    table = both.split("Enregistré par l’autre personne")[1].split("</table>")[0]
    assert "Équipe organisée" in table and "Accord exprès de la personne" in table and "Agenda" in table


@pytest.mark.req("REL-11")
def test_the_consent_that_ends_is_the_one_that_was_read(visitor, entry, nurse):
    path = url("end_consent", entry, nurse.member.pk)
    ending = {"end": "fin", "ended_on": day()} | read(visitor, path)
    express(entry, nurse)
    late = visitor.post(path, ending)
    assert late.status_code == 409 and "Relisez-le avant de fermer l’accès." in words(late)
    assert make.entry_of_or_none(nurse, entry) is not None
    shown = re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]*)"', late.content.decode())[1]
    ended = {"end": "retrait", "ended_on": day(), "collected": ORAL, "seen": shown}
    assert visitor.post(path, ended).status_code == 303
    assert make.entry_of_or_none(nurse, entry) is None


@pytest.mark.req("SEC-3", "SEC-4")
def test_limited_then_withdrawn_on_its_page(visitor, entry, nurse):
    path = url("consent", entry, nurse.member.pk)
    assert "Équipe de soins : la personne s’adresse à ce professionnel" in words(visitor.get(path))
    sent = {"ground": "accord", "starts_on": day(), "collected": "ecrit", "proof": "Classeur du SSIAD",
            "rubriques": ["agenda", "liaison"], "last_day": day(90)}  # fmt: skip
    assert visitor.post(path, sent | read(visitor, path)).status_code == 303
    held = make.entry_of(nurse, entry).access
    assert (held.can_read("agenda"), held.can_read("medical"), held.until) == (
        True,
        False,
        TODAY() + dt.timedelta(days=90),
    )
    page = words(visitor.get(path))
    assert "Limité à : Cahier de liaison, Agenda." in page
    assert "Preuve : Classeur du SSIAD." in page
    end = url("end_consent", entry, nurse.member.pk)
    assert "Indiquez comment la personne l’a dit." in words(
        visitor.post(end, {"end": "retrait", "ended_on": day()} | read(visitor, end))
    )
    ended = {"end": "retrait", "ended_on": day(), "collected": ORAL} | read(visitor, end)
    assert visitor.post(end, ended).status_code == 303
    assert make.entry_of_or_none(nurse, entry) is None
    assert "Accord de la personne à recueillir." in words(visitor.get(path))


@pytest.mark.req("SEC-18")
def test_only_what_opens_asks_again_who_is_there(client, visitor, entry, nurse, monkeypatch):
    monkeypatch.setattr(reauthentication, "is_recent", lambda request, within: False)
    path = url("consent", entry, nurse.member.pk)
    sent = {"ground": "accord", "starts_on": day(), "collected": ORAL, "rubriques": ["agenda"]}
    assert visitor.post(path, sent | read(visitor, path)).url == path, "a narrower consent only closes"
    wider = visitor.post(path, sent | {"rubriques": ["agenda", "medical"]} | read(visitor, path))
    assert wider.url != path
    assert not make.entry_of(nurse, entry).access.can_read("medical")
    opposition = oppose(entry, "agenda")
    asked = visitor.post(url("withdraw_opposition", entry, opposition.pk), {"withdrawn_on": day(), "collected": ORAL})
    assert asked.url != url("consents", entry)
    assert Opposition.objects.standing().exists()


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("name", ["consents", "print_consents", "oppose"])
def test_who_may_not_note_sees_none_of_it(client, entry, name):
    helper = make.account("53")
    make.add(entry, helper.attachment.professional, wanted="oui")
    client.force_login(helper)
    assert client.get(url(name, entry)).status_code == 403
    outsider = make.account()
    client.force_login(outsider)
    assert client.get(url(name, entry)).status_code == 404


# ---- oppositions -----------------------------------------------------------------------------------


@pytest.mark.req("SEC-5")
def test_an_opposition_is_noted_and_withdrawn_on_the_screens(visitor, entry, nurse):
    path = url("oppose", entry)
    assert "SPÉCIMEN Inès" in words(visitor.get(path))
    sent = {"rubrique": "medical", "whom": str(nurse.member.pk), "refused_on": day(), "collected": ORAL}
    assert visitor.post(path, sent).status_code == 303
    assert not make.entry_of(nurse, entry).access.can_read("medical")
    opposition = Opposition.objects.get()
    page = words(visitor.get(url("consents", entry)))
    assert "Opposition : Volet médical" in page
    assert visitor.post(path, sent).status_code == 303, "noted twice is noted once"
    assert Opposition.objects.count() == 1
    done = visitor.post(url("withdraw_opposition", entry, opposition.pk), {"withdrawn_on": day(), "collected": ORAL})
    assert done.status_code == 303
    assert make.entry_of(nurse, entry).access.can_read("medical")
    assert visitor.get(url("withdraw_opposition", entry, opposition.pk)).status_code == 404


@pytest.mark.req("SEC-5")
def test_the_whole_dossier_but_for_who_is_named(visitor, entry, nurse, coordinator):
    other = make.account()
    make.add(entry, other.attachment.professional, wanted="oui")
    sent = {"rubrique": "dossier", "whom": "tous", "spared": [str(nurse.pk)], "refused_on": day(), "collected": ORAL}
    assert visitor.post(url("oppose", entry), sent).status_code == 303
    assert make.entry_of_or_none(other, entry) is None
    assert make.entry_of(nurse, entry)
    assert make.entry_of(coordinator, entry), "who noted it can withdraw it"
    one = visitor.post(url("oppose", entry), sent | {"whom": str(nurse.member.pk)})
    assert "notez un refus sur sa fiche" in words(one)


@pytest.mark.req("SEC-6")
def test_an_opposed_rubric_looks_like_one_that_was_reduced(client, entry, nurse):
    """Same status, same sentences: only the name of the rubric and what the others may do differ."""
    oppose(entry, "medical", nurse.member)
    ceilings = {Rubrique.PLAN: Niveau.AUCUN}
    actions.limit_access(entry, nurse.member, ceilings=ceilings, until=None)
    client.force_login(nurse)
    page = words(client.get(reverse("dossiers:access", args=[entry.dossier.pk])))

    def said(key, label):
        block = page[page.index(f'id="{key}"') :].partition("<li class")[0].partition("</ul>\n")[0]
        block = re.sub(r'<p class="second">Ouvert aux[^<]*</p>', "", block)
        return (
            block.replace(label, "X")
            .replace(key, "x")
            .partition("</li>\n      ")[0]
            .rstrip()
            .removesuffix("</li>")
            .rstrip()
        )

    assert said("medical", "Volet médical") == said("plan", "Plan personnalisé")
    block = page[page.index('id="medical"') :].split("</details>")[0]
    assert "Accès non autorisé à cette rubrique dans ce dossier." in block
    assert "infirmiers" not in block, "his own profession is not said to open it"
    for path in (reverse("dossiers:home", args=[entry.dossier.pk]), url("history", entry), url("list", entry)):
        assert "oppos" not in words(client.get(path)).lower()


@pytest.mark.req("SEC-6")
def test_the_opposed_one_finds_nothing_of_it_where_facts_are_listed(client, entry, nurse):
    mine, everybody = oppose(entry, "medical", nurse.member), oppose(entry, "social")
    client.force_login(nurse)
    for path in (url("consents", entry), url("consent", entry, nurse.member.pk), url("print_consents", entry)):
        page = words(client.get(path))
        assert "Opposition :" not in page
    for opposition in (mine, everybody):
        assert client.get(url("withdraw_opposition", entry, opposition.pk)).status_code == 404
    # Noting it himself answers as if it were new.
    sent = {"rubrique": "medical", "whom": str(nurse.member.pk), "refused_on": day(), "collected": ORAL}
    assert client.post(url("oppose", entry), sent).status_code == 303
    assert Opposition.objects.count() == 2


# ---- the list, the recap ---------------------------------------------------------------------------


@pytest.mark.req("SEC-3", "SEC-5")
def test_the_list_holds_every_fact_and_its_filters(visitor, entry, nurse):
    express(entry, nurse, rubriques=["agenda"])
    refused = make.add(entry, wanted="refus", refusal={"refused_on": TODAY(), "collected": ORAL, "comment": ""})
    waiting = make.add(entry, make.account().attachment.professional, wanted="oui", rests=None)
    oppose(entry, "social")
    facts = ledger.facts_of(entry)
    assert {fact.state for fact in facts} == {ledger.STANDING, ledger.PAST, ledger.MISSING}
    assert facts[0].member_id == waiting.pk
    assert {fact.member_id for fact in ledger.kept(facts, ledger.REFUSALS)} == {refused.pk, None}
    assert [fact.member_id for fact in ledger.kept(facts, ledger.PAST)] == [nurse.member.pk]
    for shown in ("", "en-cours", "a-recueillir", "accords", "refus", "termines", "inconnu"):
        assert visitor.get(url("consents", entry), {"afficher": shown}).status_code == 200
    page = words(visitor.get(url("consents", entry), {"afficher": "a-recueillir"}))
    assert page.count('class="row-news"') == 1


@pytest.mark.req("SEC-3")
def test_the_recap_holds_what_stands_the_text_and_a_place_to_sign(visitor, entry, nurse):
    withdraw(entry, nurse)
    oppose(entry, "social")
    page = words(visitor.get(url("print_consents", entry)))
    assert information.TEXT[0][:60] in page
    assert "Signature de la personne" in page
    assert "Opposition : Volet social" in page
    assert "SPÉCIMEN Inès" not in page, "what was withdrawn is no longer shared"
    assert Trace.objects.of_dossier(entry.dossier.pk).filter(action="impression").exists()


@pytest.mark.req("SEC-3")
def test_nobody_signs_that_who_has_left_is_told(visitor, entry, nurse):
    actions.remove_member(entry, nurse.member, reason="fin")
    assert "SPÉCIMEN Inès" not in words(visitor.get(url("print_consents", entry)))
    left = [fact for fact in ledger.facts_of(entry) if fact.member_id == nurse.member.pk]
    assert [fact.state for fact in left] == [ledger.PAST]
    assert f"A quitté le cercle de soins le {day()}." in left[0].details
    actions.undo_removal(entry, nurse.member)
    assert "SPÉCIMEN Inès" in words(visitor.get(url("print_consents", entry)))


@pytest.mark.req("SEC-5")
def test_the_recap_of_a_closed_dossier_says_so_and_who_keeps_it(visitor, entry, nurse):
    page = words(visitor.get(url("print_consents", entry)))
    assert "Le partage est arrêté" not in page
    oppose(entry, "", spared=[nurse.pk])
    page = words(visitor.get(url("print_consents", entry)))
    assert "Le partage est arrêté pour tout le dossier" in page
    assert f"Gardent l’accès : {NAME}, SPÉCIMEN Inès." in page


def test_ones_own_page_says_who_completes_it(visitor, entry, nurse):
    own = Member.objects.get(habilitation__user=entry.user, dossier=entry.dossier)
    said = "Un autre membre qui note les accords"
    assert said in words(visitor.get(url("consent", entry, own.pk)))
    assert said not in words(visitor.get(url("consent", entry, nurse.member.pk)))


@pytest.mark.req("PERF-3")
@pytest.mark.parametrize("name", ["consents", "print_consents"])
def test_statements_are_flat(visitor, entry, name):
    counted = []
    for _ in range(2):
        for _ in range(3):
            user = make.account()
            user.member = make.add(entry, user.attachment.professional, wanted="oui")
            express(entry, user)
        visitor.get(url(name, entry))
        with CaptureQueriesContext(connection) as captured:
            assert visitor.get(url(name, entry)).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 13, counted


def test_a_discreet_member_is_not_told_to_who_may_not_see_him(client, entry):
    make.add(entry, make.account().attachment.professional, wanted="oui", discreet=True)
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, role="AGNT", wanted="oui")
    seen = {fact.who for fact in ledger.facts_of(entry)}
    assert {fact.who for fact in ledger.facts_of(make.entry_of(social, entry))} < seen


# ---- what is to do ---------------------------------------------------------------------------------


@pytest.mark.req("SEC-4")
def test_what_is_missing_or_ends_soon_is_to_do_and_reminded_once(visitor, entry, nurse, coordinator):
    express(entry, nurse, last_day=TODAY() + dt.timedelta(days=5))
    member = make.add(entry, make.account().attachment.professional, wanted="oui", rests=None)
    lines = todo.of(coordinator).consents
    assert [(line.member_id, line.until) for line in lines] == [
        (nurse.member.pk, TODAY() + dt.timedelta(days=5)), (member.pk, None),
    ]  # fmt: skip
    page = words(visitor.get(reverse("todo")))
    assert "habilitation sans accord ni équipe de soins : rien n’est ouvert" in page
    assert todo.of(nurse).consents[0].member_id == member.pk, "his own is for somebody else"
    Message.objects.all().delete()
    assert remind_last_days() == 1
    assert Message.objects.get().to == coordinator.email
    assert remind_last_days() == 0


@pytest.mark.req("SEC-3")
def test_who_opens_a_dossier_is_in_the_team_and_the_information_is_to_note(entry, coordinator):
    consent = Consent.objects.get(habilitation__user=coordinator)
    assert (consent.ground, consent.informed_on) == ("reconnue", None)
    assert "information à noter" in ledger.facts_of(entry)[0].details[0]


def test_a_relative_is_never_of_the_team(visitor, entry):
    relative = make.relative(entry)
    sent = {"ground": "reconnue", "starts_on": day()}
    assert visitor.post(url("consent", entry, relative.pk), sent).status_code == 422
    assert (
        visitor.post(url("consent", entry, relative.pk), sent | {"ground": "accord", "collected": ORAL}).status_code
        == 303
    )


@pytest.mark.req("SEC-5")
def test_in_a_closed_dossier_one_may_still_oppose_and_withdraw_a_consent(visitor, entry, nurse):
    type(entry.dossier).objects.filter(pk=entry.dossier.pk).update(status="pause")
    assert visitor.get(url("consent", entry, nurse.member.pk)).status_code == 200
    sent = {"ground": "reconnue", "starts_on": day()}
    assert visitor.post(url("consent", entry, nurse.member.pk), sent).status_code == 403
    said = {"rubrique": "medical", "whom": "tous", "refused_on": day(), "collected": ORAL}
    assert visitor.post(url("oppose", entry), said).status_code == 303
    path = url("end_consent", entry, nurse.member.pk)
    assert visitor.post(path, {"end": "fin", "ended_on": day()} | read(visitor, path)).status_code == 303
    assert make.entry_of_or_none(nurse, entry) is None
    assert make.entry_of(entry.user, entry).access.granted(Rubrique.MEDICAL) == Niveau.AUCUN


@pytest.mark.req("SEC-4")
def test_who_notes_the_end_of_his_own_consent_is_out(client, entry, nurse):
    client.force_login(nurse)
    path = url("consent", entry, nurse.member.pk)
    assert "Noter sur quoi repose le partage" not in words(client.get(path)), "nobody notes for himself what opens"
    assert client.post(path, {"ground": "accord", "starts_on": day(), "collected": ORAL}).status_code == 403
    end = {"end": "retrait", "ended_on": day(), "collected": ORAL}
    ending = url("end_consent", entry, nurse.member.pk)
    done = client.post(ending, end | read(client, ending))
    assert (done.status_code, done.url) == (303, reverse("dossiers:list"))
    assert client.get(path).status_code == 404


def test_the_rubrics_of_a_consent_are_grouped_as_in_the_navigation(visitor, entry, nurse):
    page = words(visitor.get(url("consent", entry, nurse.member.pk)))
    groups = page.split('id="id_rubriques"')[1].split("</form>")[0]
    assert [part.split("</legend>")[0].strip() for part in groups.split("<legend>")[2:]] == [
        "La personne", "Échanges", "Accompagnement", "Pièces et traces",
    ]  # fmt: skip
    assert groups.count('type="checkbox"') == 14
    refused = words(visitor.post(url("consent", entry, nurse.member.pk), {"rubriques": ["inventee"]}))
    link = re.search(r'href="#(id_rubriques_[0-9_]+)"', refused)[1]
    assert f'id="{link}"' in refused, "the link of the summary of errors leads to the first box"
