"""What an operator copies is true: alert rules, units, containers, the page he follows (issue 6 §1)."""

import configparser
import json
import os
import re
import runpy
import subprocess
import sys

import promql_parser
import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands
from gunicorn.config import make_settings as gunicorn_settings
from prometheus_client.parser import text_string_to_metric_families

from coordination.celery import app
from coordination.operations import figures, levels, serving
from coordination.runtime.places import ROOT
from coordination.settings import retention

DEPLOY = ROOT / "deploy"
RULES = [rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
PAGE = (ROOT / "docs/operations.md").read_text()


@pytest.fixture
def told(db):
    """The names of the metrics, as Prometheus reads them; a bucket and a count are names too."""
    names = set()
    for family in text_string_to_metric_families(serving.text()):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        names |= {family.name + end for end in ends}
    return names


def names_in(expression):
    return set(re.findall(r"\bcoordination_\w+", expression))


@pytest.mark.req("REL-16")
def test_each_rule_reads_and_names_metrics_that_exist(told):
    assert len(RULES) >= 15
    for rule in RULES:
        promql_parser.parse(rule["expr"])
        assert names_in(rule["expr"]), f"{rule['alert']} watches nothing of ours"
        assert names_in(rule["expr"]) <= told, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]


def test_a_rule_about_nothing_would_be_seen(told):
    assert not names_in("sum(coordination_dead_lettres) > 0") <= told
    with pytest.raises(ValueError):
        promql_parser.parse("sum(coordination_dead_letters > 0")


@pytest.mark.req("REL-16")
def test_rules_and_promises_say_the_same_bounds_and_the_same_pages():
    expressions = {rule["alert"]: rule["expr"] for rule in RULES}
    _, promises = levels.promises()
    said = {one.key: one for one in promises}
    for alert, key in (("CoordinationDossierPageSlow", "dossier_page"), ("CoordinationSearchSlow", "search")):
        found = re.search(r'route=~"([^"]+)".*> ([\d.]+)\s*$', expressions[alert].strip(), re.DOTALL)
        assert set(found[1].split("|")) == said[key].routes and float(found[2]) == said[key].at_most
    assert f"> {said['job_age'].at_most}" in expressions["CoordinationQueueLate"]
    assert f"{1 - said['availability'].at_least:.4f}" in expressions["CoordinationErrorsFast"]


def of_the_database():
    """The names of what each machine tells of the one database."""
    found = {metric.name for metric in figures.DatabaseFigures().collect()} - {"coordination_database_up"}
    return sorted(found, key=len, reverse=True)


@pytest.mark.django_db
def test_what_two_machines_tell_of_one_database_is_counted_once():
    """Added up, fifty retries would be a hundred, and half of the connections all of them."""
    names, read = of_the_database(), 0
    assert len(names) > 10
    for rule in RULES:
        for name in names:
            for found in re.finditer(rf"\b{name}\b", rule["expr"]):
                before = rule["expr"][: found.start()].removesuffix("label_replace(")
                assert re.search(r"(max( by \(\w+\) )?|absent)\($", before), (rule["alert"], name)
                read += 1
    assert read > 10


@pytest.mark.django_db
def test_a_moment_that_never_was_rings_too():
    """It has no sample: « too long ago » says nothing of it."""
    for rule in RULES:
        for name in of_the_database():
            if name.endswith("_timestamp_seconds") and name in rule["expr"]:
                assert f"absent({name}" in rule["expr"], rule["alert"]


def test_the_page_says_what_to_do_for_each_alert():
    told = re.search(r"### What to do when an alert rings\n(.*?)\n### ", PAGE, re.DOTALL)[1]
    rows = {name.strip() for row in re.findall(r"^\| ([\w, ]+) \|", told, re.MULTILINE) for name in row.split(",")}
    assert rows - {"alert"} == {rule["alert"].removeprefix("Coordination") for rule in RULES}


