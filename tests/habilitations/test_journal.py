"""The journal: the database refuses to change it, and what is changed all the same is found."""

import dataclasses
import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from habilitations import chain, journal, traces
from habilitations.access import Access, Hat
from habilitations.acting import Principal
from habilitations.matrix import Matrix
from habilitations.models import AccountTrace, Outcome, Trace, TraceHead
from tests.accounts.factories import UserFactory

TABLES = ("habilitations_trace", "habilitations_accounttrace")


def access():
    return Access("infirmier", Matrix(3), Hat("60", "", "899700012345", None, "Cabinet Exemple"), uuid.uuid4())


def for_another():
    """The access of somebody who acts for somebody else."""
    principal = Principal("remplacement", uuid.uuid4(), 'MODÈLE "Anne" \\', "infirmier")
    return dataclasses.replace(access(), on_behalf_of=principal)


VIA, BY_SOFTWARE = traces.Via("req-1", "192.0.2.7"), traces.Via("req-1", "192.0.2.7", 'Logiciel "Exemple" \\')


def fill(count=4, dossier_id=None, user=None, held=access, via=VIA):
    dossier_id = dossier_id or uuid.uuid4()
    for n in range(count):
        traces.record(
            user=user or UserFactory(), dossier_id=dossier_id, access=held(), action="lecture", rubrique="cercle",
            reason=f'ligne {n} "é" \\ \t€😀\x7f', object_kind="member", object_id=uuid.uuid4(),
            via=via,
        )  # fmt: skip
    return dossier_id


def lines(dossier_id):
    return list(Trace.objects.of_dossier(dossier_id).values())


def head(dossier_id):
    found = TraceHead.objects.get(pk=dossier_id)
    return found.seq, bytes(found.hash)


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


def force(statement, *params):
    """Do what only the owner of the tables can, once he has given himself the rights back."""
    for table in ("habilitations_trace", "habilitations_tracehead"):
        sql(f"GRANT UPDATE, DELETE ON {table} TO CURRENT_USER")
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    sql(statement, *params)


# ---- what is written -------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-16.2.1")
@pytest.mark.req("SEC-9")
@pytest.mark.django_db
def test_a_trace_says_who_under_which_hat_did_what_when(django_assert_num_queries):
    user, dossier_id = UserFactory(family_name="SPÉCIMEN", given_name="Inès"), uuid.uuid4()
    with django_assert_num_queries(1):
        traces.record(
            user=user, dossier_id=dossier_id, access=access(), action="écriture", rubrique="cercle",
            outcome=Outcome.REFUSED, via=traces.Via("req-1", "192.0.2.7"),
        )  # fmt: skip
    line = Trace.objects.get(dossier_id=dossier_id)
    assert (line.actor_id, line.actor_name, line.actor_national_id) == (user.pk, "SPÉCIMEN Inès", "899700012345")
    assert (line.profession, line.structure_name, line.profile, line.matrix_version) == (
        "60", "Cabinet Exemple", "infirmier", 3,
    )  # fmt: skip
    assert (line.action, line.rubrique, line.outcome) == ("écriture", "cercle", "refus")
    assert (line.request_id, line.address, line.seq) == ("req-1", "192.0.2.7", 1)
    assert abs(line.at - timezone.now()) < dt.timedelta(minutes=1)


@pytest.mark.req("SEC-9")
@pytest.mark.django_db
def test_account_traces_without_and_with_an_account(django_assert_num_queries):
    user = UserFactory()
    # The journal outlives the tests that commit: theirs are left out.
    before = list(AccountTrace.objects.values_list("pk", flat=True))
    with django_assert_num_queries(2):
        traces.record_account(user=None, action="connexion", outcome=Outcome.FAILED)
        traces.record_account(user=user, action="liste", object_kind="dossier", count=25)
    written = AccountTrace.objects.exclude(pk__in=before).order_by("at")
    assert list(written.values_list("action", "count", "actor_id")) == [
        ("connexion", None, None), ("liste", 25, user.pk),
    ]  # fmt: skip


@pytest.mark.req("SEC-13")
@pytest.mark.django_db
def test_a_trace_that_cannot_be_written_fails_the_act():
    with pytest.raises(DatabaseError), transaction.atomic():
        traces.record(user=UserFactory(), dossier_id=None, access=access(), action="lecture")


