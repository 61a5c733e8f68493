"""A circle sent to a partner, and a partner's circle received: what leaves, what is taken, who may."""

import time
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.circles import Circle, keep_version
from circle.models import Member
from circle.relays import kinds
from coordination.dossiers.models import Dossier
from coordination.fhir import checking
from coordination.partners import client as calling
from coordination.partners import known, relaying
from coordination.partners.models import Partner, Relay, RelayedId, State
from habilitations.models import Habilitation, Outcome, Trace
from tests.circle import factories as make
from tests.fhir.samples import V2_0203, sample
from tests.partners.answering import Keeping
from tests.partners.factories import PartnerFactory, RelayFactory
from tests.partners.standin import StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def standin():
    calling._tokens.clear()
    known.forget()
    with StandIn().running() as running:
        yield running
    calling._tokens.clear()
    known.forget()


@pytest.fixture
def partner(standin):
    return PartnerFactory.of(standin, name="Groupement des Maquettes")


@pytest.fixture
def keeping(standin):
    return Keeping(standin)


@pytest.fixture
def circle(entry):
    """A doctor of the directory in a house, a relative, somebody typed by hand, a structure, and a discreet member."""
    house = make.StructureFactory(name="EHPAD LES MODÈLES", finess="990000001")
    make.add(entry, make.listed(make.DOCTOR, structure=house, family_name="TESTARD"), role="PCP")
    make.relative(entry, family_name="MODÈLE")
    make.by_hand(entry, family_name="SPÉCIMEN")
    make.add_house(entry, make.StructureFactory(name="SSIAD DES MODÈLES"))
    hidden = make.add(entry, make.listed(make.DOCTOR, family_name="CACHÉ"))
    actions.set_discreet(entry, hidden, True)
    return entry


# A sending asks what is there, then writes; each answer that leaves something begins a count of attempts of its own.
FEW_CALLS = 5


def exchanged(partner, entry, kind):
    """Ask it, and do it, as a worker would once the transaction is kept."""
    keep_version(entry.dossier.pk)
    relay = RelayFactory(partner=partner, kind=kind, object_id=entry.dossier.pk, asked_by=entry.user)
    for _ in range(FEW_CALLS):
        if Relay.objects.get(pk=relay.pk).state != State.EN_ATTENTE:
            break
        relaying.relay(relay.pk)
        if not Relay.objects.due().filter(pk=relay.pk).exists():
            break
    relay.refresh_from_db()
    return relay


def sent(partner, entry):
    return exchanged(partner, entry, kinds.SEND)


def received(partner, entry):
    return exchanged(partner, entry, kinds.RECEIVE)


# ---- Sending -------------------------------------------------------------------------------------


def test_a_circle_is_created_with_all_that_it_names(circle, partner, keeping):
    assert sent(partner, circle).state == State.FAIT
    assert keeping.methods() == [
        ("CareTeam", "POST"), ("Organization", "POST"), ("Organization", "POST"), ("Patient", "POST"),
        ("Practitioner", "POST"), ("Practitioner", "POST"), ("Practitioner", "POST"),
        ("PractitionerRole", "POST"), ("PractitionerRole", "POST"), ("PractitionerRole", "POST"),
        ("RelatedPerson", "POST"),
    ]  # fmt: skip
    urls = {entry["fullUrl"] for entry in keeping.last["entry"]}
    (team,) = keeping.of("CareTeam")
    assert len(team["participant"]) == 5
    assert {one["member"]["reference"] for one in team["participant"]} <= urls
    assert team["subject"]["reference"] in urls
    for entry in keeping.last["entry"]:
        assert "id" not in entry["resource"] and "versionId" not in entry["resource"].get("meta", {})


def test_what_leaves_is_valid_for_whom_it_is_sent_to(circle, partner, keeping):
    sent(partner, circle)
    wrong = checking.issues_of(keeping.last)
    for entry in keeping.last["entry"]:
        wrong += checking.issues_of(entry["resource"])
    assert [issue for issue in wrong if issue.is_error] == []


