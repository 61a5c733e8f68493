from django.apps import AppConfig


class FhirConfig(AppConfig):
    name = "coordination.fhir"
    label = "fhir"
    verbose_name = "interface FHIR"

    def ready(self):
        from coordination.common import safety
        from coordination.fhir import checks

        safety.register("fhir", checks.DEMANDS)
