"""Production refuses to start unsafe, and says every reason at once (SEC-26)."""

import json
import os
import re
import subprocess
import sys

import pytest

from coordination.settings import environment
from coordination.settings.base import DEFAULT_SECRET_KEY
from coordination.settings.guard import reasons_to_refuse
from coordination.settings.retention import RETENTION_DAYS

SAFE = {
    "DJANGO_SETTINGS_MODULE": "coordination.settings.production",
    "SECRET_KEY": "kN3vQ8wZr5tYx1LmP0sDfGhJkA7cB2eU9iOqWnXzTyRl4Mv6Hb",
    "ALLOWED_HOSTS": "coordination.gouv.example",
    "SITE_URL": "https://coordination.gouv.example",
    "TLS_PROXY_HEADER": "X-Forwarded-Proto",
    "TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgres://app:secret@db.example/coordination?sslmode=require",
    "REDIS_URL": "redis://:secret@redis.example:6379/0",
    "EMAIL_HOST": "smtp.coordination.example",
    "EMAIL_USE_TLS": "1",
    "DEFAULT_FROM_EMAIL": "Coordination <ne-pas-repondre@coordination.fr>",
}
KEPT = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}


def manage(*arguments, **changes):
    """manage.py with exactly the variables of a safe production, changed one by one (None removes)."""
    variables = KEPT | {name: value for name, value in (SAFE | changes).items() if value is not None}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True)


@pytest.mark.req("SEC-26", "SECT-15")
def test_check_deploy_has_nothing_to_say():
    """But that the servers of these examples are not there."""
    done = manage("check", "--deploy")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"\b\w+\.[EWC]\d{3}\b", done.stderr)) == {"common.W102", "common.W103", "common.W104"}
    assert "(0 silenced)" in done.stderr


WRONG = [
    ({"DEBUG": "1"}, "DEBUG is on"),
    ({"DEBUG": "oui"}, "DEBUG is on"),
    ({"SECRET_KEY": None}, "SECRET_KEY is missing"),
    ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
    ({"SECRET_KEY": "django-insecure-" + "a1b2c3d4e5f6" * 5}, "development key"),
    ({"SECRET_KEY": "short"}, "too weak"),
    ({"SECRET_KEY": "ab" * 40}, "too weak"),
    ({"SITE_URL": None}, "SITE_URL"),
    ({"SITE_URL": "http://coordination.gouv.example"}, "SITE_URL"),
    ({"TLS_PROXY_HEADER": None}, "No TLS"),
    ({"TLS_PROXY_HEADER": None, "TLS_CERTIFICATE": "/x.pem"}, "No TLS"),
    ({"TRUSTED_PROXIES": None}, "TRUSTED_PROXIES is 0"),
    ({"SITE_URL": "https://www.coordination.gouv.example"}, "not in ALLOWED_HOSTS"),
    ({"EMAIL_USE_SSL": "1"}, "not both"),
    ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS"),
    ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
    ({"ALLOWED_HOSTS": "coordination.gouv.example,*"}, "ALLOWED_HOSTS"),
    ({"DATABASE_URL": None}, "DATABASE_URL is missing"),
    ({"REDIS_URL": None}, "REDIS_URL is missing"),
    ({"EMAIL_HOST": None}, "EMAIL_HOST is missing"),
    ({"EMAIL_USE_TLS": None}, "in the clear"),
    ({"DEFAULT_FROM_EMAIL": None}, "DEFAULT_FROM_EMAIL is missing"),
    ({"EMAIL_TIMEOUT": "0"}, "EMAIL_TIMEOUT"),
    ({"EMAIL_TIMEOUT": "600"}, "EMAIL_TIMEOUT"),
    ({"JOURNAL_RETENTION_MONTHS": "5"}, "JOURNAL_RETENTION_MONTHS"),
    ({"JOURNAL_RETENTION_MONTHS": "37"}, "JOURNAL_RETENTION_MONTHS"),
    ({"JOURNAL_KEYS": "short"}, "JOURNAL_KEYS"),
    ({"SECRET_KEY_FALLBACKS": f"abc,{DEFAULT_SECRET_KEY}"}, "SECRET_KEY_FALLBACKS"),
    ({"RETENTION_TOKENS_DAYS": "0"}, "RETENTION_TOKENS_DAYS"),
    ({"RETENTION_MAIL_BODIES_DAYS": "91"}, "RETENTION_MAIL_BODIES_DAYS"),
    *[
        ({"OUTBOX_EMAIL_BACKEND": backend}, "delivers to nobody")
        for backend in (
            "django.core.mail.backends.console.EmailBackend",
            "django.core.mail.backends.locmem.EmailBackend",
            "django.core.mail.backends.filebased.EmailBackend",
            "django.core.mail.backends.dummy.EmailBackend",
            "coordination.outbox.mailbox.LocalMailboxBackend",
        )
    ],
]


RIGHT = [
    {"TLS_PROXY_HEADER": None, "TLS_CERTIFICATE": "/x.pem", "TLS_KEY": "/x.key", "TRUSTED_PROXIES": None},
    {"ALLOWED_HOSTS": ".gouv.example"},
    {"EMAIL_USE_TLS": None, "EMAIL_USE_SSL": "1"},
]

