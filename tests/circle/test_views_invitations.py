"""Pages of invitations: the form that invites, the list that follows, the link that is answered."""

import datetime as dt
import html
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions, links
from circle.models import Invitation, Member
from coordination.accounts.models import User
from coordination.outbox.models import Message
from habilitations.models import Habilitation, Trace
from tests.accounts.factories import PASSWORD
from tests.circle import factories as make
from tests.circle.test_invitations import (
    ADDRESS,
    colleague,
    directory_person,
    invited,
    invited_by_hand,
    names,
    newcomer,
)

pytestmark = pytest.mark.django_db
CHOSEN = {"family_name": "Spécimen", "given_name": "Inès", "password1": PASSWORD, "password2": PASSWORD}


def link(invitation, way=links.MAILED, page="answer"):
    return reverse(f"invitations:{page}", args=[links.token_of(invitation, way)])


def text(response):
    return html.unescape(response.content.decode()).replace("\xa0", " ")


@pytest.fixture
def at_desk(client, entry):
    client.force_login(entry.user)
    return client


# ---- Inviting from the circle ---------------------------------------------------------------------


def typed(**fields):
    said = {"role": "PROV", "habilitation": "oui", **make.TEAM_POSTED, "starts_on": "", "creation_key": uuid.uuid4()}
    return said | {"starts_on": f"{timezone.localdate():%d/%m/%Y}"} | fields


def test_the_form_adds_habilitates_and_invites(at_desk, entry):
    person = make.listed()
    url = reverse("circle:add_professional", args=[entry.dossier.pk, person.pk])
    page = text(at_desk.get(url))
    assert "Invitation" in page and "Adresse e-mail professionnelle" in page and entry.user.get_full_name() in page
    answer = at_desk.post(url, typed(invitation_email=ADDRESS, invitation_message="À bientôt"))
    assert answer.status_code == 303
    invitation = Invitation.objects.get(member__professional=person)
    assert (invitation.email, invitation.message) == (ADDRESS, "À bientôt")


def test_without_an_address_nobody_is_invited(at_desk, entry):
    url = reverse("circle:add_professional", args=[entry.dossier.pk, make.listed().pk])
    assert at_desk.post(url, typed(invitation_email="")).status_code == 303
    assert not Invitation.objects.exists()


def test_nobody_is_invited_whom_one_does_not_habilitate(at_desk, entry):
    url = reverse("circle:add_professional", args=[entry.dossier.pk, make.listed().pk])
    page = at_desk.post(url, typed(habilitation="non", invitation_email=ADDRESS))
    assert page.status_code == 422 and "Sans habilitation, personne n’est invité" in text(page)
    assert not Member.objects.exclude(created_by=entry.user).exists() and not Invitation.objects.exists()


def test_who_has_an_account_is_not_asked_for_an_address(at_desk, entry):
    person = make.account().attachment.professional
    page = text(at_desk.get(reverse("circle:add_professional", args=[entry.dossier.pk, person.pk])))
    assert "invitation_email" not in page


def test_the_letter_and_the_button_follow_what_is_typed(at_desk, entry):
    url = reverse("circle:preview_letter", args=[entry.dossier.pk, make.listed().pk])
    answer = at_desk.post(url, typed(invitation_email=ADDRESS, invitation_message="Bonjour <b>Nadia</b>"))
    answer = answer.content.decode()
    assert "Ajouter, habiliter et inviter" in answer and "Bonjour &lt;b&gt;Nadia&lt;/b&gt;" in answer
    assert entry.dossier.birth_name not in answer


def test_somebody_typed_by_hand_is_invited_by_the_second_button(at_desk, entry):
    url = reverse("circle:add_manually", args=[entry.dossier.pk, "professionnel"])
    said = typed(family_name="Spécimen", given_name="Inès", profession=make.NURSE, email=ADDRESS)
    assert at_desk.post(url, said | {"inviter": "oui"}).status_code == 303
    member = Member.objects.get(family_name="SPÉCIMEN")
    assert member.habilitation.state == Habilitation.State.ATTENTE and member.invitations.get().email == ADDRESS


