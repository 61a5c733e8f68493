"""« Accès d’urgence » (bris de glace): off by default, read only, ends by itself, told, traced, reviewed (SEC-8)."""

import datetime as dt
import re
import time

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from coordination.accounts import drafts
from coordination.directory.models import Attachment
from coordination.dossiers import door, emergencies
from coordination.dossiers.emergencies import time_left
from coordination.dossiers.errors import DossierUnknown
from coordination.dossiers.models import Dossier
from coordination.outbox.models import Message
from habilitations import access, defaults, emergency, traces
from habilitations import actions as habilitations
from habilitations.access import Access, Hat
from habilitations.errors import (
    AlreadyBanned,
    AlreadyReviewed,
    BanDateNotPossible,
    EmergencyNotOpened,
    LevelMissing,
    NotAllowed,
    NothingBanned,
    OwnEmergency,
    VerdictUnknown,
    WhyMissing,
)
from habilitations.matrix import Matrix
from habilitations.models import (
    AccountTrace,
    DataProtectionOfficer,
    EmergencyAccess,
    EmergencyBan,
    EmergencyReview,
    Habilitation,
    LegalStructure,
    Opposition,
    Trace,
)
from habilitations.rubriques import Action, Niveau, Rubrique
from tests.accounts.factories import PASSWORD
from tests.circle.factories import ProfessionalFactory
from tests.dossiers.factories import (
    DOCTOR,
    HOME_HELP,
    NURSE,
    DossierFactory,
    StructureFactory,
    UserFactory,
    delegate,
    habilitate,
    habilitation,
    professional,
)
from tests.habilitations.acting_data import stand_in

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-8")]
PATH = "/dossiers/acces-urgence/"
WHY = {"reason": "vitale", "detail": "Trouvée seule, sans proche joignable."}


@pytest.fixture(autouse=True)
def _on(settings):
    settings.BRIS_DE_GLACE = True


@pytest.fixture
def dossier(doctor):
    made = DossierFactory(
        birth_name="EXEMPLE", used_name="MARTIN", ins_matricule="241038100901267", ins_oid="1.2.250.1.213.1.4.10",
        identity_status="QUAL",
    )  # fmt: skip
    habilitate(doctor, made)
    return made


@pytest.fixture
def nurse(db):
    return professional(NURSE, family_name="CROQUIS", given_name="Nina")


@pytest.fixture
def opened(nurse, dossier):
    return habilitations.open_emergency(dossier.pk, by=nurse, **WHY)


def traits(**changed):
    return {
        "birth_name": "Exemple", "given_name": "jeanne", "birth_date": "14/03/1941", "sex": "female", **WHY, **changed,
    }  # fmt: skip


def sign_in(client, user, *, factor_age=0):
    """Sign in with a second factor shown so many seconds ago."""
    client.force_login(user)
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    session = client.session
    shown = {"method": "mfa", "type": "totp", "at": time.time() - factor_age}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*session[AUTHENTICATION_METHODS_SESSION_KEY], shown]
    session.save()
    return client


def later(monkeypatch, **delta):
    moment = timezone.now() + dt.timedelta(**delta)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    return moment


def text_of(answer):
    said = re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " ").replace("&#39;", "'")
    return " ".join(said.split())


# ---- the engine ------------------------------------------------------------------------------------


def test_it_opens_identity_and_medical_rubrics_in_reading_and_nothing_else(nurse, dossier, opened):
    found = access.to_dossier(nurse, dossier.pk)
    assert set(found.readable()) == emergency.RUBRICS
    assert found.writable() == ()
    assert not any(found.abilities[action.value] for action in Action)
    assert not (found.may_record_refusal or found.may_withdraw_refusal)
    assert found.ends_at == opened.ends_at == opened.opened_at + dt.timedelta(hours=2)


@given(profile=st.sampled_from(sorted(defaults.load().levels)), cap=st.sampled_from(list(Niveau)), data=st.data())
@settings(max_examples=150)
def test_it_never_gives_writing_nor_more_than_the_profession(profile, cap, data):
    """Whatever the profile, the state of the dossier and what was reduced for the person (rule 2, SEC-8)."""
    shipped = defaults.load()
    matrix = Matrix(1, shipped.levels, shipped.action_rights, shipped.profile_rules)
    reduced = data.draw(st.dictionaries(st.sampled_from(Rubrique.values), st.sampled_from(list(Niveau))))
    ceilings = emergency.ceilings(reduced, Rubrique)
    held = Access(
        profile, matrix, Hat(), None, cap=min(cap, Niveau.LECTURE), ceilings=ceilings, ends_at=timezone.now()
    )
    for rubrique in Rubrique:
        assert held.level(rubrique) <= min(Niveau.LECTURE, matrix.level(profile, rubrique), cap)
        assert held.level(rubrique) <= reduced.get(rubrique, Niveau.ECRITURE)
        assert rubrique in emergency.RUBRICS or held.level(rubrique) == Niveau.AUCUN
    assert not any(held.may(action) for action in Action)
    assert not any(held.may(action, structure_id=held.hat.structure_id) for action in Action)


