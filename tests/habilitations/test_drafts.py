"""The next version of the matrix: prepared by one administrator, published by another, nothing lost between two."""

import datetime as dt
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from coordination.common.errors import DomainError
from habilitations import access, differences, published
from habilitations import actions as do
from habilitations.actions import drafts
from habilitations.differences import LEVEL, RIGHT, RULE, Edit, Key
from habilitations.errors import (
    CellRefused,
    DraftAlreadyOpen,
    DraftAwaitsAnswer,
    DraftGone,
    DraftMoved,
    DraftNotRead,
    DraftOutdated,
    DraftUpToDate,
    NotAllowed,
    NothingRequested,
    NothingToPublish,
    ReasonMissing,
    SecondApproverNeeded,
)
from habilitations.models import (
    AccountTrace,
    ActionRight,
    MatrixDraft,
    MatrixDraftChange,
    MatrixRow,
    MatrixVersion,
    Trace,
)
from habilitations.replay import replay, replay_trace
from habilitations.rubriques import Niveau, Rubrique, Scope
from habilitations.traces import record
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DossierFactory, UserFactory, habilitate, professional

pytestmark = pytest.mark.django_db
SOCIAL = Edit(Key(LEVEL, "educateur", "social"), "")
PLAN = Edit(Key(LEVEL, "pharmacien", "plan"), "ecriture")


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()
    yield
    published.forget()


@pytest.fixture
def anna():
    return UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")


@pytest.fixture
def bruno():
    return UserFactory(administrator=True, family_name="SECOND", given_name="Bruno")


def requested(by, *edits, reason="Avis du comité du 18/11"):
    saved = do.edit_draft(edits or [SOCIAL], by=by)
    return do.request_publication(saved.draft, reason=reason, revision=saved.draft.revision, by=by)


def publish(draft, *, by):
    return do.publish_draft(draft, revision=draft.revision, by=by)


# ---- preparing -------------------------------------------------------------------------------------


def test_a_draft_changes_no_right_until_it_is_published(anna, bruno):
    dossier, educator = DossierFactory(), professional("48")
    habilitate(educator, dossier)
    assert access.to_dossier(educator, dossier.pk).can_read(Rubrique.SOCIAL)
    draft = requested(anna)
    assert access.to_dossier(educator, dossier.pk).can_read(Rubrique.SOCIAL)
    version = publish(draft, by=bruno)
    assert not access.to_dossier(educator, dossier.pk).can_read(Rubrique.SOCIAL)
    assert (version.number, version.published_by, version.reason) == (2, bruno, "Avis du comité du 18/11")
    assert published.current().level("educateur", "evaluations") == Niveau.ECRITURE


def test_edits_add_up_and_a_cell_put_back_is_no_change(anna):
    do.edit_draft([SOCIAL, PLAN], by=anna)
    saved = do.edit_draft(
        [Edit(SOCIAL.key, "lecture"), Edit(Key(RIGHT, "medecin", "inviter"), "sa_structure")], by=anna
    )
    assert [(c.key, c.before, c.after) for c in drafts.changes_of(saved.draft)] == [
        (PLAN.key, "lecture", "ecriture"),
        (Key(RIGHT, "medecin", "inviter"), "tous", "sa_structure"),
    ]
    assert saved.draft.revision == 2
    before = saved.draft.changes.count()
    assert do.edit_draft([PLAN], by=anna).draft.changes.count() == before


@pytest.mark.req("SEC-1")
def test_only_a_named_administrator_prepares_asks_and_answers(anna):
    draft = requested(anna)
    for other in (UserFactory(), professional("10"), None, UserFactory(is_administrator=True, suspended=True)):
        for act in (
            lambda who: do.edit_draft([PLAN], by=who),
            lambda who: do.request_publication(draft, reason="x", revision=1, by=who),
            lambda who: publish(draft, by=who),
            lambda who: do.refuse_publication(draft, revision=draft.revision, reason="x", by=who),
            lambda who: do.withdraw_request(draft, revision=draft.revision, by=who),
            lambda who: do.discard_draft(draft, revision=draft.revision, by=who),
            lambda who: do.rebase_draft(draft, revision=draft.revision, by=who),
            lambda who: do.import_draft([PLAN], name="m.csv", by=who),
            lambda who: do.restore_version(draft.based_on, by=who),
        ):
            with pytest.raises(NotAllowed):
                act(other)
    assert MatrixVersion.objects.count() == 1