def test_inviting_by_hand_needs_an_address(at_desk, entry):
    url = reverse("circle:add_manually", args=[entry.dossier.pk, "professionnel"])
    said = typed(family_name="Spécimen", given_name="Inès", profession=make.NURSE, phone="05 36 49 10 40")
    page = at_desk.post(url, said | {"inviter": "oui"})
    assert page.status_code == 422 and "indiquez son adresse e-mail" in text(page)


@pytest.mark.req("SEC-18")
def test_inviting_by_hand_asks_again_who_is_there(at_desk, entry, settings):
    settings.DOSSIER_REAUTHENTICATION_SECONDS = 0
    url = reverse("circle:add_manually", args=[entry.dossier.pk, "professionnel"])
    said = typed(family_name="Spécimen", given_name="Inès", profession=make.NURSE, email=ADDRESS, inviter="oui")
    assert at_desk.post(url, said).status_code == 302
    assert not Invitation.objects.exists()


def test_a_member_already_there_is_invited_from_his_sheet(at_desk, entry):
    member = make.by_hand(entry, email=ADDRESS)
    url = reverse("circle:invite_member", args=[entry.dossier.pk, member.pk])
    assert url in text(at_desk.get(reverse("circle:member", args=[entry.dossier.pk, member.pk])))
    page = text(at_desk.get(url))
    assert ADDRESS in page and "Habiliter et inviter" in page
    sent = {"invitation_email": ADDRESS, "invitation_message": ""}
    unsaid = at_desk.post(url, sent)
    assert unsaid.status_code == 422 and "Dites sur quoi repose le partage" in text(unsaid)
    assert at_desk.post(url, sent | make.TEAM_POSTED).status_code == 303
    assert member.invitations.get().email == ADDRESS
    page = at_desk.post(url, {"invitation_email": ADDRESS, "invitation_message": ""})
    assert page.status_code == 422 and "attend déjà la réponse" in text(page)
    assert url not in text(at_desk.get(reverse("circle:member", args=[entry.dossier.pk, member.pk])))
    assert at_desk.get(url).status_code == 303
    relative = make.relative(entry)
    assert at_desk.get(reverse("circle:invite_member", args=[entry.dossier.pk, relative.pk])).status_code == 303


def test_a_link_of_one_day_is_said_so(at_desk, entry, settings):
    settings.INVITATION_DAYS = 1
    member = make.by_hand(entry, email=ADDRESS)
    pages = (
        reverse("circle:invite_member", args=[entry.dossier.pk, member.pk]),
        reverse("circle:add_professional", args=[entry.dossier.pk, make.listed().pk]),
        reverse("invitations:invite"),
    )
    for page in pages:
        assert "valable 1 jour." in text(at_desk.get(page))


# ---- The link -------------------------------------------------------------------------------------


def test_opening_the_link_changes_nothing(client, entry):
    invitation = invited(entry)
    before = Invitation.objects.values().get()
    for _ in range(2):
        page = client.get(link(invitation))
        assert page.status_code == 200
    client.head(link(invitation))
    assert Invitation.objects.values().get() == before
    client.post(link(invitation, page="opened"))
    invitation.refresh_from_db()
    assert invitation.opened_at is not None and invitation.is_open


@pytest.mark.req("SEC-22", "SEC-1")
def test_the_page_of_the_link_never_says_who_is_followed(client, entry):
    invitation = invited_by_hand(entry)
    for way in (links.MAILED, links.COPIED):
        for page in ("answer", "refuse"):
            said = text(client.get(link(invitation, way, page)))
            assert entry.user.get_full_name() in said
            for word in (entry.dossier.birth_name, "Jeanne", str(entry.dossier.pk)):
                assert word.casefold() not in said.casefold()


def test_what_the_link_opens_is_said_before_anything_is_asked(client, entry):
    page = text(client.get(link(invited(entry, directory_person(ADDRESS)))))
    promised = re.search(r"Vous pourrez lire et écrire</p>\s*<p [^>]+>\d+ rubriques sur \d+, \d+ en écriture<", page)
    assert promised and promised.end() < page.index("Créer votre compte")
    assert "Puis-je quitter le cercle plus tard ?" in page
    page = text(client.get(link(colleague(entry.user))))
    assert "Vous pourrez" not in page and "quitter le cercle" not in page and "Que deviennent mes données ?" in page


def test_the_word_of_the_inviter_is_no_markup(client, entry):
    page = client.get(link(invited(entry, message="Venez <b>vite</b>"), links.MAILED)).content.decode()
    assert "Venez &lt;b&gt;vite&lt;/b&gt;" in page and "<b>vite</b>" not in page


