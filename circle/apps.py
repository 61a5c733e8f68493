from django.apps import AppConfig


class CircleConfig(AppConfig):
    name = "circle"
    label = "circle"
    verbose_name = "Cercle de soins"

    def ready(self):
        from circle import actions, checks, closing, journal, letters, referents, summaries, waiting
        from circle import notices as invited
        from circle.actions.reminding import remind_last_days
        from circle.fhir import PROVIDERS, compartment, versions
        from circle.invitation import LETTERS
        from circle.models import Invitation
        from circle.relays import kinds, receiving, sending
        from coordination.accounts import notices
        from coordination.accounts.sessions import carry
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.dossiers import closing as end_of_care
        from coordination.dossiers import opening, panels
        from coordination.dossiers.fhir import patients
        from coordination.dossiers.journal import subjects
        from coordination.fhir import registry
        from coordination.outbox import filling, quarantine
        from coordination.outbox import kinds as letter_kinds
        from coordination.partners import relaying
        from habilitations import binding, second_wall
        from habilitations.rubriques import Rubrique

        letter_kinds.declare(letters.KINDS)
        safety.register("circle", checks.DEMANDS)
        for kind in LETTERS:
            filling.filler(kind)(letters.fill)
        second_wall.protect(Invitation._meta.db_table)
        binding.follow(actions.close_answered)
        notices.register("invitations", invited.TO_CONFIRM)
        carry(waiting.CARRIED, waiting.carried())
        register_link("nav", "todo", "À faire", "todo", order=20, count=waiting.said_to)
        register_link("account", "invitations", "Invitations", "invitations:list", order=30, icon="envelope")
        register_link("administration", "roles", "Rôles uniques", "roles:unique", order=20)
        opening.register(actions.open_dossier)
        end_of_care.register(tell=actions.tell_end_of_care, effect=closing.effect)
        subjects.register("member", journal.names_of)
        panels.register_page(Rubrique.CERCLE, summaries.url_of)
        panels.register_card(Rubrique.CERCLE, summaries.card)
        panels.register_news(summaries.news)
        panels.register_activity("circle", summaries.last_activity)
        panels.register_list_column("referent", summaries.referents)
        panels.register_filter(
            "referent", panels.Filter(referents.is_told, referents.found, referents.choices, referents.condition)
        )
        panels.register_list_column("news", summaries.news_counts)
        panels.register_strip_fact("referent", summaries.strip_referent)
        quarantine.register_clocks(
            actions.remind_due, actions.tell_undelivered, actions.carry_out_plans, remind_last_days,
            actions.close_sleeping, actions.tell_sleeping,
        )  # fmt: skip
        registry.register(*PROVIDERS)
        registry.add_compartment(compartment.of_persons)
        patients.tell_of_hidden(versions.hiding)
        relaying.register(kinds.SEND, sending.Sending())
        relaying.register(kinds.RECEIVE, receiving.Receiving())