def test_a_creation_names_what_must_not_be_made_twice(circle, partner, keeping):
    sent(partner, circle)
    asked = {}
    for entry in keeping.last["entry"]:
        asked.setdefault(entry["resource"]["resourceType"], []).append(entry["request"].get("ifNoneExist", ""))
    team = Circle.objects.get(dossier=circle.dossier)
    assert asked["CareTeam"] == [f"identifier=http://127.0.0.1:8000/fhir/identifiants/cercle%7C{team.pk}"]
    assert asked["Patient"] == [f"identifier=http://127.0.0.1:8000/fhir/identifiants/patient%7C{circle.dossier.pk}"]
    assert sorted(asked["Practitioner"])[-1].startswith("identifier=urn:oid:1.2.250.1.71.4.2.1%7C8997")
    assert "identifier=urn:oid:1.2.250.1.71.4.2.2%7C1990000001" in asked["Organization"]


@pytest.mark.req("CDS-46")
def test_sent_again_it_is_updated_and_only_what_changed_leaves(circle, partner, keeping):
    sent(partner, circle)
    assert sent(partner, circle).state == State.FAIT
    assert keeping.methods() == [("CareTeam", "PUT")]
    (entry,) = keeping.last["entry"]
    assert entry["request"]["ifMatch"] == 'W/"1"' and entry["request"]["url"] == f"CareTeam/{entry['resource']['id']}"
    assert all(one["member"]["reference"].split("/")[1].isdigit() for one in entry["resource"]["participant"])
    relative = Member.objects.get(dossier=circle.dossier, family_name="MODÈLE")
    Member.objects.filter(pk=relative.pk).update(phone="+33536492077")
    make.add(circle, make.listed(family_name="NOUVELLE"))
    sent(partner, circle)
    assert keeping.methods() == [
        ("CareTeam", "PUT"), ("Practitioner", "POST"), ("PractitionerRole", "POST"), ("RelatedPerson", "PUT"),
    ]  # fmt: skip
    assert [e["request"]["ifMatch"] for e in keeping.last["entry"][:1]] == ['W/"2"']


def test_what_the_partner_had_by_itself_is_never_written_there(circle, partner, keeping):
    keeping.had = ("Practitioner", "Patient", "RelatedPerson")
    sent(partner, circle)
    Member.objects.filter(dossier=circle.dossier, family_name="MODÈLE").update(phone="+33536492077")
    Dossier.objects.filter(pk=circle.dossier.pk).update(town="Albi")
    sent(partner, circle)
    assert keeping.methods() == [("CareTeam", "PUT")]


def test_a_circle_that_the_partner_had_is_written_at_once(circle, partner, keeping):
    """The first attempt was done and its answer lost: the condition finds the circle, which may say something else."""
    keeping.had = ("CareTeam",)
    assert sent(partner, circle).state == State.FAIT
    assert [bundle["entry"][0]["request"]["method"] for bundle in keeping.bundles] == ["POST", "PUT"]


@pytest.mark.req("SEC-11")
def test_a_discreet_member_never_leaves_whoever_asks(circle, partner, keeping):
    assert circle.access.sees_discreet_members, "who asks sees her"
    sent(partner, circle)
    assert "CACHÉ" not in str(keeping.last)
    assert str(keeping.last).count("TESTARD") == 1


def test_sending_is_a_line_of_the_journal(circle, partner, keeping):
    sent(partner, circle)
    (line,) = Trace.objects.filter(dossier_id=circle.dossier.pk, action="export")
    assert (line.rubrique, line.reason, line.outcome, line.actor_id) == (
        "cercle", "Envoi au partenaire Groupement des Maquettes", Outcome.OK, circle.user.pk,
    )  # fmt: skip


@pytest.mark.req("SEC-9")
def test_the_journal_says_to_whom_it_went(client, circle, partner, keeping):
    sent(partner, circle)
    client.force_login(circle.user)
    page = text(client.get(reverse("dossiers:journal", args=[circle.dossier.pk])))
    assert "Envoi au partenaire Groupement des Maquettes" in page


@pytest.mark.req("SECT-7")
def test_who_lost_the_right_since_sends_nothing(circle, partner, standin):
    Habilitation.objects.filter(dossier=circle.dossier).update(state="non")
    assert sent(partner, circle).state == State.ECHEC
    assert standin.heard == []