@pytest.mark.req("SECT-4")
def test_what_is_not_a_link_does_not_exist(client, entry):
    invitation = invited(entry)
    good = links.token_of(invitation, links.MAILED)
    unknown = links.token_of(Invitation(), links.MAILED)
    answers = [
        client.get(f"/invitations/repondre/{token}/")
        for token in (unknown, good[:-1] + ("A" if good[-1] != "A" else "B"))
    ]
    assert {answer.status_code for answer in answers} == {404}
    first, second = (re.sub(r'"\w{64}"|[0-9a-f]{32}', "", text(answer)) for answer in answers)
    assert first == second


def test_a_newcomer_accepts_on_one_page_and_lands_on_the_dossier(client, entry):
    invitation = invited(entry, directory_person(ADDRESS))
    page = text(client.get(link(invitation)))
    assert len(re.findall(r'<input class="form-control"', page)) <= 6
    answer = client.post(link(invitation), CHOSEN)
    assert (answer.status_code, answer["Location"]) == (302, reverse("dossiers:home", args=[entry.dossier.pk]))
    home = client.get(answer["Location"])
    assert home.status_code == 200 and entry.dossier.birth_name.casefold() in text(home).casefold()


def test_a_newcomer_who_is_not_proved_waits_and_sees_nobody(client, entry):
    invitation = invited(entry)
    answer = client.post(link(invitation), CHOSEN, follow=True)
    assert "attend une confirmation" in text(answer) and entry.dossier.birth_name not in text(answer)
    assert client.get(reverse("dossiers:home", args=[entry.dossier.pk])).status_code == 404


def test_one_account_for_one_rpps_number(client, entry):
    """Invited at another address than the one she signs in with: no second account."""
    known = make.account(rpps="10000000009")
    invitation = invited_by_hand(entry)
    before = User.objects.count()
    page = client.post(link(invitation), CHOSEN | {"rpps": "10000000009"})
    assert page.status_code == 422 and "Un compte existe déjà pour ce numéro RPPS" in text(page)
    assert User.objects.count() == before and Invitation.objects.get().is_open
    client.force_login(known)
    assert client.post(link(invitation)).status_code == 302
    assert Invitation.objects.get().accepted_by == known


@pytest.mark.parametrize("password", ["court", "123456789012345", "spécimen inès"])
def test_a_poor_password_opens_no_account(client, entry, password):
    invitation = invited(entry)
    page = client.post(link(invitation), CHOSEN | {"password1": password, "password2": password})
    assert page.status_code == 422
    assert not User.objects.with_email(ADDRESS).exists() and Invitation.objects.get().is_open


def test_a_copied_link_proves_no_address_and_opens_no_account(client, entry):
    """The inviter could open it himself, and become whom he wants."""
    invitation = invited(entry, directory_person(ADDRESS))
    page = text(client.get(link(invitation, links.COPIED)))
    assert "password1" not in page and "Accepter avec un lien reçu par e-mail" in page
    assert client.post(link(invitation, links.COPIED), CHOSEN).status_code == 422
    assert not User.objects.with_email(ADDRESS).exists()
    before = Message.objects.count()
    assert "Un e-mail part" in text(client.post(link(invitation, links.COPIED, "receive")))
    assert Message.objects.count() == before + 1 and Message.objects.first().to == ADDRESS


@pytest.mark.req("SECT-21")
def test_a_copied_link_says_nothing_of_who_has_an_account(client, entry):
    make.UserFactory(email="connu@cabinet.example")
    pages = []
    for email in ("connu@cabinet.example", "inconnu@cabinet.example"):
        invitation = invited(entry, make.listed(family_name="PAREIL", given_name="Sam"), email=email)
        said = text(client.get(link(invitation, links.COPIED)))
        said = said.replace(links.token_of(invitation, links.COPIED), "").replace(
            links.token_of(invitation, links.COPIED).replace(":", "%3A"), ""
        )
        pages.append(re.sub(r'(csrf[^>]*(?:value|content)=")[^"]*', r"\1", said))
    assert pages[0] == pages[1]


