from django.apps import AppConfig


class CircleConfig(AppConfig):
    name = "circle"
    label = "circle"
    verbose_name = "Cercle de soins"

    def ready(self):
        from circle import actions, closing, journal, letters, referents, summaries
        from circle import notices as invited
        from circle.invitation import LETTERS
        from coordination.accounts import notices
        from coordination.common.context import register_link
        from coordination.dossiers import closing as end_of_care
        from coordination.dossiers import opening, panels
        from coordination.dossiers.journal import subjects
        from coordination.outbox import filling
        from habilitations import binding
        from habilitations.rubriques import Rubrique

        for kind in LETTERS:
            filling.filler(kind)(letters.fill)
        binding.follow(actions.close_answered)
        notices.register("invitations", invited.to_confirm)
        register_link("nav", "todo", "À faire", "todo", order=20)
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
