"""Addresses that take a POST and whose answer is not timed, by the reason why (PERF-20)."""

from __future__ import annotations

EXCUSED: dict[str, frozenset[str]] = {
    "nothing is shown: a file is what answers": frozenset({"dossiers:export", "dossiers:journal_export"}),
    "nobody waits: the page sends it by itself, and shows nothing or a word": frozenset({
        "accounts:draft", "accounts:session", "invitations:opened",
    }),
    "a file is chosen in a window of the system first; what it brings goes where a line of the grid does": frozenset({
        "habilitations:import",
    }),
    "what answers is a calendar kept elsewhere, read while one waits": frozenset({
        "mon_agenda:add_calendar", "mon_agenda:change_calendar", "mon_agenda:refresh_calendar",
    }),
    "« Accès d’urgence » is off: the address does not exist": frozenset({
        "dossiers:emergency", "dossiers:emergencies", "dossiers:officer_review", "dossiers:forbid_emergency",
        "dossiers:allow_emergency", "dossiers:leave_emergency", "dossiers:review_emergency",
    }),
    "a password or a code is judged, for as long as takes one who guesses": frozenset({
        "account_login", "account_reauthenticate", "account_change_password", "account_reset_password",
        "account_reset_password_from_key", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp",
        "mfa_deactivate_totp", "mfa_generate_recovery_codes",
    }),
    "a key or a telephone is asked by the browser first": frozenset({
        "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_reauthenticate_webauthn",
    }),
    "the way out: what a browser keeps is emptied with it": frozenset({"account_logout"}),
    "no page sends there: a name that the library looks up, an address that leads elsewhere, a program’s": frozenset({
        "account_signup", "account_confirm_email", "root", "api_token",
    }),
}  # fmt: skip