def test_the_page_names_commands_metrics_and_durations_that_exist(told):
    commands = set(get_commands())
    assert set(re.findall(r"\bmanage (?:COMMAND|([a-z_]+))", PAGE)) - {""} <= commands
    table = re.search(r"\n\| metric \| says \|\n(.*?)\n\n", PAGE, re.DOTALL)[1]
    for name in re.findall(r"`(coordination_\w+)", table):
        assert name in told or f"{name}_bucket" in told, name
    days = set(re.findall(r"RETENTION_(\w+)_DAYS", PAGE))
    assert {name.lower() for name in days} == set(retention.RETENTION_DAYS)


@pytest.mark.req("PERF-17")
def test_the_end_of_the_service_is_said():
    """What is given back, kept and destroyed, by screens and commands that exist."""
    told = re.search(r"\n## The end of the service\n(.*?)\n## ", PAGE, re.DOTALL)[1]
    assert re.findall(r"^(\d)\. \*\*", told, re.MULTILINE) == list("123456")
    sources = "".join(
        file.read_text() for folder in ("templates", "habilitations", "coordination", "circle")
        for kind in ("*.html", "*.py") for file in (ROOT / folder).rglob(kind)
    )  # fmt: skip
    named = re.findall(r"« ([^»]+) »", re.sub(r"\s+", " ", told))
    assert len(named) >= 8
    assert [words for words in named if words not in sources] == []
    assert "purge_journal" in told and "operations-backup.md" in told


def test_the_page_says_the_days_of_the_settings():
    for name, days in retention.RETENTION_DAYS.items():
        row = next(line for line in PAGE.splitlines() if f"RETENTION_{name.upper()}_DAYS`" in line)
        assert re.search(rf"\b{days}\b", row), row


def unit(path):
    parser = configparser.RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


@pytest.mark.asvs("v5.0.0-13.2.2")
def test_each_unit_runs_something_that_exists_and_shares_the_counts():
    assert {path.stem.removeprefix("coordination-") for path in UNITS} == {
        "web", "worker", "calendars", "beat", "sweep", "metrics",
    }  # fmt: skip
    for path in UNITS:
        service = unit(path)["Service"]
        command = re.search(r"manage\.py (\w+)", service["ExecStart"])
        assert command is None or command[1] in get_commands()
        assert service["Environment"] == "PROMETHEUS_MULTIPROC_DIR=/run/coordination-metrics"
        assert "coordination-metrics" in service["RuntimeDirectory"].split()
        assert service["ProtectSystem"] == "strict" and service["CapabilityBoundingSet"] == ""
        assert f"`{path.stem}`" in PAGE


def recipe():
    """The commands of the page, from an empty Debian to the first start."""
    told = re.search(r"\n## Install on Debian.*?\n### ", PAGE, re.DOTALL)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", told, re.DOTALL))


def test_the_recipe_makes_what_the_units_want_before_it_starts_them():
    """A unit whose ReadWritePaths is not there fails before its first command (226/NAMESPACE)."""
    said = recipe()
    before = said[: said.index("systemctl start")]
    root = "/srv/coordination"
    made = {f"{root}/{name}" for name in re.findall(r"install -d (\w+)", before)}
    wanted = [paths for path in UNITS if (paths := unit(path)["Service"].get("ReadWritePaths"))]
    assert wanted and set(" ".join(wanted).split()) <= made


def test_the_recipe_clones_into_an_empty_folder_that_others_may_read():
    """`useradd --create-home` fills it from /etc/skel, and git clones in no folder that holds something; with
    HOME_MODE 0750 (Ubuntu) Prometheus would not read its rules. A file that `postgres` runs is opened by root."""
    said = recipe()
    assert "--no-create-home" in said and "--create-home" not in said
    made = said.index("install -d -o coordination -g coordination -m 0755 /srv/coordination")
    assert said.index("useradd") < made < said.index("git clone")
    assert not re.search(r"sudo -u postgres .*(--file|-f) ", said)


