from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connections
from django.db.models.signals import post_migrate


def _prepare_journal(sender, using, **kwargs):
    """After a deployment, months are ready even where no worker ran for long, and new tables are behind the wall."""
    from habilitations import second_wall
    from habilitations.journal import prepare_months

    # Migrating back to before the journal calls this too.
    if "habilitations_trace" in connections[using].introspection.table_names():
        prepare_months()
        second_wall.keep_up()


class HabilitationsConfig(AppConfig):
    name = "habilitations"
    label = "habilitations"
    verbose_name = "Habilitations"

    def ready(self):
        from allauth.account.signals import password_changed, password_reset
        from allauth.mfa import signals as factors
        from django.db.models import Exists, OuterRef

        from coordination.accounts import notices
        from coordination.accounts.sessions import carry
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.fhir.models import Replay
        from coordination.outbox import kinds
        from habilitations import checks, letters, receivers, second_wall
        from habilitations.models import ActingFor, DataProtectionOfficer, EmergencyAccess, StructureAdministrator
        from habilitations.notices import PENDING_ACTING

        safety.register("habilitations", checks.DEMANDS)
        second_wall.protect(Replay._meta.db_table)
        register_link(
            "nav", "administration", "Administration", "habilitations:matrix", order=90,
            allowed=lambda user: getattr(user, "is_administrator", False), under="administration",
        )  # fmt: skip
        tabs = (
            ("levels", "Rubriques", "matrix"), ("rights", "Droits d’action", "rights"),
            ("professions", "Professions", "professions"), ("profiles", "Profils", "profiles"),
            ("rubrics", "Liste des rubriques", "rubrics"),
        )  # fmt: skip
        for order, (key, label, route) in enumerate(tabs, start=1):
            register_link("administration", key, label, f"habilitations:{route}", order=order)
        register_link("administration", "officers", "Protection des données", "habilitations:officers", order=90)
        register_link("account", "acting", "Absences et remplaçants", "acting:list", order=30, icon="arrow-left-right")
        register_link("account", "tokens", "Mes jetons d’accès", "tokens:list", order=35, icon="key")
        kinds.declare(letters.KINDS)
        notices.register("acting", PENDING_ACTING)
        named = StructureAdministrator.objects.current().filter(user=OuterRef("user_id"))
        carry("looks_after_accounts", Exists(named))
        acting = ActingFor.objects.filter(substitute=OuterRef("user_id"), ended_at=None, accepted_at__isnull=False)
        carry("acts_for_others", Exists(acting))
        emergency = EmergencyAccess.objects.running().filter(user=OuterRef("user_id"))
        carry("runs_emergency", Exists(emergency))
        officers = DataProtectionOfficer.objects.current().filter(user=OuterRef("user_id"))
        carry("searches_journals", Exists(officers))
        post_migrate.connect(_prepare_journal, sender=self, dispatch_uid="prepare_journal")
        for signal in (password_changed, password_reset):
            signal.connect(receivers.end_tokens, dispatch_uid="end_tokens")
            signal.connect(receivers.trace_password, dispatch_uid="trace_password")
        factors.authentication_failed.connect(receivers.trace_failed_factor, dispatch_uid="trace_failed_factor")
        factors.authenticator_added.connect(receivers.trace_factor_added, dispatch_uid="trace_factor_added")
        factors.authenticator_removed.connect(receivers.trace_factor_removed, dispatch_uid="trace_factor_removed")
        factors.authenticator_reset.connect(receivers.trace_factor_renewed, dispatch_uid="trace_factor_renewed")
        user_logged_in.connect(receivers.trace_sign_in, dispatch_uid="trace_sign_in")
        user_logged_out.connect(receivers.trace_sign_out, dispatch_uid="trace_sign_out")
        user_login_failed.connect(receivers.trace_failed_sign_in, dispatch_uid="trace_failed_sign_in")
