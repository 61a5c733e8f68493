"""What a production must hold of the identity of people (SECT-15)."""

from coordination.common.safety import Demand

DEMANDS = (
    Demand(
        1,
        "INS_TEST_ALLOWED est faux : un matricule de démonstration n’est celui de personne.",
        lambda s: s.INS_TEST_ALLOWED is False,
    ),
)