def test_the_three_questions_agree(nurse, dossier, opened):
    assert dossier.pk in access.dossier_ids(nurse).values_list("dossier_id", flat=True)
    assert dossier.pk not in access.dossier_ids(nurse, through=access.GRANTED).values_list("dossier_id", flat=True)
    assert nurse.pk in access.users_able_to(dossier.pk, Rubrique.MEDICAL)
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.CERCLE)
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL, Niveau.ECRITURE)
    assert nurse.pk not in access.users_who_may(dossier.pk, Action.GRANT)


def test_it_ends_by_itself_at_the_minute(monkeypatch, nurse, dossier, opened):
    later(monkeypatch, minutes=119, seconds=59)
    assert access.to_dossier(nurse, dossier.pk) is not None
    later(monkeypatch, seconds=1)
    assert access.to_dossier(nurse, dossier.pk) is None
    with pytest.raises(DossierUnknown):
        door.look(nurse, dossier.pk)
    assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)


def test_the_lists_end_with_it(nurse, dossier, opened):
    """By the clock of the database, which no test moves."""
    two_hours = dt.timedelta(hours=2)
    EmergencyAccess.objects.update(opened_at=opened.opened_at - two_hours, ends_at=opened.ends_at - two_hours)
    assert list(access.dossier_ids(nurse).values_list("dossier_id", flat=True)) == []
    assert access.to_dossier(nurse, dossier.pk) is None


def test_how_long_is_a_setting(settings, nurse, dossier):
    settings.BRIS_DE_GLACE_MINUTES = 30
    opened = habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    assert opened.ends_at - opened.opened_at == dt.timedelta(minutes=30)


def test_a_grant_wins_over_it(nurse, dossier, opened):
    habilitate(nurse, dossier)
    found = access.to_dossier(nurse, dossier.pk)
    assert found.ends_at is None
    assert found.can_write(Rubrique.MEDICAL)


def test_what_was_reduced_for_the_person_stays_reduced(nurse, dossier, doctor):
    row = habilitation(dossier, "non", user=nurse)
    granting = access.to_dossier(doctor, dossier.pk)
    habilitations.set_limits(row, by=doctor, access=granting, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    found = access.to_dossier(nurse, dossier.pk)
    assert set(found.readable()) == emergency.RUBRICS - {Rubrique.MEDICAL}


@pytest.mark.req("SEC-5")
def test_a_refusal_closes_it_at_the_next_request(nurse, dossier, doctor, opened):
    row = habilitation(dossier, "non", user=nurse)
    granting = access.to_dossier(doctor, dossier.pk)
    habilitations.record_refusal(
        row, by=doctor, access=granting, refused_on=timezone.localdate(), collected="oral"
    )  # fmt: skip
    assert access.to_dossier(nurse, dossier.pk) is None
    assert list(access.dossier_ids(nurse).values_list("dossier_id", flat=True)) == []


@pytest.mark.req("SEC-5")
def test_a_refusal_to_his_structure_closes_it_too(nurse, dossier, opened):
    house = StructureFactory()
    delegate(nurse, house)
    habilitation(dossier, "refus", structure=house)
    assert access.to_dossier(nurse, dossier.pk) is None
    assert list(access.dossier_ids(nurse).values_list("dossier_id", flat=True)) == []


def shut_while_running(how, nurse, dossier, doctor):
    house, granting = StructureFactory(), access.to_dossier(doctor, dossier.pk)
    said = {"by": doctor, "access": granting, "refused_on": timezone.localdate(), "collected": "oral"}
    if how == "his entry of the directory refused":
        row = habilitation(dossier, "non")
        row.professional = ProfessionalFactory()
        row.save()
        Attachment.objects.create(user=nurse, professional=row.professional)
    elif how == "the same structure under another entry":
        delegate(nurse, StructureFactory(merged_into=house))
        row = habilitation(dossier, "non", structure=house)
    else:
        delegate(nurse, house)
        row = habilitation(dossier, "oui" if how == "consent taken back" else "non", structure=house)
    if how == "consent taken back":
        row.consents.update(end="retrait", ended_at=timezone.now(), ended_on=timezone.localdate())
        Habilitation.objects.filter(pk=row.pk).update(state="non")
    else:
        habilitations.record_refusal(row, **said)
    return row


REFUSED_MEANWHILE = [
    "structure refused", "consent taken back", "the same structure under another entry",
    "his entry of the directory refused", "structure closed since",
]  # fmt: skip


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("how", REFUSED_MEANWHILE)
def test_what_the_person_refused_closes_it_for_good_also_once_it_is_no_member_any_more(
    nurse, dossier, doctor, opened, how
):
    """A refusal stands until she withdraws it: not until its entry leaves the circle, or enters no dossier."""
    assert access.to_dossier(nurse, dossier.pk)
    row = shut_while_running(how, nurse, dossier, doctor)
    for act in (lambda: None, lambda: habilitations.end_habilitation(row, by=doctor)):
        act()
        if how == "structure closed since":
            LegalStructure.objects.update(closed_at=timezone.now())
        assert access.to_dossier(nurse, dossier.pk) is None
        assert not access.dossier_ids(nurse).exists()
        assert nurse.pk not in access.users_able_to(dossier.pk, Rubrique.MEDICAL)
    assert EmergencyAccess.objects.get().closed_at is None


@pytest.mark.req("SEC-5")
def test_what_is_opposed_to_his_structure_stays_closed_once_it_has_left(nurse, dossier, doctor, opened):
    house = StructureFactory()
    delegate(nurse, house)
    row = habilitation(dossier, "non", structure=house)
    Opposition.objects.create(
        dossier=dossier, habilitation=row, rubrique="medical", refused_on=timezone.localdate(), collected="oral",
        recorded_by=doctor,
    )  # fmt: skip
    assert not access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL)
    habilitations.end_habilitation(row, by=doctor)
    assert not access.to_dossier(nurse, dossier.pk).can_read(Rubrique.MEDICAL)


