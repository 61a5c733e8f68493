from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "coordination.accounts"
    label = "accounts"
    verbose_name = "Comptes"

    def ready(self):
        from allauth.account.signals import authentication_step_completed, password_reset
        from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
        from django.contrib.auth.signals import user_logged_in

        from coordination.accounts import checks, mails, receivers
        from coordination.accounts.context import CARRIED
        from coordination.accounts.sessions import carry
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.outbox import kinds
        from coordination.outbox.models import Quarantine

        # Signals of a library, not between our own rooms.
        password_reset.connect(receivers.verify_address, dispatch_uid="accounts.verify_address")
        authenticator_added.connect(receivers.note_enrolment, dispatch_uid="accounts.note_enrolment")
        authenticator_removed.connect(receivers.forget_removed, dispatch_uid="accounts.forget_removed")
        for signal in (authenticator_added, authenticator_removed, authenticator_reset):
            signal.connect(receivers.end_other_sessions, dispatch_uid="accounts.end_other_sessions")
        authentication_step_completed.connect(receivers.renew_session_key, dispatch_uid="accounts.renew_session_key")
        user_logged_in.connect(receivers.declare_who_signs_in, dispatch_uid="accounts.declare_who_signs_in")
        user_logged_in.connect(receivers.tell_who_has_no_codes, dispatch_uid="accounts.tell_who_has_no_codes")
        carry(CARRIED, Quarantine.objects.standing().values("backup_at")[:1])
        kinds.declare(mails.KINDS)
        safety.register("accounts", checks.DEMANDS)
        register_link("account", "account", "Mon compte", "accounts:home", icon="person", order=10)
