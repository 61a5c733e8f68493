"""The schema truths that a look at the columns does not prove (quality-goals.md, "True of the schema today").

3: my dossiers and what is unread are tables. 8: reference tables are merged by sets. 9: no page counts everything.
10: no right is kept without the version of the circle and of the matrix. The others are in test_architecture.py.
"""

import importlib
import inspect
import re
import sys

import pytest
from cachetools import Cache
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import ForeignKey
from django.utils import timezone

from coordination.accounts.models import User
from coordination.common.prepared import Prepared
from coordination.directory.generator import generate
from coordination.directory.imports.finess import import_finess
from coordination.directory.imports.mssante import import_mssante
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.models import Activity, Structure
from coordination.directory.search import vocabulary
from coordination.dossiers.models import Dossier
from habilitations import access, published
from habilitations.rubriques import Rubrique
from tests.agenda import factories as planned
from tests.bench import town
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory import search_data
from tests.directory.files import ANY_SIZE, PEOPLE, people_file
from tests.test_architecture import own_models, python_files, routes

ROOMS = ("coordination", "circle", "habilitations")


class Heard:
    """Every statement that goes through the connection, with its parameters."""

    def __init__(self):
        self.statements = []

    def __call__(self, execute, sql, params, many, context):
        self.statements.append((sql, params))
        return execute(sql, params, many, context)


def heard(act):
    found = Heard()
    with connection.execute_wrapper(found):
        act()
    return found.statements


# Ways of reading a table from end to end, which a planner prefers where a test has few rows.
WHOLE_TABLE = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


