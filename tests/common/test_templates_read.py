"""What serves while a release changes the files under it goes on with the pages of its own version (REL-15)."""

import pytest
from django.template import engines

from coordination.common import jinja
from tests.runtime.test_production_demands import production

pytestmark = pytest.mark.req("REL-15")
READ = "import coordination.wsgi; from django.template import engines; print(len(engines['jinja2'].env.cache))"


@pytest.fixture
def env():
    loader = engines["jinja2"].env.loader
    return jinja.environment(loader=loader)


def test_no_page_is_read_from_the_disk_once_all_are(env, monkeypatch):
    assert jinja.read_all(env) == len(env.list_templates()) > 300

    def gone(*args):
        raise AssertionError("the next version's files are there")

    monkeypatch.setattr(env.loader, "get_source", gone)
    for name in env.list_templates():
        env.get_template(name)
    # What a template brings by its name, too.
    assert "Le service est momentanément indisponible" in env.get_template("errors/503.html").render(request_id="")


def test_the_web_server_of_a_production_reads_them_before_it_serves(env):
    done = production("-c", READ)
    assert done.stdout.strip() == str(len(env.list_templates())), done.stderr
