"""What is typed survives the end of a session on every form with a free text: each page is drawn and read (REL-20)."""

import datetime as dt
import inspect
from html.parser import HTMLParser

import pytest
from django.urls import reverse
from django.utils import timezone

from agenda.actions.openings import When, add_absence, add_opening
from agenda.actions.rooms import add_room
from agenda.actions.schedules import schedule_of
from agenda.models import OwnCalendar, Proposal
from circle import actions
from circle.models import Member, Period
from coordination.accounts import drafts
from coordination.common import cipher
from coordination.directory.actions import accounts as structure_accounts
from coordination.directory.newcomers import Newcomer
from coordination.directory.search import vocabulary
from coordination.directory.views.all_accounts import ACTS
from coordination.partners.models import State
from habilitations.actions import (
    add_delegate,
    ask_access,
    edit_draft,
    name_administrator,
    open_emergency,
    open_structure,
)
from habilitations.differences import Edit, Key
from habilitations.models import AccessQuestion, Trace
from habilitations.rubriques import Rubrique
from tests.accounts.factories import UserFactory
from tests.agenda import factories as planned
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory.search_data import house
from tests.fhir.callers import connect
from tests.habilitations.acting_data import secretary
from tests.partners.factories import PartnerFactory, RelayFactory
from tests.test_architecture import named_routes

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-20")]

# Pages that no GET draws with a form of ours, each with its reason. A new page is drawn by the walk or named here.
NOT_DRAWN = {
    "accounts:session": "answers seconds",
    "accounts:end_session": "one button",
    "accounts:end_other_sessions": "one button",
    "accounts:draft": "keeps the drafts",
    "account_signup": "always 404",
    "acting:answer": "two buttons",
    "acting:end": "one button",
    "outbox:mailbox": "development only",
    "outbox:read_mail": "development only",
    "agenda:done": "one button",
    "agenda:proposal": "two buttons",
    "reunions:choose": "one button",
    "reunions:add_time": "one button",
    "reunions:remind": "one button",
    "reunions:remove": "one button",
    "reponse:answer": "no account under which to keep anything",
    "mon_agenda:remove_opening": "one button",
    "mon_agenda:remove_absence": "one button",
    "mon_agenda:renew_feed": "one button",
    "mon_agenda:close_feed": "one button",
    "mon_agenda:refresh_calendar": "one button",
    "mon_agenda:remove_calendar": "one button",
    "mon_agenda:export_availabilities": "a file",
    "mon_agenda:export_free_busy": "a file",
    "mon_agenda:export_appointments": "a file",
    "flux:calendar": "machines",
    "mon_agenda:remove_room": "one button",
    "agenda:not_come": "one button",
    "agenda:join": "one button",
    "agenda:keep_apart": "one button",
    "circle:call_off_plan": "one button",
    "circle:call_off_stay": "one button",
    "partners:attempt": "one button",
    "circle:discreet": "one button",
    "circle:extend": "one button",
    "circle:close_access": "one button",
    "circle:keep_access": "one button",
    "circle:restore_access": "one button",
    "circle:finish_review": "one button",
    "directory:keep_account": "one button",
    "dossiers:emergency": "says who is looked for, kept nowhere (SEC-8)",
    "dossiers:leave_emergency": "one button",
    "dossiers:allow_emergency": "one button",
    "dossiers:forbid_emergency": "answers the form of dossiers:emergency_ban",
    "dossiers:review_emergency": "answers the form of dossiers:show_emergency",
    "dossiers:emergencies": "for the data-protection officer alone (tests/dossiers/test_emergency.py)",
    "dossiers:officer_review": "for the data-protection officer alone (tests/dossiers/test_emergency.py)",
    "circle:join": "one button",
    "circle:exchange": "two buttons for each partner",
    "partners:retry": "one button",
    "partners:cancel": "one button",
    "fhir_base": "no page",
    "circle:request": "one button",
    "circle:undo_removal": "one button",
    "circle:check_several": "answers the form of circle:invite_several",
    "circle:lookalikes": "fragment of a form",
    "circle:preview_letter": "fragment of a form",
    "invitations:preview": "fragment of a form",
    "invitations:remind": "one button",
    "invitations:copy_link": "one button",
    "invitations:revoke": "one button",
    "invitations:confirm": "one button",
    "invitations:decline": "one button",
    "invitations:answer": "no account yet under which to keep anything",
    "invitations:refuse": "no account under which to keep anything",
    "invitations:opened": "answers nothing",
    "invitations:ask": "one button",
    "invitations:receive": "one button",
    "directory:confirm_profession": "one button",
    "directory:withdraw_offer": "one button",
    "administration:name_delegate": "answers the search of administration:legal_structure",
    "administration:end_delegate": "one button",
    "dossiers:journals": "a search, for the data-protection officer alone (tests/dossiers/test_officer.py)",
    "dossiers:export_asleep": "a file, for the data-protection officer alone (tests/circle/test_access_review.py)",
    "dossiers:journal_export": "takes the filters of the journal",
    "dossiers:journal_print": "takes the filters of the journal",
    "dossiers:ask_why": "one button",
    "dossiers:lookalikes": "fragment of a form",
    "dossiers:birth_places": "fragment of a form",
    "dossiers:structures": "fragment of a form",
    "dossiers:towns": "fragment of a form",
    "dossiers:seen": "one button",
    "habilitations:ask": "answers the form of habilitations:matrix",
    "habilitations:refuse": "answers the form of habilitations:matrix",
    "habilitations:put_back": "one button",
    "habilitations:take_back": "one button",
    "habilitations:carry_over": "one button",
    "habilitations:publish": "one button",
    "habilitations:restore": "one button",
    "habilitations:end_officer": "one button",
    "habilitations:reopen_profile": "one button",
    "habilitations:restore_rubric": "one button",
    "administration:renew_client_secret": "one button",
    "tokens:revoke": "one button",
    "api_token": "machines",
    "smart_configuration": "machines",
}
# Where the identifiers of an address come from: read by the name of the parameter.
TYPED = {"text", "email", "tel", "url", "number", "date"}