@pytest.mark.req("SEC-1")
def test_an_administrator_sees_no_dossier_by_being_one(anna, bruno):
    """Rule 10, even when he writes the matrix: no profession leads to him, and his profile stays locked."""
    dossier = DossierFactory()
    assert access.to_dossier(anna, dossier.pk) is None
    assert not access.dossier_ids(anna).exists()
    for row in ("admin_technique", "inconnu"):
        with pytest.raises(CellRefused):
            do.edit_draft([Edit(Key(LEVEL, row, "cercle"), "lecture")], by=anna)
    with pytest.raises(CellRefused):
        do.edit_draft([Edit(Key(RULE, "10", ""), "admin_technique")], by=anna)
    publish(requested(anna), by=bruno)
    assert access.to_dossier(anna, dossier.pk) is None
    assert access.profile_of(anna) == "inconnu"


# ---- two administrators ----------------------------------------------------------------------------


def test_the_second_is_told_and_nothing_he_wrote_elsewhere_is_lost(anna, bruno):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    # Bruno read the matrix before any draft was open.
    saved = do.edit_draft([PLAN], by=bruno)
    assert [(one.by, drafts.key_of(one)) for one in saved.others] == [(anna, SOCIAL.key)]
    assert {change.key for change in drafts.changes_of(draft)} == {SOCIAL.key, PLAN.key}
    assert do.edit_draft([SOCIAL], by=anna, seen=draft.pk, revision=1).others[0].by == bruno


def test_the_same_cell_written_twice_is_refused_and_both_are_said(anna, bruno):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    with pytest.raises(DraftMoved, match="PREMIÈRE Anna a modifié") as moved:
        do.edit_draft([Edit(SOCIAL.key, "ecriture"), PLAN], by=bruno)
    (theirs,) = moved.value.context["others"]
    assert (theirs.before, theirs.after, theirs.by) == ("lecture", "", anna)
    assert [c.key for c in drafts.changes_of(draft)] == [SOCIAL.key]
    draft.refresh_from_db()
    saved = do.edit_draft([Edit(SOCIAL.key, "ecriture"), PLAN], by=bruno, seen=draft.pk, revision=draft.revision)
    assert {c.key: c.after for c in drafts.changes_of(saved.draft)} == {SOCIAL.key: "ecriture", PLAN.key: "ecriture"}


def test_the_same_value_twice_is_no_conflict(anna, bruno):
    do.edit_draft([SOCIAL], by=anna)
    assert len(do.edit_draft([SOCIAL], by=bruno).others) == 1


def test_a_draft_published_or_discarded_meanwhile_is_said(anna, bruno):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    do.discard_draft(draft, revision=draft.revision, by=bruno)
    with pytest.raises(DraftGone):
        do.edit_draft([PLAN], by=anna, seen=draft.pk, revision=1)
    with pytest.raises(DraftGone):
        do.request_publication(draft, reason="x", revision=1, by=anna)
    assert not MatrixDraft.objects.open().exists()


def test_who_asks_has_read_what_he_asks_for(anna, bruno):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    do.edit_draft([PLAN], by=bruno, seen=draft.pk, revision=1)
    with pytest.raises(DraftMoved):
        do.request_publication(draft, reason="x", revision=1, by=anna)
    assert do.request_publication(draft, reason="x", revision=2, by=anna).state == "demande"


def together(*acts):
    """Do these at the same moment, each on a connection of its own; return what each raised, None otherwise."""
    said = [None] * len(acts)

    def run(rank):
        try:
            acts[rank]()
        except DomainError as error:
            said[rank] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[rank]) for rank in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@pytest.mark.django_db(transaction=True)
