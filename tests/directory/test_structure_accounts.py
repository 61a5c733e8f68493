"""« Comptes de ma structure »: a named person opens accounts and vouches for professions, in his structure only."""

import re
import time
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import drafts
from coordination.accounts.actions import suspend_account
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.directory.actions import accounts as actions
from coordination.directory.actions import merge_structure
from coordination.directory.errors import (
    AlreadyAttached,
    AlreadyInStructure,
    AlreadyOffered,
    OfferAnswered,
    ProfessionNotListed,
)
from coordination.directory.models import Activity, Attachment, AttachmentOffer, Professional, Source
from coordination.directory.newcomers import Newcomer
from coordination.outbox.models import Message
from habilitations.access import administered_structures, hat_of
from habilitations.actions import end_administrator, name_administrator
from habilitations.errors import (
    AlreadyStructureAdministrator,
    NotAllowed,
    NotOfYourStructure,
    NotVouched,
    OwnProfession,
    VouchedElsewhere,
)
from habilitations.models import AccountTrace, Habilitation, StructureAdministrator, VouchedProfession
from tests.accounts.factories import PASSWORD, UserFactory
from tests.circle import factories as make
from tests.directory.search_data import house, learn, person

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-18")]
LIST = "/annuaire/comptes/"
CREATE = "/annuaire/comptes/creer/manuellement/"


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def ssiad():
    return house("SSIAD EXEMPLE", category="354", finess="810009983")


@pytest.fixture
def director(ssiad, administrator):
    """The person named for the SSIAD, an account of it like another."""
    user = make.account("359", structure=ssiad, family_name="GABARIT", given_name="Denis")
    name_administrator(ssiad, user, by=administrator)
    return user


@pytest.fixture
def as_director(client, director):
    client.force_login(director)
    return client


@pytest.fixture
def helper(ssiad):
    """An account of the SSIAD whose profession nobody has confirmed."""
    return make.account("35", structure=ssiad, vouched=False, family_name="ÉBAUCHE", given_name="Nora")


def typed(ssiad, **said):
    values = {"email": "nouvelle@ssiad.example", "family_name": "Calque", "given_name": "Inès", "profession": "35",
              "structure": str(ssiad.pk)}  # fmt: skip
    return values | said


def newcomer(**said):
    return Newcomer(**({"email": "nouvelle@ssiad.example", "family_name": "Calque", "given_name": "Inès",
                                "profession": "35"} | said))  # fmt: skip


def used(user):
    """Return the account as it is once its holder has come."""
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    user.refresh_from_db()
    return user


def mails_to(user):
    return list(Message.objects.filter(to=user.email).order_by("pk").values_list("kind", flat=True))


def activity_of(user):
    return user.attachment.professional.activities.select_related("structure", "professional").get()


def traced(user):
    return set(AccountTrace.objects.filter(actor_id=user.pk).values_list("action", flat=True))


class TestDesignation:
    def test_it_is_named_dated_and_opens_no_dossier(self, administrator, director, ssiad):
        named = StructureAdministrator.objects.get()
        assert (named.user, named.structure, named.named_by, named.ended_at) == (director, ssiad, administrator, None)
        assert administered_structures(director) == [ssiad.pk]
        assert not Habilitation.objects.filter(user=director).exists()
        end_administrator(named, by=administrator)
        named.refresh_from_db()
        assert named.ended_by == administrator
        assert administered_structures(director) == []
        assert traced(administrator) == {"désignation", "fin de désignation"}
        name_administrator(ssiad, director, by=administrator)

    def test_once_at_a_time_by_an_administrator_only(self, administrator, director, ssiad):
        with pytest.raises(AlreadyStructureAdministrator):
            name_administrator(ssiad, director, by=administrator)
        with pytest.raises(IntegrityError), transaction.atomic():
            StructureAdministrator.objects.create(structure=ssiad, user=director, named_by=administrator)
        for by in (director, None):
            with pytest.raises(NotAllowed):
                name_administrator(ssiad, UserFactory(), by=by)
        with pytest.raises(NotAllowed):
            end_administrator(StructureAdministrator.objects.get(), by=director)

    def test_a_suspended_account_looks_after_nothing(self, administrator, director):
        suspend_account(director, by=administrator)
        director.refresh_from_db()
        assert administered_structures(director) == []

    def test_merged_entries_are_one_structure(self, administrator, director, ssiad):
        twin = house("SSIAD SAISI À LA MAIN", source=Source.LOCAL)
        merge_structure(twin, ssiad, by=administrator)
        assert set(administered_structures(director)) == {ssiad.pk, twin.pk}