def test_a_migration_is_not_killed_by_the_time_of_a_start():
    migrating = [path for path in UNITS if "manage.py migrate" in path.read_text()]
    assert migrating
    for path in migrating:
        assert unit(path)["Service"]["TimeoutStartSec"] == "infinity"


def test_containers_run_what_the_units_run():
    services = yaml.safe_load((DEPLOY / "compose.production.yml").read_text())["services"]
    assert {path.stem.removeprefix("coordination-") for path in UNITS} <= set(services)
    for path in UNITS:
        name = path.stem.removeprefix("coordination-")
        # A « % » is said twice to systemd.
        words = unit(path)["Service"]["ExecStart"].split("/.venv/bin/")[1].replace("%%", "%").split()
        if name == "beat":
            words = words[: words.index("--schedule")]
        assert " ".join(words) in " ".join(services[name]["command"]), name
    # Out of the loopback of its container, it refuses to start without a token.
    assert services["metrics"]["environment"]["METRICS_TOKEN"].startswith("${METRICS_TOKEN:?")
    told = re.search(r"### In containers\n(.*?)```", PAGE, re.DOTALL)[1]
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.production.yml").read_text()))
    assert asked == {name for name in asked if f"`{name}`" in told} >= {"METRICS_TOKEN"}
    # Neither PostgreSQL nor Redis nor the product itself is on a port of the machine; metrics are on the loopback.
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"metrics": ["127.0.0.1:9464:9464"], "proxy": ["80:80", "443:443"]}


def test_each_queue_has_the_worker_that_takes_from_it():
    """Letters do not wait behind the calendars of elsewhere; a worker told nothing takes from every queue."""
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    assert queues == {"celery", settings.CALENDARS_QUEUE} == set(app.amqp.queues.consume_from)
    # Two queues of one exchange would both be given each task, and do it twice.
    assert {(one.exchange.name, one.routing_key) for one in app.amqp.queues.values()} == {(n, n) for n in queues}
    taken = {}
    for name in ("worker", "calendars"):
        words = unit(DEPLOY / f"systemd/coordination-{name}.service")["Service"]["ExecStart"].split()
        only = words[words.index("--queues") + 1].split(",") if "--queues" in words else queues
        left = words[words.index("--exclude-queues") + 1].split(",") if "--exclude-queues" in words else []
        taken[name] = set(only) - set(left)
    assert taken == {"worker": {"celery"}, "calendars": {settings.CALENDARS_QUEUE}}
    sent = {task: app.amqp.router.route({}, task)["queue"].name for task in ("agenda.tasks.refresh_calendar",)}
    assert set(sent.values()) == {settings.CALENDARS_QUEUE}
    # What has no queue of its own goes where letters do.
    for task in ("coordination.outbox.tasks.deliver", "agenda.tasks.refresh_calendars"):
        route = app.amqp.router.route({}, task)
        assert route.get("queue") in (None, app.amqp.queues["celery"])
    assert app.conf.task_default_queue == "celery"


def seconds(said):
    return int(re.fullmatch(r"(\d+)s", said)[1])