def test_two_who_open_a_draft_at_the_same_moment_share_it(anna, bruno):
    said = together(lambda: do.edit_draft([SOCIAL], by=anna), lambda: do.edit_draft([PLAN], by=bruno))
    assert said == [None, None]
    draft = MatrixDraft.objects.get()
    assert {change.key for change in drafts.changes_of(draft)} == {SOCIAL.key, PLAN.key}


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_the_same_moment_publish_once(anna, bruno):
    draft, claire = requested(anna), UserFactory(administrator=True)
    said = together(lambda: publish(draft, by=bruno), lambda: publish(draft, by=claire))
    assert sorted(type(error) for error in said if error) == [DraftGone]
    assert MatrixVersion.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_writing_while_another_publishes_is_told_or_published(anna, bruno):
    """Never lost in silence: it is in the version, or its author hears of it."""
    draft = do.edit_draft([SOCIAL], by=anna).draft
    draft = do.request_publication(draft, reason="x", revision=1, by=anna)
    said = together(
        lambda: publish(draft, by=bruno),
        lambda: do.edit_draft([PLAN], by=anna, seen=draft.pk, revision=1),
    )
    assert said[0] is None
    assert isinstance(said[1], DraftGone | DraftAwaitsAnswer)
    assert published.current().level("pharmacien", "plan") == Niveau.LECTURE


# ---- asking, answering -----------------------------------------------------------------------------


@pytest.mark.req("SEC-18")
def test_another_administrator_publishes(anna, bruno, settings):
    draft = requested(anna)
    with pytest.raises(SecondApproverNeeded):
        publish(draft, by=anna)
    with pytest.raises(SecondApproverNeeded):
        do.refuse_publication(draft, revision=draft.revision, reason="non", by=anna)
    with pytest.raises(DraftAwaitsAnswer):
        do.edit_draft([PLAN], by=bruno)
    with pytest.raises(DraftAwaitsAnswer):
        do.import_draft([PLAN], name="m.csv", by=bruno)
    with pytest.raises(DraftAwaitsAnswer):
        do.request_publication(draft, reason="x", revision=1, by=bruno)
    settings.MATRIX_SECOND_APPROVER = False
    assert publish(draft, by=anna).number == 2
    draft.refresh_from_db()
    assert (draft.state, draft.alone, draft.closed_by) == ("publie", True, anna)


@pytest.mark.asvs("v5.0.0-2.3.1")
@pytest.mark.req("SEC-18")
@pytest.mark.parametrize("answer", [do.publish_draft, lambda *a, **k: do.refuse_publication(*a, reason="non", **k)])
def test_nobody_answers_what_he_did_not_read(anna, bruno, answer):
    """B reads a revision; A takes his request back, writes, asks again; the page of B answers nothing any more."""
    draft = requested(anna)
    read = draft.revision
    do.withdraw_request(draft, revision=draft.revision, by=anna)
    draft = requested(anna, PLAN)
    with pytest.raises(DraftNotRead, match="PREMIÈRE Anna a repris ce brouillon") as refused:
        answer(draft, revision=read, by=bruno)
    assert [drafts.key_of(one) for one in refused.value.context["others"]] == [PLAN.key]
    assert MatrixVersion.objects.count() == 1
    answer(draft, revision=draft.revision, by=bruno)


def test_a_request_made_again_with_another_reason_is_another_one(anna, bruno):
    draft = requested(anna)
    read = draft.revision
    do.withdraw_request(draft, revision=draft.revision, by=anna)
    draft.refresh_from_db()
    draft = do.request_publication(draft, reason="Autre motif", revision=draft.revision, by=anna)
    with pytest.raises(DraftNotRead):
        do.publish_draft(draft, revision=read, by=bruno)


def test_the_command_publishes_the_revision_it_read(anna):
    draft = requested(anna)
    with pytest.raises(DraftNotRead):
        do.publish_alone(draft, revision=draft.revision - 1, now=timezone.now() + dt.timedelta(days=2))


def test_carrying_over_what_is_up_to_date_leaves_the_request(anna, bruno):
    draft = requested(anna)
    with pytest.raises(DraftUpToDate):
        do.rebase_draft(draft, revision=draft.revision, by=bruno)
    draft.refresh_from_db()
    assert (draft.state, draft.requested_by) == ("demande", anna)


def test_a_request_has_a_reason_and_something_to_publish(anna):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    with pytest.raises(ReasonMissing):
        do.request_publication(draft, reason="  ", revision=1, by=anna)
    do.edit_draft([Edit(SOCIAL.key, "lecture")], by=anna)
    with pytest.raises(NothingToPublish):
        do.request_publication(draft, reason="x", revision=2, by=anna)
    for act in (lambda: publish(draft, by=anna), lambda: do.withdraw_request(draft, revision=draft.revision, by=anna)):
        with pytest.raises(NothingRequested):
            act()


