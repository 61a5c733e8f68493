from django.apps import AppConfig


class DossiersConfig(AppConfig):
    name = "coordination.dossiers"
    label = "dossiers"
    verbose_name = "Dossiers"

    def ready(self):
        from coordination.common import safety
        from coordination.common.addresses import address
        from coordination.common.context import register_dossier_search, register_link
        from coordination.dossiers import checks, history, panels
        from coordination.dossiers.fhir import patients
        from coordination.dossiers.models import READ_ONLY, Dossier
        from habilitations import second_wall
        from habilitations.impact import register_states
        from habilitations.rubriques import Rubrique

        patients.declare()
        safety.register("dossiers", checks.DEMANDS)
        register_link("nav", "patients", "Patients", "dossiers:list", order=10)
        register_link(
            "account", "journaux", "Journaux des accès", "dossiers:journals", order=45, icon="clock-history",
            allowed=lambda user: getattr(user, "searches_journals", False),
        )  # fmt: skip
        second_wall.protect(Dossier._meta.db_table)
        register_states(Dossier._meta.db_table, "status", read_only=[state.value for state in READ_ONLY])
        register_dossier_search("dossiers:open")
        panels.register_page(Rubrique.IDENTITE, lambda pk: address("dossiers:identity", pk))
        panels.register_page(Rubrique.JOURNAL, lambda pk: address("dossiers:journal", pk))
        panels.register_card(Rubrique.IDENTITE, history.identity_card)
        panels.register_news(history.news)
        panels.register_activity("dossier", history.last_activity)
