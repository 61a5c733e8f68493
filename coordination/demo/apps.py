from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Invented people for `make run` and `make demo-data`; on the roof, because it knows every room."""

    name = "coordination.demo"
    label = "demo"
    verbose_name = "Démonstration"