def test_a_refusal_says_why_and_gives_the_draft_back(anna, bruno):
    draft = requested(anna)
    with pytest.raises(ReasonMissing):
        do.refuse_publication(draft, revision=draft.revision, reason="", by=bruno)
    do.refuse_publication(draft, revision=draft.revision, reason="À revoir avec le comité", by=bruno)
    draft.refresh_from_db()
    assert (draft.state, draft.requested_by) == ("edition", None)
    said = draft.steps.order_by("at", "id").values_list("kind", "reason")
    assert list(said)[-1] == ("refus", "À revoir avec le comité")
    publish(requested(anna, PLAN), by=bruno)
    assert published.current().level("pharmacien", "plan") == Niveau.ECRITURE


def test_the_requester_takes_his_request_back(anna):
    draft = requested(anna)
    do.withdraw_request(draft, revision=draft.revision, by=anna)
    assert do.edit_draft([PLAN], by=anna).draft.pk == draft.pk


def test_a_draft_of_an_older_version_is_carried_over_first(anna, bruno):
    draft = requested(anna)
    do.publish_matrix(*_as_arguments(published.current()), by=None, reason="Par commande")
    with pytest.raises(DraftOutdated):
        publish(draft, by=bruno)
    draft = do.rebase_draft(draft, revision=draft.revision, by=bruno)
    assert (draft.state, draft.based_on.number) == ("edition", 2)
    do.request_publication(draft, reason="x", revision=draft.revision, by=bruno)
    assert publish(draft, by=anna).number == 3
    assert published.current().level("educateur", "social") == Niveau.AUCUN


def _as_arguments(matrix):
    return matrix.levels, matrix.actions, matrix.profiles


def test_an_old_version_comes_back_as_a_draft_with_its_difference(anna, bruno):
    first = MatrixVersion.objects.get()
    publish(requested(anna, SOCIAL, PLAN), by=bruno)
    draft = do.restore_version(first, by=bruno)
    assert {c.key: c.after for c in drafts.changes_of(draft)} == {SOCIAL.key: "lecture", PLAN.key: "lecture"}
    with pytest.raises(DraftAlreadyOpen):
        do.restore_version(first, by=anna)
    draft = do.request_publication(draft, reason="Retour", revision=draft.revision, by=bruno)
    publish(draft, by=anna)
    assert differences.difference(published.matrix(1), published.current()) == ()


def test_each_act_leaves_a_step_and_a_trace(anna, bruno):
    draft = requested(anna)
    do.refuse_publication(draft, revision=draft.revision, reason="non", by=bruno)
    draft = do.request_publication(draft, reason="oui", revision=1, by=anna)
    publish(draft, by=bruno)
    assert [step.kind for step in draft.steps.order_by("at", "id")] == [
        "ouverture", "demande", "refus", "demande", "publication",
    ]  # fmt: skip
    # The journal outlives the tables: other tests have left lines in it.
    said = (
        AccountTrace.objects.filter(actor_id__in=[anna.pk, bruno.pk])
        .order_by("at", "id")
        .values_list("actor_id", "action")
    )
    assert list(said) == [
        (anna.pk, "modification"), (anna.pk, "demande"), (bruno.pk, "refus de publication"), (anna.pk, "demande"),
        (bruno.pk, "publication"),
    ]  # fmt: skip


# ---- a single administrator ------------------------------------------------------------------------


def test_a_single_administrator_publishes_by_command_after_the_delay(anna, capsys):
    draft = requested(anna)
    with pytest.raises(CommandError, match="Publication possible à partir du"):
        call_command("publish_requested_matrix")
    MatrixDraft.objects.filter(pk=draft.pk).update(requested_at=timezone.now() - dt.timedelta(hours=25))
    other = UserFactory(administrator=True)
    with pytest.raises(CommandError, match="Plusieurs administrateurs"):
        call_command("publish_requested_matrix")
    other.is_active, other.suspended_at = False, timezone.now()
    other.save()
    call_command("publish_requested_matrix")
    assert "version 2, révision 1 du brouillon" in capsys.readouterr().out
    draft.refresh_from_db()
    assert (draft.alone, draft.closed_by, draft.version.number) == (True, None, 2)
    assert AccountTrace.objects.filter(action="publication", actor_id=anna.pk).exists()
    with pytest.raises(CommandError, match="Aucune publication"):
        call_command("publish_requested_matrix")