class Forms(HTMLParser):
    """Read the forms of a page that send by POST: has it a draft, which free texts does it hold, and which fields
    does it show filled in already?"""

    def __init__(self):
        super().__init__()
        self.forms, self.open = [], None
        self.area = self.select = None

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "form":
            searches = said.get("role") == "search" or "toolbar" in said.get("class", "")
            kept = said.get("method") == "post" and not searches
            self.open = {
                "id": said.get("id"), "draft": said.get("data-draft"), "texts": [], "words": [],
                "hidden": set(), "filled": set(),
            }  # fmt: skip
            self.forms += [self.open] if kept else []
        elif self.open is None:
            return
        elif tag == "option" and "selected" in said and said.get("value"):
            self.open["filled"].add(self.select)
        elif tag == "select":
            self.select = said.get("name")
        elif tag == "input" and said.get("type") == "hidden":
            self.open["hidden"].add(said.get("name"))
        elif tag == "input" and said.get("type") in ("radio", "checkbox"):
            self.open["filled"] |= {said.get("name")} if "checked" in said else set()
        elif tag == "textarea" or (tag == "input" and said.get("type", "text") in TYPED):
            self.open["texts"].append(said.get("name"))
            open_to_words = said.get("type") not in ("number", "date") and not said.keys() & {"readonly", "disabled"}
            self.open["words"] += [said.get("name")] if open_to_words else []
            self.open["filled"] |= {said.get("name")} if said.get("value") else set()
            self.area = said.get("name") if tag == "textarea" else None

    def handle_data(self, data):
        if self.open is not None and self.area and data.strip():
            self.open["filled"].add(self.area)

    def handle_endtag(self, tag):
        if tag == "form":
            self.open = None
        elif tag == "textarea":
            self.area = None


