"""What others wrote to read sources, and that each is awake: bandit, ruff's dates, detect-secrets (SECT-16)."""

import json
import subprocess
import sys

import pytest

from coordination.runtime.places import ROOT
from tests.static.secrets import LEFT_OUT, secrets_in

# Of some size each: bandit takes a second for two thousand lines; ruff, which asks nearly the same, is asked by lint.
PARTS = ("coordination/directory", "coordination/fhir", "circle", "agenda", "habilitations")
OTHERS = tuple(sorted(
    str(one.relative_to(ROOT)) for one in (ROOT / "coordination").iterdir() if f"coordination/{one.name}" not in PARTS
))  # fmt: skip
pytestmark = pytest.mark.req("SECT-16")


def bandit(*paths, given=None):
    """Return (test, file, line) of what bandit finds of medium severity or more; [tool.bandit] of pyproject.toml."""
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-ll", "-c", "pyproject.toml", "-f", "json", "-r", *paths],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert report["errors"] == []
    found = [(one["test_id"], one["filename"], one["line_number"]) for one in report["results"]]
    assert done.returncode == bool(found)
    return found, report["metrics"]["_totals"]["loc"]


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.drawn(1)
@pytest.mark.parametrize("part", [*PARTS, "others"])
def test_bandit_finds_nothing(part):
    found, lines = bandit(*((*OTHERS, "deploy", "manage.py") if part == "others" else (part,)))
    assert found == []
    assert lines > 5_000, "bandit read too little to prove anything"


PLANTED = {
    "B102": "exec(given)",
    "B103": "import os\nos.chmod('/x', 0o777)",
    "B104": "server.bind(('0.0.0.0', 80))",
    "B108": "open('/tmp/x', 'w')",
    "B113": "import requests\nrequests.get(address)",
    "B202": "import tarfile\ntarfile.open(given).extractall()",
    "B301": "import pickle\npickle.loads(given)",
    "B306": "import tempfile\ntempfile.mktemp()",
    "B307": "eval(given)",
    "B310": "import urllib.request\nurllib.request.urlopen(address)",
    "B314": "import xml.etree.ElementTree as tree\ntree.fromstring(given)",
    "B323": "import ssl\nssl._create_unverified_context()",
    "B324": "import hashlib\nhashlib.md5(given)",
    "B501": "import requests\nrequests.get(address, verify=False, timeout=5)",
    "B502": "import ssl\nssl.wrap_socket(ssl_version=ssl.PROTOCOL_SSLv3)",
    "B506": "import yaml\nyaml.load(given)",
    "B602": "import subprocess\nsubprocess.run(given, shell=True)",
    "B605": "import os\nos.system(given)",
    "B610": "User.objects.filter().extra(where=[given])",
    "B611": "from django.db.models.expressions import RawSQL\nRawSQL(given, [])",
    "B701": "import jinja2\njinja2.Environment(autoescape=False)",
}


def test_each_planted_fault_wakes_bandit(tmp_path):
    for name, source in PLANTED.items():
        (tmp_path / f"{name}.py").write_text(source + "\n")
    (tmp_path / "clean.py").write_text("import hashlib\n\n\ndef f(given):\n    return hashlib.sha256(given)\n")
    found, _ = bandit(str(tmp_path))
    named = {(file.rpartition("/")[2].removesuffix(".py"), test) for test, file, _ in found}
    assert {(name, name) for name in PLANTED} - named == set()
    assert not any(file == "clean" for file, _ in named)


DATES = {
    "DTZ002": "datetime.datetime.today()",
    "DTZ003": "datetime.datetime.utcnow()",
    "DTZ004": "datetime.datetime.utcfromtimestamp(0)",
    "DTZ005": "datetime.datetime.now()",
    "DTZ006": "datetime.datetime.fromtimestamp(0)",
    "DTZ011": "datetime.date.today()",
    "DTZ012": "datetime.date.fromtimestamp(0)",
    "S307": "eval(given)",
    "S608": "'SELECT 1 FROM t WHERE a = ' + given",
}


def ruff(*expressions):
    """Return the codes that our own settings of ruff answer to these expressions, in a file of the product."""
    functions = [f"\n\ndef f{n}(given):\n    return {one}\n" for n, one in enumerate(expressions)]
    source = "".join(["import datetime\n", *functions])
    asked = ["check", "--no-cache", "--output-format", "json", "--stdin-filename", "circle/x.py", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *asked], cwd=ROOT, input=source, capture_output=True, text=True
    )
    return {one["code"] for one in json.loads(done.stdout)}


def test_each_planted_date_wakes_ruff():
    """`make lint` asks the product; here, that what it asks is asked."""
    assert DATES.keys() - ruff(*DATES.values()) == set()
    assert ruff("datetime.datetime.now(datetime.UTC)") == set()


# Written in two pieces: whole, they would be what this file looks for.
SECRETS = {
    "AWS Access Key": "AKIA" + "IOSFODNN7EXAMPLQ",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "GitHub Token": "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO2pINUx",
    "Slack Token": "xoxb-" + "34532454-e039d02840a0b9379c",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n",
    "Stripe Access Key": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "Basic Auth Credentials": "postgres://admin:" + "kX9fQ2LmZt7@db.prod.local/x",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_planted_secret_is_found(tmp_path, kind):
    (tmp_path / "settings.py").write_text(f'VALUE = "{SECRETS[kind]}"\n')
    assert kind in {found for _, found in secrets_in([tmp_path / "settings.py"])}


def test_a_file_without_any_is_let_pass(tmp_path):
    (tmp_path / "settings.py").write_text('SECRET_KEY = env.text("SECRET_KEY")\nNAME = "Coordination"\n')
    assert secrets_in([tmp_path / "settings.py"]) == set()


def test_the_repository_holds_none():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    paths = [ROOT / one for one in tracked if (ROOT / one).is_file()]
    assert len(paths) > 1_000
    found = {(str(path.relative_to(ROOT)), kind) for path, kind in secrets_in(paths)}
    assert found == LEFT_OUT.keys()
