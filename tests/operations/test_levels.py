"""The service levels: promised in one file, computed from a log, from the metrics, from the database (REL-16)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram

from coordination.common import metrics
from coordination.operations import levels, proofs
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace
from tests.accounts.factories import UserFactory
from tests.outbox.factories import MessageFactory
from tests.test_architecture import named_routes

pytestmark = [pytest.mark.django_db, pytest.mark.req("REL-16")]
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def line(ms, *, status=200, view="dossiers:home", at=NOW, event="request"):
    return json.dumps({"event": event, "timestamp": at.isoformat(), "status": status, "view": view, "ms": ms})


def verdict(key, counted):
    (found,) = [one for one in levels.verdicts(counted) if one.level.key == key]
    return found


def read(*lines):
    return levels.from_log(lines, since=NOW - timedelta(days=30))


# ---- What is promised ----------------------------------------------------------------------------


def test_the_six_promises_of_the_goal_are_there():
    days, found = levels.promises()
    bounds = {one.key: one.at_least or one.at_most for one in found}
    assert days == 30 and bounds == {
        "availability": 0.9995, "dossier_page": 0.3, "search": 0.2, "job_age": 60, "invitation": 30, "restore": 30,
    }  # fmt: skip


def test_each_promise_is_about_something_that_exists():
    _, found = levels.promises()
    routes = {name for name, _, _ in named_routes()}
    for one in found:
        assert one.routes <= routes and one.queues <= {"message", "job", "relay"}


def test_a_time_promised_is_the_bound_of_a_bucket():
    _, found = levels.promises()
    buckets = {"requests": metrics.REQUEST_SECONDS, "waits": metrics.WAIT_SECONDS}
    told = [(one, buckets[one.measure]._upper_bounds) for one in found if one.measure in buckets]
    assert len(told) == 3
    assert all(one.at_most in bounds for one, bounds in told)


# ---- From a log ----------------------------------------------------------------------------------


def test_availability_is_counted_over_every_line_of_the_window():
    good = [line(10) for _ in range(1999)]
    counted = read(*good, line(10, status=503))
    assert verdict("availability", counted).kept is True
    assert verdict("availability", read(*good, *[line(10, status=500)] * 2)).kept is False
    assert verdict("availability", read(*good, line(10, status=500, at=NOW - timedelta(days=31)))).value == 1


def test_those_refused_before_the_product_saw_them_are_failures():
    """The gate answers 503 by itself: its line of the minute says how many."""
    refused = {"event": "web.too_many_wait", "timestamp": NOW.isoformat(), "waiting": 80, "refused": 3}
    before = refused | {"timestamp": (NOW - timedelta(days=31)).isoformat()}
    counted = read(*[line(10)] * 7, json.dumps(refused), json.dumps(before), '{"event": "web.too_many_wait"}')
    assert (counted.answers, counted.failed) == (10, 3)


@pytest.mark.parametrize(("slow", "kept"), [(5, True), (6, False)])
def test_ninety_five_pages_in_a_hundred(slow, kept):
    counted = read(*[line(120)] * (100 - slow), *[line(301)] * slow, *[line(9000, view="help")] * 50)
    found = verdict("dossier_page", counted)
    assert (found.kept, found.cases) == (kept, 100)


def test_pages_of_several_routes_are_taken_together():
    counted = read(*[line(100, view="circle:list")] * 90, *[line(400, view="agenda:week")] * 10)
    assert verdict("dossier_page", counted).kept is False
    assert verdict("search", counted).kept is None


def test_lines_of_something_else_are_passed_over():
    noise = ["", "not json", "[]", "1", '{"event": "request"}', line(10, event="outbox.not_delivered")]
    broken = [line("x"), line(10).replace('"timestamp": "2026', '"timestamp": "x'), line(None)]
    assert read(*noise, *broken, line(10), line(10).encode()).answers == 2


# ---- From the metrics ----------------------------------------------------------------------------


@pytest.fixture
def registry(monkeypatch):
    """The metrics of the product, empty."""
    made = CollectorRegistry()
    for name, kind in (("REQUEST_SECONDS", Histogram), ("WAIT_SECONDS", Histogram), ("REQUESTS", Counter)):
        real = getattr(metrics, name)
        more = {"buckets": real._upper_bounds} if kind is Histogram else {}
        monkeypatch.setattr(metrics, name, kind(real._name, "x", real._labelnames, registry=made, **more))
    return made


def test_the_same_from_what_was_counted(registry):
    for number, seconds in ((95, 0.29), (5, 4.0)):
        for _ in range(number):
            metrics.REQUEST_SECONDS.labels("circle:list").observe(seconds)
    metrics.REQUESTS.labels("circle:list", "GET", 200).inc(9999)
    metrics.REQUESTS.labels("circle:list", "GET", 500).inc(1)
    for seconds in (*[0.2] * 98, 59, 61):
        metrics.begun("job", timedelta(seconds=seconds))
    counted = levels.from_metrics(registry)
    page, job, available = (verdict(key, counted) for key in ("dossier_page", "job_age", "availability"))
    assert page.kept is True and page.value == pytest.approx(0.3)
    assert job.kept is True and (available.kept, available.value) == (True, pytest.approx(0.9999))
    metrics.REQUEST_SECONDS.labels("circle:list").observe(0.31)
    metrics.begun("message", timedelta(seconds=70))
    counted = levels.from_metrics(registry)
    assert [verdict(key, counted).kept for key in ("dossier_page", "job_age")] == [False, False]


def test_quantiles_as_prometheus_reads_them():
    buckets = {0.1: 50.0, 0.2: 90.0, 0.5: 100.0, float("inf"): 100.0}
    assert levels.quantile(buckets, 0.5) == pytest.approx(0.1)
    assert levels.quantile(buckets, 0.7) == pytest.approx(0.15)
    assert levels.quantile(buckets, 1) == pytest.approx(0.5)
    assert levels.quantile({0.1: 0.0, float("inf"): 10.0}, 0.5) == 0.1, "longer than the last bound: that bound"


# ---- From the database ---------------------------------------------------------------------------


def sent_after(seconds, **said):
    written = timezone.now() - timedelta(hours=1)
    said = {"created_at": written, "state": "envoye", "sent_at": written + timedelta(seconds=seconds)} | said
    return MessageFactory(kind="circle.invitation", **said)


def test_invitations_handed_to_the_mail_server():
    assert verdict("invitation", levels.Counted()).kept is None
    for _ in range(3):
        sent_after(2)
    sent_after(3600 * 24, created_at=timezone.now() - timedelta(days=40))
    sent_after(0, state="echec", sent_at=None)
    sent_after(0, state="retenu", sent_at=None, created_at=timezone.now() - timedelta(days=2))
    found = verdict("invitation", levels.Counted())
    assert found.kept is True and found.value == pytest.approx(2, abs=0.1)
    sent_after(0, state="en_file", sent_at=None)
    assert verdict("invitation", levels.Counted()).kept is False, "one that still waits counts"


def test_a_restore_is_proved_by_somebody_and_for_thirty_days(capsys):
    assert verdict("restore", levels.Counted()).kept is False
    anna = UserFactory(administrator=True)
    with pytest.raises(NotAllowed):
        proofs.note_restore(by=UserFactory())
    with pytest.raises(CommandError):
        call_command("restauration_prouvee", "--par", UserFactory().email)
    call_command("restauration_prouvee", "--par", anna.email)
    assert AccountTrace.objects.get(action=proofs.PROVED).actor_id == anna.pk
    assert verdict("restore", levels.Counted()).kept is True
    later = levels.verdicts(levels.Counted(), now=timezone.now() + timedelta(days=31))
    assert {one.level.key: one.kept for one in later}["restore"] is False


# ---- The command ---------------------------------------------------------------------------------


def test_the_command_ends_with_one_when_a_level_is_broken(tmp_path, capsys):
    log = tmp_path / "web.log"
    log.write_text("\n".join(line(20, at=timezone.now()) for _ in range(10)))
    with pytest.raises(CommandError, match="1\xa0niveau de service n’est pas tenu") as broken:
        call_command("slo", "--journal", str(log))
    assert broken.value.returncode == 1
    said = capsys.readouterr().out
    assert "NON TENU    Restauration prouvée" in said and "100,0 % (10" in said.replace("\xa0", " ")
    call_command("restauration_prouvee", "--par", UserFactory(administrator=True).email)
    call_command("slo", "--journal", str(log))
    assert "NON TENU" not in capsys.readouterr().out


def test_the_command_says_when_nothing_was_measured(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    call_command("restauration_prouvee", "--par", UserFactory(administrator=True).email)
    call_command("slo")
    said = capsys.readouterr().out
    assert "non mesuré" in said and "PROMETHEUS_MULTIPROC_DIR" in said
    with pytest.raises(CommandError, match="ne se lit pas"):
        call_command("slo", "--journal", str(tmp_path / "absent"))