@pytest.mark.req("SEC-5")
def test_what_another_structure_was_refused_closes_nothing(nurse, dossier, doctor, opened):
    habilitation(dossier, "refus", structure=StructureFactory())
    assert access.to_dossier(nurse, dossier.pk)
    assert access.dossier_ids(nurse).exists()


# ---- opening ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("profession", "fonction"), [(HOME_HELP, ""), ("60", "330"), ("44", ""), ("93", "")])
def test_doctors_and_nurses_only(dossier, profession, fonction):
    user = professional(profession, fonction)
    with pytest.raises(NotAllowed):
        habilitations.open_emergency(dossier.pk, by=user, **WHY)


def test_nobody_where_the_setting_is_off(settings, nurse, dossier):
    settings.BRIS_DE_GLACE = False
    with pytest.raises(NotAllowed):
        habilitations.open_emergency(dossier.pk, by=nurse, **WHY)


def test_a_reason_of_the_list_and_a_sentence(nurse, dossier):
    for said in ({"reason": "curiosite", "detail": "x"}, {"reason": "vitale", "detail": "  "}):
        with pytest.raises(WhyMissing):
            habilitations.open_emergency(dossier.pk, by=nurse, **said)


def test_one_at_a_time(nurse, dossier, opened):
    with pytest.raises(EmergencyNotOpened):
        habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    again = {"dossier": dossier, "user": nurse, **WHY, "opened_at": opened.opened_at, "ends_at": opened.ends_at}
    with pytest.raises(IntegrityError, match="one_emergency_at_a_time"), transaction.atomic():
        EmergencyAccess.objects.create(**again)
    habilitations.leave_emergency(dossier.pk, by=nurse)
    assert access.to_dossier(nurse, dossier.pk) is None
    assert habilitations.open_emergency(dossier.pk, by=nurse, **WHY).pk != opened.pk


def test_sent_twice_at_once_it_opens_once_and_both_lead_there(client, nurse, dossier, opened, monkeypatch):
    """The second one read twice that he is not inside, before the first one was written."""
    sign_in(client, nurse)
    decide, read = access.to_dossier, []

    def before(user, dossier_id, **more):
        read.append(dossier_id)
        return decide(user, dossier_id, **more) if len(read) > 2 else None

    monkeypatch.setattr(access, "to_dossier", before)
    answer = client.post(PATH, traits())
    assert (answer.status_code, answer.url) == (303, f"/dossiers/{dossier.pk}/")
    assert EmergencyAccess.objects.count() == 1


def taken_back(row, **became):
    row.consents.update(end="retrait", ended_at=timezone.now(), ended_on=timezone.localdate())
    if became:
        Habilitation.objects.filter(pk=row.pk).update(**became)


def shut(how, nurse, dossier, doctor):  # noqa: C901 - one branch for each way
    house = StructureFactory()
    if how == "refused":
        habilitation(dossier, "refus", user=nurse)
    elif how == "refused before leaving":
        habilitation(dossier, "refus", user=nurse, ended_at=timezone.now())
    elif how == "structure refused":
        delegate(nurse, house)
        habilitation(dossier, "refus", structure=house)
    elif how == "structure refused before leaving":
        delegate(nurse, house)
        habilitation(dossier, "refus", structure=house, ended_at=timezone.now())
    elif how == "same structure refused":
        delegate(nurse, StructureFactory(merged_into=house))
        habilitation(dossier, "refus", structure=house)
    elif how == "forbidden":
        forbid(dossier, doctor)
    elif how == "consent withdrawn":
        taken_back(habilitation(dossier, "oui", user=nurse))
    elif how == "consent of a structure withdrawn before leaving":
        delegate(nurse, house)
        taken_back(habilitation(dossier, "oui", structure=house), state="non", ended_at=timezone.now())
    elif how == "whole dossier opposed":
        Opposition.objects.create(
            dossier=dossier, rubrique="", spared=[doctor.pk], refused_on=timezone.localdate(), collected="oral",
            recorded_by=doctor,
        )  # fmt: skip


def forbid(dossier, doctor, **said):
    entered = access.to_dossier(doctor, dossier.pk, cap=dossier.cap)
    details = {"said_on": timezone.localdate(), "collected": "oral"} | said
    return habilitations.forbid_emergency(dossier.pk, by=doctor, access=entered, **details)


