"""Nobody loses an access: what was granted before rests on an équipe de soins « reprise », dated from the grant.

Rows open and granted or waiting, and those whose end may still be undone (`Habilitation.gives_access_back`).
"""

from django.db import migrations

TAKE_OVER = """
INSERT INTO habilitations_consent (
    id, dossier_id, habilitation_id, ground, starts_on, information_version, collected, proof, rubriques,
    recorded_at, "end", ended_collected
)
SELECT gen_random_uuid(), h.dossier_id, h.id, 'reprise', (h.state_at AT TIME ZONE 'Europe/Paris')::date, '', '', '',
    '{}', now(), '', ''
FROM habilitations_habilitation h
WHERE (h.ended_at IS NULL AND h.state IN ('oui', 'attente'))
    OR (h.ended_at IS NOT NULL AND h.state <> 'refus' AND (
        SELECT c.before FROM habilitations_statechange c WHERE c.habilitation_id = h.id
        ORDER BY c.at DESC, c.id DESC LIMIT 1
    ) IN ('oui', 'attente'))
"""


class Migration(migrations.Migration):
    dependencies = [("habilitations", "0014_consents")]

    operations = [migrations.RunSQL([TAKE_OVER], reverse_sql=[migrations.RunSQL.noop])]
