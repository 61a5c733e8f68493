"""Every form that says which version was read has its test of the second writer (REL-11)."""

import ast
import importlib
import inspect

import pytest
from django import forms

import coordination.urls  # noqa: F401 - every page, hence every form, is imported
from tests.test_architecture import own_views, written_for

SAYS = {"version", "seen"}
TESTS = {
    "agenda.forms.answering.AnswerForm": "tests.agenda.test_answering.test_nobody_answers_an_hour_he_has_not_read",
    "agenda.forms.events.CancelForm": "tests.agenda.test_second_writer.test_an_appointment_to_be_cancelled",
    "agenda.forms.events.ConsentForm":
        "tests.agenda.test_second_writer.test_the_consent_of_the_person_sent_twice_is_noted_once_and_withdrawn_once",
    "agenda.forms.events.EventForm": "tests.agenda.test_second_writer.test_an_appointment",
    "agenda.forms.calendars.FeedForm": "tests.agenda.test_second_writer.test_the_level_of_the_feed",
    "agenda.forms.calendars.OwnCalendarForm": "tests.agenda.test_second_writer.test_a_calendar_of_one_s_own",
    "agenda.forms.ranges.AbsenceForm": "tests.agenda.test_second_writer.test_an_absence",
    "agenda.forms.ranges.OpeningForm": "tests.agenda.test_second_writer.test_an_opening",
    "agenda.forms.rooms.RoomForm": "tests.agenda.test_second_writer.test_a_room",
    "agenda.forms.settings.SettingsForm": "tests.agenda.test_second_writer.test_the_settings",
    "agenda.forms.votes.MinutesForm": "tests.agenda.test_second_writer.test_the_minutes_of_a_meeting",
    "circle.forms.access.HabilitationForm":
        "tests.circle.test_views_member.test_an_answer_given_to_another_question_opens_nothing",
    "circle.forms.access.RoleForm":
        "tests.circle.test_views_member.test_the_second_of_two_who_give_a_role_reads_the_first_one",
    "circle.forms.people.EditLinkedForm":
        "tests.circle.test_views_member.test_the_second_of_two_people_sees_both_texts_of_a_listed_member",
    "circle.forms.people.EditProfessionalForm":
        "tests.circle.test_views_member.test_the_second_of_two_people_sees_both_texts_of_a_typed_member",
    "circle.forms.people.EditRelativeForm":
        "tests.circle.test_views_member.test_the_second_of_two_people_sees_both_texts_and_chooses",
    "circle.forms.removal.RemovalForm":
        "tests.circle.test_views_member.test_a_member_changed_meanwhile_is_not_removed_unseen",
    "circle.forms.limits.LimitsForm":
        "tests.circle.test_limits.test_the_second_of_two_who_limit_a_member_lifts_nothing_unseen",
    "circle.forms.sharing.ConsentForm":
        "tests.circle.test_consents.test_the_second_of_two_who_note_a_consent_reopens_nothing_unseen",
    "circle.forms.sharing.EndForm":
        "tests.circle.test_consents.test_the_consent_that_ends_is_the_one_that_was_read",
    "coordination.dossiers.forms.ContactsForm":
        "tests.dossiers.test_views_dossier.test_two_people_changing_the_contacts",
    "coordination.dossiers.forms.IdentityEditForm":
        "tests.dossiers.test_views_dossier.test_two_people_changing_the_identity",
    "coordination.dossiers.forms.StatusForm": "tests.dossiers.test_views_dossier.test_two_people_changing_the_state",
    "coordination.partners.forms.PartnerForm":
        "tests.partners.test_screens.test_the_second_of_two_who_change_a_partner_sees_both_texts",
    "habilitations.client_forms.ScopesForm":
        "tests.directory.test_clients_page.test_the_second_of_two_who_change_permissions_sees_both_texts",
    "habilitations.catalog_forms.ProfileForm":
        "tests.habilitations.test_catalog.test_the_second_of_two_who_write_a_line_sees_both_texts",
    "habilitations.catalog_forms.RubricForm":
        "tests.habilitations.test_catalog.test_the_second_of_two_who_write_a_line_sees_both_texts",
}  # fmt: skip
# What is shared by others, a list of versions to choose from, a profession that was shown.
NOT_EDITED = {
    "agenda.forms.ranges.RangeForm",
    "circle.forms.people.EditFields",
    "circle.forms.invitations.ProfessionForm",
    "habilitations.catalog_forms._Named",
    "habilitations.forms.ReplayForm",
}