SHUT = [
    "refused", "refused before leaving", "structure refused", "structure refused before leaving",
    "same structure refused", "forbidden", "consent withdrawn", "whole dossier opposed",
    "consent of a structure withdrawn before leaving",
]  # fmt: skip


@pytest.mark.parametrize("how", SHUT)
def test_what_the_person_refused_is_not_opened(nurse, dossier, doctor, how):
    shut(how, nurse, dossier, doctor)
    with pytest.raises(EmergencyNotOpened):
        habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    assert not EmergencyAccess.objects.exists()


@pytest.mark.req("SECT-4")
def test_absent_refused_and_forbidden_answer_alike(client, nurse, dossier, doctor):
    sign_in(client, nurse)
    client.post(PATH, traits(birth_name="Personne"))
    said = []
    for how in ["absent", *SHUT]:
        with transaction.atomic():
            shut(how, nurse, dossier, doctor)
            typed = traits(birth_name="Personne") if how == "absent" else traits()
            with CaptureQueriesContext(connection) as captured:
                answer = client.post(PATH, typed)
            # What was typed comes back in its fields, and each page has its token.
            body = re.sub(r'(value|content)="[^"]*"', "", answer.content.decode())
            shapes = [re.sub(r"'[^']*'", "", one["sql"]) for one in captured if "SAVEPOINT" not in one["sql"]]
            said.append((answer.status_code, body, len(shapes), [sql[:40] for sql in shapes]))
            transaction.set_rollback(True)
    assert {status for status, *_ in said} == {422}
    for one in said[1:]:
        assert one == said[0]


@pytest.mark.req("SEC-9")
def test_it_is_in_both_journals_with_its_reason_and_so_is_each_page(client, nurse, dossier):
    sign_in(client, nurse)
    answer = client.post(PATH, traits())
    assert (answer.status_code, answer.url) == (303, f"/dossiers/{dossier.pk}/")
    assert client.get(answer.url).status_code == 200
    first, *pages = Trace.objects.of_dossier(dossier.pk).filter(actor_id=nurse.pk)
    opened = EmergencyAccess.objects.get()
    assert (first.action, first.reason, first.object_id) == ("urgence", "Urgence vitale", opened.pk)
    assert [(one.action, one.reason, one.habilitation_id) for one in pages] == [("lecture", "accès d’urgence", None)]
    own = AccountTrace.objects.get(actor_id=nurse.pk, action="urgence")
    assert (own.outcome, own.object_kind, own.object_id) == ("ok", "urgence vitale", opened.pk)
    assert WHY["detail"] not in str(list(Trace.objects.values())), "free text stays out of the journal"


def test_who_answers_for_the_dossier_is_told_at_once_and_the_letter_says_nobody(
    nurse, dossier, doctor, django_capture_on_commit_callbacks
):
    officer, idle = UserFactory(family_name="GARDE"), professional(NURSE)
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    habilitate(idle, dossier)
    with django_capture_on_commit_callbacks(execute=True):
        habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    assert {message.to for message in Message.objects.all()} == {doctor.email, officer.email}
    for sent in mail.outbox:
        said = f"{sent.subject} {sent.body} {sent.alternatives}"
        for word in ("MARTIN", "EXEMPLE", "CROQUIS", "Trouvée", "vitale", str(dossier.pk)):
            assert word not in said


# ---- the page --------------------------------------------------------------------------------------


ADDRESSES = [
    ("emergency", ()), ("emergencies", ()), ("officer_review", ("x",)), ("emergency_ban", ("d",)),
    ("forbid_emergency", ("d",)), ("allow_emergency", ("d",)), ("leave_emergency", ("d",)),
    ("show_emergency", ("d", "x")), ("review_emergency", ("d", "x")),
]  # fmt: skip


@pytest.mark.parametrize("signed_in", [False, True])
def test_off_its_addresses_are_unknown_ones(client, settings, doctor, nurse, dossier, opened, signed_in):
    settings.BRIS_DE_GLACE = False
    if signed_in:
        sign_in(client, doctor)
    ids = {"d": dossier.pk, "x": opened.pk}

    def said(method, path):
        answer = getattr(client, method)(path)
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
        page = re.sub(rb'(value|content)="[^"]*"', b"", answer.content)
        return answer.status_code, page, headers

    for name, args in ADDRESSES:
        for method in ("get", "post"):
            address = reverse(f"dossiers:{name}", args=[ids[one] for one in args])
            assert said(method, address)[0] == 404
            assert said(method, address) == said(method, "/dossiers/inconnue/")


def test_off_by_default_and_no_door_is_shown(client, settings, as_doctor, dossier):
    from coordination.settings import base

    assert base.BRIS_DE_GLACE is False
    assert PATH in as_doctor.get("/dossiers/").content.decode()
    assert "/urgence/" in as_doctor.get(f"/dossiers/{dossier.pk}/").content.decode()
    settings.BRIS_DE_GLACE = False
    assert PATH not in as_doctor.get("/dossiers/").content.decode()
    assert "urgence" not in as_doctor.get(f"/dossiers/{dossier.pk}/").content.decode()


