"""What a production must hold of the invitations into a circle (SECT-15)."""

from coordination.common.safety import Demand

LONGEST_LINK = 30

DEMANDS = (
    Demand(
        1,
        f"INVITATION_DAYS va de 1 à {LONGEST_LINK} : un lien oublié dans une boîte finit par ne plus servir.",
        lambda s: 1 <= s.INVITATION_DAYS <= LONGEST_LINK,
    ),
    Demand(
        2,
        "INVITATIONS_PER_HOUR compte les invitations d’une personne : une limite est nécessaire.",
        lambda s: int(s.ACCOUNT_RATE_LIMITS["invitations"].partition("/")[0]) >= 1,
    ),
)
