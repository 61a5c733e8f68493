from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "coordination.partners"
    label = "partners"
    verbose_name = "Partenaires"

    def ready(self):
        from coordination.common import safety
        from coordination.common.context import register_link
        from coordination.outbox import doorbell, quarantine, sweeping
        from coordination.partners import actions, checks, relaying, tasks, trying
        from coordination.partners.models import Partner, Relay

        register_link("administration", "partners", "Partenaires", "partners:list", order=80)
        safety.register("partners", checks.DEMANDS)
        doorbell.register("relay", tasks.relay)
        sweeping.register("relay", Relay.objects.all, relaying.relay)
        doorbell.register("trial", tasks.try_partner)
        sweeping.register("trial", Partner.objects.all, trying.do)
        quarantine.register_queue(quarantine.Queue("échange", Relay.objects.unfinished, actions.hold_relays))
