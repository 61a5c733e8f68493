"""The rows a decision is made of, in SQL: read here, decided in `habilitations.access`."""

from habilitations import acting
from habilitations.kin import KIN_STEP
from habilitations.models.ceilings import ALWAYS_READ
from habilitations.models.consents import CLOSABLE

_ALWAYS_READ = ", ".join(f"'{rubrique.value}'" for rubrique in ALWAYS_READ)
_CLOSABLE = ", ".join(f"'{rubrique.value}'" for rubrique in CLOSABLE)

# What the person closes for the account {user} on the row `h`, as "medical=0": the rubrics that her consent (the row
# `rests`) leaves out, those made in the browser too, and what she opposes, to everybody or to this member however he
# enters, or to the one for whom the account acts. "=0" is the whole dossier (SEC-3, SEC-5).
CLOSED_BY_THE_PERSON = f"""
    SELECT left_out || '=0' FROM (
        SELECT unnest(ARRAY[{_CLOSABLE}]) UNION
        SELECT code FROM habilitations_catalogrubric WHERE code NOT IN ({_ALWAYS_READ})
    ) AS rubrics (left_out)
    WHERE cardinality(rests.rubriques) > 0 AND left_out <> ALL (rests.rubriques)
    UNION ALL
    SELECT o.rubrique || '=0' FROM habilitations_opposition o
    WHERE o.dossier_id = h.dossier_id AND o.withdrawn_at IS NULL
        AND (o.habilitation_id IS NULL OR o.habilitation_id = h.id OR EXISTS (
            SELECT 1 FROM habilitations_habilitation own
            WHERE own.id = o.habilitation_id AND own.user_id IN ({{user}}, h.user_id)
        ))
        AND coalesce({{user}} <> ALL (o.spared), true)
"""  # noqa: S608 - our own names
WHOLE = "=0"

# Whether the row `h` opens its dossier on a day: `HabilitationQuerySet.granting`, about columns.
GRANTING = """(h.ended_at IS NULL AND h.state = 'oui' AND (h.access_until IS NULL OR h.access_until >= {day})
    AND EXISTS (
        SELECT 1 FROM habilitations_consent b WHERE b.dossier_id = h.dossier_id AND b.habilitation_id = h.id
            AND b.replaced_at IS NULL AND b.ended_at IS NULL AND (b.last_day IS NULL OR b.last_day >= {day})
    ))"""
# Whether the person went back on what she granted to an account, or closed the dossier to it.
CLOSED_WHOLE = """(EXISTS (
    SELECT 1 FROM habilitations_consent b JOIN habilitations_habilitation own ON own.id = b.habilitation_id
    WHERE b.dossier_id = {dossier} AND b.replaced_at IS NULL AND b."end" = 'retrait' AND own.user_id = {user}
) OR EXISTS (
    SELECT 1 FROM habilitations_opposition o WHERE o.dossier_id = {dossier} AND o.withdrawn_at IS NULL
        AND o.rubrique = '' AND {user} <> ALL (o.spared)
))"""

# The structures that an account acts for, under whatever entry of the directory.
_HOUSES = f"""
    WITH RECURSIVE kin (id) AS (
        SELECT d.structure_id FROM habilitations_delegate d WHERE d.user_id = {{user}} AND d.ended_at IS NULL
        UNION
        {KIN_STEP}
    )
    SELECT id FROM kin
"""  # noqa: S608 - our own names
_REFUSED = """(r.state = 'refus' OR EXISTS (
    SELECT 1 FROM habilitations_consent b WHERE b.dossier_id = r.dossier_id AND b.habilitation_id = r.id
        AND b.replaced_at IS NULL AND b."end" = 'retrait'
))"""
# Where no emergency is opened to an account, nor goes on: the person refused a structure it acts for, or its own entry
# of the directory, or went back on what she granted them. Until she withdraws it: whether the entry is in the circle
# still, or enters dossiers, is no word of hers.
SHUT_TO = f"""
SELECT r.dossier_id FROM habilitations_habilitation r WHERE r.structure_id IN ({_HOUSES}) AND {_REFUSED}
UNION ALL
SELECT r.dossier_id FROM habilitations_habilitation r
WHERE r.professional_id IN (SELECT a.professional_id FROM directory_attachment a WHERE a.user_id = {{user}})
    AND {_REFUSED}
"""  # noqa: S608 - our own names