@pytest.mark.req("REL-14", "REL-15")
def test_an_upgrade_in_containers_is_made_in_the_order_of_the_units():
    """The former image is kept, the base migrated while it serves, then the web, then the rest."""
    compose = yaml.safe_load((DEPLOY / "compose.production.yml").read_text())
    services = compose["services"]
    told = re.search(r"\n### Upgrade in containers\n(.*?)\n### ", PAGE, re.DOTALL)[1]
    lines = re.search(r"```sh\n(.*?)```", told, re.DOTALL)[1].splitlines()
    file = "--file deploy/compose.production.yml"
    acts = [line.split(file, 1)[1].split() if file in line else line.split() for line in lines]
    assert all(line.startswith(f"podman compose {file} ") for line in lines if "compose" in line)

    def rank(words):
        return next(number for number, act in enumerate(acts) if " ".join(act).startswith(words))

    renewed = [act[act.index("--no-deps") + 1 :] for act in acts if act[0] == "up" and "--no-deps" in act]
    steps = [
        rank("run --rm backup"), rank("podman tag coordination coordination:former"), rank("git fetch"),
        rank("podman build"), rank("run --rm --no-deps web python manage.py check --deploy"),
        rank("run --rm --no-deps migrate"), rank("exec -T postgres psql"), rank("up --detach --no-deps web"),
        rank("up --detach --no-deps worker"), rank("exec web python manage.py slo"), len(acts) - 1,
    ]  # fmt: skip
    assert steps == sorted(steps) and len(set(steps)) == len(steps)
    # As the units: the web, then all that is not it; nothing of ours is left of the former version.
    ours = {name for name, one in services.items() if one.get("image") == "coordination"} - {"migrate"}
    assert renewed == [["web"], ["worker", "calendars", "beat", "sweep", "metrics"]]
    assert {name for names in renewed for name in names} == ours
    by_hand = re.search(r"`systemctl restart (coordination-worker [^`]+)`", PAGE)[1]
    assert [name.removeprefix("coordination-") for name in by_hand.split()] == renewed[1]
    # One image for all, which the line that builds it names, and so does what goes back to the former one.
    assert "--tag coordination ." in lines[rank("podman build")]
    assert "podman tag coordination:former coordination" in told
    migrating = "python manage.py migrate --no-input"
    assert " ".join(services["migrate"]["command"]) == migrating
    assert migrating in (DEPLOY / "systemd/coordination-web.service").read_text()


def test_who_waits_for_a_container_made_anew_waits_long_enough():
    services = yaml.safe_load((DEPLOY / "compose.production.yml").read_text())["services"]
    # The task in hand ends before its worker is killed; requests at work before their server.
    assert seconds(services["worker"]["stop_grace_period"]) > settings.CELERY_TASK_TIME_LIMIT
    served = re.search(r"^graceful_timeout = (\d+)", (DEPLOY / "gunicorn.conf.py").read_text(), re.MULTILINE)
    assert seconds(services["web"]["stop_grace_period"]) >= int(served[1] if served else 30)
    assert "/sante/pret" in services["web"]["healthcheck"]["test"][-1]
    waits = re.search(r"lb_try_duration (\d+s)", (DEPLOY / "Caddyfile").read_text())
    assert seconds(waits[1]) >= 30 and "thirty seconds" in PAGE


@pytest.mark.asvs("v5.0.0-13.4.1", "v5.0.0-15.2.3")
def test_the_image_takes_every_room():
    recipe, ignored = (DEPLOY / "Containerfile").read_text(), (ROOT / ".containerignore").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    for name in packages | {"templates", "static", "deploy"}:
        assert f"COPY {name} {name}" in recipe and f"!{name}\n" in ignored
    assert "USER coordination" in recipe and "--require-hashes" in recipe
    # Backups say which version made them.
    assert re.search(r"^COPY .*pyproject\.toml", recipe, re.MULTILINE) and "!pyproject.toml\n" in ignored
    # The secrets of the compose file stay out of the image, and out of the repository.
    assert ignored.splitlines()[-1] == "deploy/environment"
    assert "deploy/environment" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.req("REL-12")
def test_an_installation_in_containers_can_be_saved():
    """Asked for, it has pg_dump of the server's own version, the server on its network, and a place to write to."""
    services = yaml.safe_load((DEPLOY / "compose.production.yml").read_text())["services"]
    saved, recipe = services["backup"], (DEPLOY / "Containerfile").read_text()
    stage = re.search(rf"^FROM product AS {saved['build']['target']}\n(.*?)^FROM ", recipe, re.DOTALL | re.MULTILINE)[
        1
    ]
    major = services["postgres"]["image"].removeprefix("postgres:")
    assert f"postgresql-client-{major} " in stage and stage.rindex("USER coordination") > stage.rindex("RUN")
    assert 'ENTRYPOINT ["python", "-m", "coordination.runtime"]' in stage and saved["command"][0] == "backup"
    assert saved["profiles"] and saved["networks"] == services["postgres"]["networks"]
    place = saved["command"][1].rstrip("/")
    assert any(volume.endswith(f":{place}") for volume in saved["volumes"])
    # Who asks for no stage has the product.
    assert recipe.rstrip().endswith("\nFROM product")