@pytest.mark.req("SEC-13")
def test_a_refused_attempt_leaves_its_trace(circle, partner, standin):
    nurse = make.account()
    make.add(circle, nurse.attachment.professional, wanted="oui")
    row = sent(partner, make.entry_of(nurse, circle))
    assert row.state == State.ECHEC and standin.heard == []
    (line,) = Trace.objects.filter(dossier_id=circle.dossier.pk, action="export")
    assert (line.outcome, line.actor_id) == (Outcome.REFUSED, nurse.pk)


def test_an_answer_to_something_else_is_asked_again(circle, partner, standin):
    standin.says(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": []})
    row = sent(partner, circle)
    assert row.state == State.EN_ATTENTE and not RelayedId.objects.exists()


# ---- Receiving -----------------------------------------------------------------------------------


class Theirs:
    """A partner's circle around the person of a dossier, as the answer to a search."""

    def __init__(self, dossier):
        system = "http://127.0.0.1:8000/fhir/identifiants/patient"
        self.patient = sample(
            "Patient", id="p1", gender=dossier.sex, birthDate=dossier.birth_date.isoformat(),
            identifier=[{"system": system, "value": str(dossier.pk)}],
        )  # fmt: skip
        self.beside, self.participants = [], []
        self.status = "active"

    def has(self, reference, *resources, **period):
        self.beside += resources
        self.participants.append({"member": {"reference": reference}, "period": {"start": "2026-01-12"} | period})

    def doctor(self, number, family="LOINTAIN", key="1", **period):
        kind = {"coding": [{"system": V2_0203, "code": "IDNPS"}]}
        person = sample(
            "Practitioner", id=f"d{key}", name=[{"family": family, "given": ["Odile"]}],
            identifier=[{"type": kind, "system": "urn:oid:1.2.250.1.71.4.2.1", "value": number}],
        )  # fmt: skip
        role = sample("PractitionerRole", id=f"e{key}", practitioner={"reference": f"Practitioner/d{key}"})
        role.pop("organization", None)
        self.has(f"PractitionerRole/e{key}", person, role, **period)

    def relative(self, family="FICTIF", **period):
        self.has("RelatedPerson/r1", sample("RelatedPerson", id="r1", name=[{"family": family, "given": ["Zoé"]}]),
                 **period)  # fmt: skip

    @property
    def team(self):
        return sample(
            "CareTeam", id="c1", meta={"versionId": "7"}, status=self.status, subject={"reference": "Patient/p1"},
            participant=self.participants, identifier=[{"system": "urn:oid:1.2.3.4", "value": "leur-cercle"}],
        )  # fmt: skip

    def bundle(self, *more):
        teams = [{"resource": one, "search": {"mode": "match"}} for one in (self.team, *more)]
        people = [{"resource": one, "search": {"mode": "include"}} for one in (self.patient, *self.beside)]
        return {"resourceType": "Bundle", "type": "searchset", "entry": [*teams, *people]}


@pytest.fixture
def theirs(circle):
    return Theirs(circle.dossier)


def names(entry):
    return {row.family_name for row in Member.objects.rows(entry) if row.family_name}


def test_who_is_there_and_never_was_here_comes_without_access(circle, partner, standin, theirs):
    known = make.listed(make.DOCTOR, family_name="LOINTAIN", given_name="Odile")
    theirs.doctor(known.national_id)
    theirs.relative()
    standin.says(200, theirs.bundle())
    row = received(partner, circle)
    assert (row.last_error, row.state) == ("", State.FAIT)
    assert names(circle) >= {"LOINTAIN", "FICTIF", "TESTARD", "MODÈLE", "SPÉCIMEN", "CACHÉ"}
    came = Member.objects.get(dossier=circle.dossier, professional=known)
    assert not Habilitation.objects.filter(dossier=circle.dossier, pk=came.habilitation_id, state="oui").exists()
    (call,) = standin.calls
    assert call.path == "/fhir/CareTeam/_search"
    assert str(circle.dossier.pk) in call.body.decode() and "_include=CareTeam%3Aparticipant" in call.body.decode()
    reasons = Trace.objects.filter(dossier_id=circle.dossier.pk, action="export").values_list("reason", flat=True)
    assert set(reasons) == {
        "Demande au partenaire Groupement des Maquettes", "Reçu du partenaire Groupement des Maquettes",
    }  # fmt: skip


def test_received_again_nothing_changes(circle, partner, standin, theirs):
    theirs.doctor("899799999999")
    theirs.relative()
    standin.says(200, theirs.bundle())
    assert received(partner, circle).state == State.FAIT
    before = Circle.objects.get(dossier=circle.dossier).version, Member.objects.count()
    standin.says(200, theirs.bundle())
    assert received(partner, circle).state == State.FAIT
    keep_version(circle.dossier.pk)
    assert (Circle.objects.get(dossier=circle.dossier).version, Member.objects.count()) == before


def test_once_received_it_is_updated_there_under_its_own_name(circle, partner, standin, theirs, keeping):
    theirs.doctor("899799999999")
    theirs.relative()
    standin.says(200, theirs.bundle())
    received(partner, circle)
    sent(partner, circle)
    (team,) = keeping.of("CareTeam")
    assert keeping.last["entry"][0]["request"] == {"method": "PUT", "url": "CareTeam/c1", "ifMatch": 'W/"7"'}
    assert team["identifier"] == [{"system": "urn:oid:1.2.3.4", "value": "leur-cercle"}]
    assert team["subject"]["reference"] == "Patient/p1"
    members = [one["member"]["reference"] for one in team["participant"]]
    assert {"PractitionerRole/e1", "RelatedPerson/r1"} <= set(members)
    assert "Patient" not in {kind for kind, _ in keeping.methods()}, "the person is the partner's own"


def test_who_is_here_who_left_and_who_left_there_do_not_come(circle, partner, standin, theirs):
    gone = make.listed(make.DOCTOR, family_name="PARTIE")
    actions.remove_member(circle, make.add(circle, gone), reason="fin")
    testard = Member.objects.get(dossier=circle.dossier, professional__family_name="TESTARD")
    theirs.doctor(testard.professional.national_id, "TESTARD", "1")
    theirs.doctor(gone.national_id, "PARTIE", "2")
    theirs.doctor("899799999999", "ANCIENNE", "3", end="2026-02-01")
    theirs.doctor("899799999998", "FUTURE", "4", start="2099-01-01")
    theirs.relative("modele")
    theirs.beside[-1]["name"][0]["given"] = ["Karim"]
    count = Member.objects.count()
    standin.says(200, theirs.bundle())
    assert received(partner, circle).state == State.FAIT
    assert Member.objects.count() == count
    assert RelayedId.objects.filter(resource_type="RelatedPerson", remote_id="r1").exists(), "both had him"


def test_no_circle_here_theirs_begins_ours(entry, partner, standin):
    bare = make.open_circle(make.coordinator())
    Member.objects.filter(dossier=bare.dossier)
    theirs = Theirs(bare.dossier)
    theirs.relative()
    standin.says(200, theirs.bundle())
    row = received(partner, bare)
    assert (row.state, row.last_error) == (State.FAIT, "")
    assert "FICTIF" in names(bare)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.patient.update(birthDate="1990-01-01"), "L’identité que donne le partenaire"),
        (lambda t: t.patient.update(identifier=[{"system": "urn:oid:1", "value": "2"}]), "L’identité que donne"),
        (lambda t: setattr(t, "status", "inactive"), "Le partenaire ne montre aucun cercle en cours"),
        (lambda t: t.patient.update(id="autre"), "L’identité que donne le partenaire"),
    ],
)
def test_whose_circle_it_is_must_be_sure(circle, partner, standin, theirs, spoil, said):
    theirs.relative()
    spoil(theirs)
    standin.says(200, theirs.bundle())
    row = received(partner, circle)
    assert row.state == State.ECHEC and row.last_error.startswith(said)
    assert "FICTIF" not in names(circle)