# Asked by every page of a dossier: in SQL, prepared (through the ORM it costs ten times as much to build as to run).
# A refusal stands until it is withdrawn, even once the member has left; so does a consent that was withdrawn.
_SAID = f"""h.id, h.state, h.user_id, h.structure_id, (SELECT max(number) FROM habilitations_matrixversion),
    v.profession, v.fonction, v.national_id, v.structure_id, v.structure_name, v.how, h.access_until,
    ARRAY(
        SELECT c.rubrique || '=' || c.niveau FROM habilitations_ceiling c
        WHERE c.dossier_id = h.dossier_id AND c.habilitation_id = h.id AND c.lifted_at IS NULL
        UNION ALL {CLOSED_BY_THE_PERSON}
    ),
    (SELECT max(number) FROM habilitations_catalogchange), rests.ground, rests."end", rests.last_day"""  # noqa: S608 - our own names
_BESIDE = """LEFT JOIN habilitations_vouchedprofession v ON v.user_id = {user} AND v.ended_at IS NULL
LEFT JOIN habilitations_consent rests
    ON rests.dossier_id = h.dossier_id AND rests.habilitation_id = h.id AND rests.replaced_at IS NULL"""
_ACTIVE = "EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = {user} AND u.is_active)"
_BY_HIMSELF = f"""
SELECT {_SAID}, NULL, NULL::timestamptz
FROM habilitations_habilitation h
{_BESIDE}
WHERE h.dossier_id = {{dossier}}
    AND (h.ended_at IS NULL OR (h.state = 'refus' OR rests."end" = 'retrait') AND h.user_id IS NOT NULL)
    AND (h.user_id = {{user}} OR h.structure_id IN (
        SELECT d.structure_id FROM habilitations_delegate d
        JOIN habilitations_legalstructure l ON l.structure_id = d.structure_id AND l.closed_at IS NULL
        WHERE d.user_id = {{user}} AND d.ended_at IS NULL
    ))
    AND {_ACTIVE}
"""  # noqa: S608 - our own names
_GRANTS = f"""{_BY_HIMSELF}UNION ALL
SELECT {_SAID}, {acting.SAID}, NULL
FROM {acting.FOR_ANOTHER}
{_BESIDE}
WHERE {acting.STANDS} AND NOT {CLOSED_WHOLE.format(dossier="h.dossier_id", user="a.principal_id")}
    AND {_ACTIVE}
UNION ALL
SELECT e.id, 'urgence', e.user_id, NULL, (SELECT max(number) FROM habilitations_matrixversion),
    v.profession, v.fonction, v.national_id, v.structure_id, v.structure_name, v.how, NULL,
    ARRAY(
        SELECT o.rubrique || '=0' FROM habilitations_opposition o
        WHERE o.dossier_id = e.dossier_id AND o.withdrawn_at IS NULL
            AND (o.habilitation_id IS NULL OR EXISTS (
                SELECT 1 FROM habilitations_habilitation own
                WHERE own.id = o.habilitation_id
                    AND (own.user_id = e.user_id OR own.structure_id IN ({_HOUSES.format(user="e.user_id")}))
            ))
            AND e.user_id <> ALL (o.spared)
    ),
    (SELECT max(number) FROM habilitations_catalogchange), NULL, NULL, NULL, NULL, e.ends_at
FROM habilitations_emergencyaccess e
LEFT JOIN habilitations_vouchedprofession v ON v.user_id = e.user_id AND v.ended_at IS NULL
WHERE e.dossier_id = {{dossier}} AND e.user_id = {{user}} AND e.closed_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM ({SHUT_TO.format(user="e.user_id")}) shut WHERE shut.dossier_id = e.dossier_id
    )
    AND {_ACTIVE}
"""  # noqa: S608 - our own names
TO_DOSSIER = _GRANTS.format(dossier="%(dossier)s", user="%(user)s")
OF_DOSSIER = _GRANTS.format(dossier="dossier.id", user="%(user)s")
# Without what a page pays for and nearly nobody has: those he acts for, and an emergency.
OF_DOSSIER_BY_HIMSELF = _BY_HIMSELF.format(dossier="dossier.id", user="%(user)s")
# The same for the account `u` of the statement that says who calls (`habilitations.bearers`).
OF_DOSSIER_BY_CALLER = _BY_HIMSELF.format(dossier="dossier.id", user="u.id")
ROW = (
    "id", "state", "user_id", "structure_id", "matrix_number", "hat_profession", "hat_fonction", "hat_national_id",
    "hat_structure_id", "hat_structure_name", "hat_how", "access_until", "ceilings",
    "catalog_number",
    # The current fact on which the grant rests (models/consents.py): None when there is none.
    "ground", "ground_end", "ground_until",
    # For whom the account acts (`acting.SAID`), None for its own rows and those of its structures.
    "acting",
    # When an emergency access ends, None for every other row.
    "ends_at",
)  # fmt: skip