@pytest.mark.req("REL-12")
@pytest.mark.parametrize("act", ["backup", "restore"])
@pytest.mark.parametrize(("url", "installs"), [("postgres://u@db.example/coordination", False), ("", True)])
def test_saving_a_database_of_ones_own_installs_nothing(act, url, installs):
    """The environment there is the one that pages are served with, and a server reaches no index of packages."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = ["make", "--dry-run", "--no-print-directory", act, "TO=x", "FROM=x"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment | {"DATABASE_URL": url}, capture_output=True, text=True, check=True
    )
    assert ("bootstrap.py" in done.stdout) is installs
    assert f"coordination.runtime {act}" in done.stdout


@pytest.mark.asvs("v5.0.0-15.1.2")
@pytest.mark.slow
def test_the_list_of_what_the_product_is_made_of():
    """Valid CycloneDX; each package of the lock file is there, and each thing vendored."""
    made = subprocess.run([sys.executable, "deploy/sbom.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = json.loads(made.stdout)
    found = {(one["name"], one.get("version", "")) for one in listed["components"]}
    locked = set(re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert len(locked) > 50 and locked <= found
    assert {("bootstrap", "5.3.8"), ("htmx.org", "2.0.11")} <= found
    assert listed["bomFormat"] == "CycloneDX" and listed["metadata"]["component"]["name"] == "coordination"


def test_everything_vendored_is_in_that_list():
    said = (DEPLOY / "sbom.py").read_text()
    folders = {path.name for path in (ROOT / "static/vendor").iterdir() if path.is_dir()}
    # The icons are drawn into one file; their folder only says how.
    assert all(f"static/vendor/{name}/" in said or name == "bootstrap-icons" for name in folders)
    fonts = {path.name for path in (ROOT / "static/fonts").glob("*.woff2")}
    assert all(name in said for name in fonts)
    for name, version in (("bootstrap/bootstrap.min.css", "v5.3.8"), ("htmx/htmx.min.js", '"2.0.11"')):
        assert version in (ROOT / "static/vendor" / name).read_text()[:60_000]


def test_the_web_server_listens_for_no_command_of_its_own():
    """gunicorn opens a socket for them in the account's home unless told not to, by a name that it must still know."""
    told = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    assert told["control_socket_disable"] is True
    assert "control_socket_disable" in gunicorn_settings()


def test_what_the_page_says_of_our_commands_can_be_typed():
    """`manage NAME …` of both pages: the command exists, with that act and these options."""
    from django.core.management import load_command_class

    commands = get_commands()
    seen = set()
    for page in (PAGE, (ROOT / "docs/operations-backup.md").read_text()):
        for line in re.findall(r"(?:\bmanage|manage\.py) ([a-z_]+(?: [^`|#\n]*)?)", page):
            name, _, rest = line.partition(" ")
            if name not in commands or "." not in commands[name]:
                continue
            told = load_command_class(commands[name], name).create_parser("manage.py", name).format_help()
            seen.add(name)
            for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
                assert option in told, (name, option)
    assert len(seen) >= 8, seen


def test_each_button_that_the_page_names_is_on_a_screen():
    """« … » beside « Logiciels connectés » and in the queues: who follows the page looks for these words."""
    screens = "\n".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    for said in (
        "Logiciels connectés",
        "Changer le secret",
        "Déconnecter",
        "Journaux des accès",
        "Mes jetons d’accès",
    ):
        assert f"« {said} »" in PAGE and said in screens, said