READ = """
import json, sys
from unittest import mock
import os
answers = []
for changes in json.load(sys.stdin):
    for name in [n for n in sys.modules if n.startswith("coordination.settings")]:
        del sys.modules[name]
    safe = json.loads(os.environ["SAFE"])
    values = {n: v for n, v in (safe | changes).items() if v is not None}
    with mock.patch.dict(os.environ, values, clear=True):
        try:
            import coordination.settings.production
            answers.append("started")
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers():
    """What production says to each wrong setting, all asked in one process."""
    cases = [{}, *RIGHT, *[changes for changes, _ in WRONG]]
    variables = KEPT | {"SAFE": json.dumps(SAFE)}
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(cases),
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(map(json.dumps, cases), json.loads(done.stdout), strict=True))


@pytest.mark.req("SEC-26", "SECT-15")
def test_the_safe_settings_start(answers):
    assert answers["{}"] == "started"


def test_what_is_right_in_another_way_starts(answers):
    """TLS to gunicorn itself, behind no proxy; a site under a domain of which all the names are ours."""
    for changes in RIGHT:
        assert answers[json.dumps(changes)] == "started", changes


@pytest.mark.asvs("v5.0.0-11.6.1", "v5.0.0-13.2.3", "v5.0.0-13.4.2", "v5.0.0-12.2.1")
@pytest.mark.req("SEC-26", "SECT-15")
@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_one_wrong_setting_is_enough(answers, changes, reason):
    answer = answers[json.dumps(changes)]
    assert answer.startswith("ImproperlyConfigured: Production refuses to start")
    assert reason in answer
    assert answer.count("\n- ") == 1, "one wrong setting, one reason"


@pytest.mark.req("SEC-26")
def test_all_reasons_are_given_at_once():
    done = manage("check", **dict.fromkeys(set(SAFE) - {"DJANGO_SETTINGS_MODULE"}))
    assert done.returncode != 0
    for word in ("SECRET_KEY", "SITE_URL", "TLS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "EMAIL_HOST"):
        assert word in done.stderr


@pytest.mark.req("SEC-26")
@pytest.mark.parametrize(
    "name", ["SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"]
)
def test_a_protection_switched_off_in_the_code_is_refused_too(name, monkeypatch):
    monkeypatch.setenv("EMAIL_HOST", "smtp.coordination.example")
    settings = SAFE | {
        "DEBUG": False,
        "DEFAULT_SECRET_KEY": "x",
        "SECRET_KEY_FALLBACKS": [],
        "RETENTION_DAYS": RETENTION_DAYS,
        "ALLOWED_HOSTS": ["coordination.gouv.example"],
        "TLS_CERTIFICATE": "",
        "TLS_KEY": "",
        "ALLAUTH_TRUSTED_PROXY_COUNT": 1,
        "OUTBOX_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "MAILBOX_PAGE": False,
        "EMAIL_USE_SSL": False,
        "EMAIL_TIMEOUT": 20,
        "SECURE_SSL_REDIRECT": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_HSTS_SECONDS": 1,
        "JOURNAL_RETENTION_MONTHS": 12,
        "JOURNAL_KEYS": [],
    }
    assert reasons_to_refuse(settings) == []
    (reason,) = reasons_to_refuse(settings | {name: 0})
    assert name in reason
    (reason,) = reasons_to_refuse(settings | {"MAILBOX_PAGE": True})
    assert "MAILBOX_PAGE" in reason


def test_production_never_starts_the_embedded_servers(tmp_path):
    manage("check", DATABASE_URL=None, DATA_DIR=str(tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_the_address_of_a_database():
    read = environment.database("postgres://us%40er:p%2Fw@db.example:5433/name?sslmode=require")
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"], read["NAME"]) == (
        "us@er",
        "p/w",
        "db.example",
        "5433",
        "name",
    )
    assert read["OPTIONS"] == {"sslmode": "require"}
    assert environment.database("postgres://u@/n?host=/run/postgresql")["HOST"] == "/run/postgresql"
    with pytest.raises(ValueError, match="PostgreSQL"):
        environment.database("sqlite:///x.db")


def test_a_pooler_of_transactions_is_told_by_its_variable():
    address = "postgres://u@db.example/n"
    assert [environment.database(address, said)["DISABLE_SERVER_SIDE_CURSORS"] for said in ("", "session")] == [
        False,
        False,
    ]
    assert environment.database(address, "transaction")["DISABLE_SERVER_SIDE_CURSORS"] is True
    with pytest.raises(ValueError, match="DATABASE_POOLER"):
        environment.database(address, "statement")
    done = manage(
        "shell", "-v", "0", "-c",
        "from django.db import connection as c; print(c.settings_dict['DISABLE_SERVER_SIDE_CURSORS'])",
        DATABASE_POOLER="transaction",
    )  # fmt: skip
    assert done.stdout.strip() == "True", done.stderr
