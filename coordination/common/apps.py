from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "coordination.common"
    label = "common"
    verbose_name = "socle commun"

    def ready(self):
        from django.core.checks import register

        from coordination.common import checks, declaring, pages, reached, safety
        from coordination.common.database import role

        pages.register()
        safety.register("common", checks.DEMANDS)
        # Not of `safety.TAG`: a production whose database is away starts all the same.
        register(role.check_role, role.TAG, deploy=True)
        register(reached.check_servers, reached.TAG, deploy=True)
        declaring.follow_requests()