class TestOffer:
    def test_a_new_address_gets_an_account_and_the_usual_link(self, director, ssiad):
        offer = actions.offer_account(ssiad, newcomer(), by=director)
        user = User.objects.get(email="nouvelle@ssiad.example")
        assert (user.family_name, user.given_name, user.is_administrator) == ("CALQUE", "Inès", False)
        assert user.changes.get().by == director
        assert Message.objects.get().kind == "account.password_first"
        # Nothing is attached and nothing is vouched for before the person has come.
        assert not Attachment.objects.filter(user=user).exists()
        assert offer.opens_account
        assert "création de compte" in traced(director)

    def test_the_first_sign_in_is_the_answer(self, client, director, ssiad):
        actions.offer_account(ssiad, newcomer(), by=director)
        user = User.objects.get(email="nouvelle@ssiad.example")
        user.set_password(PASSWORD)
        user.save()
        EmailAddress.objects.filter(user=user).update(verified=True)
        client.post("/compte/connexion/", {"login": user.email, "password": PASSWORD})
        attachment = Attachment.objects.get(user=user)
        assert (attachment.structure, attachment.professional.source) == (ssiad, Source.LOCAL)
        assert Activity.objects.get(professional=attachment.professional).profession == "35"
        assert AttachmentOffer.objects.get().is_accepted
        assert hat_of(user).profession == ""

    def test_a_known_address_is_only_asked(self, director, ssiad):
        stranger = used(make.account("35", vouched=False, family_name="LOINTAIN"))
        before = Attachment.objects.get(user=stranger)
        offer = actions.offer_account(ssiad, newcomer(email=stranger.email, family_name="Autre"), by=director)
        assert User.objects.with_email(stranger.email).count() == 1
        stranger.refresh_from_db()
        assert stranger.family_name == "LOINTAIN"
        assert Attachment.objects.get(user=stranger).structure == before.structure
        message = Message.objects.get()
        assert (message.kind, message.to) == ("account.offer", stranger.email)
        assert str(offer.pk) in message.text
        # Signing in is no answer for an account that was there before.
        actions.accept_offer(offer, by=stranger)
        assert Attachment.objects.get(user=stranger).structure == ssiad

    def test_both_look_the_same_on_the_screen(self, as_director, ssiad):
        """A person who types addresses learns nothing of who has an account (docs/decisions)."""
        known, unused = used(make.account(vouched=False)), make.account(vouched=False)
        closed = UserFactory(suspended=True)
        answers, pages = [], []
        for email in ("inconnue@ailleurs.example", known.email, unused.email, closed.email):
            answer = as_director.post(CREATE, typed(ssiad, email=email))
            answers.append((answer.status_code, answer.url))
            page = as_director.get(LIST).content.decode()
            AttachmentOffer.objects.get(email=email)
            row = re.sub(r'(action|value)="[^"]*"', "", page[page.index("CALQUE") : page.index("Annuler la demande")])
            pages.append((row.replace(email, "…"), "un message part à cette adresse" in page))
            AttachmentOffer.objects.all().delete()
        assert answers == [(303, LIST)] * 4
        assert pages[0][1]
        assert len(set(pages)) == 1
        # The account that is shut receives nothing.
        assert not Message.objects.filter(to=closed.email).exists()

    def test_a_twin_demand_and_an_account_of_the_house_are_said(self, director, ssiad, helper):
        actions.offer_account(ssiad, newcomer(), by=director)
        with pytest.raises(AlreadyOffered):
            actions.offer_account(ssiad, newcomer(email="NOUVELLE@ssiad.example"), by=director)
        with pytest.raises(AlreadyInStructure):
            actions.offer_account(ssiad, newcomer(email=helper.email), by=director)

    def test_a_professional_of_the_structure_is_taken_from_the_directory(self, director, ssiad):
        nurse = person("SPÉCIMEN", "Ana", structure=ssiad)
        found = newcomer(profession="60", professional=nurse.professional)
        offer = actions.offer_account(ssiad, found, by=director)
        actions.accept_offer(offer, by=offer.user)
        assert Attachment.objects.get(user=offer.user).professional == nurse.professional
        assert nurse.professional.activities.count() == 1

    def test_the_account_that_a_professional_has_is_used(self, director, ssiad):
        nurse = person("SPÉCIMEN", "Ana", structure=ssiad).professional
        holder = used(UserFactory())
        Attachment.objects.create(user=holder, professional=nurse)
        offer = actions.offer_account(ssiad, newcomer(profession="60", professional=nurse), by=director)
        assert offer.user == holder
        assert Message.objects.get().to == holder.email
        assert not User.objects.with_email("nouvelle@ssiad.example").exists()

    def test_the_address_of_the_directory_is_told_when_another_one_is_typed(self, director, ssiad):
        """A second mailbox of who types it would receive, unseen, what waits for a colleague."""
        nurse = person("SPÉCIMEN", "Ana", structure=ssiad)
        nurse.email = "ana@cabinet.example"
        nurse.save()
        found = newcomer(profession="60", professional=nurse.professional)
        actions.withdraw_offer(actions.offer_account(ssiad, found, by=director), by=director)
        told = Message.objects.get(to="ana@cabinet.example")
        assert told.kind == "account.asked_elsewhere"
        assert not any(word in told.text + told.subject for word in ("Ana", "Calque", ssiad.name, found.email))
        other = person("CROQUIS", "Yann", structure=ssiad)
        other.email = "Yann@ssiad.example"
        other.save()
        same = newcomer(profession="60", professional=other.professional, email="yann@ssiad.example")
        actions.offer_account(ssiad, same, by=director)
        assert Message.objects.filter(kind="account.asked_elsewhere").count() == 1

    def test_nobody_at_work_elsewhere_is_chosen(self, director, ssiad):
        elsewhere = person("TESTARD", "Paul", profession="10").professional
        with pytest.raises(NotOfYourStructure):
            actions.offer_account(ssiad, newcomer(profession="10", professional=elsewhere), by=director)
        here = person("CROQUIS", "Yann", profession="70", structure=ssiad).professional
        with pytest.raises(NotOfYourStructure):
            actions.offer_account(ssiad, newcomer(profession="10", professional=here), by=director)

    def test_the_function_too_is_the_directory_s(self, director, ssiad):
        """(35, 330) is a health coordinator: a function that nobody checks would decide the profile."""
        aide = person("CROQUIS", "Yann", profession="35", structure=ssiad).professional
        with pytest.raises(NotOfYourStructure):
            actions.offer_account(ssiad, newcomer(professional=aide, fonction="330"), by=director)
        holder = UserFactory()
        Attachment.objects.create(user=holder, professional=aide)
        offer = actions.offer_account(ssiad, newcomer(email=holder.email, fonction="330"), by=director)
        with pytest.raises(ProfessionNotListed):
            actions.accept_offer(offer, by=holder)
        assert not aide.activities.filter(fonction="330").exists()

    def test_the_national_files_keep_the_last_word_on_a_profession(self, director, ssiad):
        nurse = person("SPÉCIMEN", "Ana").professional
        holder = UserFactory()
        Attachment.objects.create(user=holder, professional=nurse)
        offer = actions.offer_account(ssiad, newcomer(email=holder.email, profession="10"), by=director)
        with pytest.raises(ProfessionNotListed):
            actions.accept_offer(offer, by=holder)
        assert Attachment.objects.get(user=holder).structure is None

    def test_not_for_another_structure(self, director):
        with pytest.raises(NotOfYourStructure):
            actions.offer_account(house("EHPAD LOINTAIN"), newcomer(), by=director)

    def test_only_its_holder_answers_once(self, client, director, ssiad):
        holder = used(UserFactory())
        offer = actions.offer_account(ssiad, newcomer(email=holder.email), by=director)
        address = reverse("directory:offer", args=[offer.pk])
        client.force_login(director)
        assert client.get(address).status_code == 404
        with pytest.raises(NotAllowed):
            actions.accept_offer(offer, by=director)
        client.force_login(holder)
        assert ssiad.name in client.get(address).content.decode()
        assert client.post(address, {"reponse": "non"}).status_code == 303
        assert not Attachment.objects.filter(user=holder).exists()
        with pytest.raises(OfferAnswered):
            actions.accept_offer(offer, by=holder)
        assert client.get(address).status_code == 404

    def test_who_is_confirmed_elsewhere_is_told_who_must_act(self, client, director, ssiad):
        nurse = make.account(structure=house("CABINET LOINTAIN"))
        offer = actions.offer_account(ssiad, newcomer(email=nurse.email, profession="60"), by=director)
        client.force_login(nurse)
        page = client.post(reverse("directory:offer", args=[offer.pk]), {"reponse": "oui"})
        assert page.status_code == 422
        assert "seul un administrateur" in page.content.decode().replace("\xa0", " ")
        assert Attachment.objects.get(user=nurse).structure != ssiad

    def test_a_demand_is_taken_back(self, as_director, ssiad, director):
        offer = actions.offer_account(ssiad, newcomer(), by=director)
        assert as_director.post(reverse("directory:withdraw_offer", args=[offer.pk])).status_code == 303
        with pytest.raises(OfferAnswered):
            actions.accept_offer(offer, by=offer.user)

    @pytest.mark.parametrize("answered", [False, True])
    def test_a_demand_is_kept_half_a_year(self, as_director, ssiad, director, answered):
        """Made without an answer, or answered: what came of it stays, the name of somebody who said no does not."""
        old = actions.offer_account(ssiad, newcomer(), by=director)
        recent = actions.offer_account(ssiad, newcomer(email="autre@exemple.fr"), by=director)
        for offer, days in ((old, 181), (recent, 179)):
            if answered:
                actions.refuse_offer(offer, by=offer.user)
            then = timezone.now() - timedelta(days=days)
            AttachmentOffer.objects.filter(pk=offer.pk).update(
                offered_at=timezone.now() - timedelta(days=400) if answered else then,
                answered_at=then if answered else None,
            )
        call_command("purge")
        assert list(AttachmentOffer.objects.all()) == [recent]
        assert User.objects.filter(pk=old.user_id).exists()
        assert AccountTrace.objects.filter(object_id=old.pk).exists()
        # The structure asks again as if it never had.
        actions.offer_account(ssiad, newcomer(), by=director)

    def test_an_offer_made_again_brings_the_link_again(self, client, director, ssiad):
        """Taken back before the first sign-in: the account is there, and nobody has a password for it."""
        first = actions.offer_account(ssiad, newcomer(), by=director)
        actions.withdraw_offer(first, by=director)
        again = actions.offer_account(ssiad, newcomer(), by=director)
        assert mails_to(again.user) == ["account.password_first"] * 2
        client.force_login(again.user)
        assert Attachment.objects.get(user=again.user).structure == ssiad

    def test_signing_in_answers_the_first_structure_only(self, client, administrator, director, ssiad):
        user = actions.offer_account(ssiad, newcomer(), by=director).user
        ehpad, other = house("EHPAD LOINTAIN"), UserFactory()
        name_administrator(ehpad, other, by=administrator)
        second = actions.offer_account(ehpad, newcomer(), by=other)
        assert mails_to(user) == ["account.password_first", "account.password_first", "account.offer"]
        client.force_login(user)
        assert Attachment.objects.get(user=user).structure == ssiad
        actions.accept_offer(second, by=user)
        assert Attachment.objects.get(user=user).structure == ehpad

    def test_an_unused_account_of_a_structure_is_not_moved_by_signing_in(self, client, director, ssiad):
        held = make.account("35", structure=house("EHPAD LOINTAIN"), vouched=False)
        actions.offer_account(ssiad, newcomer(email=held.email), by=director)
        assert mails_to(held) == ["account.password_first", "account.offer"]
        client.force_login(held)
        assert Attachment.objects.get(user=held).structure != ssiad