def test_several_circles_are_nobodys_to_choose(circle, partner, standin, theirs):
    standin.says(200, theirs.bundle(theirs.team | {"id": "c2"}))
    assert (
        received(partner, circle).last_error == "Le partenaire montre plusieurs cercles en cours pour cette personne."
    )


@pytest.mark.req("CDS-41")
def test_a_circle_that_cannot_be_taken_whole_leaves_nothing(circle, partner, standin, theirs):
    theirs.doctor("899799999999")
    theirs.relative()
    theirs.beside[-1]["name"] = [{"given": ["Zoé"]}]
    count = Member.objects.count()
    standin.says(200, theirs.bundle())
    row = received(partner, circle)
    assert row.state == State.ECHEC and "FICTIF" not in row.last_error
    assert Member.objects.count() == count and not RelayedId.objects.exists()


# ---- The page ------------------------------------------------------------------------------------


def address(name, entry):
    return reverse(f"circle:{name}", args=[entry.dossier.pk])


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def test_the_page_asks_and_shows(client, circle, partner):
    client.force_login(circle.user)
    page = text(client.get(address("partners", circle)))
    assert "Groupement des Maquettes" in page and "Derniers échanges" not in page
    said = {"partenaire": str(partner.pk), "geste": "envoyer"}
    assert client.post(address("exchange", circle), said).status_code == 303
    relay = Relay.objects.get()
    assert (relay.kind, relay.object_id, relay.asked_by) == (kinds.SEND, circle.dossier.pk, circle.user)
    client.post(address("exchange", circle), said)
    page = text(client.get(address("partners", circle)))
    assert "Cette demande attend déjà d’être faite." in page
    assert Relay.objects.count() == 1
    assert "Envoi d’un cercle : Groupement des Maquettes" in page and "En attente" in page
    client.post(address("exchange", circle), said | {"geste": "recevoir"})
    assert Relay.objects.filter(kind=kinds.RECEIVE).count() == 1