@pytest.fixture
def town(settings):
    return build_town(settings)


def build_town(settings):
    """One of everything that an address may name, and who may open it."""
    publish_default_matrix()
    vocabulary.forget()
    coordinator, place = make.coordinator(), house("SSIAD EXEMPLE")
    entry = make.open_circle(coordinator)
    listed = make.add(entry, make.account().attachment.professional)
    by_hand, relative = make.by_hand(entry), make.relative(entry)
    building = make.add_house(entry)
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    asked = ask_access(entry.dossier.pk, Rubrique.JOURNAL, by=nurse, access=make.entry_of(nurse, entry).access)
    read = Trace.objects.of_dossier(entry.dossier.pk).last()
    question = AccessQuestion.objects.create(
        dossier=entry.dossier, trace_id=read.pk, trace_at=read.at, user=nurse, asked_by=coordinator
    )
    refused = make.add(entry)
    refusal = {"refused_on": dt.date(2026, 1, 2), "collected": "oral", "comment": ""}
    actions.set_habilitation(entry, refused, "refus", refusal=refusal)
    administrator = UserFactory(administrator=True)
    director = make.account("359", structure=place)
    name_administrator(place, director, by=administrator)
    helper = make.account("35", structure=place)
    newcomer = Newcomer(UserFactory(last_login=timezone.now()).email, "Neuve", "Lina", "35")
    offer = structure_accounts.offer_account(place, newcomer, by=director)
    edit_draft([Edit(Key("niveau", "medecin", "plan"), "")], by=administrator)
    local = house("STRUCTURE SAISIE", source="local")
    open_structure(local, by=administrator)
    delegate = add_delegate(local, helper, by=administrator)
    waiting = make.add(entry, wanted="oui", invitation={"email": "invitee@cabinet.example"})
    said = {"refused_on": dt.date(2026, 1, 2), "collected": "oral"}
    opposition = actions.record_opposition(entry, rubrique="social", **said)
    idle = UserFactory()
    helped = secretary(nurse, helper, "agenda")
    nurses = Member.objects.get(habilitation__user=nurse)
    settings.BRIS_DE_GLACE = True
    outsider = make.account(make.DOCTOR)
    emergency = open_emergency(entry.dossier.pk, by=outsider, reason="vitale", detail="Essai")
    activity = helper.attachment.professional.activities.get()
    partner = PartnerFactory(created_by=administrator)
    relay = RelayFactory(partner=partner, asked_by=administrator, state=State.ECHEC)
    day = dt.datetime.combine(timezone.localdate() + dt.timedelta(days=1), dt.time(9))
    tomorrow = When(day, day + dt.timedelta(hours=2))
    meeting = planned.appointment(
        entry, nurses, kind="reunion", status="proposed", starts_at=None, ends_at=None, answer_by=planned.at(days=3)
    )
    Proposal.objects.create(
        dossier=entry.dossier, appointment=meeting, starts_at=planned.at(9), ends_at=planned.at(10)
    )
    fixed = planned.appointment(entry, kind="reunion", starts=planned.at(16))
    kept = OwnCalendar.objects.create(
        schedule=schedule_of(nurse), name="Cabinet", kind="ics", host="agenda.exemple",
        address_sealed=cipher.encrypt("https://agenda.exemple/a.ics"),
    )  # fmt: skip
    return {
        "partner_id": [partner.pk],
        "relay_id": [relay.pk],
        "queue": ["echanges"],
        "deed": ["reprendre", "abandonner"],
        "row_id": [relay.pk],
        "users": [coordinator, administrator, director, offer.user, nurse],
        "dossier_id": [entry.dossier.pk],
        "appointment_id": [planned.appointment(entry, nurses).pk, meeting.pk, fixed.pk],
        "member_id": [member.pk for member in (listed, by_hand, relative, building, nurses, refused)],
        "acting_id": [helped.pk],
        "target_id": [make.listed().pk],
        "structure_id": [local.pk],
        "delegate_id": [delegate.pk],
        "professional_id": [helper.attachment.professional.pk],
        "activity_id": [activity.pk],
        "user_id": [helper.pk, idle.pk],
        "client_id": [connect(local)[0].pk],
        "offer_id": [offer.pk],
        "invitation_id": [waiting.invitations.get().pk],
        "kind": ["professionnel", "aidant"],
        "profile": ["medecin"],
        "column": ["plan"],
        "table": ["niveau"],
        "number": [1],
        "rubrique": ["journal"],
        "request_id": [asked.pk],
        "question_id": [question.pk],
        "opposition_id": [opposition.pk],
        "act": list(ACTS),
        "emergency_id": [emergency.pk],
        "opening_id": [add_opening(schedule_of(nurse), by=nurse, when=tomorrow).pk],
        "calendar_id": [kept.pk],
        "room_id": [add_room(place.pk, by=director, name="Salle bleue").pk],
        "absence_id": [add_absence(schedule_of(nurse), by=nurse, when=tomorrow)[0].pk],
    }