class TestConfirmation:
    def test_a_profession_confirmed_opens_what_waited(self, as_director, director, helper, ssiad):
        address = reverse("directory:confirm_profession", args=[helper.pk, activity_of(helper).pk])
        assert address in as_director.get(LIST).content.decode()
        assert as_director.post(address).status_code == 303
        said = VouchedProfession.objects.current().get(user=helper)
        assert (said.profession, said.structure, said.how, said.vouched_by) == ("35", ssiad, "structure", director)
        page = as_director.get(LIST).content.decode()
        assert "Confirmée par GABARIT Denis" in page.replace("\xa0", " ")
        assert {"confirmation", "liste"} <= traced(director)

    def test_its_author_shows_who_he_is_again(self, as_director, director, helper, ssiad):
        session = as_director.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 660}]
        session.save()
        address = reverse("directory:confirm_profession", args=[helper.pk, activity_of(helper).pk])
        # A form with an error, and the search before it, ask nothing.
        assert as_director.post("/annuaire/comptes/creer/").status_code == 200
        assert as_director.post(CREATE, typed(ssiad, email="")).status_code == 422
        offered = as_director.post(CREATE, typed(ssiad))
        assert offered.url.startswith(reverse("account_reauthenticate"))
        assert not AttachmentOffer.objects.exists()
        page = as_director.get(offered.url).content.decode()
        assert "Pour demander un compte, montrez" in page.replace("\xa0", " ")
        about = as_director.get(CREATE).url.partition("saisie=")[2]
        drafts.save(director, "compte-de-structure", about, "family_name=Calque")
        offered = as_director.post(CREATE, typed(ssiad, saisie=about))
        done = as_director.post(offered.url, {"password": PASSWORD, "next": CREATE})
        assert (done.status_code, done.url) == (303, LIST)
        assert AttachmentOffer.objects.count() == 1
        assert drafts.load(director, "compte-de-structure", about) is None
        session = as_director.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 660}]
        session.save()
        question = as_director.post(address)
        done = as_director.post(question.url, {"password": PASSWORD, "next": address})
        assert (done.status_code, done.url) == (303, LIST)
        assert hat_of(helper).profession == "35"

    def test_withdrawing_closes_and_waits_for_nothing(self, as_director, director, helper, ssiad):
        make.vouch(helper, "35", "", ssiad)
        session = as_director.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 660}]
        session.save()
        address = reverse("directory:withdraw_confirmation", args=[helper.pk])
        assert as_director.post(address, {"reason": " "}).status_code == 422
        assert hat_of(helper).profession == "35"
        assert as_director.post(address, {"reason": "A quitté le service"}).status_code == 303
        assert hat_of(helper).profession == ""
        ended = VouchedProfession.objects.get(user=helper)
        assert (ended.ended_by, ended.end_reason) == (director, "A quitté le service")
        helper.refresh_from_db()
        assert helper.is_active
        assert "fin de confirmation" in traced(director)

    def test_never_for_oneself(self, as_director, director, ssiad):
        with pytest.raises(OwnProfession):
            actions.confirm_in_structure(director, activity_of(director), by=director)
        with pytest.raises(OwnProfession):
            actions.withdraw_confirmation(director, reason="x", by=director)
        address = reverse("directory:withdraw_confirmation", args=[director.pk])
        assert as_director.get(address).status_code == 404
        assert address not in as_director.get(LIST).content.decode()

    @pytest.mark.asvs("v5.0.0-8.4.1")
    def test_never_outside_his_structure(self, as_director, director):
        stranger = make.account(structure=house("EHPAD LOINTAIN"), vouched=False)
        address = reverse("directory:confirm_profession", args=[stranger.pk, activity_of(stranger).pk])
        assert as_director.post(address).status_code == 404
        with pytest.raises(NotOfYourStructure):
            actions.confirm_in_structure(stranger, activity_of(stranger), by=director)
        make.vouch(stranger, structure=stranger.attachment.structure)
        with pytest.raises(NotOfYourStructure):
            actions.withdraw_confirmation(stranger, reason="x", by=director)

    def test_nothing_is_said_of_an_account_of_another_house(self, director, helper):
        stranger = make.account(structure=house("EHPAD LOINTAIN"), vouched=False)
        for by in (director, UserFactory()):
            with pytest.raises(NotOfYourStructure):
                actions.withdraw_confirmation(stranger, reason="x", by=by)
        with pytest.raises(NotVouched):
            actions.withdraw_confirmation(helper, reason="x", by=director)

    def test_not_somebody_at_work_here_too_but_attached_elsewhere(self, director, ssiad):
        shared = make.account(structure=house("CABINET LOINTAIN"), vouched=False)
        here = make.ActivityFactory(professional=shared.attachment.professional, structure=ssiad)
        with pytest.raises(NotOfYourStructure):
            actions.confirm_in_structure(shared, here, by=director)

    def test_an_account_confirmed_elsewhere_is_an_administrator_s(self, as_director, director, helper):
        make.vouch(helper, "35", "", house("EHPAD LOINTAIN"))
        page = as_director.get(LIST).content.decode().replace("\xa0", " ")
        assert "seul un administrateur du service peut la changer" in page
        assert as_director.get(reverse("directory:withdraw_confirmation", args=[helper.pk])).status_code == 404
        with pytest.raises(VouchedElsewhere):
            actions.confirm_in_structure(helper, activity_of(helper), by=director)
        with pytest.raises(VouchedElsewhere):
            actions.withdraw_confirmation(helper, reason="x", by=director)

    def test_twice_is_told_and_not_done(self, as_director, helper):
        address = reverse("directory:confirm_profession", args=[helper.pk, activity_of(helper).pk])
        as_director.post(address)
        as_director.post(address)
        assert VouchedProfession.objects.filter(user=helper).count() == 1
        assert "déjà confirmée" in as_director.get(LIST).content.decode()

    def test_another_person_s_activity_is_no_proof(self, director, helper, ssiad):
        other = person("TESTARD", "Paul", profession="10", structure=ssiad)
        with pytest.raises(NotOfYourStructure):
            actions.confirm_in_structure(helper, other, by=director)