def test_a_single_administrator_publishes_once_the_delay_is_over(anna):
    draft = requested(anna)
    published = do.publish_alone(draft, revision=draft.revision, now=timezone.now() + dt.timedelta(hours=25))
    draft.refresh_from_db()
    assert (published.number, draft.alone, draft.closed_by) == (2, True, None)


def test_a_file_is_written_in_a_draft_with_its_name(anna):
    saved = do.import_draft([PLAN, SOCIAL], name="m.csv", by=anna)
    assert saved.draft.changes.count() == 2 and "m.csv" in saved.draft.steps.latest("at").reason


# ---- what the database holds -----------------------------------------------------------------------


def test_the_database_keeps_one_open_draft(anna):
    draft = do.edit_draft([SOCIAL], by=anna).draft
    with pytest.raises(IntegrityError, match="one_open_matrix_draft"), transaction.atomic():
        MatrixDraft.objects.create(based_on=draft.based_on, opened_by=anna)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"state": "peut"}, "matrix_draft_state_known"),
        ({"state": "publie"}, "matrix_draft_state_known"),
        ({"reason": ""}, "matrix_publication_has_a_reason"),
        ({"requested_by": None}, "matrix_publication_has_a_reason"),
    ],
)
def test_the_database_refuses_a_draft_that_makes_no_sense(anna, changes, constraint):
    draft = requested(anna)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        MatrixDraft.objects.filter(pk=draft.pk).update(**changes)


def test_the_database_refuses_that_one_person_asks_and_publishes(anna, bruno):
    draft = requested(anna)
    publish(draft, by=bruno)
    for who in (anna, None):
        with pytest.raises(IntegrityError, match="matrix_published_by_another"), transaction.atomic():
            MatrixDraft.objects.filter(pk=draft.pk).update(closed_by=who)


@pytest.mark.parametrize(
    "attack",
    [
        lambda: MatrixRow.objects.filter(profile="medecin").update(niveau=0),
        lambda: ActionRight.objects.first().delete(),
        lambda: MatrixVersion.objects.update(reason="autre"),
        lambda: MatrixVersion.objects.get().profile_rules.all().delete(),
        lambda: MatrixDraftChange.objects.update(after="lecture"),
    ],
)
def test_what_is_published_never_changes(anna, attack):
    do.edit_draft([SOCIAL], by=anna)
    with pytest.raises(DatabaseError, match="ne change pas|ne se modifie pas"), transaction.atomic():
        attack()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_added_to_a_version_once_it_is_published():
    version = MatrixVersion.objects.get()
    for add in (
        lambda: MatrixRow.objects.create(version=version, profile="nouveau", rubrique="plan", niveau=2),
        lambda: ActionRight.objects.create(version=version, profile="mjpm", action="habiliter", scope=Scope.ALL),
        lambda: version.profile_rules.create(profession="1", profile="medecin"),
    ):
        with pytest.raises(DatabaseError, match="ne change pas"), transaction.atomic():
            add()


# ---- replay ----------------------------------------------------------------------------------------


def test_a_past_decision_is_seen_again_on_the_version_of_its_day(anna, bruno, capsys):
    dossier, educator = DossierFactory(), professional("48")
    habilitate(educator, dossier)
    entered = access.to_dossier(educator, dossier.pk)
    record(user=educator, dossier_id=dossier.pk, access=entered, action="lecture", rubrique=Rubrique.SOCIAL)
    trace = Trace.objects.of_dossier(dossier.pk).get()
    publish(requested(anna), by=bruno)
    assert replay_trace(trace) == ("educateur", "social", 1, Niveau.LECTURE, Niveau.AUCUN)
    assert replay(99, "educateur", "social").then is None
    call_command("replay_decision", str(trace.pk))
    said = capsys.readouterr().out
    assert "Version 1, profil Éducateur, Volet social : Peut lire." in said
    assert "Version en vigueur (2) : Pas d’accès." in said
    with pytest.raises(CommandError, match="Aucune trace"):
        call_command("replay_decision", str(dossier.pk))