# ---- what the database refuses ---------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-16.4.2")
@pytest.mark.req("SEC-10")
@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("granted", [False, True])
def test_no_change_no_removal_no_emptying_even_with_the_rights_given_back(table, granted):
    fill(1)
    traces.record_account(user=None, action="connexion")
    (partition,) = sql(f"SELECT DISTINCT tableoid::regclass::text FROM {table}")[0]
    for target in (table, partition):
        if granted:
            sql(f"GRANT UPDATE, DELETE, TRUNCATE ON {target} TO CURRENT_USER")
        for act in (f"UPDATE {target} SET action = 'rien'", f"DELETE FROM {target}", f"TRUNCATE {target}"):
            with pytest.raises(DatabaseError, match="Le journal ne se modifie pas" if granted else "denied"):
                with transaction.atomic():
                    sql(act)


@pytest.mark.req("SEC-10")
@pytest.mark.django_db
def test_the_orm_is_refused_too():
    dossier_id = fill(1)
    line = Trace.objects.get(dossier_id=dossier_id)
    for act in (
        lambda: Trace.objects.all().delete(),
        lambda: Trace.objects.update(action="rien"),
        lambda: line.delete(),
        lambda: line.save(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


@pytest.mark.req("SEC-10")
@pytest.mark.django_db
def test_only_the_chain_writes_its_head():
    dossier_id = fill(1)
    for act in (
        "UPDATE habilitations_tracehead SET seq = 0",
        "DELETE FROM habilitations_tracehead",
        "TRUNCATE habilitations_tracehead",
        f"INSERT INTO habilitations_tracehead VALUES ('{uuid.uuid4()}', 5, '', '')",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            sql(act)
    assert head(dossier_id)[0] == 1


@pytest.mark.django_db
def test_nobody_chooses_place_or_hash():
    dossier_id = fill(2)
    first = Trace.objects.of_dossier(dossier_id).first()
    Trace.objects.bulk_create(
        [
            Trace(
                at=timezone.now(),
                dossier_id=dossier_id,
                actor_name="x",
                action="lecture",
                outcome="ok",
                seq=77,
                hash=b"x",
            )
        ]
    )
    assert [line["seq"] for line in lines(dossier_id)] == [1, 2, 3]
    assert first.previous_hash == b""


# ---- the chain -------------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-11.4.3")
@pytest.mark.req("SEC-10")
@pytest.mark.django_db
def test_python_and_the_database_hash_alike():
    dossier_id = fill()
    fill(2, dossier_id, via=BY_SOFTWARE)
    fill(2, dossier_id, via=BY_SOFTWARE, held=for_another)
    fill(3)
    assert chain.first_fault(lines(dossier_id), head=head(dossier_id)) is None


@pytest.mark.req("SEC-10")
@pytest.mark.django_db
@pytest.mark.parametrize("held", [access, for_another], ids=["for himself", "for another"])
@pytest.mark.parametrize("via", [VIA, BY_SOFTWARE], ids=["screens", "software"])
@pytest.mark.parametrize("column", [c for c in chain.COLUMNS + chain.ADDED if c not in ("seq", "id", "dossier_id")])
def test_any_column_changed_is_found(column, held, via):
    dossier_id = fill(held=held, via=via)
    assert chain.first_fault(lines(dossier_id), head=head(dossier_id)) is None
    others = {"at": "at + interval '1 microsecond'", "matrix_version": "4"}
    others |= dict.fromkeys(("actor_id", "habilitation_id", "object_id", "on_behalf_of_id"), "gen_random_uuid()")
    value = others.get(column, "'autr'")
    force(f"UPDATE habilitations_trace SET {column} = {value} WHERE dossier_id = %s AND seq = 2", dossier_id)
    fault = chain.first_fault(lines(dossier_id), head=head(dossier_id))
    assert (fault.seq, fault.reason) == (2, "contenu modifié")


@pytest.mark.req("SEC-10")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "seq", "reason"),
    [
        ("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq = 1", 1, "ligne manquante"),
        ("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq = 3", 3, "ligne manquante"),
        ("DELETE FROM habilitations_trace WHERE dossier_id = %s AND seq = 4", 4, "la fin de la chaîne manque"),
        ("DELETE FROM habilitations_trace WHERE dossier_id = %s", 1, "la fin de la chaîne manque"),
        (
            "UPDATE habilitations_trace SET seq = CASE seq WHEN 2 THEN 3 ELSE 2 END "
            "WHERE dossier_id = %s AND seq IN (2, 3)",
            2,
            "ne suit pas la ligne précédente",
        ),
        (
            "INSERT INTO habilitations_trace SELECT gen_random_uuid(), at, dossier_id, 3, actor_id, 'intrus', "
            "actor_national_id, profession, fonction, structure_name, profile, habilitation_id, matrix_version, "
            "action, rubrique, outcome, object_kind, object_id, reason, request_id, address, previous_hash, hash "
            "FROM habilitations_trace WHERE dossier_id = %s AND seq = 3",
            3,
            None,
        ),
    ],
)
def test_lines_removed_moved_or_inserted_are_found(statement, seq, reason):
    dossier_id = fill()
    end = head(dossier_id)
    force(statement, dossier_id)
    fault = chain.first_fault(lines(dossier_id), head=end)
    assert fault.seq in (seq, seq + 1) if reason is None else (fault.seq, fault.reason) == (seq, reason)


@pytest.mark.django_db
def test_two_dossiers_have_two_chains():
    one, other = fill(2), fill(2)
    fill(1, dossier_id=one)
    for dossier_id, count in ((one, 3), (other, 2)):
        assert [line["seq"] for line in lines(dossier_id)] == list(range(1, count + 1))
        assert chain.first_fault(lines(dossier_id), head=head(dossier_id)) is None


@pytest.mark.req("SEC-15")
@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", ["on_behalf_of_id = NULL, on_behalf_of_name = ''", "on_behalf_of_id = NULL", "on_behalf_of_name = ''"]
)
def test_for_whom_it_was_done_cannot_be_taken_away(change):
    dossier_id = fill(held=for_another)
    force(f"UPDATE habilitations_trace SET {change} WHERE dossier_id = %s AND seq = 2", dossier_id)
    fault = chain.first_fault(lines(dossier_id), head=head(dossier_id))
    assert (fault.seq, fault.reason) == (2, "contenu modifié")