class TestPages:
    @pytest.mark.parametrize("path", [LIST, CREATE, "/annuaire/comptes/creer/"])
    def test_nobody_else_finds_them(self, client, administrator, helper, path):
        for user in (helper, administrator):
            client.force_login(user)
            assert client.get(path).status_code == 404

    def test_the_account_menu_shows_them_to_that_person_only(self, as_director, client, administrator, helper):
        entry = f'href="{LIST}"'
        assert entry in as_director.get("/compte/").content.decode()
        end_administrator(StructureAdministrator.objects.get(), by=administrator)
        assert entry not in as_director.get("/compte/").content.decode()
        client.force_login(helper)
        assert entry not in client.get("/compte/").content.decode()

    def test_the_search_shows_who_works_here(self, as_director, ssiad):
        here = person("SPÉCIMEN", "Ana", structure=ssiad)
        person("SPÉCIMEN", "Zoé")
        learn()
        page = as_director.post("/annuaire/comptes/creer/", {"q": "specimen"}).content.decode()
        assert reverse("directory:offer_professional", args=[here.pk]) in page
        assert "Zoé" not in page

    @pytest.mark.req("PERF-3")
    def test_the_search_costs_as_much_for_four_structures(self, as_director, administrator, director, ssiad):
        here = [person("SPÉCIMEN", "Ana", structure=ssiad)]
        learn()
        # What a process reads once.
        as_director.post("/annuaire/comptes/creer/", {"q": "specimen"})
        counted = []
        for more in range(4):
            with CaptureQueriesContext(connection) as captured:
                page = as_director.post("/annuaire/comptes/creer/", {"q": "specimen"}).content.decode()
            counted.append(len(captured))
            assert all(reverse("directory:offer_professional", args=[one.pk]) in page for one in here)
            place = house(f"EHPAD NUMÉRO {more}")
            name_administrator(place, director, by=administrator)
            here.append(person("SPÉCIMEN", f"Zoé {more}", structure=place))
        assert len(set(counted)) == 1
        assert counted[0] <= 12

    def test_the_search_by_number_or_trade_stays_in_the_house(self, as_director, ssiad):
        here = person("SPÉCIMEN", "Ana", structure=ssiad)
        # The same person elsewhere too, and somebody else of the same trade.
        person("SPÉCIMEN", "Ana", professional=here.professional)
        person("TESTARD", "Zoé")
        learn()
        for text in (here.professional.rpps, "infirmier"):
            page = as_director.post("/annuaire/comptes/creer/", {"q": text}).content.decode()
            assert reverse("directory:offer_professional", args=[here.pk]) in page
            assert "Zoé" not in page

    def test_a_person_found_is_offered_with_the_profession_of_the_directory(self, as_director, ssiad):
        here = person("SPÉCIMEN", "Ana", structure=ssiad)
        address = reverse("directory:offer_professional", args=[here.pk])
        assert "SPÉCIMEN Ana" in as_director.get(address).content.decode().replace("\xa0", " ")
        said = {"email": "ana@ssiad.example", "fonction": "330", "structure": str(ssiad.pk), "profession": "10"}
        assert as_director.post(address, said).status_code == 303
        offer = AttachmentOffer.objects.get()
        assert (offer.profession, offer.fonction, offer.professional) == ("60", "", here.professional)
        assert 'name="fonction"' not in as_director.get(address).content.decode()

    def test_what_is_wrong_is_said_beside_its_field(self, as_director, ssiad, helper):
        page = as_director.post(CREATE, typed(ssiad, email="pas une adresse", family_name=""))
        assert page.status_code == 422
        assert "2 champs à corriger" in page.content.decode().replace("\xa0", " ")
        page = as_director.post(CREATE, typed(ssiad, email=helper.email))
        assert "déjà un compte dans votre structure" in page.content.decode()
        for name, said in (("😀", "au moins une lettre"), ("<b>", "au moins une lettre"), ("ß" * 61, "trop long")):
            page = as_director.post(CREATE, typed(ssiad, family_name=name, given_name=name))
            assert page.content.decode().count(said) >= 2, name
        elsewhere = house("EHPAD LOINTAIN")
        assert as_director.post(CREATE, typed(elsewhere)).status_code == 422
        assert not AttachmentOffer.objects.exists()

    @pytest.mark.asvs("v5.0.0-2.4.1")
    def test_addresses_are_not_tried_by_the_hundred(self, as_director, ssiad, settings):
        settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"offers": "2/600s/user"}
        answers = [
            as_director.post(CREATE, typed(ssiad, email=f"essai{n}@ailleurs.example")).status_code for n in range(3)
        ]
        assert answers == [303, 303, 429]

    @pytest.mark.asvs("v5.0.0-8.4.1")
    def test_the_list_shows_the_accounts_of_the_house_only(self, as_director, director, helper):
        elsewhere = house("EHPAD LOINTAIN")
        strangers = [make.account("35", structure=elsewhere, vouched=False), make.account("60", structure=elsewhere)]
        page = as_director.get(LIST).content.decode()
        assert all(one.email in page for one in (director, helper))
        assert not any(one.email in page for one in strangers)
        listed = AccountTrace.objects.filter(actor_id=director.pk, action="liste", object_kind="compte").latest("id")
        assert listed.count == 2

    @pytest.mark.req("PERF-3")
    def test_the_list_costs_as_many_statements_for_thirty_as_for_three(self, as_director, ssiad):
        counted = []
        for more in (3, 27):
            for _ in range(more):
                make.account("35", structure=ssiad)
            as_director.get(LIST)
            with CaptureQueriesContext(connection) as captured:
                as_director.get(LIST)
            counted.append(len(captured))
        assert counted[0] == counted[1] <= 12

    def test_a_draft_of_the_form_comes_back(self, as_director, director):
        address = as_director.get(CREATE).url
        about = address.partition("saisie=")[2]
        drafts.save(director, "compte-de-structure", about, "family_name=Presque&email=a%40b.example")
        page = as_director.get(address).content.decode()
        assert 'value="Presque"' in page
        assert f"/{about}/" in page
        assert "Ce formulaire reprend votre brouillon." in page.replace("\xa0", " ")

    def test_the_draft_of_one_person_is_not_shown_for_another(self, as_director, director, ssiad):
        addresses = [as_director.get(CREATE).url for _ in range(2)]
        first, second = (address.partition("saisie=")[2] for address in addresses)
        assert first != second
        for about in (first, second):
            drafts.save(director, "compte-de-structure", about, f"family_name=Presque{about}")
        page = as_director.get(addresses[1]).content.decode()
        assert f"Presque{first}" not in page
        # Sent, it forgets its own draft only.
        as_director.post(CREATE, typed(ssiad, saisie=first))
        assert drafts.load(director, "compte-de-structure", first) is None
        assert drafts.load(director, "compte-de-structure", second) is not None

    def test_people_are_in_the_order_of_french(self, as_director, director, ssiad):
        for name in ("ZÈBRE", "EBAUCHOIR", "ÉBAUCHE"):
            make.account("35", structure=ssiad, vouched=False, family_name=name, given_name="Nora")
        for n, name in enumerate(("Zébu", "Élan", "Eland")):
            actions.offer_account(ssiad, newcomer(email=f"n{n}@a.example", family_name=name), by=director)
        page = as_director.get(LIST).content.decode()
        for names in (("ÉBAUCHE Nora", "EBAUCHOIR Nora", "GABARIT Denis", "ZÈBRE Nora"), ("ÉLAN", "ELAND", "ZÉBU")):
            places = [page.index(name) for name in names]
            assert places == sorted(places)


