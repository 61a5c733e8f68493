"""What production may not start with (SEC-26): every reason at once, in words an operator can act on."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.http.request import validate_host

from coordination.settings import environment as env

# Mail that goes nowhere: invitations would be lost in silence.
DEAD_ENDS = ("console", "locmem", "filebased", "dummy", "mailbox")
SHORTEST_SECRET = 50
LONGEST_SILENCE = 60


def reasons_to_refuse(settings: Mapping[str, Any]) -> list[str]:
    """Sentences, one per wrong setting; empty when production may start.

    `settings` holds the names of a settings module; the environment is asked for what has a default there.
    """
    return [
        *_secrets(settings),
        *_tls(settings),
        *_servers(settings),
        *_mail(settings),
        *_journal(settings),
        *_retention(settings),
    ]


def _retention(settings: Mapping[str, Any]) -> list[str]:
    days = settings["RETENTION_DAYS"]
    reasons = [f"RETENTION_{name.upper()}_DAYS is a number of days, 1 or more." for name in days if days[name] < 1]
    if days["mail_bodies"] > days["mails"]:
        reasons.append("RETENTION_MAIL_BODIES_DAYS is longer than RETENTION_MAILS_DAYS: bodies go with their letters.")
    return reasons


def _journal(settings: Mapping[str, Any]) -> list[str]:
    reasons = []
    if not 6 <= settings["JOURNAL_RETENTION_MONTHS"] <= 36:
        reasons.append("JOURNAL_RETENTION_MONTHS must be between 6 and 36 (12 when it is not set).")
    if any(len(key) < SHORTEST_SECRET for key in settings["JOURNAL_KEYS"]):
        reasons.append("JOURNAL_KEYS is too weak. Each key is a random one of 50 characters or more.")
    return reasons


def _secrets(settings: Mapping[str, Any]) -> list[str]:
    reasons = []
    if settings["DEBUG"] or env.flag("DEBUG"):
        reasons.append("DEBUG is on: error pages would show personal data. Remove the variable DEBUG.")
    secret = settings["SECRET_KEY"]
    if secret == settings["DEFAULT_SECRET_KEY"] or secret.startswith("django-insecure-"):
        reasons.append("SECRET_KEY is missing or is the development key. Set a random one of 50 characters or more.")
    elif len(secret) < SHORTEST_SECRET or len(set(secret)) < 10:
        reasons.append("SECRET_KEY is too weak. Set a random one of 50 characters or more.")
    if settings["DEFAULT_SECRET_KEY"] in settings["SECRET_KEY_FALLBACKS"]:
        reasons.append("SECRET_KEY_FALLBACKS holds the development key: anybody could forge a session.")
    return reasons


def _tls(settings: Mapping[str, Any]) -> list[str]:
    reasons = []
    if not settings["SITE_URL"].startswith("https://"):
        reasons.append("SITE_URL must be the public address, starting with https://.")
    if not (settings["TLS_PROXY_HEADER"] or (settings["TLS_CERTIFICATE"] and settings["TLS_KEY"])):
        reasons.append(
            "No TLS: set TLS_PROXY_HEADER (the header your proxy sets, e.g. X-Forwarded-Proto), "
            "or TLS_CERTIFICATE and TLS_KEY for gunicorn."
        )
    if settings["TLS_PROXY_HEADER"] and settings["ALLAUTH_TRUSTED_PROXY_COUNT"] < 1:
        reasons.append(
            "TRUSTED_PROXIES is 0 although TLS ends at a proxy: everybody would come from its one address, be refused "
            "for the attempts of others, and be in the journal by it. Say how many proxies write X-Forwarded-For."
        )
    wanted = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    reasons += [f"{name} is off: pages or cookies would travel in the clear." for name in wanted if not settings[name]]
    hosts = settings["ALLOWED_HOSTS"]
    if not hosts or any(host in {"*", "."} for host in hosts):
        reasons.append("ALLOWED_HOSTS must name the site's host names, without *.")
    elif (site := urlsplit(settings["SITE_URL"])).scheme == "https" and not validate_host(site.hostname or "", hosts):
        reasons.append("SITE_URL names a host that is not in ALLOWED_HOSTS: the links of every mail would be refused.")
    return reasons


def _servers(settings: Mapping[str, Any]) -> list[str]:
    wanted = {"DATABASE_URL": "postgres://user:password@host/name", "REDIS_URL": "redis://:password@host:6379/0"}
    return [f"{name} is missing ({example})." for name, example in wanted.items() if not settings[name]]


def _mail(settings: Mapping[str, Any]) -> list[str]:
    reasons = []
    backend = settings["OUTBOX_EMAIL_BACKEND"]
    if any(word in backend.lower() for word in DEAD_ENDS):
        reasons.append(f"{backend} delivers to nobody. Production needs a mail server.")
    if settings["MAILBOX_PAGE"]:
        reasons.append("MAILBOX_PAGE is on: anybody could read the mails that let one sign in.")
    host = settings["EMAIL_HOST"]
    if not env.text("EMAIL_HOST"):
        reasons.append("EMAIL_HOST is missing (localhost, if a mail server runs on this machine).")
    elif host not in {"localhost", "127.0.0.1"} and not (settings["EMAIL_USE_TLS"] or settings["EMAIL_USE_SSL"]):
        reasons.append("EMAIL_USE_TLS or EMAIL_USE_SSL is needed: mails would cross the network in the clear.")
    if settings["EMAIL_USE_TLS"] and settings["EMAIL_USE_SSL"]:
        reasons.append("EMAIL_USE_TLS (usually port 587) or EMAIL_USE_SSL (465), not both: no mail would leave.")
    if not 0 < settings["EMAIL_TIMEOUT"] <= LONGEST_SILENCE:
        reasons.append(
            f"EMAIL_TIMEOUT is 1 to {LONGEST_SILENCE} seconds: a silent mail server would hold the workers."
        )
    if settings["DEFAULT_FROM_EMAIL"].rstrip("> ").endswith((".example", ".invalid")):
        reasons.append("DEFAULT_FROM_EMAIL is missing: the sender shown to the people invited.")
    return reasons
