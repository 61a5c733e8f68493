"""The comparison with HAPI FHIR JPA: what it writes there, and what it says when it cannot be made."""

import json
import subprocess
import sys

import pytest
from django.db import connection

from tests.bench import hapi
from tests.bench.hapi import loading, processor
from tests.conformance import java


class Server:
    """Stands for a server: remembers what is posted, answers what it was given."""

    def __init__(self, **answers):
        self.answers, self.posted = answers, []

    def ask(self, method, path, body=None):
        if method == "POST":
            self.posted.append(json.loads(body))
        return 0.0, self.answers.get(path.rsplit("/", 1)[-1].strip("$"), b"{}")


def written(resource_type, key, *references):
    named = ",".join(f'{{"reference":"{one}"}}' for one in references)
    return f'{{"resourceType":"{resource_type}","id":"{key}","any":[{named}]}}'.encode()


def test_what_is_exported_is_completed_by_what_it_names():
    role = written("PractitionerRole", "r", "Practitioner/p", "Organization/o")
    ours = Server(export=role + b"\n" + written("Practitioner", "p"), o=written("Organization", "o"))
    found = loading.exported(ours, ours)
    assert {name: list(kept) for name, kept in found.items() if kept} == {
        "Organization": ["o"], "Practitioner": ["p"], "PractitionerRole": ["r"],
    }  # fmt: skip


def test_everything_is_written_once_after_what_it_points_to(monkeypatch):
    monkeypatch.setattr(loading, "AT_ONCE", 2)
    resources = {name: {f"{name}-{n}": written(name, n).decode() for n in range(3)} for name in loading.ORDER}
    theirs = Server()
    assert loading.load(theirs, resources) == 18
    urls = [[entry["request"]["url"] for entry in bundle["entry"]] for bundle in theirs.posted]
    assert sorted(url for some in urls for url in some) == sorted(
        f"{n}/{n}-{k}" for n in loading.ORDER for k in range(3)
    )
    order = [some[0].partition("/")[0] for some in urls]
    assert order == sorted(order, key=loading.ORDER.index) and all(len(some) <= 2 for some in urls)


def test_only_the_structure_that_manages_a_circle_may_be_told_by_one_side_only():
    kind, theirs = (hapi.SEARCH, 12), {"CareTeam/c", "Patient/p"}
    hapi._same({kind: theirs | {"Organization/o"}}, {kind: theirs})
    for told in (theirs | {"Patient/q"}, theirs | {"Organization/o", "Organization/q"}, {"CareTeam/c"}):
        with pytest.raises(RuntimeError):
            hapi._same({kind: told}, {kind: theirs})


@pytest.mark.django_db
def test_the_processor_is_that_of_what_was_started_and_of_postgresql():
    works = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    before = processor.spent()
    with subprocess.Popen([sys.executable, "-c", works], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        started = processor.spent()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(md5(n::text)) FROM generate_series(1, 1000000) n")
        asked = processor.spent()
        child.communicate(b"\n")
    assert started - before >= 0.4
    assert asked - started >= 0.1


def test_a_warm_up_lasts_until_the_processor_has_worked_enough(monkeypatch):
    taken = iter([10.0, 10.5, 11.0, 13.0])
    monkeypatch.setattr(processor, "spent", lambda: next(taken))
    asked = []
    hapi._warm(asked.append, 3)
    assert asked == [1, 1]


def test_a_figure_is_judged_by_the_rates_and_tells_the_processor():
    ours, theirs = [hapi.Measured(60, 0.02), hapi.Measured(50, 0.02)], [hapi.Measured(100, 0.01)] * 2
    assert hapi._figure((hapi.CREATION, 12), ours, theirs)["ok"]
    read = hapi._figure((hapi.READ, 12), ours, theirs)
    assert read["ratio"] == 0.55 and not read["ok"]
    assert "0.50 × by the processor" in read["yardstick"]


def test_without_java_one_sentence_says_so_and_the_bench_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(java, "absent", lambda: ["mvn"])
    assert hapi.run(full=False) == []
    assert capsys.readouterr().err == "NOT RUN beside HAPI FHIR JPA: no mvn on this machine.\n"


def test_without_its_libraries_too(monkeypatch, capsys):
    def fails(home):
        raise java.Missing("Maven Central is out of reach")

    monkeypatch.setattr(java, "absent", list)
    monkeypatch.setattr(java, "classpath", fails)
    assert hapi.run(full=False) == []
    assert "NOT RUN" in capsys.readouterr().err