def test_an_account_that_exists_signs_in_and_comes_back(client, entry):
    user = make.account()
    invitation = invited_by_hand(entry, email=user.email, **names(user))
    page = text(client.get(link(invitation)))
    assert "password1" not in page
    there = re.search(r'href="(/compte/connexion/\?next=[^"]+)"', page)[1]
    answer = client.post(there, {"login": user.email, "password": PASSWORD})
    assert answer["Location"] == link(invitation)
    answer = client.post(link(invitation))
    assert answer["Location"] == reverse("dossiers:home", args=[entry.dossier.pk])
    assert client.get(answer["Location"]).status_code == 200


def test_refusing_is_as_easy(client, entry):
    invitation = invited(entry)
    assert client.post(link(invitation, page="refuse"), {"reason": "Non. " * 80}).status_code == 422
    assert "Motif" in text(client.get(link(invitation, page="refuse")))
    assert "Invitation refusée" in text(client.post(link(invitation, page="refuse"), {"reason": ""}))
    assert Invitation.objects.get().refused_at is not None
    assert client.get(link(invitation)).status_code == 410


@pytest.mark.parametrize("why", ["expired", "replaced", "revoked"])
def test_a_link_that_no_longer_serves_offers_to_ask_for_another(client, entry, why):
    invitation = invited(entry)
    old = link(invitation)
    if why == "expired":
        past = timezone.now() - dt.timedelta(days=20)
        Invitation.objects.update(sent_at=past, expires_at=past + dt.timedelta(days=14))
    elif why == "revoked":
        actions.revoke_invitation(invitation, by=entry.user, entry=entry)
    else:
        actions.resend_invitation(invitation, by=entry.user, entry=entry)
    page = client.get(old)
    assert page.status_code == 410 and "Recevoir un nouveau lien" in text(page)
    assert client.post(old, CHOSEN).status_code == 410
    assert client.post(link(invitation, page="refuse") if why != "replaced" else old, {}).status_code == 410
    ask = re.search(r'action="([^"]+nouveau-lien/)"', text(page))[1]
    assert "transmise" in text(client.post(ask))
    assert Message.objects.filter(kind="circle.new_link_asked").count() == 1


def test_a_link_that_was_answered_offers_nothing(client, entry):
    invitation = invited(entry)
    actions.refuse_invitation(invitation, is_mailed=True)
    page = client.get(link(invitation))
    assert page.status_code == 410 and "nouveau lien" not in text(page)
    client.post(link(invitation, page="ask"))
    assert not Message.objects.filter(kind="circle.new_link_asked").exists()


def test_who_accepted_comes_back_by_the_letter(client, entry):
    """The letter is what one keeps of the application: what is awaited, then the dossier, never an empty list."""
    invitation = invited(entry)
    client.post(link(invitation), CHOSEN)
    assert client.get(link(invitation))["Location"] == reverse("invitations:awaiting")
    invitation.refresh_from_db()
    actions.confirm_invitee(invitation, by=entry.user, entry=entry)
    there = reverse("dossiers:home", args=[entry.dossier.pk])
    assert client.get(link(invitation))["Location"] == there
    # From another device, the sign-in page leads back here.
    client.logout()
    page = client.get(link(invitation))
    sign_in = re.search(r'href="(/compte/connexion/\?next=[^"]+)"', text(page))[1]
    assert page.status_code == 410
    assert client.post(sign_in, {"login": ADDRESS, "password": PASSWORD})["Location"] == link(invitation)
    assert client.get(link(invitation))["Location"] == there
    # The account of this device is another: the page says which, and how to change.
    client.force_login(make.account())
    page = text(client.get(link(invitation)))
    assert "avec un autre compte" in page and "Utiliser un autre compte" in page and link(invitation) in page


@pytest.mark.parametrize(("sent", "names_somebody"), [(invited, True), (lambda entry: colleague(entry.user), False)])
def test_the_letter_is_laid_out_for_a_phone_and_speaks_of_a_dossier_when_there_is_one(entry, sent, names_somebody):
    sent(entry)
    letter = Message.objects.get(kind="circle.invitation")
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in letter.html
    for words in (letter.html, letter.text):
        assert ("une fois le dossier ouvert" in words) is names_somebody


def test_a_phone_keeps_the_password_beside_the_address(client, entry):
    page = text(client.get(link(invited(entry))))
    assert re.search(rf'<input[^>]+value="{ADDRESS}"[^>]+autocomplete="username"', page)


