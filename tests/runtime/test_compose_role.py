"""What deploy/postgres-init.sql makes of an empty server, as the image of PostgreSQL runs it (SECT-9)."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from coordination.runtime.places import ROOT
from coordination.runtime.processes import ENVIRONMENT
from tests.runtime.test_point_in_time import Place

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.req("SECT-9")]


def check_deploy(url):
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "role"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "coordination.settings.test"},
    )  # fmt: skip


def test_the_application_s_role_is_a_plain_one_that_owns_its_database():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        place = Place(Path(name))
        data = place.make("data")
        place.run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8")
        with place.server(data) as (sockets, administrator):
            done = subprocess.run(
                [place.programs.program("psql"), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--host", str(sockets),
                 "--username", "postgres", "--dbname", "postgres", "--file", str(ROOT / "deploy/postgres-init.sql")],
                env=ENVIRONMENT | {"POSTGRES_PASSWORD": "d'un seul"}, cwd="/", capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            told = administrator.execute(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolpassword LIKE 'SCRAM%' FROM pg_authid"
                " WHERE rolcanlogin ORDER BY rolname"
            ).fetchall()
            assert told == [("coordination", False, False, False, True), ("postgres", True, True, True, None)]
            with psycopg.connect(host=str(sockets), user="coordination", dbname="coordination") as application:
                application.execute("CREATE TABLE ours (id int)")
                found = application.execute("SELECT extname FROM pg_extension ORDER BY 1").fetchall()
                assert [one for (one,) in found] == ["btree_gist", "pg_trgm", "plpgsql"]
            address = f"postgres://{{}}@/coordination?host={sockets}"
            plain = check_deploy(address.format("coordination"))
            assert plain.returncode == 0, plain.stderr
            refused = check_deploy(address.format("postgres"))
            assert refused.returncode == 1 and "common.E100" in refused.stderr
            # As PostgreSQL comes, an error writes in its log the row of somebody.
            assert "common.W101" in plain.stderr
            administrator.execute("ALTER DATABASE coordination SET log_error_verbosity = terse")
            administrator.execute("ALTER DATABASE coordination SET log_min_error_statement = panic")
            assert "common.W101" not in check_deploy(address.format("coordination")).stderr


def test_compose_gives_the_server_an_administrator_and_this_script():
    compose = (ROOT / "deploy" / "compose.production.yml").read_text()
    assert "POSTGRES_USER: postgres\n" in compose
    assert "./postgres-init.sql:/docker-entrypoint-initdb.d/" in compose


@pytest.mark.req("SEC-22")
def test_compose_gives_the_server_a_log_that_names_nobody():
    compose = (ROOT / "deploy" / "compose.production.yml").read_text()
    assert '"log_error_verbosity=terse", "-c", "log_min_error_statement=panic"' in compose