def test_others_find_nothing(client, dossier):
    for user in (professional(HOME_HELP), UserFactory(administrator=True), professional("60", "330")):
        sign_in(client, user)
        assert client.get(PATH).status_code == client.post(PATH, traits()).status_code == 404
        assert PATH not in client.get("/dossiers/").content.decode()


@pytest.mark.req("SEC-18")
def test_the_second_factor_must_be_fresh(client, nurse, dossier):
    sign_in(client, nurse, factor_age=301)
    for answer in (client.get(PATH), client.post(PATH, traits())):
        assert answer.status_code == 302
        assert answer.url == f"{reverse('mfa_reauthenticate')}?next=%2Fdossiers%2Facces-urgence%2F"
    assert not EmergencyAccess.objects.exists()
    assert "ouvrir un dossier en urgence" in text_of(client.get(answer.url))
    sign_in(client, nurse, factor_age=290)
    assert client.get(PATH).status_code == 200


@pytest.mark.req("SEC-18")
def test_the_code_of_the_application_is_asked_and_what_was_typed_is_sent(client, nurse, dossier):
    """The whole way: a session of an hour ago, the form sent, the code, the dossier; a password would not do."""
    cache.clear()
    client.force_login(nurse)
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(nurse, secret)
    sent = client.post(PATH, traits())
    assert sent.url.startswith(reverse("mfa_reauthenticate"))
    by_password = client.post(reverse("account_reauthenticate"), {"password": PASSWORD, "next": PATH})
    assert not EmergencyAccess.objects.exists()
    assert by_password.status_code == 302
    assert by_password.url.startswith(reverse("mfa_reauthenticate")), "played again, it asks for the factor still"
    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    done = client.post(reverse("mfa_reauthenticate"), {"code": code, "next": PATH})
    assert (done.status_code, done.url) == (303, f"/dossiers/{dossier.pk}/")
    assert EmergencyAccess.objects.get().user == nurse


@pytest.mark.req("SEC-18")
def test_a_password_is_not_enough(client, nurse, dossier):
    client.force_login(nurse)
    refused = client.post(PATH, traits())
    assert refused.status_code == 403
    assert "ajoutez d’abord une clé d’accès" in text_of(refused)
    assert not EmergencyAccess.objects.exists()


def test_by_matricule_alone(client, nurse, dossier):
    sign_in(client, nurse)
    answer = client.post(PATH, {"ins_matricule": "2 41 03 81 009 012 67", **WHY})
    assert (answer.status_code, answer.url) == (303, f"/dossiers/{dossier.pk}/")


@pytest.mark.req("SEC-22")
@pytest.mark.parametrize(
    "changed",
    [{"birth_name": "Exempl"}, {"given_name": "Jean"}, {"birth_date": "15/03/1941"}, {"sex": "male"},
     {"birth_name": "MARTIN"}],
)  # fmt: skip
def test_the_traits_are_exact(client, nurse, dossier, changed):
    sign_in(client, nurse)
    answer = client.post(PATH, traits(**changed))
    assert answer.status_code == 422
    assert "Aucun dossier ne peut être ouvert avec ces éléments." in text_of(answer)
    assert AccountTrace.objects.filter(actor_id=nurse.pk, action="urgence", outcome="refus", object_id=None).exists()


def test_two_people_of_the_same_traits_are_nobody(client, nurse, dossier):
    DossierFactory(birth_name="EXEMPLE")
    sign_in(client, nurse)
    assert client.post(PATH, traits()).status_code == 422


@pytest.mark.parametrize(
    "typed",
    [{}, {"birth_name": ""}, {"birth_date": "03/1941"}, {"birth_date": "x"}, {"reason": ""}, {"detail": " "}],
)  # fmt: skip
def test_what_is_missing_is_said_beside_its_field(client, nurse, dossier, typed):
    sign_in(client, nurse)
    answer = client.post(PATH, traits(**typed) if typed else {})
    assert answer.status_code == 422
    assert "à corriger" in text_of(answer)
    assert not EmergencyAccess.objects.exists()


def test_who_is_inside_is_taken_there_and_nothing_is_opened(client, doctor, nurse, dossier, opened):
    for user in (doctor, nurse):
        sign_in(client, user)
        answer = client.post(PATH, traits())
        assert (answer.status_code, answer.url) == (303, f"/dossiers/{dossier.pk}/")
    assert EmergencyAccess.objects.count() == 1


def test_persons_are_not_tried_by_the_dozen(client, nurse):
    sign_in(client, nurse)
    answers = {client.post(PATH, traits(birth_name=f"Essai {n}")).status_code for n in range(12)}
    assert answers == {422, 429}


# ---- inside ----------------------------------------------------------------------------------------