def test_who_asks_for_a_new_link_shows_in_the_list(client, entry):
    invitation = invited(entry)
    past = timezone.now() - dt.timedelta(days=20)
    Invitation.objects.update(sent_at=past, expires_at=past + dt.timedelta(days=14))
    client.post(link(invitation, page="ask"))
    client.force_login(entry.user)
    row = row_of(text(client.get(reverse("invitations:list"))), invitation)
    assert "Demande un nouveau lien" in row and "Renvoyer" in row


def test_who_was_called_off_and_asks_again_shows_in_the_list(client, entry):
    invitation = invited(entry)
    actions.revoke_invitation(invitation, by=entry.user, entry=entry)
    client.force_login(entry.user)
    assert "demandé" not in row_of(text(client.get(reverse("invitations:list"))), invitation)
    client.post(link(invitation, page="ask"))
    assert "Nouveau lien demandé le" in row_of(text(client.get(reverse("invitations:list"))), invitation)
    assert client.get(link(invitation)).status_code != 200, "asking opens nothing"


def test_the_inviter_who_opens_the_copied_link_is_not_the_invited(client, entry):
    invitation = invited(entry)
    client.force_login(entry.user)
    client.get(link(invitation, links.COPIED))
    client.post(link(invitation, links.COPIED, "opened"))
    assert Invitation.objects.get().opened_at is None
    client.force_login(make.account())
    client.get(link(invitation, links.COPIED))
    assert Invitation.objects.get().opened_at is not None


