"""What was done in one dossier under an emergency access, for who reviews it: pages and times, not their content."""

from __future__ import annotations

from django.utils import timezone

from coordination.common.french import time_fr
from coordination.dossiers.journal.reading import Line
from coordination.dossiers.journal.wording import in_words
from habilitations.actions.emergency import LEFT, OPENED
from habilitations.models import EmergencyAccess, Trace

# An emergency is read in minutes: beyond, the whole is in the journal of the dossier.
MOST = 200


def done_during(emergency: EmergencyAccess) -> list[tuple[str, str]]:
    """Return what its author did in the dossier while it was open: ("A lu Volet médical", "14:02, 14:31") (SEC-8).

    In the order of the first time of each. Its opening and its end are facts of the access itself. One SQL statement.
    """
    until = emergency.closed_at or emergency.ends_at
    lines = (
        Trace.objects.of_dossier(emergency.dossier_id)
        .filter(actor_id=emergency.user_id, at__range=(emergency.opened_at, until))
        .exclude(action__in=(OPENED, LEFT))[:MOST]
    )
    found: dict[str, dict[str, None]] = {}
    for trace in lines:
        found.setdefault(in_words(Line(trace)), {})[time_fr(timezone.localtime(trace.at))] = None
    return [(what, ", ".join(times)) for what, times in found.items()]