def forms_of_a_version():
    found, left = set(), [forms.BaseForm]
    while left:
        form = left.pop()
        left += form.__subclasses__()
        if form.__module__.split(".")[0] != "tests" and SAYS & set(getattr(form, "base_fields", ())):
            found.add(f"{form.__module__}.{form.__qualname__}")
    return found


@pytest.mark.req("REL-11")
def test_every_form_that_says_what_was_read_has_its_test_of_the_second_writer():
    assert forms_of_a_version() == set(TESTS) | NOT_EDITED
    for test in TESTS.values():
        module, name = test.rsplit(".", 1)
        found = importlib.import_module(module)
        marks = [*getattr(getattr(found, name), "pytestmark", []), *_marks_of(found)]
        assert any(mark.name == "req" and "REL-11" in mark.args for mark in marks), test


def _marks_of(module):
    marks = getattr(module, "pytestmark", [])
    return marks if isinstance(marks, list) else [marks]


# ---- Every address that takes a POST -------------------------------------------------------------

# What a form says of what was read: a version, a mark of it, the day a button speaks of, what is made once.
READ = SAYS | {"creation_key", "revision"}
SAID_BY_A_BUTTON = {"version", "seen", "prevu", "fin"}
# Addresses that take a POST and say nothing of what was read, by the reason why nothing of another is lost there.
WITHOUT = {
    "what is typed is looked for, or drawn: nothing is written": {
        "administration:accounts", "administration:allow_structure", "administration:choose_client_structure",
        "circle:add", "circle:add_structure", "circle:list", "circle:preview_letter",
        "directory:professionals", "directory:structures", "dossiers:birth_places", "dossiers:export",
        "dossiers:journal", "dossiers:journal_export", "dossiers:journal_print", "dossiers:journals",
        "dossiers:list", "dossiers:open", "dossiers:structures", "dossiers:towns", "invitations:preview", "root",
        "account_signup",
    },
    "the act says in full what becomes of it: done already, it changes nothing or says so": {
        "administration:account_act", "administration:close_structure", "administration:end_delegate",
        "administration:legal_structure", "administration:name_delegate", "administration:revoke_client",
        "agenda:done", "agenda:join", "agenda:keep_apart", "agenda:not_come", "circle:call_off_stay",
        "circle:close_access", "circle:discreet", "circle:finish_review", "circle:join", "circle:keep_access",
        "circle:restore_access", "circle:undo_removal", "directory:keep_account", "directory:merge_structure",
        "directory:withdraw_offer", "dossiers:allow_emergency", "dossiers:forbid_emergency",
        "dossiers:leave_emergency", "habilitations:close_profile", "habilitations:end_officer",
        "habilitations:officers", "habilitations:publish", "habilitations:put_back", "habilitations:refuse",
        "habilitations:reopen_profile", "habilitations:restore_rubric", "habilitations:take_back",
        "habilitations:withdraw_rubric", "invitations:copy_link", "invitations:decline", "invitations:remind",
        "invitations:revoke", "mon_agenda:remove_room", "operations:act_on_all", "operations:act_on_one",
        "partners:attempt", "partners:cancel", "partners:retry", "reunions:remind", "reunions:remove",
        "roles:unique",
    },
    "a moment proposed never changes, and is named by its own id: those that are no longer there are refused": {
        "reponse:answer", "reunions:add_time", "reunions:answer", "reunions:choose",
    },
    "a fact is added beside the others, or ends once, named by its own id": {
        "circle:oppose", "circle:withdraw_opposition", "circle:withdraw_refusal", "dossiers:officer_review",
        "dossiers:emergencies", "dossiers:review_emergency", "directory:confirm_profession",
        "directory:withdraw_confirmation",
    },
    "the act is named by the page (« acte »), and one consent at a time is kept by the database": {
        "circle:secretary",
    },
    "the answer is said whole; a refusal of the person stands until it is withdrawn on its own page": {
        "circle:record_refusal",
    },
    "something is asked, offered or answered once: the second one is told that it is": {
        "acting:answer", "answer_why", "circle:answer_request", "circle:exchange", "circle:invite_member",
        "circle:link", "directory:create_structure", "directory:offer",
        "directory:offer_account", "directory:offer_by_hand", "directory:offer_professional",
        "dossiers:ask_access", "dossiers:ask_why", "dossiers:emergency", "habilitations:ask",
        "invitations:answer", "invitations:ask", "invitations:invite_several", "invitations:opened",
        "invitations:receive", "invitations:refuse", "invitations:resend",
    },
    "the draft of the matrix is compared cell by cell with the version it starts from": {
        "habilitations:carry_over", "habilitations:column", "habilitations:discard", "habilitations:import",
        "habilitations:matrix", "habilitations:profile", "habilitations:restore", "habilitations:rights",
    },
    "of one administrator: the last word is in the journal": {
        "administration:confirm_account",
        "administration:renew_client_secret",
    },
    "one’s own, and one’s own last word": {
        "account_logout", "accounts:draft", "accounts:end_other_sessions", "accounts:end_session", "accounts:home",
        "accounts:session", "acting:declare", "acting:end", "acting:secretary", "dossiers:seen",
        "mon_agenda:close_feed", "mon_agenda:refresh_calendar", "mon_agenda:remove_absence",
        "mon_agenda:remove_calendar", "mon_agenda:remove_opening", "mon_agenda:renew_feed", "tokens:make",
        "tokens:revoke",
    },
    "a machine asks for a token": {"api_token"},
}  # fmt: skip