def test_pages_of_a_link_are_limited(client, entry, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invitation_link": "3/m/ip"}
    invitation = invited(entry)
    opened = link(invitation, page="opened")
    assert [client.post(opened).status_code for _ in range(4)] == [204, 204, 204, 429]


# ---- The list -------------------------------------------------------------------------------------


def row_of(page, invitation):
    found = re.search(rf"<li class=\"row-news\">(?:(?!</li>).)*{re.escape(invitation.email)}.*?</li>", page, re.DOTALL)
    return found[0] if found else ""


def test_the_list_shows_mine_and_offers_what_may_be_done(at_desk, entry):
    invitation = invited(entry)
    page = text(at_desk.get(reverse("invitations:list")))
    for words in ("En file", "Relance possible à partir du", "Copier le lien", "Annuler", "Renvoyer"):
        assert words in row_of(page, invitation)
    assert "Relancer" not in page
    Invitation.objects.update(sent_at=timezone.now() - dt.timedelta(days=1, minutes=1))
    assert "Relancer" in row_of(text(at_desk.get(reverse("invitations:list"))), invitation)
    assert entry.dossier.birth_name not in page


def test_acts_of_the_list(at_desk, entry):
    invitation = invited(entry)
    copied = at_desk.post(reverse("invitations:copy_link", args=[invitation.pk]))
    assert links.token_of(invitation, links.COPIED) in text(copied)
    resent = at_desk.post(reverse("invitations:resend", args=[invitation.pk]), {"email": "juste@cabinet.example"})
    assert resent.status_code == 303
    invitation.refresh_from_db()
    assert (invitation.generation, invitation.email) == (2, "juste@cabinet.example")
    at_desk.post(reverse("invitations:revoke", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


@pytest.mark.req("SEC-18")
@pytest.mark.parametrize("page", ["copy_link", "confirm"])
def test_what_opens_a_way_in_asks_again_who_is_there(at_desk, entry, settings, page):
    invitation = invited(entry)
    if page == "confirm":
        newcomer(invitation)
    settings.DOSSIER_REAUTHENTICATION_SECONDS = 0
    assert at_desk.post(reverse(f"invitations:{page}", args=[invitation.pk])).status_code == 302
    assert Invitation.objects.get().confirmed_at is None


def test_confirming_from_the_list_opens_the_dossier(at_desk, entry):
    invitation = invited(entry)
    user = newcomer(invitation).invitation.accepted_by
    page = text(at_desk.get(reverse("invitations:list") + "?etat=a-confirmer"))
    assert "Confirmez que c’est bien la personne invitée" in row_of(page, invitation)
    assert "1 personne à confirmer" in text(at_desk.get(reverse("todo")))
    at_desk.post(reverse("invitations:confirm", args=[invitation.pk]))
    assert "à confirmer" not in text(at_desk.get(reverse("todo")))
    assert Habilitation.objects.get(user=user).state == "oui"


@pytest.mark.req("SEC-1", "SECT-4")
def test_saying_that_it_is_not_her_from_the_list(at_desk, entry):
    invitation = invited(entry)
    newcomer(invitation)
    assert "Ce n’est pas elle" in row_of(text(at_desk.get(reverse("invitations:list"))), invitation)
    page = text(at_desk.post(reverse("invitations:decline", args=[invitation.pk]), follow=True))
    assert "Écartée" in row_of(page, invitation)


@pytest.mark.req("SEC-4")
def test_a_copied_link_offers_another_way_to_refuse(client, entry):
    invitation = invited(entry)
    there = link(invitation, links.COPIED, "refuse")
    page = text(client.get(there))
    assert "Motif" not in page and "Recevoir le lien par e-mail" in page
    assert client.post(there, {"reason": "non"}).status_code == 403
    assert Invitation.objects.get().is_open


def test_another_account_may_be_used(client, entry):
    """Somebody else's session is open on this device: the page says whose, and leads to the other one."""
    someone = make.account()
    client.force_login(someone)
    invitation = invited(entry)
    page = text(client.get(link(invitation)))
    assert someone.get_full_name() in page and "Utiliser un autre compte" in page
    answer = client.post(reverse("account_logout"), {"next": link(invitation)})
    assert answer["Location"] == link(invitation)
    assert someone.get_full_name() not in text(client.get(link(invitation)))


def test_nobody_else_finds_my_invitations(client, entry):
    invitation = invited(entry)
    client.force_login(make.coordinator())
    assert invitation.email not in text(client.get(reverse("invitations:list")))
    for page in ("resend", "remind", "copy_link", "revoke", "confirm"):
        for key in (invitation.pk, uuid.uuid4()):
            assert client.post(reverse(f"invitations:{page}", args=[key]), {"email": ADDRESS}).status_code == 404


def test_who_left_the_dossier_follows_it_no_more(client, entry):
    second = make.coordinator()
    make.add(entry, second.attachment.professional, wanted="oui")
    invitation = invited(make.entry_of(second, entry))
    actions.set_habilitation(entry, Member.objects.get(habilitation__user=second), "non")
    client.force_login(second)
    page = text(client.get(reverse("invitations:list")))
    assert "Copier le lien" not in row_of(page, invitation)
    assert client.post(reverse("invitations:copy_link", args=[invitation.pk])).status_code == 303
    assert client.post(reverse("invitations:revoke", args=[invitation.pk])).status_code == 303
    assert Invitation.objects.get().is_open


def test_another_coordinator_of_the_dossier_follows_it_from_the_sheet(client, entry):
    second = make.coordinator()
    make.add(entry, second.attachment.professional, wanted="oui")
    invitation = invited(entry)
    newcomer(invitation)
    client.force_login(second)
    sheet = reverse("circle:member", args=[entry.dossier.pk, invitation.member_id])
    page = text(client.get(sheet))
    assert "À confirmer" in page and reverse("invitations:confirm", args=[invitation.pk]) in page
    answer = client.post(reverse("invitations:confirm", args=[invitation.pk]), {"retour": "fiche"})
    assert answer["Location"] == sheet
    assert Habilitation.objects.get(members=invitation.member).state == "oui"
    trace = Trace.objects.of_dossier(entry.dossier.pk).filter(actor_id=second.pk, action="confirmation").get()
    assert (trace.outcome, trace.object_id) == ("ok", invitation.pk)


@pytest.mark.req("SEC-9")
def test_what_is_refused_is_traced(client, entry):
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    invitation = invited(entry)
    newcomer(invitation)
    client.force_login(nurse)
    client.post(reverse("invitations:confirm", args=[invitation.pk]))
    assert Invitation.objects.get().confirmed_at is None
    trace = Trace.objects.of_dossier(entry.dossier.pk).filter(actor_id=nurse.pk).last()
    assert (trace.outcome, trace.object_kind, trace.object_id) == ("refus", "invitation", invitation.pk)


def test_a_discreet_member_is_followed_by_who_sees_him(client, entry):
    """Rule 7: whoever does not read the medical rubric finds neither the member nor his invitation."""
    social = make.account(make.SOCIAL)
    make.add(entry, social.attachment.professional, wanted="oui")
    invitation = invited(entry, discreet=True)
    client.force_login(social)
    assert client.post(reverse("invitations:copy_link", args=[invitation.pk])).status_code == 404


@pytest.mark.req("PERF-3")
def test_the_list_costs_the_same_whatever_its_length(at_desk, entry):
    counts = []
    for total in (2, 12):
        while Invitation.objects.count() < total:
            rank = Invitation.objects.count()
            invited(entry, email=f"{rank}@cabinet.example")
            colleague(entry.user, email=f"seul{rank}@cabinet.example")
        at_desk.get(reverse("invitations:list"))
        with CaptureQueriesContext(connection) as captured:
            at_desk.get(reverse("invitations:list"))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12, counts


def test_sending_again_to_an_address_already_invited_is_said(at_desk, coordinator):
    first = colleague(coordinator, email="un@cabinet.example")
    second = colleague(coordinator, email="deux@cabinet.example")
    page = at_desk.post(reverse("invitations:resend", args=[second.pk]), {"email": first.email})
    assert page.status_code == 422 and "attend déjà la réponse" in text(page)
    second.refresh_from_db()
    assert (second.email, second.generation) == ("deux@cabinet.example", 1)


@pytest.mark.parametrize("to_a_dossier", [True, False])
def test_confirming_says_an_access_only_when_there_is_one(at_desk, entry, to_a_dossier):
    invitation = invited(entry) if to_a_dossier else colleague(entry.user)
    newcomer(invitation)
    page = text(at_desk.post(reverse("invitations:confirm", args=[invitation.pk]), follow=True))
    assert "C’est confirmé" in page and ("l’accès prévu est ouvert" in page) is to_a_dossier


# ---- Colleagues -----------------------------------------------------------------------------------


def test_a_colleague_is_invited_from_the_page(at_desk, coordinator):
    url = reverse("invitations:invite")
    assert "L’e-mail qui partira" in text(at_desk.get(url))
    said = {"family_name": "Calque", "given_name": "Nina", "profession": make.NURSE, "email": ADDRESS}
    key = uuid.uuid4()
    for _ in range(2):
        assert at_desk.post(url, said | {"creation_key": key}).status_code == 303
    assert Invitation.objects.get().member is None


def test_several_at_once_with_a_refusal_per_line(at_desk, coordinator):
    lines = (
        "adresse;nom;prénom;profession\n"
        "nina@cabinet.example;Calque;Nina;Infirmier\n"
        "pas une adresse;Figure;Luc;Médecin\n"
        "luc@cabinet.example;Figure;Luc;Astronaute\n"
        "nina@cabinet.example;Calque;Nina;Infirmier\n"
        "paul@cabinet.example\tTestard\tPaul\tMédecin\n"
    )
    page = at_desk.post(reverse("invitations:invite_several"), {"lines": lines, "message": ""})
    said = text(page)
    assert page.status_code == 422 and "3 lignes à corriger" in said
    assert set(Invitation.objects.values_list("email", flat=True)) == {"nina@cabinet.example", "paul@cabinet.example"}
    kept = re.search(r"<textarea[^>]*name=\"lines\"[^>]*>(.*?)</textarea>", said, re.DOTALL)[1]
    assert "Astronaute" in kept and "paul@" not in kept


def test_a_csv_file_is_read_too(at_desk, coordinator):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("liste.csv", "E-mail;Nom;Prénom;Profession\nz@b.example;Éloi;Zoé;60\n".encode("cp1252"))
    assert at_desk.post(reverse("invitations:invite_several"), {"lines": "", "file": file}).status_code == 303
    assert Invitation.objects.get().family_name == "ÉLOI"


def test_who_may_not_invite_finds_no_page(client, matrix):
    client.force_login(make.account("42"))
    for page in ("invite", "invite_several"):
        assert client.get(reverse(f"invitations:{page}")).status_code == 404


def test_invitations_are_limited(at_desk, coordinator, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invitations": "2/3600s/user"}
    lines = "\n".join(f"{n}@cabinet.example;Nom;Prénom;60" for n in range(4))
    page = at_desk.post(reverse("invitations:invite_several"), {"lines": lines})
    assert Invitation.objects.count() == 2 and "Trop d’invitations" in text(page)