def plan_nodes(sql, params, *, indexes_only=False):
    """Run a statement and yield (node, parent) of what the server did."""
    with connection.cursor() as cursor:
        for way in WHOLE_TABLE:
            cursor.execute(f"SET {way} = {'off' if indexes_only else 'on'}")
        cursor.execute(f"EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()[0]
        for way in WHOLE_TABLE:
            cursor.execute(f"SET {way} = on")
    waiting = [(plan["Plan"], None)]
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        waiting += [(child, node) for child in node.get("Plans", [])]


def is_read(sql):
    return sql.lstrip().upper().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in sql


# ---- 3. My dossiers, unread ------------------------------------------------------------------------


def test_what_says_whose_it_is_is_found_by_it(db):
    """A row that belongs to an account (not one written *by* it) is reached by an index that begins with it."""
    whose = [
        (model._meta.db_table, field.column)
        for model in own_models()
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is User and not field.name.endswith("_by")
        if field.name != "by"
    ]
    assert {("habilitations_habilitation", "user_id"), ("dossiers_visit", "user_id")} <= set(whose)
    with connection.cursor() as cursor:
        for table, column in whose:
            cursor.execute(
                "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
                " AND a.attnum = i.indkey[0] WHERE i.indrelid = %s::regclass AND a.attname = %s",
                [table, column],
            )
            assert cursor.fetchone()[0], f"{table}.{column} says whose the row is, and no index begins with it"


# What a row of a few is found by: an emergency, who acts for another.
FEW_ROWS = {("habilitations_emergencyaccess", "user_id"), ("habilitations_actingfor", "substitute_id")}


def test_no_index_of_what_excludes_is_read_whole(db):
    """A GiST index asked for another column than its first is read from end to end, and PostgreSQL thinks it cheap.

    The column that its rows are looked for by, which has an index of its own, comes first or is not there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
            " JOIN pg_am m ON m.oid = x.relam AND m.amname = 'gist' JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[1:]) AND a.attnum > 0"
            " WHERE EXISTS (SELECT 1 FROM pg_index other WHERE other.indrelid = c.oid AND other.indkey[0] = a.attnum)"
        )
        assert set(cursor.fetchall()) == FEW_ROWS


@pytest.fixture
def crowd(db):
    """One reader follows twenty dossiers, another one twelve hundred."""
    publish_default_matrix()
    vocabulary.forget()
    few, many = make.coordinator(family_name="PEU"), make.coordinator(family_name="BEAUCOUP")
    town.add_dossiers([many], 1_200, members=1)
    town.add_dossiers([few], 20, members=2)
    yield few, many
    published.forget()
    vocabulary.forget()


def analyse():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?vue=tous", "?tri=nouveau", "?modifies=1", "?referent=moi"])
def test_my_list_costs_what_i_follow_not_what_exists(client, crowd, query):
    few, _ = crowd
    analyse()
    client.force_login(few)
    reads = [s for s in heard(lambda: client.get(f"/dossiers/{query}")) if is_read(s[0])]
    visited = {}
    for sql, params in reads:
        for node, _ in plan_nodes(sql, params, indexes_only=True):
            if table := node.get("Relation Name"):
                rows = sum(node.get(key, 0) for key in ("Actual Rows", "Rows Removed by Filter"))
                visited[table] = max(visited.get(table, 0), rows * node["Actual Loops"])
    assert visited["dossiers_dossier"] >= 20, "the walk found no statement that reads dossiers"
    # Six expressions of a page may each look at a row of a dossier; none looks at those of somebody else.
    heavy = {table: rows for table, rows in visited.items() if rows > 20 * 12 and _is_family(table)}
    assert heavy == {}


def _is_family(table):
    return table.split("_")[0] in ("dossiers", "circle", "habilitations") and "matri" not in table


# ---- 8. Reference tables ---------------------------------------------------------------------------

# What no file brings: links of accounts, the record of the loads, what software sends.
NOT_REFERENCE = {
    "Attachment", "AttachmentOffer", "Equipment", "ImportRun", "ImportRefusal", "InternalService", "Place",
}  # fmt: skip
REFERENCE = {
    m._meta.db_table for m in apps.get_app_config("directory").get_models() if m.__name__ not in NOT_REFERENCE
}
WRITES = re.compile(r"^\s*(?:WITH\b.*?\b)?(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.DOTALL | re.IGNORECASE)


def _load_all(made):
    import_finess(made.finess_json, ANY_SIZE)
    import_rpps([made.activities, made.savoir_faire], ANY_SIZE)
    import_mssante(made.mailboxes, ANY_SIZE)


@pytest.mark.slow
def test_reference_tables_are_merged_by_sets(db, tmp_path):
    """Ten times the people, the same statements: none is run once per row, whatever the kind of file."""
    import_rpps([people_file(tmp_path, *PEOPLE)], ANY_SIZE)  # the general merge, not the first load
    counted, written = [], set()
    for rank, size in enumerate((40, 400)):
        # Everything changes: the people of the other size cease, these are new, structures are taken over.
        made = generate(tmp_path / str(rank), professionals=size, structures=size // 4, seed=rank)
        statements = [sql for sql, _ in heard(lambda made=made: _load_all(made))]
        found = [match.group(2) for sql in statements if (match := WRITES.match(sql)) and match.group(2) in REFERENCE]
        counted.append(len(found))
        written |= set(found)
    assert Activity.objects.filter(ceased_at=None).count() >= 400
    # A few depend on what the first load left to do; one per row would be hundreds more.
    assert counted[1] <= counted[0] + 5, counted
    # Every reference table is covered by the walk: a new one must be merged here, or this test says so.
    assert written == REFERENCE


# ---- 9. Counts -------------------------------------------------------------------------------------

MOST_COUNTED = 1_000
SEARCHES = {"/dossiers/": "arbre", "/annuaire/": "testard", "/annuaire/structures/": "service"}


def counted_rows(statements):
    """Yield (rows, statement) for each count the server made: what one execution of it went through."""
    for sql, params in statements:
        if is_read(sql) and "count(" in sql.lower():
            for node, parent in plan_nodes(sql, params):
                if parent and any("count(" in said for said in parent.get("Output", ())):
                    if parent["Node Type"] in ("Aggregate", "WindowAgg"):
                        yield node["Actual Rows"], sql


@pytest.fixture
def country(crowd, client):
    """Twelve hundred dossiers, as many namesakes and structures; the reader opens all of them."""
    _, many = crowd
    entry = make.open_circle(many)
    house = make.add_house(entry, make.legal_structure(make.account(), name="SERVICE DU TEST"))
    member = make.by_hand(entry)
    for _ in range(1_200):
        search_data.person("TESTARD", "Paul", structure=house.structure)
    Structure.objects.bulk_create(
        Structure(name=f"SERVICE {n}", search_name=f"service {n}", source="finess", town="Albi") for n in range(1_200)
    )
    search_data.learn()
    vocabulary.forget()
    analyse()
    many.is_administrator = True
    many.save()
    client.force_login(many)
    professional = Activity.objects.filter(structure=house.structure).latest("id")
    return {
        "dossier_id": entry.dossier.pk, "member_id": member.pk, "structure_id": house.structure_id, "kind": "aidant",
        "target_id": professional.pk, "professional_id": professional.professional_id,
        "activity_id": professional.pk, "user_id": many.pk,
        "profile": "medecin", "column": "plan", "table": "niveau", "number": 1,
        "form_key": "cercle", "object_id": entry.dossier.pk,
        # Pages of a key or of a message of one's own: nothing there to count.
        "pk": 1, "public_id": entry.dossier.pk, "mail_id": entry.dossier.pk, "offer_id": entry.dossier.pk,
        "invitation_id": entry.dossier.pk, "plan_id": entry.dossier.pk, "acting_id": entry.dossier.pk,
        "delegate_id": entry.dossier.pk, "officer_id": entry.dossier.pk, "act": "suspendre",
        "rubrique": "journal", "request_id": entry.dossier.pk, "question_id": entry.dossier.pk,
        "trace_id": entry.dossier.pk, "emergency_id": entry.dossier.pk, "opposition_id": entry.dossier.pk,
        "client_id": entry.dossier.pk, "token_id": entry.dossier.pk,
        "partner_id": entry.dossier.pk, "relay_id": entry.dossier.pk,
        "queue": "echanges", "deed": "reprendre", "row_id": entry.dossier.pk,
        "appointment_id": planned.appointment(entry).pk,
        "calendar_id": entry.dossier.pk,
        "opening_id": entry.dossier.pk, "absence_id": entry.dossier.pk, "proposal_id": entry.dossier.pk,
        "participation_id": entry.dossier.pk, "room_id": entry.dossier.pk,
    }  # fmt: skip


@pytest.mark.slow
def test_no_page_counts_everything(client, country):
    """Every page of the product, searches included: what is counted stops somewhere."""
    walked, guilty = 0, {}
    for path, _, name in routes():
        if "(?P" in path:
            continue  # links of mails: a token, no list
        url = re.sub(r"<\w+:(\w+)>", lambda said: str(country[said.group(1)]), path).replace("^", "")

        def act(url=url):
            nonlocal walked
            walked += client.get(url).status_code == 200
            if typed := SEARCHES.get(url):
                assert client.post(url, {"q": typed}).status_code == 200

        if "deconnexion" in url:
            continue
        for rows, sql in counted_rows(heard(act)):
            if rows > MOST_COUNTED:
                guilty[name] = (rows, sql[:200])
    assert walked > 40, "the walk opened too few pages to prove anything"
    assert guilty == {}


def test_a_count_of_everything_is_seen(crowd):
    """The walk above is worth what it sees: the forms a count may take."""
    few, _ = crowd
    for act in (
        Dossier.objects.count,
        Dossier.objects.filter(status="actif").count,
        lambda: list(Dossier.objects.raw("SELECT id, count(*) OVER () FROM dossiers_dossier")[:1]),
        lambda: list(
            Dossier.objects.raw(
                "WITH a AS (SELECT count(*) n FROM dossiers_dossier) SELECT id, n FROM a, dossiers_dossier LIMIT 1"
            )
        ),
    ):
        assert max(rows for rows, _ in counted_rows(heard(act))) > MOST_COUNTED
    bounded = heard(lambda: Dossier.objects.filter(created_by=few).count())
    assert max(rows for rows, _ in counted_rows(bounded)) == 20


# ---- 10. Rights ------------------------------------------------------------------------------------

# Whose or what a right depends on: no function that keeps its answers may be asked about one of these.
OF_SOMEBODY = {"user", "user_id", "by", "account", "access", "entry", "member", "member_id", "dossier", "dossier_id",
               "habilitation", "reader", "request", "hat"}  # fmt: skip


# HTML made of its arguments alone: each right that a row shows is one of them, and its dossier is in its addresses.
DRAWINGS = {"circle.views.drawing.drawn_row", "circle.views.drawing.drawn_coming"}
# Pages kept under all that they say: the members as read now, the version of the matrix, the reader and his rights.
# Circles kept under the versions of all their rows, the day, the matrix and what discretion hides.
# CareTeams kept under a version, which is never written again, the person's name and what the reader may see of it.
PAGES = {"circle.views.listing._bodies", "circle.rows._circles", "circle.fhir.versions._made"}
# How many calls a process may still make: it opens nothing.
COUNTS = {"coordination.fhir.throttling._left"}


def loaded_rooms():
    return [m for name, m in list(sys.modules.items()) if name.split(".")[0] in ROOMS and "generator" not in name]


def kept_answers():
    """Yield (name, function) of everything that keeps its answers from one request to the next."""
    for module in loaded_rooms():
        for name, value in vars(module).items():
            if hasattr(value, "cache_info"):
                yield f"{module.__name__}.{name}", value.__wrapped__


def test_nothing_kept_is_about_somebody():
    importlib.import_module(settings.ROOT_URLCONF)  # every page, whatever was tested before
    found = dict(kept_answers())
    assert "habilitations.published._load" in found, "the walk does not see what is kept"
    guilty = {name for name, function in found.items() if OF_SOMEBODY & set(inspect.signature(function).parameters)}
    assert guilty == DRAWINGS
    caches = ((m.__name__, name) for m in loaded_rooms() for name, v in vars(m).items() if isinstance(v, Cache))
    assert {".".join(pair) for pair in caches} == PAGES | COUNTS


def test_what_is_prepared_is_a_statement_not_an_answer(db):
    """Prepared keeps SQL: of the values given, none stays in it."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    access.to_dossier(entry.user, entry.dossier.pk)
    list(access.dossier_ids(entry.user))
    prepared = [v for m in loaded_rooms() for v in vars(m).values() if isinstance(v, Prepared)]
    assert len(prepared) >= 3
    for one in prepared:
        for key, statement in one._kept.items():
            said = f"{key} {statement.sql} {statement.places}"
            assert str(entry.user.pk) not in said
            assert str(entry.dossier.pk) not in said


@pytest.mark.asvs("v5.0.0-14.2.2")
def test_no_right_goes_through_the_shared_cache():
    """Django's cache serves the limits of attempts (allauth), the count of the calls of programs, and nothing else."""
    ours = {path.name for path in python_files(tests=False) if "from django.core.cache" in path.read_text()}
    # The count of calls, and the cache of attempts itself (coordination/accounts/throttle.py).
    assert ours == {"throttling.py", "throttle.py"}


def test_what_a_matrix_keeps_is_kept_in_its_version(db):
    """Words and lists worked out of a version live in that version, and go with it."""
    first = publish_default_matrix()
    first.keep(("essai", "medecin"), lambda: "kept")
    second = publish_default_matrix()
    assert second.number != first.number
    assert second.keep(("essai", "medecin"), lambda: "worked out again") == "worked out again"


STOPS = {
    "the habilitation is suspended": "UPDATE habilitations_habilitation SET state = 'non' WHERE user_id = %s",
    "the membership ends": "UPDATE habilitations_habilitation SET ended_at = now() WHERE user_id = %s",
    "the profession ends": "UPDATE habilitations_vouchedprofession SET ended_at = now() WHERE user_id = %s",
    "a refusal is noted": "UPDATE habilitations_habilitation SET state = 'refus' WHERE user_id = %s",
    "the profession loses the rubric in a new version": None,
}


@pytest.mark.django_db
@pytest.mark.parametrize("stop", STOPS)
def test_another_process_takes_a_right_away_and_the_next_request_knows(client, stop):
    """Written in SQL, as another server would: nothing of this process is told."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    nurse = make.account()
    make.add(entry, nurse.attachment.professional, wanted="oui")
    client.force_login(nurse)
    page = f"/dossiers/{entry.dossier.pk}/cercle/"
    for _ in range(2):
        assert client.get(page).status_code == 200
        assert entry.dossier.pk in set(access.dossier_ids(nurse).values_list("dossier_id", flat=True))
    with connection.cursor() as cursor:
        if STOPS[stop]:
            cursor.execute(STOPS[stop], [nurse.pk])
        else:
            _publish_without(cursor, Rubrique.CERCLE)
        if "refus" in (STOPS[stop] or ""):
            cursor.execute(
                "INSERT INTO habilitations_refusal (id, dossier_id, habilitation_id, refused_on, collected, comment,"
                " recorded_at, recorded_by_id, withdrawn_collected) SELECT gen_random_uuid(), dossier_id, id, %s,"
                " 'oral', '', now(), user_id, '' FROM habilitations_habilitation WHERE user_id = %s",
                [timezone.localdate(), nurse.pk],
            )
    assert client.get(page).status_code in (403, 404)


def _publish_without(cursor, rubrique):
    """Copy the current version under the next number, this rubric closed to everybody."""
    cursor.execute(
        "INSERT INTO habilitations_matrixversion (id, number, published_at, reason)"
        " SELECT gen_random_uuid(), max(number) + 1, now(), 'Essai' FROM habilitations_matrixversion RETURNING id"
    )
    (made,) = cursor.fetchone()
    versions = "FROM habilitations_{} r JOIN habilitations_matrixversion v ON v.id = r.version_id WHERE v.number ="
    last = " (SELECT max(number) - 1 FROM habilitations_matrixversion)"
    # Written closed at once: a published version never changes.
    closed = "r.profile, r.rubrique, CASE WHEN r.rubrique = %s THEN 0 ELSE r.niveau END"
    for table, columns, read, said in (
        ("matrixrow", "profile, rubrique, niveau", closed, [rubrique]),
        ("actionright", "profile, action, scope", "r.profile, r.action, r.scope", []),
        ("profilerule", "profession, fonction, profile", "r.profession, r.fonction, r.profile", []),
    ):
        cursor.execute(
            f"INSERT INTO habilitations_{table} (version_id, {columns}) SELECT %s, {read}"
            f" {versions.format(table)}{last}",
            [made, *said],
        )