@pytest.mark.req("SEC-24")
@pytest.mark.django_db
@pytest.mark.parametrize("change", ["''", "'Autre'"])
def test_by_which_software_it_was_done_cannot_be_changed(change):
    dossier_id = fill(via=BY_SOFTWARE)
    force(f"UPDATE habilitations_trace SET software = {change} WHERE dossier_id = %s AND seq = 2", dossier_id)
    fault = chain.first_fault(lines(dossier_id), head=head(dossier_id))
    assert (fault.seq, fault.reason) == (2, "contenu modifié")


def test_a_line_of_before_reads_as_it_was_hashed():
    """Who acts for himself, and every line written before somebody could act for another: the same text."""
    line = dict.fromkeys(chain.COLUMNS, "x") | {"seq": 1}
    empty = dict.fromkeys(chain.ADDED) | {"on_behalf_of_name": "", "software": ""}
    assert chain.canonical(line) == chain.canonical(line | empty)
    assert chain.canonical(line).count('"x"') == len(chain.COLUMNS) - 1
    for_whom, by_what = (chain.canonical(line | {name: "x"}) for name in ("on_behalf_of_name", "software"))
    assert len({chain.canonical(line), for_whom, by_what}) == 3


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)


@given(texts, texts)
def test_two_different_lines_never_have_one_text(one, other):
    def line(name, reason):
        return dict.fromkeys(chain.COLUMNS) | {"actor_name": name, "reason": reason, "seq": 1}

    a, b = chain.canonical(line(one, other)), chain.canonical(line(other, one))
    assert (a == b) is (one == other)


# ---- months ----------------------------------------------------------------------------------------


@pytest.mark.req("SCALE-7")
@pytest.mark.django_db
def test_two_years_of_months_are_ready_and_making_them_again_makes_nothing():
    for table in TABLES:
        (count,) = sql("SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", table)[0]
        assert count >= 27
    assert journal.prepare_months() == 0
    assert journal.prepare_months(26) == 4
    months = "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhrelid::regclass::text ~ %s"
    (last,) = sql(months, r"^habilitations_trace_\d+_\d+$")[0]
    with pytest.raises(DatabaseError, match="denied"), transaction.atomic():
        sql(f"TRUNCATE {last}")


@pytest.mark.req("SCALE-7")
@pytest.mark.django_db
def test_a_clock_gone_mad_loses_no_trace():
    dossier_id = uuid.uuid4()
    Trace.objects.bulk_create(
        [
            Trace(
                at=dt.datetime(2099, 5, 1, tzinfo=dt.UTC),
                dossier_id=dossier_id,
                actor_name="x",
                action="y",
                outcome="ok",
            )
        ]
    )
    assert sql("SELECT tableoid::regclass::text FROM habilitations_trace WHERE dossier_id = %s", dossier_id) == [
        ("habilitations_trace_autre",)
    ]
    assert chain.first_fault(lines(dossier_id), head=head(dossier_id)) is None


@pytest.mark.django_db
def test_daily_task_and_migration_prepare_months():
    from habilitations.tasks import prepare_journal

    assert prepare_journal() == 0