def test_each_page_says_until_when_and_one_click_leaves(client, nurse, dossier, opened):
    sign_in(client, nurse)
    for path in ("", "acces/", "identite/"):
        page = text_of(client.get(f"/dossiers/{dossier.pk}/{path}"))
        assert f"Accès d’urgence jusqu’à {timezone.localtime(opened.ends_at):%H:%M}." in page
        assert "Il reste 1 h 59." in page
    assert "Accès d’urgence en cours" in text_of(client.get(PATH))
    left = client.post(f"/dossiers/{dossier.pk}/urgence/quitter/")
    assert left.status_code == 303
    opened.refresh_from_db()
    assert opened.closed_by == nurse
    assert client.get(f"/dossiers/{dossier.pk}/").status_code == 404
    assert Trace.objects.of_dossier(dossier.pk).filter(action="fin d’urgence", actor_id=nurse.pk).exists()
    assert AccountTrace.objects.filter(action="fin d’urgence", actor_id=nurse.pk).exists()


def test_a_member_has_nothing_to_leave(as_doctor, dossier):
    assert as_doctor.post(f"/dossiers/{dossier.pk}/urgence/quitter/").status_code == 404
    assert not Trace.objects.of_dossier(dossier.pk).filter(action="fin d’urgence", outcome="ok").exists()


def test_what_it_does_not_open_is_refused_by_the_door(client, nurse, dossier, opened):
    for rubrique in set(Rubrique) - emergency.RUBRICS:
        with pytest.raises(LevelMissing):
            door.enter(nurse, dossier.pk, rubrique)
    for rubrique in Rubrique:
        with pytest.raises(LevelMissing):
            door.enter(nurse, dossier.pk, rubrique, Niveau.ECRITURE)
    sign_in(client, nurse)
    base = f"/dossiers/{dossier.pk}/"
    for path in ("identite/modifier/", "cercle/", "cercle/fiche.pdf", "journal/", "acces/cercle/demander/"):
        assert client.post(base + path).status_code in (403, 405, 409), path
    answer = client.post(base + "statut/", {"status": "clos", "closing_reason": "fin", "seen": "actif"})
    assert answer.status_code == 403
    assert Dossier.objects.get().status == Dossier.Status.ACTIF
    page = text_of(client.get(base + "acces/"))
    assert "Un accès d’urgence n’ouvre que l’identité, le volet médical et les documents médicaux." in page
    assert "Demander l’accès" not in page


def test_lists_tell_nothing_more_than_the_profession_of_a_member_would(client, nurse, dossier, opened):
    sign_in(client, nurse)
    assert "MARTIN" not in text_of(client.get("/dossiers/?vue=tous"))
    assert "MARTIN" not in text_of(client.get("/a-faire/"))


@pytest.mark.req("PERF-3")
def test_the_page_costs_as_many_statements_for_thirty_as_for_one(client, nurse):
    sign_in(client, nurse)
    counted = []
    for _ in range(2):
        for _ in range(1 if not counted else 29):
            habilitations.open_emergency(DossierFactory().pk, by=nurse, **WHY)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PATH).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 12


def test_the_time_left_in_words():
    now = timezone.now()
    said = [time_left(now + dt.timedelta(seconds=s), now=now).replace("\xa0", " ") for s in (1, 59, 540, 3_600, 7_199)]
    assert said == ["1 min", "1 min", "9 min", "1 h 00", "1 h 59"]


# ---- reviewing -------------------------------------------------------------------------------------


def review_of(doctor, dossier, opened, **said):
    held = access.to_dossier(doctor, dossier.pk)
    return habilitations.review_emergency(opened, by=doctor, access=held, **said)


def test_each_is_reviewed_once_by_each_side(dossier, doctor, opened):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    with pytest.raises(VerdictUnknown):
        review_of(doctor, dossier, opened, verdict="a_examiner", comment="  ")
    with pytest.raises(VerdictUnknown):
        review_of(doctor, dossier, opened, verdict="peut-être")
    review_of(doctor, dossier, opened, verdict="justifie")
    with pytest.raises(AlreadyReviewed):
        review_of(doctor, dossier, opened, verdict="justifie")
    habilitations.review_emergency(opened, by=officer, verdict="a_examiner", comment="À demander au cadre.")
    said = EmergencyReview.objects.order_by("as_officer").values_list("by", "as_officer", "verdict")
    assert list(said) == [(doctor.pk, False, "justifie"), (officer.pk, True, "a_examiner")]


def test_not_by_its_author_nor_by_who_may_not_grant(nurse, dossier, doctor, opened):
    other = professional(NURSE)
    habilitate(other, dossier)
    with pytest.raises(NotAllowed):
        review_of(other, dossier, opened, verdict="justifie")
    with pytest.raises(NotAllowed):
        habilitations.review_emergency(opened, by=other, verdict="justifie")
    DataProtectionOfficer.objects.create(user=nurse, named_by=doctor)
    with pytest.raises(OwnEmergency):
        habilitations.review_emergency(opened, by=nurse, verdict="justifie")


def test_nor_by_who_acts_for_its_author(client, dossier, doctor):
    """A grant came since: the one who stands in for him would judge in his place."""
    author, other = professional(DOCTOR), professional(DOCTOR)
    opened = habilitations.open_emergency(dossier.pk, by=author, **WHY)
    habilitate(author, dossier)
    stand_in(author, other)
    with pytest.raises(OwnEmergency):
        review_of(other, dossier, opened, verdict="justifie")
    client.force_login(other)
    page = text_of(client.get(reverse("dossiers:show_emergency", args=[dossier.pk, opened.pk])))
    assert "Justifié" not in page


