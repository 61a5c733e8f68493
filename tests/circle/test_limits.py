"""« Réduire pour ce dossier » and the last day of an access: the acts, the page, the words of the circle."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from circle import actions, history, summaries
from circle.actions.reminding import remind_last_days
from circle.models import Change, Member
from coordination.accounts import drafts, reauthentication
from coordination.outbox.models import Message
from habilitations import published
from habilitations.actions import publish_matrix
from habilitations.actions.limits import standing
from habilitations.errors import GrantNotAllowed, LastDayBehind, OwnHabilitation
from habilitations.models import Ceiling, Habilitation
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def nurse(entry):
    user = make.account(family_name="SPÉCIMEN", given_name="Inès")
    user.member = make.add(entry, user.attachment.professional, wanted="oui")
    return user


def limit(entry, user, ceilings=None, until=None):
    return actions.limit_access(entry, user.member, ceilings=ceilings or {}, until=until)


def level(user, entry, rubrique):
    return make.entry_of(user, entry).access.level(rubrique)


def told(entry):
    changes = Change.objects.filter(dossier=entry.dossier.pk).with_names().order_by("at", "id")
    return [history.sentence(history.told_of(change)) for change in changes]


def url(name, entry, user):
    return reverse(f"circle:{name}", args=[entry.dossier.pk, user.member.pk])


def words(answer):
    return answer.content.decode().replace("\u00a0", " ").replace("&#39;", "'")


def seen_in(answer):
    return re.search(r'name="seen"\s+id="id_seen"\s+value="([^"]*)"', answer.content.decode())[1]


def send(client, entry, user, typed):
    """Send what is typed on the page as it stands."""
    page = url("limits", entry, user)
    return client.post(page, typed | {"seen": seen_in(client.get(page))})


def test_a_ceiling_lowers_at_once_is_told_and_is_lifted(entry, nurse):
    limit(entry, nurse, {Rubrique.MEDICAL: Niveau.AUCUN, Rubrique.LIAISON: Niveau.LECTURE})
    assert level(nurse, entry, Rubrique.MEDICAL) == Niveau.AUCUN
    assert level(nurse, entry, Rubrique.LIAISON) == Niveau.LECTURE
    limit(entry, nurse, {Rubrique.LIAISON: Niveau.LECTURE})
    assert level(nurse, entry, Rubrique.MEDICAL) == Niveau.ECRITURE
    said = told(entry)
    name = "EXEMPLE-LARRIEU Maëlle"
    assert f"{name} a réduit l’accès : SPÉCIMEN Inès, « Volet médical », pas d’accès." in said
    assert f"{name} a levé la réduction de l’accès : SPÉCIMEN Inès, « Volet médical »." in said
    assert len([line for line in said if "Cahier de liaison" in line]) == 1, "what did not change is not told again"
    assert Ceiling.objects.count() == 2


def test_a_ceiling_above_the_matrix_gives_nothing(entry, nurse):
    limit(entry, nurse, {Rubrique.JOURNAL: Niveau.LECTURE, Rubrique.PSYCHOLOGIQUE: Niveau.LECTURE})
    assert level(nurse, entry, Rubrique.JOURNAL) == Niveau.AUCUN
    assert level(nurse, entry, Rubrique.PSYCHOLOGIQUE) == Niveau.LECTURE


def test_the_last_day_is_the_last(entry, nurse):
    limit(entry, nurse, until=TODAY())
    assert make.entry_of(nurse, entry)
    assert Member.objects.row(entry, nurse.member.pk).access.detail.endswith(f"fin d’accès le {TODAY():%d/%m/%Y}")
    yesterday = TODAY() - dt.timedelta(days=1)
    Habilitation.objects.filter(user=nurse).update(access_until=yesterday)
    row = Member.objects.row(entry, nurse.member.pk)
    assert (row.access.phrase, row.access.detail) == ("Pas d’accès", f"Accès terminé le {yesterday:%d/%m/%Y}")
    assert not row.has_access
    with pytest.raises(LastDayBehind):
        limit(entry, nurse, until=yesterday - dt.timedelta(days=1))


def test_a_new_yes_after_the_end_is_a_grant_of_its_own(entry, nurse):
    Habilitation.objects.filter(user=nurse).update(access_until=TODAY() - dt.timedelta(days=1))
    actions.set_habilitation(entry, nurse.member, "oui", rests=make.team())
    assert make.entry_of(nurse, entry).access.until is None


def test_undoing_a_removal_gives_back_no_more_than_there_was(entry, nurse):
    last = TODAY() + dt.timedelta(days=3)
    limit(entry, nurse, {Rubrique.MEDICAL: Niveau.AUCUN}, until=last)
    actions.remove_member(entry, nurse.member, reason="fin", note="", version=nurse.member.version)
    actions.undo_removal(entry, nurse.member)
    found = make.entry_of(nurse, entry).access
    assert (found.until, found.level(Rubrique.MEDICAL)) == (last, Niveau.AUCUN)


def test_extended_in_one_click(client, entry, nurse):
    last = TODAY() + dt.timedelta(days=3)
    limit(entry, nurse, {Rubrique.MEDICAL: Niveau.AUCUN}, until=last)
    client.force_login(entry.user)
    for _ in range(2):
        # A second click gives three months, not six.
        assert client.post(url("extend", entry, nurse), {"fin": last.isoformat()}).status_code == 303
    assert client.post(url("extend", entry, nurse)).status_code == 303
    found = make.entry_of(nurse, entry).access
    assert (found.until, found.level(Rubrique.MEDICAL)) == (last + dt.timedelta(days=90), Niveau.AUCUN)


def test_who_may(entry, nurse):
    own = Member.objects.get(dossier=entry.dossier.pk, habilitation__user=entry.user)
    with pytest.raises(OwnHabilitation):
        actions.limit_access(entry, own, ceilings={}, until=TODAY())
    other = make.account()
    make.add(entry, other.attachment.professional, wanted="oui")
    with pytest.raises(GrantNotAllowed):
        limit(make.entry_of(other, entry), nurse, {Rubrique.MEDICAL: Niveau.AUCUN})


# ---- the page --------------------------------------------------------------------------------------


def test_the_page_sets_what_it_shows(client, entry, nurse):
    client.force_login(entry.user)
    text = words(client.get(url("limits", entry, nurse)))
    assert "Réduire pour ce dossier : SPÉCIMEN Inès" in text
    assert 'name="journal"' not in text, "what her profession does not open is not offered"
    sent = send(client, entry, nurse, {"medical": "0", "liaison": "1", "until": ""})
    assert sent.status_code == 303
    assert level(nurse, entry, Rubrique.MEDICAL) == Niveau.AUCUN
    assert 'value="0" selected' in words(client.get(url("limits", entry, nurse)))


def test_the_preview_is_what_would_be_and_saves_nothing(client, entry, nurse):
    client.force_login(entry.user)
    asked = client.get(url("limits", entry, nurse), {"apercu": "1", "medical": "0", "social": "0"})
    assert "Aperçu mis à jour : 13 rubriques sur 16." in words(asked)
    typed = client.post(url("limits", entry, nurse), {"apercu": "1", "medical": "0"})
    assert typed.status_code == 200
    assert not Ceiling.objects.exists()


def test_what_a_new_version_makes_useless_stands_when_another_line_is_saved(client, entry, nurse):
    """Lowered to reading, then the profession itself reads only: who changes the last day has lifted nothing."""
    limit(entry, nurse, {Rubrique.LIAISON: Niveau.LECTURE})
    matrix = published.current()
    levels = {profile: dict(row) for profile, row in matrix.levels.items()}
    levels[make.entry_of(nurse, entry).access.profile]["liaison"] = Niveau.LECTURE
    publish_matrix(levels, matrix.actions, matrix.profiles, by=None, reason="Essai")
    client.force_login(entry.user)
    page = client.get(url("limits", entry, nurse))
    typed = {"until": f"{TODAY() + dt.timedelta(days=9):%d/%m/%Y}", "seen": seen_in(page)}
    for name, options in re.findall(r'<select [^>]*?name="(\w+)"[^>]*>(.*?)</select>', page.content.decode(), re.S):
        chosen = re.search(r'<option value="(\w*)"\s+selected', options)
        typed[name] = chosen[1] if chosen else ""
    assert client.post(url("limits", entry, nurse), typed).status_code == 303
    nurse.member.habilitation.refresh_from_db()
    assert nurse.member.habilitation.access_until is not None
    assert standing(nurse.member.habilitation) == {Rubrique.LIAISON: Niveau.LECTURE}


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_limit_a_member_lifts_nothing_unseen(client, entry, nurse):
    client.force_login(entry.user)
    page = url("limits", entry, nurse)
    seen = seen_in(client.get(page))
    drafts.save(entry.user, "cercle-limites", nurse.member.pk, f"liaison=1&until=&seen={seen}")
    limit(entry, nurse, {Rubrique.MEDICAL: Niveau.AUCUN})
    assert seen_in(client.get(page)) == seen, "what is taken up again was typed on what was read then"
    first = client.post(page, {"medical": "", "liaison": "1", "until": "", "seen": seen})
    said = words(first)
    assert first.status_code == 409 and "a changé pendant votre saisie" in said
    table = said.split("Enregistré par l’autre personne")[1].split("</table>")[0]
    assert "Volet médical" in table and "Selon sa profession" in table and "Pas d’accès" in table
    assert level(nurse, entry, Rubrique.MEDICAL) == Niveau.AUCUN
    assert level(nurse, entry, Rubrique.LIAISON) == Niveau.ECRITURE
    assert client.post(page, {"medical": "", "liaison": "1", "until": ""}).status_code == 409
    # Read, and sent again: it is done knowingly. Sent twice, it is done once.
    for _ in range(2):
        again = client.post(page, {"medical": "", "liaison": "1", "until": "", "seen": seen_in(first)})
        assert again.status_code == 303, words(again)
    assert level(nurse, entry, Rubrique.MEDICAL) == Niveau.ECRITURE
    assert level(nurse, entry, Rubrique.LIAISON) == Niveau.LECTURE


@pytest.mark.req("SEC-18")
def test_closing_never_waits_for_a_password_and_opening_does(client, entry, nurse, monkeypatch):
    client.force_login(entry.user)
    asked = []
    monkeypatch.setattr(reauthentication, "require", lambda request, act, within: asked.append((act, within)))
    month = TODAY() + dt.timedelta(days=30)
    send(client, entry, nurse, {"medical": "0", "until": f"{month:%d/%m/%Y}"})
    send(client, entry, nurse, {"medical": "0", "until": f"{TODAY():%d/%m/%Y}"})
    assert asked == []
    send(client, entry, nurse, {"medical": "1", "until": f"{TODAY():%d/%m/%Y}"})
    send(client, entry, nurse, {"medical": "1", "until": ""})
    # What the question says is words, and the window that of acts inside a dossier.
    assert asked == [("rendre un accès au dossier", reauthentication.DOSSIER)] * 2


def test_a_day_gone_by_is_said_beside_its_field(client, entry, nurse):
    client.force_login(entry.user)
    sent = send(client, entry, nurse, {"until": "01/01/2020"})
    assert sent.status_code == 422
    assert "Le dernier jour d’accès ne peut pas être passé" in words(sent)


def test_a_structure_is_reduced_for_its_delegates(client, entry):
    delegate = make.account()
    house = make.legal_structure(delegate)
    member = make.add_house(entry, house, wanted="oui")
    client.force_login(entry.user)
    page = reverse("circle:limits", args=[entry.dossier.pk, member.pk])
    assert "Chaque délégué garde les droits de sa profession" in words(client.get(page))
    assert client.post(page, {"medical": "0", "seen": seen_in(client.get(page))}).status_code == 303
    assert level(delegate, entry, Rubrique.MEDICAL) == Niveau.AUCUN
    assert level(delegate, entry, Rubrique.LIAISON) == Niveau.ECRITURE


@pytest.mark.req("SEC-7")
def test_a_discreet_referent_is_not_named_in_lists_to_whom_the_medical_rubric_was_closed(entry, nurse):
    actions.change_role(entry, Member.objects.get(habilitation__user=entry.user), role="REFERENT")
    Member.objects.filter(habilitation__user=entry.user).update(discreet=True)
    assert summaries.referents(nurse, [entry.dossier.pk])
    limit(entry, nurse, {Rubrique.MEDICAL: Niveau.AUCUN})
    assert summaries.referents(nurse, [entry.dossier.pk]) == {}
    Member.objects.filter(habilitation__user=entry.user).update(discreet=False)
    assert summaries.referents(nurse, [entry.dossier.pk])


# ---- the reminder ----------------------------------------------------------------------------------


def test_who_may_extend_is_told_once_without_a_name(entry, nurse):
    limit(entry, nurse, until=TODAY() + dt.timedelta(days=20))
    assert remind_last_days() == 0, "too early"
    limit(entry, nurse, until=TODAY() + dt.timedelta(days=14))
    assert remind_last_days() == 1
    mail = Message.objects.get(to=entry.user.email)
    said = f"{mail.subject} {mail.text} {mail.html}"
    assert not any(word in said for word in ("SPÉCIMEN", "Inès", entry.dossier.birth_name, str(entry.dossier.pk)))
    assert "/a-faire/" in mail.text
    assert remind_last_days() == 0, "told once"
    limit(entry, nurse, until=TODAY() + dt.timedelta(days=3))
    assert remind_last_days() == 1, "moved: told again"


def test_nobody_is_reminded_of_what_is_closed(entry, nurse):
    limit(entry, nurse, until=TODAY() + dt.timedelta(days=3))
    actions.set_habilitation(entry, nurse.member, "non")
    Habilitation.objects.filter(user=nurse).update(access_until=TODAY() + dt.timedelta(days=3))
    assert remind_last_days() == 0