@pytest.mark.parametrize(
    "said", [{}, {"geste": "envoyer"}, {"geste": "envoyer", "partenaire": "x"}, {"geste": "autre"},
             {"geste": "envoyer", "partenaire": str(uuid.uuid4())}],
)  # fmt: skip
def test_what_nobody_offers_is_refused(client, circle, said):
    client.force_login(circle.user)
    assert client.post(address("exchange", circle), said).status_code == 400
    assert not Relay.objects.exists()


def test_a_partner_out_of_service_is_not_offered(client, circle, partner):
    Partner.objects.update(active=False)
    client.force_login(circle.user)
    assert "Aucun partenaire en service" in text(client.get(address("partners", circle)))
    said = {"partenaire": str(partner.pk), "geste": "envoyer"}
    assert client.post(address("exchange", circle), said).status_code == 400


@pytest.mark.req("SEC-18")
def test_sending_asks_again_who_is_there(client, circle, partner):
    client.force_login(circle.user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 2 * 3600}]
    session.save()
    answer = client.post(address("exchange", circle), {"partenaire": str(partner.pk), "geste": "envoyer"})
    assert answer.status_code == 302 and "/compte/" in answer.url
    assert not Relay.objects.exists()


def test_the_circle_offers_it_when_there_is_a_partner_and_costs_nothing(client, circle):
    client.force_login(circle.user)
    page = address("list", circle)
    client.get(page)
    with CaptureQueriesContext(connection) as before:
        assert "Échanger avec un partenaire" not in text(client.get(page))
    PartnerFactory()
    known.forget()
    assert "Échanger avec un partenaire" in text(client.get(page))
    with CaptureQueriesContext(connection) as after:
        client.get(page)
    assert len(after) == len(before)
    nurse = make.account()
    make.add(circle, nurse.attachment.professional, wanted="oui")
    client.force_login(nurse)
    assert "Échanger avec un partenaire" not in text(client.get(page))


def test_the_page_is_flat(client, circle, partner):
    client.force_login(circle.user)
    page = address("partners", circle)
    RelayFactory(partner=partner, kind=kinds.SEND, object_id=circle.dossier.pk, asked_by=circle.user)
    client.get(page)
    with CaptureQueriesContext(connection) as before:
        client.get(page)
    for _ in range(3):
        done = {"state": State.FAIT, "done_at": timezone.now()}
        RelayFactory(partner=PartnerFactory(), kind=kinds.SEND, object_id=circle.dossier.pk, **done)
    with CaptureQueriesContext(connection) as after:
        client.get(page)
    assert len(before) == len(after) <= 12