@pytest.mark.req("REL-20")
def test_the_officer_is_told_that_his_draft_is_shown(client, doctor, opened):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    drafts.save(officer, "revue-urgence-dpo", opened.pk, "comment=Au+cadre")
    client.force_login(officer)
    page = text_of(client.get(reverse("dossiers:officer_review", args=[opened.pk])))
    assert "Ce formulaire reprend votre brouillon." in page and "Au cadre" in page


def test_the_coordinator_finds_it_in_what_is_to_do_and_reviews_it(client, nurse, dossier, opened):
    coordinator = professional("60", "330")
    habilitate(coordinator, dossier)
    client.force_login(coordinator)
    page = client.get("/a-faire/")
    assert "Accès d’urgence à relire" in text_of(page)
    assert "CROQUIS" in text_of(page)
    address = f"/dossiers/{dossier.pk}/urgences/{opened.pk}/"
    assert address in page.content.decode()
    assert WHY["detail"] in text_of(client.get(address))
    assert client.post(f"{address}relire/", {"verdict": "a_examiner"}).status_code == 422
    assert client.post(f"{address}relire/", {"verdict": "justifie"}).status_code == 303
    assert "Accès d’urgence à relire" not in text_of(client.get("/a-faire/"))
    assert "justifié" in text_of(client.get(address))
    assert Trace.objects.of_dossier(dossier.pk).filter(action="revue d’urgence", outcome="ok").count() == 1
    EmergencyReview.objects.all().delete()
    Dossier.objects.update(status="clos", closing_reason="fin")
    assert address not in client.get("/a-faire/").content.decode(), "nobody grants there: the officer reviews"
    other = DossierFactory()
    habilitate(coordinator, other)
    assert client.get(f"/dossiers/{other.pk}/urgences/{opened.pk}/").status_code == 404


def test_who_reviews_it_is_told_what_was_read_and_when(client, doctor, nurse, dossier, opened, monkeypatch):
    """Rubrics and times, of its author, in that dossier, while it was open: nothing of what they hold."""
    coordinator, officer = professional("60", "330"), UserFactory()
    for member in (coordinator, officer):
        habilitate(member, dossier)
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    pages = f"/dossiers/{dossier.pk}/urgences/{opened.pk}/", f"/dossiers/acces-urgence/revue/{opened.pk}/"

    def told():
        for reviewer, page in zip((coordinator, officer), pages, strict=True):
            client.force_login(reviewer)
            yield text_of(client.get(page))

    assert all("Rien après l’ouverture." in said for said in told())
    sign_in(client, nurse)
    client.get(f"/dossiers/{dossier.pk}/identite/")
    assert client.get(f"/dossiers/{dossier.pk}/cercle/").status_code == 403
    client.force_login(doctor)
    client.get(f"/dossiers/{dossier.pk}/journal/")
    later(monkeypatch, hours=3)
    habilitate(nurse, dossier)
    sign_in(client, nurse)
    client.get(f"/dossiers/{dossier.pk}/")
    monkeypatch.undo()
    clock = f"{timezone.localtime():%H:}"
    for said in told():
        read = rf"A lu Identité et droits {clock}\d\d N’a pas pu lire Cercle de soins {clock}\d\d"
        assert re.search(read, said), said
        assert "Journal des accès 1" not in said and "A ouvert le dossier" not in said


def test_the_officer_finds_it_in_what_is_to_do(client, dossier, doctor, nurse, opened):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    client.force_login(officer)
    page = client.get("/a-faire/")
    assert f"/dossiers/acces-urgence/revue/{opened.pk}/" in page.content.decode()
    assert "1 demande ou échéance" in text_of(page) and "CROQUIS" in text_of(page)
    assert not {"MARTIN", "EXEMPLE"} & set(text_of(page).split())
    habilitations.review_emergency(opened, by=officer, verdict="justifie")
    assert "Rien n’attend de réponse" in text_of(client.get("/a-faire/"))
    EmergencyReview.objects.all().delete()
    DataProtectionOfficer.objects.create(user=nurse, named_by=doctor)
    client.force_login(nurse)
    assert str(opened.pk) not in client.get("/a-faire/").content.decode(), "nobody reviews his own"


def test_who_may_not_grant_does_not_read_it(client, dossier, opened):
    other = professional(NURSE)
    habilitate(other, dossier)
    client.force_login(other)
    assert client.get(f"/dossiers/{dossier.pk}/urgences/{opened.pk}/").status_code == 403
    assert "Accès d’urgence" not in text_of(client.get("/a-faire/"))