# The same rows for each account that may have some.
ABLE = f"""
SELECT somebody.id, grants.* FROM (
    SELECT h.user_id AS id FROM habilitations_habilitation h
    WHERE h.dossier_id = %(dossier)s AND h.user_id IS NOT NULL
    UNION
    SELECT d.user_id FROM habilitations_habilitation h
    JOIN habilitations_delegate d ON d.structure_id = h.structure_id AND d.ended_at IS NULL
    WHERE h.dossier_id = %(dossier)s
    UNION
    SELECT a.substitute_id FROM habilitations_habilitation h
    JOIN habilitations_actingfor a ON a.principal_id = h.user_id AND a.accepted_at IS NOT NULL AND a.ended_at IS NULL
    WHERE h.dossier_id = %(dossier)s
    UNION
    SELECT e.user_id FROM habilitations_emergencyaccess e WHERE e.dossier_id = %(dossier)s AND e.closed_at IS NULL
) somebody
CROSS JOIN LATERAL ({_GRANTS.format(dossier="%(dossier)s", user="somebody.id")}) grants
"""  # noqa: S608 - our own names

# Whether the rubric `{rubrique}` is closed in `{dossier}` for `{user}`, whatever his profession: `access.closed_to`,
# about columns.
CLOSED_TO = """(EXISTS (
    SELECT 1 FROM habilitations_ceiling x JOIN habilitations_habilitation y ON y.id = x.habilitation_id
    WHERE x.dossier_id = {dossier} AND x.rubrique = '{rubrique}' AND x.niveau = 0 AND x.lifted_at IS NULL
        AND y.ended_at IS NULL AND (y.user_id = {user} OR y.structure_id IN (
            SELECT z.structure_id FROM habilitations_delegate z WHERE z.user_id = {user} AND z.ended_at IS NULL
        ))
) OR EXISTS (
    SELECT 1 FROM habilitations_consent x JOIN habilitations_habilitation y ON y.id = x.habilitation_id
    WHERE x.dossier_id = {dossier} AND x.replaced_at IS NULL
        AND cardinality(x.rubriques) > 0 AND '{rubrique}' <> ALL (x.rubriques)
        AND y.ended_at IS NULL AND (y.user_id = {user} OR y.structure_id IN (
            SELECT z.structure_id FROM habilitations_delegate z WHERE z.user_id = {user} AND z.ended_at IS NULL
        ))
) OR EXISTS (
    SELECT 1 FROM habilitations_opposition x LEFT JOIN habilitations_habilitation y ON y.id = x.habilitation_id
    WHERE x.dossier_id = {dossier} AND x.rubrique = '{rubrique}' AND x.withdrawn_at IS NULL
        AND (y.id IS NULL OR y.user_id = {user} OR y.ended_at IS NULL AND y.structure_id IN (
            SELECT z.structure_id FROM habilitations_delegate z WHERE z.user_id = {user} AND z.ended_at IS NULL
        ))
))"""
