"""What a production must hold of the other installations that it calls (SECT-15)."""

from coordination.common.safety import Demand

DEMANDS = (
    Demand(
        1,
        "PARTNERS_ALLOW_PRIVATE est faux : une adresse donnée ne doit pas faire appeler nos propres machines.",
        lambda s: s.PARTNERS_ALLOW_PRIVATE is False,
    ),
)
