"""What a production must hold of what it tells those who watch it (SECT-15)."""

from coordination.common.safety import Demand
from coordination.operations.serving import SHORTEST_TOKEN, is_loopback

DEMANDS = (
    Demand(
        1,
        f"METRICS_BIND reste sur cette machine (127.0.0.1), ou METRICS_TOKEN compte {SHORTEST_TOKEN} caractères au "
        "moins.",
        lambda s: is_loopback(s.METRICS_BIND.rpartition(":")[0].strip("[]")) or len(s.METRICS_TOKEN) >= SHORTEST_TOKEN,
    ),
)
