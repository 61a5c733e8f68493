"""What a production must hold of who may, and of the journal of who did (SECT-15)."""

from coordination.common.safety import Demand

LONGEST_EMERGENCY = 8 * 60

DEMANDS = (
    Demand(
        1,
        "MATRIX_ALONE_HOURS vaut 1 heure ou plus : un administrateur seul ne publie pas dans l’instant.",
        lambda s: s.MATRIX_ALONE_HOURS >= 1,
    ),
    Demand(
        2,
        f"BRIS_DE_GLACE_MINUTES va de 1 à {LONGEST_EMERGENCY}, avec un second facteur de moins de quinze minutes.",
        lambda s: 0 < s.BRIS_DE_GLACE_MINUTES <= LONGEST_EMERGENCY and 0 < s.BRIS_DE_GLACE_FACTOR_SECONDS <= 900,
    ),
    Demand(
        3,
        "ACCESS_CLOSE_MONTHS ne dépasse pas JOURNAL_RETENTION_MONTHS : ce que le journal a oublié passerait pour "
        "inutilisé.",
        lambda s: 0 <= s.ACCESS_CLOSE_MONTHS <= s.JOURNAL_RETENTION_MONTHS,
    ),
    Demand(
        4,
        "ACCESS_CLOSE_NOTICE_DAYS vaut 1 jour ou plus : on prévient avant de fermer un accès.",
        lambda s: s.ACCESS_CLOSE_NOTICE_DAYS >= 1,
    ),
    Demand(
        5,
        "JOURNAL_HOURS_FROM et JOURNAL_HOURS_TO sont deux heures du jour, la première avant la seconde.",
        lambda s: 0 <= s.JOURNAL_UNUSUAL["opens"] < s.JOURNAL_UNUSUAL["closes"] <= 24,
    ),
)
