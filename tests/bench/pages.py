"""Pages of the product against a hello-world, over HTTP, in turn (PERF-1 to 5, issue 2 §8).

Rights, journal, session, second factor, logs and security headers included, on a durable PostgreSQL. The last figure
of each page says where its time goes inside one process: `python -m tests.bench.pages split COOKIE PATH...`
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from wsgiref.util import setup_testing_defaults

from tests.bench import servers

GOAL, FASTER = 12, 2.5
PLAIN = "plain"
ROUNDS, SECONDS = 3, 2
FULL_ROUNDS, FULL_SECONDS = 5, 4
WARM_UP = 1
# A coordinator's day: more circles than one page in a loop, all of them kept by each process after their first visit.
CIRCLES = 24
CALLS = 150


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    filled = servers.database(lambda: town.build(circles=CIRCLES))
    yardsticks = servers.hello(), servers.hello(bare=True)
    with (
        filled as there, servers.product() as (address, environment), yardsticks[0] as hello, yardsticks[1] as bare,
        servers.product("tests.bench.plain") as (plain, _),
    ):  # fmt: skip
        cookie = servers.signed_in(there.reader)
        homes = [f"/dossiers/{entry.dossier.pk}/" for entry in there.entries]
        paths = {
            f"Circle page, {town.MEMBERS} members": ([f"{home}cercle/" for home in homes], GOAL),
            "Home of a dossier": (homes, GOAL),
            f"Patients, 25 rows of {town.DOSSIERS // town.READERS + CIRCLES}": (["/dossiers/"], None),
        }
        pages = {name: servers.Page(address + turns[0], cookie, tuple(turns)) for name, (turns, _) in paths.items()}
        simple = [f"{home}cercle-simple/" for home in homes]
        pages[PLAIN] = servers.Page(plain + simple[0], cookie, tuple(simple))
        rates = _in_turn({"hello": servers.Page(hello), "bare": servers.Page(bare), **pages}, full)
        split = _split(environment, cookie, [turns[0] for turns, _ in paths.values()])
    usual, barest, slow = rates.pop("hello"), rates.pop("bare"), rates.pop(PLAIN)
    figures = [_beside_the_plain_one(rates[next(iter(paths))], slow)]
    for (name, (turns, goal)), rate in zip(paths.items(), rates.values(), strict=True):
        figures += [
            _figure(name, rate, usual, goal, "hello-world of a new Django project"),
            _figure(f"{name}, severer yardstick", rate, barest, None, "the same without any middleware"),
            _where(f"{name}, inside one process, p50", split[turns[0]]),
        ]
        if turns[0] in split["first"]:
            figures.append(_where(f"{name}, never drawn before by the process, p50", split["first"][turns[0]]))
    return figures


def _in_turn(pages: dict[str, servers.Page], full: bool) -> dict[str, float]:
    """Return the median rate of each page; rounds alternate, so that a busy moment falls on all of them."""
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    for page in pages.values():
        servers.per_second(page, WARM_UP)
    measured = [{name: servers.per_second(page, seconds) for name, page in pages.items()} for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in measured) for name in pages}


def _figure(name: str, rate: float, hello: float, goal: int | None, yardstick: str) -> dict:
    ratio = hello / rate
    return {
        "name": name,
        "value": f"{rate:.0f} /s",
        "ratio": ratio,
        "yardstick": f"{yardstick}, {hello:.0f} /s ({servers.client_name()})",
        "goal": f"≤ {goal} ×" if goal else None,
        "ok": ratio <= goal if goal else None,
    }


def _beside_the_plain_one(rate: float, slow: float) -> dict:
    return {
        "name": "Circle page beside the same one written with the plain ORM",
        "value": f"{rate:.0f} /s",
        "ratio": rate / slow,
        "yardstick": f"ORM and Django’s templates (tests/bench/plain.py), {slow:.0f} /s",
        "goal": f"≥ {FASTER} ×",
        "ok": rate / slow >= FASTER,
    }


def _where(name: str, spent: dict) -> dict:
    rest = spent["page"] - spent["sql"] - spent["template"]
    return {
        "name": name,
        "value": f"{spent['page']:.2f} ms: SQL {spent['sql']:.2f} ({spent['statements']} statements), "
        f"template {spent['template']:.2f}, rest {rest:.2f}",
        "ratio": None,
        "yardstick": None,
        "goal": None,
        "ok": None,
    }


# --- Inside one process -----------------------------------------------------------------------------


def _split(environment: dict[str, str], cookie: str, paths: list[str]) -> dict[str, dict]:
    command = [sys.executable, "-m", "tests.bench.pages", "split", cookie, *paths]
    done = subprocess.run(command, cwd=servers.ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def split(cookie: str, paths: list[str]) -> dict[str, dict]:
    """Return for each path the median milliseconds {page, sql, template} and the number of statements.

    Under "first", the same for the pages of a circle when nothing drawn for them is kept.
    """
    from django.db import connection
    from django.template.backends import jinja2

    from coordination.wsgi import application

    spent = {"sql": 0.0, "template": 0.0, "statements": 0}
    render = jinja2.Template.render

    def statement(execute, sql, params, many, context):
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent["sql"] += time.perf_counter() - started
            spent["statements"] += 1

    def rendered(self, *args, **kwargs):
        started, before = time.perf_counter(), spent["sql"]
        try:
            return render(self, *args, **kwargs)
        finally:
            spent["template"] += time.perf_counter() - started - (spent["sql"] - before)

    jinja2.Template.render = rendered
    with connection.execute_wrapper(statement):
        answers = {path: _middle(application, path, cookie, spent) for path in paths}
        answers["first"] = {
            path: _middle(application, path, cookie, spent, forget=_forget_drawings)
            for path in paths
            if path.startswith("/dossiers/") and path != "/dossiers/"
        }
    jinja2.Template.render = render
    return answers


def _middle(application, path: str, cookie: str, spent: dict, forget=lambda: None) -> dict:
    measured = []
    for _ in range(CALLS):
        forget()
        spent.update(sql=0.0, template=0.0, statements=0)
        started = time.perf_counter()
        _call(application, path, cookie)
        measured.append({**spent, "page": time.perf_counter() - started})
    # The first calls compile templates and statements.
    measured = measured[CALLS // 3 :]
    middle = {name: statistics.median(one[name] for one in measured) for name in measured[0]}
    return {name: v if name == "statements" else v * 1000 for name, v in middle.items()}


def _forget_drawings() -> None:
    from circle import rows
    from circle.lines import member_of
    from circle.views import listing
    from circle.views.drawing import drawn_row

    listing.forget()
    rows.forget()
    member_of.cache_clear()
    drawn_row.cache_clear()


def _call(application, path: str, cookie: str) -> bytes:
    environ = {"PATH_INFO": path, "HTTP_COOKIE": cookie, "HTTP_HOST": servers.HOST, "REMOTE_ADDR": servers.HOST}
    environ["HTTP_ACCEPT_ENCODING"] = "gzip"
    environ["HTTP_" + servers.THROUGH_TLS[0].upper().replace("-", "_")] = servers.THROUGH_TLS[1]
    setup_testing_defaults(environ)
    said = []
    answer = application(environ, lambda status, headers: said.append(status))
    body = b"".join(answer)
    answer.close()
    if not said[0].startswith("200"):
        raise RuntimeError(f"{path} answers {said[0]}")
    return body


if __name__ == "__main__":
    import logging

    import coordination.wsgi  # noqa: F401 - sets the logs up, for real and for good

    # Lines are written, as in production, into nothing.
    for handler in logging.getLogger().handlers:
        handler.setStream(open("/dev/null", "w"))  # noqa: SIM115 - until the end of the process
    print(json.dumps(split(sys.argv[2], sys.argv[3:])))
