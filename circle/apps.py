from django.apps import AppConfig


class CircleConfig(AppConfig):
    name = "circle"
    label = "circle"
    verbose_name = "Cercle de soins"
