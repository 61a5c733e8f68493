from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "coordination.accounts"
    label = "accounts"
    verbose_name = "Comptes"

    def ready(self):
        from allauth.account.signals import password_reset
        from allauth.mfa.signals import authenticator_added

        from coordination.accounts import receivers
        from coordination.common.context import register_link

        # Signals of a library, not between our own rooms.
        password_reset.connect(receivers.verify_address, dispatch_uid="accounts.verify_address")
        authenticator_added.connect(receivers.note_enrolment, dispatch_uid="accounts.note_enrolment")
        register_link("account", "account", "Mon compte", "accounts:home", icon="person", order=10)
