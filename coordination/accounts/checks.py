"""What a production must hold of accounts, sessions and sign-in (SECT-15, SECT-21, SECT-22)."""

from __future__ import annotations

from typing import Any

from coordination.common.safety import Demand

HASHERS = ("PBKDF2", "Argon2", "Scrypt", "BCryptSHA256")
SHORTEST_PASSWORD = 12
LONGEST_IDLE = 3600
LONGEST_SESSION = 12 * 3600
DAY = 24 * 3600
GUARDS = (
    "coordination.accounts.middleware.AuthenticationMiddleware",
    "coordination.accounts.middleware.LoginRequiredMiddleware",
    "coordination.accounts.middleware.SecondFactorMiddleware",
    "coordination.accounts.middleware.ReauthenticationMiddleware",
)
# What somebody who guesses would try a thousand times.
COUNTED = ("login", "login_failed", "reset_password", "reset_password_from_key", "reauthenticate", "api_token")


def _validators(settings: Any) -> dict[str, dict[str, Any]]:
    return {one["NAME"].rpartition(".")[2]: one.get("OPTIONS", {}) for one in settings.AUTH_PASSWORD_VALIDATORS}


def _cookies_ours(settings: Any) -> bool:
    return all(
        getattr(settings, f"{name}_COOKIE_NAME").startswith("__Host-")
        and getattr(settings, f"{name}_COOKIE_PATH") == "/"
        and getattr(settings, f"{name}_COOKIE_DOMAIN") is None
        for name in ("SESSION", "CSRF")
    )


DEMANDS = (
    Demand(
        1,
        "PASSWORD_HASHERS commence par une empreinte lente (PBKDF2, Argon2, scrypt ou bcrypt), sans MD5 ni SHA1.",
        lambda s: (
            any(word in s.PASSWORD_HASHERS[0] for word in HASHERS)
            and not any("MD5" in one or ".SHA1" in one for one in s.PASSWORD_HASHERS)
        ),
    ),
    Demand(
        2,
        f"AUTH_PASSWORD_VALIDATORS demande {SHORTEST_PASSWORD} caractères au moins.",
        lambda s: _validators(s)["MinimumLengthValidator"]["min_length"] >= SHORTEST_PASSWORD,
    ),
    Demand(
        3,
        "AUTH_PASSWORD_VALIDATORS refuse les mots de passe connus (CommonPasswordValidator).",
        lambda s: "CommonPasswordValidator" in _validators(s),
    ),
    Demand(
        4,
        "MFA_REQUIRED est vrai : pas de donnée de santé derrière un mot de passe seul.",
        lambda s: s.MFA_REQUIRED is True,
    ),
    Demand(
        5,
        "MFA_TRUST_ENABLED est faux : un navigateur « de confiance » ne demanderait plus de second facteur.",
        lambda s: not s.MFA_TRUST_ENABLED,
    ),
    Demand(
        6,
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN est faux : une clé ne répond qu’en https.",
        lambda s: not s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN,
    ),
    Demand(
        7,
        "AUTHENTICATION_BACKENDS ne nomme que le nôtre : un autre passerait les attentes et le second facteur.",
        lambda s: list(s.AUTHENTICATION_BACKENDS) == ["coordination.accounts.backends.EmailBackend"],
    ),
    Demand(
        8,
        "MIDDLEWARE demande un compte à toute page, puis le second facteur et la preuve d’identité (accounts).",
        lambda s: [one for one in s.MIDDLEWARE if one in GUARDS] == list(GUARDS),
    ),
    Demand(
        9,
        "SESSION_COOKIE_HTTPONLY est vrai et les cookies ne partent pas d’un autre site (SameSite Lax ou Strict).",
        lambda s: (
            s.SESSION_COOKIE_HTTPONLY is True
            and {s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE} <= {"Lax", "Strict"}
        ),
    ),
    Demand(
        10,
        "SESSION_COOKIE_NAME et CSRF_COOKIE_NAME gardent le préfixe __Host- : un sous-domaine ne peut pas en poser.",
        _cookies_ours,
    ),
    Demand(
        11,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE est vrai et « rester connecté » n’existe pas (ACCOUNT_SESSION_REMEMBER).",
        lambda s: s.SESSION_EXPIRE_AT_BROWSER_CLOSE is True and s.ACCOUNT_SESSION_REMEMBER is False,
    ),
    Demand(
        12,
        "SESSION_IDLE_MINUTES va de 1 à 60 : un poste laissé ouvert se referme.",
        lambda s: 0 < s.SESSION_IDLE_SECONDS <= LONGEST_IDLE,
    ),
    Demand(
        13,
        "SESSION_ABSOLUTE_HOURS va de 1 à 12 : on se connecte au moins une fois par journée de travail.",
        lambda s: 0 < s.SESSION_ABSOLUTE_SECONDS <= LONGEST_SESSION,
    ),
    Demand(
        14,
        "ACCOUNT_RATE_LIMITS compte les essais de connexion, de réinitialisation et de jeton.",
        lambda s: all(s.ACCOUNT_RATE_LIMITS[name] for name in COUNTED),
    ),
    Demand(
        15,
        "CACHES compte les essais en base (ThrottleCache) : un cache par processus les oublierait.",
        lambda s: s.CACHES["default"]["BACKEND"] == "coordination.accounts.throttle.ThrottleCache",
    ),
    Demand(
        16,
        "ACCOUNT_PREVENT_ENUMERATION est vrai : la réponse ne dit pas si une adresse a un compte.",
        lambda s: s.ACCOUNT_PREVENT_ENUMERATION is True and s.ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS is True,
    ),
    Demand(
        17,
        "ACCOUNT_EMAIL_VERIFICATION vaut mandatory : un compte sert une fois son adresse prouvée.",
        lambda s: s.ACCOUNT_EMAIL_VERIFICATION == "mandatory",
    ),
    Demand(
        18,
        "Une preuve d’identité sert dix minutes pour son compte, une heure dans un dossier "
        "(ACCOUNT_REAUTHENTICATION_TIMEOUT, DOSSIER_REAUTHENTICATION_MINUTES).",
        lambda s: (
            s.ACCOUNT_REAUTHENTICATION_REQUIRED is True
            and 0 < s.ACCOUNT_REAUTHENTICATION_TIMEOUT <= 600
            and 0 < s.DOSSIER_REAUTHENTICATION_SECONDS <= 3600
        ),
    ),
    Demand(
        19,
        "PASSWORD_RESET_TIMEOUT : un lien de mot de passe sert trois jours au plus, et une heure pour en changer.",
        lambda s: 0 < s.PASSWORD_RESET_TIMEOUT <= 3 * DAY and 0 < s.PASSWORD_RESET_SHORT_TIMEOUT <= 3600,
    ),
    Demand(
        20,
        "SESSION_ENGINE est le nôtre : lui seul ferme toutes les sessions quand un droit change.",
        lambda s: s.SESSION_ENGINE == "coordination.accounts.sessions",
    ),
)
