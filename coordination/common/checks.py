"""What a production must hold of what every page and every process share (SECT-14, SECT-15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coordination.common.safety import Demand

# Where a page may take what runs or what draws: our own files, nothing typed in it.
EXECUTING = ("script-src", "style-src")
LONGEST_BODY = 10_000_000
MOST_FIELDS = 10_000
PRIVACY = "coordination.common.headers.PrivacyHeadersMiddleware"
BROWSER = ("django.middleware.security.SecurityMiddleware", "django.middleware.csrf.CsrfViewMiddleware")
DEVELOPMENT = {"coordination.demo", "debug_toolbar", "django.contrib.admin", "django_extensions"}


def _policy(settings: Any) -> dict[str, Any]:
    return settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]


def _only(settings: Any, name: str, allowed: set[str]) -> bool:
    return set(_policy(settings)[name]) <= allowed


def _handlers(settings: Any) -> Iterator[str]:
    return (handler["class"] for handler in settings.LOGGING["handlers"].values())


def _loggers(settings: Any) -> list[dict[str, Any]]:
    return [settings.LOGGING["root"], *settings.LOGGING["loggers"].values()]


DEMANDS = (
    Demand(
        1,
        "CONTENT_SECURITY_POLICY doit tout fermer d’abord : default-src vaut 'none'.",
        lambda s: _only(s, "default-src", {"'none'"}),
    ),
    Demand(
        2,
        "CONTENT_SECURITY_POLICY ne prend scripts et styles que de nos fichiers : ni 'unsafe-inline', ni "
        "'unsafe-eval', ni autre site.",
        lambda s: all(_only(s, name, {"'self'"}) for name in EXECUTING),
    ),
    Demand(
        3,
        "CONTENT_SECURITY_POLICY doit interdire le cadre d’un autre site : frame-ancestors vaut 'none'.",
        lambda s: _only(s, "frame-ancestors", {"'none'"}),
    ),
    Demand(
        4,
        "CONTENT_SECURITY_POLICY doit tenir les adresses de nos pages : base-uri vaut 'none' et form-action 'self'.",
        lambda s: _only(s, "base-uri", {"'none'"}) and _only(s, "form-action", {"'self'"}),
    ),
    Demand(
        5,
        "CONTENT_SECURITY_POLICY doit demander Trusted Types : require-trusted-types-for vaut 'script'.",
        lambda s: _only(s, "require-trusted-types-for", {"'script'"}) and bool(_policy(s)["trusted-types"]),
    ),
    Demand(
        6,
        "CONTENT_SECURITY_POLICY s’applique partout : aucune route n’en est dispensée (EXCLUDE_URL_PREFIXES).",
        lambda s: set(s.CONTENT_SECURITY_POLICY) == {"DIRECTIVES"},
    ),
    Demand(
        7,
        "MIDDLEWARE doit garder PrivacyHeadersMiddleware : sans lui, aucune politique de contenu ni « no-store ».",
        lambda s: PRIVACY in s.MIDDLEWARE,
    ),
    Demand(
        8,
        "MIDDLEWARE doit garder les protections de Django (SecurityMiddleware, CsrfViewMiddleware).",
        lambda s: set(BROWSER) <= set(s.MIDDLEWARE),
    ),
    Demand(
        9,
        "SECURE_CROSS_ORIGIN_OPENER_POLICY vaut same-origin : une fenêtre d’un autre site tiendrait la nôtre.",
        lambda s: s.SECURE_CROSS_ORIGIN_OPENER_POLICY == "same-origin",
    ),
    Demand(
        10,
        "SECURE_REFERRER_POLICY ne dit nos adresses à aucun autre site : same-origin ou no-referrer.",
        lambda s: s.SECURE_REFERRER_POLICY in {"same-origin", "no-referrer"},
    ),
    Demand(
        11,
        "TEMPLATES échappe tout ce qui est affiché : autoescape n’est pas coupé.",
        lambda s: all(one.get("OPTIONS", {}).get("autoescape", True) is True for one in s.TEMPLATES),
    ),
    Demand(
        12,
        "MESSAGE_STORAGE reste en session : un message peut nommer quelqu’un, un cookie le garderait.",
        lambda s: s.MESSAGE_STORAGE.endswith("session.SessionStorage"),
    ),
    Demand(
        13,
        "LOGGING n’écrit à personne par courriel (AdminEmailHandler) : une page d’erreur porte des données.",
        lambda s: not any("AdminEmail" in one for one in _handlers(s)),
    ),
    Demand(
        14,
        "LOGGING ne descend pas sous INFO : les requêtes SQL et leurs valeurs seraient écrites.",
        lambda s: not any(one.get("level") in {"DEBUG", "NOTSET"} for one in _loggers(s)),
    ),
    Demand(
        15,
        "DEBUG_PROPAGATE_EXCEPTIONS est à retirer : le serveur montrerait l’erreur à la place de notre page.",
        lambda s: not s.DEBUG_PROPAGATE_EXCEPTIONS,
    ),
    Demand(
        16,
        f"DATA_UPLOAD_MAX_MEMORY_SIZE et DATA_UPLOAD_MAX_NUMBER_FIELDS bornent ce qu’une requête envoie "
        f"({LONGEST_BODY} octets et {MOST_FIELDS} champs au plus).",
        lambda s: (
            0 < s.DATA_UPLOAD_MAX_MEMORY_SIZE <= LONGEST_BODY and 0 < s.DATA_UPLOAD_MAX_NUMBER_FIELDS <= MOST_FIELDS
        ),
    ),
    Demand(
        17,
        "INSTALLED_APPS ne charge en production ni démonstration ni outil de développement.",
        lambda s: not DEVELOPMENT & set(s.INSTALLED_APPS),
    ),
    Demand(
        18,
        "STORAGES sert les fichiers par leur empreinte (ManifestStaticFilesStorage) et ne lit pas les sources "
        "(WHITENOISE_USE_FINDERS, WHITENOISE_AUTOREFRESH).",
        lambda s: (
            "Manifest" in s.STORAGES["staticfiles"]["BACKEND"]
            and not getattr(s, "WHITENOISE_USE_FINDERS", False)
            and not getattr(s, "WHITENOISE_AUTOREFRESH", False)
        ),
    ),
    Demand(
        19,
        "USE_TZ est vrai : une date sans fuseau se lirait autrement d’un serveur à l’autre.",
        lambda s: s.USE_TZ is True,
    ),
    Demand(
        20,
        "DATABASES utilise notre moteur PostgreSQL, et ne coupe pas TLS (sslmode=disable) vers une autre machine.",
        lambda s: (
            s.DATABASES["default"]["ENGINE"] == "coordination.common.database"
            and s.DATABASES["default"]["OPTIONS"].get("sslmode") not in {"disable", "allow"}
        ),
    ),
    Demand(
        21,
        "SILENCED_SYSTEM_CHECKS est vide : un contrôle que l’on fait taire ne protège plus.",
        lambda s: not s.SILENCED_SYSTEM_CHECKS,
    ),
)