class TestDemandsOfTheHolder:
    def test_pending_ones_are_on_his_account_page(self, client, director, ssiad):
        holder = used(make.account("35", vouched=False))
        client.force_login(holder)
        assert "demande à rattacher" not in client.get("/compte/").content.decode()
        offer = actions.offer_account(ssiad, newcomer(email=holder.email), by=director)
        address = reverse("directory:offer", args=[offer.pk])
        page = client.get("/compte/").content.decode()
        assert address in page
        assert "SSIAD EXEMPLE" in page
        client.force_login(used(make.account("35", vouched=False)))
        assert address not in client.get("/compte/").content.decode()
        actions.refuse_offer(offer, by=holder)
        client.force_login(holder)
        assert address not in client.get("/compte/").content.decode()

    def test_what_would_be_refused_is_not_offered(self, client, director, ssiad):
        confirmed = used(make.account("35", structure=house("EHPAD LOINTAIN")))
        other_trade = used(make.account("60", vouched=False))
        free = used(make.account("35", vouched=False))
        said = {
            confirmed: "Votre profession est déjà confirmée ailleurs",
            other_trade: "ne connaît pas cette profession",
            free: None,
        }
        for holder, why in said.items():
            offer = actions.offer_account(ssiad, newcomer(email=holder.email), by=director)
            client.force_login(holder)
            response = client.get(reverse("directory:offer", args=[offer.pk]))
            page = response.content.decode().replace("\xa0", " ")
            assert response.status_code == 200
            assert ("Accepter le rattachement" in page) is (why is None)
            assert "Refuser" in page
            assert why is None or why in page
            refusal = actions.why_not_accept(offer, holder.attachment)
            assert (refusal is None) is (why is None)
            if why:
                with pytest.raises(type(refusal)):
                    actions.accept_offer(offer, by=holder)

    def test_not_as_a_professional_somebody_else_has_become(self, director, ssiad):
        someone = make.listed("35", structure=ssiad)
        offer = actions.offer_account(ssiad, newcomer(professional=someone), by=director)
        assert actions.why_not_accept(offer, None) is None
        Attachment.objects.create(user=UserFactory(), professional=someone)
        assert isinstance(actions.why_not_accept(offer, None), AlreadyAttached)


