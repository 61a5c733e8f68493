"""What a production must hold so that programs call it as people do: known, counted, recorded (SECT-15, SECT-24)."""

from coordination.common.safety import Demand

DEMANDS = (
    Demand(
        1,
        "FHIR_AUTHENTICATOR et FHIR_RECORDER sont ceux des habilitations : sans eux, personne ne sait qui appelle.",
        lambda s: (
            s.FHIR_AUTHENTICATOR == "habilitations.clients.authenticate"
            and s.FHIR_RECORDER == "habilitations.clients.record_call"
        ),
    ),
    Demand(
        2,
        "FHIR_CALLS_PER_MINUTE est un nombre d’appels, 1 ou plus : 0 laisserait un logiciel tout aspirer.",
        lambda s: s.FHIR_CALLS_PER_MINUTE >= 1 and s.FHIR_LOOKALIKES_PER_MINUTE >= 1,
    ),
    Demand(
        3,
        "FHIR_TOKEN_SECONDS va de 60 à 3600 : un jeton pris ne sert pas plus d’une heure.",
        lambda s: 60 <= s.FHIR_TOKEN_SECONDS <= 3600,
    ),
    Demand(
        4,
        "FHIR_BASE_URL, s’il est donné, commence par https://.",
        lambda s: not s.FHIR_BASE_URL or s.FHIR_BASE_URL.startswith("https://"),
    ),
)