def addresses(name, path, town):
    """Return the addresses of a route, one for each value of its parameters; None when a parameter is unknown here."""
    wanted = [part.partition(">")[0].rpartition(":")[2] for part in path.split("<")[1:]]
    if any(part not in town for part in wanted):
        return None
    sets = [{}]
    for part in wanted:
        sets = [{**said, part: value} for said in sets for value in town[part]]
    return [reverse(name, kwargs=said) for said in sets]


def ours():
    """Yield (name, path of the whole address) of the pages of the product, those of allauth left out.

    allauth's own hold passwords, codes and keys: nothing of them is ever kept.
    """
    prefixes = {
        "agenda:": "dossiers/<uuid:dossier_id>/agenda/",
        "reunions:": "dossiers/<uuid:dossier_id>/reunions/",
        "reponse:": "reponse/",
        "mon_agenda:": "agenda/",
        "flux:": "agenda/flux/",
        "circle:": "dossiers/<uuid:dossier_id>/cercle/",
        "invitations:": "invitations/",
    }
    for name, path, view in named_routes():
        if name.startswith("fhir:"):
            continue  # machines: no page, no form
        if not inspect.unwrap(view).__module__.startswith(("allauth", "django.")):
            space = name.partition(":")[0] + ":" if ":" in name else ""
            yield name, prefixes.get(space, "") + path


def drawn(client, town, asked):
    """Return what these addresses answer to each reader: (status, page when it is one)."""
    answers = []
    for user in town["users"]:
        client.force_login(user)
        for address in asked:
            answer = client.get(address)
            if answer.status_code == 303 and answer.url.startswith(f"{address}?"):
                # A form that gives each of its objects an address of its own.
                answer = client.get(answer.url)
            is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
            answers.append((answer.status_code, answer.content.decode() if is_page else ""))
    return answers


def forms_of(pages):
    """Return the forms of these pages that hold a free text."""
    return [form for form in every_form(pages) if form["texts"]]


def every_form(pages):
    """Return every form of these pages that sends by POST."""
    found = []
    for page in pages:
        reading = Forms()
        reading.feed(page)
        found += reading.forms
    return found


def test_every_form_with_a_free_text_keeps_a_draft(client, town):
    asked = {name: addresses(name, path, town) for name, path in ours() if name not in NOT_DRAWN}
    assert [name for name, urls in asked.items() if urls is None] == [], "give `town` a value for their parameter"
    answers = {name: drawn(client, town, urls) for name, urls in asked.items()}
    # Pages of which no reader of this test sees anything: give it one, or name them in NOT_DRAWN.
    unseen = [name for name, said in answers.items() if min(status for status, _ in said) >= 400]
    assert unseen == [], unseen
    forms = {name: forms_of(page for _, page in said) for name, said in answers.items()}
    assert [(name, form) for name, held in forms.items() for form in held if not form["draft"]] == []
    assert {name for name, held in forms.items() if held} >= {
        "accounts:home", "circle:add_manually", "circle:add_professional", "circle:add_structure_manually",
        "circle:change_role", "circle:choose_structure", "circle:edit_member", "circle:habilitation", "circle:remove",
        "circle:withdraw_refusal", "directory:create_structure", "directory:offer_by_hand",
        "directory:withdraw_confirmation", "dossiers:create", "dossiers:status", "habilitations:matrix",
        "invitations:invite",
        "invitations:invite_several", "invitations:resend",
    }  # fmt: skip