@pytest.mark.req("SEC-22")
def test_the_mails_say_who_asks_and_for_which_structure(director, ssiad):
    """A link from nobody looks like a trap. The trade, which could tell of health, stays out."""
    known, unused = used(make.account("35", vouched=False)), UserFactory()
    for email in ("nouvelle@ssiad.example", known.email, unused.email):
        actions.offer_account(ssiad, newcomer(email=email), by=director)
    mails = list(Message.objects.order_by("pk"))
    assert [mail.kind for mail in mails] == ["account.password_first", "account.offer", "account.password_first"]
    for mail in mails:
        for part in (mail.text, mail.html):
            assert "GABARIT Denis" in part
            assert "SSIAD EXEMPLE" in part
            assert "Aide-soignant" not in part
        assert "SSIAD" not in mail.subject


def test_a_hand_typed_person_is_nobody_of_the_national_files(director, ssiad):
    """Otherwise a mailbox of one's own would be enough to receive what waits for a doctor."""
    doctor = person("TESTARD", "Paul", profession="10")
    offer = actions.offer_account(
        ssiad, newcomer(family_name="Testard", given_name="Paul", profession="10"), by=director
    )
    actions.accept_offer(offer, by=offer.user)
    assert Attachment.objects.get(user=offer.user).professional != doctor.professional
    assert Professional.objects.get(pk=doctor.professional_id).source == Source.RPPS


def test_refusals_speak_french():
    for error in (AlreadyInStructure, AlreadyOffered, OfferAnswered, ProfessionNotListed, VouchedElsewhere):
        assert issubclass(error, DomainError)
        assert error.message.endswith(".")
