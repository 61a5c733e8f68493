"""What a production must hold of the addresses by which an agenda is read and answered (SECT-15)."""

from coordination.common.safety import Demand

DEMANDS = (
    Demand(
        1,
        "AGENDA_FEED_READS_PER_MINUTE vaut 1 ou plus : l’adresse d’un agenda ne se lit pas sans fin.",
        lambda s: s.AGENDA_FEED_READS_PER_MINUTE >= 1,
    ),
    Demand(
        2,
        "AGENDA_REPLY_ADDRESS, si elle est donnée, est une adresse de courriel.",
        lambda s: not s.AGENDA_REPLY_ADDRESS or s.AGENDA_REPLY_ADDRESS.count("@") == 1,
    ),
)