# A form that had no draft before: its page, the key of its draft, a field of it.
RESTORED = (
    ("circle:habilitation", "cercle-habilitation", {"habilitation": "refus", "comment": "Dit au téléphone"}),
    ("circle:remove", "cercle-retrait", {"note": "Dit au téléphone"}),
    ("circle:change_role", "cercle-role", {"starts_on": "14/03/2027"}),
    ("dossiers:status", "dossier-statut", {"note": "Dit au téléphone"}),
)


@pytest.mark.parametrize(("name", "key", "typed"), RESTORED, ids=[key for _, key, _ in RESTORED])
def test_what_was_typed_comes_back(client, town, name, key, typed):
    coordinator, member = town["users"][0], town["member_id"][0]
    dossier = town["dossier_id"][0]
    ids = [dossier] if name == "dossiers:status" else [dossier, member]
    drafts.save(coordinator, key, ids[-1], "&".join(f"{field}={value}" for field, value in typed.items()))
    client.force_login(coordinator)
    page = client.get(reverse(name, args=ids)).content.decode()
    assert list(typed.values())[-1] in page
    assert "Ce formulaire reprend votre brouillon." in page.replace("\xa0", " ")


def test_a_withdrawal_being_typed_comes_back(client, town):
    coordinator, refused = town["users"][0], town["member_id"][-1]
    drafts.save(coordinator, "cercle-retrait-refus", refused, "withdrawn_on=14%2F03%2F2026&collected=ecrit")
    client.force_login(coordinator)
    page = client.get(reverse("circle:withdraw_refusal", args=[town["dossier_id"][0], refused])).content.decode()
    assert 'value="14/03/2026"' in page


def test_a_structure_being_typed_comes_back_and_goes_once_created(client, town):
    coordinator = town["users"][0]
    drafts.save(coordinator, "annuaire-structure", coordinator.pk, "name=Presque")
    client.force_login(coordinator)
    address = reverse("directory:create_structure")
    assert 'value="Presque"' in client.get(address).content.decode()
    assert client.post(address, {"name": "Structure toute neuve", "phone": "05 36 49 10 40"}).status_code == 303
    assert drafts.load(coordinator, "annuaire-structure", coordinator.pk) is None


def test_an_act_done_forgets_its_draft(client, town):
    coordinator, dossier, member = town["users"][0], town["dossier_id"][0], town["member_id"][0]
    client.force_login(coordinator)
    acts = (
        ("cercle-role", "circle:change_role", {"role": "PROV", "starts_on": "14/03/2027"}),
        ("cercle-habilitation", "circle:habilitation", {"habilitation": "oui", **make.TEAM_POSTED}),
        ("cercle-retrait", "circle:remove", {"reason": Period.EndReason.values[0]}),
    )
    for key, name, typed in acts:
        drafts.save(coordinator, key, member, "note=x")
        if name != "circle:habilitation":
            typed |= {"version": str(Member.objects.get(pk=member).version)}
        assert client.post(reverse(name, args=[dossier, member]), typed).status_code == 303, name
        assert drafts.load(coordinator, key, member) is None, name
    drafts.save(coordinator, "dossier-statut", dossier, "note=x")
    said = {"status": "pause", "seen": "evaluation"}
    answer = client.post(reverse("dossiers:status", args=[dossier]), said)
    assert answer.status_code == 303, answer.content.decode()
    assert drafts.load(coordinator, "dossier-statut", dossier) is None