def test_the_officer_reviews_across_dossiers_and_learns_no_identity(client, dossier, doctor, opened):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    client.force_login(officer)
    assert "acces-urgence/revue/" in client.get("/dossiers/journaux/").content.decode()
    page = client.get("/dossiers/acces-urgence/revue/")
    assert "CROQUIS" in text_of(page)
    assert str(dossier.pk) in text_of(page)
    one = f"/dossiers/acces-urgence/revue/{opened.pk}/"
    for answer in (page, client.get(one)):
        assert not {"MARTIN", "EXEMPLE"} & set(text_of(answer).split())
    assert client.post(one, {"verdict": "a_examiner"}).status_code == 422
    assert client.post(one, {"verdict": "a_examiner", "comment": "À demander au cadre."}).status_code == 303
    assert "À examiner, délégué" in text_of(client.get("/dossiers/acces-urgence/revue/"))
    client.force_login(doctor)
    assert client.get("/dossiers/acces-urgence/revue/").status_code == client.get(one).status_code == 404


@pytest.mark.req("SEC-9")
def test_a_review_of_the_officer_stands_with_its_trace_or_not_at_all(client, doctor, opened, monkeypatch):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    client.force_login(officer)

    def full(**details):
        raise RuntimeError("disk full")

    monkeypatch.setattr(traces, "record_account", full)
    with pytest.raises(RuntimeError):
        client.post(f"/dossiers/acces-urgence/revue/{opened.pk}/", {"verdict": "justifie"})
    assert not EmergencyReview.objects.exists()


def test_what_the_officer_has_not_reviewed_is_never_pushed_out_by_what_is_recent(
    client, nurse, doctor, dossier, opened, monkeypatch
):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    habilitations.leave_emergency(dossier.pk, by=nurse)
    later = habilitations.open_emergency(dossier.pk, by=nurse, reason=opened.reason, detail="Un malaise.")
    habilitations.review_emergency(later, by=officer, verdict="justifie")
    monkeypatch.setattr(emergencies, "MOST", 1)
    assert [one.pk for one in emergencies.for_officer()] == [opened.pk]
    monkeypatch.setattr(emergencies, "MOST", 2)
    assert [one.pk for one in emergencies.for_officer()] == [later.pk, opened.pk]


@pytest.mark.req("PERF-3")
def test_the_officer_s_list_is_flat(client, nurse, doctor):
    officer = UserFactory()
    DataProtectionOfficer.objects.create(user=officer, named_by=doctor)
    client.force_login(officer)
    counted = []
    for more in (2, 18):
        for _ in range(more):
            made = habilitations.open_emergency(DossierFactory().pk, by=nurse, **WHY)
            habilitations.review_emergency(made, by=officer, verdict="justifie")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/dossiers/acces-urgence/revue/").status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 12


# ---- the person's word beforehand ------------------------------------------------------------------


def test_the_person_forbids_it_and_what_is_under_way_ends(nurse, dossier, doctor, opened):
    forbid(dossier, doctor)
    assert access.to_dossier(nurse, dossier.pk) is None
    opened.refresh_from_db()
    assert opened.closed_by == doctor
    with pytest.raises(AlreadyBanned):
        forbid(dossier, doctor)
    held = access.to_dossier(doctor, dossier.pk)
    habilitations.allow_emergency(dossier.pk, by=doctor, access=held)
    with pytest.raises(NothingBanned):
        habilitations.allow_emergency(dossier.pk, by=doctor, access=held)
    assert habilitations.open_emergency(dossier.pk, by=nurse, **WHY)
    ban = EmergencyBan.objects.get()
    assert (ban.recorded_by, ban.withdrawn_by, ban.withdrawn_on) == (doctor, doctor, timezone.localdate())


@pytest.mark.parametrize("said", [{"said_on": None}, {"collected": ""}, {"said_on": dt.date(2999, 1, 1)}])
def test_it_says_when_and_how(dossier, doctor, said):
    with pytest.raises(BanDateNotPossible):
        forbid(dossier, doctor, **said)


def test_only_who_may_record_a_refusal(nurse, dossier, opened):
    held = access.to_dossier(nurse, dossier.pk)
    for act in (habilitations.allow_emergency, habilitations.forbid_emergency):
        details = {"said_on": timezone.localdate(), "collected": "oral"} if "forbid" in act.__name__ else {}
        with pytest.raises(NotAllowed):
            act(dossier.pk, by=nurse, access=held, **details)


def test_from_the_screen_also_in_a_closed_dossier(client, as_doctor, dossier):
    path = f"/dossiers/{dossier.pk}/urgence/"
    Dossier.objects.update(status="clos", closing_reason="fin")
    assert as_doctor.post(f"{path}interdire/", {"said_on": "x", "collected": "oral"}).status_code == 422
    said = {"said_on": "14/03/2026", "collected": "ecrit", "comment": "Lettre du 14 mars."}
    assert as_doctor.post(f"{path}interdire/", said).status_code == 303
    page = text_of(as_doctor.get(path))
    assert "Interdit le 14/03/2026, écrit et signé" in page
    assert "Permettre de nouveau" not in page, "a closed dossier opens nothing"
    assert as_doctor.post(f"{path}permettre/").status_code == 403
    Dossier.objects.update(status="actif", closing_reason="")
    assert as_doctor.post(f"{path}permettre/").status_code == 303
    actions = Trace.objects.of_dossier(dossier.pk).filter(outcome="ok").values_list("action", flat=True)
    assert {"interdiction", "fin d’interdiction"} <= set(actions)
