"""Accounts, sessions, second factor (django-allauth) and the post office that carries their mails."""

from urllib.parse import urlsplit

from coordination.settings import environment as env

# --- Who one is ---------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["coordination.accounts.backends.EmailBackend"]
LOGIN_URL = "account_login"
LOGOUT_URL = "account_logout"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "family_name", "given_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "coordination.accounts.passwords.ObviousPasswordValidator"},
    {
        "NAME": "coordination.accounts.passwords.BreachedPasswordValidator",
        # A list of leaked passwords that the operator keeps on this machine; none, and none is refused for that.
        "OPTIONS": {"path": env.text("BREACHED_PASSWORDS_FILE")},
    },
]
# The link to a first password (three days) and to a new one (an hour).
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
PASSWORD_RESET_SHORT_TIMEOUT = 3600

ACCOUNT_ADAPTER = "coordination.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "coordination.accounts.forms.LoginForm",
    "reset_password": "coordination.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "coordination.accounts.forms.ResetPasswordKeyForm",
    "change_password": "coordination.accounts.forms.ChangePasswordForm",
    "reauthenticate": "coordination.accounts.forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
# The adapter turns this mail into equal work with no mail: an unknown address must take as long as a known one.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "coordination.accounts.tokens.PasswordLinkGenerator"  # noqa: S105 - a path
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How long a proof of identity serves: for one's own account and whole lists, then for acts inside one dossier, of
# which a coordinator does dozens a day (docs/decisions/2026-11-28-reauthentication.md).
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
DOSSIER_REAUTHENTICATION_SECONDS = env.number("DOSSIER_REAUTHENTICATION_MINUTES", 60) * 60
# The form has no "remember me": the cookie ends with the browser.
ACCOUNT_SESSION_REMEMBER = False
# An address stays the same key whatever its case; counted in the database, shared by all processes (Throttle).
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/300s/key",
    "reset_password": "20/m/ip,5/300s/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "confirm_email": "1/180s/key",
    # A name and a birth date tell whether somebody is followed here: enough for who types, not for who tries a list.
    "lookalikes": "60/600s/user",
    # Each sends a mail to an address that somebody typed.
    "offers": "30/600s/user",
    # Each says whether somebody named has an account.
    "naming": "30/600s/user",
    # Each says whether a person is followed here by somebody else.
    "emergency": "10/3600s/user",
    "invitations": f"{env.number('INVITATIONS_PER_HOUR', 60)}/3600s/user",
    # The access token of a software serves an hour: whoever asks for more guesses.
    "api_token": "120/m/ip",
    # What is sent from the pages of a personal link: each may write a row or a mail.
    "invitation_link": "60/m/ip",
    "meeting_link": "60/m/ip",
    "invitation_mail": "5/3600s/key",
    # A page sends one every two seconds at most: enough for who types in several at once.
    "drafts": "120/m/user",
    # Each makes us call a site that somebody names.
    "own_calendars": "6/600s/user",
}
# Reverse proxies in front of the product that write X-Forwarded-For; 0 believes nobody.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)

# --- Second factor ------------------------------------------------------------------------------
# Asked before any page but the account's own. Production turns it on.
MFA_REQUIRED = env.flag("MFA_REQUIRED")
MFA_ADAPTER = "coordination.accounts.adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "coordination.accounts.forms.AuthenticateForm",
    "reauthenticate": "coordination.accounts.forms.ReauthenticateCodeForm",
    "activate_totp": "coordination.accounts.forms.ActivateTOTPForm",
    "authenticate_webauthn": "coordination.accounts.forms.KeyAnswerForm",
    "reauthenticate_webauthn": "coordination.accounts.forms.ReauthenticateKeyForm",
    "add_webauthn": "coordination.accounts.forms.AddKeyForm",
    "edit_webauthn": "coordination.accounts.forms.RenameKeyForm",
}
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
# One period of clock drift either way.
MFA_TOTP_TOLERANCE = 1
MFA_TRUST_ENABLED = False
# Browsers take http://localhost for a safe place; production refuses a SITE_URL without https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not env.text("SITE_URL").startswith("https://")

# --- Sessions -----------------------------------------------------------------------------------
SESSION_ENGINE = "coordination.accounts.sessions"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_MINUTES", 30) * 60
SESSION_ABSOLUTE_SECONDS = env.number("SESSION_ABSOLUTE_HOURS", 10) * 3600
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
# Activity is written at most once a minute.
SESSION_TOUCH_SECONDS = 60

# Attempts are counted here: several processes count together, and a stopped Redis opens no door.
CACHES = {
    "default": {
        "BACKEND": "coordination.accounts.throttle.ThrottleCache",
        "LOCATION": "accounts_throttle",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Outgoing mail ------------------------------------------------------------------------------
# Every mail becomes a row of the outbox; the workers hand it to OUTBOX_EMAIL_BACKEND.
EMAIL_BACKEND = "coordination.outbox.backend.OutboxBackend"
OUTBOX_EMAIL_BACKEND = env.text("OUTBOX_EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
OUTBOX_MESSAGE_ID_DOMAIN = urlsplit(env.text("SITE_URL")).hostname or "localhost"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
# Seconds without a word from the mail server, at any moment of a dialogue: a silent one must not hold a worker.
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Coordination <ne-pas-repondre@coordination.invalid>")