def takes_post(view):
    """Say whether a view written here answers a POST; one that says nothing of methods does."""
    while view is not None:
        free = view.__code__.co_freevars
        if "request_method_list" in free:
            return "POST" in view.__closure__[free.index("request_method_list")].cell_contents
        view = getattr(view, "__wrapped__", None)
    return True


def says_what_was_read(view):
    """Say whether a form of this view, or a button that it reads, carries a mark of what was read."""
    module, nodes = inspect.getmodule(inspect.unwrap(view)), list(written_for(view))
    used = [getattr(module, node.id, None) for node in nodes if isinstance(node, ast.Name)]
    # Some choose their form in a table, by the kind of what is changed.
    used += [one for table in used if isinstance(table, dict) for one in table.values()]
    held = [one for one in used if inspect.isclass(one) and issubclass(one, forms.BaseForm)]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return bool(SAID_BY_A_BUTTON & words) or any(READ & set(getattr(one, "base_fields", ())) for one in held)


@pytest.mark.req("REL-7", "REL-11")
def test_every_address_that_takes_a_post_says_what_was_read_or_why_it_need_not():
    """A new form that changes something says the version it was read at, or its reason here."""
    # The API says it by If-Match (tests/fhir); what Django and allauth wrote is one's own password, code or key.
    pages = {name: view for name, _, view in own_views() if not name.startswith("fhir")}
    ours = {name: view for name, view in pages.items() if not inspect.unwrap(view).__module__.startswith("django.")}
    taking = {name: view for name, view in ours.items() if takes_post(view)}
    silent = {name for name, view in taking.items() if not says_what_was_read(view)}
    named = [name for names in WITHOUT.values() for name in names]
    assert len(named) == len(set(named)), "one reason for each"
    assert silent - set(named) == set(), "say what was read, or why nothing of another is lost"
    assert set(named) - silent == set(), "these say what was read, or are no more: take their reason away"
