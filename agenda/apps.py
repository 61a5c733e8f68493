from django.apps import AppConfig


class AgendaConfig(AppConfig):
    name = "agenda"
    label = "agenda"
    verbose_name = "Agenda partagé"

    def ready(self):
        from allauth.account.signals import password_changed, password_reset

        from agenda import calendar_letters, checks, letters, meeting_letters, receivers, summaries, waiting
        from agenda.actions import common, feeds, meetings, rekeying, schedules
        from agenda.actions import presence as own_time
        from agenda.fhir import PROVIDERS, actors
        from agenda.relays import asking, kinds, receiving, sending
        from circle import presence
        from coordination.accounts import notices
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.directory import attaching
        from coordination.dossiers import panels
        from coordination.fhir import registry
        from coordination.outbox import filling, quarantine
        from coordination.outbox import kinds as letter_kinds
        from coordination.partners import relaying
        from habilitations.rubriques import Rubrique

        safety.register("agenda", checks.DEMANDS)
        presence.follow(leaves=own_time.give_time_back, returns=own_time.take_time_again)
        presence.follow(leaves=asking.member_left, returns=asking.members_returned)
        attaching.follow(rekeying.follow_account)
        register_link("nav", "agenda", "Agenda", "mon_agenda:list", order=15)
        register_link(
            "account", "rooms", "Salles de ma structure", "mon_agenda:rooms", order=41, icon="geo-alt",
            allowed=lambda user: getattr(user, "looks_after_accounts", False),
        )  # fmt: skip
        notices.register("agenda", waiting.PROVIDER)
        notices.register("agenda-outside", waiting.LEFT_OUTSIDE)
        letter_kinds.declare(letters.KINDS | calendar_letters.KINDS | meeting_letters.KINDS)
        filling.filler(meeting_letters.LINK_KIND)(meeting_letters.fill)
        filling.encloser(calendar_letters.KIND)(calendar_letters.enclose)
        panels.register_page(Rubrique.AGENDA, summaries.url_of)
        panels.register_page(Rubrique.REUNIONS, summaries.meetings_url)
        panels.register_card(Rubrique.AGENDA, summaries.card)
        panels.register_news(summaries.news)
        panels.register_list_column("rendezvous", summaries.next_of_his)
        password_changed.connect(receivers.end_feed, dispatch_uid="end_feed_changed")
        password_reset.connect(receivers.end_feed, dispatch_uid="end_feed_reset")
        quarantine.register_void(feeds.close_all_feeds)
        quarantine.register_clocks(meetings.remind_due)
        registry.register(*PROVIDERS)
        registry.when_gone(actors.gone)
        common.follow(asking.appointment_changed)
        schedules.follow(asking.schedule_changed)
        relaying.register(kinds.APPOINTMENT, sending.SendingAppointment())
        relaying.register(kinds.SCHEDULE, sending.SendingSchedule())
        relaying.register(kinds.TAKEN_THERE, receiving.Receiving())
        relaying.register(kinds.BUSY_THERE, receiving.ReceivingSlots())
