from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class DirectoryConfig(AppConfig):
    name = "coordination.directory"
    label = "directory"
    verbose_name = "Annuaire"

    def ready(self):
        from coordination.accounts import notices
        from coordination.common.context import register_link
        from coordination.directory.actions import accounts
        from coordination.directory.fhir import providers
        from coordination.directory.notices import PENDING_OFFERS
        from coordination.directory.receivers import answer_by_signing_in
        from coordination.outbox import kinds

        register_link("nav", "annuaire", "Annuaire", "directory:professionals", order=40)
        register_link(
            "account", "structure", "Comptes de ma structure", "directory:accounts", order=40, icon="building",
            allowed=lambda user: getattr(user, "looks_after_accounts", False),
        )  # fmt: skip
        register_link("administration", "structures", "Structures", "administration:legal_structures", order=10)
        register_link("administration", "clients", "Logiciels connectés", "administration:clients", order=40)
        register_link("administration", "accounts", "Comptes", "administration:accounts", order=30)
        notices.register("offers", PENDING_OFFERS)
        kinds.declare(accounts.KINDS)
        providers.declare()
        user_logged_in.connect(answer_by_signing_in, dispatch_uid="answer_by_signing_in")
